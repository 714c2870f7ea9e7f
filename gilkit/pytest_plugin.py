"""The pytest fixture ``gil``: assertions on how a call treats the GIL. It loads nothing until it is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from math import isnan
from shutil import get_terminal_size
from textwrap import fill
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import TracebackType

    from gilkit.gil.share import Share

LIMITED = "fail tests that keep the GIL from other threads for longer than a time"
STRICTLY = "not decided, which --gil-strict makes a failure: "
UNDECIDED = "gil_not_decided"  # the property of a report that has the reason: it comes from workers, too


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and what may stand among the settings."""
    said = "fail tests where nothing can be decided of the GIL, instead of skipping or passing them"
    group = parser.getgroup("gilkit")
    group.addoption("--gil-strict", action="store_true", help=said)
    parser.addini("gil_strict", said, type="bool", default=False)
    group.addoption(
        "--gil-audit",
        nargs="?",
        const="20ms",
        metavar="TIME",
        help="tell which tests and which calls of C functions keep the GIL from others for 20ms, or TIME",
    )
    group.addoption(
        "--gil-baseline",
        metavar="FILE",
        help="fail tests that keep it for longer than FILE knows of them; record FILE if there is none",
    )
    group.addoption(
        "--gil-baseline-update", action="store_true", help="record the baseline of tests that run"
    )
    parser.addini("gil_longest", f"{LIMITED}, such as 50ms", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Offer the fixture where its entry point was not loaded, unless ``-p no:gilkit`` turns it off."""
    config.addinivalue_line("markers", f"gil_longest(time): {LIMITED}, such as 0.05 or '50ms'")
    asked = config.getoption("gil_audit"), config.getoption("gil_baseline")
    if asked != (None, None) or config.getoption("gil_baseline_update") or config.getini("gil_longest"):
        _audit(config)
    if not config.pluginmanager.has_plugin(offered.__name__):
        config.pluginmanager.register(offered, offered.__name__)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Watch the tests if one of them has a limit."""
    marked = [item for item in session.items if item.get_closest_marker("gil_longest")]
    if marked:
        _audit(session.config, marked)


def _audit(config: pytest.Config, marked: Sequence[pytest.Item] = ()) -> None:
    """Have the tests watched, unless ``-p no:gilkit`` turns that off; nothing is loaded for it before."""
    if config.pluginmanager.is_blocked(offered.__name__):
        return
    from gilkit.pytest_audit import PytestAudit
    from gilkit.pytest_limits import limit_of_marker

    for item in (
        () if hasattr(config, "workerinput") else marked
    ):  # a worker can refuse nothing: the test fails
        limit_of_marker(item)
    if not config.pluginmanager.has_plugin("gilkit_audit"):
        audit = PytestAudit(config, UNDECIDED, STRICTLY if _strict(config) else "")
        config.pluginmanager.register(audit, "gilkit_audit")


def _strict(config: pytest.Config) -> bool:
    return bool(config.getoption("gil_strict") or config.getini("gil_strict"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note in the report of a test that was skipped that nothing could be decided, and why."""
    report = yield
    if report.skipped and call.excinfo is not None and _undecided(call.excinfo.value.__context__):
        report.user_properties = [*report.user_properties, (UNDECIDED, str(call.excinfo.value))]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end, whatever ``-r`` asks for, which tests were not decided, and why."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    reasons = [
        (report.nodeid, str(value))
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, value in report.user_properties
        if name == UNDECIDED
    ]
    if not reasons:
        return
    terminalreporter.section(f"gil: {len(reasons)} test{'s' * (len(reasons) != 1)} not decided")
    for test, reason in reasons:
        terminalreporter.line(test)
        width = get_terminal_size().columns
        terminalreporter.line(fill(reason, width, initial_indent="    ", subsequent_indent="    "))


def _gil(pytestconfig: pytest.Config) -> Gil:
    """Assert how a call treats the GIL: what share of it releases it, how long it holds it at a stretch."""
    there = pytestconfig.pluginmanager.has_plugin(__name__)
    return Gil(there and _strict(pytestconfig))


def _offered() -> ModuleType:
    """Return a plugin by the name that people know, for ``-p gilkit`` and ``-p no:gilkit``: the fixture."""

    def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
        if not pluginmanager.has_plugin(__name__):  # as where no entry points are loaded but this
            pluginmanager.register(sys.modules[__name__], __name__)

    plugin = ModuleType("gilkit")  # fixtures are looked for in modules and classes
    fixture = pytest.fixture(scope="session", name="gil")(_gil)
    vars(plugin).update(gil=fixture, pytest_addoption=pytest_addoption)
    return plugin


offered = _offered()


class Gil:
    """What the fixture ``gil`` is.

    Where nothing can be decided, a test that uses it is skipped, and the reason says why: the machine is too
    busy, or the GIL cannot be read. With ``--gil-strict`` it fails. Where there is no GIL, it asserts how
    long a call stays attached: nobody can stop all threads meanwhile, as to collect garbage.

    Parameters
    ----------
    strict : bool
    """

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict

    def held_share(self, func: Callable[..., object], /, *args: Any, **options: float) -> Share:
        """Return the fraction of a call that holds the GIL, or is attached, as `gilkit.held_share` does."""
        __tracebackhide__ = True
        from gilkit.errors import BusyError, MonitorError
        from gilkit.gil.assertions import called
        from gilkit.gil.held import held_share
        from gilkit.gil.monitor import why_missing

        with _OrSkip(self._strict):
            if why := why_missing():
                raise MonitorError(why)
            share = held_share(func, *args, **options)
            if isnan(share):
                raise BusyError(f"nothing can be said of {called(func, args)}: {share.note}")
            return share

    def assert_releases(self, func: Callable[..., object], /, *args: Any, at_least: float = 0.95) -> None:
        """Assert that a call runs without the GIL, or is detached, for that share of its time."""
        __tracebackhide__ = True
        from gilkit.gil.assertions import assert_releases

        with _OrSkip(self._strict):
            assert_releases(func, *args, at_least=at_least)

    def assert_holds_at_most(self, seconds: float, func: Callable[..., object], /, *args: Any) -> None:
        """Assert that a call does not hold the GIL, or stay attached, for longer at a stretch."""
        __tracebackhide__ = True
        from gilkit.gil.assertions import assert_holds_at_most

        with _OrSkip(self._strict):
            assert_holds_at_most(seconds, func, *args)

    def assert_same_under_threads(
        self, func: Callable[..., object], /, *args: Any, workers: int = 8, repeat: int = 20
    ) -> None:
        """Assert that a call gives the same result from many threads at once as from one."""
        __tracebackhide__ = True
        from gilkit.gil.same_results import assert_same_under_threads

        assert_same_under_threads(func, *args, workers=workers, repeat=repeat)


class _OrSkip:
    """Skip the test where nothing can be decided, or fail it."""

    def __init__(self, strict: bool) -> None:
        self._strict = strict

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if not _undecided(error):
            return
        if self._strict:
            raise pytest.fail.Exception(f"{STRICTLY}{error}") from None
        pytest.skip(str(error))


def _undecided(error: BaseException | None) -> bool:
    """Whether an error says that nothing can be decided."""
    if error is None:
        return False
    from gilkit.errors import BusyError, MonitorError

    return isinstance(error, BusyError | MonitorError)
