"""A cluster of Dask whose workers come from the server that its own process came from.

Dask itself starts a Python for each, which loads it: several times what a test asks of them.
"""

from __future__ import annotations

import os
from multiprocessing import forkserver
from typing import Any

import psutil

MODULE, NAME = "gilkit.engine.dask_host", "LocalCluster"  # what starts one, and is there in its place


def local_cluster(**options: Any) -> Any:
    """Start a cluster; as Dask does where the server takes no child of another."""
    import dask
    from distributed import LocalCluster, utils

    server = forkserver._forkserver  # type: ignore[attr-defined]
    here = psutil.Process(os.getppid())
    if hasattr(here, "net_connections") and not hasattr(server, "_forkserver_authkey"):
        [address] = [socket.laddr for socket in here.net_connections("unix") if socket.laddr]
        server._forkserver_address, server.ensure_running = address, lambda: None
        utils._forkserver_preload_set = True
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    return LocalCluster(**options)
