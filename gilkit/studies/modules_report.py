"""What importing extension modules did to the GIL: as a table, and for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit import machine
from gilkit.display.data import DOCUMENT_FORMAT, strict
from gilkit.display.gil_words import NEEDED
from gilkit.display.tables import closing, plain_table
from gilkit.studies.outcome import Report

TURNED_ON, LEFT_OFF, NOTHING_TOLD = "turned on", "left off", "not told"


@dataclass(frozen=True, slots=True)
class ImportedModule:
    """What it did to the GIL to import an extension module.

    Attributes
    ----------
    name : str
        Its full name.
    package, version : str
        What it was installed with; empty where that is not known.
    turns_on : bool or None
        Whether the interpreter turns its GIL on for it; None where the import did not get so far.
    imports : tuple of str
        Other extension modules that were imported on the way and for which it does.
    problem : str
        Why it could not be imported, whatever it did to the GIL before; or empty.
    imported_by : str
        Of one that was not asked for: one of those that were asked for and import it.
    """

    name: str
    package: str
    version: str
    turns_on: bool | None
    imports: tuple[str, ...] = ()
    problem: str = ""
    imported_by: str = ""

    @property
    def told(self) -> Text:
        """What is said of it in a table."""
        if self.turns_on is None:
            return Text(f"{NOTHING_TOLD}: {self.problem}", style="magenta")
        said = Text(TURNED_ON, style="yellow") if self.turns_on else Text(LEFT_OFF, style="green")
        said.append(f": {self.imported_by} imports it" if self.imported_by else "")
        return said.append(f"; {self.problem}", style="magenta") if self.problem else said


class Modules(Report):
    """Which extension modules turn the GIL on. Its ``repr`` is the report.

    Parameters
    ----------
    found : list of ImportedModule
    every : bool
        Whether the report lists those, too, that leave it off.
    left : int
        How many were not imported any more, as the run was interrupted.
    """

    def __init__(self, found: Iterable[ImportedModule], every: bool = False, left: int = 0) -> None:
        self.found = list(found)
        self.left = left
        self._every = every

    @property
    def turning_on(self) -> list[ImportedModule]:
        """Those for which the interpreter turns its GIL on."""
        return [each for each in self.found if each.turns_on]

    def __rich__(self) -> RenderableType:
        head = f"{machine.interpreter()}, free-threaded · each module imported in a process of its own"
        parts: list[RenderableType] = [Text(head, style="bold"), ""]
        groups = [
            self.turning_on,
            [each for each in self.found if not each.turns_on and each.problem],
            [each for each in self.found if self._every and not each.turns_on and not each.problem],
        ]
        body = plain_table("extension module", "package", "the GIL is")
        for each in (each for group in groups for each in group):
            body.add_row(each.name, f"{each.package} {each.version}".strip() or "–", each.told)
        for column in body.columns:
            column.overflow = "fold"
        parts += [body, ""] if body.row_count else []
        return Group(*parts, closing(*_summary(self.found, self.left)), *_to_do(self.turning_on))

    def to_dict(self) -> dict[str, Any]:
        return {
            "format": DOCUMENT_FORMAT,
            "kind": "modules",
            "interpreter": machine.interpreter(),
            "left": self.left,
            "modules": strict([{**asdict(each), "imports": list(each.imports)} for each in self.found]),
        }

    def rows(self) -> list[dict[str, Any]]:
        return [{**asdict(each), "imports": " ".join(each.imports)} for each in self.found]

    def _finest(self) -> Iterable[dict[str, Any]]:
        return self.rows()


def _summary(found: Sequence[ImportedModule], left: int) -> tuple[str, str]:
    """Say how many turn it on, and of which packages."""
    asked = [each for each in found if not each.imported_by]
    known = [each for each in asked if each.turns_on is not None]
    on = [each for each in found if each.turns_on]
    if not asked and not left:
        return "no extension modules: nothing there turns the GIL on", ""
    own = sum(not each.imported_by for each in on)
    what = f"{own or 'none'} of {len(known)} module{'s' * (len(known) != 1)} turn{'s' * (own < 2)} the GIL on"
    if len(on) > own:
        what += f", and {len(on) - own} that they import"
    untold = sum(bool(each.problem) for each in asked)
    more = f"{untold} could not be imported" if untold else ""
    rest = f"{left} {'was' if left == 1 else 'were'} not imported any more" if left else ""
    return what, "; ".join(filter(None, (_of_packages(on), more, rest)))


def _of_packages(on: Sequence[ImportedModule]) -> str:
    names = list(dict.fromkeys(each.package or each.name for each in on))
    return ", ".join(names)


def _to_do(on: Sequence[ImportedModule]) -> Iterator[Text]:
    """Say what to do about those that turn it on."""
    if on:
        who = "They do" if len(on) > 1 else "It does"
        yield Text(
            f"{who} not declare {NEEDED}: look for versions that do, or do without. PYTHON_GIL=0 keeps the "
            "GIL off, at your own risk."
        )
