"""What is tried, on which items, in how many seconds: pure, so that 512 workers can be planned anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from statistics import median

from gilkit.arguments import MOST_WORKERS, worker_counts

UNSTEADY = "it does not return the same for one item each time, so results were not compared"
CHUNK_STEP = 4  # from one chunk size to the next
FULL_CHUNKS = 4  # for each worker in a sample: fewer, and how they fall decides
FEWEST_CHUNKS = 4  # items for each CPU, where that is not too long
USUAL_SIZES = 3  # chunk sizes, about, in a round
MOST_SAMPLE = 4096  # items of a sample: what tiny ones cost in a pool counts, too
WAITING_SHARE = 0.5  # of its time that a function uses a CPU, below which it waits
GAIN_OF_WAITERS = 1.1  # times as fast as with half as many workers, from which still more are tried
ONE_EACH = 32  # items, up to which each may have a worker of its own that waits with it
LONG_ITEM = 1e-3  # seconds from which a long item can be the tail of a map
LONG_BY = 10.0  # times the median, from which an item is a long one
HEAVY = 0.10  # of all the time that the longest hundredth of the items takes, where they are uneven
SURE_TO_PAY = 1.2  # times the fitted number of items, with which it is checked that a pool pays


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Parameters
    ----------
    executors : tuple of str
    workers, chunks : tuple of int
        Empty for what is usual.
    rounds : int or None
        None for as many as fit.
    budget : float
        Seconds.
    """

    executors: tuple[str, ...]
    workers: tuple[int, ...] = ()
    chunks: tuple[int, ...] = ()
    rounds: int | None = None
    budget: float = 30.0


@dataclass(frozen=True, slots=True)
class Spending:
    """Seconds for the parts of a run.

    Parameters
    ----------
    timing : float
        To call items one by one.
    search : float
        To find the workers and the chunk size of all executors.
    rounds : float
        For the rounds that decide.
    total : float
        Of all, with the check of what pays and the run over all items.
    """

    timing: float
    search: float
    rounds: float
    total: float


def spending(budget: float, uneven: bool = False, waits: bool = False) -> Spending:
    """Return how a budget is divided.

    Most is for the rounds where only large samples have long items. The search takes longer where calls wait,
    of which ever more workers are tried.
    """
    return Spending(
        0.08 * budget, (0.3 if waits else 0.16) * budget, (0.5 if uneven else 0.24) * budget, budget
    )


@dataclass(frozen=True, slots=True)
class ItemTimes:
    """How long items take, one by one.

    Parameters
    ----------
    timed : int
        Items that were timed.
    mean, median, longest : float
        Seconds.
    longest_item : int
        Which one that is.
    heavy : float
        The share of all the time that the longest hundredth of them takes.
    cpu : float
        CPU seconds for each second.
    """

    timed: int
    mean: float
    median: float
    longest: float
    longest_item: int
    heavy: float
    cpu: float

    @property
    def waits(self) -> bool:
        """Whether a call mostly waits."""
        return self.cpu < WAITING_SHARE

    @property
    def uneven(self) -> bool:
        """Whether a few items take so long that others end up waiting behind them."""
        return self.longest >= max(LONG_ITEM, LONG_BY * self.median) and self.heavy >= HEAVY


def item_times(seconds: Mapping[int, float], cpu: float) -> ItemTimes:
    """Return how long items take, from the seconds of each."""
    ordered = sorted(seconds.values())
    top = max(1, len(ordered) // 100)
    whole = max(1e-12, sum(ordered))
    longest = max(seconds, key=seconds.__getitem__)
    return ItemTimes(
        len(ordered),
        whole / len(ordered),
        median(ordered),
        ordered[-1],
        longest,
        sum(ordered[-top:]) / whole,
        cpu,
    )


def sample_size(times: ItemTimes, spent: Spending, executors: int, rounds: int, cpus: int) -> int:
    """Return how many items the loop has in a round: each pool takes about as long."""
    each = spent.rounds / rounds / times.mean  # items of all that is measured in a round
    fits = int(each / (1 + executors + USUAL_SIZES))
    fewest = FEWEST_CHUNKS * cpus if FEWEST_CHUNKS * cpus * (1 + executors) < 1.5 * each else 2
    most = min(times.timed, MOST_SAMPLE)
    return times.timed if fits >= times.timed == most else even(max(fits, fewest), cpus, most)


def stratified(seconds: Mapping[int, float], size: int) -> list[int]:
    """Return so many items, in their order, whose times are spread as those of all are.

    Sorted by time, one is taken from each of as many equal parts.
    """
    ordered = sorted(seconds, key=seconds.__getitem__)
    if size >= len(ordered):
        return sorted(ordered)
    part = len(ordered) / size
    return sorted(ordered[min(len(ordered) - 1, int((place + 0.5) * part))] for place in range(size))


def chunk_sizes(sample: int, workers: int, whole: bool) -> list[int]:
    """Return the chunk sizes that so many items can tell apart.

    Parameters
    ----------
    sample, workers : int
    whole : bool
        Whether there are no other items than these, so that the last chunk counts as it falls.
    """
    least = 1 if whole else FULL_CHUNKS
    found = [1]
    while found[-1] * CHUNK_STEP * workers * least <= sample:
        found.append(found[-1] * CHUNK_STEP)
    return found


def even(size: int, workers: int, most: int) -> int:
    """Return about so many items, of which workers have as many chunks each, whatever their size is."""
    size = min(size, most)
    each = workers * chunk_sizes(size, workers, whole=False)[-1]
    return size // each * each or size


def worker_order(cpus: int, items: int, waits: bool, apart: bool) -> Iterator[int]:
    """Yield worker counts in the order in which they are tried: as many as CPUs first.

    Where calls wait, threads and their like are doubled for as long as there are items for them.
    """
    first = min(cpus, items)
    yield first
    if waits and not apart:
        count = 2 * first
        while count <= min(items, MOST_WORKERS):
            yield count
            count *= 2
        if first < items < count and items <= ONE_EACH:
            yield items
        return
    for count in sorted(worker_counts(cpus), key=lambda n: abs(log10(n / cpus))):
        if count <= min(items, MOST_WORKERS) and count != first:
            yield count


def pays_with(start: float, item: float, speedup: float) -> int | None:
    """Return with how many items a pool makes up for its start, by a line through what was measured.

    It is to be checked: rounded up to two digits, and with something to spare.
    """
    gained = item * (1 - 1 / speedup)
    if gained <= 0:
        return None
    count = max(2.0, SURE_TO_PAY * start / gained)
    scale = 10.0 ** max(0, floor(log10(count)) - 1)
    return ceil(count / scale) * int(scale)


def chunk_for(chunk: int, items: int, workers: int) -> int:
    """Return a chunk size that leaves every worker something to do, where items are few."""
    return max(1, min(chunk, items // workers))


def spread(count: int, most: int) -> Iterator[int]:
    """Yield each number below ``count``, up to ``most`` of them: far from one another, all over the range."""
    step = max(1, round(count * 0.618))
    while _common(step, count) > 1:
        step += 1
    for place in range(min(count, most)):
        yield place * step % count


def _common(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def heaviest(seconds: Mapping[int, float], most: int) -> Sequence[int]:
    """Return the items that take longest."""
    return sorted(seconds, key=seconds.__getitem__)[-most:]
