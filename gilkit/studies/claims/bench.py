"""What an experiment on a claim works with, and where it leaves what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import count
from math import isnan
from typing import Any

from gilkit.engine.meter import Meter
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Lane, Measured, Runner, within
from gilkit.errors import CaseFailedError
from gilkit.kernels import KERNELS
from gilkit.results.case import Case, Record
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.results.windows import Window
from gilkit.studies.claims.builds import Build
from gilkit.workloads.workload import KernelCall, Workload

ROUNDS_TIME, QUICK_ROUNDS_TIME = 3.0, 0.45  # seconds for the rounds of an experiment
WINDOW = 0.05  # seconds of a window, at the least
WATCHED = 0.2  # seconds of each call under the monitor
BRIEFEST = 1e-9  # seconds that anything takes, for a ratio to be there

Key = tuple[str, str, int]  # what is measured, on which executor, by how many workers
Contestant = tuple[str, str, int, Workload]  # the same, and what the workers call


class Bench:
    """What an experiment works with, and where it leaves what it finds.

    Parameters
    ----------
    claim : str
        Whose experiment it is.
    lab : Lab
    cpus : int
        CPUs that may be used.
    quick : bool
        Whether less time is given, for less certainty.
    runner : Runner
        For its interleaved rounds.
    other : Build, optional
        Another interpreter, which the reader named.

    Attributes
    ----------
    facts : dict
        What is found beside seconds, as in `Figures`.
    """

    def __init__(
        self, claim: str, lab: Lab, cpus: int, quick: bool, runner: Runner, other: Build | None = None
    ) -> None:
        self.claim = claim
        self.lab = lab
        self.cpus = cpus
        self.quick = quick
        self.runner = runner
        self.other = other
        self.facts: dict[str, Any] = {}

    @property
    def series(self) -> dict[Key, dict[int, float]]:
        """Seconds by round, as in `Figures`."""
        return {(c.variant, c.executor, c.workers): r.rounds() for c, r in self.runner.records.items()}

    @property
    def counts(self) -> list[int]:
        """Worker counts from 1 to 2 × CPUs: 1, all CPUs, and twice as many."""
        return sorted({1, self.cpus, 2 * self.cpus})

    def say(self, label: str) -> None:
        """Tell what is measured next."""
        self.runner.say(label)

    def note(self, seconds: float, variant: str, executor: str = "threads", workers: int = 1) -> None:
        """Keep what something took."""
        case = Case(self.claim, variant, executor, workers)
        record = self.runner.records.setdefault(case, Record(case))
        record.add(len(record.ids), max(seconds, BRIEFEST))

    def found(self, name: str, value: Any) -> None:
        """Keep what was found once more."""
        self.facts.setdefault(name, []).append(value)

    def rounds(
        self,
        lanes: Mapping[Key, Callable[[], float | Window]],
        least: int = FEWEST_ROUNDS,
        budget: float = 0.0,
    ) -> None:
        """Measure lanes in interleaved rounds, for as long as there is time, and keep their seconds.

        Parameters
        ----------
        lanes : mapping of (str, str, int) to callable
            Each returns the seconds that it measured, or a window.
        least : int
            Rounds; up to twice as many where others disturbed some of them, which do not count.
        budget : float
            Seconds; 0 for what an experiment has by default.

        Raises
        ------
        CaseFailedError
            If a lane fails.
        """
        rule = within(budget or (QUICK_ROUNDS_TIME if self.quick else ROUNDS_TIME), least)
        runner = self.runner

        def planned(done: int, spent: float) -> int:
            if runner.failures:
                return done
            wanted = rule(done, spent)
            short = done < 2 * least and any(len(values) < least for values in self.series.values())
            return max(wanted, done + 1) if short and done else wanted

        def measured(measure: Callable[[], float | Window]) -> Measured:
            found = measure()
            if isinstance(found, Window):
                return Measured(found.value, window=found)
            return Measured(max(found, BRIEFEST))

        runner.rounds(
            [Lane(Case(self.claim, *key), partial(measured, measure)) for key, measure in lanes.items()],
            planned,
            lambda index, *_: f"round {index + 1}",
        )
        if runner.failures:
            raise CaseFailedError(next(iter(runner.failures.values())))

    def repeat(self, lanes: Mapping[str, Callable[[], object]], rounds: int) -> None:
        """Do each of these once in so many interleaved rounds, and keep how long it took.

        Raises
        ------
        CaseFailedError
            If one fails.
        """

        def timed(do: Callable[[], object]) -> float:
            begin = self.runner.clock()
            do()
            return self.runner.clock() - begin

        self.rounds(
            {(name, "programs", 1): partial(timed, do) for name, do in lanes.items()}, rounds, BRIEFEST
        )

    def compare(self, contestants: Iterable[Contestant]) -> None:
        """Measure workloads on executors, in interleaved rounds, as `gilkit.compare` does.

        Parameters
        ----------
        contestants : iterable of (str, str, int, Workload)
            What it is called, on which executor, by how many workers, and what; one worker alone is added.
        """
        every: dict[Key, Workload] = {}
        for variant, executor, workers, workload in contestants:
            every.setdefault((variant, executor, 1), workload)
            every[variant, executor, workers] = workload
        self.say("calibrating")
        meter, turns = Meter(self.lab, WINDOW, self.cpus, self.runner.random), count()
        for (_, executor, _), workload in every.items():
            meter.pace(executor, workload)
        self.rounds({key: partial(self._window, meter, key, every[key], turns) for key in every})

    def watch(self, calls: Mapping[str, Workload]) -> None:
        """Find out for what share of each call it holds the GIL: ``held``, and a ``note`` where not.

        Where there is no GIL it is the share for which the call's thread stays attached.
        """
        held: dict[str, list[float | None]] = {}
        note = ""
        for name, call in calls.items():
            self.say(f"watching {name}")
            share = self.lab.watch(call, WATCHED).share
            held[name] = [known(share), known(share.error)]
            note = note or share.note
        self.facts.update(held=held, note=note)

    def _window(self, meter: Meter, key: Key, workload: Workload, turns: Iterator[int]) -> Window:
        found = meter.window(key[1], workload, key[2], next(turns))
        self.found("cpu " + "/".join(map(str, key)), found.cpu)
        return found


def known(figure: float) -> float | None:
    """Return a figure as `Bench.facts` can hold it: None for what was not told."""
    return None if isnan(figure) else float(figure)


def kernel_call(name: str, variant: str) -> KernelCall:
    """Return a call of a kernel's variant, of its usual size."""
    return KernelCall(name, variant, KERNELS[name].default_size(variant))


def of_lcg(cpus: int, *pairs: tuple[str, str]) -> list[Contestant]:
    """Return contestants of `lcg`, for variants on executors, with a worker a CPU."""
    return [(variant, executor, cpus, kernel_call("lcg", variant)) for variant, executor in pairs]
