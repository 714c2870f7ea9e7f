"""What the README and the site tell people to run does run, and what they show is what it prints.

Blocks of ``sh`` are run, shortened, each distinct command once; blocks of ``bash`` are for readers only: they
install, or take a tool that is not here. Blocks of ``python`` are run as scripts, or by pytest.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from command import HASTY
from quiet import needs_monitor

from gilkit.engine.executors import CALL_EXECUTORS
from gilkit.kernels import KERNELS
from gilkit.studies.claims.registry import CLAIMS
from gilkit.studies.compare.verdict import Cause
from gilkit.studies.costs.constants import CONSTANTS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
SITE = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (README, *SITE)}
LINES = 150  # of the README, at most

Ran = Callable[[str], "subprocess.CompletedProcess[str]"]


def module_at(path: Path) -> ModuleType:
    """A script of the site, as a module."""
    name = f"gilkit_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


OUTPUTS = module_at(DOCS / "make_outputs.py").COMMANDS


def fenced(text: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: what stands behind the fence, and the block."""
    return re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S)


def blocks(language: str) -> list[str]:
    """The distinct blocks of a language, the README's first."""
    found = [block for text in TEXTS.values() for info, block in fenced(text) if info == language]
    return list(dict.fromkeys(found))


def joined(block: str) -> list[str]:
    """The lines of a block; those that end with a backslash go on."""
    return re.sub(r"\\\n *", "", block).splitlines()


def commands() -> list[str]:
    """The distinct shell commands, without their comments."""
    lines = [line.split("  #")[0].strip() for block in blocks("sh") for line in joined(block)]
    return list(dict.fromkeys(line for line in lines if line))


def shortened(command: str) -> list[str]:
    """Return the words of a command as it is written, with less to measure."""
    words = shlex.split(command.replace("\\\n", ""))
    if words[0] != "gilkit" or "--list" in words:
        return words
    own = not any(word.startswith("-") for word in words[2:3]) and len(words) > 2
    match words[1]:
        case "compare":
            words += [] if own else ["lcg"]
            words += ["--rounds", "1"] + ([] if "--workers" in words else ["--workers", "2"])
        case "timeit":
            words += ["--rounds", "1", "--workers", "2"]
        case "threshold":
            words += ["--rounds", "1", "--workers", "2", "--sizes", "1000:2000"]
        case "scaling":
            words += ["--rounds", "1", "--workers", "1,2", "--work", "0.01"]
        case "costs":
            words += ["--rounds", "1"] + ([] if own else ["pickle-1kB"])
        case "claims":
            words += ["--quick"] + ([] if own else ["one-os-thread"])
        case "timeline":
            words += ["--calls", "5"]
    return words


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run a command, shortened, in a folder that all share; none is run twice."""
    folder = tmp_path_factory.mktemp("docs")
    module_at(DOCS / "make_outputs.py").copy_examples(folder)
    done: dict[tuple[str, ...], subprocess.CompletedProcess[str]] = {}

    def run(command: str) -> subprocess.CompletedProcess[str]:
        words = tuple(shortened(command))
        if words not in done:
            start = {"python": (), "gilkit": HASTY}.get(words[0], ("-m", words[0]))
            done[words] = subprocess.run(
                [sys.executable, *start, *words[1:]],
                cwd=folder,
                capture_output=True,
                encoding="utf-8",
                check=False,
                timeout=300,
            )
        return done[words]

    run("gilkit compare lcg triad -o results.json")  # which others read
    built = run("python setup.py -q build_ext --inplace")  # the extension of one page
    assert built.returncode == 0, built.stderr
    return run


def test_the_readme_is_short_and_has_the_two_commands() -> None:
    text = TEXTS["README.md"]
    assert len(text.splitlines()) <= LINES
    assert "    pip install . && gilkit compare          # the main job: two minutes\n" in text
    assert "    pip install -e '.[test]' && pytest       # the tests\n" in text
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"test", "docs"} <= set(extras)


@pytest.mark.parametrize("command", commands())
def test_the_commands_run(command: str, ran: Ran) -> None:
    done = ran(command)
    assert done.returncode == 0, done.stderr
    assert done.stdout


SCRIPTS = [block for block in blocks("python") if "def test_" not in block]
SUITES = [block for block in blocks("python") if "def test_" in block]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.splitlines()[-1][:40])
def test_the_scripts_run(script: str, tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    body = re.sub("^", "    ", script, flags=re.M)
    hurry = f"sys.path.append({str(Path(HASTY[0]).parent)!r}); from hasty import hurry; hurry()"
    start = f"if __name__ == '__main__':\n    import sys; {hurry}\n    main()\n"
    path.write_text(f"def main():\n{body}\n{start}", "utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.alone
def test_the_suites_run(tmp_path: Path) -> None:
    for place, suite in enumerate(SUITES):
        (tmp_path / f"test_suite_{place}.py").write_text(suite, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout  # what a busy machine or no GIL skips, it does with a reason


@pytest.mark.alone
def test_the_tests_of_the_extension_pass(ran: Ran) -> None:
    done = ran("pytest -q -ra -p no:cacheprovider test_variation.py")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.skipif(importlib.util.find_spec("asv") is None, reason="asv is not installed")
def test_the_benchmarks_of_the_extension_run(ran: Ran, tmp_path: Path) -> None:
    where = ran("python -c 'import variation; print(variation.__file__)'")
    folder = Path(where.stdout.strip()).parent
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "ASV_PYTHONPATH": str(folder),
    }  # as if it were installed
    for command in (
        "git init -q .",
        "git add asv.conf.json",
        "git -c user.name=n -c user.email=e commit -qm m",
    ):
        subprocess.run(shlex.split(command), cwd=folder, check=True)
    for words in (["machine", "--yes"], ["run", "--python=same", "--quick", "--dry-run"]):
        done = subprocess.run(
            [sys.executable, "-m", "asv", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Variation.time_two_threads" in done.stdout


def test_every_verdict_is_explained() -> None:
    for cause in Cause:
        assert f"\n| {cause.value} |" in TEXTS["docs/explanation/tables.md"], cause


def test_the_tables_of_the_site_are_made_from_the_registries() -> None:
    pytest.importorskip("sphinx")
    tables = module_at(DOCS / "_ext" / "registries.py").TABLES
    for name, registry in (
        ("kernels", KERNELS),
        ("executors", CALL_EXECUTORS),
        ("constants", CONSTANTS),
        ("claims", CLAIMS),
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
    assert "```{methods}\n" in TEXTS["docs/explanation/claims.md"]


def test_links_between_pages_lead_somewhere() -> None:
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), (name, target)


# What is shown: from files, which a script makes.


def stored(name: str) -> str:
    """The output of that name."""
    return (DOCS / "outputs" / f"{name}.txt").read_text("utf-8")


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


HEADLINE = re.compile(r".+ · GIL \w+ · \d+ CPUs?( · .+)?")  # on a busy machine the load is on the next line


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
    "name", [name for name, output in OUTPUTS.items() if output.command.startswith("gilkit")]
)
def test_outputs_are_what_their_commands_print(name: str, ran: Ran) -> None:
    command, text = OUTPUTS[name].command, stored(name)
    assert text.startswith(f"$ {command}\n")
    shown = structure(text.removeprefix(f"$ {command}\n"))
    assert shown
    assert shown == structure(ran(command).stdout)


def test_outputs_show_nothing_that_is_no_more() -> None:
    """What is new may be missing there until they are made again."""
    rows = {line.split()[0] for line in stored("compare").splitlines() if re.match(r"\w+ .*\d±", line)}
    assert rows
    assert rows <= set(KERNELS)
    kernels = stored("list").split("\n\n")[0].splitlines()[3:]
    listed = {line.split()[0] for line in kernels if line[:1].isalpha()}
    assert listed
    assert listed <= set(KERNELS)
    rulings = "holds|refuted|depends|undecided"
    claimed = re.findall(rf"^(?:{rulings}) +([a-z][\w-]*)$", stored("claims"), re.M)
    assert claimed
    assert set(claimed) <= set(CLAIMS)


def test_outputs_of_scripts_and_of_pyperf(ran: Ran) -> None:
    def firsts(text: str) -> list[str]:
        return [line.split()[0] for line in text.splitlines() if line[:1].isalpha()]

    fresh = ran(OUTPUTS["who-holds"].command)
    assert fresh.returncode == 0, fresh.stderr
    assert firsts(stored("who-holds")) == firsts(fresh.stdout)
    for line in stored("file").splitlines()[1:]:
        assert re.match(r"(lcg/\w+/\w+/\d: Mean|)", line), line


@pytest.mark.skipif(shutil.which("taskset") is None, reason="no taskset here")
@needs_monitor
def test_what_is_not_decided_is_shown_as_it_is_printed(tmp_path: Path) -> None:
    def end(text: str) -> list[str]:
        lines = text.splitlines()
        start = next(place for place, line in enumerate(lines) if "gil: 1 test not decided" in line)
        return [re.sub(r"\d+%", "", line) for line in lines[start:-1]]

    shutil.copy(DOCS / "examples" / "test_crc32.py", tmp_path)
    fresh = subprocess.run(
        module_at(DOCS / "make_outputs.py").words(OUTPUTS["test-crc32"].command),
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert end(stored("test-crc32")) == end(fresh.stdout)


@pytest.mark.alone
def test_the_failure_is_what_the_fixture_says(ran: Ran) -> None:
    parts = re.findall(r"^E +(measured|machine|means|to do) ", stored("test-sorting"), re.M)
    assert parts == ["measured", "machine", "means", "to do"]
    fresh = ran(OUTPUTS["test-sorting"].command)
    if fresh.returncode == 0:  # skipped: the machine is busy, or has no GIL
        assert "1 skipped" in fresh.stdout
    else:
        assert re.findall(r"^E +(measured|machine|means|to do) ", fresh.stdout, re.M) == parts
