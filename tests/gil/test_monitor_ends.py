"""The GIL monitor among hooks, signals and forks: it leaves nothing behind, on a busy machine, too."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from gil.test_monitor import busy
from interrupts import interrupted_at, lines
from quiet import needs_monitor

from gilkit.gil import monitor as monitor_module
from gilkit.gil.monitor import GilMonitor
from gilkit.gil.threads import unlisted

STILL = 0.3  # seconds for which a program is stopped


@pytest.fixture
def _few_to_collect() -> None:
    """Let collections be quick: of what there is from now on, in the rest of this process, too."""
    gc.collect()  # what is garbage would stay
    gc.freeze()


@needs_monitor
def test_whoever_profiles_threads_goes_on() -> None:
    seen: list[str] = []

    def profiler(*_: object) -> None:
        seen.append(threading.current_thread().name)

    threading.setprofile(profiler)
    try:
        with GilMonitor() as watched, GilMonitor():
            thread = threading.Thread(target=busy, args=(0.02,), name="profiled")
            thread.start()
            thread.join()
        assert threading.getprofile() is profiler
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    assert "profiled" in seen
    assert "profiled" in {thread.name for thread in watched.by_thread}


def samplers() -> int:
    """The threads of monitors that run."""
    return unlisted().count("gilkit-monitor")


def none_runs() -> bool:
    """Whether all of them end, though not how soon."""
    until = time.monotonic() + 60
    while samplers() and time.monotonic() < until:
        time.sleep(0.01)
    return not samplers()


@needs_monitor
@pytest.mark.usefixtures("_few_to_collect")
def test_a_monitor_that_is_dropped_ends_when_it_is_collected() -> None:
    for _ in range(2):
        monitor = GilMonitor()
        monitor.__enter__()
        del monitor
        gc.collect()
        assert none_runs()
    assert threading.getprofile() is None
    with GilMonitor() as watched:  # and threads that begin are told of as ever
        thread = threading.Thread(target=busy, args=(0.02,), name="begun")
        thread.start()
        thread.join()
    assert "begun" in {thread.name for thread in watched.by_thread}


def watched_once(monitor: GilMonitor) -> None:
    with monitor:
        pass


@needs_monitor
@pytest.mark.usefixtures("_few_to_collect")
@pytest.mark.parametrize("step", [GilMonitor.__enter__, GilMonitor.__exit__, GilMonitor._leave])
def test_an_interrupt_at_any_line_leaves_no_sampler_behind(step: Any) -> None:
    came = 0
    for line in lines(step.__code__):
        monitor = GilMonitor()
        came += interrupted_at(step.__code__, line, partial(watched_once, monitor))
        if step is not GilMonitor.__exit__:  # there it ends when it is collected, at the latest
            assert none_runs(), line
        del monitor
        gc.collect()
        assert none_runs(), line
        assert threading.getprofile() is None, line
    assert came > 2


@needs_monitor
@pytest.mark.parametrize("what", ["present", "_leave"])
def test_an_interrupt_in_what_it_calls_leaves_no_sampler_behind(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    begun = GilMonitor()
    begun.__enter__()
    home = monitor_module if what == "present" else GilMonitor
    with monkeypatch.context() as patch:
        patch.setattr(home, what, interrupt)
        with pytest.raises(KeyboardInterrupt):
            begun.__exit__(None, None, None)
        with pytest.raises(KeyboardInterrupt), GilMonitor():
            raise KeyboardInterrupt
    assert none_runs()


@needs_monitor
def test_a_hook_that_outlives_the_watch_hands_on_and_is_not_chained_to_itself() -> None:
    calls: list[str] = []
    try:
        with GilMonitor():
            inner = threading.getprofile()

            def outer(*event: Any) -> None:
                calls.append(threading.current_thread().name)
                inner(*event)  # type: ignore[misc]

            threading.setprofile(outer)
        for _ in range(3):
            with GilMonitor():
                thread = threading.Thread(target=busy, args=(0.001,), name="begun")
                thread.start()
                thread.join()
        assert threading.getprofile() is outer
        assert calls.count("begun") >= 3
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]


@needs_monitor
def test_a_monitor_may_be_entered_in_a_signal_handler_while_its_lock_is_held() -> None:
    done = run(
        "import signal, threading, gilkit\n"
        "from gilkit.gil import monitor as module\n"
        "def handler(*_):\n"
        "    with gilkit.GilMonitor() as monitor:\n"
        "        sum(range(10**5))\n"
        "    print(monitor.held_share.samples > 0, flush=True)\n"
        "signal.signal(signal.SIGINT, handler)\n"
        "with gilkit.GilMonitor():\n"
        "    with module._lock:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "with module._lock:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "print(threading.getprofile())"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\nTrue\nNone\n", "")


@needs_monitor
def test_a_monitor_ends_at_once_however_rare_its_samples() -> None:
    done = run("import gilkit\nwith gilkit.GilMonitor(mode='light', interval=10): pass\nprint('done')", 30)
    assert done.stdout == "done\n"


def run(script: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=timeout
    )


@needs_monitor
@pytest.mark.parametrize("mode", ["exact", "light"])
def test_the_interpreter_may_exit_under_a_running_monitor(mode: str) -> None:
    done = run(
        "import threading, gilkit, sys\n"
        f"monitors = [gilkit.GilMonitor(mode={mode!r}).__enter__() for _ in range(3)]\n"
        "threading.Thread(target=sum, args=(range(10**6),)).start()\n"
        "print('done')"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


NO_DESCRIPTOR = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            "import time\n"
            "from itertools import count\n"
            "from gilkit.gil.threads import UnlistedThread\n"
            "UnlistedThread(lambda: [time.sleep(1e-4) for _ in count()], (), 'gilkit-ended').start()\n"
            + NO_DESCRIPTOR,
            id="a thread of ours that wants the GIL",
        ),
        pytest.param(
            f"from gilkit import GilMonitor\n{NO_DESCRIPTOR}with GilMonitor(): sum(range(10**5))\n",
            marks=needs_monitor,
            id="a monitor that begins",
        ),
    ],
)
def test_a_program_that_has_no_file_descriptor_left_goes_on_and_ends(program: str) -> None:
    done = run(program)
    assert (done.returncode, done.stderr) == (0, "")


@needs_monitor
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_under_a_running_monitor() -> None:
    done = run(
        "import os, gilkit, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "with gilkit.GilMonitor() as m:\n"
        "    sum(range(10**6))\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        assert m.held_share.samples > 0\n"
        "        assert 'MainThread' in {thread.name for thread in m.by_thread}\n"
        "        with gilkit.GilMonitor() as own:\n"
        "            sum(range(10**6))\n"
        "        assert own.held_share.samples > 0\n"
        "    else:\n"
        "        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
        "print('done')"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("done") == 2


@needs_monitor
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no stopping here")
@pytest.mark.parametrize("mode", ["exact", "light"])
def test_what_the_monitor_could_not_see_it_says(mode: str) -> None:
    script = (
        "import gilkit, os, signal\n"
        f"with gilkit.GilMonitor(mode={mode!r}) as m:\n"
        "    while not m._sums().locked: pass\n"  # first samples are of a time before this thread had it
        "    before = m._sums()\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    while m._sums().samples < before.samples + 3: pass\n"
        "    missed = m._sums().since(before)\n"
        "found = m.held_share\n"
        "print(max(end - start for start, end in m.gaps), missed.takes, missed.missed, found.coverage)\n"
        "print(found != found, found.note)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        time.sleep(STILL)  # all of it stands still
        process.send_signal(signal.SIGCONT)
        figures, note = process.communicate(timeout=60)[0].splitlines()
    gap, takes, missed, coverage = map(float, figures.split())
    assert gap >= STILL
    assert missed >= STILL
    assert takes == 0  # the GIL was held all the while, and before and after it
    assert coverage < 0.9
    assert note.startswith("True ")
    assert "the monitor, which wants a CPU to spare, ran for" in note


@needs_monitor
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_on_one_cpu_nothing_is_told_of_who_keeps_it_busy() -> None:
    done = run(
        "import os\n"
        "os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "import gilkit\n"
        "from gilkit.kernels import lcg\n"
        "found = gilkit.held_share(lcg.nogil, 10**6, seconds=0.2)\n"
        "with gilkit.GilMonitor() as watched:\n"
        "    for _ in range(20): lcg.nogil(10**6)\n"
        "for share in found, watched.held_share: print(share != share, share.note)"
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert all(
        line.startswith("True there is one CPU only: the monitor, which wants a CPU to") for line in lines
    )


@needs_monitor
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="its CPU time is not told here")
def test_it_looks_at_no_thread_of_an_interpreter_that_has_ended() -> None:
    # What the interpreter ends with is a wait for a signal: a sampler that goes on uses a CPU meanwhile.
    script = (
        "import ctypes, functools, threading, time, gilkit\n"
        "from gilkit.gil.threads import unlisted\n"
        "from gilkit.kernels import sleep\n"
        "call = ctypes.cast(ctypes.CDLL(None).pause, ctypes.c_void_p)\n"
        "assert ctypes.pythonapi.Py_AtExit(call) == 0\n"
        "call = functools.partial(gilkit.held_share, sleep.nogil, 0.01, seconds=3600)\n"
        "threading.Thread(target=call, daemon=True).start()\n"
        "while not unlisted():\n"
        "    time.sleep(0.01)\n"
        "print('ends', flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ends\n"
            assert stands_still(process.pid)
            assert process.poll() is None
        finally:
            process.kill()


def stands_still(pid: int) -> bool:
    """Whether a process comes to use no CPU any more."""
    before, until = -1, time.monotonic() + 60
    while time.monotonic() < until:
        used = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        if used == before:
            return True
        before = used
        time.sleep(0.5)
    return False
