"""A real cluster: a scheduler and two workers, started here; and a LocalCluster."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from command import HASTY, answered, ended, gilkit, interrupted, leaving_nothing, refused, seen, started
from hasty import HURRIED

import gilkit as package
from gilkit._version import __version__
from gilkit.engine.cluster import Cluster
from gilkit.engine.executors import EXECUTORS
from gilkit.errors import CaseFailedError
from gilkit.machine import usable_cpus

missing = EXECUTORS["dask"].missing()
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(missing is not None, reason=str(missing)),
    pytest.mark.skipif(sys.platform != "linux", reason="hosts are addresses of the loopback device"),
]
HOSTS = ("127.0.0.1", "127.0.0.2")
SHORT = "sum(range(1000))"
SLEEPS = ("-s", "import time", "time.sleep(2e-3)")  # and leaves the CPUs to others
LONG = ("--rounds", "5000", *SLEEPS)  # which nobody waits for
Begun = tuple[subprocess.Popen[str], list[psutil.Process]]
PROGRAM = "studies.layout.afar"
ONE_SET = (  # of clusters: none is started anew
    HURRIED + "from gilkit.studies.layout import course; course.SETS_OF_CLUSTERS = 1; "
    "from gilkit.cli.main import main; main()"
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Running:
    """A scheduler and two workers, each a process of the test. Tests may break it: see `whole`."""

    folder: Path
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def whole(self, hosts: tuple[str, ...] = HOSTS) -> None:
        """Start whatever does not run, with workers on these hosts at least."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.end()
            port = free_port()
            self.address = f"tcp://127.0.0.1:{port}"
            self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port))
        for host in hosts:
            if host not in self.workers or self.workers[host].poll() is not None:
                self.put(host)

    def put(self, host: str, **environment: str) -> None:
        """Start a worker on a host, in the place of another, and wait until the scheduler knows of it."""
        import distributed

        self.drop(host)
        options = ("--host", host, "--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder))
        with distributed.Client(self.address, set_as_default=False, timeout=60) as client:
            there = lambda: any(f"//{host}:" in worker for worker in client.nthreads())  # noqa: E731
            assert seen(lambda: not there())
            self.workers[host] = self._start("worker", self.address, *options, **environment)
            assert seen(there)

    def drop(self, host: str) -> None:
        """Kill the worker of a host."""
        if (worker := self.workers.pop(host, None)) is not None:
            worker.kill()
            worker.wait(60)

    def end(self) -> None:
        """Kill all of it."""
        for host in HOSTS:
            self.drop(host)
        if self.scheduler is not None:
            self.scheduler.kill()
            self.scheduler.wait(60)

    def _start(self, what: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *options, "--no-dashboard"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment},
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One cluster for all tests."""
    found = Running(tmp_path_factory.mktemp("cluster"))
    yield found
    found.end()


@pytest.fixture
def cluster(running: Running) -> Running:
    """It, whole again."""
    running.whole()
    return running


def programs(running: Running) -> list[psutil.Process]:
    """What gilkit runs on the hosts of a cluster."""
    found = []
    for worker in running.workers.values():
        for child in psutil.Process(worker.pid).children() if worker.poll() is None else ():
            with suppress(psutil.Error):  # it came and went
                found += [child] if PROGRAM in " ".join(child.cmdline()) else []
    return found


@contextmanager
def measuring(running: Running, *arguments: str) -> Iterator[Begun]:
    """Let gilkit measure both hosts at once; tell when both have begun, with all that they started."""
    words = ("timeit", "--scheduler", running.address, "--all-at-once", *arguments)
    with started(*words, start=HASTY) as process:
        assert seen(lambda: len(programs(running)) == 2 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        found = programs(running)
        yield process, [*found, *(child for one in found for child in one.children(recursive=True))]


@pytest.mark.usefixtures("hasty")
def test_every_host_has_a_row_and_tasks_of_others_are_left_alone(cluster: Running, tmp_path: Path) -> None:
    import distributed

    path = tmp_path / "hosts.json"
    words = ("timeit", "--scheduler", cluster.address, SHORT, "--rounds", "1", "-o", str(path))
    with distributed.Client(cluster.address, set_as_default=False) as client:
        others = client.map(time.sleep, [30 + number for number in range(4)], pure=False)
        assert seen(lambda: sum(map(len, client.processing().values())) >= 2)
        done = answered(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[1].startswith("BUSY: the cluster works on ")
        assert not any(one.cancelled() or one.status == "error" for one in others)
        client.cancel(others)
    assert done.stdout.startswith("2 hosts of a Dask cluster · measured one at a time")
    assert all(f"\n{host} " in done.stdout for host in HOSTS)
    text = " ".join(done.stdout.split())
    assert "fewer than 6 rounds count" in text
    assert "± 95 % interval" not in text  # none is in the table
    found = package.load(path)
    assert [host.name for host in found.hosts] == list(HOSTS)
    assert all({"ceiling", "threads", "processes"} == set(host.figures) for host in found.hosts)
    assert json.loads(answered("show", str(path), "--json").stdout)["hosts"][0]["name"] == HOSTS[0]
    assert not programs(cluster)


@pytest.mark.usefixtures("hasty")
def test_every_host_says_its_best_split(cluster: Running) -> None:
    """One of them has one CPU: there is one split."""
    worker = psutil.Process(cluster.workers[HOSTS[1]].pid)
    cpus = worker.cpu_affinity()
    worker.cpu_affinity(cpus[:1])
    done = answered("layout", "--scheduler", cluster.address, SHORT, "--rounds", "1", "--all-at-once")
    worker.cpu_affinity(cpus)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "measured all at once" in done.stdout
    assert all(f"\n{host} " in done.stdout for host in HOSTS)


def test_an_interrupt_ends_what_runs_on_the_hosts(cluster: Running) -> None:
    with leaving_nothing(), measuring(cluster, *LONG) as (process, family):
        out, err = interrupted(process)
        assert process.returncode == 130
        assert "Traceback" not in out + err
        assert ended(family)
    assert all(worker.poll() is None for worker in cluster.workers.values())


@pytest.mark.endurance
def test_a_killed_gilkit_leaves_nothing_on_the_hosts(cluster: Running) -> None:
    with measuring(cluster, *LONG) as (process, family):
        process.kill()
        process.wait()
        assert ended(family)


@pytest.mark.usefixtures("hasty")
def test_a_scheduler_that_falls_silent_is_said(cluster: Running) -> None:
    assert cluster.scheduler is not None
    with Cluster(cluster.address) as found:
        os.kill(cluster.scheduler.pid, signal.SIGSTOP)
        try:
            with pytest.raises(CaseFailedError, match="it hangs"):
                found.busy()
            with pytest.raises(CaseFailedError, match="it hangs"):
                found.hosts()
        finally:
            os.kill(cluster.scheduler.pid, signal.SIGCONT)


def test_a_worker_that_dies_fails_its_row_and_no_other(cluster: Running, tmp_path: Path) -> None:
    path, dead = tmp_path / "found.json", tmp_path / "dead"
    waits = f"import os, time\nwhile not os.path.exists({str(dead)!r}): time.sleep(0.01)"
    words = ("-s", waits, SHORT, "--rounds", "1", "-o", str(path))
    with measuring(cluster, *words) as (process, family):
        cluster.workers[HOSTS[1]].kill()
        dead.touch()
        out, err = process.communicate(timeout=200)
        assert process.returncode == 1, out + err
        assert f"failed {HOSTS[1]}: its worker ended" in out
        assert f"\n{HOSTS[0]} " in out
        assert "Traceback" not in out + err
        assert ended(family)
    assert {host.name: host.failed for host in package.load(path).hosts} == {
        HOSTS[0]: "",
        HOSTS[1]: "its worker ended",
    }


@pytest.mark.endurance
def test_a_host_that_hangs_fails_its_row_and_no_other(cluster: Running) -> None:
    with measuring(cluster, "--rounds", "40", *SLEEPS) as (process, _):
        cluster.workers[HOSTS[1]].send_signal(signal.SIGSTOP)
        out, err = process.communicate(timeout=200)
    cluster.drop(HOSTS[1])
    assert process.returncode == 1, out + err
    assert re.search(rf"failed {HOSTS[1]}: no answer for \d+ s: it hangs", out)
    assert f"\n{HOSTS[0]} " in out


@pytest.mark.usefixtures("hasty")
def test_another_gilkit_on_a_host_is_one_line(running: Running, tmp_path: Path) -> None:
    running.whole(HOSTS[:1])
    other = tmp_path / "gilkit"
    other.mkdir()
    (other / "__init__.py").write_text("", "utf-8")
    (other / "_version.py").write_text('__version__ = "0.0.1"\n', "utf-8")
    running.put(HOSTS[1], PYTHONPATH=str(tmp_path))
    done = answered("timeit", "--scheduler", running.address, SHORT, "--rounds", "1")
    running.drop(HOSTS[1])
    assert done.returncode == 1, done.stdout + done.stderr
    reason = f"it has gilkit 0.0.1, and this is {__version__}: install the same there"
    assert f"failed {HOSTS[1]}: {reason}" in " ".join(done.stdout.split())
    assert f"\n{HOSTS[0]} " in done.stdout


def test_a_scheduler_that_goes_away_is_said(cluster: Running) -> None:
    with measuring(cluster, *LONG) as (process, family):
        assert cluster.scheduler is not None
        cluster.scheduler.kill()
        out, err = process.communicate(timeout=200)
        assert process.returncode == 1, out + err
        assert "the scheduler went away" in out
        assert "Traceback" not in out + err
        assert ended(family)


@pytest.mark.usefixtures("hasty", "leaves_no_thread")
@pytest.mark.parametrize(
    ("command", "address"), [("timeit", "tcp://127.0.0.1:1"), ("timeit", "nonsense"), ("layout", "nonsense")]
)
def test_a_wrong_address_is_bad_input(command: str, address: str) -> None:
    done = answered(command, "--scheduler", address, "pass")
    refused(done, f"no scheduler of Dask answers at '{address}'")


def test_a_client_that_could_not_be_made_is_not_closed_by_the_garbage_collector() -> None:
    """That may come while Dask holds the lock that closing takes."""
    from distributed.utils import LoopRunner

    from gilkit.engine.quiet_client import QuietClient

    def collected() -> None:
        with LoopRunner._lock:
            gc.collect()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(OSError, match="no answer"):
            QuietClient(address, set_as_default=False, timeout=0.5)
    collector = threading.Thread(target=collected, daemon=True)
    collector.start()
    collector.join(30)
    assert not collector.is_alive()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("address", ["tls://127.0.0.1:1", "tcp://\udcff:1"])
def test_an_address_for_which_no_client_can_be_made_is_one_line(address: str) -> None:
    refused(answered("layout", "--scheduler", address, "pass"), "no scheduler of Dask answers at")


@pytest.mark.usefixtures("hasty", "leaves_no_thread")
def test_an_address_that_accepts_and_never_answers_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        refused(
            answered("layout", "--scheduler", address, "pass"), f"answers at '{address}': no answer for 5 s"
        )


def test_what_does_not_go_with_a_cluster_is_refused() -> None:
    refused(answered("timeit", "--all-at-once", "pass"), "--all-at-once goes with --scheduler")
    refused(
        answered("timeit", "--scheduler", "tcp://x:1", "--shared", "pass"),
        "--shared and --scheduler exclude one another",
    )


def test_a_local_cluster_measures_every_split(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    with leaving_nothing():
        done = gilkit("layout", SHORT, "--rounds", "1", "-o", str(path))
        assert done.returncode == 0, done.stdout + done.stderr
    found = package.load(path)
    assert {one.split.workers for one in found.splits} == {usable_cpus()}
    assert all(one.rate is not None and one.memory for one in found.splits)
    assert not found.failures


@pytest.mark.usefixtures("hasty")
def test_a_statement_that_fails_is_said_once() -> None:
    done = answered("layout", "1 / 0", "--rounds", "1")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_local_cluster_leaves_nothing_when_it_is_interrupted() -> None:
    with leaving_nothing(), started("layout", *LONG) as process:
        assert seen(lambda: len(psutil.Process(process.pid).children(recursive=True)) >= 4)
        out, err = interrupted(process)
        assert process.returncode == 130
        assert "Traceback" not in out + err


@pytest.mark.endurance
@pytest.mark.skipif(usable_cpus() < 2, reason="there is one split")
def test_a_worker_of_a_local_cluster_that_dies_fails_its_split_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    words = ("layout", "--rounds", "12", *SLEEPS, "-o", str(path))
    with leaving_nothing(), started(*words, start=("-c", ONE_SET)) as process:
        assert seen(path.exists)
        family = psutil.Process(process.pid).children(recursive=True)
        workers = [child for child in family if "spawn_main" in " ".join(child.cmdline())]
        workers[-1].send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=200)
        assert process.returncode == 1, out + err
        assert "Traceback" not in out + err
    assert re.search(r"failed \d+ × \d+: a worker process was killed by SIGKILL", " ".join(out.split()))
    found = package.load(path).splits
    assert len([one for one in found if one.failed]) == 1
    assert [one for one in found if one.rate is not None]
