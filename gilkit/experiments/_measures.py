"""What several experiments measure: the memory of a program."""

from __future__ import annotations

from contextlib import suppress

import psutil

from gilkit.measure import CaseFailedError


def memory(pid: int) -> int:
    """Return the bytes that a program takes with all its processes: pages that are shared count once.

    It is the sum of proportional set sizes, or of unique set sizes where the system has no such.

    Raises
    ------
    CaseFailedError
        If it cannot be told.
    """
    try:
        first = psutil.Process(pid)
        found = 0
        for process in [first, *first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                info = process.memory_full_info()
                found += int(getattr(info, "pss", 0) or info.uss)
    except (psutil.Error, AttributeError, OSError) as error:
        raise CaseFailedError(f"the system does not tell its memory: {error}") from None
    return found


def private(pid: int) -> int:
    """Return the bytes that a process shares with no other.

    Raises
    ------
    CaseFailedError
        If it cannot be told.
    """
    try:
        return int(psutil.Process(pid).memory_full_info().uss)
    except (psutil.Error, AttributeError, OSError) as error:
        raise CaseFailedError(f"the system does not tell its memory: {error}") from None
