"""What reports say of the GIL of a free-threaded build: who turned it on, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from gilkit.results import facts

NEEDED = "Py_mod_gil"  # what an extension module declares that needs no GIL


def gil_words(metadata: Mapping[str, Any]) -> str:
    """Return whether there is a GIL, as ``GIL on: turned on by lxml.etree and 2 others``."""
    state = f"GIL {facts.GIL.of(metadata, 'unknown')}"
    setting, modules = facts.GIL_SETTING.of(metadata), facts.GIL_MODULES.of(metadata, [])
    if setting:
        return f"{state}, by {setting}"
    if not modules or state != "GIL on":
        return state
    others = len(modules) - 1
    more = f" and {others} other{'s' * (others != 1)}" if others else ""
    return f"{state}: turned on by {modules[0]}{more}"


def gil_lines(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else there is to know of it, below the first line of a report."""
    modules = facts.GIL_MODULES.of(metadata, [])
    if modules and not facts.GIL_SETTING.of(metadata):
        first, *others = modules
        does = f"is an extension module that does not declare {NEEDED}"
        nor = "; nor does the other" if len(others) == 1 else "; nor do the others" if others else ""
        yield f"{first} {does}{nor}"
    for executor, state in facts.GIL_ELSEWHERE.of(metadata, {}).items():
        yield f"in workers of {executor} the GIL was {state}"


def gil_remedy(metadata: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what to do without a GIL: the last line of a report."""
    setting, modules = facts.GIL_SETTING.of(metadata, ""), facts.GIL_MODULES.of(metadata, [])
    packages = " ".join(dict.fromkeys(name.split(".")[0] for name in modules))
    lists = f"gilkit modules {packages}"
    if setting.endswith("1"):
        needed = f"; {lists} lists what needs it" if modules else ""
        yield Text(f"To do without the GIL: run it without {setting}{needed}")
    elif setting and modules:
        yield Text(
            f"GIL off at your own risk: {modules[0]} does not declare {NEEDED}; {lists} lists all such",
            style="yellow",
        )
    elif modules:
        yield Text(f"To do without the GIL: {lists} lists what lacks {NEEDED}, which newer versions may have")
