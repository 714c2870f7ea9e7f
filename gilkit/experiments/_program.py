"""A program of its own, for what would harm its caller: ``python _program.py NAME ARGUMENTS``, in JSON.

Only its standard library is imported and it has one thread, so fork is safe, and its workers start as from a
script with nothing in it. It prints JSON, a line each time that there is something to say; where it waits for
a line, it ends if there is none.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any

MADE_BY = os.getpid()  # the process that ran this script: a forked child has it from its parent
LEAKED: list[bytearray] = []
PATIENCE = 30.0  # seconds for a worker


def usual() -> str:
    """The way that processes start, as in `gilkit.executors.context`."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def tell(value: Any) -> None:
    """Print a line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def heed() -> None:
    """Wait for a line; end if there is none to come."""
    if not sys.stdin.readline():
        os._exit(0)


def _process(method: str, target: Callable[..., object], *args: Any) -> Any:
    process = multiprocessing.get_context(method).Process(target=target, args=args, daemon=True)  # type: ignore[attr-defined]
    process.start()
    return process


# Memory.


def _idle(ready: Any) -> None:
    ready.set()
    time.sleep(3600)


def hold(method: str, count: int) -> None:
    """Start idle workers, tell when all are there, and end when told to."""
    if method == "thread":
        for _ in range(count):
            here = threading.Event()
            threading.Thread(target=_idle, args=(here,), daemon=True).start()
            here.wait(PATIENCE)
    else:
        for _ in range(count):
            ready = multiprocessing.get_context(method).Event()
            _process(method, _idle, ready)
            ready.wait(PATIENCE)
    tell("ready")
    heed()


DATA = bytearray()


def _touched(link: Any) -> None:
    """In a child: wait for a word, write to every page of the inherited data, and say so."""
    link.send((os.getpid(), os.getpid() == MADE_BY, len(DATA)))
    link.recv()
    for place in range(0, len(DATA), 4096):
        DATA[place] = 2
    link.send("written")
    link.recv()


def copies(method: str, size: int) -> None:
    """Make data, start a child, and tell when it is there and when it has written to the data."""
    DATA.extend(b"\x01" * size)
    here, there = multiprocessing.get_context(method).Pipe()
    _process(method, _touched, there)
    there.close()  # so that its end is noticed
    tell(here.recv())
    heed()
    here.send("write")
    tell(here.recv())
    heed()


def _leak(size: int) -> None:
    if size:
        LEAKED.append(bytearray(b"\x01" * size))


def leak(kind: str, size: int) -> None:
    """Let one worker leak memory and end; tell before it starts and after it ended."""
    for amount in (0, size):  # the first one leaves what every first one leaves
        worker: Any = threading.Thread(target=_leak, args=(amount,)) if kind == "thread" else None
        if worker is None:
            worker = multiprocessing.get_context("spawn").Process(target=_leak, args=(amount,))
        if amount:
            tell("before")
            heed()
        worker.start()
        worker.join()
    tell("after")
    heed()


# Failing.


def _segfault() -> None:
    import ctypes

    time.sleep(0.1)
    ctypes.string_at(0)


def _well(seconds: float) -> str:
    time.sleep(seconds)
    return "well"


def crash(kind: str) -> None:
    """Let one worker crash beside another that is well, and tell how both ended: if that is to be told."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except ImportError:
        pass
    if kind == "thread":
        thread = threading.Thread(target=_segfault)
        thread.start()
        thread.join()
        tell({"crashed": 0, "other": "well"})
    elif kind == "process":
        broken, other = _process(usual(), _segfault), _process(usual(), _well, 0.3)
        broken.join()
        other.join()
        tell({"crashed": broken.exitcode, "other": "well" if other.exitcode == 0 else "ended, too"})
    else:
        context = multiprocessing.get_context(usual())
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(_well, [0.05, 0.05]))  # both are there, and the pool watches them
            neighbour = pool.submit(_well, 3.0)
            bad = pool.submit(_segfault)
            crashed, other = bad.exception(), neighbour.exception()
        tell({"crashed": type(crashed).__name__, "other": type(other).__name__ if other else "well"})


def inside(variant: str, seconds: float) -> None:
    """Call into C, for so long."""
    from gilkit.kernels import sleep

    call = sleep.variant(variant)
    call(0.0)
    tell("ready")
    call(seconds)
    tell("whole")


def interrupted(variant: str, seconds: float) -> None:
    """Let a thread call into C; tell when an interrupt was noticed here, and when the thread ended."""
    import signal

    from gilkit.kernels import sleep

    signal.signal(signal.SIGINT, signal.default_int_handler)
    ended: list[float] = []
    done = threading.Event()  # not join(): an interrupt in it makes some versions forget the thread

    def run() -> None:
        sleep.variant(variant)(seconds)
        ended.append(time.perf_counter())
        done.set()

    noticed = 0.0
    thread = threading.Thread(target=run)
    tell("ready")
    begin = time.perf_counter()
    try:
        thread.start()
        while not done.wait(0.05):
            pass
    except KeyboardInterrupt:
        noticed = time.perf_counter()
    done.wait()
    tell({"begin": begin, "noticed": noticed, "ended": ended[0]})


# Sharing.


def _add(value: int) -> int:
    return value + 1


class _Counter:
    """A number, or one in memory that processes share."""

    value = 0


def _count(counter: Any, gate: Any, times: int, lock: Any) -> None:
    gate.wait(PATIENCE)
    for _ in range(times):
        if lock is None:
            counter.value = _add(counter.value)
        else:
            with lock:
                counter.value = _add(counter.value)


def _count_own(times: int) -> int:
    counter = _Counter()
    for _ in range(times):
        counter.value = _add(counter.value)
    return counter.value


def race(kind: str, workers: int, times: int, locked: bool) -> None:
    """Let workers add to one number, reading and writing it; tell the sum that is due, and that there is."""
    context = multiprocessing.get_context(usual())
    if kind == "pool":
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            total = sum(pool.map(_count_own, [times] * workers))
        tell([workers * times, total])
        return
    counter: Any = _Counter()
    lock: Any = threading.Lock() if locked else None
    gate: Any = threading.Barrier(workers)
    start: Callable[..., Any] = threading.Thread
    if kind == "processes":
        counter = context.RawValue("q", 0)
        lock = context.Lock() if locked else None
        gate = context.Barrier(workers)
        start = context.Process  # type: ignore[attr-defined]
    run = [start(target=_count, args=(counter, gate, times, lock)) for _ in range(workers)]
    for worker in run:
        worker.start()
    for worker in run:
        worker.join()
    tell([workers * times, counter.value])


def _scribble(data: bytearray, block: Any, link: Any) -> None:
    """In a worker: write to the first places once the caller has written to the second; say what is there."""
    link.recv()
    data[0] = block.buf[0] = 7
    link.send((id(data), data[1] == 9, block.buf[1] == 9))


def share() -> None:
    """Write to data and a shared block from both sides, for a thread and for a process; tell who saw what."""
    import pickle
    from multiprocessing.shared_memory import SharedMemory

    found: dict[str, Any] = {}
    for kind in ("thread", "process"):
        data, block = bytearray(1_000_000), SharedMemory(create=True, size=16)
        here, there = multiprocessing.get_context(usual()).Pipe()
        try:
            worker: Any
            if kind == "thread":
                worker = threading.Thread(target=_scribble, args=(data, block, there))
                worker.start()
            else:
                worker = _process(usual(), _scribble, data, block, there)
                there.close()  # so that its end is noticed
            buffer: Any = block.buf
            data[1] = buffer[1] = 9
            here.send("written")
            address, ours, ours_in_block = here.recv()
            worker.join()
            found[kind] = {
                "address": address == id(data),
                "ours": ours,
                "theirs": data[0] == 7,
                "block": ours_in_block and buffer[0] == 7,
                "copied": 0 if address == id(data) else len(pickle.dumps(data)),
            }
            del buffer
        finally:
            block.close()
            block.unlink()
    tell(found)


# Waiting and working.


def io(seconds: float, counts: list[int], rounds: int) -> None:
    """Start so many workers that sleep, and wait for them: seconds, on threads and in processes, by turns."""
    context: Any = multiprocessing.get_context(usual())
    start = context.Process(target=time.sleep, args=(0,))
    start.start()  # the server starts with its first process
    start.join()
    for _ in range(rounds):
        row = []
        for count in counts:
            for make in (threading.Thread, context.Process):
                begin = time.perf_counter()
                workers = [make(target=time.sleep, args=(seconds,)) for _ in range(count)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
                row.append(time.perf_counter() - begin)
        tell(row)


def work(n: int) -> int:
    """Compute the loop of `gilkit.kernels.lcg`, in plain Python."""
    result = 1
    for i in range(n):
        result = (result * result * i + 2 * result * i * i + 3) % 10_000_000
    return result


def _pool(kind: str, workers: int) -> Executor:
    if kind == "threads":
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(usual()))


def jobs(workers: int, sizes: list[float], rounds: list[int]) -> None:
    """Do jobs of so many seconds in a pool that is started for each: seconds, on threads and processes."""
    begin = time.perf_counter()
    work(200_000)
    each = (time.perf_counter() - begin) / 200_000
    with _pool("processes", 1) as pool:  # the server starts with its first process
        pool.submit(work, 1).result()
    for size, count in zip(sizes, rounds, strict=True):
        parts = [max(1, round(size / each / workers))] * workers
        for _ in range(count):
            row = []
            for kind in ("threads", "processes"):
                begin = time.perf_counter()
                with _pool(kind, workers) as pool:
                    list(pool.map(work, parts))
                row.append(time.perf_counter() - begin)
            tell([size, *row])


def serve(delay: float) -> None:
    """Answer every request on a port of 127.0.0.1 after so many seconds; tell the port."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(delay)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"an answer")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tell(server.server_address[1])
        heed()


def _get(url: str) -> bytes:
    from urllib.request import urlopen

    with urlopen(url, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def fetch(port: int, count: int, rounds: int) -> None:
    """Get so many URLs: seconds one after another, on threads and in processes, their start included."""
    urls = [f"http://127.0.0.1:{port}/{number}" for number in range(count)]
    _get(urls[0])
    with _pool("processes", 1) as pool:
        pool.submit(work, 1).result()
    for _ in range(rounds):
        begin = time.perf_counter()
        got = [_get(url) for url in urls]
        row = [time.perf_counter() - begin]
        for kind in ("threads", "processes"):
            begin = time.perf_counter()
            with _pool(kind, count) as pool:
                got += pool.map(_get, urls)
            row.append(time.perf_counter() - begin)
        if got != [b"an answer"] * 3 * count:
            raise ValueError("an answer was not what it should be")
        tell(row)


PROGRAMS = (copies, crash, fetch, hold, inside, interrupted, io, jobs, leak, race, serve, share)

if __name__ == "__main__":
    program = next(function for function in PROGRAMS if function.__name__ == sys.argv[1])
    partial(program, *json.loads(sys.argv[2]))()
