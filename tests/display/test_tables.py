"""What reports have in common: cells, failures, and plain text."""

from __future__ import annotations

import pytest

from gilkit.display.tables import absent, cell, failures, heading, leaders, plain, plain_table, share
from gilkit.results.case import Case
from gilkit.results.stats import Estimate


@pytest.mark.parametrize(
    ("speedup", "text"),
    [
        (None, "–"),
        (Estimate(1.98), "1.98"),  # one round has no interval
        (Estimate(1.98, 1.96, 2.0), "1.98±.02"),
        (Estimate(1.98, 1.98, 1.98), "1.98±.01"),  # never less than it is rounded to
        (Estimate(1.98, 0.5, 3.5), "2.0±1.5"),
        (Estimate(31.25, 31.0, 31.5), "31.2±.2"),
        (Estimate(63.52, 62.17, 64.87), "63.5±1.4"),
        (Estimate(31.0, 18.6, 43.4), "31±12"),
        (Estimate(9.5, 1.0, 20.0), "10±10"),
        (Estimate(128.4, 128.0, 129.0), "128±1"),
        (Estimate(1024.0, 500.0, 1100.0), "1024±524"),
        (Estimate(1.98, least=1.98, most=1.98), "1.98"),
        (Estimate(1.98, least=0.5, most=2.01), "0.5–2.0"),
        (Estimate(31.0, least=9.5, most=40.1), "9.5–40.1"),
        (Estimate(31.0, least=18.5, most=40.1), "18–40"),
        (Estimate(900.0, least=100.0, most=1020.0), "100–1020"),
    ],
)
def test_a_cell(speedup: Estimate | None, text: str) -> None:
    assert cell(speedup) == text
    assert len(text) <= 8


@pytest.mark.parametrize(
    ("held", "text"),
    [(None, "–"), (0.0, "0%"), (0.0004, "<0.1%"), (0.004, "0.4%"), (0.57, "57%"), (1.0, "100%")],
)
def test_a_share(held: float | None, text: str) -> None:
    assert share(held) == text


def test_one_reason_is_said_once() -> None:
    failed = {Case("k", "gil", "threads", workers): "it broke" for workers in (1, 2)}
    failed[Case("k", "gil", "serial", 1)] = "it broke, too"
    assert [line.plain for line in failures(failed)] == [
        "failed k/gil/threads at 1, 2: it broke",
        "failed k/gil/serial at 1: it broke, too",
    ]


def test_what_fails_alone_has_failed_whatever_would_have_run_it() -> None:
    failed = {
        Case("f", "function", "threads", 2): "it broke in a thread",
        Case("f", "function", "serial", 1): "it broke",
    }
    assert [line.plain for line in failures(failed)] == ["failed: it broke"]


def test_what_lacks_one_thing_shares_a_line() -> None:
    found = absent({"a": "too old", "b": "too new", "c": "too old"})
    assert [line.plain for line in found] == ["no a, c: too old", "no b: too new"]


def test_the_first_line_says_whether_the_machine_is_busy() -> None:
    assert heading({}, 0.0).plain == "unknown Python · GIL unknown · 1 CPU · load by others 0.00"
    assert heading({"gilkit_cpus": 2}, 1.2).plain.endswith(
        " · 2 CPUs\nBUSY: other programs use 1.2 of 2 CPUs; believe no speedup below"
    )


def test_figures_stand_at_the_right() -> None:
    table = plain_table("name", "seconds", figures=1)
    table.add_row("a", "1")
    assert plain(table).splitlines() == ["name  seconds", "─────────────", "a           1"]


WIDE, NARROW, OTHER = Estimate(2.4, 0.3, 4.5), Estimate(1.98, 1.9, 2.05), Estimate(1.0, 0.99, 1.01)


@pytest.mark.parametrize(
    ("found", "best"),
    [
        ({"a": NARROW, "b": OTHER}, {"a"}),
        ({"a": NARROW, "b": Estimate(1.95, 1.9, 2.0), "c": OTHER}, {"a", "b"}),
        ({"a": NARROW}, set()),  # a lone one
        ({"a": NARROW, "b": None}, set()),
        ({"a": WIDE, "b": NARROW}, set()),  # it may be anything
        ({"a": Estimate(2.0, 1.2, 2.1), "b": NARROW, "c": OTHER}, {"b"}),  # and is no more than the other
        ({"a": Estimate(2.0, least=1.9, most=2.1), "b": OTHER}, set()),  # too few rounds
    ],
)
def test_who_leads(found: dict[str, Estimate | None], best: set[str]) -> None:
    assert leaders(found) == best
