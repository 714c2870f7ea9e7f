"""Evidence from results: speedups by rounds, and the worker count of a row."""

from __future__ import annotations

import pytest

from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.windows import Stint, Window
from gilkit.studies.compare.evidence import evidence, shown_workers, speedup
from gilkit.studies.compare.verdict import Cause, verdicts


def made(values: dict[str, list[float]], failures: dict[str, str] | None = None) -> Results:
    """Results with these rounds."""
    records = [
        Record(Case.parse(name), v, {"gilkit_size": 10, "gilkit_unit": "n"}) for name, v in values.items()
    ]
    failed = {Case.parse(name): reason for name, reason in (failures or {}).items()}
    return Results(build(records, {"gilkit_cpus": 2, "gilkit_gil": "on"}, failed))


def test_speedup_is_work_done_at_once_over_the_work_of_one() -> None:
    found = made({"k/nogil/threads/1": [1.0, 2.0, 3.0], "k/nogil/threads/2": [1.0, 2.0, 3.0]})
    assert speedup(found, Case("k", "nogil", "threads", 2)) == 2.0
    assert speedup(found, Case("k", "nogil", "threads", 4)) is None


def test_native_and_the_ceiling_are_their_own_baseline() -> None:
    found = made(
        {
            "k/native/openmp/1": [1.0],
            "k/native/openmp/2": [2.0],
            "k/ceiling/processes/1": [1.0],
            "k/ceiling/processes/2": [1.0],
        }
    )
    assert speedup(found, Case("k", "native", "openmp", 2)) == 1.0
    assert speedup(found, Case("k", "ceiling", "processes", 2)) == 2.0


def test_a_row_shows_as_many_workers_as_cpus_or_else_the_most() -> None:
    found = made(
        {
            "a/nogil/threads/1": [1.0],
            "a/nogil/threads/2": [1.0],
            "a/nogil/threads/4": [1.0],
            "b/nogil/threads/4": [1.0],
        }
    )
    assert shown_workers(found, "a") == 2
    assert shown_workers(found, "b") == 4


def test_a_baseline_is_not_what_a_row_shows() -> None:
    found = made({"k/nogil/threads/1": [1.0], "k/nogil/threads/2": [1.0], "k/ceiling/openmp/1": [1.0]})
    found.cpus = 1
    assert shown_workers(found, "k") == 2


def test_a_kernel_that_failed_altogether_says_so() -> None:
    found = dict(verdicts(made({"k/ceiling/openmp/1": [1.0]}, {"k/gil/threads/1": "it broke"})))
    assert found["k"].cause is Cause.FAILED
    assert str(found["k"]) == "failed: it broke"


def test_what_workers_use_is_of_the_windows_that_count() -> None:
    """Windows that others disturbed would make threads wait that do not."""

    def windows(workers: int, cpu: float) -> list[Window]:
        calm = Stint(10.0, 0.06, 0.06, 0.0, 0.0, 0.0)
        pressed = Stint(5.0, 0.06, cpu, 0.0, 9.0, 0.06 - cpu)
        return [Window(0.05, workers, (stint,) * workers) for stint in [calm] * 8 + [pressed] * 12]

    records = []
    for workers in (1, 2):
        record = Record(Case("k", "nogil", "threads", workers))
        for id_, window in enumerate(windows(workers, 0.03)):
            record.add(id_, window.value, window)
        records.append(record)
    found = evidence(Results(build(records, {"gilkit_cpus": 2}, {})), "k")
    assert (found.clean, found.tried) == (8, 20)
    assert found.beside is not None
    assert found.beside.cpu == pytest.approx(2.0)
    assert found.beside.delay == 0.0
