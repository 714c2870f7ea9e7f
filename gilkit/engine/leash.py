"""A program on a leash: it ends, with all that it started, when whoever began it is gone or silent."""

from __future__ import annotations

import os
import sys
import threading
import time

from gilkit.engine.families import kill_children

SILENCE = 30.0  # seconds without a word after which nobody waits for it
LEASH_LOOK = 1.0  # seconds after which it looks again


def on_a_leash() -> str:
    """Return the first line of standard input, and see to it that this process ends with that."""
    first = sys.stdin.buffer.readline()
    heard = [time.monotonic()]

    def listen() -> None:
        while sys.stdin.buffer.readline():
            heard[0] = time.monotonic()
        _end()

    def watch() -> None:
        while time.monotonic() < heard[0] + SILENCE:
            time.sleep(LEASH_LOOK)
        _end()

    for task in (listen, watch):
        threading.Thread(target=task, daemon=True).start()
    return first.decode()


def _end() -> None:
    kill_children()
    os._exit(1)
