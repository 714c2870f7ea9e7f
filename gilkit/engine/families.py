"""Processes with all that they started: killed together."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress

import psutil

TRACKER = "resource_tracker import main"  # in the command of what removes files and semaphores of others


def kill_families(pids: Iterable[int]) -> None:
    """Kill processes with all that they started, as far as these are alive.

    Python's trackers of resources, and those of loky and joblib, end then by themselves, and tidy up.
    """
    family = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            family += [process, *process.children(recursive=True)]
    for process in family:
        with suppress(psutil.Error):
            if not _is_tracker(process):
                process.kill()


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that has a session of its own, with all that it started or has left behind in there."""
    if process.poll() is None:
        kill_families([process.pid])
        process.kill()
    kill_group(process.pid)


def kill_group(leader: int) -> None:
    """Kill a group of processes, whoever of them is left: those that have no living parent, too.

    As `kill_families`, it leaves trackers of resources to tidy up.
    """
    if not hasattr(os, "killpg"):
        return
    group: list[int] = []
    with suppress(psutil.Error, OSError):  # they are not known everywhere
        group = [pid for pid in psutil.pids() if _group_of(pid) == leader]
    left = [pid for pid in group if not _is_tracker_at(pid)]
    if len(left) == len(group):  # at once: nobody can start another meanwhile
        with suppress(OSError):
            os.killpg(leader, signal.SIGKILL)
        return
    for pid in left:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def kill_marked(variable: str, value: str) -> None:
    """Kill all that have this in their environment: also those whose parents are gone, in any session."""
    with suppress(OSError):  # they are not known everywhere
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(variable) == value:
                    process.kill()


def kill_children() -> None:
    """Kill all that this process started."""
    with suppress(psutil.Error):
        kill_families([child.pid for child in psutil.Process().children()])


def _is_tracker(process: psutil.Process) -> bool:
    return TRACKER in " ".join(process.cmdline())


def _is_tracker_at(pid: int) -> bool:
    with suppress(psutil.Error, OSError):
        return _is_tracker(psutil.Process(pid))
    return False


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return 0
