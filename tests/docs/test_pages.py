"""What stands in the pages is whole: links, tables, outputs that a script makes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pages import (
    DOCS,
    OUTPUTS,
    ROOT,
    TEXTS,
    fenced,
    module_at,
    stored,
)

from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS
from gilkit.results.case import BASELINES, ONLY, PRIVATE
from gilkit.results.facts import FACTS
from gilkit.studies.claims.registry import CLAIMS
from gilkit.studies.compare.verdict import Cause
from gilkit.studies.costs.constants import CONSTANTS

pytestmark = pytest.mark.once

LINES = 150  # of the README, at most


def test_the_readme_is_short_and_has_the_two_commands() -> None:
    text = TEXTS["README.md"]
    assert len(text.splitlines()) <= LINES
    assert "    pip install . && gilkit compare          # the main job: two minutes\n" in text
    assert "    pip install -e '.[test]' && pytest       # the tests\n" in text
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"test", "docs"} <= set(extras)


def test_every_verdict_is_explained() -> None:
    for cause in Cause:
        assert f"\n| {cause.value} |" in TEXTS["docs/explanation/tables.md"], cause


def test_the_tables_of_the_site_are_made_from_the_registries() -> None:
    pytest.importorskip("sphinx")
    tables = module_at(DOCS / "_ext" / "registries.py").TABLES
    for name, registry in (
        ("kernels", KERNELS),
        ("executors", EXECUTORS),
        ("constants", CONSTANTS),
        ("claims", CLAIMS),
        ("facts", FACTS),
    ):
        _, *rows = tables[name]()
        firsts = " ".join(row[0] for row in rows)
        assert [key for key in registry if f"`{key}`" not in firsts] == []


def test_the_site_shows_those_tables() -> None:
    api = TEXTS["docs/reference/api.md"]
    assert "```{registry} kernels\n" in api
    assert "```{registry} executors\n" in api
    assert "\n.. kernel-docs::\n" in api  # where the table's links lead
    assert "```{registry} constants\n" in TEXTS["docs/howto/which-pool.md"]
    assert "```{registry} facts\n" in TEXTS["docs/reference/file-format.md"]
    assert "```{methods}\n" in TEXTS["docs/explanation/claims.md"]


def test_the_variants_of_files_are_told() -> None:
    page = TEXTS["docs/reference/file-format.md"]
    for variant in BASELINES:
        named = f"`{variant}-NAME`" if variant in (PRIVATE, ONLY) else f"`{variant}`"
        assert named in page, variant


def test_links_between_pages_lead_somewhere() -> None:
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), (name, target)


def included() -> set[Path]:
    """The files that pages include."""
    return {
        (ROOT / name).parent.joinpath(target).resolve()
        for name, text in TEXTS.items()
        for target in re.findall(r"^```\{(?:literal)?include\} (\S+)$", text, re.M)
    }


def test_included_files_are_there_and_outputs_are_used() -> None:
    there = {DOCS / "outputs" / f"{name}.txt" for name in (*OUTPUTS, "machine")}
    for path in included():
        assert path.is_file(), path
    assert set((DOCS / "outputs").iterdir()) == there
    assert there <= included()


def test_no_output_is_typed() -> None:
    """Nothing that looks like one stands in a page, and those of the README are those of the files."""
    for name, text in TEXTS.items():
        untouched = re.sub(r"<!-- output: .*?<!-- end -->", "", text, flags=re.S)
        for info, block in fenced(untouched):
            if not info.startswith("{"):
                assert not re.search(r"^\$ |±|─|│", block, re.M), (name, block)
    for name, text in re.findall(
        r"<!-- output: ([\w-]+) -->\n\n```text\n(.*?)```\n\n<!-- end -->", TEXTS["README.md"], re.S
    ):
        assert text == stored(name)
    assert TEXTS["README.md"].count("<!-- output: ") == TEXTS["README.md"].count("<!-- end -->") == 1


def test_the_machine_is_described_and_not_named() -> None:
    keys = [line.split(":")[0] for line in stored("machine").splitlines()]
    assert keys == ["Python", "CPUs", "Platform", "Load by others", "Date"]
    for name in (*OUTPUTS, "machine"):
        assert not re.search(r"/(home|root|tmp|Users|work)\b", stored(name)), name


def test_outputs_show_nothing_that_is_no_more() -> None:
    """What is new may be missing there until they are made again."""
    rows = {line.split()[0] for line in stored("compare").splitlines() if re.match(r"\w+ .*\d±", line)}
    assert rows
    assert rows <= set(KERNELS)
    kernels = stored("list").split("\n\n")[0].splitlines()[3:]
    listed = {line.split()[0] for line in kernels if line[:1].isalpha() and not line.startswith("all: ")}
    assert listed
    assert listed <= set(KERNELS)
    rulings = "holds|refuted|depends|undecided"
    claimed = re.findall(rf"^(?:{rulings}) +([a-z][\w-]*)$", stored("claims"), re.M)
    assert claimed
    assert set(claimed) <= set(CLAIMS)
