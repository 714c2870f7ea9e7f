"""Modules that are changed as they are loaded: whoever takes names from them takes the changed ones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class Changed(MetaPathFinder):
    """Finds modules as Python does, and changes some.

    Parameters
    ----------
    names : collection of str
        Which.
    change : callable
        Takes a module that was just loaded.
    """

    def __init__(self, names: Collection[str], change: Callable[[Any], None]) -> None:
        self._names = names
        self._change = change

    def find_spec(self, name: str, path: Any = None, _: Any = None) -> ModuleSpec | None:
        if name not in self._names or not (spec := PathFinder.find_spec(name, path)) or not spec.loader:
            return None
        load = spec.loader.exec_module

        def exec_module(home: ModuleType) -> None:
            load(home)
            self._change(home)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
