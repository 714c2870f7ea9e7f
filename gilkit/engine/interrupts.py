"""What asks a program to end, and asks again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTS = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
SAME = 1.0  # seconds after an interrupt in which a further one is taken for the same


@contextmanager
def heard_once(last: bool = False) -> Iterator[None]:
    """Take further interrupts for the first one while that is seen to: processes ended, results kept.

    For a second only: one that comes later than a key bounces has its effect. Nobody waits in vain.

    Parameters
    ----------
    last : bool
        Whether there is nothing to be kept afterwards: from then on one ends the program at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: before for number in INTERRUPTS if callable(before := signal.getsignal(number))}
    first = time.monotonic()

    def hear(number: int, frame: FrameType | None) -> None:
        if time.monotonic() > first + SAME:
            handlers[number](number, frame)

    for number in handlers:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, before in handlers.items():
            signal.signal(number, signal.SIG_DFL if last else before)
