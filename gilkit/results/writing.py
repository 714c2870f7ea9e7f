"""Files are written whole or not at all; that one can be written is found out first."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from gilkit.errors import ResultsError

TEMPORARY = ".gilkit-"


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out now whether ``path`` can be written to.

    Raises
    ------
    ResultsError
        If it cannot.
    """
    try:
        target = Path(path).resolve()
        if target.is_symlink():  # resolved, and still a link
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if target.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        if target.exists():
            with target.open("ab"):
                pass
        if not target.exists() or target.is_file():
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=TEMPORARY, suffix=target.suffix):
                pass
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead nowhere but to themselves
        raise ResultsError(f"cannot write to {path}: {reason(error)}") from None


def reason(error: Exception) -> str:
    """What an error of the file system says, without its number and path."""
    return str(getattr(error, "strerror", None) or error)


def replace(path: str | os.PathLike[str], write: Callable[[str], object]) -> None:
    """Let ``write`` write a file, which then takes the place of the one at ``path``: whole or not at all.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    try:
        target = Path(path).resolve()
        if target.exists() and not target.is_file():  # a device or a pipe: nothing to replace
            write(str(target))
            return
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=TEMPORARY, suffix=target.suffix)
        os.close(handle)
        try:
            write(temporary)
            Path(temporary).chmod(target.stat().st_mode if target.exists() else 0o666 & ~_umask())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError) as error:
        raise ResultsError(f"cannot write to {path}: {reason(error)}") from None


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
