"""Statements as workloads: each worker runs SETUP itself, so nothing has to be pickled."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
import threading
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import repeat
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from gilkit.errors import StatementError, is_interrupt, one_line
from gilkit.workloads.workload import OwnCall

TEMPLATE = """
def loop(_gilkit_loops):
    for _gilkit_loop in _gilkit_loops:
        pass
def once():
    pass
"""
SETUP_NAME, STATEMENT_NAME = "SETUP", "the statement"  # in messages and tracebacks


def named(stmt: str) -> str:
    """Return what a statement is called in tables: itself, in one line."""
    return "; ".join(line.strip() for line in stmt.splitlines() if line.strip()) or "pass"


def _compiled(source: str | ast.Module, name: str) -> CodeType:
    try:
        return compile(source, name, "exec")
    except (SyntaxError, ValueError) as error:  # ValueError: null bytes
        raise StatementError(f"{name} is not Python: {_where(error)}") from None
    except (RecursionError, MemoryError, OverflowError):
        raise StatementError(f"{name} is too deeply nested for Python") from None


def _where(error: SyntaxError | ValueError) -> str:
    """What is wrong, with the line that it is in."""
    if not isinstance(error, SyntaxError):
        return str(error)
    line = (error.text or "").strip()
    return f"{error.msg}, line {error.lineno}" + (f": {line[:60]}" if line else "")


def _looped(statement: str, names: Iterable[str]) -> ast.Module:
    """Return definitions of ``loop(counter)`` and ``once()`` for a statement; ``once`` returns its value.

    Names that SETUP made and that the statement assigns to are global in both, as they are to timeit.
    """
    tree = ast.parse(TEMPLATE)
    loop, once = tree.body
    assert isinstance(loop, ast.FunctionDef)
    assert isinstance(loop.body[0], ast.For)
    assert isinstance(once, ast.FunctionDef)
    body = ast.parse(statement).body or [ast.Pass()]
    loop.body[0].body = body
    last = body[-1]
    once.body = [*body[:-1], ast.Return(last.value) if isinstance(last, ast.Expr) else last]
    symbols = symtable.symtable(statement, STATEMENT_NAME, "exec").get_symbols()
    assigned = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()} & set(names)
    if assigned:
        loop.body.insert(0, ast.Global(sorted(assigned)))
        once.body.insert(0, ast.Global(sorted(assigned)))
    return ast.fix_missing_locations(tree)


def check(setup: str, statement: str) -> None:
    """Find out whether both are Python, without running them.

    Raises
    ------
    StatementError
        If one is not.
    """
    _compiled(setup, SETUP_NAME)
    _compiled(statement, STATEMENT_NAME)
    _compiled(_looped(statement, ()), STATEMENT_NAME)  # what a function does not allow, such as import *


class Statement(OwnCall):
    """A statement with the names that SETUP made: one worker's own.

    Parameters
    ----------
    setup, statement : str
    given : dict
        Names that are there before SETUP runs.

    Raises
    ------
    StatementError
        If SETUP fails.
    """

    def __init__(self, setup: str, statement: str, given: dict[str, Any]) -> None:
        self.names: dict[str, Any] = {"__name__": "__gilkit__", "__builtins__": builtins, **given}
        code = _compiled(setup, SETUP_NAME)
        try:
            exec(code, self.names)
        except BaseException as error:
            if is_interrupt(error):
                raise
            lines = [
                line for file, line, *_ in traceback.extract_tb(error.__traceback__) if file == SETUP_NAME
            ]
            where = f", line {lines[-1]}" if lines and "\n" in setup else ""
            raise StatementError(f"{SETUP_NAME} fails{where}: {one_line(error)}") from error
        made: dict[str, Any] = {}
        exec(_compiled(_looped(statement, self.names), STATEMENT_NAME), self.names, made)
        self._loop: FunctionType = made["loop"]
        self._once: FunctionType = made["once"]

    def __call__(self) -> Any:
        """Run it once, and return its value: that of its last expression."""
        return self._once()

    def loop(self, loops: int) -> None:
        """Run it so many times."""
        self._loop(repeat(None, loops))

    def inputs(self) -> dict[str, Any]:
        """Return the data that SETUP made and the statement uses, itself or through functions of SETUP."""
        found: dict[str, Any] = {}
        todo, seen = [self._once.__code__], set()
        while todo:
            code = todo.pop()
            if code in seen:
                continue
            seen.add(code)
            todo += [const for const in code.co_consts if isinstance(const, CodeType)]
            for name in code.co_names:
                if name not in self.names or name.startswith("__"):
                    continue
                value = self.names[name]
                if isinstance(value, FunctionType) and value.__globals__ is self.names:
                    todo.append(value.__code__)
                elif not _is_code(value):
                    found[name] = value
        return dict(sorted(found.items()))

    def sent(self, inputs: dict[str, Any]) -> Any:
        """Run it once on other data, and return its value."""
        self.names.update(inputs)
        return self._once()


def _is_code(value: Any) -> bool:
    """Whether a worker has ``value`` because it has the code: a module, a function or a class."""
    if isinstance(value, BuiltinFunctionType):
        return value.__self__ is None or isinstance(value.__self__, ModuleType)
    return isinstance(value, ModuleType | FunctionType | type)


@dataclass(frozen=True, slots=True)
class StatementCall:
    """A statement, and the SETUP that every worker runs before it.

    Parameters
    ----------
    setup, statement : str
    given : tuple of (str, object)
        Names that are there before SETUP runs, as ``n``.
    shared : bool
        Whether SETUP runs once for all threads of a process; otherwise once for each of them.
    folder : str
        Where it looks for modules first; empty for none beside the usual.
    """

    setup: str
    statement: str
    given: tuple[tuple[str, Any], ...] = ()
    shared: bool = False
    folder: str = field(default_factory=lambda: _folder)

    def prepare(self) -> Statement:
        """Run SETUP and return the statement."""
        if self.folder and self.folder not in sys.path:
            import psutil  # noqa: F401 (whatever is imported here later is not looked for in there)

            sys.path.insert(0, self.folder)
        if not self.shared:
            return Statement(self.setup, self.statement, dict(self.given))
        with _sharing:
            if self not in _shared:
                _shared[self] = Statement(self.setup, self.statement, dict(self.given))
            return _shared[self]


_folder = ""
_shared: dict[StatementCall, Statement] = {}
_sharing = threading.Lock()  # the first thread runs SETUP, and the others wait for it


def see(folder: str) -> None:
    """Let statements made from now on find the modules of a folder before all others, as `timeit` does."""
    global _folder
    _folder = folder
