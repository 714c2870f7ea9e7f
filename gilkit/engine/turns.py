"""Turns: several programs measure the same, on interpreters of their own, and only one of them at a time.

This is the side of the program that measures. It is given its orders line by line on standard input, as JSON,
and says on standard output that it waits for its turn, or how it ended. What statements print goes to
standard error meanwhile. It ends when whoever gives the turns does, however that ends.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

from gilkit.engine.families import kill_children

ASKS, GO, STOP = "turn", "go", "stop"


class Turns:
    """What is asked of this program, and the turns that it is given.

    Attributes
    ----------
    asked : Any
        The first order: what is to be measured.
    """

    def __init__(self) -> None:
        self._orders: SimpleQueue[Any] = SimpleQueue()
        self._answers = os.dup(1)
        orders = os.dup(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        with suppress(OSError):  # standard error may be closed
            os.dup2(2, 1)
        threading.Thread(target=self._listen, args=(orders,), name="gilkit-turns", daemon=True).start()
        self.asked = self._orders.get()

    def _listen(self, orders: int) -> None:
        with open(orders, "rb", buffering=0) as lines:
            while line := lines.readline():
                self._orders.put(json.loads(line))
        kill_children()
        os._exit(1)

    def tell(self, what: object) -> None:
        """Say something to whoever gives the turns."""
        os.write(self._answers, json.dumps(what).encode() + b"\n")

    def wait(self) -> None:
        """Wait for the next turn.

        Raises
        ------
        KeyboardInterrupt
            If there is none: what was measured until then is enough.
        """
        self.tell(ASKS)
        if self._orders.get() != GO:
            raise KeyboardInterrupt
