"""Why a pool does what it does, in words: pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from gilkit.display.tables import share
from gilkit.display.units import nbytes, rounded, seconds
from gilkit.gil.share import HELD_SHARE
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.studies.compare.evidence import held_share_in
from gilkit.studies.map.figures import MapSubject, Measure, share_of_longest, subject, task_cost
from gilkit.studies.map.names import Way, elsewhere
from gilkit.studies.map.verdict import LITTLE

STRETCHED = 1.3  # times as long as in the loop, from which calls wait for one another
NOTED_FROM = 50e-6  # seconds of an item from which noting when it begins and ends is no part of it
MOSTLY_HELD = 0.5  # of a call, from which the GIL is why
NOTICED = 0.15  # of the workers' time, from which a phase is told
HEAVY_PICKLE = 10_000  # bytes of an item or a result, from which they are told


def why(results: Results, one: Measure) -> str:
    """Say why a pool is no faster than it is, in what was seen of it; nothing where nothing stands out."""
    about = subject(results)
    if about.count == 1:
        return ""
    told = []
    if about.times.median > NOTED_FROM:
        stretched = one.stretch is not None and one.stretch > STRETCHED
        longer = f"calls take {one.stretch:.1f} times as long as in the loop" if stretched else ""
        told += [text] if (text := of_gil(results, one) or longer) else []
    if one.phases is not None:
        if one.phases.send + one.phases.back > NOTICED:
            told.append(_transfer(results, one, about))
        if one.phases.idle > NOTICED and one.speedup > 1 / LITTLE:
            told.append(
                f"{one.phases.idle:.0%} of the workers' time they idle at the end, while the last items run"
            )
    return "; ".join(told)


def of_gil(results: Results, one: Measure) -> str:
    """Say for what share of its time the function holds the GIL, where that is why; or nothing."""
    held = held_share_in(results, Way().case(subject(results).function), HELD_SHARE)
    slow = one.speedup < LITTLE or (one.stretch is not None and one.stretch > STRETCHED)
    if elsewhere(one.way.executor) or held is None or held <= MOSTLY_HELD or not slow:
        return ""
    return f"it holds the GIL for {share(held)} of its time"


def _transfer(results: Results, one: Measure, about: MapSubject) -> str:
    """Say what items cost on their way."""
    assert one.phases is not None
    text = f"{one.phases.send + one.phases.back:.0%} of the workers' time items and results are on their way"
    pickles = {each["name"]: each for each in results.fact(Way().case(about.function), facts.PICKLES) or []}
    sizes = {name: pickles[name]["nbytes"] for name in ("item", "result") if name in pickles}
    if elsewhere(one.way.executor) and max(sizes.values(), default=0) >= HEAVY_PICKLE:
        text += f": {' and '.join(f'{_article(name)} {nbytes(size)}' for name, size in sizes.items())}"
    return text


def _article(name: str) -> str:
    return f"an {name} is" if name[0] in "aeiou" else f"a {name} is"


def costs(results: Results) -> Iterator[tuple[str, str]]:
    """Say what a task costs beside its work, of every executor where that is known."""
    about = subject(results)
    if about.count == 1:
        return
    for executor, (cost, _) in task_cost(results).items():
        item = about.times.median
        text = f"{seconds(cost)} beside its work"
        if cost > item:
            text += f", {rounded(cost / item)} times as much as an item takes ({seconds(item)})"
        yield executor, text


def tail(about: MapSubject) -> str:
    """Say how uneven items are; nothing where they are not."""
    times = about.times
    if not times.uneven:
        return ""
    text = (
        f"1 % of the items take {times.heavy:.0%} of the time; the longest, item {times.longest_item}, takes "
        f"{seconds(times.longest)}, {rounded(times.longest / max(1e-12, times.median))} times the median"
    )
    if (part := share_of_longest(about)) >= 0.01:
        text += f" and {part:.0%} of all work: no pool is faster than {1 / part:.1f}×"
    return text


def chunk_advice(about: MapSubject, one: Measure) -> str:
    """Say what follows for the chunk size, where items are uneven."""
    if one.way.chunk > 1:
        return f"chunks of {one.way.chunk} save more than waiting behind a long item costs"
    last = ceil(about.times.longest / max(1e-12, about.times.median))
    return f"chunk size 1: in a chunk, items wait behind a long one, as long as {last:,} others take"
