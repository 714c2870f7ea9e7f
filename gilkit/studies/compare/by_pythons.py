"""The same work on several interpreters: sets of fresh programs, in whose rounds each has its turn.

Every interpreter has a program of its own, which measures as it would alone. Only one of them computes at a
time, from its preparation on. Two programs of one interpreter may differ, too, by how their memory is laid
out; so each set is measured by programs that were started for it, and is an observation of its own.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gilkit.arguments import LARGEST_SEED
from gilkit.engine import scratch
from gilkit.engine.pools import Lab
from gilkit.engine.pythons import Elsewhere, Python, closing_all, found_pythons
from gilkit.engine.runner import Lane, Measured, Runner, exactly
from gilkit.engine.session import obtained
from gilkit.errors import NothingMeasuredError, ResultsError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.file import Results, save
from gilkit.results.loading import load
from gilkit.studies.compare.budget import OWN_PACE, QUICK_PACE, USUAL_PACE, Budget, targets
from gilkit.studies.compare.comparison import Comparison
from gilkit.studies.compare.merged import TurnSet, merged, plain_kernels, there
from gilkit.studies.compare.ranking import ranking

SETS_OF_PROGRAMS, TURNS_IN_A_SET = 6, 2  # at most; at least
TURNS_EACH, QUICK_TURNS = 12, 10  # rounds, by default
STARTING, TURNING = 2.5, 0.6  # seconds, about: to start and prepare; of a round. For the progress only
HASH_SEED = "PYTHONHASHSEED"


@dataclass(frozen=True, slots=True)
class Task:
    """What every interpreter is to measure.

    Parameters
    ----------
    study : str
        ``timeit`` or ``compare``.
    args, options : list, dict
        Of that function, of what JSON has.
    kernels : list of str
        The kernels or the statement, as tables call them.
    rounds : int or None
        None for the usual ones, as far as there is time.
    """

    study: str
    args: Sequence[Any]
    options: Mapping[str, Any]
    kernels: Sequence[str]
    rounds: int | None

    @property
    def quick(self) -> bool:
        """Whether there are to be few rounds."""
        return bool(self.options.get("quick"))

    @property
    def pace(self) -> Budget:
        """How long one interpreter may take."""
        return OWN_PACE if self.study == "timeit" else QUICK_PACE if self.quick else USUAL_PACE

    @property
    def variant(self) -> str:
        """What is judged, as far as that is known before."""
        return "function" if self.study == "timeit" else "nogil"


def listed(pythons: Iterable[str | os.PathLike[str]]) -> list[str | os.PathLike[str]]:
    """Return the interpreters that are named."""
    if isinstance(pythons, str | os.PathLike) or not isinstance(pythons, Iterable):
        raise TypeError(f"pythons must be a list of paths, not {type(pythons).__name__}")
    return list(pythons)


def by_pythons(
    given: Iterable[str | os.PathLike[str]],
    task: Task,
    runner: Runner,
    output: str | os.PathLike[str] | None,
) -> Comparison:
    """Measure a task on several interpreters, by turns.

    Raises
    ------
    TypeError, ValueError
        If one of them is no Python, or has not the same gilkit.
    """
    course = TurnCourse(found_pythons(given), task, runner, output)
    return obtained(Comparison, Lab(1), course.measure, course.suite, output)


def goals_of_sets(rounds: int) -> list[int]:
    """Return how many rounds there are to be after each set of programs."""
    return targets(rounds, max(1, min(SETS_OF_PROGRAMS, rounds // TURNS_IN_A_SET)))


class TurnCourse:
    """The course of such a comparison.

    Parameters
    ----------
    pythons : list of Python
    task : Task
    runner : Runner
    output : path or None
        Where what there is is written after every set.
    """

    def __init__(
        self,
        pythons: Sequence[Python],
        task: Task,
        runner: Runner,
        output: str | os.PathLike[str] | None,
    ) -> None:
        self.pythons = pythons
        self.task = task
        self.runner = runner
        self.rounds = task.rounds or (QUICK_TURNS if task.quick else TURNS_EACH)
        self.output = output
        self.sets: list[TurnSet] = []

    def measure(self, _: Lab) -> None:
        """Measure all sets."""
        runner = self.runner
        runner.begin()
        runner.say("starting the interpreters")
        patience = len(self.pythons) * self.task.pace.patience
        late = runner.clock() + patience
        goals, before, longest = goals_of_sets(self.rounds), 0, 0.0
        for number in itertools.count():
            begun = runner.clock()
            if self.task.rounds is None and number:
                until = late if self._decided() else late + patience  # for the fewest that decide anything
                if begun + longest > until:
                    break
            if number == len(goals):
                if self.task.rounds is not None or self._decided():
                    break
                goals.append(before + goals[0])  # for rounds that others disturbed
            sets_left = max(0, len(goals) - number - 1)
            later = TURNING * len(self._open()) * len(self.task.kernels) * max(0, goals[-1] - goals[number])
            runner.later = STARTING * len(self.pythons) * sets_left + runner.pace * later
            self._set(number, before, goals[number])
            longest = max(longest, runner.clock() - begun)
            before = goals[number]
            if self.output is not None:
                with suppress(ResultsError):  # told when all is saved
                    save(self.suite(), self.output)

    def _decided(self) -> bool:
        """Whether all that is compared, and was measured, has an interval."""
        try:
            results = Results(self.suite())
        except NothingMeasuredError:
            return True
        rankings = [ranking(results, kernel) for kernel in plain_kernels(results)]
        return all(
            ratio is not None and ratio.decided
            for r in rankings
            for top, bottom, ratio in r.compared
            if top in r.work and bottom in r.work
        )

    def _open(self) -> list[Python]:
        return [python for python in self.pythons if python.case not in self.runner.failures]

    def _set(self, number: int, before: int, goal: int) -> None:
        """Start a program in every interpreter, and let them measure their rounds by turns."""
        files = {p: scratch.folder() / f"turns-{number}-{place}.json" for place, p in enumerate(self.pythons)}
        programs: dict[str, Elsewhere] = {}
        runner, kernels = self.runner, len(self.task.kernels)

        def begin(python: Python) -> Measured:
            asked = self._asked(number, goal - before, files[python])
            programs[python.name] = program = Elsewhere(python, asked, self._environment(number))
            return _timed(program.begin)

        def rule(done: int, _: float) -> int:
            waiting = any(program.waits for program in programs.values())
            return max(done + 1, kernels * (goal - before)) if waiting else done

        def label(index: int, _: int, case: Case) -> str:
            of = kernels * max(goal, self.rounds)
            return f"{case.kernel}: round {before * kernels + index + 1} of {of}"

        try:
            with closing_all(programs):
                lanes = [Lane(python.case, partial(begin, python), STARTING) for python in self._open()]
                runner.rounds(lanes, exactly(1), lambda _, __, case: f"{case.kernel}: preparing", before)
                lanes = [
                    Lane(python.case, partial(_timed, programs[python.name].turn), TURNING)
                    for python in self._open()
                ]
                runner.rounds(lanes, rule, label, before)
                for python in self._open():
                    runner.attempt([python.case], programs[python.name].finish)
        finally:
            self.sets.append(TurnSet(before, self._found(files)))

    def _asked(self, number: int, rounds: int, file: Path) -> dict[str, Any]:
        seed = (self.runner.seed + number) % (LARGEST_SEED + 1)
        options = {**self.task.options, "rounds": rounds, "seed": seed, "output": str(file)}
        return {"study": self.task.study, "args": list(self.task.args), "options": options}

    def _environment(self, number: int) -> dict[str, str]:
        """Return more of the environment: one order of sets and dicts for all programs, as it costs, too."""
        if HASH_SEED in os.environ:
            return {}
        return {HASH_SEED: str((self.runner.seed + number) % (LARGEST_SEED + 1))}

    def _found(self, files: Mapping[Python, Path]) -> dict[str, Results]:
        """Return what the programs wrote down."""
        found = {}
        for python, file in files.items():
            if file.exists():
                try:
                    found[python.name] = load(file)
                except ResultsError as error:
                    self.runner.failures.setdefault(python.case, str(error))
                file.unlink()
        return found

    def suite(self) -> Any:
        """Return what was measured so far, of all interpreters."""
        failed = {
            Case(there(python.name, kernel), self.task.variant, "threads", 1): self.runner.failures[
                python.case
            ]
            for python in self.pythons
            if python.case in self.runner.failures
            for kernel in self.task.kernels
        }
        known = facts.SEED.entry(self.runner.seed)
        return merged([python.name for python in self.pythons], self.sets, known, failed)


def _timed(work: Callable[[], object]) -> Measured:
    begun = time.perf_counter()
    work()
    return Measured(time.perf_counter() - begun)
