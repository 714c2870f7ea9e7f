"""A cluster of Dask whose workers come from the server that its own process came from.

Dask itself starts a Python for each, which loads it: several times what a test asks of them. So it is here,
too, where the server has not loaded it.
"""

from __future__ import annotations

import os
import sys
from multiprocessing import forkserver
from typing import Any

import psutil

LIBRARY = "distributed"
LOADED = LIBRARY in sys.modules  # in a process that begins: by its server
MODULE, NAME = "gilkit.engine.dask_host", "LocalCluster"  # what starts one, and is there in its place


def local_cluster(**options: Any) -> Any:
    """Start a cluster."""
    import dask
    from distributed import LocalCluster, utils

    server = forkserver._forkserver  # type: ignore[attr-defined]
    here = psutil.Process(os.getppid())
    takes_any = hasattr(here, "net_connections") and not hasattr(server, "_forkserver_authkey")
    if LOADED and takes_any:
        [address] = [socket.laddr for socket in here.net_connections("unix") if socket.laddr]
        server._forkserver_address, server.ensure_running = address, lambda: None
        utils._forkserver_preload_set = True
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    return LocalCluster(**options)
