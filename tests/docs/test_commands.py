"""What the pages tell people to run does run, and what they show is what it prints.

Blocks of ``sh`` are run, shortened, each distinct command once; blocks of ``bash`` are for readers only: they
install, or take a tool that is not here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from pages import (
    EXTENSION,
    OUTPUTS,
    Ran,
    commands,
    stored,
)
from pictures import need_pictures
from quiet import NO_MONITOR

from gilkit.engine.executors import EXECUTORS
from gilkit.machine import free_threaded

pytestmark = [pytest.mark.once, pytest.mark.long]


def tried(value: str, command: str) -> Any:
    """Return a case of a test that runs a command: whole builds are `endurance`."""
    return pytest.param(value, marks=pytest.mark.endurance if EXTENSION in command else ())


@pytest.mark.parametrize("command", [tried(command, command) for command in commands()])
def test_the_commands_run(command: str, ran: Ran) -> None:
    if command.startswith("gilkit report") or "--plot" in command:
        need_pictures()
    done = ran(command)
    assert done.returncode == 0, done.stderr
    assert done.stdout


HEADLINE = re.compile(
    r".+ · GIL \w+(: turned on by [^·]+)?( \| \w+)* · \d+ CPUs?( · .+)?"
)  # on a busy machine the load is on the next line


def structure(text: str) -> list[list[str]]:
    """What an output consists of, whatever was measured: its headings, the names of its lanes and cases."""
    lines = text.splitlines()
    found = [["headline"]] if HEADLINE.fullmatch(lines[0]) else []
    for place, line in enumerate(lines):
        if line and set(line) == {"─"}:  # what stands above the rule of a table, up to an empty line
            top = max((at for at in range(place) if not lines[at]), default=-1)
            words = " ".join(lines[top + 1 : place]).split()
            spared = ("native", "threads")  # a column that goes where others are wide
            found.append([word for word in words if not re.search(r"\d", word) and word not in spared])
        elif lane := re.match(r"(\w[\w ]*?) +│.*│", line):
            found.append([lane[1]])
    return found


@pytest.mark.parametrize(
    "name",
    [
        tried(name, output.command)
        for name, output in OUTPUTS.items()
        if output.command.startswith("gilkit")
        and output.free_threaded == free_threaded()
        and not output.meanwhile  # those that need a cluster: see studies/layout/test_cluster.py
        and "--python" not in output.command  # of several interpreters: nobody has just these
    ],
)
def test_outputs_are_what_their_commands_print(name: str, ran: Ran) -> None:
    command, text = OUTPUTS[name].command, stored(name)
    if command.startswith("gilkit layout") and (why := EXECUTORS["dask"].missing()):
        pytest.skip(why)
    assert text.startswith(f"$ {command}\n")
    shown = structure(text.removeprefix(f"$ {command}\n"))
    assert shown
    done = ran(command)
    assert shown == structure(done.stderr.strip("\n") if OUTPUTS[name].errors else done.stdout)


def test_outputs_of_scripts_and_of_pyperf(ran: Ran) -> None:
    def firsts(text: str) -> list[str]:
        return [line.split()[0] for line in text.splitlines() if line[:1].isalpha()]

    if NO_MONITOR is None:
        fresh = ran(OUTPUTS["who-holds"].command)
        assert fresh.returncode == 0, fresh.stderr
        assert firsts(stored("who-holds")) == firsts(fresh.stdout)
    for line in stored("file").splitlines()[1:]:
        assert re.match(r"(lcg/\w+/\w+/\d: Mean|)", line), line
