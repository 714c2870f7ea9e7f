"""Results of several runs side by side: what differs is marked, and what is not the same work is refused."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from command import answered, refused
from pages import untold
from pictures import need_pictures

import gilkit as package
from gilkit.display.tables import plain
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.facts import Metadata
from gilkit.results.file import build, save
from gilkit.studies.compare.budget import targets
from gilkit.studies.compare.comparison import Comparison

OLD = Path(__file__).parents[1] / "results" / "old_files"


def kept(
    path: Path,
    threads: float,
    stmt: str = "work()",
    setup: str = "pass",
    rounds: int = 8,
    sets: int = 3,
    **known: str | int,
) -> str:
    """Results of a statement whose threads do so much."""
    chance = random.Random(path.name)
    own: Metadata = {**facts.STATEMENT.entry(stmt), **facts.SETUP.entry(setup), **known}
    if sets > 1:
        own |= facts.GENERATIONS.entry(targets(rounds, sets)[:-1])
    records = []
    for (executor, workers), does in {
        ("threads", 1): 1.0, ("threads", 2): threads, ("processes", 1): 1.0, ("processes", 2): 1.97,
    }.items():  # fmt: skip
        values = [1e-2 * workers / does / chance.gauss(1.0, 0.01) for _ in range(rounds)]
        records.append(Record(Case(stmt, "function", executor, workers), values, dict(own)))
    save(build(records, {**facts.INTERPRETER.entry("CPython 3.x"), **facts.CPUS.entry(2)}, {}), path)
    return str(path)


def test_what_differs_is_marked_and_said(tmp_path: Path) -> None:
    files = [kept(tmp_path / "a.json", 1.0), kept(tmp_path / "b.json", 1.9), kept(tmp_path / "c.json", 1.0)]
    done = answered("show", *files)
    assert done.returncode == 0, done.stderr
    threads = next(line for line in done.stdout.splitlines() if line.startswith("threads at 2"))
    assert threads.count("≠") == 1
    assert "≠1.9" in threads.split()[4]
    assert done.stdout.splitlines()[-1].startswith("1 of 2 differ: threads at 2 ")
    assert package.side_by_side(files).differences == {"work()/function/threads/2": ["B"]}


def test_what_is_the_same_is_said_to_be(tmp_path: Path) -> None:
    files = [kept(tmp_path / "a.json", 1.0), kept(tmp_path / "b.json", 1.0)]
    assert answered("show", *files).stdout.splitlines()[-1].startswith("no difference found: ")


def test_few_rounds_decide_nothing(tmp_path: Path) -> None:
    files = [kept(tmp_path / "a.json", 1.0, rounds=3), kept(tmp_path / "b.json", 1.9, rounds=3)]
    assert answered("show", *files).stdout.splitlines()[-1].startswith("not decided: ")


def test_one_set_of_processes_decides_nothing(tmp_path: Path) -> None:
    """Nobody knows by how much another one would differ."""
    files = [kept(tmp_path / "a.json", 1.0), kept(tmp_path / "b.json", 1.9, sets=1)]
    assert answered("show", *files).stdout.splitlines()[-1].startswith("not decided: ")


def measured(seed: int, kernels: int, of_set: float, threads: float = 1.9) -> Comparison:
    """Results of so many kernels, in sets of processes that differ by so much."""
    chance, records = random.Random(seed), []
    starts = [0, *targets(8)[:-1]]
    for kernel in range(kernels):
        for executor, does in (("threads", threads), ("processes", 1.97)):
            sets = [chance.gauss(1.0, of_set) for _ in starts]
            for workers, speedup in ((1, 1.0), (2, does)):
                values = []
                for round_ in range(8):
                    own = sets[sum(round_ >= start for start in starts) - 1] if workers > 1 else 1.0
                    values.append(1e-2 * workers / speedup / own / chance.gauss(1.0, 0.005))
                known = {**facts.GENERATIONS.entry(starts[1:]), **facts.SIZE.entry(1)}
                records.append(Record(Case(f"k{kernel}", "nogil", executor, workers), values, known))
    return Comparison(build(records, {**facts.CPUS.entry(2)}, {}))


@pytest.mark.parametrize("of_set", [0.01, 0.02, 0.1])
@pytest.mark.parametrize(("kernels", "runs"), [(1, 300), (12, 40)])
def test_the_same_twice_does_not_differ(kernels: int, runs: int, of_set: float) -> None:
    """However many figures are compared: of a hundred such tables one has a false alarm, or fewer."""
    alarms = 0
    for seed in range(runs):
        both = [measured(2 * seed + other, kernels, of_set) for other in range(2)]
        alarms += bool(package.side_by_side(both).differences)
    assert alarms <= (4 if runs > 100 else 2)


def test_a_difference_of_some_percent_is_found() -> None:
    both = [measured(1, 1, 0.003), measured(2, 1, 0.003, threads=1.7)]
    assert package.side_by_side(both).differences == {"k0/nogil/threads/2": ["B"]}


def test_machines_get_the_same(tmp_path: Path) -> None:
    files = [kept(tmp_path / "a.json", 1.0), kept(tmp_path / "b.json", 1.9)]
    told = json.loads(answered("show", *files, "--json").stdout)
    assert told["kind"] == "side-by-side"
    assert untold(told) == []
    assert [row["differs"] for row in told["cases"]] == [False, True, False, False]
    assert len(answered("show", *files, "--csv").stdout.splitlines()) == 5
    found = package.side_by_side([package.load(file) for file in files])
    assert [row["speedup"] for row in found.rows()] == [row["speedup"] for row in told["cases"]]


@pytest.mark.parametrize("width", [60, 80])
def test_it_fits(width: int, tmp_path: Path) -> None:
    files = [kept(tmp_path / f"{name}.json", 1.9) for name in "abcdefgh"]
    assert max(map(len, plain(package.side_by_side(files), width).splitlines())) <= width


def test_what_is_not_the_same_work_is_refused(tmp_path: Path) -> None:
    usual = kept(tmp_path / "a.json", 1.0)
    other = kept(tmp_path / "b.json", 1.0, stmt="rest()")
    refused(answered("show", usual, other), "not the same work: a.json has work(), and b.json has rest()")
    other = kept(tmp_path / "b.json", 1.0, setup="import x")
    refused(answered("show", usual, other), "not the same work: b.json has another SETUP")
    other = kept(tmp_path / "b.json", 1.0, **facts.SIZE.entry(5))  # type: ignore[arg-type]
    refused(
        answered("show", usual, other), "not the same work: work() is of size None in a.json, 5 in b.json"
    )
    refused(answered("show", usual, str(OLD / "costs.json")), "costs.json is of gilkit costs")
    refused(answered("show", usual, str(OLD / "timeit.json")), "was measured by an earlier gilkit")
    need_pictures()
    refused(
        answered("show", usual, other, "--plot", str(tmp_path / "x.svg")), "--plot draws one file at a time"
    )


def test_one_alone_and_odd_things_are_refused(tmp_path: Path) -> None:
    usual = kept(tmp_path / "a.json", 1.0)
    with pytest.raises(ValueError, match="side by side stand from two to 26 results, not 1"):
        package.side_by_side([usual])
    with pytest.raises(TypeError, match="must be a list"):
        package.side_by_side(usual)


def called(tmp_path: Path, name: str, *args: object) -> str:
    path = str(tmp_path / name)
    package.compare(len, *args, rounds=1, workers=2, executors=["threads"], output=path)
    return path


@pytest.mark.usefixtures("hasty")
def test_calls_of_a_function_with_other_arguments_are_refused(tmp_path: Path) -> None:
    first = called(tmp_path, "a.json", {"x", "y"})
    assert answered("show", first, called(tmp_path, "b.json", {"y", "x"})).returncode == 0
    other = called(tmp_path, "c.json", {"x"})
    refused(answered("show", first, other), "not the same work: len has other arguments in c.json")


@pytest.mark.usefixtures("hasty")
def test_kernels_on_other_files_are_refused(tmp_path: Path) -> None:
    files = []
    for name, data in (("a", b"x" * 99), ("b", b"y" * 99), ("c", b"x" * 99)):
        (tmp_path / f"{name}.bin").write_bytes(data)
        files.append(str(tmp_path / f"{name}.json"))
        package.compare(
            "crc32", input=tmp_path / f"{name}.bin", rounds=1, workers=2, executors=["threads"],
            variants=["nogil"], output=files[-1],
        )  # fmt: skip
    assert answered("show", files[0], files[2]).returncode == 0
    refused(answered("show", *files[:2]), "not the same work: crc32 has other input in b.json")


def test_who_does_not_tell_its_arguments_is_refused() -> None:
    """Nobody knows whether it is the same work."""

    def outcome(*known: Metadata) -> list[Comparison]:
        cases = [Case("f", "function", "threads", workers) for workers in (1, 2)]
        return [
            Comparison(
                build([Record(case, [1.0] * 8, dict(each)) for case in cases], facts.CPUS.entry(2), {})
            )
            for each in known
        ]

    told = facts.ARGUMENTS.entry("0")
    assert package.side_by_side(outcome(told, told)).differences == {}
    for known, name in (((told, {}), "results B"), (({}, told), "results A"), (({}, {}), "results A")):
        with pytest.raises(ValueError, match=f"{name} does not tell its arguments"):
            package.side_by_side(outcome(*known))


def test_every_pair_is_of_the_same_work() -> None:
    """The first one has nothing that the others have differently."""

    def outcome(size: int | None, kernels: str) -> Comparison:
        known = {} if size is None else facts.SIZE.entry(size)
        records = [
            Record(Case(kernel, "nogil", "threads", workers), [1.0] * 8, dict(known if kernel == "b" else {}))
            for kernel in kernels
            for workers in (1, 2)
        ]
        return Comparison(build(records, facts.CPUS.entry(2), {}))

    with pytest.raises(ValueError, match="b is of size 1 in results B, 2 in results C"):
        package.side_by_side([outcome(None, "a"), outcome(1, "ab"), outcome(2, "ab")])
