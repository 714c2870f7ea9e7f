"""Claims on memory: what is shared, what is copied, what it takes."""

from __future__ import annotations

import multiprocessing
from functools import partial

from gilkit.display.units import nbytes, rounded, seconds
from gilkit.machine import memory, private_memory
from gilkit.results.stats import FEWEST_ROUNDS, Estimate, estimate
from gilkit.studies.claims import launch
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.claim import Figures, Finding, Ruling, above, all_of, claim, negated, ruled
from gilkit.studies.costs.constants import CONSTANTS, SIZES

IDLE_WORKERS = 4  # further ones that are counted
INHERITED = 32_000_000  # bytes that a child inherits
SHARED, COPIED = 0.3, 0.8  # of that: it is shared up to here, and copied from there on
LESS = 0.8  # of what a process takes, below which a thread takes less
CHANNELS = ("submit-threads", "submit-processes", "pool-1MB", "shared-1MB")
METHODS = ("fork", "forkserver", "spawn")


def _methods() -> list[str]:
    return [method for method in METHODS if method in multiprocessing.get_all_start_methods()]


def _shared_memory(f: Figures) -> Finding:
    thread, process = f.facts["thread"], f.facts["process"]
    same = thread["ours"] and thread["theirs"] and thread["address"]
    own = not process["ours"] and not process["theirs"]
    return ruled(
        same and own,
        "a thread found the data at the caller's address, and each saw what the other wrote, with no byte "
        f"copied; a process got a copy of {nbytes(process['copied'])}, and neither saw the other's writing"
        if same and own
        else f"seen both ways: by a thread {thread['ours'] and thread['theirs']}, by a process "
        f"{process['ours'] or process['theirs']}",
        "unless a block of shared memory is asked for: there each saw what the other wrote"
        if process["block"]
        else "so it is, and a block of shared memory was not seen either",
        "one of them did not keep to it",
    )


@claim("shared-memory", "Threads see the same data, processes have their own.", _shared_memory)
def shared_memory(bench: Bench) -> None:
    """Threads share data, processes do not.

    Method: the caller and a worker write to different places of a megabyte; each then looks for what the
    other wrote, and at the address. Both are given the data as an argument, and a `SharedMemory` block; what
    is copied to a process is the length of the data's pickle.
    Limits: data as arguments. A forked child shares pages until one side writes: `copies-script`.
    """
    bench.facts.update(launch.said("memory.share")[0])


def _footprint(f: Figures) -> Finding:
    found = {method: estimate(f.facts[method]) for method in METHODS if method in f.facts}
    thread = estimate(f.facts["thread"])
    measured = f"a further idle thread takes {nbytes(max(0.0, thread))}, a further process " + ", ".join(
        f"{nbytes(max(0.0, taken))} by {method}" for method, taken in found.items()
    )
    more = all_of(
        negated(
            above(estimate([a / b for a, b in zip(f.facts["thread"], f.facts[method], strict=False)]), LESS)
        )
        for method in found
    )
    return ruled(
        more,
        measured,
        "each has an interpreter of its own; the modules that its work imports come on top of that",
        "a process took no more than a thread",
    )


@claim("footprint", "Processes take more memory.", _footprint)
def footprint(bench: Bench) -> None:
    """Processes take more memory than threads.

    Method: programs with one and with five idle workers; the difference of their memory, by four. Shared
    pages are divided among those who share them (proportional set size), where the system tells.
    Limits: workers that have done nothing, in a program that has imported nothing: the least that they
    take.
    """

    def taken(kind: str, count: int) -> int:
        with launch.program("memory.hold", kind, count) as child:
            child.told()
            return memory(child.pid)

    def further(kind: str) -> None:
        bench.found(kind, (taken(kind, 1 + IDLE_WORKERS) - taken(kind, 1)) / IDLE_WORKERS)

    kinds = ("thread", *_methods())
    bench.repeat({kind: partial(further, kind) for kind in kinds}, FEWEST_ROUNDS)


def _copies_script(f: Figures) -> Finding:
    spawned = f.facts["spawn"]
    fresh = estimate([row[0] for row in spawned])
    again = all(row[2] for row in spawned)
    measured = f"a spawned child starts with {nbytes(fresh)} of its own"
    measured += ", and runs the script's top level again" if again else ", and does not run the script again"
    if "fork" not in f.facts:
        return ruled(again, measured, "it is run again: here is nothing but spawn", "it is not")
    before, after = (estimate([row[i] for row in f.facts["fork"]]) for i in (0, 1))
    shared = negated(above(_by(before), SHARED))
    copied = above(_by(after), COPIED)
    measured = (
        f"a forked child of a program with {nbytes(INHERITED)} of data has {nbytes(before)} of its own, and "
        f"{nbytes(after)} once it has written to it; {measured}"
    )
    if shared is None or copied is None:
        return ruled(None, measured, "", "")
    if shared and again:
        why = (
            "on the way to start: fork copies pages when they are written to"
            + ("" if copied else " (not seen here)")
            + ", spawn imports the script again"
        )
        return Finding(Ruling.DEPENDS, why, measured)
    return ruled(not shared, measured, "the data were the child's own from the start", "nothing was copied")


def _by(taken: Estimate) -> Estimate:
    """In units of the data."""
    return Estimate(taken / INHERITED, taken.low / INHERITED, taken.high / INHERITED)


@claim("copies-script", "Multiprocessing copies the script into each child.", _copies_script)
def copies_script(bench: Bench) -> None:
    """Each child process has a copy of the script and its data.

    Method: a program with 32 MB of data starts a child, by fork and by spawn; the child's private memory
    before and after it writes to every page, and whether it ran the script's top level.
    Limits: bytes in one block. Python objects hold their reference count in the same page: to look at one
    is to write to it.
    """

    def copied(method: str) -> None:
        with launch.program("memory.copies", method, INHERITED) as child:
            pid, again, _ = child.told()
            before = private_memory(pid)
            child.tell()
            child.told()
            bench.found(method, [before, private_memory(pid), again])

    methods = [method for method in _methods() if method != "forkserver"]
    bench.repeat({method: partial(copied, method) for method in methods}, FEWEST_ROUNDS)


def _ipc_overhead(f: Figures) -> Finding:
    ratio = f.ratio(("submit-processes", "processes", 1), ("submit-threads", "threads", 1))
    took = {name: f.time(name, CONSTANTS[name].executor) for name in CHANNELS}
    speed = {name: 2 * SIZES["1MB"] / took[name] / 1e9 for name in CHANNELS[2:]}
    return ruled(
        above(ratio, 1.0),
        f"a call and its result take {seconds(took['submit-threads'])} through a queue to a thread, "
        f"{seconds(took['submit-processes'])} to a process: {rounded(ratio)} times as much. A megabyte there "
        f"and back takes {seconds(took['pool-1MB'])} ({speed['pool-1MB']:.1f} GB/s), by shared memory "
        f"{seconds(took['shared-1MB'])} ({speed['shared-1MB']:.1f} GB/s); to a thread only its address goes",
        "what goes to a process is pickled, copied and unpickled, and two processes have to wake up",
        "a process answered as fast as a thread",
    )


@claim("ipc-overhead", "Talking between processes costs more than between threads.", _ipc_overhead)
def ipc_overhead(bench: Bench) -> None:
    """Messages between processes cost more than between threads.

    Method: a call that does nothing and its result through the queue of a thread pool and of a process
    pool; a megabyte there and back through the latter, and by shared memory. As in `gilkit costs`.
    Limits: one message at a time, of bytes, which are the fastest to pickle.
    """
    bench.rounds(
        {
            (name, CONSTANTS[name].executor, 1): partial(CONSTANTS[name].probe, bench.lab, 1, 30)
            for name in CHANNELS
        },
        5,
    )
