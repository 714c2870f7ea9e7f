"""`gilkit beside`: planted neighbours on a made-up machine, and a short run of the real thing."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from command import answered, gilkit, interrupted, leaving_nothing, refused, seen, started
from hasty import SWITCHING
from simulated import HOLDS, PURE, Machine, Made, SimulatedLab

import gilkit as package
from gilkit import machine as real
from gilkit.display.tables import plain
from gilkit.engine.neighbours import on_pool, on_threads
from gilkit.engine.runner import Progress, Runner
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results
from gilkit.results.windows import Lateness, Stint, Window
from gilkit.studies.beside.course import WHEN_TO_LOOK, Course
from gilkit.studies.beside.sides import LETTERS, TICKER, alone, side
from gilkit.studies.beside.study import Beside
from gilkit.studies.beside.verdict import Answer, Effect
from gilkit.workloads.target import own_statement

SWITCH, SHORTER = 5e-3, 5e-4
LETTING_GO = {
    "quarter": Made(call=80e-3, held=0.25),  # holds the GIL for 20 ms, and then lets go for 60
    "tenth": Made(call=80e-3, held=0.1),
    "unequal": Made(call=100e-3, held=0.5, times=10.0),
}


@dataclass
class Planted:
    """What neighbours do to one another.

    ``kept`` is by statement and where; a ticker is so ``late`` beside a statement, by where, and ``quiet``
    beside nothing; a statement holds the GIL for so long (``hold``). A statement that is ``broken`` fails,
    and so does one where it is said to. Others take the share ``busy`` of every window.
    """

    kept: Mapping[tuple[str, str], float] = field(default_factory=dict)
    late: Mapping[tuple[str, str], float] = field(default_factory=dict)
    hold: Mapping[str, float] = field(default_factory=dict)
    quiet: float = 8e-5
    broken: tuple[str, ...] = ()
    busy: float = 0.0


class Neighbourhood(SimulatedLab):
    """A lab in which they do so, on the clock of another where there is one."""

    def __init__(self, made: Mapping[str, Made], planted: Planted, where: str = "threads") -> None:
        super().__init__(2, 2, made)
        self.planted, self.where = planted, where
        self.other: Neighbourhood | None = None

    def pace(self, executor: str, workload: Any) -> Any:
        if workload.statement in self.planted.broken:
            raise CaseFailedError("it was planted")
        return super().pace(executor, workload)

    def call(self, function: Any, *args: Any) -> Any:
        if function is on_threads:
            orders, _, __, *calls = args
            return self._beside(self.where, orders, calls)
        return super().call(function, *args)

    def through(self, executor: str, function: Any, *args: Any) -> Any:
        assert function is on_pool
        orders, _, *calls = args
        return self._beside(executor, orders, calls)

    def _beside(self, where: str, orders: Any, calls: Any) -> tuple[Window, Lateness | None]:
        order, planted = orders[0], self.planted
        clock = self.other or self
        clock.now += 0.006 + order.warm + order.seconds + order.beyond
        names = [call and call.statement for call in calls]
        if where in planted.broken:
            raise CaseFailedError(f"{where} was planted")
        stints, late = [], None
        for call, name in zip(calls, names, strict=True):
            noise = self.random.gauss(1.0, self.noise)
            delay = planted.busy * order.seconds
            if name is None:
                other = next((one for one in names if one), "")
                seconds = noise * planted.late.get((other, where), planted.quiet)
                late = Lateness(100, seconds / 2, seconds, 2 * seconds, planted.hold.get(other, 1e-3))
                stints.append(Stint(100.0, order.seconds, 1e-3, 100.0, 0.0, delay))
            else:
                each = noise * planted.kept.get((name, where), 1.0) * order.seconds / self._made(call).call
                stints.append(Stint(each, order.seconds, order.seconds, 1.0, 0.0, delay))
        return Window(order.seconds, len(calls), tuple(stints)), late


Measure = Callable[..., Beside]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Measure:
    """Return a function that measures statements on that machine."""
    Machine(2, monkeypatch, tmp_path)
    monkeypatch.setattr(real, "load_by_others", lambda *_: 0.0)

    def measure(
        planted: Planted,
        *names: str,
        rounds: int | None = None,
        told: list[Progress] | None = None,
        labs: list[Neighbourhood] | None = None,
    ) -> Beside:
        made = {"python": PURE, "big": HOLDS, "zlib": Made(), "own": Made(), **LETTING_GO}
        lab = Neighbourhood(made, planted)
        runner = Runner(1, told.append if told is not None else None, clock=lab.clock)

        class Here(Course):
            def another(self, lab: Any, switch: float) -> Neighbourhood:
                assert switch == SHORTER
                quick = Neighbourhood(made, planted, "shorter")
                quick.other = lab
                return quick

        owns = {letter: own_statement(name, "pass") for letter, name in zip(LETTERS, names, strict=False)}
        Here(owns, rounds, 2, SWITCH, runner).measure(lab)
        if labs is not None:
            labs.append(lab)
        return Beside(runner.suite())

    return measure


HELD_LONG = Planted(
    kept={
        ("python", "threads"): 0.2, ("python", "shorter"): 0.02, ("python", "processes"): 0.99,
        ("big", "threads"): 0.8, ("big", "shorter"): 0.97,
    },
    late={("big", "threads"): 20e-3, ("python", "threads"): 5e-3},
    hold={"big": 20e-3, "python": 5.2e-3},
)  # fmt: skip


def test_what_was_planted_is_found_and_said(measured: Measure) -> None:
    found = measured(HELD_LONG, "python", "big")
    assert found.kept("A") == pytest.approx(0.2, abs=0.01)
    assert found.kept("A", "shorter") == pytest.approx(0.02, abs=0.01)
    assert found.late("B").nearly_all == pytest.approx(20e-3, rel=0.02)
    assert found.late().nearly_all == pytest.approx(8e-5, rel=0.02)
    assert found.sides["B"].hold == pytest.approx(20e-3)
    assert found.verdict.answer is Answer.RELEASE
    assert found.verdict.whom == "B"
    assert found.shorter_interval is Effect.HURTS
    text = " ".join(repr(found).split())
    assert (
        "A keeps 20 % of its throughput beside B on threads, 99 % in processes; B holds the GIL for 100 %, "
        "20 ms at a time" in text
    )
    assert "beside B it is 20 ms late (99 %), at most 40 ms: cut B into pieces of at most 5 ms, or" in text
    assert "beside A it is 5.0 ms late (99 %), at most 10 ms: put A into a process" in text
    assert "switch interval of 0.5 ms: hurts: A keeps 2 %, B keeps 97 %" in text
    assert text.endswith(
        "release the GIL in B, or put it into a process (one hold takes 20 ms): A keeps 20 % on threads, "
        "99 % in processes; B keeps 80 % on threads, 100 % in processes"
    )


def test_who_releases_is_kept_together(measured: Measure) -> None:
    found = measured(Planted(), "zlib", "python")
    assert found.verdict.answer is Answer.TOGETHER
    assert repr(found).splitlines()[-2].startswith("keep them together: A keeps 100 % on threads")


def test_one_statement_is_measured_beside_a_ticker(measured: Measure) -> None:
    planted = Planted(late={("python", "threads"): 5e-3, ("python", "shorter"): 5e-4}, hold={"python": 5e-3})
    found = measured(planted, "python")
    assert {case.kernel for case in found.results} == {"A", TICKER}
    assert found.verdict.answer is Answer.PROCESS
    assert found.verdict.processes
    assert found.shorter_interval is Effect.HELPS
    text = " ".join(repr(found).split())
    assert "switch interval of 0.5 ms: helps: an event loop is 0.50 ms late" in text
    assert text.endswith(
        "put A into a process, or set a switch interval of 0.5 ms: an event loop is 5.0 ms late beside A "
        "(99 %), 0.08 ms where that is in a process, 0.50 ms with that interval"
    )
    with pytest.raises(ValueError, match="there is no B: measured were A"):
        found.kept("B")
    with pytest.raises(ValueError, match="where must be one of threads, processes, shorter, not moon"):
        found.late("A", "moon")


@pytest.mark.parametrize(
    ("name", "latest", "hold", "answer"),
    [
        ("quarter", 19e-3, 20e-3, Answer.CUT),
        ("quarter", 24e-3, 20e-3, Answer.CUT),  # the ticker waits for its CPU, too
        ("quarter", 5.2e-3, 5.2e-3, Answer.PROCESS),  # Python code, which lets others in
        ("tenth", 5.9e-3, 5.9e-3, Answer.PROCESS),
        ("unequal", 49e-3, 49e-3, Answer.PROCESS),  # one of ten is long: what each takes is not known
        ("zlib", 1.7e-4, 2e-6, Answer.TOGETHER),  # a ticker is as late beside nothing
    ],
)
def test_one_hold_is_told_where_a_call_lets_go_by_itself(
    measured: Measure, name: str, latest: float, hold: float, answer: Answer
) -> None:
    # Most of the time the ticker sleeps for its millisecond, and meets nobody.
    found = measured(Planted(late={(name, "threads"): latest / 2}, hold={name: 1.06e-3}), name)
    assert found.sides["A"].hold == pytest.approx(hold, rel=0.03)
    assert found.verdict.answer is answer


def test_a_busy_machine_decides_nothing(measured: Measure) -> None:
    found = measured(Planted(HELD_LONG.kept, HELD_LONG.late, HELD_LONG.hold, busy=0.5), "python", "big")
    assert found.verdict.answer is Answer.OPEN
    assert found.shorter_interval is Effect.OPEN
    text = repr(found)
    assert "windows were disturbed by others and do not count" in text
    end = text[text.index("not decided: ") :]
    assert "the machine is too busy: 0 of " in " ".join(end.split())


def test_where_too_few_rounds_have_both_their_intervals_decide(
    measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(HELD_LONG, "python", "big")
    usual = Results.rounds
    place = {"threads": range(6), "processes": range(2, 8)}

    def some(self: Results, case: Case) -> Mapping[int, float]:
        kept = place.get(case.executor, range(8)) if case.variant == "beside-B" else range(8)
        return {id_: value for id_, value in usual(self, case).items() if id_ in kept}

    monkeypatch.setattr(Results, "rounds", some)
    ratio, threads, processes = found.sides["A"].to_processes, found.kept("A"), found.kept("A", "processes")
    assert ratio is not None
    assert (ratio.low, ratio.high) == (threads.low / processes.high, threads.high / processes.low)
    assert found.verdict.answer is Answer.RELEASE


def test_a_round_counts_for_both_or_for_none(measured: Measure) -> None:
    found = measured(HELD_LONG, "python", "big").results
    case = side("A", "B", "threads")
    assert found.rounds(case).keys() == found.rounds(side("B", "A", "threads")).keys()
    assert all(len(window.stints) == 1 for window in found.windows(case).values())
    lateness = found.fact(side(TICKER, "A", "threads"), facts.LATENESS)
    assert lateness is not None
    assert len(lateness) == len(found.every(side(TICKER, "A", "threads")))


@pytest.mark.parametrize("rounds", [None, 3, 20])
def test_rounds_are_spread_over_fresh_processes(rounds: int | None, measured: Measure) -> None:
    found = measured(HELD_LONG, "python", "big", rounds=rounds).results
    done = len(found.every(alone("A")))
    assert done == rounds or (rounds is None and done in WHEN_TO_LOOK)
    sets = found.fact(alone("A"), facts.GENERATIONS)
    assert sets is not None
    assert 2 <= len(sets) <= 3
    assert {len(found.every(case)) for case in found} == {done}


def test_a_statement_that_fails_is_said_once_and_the_other_stands(measured: Measure) -> None:
    found = measured(Planted(broken=("big",)), "python", "big")
    text = repr(found)
    assert text.count("failed B: it was planted") == text.count("planted") == 1
    assert found.verdict.answer is Answer.OPEN
    assert text.splitlines()[-1] == "not decided: B failed"
    assert found.late("A").nearly_all
    with pytest.raises(ValueError, match="B was not measured beside its neighbour on threads"):
        found.kept("B")


def test_a_place_that_fails_is_said_and_the_others_stand(measured: Measure) -> None:
    found = measured(Planted(HELD_LONG.kept, broken=("shorter",)), "python", "big")
    assert "failed A beside B, on threads, interval 0.5 ms: shorter was planted" in repr(found)
    assert found.kept("A") < 0.3
    assert found.shorter_interval is Effect.OPEN


@pytest.mark.parametrize("names", [("python",), ("python", "big"), ("zlib", "python")])
@pytest.mark.parametrize("rounds", [None, 30])
def test_the_time_left_is_true(names: tuple[str, ...], rounds: int | None, measured: Measure) -> None:
    told: list[Progress] = []
    labs: list[Neighbourhood] = []
    measured(HELD_LONG, *names, rounds=rounds, told=told, labs=labs)
    end = labs[0].now
    for part in (0.25, 0.5):
        step = next(step for step in told if step.done >= part * end)
        assert step.left == pytest.approx(end - step.done, rel=1 / 3)


def test_the_report_fits_80_columns(measured: Measure) -> None:
    text = plain(measured(HELD_LONG, "python", "big"))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


# The real thing.


def test_a_run_is_kept_and_shown_again(tmp_path: Path) -> None:
    path = str(tmp_path / "r.json")
    with leaving_nothing():
        done = gilkit("beside", "-s", "x = 5", "x + 1", "sum(range(100))", "--rounds", "1", "-o", path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "A  x + 1" in lines
    assert "B  sum(range(100))" in lines
    assert answered("show", path).stdout == done.stdout
    found = package.load(path)
    assert isinstance(found, Beside)
    assert repr(found) == done.stdout.rstrip()
    assert found.kept("A") > 0
    assert found.late("A").most >= found.late("A").nearly_all >= found.late("A").usual > 0
    said = json.loads(answered("show", path, "--json").stdout)
    assert said["kind"] == "beside"
    assert [one["statement"] for one in said["sides"]] == ["x + 1", "sum(range(100))"]
    assert found.results.facts["gilkit_shorter"] == pytest.approx(SWITCHING / 10)


@pytest.mark.usefixtures("hasty")
def test_faults_are_rows() -> None:
    done = answered("beside", "import os; os._exit(3)", "pass", "--rounds", "1")
    assert done.returncode == 1
    assert "failed A: a worker process exited with status 3" in done.stdout
    hung = answered("beside", "import time; time.sleep(60)", "--rounds", "1", "--timeout", "1")
    assert hung.returncode == 1
    assert "no answer within 1 s" in hung.stderr + hung.stdout


def test_bad_input_is_one_line() -> None:
    refused(answered("beside", "1", "2", "3"), "one statement or two, not 3")
    refused(answered("beside", "1 +", "2"), "the statement is not Python")
    refused(answered("beside", "1", "-s", "1 +"), "SETUP is not Python")


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="POSIX signals")
def test_an_interrupt_keeps_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    words = ("-s", "from time import sleep", "sleep(1e-3)")
    with started("beside", *words, "--rounds", "60", "-o", str(path)) as process:
        assert seen(lambda: path.exists() or process.poll() is not None)
        out, err = interrupted(process)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "gilkit: interrupted"
    assert "A  sleep(1e-3)" in out
    assert package.load(path).late("A")
