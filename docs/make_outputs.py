"""Run the commands that the documentation shows, and keep what they print: no output there is typed.

    python docs/make_outputs.py                  # all of them: some eight minutes, on a quiet machine
    python docs/make_outputs.py --only timeit-zlib
    python docs/make_outputs.py --list

Each output goes to ``docs/outputs/NAME.txt``, below the command that made it, and what machine it was to
``docs/outputs/machine.txt``. What stands in README.md between ``<!-- output: NAME -->`` and ``<!-- end -->``
is replaced by the same. The interpreter that runs this script runs them: gilkit must be installed in it.
"""

from __future__ import annotations

import argparse
import datetime
import getpass
import os
import platform
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from gilkit.machine import interpreter, load_by_others, usable_cpus

DOCS = Path(__file__).resolve().parent
OUTPUTS = DOCS / "outputs"
PICTURES = DOCS / "pictures"
EXAMPLES = DOCS / "examples"
MACHINE = OUTPUTS / "machine.txt"
README = DOCS.parent / "README.md"
WIDTH = 80  # columns that an output may have, and that a reader's window has
LOOK = 2.0  # seconds for which the machine is watched before the first command
PATIENCE = 600.0  # seconds for a command


@dataclass(frozen=True, slots=True)
class Output:
    """A command, as the reader would type it, whose output is shown.

    Parameters
    ----------
    command : str
        A line that ends with a backslash goes on in the next.
    before : tuple of str
        Commands that run first, in the same folder.
    status : int
        The exit status that it must have.
    wide : bool
        Whether lines may be longer than `WIDTH`.
    picture : str
        The file that it draws, which goes to ``docs/pictures``; or empty.
    """

    command: str
    before: tuple[str, ...] = ()
    status: int = 0
    wide: bool = False
    picture: str = ""


COMMANDS: dict[str, Output] = {
    "list": Output("gilkit list"),
    "compare": Output("gilkit compare"),
    "compare-three": Output("gilkit compare lcg objects sleep --quick -o results.json"),
    "compare-plot": Output(
        "gilkit compare lcg lcg_checked triad objects sleep --plot compare.svg", picture="compare.svg"
    ),
    "timeit-python": Output('gilkit timeit "sum(i * i for i in range(100_000))"'),
    "timeit-extension": Output(
        'gilkit timeit -s "import numpy as np, variation; x = np.linspace(0, 1, 100_000)" \\\n'
        '      "variation.holding(x)" --against "variation.releasing(x)"',
        before=("python setup.py -q build_ext --inplace",),
    ),
    "timeit-json": Output('gilkit timeit -s "import json; d = list(range(9999))" "json.dumps(d)"'),
    "timeit-zlib": Output(
        'gilkit timeit -s "import zlib, random" -s "data = random.Random(0).randbytes(200_000)" \\\n'
        '      "zlib.compress(data)"'
    ),
    "threshold-hashlib": Output(
        'gilkit threshold -s "import hashlib; b = bytes(10**7)" "hashlib.sha256(b[:n])" \\\n'
        "      --sizes 64:1048576"
    ),
    "threshold-crc32": Output("gilkit threshold crc32"),
    "costs": Output("gilkit costs"),
    "scaling": Output("gilkit scaling"),
    "claims": Output("gilkit claims"),
    "timeline-python": Output("gilkit timeline lcg --variant python --workers 2"),
    "timeline-gil": Output("gilkit timeline lcg --variant gil --workers 2"),
    "timeline-nogil": Output("gilkit timeline lcg --variant nogil --workers 2"),
    "timeline-processes": Output("gilkit timeline lcg --variant gil --workers 2 --executor processes"),
    "who-holds": Output("python who_holds.py"),
    "test-sorting": Output("pytest -q --no-header --tb=short test_sorting.py", status=1, wide=True),
    "test-crc32": Output("taskset -c 0 pytest -q test_crc32.py"),
    "file": Output(
        "python -m pyperf show results.json",
        before=("gilkit compare lcg --variant gil --variant nogil --workers 2 --quick -o results.json",),
    ),
}


def words(command: str) -> list[str]:
    """Return how a command is called here: by this interpreter, whatever else is on the path."""
    split = shlex.split(command.replace("\\\n", ""))
    if split[0] == "taskset":  # on one CPU
        return [*split[:3], *words(shlex.join(split[3:]))]
    return [sys.executable, *split[1:]] if split[0] == "python" else [sys.executable, "-m", *split]


def run(command: str, folder: str, status: int = 0) -> str:
    """Return what a command prints."""
    plain = {**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        words(command),
        cwd=folder,  # not the clone: an installed gilkit is measured, and no file of the clone is touched
        env=plain,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode != status:
        raise SystemExit(f"{command}\nended with {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


def made(output: Output) -> str:
    """Return the text of an output: the command, and what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        copy_examples(folder)
        for command in output.before:
            run(command, folder)
        text = f"$ {output.command}\n{run(output.command, folder, output.status)}\n"
        check(text, output.wide, folder)
        if output.picture:
            drawn = Path(folder, output.picture).read_text("utf-8")
            check(drawn, True, folder)
            PICTURES.mkdir(exist_ok=True)
            (PICTURES / output.picture).write_text(drawn, "utf-8")
    return text


def copy_examples(folder: str | Path) -> None:
    """Copy the scripts of the site to a folder, with the extension that one page builds."""
    for files in (EXAMPLES, EXAMPLES / "extension"):
        shutil.copytree(files, folder, dirs_exist_ok=True)


def check(text: str, wide: bool, *private: str) -> None:
    """Refuse a text that is too wide, or that names this machine, its user or a place on it."""
    secrets = {*private, socket.gethostname(), getpass.getuser(), str(Path.home()), str(DOCS.parent)}
    # One short common word, such as a user called root or a machine called localhost, is no secret.
    for secret in (s for s in secrets if len(s) > 4 and s != "localhost"):
        if secret in text:
            raise SystemExit(f"the output names {secret!r}, which belongs to this machine:\n{text}")
    for line in text.splitlines():
        if len(line) > WIDTH and not wide and not line.startswith(("$ ", "      ")):
            raise SystemExit(f"a line is wider than {WIDTH} columns:\n{line}")


def machine() -> dict[str, str]:
    """Return what machine this is: not its name, nor anything that leads to it."""
    return {
        "Python": interpreter(),
        "CPUs": str(usable_cpus()),
        "Platform": f"{platform.system()}, {platform.machine()}",
    }


def noted(path: Path) -> dict[str, str]:
    """Return what a file says of the machine that made the outputs."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {key.strip(): value.strip() for key, value in (line.split(":", 1) for line in lines)}


def fill(page: str, texts: dict[str, str]) -> str:
    """Return a page with the outputs between its markers replaced."""

    def block(found: re.Match[str]) -> str:
        name = found[1]
        if name not in texts:
            return found[0]
        return f"<!-- output: {name} -->\n\n```text\n{texts[name]}```\n\n<!-- end -->"

    return re.sub(r"<!-- output: ([\w-]+) -->\n.*?<!-- end -->", block, page, flags=re.DOTALL)


def main() -> None:
    """Make the outputs that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--only", action="append", choices=COMMANDS, metavar="NAME", help="repeat for several"
    )
    parser.add_argument(
        "--list", action="store_true", help="print the names and the commands, and run nothing"
    )
    asked = parser.parse_args()
    if asked.list:
        for name, output in COMMANDS.items():
            print(f"{name:<20} {output.command}")
        return
    here, before = machine(), noted(MACHINE)
    if asked.only and before and any(before.get(key) != value for key, value in here.items()):
        raise SystemExit("the other outputs are of another machine or Python: make all of them")
    OUTPUTS.mkdir(exist_ok=True)
    busy = load_by_others(LOOK)
    names = asked.only or list(COMMANDS)
    for place, name in enumerate(names, 1):
        print(f"[{place}/{len(names)}] {name}: {COMMANDS[name].command}", file=sys.stderr, flush=True)
        start = time.monotonic()
        (OUTPUTS / f"{name}.txt").write_text(made(COMMANDS[name]), "utf-8")
        print(f"    {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    facts = {
        **here,
        "Load by others": f"{busy:.2f} CPUs, before the first command",
        "Date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }
    MACHINE.write_text("".join(f"{key + ':':<16}{value}\n" for key, value in facts.items()), "utf-8")
    texts = {path.stem: path.read_text("utf-8") for path in OUTPUTS.glob("*.txt")}
    README.write_text(fill(README.read_text("utf-8"), texts), "utf-8")


if __name__ == "__main__":
    main()
