"""`gilkit list`: what there is to measure with, and what is missing here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.data import DOCUMENT_FORMAT
from gilkit.display.tables import absent, note, plain_table
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.studies.outcome import Report


class Catalogue(Report):
    """The kernels, variants and executors, with why one is not available here."""

    def __rich__(self) -> RenderableType:
        kernels = plain_table("kernel", "variants", "size of a call", "limited by")
        for row in self.rows():
            has = ", ".join(variant for variant in VARIANTS if row[variant])
            has = "all" if all(row[variant] for variant in VARIANTS) else has
            kernels.add_row(row["kernel"], has, f"{row['size']:,} {row['unit']}", row["limit"])
        executors = plain_table("executor", "available", "what runs a worker")
        for kind in EXECUTORS.values():
            executors.add_row(kind.name, _yes_or_no(kind.missing() is None), kind.about)
        for column in (*kernels.columns, *executors.columns):
            column.overflow = "fold"
        kernels.columns[0].no_wrap = executors.columns[0].no_wrap = True  # one has to type them
        notes = list(absent(_missing()))
        legend = note(f"all: {', '.join(VARIANTS)}")
        return Group(kernels, legend, "", executors, *([""] if notes else []), *notes)

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": DOCUMENT_FORMAT,
            "kind": "list",
            "kernels": self.rows(),
            "executors": [
                {"executor": kind.name, "available": kind.missing() is None, "about": kind.about}
                for kind in EXECUTORS.values()
            ],
            "missing": _missing(),
        }

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "kernel": kernel.name,
                **{variant: kernel.variant(variant) is not None for variant in VARIANTS},
                "size": kernel.size,
                "unit": kernel.unit,
                "limit": kernel.limit,
            }
            for kernel in KERNELS.values()
        ]

    def _finest(self) -> Iterable[dict[str, Any]]:
        return self.rows()


def _missing() -> dict[str, str]:
    """Return why each variant and executor that is not here is not."""
    variants = {
        f"{kernel.name} {variant}": reason
        for kernel in KERNELS.values()
        for variant, reason in kernel.missing.items()
    }
    executors = {kind.name: reason for kind in EXECUTORS.values() if (reason := kind.missing())}
    return variants | executors


def _yes_or_no(there: bool) -> Text:
    return Text("yes", style="green") if there else Text("no", style="red")
