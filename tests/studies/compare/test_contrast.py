"""Statements beside one another: in the same rounds, a row each, and a sentence that says which to use."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from command import answered, refused
from pages import untold
from simulated import Machine, Made

import gilkit as package
from gilkit.display.tables import plain
from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.loading import load
from gilkit.results.stats import Estimate
from gilkit.results.windows import Stint, Window
from gilkit.studies.compare.budget import OWN_PACE
from gilkit.studies.compare.causes import Cause
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.contrast import Contrast, conclusion, contrast, in_order, slower
from gilkit.studies.compare.speedups import speedup
from gilkit.studies.compare.table import table
from gilkit.studies.compare.verdict import Verdict, in_agreement

HOLDS, RELEASES = Made(call=1e-3, held=1.0), Made(call=1.003e-3, held=0.001)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(4, monkeypatch, tmp_path)  # two cores, so that two threads have one each


def beside(machine: Machine, noise: float = 0.001, **made: Made) -> Comparison:
    """Measure statements of these names beside one another."""
    subjects = machine.own(1, 2, statements=tuple(made))
    pace = OWN_PACE.for_each(len(made))
    return machine.carried_out(subjects, pace, made, noise, together=True)[0]


def said(machine: Machine, noise: float = 0.001, **made: Made) -> str:
    return ": ".join(conclusion(contrast(beside(machine, noise, **made).results)))


def test_all_are_measured_in_the_same_rounds(machine: Machine) -> None:
    found = beside(machine, a=HOLDS, b=RELEASES, c=HOLDS).results
    for executor, workers in (("threads", 1), ("threads", 2), ("processes", 2)):
        rounds = [set(found.every(Case(name, "function", executor, workers))) for name in "abc"]
        assert rounds[0] == rounds[1] == rounds[2]
        assert len(rounds[0]) >= 8


def test_a_version_that_releases_the_gil_is_the_one_to_use(machine: Machine) -> None:
    text = said(machine, 0.0001, holds=HOLDS, releases=RELEASES)
    assert text == "release it, as B does: 1.99× instead of 1.00× on 2 threads, 0.3% slower on one"


def test_verdicts_agree_with_the_conclusion(machine: Machine) -> None:
    short, free = Made(call=5e-5, held=1.0), Made(call=5e-5, held=0.001)
    found = beside(machine, 0.0001, short=short, free=free)
    assert found.verdicts["short"].cause is Cause.GIL
    assert found.verdicts["short"].advice == "release it, as B does"
    assert found.verdicts["free"].advice.startswith("threads: ")
    assert {str(said) for said in found.to_dict()["to_do"].values()} == {
        str(found.to_dict()["to_do"]["free"])
    }
    assert repr(found).count("release it, as B does") == 2
    turned = beside(machine, 0.0001, free=free, short=short)
    assert turned.verdicts["short"].advice == "release it, as A does"
    assert repr(turned).splitlines()[-1].startswith("stay with A")


def test_what_is_too_short_alone_holds_the_gil_beside_what_releases_it() -> None:
    """Alone, a call of 50 µs that holds it is too short, as it cannot be sent either."""
    one, more, less = Estimate(1.0, 0.99, 1.01), Estimate(2.0, 1.99, 2.01), Estimate(0.5, 0.49, 0.51)
    work = {("A", "threads", 2): one, ("B", "threads", 2): more}
    together = {"A": {"B": less}, "B": {"A": more}}
    alone = {"A": {"B": one}, "B": {"A": one}}
    c = Contrast({"A": "a", "B": "b"}, 2, {"A": 1.0, "B": 0.0}, work, alone, together)
    scales, short = Verdict(Cause.SCALES, "", "threads"), Verdict(Cause.SHORT, "they stop", "batch them")
    told = in_agreement({"a": short, "b": scales}, c)
    assert told == {"a": Verdict(Cause.GIL, "they stop", "release it, as B does"), "b": scales}
    in_part = replace(c, held={"A": 0.3, "B": 0.0})
    assert in_agreement({"a": short, "b": scales}, in_part)["a"] == replace(short, advice="use B")
    undecided = replace(c, together={"A": {}, "B": {}})
    assert in_agreement({"a": short, "b": scales}, undecided)["a"] == short


def test_where_the_first_is_the_better_one_it_stays(machine: Machine) -> None:
    text = said(machine, 0.0001, releases=RELEASES, holds=HOLDS)
    assert text == "stay with A: 2.00× instead of 1.00× on 2 threads, 0.3% slower on one"


def test_a_faster_library_wins_though_it_scales_no_better(machine: Machine) -> None:
    text = said(machine, slow=HOLDS, fast=Made(call=2e-4, held=1.0))
    words = r"use processes, with B: (9|10)\.\d\d× there; on threads [45]\.\d\d× instead of [01]\.\d\d×"
    assert re.fullmatch(f"{words} on 2 threads with B", text), text


def test_processes_count_whichever_statement_does_best_in_them(machine: Machine) -> None:
    text = said(machine, holds=HOLDS, slow=Made(call=1.55e-3, held=0.001))
    assert text.startswith("use processes, with A: "), text


def test_what_was_not_compared_is_not_decided() -> None:
    one, more = Estimate(1.0, 0.99, 1.01), Estimate(1.28, 1.27, 1.29)
    work = {("A", "threads", 2): one, ("B", "threads", 2): more}
    c = Contrast({"A": "a", "B": "b"}, 2, {}, work, {"A": {}, "B": {}}, {"A": {}, "B": {}})
    assert conclusion(c)[0] == "not decided"


def test_one_that_failed_keeps_its_letter(machine: Machine) -> None:
    found = beside(machine, first=HOLDS, second=RELEASES).results
    found.failures |= {case: "it broke" for case in found if case.kernel == "first"}
    assert in_order(found) == ["first", "second"]


def test_the_best_of_three_is_named(machine: Machine) -> None:
    text = said(machine, a=HOLDS, b=Made(call=1e-3, held=0.7), c=RELEASES)
    assert text.startswith("release it, as C does: 1.9")


def test_two_alike_are_no_difference(machine: Machine) -> None:
    text = said(machine, 0.0005, a=RELEASES, b=RELEASES)
    assert re.match(r"no difference that matters: on 2 threads A .*, B .*$", text), text


def test_what_noise_hides_is_not_decided(machine: Machine) -> None:
    text = said(machine, 0.2, a=RELEASES, b=Made(call=0.97e-3, held=0.001))
    assert text.startswith("not decided: on 2 threads A "), text


def test_noise_alone_names_no_winner(machine: Machine) -> None:
    texts = [said(machine, 0.005 + 0.001 * step, a=RELEASES, b=RELEASES) for step in range(40)]  # seeded
    assert not [text for text in texts if text.startswith(("use", "release", "stay"))]


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (Estimate(1.0, 0.999, 1.001), "as fast on one"),
        (Estimate(0.997, 0.996, 0.998), "0.3% slower on one"),
        (Estimate(1.05, 1.04, 1.06), "5.0% faster on one"),
        (Estimate(0.5, 0.49, 0.51), "2.00 times as long on one"),
        (Estimate(3.0, 2.9, 3.1), "3.00 times as fast on one"),
        (Estimate(1.01, 0.9, 1.2), "on one not told apart (-10% to +20%)"),
        (Estimate(1.01), "too few rounds to tell them apart on one (+1.0%)"),
    ],
)
def test_what_it_costs_on_one(work: Estimate, words: str) -> None:
    assert slower(work) == words


FEW = ["--rounds", "1", "--workers", "2"]


@pytest.mark.usefixtures("hasty")
def test_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    words = ["-s", "from gilkit.kernels import lcg", "lcg.gil(20000)", "--against", "lcg.nogil(20000)"]
    done = answered("timeit", *FEW, *words, "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "A  lcg.gil(20000)\nB  lcg.nogil(20000)\n" in done.stdout
    assert done.stdout.split("\n\n")[-1].startswith(
        ("not decided", "release", "use", "stay", "no difference")
    )
    assert load(path).kernels == ["lcg.gil(20000)", "lcg.nogil(20000)"]
    assert answered("show", str(path)).stdout == done.stdout


@pytest.mark.usefixtures("hasty")
def test_one_that_fails_is_a_row_that_says_so() -> None:
    done = answered("timeit", *FEW, "sum(range(100))", "--against", "1/0")
    assert done.returncode == 1
    assert re.search(r"^A +2 +[\d.]+ .s ", done.stdout, re.M), done.stdout
    assert re.search(r"^B +2 +– .*failed +failed", done.stdout, re.M)
    assert "B  failed: ZeroDivisionError: division by zero" in done.stdout


def test_rounds_that_others_disturbed_are_shown_and_decide_nothing() -> None:
    """As a comparison shows them: the range of what was seen."""
    pressed = Stint(5.0, 0.06, 0.03, 0.0, 9.0, 0.03)
    records = []
    for name, speed in (("a", 1.0), ("b", 2.0)):
        for workers in (1, 2):
            case = Case(name, "function", "threads", workers)
            records.append(Record(case))
            for id_ in range(8):
                stint = pressed._replace(calls=5.0 * (1 if workers == 1 else speed / 2) * (1 + id_ % 2 / 50))
                window = Window(0.05, workers, (stint,) * workers)
                records[-1].add(id_, window.value, window)
    found = Results(build(records, {"gilkit_cpus": 2}, {}))
    c = contrast(found)
    for letter, name in c.names.items():
        case = Case(name, "function", "threads", 2)
        assert not found.rounds(case)
        assert c.work[letter, "threads", 2] == speedup(found, case) == pytest.approx(ord(letter) - 64)
        assert not c.work[letter, "threads", 2].decided
    assert conclusion(c)[0] == "not decided"
    text = " ".join(plain(table(found)).split())
    assert "±" not in text
    assert "a–b: the range where fewer than 6 rounds count, which decide nothing" in text


def test_machines_are_told_the_same(machine: Machine) -> None:
    found = beside(machine, holds=HOLDS, releases=RELEASES)
    assert untold(found.to_dict()) == []
    told = found.to_dict()["against"]
    assert (told["use"], told["figures"]) == conclusion(contrast(found.results))
    assert told["letters"] == {"A": "holds", "B": "releases"}
    (work,) = [
        w for w in told["work"] if (w["statement"], w["executor"], w["workers"]) == ("releases", "threads", 2)
    ]
    assert 1.9 < work["work"]["median"] < 2.1


@pytest.mark.usefixtures("hasty")
def test_from_python() -> None:
    found = package.timeit(
        "sum(range(100))", against="sum(range(200))", rounds=1, workers=2, executors=["threads"]
    )
    assert list(found.verdicts) == ["sum(range(100))", "sum(range(200))"]
    assert found.speedup("function", "threads", 2, "sum(range(200))") > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pass", "--against", "pass"], "against must name other statements, each once"),
        (["pass", "--against", "for"], "the statement is not Python"),
        (["pass", *(w for i in range(26) for w in ("--against", str(i)))], "at most 25 statements"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str) -> None:
    refused(answered("timeit", *arguments), message)
