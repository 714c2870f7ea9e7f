"""The program that measures a set of rounds in an interpreter, by turns with those of others."""

from __future__ import annotations

import signal
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from gilkit.engine.runner import Runner
from gilkit.engine.turns import Turns
from gilkit.errors import BusyMachineWarning, NothingMeasuredError, one_line
from gilkit.studies.compare.course import Course
from gilkit.studies.compare.study import compare
from gilkit.studies.compare.timeit_study import timeit
from gilkit.workloads.folder import see


def main() -> None:
    """Measure what is asked, in turns, and write it to a file."""
    turns = Turns()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # by which it is told to end
    warnings.simplefilter("ignore", BusyMachineWarning)  # who gives the turns says it once
    with suppress(FileNotFoundError):  # a folder that was removed has no modules
        see(str(Path.cwd()))
    Runner.turn = staticmethod(turns.wait)
    Course.sets = 1
    asked = turns.asked
    study: Any = {"compare": compare, "timeit": timeit}[asked["study"]]
    try:
        study(*asked["args"], **asked["options"])
    except KeyboardInterrupt:  # there are rounds enough: what was measured is in the file
        turns.tell({"failed": None})
    except NothingMeasuredError as error:
        turns.tell({"failed": "; ".join(dict.fromkeys(error.failures.values()))})
    except Exception as error:  # noqa: BLE001 (it is a row of the table)
        turns.tell({"failed": str(error) if isinstance(error, ValueError) else one_line(error)})
    else:
        turns.tell({"failed": None})
