"""`gilkit threshold`: a planted threshold is found, on a made-up clock and on real threads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from command import answered, refused

import gilkit as package
from gilkit.display.tables import plain
from gilkit.engine.calibration import Pace
from gilkit.engine.runner import Runner
from gilkit.engine.worker import Order
from gilkit.errors import CaseFailedError
from gilkit.gil.turned_on import GilState
from gilkit.results.file import Results
from gilkit.results.windows import Stint, Window
from gilkit.studies.threshold import study
from gilkit.studies.threshold.contest import swept
from gilkit.studies.threshold.crossing import HOLDING, OWN, Crossing, points
from gilkit.studies.threshold.study import Contest, Course, Threshold
from gilkit.studies.threshold.table import picture, table
from gilkit.workloads.workload import KernelCall, Workload

pytestmark = pytest.mark.usefixtures("hasty")

PLANTED = 5000  # the size from which the made-up kernel lets others run


class Machine:
    """A lab on a clock of its own, with two CPUs: a call takes 1 ns a size, and releasing 100 ns more.

    From `PLANTED` on threads run at once; below, each waits for the others.
    """

    def __init__(self, failing: int | None = None, slow: float = 1.0, busy: bool = False) -> None:
        self.now = 0.0
        self.failing = failing
        self.slow = slow
        self.delay = 0.5 if busy else 0.0  # the share of every window that others take from each worker
        self.asked: list[tuple[str, int, str, int]] = []

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def clock(self) -> float:
        return self.now

    most = 4

    def gil(self, *_: object) -> GilState:
        return GilState(True)

    def pace(self, _: str, workload: KernelCall) -> Pace:
        if workload.size == self.failing:
            raise CaseFailedError("it was planted")
        return Pace(self.call(workload), 1.0)

    def call(self, workload: KernelCall) -> float:
        return workload.size * 1e-9 + (100e-9 if workload.variant == "nogil" else 0.0)

    def window(self, executor: str, workload: KernelCall, workers: int, order: Order) -> Window:
        size = workload.size
        self.asked.append((workload.variant, size, executor, workers))
        released = workload.variant != HOLDING and size >= PLANTED
        turns = max(1.0, workers / 2) if released else workers
        self.now += self.slow * order.seconds
        calls, delay = order.seconds / self.call(workload) / turns, self.delay * order.seconds
        stint = Stint(calls, order.seconds, order.seconds, 0.0, 0.0, delay)
        return Window(order.seconds, workers, (stint,) * workers)


def searched(
    machine: Machine,
    beaten: str,
    smallest: int,
    largest: int,
    rounds: int | None = None,
    counts: Sequence[int] = (),
) -> Threshold:
    """The whole search on that machine."""

    def workload(variant: str, size: int) -> Workload:
        return KernelCall("lcg", variant, size)

    contest = Contest("planted", beaten, workload, smallest, largest, "n", {})
    counts = list(counts or ([2, 4] if beaten == OWN else [1, 2, 4]))
    runner = Runner(1, clock=machine.clock)
    Course(contest, counts, rounds, 2, runner).measure(machine)  # type: ignore[arg-type]
    return Threshold(runner.suite())


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load of this machine is of no interest to a clock that is told what to say."""
    monkeypatch.setattr(study.machine, "load_by_others", lambda *_: 0.0)


@pytest.mark.parametrize("beaten", [HOLDING, OWN])
def test_a_planted_threshold_is_found_exactly(beaten: str) -> None:
    found = searched(Machine(), beaten, 1, 10**6)
    for count in (2, 4):
        bracket = found.crossing(count)
        assert bracket.low is not None
        assert bracket.high is not None
        assert bracket.low < PLANTED <= bracket.high <= 1.05 * bracket.low
    if beaten == HOLDING:
        assert found.crossing(1).high is None  # nobody waits: releasing wins nothing
        assert "releasing costs 100 ns" in repr(found)
    with pytest.raises(ValueError, match=f"3 workers were not measured; measured were {found.workers[0]}, "):
        found.crossing(3)


@pytest.mark.parametrize("beaten", [HOLDING, OWN])
def test_the_report_is_as_wide_as_a_screen_for_many_workers(beaten: str) -> None:
    text = plain(table(searched(Machine(), beaten, 1, 10**9, counts=[4, 16, 64, 128]).results))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert [line.split()[0] for line in text.splitlines() if re.match(r"\d+  ", line)][:4] == [
        "4",
        "16",
        "64",
        "128",
    ]


def test_every_size_is_measured_once_and_the_ends_are() -> None:
    machine = Machine()
    found = searched(machine, HOLDING, 3, 70_000)
    sizes = [point.size for point in found.points(2)]
    assert sizes == sorted(set(sizes))
    assert set(sizes) >= {3, 12, 48, 192, 768, 3072, 12_288, 49_152, 70_000}
    assert swept(5, 6) == [5, 6]


def test_time_that_is_up_is_said() -> None:
    found = searched(Machine(slow=3000), HOLDING, 1, 10**6)
    assert "after 60 s no further size was measured" in repr(found)
    assert found.points(2)


def test_a_size_that_fails_is_said_and_the_others_stand() -> None:
    found = searched(Machine(failing=64), HOLDING, 1, 10**6)
    assert 64 not in [point.size for point in found.points(2)]
    assert found.crossing(2).high is not None
    assert "failed at 64 n: it was planted" in repr(found)


@pytest.mark.parametrize("beaten", [HOLDING, OWN])
def test_a_busy_machine_decides_nothing(beaten: str) -> None:
    found = searched(Machine(busy=True), beaten, 1, 10**6)
    assert found.points(2) == []
    assert found.crossing(2) == Crossing(None, None)
    assert {len(found.results.values(case)) for case in found.results} == {3 * study.ROUNDS}
    text = repr(found)
    assert re.search(r"^2 +not decided +– +– +–$", text, re.MULTILINE)
    assert "100% of the windows were disturbed" in text
    assert "not decided: it takes 6 rounds that count at a size" in text


def test_fewer_than_six_rounds_decide_nothing() -> None:
    found = searched(Machine(), HOLDING, 1, 10**6, rounds=5)
    assert found.crossing(2) == Crossing(None, None)
    assert "not decided" in repr(found)


def test_more_rounds_where_they_may_decide_and_as_many_as_asked() -> None:
    found = searched(Machine(), HOLDING, 1, 100, rounds=2)
    assert {len(found.results.values(case)) for case in found.results} == {2}
    found = searched(Machine(), HOLDING, 1, 100)
    assert {len(found.results.values(case)) for case in found.results} == {study.ROUNDS}


def test_the_picture_shows_where_it_rises() -> None:
    found = searched(Machine(), OWN, 100, 10**6)
    lines = [line.plain for line in picture(found.points(2), columns=41, rows=5)]
    dots = sorted(
        (x, -y) for y, line in enumerate(lines[:5]) for x, sign in enumerate(line[9:]) if sign == "●"
    )
    heights = [y for _, y in dots]
    assert set(heights) == {-4, 0}
    assert heights == sorted(heights)  # low on the left, high on the right
    assert lines[0].startswith("   2.00 ┤")
    assert lines[4].startswith("   1.00 ┤")
    assert lines[-1].split() == ["100", "1,000,000"]


def test_a_file_holds_everything_that_is_printed(tmp_path: Path) -> None:
    found = searched(Machine(), HOLDING, 1, 10**6)
    found.save(tmp_path / "found.json")
    done = answered("show", str(tmp_path / "found.json"))
    assert done.stdout.rstrip() == repr(found).rstrip()
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_kernel_from_the_command_line() -> None:
    done = answered("threshold", "crc32", "--sizes", "64:256", "--workers", "1,2", "--rounds", "2")
    assert done.returncode == 0, done.stderr
    assert "From which size on does its nogil version beat its gil version?" in done.stdout
    assert re.findall(r"^(\d)  ", done.stdout, re.M) == ["1", "2"]
    assert "sizes in bytes" in done.stdout
    # Two rounds decide nothing, and neither counts where others are busy.
    assert re.findall(r"^\d +(not decided)", done.stdout, re.M) == ["not decided"] * 2
    assert re.search("Where nobody waits, releasing costs |windows were disturbed", done.stdout)


@pytest.mark.parametrize(
    ("setup", "statement"),
    [
        ("d = bytes(n)", "sum(d)"),
        ("def of():\n    return [n for _ in range(9)]", "of()"),
        ("x = 1", "[n for _ in '9']"),
    ],
    ids=["setup", "function", "inner"],
)
def test_n_may_be_used_anywhere(setup: str, statement: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    options = ["--sizes", "10:40", "--workers", "2", "--rounds", "1", "-o", str(path)]
    done = answered("threshold", "-s", setup, statement, *options)
    assert done.returncode == 0, done.stderr
    assert {case.kernel.rpartition("@")[2] for case in package.load(path).results} == {"10", "40"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "unknown kernel 'nothing': known are lcg, "),
        (["objects"], "objects has no nogil version to compare: "),
        (["lcg", "--sizes", "9:4"], "sizes must rise: 9 is not smaller than 4"),
        (
            ["lcg", "--sizes", "0:4"],
            "sizes must be two integers of at least 1, the smallest and the largest, not",
        ),
        (["lcg", "--sizes", "4"], "'4' is not two sizes, such as 64:1048576"),
        (["lcg", "--sizes", f"1:{2**50}"], "sizes must be at most "),
        (["-s", "x = 1", "x + n"], "a statement needs --sizes A:B"),
        (["-s", "x = 1", "x", "--sizes", "1:9"], "neither the statement nor its setup uses n"),
        (["-s", "x = 1", "x +", "--sizes", "1:9"], "the statement is not Python: invalid syntax"),
        (
            ["-s", "x = 1", "x + n", "--sizes", "1:9", "--workers", "1"],
            "workers must name a count of 2 or more",
        ),
        (["lcg", "-o", "/nowhere/at/all.json"], "cannot write to /nowhere/at/all.json"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(answered("threshold", *arguments), message)


def test_a_statement_that_fails_is_said_once() -> None:
    done = answered("threshold", "1 // (n - n)", "--sizes", "1:64")
    assert done.returncode == 1
    assert done.stderr == "gilkit: nothing was measured\n"
    assert re.fullmatch(r"failed: ZeroDivisionError: .* by zero\n", done.stdout)


def test_from_python() -> None:
    found = package.threshold("lcg", sizes=(1, 4), workers=[1, 2], rounds=6)
    assert found.workers == [1, 2]
    assert {case.kernel for case in found.results} == {"lcg@1", "lcg@4"}
    assert {point.size for point in found.points(1)} <= {1, 4}  # others may disturb all rounds of a size
    assert points(found.results, 1) == found.points(1)
    assert repr(found) == plain(table(found.results))
    assert isinstance(found.results, Results)
    with pytest.raises(TypeError, match="give a kernel or a statement"):
        package.threshold()
    with pytest.raises(TypeError, match="give a kernel or a statement"):
        package.threshold("lcg", stmt="n")
    with pytest.raises(TypeError, match="sizes must be two integers"):
        package.threshold("lcg", sizes=(1.5, 2))  # type: ignore[arg-type]
