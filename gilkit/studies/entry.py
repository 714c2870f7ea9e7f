"""What a study is: the entry that each has in the `__init__` of its folder."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt
    from rich.console import RenderableType

    from gilkit.display.data import Speedup
    from gilkit.results.file import Results


@dataclass(frozen=True, slots=True)
class Study:
    """One question that gilkit answers by measuring. Nothing of it is loaded before it is asked for.

    Parameters
    ----------
    name : str
        Its folder, its command, and its function in Python.
    outcome : str
        The class of what the function returns, to be had from its `study`.
    kind : str
        What its results files call themselves; empty where it leaves none.
    """

    name: str
    outcome: str
    kind: str = ""

    def load(self, suite: Any) -> Any:
        """Return the outcome that a pyperf suite was saved from."""
        return getattr(self._module("study"), self.outcome)(suite)

    def table(self, results: Results) -> RenderableType:
        """Return everything that there is to say of ``results``: pure."""
        from rich.console import Group

        from gilkit.display.gil_words import gil_remedy
        from gilkit.results import facts

        found: RenderableType = self._module("table").table(results)
        several = facts.PYTHONS.of(results.facts)  # the table says it of each
        more = [] if several else list(gil_remedy(results.facts))
        return Group(found, "", *more) if more else found

    def document(self, results: Results) -> dict[str, Any]:
        """Return the same as `table`, of what JSON can say: pure."""
        from gilkit.display.data import document

        findings = self._module("findings")
        return document(results, findings.findings(results), self.speedup)

    @property
    def speedup(self) -> Speedup | None:
        """What tells the speedup of a case, where the cases of this study have one."""
        found: Speedup | None = getattr(self._module("findings"), "speedup", None)
        return found

    def question(self, results: Results) -> str:
        """Return what ``results`` answer."""
        found: str = self._module("table").question(results)
        return found

    def answers(self, results: Results) -> list[tuple[str, str]]:
        """Return what the table says in words: of what, and what of it."""
        return list(self._module("table").answers(results))

    def chart(self, shown: Any) -> alt.LayerChart:
        """Return the picture of results, or of a history: pure. It takes the extra ``report``."""
        found: alt.LayerChart = self._module("chart").chart(shown)
        return found

    def _module(self, name: str) -> Any:
        return import_module(f"{__package__}.{self.name}.{name}")
