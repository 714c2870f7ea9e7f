"""SETUP and a statement: compiled once, run by each worker for itself."""

from __future__ import annotations

import pickle

import pytest

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.errors import StatementError
from gilkit.workloads.statement import Statement, StatementCall, check
from gilkit.workloads.workload import repeated


def prepared(setup: str, statement: str) -> Statement:
    return StatementCall(setup, statement).prepare()


def test_its_value_is_that_of_its_last_expression() -> None:
    assert prepared("x = 2", "x + 1")() == 3
    assert prepared("x = 2", "y = x + 1\ny * 2")() == 6
    assert prepared("x = 2", "y = x + 1")() is None
    assert prepared("pass", "")() is None
    assert prepared("def f():\n    return 7", "f()")() == 7


def test_it_runs_so_many_times_on_the_names_of_setup() -> None:
    call = prepared("seen = []", "seen.append(len(seen))")
    repeated(call, 5)
    assert call.names["seen"] == [0, 1, 2, 3, 4]


def test_assignments_to_names_of_setup_last_as_with_timeit() -> None:
    call = prepared("total = 0\nimport math", "total += 1\nlocal = total\nimport math")
    call.loop(10)
    assert call.names["total"] == 10
    assert "local" not in call.names


def test_strings_keep_their_lines() -> None:
    assert prepared("pass", "'''a\n  b'''")() == "a\n  b"


def test_every_worker_has_names_of_its_own() -> None:
    recipe = pickle.loads(pickle.dumps(StatementCall("x = []", "x.append(1)")))
    first, second = recipe.prepare(), recipe.prepare()
    first.loop(3)
    assert (len(first.names["x"]), len(second.names["x"])) == (3, 0)


def test_given_names_are_there_before_setup() -> None:
    call = StatementCall("b = bytes(n)", "len(b[:n])", (("n", 12),)).prepare()
    assert call() == 12


@pytest.mark.parametrize(
    ("setup", "statement", "expected"),
    [
        ("import zlib; b = bytes(9)", "zlib.compress(b)", {"b"}),
        ("a = 1; b = 2; unused = 3", "(lambda: a + b)()", {"a", "b"}),
        ("x = [1]\ndef f():\n    return g()\ndef g():\n    return x", "f()", {"x"}),
        ("x = [1]", "[x for _ in x]", {"x"}),
        ("class A: pass\na = A()", "A, a", {"a"}),
        ("from math import sin; s = ''.join", "sin(1), s([])", {"s"}),
        ("import numpy as np", "np.zeros(3)", set()),
        ("import sys\nargv = [1]", "sys.argv", set()),  # an attribute is no name
        ("table = [1]\nclass A:\n    def go(self): return table\na = A()", "a.go()", {"a", "table"}),
    ],
)
def test_inputs_are_the_data_that_it_uses(setup: str, statement: str, expected: set[str]) -> None:
    assert set(prepared(setup, statement).inputs()) == expected


def test_it_runs_on_data_that_were_sent() -> None:
    call = prepared("b = bytes(3)\ndef f():\n    return len(b)", "f()")
    assert call() == 3
    assert call.sent({"b": bytes(5)}) == 5


@pytest.mark.parametrize(
    ("setup", "statement", "message"),
    [
        ("pass", "foo bar", "the statement is not Python: invalid syntax, line 1: foo bar"),
        ("x = ", "pass", "SETUP is not Python: invalid syntax, line 1: x ="),
        ("pass", "return 1", "the statement is not Python: 'return' outside function, line 1"),
        ("pass", "yield 1", "the statement is not Python: 'yield' outside function, line 1"),
        ("pass", "from math import *", r"the statement is not Python: import \* only allowed"),
        ("pass", "a\0b", "the statement is not Python: .*null bytes"),
        ("pass", "x = 1\n  y = 2", "the statement is not Python: unexpected indent, line 2"),
    ],
)
def test_what_is_not_python_is_refused_before_anything_runs(setup: str, statement: str, message: str) -> None:
    with pytest.raises(StatementError, match=message):
        check(setup, statement)


def test_deep_nesting_is_no_crash() -> None:
    with pytest.raises(StatementError, match="SETUP is"):
        check("(" * 500 + ")" * 500, "pass")


def test_setup_may_import_everything() -> None:
    check("from math import *", "sin(0)")
    assert prepared("from math import *", "sin(0)")() == 0


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        ("1/0", "^SETUP fails: ZeroDivisionError: division by zero$"),
        ("import sys\nsys.exit(3)", "^SETUP fails, line 2: SystemExit: 3$"),
        (
            "class Bad(Exception):\n    def __str__(self): raise GeneratorExit\nraise Bad",
            "^SETUP fails, line 3: Bad$",
        ),
        ("import nowhere_to_be_found", "^SETUP fails: ModuleNotFoundError: No module named"),
    ],
)
def test_a_setup_that_fails_says_where(setup: str, message: str) -> None:
    with pytest.raises(StatementError, match=message) as caught:
        prepared(setup, "pass")
    assert "\n" not in str(caught.value)


DATA = """
from dataclasses import dataclass, fields
from typing import ClassVar, get_type_hints

@dataclass
class Point:
    x: int
    y: "int" = 2
    shared: "ClassVar[int]" = 3
    after: "Point | None" = None

point = Point(1)
"""


def test_dataclasses_of_setup_are_as_in_a_module() -> None:
    assert prepared(DATA, "[field.name for field in fields(Point)]")() == ["x", "y", "after"]
    assert prepared(DATA, "point.y")() == 2
    assert prepared(DATA, "fields(Point)[0].type")() is int
    assert prepared(f"from __future__ import annotations\n{DATA}", "fields(Point)[0].type")() == "int"


def test_annotations_in_setup_are_found_where_setup_ran() -> None:
    """There are two such classes, each of its own namespace."""
    first, second = (prepared(DATA, "get_type_hints(Point)['after'] == Point | None") for _ in range(2))
    assert first.names["Point"] is not second.names["Point"]
    assert (first(), second(), first()) == (True, True, True)


def test_what_setup_defines_is_found_there_and_nowhere_else() -> None:
    """An object of it is no data that could be sent: the class is not where it is received."""
    assert prepared(f"{DATA}\nimport pickle", "pickle.loads(pickle.dumps(point)) == point")()
    point = prepared(DATA, "point")()
    with pytest.raises((pickle.PicklingError, AttributeError), match="Point"):
        pickle.dumps(point)


@pytest.mark.parametrize(
    "name", [name for name, kind in EXECUTORS.items() if not kind.native and kind.missing() is None]
)
def test_dataclasses_of_setup_work_under_every_executor(name: str) -> None:
    with Lab(2, timeout=30) as lab:
        statement = StatementCall(DATA, "Point(point.x, after=point), get_type_hints(Point)")
        assert lab.pace(name, statement).call > 0
