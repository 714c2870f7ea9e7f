"""Somebody who asks for the GIL: what a program with one thread keeps from others is found, and where."""

from __future__ import annotations

import ctypes
import gc
import threading
import time

from quiet import needs_monitor

from gilkit import Stalls
from gilkit.gil.canary import EVERY, Canary
from gilkit.gil.places import C_CALL, COLLECTION, PUT_ASIDE, Stall
from gilkit.gil.threads import unlisted

pytestmark = [needs_monitor]

keep = ctypes.PyDLL(None).usleep
LENGTH = 0.3
TRIES = 20  # on a busy machine the sampler may be kept from seeing one


def holding() -> None:
    """Keep the GIL, three times."""
    for _ in range(3):
        keep(int(1e6 * LENGTH))


def test_with_a_canary_what_one_thread_keeps_from_others_is_a_stall() -> None:
    canary = Canary(threading.get_native_id())
    with Stalls(LENGTH / 3, canary=canary) as watch:
        holding()
        assert watch.settle()
        found = [stall for stall in watch.stalls if stall.kind == C_CALL]
    assert len(found) == 3
    line = holding.__code__.co_firstlineno + 3
    assert {(stall.place.function, stall.place.line) for stall in found if stall.place} == {("holding", line)}
    for stall in found:
        assert stall.seconds > LENGTH / 3
        delay = canary.delay(stall.start, stall.end)
        assert delay is None or delay >= 0
    assert sum(wait.had - wait.asked for wait in canary.waits) > LENGTH
    assert "gilkit-canary" not in unlisted()


def test_a_collection_keeps_others_from_their_turn_too() -> None:
    def wanted(stall: Stall) -> bool:  # on a busy machine the thread may lose its CPU
        return stall.kind in (COLLECTION, PUT_ASIDE) and stall.thread.name == threading.current_thread().name

    kept = [[object()] for _ in range(1_000_000)]
    with Stalls(0.01, canary=Canary(threading.get_native_id())) as watch:
        for _ in range(TRIES):
            gc.collect()
            assert watch.settle()
            if any(map(wanted, watch.stalls)):
                break
    assert kept
    assert any(map(wanted, watch.stalls))
    assert "gilkit-canary" not in {stall.thread.name for stall in watch.stalls}


def test_while_it_is_silent_it_does_not_ask() -> None:
    canary = Canary()
    canary.start()
    with canary.silent():
        last = canary.last
        holding()
        time.sleep(10 * EVERY)
        assert canary.last == last
        assert not [wait for wait in canary.waits if wait.had > last]
    deadline = time.monotonic() + 10
    while canary.last == last and time.monotonic() < deadline:
        time.sleep(EVERY)
    assert canary.last > last
    canary.stop()
