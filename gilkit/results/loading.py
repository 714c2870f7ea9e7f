"""Reading results files: whatever one holds is checked here, so that nobody else has to."""

from __future__ import annotations

import json
import os
import zlib
from contextlib import suppress
from pathlib import Path

from gilkit.errors import ResultsError, one_line
from gilkit.results import facts
from gilkit.results.fact import LARGEST
from gilkit.results.file import FORMAT_VERSION, Results
from gilkit.results.writing import reason


def _is_trace(path: str | os.PathLike[str]) -> bool:
    """Whether a file of JSON is in the Trace Event format, as `gilkit timeline` writes it."""
    with suppress(OSError, ValueError):
        found = json.loads(Path(path).read_text("utf-8"))
        return isinstance(found, dict) and "traceEvents" in found
    return False


def load(path: str | os.PathLike[str]) -> Results:
    """Read a results file.

    Raises
    ------
    ResultsError
        If it cannot be read, is cut off, is not gilkit's or is of a later version.
    """
    import pyperf

    try:
        suite = pyperf.BenchmarkSuite.load(os.fspath(path))
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {reason(error)}") from None
    except json.JSONDecodeError as error:
        raise ResultsError(f"{path} is not JSON, or is cut off: {error.msg} at line {error.lineno}") from None
    except (UnicodeDecodeError, EOFError, RecursionError, zlib.error):
        raise ResultsError(f"{path} is not JSON, or is cut off") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if _is_trace(path):
            raise ResultsError(
                f"{path} is a trace: open it in https://ui.perfetto.dev or chrome://tracing"
            ) from None
        raise ResultsError(f"{path} is not a pyperf suite, or is of a later version: {error}") from None
    version = suite.get_benchmarks()[0].get_metadata().get(facts.FORMAT.key)
    if version is None:
        raise ResultsError(f"{path} is a pyperf suite, but not one of gilkit's")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ResultsError(
            f"{path} is of format {version}, later than this gilkit knows ({FORMAT_VERSION}): "
            "use a newer gilkit"
        )
    try:
        found = Results(suite)
        _check(found)
        return found
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise damaged(path, error) from None


def damaged(path: str | os.PathLike[str], error: Exception) -> ResultsError:
    """Return the error of a file that says what no run can have left."""
    return ResultsError(f"{path} is damaged: {error if isinstance(error, ValueError) else one_line(error)}")


def _check(results: Results) -> None:
    """Read everything once: what is cut off, or of another kind than it should be, is told at once."""
    for fact in facts.FACTS.values():
        fact.of(results.facts)
    for case in results:
        if case.workers < 1:
            raise ValueError(f"{case.name} has no workers")
        if not all(0 <= value < LARGEST for value in results.every(case).values()):
            raise ValueError(f"{case.name} has values that nobody can have measured")
        for fact in facts.FACTS.values():
            results.fact(case, fact)
        if any(not window.seconds > 0 or window.workers < 1 for window in results.windows(case).values()):
            raise ValueError(f"a window of {case.name} has no length or no workers")
