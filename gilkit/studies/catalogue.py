"""`gilkit list`: what there is to measure with, and what is missing here."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.engine.executors import CALL_EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.report.tables import plain_table


def catalogue() -> RenderableType:
    """Return the kernels, variants and executors, with why one is not available here."""
    kernels = plain_table("kernel", *VARIANTS, "size of a call", "limited by")
    why: dict[str, list[str]] = {}
    for kernel in KERNELS.values():
        has = [Text("yes", style="green") if kernel.variant(v) else Text("no", style="red") for v in VARIANTS]
        kernels.add_row(kernel.name, *has, f"{kernel.size:,} {kernel.unit}", kernel.limit)
        for variant, reason in kernel.missing.items():
            why.setdefault(reason, []).append(f"{kernel.name} {variant}")
    executors = plain_table("executor", "available", "what runs a worker")
    for kind in CALL_EXECUTORS.values():
        absent = kind.missing()
        word = Text("no", style="red") if absent else Text("yes", style="green")
        executors.add_row(kind.name, word, kind.about)
        if absent:
            why.setdefault(absent, []).append(kind.name)
    notes = [Text(f"no {', '.join(names)}: {reason}", style="dim") for reason, names in why.items()]
    return Group(kernels, "", executors, *([""] if notes else []), *notes)
