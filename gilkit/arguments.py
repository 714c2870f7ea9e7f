"""What the callers of every command may ask for, checked."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

TIMEOUT, SHORT_TIMEOUT = 60.0, 10.0  # seconds, by default: of kernels and functions, of a statement
LONGEST_TIMEOUT = 1e6  # seconds
STALL = 10e-3  # default seconds from which on it is a stall: twice Python's switch interval
SHORTEST_STALL, LONGEST_STALL = 1e-3, 3600.0  # seconds that this may be
LARGEST_INTEGER = 2**63 - 1  # what the kernels count to
MOST_WORKERS = 1024
LARGEST_SEED = 2**32 - 1


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


def number(value: Any, name: str) -> float:
    """Return a number as a float; of a float subclass its own value counts, not what its methods say."""
    try:
        return math.ldexp(value, 0)
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None
    except OverflowError:
        raise ValueError(f"{name} is too large for a float64") from None


def duration(text: str) -> float:
    """Return the seconds that a text such as ``10ms`` or ``0.05s`` says.

    Raises
    ------
    ValueError
        If it says none, or if it may mean seconds or milliseconds.
    """
    found = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*(us|µs|ms|s)\s*", text)
    if found is None:
        raise ValueError(f"{text!r} is not a time with its unit, such as 10ms or 0.05s")
    return float(found[1]) * {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}[found[2]]


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


def checked_seed(seed: int) -> int:
    """Return ``seed``, an integer from 0 to `LARGEST_SEED`."""
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise TypeError(f"seed must be an integer, not {type(seed).__name__}")
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed must be from 0 to {LARGEST_SEED}, not {seed}")
    return seed


def checked_rounds(rounds: int | None) -> int | None:
    """Return ``rounds``: None, or at least 1."""
    return rounds if rounds is None else positive("rounds", rounds)


def checked_timeout(timeout: float) -> float:
    """Return ``timeout``, in seconds."""
    if not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST_TIMEOUT:
        raise ValueError(
            f"timeout must be more than 0 and at most {LONGEST_TIMEOUT:g} seconds, not {timeout}"
        )
    return timeout


def worker_counts(cpus: int) -> tuple[int, ...]:
    """Return 1 … 2 × ``cpus``: every count up to 4, then doubling."""
    most = 2 * cpus
    counts = set(range(1, min(4, most) + 1)) | {most}
    step = 8
    while step < most:
        counts.add(step)
        step *= 2
    return tuple(sorted(counts))


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Return the line that refuses a name: which was perhaps meant, and which there are."""
    names = list(known)
    guess = nearest(name, names)
    there = f"nown are {', '.join(names)}"
    return f"unknown {what} {name!r}: " + (f"did you mean {guess!r}? K{there}" if guess else f"k{there}")


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that was perhaps meant, or None."""
    from difflib import get_close_matches

    by_small = {other.lower(): other for other in known}
    found = get_close_matches(str(name).lower(), by_small, 1)
    return by_small[found[0]] if found else None


def allowed(what: str, names: Iterable[str] | None, known: Sequence[str]) -> list[str]:
    """Return ``names``, each once, or all that are ``known``."""
    if names is None:
        return list(known)
    try:
        chosen = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    except TypeError:
        raise TypeError(f"{what}s must be names, not {type(names).__name__}") from None
    for name in chosen:
        if name not in known:
            raise ValueError(unknown(what, name, known))
    if not chosen:
        raise ValueError(f"name at least one {what}: known are {', '.join(known)}")
    return chosen
