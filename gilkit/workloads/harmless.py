"""What threads may share at no cost: nobody counts it, and nothing that it keeps has a lock."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)
from typing import Any

from gilkit.machine import gil_enabled
from gilkit.workloads.copies import bound
from gilkit.workloads.namespaces import WITHOUT_LOCK

OF_C = BuiltinFunctionType | ClassMethodDescriptorType | MethodDescriptorType | WrapperDescriptorType
DESCRIPTORS = GetSetDescriptorType, MemberDescriptorType
KEEPING = (FunctionType, type, property, classmethod, staticmethod, tuple, frozenset)


def immortal(value: object) -> bool:
    """Whether nobody counts the references to an object."""
    return sys.getrefcount(value) >= 2**28


def harmless(value: Any) -> bool:
    """Whether it costs nothing to share an object, with all that it keeps."""
    return _harmless(value, counted=not gil_enabled(), seen=set())


def _harmless(value: Any, counted: bool, seen: set[int]) -> bool:
    if id(value) in seen:
        return True
    seen.add(id(value))
    if counted and (not immortal(value) or _counts(value)):
        return False
    if isinstance(value, KEEPING):
        return all(_harmless(each, counted, seen) for each in _kept_by(value))
    return counted or isinstance(value, (*WITHOUT_LOCK, *DESCRIPTORS)) or _plain(value)


def _plain(value: Any) -> bool:
    """Whether it is a function of C code, of no object."""
    return isinstance(value, OF_C) and not bound(value)


def _counts(value: Any) -> bool:
    """Whether to use it counts something else: the objects of a class, cells, attributes."""
    return isinstance(value, type) or (
        isinstance(value, FunctionType) and bool(value.__closure__ or value.__dict__)
    )


def _kept_by(value: Any) -> Iterator[Any]:
    """Yield what a function, a class or a constant keeps."""
    if isinstance(value, FunctionType):
        for cell in value.__closure__ or ():
            with suppress(ValueError):  # nothing in it yet
                yield cell.cell_contents
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        yield from value.__dict__.values()
    elif isinstance(value, type):
        yield from vars(value).values()
    elif isinstance(value, property):
        yield from (value.fget, value.fset, value.fdel)
    elif isinstance(value, classmethod | staticmethod):
        yield value.__func__
    else:
        yield from value
