"""A program, run as `python` runs it, and watched: `gilkit stalls` becomes this, through `starter`.

So the program finds a fresh interpreter, with next to nothing loaded. What was seen is told by another one,
whatever the program did to this.
"""

from __future__ import annotations

import _thread
import atexit
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Collection
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from gilkit._ext import _ending
from gilkit.cli import running

OURS = {__file__, running.__file__}  # whose frames are not the program's
NO_REPORT = "gilkit: the report could not be made"
NOT_TOLD = 2  # the status of an interpreter that has said why it could not tell
TELLER = f"""
import sys
sys.path[0] = {{home!r}}
try:
    from gilkit.cli.teller import told
except Exception as error:
    print("{NO_REPORT}:", error, file=sys.stderr)
    sys.exit({NOT_TOLD})
told()
"""
ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
BEFORE_THE_LAST = 10.0  # seconds that the last report waits for one that is being printed
MAIN_MAY_HEAR = 0.5  # seconds in which the main thread may hear of a signal itself
TIMERS = [
    getattr(signal, name)
    for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
    if hasattr(signal, name)
]


class Watch:
    """The watch over this process, and over its children; it is told when the process ends.

    Parameters
    ----------
    asked : dict
        What the command line asks for.
    home : str
        Where gilkit is imported from.
    """

    def __init__(self, asked: dict[str, Any], home: str) -> None:
        from gilkit.errors import MonitorError
        from gilkit.gil.stalls import Stalls
        from gilkit.gil.turned_on import gil_state
        from gilkit.studies.stalls.watched import Keeper

        self._asked = asked
        self._teller = TELLER.format(home=home)
        self._pid = os.getpid()
        # The program may change all of these; the report is not to depend on it.
        self._environment = dict(os.environ)
        self._interpreter, self._start, self._pipe = sys.executable, subprocess.Popen, subprocess.PIPE
        self._nowhere, self._sleep, self._as_json = subprocess.DEVNULL, time.sleep, json.dumps
        self._gil = gil_state
        gil_state()  # what it takes is loaded now: later the program may have changed where modules are found
        self._ended = False
        self._ended_by = 0  # the thread that ends it after a signal
        self._remove_folder: Callable[[], object] = lambda: None
        self._handlers: dict[int, Any] = {}
        self._notes: Callable[[], list[str]] = list
        self._telling = _thread.allocate_lock()
        self._watch = Stalls(asked["longer"])
        self._keeper = Keeper("main", self._watch, OURS, time.perf_counter(), asked["home"])
        atexit.register(self.end)  # first, so it is called last: when all threads but daemons have ended
        if asked["subprocesses"]:
            self._watch_children()
        # Where Python warns of forks beside threads, it would now warn of ours.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        try:
            self._watch.start()
        except MonitorError as error:
            self._keeper.missing = str(error)
        self._listen()

    def end(self) -> None:
        """Tell what was seen, and end; children that were forked have nothing to tell here."""
        if os.getpid() != self._pid or self._ended:
            return
        self._ended = True
        for timer in TIMERS:  # whose signals would end this
            signal.setitimer(timer, 0)
        with suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the report is printed all the same
        with suppress(Exception):
            self._watch.stop()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # it may be closed, or the program's own
                stream.flush()
        if self._telling.acquire(timeout=BEFORE_THE_LAST):
            self._tell(True)

    def _watch_children(self) -> None:
        """Watch children, too: their notes are collected when they have ended, and before the folder goes."""
        import shutil
        from multiprocessing import util

        from gilkit.engine import scratch
        from gilkit.studies.stalls.children import watch_children
        from gilkit.studies.stalls.notes import notes_in

        folder = str(scratch.folder())
        watch_children(folder, self._asked["longer"])
        self._notes = lambda: notes_in(folder)
        self._remove_folder = lambda: shutil.rmtree(folder, ignore_errors=True)

        def collect() -> None:
            kept = notes_in(folder)
            self._notes = lambda: kept

        util.Finalize(None, collect, exitpriority=-50)  # of the folder: -100

    def _listen(self) -> None:
        """Take the signals to tell what was seen, but those that are ignored or have another meaning."""
        wanted: dict[int, Any] = dict.fromkeys(ENDING, self._end_by)
        if hasattr(signal, "SIGUSR1"):
            wanted[signal.SIGUSR1] = self._tell_meanwhile
        for number, handler in wanted.items():
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, handler)
                self._handlers[number] = handler
        heeded = [_ending.heed(number) for number in ENDING if number in self._handlers]
        if any(heeded):
            _thread.start_new_thread(self._end_for_main, ())
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave_to_children)

    def _leave_to_children(self) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == handler:
                signal.signal(number, signal.SIG_DFL)

    def _end_by(self, number: int, _: FrameType | None) -> None:
        if _ending.heard():
            self._ended_by = _thread.get_ident()
        while self._ended_by != _thread.get_ident():  # another thread ends it
            self._sleep(MAIN_MAY_HEAR)
        self.end()
        self._remove_folder()
        _ending.end(number)

    def _end_for_main(self) -> None:
        """End by a signal where the main thread does not hear of it: it is in C, without the GIL."""
        number = _ending.asked(MAIN_MAY_HEAR)
        if signal.getsignal(number) == self._handlers.get(number) and not self._ended_by:
            self._end_by(number, None)

    def _tell_meanwhile(self, _: int, __: FrameType | None) -> None:
        # No thread of threading's: its locks may be held by what the signal came in between.
        if self._telling.acquire(blocking=False):
            _thread.start_new_thread(self._tell, (False,))

    def _tell(self, ended: bool) -> None:
        """Let another interpreter tell what was seen; that it cannot is no affair of the program."""
        try:
            self._let_tell(
                {
                    **self._asked,
                    "ended": ended,
                    "main": self._keeper.watched(time.perf_counter(), ended).packed(),
                    "children": self._notes(),
                    "cpu": sum(os.times()[:4]),
                    "pid": self._pid,
                    "gil": self._gil().facts,
                    "switch_interval": sys.getswitchinterval(),
                }
            )
        except BaseException as error:  # noqa: BLE001 (whatever the program has left behind)
            reason = " ".join(str(error).split()) or type(error).__name__
            with suppress(OSError):  # to where the report goes, whatever the program has put in sys.stderr
                os.write(2, f"{NO_REPORT}: {reason}\n".encode(errors="replace"))
        finally:
            self._telling.release()

    def _let_tell(self, told: dict[str, Any]) -> None:
        text = self._as_json(told).encode()
        command = [self._interpreter, "-c", self._teller]
        with self._start(command, stdin=self._pipe, stdout=self._nowhere, env=self._environment) as teller:
            teller.communicate(text)
        if teller.returncode not in (0, NOT_TOLD):
            raise ChildProcessError(f"its interpreter ended with {teller.returncode}")


def _its_own(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from where the program begins."""
    while trace is not None and trace.tb_frame.f_code.co_filename in OURS:
        trace = trace.tb_next
    return trace


def main(home: str, plain: Collection[str]) -> None:
    """Run what the command line names, and end as it does.

    Parameters
    ----------
    home : str
        Where gilkit is imported from.
    plain : collection of str
        The modules that any program has.
    """
    _, asked, program, *arguments = sys.argv
    settings = json.loads(asked)
    Watch(settings, home)
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # by `starter`
            signal.signal(signal.SIGINT, signal.default_int_handler)
        running.run(settings, program, arguments, plain)
    except SystemExit:
        raise
    except BaseException as error:
        sys.excepthook(type(error), error.with_traceback(_its_own(error.__traceback__)), error.__traceback__)
        sys.excepthook = lambda *_: None  # it is told
        if isinstance(error, KeyboardInterrupt):
            raise  # by which Python ends, and then by SIGINT
        sys.exit(1)
