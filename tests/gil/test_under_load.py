"""What can be told on a busy machine: bounds from made-up readings, and beside processes that are busy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import pytest
from quiet import needs_monitor

from gilkit.errors import BusyError
from gilkit.gil import observations
from gilkit.gil.assertions import assert_holds_at_most, assert_releases
from gilkit.gil.holds import Hold
from gilkit.gil.monitor import kind_now
from gilkit.gil.observations import Observation
from gilkit.gil.threads import ThreadId
from gilkit.gil.under_load import (
    FAR,
    HOLDS_SAMPLED,
    SAMPLED,
    TimedCall,
    _bounded_share,
    _Look,
    bounded_holds,
    holds_under_load,
    share_under_load,
)
from gilkit.gil.wording import WORDINGS
from gilkit.kernels import lcg, sleep, synthetic

pytestmark = pytest.mark.alone

LIMIT = 0.05
WORDS = WORDINGS[kind_now()]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="how often a thread waits is not told here")


def share(
    own: float, used: float, missed: float = 0.0, waits: float = 0.0, error: float = 0.0
) -> Observation:
    """What is told of a second of which the thread was seen with the GIL, and had a CPU, for so long."""
    return _bounded_share(_Look(1.0, used, waits, 1.0, own, own, missed), error, 0.0, 10, LIMIT)


@pytest.mark.parametrize("used", [0.1, 0.3, 0.6, 1.0])
def test_who_never_lets_go_holds_all_of_it_however_little_cpu_time_it_gets(used: float) -> None:
    found = share(1.0, used)
    assert found.figure == pytest.approx(1)
    assert found.low > LIMIT
    assert found.high > LIMIT


@pytest.mark.parametrize("used", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("held", [0.0, 0.02, 0.05])
def test_others_that_stop_it_only_while_it_has_the_gil_do_not_convict_it(held: float, used: float) -> None:
    assert share(held * used + (1 - used), used).low <= LIMIT


@pytest.mark.parametrize("held", [0.01, 0.05])
def test_nor_do_others_that_slow_down_its_holds_only(held: float) -> None:
    slowed = FAR * held / (FAR * held + 1 - held)
    assert share(slowed, 1.0).low == pytest.approx(held)


def test_what_may_be_otherwise_counts_for_the_call() -> None:
    least = share(1.0, 0.8).low
    assert share(1.0, 0.8, missed=0.3).low < least
    assert share(1.0, 0.8, waits=100).low < least
    assert share(1.0, 0.8, error=0.1).low < least
    assert share(1.0, 0.8, error=float("nan")).low == 0
    assert share(1.0, 10 * SAMPLED).low == -inf


def test_only_what_is_far_within_the_limit_passes() -> None:
    assert share(0.001, 0.5).high <= LIMIT
    assert share(0.01, 0.5).high > LIMIT
    assert share(0.0, 0.05).high == inf  # too few samples, of which all may have missed its holds
    assert share(0.0, 0.5, missed=0.4).high == inf
    assert share(0.0, 0.5, waits=1).high == inf


HOLDER = ThreadId("it", 1)


def holds(
    spans: list[tuple[float, float]],
    used: float = 0.05,
    waits: int = 0,
    gaps: list[tuple[float, float]] | None = None,
    limit: float = 0.001,
    others: list[tuple[float, float]] | None = None,
) -> Observation:
    """What is told of ten calls of 50 ms on the clock with such holds in each."""
    calls = [TimedCall(i, i + 0.05, used, waits) for i in range(10)]

    def laid(parts: list[tuple[float, float]] | None) -> list[tuple[float, float]]:
        return [(i + start, i + end) for i in range(10) for start, end in parts or []]

    own = [Hold(start, end, HOLDER) for start, end in laid(spans)]
    every = own + [Hold(start, end, ThreadId("other", 2)) for start, end in laid(others)]
    return bounded_holds(calls, own, every, laid(gaps), 0.0, limit)


def test_a_hold_far_longer_than_the_limit_convicts() -> None:
    found = holds([(0.0, 0.05)])
    assert found.low == pytest.approx(0.05 / FAR)
    assert found.high > 0.05
    assert holds([(0.0, 0.05)], used=0.04).low == pytest.approx(0.04 / FAR)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"used": 0.008}, id="it had no CPU for most of it"),
        pytest.param({"waits": 1}, id="it waited"),
        pytest.param({"gaps": [(0.0, 0.045)]}, id="most of it was not seen"),
        pytest.param({"limit": 0.006}, id="not far longer"),
        pytest.param({"others": [(0.0, 0.01)]}, id="another had it, too"),
    ],
)
def test_what_others_may_have_done_does_not_convict(options: dict[str, Any]) -> None:
    assert holds([(0.0, 0.05)], **options).low <= options.get("limit", 0.001)


def test_the_longest_of_many_holds_does_not_convict() -> None:
    # Of short holds with short releases between, rare samples miss some releases: that lengthens some holds.
    assert holds([(0.0, 0.02), (0.021, 0.05)]).figure == 0


def test_holds_far_shorter_than_the_limit_pass_where_all_was_seen() -> None:
    assert holds([(0.0, 50e-6)]).high <= 0.001
    assert holds([(0.0, 50e-6)], gaps=[(0.01, 0.012)]).high > 0.001
    assert holds([], others=[(0.0, 0.01)]).high > 0.001
    assert holds([], limit=5 * HOLDS_SAMPLED).high == inf  # samples may be farther apart than such a hold


def test_calls_that_are_shorter_than_the_limit_pass() -> None:
    assert holds([(0.0, 0.05)], limit=0.06).high <= 0.06


BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"


@pytest.fixture
def _shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a third of the time. The shorter, the wider: what is told holds for any."""
    monkeypatch.setattr(observations, "OBSERVED", 0.1)


@pytest.fixture
def _busy() -> Iterator[None]:
    """Two processes that are busy all the time: no longer than a test, as others run between."""
    others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
    yield
    for other in others:
        other.kill()
        other.wait()


@LINUX
@needs_monitor
@pytest.mark.usefixtures("_busy", "_shortly")
@pytest.mark.parametrize(
    ("check", "said"),
    [
        pytest.param(lambda: assert_releases(lcg.gil, 10**6), rf"{WORDS.runs} for .*not 95\.00%", id="share"),
        pytest.param(
            lambda: assert_holds_at_most(0.001, lcg.gil, 5 * 10**6), "at a stretch, not 1.00 ms", id="hold"
        ),
    ],
)
def test_beside_busy_processes_a_clear_culprit_never_passes(check: Callable[[], None], said: str) -> None:
    # Whether it is convicted in time is up to the system, which may give a CPU to the others for long.
    with pytest.raises((AssertionError, BusyError), match=f"{said}|nothing can be said of") as caught:
        check()
    if isinstance(caught.value, BusyError):
        pytest.skip(str(caught.value))
    assert "quiet before" in str(caught.value) or "busy: what others took counts for" in str(caught.value)


@LINUX
@needs_monitor
@pytest.mark.usefixtures("_busy", "_shortly")
@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.endurance)])
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: lcg.nogil(10**6), id="without"),
        pytest.param(lambda: synthetic.nogil(40_000, 960_000), id="4 % with it"),
        pytest.param(lambda: sleep.nogil(0.005), id="a wait without"),
        pytest.param(lambda: sleep.gil(0.005), id="a wait with it"),
    ],
)
def test_beside_busy_processes_nothing_speaks_against_who_is_not_clear(
    call: Callable[[], object], times: int
) -> None:
    for _ in range(times):
        assert share_under_load(call, LIMIT).low <= LIMIT
        assert holds_under_load(call, 0.001).low <= 0.001
