"""What the callers of every command may ask for, checked."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SECONDS, SHORT = 60.0, 10.0  # the default timeout of a round: of kernels and functions, of a statement
LARGEST = 2**63 - 1  # what the kernels count to
LONGEST = 1e6  # seconds that a timeout may be
MOST_WORKERS = 1024


def resolved(name: str, path: str | os.PathLike[str]) -> str:
    """Return the absolute path that ``path`` leads to."""
    try:
        return str(Path(path).resolve())
    except TypeError:
        raise TypeError(f"{name} must be a path, not {type(path).__name__}") from None
    except RuntimeError as error:
        raise ValueError(f"{name} cannot be followed: {error}") from None


def worker_list(workers: Iterable[int] | int | None, usual: tuple[int, ...]) -> list[int]:
    """Return the worker counts in order, each once."""
    if workers is None:
        workers = usual
    elif isinstance(workers, int):
        workers = [workers]
    try:
        counts = sorted({positive("workers", count) for count in workers})
    except TypeError as error:
        raise TypeError(f"workers must be integers: {error}") from None
    if not counts:
        raise ValueError("workers must name at least one count")
    if counts[-1] > MOST_WORKERS:
        raise ValueError(f"workers must be at most {MOST_WORKERS}, not {counts[-1]}")
    return counts


def positive(name: str, value: Any) -> int:
    """Return ``value``, an integer of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return value


def shown_count(counts: list[int], cpus: int) -> int:
    """Return the worker count that tables show."""
    return cpus if cpus > 1 and cpus in counts else counts[-1]


def checked_rounds(rounds: int | None) -> int | None:
    """Return ``rounds``: None, or at least 1."""
    return rounds if rounds is None else positive("rounds", rounds)


def checked_timeout(timeout: float) -> float:
    """Return ``timeout``, in seconds."""
    if not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST:
        raise ValueError(f"timeout must be more than 0 and at most {LONGEST:g} seconds, not {timeout}")
    return timeout
