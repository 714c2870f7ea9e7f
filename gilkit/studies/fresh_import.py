"""A program: it imports one module, and says of each extension module whether it needs a GIL.

``python fresh_import.py '["NAME", SECONDS, ["PATH", …], "FILE"]'`` appends a line of JSON to a file for each
such module as soon as it was made, and one for how the import ended. It may crash, hang or exit as the module
pleases, and close what is open or write there: the file is not.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

MADE, NEEDS, ENDED = "made", "needs", "ended"
GRACE = 5.0  # seconds after its time is up in which it ends by itself, should its parent be gone


def main() -> None:
    """Import what the command line names, where a module is looked for as in the program that asks."""
    name, seconds, sys.path[:], file = json.loads(sys.argv[1])
    sys.argv[1:] = []
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds + GRACE)
    importing = os.getpid()

    def tell(**said: Any) -> None:
        if os.getpid() == importing:  # a fork of it imports the module, too
            with open(file, "a", encoding="utf-8") as out:  # noqa: PTH123 (it imports little)
                out.write(json.dumps(said) + "\n")

    from gilkit.errors import one_line
    from gilkit.gil.turned_on import gil_state, notice

    notice(lambda module, needs: tell(made=module, needs=needs))
    for module in gil_state().modules:  # that every program has here
        tell(made=module, needs=True)
    try:
        import_module(name)
    except BaseException as error:  # noqa: BLE001 (a module may raise anything)
        tell(ended=one_line(error))
    else:
        tell(ended="")
    os._exit(0)  # what it does at exit is another matter


if __name__ == "__main__":
    main()
