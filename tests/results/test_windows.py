"""What was seen in windows: kept whole in a file, and told from what others disturbed."""

from __future__ import annotations

import json
from math import isnan, nan

import pytest

from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.windows import Stint, Window, own_delay, undisturbed


def stint(delay: float = 0.0, voluntary: float = 0.0, calls: float = 10.0, cpu: float = 0.1) -> Stint:
    return Stint(calls, 0.1, cpu, voluntary, 0.0, delay)


def window(*delays: float, voluntary: float = 0.0, **options: float) -> Window:
    stints = tuple(stint(delay, voluntary) for delay in delays)
    return Window(0.1, len(stints), stints, **options)  # type: ignore[arg-type]


def test_the_value_of_a_window_is_workers_by_throughput() -> None:
    found = Window(0.5, 2, (Stint(20, 0.6, 0.6), Stint(30, 0.6, 0.3)))
    assert found.calls == 50
    assert found.value == pytest.approx(2 * 0.5 / 50)
    assert found.cpu == pytest.approx(1.5)


def test_a_window_is_packed_without_loss_of_what_was_measured() -> None:
    found = Window(0.05, 2, (Stint(1 / 3, 0.06, 0.055, 3, 1, 2e-5), Stint(7, 0.06, 0.05)), 0.01, nan, False)
    again = Window.unpacked(json.loads(json.dumps(found.packed())))
    assert again.stints[0].calls == pytest.approx(1 / 3, rel=1e-6)
    assert isnan(again.stints[1].delay)
    assert isnan(again.others)
    assert (again.workers, again.stolen, again.pinned) == (2, 0.01, False)


def test_waiting_for_a_cpu_disturbs_and_a_slow_window_does_not() -> None:
    slow = Window(0.1, 2, (stint(calls=1), stint(calls=1)))
    seen = {0: window(0, 0), 1: window(0, 0.0021), 2: window(0.0019, 0), 3: slow}
    assert undisturbed(seen) == {0, 2, 3}


def test_what_waking_up_costs_a_case_is_its_own() -> None:
    # 200 times in a window it wakes up, which takes 50 µs each: a tenth of the window, in every window.
    seen = {i: window(0.010, 0.0102, voluntary=200) for i in range(6)}
    seen[6] = window(0.010, 0.013, voluntary=200)
    assert own_delay(seen.values()) == pytest.approx(5e-5)
    assert undisturbed(seen) == set(range(6))


def test_most_windows_may_be_disturbed() -> None:
    seen = {i: window(0.0 if i % 3 == 0 else 0.03, 0.0) for i in range(30)}
    assert undisturbed(seen) == {i for i in range(30) if i % 3 == 0}


def test_what_a_hypervisor_takes_disturbs() -> None:
    assert undisturbed({0: window(0, 0), 1: window(0, 0, stolen=0.01)}) == {0}


def test_without_a_cpu_each_it_counts_what_others_used() -> None:
    crowded = {i: window(0.04, 0.05, 0.06, 0.05, others=used) for i, used in enumerate([0.0, 0.02, 0.2])}
    assert undisturbed(crowded) == {0, 1}


def test_what_the_system_does_not_tell_disturbs_nobody() -> None:
    unknown = Window(0.1, 1, (Stint(10, 0.1, 0.1),))
    assert undisturbed({0: unknown}) == {0}


def test_a_file_keeps_windows_and_counts_the_undisturbed() -> None:
    case = Case("k", "nogil", "threads", 2)
    record = Record(case)
    for id_, delay in ((0, 0.0), (3, 0.05), (4, 0.0)):
        record.add(id_, 1e-3 * (1 + id_), window(delay, 0.0))
    results = Results(build([record], {}, {}))
    assert results.rounds(case) == {0: pytest.approx(1e-3), 4: pytest.approx(5e-3)}
    assert list(results.windows(case)) == [0, 3, 4]
    assert results.fact(case, facts.DROPPED) == pytest.approx(1 / 3, abs=1e-4)
    assert results.windows(case)[3].stints[0].delay == pytest.approx(0.05)
    assert record.rounds() == {0: 1e-3, 4: 5e-3}
