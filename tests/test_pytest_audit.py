"""``--gil-audit`` and its limits, in suites of their own: calls that surely keep the GIL or let it go."""

from __future__ import annotations

import json
import re
from textwrap import dedent

import pytest
from inner import QUIETLY
from quiet import needs_monitor

from gilkit.gil.monitor import kind_now
from gilkit.gil.share import ATTACHED_SHARE, HELD_SHARE
from gilkit.gil.wording import WORDINGS

pytestmark = [needs_monitor, pytest.mark.long]

pytest_plugins = ["pytester"]

# A hold is 25 times the limit: that is decided on any machine on which anything can be.
PLANTED = """
    import ctypes
    import time
    import pytest

    keep, free = ctypes.PyDLL(None).usleep, ctypes.CDLL(None).usleep

    def planted():
        keep(500_000)  # here

    def test_keeps():
        planted()

    @pytest.mark.gil_longest("3600s")
    def test_may():
        planted()

    def test_lets_go():
        free(100_000)
        time.sleep(0.1)
        until = time.perf_counter() + 0.15
        while time.perf_counter() < until:
            pass

    def test_measures(gil):
        keep(300_000)

    @pytest.fixture
    def slow():
        keep(300_000)  # there

    def test_slow_fixture(slow):
        pass
"""
LIMIT = "gil_longest=20ms"
KIND = kind_now()
KEPT = WORDINGS[KIND].kept  # what it says that a test did


def lines_of(source: str) -> dict[str, int]:
    """The numbers of the lines that are planted, as pytester writes them."""
    lines = dedent(source).strip().splitlines()
    return {word: place for place, line in enumerate(lines, 1) for word in re.findall(r"# (\w+)$", line)}


def section(result: pytest.RunResult, title: str) -> str:
    """The text of a section of the output, in one line; a busy machine may hide what it tells of."""
    lines = result.outlines
    start = next((place for place, line in enumerate(lines) if title in line), None)
    fewer = re.compile(re.escape(title).replace(r"by\ 3\ tests", r"by [12] tests?"))
    if start is None and any(fewer.search(line) for line in lines) and "may have gone unseen" in str(lines):
        pytest.skip("the machine was too busy for the monitor to see all that was planted")
    assert start is not None, result.stdout.str()
    ends = [place for place, line in enumerate(lines) if place > start and line.startswith("===")]
    return " ".join(" ".join(lines[start + 1 : (ends or [len(lines)])[0]]).split())


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_audit_tells_tests_and_calls_and_the_limit_fails_them(
    workers: tuple[str, ...], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    pytester.makepyfile(test_it=PLANTED)
    result = pytester.runpytest_subprocess(*QUIETLY, *workers, "--gil-audit=100ms", "-o", LIMIT)
    result.assert_outcomes(failed=1, passed=4)
    here, there = lines_of(PLANTED)["here"], lines_of(PLANTED)["there"]
    result.stdout.re_match_lines(
        [
            rf"{KEPT} \S+ ms at test_it\.py:{here} planted \(C call\): "
            r"another thread would have waited; the limit is 20 ms"
        ]
    )
    assert "pytest_audit.py" not in result.stdout.str()
    told = section(result, f"gil: {KIND} for 100 ms or more by 3 tests")
    for test, part, line in (
        ("keeps", "call", f"{here} planted"),
        ("may", "call", f"{here} planted"),
        ("slow_fixture", "setup", f"{there} slow"),
    ):
        assert re.search(rf"\S+ ms {part} test_it\.py::test_{test} test_it\.py:{line} \(C call\)", told), told
    calls = told.partition(f"calls of C functions that {WORDINGS[KIND].longest} longest: ")[2]
    assert re.search(rf"ms 2 times, \S+ m?s in all test_it\.py:{here} planted", calls), told
    assert re.search(rf"ms once test_it\.py:{there} slow", calls), told
    assert not re.search("lets_go|measures", told), told
    assert result.stdout.str().count(f"gil: {KIND} for") == 1


OTHER_KIND = """
    import os
    from gilkit.gil.audit import Audit

    if "PYTEST_XDIST_WORKER" in os.environ:
        Audit.kind = "KIND"
"""


@pytest.mark.parametrize("kind", [HELD_SHARE, ATTACHED_SHARE])
def test_words_are_those_of_the_interpreter_that_ran_the_tests(kind: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=PLANTED)
    pytester.makeconftest(OTHER_KIND.replace("KIND", kind))
    result = pytester.runpytest_subprocess(*QUIETLY, "-n", "1", "--gil-audit=100ms", "-o", LIMIT)
    result.stdout.re_match_lines([rf"{WORDINGS[kind].kept} \S+ ms at "])
    told = section(result, f"gil: {kind} for 100 ms or more by 3 tests")
    assert f"calls of C functions that {WORDINGS[kind].longest} longest: " in told


def test_a_baseline_is_recorded_compared_and_updated(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=PLANTED)
    options = (*QUIETLY, "--gil-baseline", "holds.json")
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["gil baseline: the holds of 2 tests recorded in holds.json"])
    file = pytester.path / "holds.json"
    found = json.loads(file.read_text("utf-8"))
    here = lines_of(PLANTED)["here"]
    keeps, may = found["tests"]["test_it.py::test_keeps"], found["tests"].pop("test_it.py::test_may")
    assert keeps["at"] == may["at"] == f"test_it.py:{here} planted (C call)"
    assert keeps["longest"] > 0.1
    keeps["longest"] = 0.021  # it has become worse, and the other is new
    file.write_text(json.dumps(found), "utf-8")
    result = pytester.runpytest_subprocess(*options, "-n", "1")
    result.assert_outcomes(failed=2, passed=3)
    result.stdout.re_match_lines_random(
        [
            rf"{KEPT} .* would have waited; the baseline has 21 ms at test_it.* and allows 42 ms",
            rf"{KEPT} .* would have waited; the baseline knows no hold of it, and allows 20 ms",
        ]
    )
    assert "gil baseline: " not in result.stdout.str()
    assert json.loads(file.read_text("utf-8")) == found
    pytester.runpytest_subprocess(*options, "--gil-baseline-update", "-k", "may").assert_outcomes(
        passed=1, deselected=4
    )
    updated = json.loads(file.read_text("utf-8"))["tests"]
    assert updated["test_it.py::test_keeps"] == keeps
    assert updated["test_it.py::test_may"]["at"] == may["at"]
    pytester.runpytest_subprocess(*options, "-k", "may").assert_outcomes(passed=1, deselected=4)


PARTLY = """
    import ctypes
    import os

    def test_keeps():
        ctypes.PyDLL(None).usleep(100_000)

    def test_fails():
        assert "FAIL" not in os.environ

    def test_crashes():
        if "CRASH" in os.environ:
            os._exit(3)
"""


@pytest.mark.parametrize(
    ("options", "variable", "status", "said"),
    [
        (("--collect-only",), "NONE", 0, "tests were collected only"),
        (("-x",), "FAIL", 1, "not all tests ran to their end"),
        (("--lf",), "NONE", 0, "--lf may leave tests out, and there is no baseline yet"),
        (("--stepwise",), "NONE", 0, "--stepwise may leave tests out, and there is no baseline yet"),
        (("-k", "nothing"), "NONE", 5, "no test ran"),
        (("-n", "1"), "CRASH", 1, "a worker of pytest-xdist crashed"),
        (("--continue-on-collection-errors", "."), "NONE", 1, "not all tests could be collected"),
    ],
)
def test_of_a_part_of_the_tests_nothing_is_recorded(
    options: tuple[str, ...],
    variable: str,
    status: int,
    said: str,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, "1")
    pytester.makepyfile(test_it=PARTLY, test_odd="import no_such_module")
    files = () if "." in options else ("test_it.py",)
    quietly = QUIETLY[2:]  # with the cache
    run = pytester.runpytest_subprocess if "-n" in options else pytester.runpytest_inprocess
    result = run(*quietly, *files, "--gil-baseline", "holds.json", *options)
    assert result.ret == status
    result.stdout.fnmatch_lines([f"gil baseline: nothing recorded: {said}"])
    assert not (pytester.path / "holds.json").exists()


def test_what_others_took_is_no_part_of_a_baseline_and_an_update_lowers_its_threshold(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(
        "from gilkit.gil.audit import Audit, AuditedHold\n"
        "Audit._audited = lambda self, stall: AuditedHold(stall, 0.0123, True)"
    )
    pytester.makepyfile(test_it=PARTLY)
    file = pytester.path / "holds.json"
    file.write_text('{"gil_baseline": 1, "from": 0.02, "tests": {}}')
    options = (*QUIETLY, "--gil-audit=10ms", "--gil-baseline", "holds.json", "-k", "keeps")
    told = pytester.runpytest_subprocess(*options, "--gil-baseline-update").stdout
    told.fnmatch_lines(
        [" 12.3 ms call     test_it.py::test_keeps", "gil baseline: the holds of 1 test recorded*"]
    )
    found = json.loads(file.read_text("utf-8"))
    assert found["from"] == 0.01
    assert found["tests"]["test_it.py::test_keeps"]["longest"] == 0.0123


MARKED = """
    import ctypes
    import pytest

    @pytest.mark.gil_longest(0.02)
    def test_it():
        ctypes.PyDLL(None).usleep(300_000)

    def test_other():
        pass
"""


@pytest.mark.parametrize(
    ("options", "outcome"), [((), {"passed": 2}), (("--gil-strict",), {"passed": 1, "failed": 1})]
)
def test_a_marker_is_enough_and_a_busy_machine_fails_nothing_but_strictly(
    options: tuple[str, ...], outcome: dict[str, int], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(MARKED)
    pytester.makeconftest(
        "from gilkit.gil.audit import Audit\n"
        "Audit.doubt = lambda self, hold, limit: f'others keep {limit:.2f} of 2 CPUs busy'"
    )
    result = pytester.runpytest_subprocess(*QUIETLY, *options)
    result.assert_outcomes(**outcome)
    said = rf"{KEPT} \S+ ms at .*test_it \(C call\); the limit is 20 ms, but the machine was too busy"
    strictly = "not decided, which --gil-strict makes a failure: "
    if options:
        result.stdout.re_match_lines([strictly + said])
    else:
        told = section(result, "gil: 1 test not decided")
        assert re.search(said, told), told
    assert f"gil: {KIND}" not in result.stdout.str()


BREAKING = """
    import ctypes
    import os
    import sys
    import time
    from pathlib import Path
    from gilkit.gil.stalls import Stalls

    keep = ctypes.PyDLL(None).usleep

    def test_leaves_no_folder(tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "path", [*sys.path, Path("where"), None])
        monkeypatch.chdir(tmp_path)
        os.rmdir(tmp_path)
        keep(500_000)  # gone

    def test_patches(monkeypatch):
        monkeypatch.setattr(os.path, "realpath", None)
        keep(500_000)  # patched

    def test_breaks_the_audit(monkeypatch):
        monkeypatch.setattr(Stalls, "settle", None)
        time.sleep(0.1)

    def test_goes_unseen(monkeypatch):
        monkeypatch.setattr(Stalls, "settle", lambda self: False)
        time.sleep(0.1)

    def test_is_too_short_for_the_limit(monkeypatch):
        monkeypatch.setattr(Stalls, "settle", lambda self: False)
"""


@pytest.mark.parametrize(
    ("options", "outcome"),
    [((), {"failed": 2, "passed": 3}), (("-n", "1", "--gil-strict"), {"failed": 4, "passed": 1})],
)
def test_what_a_test_breaks_ends_no_session_and_what_went_unseen_is_not_decided(
    options: tuple[str, ...], outcome: dict[str, int], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_it=BREAKING)
    result = pytester.runpytest_subprocess(*QUIETLY, *options, "-o", LIMIT)
    result.assert_outcomes(**outcome)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = lines_of(BREAKING)
    broken = "what a test did could not be seen: TypeError: 'NoneType' object is not callable"
    late = "the monitor did not tell in time what it saw; the limit is 20 ms"
    result.stdout.re_match_lines_random(
        [
            rf"{KEPT} \S+ ms at test_it\.py:{lines['gone']} test_leaves_no_folder \(C call\)",
            rf"{KEPT} \S+ ms at test_it\.py:{lines['patched']} test_patches \(C call\)",
            "gil: what a test did could not be seen: TypeError",
        ]
    )
    if "--gil-strict" in options:
        said = "not decided, which --gil-strict makes a failure: "
        result.stdout.re_match_lines_random([f"{said}{broken}; the limit", f"{said}{late}"])
    else:
        told = section(result, "gil: 2 tests not decided")
        assert f"test_breaks_the_audit {broken}; the limit is 20 ms" in told
        assert f"test_goes_unseen {late}" in told


def test_where_nothing_can_be_read_no_limit_is_decided(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MARKED)
    pytester.makeconftest(
        "from gilkit.gil import monitor\nmonitor.why_missing = lambda: 'its headers do not fit'"
    )
    result = pytester.runpytest_subprocess(*QUIETLY, "--gil-audit", "--gil-baseline", "holds.json")
    result.assert_outcomes(passed=2)
    told = section(result, f"gil: {KIND} for 20 ms or more by no test")
    assert told == "its headers do not fit gil baseline: nothing recorded: its headers do not fit"
    assert section(result, "gil: 1 test not decided").endswith("test_it its headers do not fit")


def test_it_is_off_where_gilkit_is(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys, pytest\n"
        "@pytest.mark.gil_longest(0.02)\n"
        "def test_it():\n"
        "    assert 'gilkit.pytest_audit' not in sys.modules"
    )
    result = pytester.runpytest_subprocess(*QUIETLY, "-p", "no:gilkit", "--gil-audit", "-o", LIMIT)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--gil-audit", "test_it.py"], "--gil-audit=TIME: 'test_it.py' is not a time with its unit"),
        (["--gil-audit="], "--gil-audit=TIME: '' is not a time"),
        (["--gil-audit=5ms"], "--gil-audit=TIME: '5ms' is not from 10 ms, twice Python's switch interval"),
        (["--gil-audit=nan"], "--gil-audit=TIME: 'nan' is not from 10 ms"),
        (["-o", "gil_longest=soon"], "gil_longest in the ini file: 'soon' is not a time"),
        (["--gil-baseline-update"], "--gil-baseline-update needs --gil-baseline FILE"),
        (["--gil-baseline", "test_it.py"], "test_it.py is no baseline of gilkit"),
        (["--gil-baseline", "nowhere/holds.json"], "cannot write to "),
        (["test_marked.py"], "test_marked.py::test_it: gil_longest: 'soon' is not a time"),
        (["test_empty.py"], "test_empty.py::test_it: gil_longest takes one time, such as 0.05 or '50ms'"),
    ],
)
def test_what_says_nothing_is_refused(options: list[str], said: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it="def test_it(): pass",
        test_marked="import pytest\n@pytest.mark.gil_longest('soon')\ndef test_it(): pass",
        test_empty="import pytest\n@pytest.mark.gil_longest\ndef test_it(): pass",
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line.startswith("ERROR: ")]
    assert len(errors) == 1
    assert said in errors[0]


def test_in_a_worker_a_marker_that_says_nothing_fails_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.gil_longest('soon')\ndef test_it(): pass")
    result = pytester.runpytest_subprocess(*QUIETLY, "-n", "1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_in_a_worker*::test_it: gil_longest: 'soon' is not a time*"])


def test_threads_of_one_test_are_watched_with_pytest_run_parallel(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_run_parallel")
    source = """
        from gilkit.kernels import sleep

        def test_it():
            sleep.gil(0.3)  # here
    """
    pytester.makepyfile(test_it=source)
    result = pytester.runpytest_subprocess(*QUIETLY, "--parallel-threads=3", "--gil-audit=100ms")
    told = section(result, f"gil: {KIND} for 100 ms or more by 1 test")
    line = f"test_it.py:{lines_of(source)['here']} test_it"
    assert re.search(rf"ms call test_it\.py::test_it {re.escape(line)} \(C call, in Thread-\d", told), told
    assert line in told.partition("calls of C functions")[2]
