"""Evidence from results: speedups by rounds, and the worker count of a row."""

from __future__ import annotations

import pytest

from gilkit.display.tables import plain
from gilkit.engine.executors import EXECUTORS
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.windows import Stint, Window
from gilkit.studies.compare.evidence import evidence, shown_workers, speedup
from gilkit.studies.compare.table import table
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


def test_of_few_pairs_of_many_rounds_the_figures_apart_decide() -> None:
    """One odd round in eight would hide what twenty-four tell."""
    rounds = {
        "k/function/threads/1": [1.0] * 24,
        "k/function/threads/2": [2.0] * 7 + [1.0] + [2.0] * 16,
        "k/ceiling/openmp/1": [1.0] * 8,
        "k/ceiling/openmp/2": [1.0] * 8,
    }
    found = evidence(made(rounds), "k")
    assert found.threads_to_ceiling is not None
    assert not found.threads_to_ceiling.decided
    assert found.to_limit is not None
    assert (found.to_limit, found.to_limit.low, found.to_limit.high) == (0.5, 0.5, 0.5)
    fewer = {name: values[:8] for name, values in rounds.items()}
    paired = evidence(made(fewer), "k").to_limit
    assert paired is not None
    assert (paired.low, paired.high) == (0.5, 1.0)


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


@pytest.mark.parametrize(("variant", "told"), [("nogil", ("a", "b")), ("function", ("A", "B"))])
def test_why_the_gil_was_not_watched_is_said_of_each(variant: str, told: tuple[str, str]) -> None:
    notes = {"a": "no CPU was free", "b": "the monitor saw 80 %", "c": ""}
    records = [
        Record(
            Case(kernel, variant, "threads", workers), [1e-3] * 8, facts.HELD_NOTE.entry(note) if note else {}
        )
        for kernel, note in notes.items()
        for workers in (1, 2)
    ]
    lines = plain(table(Results(build(records, {"gilkit_cpus": 2}, {})))).splitlines()
    expected = [f"GIL held of {name}: {note}" for name, note in zip(told, notes.values(), strict=False)]
    assert [line for line in lines if line.startswith("GIL held")] == expected


def test_what_all_kernels_lack_is_said_once() -> None:
    note = facts.HELD_NOTE.entry("no CPU was free")
    records = [
        Record(Case(kernel, "nogil", "threads", n), [1e-3] * 8, note) for kernel in "ab" for n in (1, 2)
    ]
    lines = plain(table(Results(build(records, {"gilkit_cpus": 2}, {})))).splitlines()
    assert lines.count("GIL held of all kernels: no CPU was free") == 1


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


FURTHER = [name for name, kind in EXECUTORS.items() if kind.further]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("executor", FURTHER)
def test_whoever_is_measured_has_a_column_however_narrow_it_is(executor: str, width: int) -> None:
    variant = "python" if EXECUTORS[executor].plain else "nogil"
    cases = ["python/threads", "gil/threads", "nogil/threads", "nogil/processes", "native/openmp"]
    values = {f"long-name/{case}/{n}": [1.0 + 0.01 * i for i in range(12)] for case in cases for n in (1, 2)}
    values |= {
        f"long-name/{variant}/{executor}/1": [1.0] * 12,
        f"long-name/{variant}/{executor}/2": [1.25] * 12,
    }
    text = plain(table(made(values)), width)
    shown, _, _ = text.partition("\n* best")
    assert executor in shown
    assert "1.60" in shown
    assert max(map(len, shown.splitlines())) <= width
    if width == 80:
        assert sum(line.startswith("long-name") for line in shown.splitlines()) == 1  # one part, not two
