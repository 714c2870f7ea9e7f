"""The same question, asked of every host of a cluster that runs already: one by one, or all at once."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from gilkit.engine import scratch
from gilkit.engine.cluster import Cluster, outcomes
from gilkit.engine.cluster_hosts import ClusterHost
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.errors import BusyMachineWarning, CaseFailedError, ResultsError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results, save
from gilkit.results.loading import load
from gilkit.results.writing import reason
from gilkit.studies.compare.merged import there
from gilkit.studies.layout import STUDY
from gilkit.studies.layout.errands import Errands
from gilkit.studies.layout.hosts import busy_cluster, of_all_hosts

PROGRAM_AFAR = "from gilkit.studies.layout.afar import main; main()"
TAKES = {"timeit": 15.0, "layout": 40.0}  # seconds, about; for the progress only
GIVEN_UP_AFTER = {"timeit": 300.0, "layout": 600.0}  # seconds after which a host is given up


class HostCourse:
    """The course of such a measurement.

    Parameters
    ----------
    scheduler : str
        Its address.
    errands : Errands
    runner : Runner
    output : path or None
        Where what there is is written after every host.
    """

    def __init__(
        self, scheduler: str, errands: Errands, runner: Runner, output: str | os.PathLike[str] | None
    ) -> None:
        self.scheduler = scheduler
        self.errands = errands
        self.runner = runner
        self.output = output
        self.hosts: list[ClusterHost] = []
        self.found: dict[str, Results] = {}
        self.busy = 0

    def measure(self, _: Lab) -> None:
        """Measure every host.

        Raises
        ------
        ValueError
            If there is no scheduler, or it has no workers.
        """
        runner = self.runner
        runner.facts |= facts.KIND.entry(STUDY.kind)
        runner.say("asking the scheduler who is there")
        with self.cluster() as cluster:
            try:
                self.busy = cluster.busy()
                self.hosts = cluster.hosts()
            except (CaseFailedError, OSError) as error:
                raise ValueError(f"{self.scheduler}: {error}") from None
            fit = self._fit()
            if self.busy:
                consequence = "expect wide intervals or no verdict, or wait until it is idle"
                warnings.warn(f"{busy_cluster(self.busy)}: {consequence}", BusyMachineWarning, stacklevel=2)
            groups = [fit] if self.errands.all_at_once else [[host] for host in fit]
            for number, together in enumerate(groups, 1):
                runner.later = (len(groups) - number) * TAKES[self.errands.study]
                self._measure(cluster, together)
        runner.later = 0.0

    def _fit(self) -> list[ClusterHost]:
        """Return the hosts that can measure; others have failed.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self.hosts:
            raise ValueError(f"the scheduler at {self.scheduler} has no workers: start some first")
        unfit = {host.name: host.problem for host in self.hosts if host.problem}
        if len(unfit) == len(self.hosts):
            problems = "; ".join(f"{host}: {problem}" for host, problem in unfit.items())
            raise ValueError(f"no host can measure: {problems}")
        for host in self.hosts:
            if host.problem:
                self.runner.failures[self.case(host)] = host.problem
        return [host for host in self.hosts if not host.problem]

    def cluster(self) -> Cluster:
        """Return the cluster, which is entered next."""
        return Cluster(self.scheduler)

    def _measure(self, cluster: Cluster, hosts: Sequence[ClusterHost]) -> None:
        """Measure some hosts at one time."""
        study = self.errands.study
        names = hosts[0].name if len(hosts) == 1 else f"{len(hosts)} hosts at once"
        self.runner.say(names, TAKES[study])
        options = {**self.errands.options, "seed": self.runner.seed}
        asked = {"study": study, "args": list(self.errands.args), "options": options}
        futures = [cluster.errand(host, PROGRAM_AFAR, asked, GIVEN_UP_AFTER[study]) for host in hosts]
        outcomes(futures)
        for host, future in zip(hosts, futures, strict=True):
            self.runner.attempt([self.case(host)], partial(self._keep, host, future))
        self._save()

    def _keep(self, host: ClusterHost, future: Future[Any]) -> None:
        """Keep what a host found."""
        self.found[host.name] = read_answer(future.result())

    def _save(self) -> None:
        """Write what there is so far; failures to write are told when all is saved."""
        if self.output is not None:
            with suppress(ResultsError):
                save(self.suite(), self.output)

    def case(self, host: ClusterHost) -> Case:
        """Return what a host fails as."""
        return Case(there(host.name, self.errands.name), "function", "threads", 1)

    def suite(self) -> Any:
        """Return what was measured so far, of all hosts."""
        known = {
            **facts.KIND.entry(STUDY.kind),
            **facts.SEED.entry(self.runner.seed),
            **facts.ASKED.entry(self.errands.study),
            **facts.BUSY_TASKS.entry(self.busy),
            **facts.ALL_AT_ONCE.entry(int(self.errands.all_at_once)),
            **facts.HOSTS.entry({host.name: [host.now, host.python, host.cpus] for host in self.hosts}),
        }
        return of_all_hosts(self.found, known, self.runner.failures)


def read_answer(said: Mapping[str, Any]) -> Results:
    """Return the results that a program printed.

    Raises
    ------
    CaseFailedError
        If it printed none; the message says why.
    """
    try:
        answer = json.loads(str(said.get("stdout", "")).strip().splitlines()[-1])
    except (IndexError, ValueError):
        last = str(said.get("stderr", "")).strip().splitlines()
        why = f": {last[-1][:160]}" if last else ""
        raise CaseFailedError(f"its program ended with status {said.get('status')}{why}") from None
    if "failed" in answer:
        raise CaseFailedError(str(answer["failed"]))
    handle, path = tempfile.mkstemp(".json", dir=scratch.folder())
    os.close(handle)
    try:
        Path(path).write_text(answer["results"], "utf-8")
        return load(path)
    except (ResultsError, OSError) as error:
        raise CaseFailedError(reason(error)) from None
    finally:
        Path(path).unlink(missing_ok=True)
