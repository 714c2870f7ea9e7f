"""What an audit says of holds: whose doing they are, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilkit.gil import audit
from gilkit.gil.audit import AuditedHold, doubt, hidden
from gilkit.gil.audited import SHOWN_MOST, CalledLine, Phase, brief, folders_now, phase, told, where
from gilkit.gil.places import C_CALL, CERTAIN_PLACE, LIKELY_PLACE, PYTHON_CODE, CodePlace, Stall
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE
from gilkit.gil.threads import ThreadId

FOLDERS = folders_now(Path("/project"))
MAIN = ThreadId("MainThread", 1)
OWN = CodePlace("/project/app.py", 31, "report")
ENCODER = CodePlace(f"{__import__('json').__path__[0]}/encoder.py", 258, "iterencode")


def hold(seconds: float = 0.061, **facts: object) -> Stall:
    """A hold by one C call, made up."""
    given = {"thread": MAIN, "kind": C_CALL, "certainty": CERTAIN_PLACE, "stack": (ENCODER, OWN)} | facts
    return Stall(start=10.0, end=10.0 + seconds, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("least", "load", "is_told", "said"),
    [
        (0.061, 0.0, True, ""),
        (0.061, 0.0, False, ""),
        (0.049, 0.0, True, "for 12 ms of that the system kept the thread or the monitor from running"),
        (0.061, 1.5, True, "others keep 1.5 of 2 CPUs busy, and it is not 3 times the limit"),
        (0.160, 1.5, True, ""),
        (0.160, 1.5, False, "others keep 1.5 of 2 CPUs busy, and the system does not tell what they took"),
    ],
)
def test_a_hold_counts_as_far_as_nobody_else_can_have_made_it_longer(
    least: float, load: float, is_told: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "usable_cpus", lambda: 2)
    found = doubt(AuditedHold(hold(max(least, 0.061)), least, is_told), 0.05, load)
    assert found.startswith(said)
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("gaps", "seconds", "said"),
    [
        ([], 0.0, ""),
        ([(9.0, 9.9)], 0.0, ""),
        ([(9.0, 10.01), (10.5, 10.53)], 0.03, "for 40 ms of 1 s the system"),
        ([(10.0, 10.05), (10.5, 10.53), (10.6, 10.65)], 0.13, "for 130 ms of 1 s the system"),
    ],
)
def test_a_hold_may_hide_where_nobody_looked(
    gaps: list[tuple[float, float]], seconds: float, said: str
) -> None:
    longest, why = hidden(gaps, 10.0, 1.0)
    assert longest == pytest.approx(seconds)
    assert why.startswith(said)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (hold(), "app.py:31 report → json/encoder.py:258 iterencode (C call)"),
        (hold(stack=(OWN,), kind=PYTHON_CODE), "app.py:31 report (Python code)"),
        (hold(stack=(OWN,), certainty=LIKELY_PLACE), "app.py:31 report (C call, likely)"),
        (hold(stack=(), certainty=""), "an unknown line (C call)"),
        (hold(stack=(OWN,), thread=ThreadId("T-1", 2)), "app.py:31 report (C call, in T-1)"),
        (
            hold(stack=(OWN,), thread=ThreadId(None, None)),
            "app.py:31 report (C call, in a thread that ended)",
        ),
    ],
)
def test_a_hold_is_told_by_its_lines(found: Stall, said: str) -> None:
    assert where(found, 1, FOLDERS) == said


def test_times_are_brief() -> None:
    assert [brief(t) for t in (0.02, 0.0612, 0.9, 0.9996, 1.25)] == [
        "20 ms",
        "61.2 ms",
        "900 ms",
        "1 s",
        "1.25 s",
    ]


def test_calls_at_one_line_are_added_up_over_tests() -> None:
    code = hold(0.2, kind=PYTHON_CODE, stack=(OWN,))
    found = {
        (test, "call"): phase([hold(0.05), hold(seconds), code], HELD_SHARE, 1, FOLDERS)
        for test, seconds in (("a", 0.06), ("b", 0.04))
    }
    lines = list(told(found, "", 80, False))
    place = "app.py:31 report → json/encoder.py:258 iterencode"
    assert lines == [
        "  200 ms call     a",
        "         app.py:31 report (Python code)",
        "  200 ms call     b",
        "         app.py:31 report (Python code)",
        "",
        "calls of C functions that hold it longest:",
        "   60 ms 4 times, 200 ms in all",
        f"         {place}",
    ]


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([ATTACHED_SHARE, ATTACHED_SHARE], "calls of C functions that stay attached longest:"),
        ([ATTACHED_SHARE, HELD_SHARE], "calls of C functions that hold it or stay attached longest:"),
    ],
)
def test_what_calls_do_is_said_as_it_was_where_they_ran(kinds: list[str], said: str) -> None:
    found = {(str(i), "call"): phase([hold()], kind, 1, FOLDERS) for i, kind in enumerate(kinds)}
    assert said in told(found, "", 80, False)


def test_many_are_cut_but_for_those_who_ask() -> None:
    calls = [CalledLine(f"app.py:{line} f", 1, 0.03, 0.03) for line in range(SHOWN_MOST + 2)]
    found = {
        (f"test_{i}", "call"): Phase(HELD_SHARE, 0.03, "app.py:1 f", calls) for i in range(SHOWN_MOST + 1)
    }
    short, whole = (list(told(found, "unseen", 80, every)) for every in (False, True))
    assert short[0] == "unseen"
    assert [line.strip() for line in short if "more" in line] == [
        "and 1 more: -vv shows all tests",
        "and 2 more: -vv shows all calls",
    ]
    assert len(whole) == 1 + 2 * (SHOWN_MOST + 1) + 2 + 2 * (SHOWN_MOST + 2)
