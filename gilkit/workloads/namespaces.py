"""What SETUP made: who reaches which name, and threads that have some of it for themselves."""

from __future__ import annotations

import builtins
import dis
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import nullcontext, suppress
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from gilkit.errors import one_line
from gilkit.workloads.copies import copied

MADE_BY_SETUP = "__gilkit__"  # the name of the module that SETUP is, to what it defines
LOOKING_UP, ASSIGNING = {"LOAD_GLOBAL", "LOAD_NAME"}, {"STORE_GLOBAL", "DELETE_GLOBAL"}  # bytecodes that do
OF_AN_ATTRIBUTE, BETWEEN = {"LOAD_ATTR", "LOAD_METHOD"}, {"PUSH_NULL", "CACHE", "EXTENDED_ARG"}
WITHOUT_LOCK = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    range,
    type(None),
    re.Pattern,
)  # nor has what they hold
Names = dict[str, Any]
Chain = tuple[str, ...]


class SetupModule(ModuleType):
    """What `sys.modules` has for what SETUP defines: dataclasses and `typing` look names up there.

    SETUP may have run for several threads. Who asks is called from one of its namespaces, and gets that one.
    """

    @property
    def __dict__(self) -> Names:  # type: ignore[override]
        """The names of SETUP, or of the statement, that is running here."""
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") != MADE_BY_SETUP:
            if frame.f_back is None:
                return {}
            frame = frame.f_back
        return frame.f_globals

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"{MADE_BY_SETUP} has no {name!r} here") from None


def namespace(given: Names) -> Names:
    """Return what SETUP is to run in: names that are there before it does."""
    if MADE_BY_SETUP not in sys.modules:
        sys.modules[MADE_BY_SETUP] = SetupModule(MADE_BY_SETUP)
    return {"__name__": MADE_BY_SETUP, "__builtins__": builtins, **given}


def globals_in(code: CodeType, doing: Collection[str] = LOOKING_UP | ASSIGNING) -> set[str]:
    """Return the global names that code uses, with the functions within it."""
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    own = {step.argval for step in dis.get_instructions(code) if step.opname in doing}
    return own.union(*(globals_in(const, doing) for const in inner))


def module_attributes(code: CodeType, names: Names) -> set[Chain]:
    """Return the attributes of modules at which code looks, each as a name and all that follows its dots."""
    found: set[Chain] = set()
    chain: Chain = ()
    value: Any = None
    for step in dis.get_instructions(code):
        if step.opname in LOOKING_UP:
            chain, value = (step.argval,), names.get(step.argval)
        elif step.opname in OF_AN_ATTRIBUTE and issubclass(type(value), ModuleType):
            chain, value = (*chain, step.argval), attribute_of(value, step.argval)
            if not issubclass(type(value), ModuleType):
                found.add(chain)
        elif step.opname not in BETWEEN:
            value = None
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return found.union(*(module_attributes(const, names) for const in inner))


def unseen(error: Exception) -> str:
    """Return why an object was left out."""
    return f"it cannot be looked at: {one_line(error)}"


def attribute_of(module: ModuleType, name: str) -> Any:
    """Return an attribute of a module; None where there is none, or where it cannot be loaded."""
    try:
        return getattr(module, name, None)
    except Exception:  # noqa: BLE001 (lazy modules raise what they please)
        return None


def modules_of(chain: Chain, names: Names) -> list[ModuleType]:
    """Return the modules on the way to an attribute: it is one of the last."""
    found = [names[chain[0]]]
    for name in chain[1:-1]:
        found.append(getattr(found[-1], name))
    return found


def codes(value: Any, names: Names, within: bool = True) -> Iterator[CodeType]:
    """Yield the code that runs on ``names`` when a value is used: a function, class or instance of theirs."""
    if isinstance(value, FunctionType):
        if value.__globals__ is names:
            yield value.__code__
        for cell in value.__closure__ or ():
            with suppress(ValueError):  # nothing in it yet
                if isinstance(cell.cell_contents, FunctionType) and cell.cell_contents is not value:
                    yield from codes(cell.cell_contents, names)
    elif isinstance(value, classmethod | staticmethod | MethodType):
        yield from codes(value.__func__, names)
    elif isinstance(value, property):
        for function in (value.fget, value.fset, value.fdel):
            yield from codes(function, names)
    elif isinstance(value, partial):
        yield from codes(value.func, names)
    elif isinstance(value, type):
        if value.__module__ == MADE_BY_SETUP and within:
            for item in vars(value).values():
                yield from codes(item, names, within=False)
    elif within:
        yield from codes(getattr(value, "__dict__", {}).get("__wrapped__"), names, within=False)
        for kind in type(value).__mro__:
            yield from codes(kind, names)


def used_by(value: Any, names: Names) -> set[str]:
    """Return the names of a namespace that are used by a value of it."""
    found = set().union(*(globals_in(code) for code in codes(value, names)))
    kinds = value.__mro__[1:] if isinstance(value, type) else type(value).__mro__
    found |= {name for name, other in names.items() if issubclass(type(other), type) and other in kinds}
    return {name for name in found if name in names and not name.startswith("__")}


def reached(names: Names, code: CodeType, odd: dict[str, str] | None = None) -> dict[str, set[str]]:
    """Return the names that code reaches, itself or through others, each with those that it uses in turn.

    Objects at which nobody can look, such as proxies that stand for nothing yet, are left out.

    Parameters
    ----------
    names : dict
    code : CodeType
    odd : dict, optional
        Gets the names of these, each with the reason.
    """
    odd = {} if odd is None else odd
    todo = [name for name in sorted(globals_in(code)) if name in names and not name.startswith("__")]
    found: dict[str, set[str]] = {}
    while todo:
        if (name := todo.pop()) not in found and name not in odd:
            try:
                found[name] = used_by(names[name], names) - {name}
            except Exception as error:  # noqa: BLE001 (they raise what they please)
                odd[name] = unseen(error)
                continue
            todo += sorted(found[name])
    return found


def leading_to(name: str, graph: dict[str, set[str]]) -> set[str]:
    """Return the names through which one is reached: a thread must have these for itself, too."""
    found: set[str] = set()
    todo = [name]
    while todo:
        target = todo.pop()
        more = {user for user, used in graph.items() if target in used} - found - {name}
        found |= more
        todo += more
    return found


def keep_own(own: Names, shared: Names, private: Iterable[str], code: CodeType) -> None:
    """Let a thread share all that SETUP made but for some names.

    Parameters
    ----------
    own : dict
        What SETUP made in this thread: functions look names up there. Afterwards it has what is shared, too.
    shared : dict
        What SETUP made for all.
    private : iterable of str
        The names that stay the thread's own; what SETUP did not make, but imported, is copied. A name with a
        dot is an attribute of a module: the thread gets a module of its own, with a copy of that.
    code : CodeType
        What runs on them.
    """
    mine = {name for name in private if "." not in name}
    for name, value in shared.items():
        if name.startswith("__"):
            continue
        if name not in mine:
            own[name] = value
        elif own[name] is value and not isinstance(value, ModuleType):
            with suppress(TypeError) if isinstance(value, WITHOUT_LOCK) else nullcontext():
                own[name] = copied(value)
    for name in mine:
        _as_shared(own, shared, name, mine)
    if of_modules := [name for name in private if "." in name]:
        _with_own_modules(own, of_modules, code)


def _as_shared(own: Names, shared: Names, name: str, mine: set[str]) -> None:
    """Let an object of the thread be of the shared class, where the thread does not have that for itself."""
    kind = type(shared.get(name))
    known = next((other for other, value in shared.items() if value is kind), None)
    if kind.__module__ == MADE_BY_SETUP and known is not None and known not in mine:
        with suppress(TypeError):
            own[name].__class__ = kind


def _with_own_modules(own: Names, attributes: Iterable[str], code: CodeType) -> None:
    wanted: dict[str, list[str]] = {}
    for path, _, attribute in (name.rpartition(".") for name in attributes):
        wanted.setdefault(path, []).append(attribute)
    changed: dict[int, Any] = {}
    for path, chosen in wanted.items():
        module = sys.modules[path]
        found = _own_module(module, chosen)
        ours = vars(found)
        changed |= {id(value): ours[name] for name, value in vars(module).items() if ours[name] is not value}
        changed[id(module)] = found
    of_names = (each for name in reached(own, code) for each in codes(own[name], own))
    for chain in set[Chain]().union(*(module_attributes(each, own) for each in (code, *of_names))):
        _lead(chain, own, changed)
    own.update({name: changed[id(value)] for name, value in own.items() if id(value) in changed})


def _lead(chain: Chain, own: Names, changed: dict[int, Any]) -> None:
    """Let the modules on the way to one that was changed lead there: the thread has these for itself, too."""
    modules = modules_of(chain, own)
    for parent, name, child in reversed(list(zip(modules, chain[1:], modules[1:], strict=False))):
        if id(child) in changed:
            if id(parent) not in changed:
                changed[id(parent)] = _twin(parent)
            setattr(changed[id(parent)], name, changed[id(child)])


def _twin(module: ModuleType) -> ModuleType:
    """Return another module with the same names."""
    found = ModuleType(module.__name__)
    vars(found).update(vars(module))
    return found


def _own_module(module: ModuleType, attributes: Iterable[str]) -> ModuleType:
    """Return a module with copies of some attributes, and with functions that look names up in it."""
    found = _twin(module)
    names = vars(found)
    for name in attributes:
        names[name] = copied(names[name])
    for name, value in vars(module).items():
        if isinstance(value, FunctionType) and value.__globals__ is vars(module):
            names[name] = _rebuilt(value, names)
    return found


def _rebuilt(function: FunctionType, names: Names) -> FunctionType:
    """Return a function that looks its names up in others."""
    found = FunctionType(
        function.__code__.replace(), names, function.__name__, function.__defaults__, function.__closure__
    )
    found.__kwdefaults__ = function.__kwdefaults__
    found.__dict__.update(function.__dict__)
    return found


def state_of(module: ModuleType, code: CodeType, seen: set[CodeType] | None = None) -> set[str]:
    """Return the names of a module at which its code looks, itself or through functions of the module."""
    seen = set() if seen is None else seen
    seen.add(code)
    names, found = vars(module), set[str]()
    for name in globals_in(code):
        value = names.get(name, builtins)
        if isinstance(value, FunctionType) and value.__globals__ is names and value.__code__ not in seen:
            found |= state_of(module, value.__code__, seen)
        elif value is not builtins:
            found.add(name)
    return found
