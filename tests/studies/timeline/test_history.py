"""Made-up histories: what their pictures show, and what their trace says."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from made_up_history import OTHER_PID, PID, history, holds
from rich.console import Console
from traceformat import checked, tracks

from gilkit.display.tables import plain
from gilkit.studies.timeline.cover import Cover, without
from gilkit.studies.timeline.history import (
    Gap,
    Span,
    Worker,
    joined,
    running,
    spans,
)
from gilkit.studies.timeline.picture import axis, lane, lines, owners, picture
from gilkit.studies.timeline.trace_events import events


def test_threads_that_take_turns() -> None:
    assert plain(picture(history()), 53).splitlines() == [
        "CPython 3.99 · GIL on · 2 CPUs · load by others 0.00",
        "",
        "lcg.gil: 1 call on each of 2 threads, 30.0 ms",
        "          0 ms      10        20           GIL   CPU",
        "thread 1 │█████·····█████·····██████████│   67%   67%",
        "thread 2 │·····█████·····█████          │   50%   50%",
        "GIL of   │111112222211111222221111111111│",
        "█ has the GIL  ▒ runs without it  · waits, for the",
        "GIL, a CPU or other things",
        "GIL sampled every 20 µs, ? not seen; ▒ or · by the",
        "CPU time of whole calls",
        "",
        "they took turns with the GIL: 2 workers kept 1.00",
        "CPUs busy",
    ]


def test_calls_that_release_it_run_beside_one_another() -> None:
    free = history(
        spans=(Span(0, 0.0, 0.02, 0.02), Span(1, 0.0, 0.02, 0.019)), holds=holds((0, 0, 1), (None, 10, 12))
    )
    assert lane(free, 0, 20) == "█" + "▒" * 19
    assert lane(free, 1, 20) == "▒" * 20
    assert owners(free, 20) == "1" + " " * 9 + "++" + " " * 8


def test_a_call_without_cpu_time_waits() -> None:
    asleep = history(spans=(Span(0, 0.0, 0.02, 0.0001), Span(1, 0.0, 0.02, 0.011)), holds=())
    assert lane(asleep, 0, 10) == "·" * 10
    assert lane(asleep, 1, 10) == "▒" * 10  # more than half of it ran


def test_nothing_is_drawn_outside_of_calls() -> None:
    late = history(spans=(Span(0, 0.0, 0.01, 0.01), Span(1, 0.02, 0.03, 0.01)), holds=holds((1, 12, 18)))
    assert lane(late, 0, 6) == "▒▒    "
    assert lane(late, 1, 6) == "    ▒▒"
    assert owners(late, 5) == "  2  "


def test_what_was_not_seen_is_not_made_up() -> None:
    blind = history(holds=holds((0, 0, 5), (1, 15, 20)), gaps=(Gap(PID, 0.005, 0.015), Gap(PID, 0.02, 0.03)))
    assert lane(blind, 0, 6) == "█?????"  # by its CPU time it may have run in any of them
    assert lane(blind, 1, 6) == "???█  "
    assert owners(blind, 6) == "1??2??"
    assert "and saw nothing, for 67% of the time" in plain(picture(blind))
    found = tracks(checked(events(blind)))[PID, "GIL"]
    assert [(event["name"], event["ts"], event["dur"]) for event in found] == [
        ("thread 1", 0, 5000),
        ("not seen", 5000, 10_000),
        ("thread 2", 15_000, 5000),
        ("not seen", 20_000, 10_000),
    ]
    assert {event["cat"] for event in found if event["name"] == "not seen"} == {"gap"}


def test_between_two_samples_nothing_is_known() -> None:
    turns = holds((0, 0, 4), (1, 6, 10), (0, 11, 15), (1, 16, 19))
    rare = history(interval=2e-3, holds=turns, spans=(Span(0, 0.0, 0.03, 0.01), Span(1, 0.0, 0.02, 0.01)))
    assert lane(rare, 0, 30) == "████??····?████?···??" + "·" * 9
    assert owners(rare, 30) == "1111??2222?1111?222??" + " " * 9
    short = history(  # a call may hold the GIL from one sample to the next, and not be seen
        interval=2e-3, spans=(Span(0, 0.0, 0.002, 0.002), Span(1, 0.0, 0.02, 0.02)), holds=()
    )
    assert lane(short, 0, 20) == "??" + " " * 18
    assert lane(short, 1, 20) == "▒" * 20


def test_every_process_has_a_gil_of_its_own() -> None:
    workers = (Worker("process 1", PID, PID), Worker("process 2", OTHER_PID, OTHER_PID))
    both = holds((0, 0, 30)) + holds((1, 0, 20), pid=OTHER_PID)
    separate = history(workers=workers, holds=both, executor="processes", gaps=(Gap(OTHER_PID, 0.02, 0.03),))
    assert lane(separate, 0, 6) == "██████"
    assert lane(separate, 1, 6) == "████  "
    text = plain(picture(separate))
    assert "every process has a GIL of its own" in text
    assert "GIL of  " not in text
    found = tracks(checked(events(separate)))
    assert {track for track in found if track[1] == "GIL"} == {(PID, "GIL"), (OTHER_PID, "GIL")}
    assert [event["name"] for event in found[OTHER_PID, "GIL"]] == ["process 2", "not seen"]


def test_without_a_monitor_the_lanes_stay() -> None:
    alone = history(holds=(), missing="this interpreter runs without a GIL")
    text = plain(picture(alone))
    assert "who has the GIL is not shown: this interpreter runs without a GIL" in text
    assert "█" not in text
    assert "GIL of" not in text
    assert "▒ runs" in text
    assert {name for _, name in tracks(checked(events(alone)))} == {"thread 1", "thread 2"}
    assert events(alone)["otherData"]["gil_missing"] == "this interpreter runs without a GIL"


def test_dropped_holds_are_told() -> None:
    full = history(dropped=1234)
    assert "the first 1,234 holds of the GIL: not shown" in plain(picture(full))
    assert events(full)["otherData"]["gil_holds_dropped"] == 1234


@pytest.mark.parametrize("width", [40, 60, 80, 88, 200])
def test_it_fits_where_it_is_shown(width: int) -> None:
    drawn = lines(history(), min(88, width))
    assert len(drawn) == 4
    assert max(map(len, drawn)) <= width
    console = Console(width=width, record=True, color_system="truecolor", force_terminal=True)
    with console.capture() as captured:
        console.print(picture(history()))
    assert "\x1b[" in captured.get()
    assert max(map(len, plain(picture(history()), width).splitlines())) <= min(width, 88)


@pytest.mark.parametrize(
    ("length", "columns", "expected"),
    [
        (0.1, 50, "0 ms      20        40        60        80"),
        (0.03, 30, "0 ms      10        20"),
        (3.0, 24, "0 ms    1000    2000"),
        (0.15, 60, "0 ms    20      40      60      80      100     120     140"),
        (1e-6, 20, "0 ms      0.0005"),
    ],
)
def test_the_axis_is_marked_at_round_times(length: float, columns: int, expected: str) -> None:
    assert axis(length, columns) == expected.ljust(columns)


def test_a_cover_knows_what_it_covers() -> None:
    cover = Cover([(3.0, 4.0), (1.0, 2.0), (4.0, 6.0)])
    assert cover.between(0, 10) == 4
    assert cover.between(1.5, 3.25) == 0.75
    assert cover.between(2, 3) == 0
    assert cover.between(5, 5) == 0
    assert Cover([]).between(0, 1) == 0


def test_what_is_unseen_is_counted_for_each_process() -> None:
    workers = (Worker("process 1", PID, PID), Worker("process 2", OTHER_PID, OTHER_PID))
    gaps = (Gap(PID, -0.005, 0.020), Gap(OTHER_PID, -0.004, -0.003), Gap(OTHER_PID, 0.027, 0.040))
    separate = history(workers=workers, holds=(), gaps=gaps)
    assert separate.unseen_share == pytest.approx((20 + 3) / 2 / 30)


def test_short_calls_are_taken_together() -> None:
    stamps = [index * 1e-4 for index in range(301)]
    short = tuple(Span(0, a, b, 1e-4) for a, b in pairwise(stamps))
    rare = history(interval=5e-4, spans=short, holds=())
    assert lane(rare, 0, 10) == "▒" * 10
    apart = (Span(0, 0.0, 1.0, 0.5), Span(0, 2.0, 3.0, 0.5), Span(0, 3.0, 4.0, 1.0), Span(0, 4.0, 5.0, 1.0))
    assert list(joined(apart, 2.0)) == [apart[0], Span(0, 2.0, 4.0, 1.5), apart[3]]
    assert list(joined(apart, 0.0)) == list(apart)


def test_stretches_without_others() -> None:
    def rest(*stretches: tuple[float, float]) -> list[tuple[float, float]]:
        return list(without(stretches, [(2.0, 3.0), (3.0, 4.0), (6.0, 7.0)]))

    assert rest((0, 1)) == [(0, 1)]
    assert rest((0, 10)) == [(0, 2.0), (4.0, 6.0), (7.0, 10)]
    assert rest((2, 4), (6.5, 7)) == []
    assert rest((3.5, 5), (4.5, 6.5)) == [(4.0, 5), (5, 6.0)]
    assert rest((0, 10), (1, 2), (8, 9)) == [(0, 2.0), (4.0, 6.0), (7.0, 10)]
    assert rest() == []


def test_how_much_of_the_time_without_the_gil_a_thread_ran() -> None:
    def ran(cpu: float, held: float, unseen: float = 0.0) -> tuple[float, float]:
        return running(Span(0, 0.0, 10.0, cpu), held, unseen)

    assert ran(10, held=0) == (1, 1)
    assert ran(4, held=4) == (0, 0)
    assert ran(7, held=4) == (0.5, 0.5)
    assert ran(3, held=4) == (0, 0)  # it was kept from running while it had the lock
    assert ran(10, held=10) == (0, 0)
    assert ran(11, held=0) == (1, 1)  # clocks of different grain
    assert ran(10, held=0, unseen=5) == (1, 1)
    assert ran(5, held=0, unseen=5) == (0, 1)
    assert ran(0, held=0, unseen=5) == (0, 0)
    assert ran(6, held=4, unseen=1) == (0.2, 0.4)
    assert running(Span(0, 0.0, 10.0, 6.0), 4.0, 1.0, 0.5) == (0.1, 0.4)


def test_spans_lie_between_stamps() -> None:
    assert list(spans(2, [(1.0, 0.5), (3.0, 1.0), (4.0, 1.25)])) == [
        Span(2, 1.0, 3.0, 0.5),
        Span(2, 3.0, 4.0, 0.25),
    ]


def test_the_trace_says_the_same() -> None:
    long = history(holds=holds((None, -9, -5), (None, -1, 1), (0, 1, 5), (1, 5, 31)), loops=7)
    trace = json.loads(json.dumps(events(long)))
    found = tracks(checked(trace))
    assert set(found) == {(PID, "thread 1"), (PID, "thread 2"), (PID, "GIL")}
    first = found[PID, "thread 1"][0]
    assert (first["name"], first["ts"], first["dur"]) == ("lcg.gil × 7", 0, 10_000)
    assert first["args"] == {"cpu_us": 5000, "gil_held_us": 4000}
    assert [(event["name"], event["ts"], event["dur"]) for event in found[PID, "GIL"]] == [
        ("MainThread", 0, 1000),
        ("thread 1", 1000, 4000),
        ("thread 2", 5000, 25_000),
    ]
    order = {
        event["tid"]: event["args"]["sort_index"]
        for event in trace["traceEvents"]
        if event["name"] == "thread_sort_index"
    }
    assert sorted(order, key=lambda tid: order[tid]) == [71, 72, 73]  # the GIL's is nobody else's
    assert trace["otherData"]["subject"] == "lcg.gil"
    assert trace["otherData"]["gilkit_interpreter"] == "CPython 3.99"


def test_neighbours_do_not_overlap_however_times_are_rounded() -> None:
    stamps = [0.3333333 * index * 1e-6 for index in range(50)]
    narrow = tuple(Span(0, a, b, 0.0) for a, b in pairwise(stamps))
    checked(events(history(spans=narrow, holds=())))
