"""What a timeline has lanes of."""

from __future__ import annotations

from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import VARIANTS

LANE_VARIANTS = [name for name in VARIANTS if name != "native"]  # native threads are not Python's to watch
LANE_EXECUTORS = [
    name for name, kind in EXECUTORS.items() if not (kind.native or kind.plain)
]  # watched there
