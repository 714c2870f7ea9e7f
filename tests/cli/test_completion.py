"""Completion as a shell asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from gilkit.cli.group import command
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS
from gilkit.studies.claims.registry import CLAIMS
from gilkit.studies.costs.constants import NAMES

CHECKED = {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}


def asked(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gilkit"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def offered(line: str, shell: str = "bash") -> list[str]:
    """What a shell is given for a line, asked as its script asks; its last word is completed."""
    words = line.split(" ")
    kind = get_completion_class(shell)
    assert kind is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMP_WORDS", line)
        patch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
        out = kind(command, {}, "gilkit", "_GILKIT_COMPLETE").complete().splitlines()
    if shell == "zsh":  # three lines each: its kind, itself, and what it is
        return out[1::3]
    return [entry.split(",", 1)[1].split("	")[0] for entry in out]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("gilkit ", list(command.commands)),
        ("gilkit ti", ["timeit", "timeline"]),
        ("gilkit compare ", list(KERNELS)),
        ("gilkit compare --wo", ["--workers"]),
        ("gilkit compare lcg --variant ", list(VARIANTS)),
        ("gilkit compare lcg --variant gil,no", ["gil,nogil"]),
        ("gilkit compare lcg --executor ", list(EXECUTORS)),
        ("gilkit threshold man", ["mandelbrot"]),
        ("gilkit timeline lcg --variant n", ["nogil"]),
        ("gilkit timeline lcg --executor p", ["processes"]),
        ("gilkit costs ", NAMES),
        ("gilkit claims ", list(CLAIMS)),
    ],
)
def test_names_are_completed(line: str, names: list[str]) -> None:
    assert sorted(offered(line)) == sorted(names)


@pytest.mark.parametrize("name", ["costs", "claims"])
def test_where_a_library_is_broken_that_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "threadpoolctl.py").write_text("raise ImportError('made for another Python')")
    words = {"COMP_WORDS": f"gilkit {name} ", "COMP_CWORD": "2", "_GILKIT_COMPLETE": "bash_complete"}
    environment = {**os.environ, **words, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "gilkit"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "gilkit: made for another Python\n")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("gilkit ti", ["timeit", "timeline"]),
        ("gilkit compare ", list(KERNELS)),
        ("gilkit compare --wo", ["--workers"]),
        ("gilkit compare lcg --variant gil,no", ["gil,nogil"]),
    ],
)
def test_names_are_completed_in_other_shells(shell: str, line: str, names: list[str]) -> None:
    assert sorted(offered(line, shell)) == sorted(names)


@pytest.mark.parametrize(
    ("shell", "last", "answer"),
    [("bash", "2", "file,res\n"), ("zsh", "2", "file\nres\n_\n"), ("fish", "res", "file,res\n")],
)
def test_files_are_left_to_the_shell(shell: str, last: str, answer: str) -> None:
    line = {"COMP_WORDS": "gilkit show res", "COMP_CWORD": last}
    assert asked(_GILKIT_COMPLETE=f"{shell}_complete", **line) == answer


@pytest.mark.parametrize("shell", CHECKED)
def test_what_a_shell_is_to_run_is_its_language(shell: str, tmp_path: Path) -> None:
    script = asked(_GILKIT_COMPLETE=f"{shell}_source")
    assert f"_GILKIT_COMPLETE={shell}_complete" in script
    if (found := shutil.which(shell)) is None:
        pytest.skip(f"{shell} is not here")
    path = tmp_path / "complete"
    path.write_text(script)
    subprocess.run([found, *CHECKED[shell], str(path)], check=True, timeout=60)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_bash_completes() -> None:
    """With the script that it is given: it calls gilkit, and takes what that offers."""
    caller = f'gilkit() {{ {sys.executable} -m gilkit "$@"; }}\nexport -f gilkit\n'
    script = asked(_GILKIT_COMPLETE="bash_source")
    ask = 'COMP_WORDS=(gilkit compare man); COMP_CWORD=2; _gilkit_completion gilkit; echo "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc"],
        input=f"{caller}{script}\n{ask}\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "mandelbrot\n", done.stderr
