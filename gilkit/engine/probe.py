"""The question what an interpreter is, put to it in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from gilkit.engine.families import kill_session

T = TypeVar("T")
PROBING = 60.0  # seconds in which an interpreter says what it is
LOOKED_AGAIN = 0.02  # seconds between two looks whether it has
MOST_PRINTED = 1_000_000  # bytes
PROBE = """
import json, platform, sys, sysconfig
found = {
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "free": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}
try:
    from gilkit import _version
    found["gilkit"] = _version.__version__
    import gilkit.studies.compare.elsewhere
except Exception as error:
    found["error"] = " ".join(f"{type(error).__name__}: {error}".split())
print(json.dumps(found))
"""


def printed(given: str, path: str, environment: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return what an interpreter prints that is asked what it is, and its errors: lines that are not empty.

    Raises
    ------
    ValueError
        If it cannot be started, or does not end, or prints without end.
    """
    # Files, and not pipes: what it starts and leaves behind may keep these open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        try:
            with subprocess.Popen(
                [path, "-P", "-c", PROBE], stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                env=environment, start_new_session=True,
            ) as process:  # fmt: skip
                try:
                    _wait(process, [out.fileno(), errors.fileno()])
                finally:
                    kill_session(process)
        except OSError as error:
            raise ValueError(f"{given} cannot be started: {error.strerror or error}") from None
        except subprocess.TimeoutExpired:
            raise ValueError(f"{given} gave no answer within {PROBING:g} s, and was killed") from None
        except OverflowError:
            raise ValueError(f"{given} is no Python: it prints without end") from None
        texts = []
        for file in (out, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    found, said = ([line.strip() for line in text.splitlines() if line.strip()] for text in texts)
    return found, said


def _wait(process: subprocess.Popen[bytes], written: Sequence[int]) -> None:
    until = time.monotonic() + PROBING
    while process.poll() is None:
        if max(os.fstat(file).st_size for file in written) > MOST_PRINTED:
            raise OverflowError
        if time.monotonic() > until:
            raise subprocess.TimeoutExpired(process.args, PROBING)
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOKED_AGAIN)


def answer_in(lines: Sequence[str], kind: type[T]) -> T | None:
    """Return the last of these lines that can be an answer: whoever starts with it may print others."""
    for line in reversed(lines):
        with suppress(ValueError):
            if isinstance(found := json.loads(line), kind):
                return found
    return None
