"""What goes wrong in a run: workers that die, signals, and calls that raise. It ends, and says it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from command import HASTY, answered, ended, heed_interrupts, interrupted, leaving_nothing, seen, started

from gilkit.engine.executors import EXECUTORS
from gilkit.results.loading import load

endurance = pytest.mark.endurance
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

# Calls that sleep cost nothing, and make a run long enough for something to happen to it: 10 ms each where
# it goes on, and 40 ms where it is ended. Two rounds of each kernel come before those that are measured with
# fresh processes.
ROUNDS = 6
GOES_ON, IS_ENDED = ("--size", "10000"), ("--size", "40000")
pytestmark = pytest.mark.long
FEW = ["--quick", "--workers", "2", "--variant", "nogil"]
LONG = ["compare", "lcg", "sleep", *FEW, "--executor", "threads,processes", "--rounds", str(ROUNDS)]


@pytest.fixture
def running(
    request: pytest.FixtureRequest, tmp_path: Path, short_folder: Path
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A comparison that is measuring, with what it writes to."""
    path = tmp_path / "r.json"
    extra: tuple[str, ...] = getattr(request, "param", IS_ENDED)
    with started(*LONG, *extra, "-o", str(path), env={**os.environ, "TMPDIR": str(short_folder)}) as process:
        yield process, path


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def workers(process: subprocess.Popen[str], count: int = 3) -> list[psutil.Process]:
    """The worker processes, once all are there: the children of the process that starts them."""

    def found() -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):  # some helper came and went
            parents = psutil.Process(process.pid).children()
            return [worker for parent in parents for worker in parent.children()]
        return []

    assert seen(lambda: len(found()) >= count, 60)
    return found()


def wait_for_file(process: subprocess.Popen[str], path: Path) -> None:
    assert seen(lambda: path.exists() or process.poll() is not None)
    assert path.exists()


@POSIX
@pytest.mark.parametrize("running", [GOES_ON], indirect=True)
@pytest.mark.parametrize("name", ["SIGKILL", pytest.param("SIGSEGV", marks=endurance)])
def test_a_worker_that_dies_fails_its_row_and_no_other(
    name: str, running: tuple[subprocess.Popen[str], Path]
) -> None:
    process, path = running
    wait_for_file(process, path)  # the second kernel is being measured
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
    assert all(len(found.every(case)) == ROUNDS for case in survivors)


@POSIX
@pytest.mark.parametrize("running", [(*GOES_ON, "--timeout", "1")], indirect=True)
def test_a_worker_that_hangs_fails_its_row_and_no_other(running: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = running
    wait_for_file(process, path)  # the second kernel is being measured
    workers(process)[-1].send_signal(signal.SIGSTOP)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 1, err
    assert "no answer within 1 s: killed" in " ".join(out.split())
    assert "Traceback" not in out + err
    found = load(path)
    assert found.kernels == ["lcg", "sleep"]
    assert len(list(found)) > len(found.failures) >= 1


@POSIX
@endurance  # it is stopped for longer than the timeout, which is enough on a busy machine
@pytest.mark.parametrize("running", [(*GOES_ON, "--timeout", "5")], indirect=True)
def test_a_run_that_is_stopped_and_goes_on_is_whole(running: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = running
    wait_for_file(process, path)
    os.killpg(process.pid, signal.SIGSTOP)  # as Ctrl-Z does
    everybody = [psutil.Process(process.pid), *family(process)]
    for one in everybody:  # workers have groups of their own
        with suppress(psutil.NoSuchProcess):  # some helper came and went
            one.suspend()
    time.sleep(6)
    assert process.poll() is None
    for one in everybody:
        with suppress(psutil.NoSuchProcess):
            one.resume()
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, out + err
    found = load(path)
    assert all(len(found.every(case)) == ROUNDS for case in found)


@POSIX
def test_an_interrupt_keeps_what_was_measured(running: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = running
    wait_for_file(process, path)  # the first kernel is done, the second is being measured
    children = family(process)
    assert children
    out, err = interrupted(process)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "gilkit: interrupted"
    assert "Traceback" not in out + err
    assert "lcg" in out
    assert "lcg" in load(path).kernels
    assert ended(children)


@POSIX
@pytest.mark.parametrize(
    "delay",
    [0.0, 0.4, *(pytest.param(delay, marks=endurance) for delay in (0.1, 0.2, 0.3, 0.6, 0.8, 1.0, 1.1, 1.5))],
)
def test_an_interrupt_at_any_moment_leaves_nothing_behind(
    delay: float, running: tuple[subprocess.Popen[str], Path]
) -> None:
    process, path = running
    assert seen(lambda: family(process))  # Python itself has started
    time.sleep(delay)
    children = family(process)
    out, err = interrupted(process)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err, err
    assert ended(children)
    if path.exists():
        assert load(path).kernels


@POSIX
@pytest.mark.parametrize(
    ("whole_group", "name"),
    [
        (False, "SIGTERM"),
        (True, "SIGHUP"),
        *(pytest.param(*case, marks=endurance) for case in ((False, "SIGHUP"), (True, "SIGTERM"))),
    ],
)
def test_what_ends_programs_ends_it_as_an_interrupt_does(
    name: str, whole_group: bool, running: tuple[subprocess.Popen[str], Path], short_folder: Path
) -> None:
    process, path = running
    number = signal.Signals[name]
    wait_for_file(process, path)
    children = family(process)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert err.splitlines()[-1] == f"gilkit: ended by {name}"
    assert "Traceback" not in out + err
    assert "lcg" in out
    assert "lcg" in load(path).kernels
    assert ended(children)
    assert seen(lambda: not list(short_folder.iterdir()))


@POSIX
def test_a_program_that_ignores_hangups_goes_on() -> None:
    arguments = ["compare", "sleep", *FEW, "--executor", "threads", "--rounds", "1"]
    with subprocess.Popen(
        ["nohup", sys.executable, *HASTY, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert seen(lambda: family(process))
        os.killpg(process.pid, signal.SIGHUP)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert "sleep" in out


@POSIX
def test_a_terminal_that_closes_ends_it_with_the_status_of_a_hangup(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    ours, theirs = os.openpty()
    command = [sys.executable, *HASTY, *LONG, *IS_ENDED, "-o", str(path)]
    code = (
        "import fcntl, os, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color"},  # a dumb one would see nothing until all was measured
        start_new_session=True,
    ) as process:
        os.close(theirs)
        assert seen(lambda: os.read(ours, 100) and path.exists())
        os.close(ours)
        assert process.wait(100) == 128 + signal.SIGHUP
    assert load(path)


SWALLOWS = """
import os, signal, sys, time
from gilkit.cli.main import _heed
class Finalized:
    def __del__(self):
        os.kill(os.getpid(), {number})
        while True:  # until it is interrupted here
            time.sleep(0.001)
_heed()
one = Finalized()
try:
    del one
    time.sleep(60)
except KeyboardInterrupt:
    print("heard")
"""


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_that_a_finalizer_swallows_is_not_lost(name: str) -> None:
    """Pools that are dropped have many finalizers, and what is raised in one goes nowhere."""
    script = SWALLOWS.format(number=int(getattr(signal, name)))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=100,
        preexec_fn=heed_interrupts,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "heard\n", "")


WHILE_IT_IS_SAID = """
import signal, sys, time
from gilkit.cli.main import main
from gilkit.display import tables
from gilkit.errors import NothingMeasuredError
from gilkit.studies.catalogue import Catalogue
class Named:
    def __set_name__(self, *_):
        interrupt()
def interrupt():
    signal.raise_signal({number})
def in_a_class():  # before 3.12 that is a RuntimeError
    class Kernel:
        size = Named()
def in_a_text():  # as dataclasses are made
    exec("signal.raise_signal({number})")
    time.sleep(60)
def fails(self):
    raise NothingMeasuredError({{}})
Catalogue.__init__ = fails
tables.failures = lambda _: {how}()
main(["list"])
"""


@POSIX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("how", ["interrupt", "in_a_class", "in_a_text"])
def test_an_interrupt_while_it_is_said_what_went_wrong_is_said_and_no_more(
    how: str, name: str, tmp_path: Path
) -> None:
    number = getattr(signal, name)
    (tmp_path / "said.py").write_text(WHILE_IT_IS_SAID.format(number=int(number), how=how))
    done = subprocess.run(
        [sys.executable, "-m", "said"], capture_output=True, text=True, check=False, timeout=100,
        cwd=tmp_path, preexec_fn=heed_interrupts,
    )  # fmt: skip
    said = "\ngilkit: interrupted\n" if name == "SIGINT" else f"gilkit: ended by {name}\n"
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", said)


@POSIX
def test_two_interrupts_are_as_good_as_one(running: tuple[subprocess.Popen[str], Path]) -> None:
    process, path = running
    wait_for_file(process, path)
    children = family(process)
    for _ in range(4):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.01)
    out, err = interrupted(process)
    assert process.returncode in (
        130,
        -signal.SIGINT,
    )  # the last may find it ending; a shell says 130 of both
    assert "Traceback" not in out + err, err
    assert "lcg" in load(path).kernels
    assert ended(children)


# Workers of joblib are loky's: what happens to these at some moment is `endurance` there.
LIBRARIES = [
    pytest.param(name, marks=endurance if name == "joblib" else ())
    for name, kind in EXECUTORS.items()
    if kind.apart and not kind.usual
]


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    """An executor of a library whose workers are processes."""
    name: str = request.param
    if reason := EXECUTORS[name].missing():
        pytest.skip(reason)
    return name


OF_A_LIBRARY = ("compare", "sleep", *FEW, "--size", "30000")


def of_library(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The worker processes that loky or Dask started."""
    found = []
    with suppress(psutil.Error):  # some helper came and went
        for child in family(process):
            words = " ".join(child.cmdline())
            found += [child] if "popen_loky" in words or "spawn_main" in words else []
    return found


@POSIX
def test_a_worker_of_a_library_that_dies_fails_its_row_and_no_other(
    library: str, tmp_path: Path, short_folder: Path
) -> None:
    path = tmp_path / "r.json"
    environment = {"TMPDIR": str(short_folder), "JOBLIB_TEMP_FOLDER": str(short_folder)}
    asked = ("--executor", f"threads,{library}", "--rounds", str(ROUNDS), "-o", str(path))
    with leaving_nothing(), started(*OF_A_LIBRARY, *asked, env={**os.environ, **environment}) as process:
        assert seen(lambda: of_library(process))
        late = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < late:  # those that take their place, too
            time.sleep(0.5)  # they begin to measure
            for worker in of_library(process)[-1:]:
                with suppress(psutil.Error):
                    worker.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1, out + err
    assert re.search(
        "a worker process was killed by SIGKILL|2 worker processes did not start", " ".join(out.split())
    )
    assert "Traceback" not in out + err
    assert "leaked" not in err
    found = load(path)
    assert {case.executor for case in found.failures} == {library}
    assert any(case.executor == "threads" and len(found.every(case)) == ROUNDS for case in found)
    assert seen(lambda: not list(short_folder.iterdir()))


@POSIX
@pytest.mark.parametrize("delay", [0.8, *(pytest.param(delay, marks=endurance) for delay in (0.3, 2.0))])
def test_an_interrupt_leaves_nothing_of_a_library_behind(
    delay: float, library: str, tmp_path: Path, short_folder: Path
) -> None:
    environment = {"TMPDIR": str(short_folder), "JOBLIB_TEMP_FOLDER": str(short_folder)}
    asked = ("--executor", library, "--rounds", "999", "-o", str(tmp_path / "r.json"))
    with leaving_nothing(), started(*OF_A_LIBRARY, *asked, env={**os.environ, **environment}) as process:
        assert seen(lambda: family(process))
        time.sleep(delay)
        out, err = interrupted(process)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err, err
    assert "leaked" not in err
    assert seen(lambda: not list(short_folder.iterdir()))


RAISES = {
    "KeyboardInterrupt": "raise KeyboardInterrupt('its own')",
    "GeneratorExit": "raise GeneratorExit('its own')",
    "Own": "raise type('Own', (BaseException,), {})('its own')",
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", RAISES)
@pytest.mark.parametrize("where", ["statement", "setup"])
def test_whatever_a_statement_raises_is_a_failed_case(name: str, where: str) -> None:
    words = ["pass", "-s", RAISES[name]] if where == "setup" else [RAISES[name]]
    done = answered("timeit", "--rounds", "1", "--workers", "2", *words)
    assert done.returncode == 1, done.stderr
    assert f"{name}: its own" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "PicklingError" not in done.stdout


@pytest.mark.usefixtures("hasty")
def test_what_raises_when_it_is_pickled_is_measured_and_said_to_be_not_sent() -> None:
    setup = "class Bad:\n    def __reduce__(self): raise KeyboardInterrupt('its own')"
    done = answered("timeit", "--rounds", "1", "--workers", "2", "-s", setup, "Bad()")
    assert done.returncode == 0, done.stderr
    assert "result cannot be pickled, so not sent: KeyboardInterrupt: its own" in done.stdout
    assert "KeyboardInterrupt: its own" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
