"""A cluster of Dask whose workers come from the server that its own process came from.

Dask itself starts a Python for each, which loads it: several times what a test asks of them. Commands and
programs that tests start leave it at that, and so does this where the server has not loaded Dask.
"""

from __future__ import annotations

import sys
from importlib import import_module
from multiprocessing import forkserver
from typing import Any

from changed import Changed

LIBRARY = "distributed"
LOADED = LIBRARY in sys.modules  # by the server, as this process has just begun
HOST = "gilkit.engine.dask_host"  # what starts a cluster


def entered(*given: Any) -> None:
    """Enter a worker, as those of gilkit do; it may become the process of a cluster."""
    enter = import_module("gilkit.engine.processes")._enter_worker
    come_near()
    enter(*given)


def come_near() -> None:
    """Let clusters of this process be such."""
    sys.meta_path.insert(0, Changed([HOST], lambda home: vars(home).update(LocalCluster=local_cluster)))


def local_cluster(**options: Any) -> Any:
    """Start a `LocalCluster`, with workers of the server that this process came from if that is possible."""
    import dask
    from distributed import LocalCluster, utils

    server = forkserver._forkserver  # type: ignore[attr-defined]
    if LOADED and not hasattr(server, "_forkserver_authkey"):  # it knows its address from that server
        server.ensure_running = lambda: None
        utils._forkserver_preload_set = True
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    return LocalCluster(**options)
