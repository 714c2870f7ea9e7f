"""Run the commands that the documentation shows, and keep what they print: no output there is typed.

    python docs/make_outputs.py                  # all of them: some eight minutes, on a quiet machine
    python docs/make_outputs.py --only timeit-zlib
    python docs/make_outputs.py --list

Those of a free-threaded interpreter are made where such a one runs this script, and no others are there. Each
output goes to ``docs/outputs/NAME.txt``, below the command that made it, and what machine it was to
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
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gilkit.machine import free_threaded, interpreter, load_by_others, usable_cpus

DOCS = Path(__file__).resolve().parent
OUTPUTS = DOCS / "outputs"
PICTURES = DOCS / "pictures"
EXAMPLES = DOCS / "examples"
MACHINE = OUTPUTS / "machine.txt"
README = DOCS.parent / "README.md"
WIDTH = 80  # columns that an output may have, and that a reader's window has
LOOK = 2.0  # seconds for which the machine is watched before the first command
PATIENCE = 600.0  # seconds for a command
STARTING = 4.0  # seconds for a program that runs meanwhile
CLUSTER = (  # two addresses of this machine stand for two hosts
    "dask scheduler --host 127.0.0.1 --no-dashboard",
    "dask worker tcp://127.0.0.1:8786 --host 127.0.0.1 --nthreads 1 --no-dashboard",
    "dask worker tcp://127.0.0.1:8786 --host 127.0.0.2 --nthreads 1 --no-dashboard",
)


@dataclass(frozen=True, slots=True)
class Output:
    """A command, as the reader would type it, whose output is shown.

    Parameters
    ----------
    command : str
        A line that ends with a backslash goes on in the next.
    before : tuple of str
        Commands that run first, in the same folder.
    meanwhile : tuple of str
        Programs that are started before it, one after the other, and ended after it.
    status : int
        The exit status that it must have.
    errors : bool
        Whether it is what the command prints to standard error.
    wide : bool
        Whether lines may be longer than `WIDTH`.
    picture : str
        The file that it draws, which goes to ``docs/pictures``; or empty.
    free_threaded : bool
        Whether it is that of a free-threaded interpreter.
    """

    command: str
    before: tuple[str, ...] = ()
    meanwhile: tuple[str, ...] = ()
    status: int = 0
    errors: bool = False
    wide: bool = False
    picture: str = ""
    free_threaded: bool = False


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
    "joblib-holds": Output(
        "gilkit timeit --executor threads,processes,joblib,joblib-threading \\\n"
        '      "sum(i * i for i in range(20_000))"'
    ),
    "joblib-releases": Output(
        "gilkit timeit --executor threads,processes,joblib,joblib-threading \\\n"
        '      -s "import zlib, random" -s "data = random.Random(0).randbytes(100_000)" \\\n'
        '      "zlib.compress(data)"'
    ),
    "beside-two": Output(
        'gilkit beside -s "big = 3 ** 340_000" "sum(i * i for i in range(9999))" "big * big"'
    ),
    "beside-loop": Output('gilkit beside -s "import json; d = list(range(10**5))" "json.dumps(d)"'),
    "map-python": Output(
        'gilkit map -s "def work(x): return sum(i * i for i in range(20_000 + x))" \\\n'
        '      work "range(3000)"'
    ),
    "map-tiny": Output('gilkit map -s "def plus(x): return x + 1" plus "range(3000)"'),
    "map-zlib": Output(
        'gilkit map -s "from zlib import compress; from random import Random" \\\n'
        '      -s "blocks = [Random(i).randbytes(500_000) * 2 for i in range(40)]" \\\n'
        "      compress blocks"
    ),
    "map-uneven": Output(
        'gilkit map -s "def work(x): return sum(range(40_000 if x % 100 else 4_000_000))" \\\n'
        '      work "range(1000)"'
    ),
    "five-urls": Output("python five_urls.py"),
    "map-urls": Output('gilkit map -s "from five_urls import fetch, served" fetch "served()"'),
    "six-primes": Output("python six_primes.py"),
    "map-primes": Output('gilkit map -s "from six_primes import is_prime, NUMBERS" is_prime NUMBERS'),
    "layout-holds": Output('gilkit layout -s "import json; d = list(range(10**5))" "json.dumps(d)"'),
    "layout-releases": Output('gilkit layout -s "import numpy as np; a = np.ones(125_000_000)" "a.sum()"'),
    "timeit-scheduler": Output(
        'gilkit timeit --scheduler tcp://127.0.0.1:8786 "sum(i * i for i in range(99_999))"',
        meanwhile=CLUSTER,
    ),
    "layout-scheduler": Output(
        'gilkit layout --scheduler tcp://127.0.0.1:8786 "sum(i * i for i in range(99_999))"',
        meanwhile=CLUSTER,
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
    "late-loop": Output("python late_loop.py"),
    "stalls": Output("gilkit stalls late_loop.py", errors=True),
    "who-holds": Output("python who_holds.py"),
    "test-sorting": Output("pytest -q --no-header --tb=short test_sorting.py", status=1, wide=True),
    "test-report": Output(
        "pytest -q --no-header --gil-audit -o gil_longest=100ms test_report.py", status=1, wide=True
    ),
    "test-crc32": Output("taskset -c 0 pytest -q test_crc32.py"),
    "turned-on": Output(
        'gilkit timeit -s "import numpy as np, variation; x = np.linspace(0, 1, 100_000)" \\\n'
        '      "variation.releasing(x)"',
        before=("python setup.py -q build_ext --inplace",),
        free_threaded=True,
    ),
    "modules": Output(
        "gilkit modules variation numpy",
        before=("python setup.py -q build_ext --inplace",),
        free_threaded=True,
    ),
    "pauses": Output("gilkit stalls collects.py", errors=True, free_threaded=True),
    "pythons": Output(
        'gilkit timeit -s "import json; d = list(range(9999))" "json.dumps(d)" \\\n'
        "      --python python3.13 --python python3.13t",
        free_threaded=True,
    ),
    "ladder": Output(
        'gilkit timeit --ladder -s "import threading, zlib; data = bytes(10**6)" \\\n'
        '      -s "lock = threading.Lock()" "with lock: zlib.compress(data)"'
    ),
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


def run(command: str, folder: str, status: int = 0, errors: bool = False) -> str:
    """Return what a command prints, to standard output or as an error."""
    plain = {**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    plain["PYTEST_ADDOPTS"] = "-p no:run-parallel"  # of our own tests: it says so in every run
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
    printed = done.stderr if errors else done.stdout
    return "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())


@contextmanager
def running(commands: Iterable[str], folder: str) -> Iterator[None]:
    """Start programs, one after the other, and end them afterwards."""
    with ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(
                words(command), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            time.sleep(STARTING)
        yield


def made(output: Output) -> str:
    """Return the text of an output: the command, and what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        copy_examples(folder)
        for command in output.before:
            run(command, folder)
        with running(output.meanwhile, folder):
            text = f"$ {output.command}\n{run(output.command, folder, output.status, output.errors)}\n"
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
    names = [name for name in asked.only or COMMANDS if COMMANDS[name].free_threaded == free_threaded()]
    here, before = machine(), noted(MACHINE)
    if (
        asked.only
        and not free_threaded()
        and before
        and any(before.get(key) != value for key, value in here.items())
    ):
        raise SystemExit("the other outputs are of another machine or Python: make all of them")
    OUTPUTS.mkdir(exist_ok=True)
    busy = load_by_others(LOOK)
    for place, name in enumerate(names, 1):
        print(f"[{place}/{len(names)}] {name}: {COMMANDS[name].command}", file=sys.stderr, flush=True)
        start = time.monotonic()
        (OUTPUTS / f"{name}.txt").write_text(made(COMMANDS[name]), "utf-8")
        print(f"    {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    if free_threaded():
        return
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
