"""What is measured, and for how long: pure logic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gilkit.engine.executors import CALL_EXECUTORS, EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.results.case import Case
from gilkit.studies.compare import plan
from gilkit.studies.compare.plan import Pace, Subject, kernel_subject
from gilkit.workloads import target
from gilkit.workloads.target import own_statement
from gilkit.workloads.workload import KernelCall

EVERYTHING = list(CALL_EXECUTORS)


def subject(name: str, workers: tuple[int, ...] = (1, 2), **changes: object) -> Subject:
    options: dict[str, object] = {"variants": VARIANTS, "executors": EVERYTHING, "size": None, "path": None}
    options.update(changes)
    return kernel_subject(KERNELS[name], workers=workers, shown=max(workers), **options)  # type: ignore[arg-type]


def test_the_default_cases() -> None:
    names = {case.name for case in subject("lcg").cases}
    for variant in ("python", "gil", "nogil"):
        assert f"lcg/{variant}/serial/1" in names
        for executor in ("threads", "processes"):
            assert {f"lcg/{variant}/{executor}/{w}" for w in (1, 2)} <= names
    if not EXECUTORS["openmp"].missing():
        assert {"lcg/native/openmp/1", "lcg/native/openmp/2", "lcg/ceiling/openmp/2"} <= names
    assert len(names) == len(subject("lcg").cases)


def test_a_kernel_without_a_variant_has_no_case_of_it() -> None:
    assert not [c for c in subject("objects").cases if c.variant in ("nogil", "native")]


def test_what_is_chosen_keeps_its_baseline_and_the_ceiling() -> None:
    names = {case.name for case in subject("lcg", (4,), variants=["nogil"], executors=["threads"]).cases}
    ceiling = {name for name in names if "/ceiling/" in name}
    assert names - ceiling == {"lcg/nogil/threads/4", "lcg/nogil/serial/1"}
    assert len(ceiling) == 2


def test_every_case_has_its_baseline_and_workload() -> None:
    for name in KERNELS:
        planned = subject(name)
        assert {case.baseline for case in planned.cases} <= set(planned.cases)
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


def made(**calls: float) -> Subject:
    return Subject("k", [], {}, {}, loops=dict.fromkeys(calls, 10), calls=dict(calls))


def test_workers_that_share_the_gil_make_fewer_calls() -> None:
    found = made(gil=1e-3, nogil=1e-3)
    assert found.loops_of(Case("k", "gil", "threads", 4), cpus=2) == 2
    assert found.loops_of(Case("k", "gil", "processes", 4), cpus=2) == 5
    assert found.loops_of(Case("k", "nogil", "threads", 2), cpus=2) == 10
    assert found.loops_of(Case("k", "gil", "threads", 64), cpus=2) == 1


def test_the_budget_is_shared_and_the_expensive_take_the_least() -> None:
    pace = Pace(budget=20.0, stretch=0.01, least=3, most=30)
    rounds = pace.rounds({"cheap": 0.5, "cheaper": 0.25, "dear": 4.0})
    assert rounds == {"dear": 3, "cheap": 8, "cheaper": 16}
    assert pace.rounds({"free": 0.0}) == {"free": 30}
    assert pace.rounds({"endless": 1e9}) == {"endless": 3}


def test_paces_fit_their_promise() -> None:
    # Half a minute and two, with what starting, calibrating and looking at the load take beside.
    assert plan.QUICK_PACE.budget <= 20
    assert max(plan.USUAL_PACE.budget, plan.CLOSE_PACE.budget) <= 100


def test_processes_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(workers: list[int]) -> Subject:
        return plan.own_subject(own_statement("x", "pass"), EVERYTHING, workers, workers[-1], True)

    monkeypatch.setattr(target, "FOOTPRINT", 1e15)
    with pytest.raises(ValueError, match=r"2 processes need about 2,000,000.0 GB, and .*fewer"):
        planned([1, 2])
    monkeypatch.setattr(target, "FOOTPRINT", 1.0)
    assert planned([1, 2]).cases
