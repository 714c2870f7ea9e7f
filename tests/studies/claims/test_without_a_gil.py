"""Claims where the GIL is not: what they say of the difference, and claims on two builds."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command import answered, refused
from made_up_claims import (
    DECIDED,
    FREE,
    HOLDS,
    REFUTED,
    ROUNDS,
    UNDECIDED,
    bodies,
    builds,
    built,
    late,
    reading,
    scaled,
    six,
    turned,
    wild,
)

import gilkit as package
from gilkit import machine
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.errors import CaseFailedError
from gilkit.studies.claims import launch
from gilkit.studies.claims.bench import Bench
from gilkit.studies.claims.builds import Build, differences, named, own
from gilkit.studies.claims.claim import Figures, Finding, Ruling
from gilkit.studies.claims.on_free_threads import OBJECTS, SHARED_BY_ALL
from gilkit.studies.claims.on_holding import COLLECTIONS, ticks
from gilkit.studies.claims.registry import CLAIMS

HAS_A_GIL = machine.gil_enabled()
PAIRS = [name for name, claim in CLAIMS.items() if claim.pair]


def found(name: str, figures: Figures) -> Finding:
    return CLAIMS[name].finding(figures)


@pytest.mark.parametrize(("name", "figures"), [(n, f) for n, f, _ in DECIDED if not f.gil])
def test_nothing_is_said_to_hold_a_gil_that_is_not_there(name: str, figures: Figures) -> None:
    finding = found(name, figures)
    told = f"{finding.measured} {finding.why}"
    for wrong in ("hold the GIL", "holds the GIL", "whoever runs Python code has the GIL", "hand-over"):
        assert wrong not in told, told


def test_one_compiled_body_is_told_apart_by_what_there_is_to_release() -> None:
    gil, free = (
        found("nogil-scales", bodies(1.0, 1.95)),
        found("nogil-scales", bodies(1.95, 1.95, with_gil=False)),
    )
    assert gil.why == "it is releasing that does it: calls that hold the GIL gain nothing"
    assert free.why == "there is no GIL to release: calls that stay attached gain as well"
    assert "calls that hold the GIL do 1.00" in gil.measured
    assert "calls that stay attached do 1.95" in free.measured


def test_pure_python_refutes_that_only_processes_run_at_once() -> None:
    series = {}
    for variant, executor in (("python", "threads"), ("nogil", "threads"), ("nogil", "processes")):
        series |= scaled(variant, executor, 1.9)
    finding = found("only-processes", Figures(series, gil=False))
    assert finding.why == "threads of pure Python run in parallel in one process: there is no GIL"
    assert "pure Python threads 1.90" in finding.measured


def test_threads_that_are_slower_without_a_gil_share_an_object() -> None:
    series = scaled("python", "threads", 1.9) | scaled("list", "threads", 0.4)
    finding = found("slower-with-threads", Figures(series, gil=False))
    assert "count of references" in finding.why
    assert "all read one list, 2 take 2.50" in finding.measured


def test_one_at_a_time_rests_on_what_was_done_alone() -> None:
    known = {name: value for name, value in turned(1.98).items() if name != "turns"}
    finding = found("one-at-a-time", Figures(scaled("python", "threads", 1.95), known, gil=False))
    assert finding.ruling is REFUTED
    assert finding.why == "they run at once: this interpreter runs without a GIL"
    assert "monitor" not in finding.measured


def test_what_stays_attached_is_late_only_where_the_world_stops() -> None:
    finding = found("responsive", late(gil=False, gil_100ms_collected=0.09))
    assert "a collection stops the world" in finding.why
    assert finding.why.endswith("late behind calls of 100 ms attached, and collection")
    assert re.search(r"calls of 100 ms attached +1\.00 ms", finding.measured)


def test_threads_test_primes_as_processes_do() -> None:
    finding = found("primes", six(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, threads=0.5, gil=False))
    assert finding.why == "so do threads: there is no GIL"


def test_a_shared_object_that_costs_is_named() -> None:
    finding = found("shared-scales", reading(list=0.4))
    assert "not those that share a list: each use changes a count of references" in finding.why
    assert re.search(r"a list +1\.95 ± 0\.\d+ times +0\.40", finding.measured)
    none = found("shared-scales", reading(**dict.fromkeys(OBJECTS, 0.4)))
    assert none.why.startswith("none of these: ")


def test_what_sharing_costs_is_told_where_it_is_open_how_far_threads_scale() -> None:
    shared = reading(**dict.fromkeys(OBJECTS, 0.4)).series
    open_ = {key: value for name in OBJECTS for key, value in wild(name, "threads").items()}
    assert found("shared-scales", Figures({**shared, **open_}, gil=False)).ruling is Ruling.REFUTED
    both = {
        key: value for name in OBJECTS for key, value in wild(name + SHARED_BY_ALL, "threads").items()
    } | open_
    assert found("shared-scales", Figures(both, gil=False)).ruling is Ruling.UNDECIDED


@pytest.mark.parametrize("name", ["only-bytecode", "shared-scales"])
def test_a_claim_for_another_build_is_a_row_that_says_so(name: str) -> None:
    missing = CLAIMS[name].missing()
    if (name == "only-bytecode") is HAS_A_GIL:
        assert missing is None
        return
    assert missing in ("there is no GIL here", "this interpreter has a GIL: it takes a free-threaded one")
    done = answered("claims", name, "one-os-thread", "--quick")
    assert re.search(rf"^not here +{name}\n.*\n +{missing}$", done.stdout, re.M), done.stdout


def test_the_page_says_what_figures_decide() -> None:
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "claims.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+).*? \| (\w+).* \|$", page, re.M)
    assert len(rows) > 5
    rulings = {ruling.value: ruling for ruling in Ruling}
    for name, *words in rows:
        assert name in CLAIMS
        for word, gil in zip(words, (True, False), strict=True):
            if word in rulings:
                assert rulings[word] in {r for n, f, r in DECIDED if n == name and f.gil is gil}, (name, word)


# Two builds.


@pytest.mark.parametrize(
    ("here", "other", "why"),
    [
        (built(), None, "it takes two builds, and this is CPython 3.13.1: name a free-threaded one"),
        (FREE, None, "it takes two builds, and this is CPython 3.13.1t: name one with a GIL of 3.13"),
        (built(), built(), "both run with a GIL, CPython 3.13.1 and CPython 3.13.1: name a free"),
        (FREE, FREE, "both run without a GIL"),
        (built("3.11.7"), None, "it takes two builds, and this is CPython 3.11.7: run it with Python 3.13"),
        (built("3.14.0"), FREE, "CPython 3.14.0 and CPython 3.13.1t are two versions; name a free"),
        (built(compiled="cc -O3"), FREE, "they were compiled in two ways: cc -O3; GCC -O3; name a"),
        (built(), built(free=True), "CPython 3.13.1t runs with its GIL on: run it without"),
        (built(free=True), None, "CPython 3.13.1t runs with its GIL on: run it without"),
    ],
)  # fmt: skip
def test_what_are_no_two_builds_of_one_version_decides_nothing(
    here: Build, other: Build | None, why: str
) -> None:
    finding = found("free-threaded-slower", builds(here, other, 1.4, 1.4))
    assert finding.ruling is UNDECIDED
    assert finding.why.startswith(why)


def test_versions_that_differ_by_their_last_number_are_one() -> None:
    assert differences(built("3.13.0"), replace(FREE, version="3.13.7")) == ""
    assert "two versions" in differences(built("3.13.0"), replace(FREE, implementation="PyPy"))


def test_the_build_without_a_gil_is_compared_with_the_other_from_either_side() -> None:
    one, two = (
        found("free-threaded-slower", builds(*pair, 1.4, 1.1)) for pair in ((built(), FREE), (FREE, built()))
    )
    assert one == two
    assert one.measured.startswith(
        "on one thread CPython 3.13.1t takes, for the same work, as long as CPython 3.13.1:"
    )
    assert re.search(r"work 0 +1\.40", one.measured)
    assert re.search(r"all of it +1\.24", one.measured)


def test_what_costs_most_is_another_thing_in_the_first_version() -> None:
    first = found("free-threaded-slower", builds(built(), FREE, 1.4, 1.4))
    later = replace(FREE, version="3.14.0")
    second = found("free-threaded-slower", builds(built("3.14.0"), later, 1.4, 1.4))
    assert (first.ruling, second.ruling) == (HOLDS, HOLDS)
    assert "3.13 does not specialize its bytecode" in first.why
    assert "counts of references" in second.why


def test_a_busy_machine_does_not_hide_what_is_missing() -> None:
    claim = CLAIMS["free-threaded-slower"]
    assert "two builds" in claim.finding(replace(builds(built(), None), load=2.0)).why
    assert "too busy" in claim.finding(replace(builds(built(), FREE, 1.4), load=2.0)).why


def test_a_version_that_is_not_released_is_told_from_its_kind() -> None:
    assert str(replace(FREE, version="3.14.0rc2+")) == "CPython 3.14.0rc2+ (free-threaded)"
    assert str(FREE) == "CPython 3.13.1t"


def test_an_interpreter_says_what_it_is() -> None:
    here = own()
    assert here == named(sys.executable)
    assert here.gil is HAS_A_GIL
    assert here.minor == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert here.compiled
    assert here.told()["path"] == ""
    assert Build(**here.told()) == replace(here, path="")


def test_one_build_twice_decides_nothing_and_says_what_to_name() -> None:
    done = answered("claims", *PAIRS, "--python", sys.executable)
    assert done.returncode == 0
    assert done.stderr == ""
    told = " ".join(done.stdout.split())
    assert f"both run with{'' if HAS_A_GIL else 'out'} a GIL" in told
    assert ("--python PATH" if sys.version_info >= (3, 13) else "with Python 3.13 or later") in told
    assert "of 1 claim: 1 not decided" in told


def test_without_another_build_it_says_what_to_name() -> None:
    done = answered("claims", *PAIRS, "--quick")
    assert done.returncode == 0
    assert "it takes two builds, and this is" in " ".join(done.stdout.split())


def test_another_interpreter_does_the_work_of_one_thread() -> None:
    with Lab(1) as lab:
        bench = Bench(PAIRS[0], lab, 1, True, Runner(1), replace(own(), gil=not HAS_A_GIL))
        CLAIMS[PAIRS[0]].experiment(bench)
    here, other = bench.facts["here"], bench.facts["other"]
    assert len(here) == len(other)
    assert ROUNDS <= len(here) <= 2 * ROUNDS  # a disturbed round does not count
    assert all(row.keys() == here[0].keys() for row in [*here, *other])
    assert min(seconds for row in here for seconds in row.values()) > 0


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (
            "no-such-python",
            "there is no program 'no-such-python': name a Python by its path, or as it is on PATH",
        ),
        ("", "there is no program ''"),
        (os.devnull, f"there is no program '{os.devnull}'"),
        (os.curdir, f"{os.curdir} is a folder: name a Python by its path, such as ./bin/python"),
        ("true", "'true' is no Python that runs here: it does not say what it is"),
        ("false", "'false' is no Python that runs here: its program failed"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="programs of POSIX")
def test_what_is_no_python_is_refused_before_anything_is_measured(python: str, message: str) -> None:
    refused(answered("claims", *PAIRS, "--python", python), message)


def test_an_interpreter_that_prints_when_it_starts_says_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert named(sys.executable) == own()


def test_what_takes_the_gil_away_is_for_builds_that_can_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one does not start with it; one that can tells what it does."""
    monkeypatch.setenv("PYTHON_GIL", "0")
    build = named(sys.executable)
    assert build.gil is not build.free_threaded
    assert launch.said("single.about", python=build.path, free=build.free_threaded)


def test_an_interpreter_for_claims_on_one_is_refused() -> None:
    refused(answered("claims", "crash", "--python", sys.executable), f"python is for {', '.join(PAIRS)}")
    with pytest.raises(TypeError, match="python must be a path or a name, not int"):
        package.claims(PAIRS, python=3)


def test_an_interpreter_that_does_not_start_fails_its_claim(tmp_path: Path) -> None:
    with pytest.raises(CaseFailedError, match="does not start"):
        launch.said("single.about", python=str(tmp_path))


# On a free-threaded interpreter, for real.


@pytest.mark.skipif(HAS_A_GIL, reason="this interpreter has a GIL")
def test_a_call_that_stays_attached_delays_all_while_garbage_is_collected() -> None:
    assert max(ticks(COLLECTIONS[-1], 0.5)) > 0.03  # of calls of 100 ms


def test_calls_that_stay_attached_are_blamed_only_for_what_they_do() -> None:
    attached = found("responsive", late(gil=False, gil_100ms_collected=0.1))
    collecting = found("responsive", late(gil=False, gil_100ms_collected=0.1, none_collected=0.1))
    detaching = found("responsive", late(gil=False, gil_100ms_collected=0.1, nogil_collected=0.1))
    other = found("responsive", late(gil=False, gil_100ms=0.1))
    assert "calls that stay attached: a" in attached.why
    assert collecting.why.startswith("on what runs behind them; ")
    assert detaching.why.startswith("on what runs behind them; ")
    assert other.why.startswith("on what runs behind them; ")
