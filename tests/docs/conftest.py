"""A folder in which the commands of the pages run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir

import pytest
from command import answered
from inner import SHORT_LOOKS, SOON
from pages import EXTENSION, MAKER, Ran, shortened

from gilkit.studies.claims import on_failing

NEEDS = {  # what stands in a command, and what has to be run before it
    "results.json": "gilkit compare lcg triad -o results.json",
    EXTENSION: "python setup.py -q build_ext --inplace",
}
LIGHTER = {  # examples, and what in them is replaced by less to do
    "six_primes.py": ("00_000_000_", "00_"),
    "test_sorting.py": ("10**6", "10**5"),
    "late_loop.py": ("args=(5,)", "args=(2,)"),
}


@pytest.fixture(scope="module")
def tried_once() -> Iterator[None]:
    """Let a claim that is repeated be tried once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on_failing, "FEWEST_ROUNDS", 1)
        yield


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, hasty: None, tried_once: None) -> Ran:  # noqa: ARG001 (for the whole module)
    """Run a command, shortened, in a folder that all share; none is run twice."""
    folder = tmp_path_factory.mktemp("docs")
    MAKER.copy_examples(folder)
    for name, (much, less) in LIGHTER.items():
        text = (folder / name).read_text("utf-8")
        assert much in text
        (folder / name).write_text(text.replace(much, less), "utf-8")
    (folder / "app.py").write_text("print('it ran')\n", "utf-8")
    (folder / "conftest.py").write_text(SHORT_LOOKS, "utf-8")
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
            env={**os.environ, **SOON, "CFLAGS": "-O0"},  # what the extension does there decides nothing
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )

    return run
