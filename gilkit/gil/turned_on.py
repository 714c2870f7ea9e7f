"""Whether a process runs with a GIL, and who turned it on: of a free-threaded build a module may."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from types import ModuleType

from gilkit.machine import free_threaded, gil_enabled
from gilkit.results import facts
from gilkit.results.facts import Metadata


@dataclass(frozen=True, slots=True)
class GilState:
    """Whether a process runs with a GIL.

    Parameters
    ----------
    on : bool
    setting : str
        What decides that from the start, such as ``PYTHON_GIL=1``; or empty.
    modules : tuple of str
        The extension modules that do not declare that they need none, in the order in which they were loaded.
        Unless a setting decides, the first of them turned it on, of all that were noticed as they were made
        (see `notice`); of those that are found later, one that is gone since may have.
    """

    on: bool
    setting: str = ""
    modules: tuple[str, ...] = ()

    @property
    def facts(self) -> Metadata:
        """What a results file says of it."""
        found = facts.GIL.entry("on" if self.on else "off")
        if self.setting:
            found |= facts.GIL_SETTING.entry(self.setting)
        if self.modules:
            found |= facts.GIL_MODULES.entry(list(self.modules))
        return found


def gil_state() -> GilState:
    """Return whether this process runs with a GIL, and why; the latter of a free-threaded build only."""
    if not free_threaded():
        return GilState(gil_enabled())
    modules = _loaded() if _noticed is None else _noticed
    return GilState(gil_enabled(), _setting(), tuple(dict.fromkeys(modules)))


def _setting() -> str:
    """Return what this interpreter was told of its GIL when it started."""
    asked = sys._xoptions.get("gil")
    if asked in ("0", "1"):
        return f"-X gil={asked}"
    asked = "" if sys.flags.ignore_environment else os.environ.get("PYTHON_GIL", "")
    return f"PYTHON_GIL={asked}" if asked in ("0", "1") else ""


_noticed: list[str] | None = None


def notice(heard: Callable[[str, bool], object] = lambda *_: None) -> None:
    """Notice in this process, from now on, each extension module for which the interpreter needs its GIL.

    The interpreter decides when it has made a module. Whether the GIL is on then tells less: it is, for as
    long as any module is being made. The interpreter itself warns of the first one only; a process that
    notices all keeps that to itself.

    Parameters
    ----------
    heard : callable
        Called with the name of each that is made, as soon as it is there, and whether it needs the GIL.
    """
    global _noticed
    if not free_threaded() or _noticed is not None:
        return
    from gilkit._ext._modules import needs_gil

    noticed = _noticed = list(_loaded())
    make = ExtensionFileLoader.create_module

    def create_module(self: ExtensionFileLoader, spec: ModuleSpec) -> ModuleType:
        module = make(self, spec)
        if needs_gil(module):
            noticed.append(spec.name)
        heard(spec.name, spec.name in noticed)
        return module

    ExtensionFileLoader.create_module = create_module  # type: ignore[method-assign]
    warnings.filterwarnings("ignore", r"The global interpreter lock \(GIL\) has been enabled", RuntimeWarning)


def _loaded() -> Iterator[str]:
    """Yield the extension modules that are loaded and need a GIL, of those that are to be found by name."""
    with suppress(ImportError):  # an interpreter of its own, for which it is not made
        from gilkit._ext._modules import needs_gil

        for module in list(sys.modules.values()):
            if isinstance(module, ModuleType):  # a lazy one is not to be loaded by being asked
                spec = ModuleType.__getattribute__(module, "__dict__").get("__spec__")
                if isinstance(getattr(spec, "loader", None), ExtensionFileLoader) and needs_gil(module):
                    yield spec.name
