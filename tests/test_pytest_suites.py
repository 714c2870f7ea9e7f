"""The fixture ``gil`` in suites that measure."""

from __future__ import annotations

import pytest
from inner import QUIETLY, SHORT_LOOKS
from quiet import needs_monitor

from gilkit.gil.monitor import kind_now
from gilkit.gil.wording import WORDINGS

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.alone


PASSING = """
    import zlib
    import pytest
    from gilkit.kernels import sleep

    DATA = bytes(10**6)

    def test_releases(gil):
        gil.assert_releases(zlib.compress, DATA)

    def test_in_part(gil):
        gil.assert_releases(sleep.nogil, 0.02, at_least=0.5)

    def test_holds(gil):
        gil.assert_holds_at_most(1, sorted, range(1000))

    def test_same(gil):
        gil.assert_same_under_threads(zlib.compress, DATA[:1000], workers=4, repeat=5)

    def test_share(gil):
        assert gil.held_share(sum, range(10**5), seconds=0.1, interval=1e-4) > 0.5

    def test_errors(gil):
        with pytest.raises(ZeroDivisionError):
            gil.assert_releases(divmod, 1, 0)
        with pytest.raises(ValueError, match="at_least"):
            gil.assert_releases(len, "", at_least=7)
"""


FAILING = """
    import threading
    from gilkit.gil import assertions
    from gilkit.kernels import lcg, sleep

    assertions.GIVEN_UP = 3.0

    def test_releases(gil):
        gil.assert_releases(sorted, range(10**6))  # here

    def test_holds(gil):
        gil.assert_holds_at_most(0.001, sleep.gil, 0.02)  # here

    def test_same(gil):
        gil.assert_same_under_threads(lambda: threading.current_thread().name)  # here

    def test_share(gil):
        assert gil.held_share(sum, range(10**6)) < 0.1  # here
"""


@needs_monitor
def test_a_suite_that_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING, conftest=SHORT_LOOKS)
    found = pytester.runpytest_subprocess(*QUIETLY, "-ra").parseoutcomes()
    assert found["passed"] + found.get("skipped", 0) == 6  # where the machine is busy
    assert found["passed"] >= 3


@needs_monitor
def test_a_suite_that_fails_on_purpose(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING, conftest=SHORT_LOOKS)
    result = pytester.runpytest_subprocess(*QUIETLY, "-ra")
    found = result.parseoutcomes()
    assert "passed" not in found
    assert found["failed"] + found.get("skipped", 0) == 4
    output = result.stdout.str()
    assert output.count("  # here\n") == found["failed"]  # every traceback ends at the reader's own line
    assert "gilkit/" not in output.split("= short test summary")[0]
    assert "160 of 160 calls gave another result, seen by 8 of 8 threads; the first: expected 'Main" in output
    if found["failed"] == 4:
        words = WORDINGS[kind_now()]
        busy = "busy: what others took" in output  # so what is told is a bound, and "1.1 times" perhaps
        result.stdout.fnmatch_lines(
            [
                f"E       AssertionError: sorted(range(0, 1000000)) {words.runs} for *% of its time, "
                "not 95.00% or more",
                f"E         measured  {words.holds} *%*, *%*, *%*; a call is *s",
                "E         machine   CPython *, * CPU*, *",
                "E         means     *" if busy else f"E         means     {words.means_share(1.0)}",
                f"E         to do     {words.freeing}",
                f"E       AssertionError: sleep_gil(0.02) {words.holds} * ms at a stretch, "
                "not 1.00 ms or less",
            ]
        )
