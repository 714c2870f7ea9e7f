"""`modules`: which extension modules turn the GIL on of a free-threaded interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from gilkit import machine
from gilkit.arguments import TIMEOUT, checked_timeout
from gilkit.display.progress import Listener, Progress, with_bar
from gilkit.engine import scratch
from gilkit.engine.ends import how_ended
from gilkit.engine.families import kill_marked, kill_session
from gilkit.errors import InterruptedRunError, one_line
from gilkit.studies import fresh_import
from gilkit.studies.extension_files import (
    Extension,
    installed,
    known_packages,
    looking_in,
    of_packages,
    owned,
)
from gilkit.studies.modules_report import ImportedModule, Modules
from gilkit.workloads.folder import seen_folder

IMPORTS_OF = "GILKIT_IMPORTS"  # in the environment of all that a search starts, and what that starts


@with_bar
def modules(
    packages: str | Iterable[str] = (),
    /,
    *,
    every: bool = False,
    timeout: float = TIMEOUT,
    progress: Listener | bool | None = None,
) -> Modules:
    """Find the extension modules that turn the GIL on of this free-threaded interpreter.

    Imports each in a process of its own. A free-threaded interpreter turns its GIL on, for good, when it
    loads an extension module that does not declare that it needs none, and warns of the first one only.

    Parameters
    ----------
    packages : str or list of str
        Names of packages, as they are installed or imported, or of parts of them; by default all that are
        installed in this environment.
    every : bool
        Whether the report lists those, too, that leave the GIL off.
    timeout : float
        Seconds after which an import is given up and its process is killed.
    progress : bool or callable, optional
        True for a bar, on a terminal or in a notebook; or what is called with a `Progress` now and then.

    Returns
    -------
    Modules

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, if there is no such package, or if this interpreter always has a GIL.
    KeyboardInterrupt
        On Ctrl-C, as an `InterruptedRunError` that has what was found until then.

    Examples
    --------
    >>> import gilkit
    >>> gilkit.modules("numpy")  # doctest: +SKIP
    """
    names = [packages] if isinstance(packages, str) else list(packages)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"packages must be names, not {type(name).__name__}")
    if not machine.free_threaded():
        raise ValueError(
            f"{machine.interpreter()} always has a GIL: modules is for a free-threaded Python; install "
            "gilkit in one, and run python3.14t -m gilkit modules"
        )
    folder = seen_folder()
    extensions = of_packages(names, folder) if names else installed()
    with looking_in(folder if names else ""):
        path = list(sys.path)
    search = Search(extensions, checked_timeout(timeout), path, progress if callable(progress) else None)
    try:
        search.run()
    except KeyboardInterrupt:
        found = search.found(every)
        raise InterruptedRunError(found if search.done else None) from None
    return search.found(every)


class Search:
    """The imports, each in a process of its own, as many at once as there are CPUs.

    Parameters
    ----------
    extensions : list of Extension
    timeout : float
        Seconds for each.
    path : list of str
        Where modules are looked for.
    progress : callable, optional
    """

    def __init__(
        self, extensions: Sequence[Extension], timeout: float, path: list[str], progress: Listener | None
    ) -> None:
        self.extensions = extensions
        self.timeout = timeout
        self.path = path
        self.progress = progress
        self.done: list[ImportedModule] = []
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._mark = uuid.uuid4().hex

    def run(self) -> None:
        """Import them all."""
        begun = time.monotonic()
        with (
            tempfile.TemporaryDirectory(dir=scratch.folder()) as folder,
            ThreadPoolExecutor(machine.usable_cpus()) as pool,
        ):
            try:
                waiting = {
                    pool.submit(self._imported, each, Path(folder, f"{place}.json"))
                    for place, each in enumerate(self.extensions)
                }
                while waiting:
                    self._say(begun, len(waiting))
                    ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    self.done += [future.result() for future in ended]
            except BaseException:
                self._stop()
                pool.shutdown(cancel_futures=True)
                raise
            finally:
                kill_marked(IMPORTS_OF, self._mark)

    def _say(self, begun: float, left: int) -> None:
        if self.progress is not None:
            done, spent = len(self.done), time.monotonic() - begun
            label = f"module {done + 1} of {len(self.extensions)}"
            self.progress(Progress(spent, spent * (1 + left / done) if done else 0.0, label))

    def found(self, every: bool) -> Modules:
        """Return what was found so far, with what was imported on the way."""
        done = sorted(self.done, key=attrgetter("name"))
        by = {name: each.name for each in reversed(done) for name in each.imports}
        others = sorted(by.keys() - {each.name for each in self.extensions})
        known = known_packages() if others else {}
        brought = (owned(name, known) for name in others)
        rows = [
            ImportedModule(one.name, one.package, one.version, True, imported_by=by[one.name])
            for one in brought
        ]
        return Modules([*done, *rows], every, len(self.extensions) - len(done))

    def _stop(self) -> None:
        self._stopped = True
        for process in list(self._running):
            kill_session(process)

    def _imported(self, extension: Extension, told: Path) -> ImportedModule:
        """Import a module in a process of its own, which tells a file, and return what that did."""
        try:
            status, problem = self._ended(extension, told)
            said = told.read_text("utf-8", errors="replace") if told.exists() else ""
            return understood(extension, said, status, problem)
        except Exception as error:  # noqa: BLE001 (it is a row)
            row = ImportedModule(extension.name, extension.package, extension.version, None)
            return replace(row, problem=one_line(error))

    def _ended(self, extension: Extension, told: Path) -> tuple[int, str]:
        """Wait for the end of the process, whatever it leaves behind: its status, and whether it was late."""
        asked = json.dumps([extension.name, self.timeout, self.path, str(told)])
        program = [sys.executable, "-P", fresh_import.__file__, asked]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHON_GIL"}
        nothing, late = subprocess.DEVNULL, False
        with subprocess.Popen(
            program,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            env={**environment, IMPORTS_OF: self._mark},
            start_new_session=True,
        ) as process:
            self._running.add(process)
            try:
                if not self._stopped:
                    process.wait(self.timeout)
            except subprocess.TimeoutExpired:
                late = True
            finally:
                self._running.discard(process)
                kill_session(process)
        return process.returncode, f"no end within {self.timeout:g} s: killed" if late else ""


def understood(extension: Extension, said: str, status: int, problem: str) -> ImportedModule:
    """Return what the lines of an import's program say, and its exit status, unless a problem is known."""
    told: list[dict[str, Any]] = []
    for line in said.splitlines():
        with suppress(ValueError):  # a line that it did not end any more
            if isinstance(one := json.loads(line), dict):
                told.append(one)
    made = {one[fresh_import.MADE]: one[fresh_import.NEEDS] for one in told if fresh_import.MADE in one}
    ends = [one[fresh_import.ENDED] for one in told if fresh_import.ENDED in one]
    problem = ends[-1] if ends else problem or f"it {how_ended(status)}"
    return ImportedModule(
        extension.name,
        extension.package,
        extension.version,
        made.get(extension.name, None if problem else False),
        tuple(name for name, needs in made.items() if needs and name != extension.name),
        problem,
    )
