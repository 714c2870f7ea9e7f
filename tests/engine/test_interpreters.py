"""Workers that are interpreters: what runs there and what cannot, where they are, and what they know."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from inspect import getsource
from math import isnan
from pathlib import Path

import pytest

import gilkit as package
from gilkit._ext import _start
from gilkit.engine import plain_start
from gilkit.engine.executors import EXECUTORS, chosen_executors
from gilkit.engine.interpreters import missing
from gilkit.engine.pools import Lab
from gilkit.engine.worker import Order
from gilkit.errors import CaseFailedError, one_line, only_in_the_first
from gilkit.kernels import KERNELS, _plain
from gilkit.machine import gil_enabled
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.workload import PlainCall

SWIFT = Order(warm=0.005, seconds=0.02, beyond=0.001, batch=10, call=1e-6)
IN_ONE = "import _interpreters as i, sys; assert i.get_current()[0]"  # a setup that fails in the first
HERE = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(2, timeout=30) as started:
        yield started


def test_before_there_were_any_one_line_says_so() -> None:
    assert (missing() is None) == (sys.version_info >= (3, 14))
    if missing() is not None:
        with pytest.raises(
            ValueError, match=r"executor interpreters is not available here: .* Python 3\.14$"
        ):
            chosen_executors(["interpreters"], list(EXECUTORS))


@HERE
@pytest.mark.usefixtures("hasty")
def test_a_statement_for_interpreters_alone_runs_nowhere_else(tmp_path: Path) -> None:
    log = tmp_path / "log"
    setup = f"import _interpreters as i; open({str(log)!r}, 'a').write(f'{{i.get_current()[0]}}\\n')"
    found = package.timeit("sum(range(99))", setup, executors="interpreters", workers=2, rounds=1)
    assert not found.results.failures
    assert set(log.read_text().split()) == {"1", "2"}


@HERE
@pytest.mark.parametrize("name", [name for name, kernel in KERNELS.items() if kernel.plain])
def test_kernels_of_plain_python_run_there(name: str, lab: Lab) -> None:
    kernel = KERNELS[name]
    assert kernel.plain is not None
    workload = PlainCall(getsource(_plain), kernel.plain.__name__, kernel.make(100, None))
    assert lab.window("interpreters", workload, 2, SWIFT).value > 0


@pytest.mark.parametrize("name", [name for name, kernel in KERNELS.items() if kernel.plain])
def test_what_they_compute_there_is_what_the_reference_does(name: str) -> None:
    kernel = KERNELS[name]
    assert kernel.plain is not None
    arguments = kernel.make(kernel.python_size // 100, None)
    call = PlainCall(getsource(_plain), kernel.plain.__name__, arguments).prepare()
    assert call() == kernel.python(*arguments)


@HERE
@pytest.mark.parametrize(
    ("setup", "package"),
    [("import numpy", "numpy"), ("from numpy import sort", "numpy"), ("import gilkit.kernels", "gilkit")],
)
def test_what_only_the_first_interpreter_can_import_is_said_in_one_line(
    setup: str, package: str, lab: Lab
) -> None:
    said = f"^{package} cannot be imported in an interpreter of its own$"
    with pytest.raises(CaseFailedError, match=said):
        lab.pace("interpreters", StatementCall(setup, "pass"))
    assert lab.pace("interpreters", StatementCall("pass", "pass")).call > 0  # and the rest goes on


def test_the_reason_is_found_below_what_packages_say_of_it() -> None:
    error = ImportError("IMPORTANT:\n\n  read this page of advice")
    error.__cause__ = ImportError("module odd._core.c_part does not support loading in subinterpreters")
    assert only_in_the_first(error) == "odd"
    assert one_line(error) == "odd cannot be imported in an interpreter of its own"
    assert only_in_the_first(ImportError("No module named 'odd'")) == ""
    assert one_line(ImportError("No module named 'odd'")) == "ImportError: No module named 'odd'"


def test_errors_may_be_causes_of_one_another() -> None:
    for first, last in ((one := ValueError("one"), one), (ValueError("one"), ValueError("other"))):
        first.__cause__, last.__cause__ = last, first
        assert one_line(first) == "ValueError: one"


@HERE
def test_each_worker_has_an_interpreter_and_a_gil_of_its_own(lab: Lab) -> None:
    statement = (
        f"{IN_ONE}; assert i.get_config(i.get_current()[0]).gil == 'own'; assert 'numpy' not in sys.modules"
    )
    assert lab.window("interpreters", StatementCall(statement, "pass"), 2, SWIFT).workers == 2


@HERE
def test_whether_there_is_a_gil_is_asked_in_an_interpreter(lab: Lab) -> None:
    in_one = StatementCall(IN_ONE, "pass")
    assert lab.gil("interpreters", in_one).on is gil_enabled()
    with pytest.raises(CaseFailedError):
        lab.gil("threads", in_one)


@HERE
def test_they_measure_without_the_garbage_collector(lab: Lab) -> None:
    collecting = "import gc; assert not gc.isenabled()"
    assert lab.pace("interpreters", StatementCall(collecting, "pass")).call > 0


@HERE
def test_they_are_where_no_thread_is_measured(lab: Lab) -> None:
    with pytest.raises(CaseFailedError) as here:
        lab.pace("interpreters", StatementCall("import os", "raise ValueError(os.getpid())"))
    with pytest.raises(CaseFailedError) as there:
        lab.pace("threads", StatementCall("import os", "raise ValueError(os.getpid())"))
    assert str(here.value) != str(there.value)
    assert len(lab.memory("interpreters")) == 1


@HERE
def test_a_crash_is_told_of_the_process_that_they_are_in() -> None:
    with Lab(2, timeout=30) as lab, pytest.raises(CaseFailedError) as caught:
        lab.pace("interpreters", StatementCall("import os", "os.abort()"))
    assert str(caught.value) == "the process of the interpreters was killed by SIGABRT"


@HERE
def test_they_find_modules_where_this_process_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_here.py").write_text("def call():\n    return 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with Lab(2, timeout=30) as lab:
        assert lab.pace("interpreters", StatementCall("from only_here import call", "call()")).call > 0


OF_A_SCRIPT = """
import gilkit

def work():
    return sum(range(1000))

if __name__ == "__main__":
    found = gilkit.compare(work, workers=2, rounds=1)
    print(sorted({case.executor for case in found._results if case.variant == "function"}), found.failures)
"""


@HERE
def test_functions_of_a_script_run_there_or_say_why_not(tmp_path: Path) -> None:
    for first, there in (("", True), ("import numpy\n", False)):
        script = tmp_path / "script.py"
        script.write_text(first + OF_A_SCRIPT)
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert ("'interpreters'" in done.stdout) == there, done.stdout
        assert done.stdout.rstrip().endswith(
            "{}"
        )  # nobody asked for them: what cannot run there has not failed


def test_in_plain_python_a_thread_uses_what_it_uses_in_c() -> None:
    before, other = plain_start.usage(), _start.usage()
    start = time.thread_time()
    plain_start.spin(0.05)
    spun = time.thread_time() - start
    after, last = plain_start.usage(), _start.usage()
    for place, (one, two) in enumerate(zip(after, last, strict=True)):
        assert isnan(one) == isnan(two), place
    if not isnan(after[0]):
        assert after[0] - before[0] >= spun
        assert last[0] - other[0] >= after[0] - before[0] - 0.01
        assert [after[1] <= last[1], after[2] <= last[2]] == [True, True]  # they only grow
