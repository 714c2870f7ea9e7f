"""Who is in a cluster of Dask: its workers by host, and whether gilkit can measure there: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gilkit._version import __version__

WORKER_PROBE = """
import os, platform, sys, sysconfig
found = {
    "python": platform.python_version() + "t" * bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "implementation": platform.python_implementation(),
    "executable": sys.executable,
    "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
}
try:
    from gilkit import _version
    found["gilkit"] = _version.__version__
    import gilkit.engine.remote
except Exception as error:
    found["error"] = " ".join(f"{type(error).__name__}: {error}".split())
"""
BY_VALUE = "exec(source, names) or names['found']"  # no function of ours need be there to be asked for


@dataclass(frozen=True, slots=True)
class ClusterHost:
    """Workers of one host that run one interpreter.

    Parameters
    ----------
    name : str
        Its address; with a number, where one host has several interpreters.
    workers : dict of str to int
        The threads of its workers, by their addresses.
    python : str
        Its interpreter.
    cpus : int
    problem : str
        Why gilkit cannot measure there; or empty.
    """

    name: str
    workers: Mapping[str, int]
    python: str = ""
    cpus: int = 0
    problem: str = ""

    @property
    def now(self) -> str:
        """How many workers there are, with how many threads each."""
        threads = Counter(self.workers.values())
        return " + ".join(f"{count} × {each}" for each, count in sorted(threads.items()))


def grouped(threads: Mapping[str, int], answers: Mapping[str, dict[str, Any] | str]) -> list[ClusterHost]:
    """Return the hosts of workers: those of one interpreter and of one gilkit together.

    Parameters
    ----------
    threads : mapping of str to int
        Of each worker, by its address.
    answers : mapping of str to dict or str
        What each said of itself; or why it did not.
    """
    groups: dict[tuple[str, str, str], dict[str, int]] = {}
    known: dict[tuple[str, str, str], dict[str, Any]] = {}
    for worker in sorted(threads):
        said = answers[worker]
        answer = {} if isinstance(said, str) else said
        problem = said if isinstance(said, str) else misfit(said)
        key = (_host_of(worker), str(answer.get("executable")), problem)
        groups.setdefault(key, {})[worker] = threads[worker]
        known.setdefault(key, answer)
    many = Counter(host for host, _, _ in groups)
    seen: Counter[str] = Counter()
    hosts = []
    for key, workers in groups.items():
        answer, (host, _, problem) = known[key], key
        seen[host] += 1
        name = f"{host} ({seen[host]})" if many[host] > 1 else host
        python, cpus = str(answer.get("python", "")), answer.get("cpus") or 0
        hosts.append(ClusterHost(name, workers, python, cpus, problem))
    return hosts


def misfit(answer: Mapping[str, Any]) -> str:
    """Say why gilkit cannot measure there, by what a worker said of itself; empty where it can."""
    failed, theirs = str(answer.get("error", "")), answer.get("gilkit")
    if theirs is None and failed.startswith("ModuleNotFoundError: No module named 'gilkit'"):
        return "it has no gilkit: install it there"
    if theirs is not None and theirs != __version__:
        return f"it has gilkit {theirs}, and this is {__version__}: install the same there"
    if failed:
        return f"gilkit cannot be loaded there: {failed}"
    if answer.get("implementation") != "CPython":
        return f"its interpreter is {answer.get('implementation')}: gilkit needs CPython"
    return ""


def _host_of(worker: str) -> str:
    return urlsplit(worker).hostname or worker
