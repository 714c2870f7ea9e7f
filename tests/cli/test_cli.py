"""The command line as a person meets it: real runs, real processes, real signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import HASTY, THOROUGH, answered, gilkit, refused
from hasty import HURRIED

from gilkit.kernels import KERNELS, VARIANTS
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.loading import load

FAST = ["--workers", "2", "--rounds", "2", "--size", "2000"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def test_list() -> None:
    done = answered("list")
    assert done.returncode == 0
    for name in (*KERNELS, *VARIANTS, "threads", "processes"):
        assert name in done.stdout
    for kernel in KERNELS.values():
        for reason in kernel.missing.values():
            assert reason[:40] in " ".join(done.stdout.split())


def test_help_and_version() -> None:
    assert "compare" in answered("--help").stdout
    assert "--timeout" in answered("compare", "--help").stdout
    assert answered("--version").stdout.startswith("gilkit, version ")


def test_the_console_script_is_the_same() -> None:
    script = Path(sys.executable).with_name("gilkit")
    if not script.exists():
        pytest.skip("gilkit was not installed with its script")
    assert (
        subprocess.run([str(script), "list"], capture_output=True, text=True, check=True).stdout
        == answered("list").stdout
    )


def test_compare_show_and_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    done = gilkit("compare", "lcg", "sleep", "--workers", "2", "--rounds", "1", "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar in a pipe
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert answered("show", str(path)).stdout == done.stdout
    assert load(path).kernels == ["lcg", "sleep"]


@pytest.mark.usefixtures("hasty")
def test_options_choose(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    done = answered(
        "compare",
        "lcg",
        *FAST,
        "--variant",
        "nogil,gil",
        "--executor",
        "threads",
        "--seed",
        "5",
        "-o",
        str(path),
    )
    assert done.returncode == 0, done.stderr
    found = load(path)
    assert {c.variant for c in found} == {"gil", "nogil", "unpinned", "ceiling"}
    assert {c.executor for c in found if c.variant != "ceiling"} == {"threads"}
    assert found.facts["gilkit_seed"] == 5


@pytest.mark.usefixtures("hasty")
def test_real_input(tmp_path: Path) -> None:
    some, points, path = tmp_path / "some.bin", tmp_path / "points.npy", tmp_path / "r.json"
    some.write_bytes(bytes(range(256)) * 40)
    np.save(points, np.ones((30, 3), dtype=np.float32))
    few = ["--workers", "2", "--rounds", "1", "--variant", "nogil", "--executor", "threads", "-o", str(path)]
    assert answered("compare", "--input", str(some), *few).returncode == 0
    found = load(path)
    assert found.kernels == ["histogram", "crc32"]
    assert found.fact(Case("crc32", "nogil", "threads", 2), facts.SIZE) == 256 * 40
    assert answered("compare", "--input", str(points), *few).returncode == 0
    assert load(path).kernels == ["transform", "pairwise"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "nope"], "unknown kernel 'nope': known are lcg, "),
        (["compare", "src/mymod.pyx"], "-s 'import mymod' 'mymod.one()' --against 'mymod.other()'"),
        (["compare", "mymod.func"], "-s 'import mymod' 'mymod.one()' --against 'mymod.other()'"),
        (
            ["compare", "lcg", "--variant", "fast"],
            "unknown variant 'fast': known are python, gil, nogil, native",
        ),
        (["compare", "lcg", "--seed", str(10**18)], "is not in the range 0<=x<=4294967295"),
        (
            ["compare", "lcg", "--executor", "gpu"],
            "unknown executor 'gpu': known are serial, threads, processes",
        ),
        (
            ["compare", "lcg", "--workers", "two"],
            "'two' is not a list of worker counts of 1 or more, such as 1,2,4",
        ),
        (["compare", "lcg", "--workers", "0"], "'0' is not a list of worker counts"),
        (["compare", "lcg", "--size", "-1"], "--size"),
        (["compare", "lcg", "--size", "x"], "--size"),
        (["compare", "lcg", "--rounds", "0"], "--rounds"),
        (["compare", "lcg", "--timeout", "0"], "--timeout"),
        (
            ["compare", "triad", "--size", "1000000000000"],
            "GB are free: choose a smaller size or fewer workers",
        ),
        (["compare", "lcg", "--size", "99999999999999999999"], "size is too large"),
        (["compare", "crc32", "--input", "/nowhere/file"], "/nowhere/file: No such file"),
        (["compare", "lcg", "--input", "/nowhere/file"], "lcg takes no input file"),
        (["compare", "pairwise", "--input", __file__], "is not a .npy array"),
        (
            ["compare", "lcg", "-o", "/nowhere/r.json"],
            "cannot write to /nowhere/r.json: No such file or directory",
        ),
        (["compare", "--nonsense"], "unknown option '--nonsense' (see 'gilkit compare --help')"),
        (["compare", "--round", "3"], "unknown option '--round': did you mean '--rounds'?"),
        (["nonsense"], "unknown command 'nonsense': known are beside, claims, "),
        (["1x"], "unknown command '1x': known are beside, claims, "),
        (
            ["timeit", "my.pyx"],
            "a file, no statement: build it, and call a function of it: -s 'import my' 'my.",
        ),
        (["threshold", "src/my.pyx"], "'src/my.pyx' is a file, no statement: build it, and call a function"),
        (["timeline", "my.py"], "'my.py' is a file, no statement: call a function of it: -s 'import my'"),
        (["comapre"], "unknown command 'comapre': did you mean 'compare'? Known are beside, "),
        (
            ["compare", "mandelbort"],
            "unknown kernel 'mandelbort': did you mean 'mandelbrot'? Known are lcg, ",
        ),
        (
            ["compare", "lcg", "--variant", "nogli"],
            "unknown variant 'nogli': did you mean 'nogil'? Known are ",
        ),
        (["timeline", "lcg", "--executor", "thread"], "unknown executor 'thread': did you mean 'threads'?"),
        (["claims", "one-os-threads"], "unknown claim 'one-os-threads': did you mean 'one-os-thread'? Known"),
        (["costs", "Handovr"], "unknown constant 'Handovr': did you mean 'handover'? Known are gil, "),
        (["show"], "Missing argument 'FILE...'"),
        (["show", "/nowhere/r.json"], "cannot read /nowhere/r.json: No such file"),
        (["show", __file__], "is not JSON, or is cut off"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(answered(*arguments), message)


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["list"], ["nonsense"], ["compare", "nope"], ["show"], ["show", "/nowhere/r.json"]],
    ids=" ".join,
)
def test_a_process_says_what_this_one_does_and_ends_with_its_status(arguments: list[str]) -> None:
    done, here = gilkit(*arguments, start=THOROUGH), answered(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (here.returncode, here.stdout, here.stderr)


def test_an_empty_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    refused(answered("compare", "--input", str(tmp_path / "empty")), "is empty")


@POSIX
def test_an_output_that_may_not_be_written_is_found_first(tmp_path: Path) -> None:
    refused(answered("compare", "-o", str(tmp_path)), "cannot write to")


@POSIX
def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "gilkit", "list"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in done.stderr


@POSIX
def test_on_a_terminal_there_is_a_progress_bar() -> None:
    import pty

    parent, child = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, *HASTY, "compare", "sleep", *FAST, "--executor", "threads,openmp"],
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(child)
    seen = b""
    while True:
        try:
            block = os.read(parent, 4096)
        except OSError:
            break
        if not block:
            break
        seen += block
    assert done.wait(60) == 0
    os.close(parent)
    text = seen.decode()
    assert "sleep: round 1 of 2" in text
    assert "\x1b[" in text
    assert "native" in text


def test_no_color_is_respected() -> None:
    done = gilkit("list", env={**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "", "TERM": "xterm"})
    assert "\x1b[3" not in done.stdout


def test_a_busy_machine_is_said_before_anything_is_measured() -> None:
    script = (
        f"{HURRIED}import gilkit.machine, gilkit.cli.main as cli\n"
        "gilkit.machine.load_by_others = lambda seconds=0.3: 2.1\n"
        "gilkit.machine.usable_cpus = lambda: 2\n"
        "cli.main(['compare', 'sleep', '--workers', '2', '--rounds', '1', '--executor', 'threads'])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert first.startswith("gilkit: BUSY: other programs use 2.1 of 2 CPUs: expect wide intervals")
    assert "BUSY: other programs use 2.1 of 2 CPUs; only undisturbed rounds count" in " ".join(
        done.stdout.split()
    )
