"""What a results file says beside its seconds: typed facts, and FACTS, the registry of them.

A fact is one entry of pyperf's metadata, of a run or of a case. It is written and read through its `Fact`, so
each key stands here and nowhere else. To add one is to add one line here.
"""

from __future__ import annotations

import math
import sys
from typing import Any, TypeVar

from gilkit import machine
from gilkit._version import __version__
from gilkit.results.fact import Fact as Fact
from gilkit.results.fact import Metadata as Metadata

T = TypeVar("T")
FACTS: dict[str, Fact[Any]] = {}


def _fact(key: str, kind: type[T], about: str, **options: Any) -> Fact[T]:
    FACTS[key] = fact = Fact(key, kind, about, **options)
    return fact


def _whole(values: list[Any]) -> set[int]:
    """The integers from 0 on among these."""
    return {value for value in values if type(value) is int and value >= 0}


def _rising(values: list[Any]) -> bool:
    """Whether these are integers from 0 on, each larger than the one before."""
    return values == sorted(_whole(values))


def _names(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _texts(values: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in values.values())


# Of a run: in every file.
FORMAT = _fact("gilkit_format", int, "The version of this format.")
VERSION = _fact("gilkit_version", str, "The version of gilkit that measured.")
KIND = _fact("gilkit_kind", str, "The kind of results: which study made them; without it, a comparison.")
SEED = _fact("gilkit_seed", int, "What the order of cases in each round was made from.")
INTERPRETER = _fact("gilkit_interpreter", str, "The Python implementation and its version.")
GIL = _fact(
    "gilkit_gil", str, "Whether there was a GIL where calls ran on threads, after the first call: on or off."
)
GIL_MODULES: Fact[list[str]] = _fact(
    "gilkit_gil_modules",
    list,
    "Of a free-threaded build: the extension modules that do not declare Py_mod_gil, in the order in which "
    "they were loaded; the first turned the GIL on, unless a setting decides.",
    fits=_names,
)
GIL_SETTING = _fact("gilkit_gil_setting", str, "What decides whether there is a GIL, such as PYTHON_GIL=1.")
GIL_ELSEWHERE: Fact[dict[str, str]] = _fact(
    "gilkit_gil_elsewhere",
    dict,
    "The executors in whose workers that was not so, each with what was: on or off.",
    fits=_texts,
)
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
    "involuntary switches, seconds that it waited for a CPU, CPU seconds of the system, and page faults.",
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
HELD = _fact(
    "gilkit_held",
    float,
    "The share of a call that holds the GIL, or that stays attached where there is none.",
    of_case=True,
)
HELD_KIND = _fact(
    "gilkit_held_kind",
    str,
    "Which of both that is: held, or attached. Without it: held.",
    of_case=True,
)
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
LIMITS = _fact("gilkit_limits", str, "Environment variables that set threads inside a call.", of_case=True)
OWN_NAMES: Fact[dict[str, Any]] = _fact(
    "gilkit_private",
    dict,
    "Of a rung: what threads have for themselves, by name; of threads that share all: what else is known.",
    of_case=True,
)
STATEMENT = _fact("gilkit_statement", str, "The statement.", json=True)
SETUP = _fact("gilkit_setup", str, "What every worker runs before it.", json=True)
ARGUMENTS = _fact("gilkit_arguments", str, "Of a function: a digest of its arguments.", of_case=True)
INPUT = _fact("gilkit_input", str, "Of a kernel: a digest of the file that its data come from.", of_case=True)
PICKLES: Fact[list[dict[str, Any]]] = _fact(
    "gilkit_pickles", list, "What the data of a call and its result cost to be sent.", of_case=True
)
MEMORY = _fact(
    "gilkit_memory_NAME", int, "Bytes that a further worker of the executor NAME takes.", of_case=True
)

HANDOVER = _fact("gilkit_handover", float, "Of the run: seconds that it takes to hand the GIL over.")
# Of the other studies.
SUBJECT = _fact("gilkit_subject", str, "Of a threshold: the kernel or statement; of stalls: the program.")
BEATEN = _fact("gilkit_beaten", str, "Of a threshold: the variant that is beaten; function is one thread.")
UNFINISHED = _fact("gilkit_unfinished", str, "Of a threshold: why no further size was measured.")
COUNTS: Fact[list[int]] = _fact(
    "gilkit_counts",
    list,
    "Of a threshold or of scaling: the worker counts that were asked for.",
    fits=lambda counts: bool(counts) and counts[0] > 0 and _rising(counts),
)
WORK = _fact("gilkit_work", float, "Of scaling: seconds of work of each worker.")
LATENESS: Fact[list[list[Any]]] = _fact(
    "gilkit_lateness", list, "Of a ticker, for each value: ticks, and seconds as in `Lateness`.", of_case=True
)
SHORTER = _fact("gilkit_shorter", float, "Of beside: the shorter switch interval that was tried, in seconds.")
CALL_SECONDS = _fact("gilkit_call", float, "Of layout: seconds of a call alone on a thread.", of_case=True)
ASKED = _fact("gilkit_asked", str, "Of hosts of a cluster: what each was asked to measure: timeit or layout.")
BUSY_TASKS = _fact("gilkit_busy_tasks", int, "Tasks of others that the cluster had before it was measured.")
ALL_AT_ONCE = _fact("gilkit_at_once", int, "1 where hosts measured at one time, 0 where they did one by one.")
HOSTS: Fact[dict[str, Any]] = _fact(
    "gilkit_hosts",
    dict,
    "Hosts of a cluster: of each its workers and their threads, its interpreter, and its CPUs.",
)
METHOD = _fact("gilkit_method", str, "Of scaling: how processes start.")
AGAINST: Fact[list[str]] = _fact(
    "gilkit_against",
    list,
    "The statements that were measured beside one another, in their order.",
    fits=_names,
)
PYTHONS: Fact[list[str]] = _fact("gilkit_pythons", list, "Interpreters that took turns.", fits=AGAINST.fits)
FOUND: Fact[dict[str, Any]] = _fact(
    "gilkit_found", dict, "Of a claim: what its experiment found beside seconds.", of_case=True
)
COUNTS_FROM = _fact("gilkit_longer", float, "Of stalls: seconds from which on it counts that others wait.")
STALLS_SEEN: Fact[dict[str, Any]] = _fact(
    "gilkit_stalls", dict, "Of a process: its stalls, their stacks, and the shares of threads.", of_case=True
)
MAPPED: Fact[dict[str, Any]] = _fact("gilkit_map", dict, "Of a map: what is mapped, and how long it takes.")
ON_POOL: Fact[dict[str, Any]] = _fact("gilkit_pool", dict, "Of a map: what its pool did.", of_case=True)


def run_facts(seed: int | None = None) -> Metadata:
    """Return the facts of a run: of the machine, the interpreter and gilkit."""
    import pyperf

    collected: Metadata = {}
    with machine.going_without("all about itself"):
        collected = pyperf.Run([1.0]).get_metadata()
    return {
        **collected,
        **machine_facts(),
        **VERSION.entry(__version__),
        **({} if seed is None else SEED.entry(seed)),
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
