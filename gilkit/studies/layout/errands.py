"""What every host of a cluster is to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Errands:
    """What every host is to do.

    Parameters
    ----------
    study : str
        ``timeit`` or ``layout``.
    name : str
        What tables call the statement.
    args, options : sequence, mapping
        Of that function, of what JSON has.
    all_at_once : bool
        Whether all hosts do it at one time, or one after the other.
    """

    study: str
    name: str
    args: Sequence[Any]
    options: Mapping[str, Any]
    all_at_once: bool
