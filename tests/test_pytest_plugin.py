"""The fixture ``gil`` in suites of its own, run by a pytest of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from inner import QUIETLY
from quiet import needs_monitor

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.long


def test_it_loads_nothing_until_it_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys, threading\n"
        "def loaded():\n"
        "    return {name for name in sys.modules if name.startswith(('numpy', 'psutil', 'gilkit'))}\n"
        "def test_before():\n"
        "    assert loaded() == {'gilkit', 'gilkit.pytest_plugin'}\n"
        "    assert threading.enumerate() == [threading.main_thread()]\n"
        "def test_after(gil):\n"
        "    gil.assert_same_under_threads(len, '')\n"
        "    assert 'gilkit.gil.same_results' in sys.modules\n"
    )
    other = "no:run-parallel"  # which loads NumPy
    pytester.runpytest_subprocess(*QUIETLY, "-ra", "-p", other).assert_outcomes(passed=2)


def test_to_import_it_costs_no_more_than_pytest() -> None:
    script = (
        "import sys, pytest; before = set(sys.modules)\n"
        "import gilkit.pytest_plugin; print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"gilkit", "gilkit.pytest_plugin", "lazy_loader"}


@pytest.mark.parametrize("twice", [(), ("-p", "gilkit.pytest_plugin"), ("-p", "gilkit")])
def test_it_is_loaded_once(pytester: pytest.Pytester, twice: tuple[str, ...]) -> None:
    # As where the folder of a clone, with its own metadata, comes before the installed one on the path.
    pytester.makepyfile("def test_it(gil): pass\ndef test_again(gil): pass")
    root = str(Path(__file__).parent.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", root)
        pytester.runpytest_subprocess(*QUIETLY, "-ra", *twice).assert_outcomes(passed=2)


@pytest.mark.parametrize("name", ["gilkit", "gilkit.pytest_plugin"])
def test_it_is_loaded_by_either_name_where_plugins_are_not_looked_for(
    name: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile("def test_it(gil): pass")
    quietly = (option for option in QUIETLY if option != "-ra")
    pytester.runpytest_subprocess(*quietly, "-p", name, "--gil-strict").assert_outcomes(passed=1)


@pytest.mark.parametrize("options", [(), ("--gil-strict",), ("-o", "gil_strict=true")])
def test_it_is_turned_off_by_its_name(options: tuple[str, ...], pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(gil): pass")
    done = pytester.runpytest_subprocess(*QUIETLY, "-ra", "-p", "no:gilkit", *options)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*fixture 'gil' not found*"])


BUSY = """
    import pytest
    from gilkit.gil import assertions, observations, share, under_load

    @pytest.fixture
    def busy(monkeypatch):
        why = "the machine is too busy: others keep 1.9 CPUs busy"
        monkeypatch.setattr(under_load, "FAR", 1e9)  # nothing is clear, however long one looks
        monkeypatch.setattr(under_load, "LONGER", 0.02)
        monkeypatch.setattr(observations, "OBSERVED", 0.02)
        monkeypatch.setattr(assertions, "GIVEN_UP", 0.0)
        monkeypatch.setattr(assertions, "trouble", lambda: why)

    def test_releases(gil, busy):
        gil.assert_releases(sorted, range(10**5))

    def test_holds(gil, busy):
        gil.assert_holds_at_most(0.0001, sorted, range(10**5))

    def test_share(gil, monkeypatch):
        monkeypatch.setattr(observations, "OBSERVED", 0.02)
        monkeypatch.setattr(share, "SEEN_PART", 2.0)
        assert gil.held_share(sorted, range(10**5)) < 0.1
"""

WITHOUT_GIL = """
    import pytest
    from gilkit.gil import assertions, monitor

    @pytest.fixture
    def without(monkeypatch):
        for module in (assertions, monitor):
            monkeypatch.setattr(module, "why_missing", lambda: "this interpreter runs without a GIL")

    def test_share(gil, without):
        assert gil.held_share(sorted, []) > 0.9

    def test_releases(gil, without):
        gil.assert_releases(sorted, [])

    def test_holds(gil, without):
        gil.assert_holds_at_most(1, sorted, [])

    def test_same(gil, without):
        gil.assert_same_under_threads(sorted, [])
"""


@needs_monitor
def test_a_busy_machine_skips(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BUSY)
    result = pytester.runpytest_subprocess(*QUIETLY, "-ra")
    result.assert_outcomes(skipped=3)
    skips = [line for line in result.outlines if line.startswith("SKIPPED")]
    assert len(skips) == 3
    for line in skips:  # the reader's own line, and the reason
        assert "test_a_busy_machine_skips.py:" in line
        assert "nothing can be said of sorted(range(0, 100000)): " in line
    assert sum("the machine is too busy: others keep 1.9" in line for line in skips) == 2
    assert sum("the monitor, which wants a CPU to spare, ran for" in line for line in skips) == 1


@needs_monitor
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_end_says_what_was_not_decided_and_why(
    workers: tuple[str, ...], pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    pytester.makepyfile(BUSY + "\n    def test_other():\n        pytest.skip('not of gilkit')\n")
    result = pytester.runpytest_subprocess(*QUIETLY, *workers)
    result.assert_outcomes(skipped=4)
    title = next(line for line in result.outlines if "gil: 3 tests not decided" in line)
    after = result.outlines[result.outlines.index(title) + 1 :]
    said = [line for line in after if line and "===" not in line]
    assert sorted(line.partition("::")[2] for line in said if not line.startswith(" ")) == [
        "test_holds",
        "test_releases",
        "test_share",
    ]
    assert max(map(len, said)) <= 80
    text = " ".join(line.strip() for line in said)
    assert text.count("nothing can be said of sorted(range(0, 100000)): ") == 3
    assert text.count("others keep 1.9 CPUs busy") == 2
    assert "not of gilkit" not in text


@needs_monitor
@pytest.mark.parametrize("strict", [("--gil-strict",), ("-o", "gil_strict=true")])
def test_strictly_what_is_not_decided_fails_and_says_so(
    strict: tuple[str, ...], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(BUSY)
    result = pytester.runpytest_subprocess(*QUIETLY, "-ra", *strict)
    result.assert_outcomes(failed=3)
    said = [line for line in result.outlines if line.startswith("E  ")]
    assert len(said) == 3  # nothing of how it came to that
    start = "E       Failed: not decided, which --gil-strict makes a failure: nothing can be said of sorted("
    assert all(line.startswith(start) for line in said)
    assert "tests not decided" not in result.stdout.str()


def test_a_suite_in_which_all_is_decided_has_no_such_end(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(gil):\n    gil.assert_same_under_threads(len, '')")
    result = pytester.runpytest_subprocess(*QUIETLY, "-ra")
    result.assert_outcomes(passed=1)
    assert "not decided" not in result.stdout.str()


def test_without_a_gil_what_asks_for_one_is_skipped(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WITHOUT_GIL)
    result = pytester.runpytest_subprocess(*QUIETLY, "-ra")
    result.assert_outcomes(passed=1, skipped=3)
    assert "this interpreter runs without a GIL" in result.stdout.str()
    assert "gilkit/pytest_plugin.py:" not in result.stdout.str()
    assert "gil: 3 tests not decided" in result.stdout.str()
