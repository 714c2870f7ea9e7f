"""Whether `gilkit layout` finds what is known: two calls of which everybody can say what comes out.

    python benchmarks/layout_truths.py [NAME ...] [--runs 3] [--show]

Each is run by the command line, so many times in a row, and counted as right, wrong or not decided. Exits
with 1 if not all are right.

- holds: plain Python. As many processes as CPUs, because it holds the GIL.
- shares: summing 1 GB that each process needs for itself, without the GIL. Threads of one process, because
  they do as much with less memory.

It takes about two minutes a run: on a quiet machine, with Dask.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import gilkit
from gilkit.machine import usable_cpus
from gilkit.studies.layout.splits import Split
from gilkit.studies.layout.verdict import Why

CPUS = usable_cpus()
TRUTHS: dict[str, tuple[str, str, Split, Why]] = {
    "holds": ("pass", "sum(i * i for i in range(50_000))", Split(CPUS, 1), Why.HOLDS),
    "shares": ("import numpy as np; a = np.ones(125_000_000)", "a.sum()", Split(1, CPUS), Why.MEMORY),
}


def main() -> None:
    """Run the truths that are asked for, and count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--show", action="store_true", help="print every report, too")
    asked = parser.parse_args()
    right = 0
    names = asked.names or list(TRUTHS)
    for name in names:
        setup, stmt, split, why = TRUTHS[name]
        for run in range(asked.runs):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "layout.json")
                command = [sys.executable, "-m", "gilkit", "layout", "-s", setup, stmt, "-o", str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
                found = gilkit.load(path) if path.exists() else None
            if found is None:
                print(f"{name:<8} {run + 1}  WRONG        {done.stderr.strip()}", flush=True)
                continue
            choice = found.decision
            fits = (choice.split, choice.why) == (split, why)
            word = "not decided" if choice.split is None else "right" if fits else "WRONG"
            rates = [f"{one.split}: {one.rate:.0f}/s" for one in found.splits if one.rate is not None]
            told = f"{choice.split}, as {choice.why.value}; {', '.join(rates)}"
            print(f"{name:<8} {run + 1}  {word:<12} {told}", flush=True)
            if asked.show:
                print(done.stdout)
            right += fits
    print(f"{right} of {len(names) * asked.runs} right")
    sys.exit(right < len(names) * asked.runs)


if __name__ == "__main__":
    main()
