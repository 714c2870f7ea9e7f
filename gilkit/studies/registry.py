"""STUDIES, the registry of all studies: every folder here is one, and has its `STUDY` in its `__init__`.

`gilkit show` and `gilkit.load` are made from it. Nothing lists the studies a second time.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import gilkit.studies
from gilkit.studies.entry import Study

STUDIES: dict[str, Study] = {
    found.name: import_module(f"gilkit.studies.{found.name}").STUDY
    for found in iter_modules(gilkit.studies.__path__)
    if found.ispkg
}


def study_of(kind: str) -> Study | None:
    """Return the study whose results files are of a kind; None if this version has none."""
    return next((study for study in STUDIES.values() if kind and study.kind == kind), None)
