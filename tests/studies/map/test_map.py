"""`gilkit map`: what it finds on made-up machines of 2 to 512 CPUs, and short runs of the real thing."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import answered, interrupted, leaving_nothing, refused, seen, started
from command import gilkit as gilkit_command
from hasty import HURRIED
from quiet import needs_gil
from studies.map.pretended import Pretended
from studies.map.sent import (
    Scales,
    UnloadableError,
    dies_elsewhere,
    double,
    hangs_elsewhere,
    locked,
    raises_unloadable_elsewhere,
    says_broken_elsewhere,
    unloadable,
)

import gilkit
from gilkit import machine
from gilkit.display.tables import plain
from gilkit.engine.executors import EXECUTORS
from gilkit.errors import NothingMeasuredError
from gilkit.studies.map import driver, keeping, waiters
from gilkit.studies.map.engine import LabEngine
from gilkit.studies.map.figures import task_cost
from gilkit.studies.map.job import ObjectJob, for_workers
from gilkit.studies.map.names import MAP_EXECUTORS, Way, way
from gilkit.studies.map.plan import spread
from gilkit.studies.map.verdict import Paying

SHORT = ("--budget", "0.1", "--rounds", "2", "--timeout", "30")
SETUP = "def f(x):\n    return sum(range(x))"
WAITS_WHEN_SAVED = (  # with its pools
    HURRIED + "import time; from gilkit.studies.map.course import Course; from gilkit.cli.main import main; "
    "Course._best = lambda *_: (print('waits', flush=True), time.sleep(600)); main()"
)
HERE = [name for name, kind in MAP_EXECUTORS.items() if not kind.missing()]
ELSEWHERE = [name for name in HERE if EXECUTORS[name].elsewhere]
APART = [name for name in HERE if EXECUTORS[name].apart]

pytestmark = [pytest.mark.usefixtures("hasty"), pytest.mark.long]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "load_by_others", lambda _=0.0: 0.0)


@needs_gil
@pytest.mark.parametrize("cpus", [2, 8, 64, 512])
def test_a_function_that_holds_the_gil_wants_processes_on_any_number_of_cpus(cpus: int) -> None:
    made = Pretended([2e-3] * 1500 * cpus, cpus, processes=min(1e-4, 2e-4 / cpus))
    found = made.outcome(budget=max(30.0, cpus / 2))  # so that there are items for all workers
    best = found.answer.best
    assert found.answer.paying is Paying.POOL
    assert best is not None
    assert best.way.executor == "processes"
    assert best.way.workers in (cpus, cpus // 2)  # a sample of a few items for each decides little
    assert 2 <= best.way.chunk <= 200
    assert best.speedup > 0.45 * cpus
    assert "it holds the GIL for 100% of its time" in " ".join(plain(found).split())
    assert made.now < 1.5 * max(30.0, cpus / 2)


@pytest.mark.parametrize("cpus", [2, 512])
def test_tiny_items_pay_in_no_pool_and_it_is_told_what_a_task_costs(cpus: int) -> None:
    found = Pretended([5e-8] * 3000, cpus).outcome()
    assert found.answer.paying is Paying.LOOP
    assert len(found.chunk_sizes) >= (5 if cpus == 2 else 2)
    costs = task_cost(found.results)
    assert costs["threads"][0] == pytest.approx(15e-6, rel=0.05)
    assert costs["processes"][0] == pytest.approx(1e-4, rel=0.05)
    assert found.line == "[f(item) for item in items]"
    assert f"no pool pays: {found.line}" in plain(found)
    assert " ".join(plain(found).split()).count("a task on processes") == 1


def test_what_releases_the_gil_wants_threads_as_they_start_sooner() -> None:
    found = Pretended([20e-3] * 100, held=0.01).outcome()
    assert found.line == "ThreadPoolExecutor(2).map(f, items)"


def test_waits_want_many_more_threads_than_cpus() -> None:
    found = Pretended([20e-3] * 400, held=0.0, waits=True).outcome()
    assert found.answer.best is not None
    assert found.answer.best.way.executor == "threads"
    assert found.answer.best.way.workers >= 32
    assert found.answer.best.speedup > 20


@pytest.mark.parametrize(("seconds", "budget"), [(0.1, 30.0), (0.3, 30.0), (1.0, 120.0)])
def test_long_waits_want_many_threads_too(seconds: float, budget: float) -> None:
    made = Pretended([seconds] * 400, held=0.0, waits=True)
    found = made.outcome(budget=budget)
    assert found.answer.paying is Paying.POOL
    assert found.answer.best is not None
    assert found.answer.best.way.executor == "threads"
    assert found.answer.best.way.workers >= 16
    assert made.now < 1.5 * budget


def test_the_tail_is_named_and_chunk_size_1_is_advised() -> None:
    items = [0.2 if place % 100 == 50 else 0.002 for place in range(800)]
    found = Pretended(items).outcome()
    assert found.line == "ProcessPoolExecutor(2).map(f, items)"
    text = " ".join(plain(found).split())
    assert "uneven items: 1 % of the items take" in text
    assert "100 times the median" in text
    assert "chunk size 1" in text
    assert "800 items, once" in text
    assert "fewer than" not in text  # of no figure in the tables


def test_it_says_from_how_many_items_on_it_pays_only_where_that_was_measured() -> None:
    found = Pretended([2e-3] * 1000, start=0.2).outcome()
    pays = found.answer.pays_from
    assert pays is not None
    assert pays.speedup.low > 1
    assert 0.3 < pays.way.count * 1e-3 / 0.24 < 3  # it gains 1 ms an item, and starts in 0.24 s
    assert f"pays from {pays.way.count} items on" in " ".join(plain(found).split())
    assert found.answer.whole is not None
    assert found.answer.whole.way.count == 1000
    short = Pretended([2e-3] * 1000, start=0.2).outcome(budget=3.0)
    assert short.answer.pays_from is None
    assert "pays from" not in plain(short)


def test_a_pool_whose_start_takes_longer_than_it_saves_does_not_pay() -> None:
    found = Pretended([2e-3] * 60, start=0.5).outcome()
    assert found.answer.paying is Paying.LOOP
    assert "60 items do not make up for" in " ".join(plain(found).split())


def test_what_too_few_rounds_say_is_not_decided() -> None:
    found = Pretended([2e-3] * 300).outcome(rounds=2)
    assert found.answer.paying is Paying.OPEN
    assert f"not decided\nbest so far: {found.line}" in plain(found)
    assert found.line is not None
    assert found.line.startswith("ProcessPoolExecutor(2)")
    tiny = Pretended([5e-8] * 300).outcome(rounds=2)
    assert tiny.answer.paying is Paying.OPEN
    assert tiny.line == "[f(item) for item in items]"
    assert f"best so far: {tiny.line}: " in plain(tiny)


def test_a_pool_that_fails_is_a_line_and_the_rest_stands() -> None:
    found = Pretended([2e-3] * 500, broken={"processes": "the function cannot be pickled"}).outcome()
    text = plain(found)
    assert "failed processes at 2: the function cannot be pickled" in text
    assert "threads" in text
    assert found.failures


def test_items_that_fail_are_told_and_results_that_differ_are_no_failure() -> None:
    made = Pretended([2e-3] * 500, failed={3: "ValueError: no"}, different={"processes": "item 5: 1, not 2"})
    found = made.outcome()
    text = " ".join(plain(found).split())
    assert "failed item 3: ValueError: no" in text
    assert "results differ from those of the loop: item 5: 1, not 2" in text
    assert not found.failures


@pytest.mark.parametrize("budget", [60.0, 18.0])
def test_an_item_that_was_not_timed_and_fails_is_told_as_such_and_no_pool_fails(budget: float) -> None:
    items = [2e-3] * 3000
    late = list(spread(len(items), len(items)))[-1]
    found = Pretended(items, failed={late: "ValueError: late"}).outcome(budget=budget)
    assert found.answer.paying is Paying.POOL
    assert not found.failures
    assert f"failed item {late}: ValueError: late" in plain(found)
    assert (found.answer.whole is not None) == (budget == 60.0)
    if found.answer.whole is not None:
        assert found.answer.whole.way.count == 2999


def test_a_way_is_found_again_in_its_case() -> None:
    for each in (Way(), Way(count=9), Way("processes", 2, 16), Way("threads", 4, 1, 300)):
        assert way(each.case("a/b-of-3")) == each


def test_workers_run_setup_without_what_only_items_needs() -> None:
    setup = "import os\nbig = list(range(9))\nbase = 3\nfiles = [b for b in big]\ndef f(x): return x + base"
    text = for_workers(setup, "f", "files")
    assert "files" not in text
    assert "big" not in text
    assert "base = 3" in text
    assert "import os" in text


def test_setup_for_workers_has_all_that_it_reads() -> None:
    setup = "files = []\nfiles += [3]\nmore = [4]\ndef f(x): return x"
    names: dict[str, Any] = {}
    exec(for_workers(setup, "f", "files + more"), names)
    assert "f" in names
    assert "more" not in names


def test_it_is_saved_shown_and_told_to_machines(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    Pretended([2e-3] * 1000).outcome().save(path)
    shown = answered("show", str(path))
    assert shown.returncode == 0, shown.stderr
    assert "ProcessPoolExecutor(2).map(f, items" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    document = json.loads(answered("show", str(path), "--json").stdout)
    assert document["kind"] == "map"
    assert document["answer"]["paying"] == "a pool pays"
    assert document["line"].startswith("ProcessPoolExecutor(2)")
    assert {one["way"]["executor"] for one in document["pools"]} == {"threads", "processes"}


def picky(x: int) -> int:
    if x == 5:
        raise ValueError("five")
    if x == 6:
        sys.exit("six")
    return x


calls: list[int] = []


def fails_slowly(x: int) -> int:
    calls.append(x)
    time.sleep(0.002)
    raise OSError("gone")


def appends(x: list[int]) -> int:
    x.append(1)
    return len(x)


def quickly(function: Any, items: Any, **asked: Any) -> gilkit.Mapped:
    return gilkit.map(function, items, **{"budget": 0.1, "rounds": 2, "timeout": 30.0, **asked})


def failed(found: gilkit.Mapped) -> dict[str, str]:
    """Why executors failed."""
    return {case.executor: reason for case, reason in found.results.failures.items()}


def mapped(found: gilkit.Mapped) -> list[str]:
    """The executors that did not fail, in the order in which all are known."""
    return sorted((one.way.executor for one in found.pools), key=HERE.index)


def test_methods_and_generators_are_mapped_on_every_executor() -> None:
    found = quickly(Scales(3).times, (x for x in range(20)), executors=HERE, workers=[1, 2], budget=0.3)
    plain_ones = [name for name in HERE if EXECUTORS[name].plain]  # what this module imports cannot be loaded
    assert list(failed(found)) == plain_ones
    for reason in failed(found).values():
        assert reason.endswith("cannot be imported in an interpreter of its own")
    assert mapped(found) == [name for name in HERE if name not in plain_ones]
    text = " ".join(plain(found).split())
    assert "ITEMS is gone through once, and kept as a list" in text
    assert "results differ" not in text
    assert found.line is not None
    assert "Scales" not in found.line  # nobody can call the method of no object


def within() -> Any:
    def inner(x: int) -> int:
        return x

    return inner


@pytest.mark.parametrize(
    ("function", "items", "name"),
    [
        (double, [7], "double"),
        (within(), [7], "inner"),
        (ord, "7", "ord"),
        (int, [7], "int"),
        (str.upper, "7", "str.upper"),
        (dict.fromkeys, "7", "dict.fromkeys"),
        (lambda x: x, [7], "function"),
        (partial(pow, 3), [7], "function"),
        (Scales(3).times, [7], "function"),
        ("a".startswith, "7", "function"),
    ],
)
def test_the_line_has_the_name_of_a_function_only_where_that_is_what_was_called(
    function: Any, items: Any, name: str
) -> None:
    found = quickly(function, items, executors="threads", workers=1, rounds=1)
    assert found.line == f"[{name}(item) for item in items]"


def endless() -> Iterator[int]:
    while True:
        yield 1


def test_an_endless_generator_is_bounded() -> None:
    found = quickly(double, endless(), executors="threads", workers=2, limit=30)
    assert "it has more than these 30" in plain(found)


def test_a_lambda_is_sent_by_value_or_else_that_is_one_line() -> None:
    by = 3
    found = quickly(lambda x: by * x, range(20), executors=HERE, workers=2)
    cannot = [name for name in ELSEWHERE if not EXECUTORS[name].by_value]
    assert list(failed(found)) == cannot
    for reason in failed(found).values():
        assert reason.startswith("the function cannot be pickled: ")
        assert reason.endswith("; executor loky sends it by value")
    assert mapped(found) == [name for name in HERE if name not in cannot]


def test_a_function_that_nobody_can_send_is_told_without_advice() -> None:
    lock = threading.Lock()
    found = quickly(lambda x: (x, lock.locked()), range(20), executors="processes", workers=2)
    (reason,) = found.failures.values()
    assert reason.startswith("the function cannot be pickled: ")
    assert "loky" not in reason


def test_items_that_cannot_be_sent_are_told() -> None:
    items = [threading.Lock() for _ in range(8)]
    found = quickly(type, items, executors=HERE, workers=2, rounds=1)
    assert list(failed(found)) == ELSEWHERE
    for reason in failed(found).values():
        assert reason.startswith("an item cannot be pickled, number 0 of these: TypeError")


def waits(x: int) -> int:
    if x == 7:
        raise OSError("seven")
    time.sleep(0.02)
    return x


def test_of_calls_that_wait_many_are_made_at_one_time_and_those_that_fail_are_told() -> None:
    job = ObjectJob(waits, range(60))
    try:
        done, failed = waiters.called(job, range(50), workers=16, seconds=60.0)
        assert sorted(done) == [place for place in range(50) if place != 7]
        assert failed == {7: "OSError: seven"}
        assert waiters.called(job, range(60), workers=2, seconds=0.0) == ([], {})
    finally:
        driver.close()


def test_items_that_a_worker_cannot_load_are_told() -> None:
    found = quickly(type, [UnloadableError()] * 8, executors=HERE, workers=2, rounds=1)
    assert list(failed(found)) == ELSEWHERE
    for name, reason in failed(found).items():
        if not EXECUTORS[name].plain:  # what this module imports cannot be loaded there
            assert reason == "a worker cannot load an item: ValueError: not here"


@pytest.mark.parametrize("function", [unloadable, raises_unloadable_elsewhere])
def test_what_comes_back_and_cannot_be_loaded_is_told_and_waited_for_by_nobody(function: Any) -> None:
    begun = time.monotonic()
    found = quickly(function, range(8), executors=APART, workers=2, rounds=1, timeout=200.0)
    assert list(failed(found)) == APART
    for reason in failed(found).values():
        assert reason.endswith(": ValueError: not here")
    assert time.monotonic() < begun + 200


def test_a_result_that_cannot_be_pickled_is_told() -> None:
    found = quickly(locked, range(8), executors=APART, workers=2, rounds=1, timeout=200.0)
    assert list(failed(found)) == APART
    for reason in failed(found).values():
        assert reason.startswith("its result cannot be pickled: TypeError")


def test_a_broken_pool_of_the_functions_own_is_no_worker_that_was_killed() -> None:
    found = quickly(says_broken_elsewhere, range(8), executors="processes", workers=2, rounds=1)
    assert list(found.failures.values()) == ["BrokenExecutor: mine"]


def test_what_a_function_of_the_command_line_raises_on_a_pool_harms_no_other() -> None:
    """Its type is known to nobody but the process that ran SETUP, and workers."""
    setup = (
        "import os\nhere = os.getpid()\nclass OwnError(BaseException): pass\n"
        "class Item:\n    def __init__(self): self.pid = here\n"
        "def f(item):\n    if item.pid != os.getpid(): raise OwnError('mine')"
    )
    done = answered("map", "-s", setup, "f", "[Item()] * 8", *SHORT, "--executor", ",".join(HERE))
    lines = [line for line in done.stdout.splitlines() if line.startswith("failed ")]
    assert [line.replace(" at 1:", " at 2:") for line in lines] == [
        f"failed {name} at 2: OwnError: mine" for name in APART
    ]


class Shelf(Sequence[int]):
    """Whose item 5 is missing."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, place: Any) -> Any:
        if place == 5:
            raise ValueError("missing")
        return place


def test_an_item_that_cannot_be_had_is_told_and_the_others_are_mapped() -> None:
    found = quickly(double, Shelf(), executors="threads", workers=2)
    assert "failed item 5: ValueError: missing" in plain(found)
    assert found.pools


def test_a_function_that_changes_the_list_of_items_changes_no_figure_of_them() -> None:
    items = list(range(20))
    found = quickly(items.append, items, executors="threads", workers=2)
    assert "20 items," in plain(found)
    assert "were timed" not in plain(found)


def test_an_item_that_fails_is_told_and_the_others_are_mapped() -> None:
    found = quickly(picky, range(20), executors="threads", workers=2)
    assert "failed item 5: ValueError: five" in plain(found)
    assert "failed item 6: SystemExit: six" in plain(found)
    assert found.pools


def test_where_all_items_fail_that_is_one_line_and_time_is_kept() -> None:
    calls.clear()
    with pytest.raises(NothingMeasuredError, match=r"all \d+ items that were tried fail: item 0: OSErr"):
        quickly(fails_slowly, range(20_000), executors="threads", workers=2)
    assert len(calls) < 2000
    done = answered("map", "lambda x: 1 / x", "[0]", *SHORT)
    assert done.returncode == 1
    assert done.stdout == "failed: item 0: ZeroDivisionError: division by zero\n"


def test_a_function_that_changes_its_argument_is_found_out() -> None:
    found = quickly(appends, [[] for _ in range(20)], executors="threads", workers=2)
    text = " ".join(plain(found).split())
    assert "it changes its argument" in text
    assert "results were not compared" in text  # another call returns another length, wherever it is made
    assert "results differ" not in text


def unlike(x: int) -> object:
    return object(), x


def test_a_function_that_is_not_deterministic_is_told_and_not_held_against_the_pool() -> None:
    found = quickly(unlike, range(20), executors="threads", workers=2)
    assert "it does not return the same for one item each time" in " ".join(plain(found).split())
    assert "results differ" not in plain(found)
    assert not found.failures


@pytest.mark.parametrize(("items", "chunks"), [([7], None), (range(10**6), 64), ([bytes(10**7)] * 3, None)])
def test_one_item_a_million_and_large_ones(items: Any, chunks: int | None) -> None:
    found = quickly(type, items, executors=["threads", "processes"], workers=2, chunks=chunks, rounds=1)
    assert not found.failures
    assert {one.way.executor for one in found.pools} == {"threads", "processes"}
    assert "results differ" not in plain(found)
    if len(items) == 1:
        assert found.answer.paying is Paying.LOOP
        assert found.line == "[type(item) for item in items]"


def test_a_statement_of_the_command_line_is_found_by_workers(tmp_path: Path) -> None:
    path, asked = str(tmp_path / "map.json"), ("--executor", ",".join(HERE), "--workers", "2")
    done = answered("map", "-s", SETUP, "f", "range(20)", *SHORT, *asked, "-o", path)
    assert done.returncode == 0, done.stderr + done.stdout
    assert mapped(gilkit.load(path)) == HERE
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert answered("show", path).stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("f", "[]"), "there are no items"),
        (("f", "3"), "ITEMS cannot be iterated: it is of type int"),
        (("3", "[3]"), "FUNCTION is no function, but of type int"),
        (("g", "[3]"), "FUNCTION fails: NameError"),
        (("f(", "[3]"), "FUNCTION is no expression of Python"),
        (("f", "(1/0 for _ in 'a')"), "ITEMS fails after 0: ZeroDivisionError"),
        (("f", "range(10**18)"), "ITEMS has more than 1,000,000,000,000"),
        (("f", "range(10**30)"), "ITEMS has more than 1,000,000,000,000"),
        (("f", "[3]", "--executor", "thread"), "did you mean 'threads'"),
        (("f", "[3]", "--chunks", "0"), "is not a list of chunk sizes"),
        (("f", "[3]", "--budget", "-1"), "budget must be from"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    refused(answered("map", "-s", SETUP, *arguments, *(() if "--budget" in arguments else SHORT)), message)


@pytest.mark.parametrize(
    ("function", "timeout", "reason"),
    [
        (dies_elsewhere, 30.0, "a worker exited with status 3"),
        (hangs_elsewhere, 1.0, "no answer within 1 s: killed"),
    ],
)
def test_a_worker_that_dies_or_hangs_is_a_line_and_threads_stand(
    function: Any, timeout: float, reason: str
) -> None:
    found = quickly(function, range(8), executors=["threads", *APART], workers=2, timeout=timeout)
    assert failed(found) == dict.fromkeys(APART, reason)
    assert mapped(found) == ["threads"]


def test_many_items_that_take_longer_than_the_timeout_do_not_hang() -> None:
    lab = SimpleNamespace(call=lambda function, *given: function(*given))
    engine = LabEngine(lab, ObjectJob(time.sleep, [0.1] * 20), timeout=0.5)  # type: ignore[arg-type]
    try:
        engine.timed(0.1, 1, 1)
        assert engine.mapped("threads", 2, 1, range(20)).seconds > 0.5
    finally:
        engine.close()


LIBRARIES = {"loky": "loky", "joblib": "joblib", "joblib-threading": "joblib", "dask": "distributed"}


def test_a_file_that_is_imported_in_the_place_of_a_library_is_named(tmp_path: Path) -> None:
    asked = [name for name in HERE if name in LIBRARIES]
    for name in asked:
        (tmp_path / f"{LIBRARIES[name]}.py").write_text("")
    words = ("map", "-s", SETUP, "f", "range(30)", *SHORT, "--executor", ",".join(asked))
    done = gilkit_command(*words, cwd=tmp_path)
    lines = [" ".join(line.split()) for line in re.split(r"^failed ", done.stdout, flags=re.M)[1:]]
    assert len(lines) == len(asked)
    for name, line in zip(asked, lines, strict=True):
        assert line.startswith(f"{name} at ")
        hidden = tmp_path / f"{LIBRARIES[name]}.py"
        assert f"(found{hidden}:renamethatifitisnotthelibrary)" in line.replace(" ", "")
        assert "did not start: " in line
    assert "Traceback" not in done.stderr


def test_a_function_that_ends_its_process_fails_where_it_is_called_first() -> None:
    done = answered("map", "-s", "import os", "os._exit", "[3, 3]", *SHORT)
    assert done.returncode == 1
    assert "a worker process exited with status 3" in done.stdout


def test_a_script_without_its_guard_is_one_line(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(
        "import gilkit\n\ndef f(x):\n    return x\n\n"
        "print(gilkit.map(f, range(9), budget=0.1, rounds=1, workers=2))\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "under if __name__ == '__main__'" in " ".join(done.stdout.split())


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="POSIX signals")
def test_an_interrupt_keeps_what_was_measured_and_leaves_nothing(tmp_path: Path, short_folder: Path) -> None:
    path, every = tmp_path / "r.json", ",".join(HERE)
    words = ("map", "-s", SETUP, "f", "range(20)", *SHORT, "--executor", every, "-o", str(path))
    environment = {**os.environ, "TMPDIR": str(short_folder), "JOBLIB_TEMP_FOLDER": str(short_folder)}
    with leaving_nothing(), started(*words, start=("-c", WAITS_WHEN_SAVED), env=environment) as process:
        assert process.stdout is not None
        assert (
            process.stdout.readline() == "waits\n"
        )  # not amid the saving: an interrupt may be lost in a finalizer
        out, err = interrupted(process)
    assert process.returncode == 130, out + err
    assert "range(20)" in out, err
    assert "Traceback" not in out + err
    assert "leaked" not in err
    assert seen(lambda: not list(short_folder.iterdir()))
    assert mapped(gilkit.load(path)) == HERE


def interrupts(x: int) -> int:
    if keeping._pools and multiprocessing.parent_process() is None:
        signal.raise_signal(signal.SIGINT)
    return x


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="POSIX signals")
def test_an_interrupt_of_a_map_of_objects_ends_its_pools() -> None:
    with pytest.raises(KeyboardInterrupt):
        quickly(interrupts, range(20), executors="processes", workers=2)
    assert not keeping._pools


@pytest.mark.parametrize("name", [name for name, kind in MAP_EXECUTORS.items() if kind.missing()])
def test_an_executor_that_is_not_here_is_refused_by_name_and_told_otherwise(name: str) -> None:
    reason = MAP_EXECUTORS[name].missing()
    refused(answered("map", "str", "[1]", "--executor", name), f"{name} is not available here: {reason}")
    if MAP_EXECUTORS[name].usual:
        made = Pretended([2e-3] * 200).outcome(executors=("threads", name))
        assert f"no {name}: {reason}" in plain(made)


def test_a_file_with_the_name_of_a_module_of_pythons_is_named_where_workers_do_not_start(
    tmp_path: Path,
) -> None:
    (tmp_path / "queue.py").write_text("")
    done = gilkit_command("map", "abs", "range(30)", *SHORT, "--executor", "processes", cwd=tmp_path)
    text = "".join(done.stdout.split())
    assert f"{tmp_path}/queue.pyisfoundbeforePython'sownqueue:renameit" in text
