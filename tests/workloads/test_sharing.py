"""What threads share of SETUP, and threads that share all of it but for one thing."""

from __future__ import annotations

import logging
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from types import ModuleType
from typing import Any

import pytest

from gilkit.errors import StatementError
from gilkit.machine import gil_enabled
from gilkit.workloads import harmless as module
from gilkit.workloads import suspects as suspects_module
from gilkit.workloads.copies import copied
from gilkit.workloads.statement import Statement, StatementCall, names_shared
from gilkit.workloads.suspects import CHANGES, Suspect, slower_again, suspects


@pytest.fixture(autouse=True)
def _no_gil(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this interpreter does: without a GIL every object is a suspect that is counted."""
    monkeypatch.setattr(module, "gil_enabled", lambda: False)
    monkeypatch.setattr(module, "immortal", lambda value: isinstance(value, int | type(None)))


def found(setup: str, statement: str) -> dict[str, Suspect]:
    return {each.name: each for each in suspects(StatementCall(setup, statement)).found}


def threads(setup: str, statement: str, name: str, count: int = 2) -> list[Statement]:
    """The statements of so many threads that share SETUP, but have one suspect each for themselves."""
    own = found(setup, statement)[name].own
    recipe = StatementCall(setup, statement, shared=True, private=own)
    return [recipe.prepare() for _ in range(count)]


LOOKED_UP = """
cache = {}
other = []
def look():
    return cache, other
def helper():
    return look()
"""


def test_suspects_are_what_the_statement_uses_itself_or_through_functions() -> None:
    kinds = {name: each.kind for name, each in found(LOOKED_UP + "unused = []", "helper()").items()}
    assert kinds == {"cache": "dict", "other": "list", "helper": "function", "look": "function"}
    assert list(kinds)[:2] == ["cache", "other"]  # data first
    assert set(found(LOOKED_UP, "len(cache)")) == {"cache"}


def test_a_suspect_that_a_function_looks_up_is_private_there_too() -> None:
    one, two = threads(LOOKED_UP, "helper()", "cache")
    (first, shared), (second, also_shared) = one(), two()
    assert first is not second
    assert shared is also_shared
    assert first is one.names["cache"]


def test_a_function_alone_is_private_with_all_that_it_looks_up_shared() -> None:
    one, two = threads(LOOKED_UP, "helper()", "helper")
    assert one.names["helper"] is not two.names["helper"]
    assert one.names["look"] is two.names["look"]
    assert one()[0] is two()[0]


def test_what_a_closure_keeps_belongs_to_the_function() -> None:
    setup = (
        "def make():\n    table = []\n    def look():\n        return table\n    return look\nlook = make()"
    )
    assert {each.name: each.kind for each in found(setup, "look()").values()} == {"look": "closure"}
    one, two = threads(setup, "look()", "look")
    assert one() is not two()


OBJECT = """
cache = {}
class Thing:
    table = []
    def __init__(self):
        self.own = []
    def all(self):
        return self.own, self.table, cache
thing = Thing()
"""


def test_an_object_is_private_apart_from_its_class() -> None:
    one, two = threads(OBJECT, "thing.all()", "thing")
    mine, yours = one(), two()
    assert mine[0] is not yours[0]
    assert mine[1] is yours[1]
    assert isinstance(one.names["thing"], two.names["Thing"])


def test_a_class_is_private_with_its_objects() -> None:
    assert found(OBJECT, "thing.all()")["Thing"].own == ("Thing", "thing")
    one, two = threads(OBJECT, "thing.all()", "Thing")
    mine, yours = one(), two()
    assert mine[1] is not yours[1]
    assert mine[2] is yours[2]


def test_what_methods_look_up_is_private_with_their_class() -> None:
    one, two = threads(OBJECT, "thing.all()", "cache")
    assert one()[2] is not two()[2]


def test_a_global_that_is_assigned_to_is_each_thread_s_own() -> None:
    setup = "n = 1000\ndef add():\n    global n\n    n += 1\n    return n"
    assert {name: each.own for name, each in found(setup, "add()").items()} == {
        "n": ("add", "n"),
        "add": ("add", "n"),  # so nobody can tell them apart
    }
    one, two = threads(setup, "add()", "n")
    assert [one(), one(), two()] == [1001, 1002, 1001]


def test_what_the_statement_assigns_to_is_private_on_every_rung() -> None:
    setup = "total = 0\ndata = []"
    assert found(setup, "total += len(data)")["data"].own == ("data", "total")


def test_wrapped_functions_are_looked_into() -> None:
    setup = "from functools import lru_cache\ncache = {}\n@lru_cache\ndef look(n):\n    return cache"
    assert set(found(setup, "look(1)")) == {"look", "cache"}
    one, two = threads(setup, "look(1)", "cache")
    assert one() is not two()


def test_the_global_generator_of_random_is_a_suspect() -> None:
    setup, statement = "import random\ndef draw():\n    return random.random()", "draw()"
    assert found(setup, statement)["random.random"].kind == "method of a random.Random"
    one, two = threads(setup, statement, "random.random")
    assert one.names["random"] is not sys.modules["random"]
    assert one.names["random"].random.__self__ is not two.names["random"].random.__self__
    assert 0 <= one() < 1


def test_a_method_that_was_imported_is_one_of_a_copy() -> None:
    one, two = threads("from random import random", "random()", "random")
    assert one.names["random"].__self__ is not two.names["random"].__self__


@pytest.fixture
def stateful(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module with a table, at which a function of it looks."""
    made = ModuleType("stateful")
    exec("TABLE = [1, 2]\ndef look():\n    return inner()\ndef inner():\n    return TABLE", vars(made))
    monkeypatch.setitem(sys.modules, "stateful", made)
    return made


@pytest.fixture
def package(stateful: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that has this one within another of its own."""
    made, inner = ModuleType("package"), ModuleType("package.inner")
    inner.deep = stateful  # type: ignore[attr-defined]
    inner.rest = []  # type: ignore[attr-defined]
    made.inner = inner  # type: ignore[attr-defined]
    for each in (made, inner):
        monkeypatch.setitem(sys.modules, each.__name__, each)
    return made


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("setup", "statement"),
    [
        ("import package", "package.inner.deep.TABLE"),
        ("import package.inner as p", "p.deep.look()"),
        ("import package\ndef f():\n    return package.inner.deep.look()", "f()"),
        ("import stateful", "stateful.TABLE"),
        ("import stateful as other", "other.look()"),
        ("from stateful import look", "look()"),
        ("import stateful\ndef f():\n    return stateful.look()", "f()"),
    ],
)
def test_what_an_imported_module_keeps_is_copied(setup: str, statement: str) -> None:
    assert "stateful.TABLE" in found(setup, statement)
    one, two = threads(setup, statement, "stateful.TABLE")
    assert one() == two() == [1, 2]
    assert one() is not two()
    assert sys.modules["stateful"].TABLE is not one()


def test_all_else_of_a_module_stays_shared_where_a_part_of_one_within_is_private(package: ModuleType) -> None:
    setup, statement = "import package", "package.inner.deep.TABLE, package.inner.rest, package.inner"
    one, two = (each() for each in threads(setup, statement, "stateful.TABLE"))
    assert one[0] is not two[0]
    assert one[1] is two[1] is package.inner.rest
    assert package.inner.deep is sys.modules["stateful"]
    assert {"stateful.TABLE", "package.inner.rest"} == set(found(setup, statement))


def test_numpy_s_global_generator_is_a_suspect() -> None:
    setup, statement = "import numpy as np", "np.random.random"
    assert "numpy.random.random" in found(setup, statement)
    one, two = threads(setup, statement, "numpy.random.random")
    assert one().__self__ is not two().__self__
    assert 0 <= one()() < 1


def test_the_modules_at_which_a_statement_looks_are_told() -> None:
    setup = "import zlib, os\nfrom math import sqrt\ndata = b'x'"
    every = suspects(StatementCall(setup, "zlib.crc32(data), sqrt(4), os.path.join('a', 'b')"))
    assert {"zlib", "math", "posixpath"} <= set(every.modules)
    assert suspects(StatementCall("n = [1]", "n")).modules == []


def test_what_cannot_be_copied_is_told() -> None:
    setup = "import re\nword = re.compile('w+')"
    told = suspects(StatementCall(setup, "word.match")).untried
    assert told == {"word": "it cannot be copied: `re` keeps one for all: its copy is itself"}
    with pytest.raises(StatementError, match="for itself: TypeError: cannot pickle"):
        StatementCall("from sys import stderr", "stderr", shared=True, private=("stderr",)).prepare()


def test_modules_and_what_nobody_counts_are_no_suspects() -> None:
    assert found("import math\nn = 5", "math.sqrt(n)") == {}


KEEPS_A_LOCK = [
    "def f(lock=threading.Lock()): pass",
    "def f(*, lock=threading.Lock()): pass",
    "def f(*, locks=(1, threading.Lock())): pass",
    "def f(): pass\nf.lock = threading.Lock()",
    "def make(lock):\n    def f(): return lock\n    return f\nf = make(threading.Lock())",
    "def g(lock=threading.Lock()): pass\ndef f(call=g): pass",
    "class f: lock = threading.Lock()",
    "class f:\n    def go(self, lock=threading.Lock()): pass",
    "class f:\n    @classmethod\n    def go(cls, lock=threading.Lock()): pass",
    "class f:\n    @property\n    def go(self, lock=threading.Lock()): pass",
]
KEEPS_NONE = [
    "def f(a=1, *, b='x', c=(1, 'y')): pass",
    "def f(): pass\nf.about = 'x'",
    "def make(n):\n    def f(): return n\n    return f\nf = make(5)",
    "class f:\n    n = 1\n    __slots__ = ('a',)\n    def go(self): return self.n",
    "class f:\n    @staticmethod\n    def go(): pass\n    @property\n    def all(self): pass",
    "f = (1, 'x', frozenset({2}))",
    "def f(call=None): pass\nf.again = f",
]


@pytest.mark.parametrize(("setups", "suspected"), [(KEEPS_A_LOCK, True), (KEEPS_NONE, False)])
def test_with_a_gil_a_function_or_class_is_harmless_if_all_that_it_keeps_is(
    setups: list[str], suspected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "gil_enabled", lambda: True)
    for setup in setups:
        assert ("f" in found("import threading\n" + setup, "f")) is suspected, setup


@pytest.mark.parametrize(
    "setup", ["def f(table=[1]): pass", "class f: pass", "def f(): pass\nf.n = 1", "def f(*, a={}): pass"]
)
def test_without_a_gil_what_a_function_or_class_keeps_or_counts_is_fought_for(
    setup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions and classes themselves are not counted there."""
    monkeypatch.setattr(module, "immortal", lambda value: not isinstance(value, list | dict))
    assert "f" in found(setup, "f")
    assert found("def f(n=1): pass", "f") == {}


@pytest.mark.skipif(gil_enabled(), reason="this interpreter has a GIL")
def test_without_a_gil_functions_and_constants_are_not_counted_and_data_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    setup = "cache = {}\nn = 1\ntext = 'x'\ndef f(): return cache, n, text"
    assert set(found(setup, "f()")) == {"cache"}
    assert set(found("cache = {}\ndef f(table=[1]): return table, cache", "f()")) == {"f", "cache"}


def test_what_is_private_along_with_a_suspect_is_known_though_it_is_harmless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "gil_enabled", lambda: True)
    every = suspects(StatementCall(LOOKED_UP, "helper()"))
    assert [each.name for each in every.found] == ["cache", "other"]
    assert [(each.name, each.own) for each in every.beside] == [
        ("helper", ("helper",)),
        ("look", ("helper", "look")),
    ]


def test_with_a_gil_only_what_may_have_a_lock_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "gil_enabled", lambda: True)
    setup = "import threading\nlock = threading.Lock()\ntext = 'x'\ndef f():\n    with lock: return text"
    assert {name: each.kind for name, each in found(setup, "f()").items()} == {"lock": "_thread.lock"}


@pytest.mark.parametrize(
    ("setup", "statement", "names"),
    [
        ("a = 1\nfor b in []: pass\nimport c.d as e, f.g", "a, b, e, f", {"a", "b", "e", "f"}),
        ("def f(): pass\nclass C: pass", "[f(C) for _ in x]", {"f", "C"}),
        ("x = 1", "sum(range(3))", set()),
        ("from m import *", "anything(1)", {"anything"}),
    ],
)
def test_names_that_are_shared_are_told_without_running_anything(
    setup: str, statement: str, names: set[str]
) -> None:
    assert names_shared(setup, statement) == names


def test_types_are_said_as_people_know_them() -> None:
    kinds: dict[str, Any] = {each.name: each.kind for each in found(KINDS, "last, get, f, C, c").values()}
    assert kinds == {
        "last": "collections.deque",
        "get": "method of a dict",
        "f": "function",
        "C": "class",
        "c": "C",
    }


KINDS = """
from collections import deque
last = deque()
get = {}.get
def f(): pass
class C: pass
c = C()
"""


ADDS_ONE = "log.addHandler(logging.StreamHandler())"


@pytest.fixture
def made_up(request: pytest.FixtureRequest) -> str:
    """The name of a logger that nobody else has."""
    return f"made up for {request.node.name}"


def logs(name: str) -> str:
    return f"import logging\nlog = logging.getLogger({name!r})\nlog.propagate = False\n"


@pytest.mark.parametrize("added", [ADDS_ONE, f"if not log.handlers:\n    {ADDS_ONE}"])
def test_a_logger_is_private_with_its_handlers_and_their_locks(added: str, made_up: str) -> None:
    setup, statement = logs(made_up) + added, "log.warning('x')"
    assert {name: each.kind for name, each in found(setup, statement).items()} == {"log": "logging.Logger"}
    own = [each.names["log"] for each in threads(setup, statement, "log")]
    handlers = [handler for log in [*own, logging.getLogger(made_up)] for handler in log.handlers]
    assert len({id(each) for each in handlers}) == len(handlers) == 3
    assert len({id(each.lock) for each in handlers}) == 3
    assert len({id(each.stream) for each in handlers}) == 1  # where they write to is one
    assert not any(log.propagate for log in own)


def test_setup_that_runs_again_adds_no_handler_again(made_up: str) -> None:
    call = StatementCall(logs(made_up) + ADDS_ONE, "log.warning('x')")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: call.prepare(), range(8)))
    assert len(logging.getLogger(made_up).handlers) == 1


CONSTANTS = {
    "number": 1.5,
    "large": 10**9,
    "both": 1.5 + 2j,
    "text": "".join(["made", "up"]),
    "data": bytes([1, 2]),
    "pair": (1.5, "x"),
    "numbers": frozenset({3.5}),
    "steps": range(1000, 3000),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_without_a_gil_a_constant_of_a_module_is_another_object_for_each_thread(
    name: str, stateful: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "immortal", lambda value: value is None)
    setattr(stateful, name, CONSTANTS[name])
    for setup, statement, known in (
        ("import stateful", f"stateful.{name}", f"stateful.{name}"),
        (f"from stateful import {name}", name, name),
    ):
        one, two = (each() for each in threads(setup, statement, known))
        assert one == two == CONSTANTS[name]
        assert len({id(one), id(two), id(CONSTANTS[name])}) == 3
    monkeypatch.setattr(module, "gil_enabled", lambda: True)
    every = suspects(StatementCall("import stateful", f"stateful.{name}"))
    assert (every.found, every.untried) == ([], {})  # nothing of it has a lock


class Locked:
    """A cache as many modules have one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.condition = threading.Condition(self.lock)
        self.rows = [[1]]
        self.again = self.rows
        self.file = sys.stderr
        self.itself = self


def test_an_object_is_copied_with_locks_of_its_own() -> None:
    value = Locked()
    found = copied(value)
    with value.lock:
        assert run_apart(lambda: free(found.lock))
    assert found.rows == [[1]]
    assert found.rows is found.again is not value.rows
    assert found.rows[0] is not value.rows[0]
    assert found.itself is found
    assert found.file is sys.stderr
    with found.condition:
        assert not run_apart(lambda: free(found.lock))


def free(lock: Any) -> bool:
    if taken := lock.acquire(blocking=False):
        lock.release()
    return taken


def run_apart(call: Callable[[], Any]) -> Any:
    """Return what a call returns in another thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


@pytest.mark.parametrize("value", [sys.stderr, threading.local(), Enum("E", "A").A, tempfile.TemporaryFile])  # type: ignore[attr-defined]
def test_what_another_one_would_break_is_not_copied(value: Any) -> None:
    with pytest.raises(TypeError):
        copied(value)


ADDS = """
import time, sys
if not hasattr(sys, "made_up_handlers"):
    sys.made_up_handlers = []
sys.made_up_handlers.append(0.002)
def call():
    for seconds in sys.made_up_handlers:
        time.sleep(seconds)
"""


def test_a_setup_that_adds_to_what_all_share_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time that it runs, a call sleeps once more."""
    monkeypatch.setattr(sys, "made_up_handlers", [], raising=False)
    assert slower_again(StatementCall(ADDS, "call()"), 2) > CHANGES
    assert sys.made_up_handlers == [0.002] * 3  # type: ignore[attr-defined]
    own = StatementCall("import time\nhandlers = [0.002]", "time.sleep(sum(handlers))")
    assert slower_again(own, 2) < CHANGES


@pytest.mark.parametrize(
    ("once", "twice", "told"),
    [
        (1.2, 1.4, 1.2),  # it grows
        (1.2, 1.2, 1.0),  # the machine became slower
        (1.05, 1.1, 1.05),  # too little to tell
        (3.0, 3.0, 3.0),  # so much slower is no machine
    ],
)
def test_what_grows_grows_on_where_setup_runs_again(
    once: float, twice: float, told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    monkeypatch.setattr(sys, "made_up_runs", ran, raising=False)
    monkeypatch.setattr(suspects_module, "_quickest", lambda _: {1: 1.0, 3: once, 5: twice}[len(ran)])
    call = StatementCall("import sys; sys.made_up_runs.append(1)", "pass")
    assert slower_again(call, 2) == pytest.approx(told)
