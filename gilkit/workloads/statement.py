"""Statements as workloads: each worker runs SETUP itself, so nothing has to be pickled."""

from __future__ import annotations

import ast
import symtable
import sys
import threading
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import repeat
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from gilkit.errors import StatementError, is_interrupt, one_line
from gilkit.workloads import again
from gilkit.workloads.folder import seen_folder
from gilkit.workloads.namespaces import keep_own, namespace, reached
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
        return compile(source, name, "exec", dont_inherit=True)  # annotations are as the source has them
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


def names_shared(setup: str, statement: str) -> set[str]:
    """Return the names that SETUP makes and a statement uses; all that it uses after an ``import *``."""
    made: set[str] = set()
    for node in ast.walk(ast.parse(setup)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
    used = {node.id for node in ast.walk(ast.parse(statement)) if isinstance(node, ast.Name)}
    return used if "*" in made else used & made


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
        self.names = namespace(given)
        code = _compiled(setup, SETUP_NAME)

        def made() -> dict[str, Any]:
            exec(code, self.names)
            return self.names

        try:
            again.run(setup, made)
        except BaseException as error:
            if is_interrupt(error):
                raise
            lines = [
                line for file, line, *_ in traceback.extract_tb(error.__traceback__) if file == SETUP_NAME
            ]
            where = f", line {lines[-1]}" if lines and "\n" in setup else ""
            raise StatementError(f"{SETUP_NAME} fails{where}: {one_line(error)}") from error
        both: dict[str, Any] = {}
        exec(_compiled(_looped(statement, self.names), STATEMENT_NAME), self.names, both)
        self._loop: FunctionType = both["loop"]
        self._once: FunctionType = both["once"]

    @property
    def code(self) -> CodeType:
        """The statement, compiled."""
        return self._once.__code__

    def __call__(self) -> Any:
        """Run it once, and return its value: that of its last expression."""
        return self._once()

    def loop(self, loops: int) -> None:
        """Run it so many times."""
        self._loop(repeat(None, loops))

    def inputs(self) -> dict[str, Any]:
        """Return the data that SETUP made and the statement uses, itself or through functions of SETUP."""
        names = sorted(reached(self.names, self.code))
        return {name: self.names[name] for name in names if not is_code(self.names[name])}

    def sent(self, inputs: dict[str, Any]) -> Any:
        """Run it once on other data, and return its value."""
        self.names.update(inputs)
        return self._once()


def is_code(value: Any) -> bool:
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
    private : tuple of str
        Where it is shared: names that each thread has for itself, all the same. See `keep_own`.
    folder : str
        Where it looks for modules first; empty for none beside the usual.
    """

    setup: str
    statement: str
    given: tuple[tuple[str, Any], ...] = ()
    shared: bool = False
    private: tuple[str, ...] = ()
    folder: str = field(default_factory=seen_folder)

    def prepare(self) -> Statement:
        """Run SETUP and return the statement."""
        if self.folder and self.folder not in sys.path:
            # Whatever is imported here later is not looked for in there.
            with suppress(ImportError):  # in an interpreter of its own, which has no use for them
                import threadpoolctl  # noqa: F401
            sys.path.insert(0, self.folder)
        if not self.shared:
            return self._made()
        with _sharing:
            shared = _shared[self] = _shared.get(self) or self._made()
        if not self.private:
            return shared
        own = self._made()
        try:
            keep_own(own.names, shared.names, self.private, own.code)
        except (AttributeError, TypeError) as error:
            raise StatementError(f"a thread cannot have it for itself: {one_line(error)}") from error
        return own

    def _made(self) -> Statement:
        return Statement(self.setup, self.statement, dict(self.given))


_shared: dict[StatementCall, Statement] = {}
_sharing = threading.Lock()  # the first thread runs SETUP, and the others wait for it
