"""A worker of Dask that says which line kept its threads waiting: the one that keeps the GIL for so long."""

import json
from pathlib import Path

from distributed import Client, LocalCluster, WorkerPlugin

import gilkit

ROWS = [{"id": number, "sizes": [1.5] * 8} for number in range(100_000)]


class Stalls(WorkerPlugin):
    """Logs each stall of a worker as an event of its cluster."""

    def setup(self, worker):
        """Begin to watch."""

        def say(stall):
            line = stall.own
            where = f"{Path(line.file).name}:{line.line} {line.function}" if line is not None else "not known"
            worker.log_event("stalls", {"line": where, "seconds": stall.seconds, "kind": stall.kind})

        self.watch = gilkit.Stalls(longer=0.05, on_stall=say).start()

    def teardown(self, **_):
        """End it."""
        self.watch.stop()


def report(number):
    """Return all rows as text."""
    return len(json.dumps(ROWS)) + number


if __name__ == "__main__":
    workers = LocalCluster(1, threads_per_worker=2, processes=False, dashboard_address=None)
    with workers as cluster, Client(cluster) as client:
        client.register_plugin(Stalls())
        client.gather(client.map(report, range(6)))
        for _, event in client.get_events("stalls"):
            print(f"{event['line']}: {event['kind']}")
