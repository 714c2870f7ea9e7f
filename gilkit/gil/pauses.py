"""Times in which one thread stops all others, on an interpreter without a GIL: `Pause`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gilkit._ext import _monitor
from gilkit.gil.threads import ThreadId


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which one thread stopped all others, as to collect garbage.

    Times are on the clock of `time.perf_counter`, as well as samples tell. If a thread does so again before
    another sample was taken, that counts as one.

    Attributes
    ----------
    start, end : float
        From when it was asked for until all could go on.
    stopped : float
        Until then somebody was seen who had not stopped; the start if nobody was.
    requester : ThreadId
        Who asked.
    last : ThreadId or None
        Who was last to stop: it had stayed attached, as in a long call into C. None where nobody was seen to
        be late.
    """

    start: float
    end: float
    stopped: float
    requester: ThreadId
    last: ThreadId | None = None

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.start

    @property
    def waited(self) -> float:
        """For how many seconds at least the others waited for the last one to stop."""
        return self.stopped - self.start


class Pauses(list[Pause]):
    """The newest pauses, oldest first; ``dropped`` counts those that are not kept any more."""

    dropped: int = 0


def pauses_of(sampler: _monitor.Sampler, who: Callable[[int, int], ThreadId]) -> Pauses:
    """Return the pauses that a sampler saw; ``who`` names the thread behind an address."""
    pauses = Pauses()
    found, pauses.dropped = sampler.kept_pauses()
    for start, stopped, end, address, made, last, last_made in found:
        late = who(last, last_made) if last else None
        pauses.append(Pause(start, end, stopped, who(address, made), late))
    return pauses
