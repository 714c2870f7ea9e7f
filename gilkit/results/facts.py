"""What a results file says beside its seconds: typed facts, and FACTS, the registry of them.

A fact is one entry of pyperf's metadata, of a run or of a case. It is written and read through its `Fact`, so
each key stands here and nowhere else. To add one is to add one line here.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, overload

from gilkit import machine
from gilkit._version import __version__
from gilkit.errors import ResultsError

Metadata = dict[str, str | int | float]
T = TypeVar("T")
LARGEST = 1e18  # no figure is larger


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """One entry of the metadata.

    Parameters
    ----------
    key : str
        What it is called in the file.
    type : type
        What its value is: str, int or float; or list or dict, which the file holds as JSON, since metadata
        of pyperf are single values.
    about : str
        What it says, in a sentence.
    json : bool
        Whether a text, too, is held as JSON, so that no text is taken for anything else.
    fits : callable
        Whether a value of that type can be one: numbers must be such as can be measured, anyway.
    of_case : bool
        Whether it is one of a case; or else of the run.
    """

    key: str
    type: type[T]
    about: str
    json: bool = False
    fits: Callable[[T], bool] = lambda _: True
    of_case: bool = False

    @property
    def encoded(self) -> bool:
        """Whether the file holds its value as JSON."""
        return self.json or self.type in (list, dict)

    @property
    def type_name(self) -> str:
        """Its type, in words."""
        return self.type.__name__ + (" (as JSON)" if self.encoded else "")

    def entry(self, value: T) -> Metadata:
        """Return the metadata with this one fact."""
        return {self.key: json.dumps(value) if self.encoded else value}  # type: ignore[dict-item]

    @overload
    def of(self, metadata: Mapping[str, Any]) -> T | None: ...
    @overload
    def of(self, metadata: Mapping[str, Any], default: T) -> T: ...
    def of(self, metadata: Mapping[str, Any], default: T | None = None) -> T | None:
        """Return what ``metadata`` says; the default where they do not.

        Raises
        ------
        ResultsError
            If the value is of another type.
        """
        if self.key not in metadata:
            return default
        value = metadata[self.key]
        try:
            if self.encoded:
                value = json.loads(value)
            if self.type is float and type(value) is int:
                value = float(value)
        except (OverflowError, TypeError, ValueError):
            raise self._damaged(value) from None
        if not isinstance(value, self.type) or isinstance(value, bool) or not _measurable(value):
            raise self._damaged(value)
        try:
            fits = self.fits(value)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise self._damaged(value)
        return value

    def needed(self, metadata: Mapping[str, Any]) -> T:
        """Return what ``metadata`` says.

        Raises
        ------
        ResultsError
            If they do not, or if the value is of another type.
        """
        if (value := self.of(metadata)) is None:
            raise ResultsError(f"{self.key} is missing")
        return value

    def named(self, name: str) -> Fact[T]:
        """Return one of a family of facts, whose key has a name in it."""
        return replace(self, key=self.key.replace("NAME", name))

    def _damaged(self, value: Any) -> ResultsError:
        return ResultsError(f"{self.key} must be {self.type_name}, not {str(value)[:40]!r}")


FACTS: dict[str, Fact[Any]] = {}


def _fact(key: str, kind: type[T], about: str, **options: Any) -> Fact[T]:
    FACTS[key] = fact = Fact(key, kind, about, **options)
    return fact


def _measurable(value: object) -> bool:
    """Whether a number can have been measured; whatever else is in lists and dicts is as it may be."""
    if isinstance(value, list | tuple):
        return all(map(_measurable, value))
    if isinstance(value, dict):
        return all(map(_measurable, value.values()))
    return not isinstance(value, int | float) or abs(value) < LARGEST


def _whole(values: list[Any]) -> set[int]:
    """The integers from 0 on among these."""
    return {value for value in values if type(value) is int and value >= 0}


def _rising(values: list[Any]) -> bool:
    """Whether these are integers from 0 on, each larger than the one before."""
    return values == sorted(_whole(values))


def _texts(values: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in values.values())


# Of a run: in every file.
FORMAT = _fact("gilkit_format", int, "The version of this format.")
VERSION = _fact("gilkit_version", str, "The version of gilkit that measured.")
KIND = _fact("gilkit_kind", str, "The kind of results: which study made them; without it, a comparison.")
SEED = _fact("gilkit_seed", int, "What the order of cases in each round was made from.")
INTERPRETER = _fact("gilkit_interpreter", str, "The Python implementation and its version.")
GIL = _fact("gilkit_gil", str, "Whether the interpreter ran with a GIL: on or off.")
GENERATIONS: Fact[list[int]] = _fact(
    "gilkit_generations",
    list,
    "The first round of each set of fresh processes, from the second set on.",
    fits=lambda rounds: all(type(each) is int for each in rounds),
    of_case=True,
)
CPUS = _fact(
    "gilkit_cpus", int, "CPUs that could be used, by affinity and quota.", fits=lambda cpus: cpus > 0
)
CPU_QUOTA = _fact("gilkit_cpu_quota", float, "CPUs that cgroups allowed, where they set a limit.")
SWITCH_INTERVAL = _fact("gilkit_switch_interval", float, "Seconds after which a thread is asked for the GIL.")
STEAL = _fact("gilkit_steal", float, "CPU seconds that a hypervisor took away meanwhile.")
THROTTLED = _fact("gilkit_throttled", float, "CPU seconds that a quota took away meanwhile.")
START = _fact("gilkit_start_NAME", float, "Seconds that the pool called NAME took to start.")
FAILURES: Fact[dict[str, str]] = _fact(
    "gilkit_failures", dict, "The cases that failed, each with the reason.", fits=_texts
)
MISSING: Fact[dict[str, str]] = _fact(
    "gilkit_missing", dict, "What cannot be measured there, each with the reason.", fits=_texts
)

# Of a case.
LOOPS = _fact("loops", int, "Times that what is measured is done for one value.", of_case=True)
ROUND_IDS: Fact[list[int]] = _fact(
    "gilkit_rounds",
    list,
    "The round of each value.",
    fits=lambda ids: len(_whole(ids)) == len(ids),
    of_case=True,
)
WINDOWS: Fact[list[list[Any]]] = _fact(
    "gilkit_windows",
    list,
    "What was seen in the window of each value: its seconds, workers, CPU seconds stolen and of others, "
    "whether workers had CPUs of their own; and of every worker calls, seconds, CPU seconds, voluntary and "
    "involuntary switches, and seconds that it waited for a CPU.",
    of_case=True,
)
DROPPED = _fact(
    "gilkit_dropped",
    float,
    "The share of its windows that others disturbed, and that do not count.",
    of_case=True,
)
WORKERS = _fact("gilkit_workers", int, "Workers.", of_case=True)
LOAD = _fact(
    "gilkit_load", float, "CPUs that others used just before or just after, whichever was more.", of_case=True
)
CPU_USED = _fact(
    "gilkit_cpu",
    float,
    "CPU seconds used for each second of the wall clock, in the last window.",
    of_case=True,
)
SIZE = _fact("gilkit_size", int, "How much work a call is.", of_case=True)
UNIT = _fact("gilkit_unit", str, "What the size counts.", of_case=True)

# Of a comparison: of the case whose GIL was watched, and of the reader's own code.
HELD = _fact("gilkit_held", float, "The share of a call that holds the GIL.", of_case=True)
HELD_ERROR = _fact("gilkit_held_error", float, "Its standard error.", of_case=True)
HELD_TIMES = _fact(
    "gilkit_held_times", float, "How many times, at least, a call takes the GIL.", of_case=True
)
HELD_LONGEST = _fact("gilkit_held_longest", float, "Seconds of the longest hold that was seen.", of_case=True)
HELD_NOTE = _fact("gilkit_held_note", str, "Why the GIL could not be watched, or need not be.", of_case=True)
INSIDE = _fact(
    "gilkit_inside",
    float,
    "CPU seconds that a call alone uses for each of its own, with all its threads.",
    of_case=True,
)
LIMITS = _fact(
    "gilkit_limits", str, "What sets the threads that a call has inside: environment variables.", of_case=True
)
STATEMENT = _fact("gilkit_statement", str, "The statement.", json=True)
SETUP = _fact("gilkit_setup", str, "What every worker runs before it.", json=True)
PICKLES: Fact[list[dict[str, Any]]] = _fact(
    "gilkit_pickles", list, "What the data of a call and its result cost to be sent.", of_case=True
)
MEMORY_THREADS = _fact("gilkit_memory_threads", int, "Bytes that a further thread takes.", of_case=True)
MEMORY_PROCESSES = _fact("gilkit_memory_processes", int, "Bytes that a further process takes.", of_case=True)

HANDOVER = _fact("gilkit_handover", float, "Of the run: seconds that it takes to hand the GIL over.")

# Of the other studies.
SUBJECT = _fact("gilkit_subject", str, "Of a threshold: the kernel or statement.")
BEATEN = _fact("gilkit_beaten", str, "Of a threshold: the variant that is beaten; function is one thread.")
UNFINISHED = _fact("gilkit_unfinished", str, "Of a threshold: why no further size was measured.")
COUNTS: Fact[list[int]] = _fact(
    "gilkit_counts",
    list,
    "Of a threshold or of scaling: the worker counts that were asked for.",
    fits=lambda counts: bool(counts) and counts[0] > 0 and _rising(counts),
)
WORK = _fact("gilkit_work", float, "Of scaling: seconds of work of each worker.")
METHOD = _fact("gilkit_method", str, "Of scaling: how processes start.")
AGAINST: Fact[list[str]] = _fact(
    "gilkit_against",
    list,
    "The statements that were measured beside one another, in their order.",
    fits=lambda names: all(isinstance(name, str) for name in names),
)
FOUND: Fact[dict[str, Any]] = _fact(
    "gilkit_found", dict, "Of a claim: what its experiment found beside seconds.", of_case=True
)


def run_facts(seed: int) -> Metadata:
    """Return the facts of a run: of the machine, the interpreter and gilkit."""
    import pyperf

    collected: Metadata = {}
    with machine.going_without("all about itself"):
        collected = pyperf.Run([1.0]).get_metadata()
    return {
        **collected,
        **machine_facts(),
        **VERSION.entry(__version__),
        **SEED.entry(seed),
    }


def machine_facts() -> Metadata:
    """Return what pyperf does not collect itself of the machine and the interpreter."""
    found = {
        **INTERPRETER.entry(machine.interpreter()),
        **GIL.entry("on" if machine.gil_enabled() else "off"),
        **CPUS.entry(machine.usable_cpus()),
        **SWITCH_INTERVAL.entry(sys.getswitchinterval()),
    }
    if math.isfinite(quota := machine.cpu_quota()):
        found |= CPU_QUOTA.entry(quota)
    return found
