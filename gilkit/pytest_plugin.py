"""The pytest fixture ``gil``: assertions on how a call treats the GIL. It loads nothing until it is used."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import TracebackType

    from gilkit.gil.share import Share


def pytest_configure(config: pytest.Config) -> None:
    """Offer the fixture, by the name that people know: so ``-p no:gilkit`` turns it off."""
    offered = ModuleType("gilkit")  # fixtures are looked for in modules and classes
    vars(offered)["gil"] = pytest.fixture(scope="session", name="gil")(_gil)
    config.pluginmanager.register(offered, "gilkit")


def _gil() -> Gil:
    """Assert how a call treats the GIL: what share of it releases it, how long it holds it at a stretch."""
    return Gil()


class Gil:
    """What the fixture ``gil`` is.

    Where nothing can be decided, a test that uses it is skipped, and the reason says why: the machine is too
    busy, or there is no GIL, or none that can be read.
    """

    def held_share(self, func: Callable[..., object], /, *args: Any, **options: float) -> Share:
        """Return the fraction of a call that holds the GIL, as `gilkit.held_share` does."""
        __tracebackhide__ = True
        from gilkit.errors import BusyError, MonitorError
        from gilkit.gil.assertions import called
        from gilkit.gil.held import held_share
        from gilkit.gil.monitor import why_missing

        with _OrSkip():
            if why := why_missing():
                raise MonitorError(why)
            share = held_share(func, *args, **options)
            if isnan(share):
                raise BusyError(f"nothing can be said of {called(func, args)}: {share.note}")
            return share

    def assert_releases(self, func: Callable[..., object], /, *args: Any, at_least: float = 0.95) -> None:
        """Assert that a call runs without the GIL for that share of its time."""
        __tracebackhide__ = True
        from gilkit.gil.assertions import assert_releases

        with _OrSkip():
            assert_releases(func, *args, at_least=at_least)

    def assert_holds_at_most(self, seconds: float, func: Callable[..., object], /, *args: Any) -> None:
        """Assert that a call does not hold the GIL for more than so many seconds at a stretch."""
        __tracebackhide__ = True
        from gilkit.gil.assertions import assert_holds_at_most

        with _OrSkip():
            assert_holds_at_most(seconds, func, *args)

    def assert_same_under_threads(
        self, func: Callable[..., object], /, *args: Any, workers: int = 8, repeat: int = 20
    ) -> None:
        """Assert that a call gives the same result from many threads at once as from one."""
        __tracebackhide__ = True
        from gilkit.gil.same_results import assert_same_under_threads

        assert_same_under_threads(func, *args, workers=workers, repeat=repeat)


class _OrSkip:
    """Skip the test where nothing can be decided."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        from gilkit.errors import BusyError, MonitorError

        if isinstance(error, BusyError | MonitorError):
            pytest.skip(str(error))
