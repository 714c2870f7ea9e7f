"""Digests of data: whether two runs worked on the same."""

from __future__ import annotations

import hashlib
import pickle
from functools import cache
from pathlib import Path
from typing import Any

PROTOCOL = 4  # of pickles, whatever the interpreter prefers
LONG_ENOUGH = 32  # characters of a digest that are kept


def digest_of(value: Any) -> str | None:
    """Return the digest of data, the same in every process; None where they cannot be pickled."""
    try:
        return _digest(value)[:LONG_ENOUGH]
    except Exception:  # noqa: BLE001 (objects fail to be pickled in many ways)
        return None


def digest_of_file(path: str) -> str:
    """Return the digest of what a file holds."""
    known = Path(path).stat()
    return _of_file(path, known.st_mtime_ns, known.st_size)


@cache
def _of_file(path: str, *_: int) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:LONG_ENOUGH]


def _digest(value: Any) -> str:
    kind = type(value)
    found = hashlib.sha256(kind.__qualname__.encode())
    if kind in (list, tuple):
        parts = [_digest(each) for each in value]
    elif kind in (set, frozenset):  # of texts they are in another order in every process
        parts = sorted(_digest(each) for each in value)
    elif kind is dict:
        parts = sorted(_digest(key) + _digest(each) for key, each in value.items())
    else:
        found.update(pickle.dumps(value, PROTOCOL))
        return found.hexdigest()
    found.update("".join(parts).encode())
    return found.hexdigest()
