"""The machine and the interpreter: how many CPUs are ours, what others use of them, and who has a GIL."""

from __future__ import annotations

import math
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from gilkit.errors import BusyMachineWarning, CaseFailedError, UntoldWarning

BUSY = 0.25  # CPUs used by others from which a machine is called busy

CGROUPS = Path("/sys/fs/cgroup")
TOPOLOGY = Path("/sys/devices/system/cpu")


def gil_enabled() -> bool:
    """Return whether this interpreter runs with a GIL at the moment."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


@cache
def free_threaded() -> bool:
    """Return whether this interpreter was built to run without a GIL; it may be on, all the same.

    It is looked up once: a program that is watched may have a ``sysconfig`` of its own later.
    """
    import sysconfig

    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def interpreter() -> str:
    """Return the implementation and its version, as ``CPython 3.11.7``."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def _own_cgroup(controller: str) -> str:
    """Return this process's path in a cgroup hierarchy: version 2's for the empty controller."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.strip("/")
    raise FileNotFoundError(controller)


def _quota_at(folder: Path) -> float:
    """Return the CPUs that one cgroup allows, or inf."""
    try:
        if (limit := folder / "cpu.max").exists():
            quota, period = limit.read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        return math.inf if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def cpu_quota(root: Path = CGROUPS) -> float:
    """Return the CPUs that cgroups allow this process, the smallest along its path; inf without a limit."""
    quota = math.inf
    for controller, mount in (("", root), ("cpu", root / "cpu")):
        try:
            path = Path(_own_cgroup(controller))
        except OSError:
            continue
        # In a container the path may be the host's: the mount itself is then the container's own group.
        quota = min([quota, *(_quota_at(mount / part) for part in (path, *path.parents))])
    return quota


def usable_cpus() -> int:
    """Return the CPUs that this process may keep busy: by affinity and by cgroup quota, rounded up."""
    cpus = len(allowed_cpus()) or os.cpu_count() or 1
    quota = cpu_quota()
    return cpus if math.isinf(quota) else max(1, min(cpus, math.ceil(quota)))


def allowed_cpus() -> list[int]:
    """Return the numbers of the CPUs that this thread may use; empty where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def can_pin() -> bool:
    """Return whether threads can be kept on a CPU: some containers forbid it."""
    try:
        os.sched_setaffinity(0, os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return False
    return True


def cpus_in_order(cpus: Iterable[int], root: Path = TOPOLOGY) -> list[int]:
    """Return CPUs in the order in which workers take them: of every physical core one, then their siblings.

    Two threads of one core share its units, so they do less than two cores. Where the system does not tell
    its topology every CPU counts as a core of its own.
    """
    cores: dict[object, list[int]] = {}
    for cpu in sorted(cpus):
        folder = root / f"cpu{cpu}" / "topology"
        try:
            core: object = tuple(
                (folder / name).read_text().strip() for name in ("physical_package_id", "core_id")
            )
        except OSError:
            core = cpu
        cores.setdefault(core, []).append(cpu)
    return [cpu for _, cpu in sorted((turn, cpu) for core in cores.values() for turn, cpu in enumerate(core))]


@contextmanager
def going_without(what: str) -> Iterator[None]:
    """Go on without what the system does not tell, as where /proc is missing, and say so."""
    try:
        yield
    except (OSError, IndexError) as error:
        _say_untold(what, str(error))


@cache
def _say_untold(what: str, why: str) -> None:
    """Warn once, wherever it is asked; workers leave it to the process that started them."""
    import multiprocessing

    if multiprocessing.parent_process() is not None:
        return
    warnings.warn(f"the system does not tell {what} ({why})", UntoldWarning, stacklevel=2)


def free_memory() -> float:
    """Return the bytes that programs may still take; inf where the system does not tell."""
    import psutil

    with going_without("how much memory is free"):
        return float(psutil.virtual_memory().available)
    return math.inf


def process_numbers() -> list[int]:
    """Return the numbers of all processes; none where the system does not tell."""
    import psutil

    with going_without("which processes there are"):
        return list(psutil.pids())
    return []


def stolen_seconds(cpus: Collection[int] = ()) -> float:
    """Return the CPU seconds that a hypervisor took away so far, from some CPUs or from all."""
    return _cpu_seconds(cpus, "steal")


def busy_seconds() -> float:
    """Return the seconds that the CPUs we may use were busy since boot, with what a hypervisor took."""
    return _cpu_seconds(allowed_cpus(), "user", "nice", "system", "irq", "softirq", "steal")


def _cpu_seconds(cpus: Collection[int], *fields: str) -> float:
    """Return the seconds that some CPUs, or all, spent in such states."""
    import psutil

    with going_without("what other programs use"):
        known = psutil.cpu_times(percpu=True)
        chosen = (known[i] for i in cpus or range(len(known)) if i < len(known))
        return sum(float(getattr(cpu, field, 0.0)) for cpu in chosen for field in fields)
    return 0.0


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU seconds that processes used so far; 0 for those that have ended."""
    import psutil

    found = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            used = psutil.Process(pid).cpu_times()
            found += used.user + used.system
    return found


def watched_load(clock: Callable[[], float] = time.perf_counter) -> Callable[[], float]:
    """Begin to watch; the function that is returned tells how many CPUs others kept busy since then.

    Others are whatever is not this process on the CPUs that it may use, and a hypervisor that gave time away.
    Use it while this process's own children are idle.
    """
    start, busy, own = clock(), busy_seconds(), time.process_time()

    def load() -> float:
        others = busy_seconds() - busy - (time.process_time() - own)
        return max(0.0, others / (clock() - start))

    return load


def busy_words(load: float, cpus: int) -> str:
    """Say how many CPUs other programs use."""
    return f"BUSY: other programs use {load:.1f} of {cpus} CPU{'s' * (cpus != 1)}"


def warned_load(seconds: float = 0.3) -> float:
    """Return what `load_by_others` does; warn if that is so much that little can be decided.

    Warns
    -----
    BusyMachineWarning
        Before anything is measured, so that nobody waits for minutes in vain.
    """
    load = load_by_others(seconds)
    if load >= BUSY:
        consequence = "expect wide intervals or no verdict, or wait until it is quiet"
        warnings.warn(f"{busy_words(load, usable_cpus())}: {consequence}", BusyMachineWarning, stacklevel=2)
    return load


def load_by_others(seconds: float = 0.3) -> float:
    """Watch for some ``seconds`` and return how many CPUs others kept busy, as `watched_load` tells it."""
    load = watched_load()
    time.sleep(seconds)
    return load()


def private_bytes(pids: Iterable[int]) -> list[int]:
    """Return the unique set size of each process, the memory it has to itself, where the system tells."""
    found = []
    for pid in pids:
        with suppress(CaseFailedError):
            found.append(private_memory(pid))
    return found


def lost_seconds() -> tuple[float, float | None]:
    """Return the CPU seconds that a hypervisor and a quota took away so far; None for what is unknown."""
    stolen = stolen_seconds()
    try:
        lines = (CGROUPS / _own_cgroup("") / "cpu.stat").read_text().split()
        return stolen, int(lines[lines.index("throttled_usec") + 1]) / 1e6
    except (OSError, ValueError):
        return stolen, None


def memory(pid: int) -> int:
    """Return the bytes that a program takes with all its processes: pages that are shared count once.

    It is the sum of proportional set sizes, or of unique set sizes where the system has no such.

    Raises
    ------
    CaseFailedError
        If it cannot be told.
    """
    import psutil

    with _memory_told():
        first = psutil.Process(pid)
        found = 0
        for process in [first, *first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                info = process.memory_full_info()
                found += int(getattr(info, "pss", 0) or info.uss)
    return found


def private_memory(pid: int) -> int:
    """Return the bytes that a process shares with no other.

    Raises
    ------
    CaseFailedError
        If it cannot be told.
    """
    import psutil

    with _memory_told():
        info = psutil.Process(pid).memory_full_info()
    return int(info.uss)


@contextmanager
def _memory_told() -> Iterator[None]:
    """Turn what a system does not tell of a process into a reason."""
    import psutil

    try:
        yield
    except (psutil.Error, AttributeError, OSError) as error:
        raise CaseFailedError(f"the system does not tell its memory: {error}") from None
