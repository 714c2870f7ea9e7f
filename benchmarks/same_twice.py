"""How often a difference is found between an interpreter and itself: it should be never.

    python benchmarks/same_twice.py [TIMES [PYTHON]]

`gilkit timeit --python PYTHON --python PYTHON` is run TIMES (20) on one of a few statements after the other;
PYTHON is by default the one that runs this script. A line for each run, with how long it took; the last line
counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter

STATEMENTS = {
    "python": ("pass", "sum(i * i for i in range(9999))"),
    "C, with the GIL": ("d = list(range(9999))", "str(d)"),
    "C, without it": ("import zlib; d = bytes(10**6)", "zlib.crc32(d)"),
}


def concluded(python: str, setup: str, stmt: str) -> tuple[str, str]:
    """What one run concludes, and in what figures."""
    twice = ["--python", python, "--python", python]
    command = [sys.executable, "-m", "gilkit", "timeit", "-s", setup, stmt, *twice, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (told,) = json.loads(done.stdout)["pythons"].values()
    return told["use"], told["figures"]


def main() -> None:
    """Run it."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    found: Counter[str] = Counter()
    for number in range(times):
        name, (setup, stmt) = list(STATEMENTS.items())[number % len(STATEMENTS)]
        begun = time.monotonic()
        use, figures = concluded(python, setup, stmt)
        found[use] += 1
        print(f"{number + 1:>3}  {time.monotonic() - begun:4.0f} s  {name:<16} {use}: {figures}", flush=True)
    print(", ".join(f"{use}: {count} of {times}" for use, count in found.items()))


if __name__ == "__main__":
    main()
