"""A cluster of Dask whose workers come from the server that its own process came from.

Dask itself starts a Python for each, which loads it: several times what a test asks of them. So it is in all
commands and programs that tests start, and here, too, where the server has not loaded Dask.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from multiprocessing import forkserver
from types import ModuleType
from typing import Any

import psutil

LIBRARY = "distributed"
LOADED = LIBRARY in sys.modules  # in a process that begins: by its server
MODULE, NAME = "gilkit.engine.dask_host", "LocalCluster"  # what starts one, and is there in its place


class Near(MetaPathFinder):
    """Has clusters started here as soon as somebody loads what starts them."""

    def find_spec(self, name: str, path: Any = None, _: Any = None) -> ModuleSpec | None:
        if name != MODULE or not (spec := PathFinder.find_spec(name, path)) or not spec.loader:
            return None
        load = spec.loader.exec_module

        def exec_module(home: ModuleType) -> None:
            load(home)
            vars(home)[NAME] = local_cluster

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def entered(*given: Any) -> None:
    """Enter a worker, as those of gilkit do; it may be the process of a cluster."""
    sys.meta_path.insert(0, Near())
    import_module("gilkit.engine.processes")._enter_worker(*given)


def local_cluster(**options: Any) -> Any:
    """Start a cluster."""
    import dask
    from distributed import LocalCluster, utils

    server = forkserver._forkserver  # type: ignore[attr-defined]
    here = psutil.Process(os.getppid())
    takes_any = hasattr(here, "net_connections") and not hasattr(server, "_forkserver_authkey")
    sockets = here.net_connections("unix") if LOADED and takes_any else ()
    addresses = [socket.laddr for socket in sockets if "listener-" in socket.laddr]
    if len(addresses) == 1:
        server._forkserver_address, server.ensure_running = addresses[0], lambda: None
        utils._forkserver_preload_set = True
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    return LocalCluster(**options)
