"""The command line as a process, for several test modules."""

from __future__ import annotations

import signal
import subprocess
import sys


def gilkit(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-m", "gilkit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)  # type: ignore[call-overload,no-any-return]


def refused(done: subprocess.CompletedProcess[str], message: str) -> None:
    """Bad input: status 2, nothing on standard output, and one line that says what is wrong."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("gilkit: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert message in done.stderr


def heed_interrupts() -> None:
    """Undo what a shell does to jobs in the background, whose children would ignore interrupts, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
