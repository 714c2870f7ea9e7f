"""The ladder: which of the objects that threads share stops them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import answered, refused
from pages import TEXTS, untold

import gilkit
from gilkit.display.tables import plain
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.stats import Estimate
from gilkit.results.windows import Stint, Window
from gilkit.studies.compare.causes import Cause
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.ladder import climbed, judged, to_try, told_of
from gilkit.studies.compare.ladder_words import sentence
from gilkit.studies.compare.rungs import Found, Ladder, Rung

ROUNDS = 12
LONG = 20.0  # seconds of a window
Names = tuple[str, ...]


def record(
    variant: str,
    workers: int,
    speedup: float,
    cpu: float = 0.0,
    switches: float = 0.0,
    executor: str = "threads",
) -> Record:
    """Rounds of a call of a second, with this speedup give or take two in a hundred."""
    executor = "openmp" if variant == "ceiling" else executor
    values = [workers / (speedup * (1 + 0.02 * (index % 3 - 1))) for index in range(ROUNDS)]
    known = facts.WORKERS.entry(workers)
    found = Record(Case("s", variant, executor, workers), values, known)
    if cpu:
        each = LONG * speedup / workers  # calls in a window
        one = Stint(each, LONG, LONG * cpu / workers, switches * each, 0.0, 0.0)
        found.windows = [Window(LONG, workers, (one,) * workers) for _ in values]
    return found


def results(
    rungs: Mapping[Names, float],
    shared: float = 0.4,
    private: float = 1.96,
    paths: Mapping[Names, Names] | None = None,
    cpu: Mapping[str, float] | None = None,
    rounds: int = ROUNDS,
    only: Mapping[Names, float] | None = None,
    known: Mapping[str, Any] | None = None,
    kinds: Mapping[str, str] | None = None,
    gil: str = "off",
    failures: Mapping[Case, str] | None = None,
    processes: float = 0.0,
) -> Results:
    """What a ladder of two threads measured: the speedup on every rung, also where `only` one is shared."""
    cpu, paths, only, kinds = cpu or {}, paths or {}, only or {}, kinds or {}
    records = [
        record("function", 1, 1.0, 1.0 if cpu else 0.0),
        record("function", 2, private, cpu.get("private", 0.0)),
        record("shared", 2, shared, cpu.get("shared", 0.0), 1.0),
        record("ceiling", 1, 1.0),
        record("ceiling", 2, 1.98),
    ]
    if processes:
        apart = ((1, 1.0), (2, processes))
        records += [record("function", n, done, done, executor="processes") for n, done in apart]
    records[2].facts |= facts.OWN_NAMES.entry({"untried": {}, **(known or {})})
    measured = [(names, False, speedup) for names, speedup in rungs.items()]
    for names, alone, speedup in measured + [(names, True, speedup) for names, speedup in only.items()]:
        own = frozenset({*names, *paths.get(names, ())})
        alike = names in paths and len(names) > 1
        rung = Rung(names, tuple(kinds.get(name, "dict") for name in names), own, alone, alike)
        made = record(rung.variant, 2, speedup, cpu.get(names[0], 0.0))
        made.facts |= told_of(rung)
        records.append(made)
    for each in records:
        each.values, each.ids, each.windows = each.values[:rounds], each.ids[:rounds], each.windows[:rounds]
    run = {**facts.CPUS.entry(2), **facts.GIL.entry(gil)}
    return Results(build(records, run, failures or {}))


def ladder(found: Results) -> Ladder:
    climbed_to = climbed(found, evidence(found, "s"))
    assert climbed_to is not None
    return climbed_to


def culprits(found: Ladder) -> list[Names]:
    return [rung.names for rung in found.culprits]


def test_the_one_that_brings_the_scaling_back_is_named_with_both_figures() -> None:
    found = ladder(results({("cache",): 1.95, ("data",): 0.41}, only={("cache",): 0.4}))
    assert (found.found, culprits(found)) == (Found.CAUSE, [("cache",)])
    assert sentence(found) == ("`cache` (dict) is shared", "0.40× → 1.95× with one for each thread")


def test_who_was_not_tried_as_the_only_thing_that_is_shared_is_not_named() -> None:
    found = ladder(results({("cache",): 1.95, ("data",): 0.41}))
    assert (found.found, culprits(found)) == (Found.NOT_DECIDED, [("cache",)])
    assert [(rung.names, rung.own) for rung in to_try(found)] == [(("cache",), {"data"})]


LOOK = {"names": ["look"], "kinds": ["function"], "own": ["look"]}


def test_an_innocent_is_not_named_for_what_becomes_private_with_it() -> None:
    """It is `look` that stops the threads, by something that nobody saw in it."""
    given: dict[str, Any] = {"paths": {("cache",): ("look",)}, "known": {"beside": [LOOK]}}
    suspected = {("cache",): 1.95, ("data",): 0.41}
    found = ladder(results(suspected, only={("cache",): 1.95}, **given))
    assert (found.found, culprits(found)) == (Found.NOT_DECIDED, [])
    assert [rung.names for rung in to_try(found)] == [("look",)]
    found = ladder(results({**suspected, ("look",): 1.95}, only={("cache",): 1.95}, **given))
    assert [(rung.names, rung.only) for rung in to_try(found)] == [(("look",), True)]
    found = ladder(results({**suspected, ("look",): 1.95}, only={("cache",): 1.95, ("look",): 0.4}, **given))
    assert (found.found, culprits(found)) == (Found.CAUSE, [("look",)])


def near(names: Names, own: Names, share: float, only: bool = False) -> Rung:
    """A rung where threads reach about such a share of the goal."""
    to_goal = Estimate(share, share - 0.04, share + 0.04)
    gain = Estimate(5 * share, 4.5 * share, 5.5 * share)
    return Rung(names, ("dict",), frozenset(own), only, False, Estimate(2 * share), to_goal, gain)


@pytest.mark.parametrize(
    ("within", "told"), [(0.3, ["cache"]), (0.68, ["cache", "look"]), (0.88, ["look"])], ids=str
)
def test_where_what_is_within_another_may_be_it_both_are_told(within: float, told: list[str]) -> None:
    cache, look = near(("cache",), ("cache", "look"), 0.98), near(("look",), ("look",), within)
    rungs = (cache, look, near(("b",), ("b",), 0.2), near(("cache",), ("b", "look"), 0.2, only=True))
    nothing, everything = near((), (), 0.2), near((), (), 1.0)
    climbed_to = Ladder(2, Found.NOT_DECIDED, everything, nothing, rungs)
    wanted = Found.CAUSE if told == ["cache"] else Found.NOT_DECIDED  # `look` is to be tried alone
    culprits = tuple(rung for rung in (cache, look) if rung.names[0] in told)
    assert judged(climbed_to, Estimate(0.2, 0.19, 0.21), False) == (wanted, culprits)


@pytest.mark.parametrize(("low", "named"), [(0.6, False), (0.7, True)])
def test_who_surely_brings_most_of_it_back_is_named(low: float, named: bool) -> None:
    wide = replace(near(("cache",), ("cache",), 0.95), to_goal=Estimate(0.95, low, 1.2))
    rungs = (wide, near(("b",), ("b",), 0.2), near(("cache",), ("b",), 0.2, only=True))
    climbed_to = Ladder(2, Found.NOT_DECIDED, near((), (), 1.0), near((), (), 0.2), rungs)
    found, _ = judged(climbed_to, Estimate(0.2, 0.19, 0.21), False)
    assert found is (Found.CAUSE if named else Found.NOT_DECIDED)


@pytest.mark.parametrize(("low", "cleared"), [(0.7, False), (0.91, True)])
def test_who_surely_stops_nobody_alone_is_cleared(low: float, cleared: bool) -> None:
    cache, b = near(("cache",), ("cache",), 0.95), near(("b",), ("b",), 0.95)
    only = replace(near(("cache",), ("b",), 0.95, only=True), to_goal=Estimate(0.95, low, 1.2))
    climbed_to = Ladder(2, Found.NOT_DECIDED, near((), (), 1.0), near((), (), 0.2), (cache, b, only))
    assert climbed_to.cleared(cache) is cleared
    assert not climbed_to.cleared(b)


def test_who_surely_helps_is_judged_even_if_it_is_not_sure_that_the_others_stop() -> None:
    """What all threads use is kept by a module: they share it, whether SETUP runs for each or not."""
    log, lone = near(("log",), ("log",), 0.95), near(("log",), (), 0.2, only=True)
    both = near((), (), 0.2)
    climbed_to = Ladder(2, Found.NOT_DECIDED, both, both, (log, lone), within=True)
    assert judged(climbed_to, Estimate(1.0, 0.95, 1.05), True) == (Found.CAUSE, (log,))
    without = replace(climbed_to, rungs=(replace(log, gain=Estimate(1.0, 0.9, 1.1)),))
    assert judged(without, Estimate(1.0, 0.95, 1.05), True) == (Found.NOTHING, ())
    innocent = replace(climbed_to, rungs=(log, replace(lone, to_goal=near((), (), 0.95).to_goal)))
    assert judged(innocent, Estimate(1.0, 0.95, 1.05), True) == (Found.NOTHING, ())


def test_an_object_that_brings_most_of_it_back_is_named_and_not_its_class() -> None:
    """All threads read the class, too, which costs less. A thread with a class of its own has both."""
    rungs = {("Config",): 1.96, ("config",): 1.69, ("b",): 0.4}
    paths: dict[Names, tuple[str, ...]] = {("Config",): ("config",)}
    found = ladder(results(rungs, paths=paths, only={("Config",): 1.69}))
    assert found.found is Found.NOT_DECIDED
    assert [rung.variant for rung in to_try(found)] == ["only-config"]
    found = ladder(results(rungs, paths=paths, only={("Config",): 1.69, ("config",): 0.4}))
    assert (found.found, culprits(found)) == (Found.CAUSE, [("config",)])
    assert sentence(found)[1] == "0.40× → 1.69× with one for each thread"


def test_what_becomes_private_with_the_cause_is_said() -> None:
    paths = {("cache",): ("look",)}
    found = ladder(results({("cache",): 1.96, ("look",): 0.4}, paths=paths, only={("cache",): 0.4}))
    assert sentence(found)[1] == "0.40× → 1.96× with one for each thread, and of `look`"


def test_those_that_cannot_be_told_apart_are_named_together() -> None:
    found = ladder(results({("a", "b"): 1.95}, paths={("a", "b"): ()}))
    assert (found.found, culprits(found)) == (Found.CAUSE, [("a", "b")])
    assert sentence(found)[0] == "`a` (dict) and `b` (dict), which cannot be told apart, are shared"


def test_a_rung_that_failed_was_not_tried() -> None:
    failed = Case("s", "private-a", "threads", 2)
    for rungs in ({("a",): 1.95, ("b",): 0.4}, {("b",): 0.4}):
        found = ladder(results(rungs, failures={failed: "it was killed"}))
        assert found.untried == {"a": "it was killed"}
        assert [rung.names for rung in found.rungs] == [("b",)]
        assert found.found is Found.NOT_ONE
        assert sentence(found)[1].endswith("; not `b`; `a` could not be tried")


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"untried": {"log": "it cannot be copied"}}, "`log` could not be tried"),
        ({"modules": ["zlib"]}, "what `zlib` keeps could not be tried"),
        ({"failed": "SETUP fails"}, "what threads share was not found: SETUP fails"),
    ],
)
def test_what_was_not_tried_is_not_cleared(known: dict[str, Any], said: str) -> None:
    found = ladder(results({("n",): 0.41}, private=0.4, known=known))
    assert (found.found, sentence(found)[0]) == (Found.NOT_DECIDED, "not decided")
    assert sentence(found)[1].startswith(said)


@pytest.mark.parametrize("private", [1.96, 0.8])
def test_the_verdict_is_not_decided_where_setup_changes_what_is_shared(private: float) -> None:
    used = {"private": private, "shared": 0.4, "a": private}
    told = results({("a",): private}, private=private, cpu=used, known={"slower": 1.2}, processes=1.98)
    compared = Comparison(told.suite)
    assert compared.verdict.cause is Cause.NOT_DECIDED
    assert compared.verdict.why == (
        "SETUP changes what is shared when it is run again: a call takes 1.2 times as long once 2 more ran it"
    )
    assert "use threads" not in plain(compared)


def test_nothing_is_decided_where_setup_changes_what_is_shared() -> None:
    found = ladder(results({("a",): 1.95}, known={"slower": 2.0}))
    assert (found.found, culprits(found), list(to_try(found))) == (Found.NOT_DECIDED, [], [])
    assert sentence(found)[1].startswith(
        "SETUP changes what is shared when it is run again: a call takes 2.0"
    )


def test_nothing_stops_what_scales_where_all_is_shared() -> None:
    found = ladder(results({("cache",): 1.96}, shared=1.95))
    assert (found.found, culprits(found)) == (Found.NOTHING, [])
    assert sentence(found)[0] == "nothing that is shared stops it"


def test_a_part_of_the_scaling_is_not_the_cause() -> None:
    found = ladder(results({("a",): 0.9, ("b",): 0.41}))
    assert (found.found, culprits(found)) == (Found.NOT_ONE, [])
    assert sentence(found)[1].endswith("; not one of `a`, `b` alone")


def test_two_that_only_together_bring_it_back_are_both_named() -> None:
    rungs = {("a",): 0.5, ("b",): 0.41, ("c",): 0.41, ("a", "b"): 1.95}
    found = ladder(results(rungs, only={("a",): 0.4, ("b",): 0.4, ("c",): 1.95}))
    assert (found.found, culprits(found)) == (Found.CAUSE, [("a", "b")])
    assert sentence(found)[0] == "`a` (dict) and `b` (dict) are shared"
    assert "1.95× with one of each for each thread" in sentence(found)[1]


def test_only_what_was_tried_is_said_to_be_in_vain() -> None:
    rungs = {("a",): 0.5, ("b",): 0.41, ("c",): 0.41, ("a", "b"): 0.5}
    found = ladder(results(rungs, only={("a",): 0.4, ("b",): 0.4, ("c",): 1.95}))
    assert sentence(found)[1].endswith("; not one of `a`, `b`, `c` alone, nor `a` and `b` together")


def test_of_two_that_bring_it_back_the_one_within_the_other_is_named() -> None:
    paths = {("cache",): ("look",)}
    found = ladder(results({("cache",): 1.96, ("look",): 1.95}, paths=paths))
    assert culprits(found) == [("look",)]


def test_two_that_each_bring_it_back_are_not_told_apart() -> None:
    found = ladder(results({("a",): 1.96, ("b",): 1.95}))
    assert found.found is Found.NOT_DECIDED
    assert "perhaps `a` (dict) or `b` (dict)" in sentence(found)[1]


def test_few_rounds_decide_nothing_and_that_is_said() -> None:
    found = ladder(results({("cache",): 1.95}, rounds=5))
    assert found.found is Found.NOT_DECIDED
    assert sentence(found)[1] == (
        "fewer than 6 rounds count, which decide nothing: run it again on a quiet machine, or with more "
        "--rounds; 1.96× with SETUP for each thread, 0.40× with one for all"
    )


def test_intervals_that_do_not_tell_are_the_reason() -> None:
    own, shared = (
        replace(near((), (), x), speedup=Estimate(2 * x, 2 * x - 0.1, 2 * x + 0.1)) for x in (1.0, 0.9)
    )
    between = Ladder(2, Found.NOT_DECIDED, own, shared)
    assert judged(between, Estimate(0.9, 0.86, 0.94), True) == (Found.NOT_DECIDED, ())
    assert sentence(between)[1].startswith(
        "the intervals do not tell: run it again with more --rounds; 2.00×"
    )


def test_where_nothing_is_shared_and_all_stop_it_is_what_a_module_keeps() -> None:
    found = ladder(
        results({("random.random",): 1.9, ("n",): 0.41}, private=0.4, only={("random.random",): 0.4})
    )
    assert culprits(found) == [("random.random",)]
    found = ladder(results({("n",): 0.41}, private=0.4))
    assert found.found is Found.NOTHING
    assert sentence(found)[0] == "not what threads share of SETUP stops them"


def test_a_lock_is_told_from_counts() -> None:
    waits = ladder(results({("a",): 1.95}, 0.95, cpu={"private": 1.99, "shared": 1.0, "a": 1.99}))
    assert "threads wait for it, as for a lock: 2 use 1.00 CPUs, 1.0 switches a call" in sentence(waits)[1]
    used = {"private": 1.99, "shared": 1.99, "a": 1.99}
    fights = ladder(results({("a",): 1.95}, 0.4, cpu=used))
    assert "they fight for its reference count, or for a cache line" in sentence(fights)[1]
    fights = ladder(results({("a",): 1.95}, 0.4, cpu=used, gil="on"))
    assert sentence(fights)[1].endswith("they fight for a cache line")


def test_the_allocator_is_told_from_counts() -> None:
    """What calls take more is the system's, for pages that it maps."""
    found = ladder(results({("a",): 1.95}, 0.4, cpu={"private": 1.99, "shared": 1.99, "a": 1.99}))
    [rung], used = found.culprits, found.shared.used
    assert used is not None
    assert rung.used is not None
    more = used.cpu_per_call - rung.used.cpu_per_call
    for system, faults, allocator in (
        (0.9 * more, 512.0, True),
        (0.9 * more, 0.0, False),
        (0.1, 512.0, False),
    ):
        pages = replace(used, system_per_call=system, faults=faults)
        said = sentence(replace(found, shared=replace(found.shared, used=pages)))[1]
        assert ("fight for the allocator" in said) is allocator
        assert ("reference count" in said) is not allocator
        assert (
            "90% of what it takes more in the system, with 512 page faults a call instead of 0" in said
        ) is allocator


@pytest.mark.parametrize(
    ("rungs", "only", "wanted"),
    [
        ({("a",): 1.95, ("b",): 0.4}, {("a",): 0.4}, []),  # found
        ({("a",): 0.4}, {}, []),  # shared alone it is what all share
        ({("a",): 0.4, ("b",): 0.5}, {}, ["only-a", "only-b"]),
        ({("a",): 0.4, ("b",): 0.5, ("c",): 0.4}, {("a",): 0.4}, ["only-b", "only-c"]),
        (
            {("a",): 0.4, ("b",): 0.5, ("c",): 0.4},
            {("a",): 0.4, ("b",): 0.4, ("c",): 1.95},
            ["private-a+b"],
        ),
        ({("a",): 0.4, ("b",): 0.5}, {("a",): 0.4, ("b",): 1.95}, []),  # not `a` alone: something else
        ({("a",): 1.95, ("b",): 1.95}, {}, ["only-a", "only-b"]),
    ],
)
def test_what_is_tried_next(rungs: dict[Names, float], only: dict[Names, float], wanted: list[str]) -> None:
    assert [rung.variant for rung in to_try(ladder(results(rungs, only=only)))] == wanted


def test_who_leads_to_another_is_not_tried_beside_it() -> None:
    rungs = {("cache",): 0.4, ("look",): 0.4, ("b",): 0.4}
    only = {("cache",): 0.4, ("look",): 0.4, ("b",): 0.4}
    found = ladder(results(rungs, paths={("cache",): ("look",)}, only=only))
    assert [rung.names for rung in to_try(found)] == [("cache", "b")]


def test_a_lock_is_not_to_be_multiplied() -> None:
    """One for each thread would guard nothing any more."""
    told = Comparison(results({("lock",): 1.95}, kinds={"lock": "_thread.lock"}).suite)
    advice = "hold `lock` (_thread.lock) for less, or guard each thread's data by its own"
    assert advice in told.verdict.advice
    text = " ".join(plain(told).split())
    assert advice in text
    assert "of its own" not in text
    assert "give each its own" not in text


def test_the_verdict_names_what_is_shared() -> None:
    scales = Comparison(results({("cache",): 1.95}).suite)
    assert "where they share `cache` (dict)" in scales.verdict.why
    assert "each with a `cache` (dict) of its own" in plain(scales)


@pytest.mark.parametrize(("own", "cpu", "cause"), [(1.6, 1.6, Cause.LOCK), (1.5, 1.98, Cause.SHARED)])
def test_what_stops_threads_that_share_all_does_not_explain_those_that_share_nothing(
    own: float, cpu: float, cause: Cause
) -> None:
    """They have it for themselves, and stop all the same: for that nobody was looked for."""
    used = {"private": cpu, "shared": 1.98, "cache": cpu}
    rungs, only = {("cache",): own, ("b",): 0.8}, {("cache",): 0.8}
    told = Comparison(results(rungs, 0.8, own, cpu=used, only=only, processes=1.98).suite)
    assert told.ladder is not None
    assert culprits(told.ladder) == [("cache",)]
    assert told.verdict.cause is cause
    assert "cache" not in told.verdict.why + told.verdict.advice
    [note] = told.verdict.notes
    assert note.startswith("threads that share `cache` (dict) reach 0.80×")
    assert note.endswith("; threads with their own stop for another reason")
    assert "; with all of SETUP they stop, for another reason" in plain(told).replace("\n", " ")


def test_what_threads_share_that_each_ran_setup_is_in_the_verdict() -> None:
    used = {"private": 1.98, "shared": 1.98, "random.random": 1.98}
    rungs, only = {("random.random",): 1.95, ("b",): 0.8}, {("random.random",): 0.8}
    verdict = Comparison(results(rungs, 0.8, 0.8, cpu=used, only=only, processes=1.98).suite).verdict
    assert "`random.random` (dict) is shared: 0.80× → 1.95× with one for each thread" in verdict.why
    assert verdict.advice.startswith("give every thread a `random.random` (dict) of its own")
    assert verdict.notes == ()


@pytest.mark.parametrize("only", [False, True])
def test_a_case_on_the_ladder_is_relative_to_one_worker_of_the_statement(only: bool) -> None:
    variant = Rung(("a", "b"), only=only).variant
    assert Case("s", variant, "threads", 4).baseline == Case("s", "function", "threads", 1)


LOCKED = ["-s", "import threading, time; lock = threading.Lock(); data = [1]"]
WAITS = "with lock: data; time.sleep(0.002)"


@pytest.mark.usefixtures("hasty")
def test_a_ladder_is_measured_shown_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "ladder.json"
    options = ["--ladder", "--rounds", "2", "--workers", "2", "-o", str(path)]
    done = answered("timeit", *options, *LOCKED, WAITS)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    for row in ("all of SETUP", "nothing", "`lock` (_thread.lock)", "`data` (list)"):
        assert row in done.stdout
    assert answered("show", str(path)).stdout == done.stdout
    told = json.loads(answered("show", "--json", str(path)).stdout)
    assert told["ladder"]["found"] == "not decided"  # of two rounds
    assert [rung["names"] for rung in told["ladder"]["rungs"]] == [["data"], ["lock"]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sum(range(9))"], "SETUP makes nothing that the statement uses"),
        (["-s", "a = []", "a", "--against", "len(a)"], "against and ladder exclude one another"),
        (["-s", "a = []", "a", "--workers", "1"], "a ladder needs 2 workers or more"),
    ],
)
def test_a_ladder_without_rungs_is_refused(words: list[str], message: str) -> None:
    refused(answered("timeit", "--ladder", *words), message)


def test_machines_get_the_ladder() -> None:
    told = Comparison(results({("cache",): 1.95}).suite).to_dict()
    assert untold(told) == []
    assert [culprit["names"] for culprit in told["ladder"]["culprits"]] == [["cache"]]
    page = TEXTS["docs/reference/output.md"]
    for key in ("found", "culprits", "says", "private", "shared", "rungs", "untried"):
        assert key in told["ladder"]
        assert f"`{key}`" in page


def test_a_ladder_is_for_threads() -> None:
    with pytest.raises(ValueError, match="a ladder is for threads"):
        gilkit.timeit("a", "a = []", ladder=True, executors=["processes"])


def test_a_ladder_is_drawn_rung_by_rung() -> None:
    pytest.importorskip("altair")
    from gilkit.studies.compare.ladder_chart import ladder_rows

    drawn = ladder_rows(ladder(results({("cache",): 1.95})))
    assert [(row["rung"], row["what"]) for row in drawn] == [
        ("all of SETUP", "threads"),
        ("nothing", "shared"),
        ("`cache` (dict)", "shared"),
    ]
    assert [row["figure"] for row in drawn] == [pytest.approx(figure) for figure in (1.96, 0.4, 1.95)]
    found = results({("cache",): 1.95})
    assert "each thread has its own" in json.dumps(Comparison(found.suite).plot().to_dict())
