"""Does odd things on many threads for some seconds, while somebody looks where they are; prints the looks."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from contextlib import suppress

from gilkit.gil.monitor import GilMonitor
from gilkit.gil.stalls import Stalls

UNTIL = time.perf_counter() + float(sys.argv[1])


def generators():
    def pairs(count):
        for i in range(count):
            yield from ((i, j) for j in range(3))

    sum(i for i, _ in pairs(100))


def deep(depth=300):
    return 1 + deep(depth - 1) if depth else 0


def too_deep():
    with suppress(RecursionError):
        deep(100_000)


def code_that_is_freed():
    names = {}
    source = "def f(count):\n    return [x * x for x in range(count)]\n"
    exec(compile(source, f"<{time.perf_counter_ns()} ü日😀>", "exec"), names)
    names["f"](20)
    del names
    gc.collect(0)


def coroutines():
    async def inner():
        await asyncio.sleep(0)

    async def outer():
        await asyncio.gather(*(inner() for _ in range(5)))

    asyncio.run(outer())


def threads():
    begun = [threading.Thread(target=generators) for _ in range(5)]
    for thread in begun:
        thread.start()
    for thread in begun:
        thread.join()


def forks():
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)


def interpreters():
    try:
        import _interpreters
    except ImportError:
        return
    one = _interpreters.create()
    _interpreters.exec(one, "sum(range(1000))")
    _interpreters.destroy(one)


ODD = [generators, deep, code_that_is_freed, coroutines, threads, too_deep]


def go_on(first):
    while time.perf_counter() < UNTIL:
        ODD[first % len(ODD)]()
        first += 1


watch = Stalls(longer=0.001)
watch._monitor = GilMonitor(20e-6)  # far more often than it takes
watch._monitor._longer = 20e-6
workers = [threading.Thread(target=go_on, args=(i,)) for i in range(4)]
with watch:
    for worker in workers:
        worker.start()
    while time.perf_counter() < UNTIL:
        forks()
        interpreters()
        time.sleep(0.01)
    for worker in workers:
        worker.join()
print(watch.looks)
