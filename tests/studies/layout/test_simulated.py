"""Large machines and clusters, made up: the course, the verdict and the tables; nothing here is measured."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from quiet import needs_gil
from simulated import HOLDS, Machine, Made, SimulatedLab

from gilkit import machine as real
from gilkit.display.tables import plain
from gilkit.engine.cluster_hosts import ClusterHost, grouped
from gilkit.engine.runner import Runner
from gilkit.engine.split_lab import SplitLab
from gilkit.errors import BusyMachineWarning, CaseFailedError
from gilkit.results.file import save
from gilkit.results.windows import Stint, Window
from gilkit.studies.compare.budget import OWN_PACE
from gilkit.studies.layout import by_hosts
from gilkit.studies.layout.by_hosts import HostCourse
from gilkit.studies.layout.course import SplitCourse
from gilkit.studies.layout.errands import Errands
from gilkit.studies.layout.splits import Split, splits
from gilkit.studies.layout.study import Layout
from gilkit.studies.layout.verdict import Why
from gilkit.workloads.target import own_statement

pytestmark = pytest.mark.once

SCHEDULER = 2e-4  # seconds of each task that the scheduler takes: one after the other
GB = 10**9
MANY = (8, 64, 512)


@dataclass
class Farm:
    """Clusters of one made-up machine: each process has a GIL, and all have one scheduler.

    A call takes ``call`` seconds and holds the GIL for the share ``held`` of them; every process needs so
    much ``memory``. Splits that are ``broken`` fail. Others use so many of the CPUs (``others``).
    """

    cpus: int
    call: float = 5e-3
    held: float = 0.0
    memory: int = 10**8
    broken: tuple[Split, ...] = ()
    others: float = 0.0
    alive: set[Split] = field(default_factory=set)
    most_alive: int = 0
    random: random.Random = field(default_factory=lambda: random.Random(5))

    def lab(self, split: Split) -> SplitLab:
        return MadeLab(self, split)


class MadeLab(SplitLab):
    """One cluster of such."""

    def __init__(self, farm: Farm, split: Split) -> None:
        super().__init__(split.processes, split.threads, 60.0)
        self.farm, self.split = farm, split

    def begin(self, workload: Any) -> list[int]:  # noqa: ARG002
        if self.split in self.farm.broken:
            raise CaseFailedError("a worker process was killed by SIGKILL")
        self.farm.alive.add(self.split)
        self.farm.most_alive = max(
            self.farm.most_alive, sum(split.processes for split in self.farm.alive) * self.farm.memory
        )
        return [self.farm.memory] * self.split.processes

    def tasks(self, workload: Any, loops: int, tasks: int, more: float = 0.0) -> Window:  # noqa: ARG002
        assert self.split in self.farm.alive
        farm, noise = self.farm, self.farm.random.gauss(1.0, 0.005)
        at_once = min(self.split.threads, 1 / farm.held if farm.held else self.split.threads)
        work = tasks * loops * farm.call / (self.split.processes * at_once)
        seconds = noise * max(tasks * SCHEDULER, work)
        stint = Stint(float(tasks * loops), seconds, seconds)
        return Window(seconds, farm.cpus, (stint,), 0.0, farm.others * seconds, pinned=False)

    def renew(self) -> None:
        self.farm.alive.discard(self.split)


Measure = Callable[..., Layout]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Measure:
    """Return a function that measures a statement on such a machine."""

    def measure(farm: Farm, free: float = 1e15, rounds: int | None = None) -> Layout:
        Machine(farm.cpus, monkeypatch, tmp_path)
        monkeypatch.setattr(real, "load_by_others", lambda *_: 0.0)
        monkeypatch.setattr(real, "free_memory", lambda: free)
        lab = SimulatedLab(farm.cpus, 1, {"own": Made(call=farm.call, held=farm.held)})
        runner = Runner(1)
        course = SplitCourse(
            own_statement("own", "pass"), splits(farm.cpus), rounds, farm.cpus, runner, farm.lab
        )
        course.measure(lab)
        assert not farm.alive
        return Layout(runner.suite())

    return measure


@needs_gil
@pytest.mark.parametrize("cpus", MANY)
def test_who_holds_the_gil_gets_a_process_for_each_cpu(cpus: int, measured: Measure) -> None:
    found = measured(Farm(cpus, held=1.0))
    assert found.decision.split == Split(cpus, 1)
    assert found.decision.why is Why.HOLDS
    assert f"--nworkers {cpus} --nthreads 1: a call holds the GIL for 100%" in one_line(found)


@pytest.mark.parametrize("cpus", MANY)
def test_who_releases_it_gets_threads_for_the_memory(cpus: int, measured: Measure) -> None:
    found = measured(Farm(cpus, memory=GB))
    assert found.decision.split == Split(1, cpus)
    assert found.decision.why is Why.MEMORY
    assert f"--nworkers 1 --nthreads {cpus}: it does as much as {cpus} × 1, with 1.00 GB" in one_line(found)


@pytest.mark.parametrize("cpus", MANY)
def test_processes_that_do_not_fit_are_not_started(cpus: int, measured: Measure) -> None:
    farm = Farm(cpus, held=1.0, memory=GB)
    found = measured(farm, free=cpus / 2 * GB)
    assert found.decision.split == max(split for split in splits(cpus) if split.processes <= cpus / 2)
    assert farm.most_alive <= cpus / 2 * GB
    assert found.decision.why is Why.ROOM
    assert not found.failures
    assert f"{cpus} processes of 1.00 GB need" in one_line(found)


@pytest.mark.parametrize("cpus", MANY)
def test_tables_fit_and_say_what_a_task_costs(cpus: int, measured: Measure) -> None:
    found = measured(Farm(cpus, held=0.3))
    text = plain(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert all(str(split) in text for split in splits(cpus))
    assert re.search("a task: costs (19|20). µs", text)
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert all(row["speedup"] is None or row["speedup"] <= 1.05 for row in found.rows())


def test_a_busy_machine_decides_nothing(measured: Measure) -> None:
    found = measured(Farm(8, held=1.0, others=4.0))
    assert found.decision.split is None
    assert "not decided: the machine is too busy: 0 of 22 rounds were undisturbed" in one_line(found)
    assert "± 95 %" not in one_line(found)  # none is in the table
    assert all(one.rate is not None for one in found.splits)


def test_half_held_is_best_in_the_middle(measured: Measure) -> None:
    found = measured(Farm(8, held=0.5))
    assert found.decision.split == Split(4, 2)
    assert found.decision.why is Why.MEMORY


def test_a_split_that_fails_is_a_row_and_the_rest_stands(measured: Measure) -> None:
    found = measured(Farm(8, held=1.0, broken=(Split(2, 4),)))
    assert found.decision.split == Split(8, 1)
    assert "failed 2 × 4: a worker process was killed by SIGKILL" in one_line(found)
    assert len([one for one in found.splits if one.rate is not None]) == 3


def test_a_saved_layout_is_the_same_again(measured: Measure, tmp_path: Path) -> None:
    import gilkit

    found = measured(Farm(8, held=1.0), rounds=6)
    found.save(tmp_path / "layout.json")
    assert repr(gilkit.load(tmp_path / "layout.json")) == repr(found)


class MadeCluster(AbstractContextManager["MadeCluster"]):
    """A cluster of hosts that answer with what was made up for them."""

    def __init__(self, hosts: list[ClusterHost], said: dict[str, Any], busy: int) -> None:
        self._hosts, self._said, self._busy = hosts, said, busy
        self.asked: list[str] = []

    def __exit__(self, *_: object) -> None:
        pass

    def hosts(self) -> list[ClusterHost]:
        return self._hosts

    def busy(self) -> int:
        return self._busy

    def errand(self, host: ClusterHost, *_: object) -> Future[Any]:
        self.asked.append(host.name)
        future: Future[Any] = Future()
        said = self._said[host.name]
        if isinstance(said, Exception):
            future.set_exception(said)
        else:
            future.set_result({"status": 0, "stdout": json.dumps({"results": said}) + "\n", "stderr": ""})
        return future


@pytest.fixture
def of_hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Layout]:
    """Return a function that asks made-up hosts what they do."""

    def ask(calls: dict[str, float | Exception], at_once: bool = False, busy: int = 0) -> Layout:
        made = Machine(2, monkeypatch, tmp_path)
        texts: dict[float, str] = {}
        for call in {call for call in calls.values() if isinstance(call, float)}:
            comparison, _ = made.carried_out(made.own(), OWN_PACE, {"own": Made(call=call, held=1.0)})
            save(comparison.suite, tmp_path / "one.json")
            texts[call] = (tmp_path / "one.json").read_text("utf-8")
        said = {host: texts.get(call, call) for host, call in calls.items()}  # type: ignore[arg-type]
        problems = {host: str(call) for host, call in calls.items() if isinstance(call, ValueError)}
        hosts = [
            ClusterHost(host, {f"tcp://{host}:1": 1}, "3.11.7", 2, problems.get(host, "")) for host in calls
        ]
        cluster = MadeCluster(hosts, said, busy)
        course = HostCourse("tcp://x:1", Errands("timeit", "work()", (), {}, at_once), Runner(1), None)
        monkeypatch.setattr(by_hosts, "Cluster", lambda _: cluster)
        course.measure(SimulatedLab(2, 2, {"own": HOLDS}))
        fit = [host.name for host in hosts if not host.problem]
        assert cluster.asked == fit
        return Layout(course.suite())

    return ask


def test_twenty_hosts_have_a_row_each_and_the_odd_one_is_marked(of_hosts: Callable[..., Layout]) -> None:
    calls: dict[str, float | Exception] = {f"10.0.0.{number}": 2e-3 for number in range(1, 18)}
    calls |= {"10.0.0.18": 3e-3}
    calls |= {"10.0.0.19": CaseFailedError("its worker ended"), "unfit": ValueError("it has no gilkit")}
    found = of_hosts(calls)
    text = plain(found)
    lines = {line.split()[0]: line for line in text.splitlines() if line.startswith("10.0.0.")}
    assert len(lines) == 18
    assert max(map(len, text.splitlines())) <= 80
    assert [host for host, line in lines.items() if "≠3.0" in line] == ["10.0.0.18"]
    assert not any("≠" in line for host, line in lines.items() if host != "10.0.0.18")
    assert "failed 10.0.0.19: its worker ended" in text
    assert "failed unfit: it has no gilkit" in text
    assert "use processes: on 18 of 20 hosts" in text
    assert len(found.failures) == 2
    assert len(found.to_dict()["hosts"]) == 20
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert len(found.rows()) > 18


def test_hosts_are_kept_with_all_that_they_found(of_hosts: Callable[..., Layout], tmp_path: Path) -> None:
    import gilkit

    found = of_hosts({"a": 2e-3, "b": 2e-3}, at_once=True)
    found.save(tmp_path / "hosts.json")
    again = gilkit.load(tmp_path / "hosts.json")
    assert repr(again) == repr(found)
    assert "all at once" in repr(found)
    row = found.hosts[0]
    assert row.held == pytest.approx(1.0)
    assert row.figures["threads"].decided


def test_why_nobody_knows_who_holds_the_gil_is_told_with_the_hosts(
    of_hosts: Callable[..., Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    def watch(*_: object) -> None:
        raise CaseFailedError("the machine is too busy")

    monkeypatch.setattr(SimulatedLab, "watch", watch)
    found = of_hosts({"a": 2e-3, "b": 2e-3})
    assert [(host.held, host.note) for host in found.hosts] == [(None, "the machine is too busy")] * 2
    assert "GIL held on a, b: the machine is too busy" in one_line(found)


def test_a_busy_cluster_is_said_to_be_busy_before_and_in_the_report(of_hosts: Callable[..., Layout]) -> None:
    with pytest.warns(BusyMachineWarning, match="BUSY: the cluster works on 12 tasks of others"):
        found = of_hosts({"a": 2e-3}, busy=12)
    assert repr(found).splitlines()[1].startswith("BUSY: the cluster works on 12 tasks of others")


def test_no_host_that_fits_is_bad_input(of_hosts: Callable[..., Layout]) -> None:
    with pytest.raises(ValueError, match="no host can measure: unfit: it has no gilkit"):
        of_hosts({"unfit": ValueError("it has no gilkit")})


def test_workers_of_one_host_and_interpreter_are_one_row() -> None:
    answer = {"python": "3.11.7", "implementation": "CPython", "executable": "/p", "cpus": 8}
    from gilkit._version import __version__

    same, other = {**answer, "gilkit": __version__}, {**answer, "gilkit": "0.0.1"}
    threads = {"tcp://a:1": 2, "tcp://a:2": 2, "tcp://a:3": 4, "tcp://b:1": 1, "tcp://c:1": 1}
    found = grouped(
        threads,
        {
            "tcp://a:1": same,
            "tcp://a:2": same,
            "tcp://a:3": other,
            "tcp://b:1": "no answer for 10 s: it hangs",
            "tcp://c:1": {**answer, "error": "ModuleNotFoundError: No module named 'gilkit'"},
        },
    )
    now = {host.name: host.now for host in found}
    assert now == {"a (1)": "2 × 2", "a (2)": "1 × 4", "b": "1 × 1", "c": "1 × 1"}
    problems = {host.name: host.problem for host in found}
    assert problems["a (1)"] == ""
    assert problems["a (2)"].startswith("it has gilkit 0.0.1, and this is ")
    assert "it hangs" in problems["b"]
    assert problems["c"] == "it has no gilkit: install it there"


def one_line(found: Layout) -> str:
    return " ".join(repr(found).split())
