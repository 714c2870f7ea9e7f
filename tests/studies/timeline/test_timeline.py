"""`gilkit timeline`: captured for real, and read back from the trace."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from itertools import product
from pathlib import Path
from subprocess import CompletedProcess

import psutil
import pytest
from command import answered, interrupted, leaving_nothing, refused, seen, started
from quiet import NO_GIL_SEEN, needs_gil_seen
from several import gilkit_each
from studies.timeline.traces import named, traced
from traceformat import checked

import gilkit as package
from gilkit.errors import NothingMeasuredError, ResultsError, UnsavedError
from gilkit.results.case import Case
from gilkit.results.facts import machine_facts
from gilkit.studies.timeline import capture
from gilkit.studies.timeline.assemble import assembled
from gilkit.studies.timeline.capture import Plan, _here, stamped
from gilkit.studies.timeline.study import Timeline
from gilkit.workloads.workload import KernelCall

pytestmark = pytest.mark.usefixtures("hasty")
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@needs_gil_seen
@pytest.mark.parametrize("variant", ["gil", "python"])
def test_threads_that_hold_the_gil_run_only_while_they_hold_it(variant: str, tmp_path: Path) -> None:
    # Whatever the machine does meanwhile: a thread of such calls takes no CPU time but with the GIL. What its
    # holds do not cover was unseen, or lies between two samples, which are at most 3 intervals apart else.
    notes, found = traced(tmp_path / "t.json", "lcg", "--variant", variant, "--workers", "3")
    [lock] = named(found, "GIL")  # checked: no two of its slices overlap
    calls = named(found, "thread")
    assert len(calls) == 3
    length = max(call["ts"] + call["dur"] for track in calls for call in track)
    slack = notes["gil_unseen_share"] * length + 3e6 * notes["gil_sample_interval"] * (len(lock) + 1)
    for index, track in enumerate(calls, 1):
        cpu = sum(call["args"]["cpu_us"] for call in track)
        held = sum(hold["dur"] for hold in lock if hold["name"] == f"thread {index}")
        assert cpu > 0
        assert cpu <= 1.1 * held + slack + 2000  # the tenth and 2 ms: taking and handing over


def test_the_picture() -> None:
    done = answered("timeline", "lcg", "--variant", "gil", "--workers", "3")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    lanes = re.findall(r"^thread \d │([^│]+)│", done.stdout, re.M)
    assert len(lanes) == 3
    assert all(set(lane) <= set("█▒·? ") for lane in lanes)
    assert re.search(r"^lcg\.gil: \d+ calls on each of 3 threads, \S+ \w+$", done.stdout, re.M)
    assert "waits, for the GIL, a CPU or other things" in done.stdout
    assert "0 ms" in done.stdout
    if NO_GIL_SEEN is None:
        [owners] = re.findall(r"^GIL of +│([^│]+)│$", done.stdout, re.M)
        assert len(owners) == len(lanes[0])
        assert set(owners) <= set("123+? ")


def test_a_statement(tmp_path: Path) -> None:
    setup = ["-s", "import zlib", "-s", "b = bytes(10**5)"]
    notes, found = traced(tmp_path / "t.json", *setup, "zlib.compress(b)", "--workers", "2", "--calls", "3")
    assert [len(track) for track in named(found, "thread")] == [3, 3]
    assert {call["name"] for track in named(found, "thread") for call in track} == {"zlib.compress(b)"}
    assert notes["calls_in_a_slice"] == 1


def test_short_calls_share_a_slice(tmp_path: Path) -> None:
    notes, found = traced(tmp_path / "t.json", "sum(range(10))", "--workers", "2")
    assert notes["calls_in_a_slice"] > 1
    assert all(4 <= len(track) < 1000 for track in named(found, "thread"))
    assert f"× {notes['calls_in_a_slice']:,}" in named(found, "thread")[0][0]["name"]


def test_serial_is_one_lane(tmp_path: Path) -> None:
    _, found = traced(
        tmp_path / "t.json", "objects", "--executor", "serial", "--size", "2000", "--calls", "4"
    )
    assert [len(track) for track in named(found, "serial")] == [4]
    assert {call["name"] for call in named(found, "serial")[0]} == {"objects.gil"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "unknown kernel 'nope': known are lcg, "),
        (["lcg", "--variant", "fast"], "unknown variant 'fast': known are python, gil, nogil"),
        (["lcg", "--variant", "native"], "unknown variant 'native': known are python, gil, nogil"),
        (["objects", "--variant", "nogil"], "objects has no nogil version: "),
        (["lcg", "--executor", "gpu"], "unknown executor 'gpu': known are serial, threads, processes"),
        (["lcg", "--executor", "openmp"], "unknown executor 'openmp'"),
        (["lcg", "--workers", "0"], "--workers"),
        (["lcg", "--workers", "33"], "workers must be at most 32 on threads, not 33"),
        (["lcg", "--workers", "2", "--executor", "serial"], "workers must be at most 1 on serial, not 2"),
        (["lcg", "--calls", "0"], "--calls"),
        (["lcg", "--calls", "10001"], "calls must be at most 10000, not 10001"),
        (["lcg", "--size", "-1"], "--size"),
        (["lcg", "--size", "99999999999999999999"], "is too large"),
        (["triad", "--size", "1000000000000"], "GB are free: choose a smaller size or fewer workers"),
        (["lcg", "--timeout", "0"], "--timeout"),
        (["x = 1", "--variant", "gil"], "variant and size are for kernels, not for a statement"),
        (["lcg", "triad"], "one kernel at a time, not 2: lcg, triad"),
        (["foo bar"], "the statement is not Python: invalid syntax, line 1: foo bar"),
        (["-s", "x =", "x"], "SETUP is not Python"),
        ([], "Missing argument 'KERNEL | STMT...'"),
        (["lcg", "-o", "/nowhere/t.json"], "cannot write to /nowhere/t.json: No such file or directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(answered("timeline", *arguments), message)


FAILING = {
    ("1/0",): "failed: ZeroDivisionError: division by zero",
    ("-s", "1/0", "pass"): "SETUP fails: ZeroDivisionError",
    ("import os; os._exit(5)",): "a worker process exited with status 5",
    ("while True: pass", "--timeout", "0.5"): "no answer within 0.5 s: killed",
}
RUN_BY = ("threads", "processes")


@pytest.fixture(scope="module")
def failed() -> dict[tuple[tuple[str, ...], str], CompletedProcess[str]]:
    """What is said of each statement on each executor."""
    cases = list(product(FAILING, RUN_BY))
    lines = (["timeline", *words, "--executor", executor, "--workers", "2"] for words, executor in cases)
    return dict(zip(cases, gilkit_each(*lines), strict=True))


@pytest.mark.parametrize("executor", RUN_BY)
@pytest.mark.parametrize(("arguments", "answer"), FAILING.items())
def test_a_statement_that_fails_is_one_clear_answer(
    arguments: tuple[str, ...],
    answer: str,
    executor: str,
    failed: dict[tuple[tuple[str, ...], str], CompletedProcess[str]],
) -> None:
    done = failed[arguments, executor]
    assert done.returncode == 1
    assert done.stderr == "gilkit: nothing was measured\n"
    assert answer in done.stdout
    assert len(done.stdout.splitlines()) <= 2


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    assert answered("timeline", "1/0", "-o", str(tmp_path / "t.json")).returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_from_python(tmp_path: Path) -> None:
    found = package.timeline("sleep", workers=2, calls=2)
    assert isinstance(found, Timeline)
    assert len(found.spans) == 4
    assert {span.worker for span in found.spans} == {0, 1}
    assert all(span.start < span.end and span.cpu >= 0 for span in found.spans)
    assert max(span.end for span in found.spans) < time.perf_counter()  # the same clock, here and there
    assert max((hold.end for hold in found.holds), default=0.0) < time.perf_counter()
    assert "sleep.nogil: 2 calls on each of 2 threads" in repr(found)
    found.save(tmp_path / "t.json")
    checked(json.loads((tmp_path / "t.json").read_text("utf-8")))
    with pytest.raises(ResultsError, match="cannot write to"):
        found.save(tmp_path / "nowhere" / "t.json")
    with pytest.raises(TypeError, match="give a kernel or a statement"):
        package.timeline()
    with pytest.raises(ValueError, match="one kernel at a time"):
        package.timeline(["lcg", "sleep"])  # type: ignore[arg-type]
    with pytest.raises(NothingMeasuredError, match="ZeroDivisionError"):
        package.timeline(stmt="1/0", workers=2)


@POSIX
def test_what_cannot_be_written_in_the_end_is_still_shown(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    steps = iter([lambda: None, lambda: None, folder.rmdir])
    with pytest.raises(UnsavedError, match="cannot write to") as caught:
        package.timeline("sleep", workers=2, output=folder / "t.json", progress=lambda _: next(steps)())
    assert "sleep.nogil" in repr(caught.value.outcome)


@pytest.mark.parametrize("why", ["this interpreter runs without a GIL", "its headers do not fit"])
def test_where_the_gil_cannot_be_watched_the_lanes_stay(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "gil_missing", lambda: why)
    plan = Plan(slices=3, loops=1, exact=False)
    found = _here("threads", KernelCall("lcg", "nogil", 1000), 2, plan, 2, 60.0)
    case = Case("lcg", "nogil", "threads", 2)
    shown = Timeline(assembled(case, plan, found, 0.0, machine_facts()))
    assert f"who has the GIL is not shown: {why}" in repr(shown)
    assert len(re.findall(r"^thread \d │", repr(shown), re.M)) == 2
    assert "█" not in repr(shown)
    assert len(shown.spans) == 6
    assert shown.holds == ()


def test_stamps_are_taken_around_every_slice() -> None:
    walls, cpus = iter([1.0, 2.0, 4.0]), iter([0.1, 0.2, 0.3])
    made = stamped(
        KernelCall("lcg", "gil", 10),
        Plan(slices=2, loops=3, exact=False),
        time.perf_counter() + 0.5,
        0,
        clock=lambda: next(walls),
        cpu=lambda: next(cpus),
    )
    assert made is not None
    assert made.stamps == [(1.0, 0.1), (2.0, 0.2), (4.0, 0.3)]
    assert made.pid == os.getpid()
    assert stamped(KernelCall("lcg", "gil", 10), Plan(2, 3, exact=False), 0.0, 0) is None  # too late


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@POSIX
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_an_interrupt_ends_it_and_every_process(executor: str, tmp_path: Path, short_folder: Path) -> None:
    calls = short_folder / "calls"
    statement = f"import time; open({str(calls)!r}, 'a').close(); time.sleep(1)"
    arguments = ["timeline", statement, "--calls", "100", "--timeout", "100"]
    arguments += ["--executor", executor, "-o", str(tmp_path / "t.json")]
    with leaving_nothing(), started(*arguments) as process:
        assert seen(calls.exists)  # amid a call
        assert len(children(process)) >= 3  # helpers, and the host
        stdout, stderr = interrupted(process)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert stderr.splitlines()[-1] == "gilkit: interrupted: nothing was measured"
    assert list(tmp_path.iterdir()) == []
