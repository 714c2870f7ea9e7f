"""Holds of the GIL that are known, and so allowed, in a file that is kept beside the tests: `Baseline`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import NamedTuple, TypeVar

from gilkit.errors import ResultsError
from gilkit.gil.audited import SHOWN, brief
from gilkit.results.writing import check_writable, reason, replace

WORSE = 2.0  # times as long is allowed: machines differ
BASELINE = "gil_baseline"
BASELINE_VERSION = 1
T = TypeVar("T")


class Known(NamedTuple):
    """The longest hold of a test, in seconds, and where it was."""

    seconds: float
    where: str


class Baseline:
    """What a file says of tests, by their names.

    Parameters
    ----------
    path : Path
        A file that is made where it is missing.
    longer : float, optional
        Seconds from which on holds are recorded: shorter ones are allowed. By default what the file says.
    update : bool
        Whether the file is to say so from now on; or it is the longer of both times that counts.

    Raises
    ------
    ResultsError
        If the file says nothing of that kind, or cannot be read, or not be made.
    """

    def __init__(self, path: Path, longer: float | None = None, update: bool = False) -> None:
        self.path = path
        self.longer = SHOWN if longer is None else longer
        self.known: dict[str, Known] = {}
        self.there = os.path.exists(path)  # noqa: PTH110 (false, where a Path raises)
        if not self.there:
            check_writable(path)
            return
        try:
            found = json.loads(path.read_text("utf-8"))
            version = _a(int, found[BASELINE])
            if version == BASELINE_VERSION:
                recorded = _seconds(found["from"])
                self.known = {
                    test: Known(_seconds(hold["longest"]), _a(str, hold["at"]))
                    for test, hold in _a(dict, found["tests"]).items()
                }
        except OSError as error:
            raise ResultsError(f"{path} cannot be read: {reason(error)}") from None
        except (LookupError, TypeError, ValueError, OverflowError, RecursionError):
            raise ResultsError(f"{path} is no baseline of gilkit") from None
        if version != BASELINE_VERSION:
            raise ResultsError(
                f"{path} is a baseline of version {version}: only {BASELINE_VERSION} can be read"
            )
        if longer is None or (recorded > longer and not update):
            self.longer = recorded

    def limit(self, test: str) -> tuple[float, str]:
        """Return the seconds that a test may hold the GIL, and why so many."""
        if (known := self.known.get(test)) is None:
            return self.longer, f"the baseline knows no hold of it, and allows {brief(self.longer)}"
        allowed = max(self.longer, WORSE * known.seconds)
        return (
            allowed,
            f"the baseline has {brief(known.seconds)} at {known.where}, and allows {brief(allowed)}",
        )

    def record(self, ran: Mapping[str, Known | None]) -> int:
        """Write what tests did that ran, beside what is known of others; return how many tests it has."""
        tests = {**self.known, **ran}
        self.known = {
            test: hold for test, hold in sorted(tests.items()) if hold and hold.seconds >= self.longer
        }
        found = {
            BASELINE: BASELINE_VERSION,
            "from": self.longer,
            "tests": {
                test: {"longest": round(hold.seconds, 4), "at": hold.where}
                for test, hold in self.known.items()
            },
        }
        text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
        replace(self.path, lambda name: Path(name).write_text(text, "utf-8", "backslashreplace"))
        return len(self.known)


def _a(kind: type[T], value: object) -> T:
    """Return a value that is of just that type: a truth is no number."""
    if type(value) is not kind:
        raise TypeError(value)
    return value


def _seconds(value: object) -> float:
    seconds = float(value if isinstance(value, float) else _a(int, value))
    if not 0 <= seconds < inf:
        raise ValueError(value)
    return seconds
