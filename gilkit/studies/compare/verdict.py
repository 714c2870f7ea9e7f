"""Verdicts: from evidence to the first cause that it shows, or to those that it cannot tell apart. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isnan

from gilkit.display.units import rounded
from gilkit.engine.worker import MANY_THREADS
from gilkit.gil.law import behaviour
from gilkit.results.file import Results
from gilkit.results.stats import FEWEST_ROUNDS, Estimate
from gilkit.studies.compare import gil_causes, other_causes
from gilkit.studies.compare.advice import PIN, processes, surely_better
from gilkit.studies.compare.causes import SCALING, Cause, Clue, beside_what, changing_words, said, shown, stop
from gilkit.studies.compare.contrast import Contrast, contrast, instead, several_own, winner
from gilkit.studies.compare.evidence import evidence
from gilkit.studies.compare.figures import Evidence, surely_above
from gilkit.studies.compare.gil_causes import certain_words, law_words, reach
from gilkit.studies.compare.merged import part, several_pythons, there
from gilkit.workloads.suspects import CHANGES

__all__ = ["Cause", "Verdict", "judge", "verdicts"]

LITTLE_CEILING = 1.1  # the ceiling up to which nothing can scale
ABOVE_CEILING = 2.0  # times it, from which threads contradict it: what siblings of a core can do, to one
LITTLE_SHARE = 0.25  # of its CPUs that the machine gives, below which it is busy or limited
FEWEST_CLEAN = 8  # undisturbed rounds, of many, with fewer of which the machine is too busy
FEWEST_STEADY = 3.5  # calls of each worker in a window (about four), with fewer of which nothing is decided
AGAIN_QUIET = "run it again on a quiet machine"
FINDERS = (
    other_causes.parallel,
    other_causes.waiting,
    other_causes.scales,
    gil_causes.gil,
    other_causes.scheduler,
    other_causes.lock,
    other_causes.shared_memory,
    other_causes.hardware,
)
BY_PROCESSES = {Cause.GIL, Cause.AGAIN, Cause.LOCK, Cause.SHARED}  # causes that processes get round


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why threads scale or do not, with the figures that show it, and what to do.

    Parameters
    ----------
    cause : Cause
    why : str
        The figures.
    advice : str
    between : tuple of Cause
        The causes that the figures cannot tell apart, where it is not decided between some.
    notes : tuple of str
        What else is to be said, each a line.
    """

    cause: Cause
    why: str
    advice: str
    between: tuple[Cause, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """The cause in words, or those that it lies between."""
        if not self.between:
            return self.cause.value
        *most, last = (f"“{cause.value}”" for cause in self.between)
        return f"{self.cause.value} between {', '.join(most)} and {last}"

    def __str__(self) -> str:
        head = ": ".join(part for part in (self.head, self.why) if part)
        return head + (f" → {self.advice}" if self.advice else "")


def judge(f: Evidence) -> Verdict:
    """Return the verdict on threads: what forbids one comes first, then the causes in their order."""
    return next(found for find in (*BARS, _decided) if (found := find(f)))


def _unmeasured(f: Evidence) -> Verdict | None:
    """There is nothing to be judged."""
    if f.subject is None or f.limit is None:
        return _undecided(said("threads were not measured beside a ceiling", certain_words(f)), "")
    if f.workers < 2:
        return _undecided(said("one worker shows no scaling", certain_words(f)), "use --workers 2 or more")
    return None


def _one_cpu(f: Evidence) -> Verdict | None:
    """There is one CPU: that is certain on a busy machine, and of one round, too."""
    if f.cpus > 1 or f.waits or f.subject is None or _beyond(f.subject, 1.0):
        return None
    why = said("nothing can scale here: one CPU", certain_words(f))
    return Verdict(Cause.HARDWARE, why, "use a machine with more CPUs")


def _beyond(threads: Estimate, little: float) -> bool:
    """Whether threads do more than where nothing can scale."""
    return (threads.low if threads.decided else float(threads)) > LITTLE_CEILING * little


def _busy(f: Evidence) -> Verdict | None:
    """Others took the machine: what was seen of the GIL is certain all the same."""
    if f.clean >= min(FEWEST_CLEAN if f.tried > 2 * FEWEST_CLEAN else FEWEST_ROUNDS, f.tried):
        return None
    why = f"the machine is too busy: {f.clean} of {f.tried} rounds were undisturbed"
    return Verdict(Cause.BUSY, said(why, certain_words(f)), AGAIN_QUIET)


def _changing(f: Evidence) -> Verdict | None:
    """SETUP adds to what is shared: threads do more work the more of them ran it."""
    if f.slower < CHANGES:
        return None
    why = said(changing_words(f.slower, f.workers), certain_words(f))
    return _undecided(why, "let SETUP add to what is shared only once")


def _unsteady(f: Evidence) -> Verdict | None:
    """Windows hold too few calls, or there are too few of them."""
    assert f.subject is not None
    if f.steady < FEWEST_STEADY:
        why = f"{f.name} do {shown(f.subject)}, but of {rounded(f.steady)} calls in a window: not steady"
        return _undecided(said(why, certain_words(f)), "use more time, or shorter calls")
    if isnan(f.subject.low) or isnan(f.subject.high):
        why = f"{f.name} reach {shown(f.subject)}: too few rounds for an interval"
        return _undecided(said(why, certain_words(f)), "use --rounds 8 or more")
    return None


def _nowhere(f: Evidence) -> Verdict | None:
    """The machine itself gives next to nothing to more workers, and threads do no more than it."""
    if f.waits or f.ceiling is None or f.subject is None:
        return None
    if _beyond(f.subject, max(f.ceiling, 1.0)):
        return None
    does = f"{f.workers} workers do {shown(f.ceiling)} the work of one on plain arithmetic"
    if f.ceiling <= LITTLE_CEILING:
        why = said(f"nothing can scale here: {does}", certain_words(f))
        return Verdict(Cause.HARDWARE, why, "look for a limit on CPUs, or who else uses them")
    if f.ceiling < LITTLE_SHARE * f.busy_cpus:
        why = f"{does}, with {f.cpus} CPUs: the machine is limited or busy; {beside_what(f)}"
        return _undecided(said(why, certain_words(f)), AGAIN_QUIET)
    return None


def _contradicting(f: Evidence) -> Verdict | None:
    """Threads reach what the law of the GIL forbids, or the machine: something disturbed one of both."""
    if surely_above(f.to_limit, ABOVE_CEILING) and f.subject is not None and f.subject.low <= f.cpus:
        return _undecided(f"{beside_what(f)}: so these figures contradict each other", AGAIN_QUIET)
    found = reach(f)
    if found is None or f.subject is None or f.inside > MANY_THREADS or not found.forbids(f.subject.low):
        return None
    why = said(beside_what(f), f"{law_words(f)}, so these figures contradict each other")
    return Verdict(Cause.NOT_DECIDED, why, AGAIN_QUIET, (Cause.SCALES, Cause.GIL))


BARS = (_unmeasured, _one_cpu, _changing, _busy, _unsteady, _nowhere, _contradicting)


def _decided(f: Evidence) -> Verdict:
    """Return the first cause that is certain, if none before it is possible; or that it is not decided."""
    possible: list[Clue] = []
    for clue in filter(None, (find(f) for find in FINDERS)):
        if not clue.certain:
            possible.append(clue)
        elif not possible:
            return Verdict(clue.cause, clue.why, clue.advice, notes=notes(f))
        else:
            possible.append(clue)
            break
    return _open(f, possible)


def _open(f: Evidence, possible: list[Clue]) -> Verdict:
    """Say what it lies between, and what is known all the same."""
    assert f.subject is not None
    causes = tuple(dict.fromkeys(clue.cause for clue in possible))
    why = beside_what(f)
    if f.to_limit is not None and not stop(f) and f.to_limit.low < SCALING:
        why += f": {f.to_limit.low:.0%} to {f.to_limit.high:.0%} of what they could reach"
    if stop(f) and len(causes) < 2:
        why += f": perhaps {causes[0].value}" if causes else ": no cause fits"
    advice = AGAIN_QUIET + ", with more --rounds"
    if f.own and set(causes) & BY_PROCESSES and set(causes) <= BY_PROCESSES and surely_better(f):
        advice = f"{processes(f)}, whichever it is"
    elif Cause.SHORT in causes and stop(f):
        advice = said(*(clue.advice for clue in possible))
    between = causes if len(causes) > 1 else ()
    return Verdict(Cause.NOT_DECIDED, said(why, law_words(f)), advice, between, notes(f))


def notes(f: Evidence) -> tuple[str, ...]:
    """Return what else is certain: of threads left to the scheduler, and of those that share a setup."""
    return tuple(line for line in (_left_to_the_scheduler(f), _sharing(f)) if line)


def _left_to_the_scheduler(f: Evidence) -> str:
    if f.unpinned is None or not surely_less(f.unpinned, f.subject):
        return ""
    waits = f", and wait for a CPU for {f.unpinned_delay:.0%} of their time" if f.unpinned_delay else ""
    return f"left to the scheduler, threads reach {shown(f.unpinned)}{waits}: {PIN}"


def _sharing(f: Evidence) -> str:
    if f.shared is None or not surely_less(f.shared, f.subject):
        return ""
    what = f.culprit.name if f.culprit else "one setup"
    advice = f.culprit.advice if f.culprit and f.culprit.guards else "give each its own"
    more = "threads with their own stop for another reason" if f.culprit and stop(f) else ""
    return said(f"threads that share {what} reach {shown(f.shared)}: {advice}", more)


def surely_less(a: Estimate, b: Estimate | None) -> bool:
    return b is not None and a < SCALING * b and a.high < b.low


def _undecided(why: str, advice: str) -> Verdict:
    return Verdict(Cause.NOT_DECIDED, why, advice)


def verdicts(results: Results) -> Iterator[tuple[str, Verdict]]:
    """Yield every kernel with its verdict; of statements beside one another, as these show it."""
    if several_pythons(results):
        for python in several_pythons(results):
            alone = part(results, python)
            own = (kernel for kernel in alone.kernels if kernel.startswith(there(python, "")))
            yield from ((kernel, _verdict(alone, kernel)) for kernel in own)
        return
    found = {kernel: _verdict(results, kernel) for kernel in results.kernels}
    yield from (in_agreement(found, contrast(results)) if several_own(results) else found).items()


def _verdict(results: Results, kernel: str) -> Verdict:
    reasons = [reason for case, reason in results.failures.items() if case.kernel == kernel]
    if reasons and not any(c.kernel == kernel and c.variant != "ceiling" for c in results):
        return Verdict(Cause.FAILED, reasons[0], "")
    return judge(evidence(results, kernel))


def in_agreement(found: Mapping[str, Verdict], c: Contrast) -> dict[str, Verdict]:
    """Return the verdicts in agreement with what is concluded: where one wins, the others lose to it.

    Alone, a call that holds the GIL throughout is too short if sending it costs more than processes gain.
    Beside one that does more on threads it is the GIL that keeps it back.
    """
    told, best = dict(found), winner(c)
    for letter, name in c.names.items():
        if best is None or letter == best or name not in found or found[name].cause is Cause.FAILED:
            continue
        throughout = letter in c.held and behaviour(c.held[letter]) == "holds"
        cause = Cause.GIL if found[name].cause is Cause.SHORT and throughout else found[name].cause
        told[name] = replace(found[name], cause=cause, advice=instead(c, best, letter))
    return told
