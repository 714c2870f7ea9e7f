"""The command line in a hurry, for tests of all but the figures: it measures for as short as it can.

What is measured, in which order, by whom and what is made of it is the same. ``python tests/hasty.py`` takes
the arguments of ``gilkit``; `hurry` does it to this process.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

LOOK = 0.01  # seconds of a look at the load
HURRIED = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); from hasty import hurry; hurry(); "
SHORTER: dict[str, dict[str, float]] = {
    "engine.calibration": {"PACED": 0.002},
    "engine.cluster": {"ANSWERED_WITHIN": 4.0, "ASKED_FOR": 0.5, "REACHED_WITHIN": 3.0},
    "engine.leash": {"SILENCE": 6.0},
    "engine.meter": {"FULL": 0.004, "CROWDED": 0.008, "CALLS": 4.0, "WARM": 0.001},
    "gil.observations": {"OBSERVED": 0.1},
    "studies.compare.preparation": {"WATCH": 0.01, "HANDOVERS": 10},
    "studies.claims.bench": {"QUICK_ROUNDS_TIME": 0.1},
    "studies.claims.on_failing": {"QUICK_CALL": 0.3, "ADDED": 20_000},
    "studies.costs.study": {"PROBED": 0.002},
    "studies.costs.probes": {"RELAY": 0.01},
    "engine.neighbours": {"TICKING": 0.01, "ROUNDS_OF_TURNS": 2.0},
    "studies.beside.course": {"LEAST_WINDOW": 0.005, "WATCHED_FOR": 0.01},
    "studies.layout.course": {
        "TASK": 0.002,
        "SPLIT_WINDOW": 0.005,
        "EMPTY_TASKS": 10,
        "GIL_WATCHED_FOR": 0.01,
    },
    "studies.threshold.study": {"WINDOW_LENGTH": 0.008},
}


def hurry(set_to: Callable[[Any, str, Any], None] = setattr) -> None:
    """Make everything short from now on; ``set_to`` changes it, as `MonkeyPatch.setattr` does.

    Where processes come from a server, that loads what they need once for all of them.
    """
    multiprocessing.set_forkserver_preload(["gilkit.engine.window", "gilkit.workloads.statement"])
    changes = [
        (import_module(f"gilkit.{home}"), name, value)
        for home, shorter in SHORTER.items()
        for name, value in shorter.items()
    ]
    budget = import_module("gilkit.studies.compare.budget")
    for name in ("QUICK_PACE", "USUAL_PACE", "OWN_PACE", "LADDER_PACE"):
        pace = getattr(budget, name)
        tenths = {field: getattr(pace, field) / 10 for field in ("budget", "window", "patience")}
        changes.append((budget, name, replace(pace, **tenths)))
    by_hosts = import_module("gilkit.studies.layout.by_hosts")
    changes.append((by_hosts, "PROGRAM_AFAR", HURRIED + by_hosts.PROGRAM_AFAR))
    modules = [module for name, module in sys.modules.items() if name.startswith("gilkit.")]
    for home, name, value in changes:
        before = getattr(home, name)
        for module in modules:  # whoever has it by name
            if getattr(module, name, None) is before:
                set_to(module, name, value)
    machine = import_module("gilkit.machine")
    look = machine.load_by_others
    set_to(machine, "load_by_others", lambda seconds=LOOK: look(min(seconds, LOOK)))


if __name__ == "__main__":
    from gilkit.cli.main import main

    hurry()
    main()
