"""Builds of Python: what an interpreter is, and whether two of them differ in more than the GIL."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass
from typing import Any

from gilkit.engine.probe import printed
from gilkit.engine.pythons import GIL_VARIABLE, environment, located, versioned
from gilkit.errors import CaseFailedError
from gilkit.studies.claims import launch


@dataclass(frozen=True, slots=True)
class Build:
    """What an interpreter is.

    Parameters
    ----------
    path : str
        Where it is.
    implementation, version : str
        As ``CPython`` and ``3.13.1``.
    free_threaded : bool
        Whether it was built to run without a GIL.
    gil : bool
        Whether it runs with one.
    compiled : str
        By which compiler, and with which options of those that make it faster or slower.
    """

    path: str
    implementation: str
    version: str
    free_threaded: bool
    gil: bool
    compiled: str

    def __str__(self) -> str:
        return f"{self.implementation} {versioned(self.version, self.free_threaded)}"

    @property
    def minor(self) -> str:
        """Its version but for the last number, which changes what is wrong and not how fast it is."""
        return ".".join(self.version.split(".")[:2])

    @property
    def numbers(self) -> tuple[int, ...]:
        """The same as numbers."""
        return tuple(map(int, self.minor.split(".")))

    def told(self) -> dict[str, Any]:
        """Return what a results file may say of it: not where it is."""
        return {**asdict(self), "path": ""}


def differences(one: Build, other: Build) -> str:
    """Return in what two builds differ beside the GIL; or ''."""
    if one.implementation != other.implementation or one.minor != other.minor:
        return f"{one} and {other} are two versions"
    if one.compiled != other.compiled:
        return f"they were compiled in two ways: {one.compiled}; {other.compiled}"
    return ""


def own() -> Build:
    """Return what this interpreter is."""
    return _asked(sys.executable)


def named(python: str | os.PathLike[str]) -> Build:
    """Return what an interpreter is, from its path or its name on PATH.

    Raises
    ------
    TypeError, ValueError
        If it is none that runs here.
    """
    text, path = located(python)
    printed(text, path, environment(free=False))  # not without end
    try:
        return _asked(path)
    except CaseFailedError as error:
        raise ValueError(f"{text!r} is no Python that runs here: {error}") from None


def _asked(path: str) -> Build:
    build = _about(path, free=False)
    return _about(path, free=True) if build.free_threaded and GIL_VARIABLE in os.environ else build


def _about(path: str, free: bool) -> Build:
    try:
        (answer,) = launch.said("single.about", python=path, free=free)
        return Build(path, **answer)
    except (TypeError, ValueError):
        raise CaseFailedError("it does not say what it is") from None
