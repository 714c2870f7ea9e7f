"""Processes with all that they started: killed together."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import psutil


def kill_families(pids: Iterable[int]) -> None:
    """Kill processes with all that they started, as far as these are alive."""
    family = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            family += [process, *process.children(recursive=True)]
    for process in family:
        with suppress(psutil.Error):
            process.kill()


def kill_children() -> None:
    """Kill all that this process started."""
    with suppress(psutil.Error):
        kill_families([child.pid for child in psutil.Process().children()])
