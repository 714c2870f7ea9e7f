"""Modules of a program's own that are called as modules that were loaded for gilkit."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Collection


def make_way(folder: str, plain: Collection[str]) -> None:
    """Forget the modules that a program has of its own in ``folder``; gilkit goes on with those it has.

    Parameters
    ----------
    folder : str
        Where Python looks first for the program.
    plain : collection of str
        The modules that any program has: these stay.
    """
    machinery = importlib.machinery
    loaded = {name.partition(".")[0] for name in sys.modules} - {"gilkit", "__main__", "__mp_main__"}
    for name in loaded.difference(plain):
        if machinery.BuiltinImporter.find_spec(name) or machinery.FrozenImporter.find_spec(name):
            continue  # nobody's own is found before these
        own = machinery.PathFinder.find_spec(name, [folder])
        if (
            own is None
            or own.loader is None
            or own.origin == getattr(sys.modules.get(name), "__file__", None)
        ):
            continue  # there is none, or a folder that is no package, or it is what was loaded
        for other in [other for other in sys.modules if other.partition(".")[0] == name]:
            del sys.modules[other]
