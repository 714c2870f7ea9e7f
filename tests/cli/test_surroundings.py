"""Runs in poor surroundings: a full disk, modules in the way, a system that does not tell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import HASTY, gilkit, leaving_nothing, refused, started

FAST = ["--workers", "2", "--rounds", "1", "--size", "2000", "--variant", "nogil"]
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize(
    "arguments", [["list"], ["compare", "sleep", "--rounds", "1", "--executor", "threads"]]
)
def test_what_cannot_be_written_is_said(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *HASTY, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 2
    assert done.stderr == "gilkit: cannot write to standard output: No space left on device\n"


IN_THE_WAY = ("random", "multiprocessing", "click", "numpy", "psutil", "pickle", "queue", "rich")


@pytest.mark.parametrize("start", [["-m", "gilkit"], ["-c", "from gilkit.__main__ import main; main()"]])
def test_modules_in_the_working_folder_do_not_pass_for_those_of_gilkit(
    start: list[str], tmp_path: Path
) -> None:
    for name in IN_THE_WAY:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('in the way')")
    if start[0] == "-c":  # as the script does that pip makes, whose folder is another
        start = ["-P", *start]
    done = gilkit("compare", "sleep", *FAST, start=tuple(start), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in the way" not in done.stdout + done.stderr


EVERY = {*sys.stdlib_module_names, "numpy", "psutil", "pyperf", "rich", "threadpoolctl"}


@pytest.mark.parametrize(
    ("start", "in_the_way"),
    [
        (["-m", "gilkit"], {"queue", "numpy", "secrets"}),  # not what Python needs to run a module
        (["-P", "-c", "from gilkit.__main__ import main; main()"], EVERY - {"random", "time"}),
    ],
    ids=["-m", "script"],
)
def test_statements_see_the_working_folder(start: list[str], in_the_way: set[str], tmp_path: Path) -> None:
    (tmp_path / "mymod.py").write_text("import random, time, mymod2\ndef work(): time.sleep(mymod2.VALUE)\n")
    (tmp_path / "mymod2.py").write_text("VALUE = 1e-3\n")
    for name in in_the_way:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('in the way')")
    arguments = ["--rounds", "1", "--workers", "2", "-s", "import mymod", "mymod.work()"]
    done = gilkit("timeit", *arguments, start=tuple(start), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in the way" not in done.stdout + done.stderr
    assert "failed" not in done.stdout


def test_statements_see_those_of_the_folder_before_others_of_that_name(tmp_path: Path) -> None:
    for name in ("numpy", "rich"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("def work(): return sum(range(1000))\n")
    arguments = ["--rounds", "1", "--workers", "2", "-s", "import numpy, rich", "numpy.work(); rich.work()"]
    done = gilkit("timeit", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout


def test_where_numpy_is_broken_what_needs_it_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError('made for another Python')")
    (tmp_path / "x.npy").write_bytes(b"rows")
    broken = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = gilkit("compare", "transform", "--quick", "--input", str(tmp_path / "x.npy"), env=broken)
    refused(done, "made for another Python")
    done = gilkit("timeit", "--rounds", "1", "--workers", "2", "sum(range(1000))", env=broken)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout


NO_PROC = (
    f"import sys, psutil; psutil.PROCFS_PATH = '/nowhere'; sys.path.append({str(Path(HASTY[0]).parent)!r}); "
    "from hasty import hurry; hurry(); from gilkit.cli.main import main; main()"
)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc here")
@pytest.mark.parametrize(
    "arguments",
    [
        ("timeit", "--rounds", "1", "sum(range(1000))"),
        ("compare", "lcg", *FAST),
        ("costs", "submit-serial", "--rounds", "1"),
        ("threshold", "crc32", "--rounds", "1", "--sizes", "64:256", "--workers", "2"),
        ("claims", "crash"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_proc_it_measures_and_says_what_it_could_not_read(arguments: tuple[str, ...]) -> None:
    with started(*arguments, start=("-c", NO_PROC)) as process:
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, out + err
    said = err.splitlines()
    assert "/nowhere/stat" in err
    assert all(line.startswith("gilkit: the system does not tell ") for line in said)
    assert len(said) == len(set(said))
    assert "Traceback" not in out


@POSIX
def test_without_proc_a_worker_that_hangs_is_killed() -> None:
    arguments = ["timeit", "--rounds", "1", "--timeout", "2", "-s", "import time", "time.sleep(1000)"]
    with leaving_nothing(), started(*arguments, start=("-c", NO_PROC)) as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == 1, out + err
    assert "no answer within 2 s: killed" in out + err


def in_a_folder_that_was_removed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end in ``folder``, which is gone by then."""
    folder.mkdir()
    command = f'cd "{folder}" && rmdir "{folder}" && "{sys.executable}" -m gilkit {" ".join(arguments)}'
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)


@POSIX
def test_in_a_folder_that_was_removed_it_still_answers(tmp_path: Path) -> None:
    done = in_a_folder_that_was_removed(tmp_path / "gone", "list")
    assert done.returncode == 0, done.stderr
    assert "lcg" in done.stdout
    assert done.stderr == ""


@POSIX
def test_in_a_folder_that_was_removed_it_says_why_no_process_starts(tmp_path: Path) -> None:
    done = in_a_folder_that_was_removed(tmp_path / "gone", "timeit", "--rounds", "1", "pass")
    assert done.returncode == 1, done.stderr
    said = " ".join(done.stdout.split())
    assert said.endswith("did not start: the working folder is gone: No such file or directory")
    assert "Traceback" not in done.stderr
