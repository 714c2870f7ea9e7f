"""``--gil-audit``, ``--gil-baseline`` and ``gil_longest``: tests that keep the GIL from others for long.

It is imported only where one of them is asked for.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from pathlib import Path
from shutil import get_terminal_size
from textwrap import fill
from typing import Any

import pytest

from gilkit.errors import MonitorError, ResultsError
from gilkit.gil.audit import Audit, WatchedTime
from gilkit.gil.audited import SHOWN, CalledLine, Folders, Phase, brief, folders_now, phase, told, where
from gilkit.gil.baseline import Baseline, Known
from gilkit.gil.monitor import kind_now
from gilkit.gil.wording import WORDINGS
from gilkit.pytest_limits import limit_of, limit_of_marker

AUDITED = "gil_found"  # what was found: an attribute of reports, and a key of what workers say
Running = Generator[None, object, object]


class PytestAudit:
    """Watch the tests that this process runs; or gather what the workers of pytest-xdist found.

    Parameters
    ----------
    config : pytest.Config
    undecided : str
        The property of a report that has the reason why a test was not decided.
    strictly : str
        What stands before such a reason where it fails the test; empty where it does not.

    Raises
    ------
    pytest.UsageError
        For a setting that says nothing.
    """

    def __init__(self, config: pytest.Config, undecided: str, strictly: str) -> None:
        asked, longest = config.getoption("gil_audit"), config.getini("gil_longest")
        self._tells = asked is not None
        shown = None if asked is None else limit_of(asked, "--gil-audit=TIME")
        self._longest = limit_of(longest, "gil_longest in the ini file") if longest else None
        self._verbose = config.get_verbosity() > 1
        self._folders = Folders(str(config.rootpath), ())
        self._undecided, self._strictly = undecided, strictly
        self._baseline, self._records = _baseline(config, shown)
        self._shown = self._baseline.longer if self._baseline and self._records else shown or SHOWN
        self._audit: Audit | None = None
        self._why = ""  # it cannot be watched
        self._note = ""  # what could not be seen, here or in a worker
        self._kinds: set[str] = set()  # of what was watched, here and in workers
        self._wrong = ""  # what happened in here that should not
        self._seen = WatchedTime()  # of the phase that ended last
        self._doubt = ""
        self._ran: dict[tuple[str, str], Phase | None] = {}
        self._finished, self._partly = False, ""  # whether tests ran, and why not all of them
        self._recorded, self._unrecorded = "", ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Running:
        """Watch while tests run."""
        with self._watching(session.config):
            found = yield
        self._finished = True
        return found

    @contextmanager
    def _watching(self, config: pytest.Config) -> Iterator[None]:
        if config.pluginmanager.has_plugin("dsession"):  # the workers run them
            yield
            return
        self._folders = folders_now(config.rootpath)
        with ExitStack() as stack:
            try:
                self._audit = stack.enter_context(Audit())
                self._kinds = {self._audit.kind}
            except MonitorError as error:
                self._why = str(error)
            try:
                yield
            finally:
                with self._noted():
                    self._note = self._audit.note if self._audit else self._why
                self._note = self._wrong or self._note
                getattr(config, "workeroutput", {})[AUDITED] = [self._note, *self._kinds]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker of pytest-xdist has to say."""
        note, *kinds = getattr(node, "workeroutput", {}).get(AUDITED, [""])
        self._note = self._note or note
        self._kinds.update(kinds)
        if error:
            self._partly = "a worker of pytest-xdist crashed"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that there are tests which cannot run."""
        if report.failed:
            self._partly = "not all tests could be collected"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Running:
        """Watch what fixtures do."""
        return (yield from self._watched())

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Running:
        """Watch what fixtures do at their end."""
        return (yield from self._watched())

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Running:
        """Watch a test, and fail it if it is beyond its limits."""
        if self._audit and "gil" in getattr(item, "fixturenames", ()):  # it measures, while nobody waits
            self._seen, self._doubt = WatchedTime(), ""
            with self._audit.silent():
                return (yield)
        found = yield from self._watched()
        for limit, why in self._limits(item):
            if reason := self._judged(limit, why):
                if self._strictly:
                    raise pytest.fail.Exception(f"{self._strictly}{reason}", pytrace=False)
                self._doubt = reason
        return found

    def _watched(self) -> Running:
        self._seen, self._doubt, start = WatchedTime(), "", inf
        if self._audit is None:
            return (yield)
        with self._noted():
            start = self._audit.begin()
        try:
            return (yield)
        finally:
            with self._noted():
                if start < inf:
                    self._seen = self._audit.since(start)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Say at the end what goes wrong in here: a test that breaks what this calls is no worse for it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            self._wrong = f"what a test did could not be seen: {type(error).__name__}: {error}"
            self._seen = WatchedTime((), inf, self._wrong)

    def _limits(self, item: pytest.Item) -> Iterable[tuple[float, str]]:
        """Return in how many seconds, and why so many, a test must let the GIL go."""
        try:
            longest = limit_of_marker(item) or self._longest
        except pytest.UsageError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        if longest:
            yield longest, f"the limit is {brief(longest)}"
        if self._baseline and not self._records:
            yield self._baseline.limit(item.nodeid)

    def _judged(self, limit: float, why: str) -> str:
        """Fail a test that is beyond a limit; return why that cannot be told, if it cannot."""
        if self._why:
            return self._why
        doubt = ""
        with self._noted():
            for hold in self._seen.holds:
                if hold.seconds <= limit or self._audit is None:
                    break
                kept = WORDINGS[self._audit.kind].kept
                line = where(hold.stall, self._audit.thread, self._folders)
                if not (reason := self._audit.doubt(hold, limit)):
                    said = f"{kept} {brief(hold.least)} at {line}: another thread would have waited"
                    raise pytest.fail.Exception(f"{said}; {why}", pytrace=False)
                said = f"{kept} {brief(hold.seconds)} at {line}"
                doubt = doubt or f"{said}; {why}, but the machine was too busy to tell: {reason}"
        return doubt or (f"{self._seen.note}; {why}" if self._seen.hidden > limit else "")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put into the report of a phase what was found in it: it comes from workers, too."""
        report = yield
        with self._noted():
            holds = [hold.own for hold in self._seen.holds if hold.least >= self._shown]
            if holds and self._audit:
                found = phase(holds, self._audit.kind, self._audit.thread, self._folders)
                setattr(report, AUDITED, [*found[:-1], [list(call) for call in found.calls]])
        if self._doubt and call.when == "call":
            report.user_properties = [*report.user_properties, (self._undecided, self._doubt)]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what was found, here or in a worker."""
        found = getattr(report, AUDITED, None)
        if report.when is not None:
            self._ran[report.nodeid, report.when] = (
                Phase(found[0], found[1], found[2], [CalledLine(*call) for call in found[3]])
                if found
                else None
            )

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Record the baseline, if all that was to run did; workers leave it to who started them."""
        if not (self._baseline and self._records) or hasattr(session.config, "workeroutput"):
            return
        ran = {
            test: Known(found.longest, found.where) if found else None
            for (test, when), found in self._ran.items()
            if when == "call"
        }
        self._unrecorded = self._why_unrecorded(session, bool(ran), self._baseline.there)
        if self._unrecorded:
            return
        try:
            count = self._baseline.record(ran)
        except ResultsError as error:
            self._unrecorded, session.exitstatus = str(error), pytest.ExitCode.USAGE_ERROR
        else:
            self._recorded = f"{_tests(count)} recorded in {session.config.getoption('gil_baseline')}"

    def _why_unrecorded(self, session: pytest.Session, any_ran: bool, there: bool) -> str:
        """Return why nothing is to be recorded; empty if it is."""
        stopped = not self._finished or session.shouldfail or session.shouldstop
        parts = (option for option in ("lf", "stepwise") if session.config.getoption(option, False))
        part = "" if there else next(parts, "")
        reasons = (
            ("tests were collected only", session.config.getoption("collectonly")),
            (self._partly, self._partly),
            (self._why, self._why),
            ("not all tests ran to their end", stopped),
            ("no test ran", not any_ran),
            (f"--{part} may leave tests out, and there is no baseline yet", part),
        )
        return next((why for why, so in reasons if so), "")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the longest holds of tests, and the calls of C functions that hold it longest."""
        line, width = terminalreporter.write_line, get_terminal_size().columns
        if self._tells and self._ran:
            found = {key: one for key, one in self._ran.items() if one}
            tests = _tests(len({test for test, _ in found}))
            kinds = " or ".join(sorted(self._kinds or {kind_now()}, reverse=True))
            terminalreporter.section(f"gil: {kinds} for {brief(self._shown)} or more by {tests}")
            for text in told(found, self._note, width, self._verbose):
                line(text)
        if self._recorded:
            line(f"gil baseline: the holds of {self._recorded}")
            if self._note:
                line(fill(f"record it again with --gil-baseline-update: {self._note}", width))
        elif self._unrecorded:
            line(f"gil baseline: nothing recorded: {self._unrecorded}")
        elif self._note and not self._tells:
            line(fill(f"gil: {self._note}", width))


def _tests(count: int) -> str:
    return f"{count or 'no'} test{'s' * (count > 1)}"


def _baseline(config: pytest.Config, longer: float | None) -> tuple[Baseline | None, bool]:
    """Return the baseline, if one is asked for, and whether it is to be recorded."""
    path, update = config.getoption("gil_baseline"), config.getoption("gil_baseline_update")
    if path is None:
        if update:
            raise pytest.UsageError("--gil-baseline-update needs --gil-baseline FILE")
        return None, False
    try:
        baseline = Baseline(Path(config.invocation_params.dir, path), longer, update)
    except ResultsError as error:
        raise pytest.UsageError(f"--gil-baseline: {error}") from None
    return baseline, update or not baseline.there
