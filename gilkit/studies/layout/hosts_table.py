"""The report of a cluster: a row for each host, and where hosts differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from gilkit.display.layout import Fitted, TableColumn
from gilkit.display.tables import RANGES, cell, closing, failure, note, share, share_heading, share_note
from gilkit.display.units import rate, seconds
from gilkit.machine import BUSY
from gilkit.results import facts
from gilkit.results.file import Results
from gilkit.results.stats import Estimate
from gilkit.studies.layout.hosts import HostRow, busy_cluster, differing, host_rows, host_statement, hosts_of

DIFFERS = "≠"
HOSTS_NAMED = 3  # hosts, of those that are alike


def by_host(results: Results) -> RenderableType:
    """Return everything that there is to say of the hosts of a cluster."""
    found = host_rows(results)
    parts: list[RenderableType] = [_headline(results, found), "", Text(host_statement(results), style="bold")]
    parts += [hosts_question(results), _rows(results, [one for one in found if not one.failed])]
    parts.append(note(_small_print(results)))
    more: list[RenderableType] = [failure(one.name, one.failed) for one in found if one.failed]
    for who, text in hosts_answers(results):
        more.append(Text(f"{who}: ", style="bold").append(text, style="not bold"))
    return Group(*parts, *(["", *more] if more else []), "", closing(*hosts_conclusion(results)))


def _headline(results: Results, found: Sequence[HostRow]) -> Text:
    """Return the first line: the hosts; and what else runs there."""
    workers = f"{len(found)} host{'s' * (len(found) != 1)} of a Dask cluster"
    how = "all at once" if facts.ALL_AT_ONCE.of(results.facts, 0) else "one at a time"
    text = Text(f"{workers} · measured {how}", style="bold")
    if tasks := facts.BUSY_TASKS.of(results.facts, 0):
        text.append(f"\n{busy_cluster(tasks)}; believe no figure below", style="bold red")
    return text


def hosts_question(results: Results) -> str:
    """Return what is answered."""
    if facts.ASKED.of(results.facts) == "layout":
        return "How many processes, with how many threads each, on every host?"
    return "What do threads and processes do on every host? 1.00 is one worker there"


def _rows(results: Results, found: Sequence[HostRow]) -> Fitted:
    """One row for every host that was measured."""
    layout = facts.ASKED.of(results.facts) == "layout"
    calls = {one.name: one.call for one in found}
    names = list(dict.fromkeys(name for one in found for name in one.figures))
    columns = [
        TableColumn("\nhost", [Text(one.name) for one in found], name=True),
        TableColumn("\nnow", [Text(one.now) for one in found], spare=1),
        TableColumn("\nPython", [Text(one.python) for one in found]),
        TableColumn("\nCPUs", [Text(str(one.cpus)) for one in found]),
        TableColumn("\none call", _marked(calls, seconds)),
        TableColumn(_share_of(found), [Text(_share(one)) for one in found]),
    ]
    for name in names:
        figures = {one.name: one.figures.get(name) for one in found}
        words = rate if layout else cell
        columns.append(TableColumn(f"\n{name}", _marked(figures, words), points=not layout))
    if layout:
        columns.append(TableColumn("\nbest", [Text(one.use or "open") for one in found]))
    return Fitted(columns)


def _marked(figures: dict[str, Estimate | None], words: Callable[[Estimate], str]) -> list[Text]:
    """Return cells, those with a sign that surely differ from the host in the middle."""
    odd = differing(figures)
    cells = []
    for host, value in figures.items():
        text = "–" if value is None else words(value)
        cells.append(Text((DIFFERS if host in odd else " ") + text, style="yellow" if host in odd else ""))
    return cells


def _share_of(found: Sequence[HostRow]) -> str:
    kinds = {one.attached is None for one in found}
    return "held or\nattached" if len(kinds) > 1 else share_heading(kinds != {False})


def _share(one: HostRow) -> str:
    return share(one.held if one.attached is None else one.attached)


def _small_print(results: Results) -> str:
    parts = [f"{DIFFERS} differs from the host in the middle by more than both intervals"]
    if facts.ASKED.of(results.facts) != "layout":
        decided = {figure.decided for one in host_rows(results) for figure in one.figures.values()}
        parts += ["± 95 % interval, of rounds of which others took less than a tenth"] * (True in decided)
        parts += [RANGES] * (False in decided)
    return "; ".join([*parts, "now: workers × threads of each"])


def hosts_answers(results: Results) -> Iterator[tuple[str, str]]:
    """Return what is to be known of single hosts."""
    for one in host_rows(results):
        if not one.failed and one.load >= BUSY:
            yield one.name, f"BUSY: other programs use {one.load:.1f} of {one.cpus} CPUs; believe no figure"
    unseen: dict[str, list[str]] = {}
    for one in host_rows(results):
        if one.note and one.held is None and one.attached is None:
            unseen.setdefault(one.note, []).append(one.name)
    for why, hosts in unseen.items():
        yield f"{share_note(results.gil)} on {_listed(hosts)}", why


def hosts_conclusion(results: Results) -> tuple[str, str]:
    """Return what to use on which hosts."""
    found = [one for one in host_rows(results) if not one.failed]
    uses: dict[str, list[str]] = {}
    for one in found:
        uses.setdefault(one.use, []).append(one.name)
    if not found or list(uses) == [""]:
        why = "use more --rounds, on hosts that are quiet" if found else "no host was measured"
        return "not decided", why
    layout = facts.ASKED.of(results.facts) == "layout"
    if len(uses) == 1:
        (use,) = uses
        return _what(use, layout), f"on {len(found)} of {len(hosts_of(results))} hosts"
    return "it depends on the host", "; ".join(
        f"{_what(use, layout)} on {_listed(hosts)}" for use, hosts in uses.items()
    )


def _listed(hosts: Sequence[str]) -> str:
    """Name some hosts, and count the rest."""
    more = len(hosts) - HOSTS_NAMED
    return ", ".join(hosts[:HOSTS_NAMED]) + (f" and {more} more" if more > 0 else "")


def _what(use: str, layout: bool) -> str:
    if not use:
        return "not decided"
    if not layout:
        return f"use {use}"
    processes, threads = use.split(" × ")
    return f"--nworkers {processes} --nthreads {threads}"
