"""The report of several interpreters: a row each, what each does of what another does, and which to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.gil_words import gil_lines, gil_remedy, gil_words
from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import (
    caveats,
    closing,
    failures,
    figure,
    heading,
    leaders,
    note,
    stars_and_margins,
)
from gilkit.display.units import seconds
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.compare.contrast import MATTERS
from gilkit.studies.compare.evidence import worker_counts
from gilkit.studies.compare.merged import part, plain_kernels, several_pythons, there
from gilkit.studies.compare.ranking import Place, Ranking, conclusion, kernels_by_use, ranking


def scale(rankings: Sequence[Ranking]) -> str:
    """Return what stands above the figures: what they mean."""
    firsts = " or ".join(dict.fromkeys(r.first for r in rankings))
    return f"Speedup: times the work of one worker there. Work: 1.00 that of one thread of {firsts}"


def rankings_of(results: Results) -> list[Ranking]:
    """Return what was measured of each kernel or statement, at each worker count that has a row."""
    names = several_pythons(results)
    return [
        ranking(results, kernel, count)
        for kernel in plain_kernels(results)
        for count in sorted(
            {n for name in names for n in worker_counts(results, there(name, kernel)) if n > 1}
        )
        or [1]
    ]


def concluded(results: Results) -> list[Ranking]:
    """Return what is concluded from: each kernel or statement, at the worker count that decides."""
    return [ranking(results, kernel) for kernel in plain_kernels(results)]


def by_interpreter(results: Results) -> RenderableType:
    """Return everything that there is to say of several interpreters."""
    found, names = rankings_of(results), several_pythons(results)
    parts: list[RenderableType] = [_headline(results, names), *_of_gils(results, names), ""]
    if len(plain_kernels(results)) == 1:
        parts.append(Text(plain_kernels(results)[0], style="bold"))
    parts += [scale(found), _rows(found), note(_small_print(results, found)), *caveats(results)]
    if results.failures:
        parts += ["", *_failures(results, names)]
    parts += ["", last_sentence(results)]
    if remedies := list(_remedies(results, names)):
        parts += ["", *remedies]
    return Group(*parts)


def last_sentence(results: Results) -> Text:
    """Return what to use: of several kernels, for which of them."""
    found = concluded(results)
    if len(found) == 1:
        return closing(*conclusion(found[0]))
    text = Text()
    for use, kernels in kernels_by_use(found):
        text.append("; " if text else "").append(f"{', '.join(kernels)}: ").append(use, style="bold")
    return text


def _headline(results: Results, names: Sequence[str]) -> Text:
    of_one = {fact.key for fact in (facts.GIL_SETTING, facts.GIL_MODULES, facts.GIL_ELSEWHERE)}
    known = {key: value for key, value in results.facts.items() if key not in of_one}
    known |= facts.INTERPRETER.entry(" | ".join(names))
    modes = dict.fromkeys(found for case in results if (found := results.fact(case, facts.GIL)))
    return heading(
        {**known, **facts.GIL.entry(" | ".join(modes))}, results.load, "only undisturbed rounds count"
    )


def _free_threaded(results: Results, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the interpreters of which there is to say who turned the GIL on, or off, and what is known."""
    for name in names:
        if any(case.kernel.startswith(there(name, "")) for case in results):
            known = part(results, name).facts
            if facts.GIL_SETTING.of(known) or facts.GIL_MODULES.of(known) or facts.GIL_ELSEWHERE.of(known):
                yield name, known


def _of_gils(results: Results, names: Sequence[str]) -> Iterator[Text]:
    """Say who turned the GIL on, of each interpreter."""
    for name, known in _free_threaded(results, names):
        for line in (gil_words(known), *gil_lines(known)):
            yield Text(f"{name}: {line}", style="yellow")


def _remedies(results: Results, names: Sequence[str]) -> Iterator[Text]:
    """Say what to do about that."""
    for name, known in _free_threaded(results, names):
        yield from (Text(f"{name}: ").append(line) for line in gil_remedy(known))


def _rows(found: Sequence[Ranking]) -> Fitted:
    """One row for every interpreter, kernel and worker count."""
    rows = [(r, python) for r in found for python in r.pythons]
    executors = list(dict.fromkeys(executor for r in found for executor in r.executors))
    columns = [TableColumn("\n", [Text(python) for _, python in rows], name=True)]
    if len({r.kernel for r in found}) > 1:
        columns.insert(0, TableColumn("\nkernel", [Text(r.kernel) for r, _ in rows], name=True))
    if len({r.workers for r in found}) > 1:
        columns.append(TableColumn("\nworkers", [Text(str(r.workers)) for r, _ in rows], name=True))
    columns += [
        TableColumn("\nGIL", [Text(r.gil.get(python, "–")) for r, python in rows]),
        TableColumn("\none call", [Text(_call(r, python)) for r, python in rows]),
    ]
    for executor in executors:
        cells = [
            _cell(r, Place(p, executor, r.workers), _grown(r, Place(p, executor, r.workers))) for r, p in rows
        ]
        columns.append(TableColumn(f"speedup\n{executor}", cells, points=True))
    best = {id(r): leaders({str(place): r.work.get(place) for place in _places(r)}) for r in found}
    for head, executor, together in [("one\nthread", "threads", False)] + [
        (f"work\n{e}", e, True) for e in executors
    ]:
        places = [Place(p, executor, r.workers if together else 1) for r, p in rows]
        if not together and all(r.workers == 1 for r in found):
            continue
        cells = [
            _cell(r, place, r.work.get(place), str(place) in best[id(r)])
            for (r, _), place in zip(rows, places, strict=True)
        ]
        columns.append(TableColumn(head, cells, points=True))
    return Fitted(columns)


def _places(r: Ranking) -> Iterator[Place]:
    for python in r.pythons:
        for executor in r.executors:
            yield Place(python, executor, r.workers)


def _grown(r: Ranking, place: Place) -> Estimate | None:
    """Return a speedup; without an interval where it is one worker's."""
    found = r.speedups.get(place)
    return Estimate(found) if found is not None and place.workers == 1 else found


def _cell(r: Ranking, place: Place, shown: Estimate | None, best: bool = False) -> Text:
    if place == Place(r.first, "threads", 1) and shown is not None:
        shown = Estimate(shown)  # what the others are relative to
    return figure(shown, best, shown is None and place in r.failed)


def _call(r: Ranking, python: str) -> str:
    return seconds(r.calls[python]) if python in r.calls else "–"


def _small_print(results: Results, found: Sequence[Ranking]) -> str:
    """Return what stars, margins and the last sentence go by."""
    figures = sum(1 for r in found for _ in r.compared)
    return (
        f"{stars_and_margins(results, 'work')}; interpreters differ where the whole interval is off by more "
        f"than {MATTERS:.0%}, in all sets of programs and by Student's t of them; {figures} figures are "
        "compared"
    )


def _failures(results: Results, names: Sequence[str]) -> Iterator[Text]:
    """Say what failed, of every interpreter."""
    for name in names:
        failed = {c: why for c, why in results.failures.items() if c.kernel.startswith(there(name, ""))}
        yield from (Text(f"{name}  ").append(line) for line in failures(failed))
