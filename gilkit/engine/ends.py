"""How a process ended, in words."""

from __future__ import annotations

import signal


def how_ended(status: int) -> str:
    """Say how a process ended: after its name, as in "its program was killed by SIGSEGV".

    Parameters
    ----------
    status : int
        As `subprocess` has it: negative for a signal.
    """
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
