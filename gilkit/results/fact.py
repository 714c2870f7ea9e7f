"""What a fact is: one entry of pyperf's metadata, typed. Those that there are stand in `facts`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, overload

from gilkit.errors import ResultsError

Metadata = dict[str, str | int | float]
T = TypeVar("T")
LARGEST = 1e18  # no figure is larger
_NUMBERS, _LISTS = (int, float), (list, tuple)


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """One entry of the metadata.

    Parameters
    ----------
    key : str
        What it is called in the file.
    type : type
        What its value is: str, int or float; or list or dict, which the file holds as JSON, since metadata
        of pyperf are single values.
    about : str
        What it says, in a sentence.
    json : bool
        Whether a text, too, is held as JSON, so that no text is taken for anything else.
    fits : callable
        Whether a value of that type can be one: numbers must be such as can be measured, anyway.
    of_case : bool
        Whether it is one of a case; or else of the run.
    """

    key: str
    type: type[T]
    about: str
    json: bool = False
    fits: Callable[[T], bool] = lambda _: True
    of_case: bool = False

    @property
    def encoded(self) -> bool:
        """Whether the file holds its value as JSON."""
        return self.json or self.type in (list, dict)

    @property
    def type_name(self) -> str:
        """Its type, in words."""
        return self.type.__name__ + (" (as JSON)" if self.encoded else "")

    def entry(self, value: T) -> Metadata:
        """Return the metadata with this one fact."""
        return {self.key: json.dumps(value) if self.encoded else value}  # type: ignore[dict-item]

    @overload
    def of(self, metadata: Mapping[str, Any]) -> T | None: ...
    @overload
    def of(self, metadata: Mapping[str, Any], default: T) -> T: ...
    def of(self, metadata: Mapping[str, Any], default: T | None = None) -> T | None:
        """Return what ``metadata`` says; the default where they do not.

        Raises
        ------
        ResultsError
            If the value is of another type.
        """
        if self.key not in metadata:
            return default
        value = metadata[self.key]
        try:
            if self.encoded:
                value = json.loads(value)
            if self.type is float and type(value) is int:
                value = float(value)
        except (OverflowError, TypeError, ValueError):
            raise self._damaged(value) from None
        if not isinstance(value, self.type) or isinstance(value, bool) or not _measurable(value):
            raise self._damaged(value)
        try:
            fits = self.fits(value)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise self._damaged(value)
        return value

    def needed(self, metadata: Mapping[str, Any]) -> T:
        """Return what ``metadata`` says.

        Raises
        ------
        ResultsError
            If they do not, or if the value is of another type.
        """
        if (value := self.of(metadata)) is None:
            raise ResultsError(f"{self.key} is missing")
        return value

    def named(self, name: str) -> Fact[T]:
        """Return one of a family of facts, whose key has a name in it."""
        return replace(self, key=self.key.replace("NAME", name))

    def _damaged(self, value: Any) -> ResultsError:
        return ResultsError(f"{self.key} must be {self.type_name}, not {str(value)[:40]!r}")


def _measurable(value: object) -> bool:
    """Whether a number can have been measured; whatever else is in lists and dicts is as it may be."""
    if isinstance(value, _NUMBERS):  # as most are
        return abs(value) < LARGEST
    if isinstance(value, _LISTS):
        try:  # at once, where all are numbers or None, as in long lists they mostly are
            if sum(map(abs, filter(None, value))) < LARGEST:
                return True
        except (OverflowError, TypeError):
            pass
        return all(map(_measurable, value))
    return not isinstance(value, dict) or all(map(_measurable, value.values()))
