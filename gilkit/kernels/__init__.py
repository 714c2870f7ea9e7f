"""The kernels, and KERNELS: the registry that every table, test and benchmark is made from.

A kernel is one computation in up to four variants, which return the same bits: ``python`` is the plain
Python reference, ``gil`` and ``nogil`` are its compiled body with the GIL held and released, and ``native``
runs that body on several native threads at once. ``native`` takes a list of calls, a tuple of arguments each,
and returns the list of their results.

Every variant may be called from any number of threads at once: bodies touch their arguments only. While the
GIL is released, an argument that another thread writes to is read as it is at that moment.

The first call that needs NumPy loads it. Whoever watches a call makes one before, as gilkit does.
"""

from __future__ import annotations

from gilkit.kernels._base import KERNELS, NO_OPENMP, VARIANTS, Kernel
from gilkit.kernels._compute import *
from gilkit.kernels._memory import *
from gilkit.kernels._objects import *
from gilkit.kernels._synthetic import *
from gilkit.kernels._waiting import *

__all__ = ["KERNELS", "NO_OPENMP", "VARIANTS", "Kernel"]
__all__ += list(KERNELS)
