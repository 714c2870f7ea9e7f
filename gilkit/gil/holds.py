"""Times in which one thread has the GIL, or is attached where there is none: `Hold`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gilkit._ext import _monitor
from gilkit.gil.threads import ThreadId


@dataclass(frozen=True, slots=True)
class Hold:
    """A time in which every sample found one thread with the GIL: on the clock of `time.perf_counter`.

    Where there is no GIL: attached.
    """

    start: float
    end: float
    thread: ThreadId

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.start


class Holds(list[Hold]):
    """The newest holds, oldest first; ``dropped`` counts those that are not kept any more."""

    dropped: int = 0


def holds_of(sampler: _monitor.Sampler, who: Callable[[int, int], ThreadId]) -> Holds:
    """Return the holds that a sampler saw; ``who`` names the thread behind an address."""
    holds = Holds()
    found, holds.dropped = sampler.kept_holds()
    holds.extend(Hold(start, end, who(address, made)) for start, end, address, made in found)
    return holds
