"""The machine constants: what starting, switching and sending cost, each with the way to measure it.

To add one is to add one entry to CONSTANTS: the command line, the table and the tests have it from there.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gilkit import machine
from gilkit.arguments import unknown
from gilkit.engine.executors import EXECUTORS
from gilkit.results.case import Case
from gilkit.studies.costs import probes
from gilkit.studies.costs.probes import Probe, hosted, pooled

COSTS = "costs"  # what stands for a kernel in the names of their cases


@dataclass(frozen=True, slots=True)
class Constant:
    """Something that takes its time on a machine, whatever is computed.

    Parameters
    ----------
    name : str
        On the command line and in files.
    group : str
        One of GROUPS.
    label : str
        Its row in the table; ``{n}`` stands for the number of threads.
    about : str
        What exactly is measured.
    executor : str
        What runs it: one of EXECUTORS, as far as it fits.
    probe : callable
        ``probe(lab, workers, loops)`` returns the seconds of one, of `loops` that it measures.
    missing : callable
        Returns why it cannot be measured here, or None.
    loops : int
        How often a round measures it; 0 for as often as fits into a round.
    crowded : bool
        Whether it is measured at several numbers of threads.
    nbytes : int
        Bytes that one moves; or 0.
    """

    name: str
    group: str
    label: str
    about: str
    executor: str
    probe: Probe
    missing: Callable[[], str | None] = lambda: None
    loops: int = 0
    crowded: bool = False
    nbytes: int = 0

    def cases(self, counts: Iterable[int]) -> list[Case]:
        """Return its cases: one for each of ``counts``, those above one thread, where they matter."""
        crowds = [count for count in counts if count > 1] if self.crowded else [1]
        return [Case(COSTS, self.name, self.executor, count) for count in crowds]


GROUPS = {
    "gil": "release the GIL and take it again",
    "handover": "hand the GIL to a thread that waits",
    "start": "start, until the first line runs",
    "submit": "submit a call, and get its result",
    "send": "bytes to a process and back",
}
SIZES = {"1kB": 10**3, "1MB": 10**6, "64MB": 64 * 10**6}


def _no_gil() -> str | None:
    return None if machine.gil_enabled() else "this interpreter runs without a GIL"


def _no_method(method: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        known = multiprocessing.get_all_start_methods()
        return None if method in known else "this system has no such way to start a process"

    return missing


def _gil() -> Iterable[Constant]:
    yield Constant(
        "release", "gil", "nobody waits",
        "a `with nogil:` block with nothing in it, less the loop around it; no other thread wants the GIL",
        "threads", hosted(probes.released), _no_gil,
    )  # fmt: skip
    yield Constant(
        "contended", "gil", "{n} threads do nothing else",
        "the same on several threads at once: wall time by the calls of all of them; most often a thread "
        "takes the GIL again before one that was woken gets to it",
        "threads", hosted(probes.contended), _no_gil, crowded=True,
    )  # fmt: skip
    yield Constant(
        "handover", "handover", "{n} threads",
        "all other threads wait for the GIL; whoever has it releases it and runs on without it: from just "
        "before the release until just after another thread has taken it",
        "threads", hosted(probes.handed_over), _no_gil, loops=200, crowded=True,
    )  # fmt: skip


def _starts() -> Iterable[Constant]:
    yield Constant(
        "start-thread", "start", "a thread", "`threading.Thread`", "threads", hosted(probes.thread_start)
    )
    yield Constant(
        "start-interpreter", "start", "an interpreter",
        "`concurrent.interpreters.create()` and a first call in it",
        "interpreters", hosted(probes.interpreter_start), EXECUTORS["interpreters"].missing,
    )  # fmt: skip
    for method, about in (
        ("fork", "a `multiprocessing.Process` of a small program with one thread"),
        ("forkserver", "the same; the server is there already: its own start does not count"),
        ("spawn", "the same: a new interpreter, which imports a script with nothing in it"),
    ):  # fmt: skip
        yield Constant(
            f"start-{method}", "start", f"a process, by {method}", about,
            "processes", probes.process_start(method), _no_method(method), loops=5,
        )  # fmt: skip


def _submits() -> Iterable[Constant]:
    for kind in EXECUTORS.values():
        if kind.native:
            continue
        probe = (
            pooled(probes.submitted, executor=kind.name)
            if kind.apart
            else hosted(probes.submitted_to, kind.name)
        )
        yield Constant(
            f"submit-{kind.name}", "submit", kind.name,
            f"`submit(int).result()`, one at a time; {kind.about}",
            kind.name, probe, kind.missing,
        )  # fmt: skip


def _sends() -> Iterable[Constant]:
    missing = EXECUTORS["processes"].missing
    for size, nbytes in SIZES.items():
        yield Constant(
            f"pickle-{size}", "send", f"pickle alone, {_spaced(size)}",
            "`pickle.loads(pickle.dumps(data))`, and nothing sent; `data` are bytes",
            "serial", hosted(probes.pickled, nbytes), nbytes=nbytes,
        )  # fmt: skip
    for size, nbytes in SIZES.items():
        yield Constant(
            f"pool-{size}", "send", f"through a pool, {_spaced(size)}",
            "`submit(bytes, data).result()`, of a ProcessPoolExecutor: sent, and sent back",
            "processes", pooled(probes.sent, nbytes), missing, nbytes=2 * nbytes,
        )  # fmt: skip
    for size, nbytes in SIZES.items():
        yield Constant(
            f"shared-{size}", "send", f"by shared memory, {_spaced(size)}",
            "through a `SharedMemory` block that stays: copied in, copied out and in again by a process of "
            "the pool, copied out",
            "processes", pooled(probes.shared, nbytes), missing, nbytes=2 * nbytes,
        )  # fmt: skip


def _spaced(size: str) -> str:
    return f"{size[:-2]} {size[-2:]}"


CONSTANTS: dict[str, Constant] = {
    constant.name: constant for make in (_gil, _starts, _submits, _sends) for constant in make()
}
NAMES = list(dict.fromkeys([*GROUPS, *CONSTANTS]))  # by which they are asked for


def chosen(names: Iterable[str] | str | None) -> list[Constant]:
    """Return the constants of these names, or of the groups of these names, in their order.

    By default all but those of executors that are measured by their name only.

    Raises
    ------
    TypeError, ValueError
        If there are no such; the message says which there are.
    """
    if names is None:
        return [constant for constant in CONSTANTS.values() if EXECUTORS[constant.executor].usual]
    try:
        wanted = [names] if isinstance(names, str) else list(names)
    except TypeError:
        raise TypeError(f"names must be strings, not {type(names).__name__}") from None
    for name in wanted:
        if not isinstance(name, str):
            raise TypeError(f"names must be strings, not {type(name).__name__}")
        if name not in CONSTANTS and name not in GROUPS:
            raise ValueError(unknown("constant", name, NAMES))
    if not wanted:
        raise ValueError("name at least one constant")
    return [c for c in CONSTANTS.values() if c.name in wanted or c.group in wanted]
