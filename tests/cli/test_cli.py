"""The command line as a person meets it: real runs, real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from command import gilkit, heed_interrupts, refused

from gilkit.kernels import KERNELS, VARIANTS
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import load

FAST = ["--workers", "2", "--rounds", "2", "--size", "2000"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def test_list() -> None:
    done = gilkit("list")
    assert done.returncode == 0
    for name in (*KERNELS, *VARIANTS, "threads", "processes"):
        assert name in done.stdout
    for kernel in KERNELS.values():
        for reason in kernel.missing.values():
            assert reason[:40] in " ".join(done.stdout.split())


def test_help_and_version() -> None:
    assert "compare" in gilkit("--help").stdout
    assert "compare" in gilkit().stdout
    assert "--timeout" in gilkit("compare", "--help").stdout
    assert gilkit("--version").stdout.startswith("gilkit, version ")


def test_the_console_script_is_the_same() -> None:
    script = Path(sys.executable).with_name("gilkit")
    if not script.exists():
        pytest.skip("gilkit was not installed with its script")
    assert (
        subprocess.run([str(script), "list"], capture_output=True, text=True, check=True).stdout
        == gilkit("list").stdout
    )


def test_compare_show_and_the_file(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    done = gilkit("compare", "lcg", "sleep", *FAST, "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar in a pipe
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert gilkit("show", str(path)).stdout == done.stdout
    assert load(path).kernels == ["lcg", "sleep"]


def test_options_choose(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    done = gilkit(
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


def test_real_input(tmp_path: Path) -> None:
    some, points, path = tmp_path / "some.bin", tmp_path / "points.npy", tmp_path / "r.json"
    some.write_bytes(bytes(range(256)) * 40)
    np.save(points, np.ones((30, 3), dtype=np.float32))
    few = ["--workers", "2", "--rounds", "1", "-o", str(path)]
    assert gilkit("compare", "--input", str(some), *few).returncode == 0
    found = load(path)
    assert found.kernels == ["histogram", "crc32"]
    assert found.fact(Case("crc32", "nogil", "threads", 2), facts.SIZE) == 256 * 40
    assert gilkit("compare", "--input", str(points), *few).returncode == 0
    assert load(path).kernels == ["transform", "pairwise"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "nope"], "unknown kernel 'nope': known are lcg, "),
        (
            ["compare", "lcg", "--variant", "fast"],
            "unknown variant 'fast': known are python, gil, nogil, native",
        ),
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
        (["compare", "--nonsense"], "No such option"),
        (["nonsense"], "No such command 'nonsense'"),
        (["show"], "Missing argument 'FILE'"),
        (["show", "/nowhere/r.json"], "cannot read /nowhere/r.json: No such file"),
        (["show", __file__], "is not JSON, or is cut off"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(gilkit(*arguments), message)


def test_an_empty_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    refused(gilkit("compare", "--input", str(tmp_path / "empty")), "is empty")


@POSIX
def test_an_output_that_may_not_be_written_is_found_first(tmp_path: Path) -> None:
    refused(gilkit("compare", "-o", str(tmp_path)), "cannot write to")


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


LONG = ["compare", "lcg", "sleep", "--quick", "--workers", "2", "--size", "2000", "--variant", "gil,nogil"]


@pytest.fixture
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A comparison that is measuring, with what it writes to."""
    path = tmp_path / "r.json"
    extra: list[str] = getattr(request, "param", ["--rounds", "40"])
    command = [sys.executable, "-m", "gilkit", *LONG, *extra, "-o", str(path)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts if os.name == "posix" else None,
    ) as process:
        yield process, path
        process.kill()


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def workers(process: subprocess.Popen[str], count: int = 3) -> list[psutil.Process]:
    """The worker processes, once all are there: the children of the process that starts them."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):  # some helper came and went
            parents = psutil.Process(process.pid).children()
            found = [worker for parent in parents for worker in parent.children()]
        if len(found) >= count:
            time.sleep(0.5)  # they are there: let them begin to measure
            return found
        time.sleep(0.02)
    raise AssertionError("no workers were started")


def wait_for_file(process: subprocess.Popen[str], path: Path) -> None:
    until = time.monotonic() + 120
    while not path.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert path.exists()


@POSIX
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV"])
def test_a_worker_that_dies_fails_its_row_and_no_other(
    name: str, running: tuple[subprocess.Popen[str], Path]
) -> None:
    process, path = running
    workers(process)[-1].send_signal(signal.Signals[name])
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert f"a worker process was killed by {name}" in " ".join(out.split())
    assert "Traceback" not in out + err
    found = load(path)
    assert found.kernels == ["lcg", "sleep"]
    assert len(found.failures) >= 1
    survivors = [case for case in found if case not in found.failures]
    assert len(survivors) > len(found.failures)
    assert all(len(found.every(case)) == 40 for case in survivors)


@POSIX
@pytest.mark.parametrize("running", [["--rounds", "40", "--timeout", "2"]], indirect=True)
def test_a_worker_that_hangs_fails_its_row_and_no_other(running: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = running
    workers(process)[-1].send_signal(signal.SIGSTOP)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert "no answer within 2 s: killed" in " ".join(out.split())
    assert "Traceback" not in out + err
    found = load(path)
    assert found.kernels == ["lcg", "sleep"]
    assert len(list(found)) > len(found.failures) >= 1


def ended(processes: list[psutil.Process]) -> None:
    assert not psutil.wait_procs(processes, timeout=20)[1]


@POSIX
def test_an_interrupt_keeps_what_was_measured(running: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = running
    wait_for_file(process, path)  # the first kernel is done, the second is being measured
    children = family(process)
    assert children
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "gilkit: interrupted"
    assert "Traceback" not in out + err
    assert "lcg" in out
    assert "lcg" in load(path).kernels
    ended(children)


@POSIX
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.1, 1.5])
def test_an_interrupt_at_any_moment_leaves_nothing_behind(
    delay: float, running: tuple[subprocess.Popen[str], Path]
) -> None:
    process, path = running
    until = time.monotonic() + 60
    while not family(process) and time.monotonic() < until:  # Python itself has started
        time.sleep(0.01)
    time.sleep(delay)
    children = family(process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err, err
    ended(children)
    if path.exists():
        assert load(path).kernels


@POSIX
def test_two_interrupts_are_as_good_as_one(running: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = running
    wait_for_file(process, path)
    children = family(process)
    for _ in range(5):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.01)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err, err
    assert "lcg" in load(path).kernels
    ended(children)


@POSIX
def test_on_a_terminal_there_is_a_progress_bar() -> None:
    import pty

    parent, child = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "gilkit", "compare", "sleep", *FAST],
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
        "import sys, gilkit.machine, gilkit.cli.main as cli\n"
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
