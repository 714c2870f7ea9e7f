"""The answer in one sentence, for somebody in a hurry: what to use, and the figures that say so. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gilkit.studies.compare.advice import WORTHWHILE, instead_of_threads
from gilkit.studies.compare.causes import SCALING, Cause
from gilkit.studies.compare.figures import Evidence, surely_above
from gilkit.studies.compare.verdict import Verdict, surely_less

KEPT_BACK = {Cause.GIL, Cause.AGAIN, Cause.LOCK, Cause.SHARED}  # causes that processes may get round
USE = {
    Cause.SCALES: "use threads",
    Cause.WAITING: "use threads, as many as should wait at once",
    Cause.PARALLEL: "a call has threads of its own",
    Cause.SCHEDULER: "use threads, each on a CPU of its own",
    Cause.SHORT: "make calls longer",
    Cause.TRANSFER: "use processes only if the data stay in them",
    Cause.HARDWARE: "the hardware is the limit",
    Cause.BUSY: "not decided: the machine is too busy",
    Cause.NOT_DECIDED: "not decided",
    Cause.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class ToDo:
    """What to do, and the figures.

    Parameters
    ----------
    use : str
    figures : str
        Empty where there is none to be believed.
    """

    use: str
    figures: str = ""

    def __str__(self) -> str:
        return f"{self.use}: {self.figures}" if self.figures else self.use


def what_to_do(f: Evidence, verdict: Verdict) -> ToDo:
    """Return what to do with one kernel, function or statement."""
    use = _use(f, verdict)
    if verdict.cause in (Cause.FAILED, Cause.BUSY) or f.subject is None or f.workers < 2:
        return ToDo(use)
    does = [f"{f.workers} {f.name} do {f.subject:.2f}×"]
    if f.processes is not None:
        does.append(f"processes {f.processes:.2f}×")
    does += [f"{name} {one.speedup:.2f}×" for name, one in f.alike.items()]
    if f.sent is not None and verdict.cause in (*KEPT_BACK, Cause.TRANSFER, Cause.SHORT):
        does.append(f"processes that are sent their data {f.sent:.2f}×")
    return ToDo(use, f"{', '.join(does)} the work of one")


def _use(f: Evidence, verdict: Verdict) -> str:
    cause = verdict.cause
    if cause is Cause.PARALLEL:
        return f"{USE[cause]}: {verdict.advice}" if verdict.advice else USE[cause]
    if cause is Cause.SCALES and f.judged == "nogil":
        return "release the GIL and use threads"
    if cause is Cause.SCALES and f.shared is not None and surely_less(f.shared, f.subject):
        if f.culprit and f.culprit.guards:
            return f"use threads, and {f.culprit.advice}"
        own = f"a {f.culprit.name} of" if f.culprit else "what SETUP makes for"
        return f"use threads, each with {own} its own"
    if cause is Cause.AGAIN and not f.own:
        return "mend the nogil block, which takes the GIL again"
    if cause in KEPT_BACK:
        free = ", or release the GIL" if cause is Cause.GIL and f.judged == "gil" else ""
        if better := " or ".join(instead_of_threads(f)):
            return f"use {better}{free}"
        return "neither threads nor processes" if surely_above(f.to_processes, SCALING) else "not threads"
    if cause is Cause.SHORT and f.subject is not None and f.subject.low > WORTHWHILE:
        return "use threads, with longer calls"
    whichever = cause is Cause.NOT_DECIDED and verdict.between and set(verdict.between) <= KEPT_BACK
    if whichever and (better := " or ".join(instead_of_threads(f))):
        return f"use {better}, whatever keeps threads back"
    return USE[cause]


def by_use(answers: Iterable[tuple[str, ToDo]]) -> list[tuple[str, Sequence[str]]]:
    """Return each thing to do once, with the kernels that it is said of, in their order."""
    found: dict[str, list[str]] = {}
    for kernel, said in answers:
        found.setdefault(said.use, []).append(kernel)
    return list(found.items())
