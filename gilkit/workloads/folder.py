"""The folder whose modules statements find."""

from __future__ import annotations

_folder = ""


def see(folder: str) -> None:
    """Let statements made from now on find the modules of a folder before all others, as `timeit` does."""
    global _folder
    _folder = folder


def seen_folder() -> str:
    """Return the folder that `see` was told of; empty for none."""
    return _folder
