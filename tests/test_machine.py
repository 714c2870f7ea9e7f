"""What the machine says of itself, against files and processes whose answer is known."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gilkit import machine
from gilkit.results.facts import machine_facts


def test_cpus_follow_affinity() -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system has no CPU affinity")
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert machine.usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert 1 <= machine.usable_cpus() <= len(before)


def test_cpus_follow_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for quota, cpus in ((math.inf, 8), (0.5, 1), (1.5, 2), (4.0, 4), (64.0, 8)):
        monkeypatch.setattr(machine, "cpu_quota", lambda quota=quota: quota)
        assert machine.usable_cpus() == cpus


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"a/b/cpu.max": "150000 100000"}, 1.5),
        ({"a/b/cpu.max": "max 100000"}, math.inf),
        ({"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2.0),
        ({"cpu.max": "50000 100000"}, 0.5),
        ({"cpu/a/b/cpu.cfs_quota_us": "300000", "cpu/a/b/cpu.cfs_period_us": "100000"}, 3.0),
        ({"cpu/a/b/cpu.cfs_quota_us": "-1", "cpu/a/b/cpu.cfs_period_us": "100000"}, math.inf),
        ({"a/b/cpu.max": "nonsense"}, math.inf),
        ({}, math.inf),
    ],
)
def test_the_smallest_quota_along_the_path_counts(
    files: dict[str, str], quota: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_own_cgroup", lambda _: "a/b")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert machine.cpu_quota(tmp_path) == quota


def told_topology(folder: Path, cores: dict[int, tuple[int, int]]) -> Path:
    """The files of a system whose CPUs lie on these packages and cores."""
    for cpu, (package, core) in cores.items():
        path = folder / f"cpu{cpu}" / "topology"
        path.mkdir(parents=True)
        (path / "physical_package_id").write_text(f"{package}\n")
        (path / "core_id").write_text(f"{core}\n")
    return folder


@pytest.mark.parametrize("cpus", [4, 16, 64])
def test_cores_come_before_siblings_however_they_are_numbered(cpus: int, tmp_path: Path) -> None:
    half = cpus // 2
    halves = told_topology(tmp_path / "halves", {cpu: (0, cpu % half) for cpu in range(cpus)})
    assert machine.cpus_in_order(range(cpus), halves) == list(range(cpus))
    pairs = told_topology(tmp_path / "pairs", {cpu: (0, cpu // 2) for cpu in range(cpus)})
    assert machine.cpus_in_order(range(cpus), pairs) == [*range(0, cpus, 2), *range(1, cpus, 2)]
    packages = told_topology(tmp_path / "packages", {cpu: (cpu % 2, cpu % half // 2) for cpu in range(cpus)})
    assert machine.cpus_in_order(range(cpus), packages) == list(range(cpus))  # core 0 of each is its own


def test_the_order_is_of_the_cpus_that_are_allowed(tmp_path: Path) -> None:
    halves = told_topology(tmp_path, {cpu: (0, cpu % 8) for cpu in range(16)})
    assert machine.cpus_in_order({1, 9, 10, 3}, halves) == [1, 3, 10, 9]
    assert machine.cpus_in_order({9, 1}, halves) == [1, 9]
    assert machine.cpus_in_order({12}, halves) == [12]
    assert machine.cpus_in_order({3, 1, 2}, tmp_path / "nothing") == [1, 2, 3]  # the system does not tell


def test_cpu_seconds_are_those_of_other_processes_and_none_of_ended_ones() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "done\n"
        assert machine.cpu_seconds([child.pid]) > 0.25  # the system counts in hundredths
        child.communicate("\n")
    assert machine.cpu_seconds([child.pid]) == 0.0


def test_metadata_is_what_pyperf_takes() -> None:
    facts = machine_facts()
    assert facts["gilkit_gil"] == ("on" if machine.gil_enabled() else "off")
    assert facts["gilkit_switch_interval"] == sys.getswitchinterval()
    assert all(isinstance(value, str | int | float) for value in facts.values())
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in machine.interpreter()
