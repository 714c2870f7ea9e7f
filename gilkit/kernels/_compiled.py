"""The compiled modules, loaded together: a clear word where they are missing, and no side effects."""

from __future__ import annotations

import os

_cpus = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None

try:
    from gilkit._ext import _checks, _compute, _memory, _monitor, _objects, _start, _synthetic, _waiting  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"{error}: gilkit's compiled modules are not beside its source. "
        "In a clone, use 'pip install -e .', or leave the clone's folder to use an installed gilkit"
    ) from error

# With OMP_PROC_BIND set, loading OpenMP binds this thread to one CPU, and every thread that it starts.
if _cpus is not None and os.sched_getaffinity(0) != _cpus:
    os.sched_setaffinity(0, _cpus)

openmp = _compute.openmp
