"""`gilkit list`: what there is to measure with, and what is missing here."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.tables import absent, plain_table
from gilkit.engine.executors import CALL_EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS


def catalogue() -> RenderableType:
    """Return the kernels, variants and executors, with why one is not available here."""
    kernels = plain_table("kernel", *VARIANTS, "size of a call", "limited by")
    missing: dict[str, str] = {}
    for kernel in KERNELS.values():
        has = [_yes_or_no(kernel.variant(variant) is not None) for variant in VARIANTS]
        kernels.add_row(kernel.name, *has, f"{kernel.size:,} {kernel.unit}", kernel.limit)
        missing |= {f"{kernel.name} {variant}": reason for variant, reason in kernel.missing.items()}
    executors = plain_table("executor", "available", "what runs a worker")
    for kind in CALL_EXECUTORS.values():
        reason = kind.missing()
        executors.add_row(kind.name, _yes_or_no(reason is None), kind.about)
        missing |= {kind.name: reason} if reason else {}
    notes = list(absent(missing))
    return Group(kernels, "", executors, *([""] if notes else []), *notes)


def _yes_or_no(there: bool) -> Text:
    return Text("yes", style="green") if there else Text("no", style="red")
