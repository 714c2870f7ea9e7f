"""Which of the objects that threads share could keep them back: what a statement uses of them, by name."""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from gilkit.workloads.copies import bound, copied
from gilkit.workloads.harmless import harmless
from gilkit.workloads.namespaces import (
    ASSIGNING,
    MADE_BY_SETUP,
    Names,
    attribute_of,
    codes,
    globals_in,
    leading_to,
    module_attributes,
    modules_of,
    reached,
    state_of,
    unseen,
)
from gilkit.workloads.statement import Statement, StatementCall, is_code
from gilkit.workloads.workload import Workload

TIMED = 0.1  # seconds of calls that are timed, to see whether SETUP makes them slower
CHANGES = 1.11  # times as long as before that a call takes if it does: with less, threads that scale still do
SURELY_CHANGES = 1.5  # from which no machine that became slower explains it
TIMES_LOOKED = 4  # at what may be slow for other reasons
GROWS = 1.5  # times as much more that it takes at least once SETUP ran twice as often


@dataclass(frozen=True, slots=True)
class Suspect:
    """One object that threads share.

    Parameters
    ----------
    name : str
        What the statement calls it, itself or through functions and classes of SETUP; of a module, with that.
    kind : str
        Its type.
    own : tuple of str
        The names that a thread must have for itself in order to have this one, too: see `keep_own`.
    """

    name: str
    kind: str
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspects:
    """What was found, what cannot be tried, each with the reason, and what else there is to know.

    Parameters
    ----------
    found : list of Suspect
        Data before code.
    untried : dict of str to str
    beside : list of Suspect
        What costs nothing to share, but which a thread has for itself along with one of those.
    modules : list of str
        Those at whose attributes the statement looks: they may keep what has no name.
    """

    found: list[Suspect] = field(default_factory=list)
    untried: dict[str, str] = field(default_factory=dict)
    beside: list[Suspect] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)


def suspects(recipe: Workload | bytes) -> Suspects:
    """Return what threads share that run SETUP once, as far as a statement uses it."""
    call = _statement(recipe)
    one, again = call.prepare(), call.prepare()
    found = Suspects()
    graph = reached(one.names, one.code, found.untried)
    every = [*_of_setup(one, again, graph, found), *_of_modules(one, graph, found)]
    every.sort(key=lambda each: (_runs(one.names.get(each.name)), "." in each.name))
    found.found.extend(every)
    assigned = globals_in(one.code, ASSIGNING) & graph.keys()
    along = {name for each in every for name in each.own} - {each.name for each in every}
    found.beside.extend(
        Suspect(name, kind_of(one.names[name]), _own(name, one, graph, assigned)) for name in sorted(along)
    )
    return found


def slower_again(recipe: Workload | bytes, times: int) -> float:
    """Return how many times as long a call takes once SETUP ran so many times more.

    It may add to what is shared by all that run it: a callback to a list, a row to a table. Where a call is a
    little longer then, SETUP runs on: that makes them longer still, if it is not the machine that is slower.
    """
    call = _statement(recipe)
    one = call.prepare()
    one()
    before = _quickest(one)

    def slower(border: float) -> float:
        for _ in range(times):
            call.prepare()
        best = inf
        for _ in range(TIMES_LOOKED):
            if (best := min(best, _quickest(one) / before)) < border:
                break
        return best

    found = slower(CHANGES)
    if CHANGES <= found < SURELY_CHANGES and slower(further := 1 + GROWS * (found - 1)) < further:
        return 1.0
    return found


def _quickest(call: Callable[[], object]) -> float:
    """Return the seconds of the quickest of some calls: others make them longer, and never shorter."""
    begun = now = time.perf_counter()
    best, calls = float("inf"), 0
    while calls < 2 or now - begun < TIMED:
        call()
        before, now, calls = now, time.perf_counter(), calls + 1
        best = min(best, now - before)
    return best


def _statement(recipe: Workload | bytes) -> StatementCall:
    call = pickle.loads(recipe) if isinstance(recipe, bytes) else recipe
    assert isinstance(call, StatementCall)
    return call


def kind_of(value: Any) -> str:
    """Return what an object is, in words."""
    if isinstance(value, FunctionType):
        return "closure" if value.__closure__ else "function"
    if isinstance(value, type):
        return "class"
    if bound(value):
        return f"method of a {kind_of(value.__self__)}"
    kind = type(value)
    name = kind.__qualname__.rpartition("<locals>.")[2]
    return name if kind.__module__ in ("builtins", MADE_BY_SETUP) else f"{kind.__module__}.{name}"


def _runs(value: Any) -> bool:
    return isinstance(value, FunctionType | type)


def _of_setup(
    one: Statement, again: Statement, graph: dict[str, set[str]], found: Suspects
) -> Iterator[Suspect]:
    """Yield the names of SETUP; what it did not make, but imported, only if that can be copied."""
    assigned = globals_in(one.code, ASSIGNING)
    for name in sorted(graph):
        value = one.names[name]
        is_assigned = any(name in globals_in(code, ASSIGNING) for code in _code_of(one, graph))
        if isinstance(value, ModuleType) or (_harmless(name, value, found) and not is_assigned):
            continue
        imported = value is again.names.get(name) and not is_assigned
        if imported and (is_code(value) or not _copies(name, value, found)):
            continue
        kind = kind_of(value) + (", assigned to" if is_assigned else "")
        yield Suspect(name, kind, _own(name, one, graph, assigned & graph.keys()))


def _harmless(name: str, value: Any, found: Suspects) -> bool:
    """Whether it costs nothing to share an object, or nobody can look at what it keeps."""
    try:
        return harmless(value)
    except Exception as error:  # noqa: BLE001 (objects raise what they please)
        found.untried[name] = unseen(error)
        return True


def _code_of(one: Statement, graph: dict[str, set[str]]) -> Iterator[Any]:
    """Yield the code of the statement, and of all functions of SETUP that it reaches."""
    yield one.code
    for name in graph:
        yield from codes(one.names[name], one.names)


def _own(name: str, one: Statement, graph: dict[str, set[str]], always: set[str]) -> tuple[str, ...]:
    """Return what a thread has for itself along with a name: who reaches it, and what these assign to."""
    path = leading_to(name, graph) | {name} | always
    stored = {
        target
        for each in path & graph.keys()
        for code in codes(one.names[each], one.names)
        for target in globals_in(code, ASSIGNING)
    }
    return tuple(sorted(path | (stored & graph.keys())))


def _copies(name: str, value: Any, found: Suspects) -> bool:
    """Whether an object that SETUP did not make can be copied."""
    try:
        copied(value)
    except (AttributeError, TypeError) as error:
        found.untried[name] = f"it cannot be copied: {error}"
        return False
    return True


def _of_modules(one: Statement, graph: dict[str, set[str]], found: Suspects) -> Iterator[Suspect]:
    """Yield the attributes of modules at which the statement looks, or functions of modules that it calls."""
    looked_at: dict[tuple[str, str], set[str]] = {}  # with the names of SETUP through which it does
    for name, code in [("", one.code), *_named_code(one.names, graph)]:
        for chain in module_attributes(code, one.names):
            pair = (modules_of(chain, one.names)[-1].__name__, chain[-1])
            looked_at.setdefault(pair, set()).update({name} - {""})
    for name in graph:  # from module import name
        value = one.names[name]
        if _of_a_module(value) and getattr(value, "__globals__", None) is not one.names:
            pair = (value.__module__, value.__name__)
            looked_at.setdefault(pair, set()).update(leading_to(name, graph))
    found.modules.extend(sorted({path for path, _ in looked_at}))
    states: dict[str, tuple[Any, set[str]]] = {}
    for (path, attribute), through in sorted(looked_at.items()):
        module = sys.modules.get(path)
        for state in _states(module, attribute):
            value, users = states.setdefault(f"{path}.{state}", (getattr(module, state), set()))
            users |= through.union(*(leading_to(name, graph) for name in through))
    always = globals_in(one.code, ASSIGNING) & graph.keys()
    for name, (value, users) in states.items():
        if not _harmless(name, value, found) and not is_code(value) and _copies(name, value, found):
            yield Suspect(name, kind_of(value), (*sorted(users | always), name))


def _of_a_module(value: Any) -> bool:
    return (
        isinstance(value, FunctionType | BuiltinFunctionType) and not bound(value) and bool(value.__module__)
    )


def _named_code(names: Names, graph: dict[str, set[str]]) -> Iterator[tuple[str, Any]]:
    for name in graph:
        yield from ((name, code) for code in codes(names[name], names))


def _states(module: Any, attribute: str) -> set[str]:
    """Return the attributes of a module that one stands for: itself, or of a function those that it uses."""
    if not isinstance(module, ModuleType) or attribute_of(module, attribute) is None:
        return set()
    value = getattr(module, attribute)
    if isinstance(value, FunctionType) and value.__globals__ is vars(module):
        return {name for name in state_of(module, value.__code__) if hasattr(module, name)}
    return {attribute}
