"""Which extension modules turn the GIL on: what is found, what each import did, and what is said of it."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import pytest
from command import answered, gilkit, interrupted, leaving_nothing, refused, seen, started
from pages import untold
from undeclared import compiled, imports, needs_compiler, needs_free_threads

import gilkit as package
from gilkit.display.tables import plain
from gilkit.machine import free_threaded
from gilkit.studies.extension_files import Extension, installed, of_packages
from gilkit.studies.modules import Search, understood
from gilkit.studies.modules_report import ImportedModule, Modules

FORKED = "import os, time\nif not os.fork(): {}time.sleep(1000)\n"  # what is left behind
DESCRIPTORS = "import contextlib, os\nfor each in range(3, 50):\n  with contextlib.suppress(OSError): "
ODD = {  # modules of Python whose import does odd things, and what is said of it
    "crashes": ("import os\nos.abort()", "it was killed by SIGABRT"),
    "exits": ("import os\nos._exit(3)", "it exited with status 3"),
    "leaves": ("import sys\nsys.exit(3)", "SystemExit: 3"),
    "hangs": ("import time\ntime.sleep(100)", "no end within 3 s: killed"),
    "lacks": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "prints": ("print('{', flush=True)\nprint(input())", "EOFError: EOF when reading a line"),
    "starts": (
        "import subprocess as s, sys\ns.Popen([sys.executable, '-c', 'while True: pass'])",
        "",
    ),
    "forks": (FORKED.format(""), ""),
    "flees": (FORKED.format("os.setsid(); "), ""),
    "daemon": (FORKED.format("os.setsid(); os.fork() and os._exit(0); "), ""),
    "flees_and_crashes": (FORKED.format("os.setsid(); ") + "os.abort()", "it was killed by SIGABRT"),
    "twice": ("import os\nif not os.fork(): raise OSError", ""),
    "writes": (DESCRIPTORS + "os.write(each, b'\\xff\\n5\\n[]\\n')", ""),
    "closes": (DESCRIPTORS + "os.close(each)", ""),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with those modules, in a package."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd").mkdir()
    for name, (code, _) in ODD.items():
        (folder / "odd" / f"{name}.py").write_text(code, "utf-8")
    return folder


def test_odd_imports_are_rows_that_say_so(odd: Path) -> None:
    found = {}
    with leaving_nothing():
        for timeout, names in ((3.0, ["hangs"]), (60.0, [name for name in ODD if name != "hangs"])):
            modules = [Extension(f"odd.{name}", "odd", "1.0") for name in names]
            search = Search(modules, timeout, [str(odd), *sys.path], None)
            search.run()
            found |= {each.name: each for each in search.found(False).found}
    for name, (_, why) in ODD.items():
        assert found[f"odd.{name}"].problem == why
        assert found[f"odd.{name}"].turns_on is (None if why else False)


def test_what_spoils_one_import_is_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: 1 / 0)
    search = Search([Extension("odd.lacks")] * 2, 60.0, sys.path, None)
    search.run()
    assert [each.problem for each in search.found(False).found] == ["ZeroDivisionError: division by zero"] * 2


def test_progress_says_how_many_there_are(odd: Path) -> None:
    steps = []
    Search([Extension("odd.lacks")] * 2, 60.0, [str(odd), *sys.path], steps.append).run()
    assert steps[0].label == "module 1 of 2"


UMATH = Extension("numpy._core._multiarray_umath", "numpy", importlib.metadata.version("numpy"))


@pytest.fixture
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide all that is installed but NumPy: there may be a lot to look through."""
    site = tmp_path / "few"
    site.mkdir()
    for path in Path(str(importlib.metadata.distribution("numpy").locate_file(""))).glob("numpy*"):
        (site / path.name).symlink_to(path)
    monkeypatch.setattr(sys, "path", [str(site), *(path for path in sys.path if "site" not in path)])


@pytest.mark.usefixtures("few")
def test_extension_modules_are_found_by_any_name() -> None:
    every = of_packages(["numpy"])
    assert UMATH in every
    assert of_packages([UMATH.name]) == [UMATH]
    within = of_packages(["numpy.random"])
    assert set(within) < set(every)
    assert {each.name.rpartition(".")[0] for each in within} == {"numpy.random"}


def test_what_is_installed_or_was_built_in_place_is_found() -> None:
    assert UMATH in installed()
    found = {each.name for each in of_packages(["gilkit"])}
    assert {"gilkit._ext._modules", "gilkit._ext._monitor"} < found


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_what_was_built_in_place_is_found_however_that_is_written(
    separators: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, site = tmp_path / "source", tmp_path / "site"
    (source / "inplace").mkdir(parents=True)
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    (source / "inplace" / f"part{suffix}").write_bytes(b"PyInit_part")
    told = distributed(site, "inplace", "Name: inplace\nVersion: 1.0\n")
    (told / "top_level.txt").write_text("inplace\n")
    editable = {"url": source.as_uri(), "dir_info": {"editable": True}}
    (told / "direct_url.json").write_text(json.dumps(editable, separators=separators))
    monkeypatch.setattr(sys, "path", [str(site), str(source), *sys.path])
    assert Extension("inplace.part", "inplace", "1.0") in installed()


def distributed(site: Path, name: str, metadata: str | None) -> Path:
    """Return the folder of what is known of a distribution in ``site``."""
    told = site / f"{name}-1.0.dist-info"
    told.mkdir(parents=True)
    if metadata is not None:
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\n{metadata}")
    return told


@pytest.mark.parametrize("metadata", [None, "", "Name: broken\n"])
def test_a_broken_distribution_hides_no_other(
    metadata: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    folders = []
    for name, known in (("whole", "Name: whole\nVersion: 1.0\n"), ("broken", metadata)):
        told = distributed(tmp_path / name, name, known)
        (tmp_path / name / f"{name}{suffix}").write_bytes(f"PyInit_{name}".encode())
        (told / "RECORD").write_text(f"{name}{suffix},,\n")
        folders.append(str(tmp_path / name))
    (told / "top_level.txt").write_text("broken\nwhole\n")
    monkeypatch.setattr(sys, "path", [*reversed(folders), *(path for path in sys.path if "site" not in path)])
    named = "broken" if metadata else ""
    whole = Extension("whole", "whole", "1.0")
    assert installed() == sorted([whole, *([Extension("broken", "broken")] if named else [])])
    assert of_packages(["broken"]) == [Extension("broken", named)]
    assert whole in of_packages(["whole"])
    with pytest.raises(ValueError, match="did you mean 'whole'"):
        of_packages(["whale"])


def test_a_package_may_have_none() -> None:
    assert of_packages(["click"]) == []


@pytest.mark.usefixtures("few")
def test_what_is_no_module_is_none(tmp_path: Path) -> None:
    there = tmp_path / "made"
    there.mkdir()
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    for name, content in (("module", b"PyInit_module"), ("library", b"PyInit_other"), ("empty", b"")):
        (there / f"{name}{suffix}").write_bytes(content)
    (there / f"__init__{suffix}").write_bytes(b"PyInit_made")
    (there / "not-a-name").mkdir()
    (there / "not-a-name" / f"module{suffix}").write_bytes(b"PyInit_module")
    (there / "module.so.6").write_bytes(b"PyInit_module")
    assert of_packages(["made"], str(tmp_path)) == [Extension("made"), Extension("made.module")]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("numpi", "unknown package 'numpi': did you mean 'numpy'?"),
        ("zzqqxx", "unknown package 'zzqqxx': it is not installed here"),
        ("numpy.nope", "numpy has no extension module 'numpy.nope', and none in a package of that name"),
        ("", "unknown package ''"),
    ],
)
def test_an_unknown_package_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match="package") as refusal:
        of_packages([name])
    assert str(refusal.value).startswith(message)


ON_A, ON_C = {"made": "a.b", "needs": True}, {"made": "c", "needs": True}


def lines(*said: dict[str, object]) -> str:
    """What the program of an import prints."""
    return "".join(json.dumps(one) + "\n" for one in said)


A = Extension("a.b", "A", "1.0")


@pytest.mark.parametrize(
    ("said", "status", "turns_on", "others", "problem"),
    [
        (lines({"ended": ""}), 0, False, (), ""),
        (lines(ON_A, {"ended": ""}), 0, True, (), ""),
        (lines(ON_C, {"ended": ""}), 0, False, ("c",), ""),
        (lines(ON_C, ON_A, ON_C, {"ended": ""}), 0, True, ("c",), ""),
        (lines(ON_A, {"ended": "ImportError: no"}), 0, True, (), "ImportError: no"),
        (lines(ON_A) + '{"en', -11, True, (), "it was killed by SIGSEGV"),
        (lines({"made": "a.b", "needs": False}), -11, False, (), "it was killed by SIGSEGV"),
        ("", -11, None, (), "it was killed by SIGSEGV"),
        ('\ufffd\n5\n[]\nnull\n{"ended": ""}\n', 0, False, (), ""),
        ("", -250, None, (), "it was killed by signal 250"),
        ("", 3, None, (), "it exited with status 3"),
    ],
)
def test_what_an_import_did(
    said: str, status: int, turns_on: bool | None, others: tuple[str, ...], problem: str
) -> None:
    expected = ImportedModule("a.b", "A", "1.0", turns_on, others, problem)
    assert understood(A, said, status, "") == expected
    ends = '"ended"' in said  # then it was in time
    assert understood(A, said, status, "late").problem == (problem if ends else "late")


ON = ImportedModule("a.on", "A", "1.0", True)
OFF = ImportedModule("a.off", "A", "1.0", False)
CRASHED = ImportedModule("a.crash", "A", "1.0", None, (), "it was killed by SIGSEGV")
BROKE = ImportedModule("a.broke", "A", "1.0", True, (), "it was killed by SIGSEGV")
QUIT = ImportedModule("a.quit", "A", "1.0", False, (), "it ended the process, with status 3")
BROUGHT = ImportedModule("c", "C", "2.0", True, imported_by="a.off")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([BROKE], "1 of 1 module turns the GIL on: A; 1 could not be imported"),
        ([ON, OFF, BROKE, QUIT, CRASHED], "2 of 4 modules turn the GIL on: A; 3 could not be imported"),
        ([], "no extension modules: nothing there turns the GIL on"),
        ([OFF], "none of 1 module turns the GIL on"),
        ([ON, OFF], "1 of 2 modules turns the GIL on: A"),
        ([ON, ON, OFF], "2 of 3 modules turn the GIL on: A"),
        ([ON, CRASHED], "1 of 1 module turns the GIL on: A; 1 could not be imported"),
        ([OFF, BROUGHT], "none of 1 module turns the GIL on, and 1 that they import: C"),
    ],
)
def test_the_last_sentence_counts_them(found: list[ImportedModule], said: str) -> None:
    text = plain(Modules(found), 200)
    assert f"\n{said}\n" in f"{text}\n"
    assert ("Py_mod_gil" in text) == any(each.turns_on for each in found)


def test_a_problem_is_shown_whatever_became_of_the_gil() -> None:
    text = plain(Modules([ON, OFF, BROKE, QUIT]))
    assert "turned on; it was killed by SIGSEGV" in text
    assert "left off; it ended the process, with status 3" in text
    assert "a.off" not in text


def test_those_that_leave_it_off_are_listed_on_request() -> None:
    found = [ON, OFF, CRASHED, BROUGHT]
    short, whole = plain(Modules(found)), plain(Modules(found, every=True))
    for text in (short, whole):
        assert "a.on " in text
        assert "turned on: a.off imports it" in text
        assert "not told: it was killed by SIGSEGV" in text
    assert "a.off " not in short.replace("a.off imports", "")
    assert "left off" in whole


def test_all_are_told_to_machines() -> None:
    found = Modules([ON, OFF, CRASHED, ImportedModule("a.two", "A", "1.0", False, ("b.one", "b.two"))])
    told = json.loads(json.dumps(found.to_dict()))
    assert told["kind"] == "modules"
    assert untold(told) == []
    assert [row["turns_on"] for row in told["modules"]] == [True, False, None, False]
    assert [row["imports"] for row in told["modules"]] == [[], [], [], ["b.one", "b.two"]]
    assert [row["name"] for row in found.rows()] == ["a.on", "a.off", "a.crash", "a.two"]


def test_a_run_that_was_cut_short_says_how_many_are_left() -> None:
    many = [Extension(f"a.m{number}", "A", "1.0") for number in range(3)]
    search = Search(many, 1.0, [], None)
    search.done = [OFF]
    assert plain(search.found(every=False)).endswith(
        "none of 1 module turns the GIL on: 2 were not imported any more"
    )
    assert search.found(every=False).to_dict()["left"] == 2
    search.done = [OFF] * 3
    assert "imported any more" not in plain(search.found(every=False))


@pytest.mark.skipif(free_threaded(), reason="this interpreter is free-threaded")
def test_an_interpreter_with_a_gil_is_refused_in_one_line() -> None:
    refused(answered("modules", "numpy"), "modules is for a free-threaded Python")
    refused(answered("modules"), "run python3.14t -m gilkit modules")


@needs_free_threads
class TestFreeThreaded:
    """The whole command."""

    @needs_compiler
    def test_modules_that_declare_nothing_are_named(self, tmp_path: Path) -> None:
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        compiled(folder, "declared", declares=True)
        compiled(folder, "undeclared")
        compiled(folder, "at_once", one_phase=True, execute=imports("mine.undeclared"))
        compiled(folder, "innocent", declares=True, one_phase=True, execute=imports("mine.undeclared"))
        done = gilkit("modules", "mine", "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found = {row["name"]: row["turns_on"] for row in json.loads(done.stdout)["modules"]}
        assert found == {
            "mine.at_once": True, "mine.declared": False, "mine.innocent": False, "mine.undeclared": True,
        }  # fmt: skip
        part = gilkit("modules", "mine.innocent", cwd=tmp_path).stdout
        assert "turned on: mine.innocent imports it" in " ".join(part.split())

    def test_the_packages_that_gilkit_takes_leave_it_off(self) -> None:
        found = package.modules(["numpy", "gilkit", "psutil"])
        assert [each.name for each in found.turning_on] == []
        assert len(found.found) > 10

    def test_an_unknown_package_is_one_line(self) -> None:
        refused(answered("modules", "numpi"), "unknown package 'numpi': did you mean 'numpy'?")

    def test_an_interrupt_ends_it(self, tmp_path: Path) -> None:
        suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
        slow = tmp_path / "slow"
        slow.mkdir()
        begun = tmp_path / "begun"
        (slow / "__init__.py").write_text(f"open({str(begun)!r}, 'w').close()\nimport time; time.sleep(100)")
        (slow / f"module{suffix}").write_bytes(b"PyInit_module")
        with leaving_nothing(), started("modules", "slow", cwd=tmp_path, start=("-m", "gilkit")) as process:
            assert seen(begun.exists)
            out, errors = interrupted(process)
        assert process.returncode == 130, errors
        assert "gilkit: interrupted" in errors
        assert out == ""
