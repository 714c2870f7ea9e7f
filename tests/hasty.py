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
from typing import Any

LOOK = 0.01  # seconds of a look at the load
SHORTER: dict[str, dict[str, float]] = {
    "engine.calibration": {"PACED": 0.002},
    "engine.meter": {"FULL": 0.004, "CROWDED": 0.008, "CALLS": 4.0, "WARM": 0.001},
    "gil.observations": {"OBSERVED": 0.1},
    "studies.compare.preparation": {"WATCH": 0.01, "HANDOVERS": 10},
    "studies.costs.study": {"PROBED": 0.002},
    "studies.costs.probes": {"RELAY": 0.01},
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
    plan = import_module("gilkit.studies.compare.plan")
    for name in ("QUICK_PACE", "USUAL_PACE", "OWN_PACE"):
        pace = getattr(plan, name)
        changes.append((plan, name, replace(pace, window=pace.window / 10)))
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
