"""Processes that make their data once: what is sent to a call, and back, is small."""

import json
from concurrent.futures import ProcessPoolExecutor


def load(count):
    """Make the data, in each process when it starts."""
    global rows
    rows = [{"id": number} for number in range(count)]


def dump(part):
    """Encode a part of them; what goes back is one number."""
    first, last = part
    return len(json.dumps(rows[first:last]))


if __name__ == "__main__":
    with ProcessPoolExecutor(2, initializer=load, initargs=(100_000,)) as pool:
        print(sum(pool.map(dump, [(0, 50_000), (50_000, 100_000)])))
