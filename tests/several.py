"""Several command lines in one process, one after the other: what each prints there, its workers included."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from hasty import HURRIED

EACH = """
import json
from gilkit.cli.main import main
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as ended:
        for stream in (sys.stdout, sys.stderr):
            print(end=f"\\0{ended.code}\\0", file=stream, flush=True)
"""


def gilkit_each(*commands: Sequence[str]) -> list[subprocess.CompletedProcess[str]]:
    """Run each command line to its end, in a hurry: a process for each would only load the same again."""
    program = [sys.executable, "-c", HURRIED + EACH, json.dumps(commands)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=300)
    out, err = done.stdout.split("\0"), done.stderr.split("\0")
    assert len(out) == len(err) == 2 * len(commands) + 1, done
    assert out[-1] == err[-1] == ""
    return [
        subprocess.CompletedProcess(words, int(status), *printed)
        for words, status, *printed in zip(commands, out[1::2], out[::2], err[::2], strict=False)
    ]
