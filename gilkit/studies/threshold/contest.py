"""What is swept: two ways to do the same work, at any size."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from gilkit.arguments import positive
from gilkit.kernels import Kernel
from gilkit.results.facts import Metadata
from gilkit.studies.threshold.crossing import HOLDING, OWN
from gilkit.workloads.target import Own, has_variant
from gilkit.workloads.workload import KernelCall, Workload

FACTOR = 4  # from one size of the sweep to the next
SMALLEST_SIZE, LARGEST_SIZE = 1, 2**40


@dataclass(frozen=True, slots=True)
class Contest:
    """What is swept: a kernel's `nogil` against its `gil` version, or a statement's threads against one.

    Parameters
    ----------
    name : str
    beaten : str
        What is beaten: see `crossing`.
    workload : callable
        ``workload(variant, size)``.
    smallest, largest : int
        Sizes.
    unit : str
        What a size counts.
    facts : dict
        What else the results are to hold.
    """

    name: str
    beaten: str
    workload: Callable[[str, int], Workload]
    smallest: int
    largest: int
    unit: str
    facts: Metadata


def of_kernel(kernel: Kernel, sizes: tuple[int, int] | None) -> Contest:
    """Return the contest of a kernel's two versions."""
    for variant in (HOLDING, "nogil"):
        has_variant(kernel, variant, "version to compare")
    smallest, largest = _ends(sizes or (SMALLEST_SIZE, kernel.size), min(LARGEST_SIZE, kernel.largest))

    def workload(variant: str, size: int) -> Workload:
        return KernelCall(kernel.name, variant, size)

    return Contest(kernel.name, HOLDING, workload, smallest, largest, kernel.unit, {})


def of_statement(own: Own, stmt: str, setup: str, sizes: tuple[int, int] | None) -> Contest:
    """Return the contest of a statement's threads against one."""
    if sizes is None:
        raise ValueError("a statement needs sizes: the smallest and the largest n")
    if not (_uses_n(stmt) or _uses_n(setup)):
        raise ValueError("neither the statement nor its setup uses n, so its size does not change")
    smallest, largest = _ends(sizes, LARGEST_SIZE)
    return Contest(own.name, OWN, lambda _, size: own.workload(n=size), smallest, largest, "n", own.facts)


def _uses_n(code: str) -> bool:
    """Whether code reads n; it must not be given another value."""
    names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and node.id == "n"]
    if any(not isinstance(node.ctx, ast.Load) for node in names):
        raise ValueError("n is the size, which threshold sets: give your own variable another name")
    return bool(names)


def _ends(sizes: tuple[int, int], most: int) -> tuple[int, int]:
    try:
        smallest, largest = (positive("sizes", size) for size in sizes)
    except (TypeError, ValueError) as error:
        wanted = "sizes must be two integers of at least 1, the smallest and the largest"
        raise type(error)(f"{wanted}, not {sizes}") from None
    if smallest >= largest:
        raise ValueError(f"sizes must rise: {smallest} is not smaller than {largest}")
    if largest > most:
        raise ValueError(f"sizes must be at most {most}, not {largest}")
    return smallest, largest


def swept(smallest: int, largest: int) -> list[int]:
    """Return sizes from one end to the other, each `FACTOR` times the one before."""
    sizes = []
    size = smallest
    while size < largest:
        sizes.append(size)
        size *= FACTOR
    return [*sizes, largest]
