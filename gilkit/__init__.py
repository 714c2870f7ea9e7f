"""gilkit: threads or processes, and should this release the GIL? Measured on your own machine.

`gilkit.kernels` holds the kernels. `compare` measures them, or a function of your own, on threads and on
processes; `load` reads what was measured before. `GilMonitor` and `held_share` tell who holds the GIL, and
for what share of the time; `timeline` draws who ran and who held it when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "KERNELS",
    "Claims",
    "Comparison",
    "Costs",
    "Estimate",
    "GilMonitor",
    "Kernel",
    "MonitorError",
    "Scaling",
    "Threshold",
    "Timeline",
    "Verdict",
    "__version__",
    "claims",
    "compare",
    "costs",
    "held_share",
    "load",
    "scaling",
    "threshold",
    "timeit",
    "timeline",
]

if TYPE_CHECKING:
    from gilkit.classic import Scaling, scaling
    from gilkit.comparison import Comparison, compare, timeit
    from gilkit.kernels import KERNELS, Kernel
    from gilkit.monitor import GilMonitor, MonitorError, held_share
    from gilkit.reading import load
    from gilkit.stats import Estimate
    from gilkit.survey import Costs, costs
    from gilkit.sweep import Threshold, threshold
    from gilkit.tracing import Timeline, timeline
    from gilkit.trial import Claims, claims
    from gilkit.verdict import Verdict

# Loaded on first use: to import gilkit costs little more than to import numpy.
_HOMES = {
    "Claims": "gilkit.trial",
    "Comparison": "gilkit.comparison",
    "Costs": "gilkit.survey",
    "Estimate": "gilkit.stats",
    "GilMonitor": "gilkit.monitor",
    "KERNELS": "gilkit.kernels",
    "MonitorError": "gilkit.monitor",
    "Kernel": "gilkit.kernels",
    "Scaling": "gilkit.classic",
    "Threshold": "gilkit.sweep",
    "Timeline": "gilkit.tracing",
    "Verdict": "gilkit.verdict",
    "claims": "gilkit.trial",
    "compare": "gilkit.comparison",
    "costs": "gilkit.survey",
    "held_share": "gilkit.monitor",
    "load": "gilkit.reading",
    "scaling": "gilkit.classic",
    "threshold": "gilkit.sweep",
    "timeit": "gilkit.comparison",
    "timeline": "gilkit.tracing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gilkit' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
