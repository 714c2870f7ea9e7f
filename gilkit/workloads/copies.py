"""Copies of what SETUP did not make, for a thread to have for itself; pickle and `copy` refuse some of it."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from types import BuiltinFunctionType, MethodType, ModuleType
from typing import Any

Memo = dict[int, Any]
# A constant is its own copy to `copy`; but without a GIL threads count its references.
REMADE: dict[type, Callable[[Any], Any]] = {
    int: lambda value: (value ^ 1) ^ 1,
    float: lambda value: float.fromhex(value.hex()),
    complex: lambda value: complex(value.real, value.imag),
    str: lambda value: "".join((value[:1], value[1:])),
    bytes: lambda value: b"".join((value[:1], value[1:])),
    range: lambda value: range(value.start, value.stop, value.step),
    frozenset: lambda value: frozenset(list(value)),
}
LOCKS: dict[type, Callable[[], Any]] = {
    type(make()): make for make in (threading.Lock, threading.RLock)
}  # not locked, as a rule


def bound(value: Any) -> bool:
    """Whether something is the method of an object; functions of modules have these, or their names."""
    if not isinstance(value, BuiltinFunctionType | MethodType):
        return False
    return not isinstance(value.__self__, ModuleType | str | None)


def copied(value: Any) -> Any:
    """Return a copy of an object that others do not know; of a method, that of a copy of its object.

    What it keeps is copied as far as that is possible: of a logger the handlers and their locks, but not
    the file to which they write.

    Raises
    ------
    TypeError
        If there is none.
    """
    try:
        found = _another(value, {})
    except Exception as error:  # objects fail to be copied in many ways
        raise TypeError(str(error)) from error
    if found is value:
        kept = "`re` keeps one for all: " if isinstance(value, re.Pattern) else ""
        raise TypeError(f"{kept}its copy is itself")
    return found


def _another(value: Any, memo: Memo) -> Any:
    if id(value) in memo:
        return memo[id(value)]
    kind, found = type(value), value
    if bound(value):
        found = getattr(_another(value.__self__, memo), value.__name__)
    elif kind in REMADE:
        found = REMADE[kind](value)
    elif kind in LOCKS:
        found = LOCKS[kind]()
    elif kind is tuple:
        found = tuple([_another_or_itself(each, memo) for each in value])
    elif kind is list:
        found = memo[id(value)] = []
        found.extend(_another_or_itself(each, memo) for each in value)
    elif kind is dict:
        found = memo[id(value)] = {}
        found.update({key: _another_or_itself(each, memo) for key, each in value.items()})
    else:
        found = _of_object(value, memo)
    memo[id(value)] = found
    return found


def _another_or_itself(value: Any, memo: Memo) -> Any:
    with suppress(Exception):  # objects fail to be copied in many ways
        return _another(value, memo)
    return value


def _of_object(value: Any, memo: Memo) -> Any:
    """Return what `copy` makes of it; where that is nothing, or itself, another one with its attributes."""
    tried = dict(memo)  # what fails leaves objects there that are not finished
    try:
        found = copy.deepcopy(value, tried)
    except Exception:
        if (found := _with_attributes(value, memo)) is None:
            raise
        return found
    if found is value:
        own = _with_attributes(value, memo)
        return value if own is None else own
    memo.update(tried)
    return found


def _with_attributes(value: Any, memo: Memo) -> Any:
    """Return another object with copies of the attributes; None if it is more than these."""
    if (found := _bare(value)) is not None:
        memo[id(value)] = found
        vars(found).update({name: _another_or_itself(each, memo) for name, each in vars(value).items()})
    return found


def _bare(value: Any) -> Any:
    """Return another object of a type, without attributes; None if it is more than these, or the only one."""
    slots = any(vars(kind).get("__slots__") for kind in type(value).__mro__)
    if slots or isinstance(value, Enum) or hasattr(type(value), "__del__") or not hasattr(value, "__dict__"):
        return None
    try:
        return object.__new__(type(value))
    except TypeError:  # C code makes those of its type
        return None
