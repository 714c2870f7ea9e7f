"""A server on asyncio that answers at once, unless a thread beside its loop keeps the GIL."""

import asyncio
import json
import threading
import time
from pathlib import Path

import gilkit

ROWS = [{"id": number, "name": f"row {number}", "sizes": [1.5] * 8} for number in range(60_000)]


def report():
    """Return all rows as text."""
    return json.dumps(ROWS)  # one call: nobody else gets the GIL


def reports(count):
    """Make some reports, on a thread beside the loop."""
    for _ in range(count):
        report()
        time.sleep(0.1)


async def ask(port):
    """Ask each millisecond while reports are made; return how long the slowest turn took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    making = threading.Thread(target=reports, args=(5,), name="reports")
    making.start()
    slowest = 0.0
    while making.is_alive():
        start = time.perf_counter()
        await asyncio.sleep(0.001)
        writer.write(b"ping\n")
        await reader.readline()
        slowest = max(slowest, time.perf_counter() - start)
    writer.close()
    return slowest


async def serve():
    """Answer as long as anybody asks."""
    gone = asyncio.Event()

    async def answer(reader, writer):
        while await reader.readline():
            writer.write(b"pong\n")
        writer.close()
        gone.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        slowest = await ask(server.sockets[0].getsockname()[1])
        await gone.wait()
    print(f"the slowest answer took {slowest * 1e3:.0f} ms")


def say(stall):
    """Be told of a stall, on a thread of gilkit's own."""
    line = stall.own
    if line is not None:
        where = f"{Path(line.file).name}:{line.line} {line.function}"
        print(f"others waited {stall.seconds * 1e3:.0f} ms for {where}: {stall.kind}, {stall.certainty}")


if __name__ == "__main__":
    with gilkit.Stalls(longer=0.02, on_stall=say):
        asyncio.run(serve())
