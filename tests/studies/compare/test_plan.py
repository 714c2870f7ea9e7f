"""What is measured, and for how long: pure logic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.studies.compare import budget, plan
from gilkit.studies.compare.budget import Budget, targets
from gilkit.studies.compare.plan import Subject, kernel_subject
from gilkit.workloads import target
from gilkit.workloads.target import own_statement
from gilkit.workloads.workload import KernelCall

EVERYTHING = list(EXECUTORS)


def subject(name: str, workers: tuple[int, ...] = (1, 2), **changes: object) -> Subject:
    options: dict[str, object] = {"variants": VARIANTS, "executors": EVERYTHING, "size": None, "path": None}
    options.update(changes)
    return kernel_subject(KERNELS[name], workers=workers, shown=max(workers), **options)  # type: ignore[arg-type]


def test_the_default_cases() -> None:
    names = {case.name for case in subject("lcg").cases}
    for variant in ("python", "gil", "nogil"):
        assert {f"lcg/{variant}/threads/{w}" for w in (1, 2)} <= names
    assert {f"lcg/nogil/processes/{w}" for w in (1, 2)} <= names
    assert "lcg/gil/processes/2" not in names  # it has a GIL of its own there, and does as well
    assert "lcg/unpinned/threads/2" in names
    if not EXECUTORS["openmp"].missing():
        assert {"lcg/native/openmp/1", "lcg/native/openmp/2", "lcg/ceiling/openmp/2"} <= names
    assert len(names) == len(subject("lcg").cases)


def test_a_kernel_without_a_variant_has_no_case_of_it() -> None:
    assert not [c for c in subject("objects").cases if c.variant in ("nogil", "native")]


def test_what_is_chosen_keeps_its_baseline_and_the_ceiling() -> None:
    names = {case.name for case in subject("lcg", (4,), variants=["nogil"], executors=["threads"]).cases}
    ceiling = {name for name in names if "/ceiling/" in name}
    assert names - ceiling == {
        f"lcg/{what}" for what in ("nogil/threads/4", "nogil/threads/1", "unpinned/threads/4")
    }
    assert len(ceiling) == 2


def test_every_case_has_its_baseline_and_workload() -> None:
    for name in KERNELS:
        planned = subject(name)
        relative = [case for case in planned.cases if case.variant != "unpinned"]
        assert {case.baseline for case in relative} <= set(planned.cases)
        assert {case.variant for case in planned.cases} <= set(planned.workloads)


def test_sizes() -> None:
    usual = subject("lcg").workloads
    assert usual["nogil"] == KernelCall("lcg", "nogil", KERNELS["lcg"].size)
    assert usual["python"] == KernelCall("lcg", "python", KERNELS["lcg"].python_size)
    chosen = subject("lcg", size=77).workloads
    assert {w.size for v, w in chosen.items() if v != "ceiling" and isinstance(w, KernelCall)} == {77}


def test_a_file_is_used_whole_and_python_gets_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(100_000))
    found = subject("crc32", path=str(path)).workloads
    assert found["nogil"] == KernelCall("crc32", "nogil", 100_000, str(path))
    assert found["python"] == KernelCall("crc32", "python", KERNELS["crc32"].python_size, str(path))
    assert subject("crc32", path=str(path), size=10).workloads["gil"] == KernelCall(
        "crc32", "gil", 10, str(path)
    )


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    empty, text, flat, words = (tmp_path / name for name in ("empty", "t.npy", "f.npy", "w.npy"))
    empty.write_bytes(b"")
    text.write_text("no array")
    np.save(flat, np.ones(5))
    np.save(words, np.array([["a"]]))
    for kernel, path, message in (
        ("crc32", empty, "is empty"),
        ("pairwise", text, r"is not a \.npy array"),
        ("pairwise", flat, "2-d array of real numbers"),
        ("transform", words, "2-d array of real numbers"),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            subject(kernel, path=str(path))
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        subject("crc32", path=str(tmp_path / "missing"))


def test_sizes_that_cannot_fit_are_refused_before_anything_runs() -> None:
    for name in ("triad", "pairwise", "crc32", "mandelbrot"):
        with pytest.raises(ValueError, match=f"{name}: .* GB|{name}: .* too large"):
            subject(name, size=10**12)


def test_one_worker_alone_is_measured_on_every_executor() -> None:
    for case in subject("lcg", (1, 2, 4)).cases:
        if case.variant != "unpinned":
            assert case.baseline.executor == case.executor


def test_rounds_follow_from_what_a_round_costs() -> None:
    budget = Budget(budget=8.0, window=0.05, first=8, looks=(), patience=30.0)
    assert budget.rounds(0.5) == (8, 6)
    assert budget.rounds(3.0) == (6, 6)  # of long calls fewer, for longer
    assert budget.rounds(10.0) == (3, 3)  # not steady, and said so
    assert budget.rounds(1e9) == (1, 1)


def test_what_verdicts_are_about_comes_before_what_is_beside() -> None:
    budget = Budget(budget=30.0, window=0.05, first=8, looks=(), patience=36.0)
    assert budget.rounds(1.0, 1.0) == (8, 6)
    assert budget.rounds(3.0, 3.0) == (6, 6)
    assert budget.rounds(3.0, 4.0) == (6, 3)
    assert budget.rounds(3.0, 20.0) == (6, 0)
    assert budget.rounds(12.0, 1.0) == (2, 2)
    for cost in (0.1, 1.0, 3.0, 5.0, 7.0, 40.0):
        for beside in (0.0, 0.1, 1.0, 10.0, 100.0):
            wanted, few = budget.rounds(cost, beside)
            assert few <= wanted
            assert wanted * cost + few * beside <= 36.0 or wanted == 1


@pytest.mark.parametrize("rounds", [1, 2, 3, 6, 8, 40])
def test_rounds_are_spread_over_three_sets_of_processes(rounds: int) -> None:
    goals = targets(rounds)
    assert goals[-1] == rounds
    assert len(goals) == min(3, rounds)
    steps = [goal - before for before, goal in zip([0, *goals], goals, strict=False)]
    assert max(steps) - min(steps) <= 1


def test_budgets_fit_their_promise() -> None:
    # Ten seconds, half a minute and two, with what starting and calibrating take beside.
    assert budget.OWN_PACE.budget <= 8
    assert budget.QUICK_PACE.budget <= 20
    assert budget.USUAL_PACE.budget <= 110


def test_processes_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(workers: list[int]) -> Subject:
        return plan.own_subject(own_statement("x", "pass"), executors, workers, workers[-1])

    executors = ["threads", "processes"]
    monkeypatch.setattr(target, "FOOTPRINT", 1e15)
    with pytest.raises(ValueError, match=r"2 processes need about 2,000,000.0 GB, and .*fewer"):
        planned([1, 2])
    executors += ["loky"]  # which is there beside them
    with pytest.raises(ValueError, match=r"4 processes need about 4,000,000.0 GB, and .*fewer"):
        planned([1, 2])
    monkeypatch.setattr(target, "FOOTPRINT", 1.0)
    assert planned([1, 2]).cases
