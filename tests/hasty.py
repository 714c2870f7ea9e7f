"""The command line in a hurry, for tests of all but the figures: it measures for as short as it can.

In which order and by whom it is measured, and what is made of it, is the same; calls are smaller, rounds
fewer, and nothing is measured again. ``python tests/hasty.py`` takes the arguments of ``gilkit``; `hurry` and
`hurry_here` do it to a process, and to the workers that it starts.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import hasty
from changed import Changed
from near_dask import come_near

PRELOADED = ["gilkit.engine.window", "gilkit.workloads.statement"]
KERNELS = ["gilkit.kernels._compiled"]  # which the workers of these commands need
OF_KERNELS = ("compare", "costs", "scaling", "threshold", "timeline")
LOOK = 0.01  # seconds of a look at the load
SWITCHING = 5e-4  # seconds of the switch interval: windows are as long as it takes to be each worker's turn
SMALLER = 20  # times, what kernels are given that nobody gave a size: a window has several calls
BUDGET, MACHINE = "studies.compare.budget", "machine"
PROGRAMS = {"studies.layout.by_hosts": "PROGRAM_AFAR", "engine.pythons": "PROGRAM"}  # of other processes
KERNEL, WORKERS = "kernels._base", "engine.processes"
PACES = ("QUICK_PACE", "USUAL_PACE", "OWN_PACE", "LADDER_PACE")
HURRIED = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); from hasty import hurry; hurry(); "
SHORTER: dict[str, dict[str, float]] = {
    "engine.calibration": {"PACED": 0.002},
    "engine.cluster": {"ANSWERED_WITHIN": 4.0, "ASKED_FOR": 0.5, "REACHED_WITHIN": 3.0},
    "engine.leash": {"SILENCE": 6.0},
    "engine.meter": {"FULL": 0.002, "CROWDED": 0.004, "CALLS": 4.0, "WARM": 0.001, "HANDS": 2.0},
    "engine.window": {"LEAD": 0.002},
    "gil.observations": {"OBSERVED": 0.1},
    "studies.compare.budget": {"PATIENCE": 1},  # no round again because others disturbed it
    "studies.compare.preparation": {"WATCH": 0.01, "HANDOVERS": 10},
    "studies.claims.bench": {"ROUNDS_TIME": 0.3, "QUICK_ROUNDS_TIME": 0.1, "WINDOW": 0.01, "WATCHED": 0.02},
    "studies.claims.on_failing": {"QUICK_CALL": 0.3, "ADDED": 20_000},
    "studies.costs.study": {"BUDGET": 1.0, "QUICK_BUDGET": 0.3, "CALIBRATED": 0.01, "PROBED": 0.002},
    "engine.neighbours": {"TICKING": 0.01, "ROUNDS_OF_TURNS": 2.0},
    "studies.beside.course": {"LEAST_WINDOW": 0.005, "WATCHED_FOR": 0.01, "IN_TIME": 2.0, "PATIENT": 6.0},
    "studies.layout.course": {
        "TASK": 0.002,
        "SPLIT_WINDOW": 0.005,
        "EMPTY_TASKS": 10,
        "GIL_WATCHED_FOR": 0.01,
    },
    "studies.map.closer": {"WATCHED_ITEMS": 0.01},
    "studies.map.study": {"USUAL_TIME": 3.0, "QUICK_TIME": 1.0},
    "studies.scaling.study": {"TIME": 4.0, "FITTED": 0.1},
    "studies.threshold.study": {"WINDOW_LENGTH": 0.008},
    "studies.timeline.study": {"GLANCE": 0.01},
}


def shorter(home: ModuleType) -> dict[str, Any]:
    """What is short in a module."""
    name = home.__name__.removeprefix("gilkit.")
    found: dict[str, Any] = dict(SHORTER.get(name, {}))
    for pace in PACES if name == BUDGET else ():
        usual = getattr(home, pace)
        tenths = {field: getattr(usual, field) / 10 for field in ("budget", "window", "patience")}
        found[pace] = replace(usual, **tenths, first=home.QUICK_PACE.first, looks=())
    if program := PROGRAMS.get(name):
        found[program] = HURRIED + getattr(home, program)
    if name == MACHINE:
        look = home.load_by_others
        found["load_by_others"] = lambda seconds=LOOK: look(min(seconds, LOOK))
    if name == WORKERS:
        found["_enter_worker"] = hasty.entered  # of the module, which they can import: not of `__main__`
    return found


def smaller(home: ModuleType) -> Callable[[Any, str], int]:
    """The size of a call where none is asked for."""
    usual = home.Kernel.default_size
    return lambda kernel, variant: max(1, usual(kernel, variant) // SMALLER)


HOMES = [f"gilkit.{name}" for name in (*SHORTER, *PROGRAMS, MACHINE, KERNEL, WORKERS)]


def shorten(home: Any) -> None:
    """Make a module short that was just loaded."""
    vars(home).update(shorter(home))
    if home.__name__.endswith(KERNEL):
        home.Kernel.default_size = smaller(home)


def hurry() -> None:
    """Make everything short from now on, in a process that has loaded nothing of gilkit.

    Where processes come from a server, that loads what they need once for all of them.
    """
    assert not sys.modules.keys() & set(HOMES)
    kernels = any(name in " ".join(sys.argv) for name in OF_KERNELS)  # or some other word has it
    multiprocessing.set_forkserver_preload([*PRELOADED, *KERNELS] if kernels else PRELOADED)
    sys.setswitchinterval(SWITCHING)
    sys.meta_path.insert(0, Changed(HOMES, shorten))


def hurry_here(set_to: Callable[[Any, str, Any], None]) -> None:
    """Make everything short in this process; ``set_to`` changes it, as `MonkeyPatch.setattr` does."""
    _shorten([import_module(home) for home in HOMES], set_to)


def entered(*given: Any) -> None:
    """Enter a worker, as those of gilkit do, and let it be in a hurry: its server never is."""
    enter = import_module("gilkit.engine.processes")._enter_worker
    _shorten([home for name in HOMES if (home := sys.modules.get(name))], setattr)
    sys.meta_path.insert(0, Changed(HOMES, shorten))
    come_near()
    enter(*given)


def _shorten(homes: list[ModuleType], set_to: Callable[[Any, str, Any], None]) -> None:
    """Make modules short that are loaded."""
    modules = [module for name, module in sys.modules.items() if name.startswith("gilkit.")]
    for home in homes:
        if home.__name__.endswith(KERNEL):
            set_to(home.Kernel, "default_size", smaller(home))
        for name, value in shorter(home).items():
            before = getattr(home, name)
            for module in modules:  # whoever has it by name
                if getattr(module, name, None) is before:
                    set_to(module, name, value)


if __name__ == "__main__":
    hurry()
    from gilkit.cli.main import main

    main()
