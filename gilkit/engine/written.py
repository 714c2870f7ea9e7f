"""How one writes an executor, and a map on it: lines to copy."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """How one writes an executor.

    Parameters
    ----------
    pool : str
        The executor, with ``{workers}``.
    one_by_one, in_chunks : str
        A map on that ``{pool}`` of ``{function}`` over ``{items}``; in chunks, with their size ``{chunk}``.
    imports : tuple of str
        What that needs of libraries, by statements.
    """

    pool: str
    one_by_one: str = "{pool}.map({function}, {items})"
    in_chunks: str = "{pool}.map({function}, {items}, chunksize={chunk})"
    imports: tuple[str, ...] = ()

    def pool_of(self, workers: int) -> str:
        """Return how one writes it with so many workers."""
        return self.pool.format(workers=workers)

    def line(self, workers: int, chunk: int, function: str, items: str) -> str:
        """Return how one writes a map on it."""
        text = self.in_chunks if chunk > 1 else self.one_by_one
        known = {"function": enclosed(function, "f({})"), "items": enclosed(items, "f({})")}
        return text.format(pool=self.pool_of(workers), workers=workers, chunk=chunk, **known)


def loop_of(function: str, items: str) -> str:
    """Return how one writes the loop that does the same."""
    return f"[{enclosed(function, '{}(item)')}(item) for item in {enclosed(items, '[0 for item in {}]')}]"


def enclosed(text: str, place: str) -> str:
    """Return an expression as it stands in a place: in parentheses, if it were read otherwise without."""
    inside = f"({text})"
    meant = _read(place.format(inside))
    return text if meant is None or _read(place.format(text)) == meant else inside


def _read(text: str) -> str | None:
    """Return as what Python reads an expression; None if it cannot."""
    try:
        return ast.dump(ast.parse(text, mode="eval"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def by_name(name: str) -> Written:
    """Return how one writes an executor of which nobody says it."""
    return Written(name + "({workers})")


def of_joblib(**settings: str) -> Written:
    """Return how one writes ``joblib.Parallel``, which maps lists of delayed calls, in batches."""
    more = "".join(f', {name}="{value}"' for name, value in settings.items())
    line = f"Parallel({{workers}}{more}, batch_size={{chunk}})(map(delayed({{function}}), {{items}}))"
    return Written(f"Parallel({{workers}}{more})", line, line, ("from joblib import Parallel, delayed",))


THREAD_POOL = Written("ThreadPoolExecutor({workers})")
PROCESS_POOL = Written("ProcessPoolExecutor({workers})")
INTERPRETER_POOL = Written("InterpreterPoolExecutor({workers})")
LOKY = Written("get_reusable_executor({workers})", imports=("from loky import get_reusable_executor",))
JOBLIB, JOBLIB_THREADS = of_joblib(), of_joblib(backend="threading")
# Dask's executor takes items one by one, whatever chunk size it is told.
DASK_CLIENT = Written(
    "Client(n_workers={workers}, threads_per_worker=1).get_executor(pure=False)",
    in_chunks=(
        "chain.from_iterable({pool}.map(lambda part: [*map({function}, part)],"
        " [*partition_all({chunk}, {items})]))"
    ),
    imports=(
        "from itertools import chain",
        "from distributed import Client",
        "from toolz import partition_all",
    ),
)
