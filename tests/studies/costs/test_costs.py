"""`gilkit costs`: the registry, the probes, the table, and what goes wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import pytest
from command import answered, gilkit, interrupted, leaving_nothing, refused, seen, started
from hasty import HURRIED
from quiet import needs_gil

import gilkit as package
from gilkit import machine
from gilkit._ext import _costs
from gilkit.arguments import worker_counts
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.runner import MOST_ROUNDS, Rule, Runner, exactly, within
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.loading import load
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.costs import _start_program, constants, probes
from gilkit.studies.costs.constants import CONSTANTS, GROUPS, Constant
from gilkit.studies.costs.study import Costs, Course, costs

pytestmark = pytest.mark.usefixtures("hasty")

here = [constant for constant in CONSTANTS.values() if not constant.missing()]
SMALL = ["start-thread", "submit-serial", "pickle-1kB"]
SHOWN = (Path(__file__).parents[3] / "docs" / "outputs" / "costs.txt").read_text("utf-8")


LESS = f"""{HURRIED}
from dataclasses import replace
from gilkit.cli.main import main
from gilkit.studies.costs.constants import CONSTANTS
for name, constant in CONSTANTS.items():
    CONSTANTS[name] = replace(constant, loops=min(constant.loops, 2))
    if name.endswith("-64MB"):
        probe = CONSTANTS[name.replace("64", "1")].probe
        CONSTANTS[name] = replace(constant, probe=lambda *given, probe=probe: 64 * probe(*given))
"""  # every probe is run with all that it takes by a test of its own


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(1, 60.0) as lab:
        yield lab


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """All constants, measured by the command line in as few rounds as have an interval."""
    path = tmp_path_factory.mktemp("costs") / "costs.json"
    blocks = shared_blocks()
    with leaving_nothing():
        words = ("costs", "--rounds", str(FEWEST_ROUNDS), "--seed", "7", "-o", str(path))
        done = gilkit(*words, start=("-c", LESS + "main()"))
    assert none_left(blocks)
    return done, path


def shared_blocks() -> set[str]:
    """The blocks of shared memory that Python made, where the system lists them."""
    return {path.name for path in probes.SHARED_MEMORY.glob("psm_*")}


def none_left(before: set[str]) -> bool:
    """Whether all blocks but those go soon: tests that run beside this one may have some for a while."""
    begun = shared_blocks() - before
    return seen(lambda: not begun & shared_blocks())


def test_the_registry_is_complete_and_consistent() -> None:
    assert {constant.group for constant in CONSTANTS.values()} == set(GROUPS)
    assert {name.removeprefix("submit-") for name in CONSTANTS if name.startswith("submit-")} == {
        name for name, kind in EXECUTORS.items() if not kind.native
    }
    for name, constant in CONSTANTS.items():
        assert name == constant.name
        assert re.fullmatch(r"[a-z]+(-\w+)*", name), name
        assert constant.about
        assert ("{n}" in constant.label) == constant.crowded
    labels = [(constant.group, constant.label) for constant in CONSTANTS.values()]
    assert len(set(labels)) == len(labels)
    cases = [case for constant in CONSTANTS.values() for case in constant.cases([1, 2, 4])]
    assert len(set(cases)) == len(cases)
    assert all(Case.parse(case.name) == case for case in cases)


def test_constants_are_chosen_by_name_and_by_group() -> None:
    usual = [constant for constant in CONSTANTS.values() if EXECUTORS[constant.executor].usual]
    assert constants.chosen(None) == usual
    chosen = constants.chosen(["start-thread", "gil"])
    assert chosen == [c for c in CONSTANTS.values() if c.name == "start-thread" or c.group == "gil"]
    assert {"release", "contended", "start-thread"} <= {c.name for c in chosen}
    assert [c.name for c in constants.chosen("release")] == ["release"]


@pytest.mark.parametrize("constant", here, ids=lambda constant: constant.name)
def test_every_probe_measures(constant: Constant, lab: Lab) -> None:
    for case in constant.cases([2, 3]):
        for attempt in range(5):  # a busy machine may keep hand-overs from happening
            try:
                assert 0 < constant.probe(lab, case.workers, 2 if constant.nbytes < 10**7 else 1) < 60
                break
            except CaseFailedError as error:
                if "too busy" not in str(error) or attempt == 4:
                    raise


def test_what_the_site_shows_is_from_a_real_run_and_still_measured() -> None:
    assert SHOWN.startswith("$ gilkit costs\n")
    rows = re.findall(r"^  (\S.*?) +(?:[\d.]+ (?:s|ms|µs|ns) .*|–)$", SHOWN, re.M)
    assert rows
    labels = [re.escape(constant.label) for constant in CONSTANTS.values()]
    known = "|".join(label.replace(re.escape("{n}"), r"\d+") for label in labels)
    for row in rows:  # what is new may be missing until the outputs are made again
        assert re.fullmatch(known, row), row


# The compiled probes.


def on_threads(run: Callable[[int], None], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, range(workers)))


@needs_gil
def test_releasing_lets_another_thread_run() -> None:
    """A thread that never gives the GIL up by itself is joined by another: the release is a real one."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(os.getpid)
            calls, until = 0, time.perf_counter() + 60
            while not future.done() and time.perf_counter() < until:
                _costs.release(1000)
                calls += 1
            assert future.done()
    finally:
        sys.setswitchinterval(interval)
    with_it, without = _costs.release(10_000)
    assert with_it > 0
    assert without > 0


@needs_gil
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_contest_makes_as_many_calls_as_it_was_told(workers: int) -> None:
    contest = _costs.Contention(workers, 5000)
    on_threads(contest.run, workers)
    assert len(contest.calls()) == workers
    assert sum(contest.calls()) == 5000
    assert contest.seconds() > 0


@needs_gil
@pytest.mark.parametrize("workers", [2, 3, 5])
def test_hand_overs_are_counted_and_in_order(workers: int) -> None:
    relay = _costs.Relay(workers, 20, 30.0)
    begin = time.perf_counter()
    on_threads(relay.run, workers)
    end = time.perf_counter()
    found = relay.handovers()
    assert len(found) == 20
    for released, taken, giver, taker in found:
        assert begin <= released <= taken <= end
        assert giver != taker
        assert {giver, taker} <= set(range(workers))
    for (_, taken, _, _), (released, _, _, _) in pairwise(found):
        assert taken <= released


@needs_gil
def test_a_relay_begins_at_once() -> None:
    """The first thread waits up to 50 ms for the others: were it in vain, it would end before a hand-over."""

    def begins() -> bool:
        relay = _costs.Relay(2, 1, 0.02)
        on_threads(relay.run, 2)
        return len(relay.handovers()) == 1

    assert seen(begins)


@needs_gil
def test_a_relay_ends_in_time_however_few_hand_overs_there_were() -> None:
    relay = _costs.Relay(2, 10**6, 0.05)
    on_threads(relay.run, 2)
    assert len(relay.handovers()) < 10**6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: _costs.Contention(0, 5), "workers must be between 1 and 1024, not 0"),
        (lambda: _costs.Contention(1025, 5), "workers must be between 1 and 1024, not 1025"),
        (lambda: _costs.Relay(1, 5, 1.0), "workers must be at least 2"),
        (lambda: _costs.Relay(2, 0, 1.0), "count at least 1"),
        (lambda: _costs.Contention(2, 5).run(2), "place must be between 0 and 1, not 2"),
    ],
)
def test_the_compiled_probes_refuse_what_does_not_fit(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


# Starts and blocks.


def test_the_starting_program_imports_nothing_of_gilkit() -> None:
    script = (
        f"import runpy, sys; runpy.run_path({_start_program.__file__!r}); "
        "print([name for name in sys.modules if name.split('.')[0] in ('gilkit', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_start_that_fails_says_why(lab: Lab) -> None:
    with pytest.raises(
        CaseFailedError, match="no process started: ValueError: cannot find context for 'thaw'"
    ):
        probes.process_start("thaw")(lab, 1, 1)


def test_an_interpreter_that_prints_when_it_starts_is_understood(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert probes.process_start("spawn")(lab, 1, 1) > 0


def test_a_block_is_removed_whatever_happens() -> None:
    names: list[str] = []

    def broken() -> None:
        with probes._block(1000) as block:
            names.append(block.name)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    with pytest.raises(FileNotFoundError):
        SharedMemory(names[0])


def die(_: str, __: int) -> None:
    os._exit(7)


def test_a_release_that_others_disturbed_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([(1.0, 5.0), (2.0, 2.0), (3.0, 1.0)])
    monkeypatch.setattr(probes, "release", lambda _: next(found))
    assert probes.released(1, 4) == 0.5
    monkeypatch.setattr(probes, "release", lambda _: (1.0, 2.0))
    with pytest.raises(CaseFailedError, match="could not be told from the loop around it"):
        probes.released(1, 4)


def test_a_worker_that_dies_leaves_no_block(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, blocks = CONSTANTS["shared-1kB"], shared_blocks()
    with monkeypatch.context() as patch:
        patch.setattr(probes, "_echo", die)
        with pytest.raises(CaseFailedError, match="a worker process exited with status 7"):
            shared.probe(lab, 1, 1)
    assert none_left(blocks)
    assert shared.probe(lab, 1, 1) > 0  # with a new worker


def test_a_block_that_has_no_room_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probes, "SHARED_MEMORY", tmp_path)
    with pytest.raises(CaseFailedError, match="has room for"), probes._block(2**60):
        pass


# The whole.


def test_all_of_it(everything: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, path = everything
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    found = Costs(load(path).suite)
    assert found.results.kind == "costs"
    counts = worker_counts(machine.usable_cpus())
    rows = 0
    for constant in constants.chosen(None):
        if reason := constant.missing():
            assert found.missing[constant.name] == reason
            assert any(line.split() == [*constant.label.format(n="several").split(), "–"] for line in lines)
            continue
        for case in constant.cases(counts):
            rows += 1
            assert len(found.results.values(case)) == FEWEST_ROUNDS
            label = f"  {constant.label.format(n=case.workers)} "
            row = next(line for line in lines if line.startswith(label))
            cells = re.search(r"[\d.]+ (?:s |ms|µs|ns) +± [\d.]+ +[\d.]+ – [\d.]+( +[\d.]+)?$", row)
            assert cells, row
            assert bool(cells[1]) == bool(constant.nbytes)
            value = found.value(constant.name, case.workers)
            assert value.low <= value <= value.high
    assert rows == len(list(found.results))


def test_the_file_shows_the_same(everything: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, path = everything
    assert answered("show", str(path)).stdout == done.stdout
    assert repr(Costs(load(path).suite)) == done.stdout.rstrip("\n")
    told = subprocess.run(
        [sys.executable, "-m", "pyperf", "show", str(path)], capture_output=True, text=True, check=False
    )
    assert "costs/start-thread/threads/1" in told.stdout


def test_the_same_from_python() -> None:
    found = package.costs(SMALL, rounds=2, seed=1)
    assert isinstance(found, package.Costs)
    assert found.value("start-thread") > 0
    assert [case.variant for case in found.results] == SMALL
    with pytest.raises(
        ValueError, match="release was not measured; measured were start-thread, submit-serial"
    ):
        found.value("release")
    with pytest.raises(ValueError, match="start is a group"):
        found.value("start")
    with pytest.raises(ValueError, match="unknown constant 'nonsense'"):
        found.value("nonsense")
    with pytest.raises(ValueError, match="measured at 1 threads, not at 3"):
        found.value("start-thread", 3)
    with pytest.raises(ValueError, match="unknown constant 'lcg': known are gil, handover, start"):
        costs("lcg")
    with pytest.raises(ValueError, match="at least one"):
        costs([])
    with pytest.raises(TypeError, match="names must be strings, not int"):
        costs(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        costs(rounds=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "unknown constant 'nonsense': known are gil, handover, start, submit, send, release"),
        (["--rounds", "0"], "'--rounds'"),
        (["start-thread", "-o", "/nowhere/at/all.json"], "cannot write to /nowhere/at/all.json"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(answered("costs", *arguments), message)


def test_the_list_has_every_constant() -> None:
    done = answered("costs", "--list")
    assert done.returncode == 0
    assert {line[10:].split()[0] for line in done.stdout.splitlines() if line[10:30].strip()} >= set(
        CONSTANTS
    )
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="interpreters are there")
def test_what_is_not_there_is_said_before_anything_is_measured() -> None:
    refused(answered("costs", "start-interpreter"), "start-interpreter: interpreters came with Python 3.14")
    done = answered("costs", "start-interpreter", "start-thread", "--rounds", "1")
    assert done.returncode == 0
    assert re.search(r"^  an interpreter +–$", done.stdout, re.M)
    assert "GB/s" not in done.stdout  # nothing that was asked for moves bytes
    assert "no start-interpreter: interpreters came with Python 3.14" in done.stdout


# What goes wrong, and what is planned.


TWICE = exactly(2)


def surveyed(*wanted: Constant, rule: Rule = TWICE, **options: object) -> Costs:
    survey = Course(wanted, [1, 2], rule, Runner(7, **options))  # type: ignore[arg-type]
    with Lab(1, 5.0) as lab:
        survey.measure(lab)
    return Costs(survey.runner.suite())


def crash(_: int, __: int) -> float:
    os._exit(5)


def test_a_probe_that_fails_is_a_row_and_the_others_stand() -> None:
    broken = replace(CONSTANTS["pickle-1kB"], probe=probes.hosted(crash))
    absent = replace(CONSTANTS["submit-threads"], missing=lambda: "it is a test")
    measured = CONSTANTS["start-thread"], CONSTANTS["submit-serial"]
    found = surveyed(broken, absent, *measured, rule=exactly(FEWEST_ROUNDS))
    text = repr(found)
    assert re.search(r"^  pickle alone, 1 kB +failed$", text, re.M)
    assert "failed pickle-1kB: a worker process exited with status 5" in text
    assert re.search(r"^  threads +–$", text, re.M)
    assert "no submit-threads: it is a test" in text
    assert re.search(r"^  a thread +[\d.]+ [mµn]s +± ", text, re.M)
    with pytest.raises(ValueError, match="pickle-1kB/serial/1 failed: a worker"):
        found.value("pickle-1kB")
    with pytest.raises(ValueError, match="submit-threads is not available: it is a test"):
        found.value("submit-threads")


def test_a_probe_that_fails_later_keeps_what_it_had() -> None:
    calls: list[int] = []

    def probe(_: Lab, __: int, ___: int) -> float:
        calls.append(1)
        if len(calls) > 2:
            raise CaseFailedError("it broke")
        return 0.5

    flaky = replace(CONSTANTS["pickle-1kB"], probe=probe, loops=1)
    found = surveyed(flaky, rule=exactly(3))
    assert list(found.results.values(flaky.cases([1])[0])) == [0.5]
    assert found.value("pickle-1kB") == 0.5
    assert "failed pickle-1kB: it broke" in repr(found)
    assert "500 ms" in repr(found)


class Clock:
    """A clock that a probe moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize(("length", "rounds"), [(10.0, FEWEST_ROUNDS), (0.1, 10), (1e-6, MOST_ROUNDS)])
def test_as_many_rounds_as_fit(length: float, rounds: int) -> None:
    clock = Clock()

    def probe(_: Lab, __: int, ___: int) -> float:
        clock.time += length
        return length

    slow = replace(CONSTANTS["pickle-1kB"], probe=probe, loops=1)
    found = surveyed(slow, rule=within(1.0), clock=clock)
    assert len(found.results.values(slow.cases([1])[0])) == rounds


def test_rounds_are_interleaved_in_an_order_of_the_seed() -> None:
    def order(seed: int) -> list[str]:
        calls: list[str] = []

        def noted(name: str) -> Constant:
            def probe(_: Lab, __: int, ___: int) -> float:
                calls.append(name)
                return 1.0

            return replace(CONSTANTS[name], probe=probe, loops=1)

        found = Course([noted(name) for name in ("release", *SMALL)], [1], exactly(4), Runner(seed))
        with Lab(1, 5.0) as lab:
            found.measure(lab)
        return calls

    first = order(7)
    cases = len(first) // 5
    rounds = [first[i : i + cases] for i in range(0, len(first), cases)]
    assert all(sorted(one) == sorted(rounds[0]) for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1
    assert first == order(7)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupt_keeps_what_was_measured_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    blocks = shared_blocks()
    with (
        leaving_nothing(),
        started(*ENDLESS, "-o", str(path), start=("-c", LESS + INTERRUPTED), cwd=tmp_path) as process,
    ):
        assert seen((tmp_path / "third-round").exists)
        stdout, stderr = interrupted(process)
    assert process.returncode == 130, stderr
    assert stderr.strip() == "gilkit: interrupted"
    assert "a process, by spawn" in stdout
    found = Costs(load(path).suite)
    assert found.value("start-thread") > 0
    lengths = {len(found.results.values(case)) for case in found.results}
    assert len(lengths) == 1  # whole rounds
    assert none_left(blocks)


ENDLESS = ("costs", "start", "shared-1MB", "--rounds", "1000")
INTERRUPTED = """
import pathlib
from gilkit.engine.runner import Runner
before = Runner.say
def say(self, label, *seconds):
    if label.startswith("round 3 "):
        pathlib.Path("third-round").touch()
    before(self, label, *seconds)
Runner.say = say
main()
"""


def test_the_machine_facts_are_there() -> None:
    found = surveyed(CONSTANTS["submit-serial"], rule=exactly(1))
    run = found.results.facts
    assert run["gilkit_kind"] == "costs"
    assert run["gilkit_seed"] == 7
    assert run["gilkit_cpus"] == machine.usable_cpus()
    assert facts.MISSING.of(run, {}) == {}
