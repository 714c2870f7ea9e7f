"""Comparisons of real kernels and functions, from Python: what is there, not how fast it was."""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path

import pytest

import gilkit
from gilkit import machine
from gilkit.engine.calibration import Pace
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Progress, Runner
from gilkit.engine.worker import Order
from gilkit.errors import CaseFailedError, NothingMeasuredError, UnsavedError
from gilkit.gil import monitor
from gilkit.gil.held import HeldCall
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.loading import load
from gilkit.results.windows import Stint, Window
from gilkit.studies.compare.budget import QUICK_PACE
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.course import Course
from gilkit.studies.compare.plan import Batch, kernel_subject
from gilkit.workloads.workload import KernelCall, PlainCall, Workload

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    path = tmp_path_factory.mktemp("compared") / "r.json"
    steps: list[Progress] = []
    comparison = gilkit.compare(
        ["lcg", "objects"],
        workers=[1, 2],
        size=2000,
        rounds=2,
        seed=7,
        output=path,
        progress=steps.append,
    )
    assert load(path).kernels == ["lcg", "objects"]
    assert steps[-1].total > 0
    assert any("round 2 of 2" in step.label for step in steps)
    return comparison


def test_every_case_has_every_round(compared: Comparison) -> None:
    found = compared.results
    assert {len(found.every(case)) for case in found} == {2}
    assert {len(found.windows(case)) for case in found} == {2}
    assert compared.failures == {}
    names = {case.name for case in found}
    assert {"lcg/python/threads/2", "lcg/nogil/processes/2", "objects/gil/threads/1"} <= names
    assert not {name for name in names if name.startswith("objects/nogil")}


def test_facts_of_the_run_are_kept(compared: Comparison) -> None:
    run = compared.results.facts
    assert run["gilkit_seed"] == 7
    assert run["gilkit_version"] == gilkit.__version__
    assert run["gilkit_interpreter"] == machine.interpreter()
    case = Case("lcg", "nogil", "threads", 2)
    assert compared.results.fact(case, facts.SIZE) == 2000
    assert compared.results.fact(case, facts.UNIT) == "iterations"
    assert compared.results.fact(case, facts.WORKERS) == 2
    assert compared.results.fact(case, facts.LOAD) >= 0
    if machine.usable_cpus() > 1 and not monitor.why_missing():
        for watched, least in ((case, 0.0), (Case("objects", "gil", "threads", 1), 0.5)):
            held = compared.results.fact(watched, facts.HELD)
            if held is None:  # others kept the monitor from running, and that is said
                assert "the monitor" in compared.results.fact(watched, facts.HELD_NOTE)
            else:
                assert least <= held <= 1


def test_speedups(compared: Comparison) -> None:
    found = compared.speedup("nogil", "threads", 2, kernel="lcg")
    assert not found.decided  # of two rounds
    assert found.least <= found <= found.most
    assert found > 0
    assert compared.speedup("gil", "threads", 1, kernel="lcg") == 1.0
    for arguments, message in (
        (("nogil", "threads", 9, "lcg"), "lcg/nogil/threads/9 was not measured; measured were lcg/"),
        (("nogil", "threads", 2, "sleep"), "kernel must be one of lcg, objects, not 'sleep'"),
        (("nogil", "threads", 2), "several kernels were compared: name one of lcg, objects"),
    ):
        with pytest.raises(ValueError, match=message):
            compared.speedup(*arguments)
    with pytest.raises(ValueError, match="several kernels"):
        _ = compared.verdict
    assert set(compared.verdicts) == {"lcg", "objects"}


def test_the_repr_is_the_table(compared: Comparison) -> None:
    lines = repr(compared).splitlines()
    assert lines[0].startswith(machine.interpreter())
    assert "GIL" in lines[0]
    assert any(line.startswith("lcg ") and "–" in line for line in lines)  # a range
    assert any(line.startswith("objects") and "–" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in repr(compared)


def test_it_is_saved_and_shown_again(compared: Comparison, tmp_path: Path) -> None:
    compared.save(tmp_path / "again.json")
    assert repr(gilkit.load(tmp_path / "again.json")) == repr(compared)


def test_one_kernel_has_one_verdict() -> None:
    found = gilkit.compare("sleep", size=2000, rounds=1, workers=[2], executors=["threads"])
    assert str(found.verdict).startswith(found.verdict.cause.value)
    assert math.isnan(found.speedup("nogil", "threads", 2).low)
    assert not [case for case in found.results if case.executor == "processes" and case.variant != "ceiling"]


def compare_function(function: object, *args: object, rounds: int = 1) -> Comparison:
    return gilkit.compare(function, *args, rounds=rounds, workers=[2])


def test_a_function_of_ones_own() -> None:
    found = compare_function(math.factorial, 300)
    assert found.results.kernels == ["factorial"]
    assert found.speedup("function", "threads", 2) > 0
    assert found.speedup("function", "processes", 2) > 0
    assert "factorial" in repr(found)
    assert found.verdict is not None
    assert found.failures == {}


def test_a_function_that_no_process_can_import_still_runs_on_threads() -> None:
    found = compare_function(lambda n: sum(range(n)), 2000)
    assert found.speedup("function", "threads", 2) > 0
    with pytest.raises(ValueError, match="cannot be sent to a process"):
        found.speedup("function", "processes", 2)
    assert "failed" in repr(found)


def test_a_function_that_raises_is_an_error_that_says_so() -> None:
    with pytest.raises(NothingMeasuredError, match="nothing was measured: ZeroDivisionError"):
        compare_function(divmod, 1, 0)


def test_large_arguments_are_not_sent_with_every_round() -> None:
    found = compare_function(len, bytes(5_000_000), rounds=2)
    assert found.failures == {}
    assert found.speedup("function", "processes", 2) > 0


def test_when_everything_fails_the_reasons_are_kept() -> None:
    with pytest.raises(NothingMeasuredError, match="nothing was measured: no answer within") as caught:
        gilkit.compare("lcg", workers=2, rounds=1, timeout=0.001)
    assert all("no answer" in reason for reason in caught.value.failures.values())


def test_what_cannot_be_saved_is_not_lost() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device here is always full")
    with pytest.raises(UnsavedError, match="No space left") as caught:
        gilkit.compare("sleep", size=1000, workers=2, rounds=1, output="/dev/full")
    assert caught.value.outcome.results.kernels == ["sleep"]


def test_kernels_without_the_variant_are_left_out() -> None:
    found = gilkit.compare(["objects", "lcg"], variants=["nogil"], size=2000, workers=2, rounds=1)
    assert found.results.kernels == ["lcg"]
    assert "lcg" in repr(found)


def test_partial_functions_have_a_name() -> None:
    found = gilkit.compare(partial(time.sleep, 0.002), rounds=1, workers=[2], executors=["threads"])
    assert found.results.kernels == ["sleep"]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("nope",), {}, ValueError, "unknown kernel 'nope'"),
        ((["lcg", "nope"],), {}, ValueError, "unknown kernel 'nope'"),
        (([],), {}, ValueError, "at least one kernel"),
        (
            ("lcg",),
            {"variants": ["fast"]},
            ValueError,
            "unknown variant 'fast': known are python, gil, nogil",
        ),
        (("lcg",), {"executors": ["gpu"]}, ValueError, "unknown executor 'gpu'"),
        (("lcg",), {"workers": [0]}, ValueError, "workers must be at least 1, not 0"),
        (("lcg",), {"workers": []}, ValueError, "workers must name at least one"),
        (("lcg",), {"workers": [1.5]}, TypeError, "workers must be an integer"),
        (("lcg",), {"rounds": 0}, ValueError, "rounds must be at least 1"),
        (("lcg",), {"size": -5}, ValueError, "size must be at least 1"),
        (("lcg",), {"timeout": 0}, ValueError, "timeout must be more than 0"),
        (("lcg",), {"timeout": math.inf}, ValueError, "timeout must be more than 0 and at most"),
        (("lcg",), {"timeout": None}, ValueError, "timeout must be more than 0"),
        (("lcg",), {"workers": [5000]}, ValueError, "workers must be at most 1024"),
        (("lcg",), {"workers": 1.5}, TypeError, "workers must be integers"),
        ((5,), {}, TypeError, "target must be kernels or a function, not int"),
        (("lcg",), {"variants": 5}, TypeError, "variants must be names, not int"),
        (("crc32",), {"input": 5}, TypeError, "input must be a path, not int"),
        (("crc32",), {"input": __file__, "output": __file__}, ValueError, "output must not be the input"),
        (("objects",), {"variants": ["nogil"]}, ValueError, "nothing to measure"),
        (("lcg",), {"variants": ["nogil"], "executors": ["openmp"]}, ValueError, "nothing to measure"),
        (("mandelbrot",), {"size": 40_000}, ValueError, "mandelbrot: size 40000 is too large: at most 32767"),
        (("sleep",), {"size": 10**13}, ValueError, "sleep: size .* is too large"),
        (("lcg",), {"input": "x.txt"}, ValueError, "lcg takes no input file"),
        (("crc32",), {"input": "/nowhere"}, OSError, "nowhere"),
        (("lcg", 5), {}, TypeError, "arguments are for a function"),
        ((abs, -1), {"size": 3}, TypeError, "are for kernels, not for a function"),
        (("lcg",), {"output": "/nowhere/r.json"}, ValueError, "cannot write to"),
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(
    arguments: tuple[object, ...], options: dict[str, object], error: type[Exception], message: str
) -> None:
    def refuse(_: Progress) -> None:
        raise AssertionError("something ran")

    with pytest.raises(error, match=message) as caught:
        gilkit.compare(*arguments, **options, progress=refuse)
    assert "\n" not in str(caught.value)


class Listener(Lab):
    """A lab that only writes down what it is asked for."""

    def __init__(self) -> None:
        super().__init__(2)
        self.asked: list[tuple[str, str, int]] = []

    def pace(self, *_: object) -> Pace:
        return Pace(1e-3, 1.0)

    def window(self, executor: str, workload: Workload, workers: int, order: Order) -> Window:
        assert isinstance(workload, KernelCall | PlainCall)
        variant = workload.variant if isinstance(workload, KernelCall) else "python"
        self.asked.append((executor, variant, workers))
        return Window(order.seconds, workers, (Stint(10.0, 1.0, 1.0),) * workers)

    def watch(self, workload: Workload, seconds: float) -> HeldCall:  # noqa: ARG002 (as in Lab)
        raise CaseFailedError("nothing is watched here")


def test_the_order_of_cases_follows_the_seed() -> None:
    def order(seed: int) -> list[tuple[str, str, int]]:
        subject = kernel_subject(KERNELS["lcg"], VARIANTS, list(EXECUTORS), [1, 2], 2, 10, None)
        listener = Listener()
        Course([Batch([subject])], QUICK_PACE, 3, 2, Runner(seed)).measure(listener)
        return listener.asked

    first, other = order(7), order(8)
    assert first == order(7)
    assert first != other
    assert sorted(first) == sorted(other)
