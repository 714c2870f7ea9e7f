"""The notes that child processes have written: what was seen of each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gilkit.studies.stalls.watched import Watched, joined

SUFFIX = ".stalls"


def notes_in(folder: str) -> list[str]:
    """Return what children have written so far, a text each."""
    found = []
    for path in sorted(Path(folder).glob(f"*{SUFFIX}"), key=lambda path: path.name.split("-")[1]):
        with suppress(OSError):
            found.append(path.read_text("utf-8", "replace"))
    return found


def children(notes: Iterable[str]) -> list[Watched]:
    """Return what was seen of each child that wrote anything whole."""
    found = []
    for text in notes:
        chunks = []
        for line in text.splitlines():
            with suppress(ValueError):  # its last line, in which it was killed
                chunks.append(Watched.unpacked(json.loads(line)))
        if chunks:
            found.append(joined(chunks))
    return found
