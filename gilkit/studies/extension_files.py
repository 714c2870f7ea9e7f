"""Which extension modules are installed: their names, their packages, and the versions of these."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.metadata import (
    Distribution,
    PackageNotFoundError,
    distribution,
    distributions,
)
from importlib.util import find_spec
from mmap import ACCESS_READ, mmap
from pathlib import Path, PurePath

from gilkit.arguments import nearest

ENDINGS = sorted(EXTENSION_SUFFIXES, key=len, reverse=True)
Packages = Mapping[str, list[str]]  # which distributions a top-level package comes from


@dataclass(frozen=True, slots=True, order=True)
class Extension:
    """An extension module, by its full name, and what it was installed with; empty where nothing is known."""

    name: str
    package: str = ""
    version: str = ""


def installed() -> list[Extension]:
    """Return all that are installed in this environment."""
    known = known_packages()
    found = {each.name: each for package in distributions() for each in _of_distribution(package, known)}
    return sorted(found.values())


def of_packages(names: Iterable[str], folder: str = "") -> list[Extension]:
    """Return those of some packages, by the names of distributions, of packages or of modules.

    Parameters
    ----------
    names : iterable of str
    folder : str
        Where packages are looked for first; empty for none beside the usual.

    Raises
    ------
    ValueError
        If there is nothing of such a name.
    """
    found: dict[str, Extension] = {}
    known = known_packages()
    with looking_in(folder):
        for name in names:
            found |= {each.name: each for each in _of_package(name, known)}
    return sorted(found.values())


@contextmanager
def looking_in(folder: str) -> Iterator[None]:
    """Look for modules in a folder first, meanwhile."""
    before = list(sys.path)
    sys.path[:0] = [folder] if folder else []
    try:
        yield
    finally:
        sys.path[:] = before


def known_packages() -> Packages:
    """Return which distributions each top-level package comes from, of those that have a name."""
    known: dict[str, list[str]] = {}
    for package in distributions():  # importlib's own way to tell stumbles over those without a name
        if own := _told(package, "Name"):
            for top in _tops(package):
                known.setdefault(top, []).append(own)
    return known


def _tops(package: Distribution) -> set[str]:
    """Return the top-level packages and modules of a distribution."""
    declared = set((package.read_text("top_level.txt") or "").split())
    firsts = (Path(file.parts[0]) for file in package.files or () if "__pycache__" not in file.parts)
    return declared or {name for first in firsts if (name := first.name.split(".")[0]).isidentifier()}


def owned(name: str, known: Packages) -> Extension:
    """Return a module with what it was installed with."""
    for package in known.get(name.split(".")[0], []):
        return Extension(name, package, _told(distribution(package), "Version"))
    return Extension(name)


def _of_package(name: str, known: Packages) -> Iterator[Extension]:
    """Yield what belongs to a name; where it names a part of a package, what is in that part."""
    top = name.split(".")[0]
    package, spec = _distribution(name), _spec(top)
    if package is None and spec is None:
        guess = nearest(name, {*known, *(_told(each, "Name") for each in distributions())})
        meant = f"did you mean {guess!r}?" if guess else "it is not installed here"
        raise ValueError(f"unknown package {name!r}: {meant}")
    if package is not None:
        yield from _of_distribution(package, known)
    if spec is None:
        return
    every = [owned(each, known) for each in _of_spec(spec)]
    for other in known.get(top, []):
        every += _of_distribution(distribution(other), known)
    within = every if name == top else [each for each in every if f"{each.name}.".startswith(f"{name}.")]
    if name != top and not within:
        raise ValueError(f"{top} has no extension module {name!r}, and none in a package of that name")
    yield from within


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None


def _told(package: Distribution, what: str) -> str:
    """Return what a distribution says of itself; nothing if it is broken: its metadata may be gone."""
    try:
        return package.metadata.get(what) or ""  # type: ignore[attr-defined,no-any-return,unused-ignore]
    except (AttributeError, OSError):
        return ""


def _in_place(package: Distribution) -> bool:
    """Whether a distribution was built where its source is."""
    try:
        return bool(json.loads(package.read_text("direct_url.json") or "{}")["dir_info"]["editable"])
    except (LookupError, TypeError, ValueError):
        return False


def _spec(top: str) -> ModuleSpec | None:
    try:
        return find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None


def _of_distribution(package: Distribution, known: Packages) -> Iterator[Extension]:
    """Yield the extension modules among the files of a distribution, or where it was built in place."""
    own = _told(package, "Name")
    if not own:
        return
    names = [
        name
        for file in package.files or ()
        if (name := _named(file)) and _makes(Path(str(file.locate())), name)
    ]
    if not names and _in_place(package):
        tops = [top for top, packages in known.items() if own in packages]
        names = [name for top in tops if (spec := _spec(top)) is not None for name in _of_spec(spec)]
    for name in names:
        yield Extension(name, own, _told(package, "Version"))


def _of_spec(spec: ModuleSpec) -> Iterator[str]:
    """Yield the names of the extension modules of a package, or of the one that a module is."""
    if _named(PurePath(PurePath(spec.origin or "").name)):
        yield spec.name
    for home in spec.submodule_search_locations or ():
        for folder, inner, files in os.walk(home):
            inner[:] = [each for each in inner if each.isidentifier()]
            for file in files:
                path = Path(folder, file)
                name = _named(Path(spec.name.replace(".", "/")) / path.relative_to(home))
                if name and _makes(path, name):
                    yield name


def _named(path: PurePath) -> str:
    """Return the name of the extension module in a file, by its path where modules are looked for; or ''."""
    suffix = next((suffix for suffix in ENDINGS if path.name.endswith(suffix)), None)
    if suffix is None:
        return ""
    parts = [*path.parent.parts, path.name.removesuffix(suffix)]
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _makes(path: Path, name: str) -> bool:
    """Whether a file has what makes the module: others are libraries that modules load."""
    last = name.rpartition(".")[2]
    makers = [f"PyInit_{last}", f"PyModExport_{last}"] if last.isascii() else ["PyInitU_", "PyModExportU_"]
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
            return any(content.find(maker.encode()) >= 0 for maker in makers)
    except (OSError, ValueError):  # ValueError: it is empty
        return False
