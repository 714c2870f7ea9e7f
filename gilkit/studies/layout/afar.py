"""The program that a host of a cluster runs: a study of gilkit, whose results it prints."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from gilkit.engine import scratch
from gilkit.engine.leash import on_a_leash
from gilkit.errors import BusyMachineWarning, NothingMeasuredError, one_line
from gilkit.studies.compare.timeit_study import timeit
from gilkit.studies.layout.study import layout
from gilkit.workloads.folder import see


def main() -> None:
    """Measure what the first line of standard input asks for, and print what came of it as one line."""
    asked = json.loads(on_a_leash())
    warnings.simplefilter("ignore", BusyMachineWarning)  # the table has it
    with suppress(FileNotFoundError):
        see(str(Path.cwd()))
    sys.stdout.write(json.dumps(_found(asked)) + "\n")
    sys.stdout.flush()


def _found(asked: dict[str, Any]) -> dict[str, Any]:
    study: Any = {"timeit": timeit, "layout": layout}[asked["study"]]
    try:
        with tempfile.TemporaryDirectory(dir=scratch.folder()) as folder:
            path = Path(folder) / "results.json"
            study(*asked["args"], output=path, **asked["options"])
            return {"results": path.read_text("utf-8")}
    except NothingMeasuredError as error:
        return {"failed": "; ".join(dict.fromkeys(error.failures.values()))}
    except Exception as error:  # noqa: BLE001 (it is a row of the table)
        return {"failed": str(error) if isinstance(error, ValueError) else one_line(error)}
