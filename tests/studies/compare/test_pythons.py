"""Several interpreters, by turns: who measures when, what is said of them, and when nothing is."""

from __future__ import annotations

import json
import random
import re
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
import pytest
from command import answered, ended, gilkit, interrupted, leaving_nothing, refused, seen, started
from pages import untold
from pictures import needs_pictures

import gilkit as package
from gilkit._version import __version__
from gilkit.display.tables import plain
from gilkit.engine import probe, pythons
from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.engine.pythons import Elsewhere, Python, closing_all, found_pythons, versioned
from gilkit.engine.runner import Runner
from gilkit.errors import CaseFailedError, NothingMeasuredError
from gilkit.machine import free_threaded
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.loading import load
from gilkit.results.windows import Stint, Window
from gilkit.studies.claims import builds
from gilkit.studies.compare import STUDY
from gilkit.studies.compare.by_pythons import TURNS_EACH, Task, TurnCourse, goals_of_sets
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.findings import findings
from gilkit.studies.compare.merged import TurnSet, merged, plain_kernels, several_pythons
from gilkit.studies.compare.ranking import FEWEST_SETS, Place, conclusion, ranking
from gilkit.studies.compare.table import table

pytestmark = pytest.mark.long
STMT = "work()"
SAME = {("threads", 1): 1.0, ("threads", 2): 1.0, ("processes", 1): 1.0, ("processes", 2): 1.97}  # with a GIL
FREE = {**SAME, ("threads", 2): 1.96}  # without
ONE = ["--rounds", "1", "--workers", "2"]
TWICE = ["--python", sys.executable, "--python", sys.executable]


def one_set(
    chance: random.Random,
    rates: Mapping[tuple[str, int], float],
    rounds: int,
    gil: str,
    program: float,
    disturbed: float = 0.0,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> Results:
    """What one program finds that does so much, and that its memory's layout makes slower or faster.

    Each executor has memory of its own, and others disturb some of the rounds.
    """
    records = []
    of_program = {executor: chance.gauss(1.0, program) for executor, _ in rates}
    for (executor, workers), rate in rates.items():
        record = Record(Case(STMT, "function", executor, workers))
        for round_ in range(rounds):
            value = 1e-2 * workers / rate / of_program[executor] / chance.gauss(1.0, 0.01)
            stints = (Stint(0.05 / value, 0.05, 0.05),) * workers
            stolen = 0.05 * (chance.random() < disturbed)
            window = Window(0.05, workers, stints, stolen=stolen)
            record.add(round_, 3 * value if stolen else value, window)
        records.append(record)
    return Results(build(records, {**facts.GIL.entry(gil), **facts.CPUS.entry(2), **known}, {}))


def found(
    seed: int,
    *rates: Mapping[tuple[str, int], float],
    program: float = 0.01,
    rounds: int = TURNS_EACH,
    disturbed: float = 0.0,
) -> Results:
    """What so many interpreters find, by sets of programs."""
    chance = random.Random(seed)
    names = [f"3.{11 + place}" for place in range(len(rates))]
    sets, before = [], 0
    for goal in goals_of_sets(rounds):
        here = {
            name: one_set(chance, rate, goal - before, "off" if rate == FREE else "on", program, disturbed)
            for name, rate in zip(names, rates, strict=True)
        }
        sets.append(TurnSet(before, here))
        before = goal
    return Results(merged(names, sets, {}, {}))


def said(results: Results) -> str:
    return ": ".join(conclusion(ranking(results, STMT)))


@pytest.mark.parametrize("program", [0.005, 0.01, 0.02, 0.05])
def test_of_one_interpreter_twice_no_difference_is_found(program: float) -> None:
    """However much its programs differ: one run of 400 at most finds a difference."""
    concluded = Counter(
        conclusion(ranking(found(seed, SAME, SAME, program=program), STMT))[0] for seed in range(100)
    )
    assert concluded["no difference found"] >= 98


def test_the_more_is_compared_the_more_it_takes() -> None:
    """The same is found of the first two, whether there is a third or not."""
    top, bottom = Place("b", "threads", 2), Place("a", "threads", 2)
    ratios = []
    for names in ("ab", "abc"):
        sets = [
            TurnSet(
                2 * number, {n: one_set(random.Random(f"{n} {number}"), SAME, 2, "on", 0.02) for n in names}
            )
            for number in range(FEWEST_SETS)
        ]
        ratios.append(ranking(Results(merged(list(names), sets, {}, {})), STMT).ratios[top, bottom])
    two, three = ratios
    assert two == three
    assert three.low < two.low < two < two.high < three.high


def test_three_of_the_same_are_alike_too() -> None:
    for seed in range(20):
        text = said(found(seed, SAME, SAME, SAME))
        assert text.startswith("no difference found: one thread of 3.12 ")
        assert text.endswith(", of 3.11's")


def test_threads_without_a_gil_are_said_to_do_what_they_do() -> None:
    slower = {place: 0.8 * rate for place, rate in FREE.items()}
    slower["threads", 2] = 3.5
    text = said(found(1, SAME, slower))
    assert text.startswith("use 3.12, threads: threads do 4.")
    assert "× there, and 1.7" in text
    assert re.search(r"× of what 3\.11's processes do; one thread does 0\.(79|8[01])×$", text)


def test_threads_as_good_as_processes_are_the_ones_to_use() -> None:
    quicker = {place: 1.5 * rate for place, rate in FREE.items()}
    assert said(found(1, SAME, quicker)).startswith("use 3.12, threads: ")


def test_disturbed_rounds_are_no_difference() -> None:
    for seed in range(100):
        assert said(found(seed, SAME, SAME, disturbed=0.12)).startswith(
            ("no difference found", "not decided")
        )


def test_what_differs_elsewhere_than_at_the_top_is_said_with_how_little_that_is_apart() -> None:
    text = said(found(1, SAME, FREE))
    far = re.match(r"at most (\d)% apart in the most that they do: 3\.12's threads do 1\.9", text)
    assert far, text
    assert 1 <= int(far[1]) <= 6


def test_where_the_top_is_not_decided_it_is_not_said_to_be_alike() -> None:
    """Processes were disturbed so often that nothing is known of them."""
    chance = random.Random(1)
    sets = []
    for number in range(5):
        here = {}
        for name, rate in (("a", SAME), ("b", FREE)):
            threads = {place: does for place, does in rate.items() if place[0] == "threads"}
            processes = {place: does for place, does in rate.items() if place[0] == "processes"}
            both = [
                one_set(chance, part, 3, "on", 0.0, lost) for part, lost in ((threads, 0.0), (processes, 1.0))
            ]
            records = [
                Record(
                    case,
                    list(r.every(case).values()),
                    {},
                    list(r.every(case)),
                    list(r.windows(case).values()),
                )
                for r in both
                for case in r
            ]
            here[name] = Results(build(records, {**facts.GIL.entry("on"), **facts.CPUS.entry(2)}, {}))
        sets.append(TurnSet(3 * number, here))
    text = said(Results(merged(["a", "b"], sets, {}, {})))
    assert text.startswith("not decided at the top: b's threads do 1.9")


def test_a_difference_in_speed_on_one_thread_is_found() -> None:
    slower = {place: 0.9 * rate for place, rate in SAME.items()}
    text = said(found(1, SAME, slower))
    assert text.startswith("use 3.11, processes: processes do 1.9")
    assert "one thread does 1.1" in text


def test_few_rounds_and_few_sets_decide_nothing() -> None:
    assert said(found(1, SAME, FREE, rounds=4)).startswith("not decided: too few rounds count")
    chance = random.Random(1)
    sets = [
        TurnSet(
            8 * number,
            {name: one_set(chance, rate, 8, "on", 0.0) for name, rate in (("a", SAME), ("b", FREE))},
        )
        for number in range(FEWEST_SETS - 1)
    ]
    assert said(Results(merged(["a", "b"], sets, {}, {}))).startswith("not decided")


def test_every_set_has_a_say() -> None:
    """A difference that one set of programs does not show is none."""
    chance = random.Random(1)
    names, sets = ("a", "b"), []
    for number in range(FEWEST_SETS):
        other = {place: (0.9 if number else 1.0) * rate for place, rate in SAME.items()}
        here = {
            name: one_set(chance, rate, 3, "on", 0.0) for name, rate in zip(names, (SAME, other), strict=True)
        }
        sets.append(TurnSet(3 * number, here))
    results = Results(merged(names, sets, {}, {}))
    assert said(results).startswith("no difference found")
    case = Case("b: work()", "function", "threads", 2)
    assert results.fact(case, facts.GENERATIONS) == [3, 6, 9, 12]
    assert list(results.every(case)) == list(range(15))


def test_of_one_interpreter_twice_no_difference_is_found_where_each_set_has_one_round_left() -> None:
    """Others disturb a round of every set: however many there are more of them, they were open before."""
    told = Counter()
    for seed in range(100):
        chance = random.Random(seed)
        sets = [
            TurnSet(number, {name: one_set(chance, SAME, 1, "on", 0.02) for name in ("a", "b")})
            for number in range(4 * FEWEST_SETS)
        ]
        told[conclusion(ranking(Results(merged(["a", "b"], sets, {}, {})), STMT))[0]] += 1
    assert told["no difference found"] >= 98


def test_an_interpreter_that_failed_has_a_row_that_says_so() -> None:
    chance = random.Random(1)
    sets = [TurnSet(0, {name: one_set(chance, SAME, 8, "on", 0.0) for name in ("a", "b", "c")})]
    results = Results(
        merged(
            ["a", "b", "c"], sets, {}, {Case("b: work()", "function", "threads", 1): "its program was killed"}
        )
    )
    shown = plain(table(results))
    assert "b  failed: its program was killed" in shown
    row = next(line for line in shown.splitlines() if line.startswith("b "))
    assert "failed" in row
    assert several_pythons(results) == ["a", "b", "c"]
    assert plain_kernels(results) == [STMT]
    assert untold(Comparison(results.suite).to_dict()) == []
    assert list(findings(results)["verdicts"]) == ["a: work()", "b: work()", "c: work()"]


def test_it_says_of_each_interpreter_who_turned_its_gil_on() -> None:
    chance = random.Random(1)
    known = {
        "a": facts.GIL_MODULES.entry(["lxml.etree", "numpy.core"]),
        "b": facts.GIL_SETTING.entry("PYTHON_GIL=1"),
        "c": {},
        "d": facts.GIL_ELSEWHERE.entry({"processes": "off"}),
    }
    sets = [TurnSet(0, {n: one_set(chance, SAME, 8, "on", 0.0, known=own) for n, own in known.items()})]
    results = Results(merged(list(known), sets, {}, {}))
    lines = plain(STUDY.table(results), 300).splitlines()
    assert lines[0].startswith("a | b | c | d · GIL on · ")
    assert [line for line in lines if line[1:2] == ":"] == [
        "a: GIL on: turned on by lxml.etree and 1 other",
        "a: lxml.etree is an extension module that does not declare Py_mod_gil; nor does the other",
        "b: GIL on, by PYTHON_GIL=1",
        "d: GIL on",
        "d: in workers of processes the GIL was off",
        "a: To do without the GIL: gilkit modules lxml numpy lists what lacks Py_mod_gil, which newer "
        "versions may have",
        "b: To do without the GIL: run it without PYTHON_GIL=1",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits(width: int) -> None:
    shown = plain(table(found(1, SAME, FREE, SAME)), width)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.count("3.12 ") >= 1


def test_rounds_that_others_disturbed_are_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first seven sets are disturbed; then as many follow as have a say."""
    task = Task("timeit", [STMT, "pass"], {}, [STMT], None)
    runner = Runner(1)
    monkeypatch.setattr(runner, "begin", lambda: None)
    course = TurnCourse([Python(name, name, name) for name in "ab"], task, runner, None)

    def measured(number: int, before: int, goal: int) -> None:
        here = {}
        for name in "ab":
            records = []
            for (executor, workers), rate in SAME.items():
                record = Record(Case(STMT, "function", executor, workers))
                for round_ in range(goal - before):
                    stints = (Stint(50 * rate / workers, 0.05, 0.05),) * workers
                    window = Window(0.05, workers, stints, stolen=0.05 * (number < 7))
                    record.add(round_, window.value, window)
                records.append(record)
            here[name] = Results(build(records, {}, {}))
        course.sets.append(TurnSet(before, here))

    monkeypatch.setattr(course, "_set", measured)
    course.measure(Lab(1))
    assert len(course.sets) == 7 + FEWEST_SETS
    assert conclusion(ranking(Results(course.suite()), STMT))[0] == "no difference found"


def test_it_sees_the_working_folder_and_what_is_measured_is_kept_and_shown_again(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def f(): return 1\n")
    (tmp_path / "random.py").write_text("1 / 0\n")  # for statements only
    path = tmp_path / "r.json"
    words = ["timeit", "-s", "import mine", "mine.f()", *TWICE, *ONE, "-o", str(path)]
    done = gilkit(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mine.f()" in done.stdout
    assert answered("show", str(path)).stdout == done.stdout
    version = versioned(sys.version.split()[0], free_threaded())
    results = load(path)
    names = several_pythons(results)
    assert names == [f"{version} (1)", f"{version} (2)"]
    for name in names:
        for executor in ("threads", "processes"):
            assert len(results.every(Case(f"{name}: mine.f()", "function", executor, 2))) == 1
    assert "\nnot decided: too few rounds count" in done.stdout
    told = json.loads(answered("show", str(path), "--json").stdout)["pythons"]["mine.f()"]
    assert told["use"] == "not decided"


def logged(log: Path) -> tuple[str, str]:
    """SETUP and a statement that writes down when it ran, and of which program."""
    setup = f"import os, time; f = open({str(log)!r}, 'ab', 0)"
    return setup, "f.write(b'%d %.6f\\n' % (os.getppid(), time.perf_counter())); time.sleep(2e-3)"


def stretches(log: Path) -> list[str]:
    """The programs in the order in which they measured: each as often as it did so again after others."""
    lines = [line.split() for line in (log.read_text().splitlines() if log.exists() else [])]
    found: list[str] = []
    for _, who in sorted((float(when), who) for who, when in (line for line in lines if len(line) == 2)):
        if found[-1:] != [who]:
            found.append(who)
    return found


@pytest.mark.usefixtures("hasty")
def test_only_one_measures_at_a_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    setup, stmt = logged(log)
    found = package.timeit(
        stmt, setup, pythons=[sys.executable] * 2, executors="threads", rounds=4, workers=2
    )
    assert len(found.results.kernels) == 2
    # Two sets of two programs: each prepares once, and has two rounds.
    assert len(set(stretches(log))) == 4
    assert len(stretches(log)) <= 4 * 3


@pytest.mark.usefixtures("hasty")
def test_compare_measures_kernels_there() -> None:
    found = package.compare(
        ["lcg", "sleep"], pythons=[sys.executable] * 2, executors="threads", rounds=1, workers=2, quick=True
    )
    assert isinstance(found, Comparison)
    assert plain_kernels(found.results) == ["lcg", "sleep"]
    assert set(found.to_dict()["pythons"]) == {"lcg", "sleep"}
    assert "lcg" in repr(found)


@pytest.mark.parametrize("measured", ["timeit", "compare"])
def test_whether_an_executor_is_available_is_asked_where_it_is_to_run(
    measured: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is said to be what it is not there, either way: 3.14 has interpreters, earlier ones none."""
    name = next(name for name, kind in EXECUTORS.items() if kind.further)
    there = EXECUTORS[name].missing()
    here = replace(EXECUTORS[name], missing=lambda: None if there else "not here")
    monkeypatch.setitem(EXECUTORS, name, here)
    what = {"timeit": ("1 + 1",), "compare": ("lcg",)}[measured]
    options: Any = {"variants": "python"} if measured == "compare" else {}
    options |= {"pythons": [sys.executable], "executors": name, "workers": 2, "rounds": 1}
    study = getattr(package, measured)
    if there is None:
        assert study(*what, **options).results
        return
    with pytest.raises(NothingMeasuredError) as caught:
        study(*what, **options)
    assert list(caught.value.failures.values()) == [f"executor {name} is not available here: {there}"]


@pytest.mark.usefixtures("hasty")
def test_what_fails_there_is_said() -> None:
    done = answered("timeit", "-s", "import nosuchmodule", "1", *TWICE[:2], *ONE)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stdout
    assert "nothing was measured" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("hasty")
def test_one_that_dies_leaves_the_other(tmp_path: Path) -> None:
    """The statement ends the program that gives it its turns, in one of the two."""
    mark = str(tmp_path / "first")
    setup = f"""
import contextlib, os, psutil
program = next(p for p in psutil.Process().parents() if "elsewhere" in " ".join(p.cmdline()))
with contextlib.suppress(FileExistsError):
    os.symlink(str(program.pid), {mark!r})
if os.readlink({mark!r}) != str(program.pid):
    program.kill()
"""
    done = answered("timeit", "-s", setup, "sum(range(99))", *TWICE, *ONE, "--executor", "threads")
    assert done.returncode == 1, done.stderr
    assert "its program was killed by SIGKILL" in done.stdout
    assert "only " in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_ctrl_c_keeps_what_there_is(tmp_path: Path) -> None:
    path, log = tmp_path / "r.json", tmp_path / "log"
    setup, stmt = logged(log)
    words = ["timeit", "-s", setup, stmt, *TWICE, "--rounds", "400", "--workers", "2", "-o", str(path)]
    with leaving_nothing(), started(*words) as process:
        assert seen(lambda: len(stretches(log)) > 5)  # in the middle of a set: each has had a round
        out, err = interrupted(process)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert "time.sleep(2e-3)" in out
    assert len(several_pythons(load(path))) == 2


def test_nothing_stays_when_it_is_killed() -> None:
    with (
        leaving_nothing(),
        started("timeit", "sum(range(9999))", *TWICE, "--rounds", "400") as process,
    ):
        children = psutil.Process(process.pid).children
        assert seen(lambda: len(children(True)) >= 6)
        family = children(True)
        process.kill()
        assert ended(family)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["1", "--python", "/nowhere/python"], "there is no program '/nowhere/python'"),
        (["1", "--python", "/"], "/ is a folder: name a Python by its path"),
        (["1", "--python", "true"], "true is no Python, or one before 3.11"),
        (["1", "--python", "BROKEN"], "is no Python, or one before 3.11: it has lost its library"),
        (["1", "--python", "BARE"], "has no gilkit: install it there"),
        (["1", "--python", "OTHER"], "has gilkit 0.0.1, and this is"),
        (["1", "--python", sys.executable, "--shared"], "pythons and shared exclude one another"),
        (["1", "--python", sys.executable, "--against", "2"], "pythons and against exclude one another"),
    ],
)
def test_what_is_no_interpreter_with_gilkit_is_refused(
    words: list[str], message: str, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" -I -S "$@"\n')
    other = tmp_path / "other"
    (tmp_path / "gilkit").mkdir()
    (tmp_path / "gilkit" / "__init__.py").touch()
    (tmp_path / "gilkit" / "_version.py").write_text("__version__ = '0.0.1'\n")
    other.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{sys.executable}" "$@"\n')
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho oh >&2\necho it has lost its library >&2\nexit 1\n")
    for script in (bare, other, broken):
        script.chmod(0o755)
    named = {"BARE": str(bare), "OTHER": str(other), "BROKEN": str(broken)}
    refused(answered("timeit", *(named.get(word, word) for word in words)), message)


def test_what_takes_the_gil_away_is_for_those_that_can_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one does not start with it."""
    monkeypatch.setenv("PYTHON_GIL", "0")
    [found] = found_pythons([sys.executable])
    assert found.free is bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert ("PYTHON_GIL" in found.environment) is found.free
    assert found.environment["PATH"]


def script(path: Path, text: str) -> str:
    """Make a program of the shell, and return its path."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_interpreter_may_print_what_it_likes_before_it_answers(tmp_path: Path) -> None:
    wrapper = script(tmp_path / "w", f'echo hello; echo 7; echo "{{}}"; exec "{sys.executable}" "$@"')
    [plain_one, wrapped] = found_pythons([sys.executable, wrapper])
    assert plain_one.name.removesuffix("(1)") == wrapped.name.removesuffix("(2)")
    asked = {"study": "timeit", "args": ["pass"], "options": {"rounds": 1, "workers": "oh"}}
    program = Elsewhere(wrapped, asked, {})
    try:
        with pytest.raises(CaseFailedError, match="workers"):  # it was asked, and answers
            program.begin()
    finally:
        program.close()


@pytest.mark.parametrize(
    ("does", "message"),
    [
        ("echo hello", "its program exited with status 0"),
        ("yes", "its program printed 100 lines, and none is an answer"),
        ("exec >&- ; sleep 1000", "its program was killed by SIGKILL"),
    ],
)
def test_one_that_never_answers_has_failed(
    does: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "WRITING_DOWN", 0.5)
    program = Elsewhere(Python("a", "a", script(tmp_path / "w", does)), {}, {})
    try:
        with pytest.raises(CaseFailedError, match=message):
            program.begin()
    finally:
        program.close()


def test_an_interpreter_that_hangs_is_killed_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PROBING", 0.3)
    hangs = script(tmp_path / "hangs", "sleep 1000 & setsid sleep 1000 & sleep 1000")
    with leaving_nothing(), pytest.raises(ValueError, match=r"hangs gave no answer within 0.3 s"):
        found_pythons([hangs])


@pytest.mark.parametrize("found", [found_pythons, lambda given: builds.named(given[0])])
@pytest.mark.parametrize("where", ["1", "2"])
def test_what_prints_without_end_is_no_interpreter(
    found: Callable[[list[str]], object], where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "MOST_PRINTED", 10_000)
    prints = script(tmp_path / "prints", f"exec yes >&{where}")
    with leaving_nothing(), pytest.raises(ValueError, match="prints is no Python: it prints without end"):
        found([prints])


def test_what_an_interpreter_leaves_open_is_not_waited_for(tmp_path: Path) -> None:
    leaves = script(tmp_path / "leaves", f'sleep 1000 & exec "{sys.executable}" "$@"')
    with leaving_nothing():
        assert found_pythons([leaves])[0].path == leaves


def test_a_setting_that_keeps_it_from_starting_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without a GIL reads it; one with a GIL, such as this, is started without it."""
    answer = {"implementation": "CPython", "version": "3.13.0", "free": True, "gilkit": __version__}
    free = script(
        tmp_path / "free",
        f"""if [ "$PYTHON_GIL" = 5 ]; then echo 'Fatal Python error: "0" or "1"' >&2; exit 1; fi
        echo '{json.dumps(answer)}'""",
    )
    monkeypatch.setenv("PYTHON_GIL", "1")
    assert [found.name for found in found_pythons([free])] == ["3.13.0t"]
    monkeypatch.setenv("PYTHON_GIL", "5")
    message = 'free does not start with PYTHON_GIL=5: Fatal Python error: "0" or "1"'
    with pytest.raises(ValueError, match=message):
        found_pythons([free])
    monkeypatch.delenv("PYTHON_GIL")
    assert found_pythons([free])


def test_an_interrupt_kills_at_once_what_has_nothing_to_write_down(tmp_path: Path) -> None:
    begun, told = tmp_path / "begun", tmp_path / "told"
    waits = script(
        tmp_path / "w", f"trap 'touch {told}; exit' INT; touch {begun}; while true; do sleep 0.1; done"
    )
    with leaving_nothing():
        program = Elsewhere(Python("a", "a", waits), {}, {})
        assert seen(begun.exists)
        with pytest.raises(KeyboardInterrupt), closing_all({"a": program}):
            raise KeyboardInterrupt
    assert not told.exists()


class Stubborn(Elsewhere):
    """A program that does not end by itself; the first is waited for until somebody is impatient."""

    def __init__(self, log: list[str], impatient: bool) -> None:
        self.log, self.impatient = log, impatient

    def interrupt(self) -> None:
        self.log.append("told")

    def wait(self, until: float) -> None:
        self.log.append(f"waited {until - time.monotonic():.0f}")
        if self.impatient:
            raise KeyboardInterrupt

    def close(self) -> None:
        self.log.append("closed")


def test_a_second_interrupt_leaves_no_program_alive() -> None:
    logs: list[list[str]] = [[], []]
    with (
        pytest.raises(KeyboardInterrupt),
        closing_all({str(place): Stubborn(log, place == 0) for place, log in enumerate(logs)}),
    ):
        raise KeyboardInterrupt
    assert [log[:2] for log in logs] == [["told", "waited 10"], ["told", "closed"]]
    assert all("closed" in log for log in logs)


def test_all_programs_have_one_time_to_end_in() -> None:
    logs: list[list[str]] = [[], []]
    with (
        pytest.raises(KeyboardInterrupt),
        closing_all({str(place): Stubborn(log, False) for place, log in enumerate(logs)}),
    ):
        raise KeyboardInterrupt
    assert [log[1] for log in logs] == ["waited 10"] * 2


def test_functions_and_odd_lists_are_refused() -> None:
    with pytest.raises(TypeError, match="pythons are for kernels and statements"):
        package.compare(len, (), pythons=[sys.executable])
    odd: Any = sys.executable
    with pytest.raises(TypeError, match="pythons must be a list of paths, not str"):
        package.timeit("1", pythons=odd)
    numbers: Any = [3]
    with pytest.raises(TypeError, match="python must be a path or a name, not int"):
        package.timeit("1", pythons=numbers)


def test_a_version_that_is_not_released_is_told_from_its_kind() -> None:
    assert [versioned(version, True) for version in ("3.14.0", "3.13.0rc2+")] == [
        "3.14.0t",
        "3.13.0rc2+ (free-threaded)",
    ]
    assert versioned("3.13.0rc2+", False) == "3.13.0rc2+"


def test_interpreters_are_a_column_where_they_are_measured() -> None:
    name = next(name for name, kind in EXECUTORS.items() if kind.further)
    rates = {**SAME, (name, 1): 1.0, (name, 2): 1.9}
    shown = plain(table(found(1, rates, rates)), 120)
    assert f"{name}" in shown


@needs_pictures
def test_the_picture_and_the_page_show_the_work(tmp_path: Path) -> None:
    comparison = Comparison(found(1, SAME, FREE).suite)
    comparison.plot(tmp_path / "p.svg")
    drawn = (tmp_path / "p.svg").read_text("utf-8")
    assert ">3.11<" in drawn
    assert ">3.12<" in drawn
    package.report(comparison, tmp_path / "p.html")
    assert "apart in the most that they do" in (tmp_path / "p.html").read_text("utf-8")
