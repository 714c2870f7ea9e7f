"""Claims on how many CPUs are used, and how many there are."""

from __future__ import annotations

import psutil

from gilkit.display.units import times
from gilkit.kernels import lcg
from gilkit.results.stats import estimate
from gilkit.studies.claims.bench import Bench, kernel_call, of_lcg
from gilkit.studies.claims.claim import (
    NO_GAIN,
    SCALE,
    Figures,
    Finding,
    Ruling,
    above,
    all_of,
    claim,
    negated,
    ruled,
)


def _quarter_cpu(f: Figures) -> Finding:
    most = 2 * f.cpus
    used = {
        kind: estimate([cpu / f.cpus for cpu in f.facts[f"cpu python/{kind}/{most}"]])
        for kind in ("threads", "processes")
    }
    at_once = above(used["threads"], NO_GAIN / f.cpus)
    return ruled(
        all_of([above(used["processes"], SCALE), negated(at_once)]),
        f"{most} threads use {used['threads']:.0%} of {f.cpus} CPUs, "
        f"{most} processes {used['processes']:.0%}",
        f"threads of pure Python share one CPU, which is {1 / f.cpus:.0%} of {f.cpus} and 25% of four",
        "threads use more than one CPU" + ("" if f.gil else ": there is no GIL to take turns at")
        if at_once
        else "processes use less than all CPUs",
    )


@claim(
    "quarter-cpu", "Ten threads on four cores use 25 % of the CPU, ten processes 100 %.", _quarter_cpu,
    cpus=2, quiet=True,
)  # fmt: skip
def quarter_cpu(bench: Bench) -> None:
    """Threads of pure Python use one core of four, processes all.

    Method: `lcg` in plain Python on twice as many workers as CPUs: CPU time by wall time and CPUs.
    Limits: on this machine's CPUs, not on four; the share of one CPU is what is compared.
    """
    work = kernel_call("lcg", "python")
    bench.compare(("python", kind, 2 * bench.cpus, work) for kind in ("threads", "processes"))


def _smt_ceiling(f: Figures) -> Finding:
    processes = f.speedup("python", "processes")
    native = f.speedup("native", "openmp") if f.counts("native", "openmp") else None
    cores, logical = f.facts["cores"], f.facts["logical"]
    measured = (
        f"{f.cpus} CPUs of {logical}, which the system says are {cores or 'an unknown number of'} cores: "
        f"processes of pure Python do {times(processes)} the work of one"
        + (f", native threads {times(native)}" if native is not None else "")
    )
    if not cores or cores >= logical:
        why = "no hyperthreads are to be seen on this machine; where there are, two share a core's units"
        return Finding(Ruling.UNDECIDED, why, measured)
    if f.cpus < logical:
        why = f"only {f.cpus} of the {logical} CPUs may be used, and which share a core is not known"
        return Finding(Ruling.UNDECIDED, why, measured)
    scale = above(processes, SCALE * f.cpus)
    beyond = None if native is None else above(native, SCALE * f.cpus)
    if scale:
        return ruled(False, measured, "", "the hyperthreads give more than that here")
    if scale is None or beyond is None:
        return ruled(None, measured, "", "")
    if beyond:
        return ruled(False, measured, "", "native threads go beyond it: it is not the hardware's ceiling")
    why = "the ceiling is the hardware's: native threads, without Python, stop there, too"
    return Finding(Ruling.HOLDS, why, measured)


@claim(
    "smt-ceiling", "Threads and processes only scale to 4x on 8 hyperthreads, and nobody knows why.",
    _smt_ceiling,
    cpus=2, quiet=True,
)  # fmt: skip
def smt_ceiling(bench: Bench) -> None:
    """Eight hyperthreads give a speedup of four, whatever runs on them.

    Method: pure Python in as many processes as CPUs, beside native threads on the same arithmetic, and what
    the system says of its cores.
    Limits: a virtual machine may hide that its CPUs are hyperthreads. Whose ceiling it is shows only where
    there are more CPUs than cores.
    """
    bench.facts["cores"] = psutil.cpu_count(logical=False)
    bench.facts["logical"] = psutil.cpu_count()
    contestants = of_lcg(bench.cpus, ("python", "processes"))
    if lcg.native:
        contestants += of_lcg(bench.cpus, ("native", "openmp"))
    bench.compare(contestants)
