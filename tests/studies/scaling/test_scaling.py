"""`gilkit scaling`: made-up times are sorted and drawn, and real workers are started and joined."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from command import answered, ended, gilkit, interrupted, leaving_nothing, refused, seen, started
from pictures import needs_pictures

import gilkit as package
from gilkit import machine
from gilkit.arguments import worker_counts
from gilkit.engine.pools import Lab
from gilkit.engine.runner import MOST_ROUNDS, Runner, exactly, within
from gilkit.errors import CaseFailedError
from gilkit.kernels import KERNELS
from gilkit.results.case import Case, Record
from gilkit.results.file import build
from gilkit.results.loading import load
from gilkit.results.stats import FEWEST_ROUNDS, Estimate
from gilkit.studies.scaling import _classic_program as program
from gilkit.studies.scaling import columns, fresh_workers, study
from gilkit.studies.scaling.columns import COLUMNS, Column
from gilkit.studies.scaling.study import LEAST_WORK, TIME, USUAL_WORK, Course, Scaling, usual_work
from gilkit.studies.scaling.table import picture

SHOWN = (Path(__file__).parents[3] / "docs" / "outputs" / "scaling.txt").read_text("utf-8")
SHORT = ("--work", "0.01", "--workers", "1,2")
here = [name for name, column in COLUMNS.items() if not study.missing(column)]
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def made_up(
    seconds: Callable[[Column, int], list[float]], counts: tuple[int, ...] = (1, 2, 4), cpus: int = 2
) -> Scaling:
    """An outcome with the times that a function gives."""
    records = [
        Record(column.case(count), seconds(column, count)) for column in COLUMNS.values() for count in counts
    ]
    facts: dict[str, str | int | float] = {
        "gilkit_kind": "scaling",
        "gilkit_cpus": cpus,
        "gilkit_counts": json.dumps(counts),
        "gilkit_work": 0.1,
        "gilkit_method": "forkserver",
    }
    return Scaling(build(records, facts, {}))


def ideal(column: Column, workers: int) -> list[float]:
    """What two CPUs that nobody else uses would take, in six rounds that differ a little."""
    return [0.1 * column.turns(workers, 2) * noise for noise in (0.99, 1.0, 1.01, 1.0, 1.02, 1.0)]


def left_of(process: psutil.Process) -> list[psutil.Process]:
    """The processes that a process has started, and those have."""
    return [child for child in process.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]


# Which columns stay flat.


def test_columns_are_sorted_by_what_their_intervals_say() -> None:
    found = columns.growth(made_up(ideal).results, 2)
    assert set(found.flat) == set(COLUMNS) - {"CpuThread", "gil"}
    assert set(found.growing) == {"CpuThread", "gil"}
    assert found.growing["gil"] == pytest.approx(2.0)
    found = columns.growth(made_up(ideal).results, 4)
    assert set(found.flat) == {"IoThread", "IoProcess"}
    assert not found.undecided


def test_what_an_interval_does_not_decide_is_undecided() -> None:
    def noisy(_: Column, workers: int) -> list[float]:
        return [0.1] * 6 if workers == 1 else [0.1, 0.13, 0.2] * 2

    assert set(columns.growth(made_up(noisy).results, 2).undecided) == set(COLUMNS)
    one = made_up(lambda _, workers: [0.1 * workers])  # one round has no interval
    assert set(columns.growth(one.results, 2).undecided) == set(COLUMNS)
    assert "2 workers on 2 CPUs: undecided CpuThread 2.00, " in repr(one)
    text = " ".join(repr(one).split())
    assert "±" not in text
    assert "a–b" not in text
    two = made_up(lambda _, workers: [0.1 * workers, 0.1 * workers**2])
    text = " ".join(repr(two).split())
    assert "±" not in text
    assert f"a–b: the range where fewer than {FEWEST_ROUNDS} rounds count, which decide nothing" in text


def test_the_report_says_it_of_the_cpus_and_of_the_most() -> None:
    text = " ".join(repr(made_up(ideal)).split())
    assert re.search(r"2 workers on 2 CPUs: flat CpuProcess 1\.00±\.\d+, .*; growing CpuThread 2\.00±", text)
    assert re.search(r"4 workers on 2 CPUs: flat IoThread 1\.00±\.\d+, IoProcess .*; growing CpuThread", text)
    assert "flat: all of it up to 1.25" in text
    assert "undecided" not in text
    assert "±" not in repr(made_up(ideal, (2,)))  # nothing to compare with


def test_the_table_is_that_of_the_well_known_script_and_more() -> None:
    lines = repr(made_up(ideal)).splitlines()
    (heading,) = (line.split() for line in lines if line.startswith("nthreads"))
    assert heading == ["nthreads", *COLUMNS]
    assert heading[:5] == ["nthreads", "CpuThread", "CpuProcess", "IoThread", "IoProcess"]
    assert ["4", *(f"{0.1 * c.turns(4, 2):.4f}" for c in COLUMNS.values())] in [x.split() for x in lines]
    assert max(map(len, lines)) <= 80


def test_the_picture() -> None:
    def curve(*seconds: float) -> dict[int, Estimate]:
        return {count: Estimate(value) for count, value in zip((1, 2, 4), seconds, strict=True)}

    found = {"CpuThread": curve(1, 2, 4), "IoThread": curve(1, 1, 1), "native": curve(1, 1, 2)}
    lines = [line.plain for line in picture(found, [1, 2, 4], wide=31, high=9)]
    assert "\n".join(lines) == PICTURE
    assert picture(found, [1]) == []
    assert picture({}, [1, 2]) == []


PICTURE = """
     4 ┤                              T
       ┤                        T  T
       ┤                  T  T
       ┤               T
       ┤         T  T             o  o
       ┤   T  T          o  o  o
       ┤Tto to to to to t  t  t  t  t
       ┤
     0 ┤
       └┬─────────┬───────────────────┬
        1         2                   4
""".strip("\n")


@pytest.mark.parametrize("cpus", [4, 16, 64])
def test_the_report_is_as_wide_as_a_screen_on_any_machine(cpus: int) -> None:
    chance = random.Random(1)

    def seconds(column: Column, workers: int) -> list[float]:
        return [column.turns(workers, cpus) * chance.gauss(1.0, 0.2) for _ in range(6)]

    text = repr(made_up(seconds, worker_counts(cpus), cpus))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert f"{cpus} workers on {cpus} CPUs: " in text
    assert f"{2 * cpus} workers on {cpus} CPUs: " in text


def test_signs_and_cases_are_distinct() -> None:
    assert len({column.sign for column in COLUMNS.values()}) == len(COLUMNS)
    assert all(len(column.sign) == 1 for column in COLUMNS.values())
    cases = [column.case(count) for column in COLUMNS.values() for count in (1, 2)]
    assert len(set(cases)) == len(cases)
    assert all(Case.parse(case.name) == case for case in cases)


def test_what_the_site_shows_is_from_a_real_run_and_still_measured() -> None:
    assert SHOWN.startswith("$ gilkit scaling\n")
    names = re.findall(r"^nthreads +(.*)$", SHOWN, re.M)[0].split()
    cells = re.findall(r"^1 +(\S.*)$", SHOWN, re.M)[0].split()
    (legend,) = re.findall(r"^T CpuThread  .*$", SHOWN, re.M)
    assert names
    for name, cell in zip(names, cells, strict=True):  # what is new may be missing until it is made again
        assert re.fullmatch(r"\d\.\d{4}|–", cell)
        assert (f"{COLUMNS[name].sign} {name}" in legend.split("  ")) == (cell != "–")


# What is planned.


class Clock:
    """A lab and a clock: every case takes as long as it is told."""

    def __init__(self, length: float, failing: Case | None = None) -> None:
        self.now = 0.0
        self.length = length
        self.failing = failing
        self.asked: list[Case] = []

    def __call__(self) -> float:
        return self.now

    def call(self, function: object, kernel: str, variant: str, _: float, workers: int = 0) -> float:
        if function is fresh_workers.fitting:
            return 1000
        executor = next(name for name, crew in fresh_workers.CREWS.items() if crew is function)
        case = Case(kernel, variant, executor, workers)
        self.asked.append(case)
        if case == self.failing:
            raise CaseFailedError("it was planted")
        self.now += self.length
        return self.length


def carried_out(clock: Clock, rounds: int | None = None, seed: int = 1) -> Scaling:
    rule = within(TIME) if rounds is None else exactly(rounds)
    experiment = Course([1, 2], 0.1, rule, Runner(seed, clock=clock))
    experiment.measure(clock)  # type: ignore[arg-type]
    return Scaling(experiment.runner.suite())


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load of this machine is of no interest to a clock that is told what to say."""
    monkeypatch.setattr(study.machine, "load_by_others", lambda *_: 0.0)


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize(("length", "rounds"), [(TIME, FEWEST_ROUNDS), (TIME / 8.5, 8), (1e-6, MOST_ROUNDS)])
def test_as_many_rounds_as_fit(length: float, rounds: int) -> None:
    found = carried_out(Clock(length / (2 * len(here))))
    assert {len(found.results.values(case)) for case in found.results} == {rounds}


@pytest.mark.usefixtures("calm")
def test_rounds_are_interleaved_in_an_order_of_the_seed() -> None:
    orders = []
    for _ in range(2):
        clock = Clock(0.1)
        carried_out(clock, rounds=4, seed=7)
        orders.append(clock.asked)
    each = 2 * len(here)
    rounds = [orders[0][i : i + each] for i in range(0, len(orders[0]), each)]
    assert len(rounds) == 4
    assert all(set(one) == set(rounds[0]) for one in rounds)
    assert len({tuple(one) for one in rounds}) == 4
    assert orders[0] == orders[1]


@pytest.mark.usefixtures("calm")
def test_a_case_that_fails_is_a_dash_and_the_others_stand() -> None:
    found = carried_out(Clock(0.1, COLUMNS["gil"].case(2)), rounds=3)
    text = repr(found)
    row = next(line.split() for line in text.splitlines() if re.match(r"2 +[\d–]", line))
    assert row[1 + list(COLUMNS).index("gil")] == "–"
    assert row[1] == "0.1000"
    assert "failed gil at 2: it was planted" in text
    assert found.seconds("gil", 1) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="lcg/gil/threads/2 failed: it was planted"):
        found.seconds("gil", 2)


def test_less_work_where_there_are_many_cpus() -> None:
    assert usual_work(worker_counts(2), 2) == USUAL_WORK
    many = usual_work(worker_counts(16), 16)
    assert LEAST_WORK < many < USUAL_WORK
    assert usual_work(worker_counts(512), 512) == LEAST_WORK


# Real workers.


@pytest.mark.parametrize("n", [0, 1, 2, 1000, 20_000])
def test_the_program_computes_what_the_kernel_does(n: int) -> None:
    assert program.lcg(n) == KERNELS["lcg"].python(n)


def test_the_program_imports_nothing_of_gilkit() -> None:
    code = (
        f"import runpy, sys; runpy.run_path({program.__file__!r}); "
        "print([name for name in sys.modules if name.split('.')[0] in ('gilkit', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if column.kernel == "sleep"])
def test_starting_waiting_and_joining_counts(name: str) -> None:
    column = COLUMNS[name]
    if reason := study.missing(column):
        pytest.skip(reason)
    begin = time.perf_counter()
    seconds = fresh_workers.CREWS[column.executor](column.kernel, column.variant, 50_000, 3)
    assert 0.05 <= seconds <= time.perf_counter() - begin


def test_every_column_runs() -> None:
    with Lab(1, 60.0) as lab:
        for name in here:
            column = COLUMNS[name]
            crew = fresh_workers.CREWS[column.executor]
            assert 0 < lab.call(crew, column.kernel, column.variant, 1000, 2) < 60


def test_an_interpreter_that_prints_when_it_starts_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert fresh_workers.on_processes("sleep", "python", 1000, 1) > 0


def test_a_thread_that_cannot_start_leaves_no_other() -> None:
    ended = threading.Event()

    def task() -> None:
        time.sleep(0.05)
        ended.set()

    twice = threading.Thread(target=task)
    with pytest.raises(RuntimeError, match="started"):
        program.elapsed([twice, twice])
    assert ended.is_set()


@posix
@pytest.mark.skipif(fresh_workers.start_method() != "forkserver", reason="the test knows who is whose child")
def test_a_process_that_is_killed_is_said() -> None:
    errors: list[str] = []
    before = psutil.Process().children()

    def run() -> None:
        with pytest.raises(CaseFailedError) as caught:
            fresh_workers.on_processes("sleep", "python", 30_000_000, 2)
        errors.append(str(caught.value))

    def workers() -> list[psutil.Process]:
        """Those that have been there for a while: one ends at once, and starts the server."""
        scripts = [child for child in psutil.Process().children() if child not in before]
        deep = [p for child in scripts for server in child.children() for p in server.children()]
        return [p for p in deep if time.time() - p.create_time() > 0.5]

    thread = threading.Thread(target=run)
    thread.start()
    assert seen(lambda: len(workers()) == 2, 60)
    for process in workers():
        process.kill()
    thread.join(60)
    assert errors == ["no time was measured: one of 2 processes ended with status -9"]
    assert set(psutil.Process().children()) <= set(before)


def test_a_program_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_workers, "start_method", lambda: "thaw")
    with pytest.raises(CaseFailedError, match="ValueError: cannot find context for 'thaw'"):
        fresh_workers.on_processes("sleep", "python", 1, 1)


# The whole.


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One short round of everything."""
    path = tmp_path_factory.mktemp("scaling") / "scaling.json"
    return gilkit("scaling", *SHORT, "--rounds", "1", "--seed", "7", "-o", str(path)), path


def test_all_of_it(measured: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, path = measured
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert f"start by {fresh_workers.start_method()}" in " ".join(done.stdout.split())
    found = package.load(path)
    assert isinstance(found, Scaling)
    assert found.workers == [1, 2]
    assert found.results.facts["gilkit_seed"] == 7
    assert found.results.facts["gilkit_work"] == 0.01
    assert sorted(found.missing) == sorted(set(COLUMNS) - set(here))
    for count in (1, 2):
        row = next(line.split() for line in lines if re.match(rf"{count} +[\d–]", line))
        cells = [f"{found.seconds(name, count):.4f}" if name in here else "–" for name in COLUMNS]
        assert row == [str(count), *cells]
    for name in ("IoThread", "IoProcess"):
        assert name not in here or found.seconds(name, 2) >= 0.01
    assert answered("show", str(path)).stdout == done.stdout


def test_the_same_from_python() -> None:
    found = package.scaling(work=0.001, workers=1, rounds=2, seed=1)
    assert isinstance(found, package.Scaling)
    assert found.seconds("IoThread", 1) >= 0.001
    assert found.growth("IoThread") == 1.0
    with pytest.raises(ValueError, match="unknown column 'nonsense': known are CpuThread, "):
        found.seconds("nonsense", 1)
    with pytest.raises(ValueError, match="2 workers were not measured; measured were 1"):
        found.growth("IoThread", 2)
    with pytest.raises(TypeError, match="work must be a number of seconds, not str"):
        package.scaling(work="1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--work", "0"], "work must be from 0.001 to 10 seconds, not 0"),
        (["--work", "nan"], "work must be from 0.001 to 10 seconds, not nan"),
        (["--work", "11"], "work must be from 0.001 to 10 seconds, not 11"),
        (["--workers", "0"], "'0' is not a list of worker counts"),
        (["--workers", "1025"], "workers must be at most 1024, not 1025"),
        (["--rounds", "0"], "'--rounds'"),
        (["-o", "/nowhere/at/all.json"], "cannot write to /nowhere/at/all.json"),
        (["--plot", "curves.pdf"], "a plot must end in .svg, .png or .html, not curves.pdf"),
        (["extra"], "unexpected extra argument"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(answered("scaling", *arguments), message)


# The plot.


@needs_pictures
def test_a_file_is_drawn_again(
    measured: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    done, path = measured
    shown = answered("show", str(path), "--plot", str(tmp_path / "curves.svg"))
    assert shown.stdout == done.stdout
    drawn = (tmp_path / "curves.svg").read_text("utf-8")
    assert all(f">{name}</text>" in drawn for name in here)
    same = str(tmp_path / "same.svg")
    refused(answered("scaling", "--plot", same, "-o", same), "--plot and --output must be two files")
    refused(answered("scaling", "-o", same, "--plot", same), "--plot and --output must be two files")
    refused(answered("scaling", "--plot", "/nowhere/at/all.svg"), "cannot write to /nowhere/at/all.svg")


# Nothing is left.

STOPPED = """
import pathlib
from gilkit.cli.main import main
from gilkit.engine.runner import Runner
before = Runner.say
def say(self, label, *seconds):
    if label.startswith("round 2 "):
        pathlib.Path("second-round").touch()
    before(self, label, *seconds)
Runner.say = say
main()
"""


@posix
def test_an_interrupt_keeps_what_was_measured_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scaling.json"
    arguments = ["scaling", *SHORT, "--rounds", "1000", "-o", str(path)]
    with leaving_nothing(), started(*arguments, start=("-c", STOPPED), cwd=tmp_path) as process:
        assert seen((tmp_path / "second-round").exists)
        stdout, stderr = interrupted(process)
    assert process.returncode == 130, stderr
    assert stderr.strip() == "gilkit: interrupted"
    assert "CpuThread" in stdout
    found = package.load(path)
    assert len({len(found.results.values(case)) for case in found.results}) == 1  # whole rounds


@posix
@pytest.mark.skipif("IoProcess" not in here, reason="no processes")
def test_processes_end_with_whoever_started_them() -> None:
    code = (
        "from gilkit.studies.scaling.fresh_workers import on_processes; "
        "on_processes('sleep', 'python', 600_000_000, 3)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    parent = psutil.Process(process.pid)
    assert seen(lambda: len(left_of(parent)) >= 4, 60)
    time.sleep(0.5)  # the workers are there now, or they start still: both must end
    begun = left_of(parent)
    process.kill()
    process.wait()
    assert ended(begun)


def test_the_machine_facts_are_there(measured: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    run = load(measured[1]).facts
    assert run["gilkit_kind"] == "scaling"
    assert run["gilkit_cpus"] == machine.usable_cpus()
    assert run["gilkit_method"] == fresh_workers.start_method()
