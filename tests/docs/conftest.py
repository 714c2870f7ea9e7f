"""A folder in which the commands of the pages run."""

from __future__ import annotations

import subprocess
import sys
from contextlib import chdir

import pytest
from command import answered
from pages import MAKER, Ran, shortened

NEEDS = {  # what stands in a command, and what has to be run before it
    "results.json": "gilkit compare lcg triad -o results.json",
    "variation": "python setup.py -q build_ext --inplace",  # the extension of one page
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, hasty: None) -> Ran:  # noqa: ARG001 (for the whole module)
    """Run a command, shortened, in a folder that all share; none is run twice."""
    folder = tmp_path_factory.mktemp("docs")
    MAKER.copy_examples(folder)
    (folder / "app.py").write_text("print('it ran')\n", "utf-8")
    done: dict[tuple[str, ...], subprocess.CompletedProcess[str]] = {}

    def run(command: str) -> subprocess.CompletedProcess[str]:
        words = tuple(shortened(command))
        for needed in (before for name, before in NEEDS.items() if name in command and before != command):
            assert run(needed).returncode == 0, run(needed).stderr
        if words not in done:
            becomes_another = words[1:2] == ("stalls",)  # it would be this process
            in_here = words[0] == "gilkit" and not becomes_another
            done[words] = here(words[1:]) if in_here else by_python(words)
        return done[words]

    def here(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        with chdir(folder):
            return answered(*arguments)

    def by_python(words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        start = () if words[0] == "python" else ("-m", words[0])
        return subprocess.run(
            [sys.executable, *start, *words[1:]],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )

    return run
