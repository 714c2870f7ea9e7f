"""STUDIES, the registry of all studies: whatever folder here has a `STUDY` in its `__init__`.

`gilkit show`, `gilkit.load` and the reports are made from it. Nothing lists the studies a second time.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import gilkit.studies
from gilkit.errors import ResultsError
from gilkit.studies.entry import Study

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gilkit.results.file import Results

STUDIES: dict[str, Study] = {
    found.name: import_module(f"gilkit.studies.{found.name}").STUDY
    for found in iter_modules(gilkit.studies.__path__)
    if found.ispkg
}


def study_of(kind: str) -> Study | None:
    """Return the study whose results files are of a kind; None if this version has none."""
    return next((study for study in STUDIES.values() if kind and study.kind == kind), None)


def report(results: Results) -> RenderableType:
    """Return everything that there is to say of ``results``, in the way of their study.

    Raises
    ------
    ResultsError
        If no study of this version knows their kind.
    """
    study = study_of(results.kind)
    if study is None:
        raise ResultsError(f"results of kind {results.kind!r} are later than this gilkit: use a newer gilkit")
    return study.table(results)
