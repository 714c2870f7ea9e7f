"""What one reads before one knows the commands: help with examples, and what one does first."""

from __future__ import annotations

import shlex
from importlib import import_module
from pkgutil import iter_modules

import click
import pytest
from click.testing import CliRunner
from command import answered
from pictures import need_pictures

from gilkit import cli
from gilkit.cli.examples import EXAMPLES, FIRST
from gilkit.cli.group import command
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import VARIANTS

LINES = [(name, line) for name, lines in EXAMPLES.items() for line in lines]


def help_of(*words: str, width: int = 80) -> str:
    done = CliRunner().invoke(command, [*words, "--help"], prog_name="gilkit", terminal_width=width)
    assert done.exit_code == 0
    return done.output


def test_every_command_there_is_can_be_asked_for() -> None:
    homes = [import_module(f"gilkit.cli.{home.name}") for home in iter_modules(cli.__path__)]
    found = [each for home in homes for each in vars(home).values() if isinstance(each, click.Command)]
    assert {each.name: each for each in found if each is not command} == dict(command.commands)


def test_every_command_has_examples_that_stand_in_its_help() -> None:
    for name, lines in EXAMPLES.items():
        assert len(lines) >= 2
        shown = help_of(name).splitlines()
        assert shown[shown.index("  Examples:") + 1 :] == [f"    {line}" for line in lines]
        assert max(map(len, shown)) <= 80


@pytest.mark.parametrize(("name", "line"), LINES, ids=[line for _, line in LINES])
def test_examples_are_understood(name: str, line: str) -> None:
    words = shlex.split(line.split(" | ")[0])
    assert words[:2] == ["gilkit", name]
    if "--plot" in words:
        need_pictures()
    with command.make_context("gilkit", words[1:]) as main:
        _, called, rest = command.resolve_command(main, words[1:])
        assert called is not None
        assert called.make_context(name, rest, parent=main).info_name == name


@pytest.mark.parametrize("width", [80, 50])
def test_summaries_are_whole(width: int) -> None:
    shown = " ".join(help_of(width=width).split())
    assert "..." not in shown.partition("Commands:")[2]
    for name, each in command.commands.items():
        first = " ".join((each.help or "").split("\n\n")[0].split())
        assert f"{name} {first}" in shown


def test_few_choices_are_shown() -> None:
    shown = help_of("compare")
    assert f"--variant [{'|'.join(VARIANTS)}]" in shown
    *first, last = EXECUTORS
    assert f"A NAME is {', '.join(first)} or {last}." in " ".join(shown.split()).replace("- ", "-")
    assert "--variant [python|gil|nogil]" in help_of("timeline")


def test_options_of_one_name_are_explained_in_the_same_words() -> None:
    """Up to what is so by default: that differs, from command to command."""
    meant: dict[str, set[str]] = {}
    for each in command.commands.values():
        for option in each.params:
            if isinstance(option, click.Option) and option.help:
                meant.setdefault(option.opts[-1], set()).add(
                    option.help.split(" By default")[0].split(":")[0]
                )
    for name in ("--rounds", "--quick", "--seed", "--timeout", "--size"):
        assert len(meant[name]) == 1, meant[name]


def test_without_a_command_one_reads_what_to_do_first() -> None:
    done = answered()
    assert done.returncode == 0
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    for name, (question, number) in FIRST.items():
        assert f"{question}\n    {EXAMPLES[name][number]}\n" in done.stdout
    assert "gilkit --help" in done.stdout
    assert "Usage:" not in done.stdout
