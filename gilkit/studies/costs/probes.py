"""How each machine constant is measured: ``probe(lab, workers, loops)`` returns the seconds of one."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from gilkit._ext._costs import Contention, Relay, release
from gilkit.engine import scratch
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.probe import answer_in
from gilkit.errors import CaseFailedError, LateError
from gilkit.machine import allowed_cpus
from gilkit.studies.costs import _start_program

if TYPE_CHECKING:
    from multiprocessing.shared_memory import SharedMemory

SHARED_MEMORY = Path("/dev/shm")  # where Linux keeps shared memory
RELAY = 0.1  # seconds after which a relay ends: the first one, the next ones take longer
PROBE_TIMEOUT = 30.0  # seconds
TRIES = 10  # to see the GIL handed over, or released


Probe = Callable[[Lab, int, int], float]


def hosted(function: Callable[..., float], *args: Any) -> Probe:
    """Return a probe that calls ``function(*args, workers, loops)`` where threads are measured."""
    return lambda lab, workers, loops: lab.call(function, *args, workers, loops)


def pooled(function: Callable[..., float], *args: Any, executor: str = "processes") -> Probe:
    """Return a probe that calls ``function(pool, *args, loops)`` here, with a pool of one process."""
    return lambda lab, _, loops: lab.through(executor, function, *args, loops)


def released(_: int, loops: int) -> float:
    """Release the GIL and take it again while nobody waits for it; the loop around it is subtracted.

    The loop alone takes longer only where others had the CPU meanwhile: then both are run again.
    """
    for _ in range(TRIES):
        with_it, without = release(loops)
        if with_it > without:
            return (with_it - without) / loops
    raise CaseFailedError("it could not be told from the loop around it")


def contended(workers: int, loops: int) -> float:
    """Do the same on several threads at once: wall seconds by all of their calls."""
    contention = Contention(workers, loops)
    _gathered(contention.run, workers)
    return contention.seconds() / loops


def handed_over(workers: int, loops: int) -> float:
    """Release the GIL and stay away: seconds until one of the threads that wait for it has it."""
    for attempt in range(1, TRIES + 1):
        relay = Relay(workers, loops, attempt * RELAY)
        _gathered(relay.run, workers)
        if found := [taken - freed for freed, taken, _, _ in relay.handovers()]:
            return median(found)
    raise CaseFailedError("no thread took the GIL over from another: the machine is too busy")


def _gathered(run: Callable[[int], None], workers: int) -> None:
    """Call ``run`` on so many threads, each on a CPU of its own where there are enough."""
    cpus = allowed_cpus()

    def enter(place: int) -> None:
        if workers <= len(cpus):
            os.sched_setaffinity(0, {cpus[place]})  # of this thread, which ends with the pool
        run(place)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(enter, range(workers)))


def thread_start(_: int, loops: int) -> float:
    """Start threads, one after another: seconds until the first line of each ran."""

    def started() -> float:
        stamps: list[float] = []
        thread = threading.Thread(target=lambda: stamps.append(time.perf_counter()))
        begin = time.perf_counter()
        thread.start()
        thread.join()
        return stamps[0] - begin

    return median(started() for _ in range(loops))


def interpreter_start(_: int, loops: int) -> float:
    """Start interpreters, one after another: seconds until the first call in each ran."""
    from concurrent import interpreters  # type: ignore[attr-defined,unused-ignore]

    def started() -> float:
        begin = time.perf_counter()
        interpreter = interpreters.create()
        try:
            return float(interpreter.call(time.perf_counter) - begin)
        finally:
            interpreter.close()

    return median(started() for _ in range(loops))


def process_start(method: str) -> Probe:
    """Return a probe that starts processes from a program of its own."""

    def probe(_: Lab, __: int, loops: int) -> float:
        command = [sys.executable, "-P", _start_program.__file__, method, str(loops)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=PROBE_TIMEOUT,
                check=False,
                env=scratch.environment(),
            )
        except subprocess.TimeoutExpired:
            raise CaseFailedError(f"no answer within {PROBE_TIMEOUT:g} s") from None
        except OSError as error:
            raise CaseFailedError(f"{sys.executable} does not start: {error.strerror}") from None
        if done.returncode != 0:
            said = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
            raise CaseFailedError(f"no process started: {said[-1]}")
        if (found := answer_in(done.stdout.splitlines(), list)) is None:
            raise CaseFailedError("no process started: its program printed no time")
        return float(median(found))

    return probe


def submitted_to(executor: str, _: int, loops: int) -> float:
    """Do as `submitted` does, with a pool that is started for it."""
    with EXECUTORS[executor].start(1) as pool:
        submitted(pool, 1)
        return submitted(pool, loops)


def submitted(pool: Executor, loops: int) -> float:
    """Submit a call that does nothing to one worker, and wait for its result, again and again."""
    return _repeated(lambda: _result(pool.submit(int)), loops)


def pickled(nbytes: int, _: int, loops: int) -> float:
    """Pickle so many bytes and unpickle them."""
    data = _filled(nbytes)
    return _repeated(lambda: pickle.loads(pickle.dumps(data)), loops)


def sent(pool: Executor, nbytes: int, loops: int) -> float:
    """Send so many bytes through a pool and get them back."""
    data = _filled(nbytes)
    return _repeated(lambda: _result(pool.submit(bytes, data)), loops)


def shared(pool: Executor, nbytes: int, loops: int) -> float:
    """Do as `sent` does, through a block of shared memory that both sides copy into and out of."""
    data = _filled(nbytes)
    with _block(nbytes) as block, _bytes(block, nbytes) as view:

        def trip() -> None:
            view[:] = data
            _result(pool.submit(_echo, block.name, nbytes))
            bytes(view)

        trip()  # the first one attaches the block and finds its pages
        seconds = _repeated(trip, loops)
        _result(pool.submit(_forget, block.name))
        return seconds


@contextmanager
def _block(nbytes: int) -> Iterator[SharedMemory]:
    """Make a block of shared memory, and remove it afterwards, whatever happens."""
    from multiprocessing.shared_memory import SharedMemory

    room = shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else nbytes
    if room < nbytes:  # to write to the block would kill this process
        raise CaseFailedError(f"{SHARED_MEMORY} has room for {room / 1e6:.0f} MB only")
    block = SharedMemory(create=True, size=nbytes)
    try:
        yield block
    finally:
        block.close()
        block.unlink()


_blocks: dict[str, SharedMemory] = {}  # of a worker process


def _echo(name: str, nbytes: int) -> None:
    """In a worker: copy the bytes of a block, and copy them back."""
    from multiprocessing.shared_memory import SharedMemory  # which no other worker is to load

    if name not in _blocks:
        # Before 3.13 there is no telling the tracker to leave it alone; the owner's unlink clears that, too.
        untracked: dict[str, Any] = {"track": False} if sys.version_info >= (3, 13) else {}
        _blocks[name] = SharedMemory(name, **untracked)
    with _bytes(_blocks[name], nbytes) as view:
        view[:] = bytes(view)


def _bytes(block: SharedMemory, nbytes: int) -> memoryview:
    assert block.buf is not None  # as long as it is open
    return block.buf[:nbytes]  # a block may be longer: whole pages


def _forget(name: str) -> None:
    _blocks.pop(name).close()


def _filled(nbytes: int) -> bytes:
    """Bytes that were written: memory that never was is all one page."""
    return b"\x01" * nbytes


def _result(future: Future[Any]) -> Any:
    try:
        return future.result(PROBE_TIMEOUT)
    except TimeoutError:
        raise LateError from None


def _repeated(call: Callable[[], object], loops: int) -> float:
    """Call so many times: seconds of one."""
    begin = time.perf_counter()
    for _ in range(loops):
        call()
    return (time.perf_counter() - begin) / loops
