"""Pages from what the program has: its registries, its public names, its commands.

Nothing of it is listed in a page by hand: what is new in a registry is in the site with the next build.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from importlib import import_module
from textwrap import dedent
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

PACKAGE = "gilkit"

# Where things are: the one place to change when they move.
PLACES = {
    "command line": "gilkit.cli.group:command",
    "kernels": "gilkit.kernels:KERNELS",
    "executors": "gilkit.engine.executors:EXECUTORS",
    "constants": "gilkit.studies.costs.constants:CONSTANTS",
    "claims": "gilkit.studies.claims.registry:CLAIMS",
    "columns": "gilkit.studies.scaling.columns:COLUMNS",
    "facts": "gilkit.results.facts:FACTS",
    "fixture": "gilkit.pytest_plugin:Gil",
    "assert_releases": "gilkit.gil.assertions:assert_releases",
    "assert_holds_at_most": "gilkit.gil.assertions:assert_holds_at_most",
    "assert_same_under_threads": "gilkit.gil.same_results:assert_same_under_threads",
}

# What results are made of: types that one reads, and does not make.
PARTS = [
    "gilkit.studies.outcome.Report",
    "gilkit.studies.outcome.Outcome",
    "gilkit.display.progress.Progress",
    "gilkit.studies.beside.figures.Side",
    "gilkit.studies.beside.figures.Late",
    "gilkit.studies.beside.verdict.Ruled",
    "gilkit.studies.map.figures.MapAnswer",
    "gilkit.studies.map.figures.Measure",
    "gilkit.studies.map.names.Way",
    "gilkit.studies.map.phases.Phases",
    "gilkit.studies.map.verdict.Paying",
    "gilkit.studies.layout.splits.Split",
    "gilkit.studies.layout.figures.Standing",
    "gilkit.studies.layout.verdict.SplitChoice",
    "gilkit.studies.layout.hosts.HostRow",
    "gilkit.studies.threshold.crossing.Crossing",
    "gilkit.studies.threshold.crossing.Point",
    "gilkit.studies.claims.claim.Finding",
    "gilkit.studies.claims.claim.Ruling",
    "gilkit.studies.timeline.history.Span",
    "gilkit.studies.timeline.history.WorkerHold",
    "gilkit.studies.stalls.watched.Watched",
    "gilkit.studies.modules_report.ImportedModule",
    "gilkit.gil.places.CodePlace",
    "gilkit.gil.places.StalledLine",
    "gilkit.gil.share.Share",
    "gilkit.gil.holds.Hold",
    "gilkit.gil.pauses.Pause",
    "gilkit.gil.threads.ThreadId",
]

ERRORS = "gilkit.errors"
CAUGHT = {"CaseFailedError", "LateError"}  # by gilkit itself: a case that failed is told in its row


def found(what: str) -> Any:
    """Return the object that is called so in PLACES."""
    module, _, name = PLACES[what].partition(":")
    return getattr(import_module(module), name)


def dotted(what: str) -> str:
    """Return where an object of PLACES is, as Python writes it."""
    return PLACES[what].replace(":", ".")


Row = tuple[str, ...]


def _kernels() -> Iterator[Row]:
    yield "kernel", "what it does", "limited by", "a call", "not in"
    for name, kernel in found("kernels").items():
        about = inspect.cleandoc(kernel.__doc__).split("\n", 1)[0]
        size = f"{kernel.size:,} {kernel.unit}"
        lacks = ", ".join(f"`{variant}`" for variant in kernel.missing)
        yield f"[`{name}`](#gilkit.kernels.{name})", about, kernel.limit, size, lacks


def _executors() -> Iterator[Row]:
    yield "executor", "what runs a worker"
    for name, kind in found("executors").items():
        yield f"`{name}`", kind.about


def _constants() -> Iterator[Row]:
    yield "constant", "what is measured"
    names: dict[str, list[str]] = {}  # those that differ in size only share a row
    for name, constant in found("constants").items():
        names.setdefault(constant.about, []).append(f"`{name}`")
    for about, alike in names.items():
        yield ", ".join(alike), about


def _columns() -> Iterator[Row]:
    yield "column", "who does what"
    for name, column in found("columns").items():
        yield f"`{name}`", column.about


def _claims() -> Iterator[Row]:
    yield "name", "what people say"
    for name, claim in found("claims").items():
        yield f"`{name}`", f"“{claim.sentence}”"


def _facts() -> Iterator[Row]:
    yield "key", "type", "what it says"
    for fact in found("facts").values():
        yield f"`{fact.key}`", fact.type_name, fact.about


TABLES: dict[str, Callable[[], Iterator[Row]]] = {
    "kernels": _kernels,
    "executors": _executors,
    "constants": _constants,
    "columns": _columns,
    "claims": _claims,
    "facts": _facts,
}


class RegistryTable(SphinxDirective):
    """A table of a registry, in a page of Markdown: ``{registry} kernels``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the table, and have it read as if it stood in the page."""
        self.env.note_reread()  # with every build: the registry may have changed, though the page has not
        head, *rows = TABLES[self.arguments[0]]()
        lines = [_line(head), _line("---" for _ in head), *map(_line, rows)]
        return self.parse_text_to_nodes("\n".join(lines))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


class Methods(SphinxDirective):
    """How every claim is put to the test, in a page of Markdown: from the docstrings of the experiments."""

    def run(self) -> list[nodes.Node]:
        """Write a list of definitions."""
        self.env.note_reread()  # with every build: the registry may have changed, though the page has not
        items = []
        for name, claim in found("claims").items():
            text = " ".join(inspect.cleandoc(claim.experiment.__doc__ or "").split())
            items.append(f"`{name}`: “{claim.sentence}”\n: {text}\n")
        return self.parse_text_to_nodes("\n".join(items))


class Restructured(SphinxDirective):
    """What is written in reStructuredText, which autodoc speaks: stands within ``{eval-rst}``."""

    def lines(self) -> Iterable[str]:
        """Return what to write."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Have it read in place."""
        self.env.note_reread()  # with every build: the registry may have changed, though the page has not
        lines = StringList()
        for line in self.lines():
            lines.append(line, PACKAGE)
        node = nodes.section()
        node.document = self.state.document
        self.state.nested_parse(lines, self.content_offset, node)
        return node.children


def _entries(sort: str, names: Iterable[str], *options: str) -> Iterator[str]:
    """Return a table of names, and an entry for each."""
    names = list(names)
    yield from (".. autosummary::", "   :nosignatures:", "")
    yield from (f"   {name}" for name in names)
    yield ""
    for name in names:
        yield f".. auto{sort}:: {name}"
        yield from (f"   :{option}:" for option in options)
        if sort == "class" and _is_enum(name):
            yield "   :undoc-members:"  # its values
        yield ""


def _is_enum(name: str) -> bool:
    module, _, last = name.rpartition(".")
    return issubclass(getattr(import_module(module), last), Enum)


class PublicNames(Restructured):
    """The documentation of the public names of a sort: ``function``, ``class`` or ``data``."""

    required_arguments = 1

    def lines(self) -> Iterable[str]:
        """Return a table of them, and an entry for each."""
        package = import_module(PACKAGE)
        sort = self.arguments[0]
        names = [n for n in package.__all__ if _sort(getattr(package, n)) == sort and not n.startswith("__")]
        if sort == "data":  # which have no docstrings: what they are stands beside them
            for name in names:
                yield from (f".. py:data:: {PACKAGE}.{name}", "")
            return
        yield from _entries(
            sort, (f"{PACKAGE}.{name}" for name in names), *(["members"] if sort == "class" else [])
        )


def _sort(thing: Any) -> str:
    if inspect.isclass(thing):
        return "exception" if issubclass(thing, BaseException) else "class"
    return "function" if callable(thing) else "data"


class Parts(Restructured):
    """The documentation of what results are made of."""

    def lines(self) -> Iterable[str]:
        """Return a table of PARTS, and an entry for each."""
        return _entries("class", PARTS, "members")


class Errors(Restructured):
    """The documentation of the errors that gilkit raises: all of their module but those that it catches."""

    def lines(self) -> Iterable[str]:
        """Return a table of them, and an entry for each, in the order of the module."""
        classes = (n for n, thing in vars(import_module(ERRORS)).items() if _is_own_error(thing))
        return _entries(
            "exception", (f"{ERRORS}.{n}" for n in classes if n not in CAUGHT), "show-inheritance"
        )


def _is_own_error(thing: Any) -> bool:
    return inspect.isclass(thing) and issubclass(thing, BaseException) and thing.__module__ == ERRORS


class KernelDocs(Restructured):
    """The documentation of every kernel, each with its variants."""

    def lines(self) -> Iterable[str]:
        """Return an entry for each: their docstrings are those of the plain Python references."""
        for name, kernel in found("kernels").items():
            yield from (f".. py:data:: {name}", "   :module: gilkit.kernels", "")
            lacks = [f"no ``{variant}``: {reason}" for variant, reason in kernel.missing.items()]
            text = inspect.cleandoc(kernel.__doc__)
            yield from (f"   {line}" for line in self._processed(f"gilkit.kernels.{name}", kernel, text))
            yield ""
            if lacks:
                yield f"   Variants: {'; '.join(lacks)}."
                yield ""

    def _processed(self, name: str, kernel: Any, text: str) -> list[str]:
        """Return a docstring as numpydoc makes it, which listens to autodoc's event."""
        lines = dedent(text).splitlines()
        self.env.app.emit("autodoc-process-docstring", "data", name, kernel, None, lines)
        return lines


class FixtureDocs(Restructured):
    """The documentation of the fixture, and of the functions behind it."""

    def lines(self) -> Iterable[str]:
        """Return the class of the fixture, then each function."""
        yield f".. autoclass:: {dotted('fixture')}"
        yield "   :members:"
        yield ""
        for what in PLACES:
            if what.startswith("assert_"):
                module, _, name = dotted(what).rpartition(".")
                yield f".. autofunction:: {module}.{name}"
                yield ""
                yield f"   Outside pytest: ``from {module} import {name}``."
                yield ""


class Commands(Restructured):
    """The command line, from the commands themselves."""

    def lines(self) -> Iterable[str]:
        """Return sphinx-click's directive."""
        yield f".. click:: {PLACES['command line']}"
        yield f"   :prog: {PACKAGE}"
        yield "   :nested: full"


def mark_parameters(_: Sphinx, __: str, ___: str, thing: Any, ____: Any, lines: list[str]) -> None:
    """Set what a docstring says of its own parameters as code: single backticks would name an object."""
    thing = getattr(thing, "python", thing)  # a kernel's arguments are those of its reference
    try:
        own = set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        own = set()
    own |= set(getattr(thing, "__annotations__", ()))  # and attributes of a class
    if own:
        name = re.compile(rf"(?<![`:])`({'|'.join(map(re.escape, own))})`(?!`)")
        lines[:] = [name.sub(r"``\1``", line) for line in lines]


def find_by_last_name(app: Sphinx, env: BuildEnvironment, node: Any, shown: Any) -> nodes.Node | None:
    """Let a docstring name an object by its last name alone, where one documented object has that name."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or "." in target:
        return None
    sorts = {"class", "exception", "function"}
    objects = env.get_domain("py").get_objects()
    places = {
        (doc, anchor)
        for name, _, sort, doc, anchor, _ in objects
        if sort in sorts and name.endswith(f".{target}")
    }
    if len(places) != 1:
        return None
    doc, anchor = places.pop()
    return make_refnode(app.builder, node["refdoc"], doc, anchor, shown, target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives, and mend the references of docstrings."""
    app.connect("autodoc-process-docstring", mark_parameters, priority=400)  # before numpydoc
    app.connect("missing-reference", find_by_last_name)
    app.add_directive("registry", RegistryTable)
    app.add_directive("methods", Methods)
    app.add_directive("public-names", PublicNames)
    app.add_directive("result-parts", Parts)
    app.add_directive("errors", Errors)
    app.add_directive("kernel-docs", KernelDocs)
    app.add_directive("fixture-docs", FixtureDocs)
    app.add_directive("command-line", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
