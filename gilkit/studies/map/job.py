"""What is mapped, as people name it: a function and its items, as objects or as texts after a SETUP."""

from __future__ import annotations

import ast
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import ModuleType
from typing import Any, Protocol

from gilkit.engine import scratch
from gilkit.errors import CaseFailedError, StatementError, is_interrupt, one_line
from gilkit.workloads.folder import seen_folder
from gilkit.workloads.statement import Statement, check

MOST_TAKEN = 1_000_000  # items that an iterator is asked for
TAKEN_FOR = 5.0  # seconds in which it may give them
MOST_COUNTED = 10**12  # items of a sequence
FUNCTION_NAME, ITEMS_NAME = "FUNCTION", "ITEMS"  # in messages


@dataclass(frozen=True, slots=True)
class Loaded:
    """A function and its items, in the process that maps.

    Parameters
    ----------
    function : callable
    items : sequence
        The reader's own where that is one, but for a list, which the function may change: no item is copied.
    notes : tuple of str
        What was done to have them.
    """

    function: Callable[[Any], Any]
    items: Sequence[Any]
    notes: tuple[str, ...] = ()


class Job(Protocol):
    """A function and its items."""

    @property
    def function(self) -> Any:
        """The function, or its text."""

    def load(self) -> Loaded:
        """Return them, in the process that maps."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectJob:
    """A function and its items, which are mapped in this process."""

    function: Callable[[Any], Any]
    items: Iterable[Any]
    limit: int | None = None

    def load(self) -> Loaded:
        """Return them; an iterator becomes a list."""
        return _loaded(self.function, self.items, self.limit)


@dataclass(frozen=True, slots=True)
class TextJob:
    """A function and its items as expressions, after a SETUP.

    Parameters
    ----------
    setup, function, items : str
    limit : int or None
        Items that are taken at most.
    module : str
        What SETUP is called as a module. Workers import it: there it is without what only ITEMS needs.
    home : str
        The folder that this module is in.
    folder : str
        Where modules are looked for first; empty for none beside the usual.
    """

    setup: str
    function: str
    items: str
    limit: int | None
    module: str
    home: str
    folder: str = field(default_factory=seen_folder)

    def load(self) -> Loaded:
        """Run SETUP, and return what the two expressions are there."""
        if self.folder and self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        if self.home not in sys.path:
            sys.path.append(self.home)
        sys.modules[self.module] = made = ModuleType(self.module)
        names = Statement(self.setup, "pass", {"__name__": self.module}).names
        made.__dict__.update(names)  # so that what is defined in it can be sent by its name
        function = _value(self.function, FUNCTION_NAME, names)
        if not callable(function):
            raise CaseFailedError(f"{FUNCTION_NAME} is no function, but of type {type(function).__name__}")
        items = _value(self.items, ITEMS_NAME, names)
        if not isinstance(items, Iterable):
            raise CaseFailedError(f"{ITEMS_NAME} cannot be iterated: it is of type {type(items).__name__}")
        return _loaded(function, items, self.limit)


def text_job(setup: str, function: str, items: str, limit: int | None) -> TextJob:
    """Return texts as what is mapped.

    Raises
    ------
    TypeError
        If one of them is no text.
    StatementError
        If one of them is not Python.
    """
    texts = {"setup": setup, "function": function, "items": items}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"{name} must be a string, not {type(text).__name__}")
    check(setup, "pass")
    for text, name in ((function, FUNCTION_NAME), (items, ITEMS_NAME)):
        _expression(text, name)
    name = f"gilkit_setup_{sha256(repr(texts).encode()).hexdigest()[:8]}"
    home = scratch.folder() / "setup"
    home.mkdir(exist_ok=True)
    (home / f"{name}.py").write_text(for_workers(setup, function, items), "utf-8")
    return TextJob(setup, function, items, limit, name, str(home))


def for_workers(setup: str, function: str, items: str) -> str:
    """Return a SETUP without the assignments to names that only ITEMS uses: no worker needs all items."""
    body = ast.parse(setup).body
    needed = _read(ast.parse(items))
    dropped = True
    while dropped:
        dropped = False
        for node in body:
            targets = _assigned(node)
            rest = [other for other in body if other is not node]
            used = set().union(_read(ast.parse(function)), *map(_read, rest))
            if targets and targets <= needed and not targets & used:
                needed |= _read(node)
                body, dropped = rest, True
                break
    return "\n".join(ast.unparse(node) for node in body) + "\n"


def _assigned(node: ast.stmt) -> set[str]:
    """Return the names that a statement assigns to, if it does nothing else."""
    if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Name) for t in node.targets):
        return set()
    return {target.id for target in node.targets if isinstance(target, ast.Name)}


def _read(node: ast.AST) -> set[str]:
    """Return the names that code reads: ``x += 1`` reads what it stores."""
    stored = {n.target for n in ast.walk(node) if isinstance(n, ast.AugAssign)}
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {name.id for name in names if name in stored or not isinstance(name.ctx, ast.Store)}


def _expression(text: str, name: str) -> Any:
    try:
        return compile(text.strip(), name, "eval")
    except (SyntaxError, ValueError) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise StatementError(f"{name} is no expression of Python: {said}") from None
    except (RecursionError, MemoryError, OverflowError):
        raise StatementError(f"{name} is too deeply nested for Python") from None


def _value(text: str, name: str, names: dict[str, Any]) -> Any:
    try:
        return eval(_expression(text, name), names)
    except Exception as error:
        if is_interrupt(error):
            raise
        raise CaseFailedError(f"{name} fails: {one_line(error)}") from error


def _bounded(items: Sequence[Any], limit: int | None) -> Sequence[Any]:
    """Return a sequence, as far as it may be taken."""
    try:
        found = items[:limit] if isinstance(items, list) or (limit and len(items) > limit) else items
        many = len(found) > MOST_COUNTED
    except OverflowError:
        many = True
    except Exception as error:
        if is_interrupt(error):
            raise
        raise CaseFailedError(f"{ITEMS_NAME} cannot be counted: {one_line(error)}") from error
    if many:
        raise CaseFailedError(f"{ITEMS_NAME} has more than {MOST_COUNTED:,}: take a part of it")
    return found


def _loaded(function: Callable[[Any], Any], items: Iterable[Any], limit: int | None) -> Loaded:
    if isinstance(items, Sequence):
        return Loaded(function, _bounded(items, limit))
    most, late = limit or MOST_TAKEN, time.perf_counter() + TAKEN_FOR
    found: list[Any] = []
    note = "ITEMS is gone through once, and kept as a list"
    try:
        for item in items:
            if len(found) >= most:
                note += f"; it has more than these {most:,}" + ("" if limit else ": --items takes more")
                break
            found.append(item)
            if time.perf_counter() > late:
                note += f"; it gave {len(found):,} in {TAKEN_FOR:g} s, and no more were taken"
                break
    except Exception as error:
        if is_interrupt(error):
            raise
        raise CaseFailedError(f"{ITEMS_NAME} fails after {len(found):,}: {one_line(error)}") from error
    lists = isinstance(items, set | frozenset | dict)
    return Loaded(function, found, () if lists else (note,))
