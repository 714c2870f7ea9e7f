"""Ladders on a made-up machine of two cores: what is tried, in how long, and who is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from simulated import Machine, Made, SimulatedLab

from gilkit import machine
from gilkit.display.progress import Progress
from gilkit.engine.runner import Runner
from gilkit.engine.worker import Order
from gilkit.errors import CaseFailedError
from gilkit.results.case import Case
from gilkit.results.stats import paired
from gilkit.results.windows import Window
from gilkit.studies.compare import climb
from gilkit.studies.compare.budget import LADDER_PACE
from gilkit.studies.compare.climb import MOST_SUSPECTS, Climb
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.ladder import ENDS
from gilkit.studies.compare.ladder_words import sentence
from gilkit.studies.compare.plan import Batch, own_subject
from gilkit.studies.compare.rungs import Found, Ladder
from gilkit.workloads import harmless
from gilkit.workloads import suspects as suspects_module
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.suspects import slower_again, suspects
from gilkit.workloads.target import own_statement
from gilkit.workloads.workload import Workload

CPUS, WORKERS = 4, 2  # two cores
STARTING = 20.0  # seconds in which twelve processes start three times, beside the budget


class SharingLab(SimulatedLab):
    """A lab of calls that stop one another where they share a thing that is locked; all have one clock."""

    def __init__(
        self,
        locked: Iterable[str],
        clock: list[float],
        broken: str = "",
        slower: float = 1.0,
        disturbed: float = 0.0,
        apart: bool = False,
    ) -> None:
        self._clock = clock
        super().__init__(CPUS, WORKERS, {})
        self.locked = frozenset(locked)
        self.broken = broken
        self.slower = slower
        self.disturbed = disturbed
        self.apart = apart

    @property
    def now(self) -> float:
        return self._clock[0]

    @now.setter
    def now(self, value: float) -> None:
        self._clock[0] = max(self._clock[0], value)

    def call(self, function: Any, *args: Any) -> Any:
        if function is slower_again:
            return self.slower
        if function is suspects:
            return suspects(*args)
        return super().call(function, *args)

    def window(self, executor: str, workload: Workload, workers: int, order: Order) -> Window:
        if self.apart and isinstance(workload, StatementCall) and workload.shared and not workload.private:
            raise CaseFailedError("it belongs to one thread")
        found = super().window(executor, workload, workers, order)
        return replace(found, stolen=found.seconds if self.random.random() < self.disturbed else 0.0)

    def _made(self, workload: Workload) -> Made:
        if not isinstance(workload, StatementCall):
            return super()._made(workload)
        if self.broken and self.broken in workload.private:
            raise CaseFailedError("it cannot be made twice")
        stops = workload.shared and not self.locked <= set(workload.private)
        return Made(locked=1.0 if stops else 0.0)


@pytest.fixture
def climbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """``climbed(names, locked)``: the ladder of a statement that uses names, of which some are locked."""
    Machine(CPUS, monkeypatch, tmp_path)
    monkeypatch.setattr(harmless, "gil_enabled", lambda: False)

    def run(
        names: str, locked: Iterable[str], broken: str = "", slower: float = 1.0, **options: Any
    ) -> Ladder | None:
        clock = [0.0]
        limits, disturbed = options.get("limits", []), options.get("disturbed", 0.0)

        def apart(_: int, timeout: float) -> SharingLab:
            limits.append(timeout)
            return SharingLab(locked, clock, broken, slower, disturbed)

        monkeypatch.setattr(climb, "Lab", apart)
        monkeypatch.setattr(machine, "load_by_others", lambda _: 0.0)
        setup = options.get("setup") or "\n".join(f"{name} = []" for name in names)
        own = own_statement(options.get("stmt") or ", ".join(names), setup)
        batch = Batch([own_subject(own, ["threads", "processes"], [1, WORKERS], WORKERS, shared=True)])
        lab = SharingLab(locked, clock, broken, disturbed=disturbed, apart=options.get("apart", False))
        runner = Runner(1, options.get("progress"), clock=lab.clock)
        Climb(own, batch, WORKERS, options.get("rounds"), CPUS, runner).measure(lab)
        run.seconds = clock[0]  # type: ignore[attr-defined]
        compared = Comparison(runner.suite())
        run.results = compared.results  # type: ignore[attr-defined]
        return compared.ladder

    return run


def named(ladder: Ladder) -> list[tuple[str, ...]]:
    return [rung.names for rung in ladder.culprits]


def tried(ladder: Ladder) -> list[str]:
    return [rung.variant for rung in ladder.rungs]


def test_one_of_several_is_named(climbed: Any) -> None:
    ladder = climbed("abcd", "c")
    assert (ladder.found, named(ladder)) == (Found.CAUSE, [("c",)])
    assert tried(ladder) == ["private-a", "private-b", "private-c", "private-d", "only-c"]


def test_nobody_is_where_nothing_stops(climbed: Any) -> None:
    ladder = climbed("abcd", "")
    assert (ladder.found, named(ladder)) == (Found.NOTHING, [])


@pytest.mark.parametrize(
    ("names", "guilty"), [("abcd", "ab"), ("abcdef", "be"), ("abc", "abc"), ("abcd", "bcd")]
)
def test_several_that_each_stop_are_named_without_the_innocent(climbed: Any, names: str, guilty: str) -> None:
    ladder = climbed(names, guilty)
    assert (ladder.found, named(ladder)) == (Found.CAUSE, [tuple(guilty)])
    assert (
        len(ladder.rungs) == 2 * len(names) + 1
    )  # each alone private, each alone shared, and those together


def test_where_threads_cannot_share_it_all_no_rung_waits_for_rounds_of_that(climbed: Any) -> None:
    assert climbed("ab", "b", apart=True) is None
    for name in "ab":
        tried = climbed.results.every(Case("a, b", f"private-{name}", "threads", WORKERS))
        assert len(tried) == LADDER_PACE.first


def test_rungs_are_compared_by_pairs_however_many_windows_others_disturb(climbed: Any) -> None:
    ladder = climbed("ab", "b", disturbed=0.2)
    assert (ladder.found, named(ladder)) == (Found.CAUSE, [("b",)])
    for rung in ladder.rungs:
        compared = [Case("a, b", variant, "threads", WORKERS) for variant in (rung.variant, *ENDS)]
        assert len(paired(*map(climbed.results.rounds, compared))) >= LADDER_PACE.first


HIDDEN = "import threading\ncache = [1]\ndef look(*, lock=threading.Lock()):\n    with lock: return cache"


def test_who_keeps_the_lock_is_named_and_not_what_it_leads_to(climbed: Any) -> None:
    ladder = climbed("", ["look"], setup=HIDDEN, stmt="look()")
    assert (ladder.found, named(ladder)) == (Found.CAUSE, [("look",)])


def test_what_nobody_suspects_is_found_behind_what_is_innocent(
    climbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspects_module, "harmless", lambda value: callable(value))
    ladder = climbed("", ["look"], setup=HIDDEN + "\nother = [1]", stmt="look(), other")
    assert tried(ladder)[:4] == ["private-cache", "private-other", "only-cache", "private-look"]
    assert (ladder.found, named(ladder)) == (Found.CAUSE, [("look",)])


def test_nothing_is_tried_where_setup_changes_what_is_shared(climbed: Any) -> None:
    ladder = climbed("ab", "a", slower=2.0)
    assert (ladder.found, tried(ladder)) == (Found.NOT_DECIDED, [])
    assert "SETUP changes what is shared" in sentence(ladder)[1]


def test_with_rounds_that_are_asked_for_as_many_are_measured_again(climbed: Any) -> None:
    assert [set(each) for each in named(climbed("abc", "ab", rounds=8))] == [{"a", "b"}]


def test_what_no_process_can_have_for_itself_is_not_tried(climbed: Any) -> None:
    ladder = climbed("ab", "b", broken="a")
    assert ladder.untried == {"a": "it cannot be made twice"}
    assert named(ladder) == [("b",)]


@pytest.mark.parametrize(
    "proxy",
    [
        "class P:\n  __slots__ = ()\n  def __getattr__(self, name): raise RuntimeError('outside of it')",
        "class P:\n  @property\n  def __class__(self): raise RuntimeError('outside of it')",
    ],
)
def test_one_that_nobody_can_look_at_spoils_no_other(climbed: Any, proxy: str) -> None:
    ladder = climbed("", "b", setup=f"{proxy}\np = P()\na = []\nb = []", stmt="p; a; b")
    assert ladder.untried == {"p": "it cannot be looked at: RuntimeError: outside of it"}
    assert (ladder.found, named(ladder)) == (Found.CAUSE, [("b",)])


def test_what_keeps_one_of_those_is_not_tried(climbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harmless, "gil_enabled", lambda: True)
    proxy = "class P:\n  @property\n  def __class__(self): raise RuntimeError('outside of it')"
    ladder = climbed("", "b", setup=f"{proxy}\nt = (P(),)\nb = []", stmt="t; b")
    assert list(ladder.untried) == ["t"]
    assert named(ladder) == [("b",)]


def test_one_look_has_time_for_all_that_it_runs_setup(climbed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []
    climbed("ab", "a", limits=limits)
    ran: list[int] = []
    monkeypatch.setattr("builtins.ran", ran, raising=False)
    workload = own_statement("a", "ran.append(1); a = []").workload()
    for look in (partial(slower_again, times=WORKERS), suspects):
        ran.clear()
        look(workload)
        assert limits[0] >= len(ran) * SharingLab("", [0.0]).timeout


def test_of_many_some_are_not_tried(climbed: Any) -> None:
    names = "abcdefghijklmnop"
    ladder = climbed(names, "c")
    assert len(ladder.rungs) == MOST_SUSPECTS + 1
    assert ladder.untried == dict.fromkeys(names[MOST_SUSPECTS:], "there are too many")
    assert climbed.seconds <= LADDER_PACE.budget + STARTING


def test_the_time_left_is_about_right_once_all_suspects_are_known(climbed: Any) -> None:
    said: list[Progress] = []
    climbed("abcd", "c", progress=said.append)
    rounds = [step for step in said if "round" in step.label]
    assert rounds[0].total == pytest.approx(climbed.seconds, rel=0.35)
