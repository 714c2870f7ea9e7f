"""How executors are written: the lines to copy run, and do what they say."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gilkit.engine.executors import EXECUTORS, ExecutorKind
from gilkit.engine.written import by_name, loop_of

WITH_POOLS = [kind for kind in EXECUTORS.values() if not (kind.native or kind.single)]
SCRIPT = """
from concurrent.futures import *
{imports}
if __name__ == "__main__":
    items = [*range(-10, 0)]
    for found in {lines}:
        assert list(found) == [*range(10, 0, -1)]
"""


@pytest.mark.parametrize("kind", WITH_POOLS, ids=lambda kind: kind.name)
def test_a_line_to_copy_maps(kind: ExecutorKind, tmp_path: Path) -> None:
    if reason := kind.missing():
        pytest.skip(reason)
    lines = ", ".join(kind.written.line(2, chunk, "abs", "items") for chunk in (1, 4))
    script = tmp_path / "copied.py"
    script.write_text(SCRIPT.format(imports="\n".join(kind.written.imports), lines=f"({lines})"), "utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_what_is_not_told_is_written_by_its_name() -> None:
    mine = by_name("mine")
    assert mine.pool_of(3) == "mine(3)"
    assert mine.line(3, 1, "{f}", "x") == "mine(3).map({f}, x)"
    assert mine.line(3, 16, "f", "x") == "mine(3).map(f, x, chunksize=16)"


@pytest.mark.parametrize("function", ["abs", "lambda x: abs(x)", "abs if 1 else None", "None or abs"])
@pytest.mark.parametrize(
    "items", ["range(-3, 0)", "-3, -2, -1", "[] or [-3, -2, -1]", "[-3, -2, -1] if 1 else 0"]
)
def test_any_expression_can_be_copied(function: str, items: str) -> None:
    assert eval(loop_of(function, items)) == [3, 2, 1]
    kind = EXECUTORS["threads"].written
    assert list(eval(kind.line(2, 1, function, items), {"ThreadPoolExecutor": ThreadPoolExecutor})) == [
        3,
        2,
        1,
    ]


def test_parentheses_stand_only_where_they_are_needed() -> None:
    assert loop_of("app.parse", "(x for x in y)") == "[app.parse(item) for item in (x for x in y)]"
    assert loop_of("lambda x: x", "a, b") == "[(lambda x: x)(item) for item in (a, b)]"
    assert by_name("mine").line(3, 1, "lambda x: x", "a, b") == "mine(3).map(lambda x: x, (a, b))"
