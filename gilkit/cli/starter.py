"""What the interpreter runs first that becomes a program to watch: see `program`."""

from __future__ import annotations

import sys

PLAIN = frozenset(sys.modules)  # what Python has loaded by itself, for any program

import os  # noqa: E402
import signal  # noqa: E402

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the program runs: there is nothing to say yet
    sys.path[: 0 if sys.flags.safe_path else 1] = [HOME]  # in place of this folder, while gilkit is loaded
    from gilkit.cli import program

    del sys.path[0]
    program.main(HOME, PLAIN)
