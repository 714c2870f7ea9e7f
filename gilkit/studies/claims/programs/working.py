"""Workers that wait, compute and fetch.

A program of its own: see `talk`.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from talk import WORKER_PATIENCE, heed, plain_lcg, run, tell, usual

LCG = plain_lcg()


def io(seconds: float, counts: list[int], rounds: int) -> None:
    """Start so many workers that sleep, and wait for them: seconds, on threads and in processes, by turns."""
    context: Any = multiprocessing.get_context(usual())
    start = context.Process(target=time.sleep, args=(0,))
    start.start()  # the server starts with its first process
    start.join()
    for _ in range(rounds):
        row = []
        for count in counts:
            for make in (threading.Thread, context.Process):
                begin = time.perf_counter()
                workers = [make(target=time.sleep, args=(seconds,)) for _ in range(count)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
                row.append(time.perf_counter() - begin)
        tell(row)


def work(n: int) -> int:
    """Compute; a function of this file, so that processes find it."""
    return int(LCG(n))


def _pool(kind: str, workers: int) -> Executor:
    if kind == "threads":
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(usual()))


def jobs(workers: int, sizes: list[float], rounds: list[int]) -> None:
    """Do jobs of so many seconds in a pool that is started for each: seconds, on threads and processes."""
    begin = time.perf_counter()
    work(200_000)
    each = (time.perf_counter() - begin) / 200_000
    with _pool("processes", 1) as pool:  # the server starts with its first process
        pool.submit(work, 1).result()
    for size, count in zip(sizes, rounds, strict=True):
        parts = [max(1, round(size / each / workers))] * workers
        for _ in range(count):
            row = []
            for kind in ("threads", "processes"):
                begin = time.perf_counter()
                with _pool(kind, workers) as pool:
                    list(pool.map(work, parts))
                row.append(time.perf_counter() - begin)
            tell([size, *row])


def serve(delay: float) -> None:
    """Answer every request on a port of 127.0.0.1 after so many seconds; tell the port."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(delay)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"an answer")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tell(server.server_address[1])
        heed()


def _get(url: str) -> bytes:
    from urllib.request import urlopen

    with urlopen(url, timeout=WORKER_PATIENCE) as answer:
        return bytes(answer.read())


def fetch(port: int, count: int, rounds: int) -> None:
    """Get so many URLs: seconds one after another, on threads and in processes, their start included."""
    urls = [f"http://127.0.0.1:{port}/{number}" for number in range(count)]
    _get(urls[0])
    with _pool("processes", 1) as pool:
        pool.submit(work, 1).result()
    for _ in range(rounds):
        begin = time.perf_counter()
        got = [_get(url) for url in urls]
        row = [time.perf_counter() - begin]
        for kind in ("threads", "processes"):
            begin = time.perf_counter()
            with _pool(kind, count) as pool:
                got += pool.map(_get, urls)
            row.append(time.perf_counter() - begin)
        if got != [b"an answer"] * 3 * count:
            raise ValueError("an answer was not what it should be")
        tell(row)


if __name__ == "__main__":
    run(fetch, io, jobs, serve)
