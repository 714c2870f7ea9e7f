"""Figures of claims, made up, and what follows from them."""

from __future__ import annotations

from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.claims.builds import Build
from gilkit.studies.claims.claim import Figures, Ruling
from gilkit.studies.claims.on_free_threads import OBJECTS, PAIRS, SHARED_BY_ALL
from gilkit.studies.claims.on_holding import BEHIND, COLLECTIONS, IN_C

HOLDS, REFUTED, DEPENDS, UNDECIDED = Ruling
Series = dict[tuple[str, str, int], dict[int, float]]
ROUNDS = FEWEST_ROUNDS  # fewer have no interval


def rounds(*values: float) -> dict[int, float]:
    """Values by round."""
    return dict(enumerate(values))


def scaled(variant: str, executor: str, gain: float, workers: int = 2) -> Series:
    """Rounds in which so many workers do ``gain`` times the work of one."""
    alone = [1.0, 1.01, 0.99, 1.0, 1.02, 1.0]
    several = [value * workers / gain for value in alone]
    return {(variant, executor, 1): rounds(*alone), (variant, executor, workers): rounds(*several)}


def wild(variant: str, executor: str, workers: int = 2) -> Series:
    """Rounds that leave everything open."""
    several = rounds(2.2, 0.9, 1.5, 2.0, 1.0, 1.6)
    return {(variant, executor, 1): rounds(*[1.0] * ROUNDS), (variant, executor, workers): several}


def flat(**seconds: float) -> Series:
    """Rounds that all take the same, of `variant__executor__workers`, in which _ stands for -."""
    found = {}
    for name, value in seconds.items():
        variant, executor, workers = name.split("__")
        found[variant.replace("_", "-"), executor, int(workers)] = rounds(*[value] * ROUNDS)
    return found


def turned(cpu: float, more: float = 0.0) -> dict[str, object]:
    turns = {"note": "", "held": 0.99, "holders": 2, "turn": 0.005}
    return {
        "cpu python/threads/2": [cpu] * ROUNDS,
        "cpu python/threads/4": [more or cpu] * ROUNDS,
        "turns": turns,
    }


def used(threads: float, processes: float) -> dict[str, object]:
    return {"cpu python/threads/4": [threads] * ROUNDS, "cpu python/processes/4": [processes] * ROUNDS}


def late(gil: bool = True, **seconds: float) -> Figures:
    every = {what: 0.001 for what in BEHIND if not gil or what not in COLLECTIONS}
    every |= {name.replace("_", "-"): value for name, value in seconds.items()}
    known = {f"{kind} {name}": [value] for name, value in every.items() for kind in ("p50", "max")}
    series = {(name, "threads", 1): rounds(*[value] * ROUNDS) for name, value in every.items()}
    return Figures(series, known, gil=gil)


def held(
    sort: float, objects: float | None, error: float | None = 0.001, note: str = "", gil: bool = True
) -> Figures:
    series = scaled("np.sort", "threads", 1.9) | scaled("np.sqrt", "threads", 1.9)
    series |= scaled("objects", "threads", 1.0)
    shares = {
        "np.sort": [sort, error],
        "np.sqrt": [sort, error],
        "objects": [objects, error],
    }
    return Figures(series, {"held": shares, "note": note}, gil=gil)


def in_c(share: float | None, error: float | None = 0.001, note: str = "") -> Figures:
    """Shares of calls that run no bytecode, between those of a loop in Python and of one that releases."""
    shares = {"python": [1.0, 0.0], **{name: [share, error] for name in IN_C}, "released": [0.0, 0.0]}
    return Figures({}, {"held": shares, "note": note})


def jobs(**gains: list[float]) -> Figures:
    """Threads' time by processes', round by round, for jobs of so many milliseconds."""
    found = {str(int(ms[1:]) / 1000): [[gain, 1.0] for gain in rounds] for ms, rounds in gains.items()}
    return Figures({}, {"jobs": found})


def crashed(thread: int = -11, other: str = "well", pool: str = "BrokenProcessPool") -> Figures:
    known = {
        "thread": {"status": thread},
        "process": {"status": 0, "crashed": -11, "other": other},
        "pool": {"status": 0, "crashed": "BrokenProcessPool", "other": pool},
    }
    return Figures({}, known)


def killed(kill: float, ended: float) -> Figures:
    known: dict[str, object] = {"length": 10.0, "terminate": [kill] * ROUNDS, "kill": [kill] * ROUNDS}
    for variant in ("gil", "nogil"):
        known |= {f"noticed {variant}": [0.1] * ROUNDS, f"ended {variant}": [ended] * ROUNDS}
    return Figures({}, known)


def raced(threads: int, locked: int = 0) -> Figures:
    sums = {"threads": threads, "threads, locked": locked, "processes": 5, "pool": 0}
    return Figures({}, {name: [[1000, 1000 - lost]] for name, lost in sums.items()})


def leaked(thread: float, process: float) -> Figures:
    return Figures({}, {"thread": [thread * 32e6] * ROUNDS, "process": [process * 32e6] * ROUNDS})


def copied(before: float, again: bool = True) -> Figures:
    return Figures({}, {"fork": [[before, 33e6, False]] * ROUNDS, "spawn": [[9e6, 9e6, again]] * ROUNDS})


def shared(ours: bool, theirs: bool) -> Figures:
    thread = {"address": True, "ours": True, "theirs": True, "block": True, "copied": 0}
    process = {"address": False, "ours": ours, "theirs": theirs, "block": True, "copied": 10**6}
    return Figures({}, {"thread": thread, "process": process})


def six(*processes: float, threads: float = 1.0, gil: bool = True) -> Figures:
    """Primes: these rounds of the processes, where one worker takes a second."""
    rest = flat(python__serial__1=1.0, python__threads__2=threads, gil__serial__1=0.1, gil__threads__2=0.1)
    rest |= flat(nogil__serial__1=0.1, nogil__threads__2=0.05)
    return Figures(rest | {("python", "processes", 2): rounds(*processes)}, {"numbers": 6}, gil=gil)


def bodies(gil: float, nogil: float, with_gil: bool = True) -> Figures:
    """What two threads do with one compiled body, as it keeps the GIL and as it releases it."""
    return Figures(scaled("gil", "threads", gil) | scaled("nogil", "threads", nogil), gil=with_gil)


def reading(own: float = 1.95, **shared: float) -> Figures:
    """What threads do that read objects of their own, or those that all share: by default without a loss."""
    series: Series = {}
    for name in OBJECTS:
        series |= scaled(name, "threads", own)
        series |= scaled(name + SHARED_BY_ALL, "threads", shared.get(name, 1.95))
    return Figures(series, gil=False)


def built(version: str = "3.13.1", gil: bool = True, free: bool = False, compiled: str = "GCC -O3") -> Build:
    return Build("", "CPython", version, free, gil, compiled)


FREE = built(gil=False, free=True)


def builds(here: Build, other: Build | None, *longer: float, gil: bool = True, apart: float = 0.0) -> Figures:
    """Two builds, of which the one without a GIL takes so many times as long, for each kind of work.

    What takes less is faster by ``apart`` of that in every second round.
    """
    known: dict[str, object] = {"builds": {"here": here.told()} | ({"other": other.told()} if other else {})}
    for name, build in (("here", here), ("other", other)):
        if build is not None:
            times = [1.0] * len(longer) if build.gil else longer
            known[name] = [
                {f"work {i}": value * (1 - apart * (value < 1 and id_ % 2)) for i, value in enumerate(times)}
                for id_ in range(PAIRS)
            ]
    return Figures({}, known, gil=gil)


def watched(named: float, gil: bool = True) -> Figures:
    known = {"named": [named] * ROUNDS, "least": [named / 2] * ROUNDS, "used": [1.98] * ROUNDS}
    return Figures({}, known, gil=gil)


def smt(processes: Series, native: Series, cores: int | None) -> Figures:
    return Figures(processes | native, {"cores": cores, "logical": 2})


STARTED = flat(start_thread__threads__1=1e-4, start_fork__processes__1=1e-3, start_spawn__processes__1=3e-2)
CHANNELS = flat(
    submit_processes__processes__1=2e-4, pool_1MB__processes__1=3e-3, shared_1MB__processes__1=4e-4
)
SLEPT = flat(sleep__threads__1=1.0)
FETCHED = flat(fetch__serial__1=0.25, fetch__processes__5=0.15)
LCG = scaled("nogil", "processes", 1.9)

DECIDED: list[tuple[str, Figures, Ruling]] = [
    ("timeline", watched(0.99), HOLDS),
    ("timeline", watched(0.5), REFUTED),
    ("timeline", watched(0.0, gil=False), DEPENDS),
    ("one-at-a-time", Figures(scaled("python", "threads", 1.0), turned(1.0)), HOLDS),
    ("one-at-a-time", Figures(scaled("python", "threads", 1.95), turned(1.98), gil=False), REFUTED),
    ("one-at-a-time", Figures(wild("python", "threads"), turned(1.5)), UNDECIDED),
    (
        "one-at-a-time",
        Figures(scaled("python", "threads", 1.0) | scaled("python", "threads", 1.9, 4), turned(1.0, 1.9)),
        REFUTED,
    ),
    ("slower-with-threads", Figures(scaled("python", "threads", 0.8)), HOLDS),
    ("slower-with-threads", Figures(scaled("python", "threads", 1.9), gil=False), REFUTED),
    (
        "slower-with-threads",
        Figures(scaled("python", "threads", 1.9) | scaled("list", "threads", 0.4), gil=False),
        HOLDS,
    ),
    ("slower-with-threads", Figures(wild("python", "threads")), UNDECIDED),
    (
        "processes-scale",
        Figures(scaled("python", "processes", 1.95), {"cpu python/processes/2": [2.0] * ROUNDS}),
        HOLDS,
    ),
    (
        "processes-scale",
        Figures(scaled("python", "processes", 1.2), {"cpu python/processes/2": [2.0] * ROUNDS}),
        REFUTED,
    ),
    (
        "processes-scale",
        Figures(wild("python", "processes"), {"cpu python/processes/2": [2.0] * ROUNDS}),
        UNDECIDED,
    ),
    ("nogil-scales", bodies(1.0, 1.95), HOLDS),
    ("nogil-scales", bodies(1.95, 1.95, with_gil=False), HOLDS),
    ("nogil-scales", bodies(1.0, 1.1), REFUTED),
    ("nogil-scales", Figures(scaled("gil", "threads", 1.0) | wild("nogil", "threads")), UNDECIDED),
    ("only-processes", Figures(LCG | scaled("nogil", "threads", 1.9)), REFUTED),
    ("only-processes", Figures(LCG | scaled("nogil", "threads", 1.0)), HOLDS),
    ("only-processes", Figures(LCG | wild("nogil", "threads")), UNDECIDED),
    (
        "only-processes",
        Figures(LCG | wild("nogil", "threads") | scaled("python", "threads", 1.9), gil=False),
        REFUTED,
    ),
    (
        "only-processes",
        Figures(LCG | scaled("nogil", "threads", 1.0) | wild("python", "threads"), gil=False),
        UNDECIDED,
    ),
    ("quarter-cpu", Figures({}, used(1.0, 1.98)), HOLDS),
    ("quarter-cpu", Figures({}, used(1.95, 1.98), gil=False), REFUTED),
    (
        "quarter-cpu",
        Figures({}, {**used(1, 2), "cpu python/threads/4": [0.9, 1.0, 1.5, 1.9, 1.1, 1.4]}),
        UNDECIDED,
    ),
    ("smt-ceiling", smt(scaled("python", "processes", 1.1), scaled("native", "openmp", 1.1), 1), HOLDS),
    ("smt-ceiling", smt(scaled("python", "processes", 1.9), scaled("native", "openmp", 1.9), 1), REFUTED),
    ("smt-ceiling", smt(scaled("python", "processes", 1.9), scaled("native", "openmp", 1.9), 2), UNDECIDED),
    ("smt-ceiling", smt(wild("python", "processes"), scaled("native", "openmp", 1.9), 1), UNDECIDED),
    ("start-cost", Figures(STARTED), HOLDS),
    ("start-cost", Figures(STARTED | flat(start_thread__threads__1=1e-3)), REFUTED),
    (
        "start-cost",
        Figures(STARTED | {("start-thread", "threads", 1): rounds(1e-4, 3e-4, 2e-4, 1e-4, 3e-4, 2e-4)}),
        UNDECIDED,
    ),
    ("windows", Figures(STARTED), DEPENDS),
    ("windows", Figures(STARTED | flat(start_spawn__processes__1=5e-4)), REFUTED),
    (
        "windows",
        Figures(STARTED | {("start-spawn", "processes", 1): rounds(5e-4, 2e-3, 1e-3, 5e-4, 2e-3, 1e-3)}),
        UNDECIDED,
    ),
    ("cpu-processes-always-faster", jobs(_1=[0.1] * ROUNDS, _1000=[1.9] * ROUNDS), DEPENDS),
    ("cpu-processes-always-faster", jobs(_1=[1.2] * ROUNDS, _1000=[1.9] * ROUNDS), HOLDS),
    ("cpu-processes-always-faster", jobs(_1=[0.1] * ROUNDS, _1000=[0.9] * ROUNDS), REFUTED),
    ("cpu-processes-always-faster", jobs(_1=[0.1] * ROUNDS, _1000=[0.7, 1.2, 1.0, 0.8, 1.3, 0.9]), REFUTED),
    ("responsive", late(gil_100ms=0.1), DEPENDS),
    ("responsive", late(), HOLDS),
    ("responsive", late(gil=False), HOLDS),
    ("responsive", late(gil=False, gil_100ms_collected=0.1), DEPENDS),
    ("only-bytecode", in_c(1.0), REFUTED),
    ("only-bytecode", in_c(0.0), HOLDS),
    ("only-bytecode", in_c(0.5), UNDECIDED),
    ("only-bytecode", in_c(1.0, error=None), UNDECIDED),  # of one call
    ("only-bytecode", in_c(None, note="the machine is too busy"), UNDECIDED),
    ("shared-scales", reading(), HOLDS),
    ("shared-scales", reading(list=0.4, dict=0.4, attribute=0.4), DEPENDS),
    ("shared-scales", reading(**dict.fromkeys(OBJECTS, 0.4)), REFUTED),
    ("shared-scales", reading(own=1.2, list=0.4), UNDECIDED),
    ("free-threaded-slower", builds(built(), FREE, 1.4, 1.1), HOLDS),
    ("free-threaded-slower", builds(FREE, built(), 1.4, 1.1, gil=False), HOLDS),
    ("free-threaded-slower", builds(built(), FREE, 1.0, 0.9), REFUTED),
    ("free-threaded-slower", builds(built(), FREE, 1.4, 1.0), DEPENDS),
    ("free-threaded-slower", builds(built(), FREE, 1.4, 0.9, apart=0.05), DEPENDS),
    ("free-threaded-slower", builds(built(), FREE, 1.8, 1.8, 0.9, apart=0.3), HOLDS),  # the other is not told
    ("free-threaded-slower", builds(built(), FREE, 0.9, 0.9, apart=0.3), UNDECIDED),
    ("free-threaded-slower", builds(built(), None), UNDECIDED),
    ("free-threaded-slower", builds(built(), built()), UNDECIDED),
    ("free-threaded-slower", builds(built("3.11.7"), FREE, 1.4, 1.4), UNDECIDED),
    ("free-threaded-slower", builds(built(compiled="GCC -O3 --with-lto"), FREE, 1.4, 1.4), UNDECIDED),
    ("free-threaded-slower", builds(built(free=True), FREE, 1.4, 1.4), UNDECIDED),
    (
        "responsive",
        late(**dict.fromkeys(("python", "gil_1ms", "gil_10ms", "gil_100ms", "nogil"), 0.1)),
        REFUTED,
    ),
    ("responsive", late(none=0.1), UNDECIDED),
    ("io-same", Figures(SLEPT | flat(sleep__processes__1=1.04), {"wait": 1.0}), DEPENDS),
    ("io-same", Figures(SLEPT | flat(sleep__processes__1=0.99), {"wait": 1.0}), HOLDS),
    ("io-same", Figures(SLEPT | flat(sleep__processes__1=2.5), {"wait": 1.0}), REFUTED),
    (
        "io-same",
        Figures(SLEPT | {("sleep", "processes", 1): rounds(0.9, 1.1, 1.0, 0.9, 1.1, 1.0)}, {"wait": 1.0}),
        UNDECIDED,
    ),
    ("io-threads", Figures(FETCHED | flat(fetch__threads__5=0.05)), HOLDS),
    ("io-threads", Figures(FETCHED | flat(fetch__threads__5=0.24)), REFUTED),
    (
        "io-threads",
        Figures(FETCHED | {("fetch", "threads", 5): rounds(0.05, 0.24, 0.12, 0.05, 0.24, 0.12)}),
        UNDECIDED,
    ),
    ("primes", six(0.5, 0.6, 0.5, 0.5, 0.6, 0.5), HOLDS),
    ("primes", six(0.5, 0.6, 0.5, 0.5, 0.6, 0.5, threads=0.5, gil=False), HOLDS),
    ("primes", six(1.0, 1.1, 1.0, 1.0, 1.1, 1.0), REFUTED),
    ("primes", six(0.5, 1.5, 1.0, 0.5, 1.5, 1.0), UNDECIDED),
    ("gzip", Figures(scaled("decompress", "threads", 1.9)), REFUTED),
    ("gzip", Figures(scaled("decompress", "threads", 0.8)), HOLDS),
    ("gzip", Figures(wild("decompress", "threads")), UNDECIDED),
    ("numpy-releases", held(0.01, 0.99), DEPENDS),
    ("numpy-releases", held(0.01, 0.99, gil=False), DEPENDS),
    ("numpy-releases", held(0.01, 0.01), HOLDS),
    ("numpy-releases", held(0.99, 0.99), REFUTED),
    ("numpy-releases", held(0.01, 0.5), UNDECIDED),
    ("numpy-releases", held(0.01, 0.01, error=None), UNDECIDED),  # of one call
    ("numpy-releases", held(0.0, 0.0, note="this interpreter runs without a GIL"), UNDECIDED),
    ("numpy-releases", held(0.01, None, note="the machine is too busy"), UNDECIDED),
    ("one-os-thread", Figures({}, {"ids": [1, 2], "cpus": [[0], [0, 1]]}), REFUTED),
    ("one-os-thread", Figures({}, {"ids": [1, 1], "cpus": [[], []]}), HOLDS),
    ("shared-memory", shared(False, False), HOLDS),
    ("shared-memory", shared(True, True), REFUTED),
    ("footprint", Figures({}, {"thread": [1e5] * ROUNDS, "fork": [2e6] * ROUNDS}), HOLDS),
    ("footprint", Figures({}, {"thread": [2e6] * ROUNDS, "fork": [2e6] * ROUNDS}), REFUTED),
    ("footprint", Figures({}, {"thread": [2e5, 2e6, 4e6] * 2, "fork": [2e6] * ROUNDS}), UNDECIDED),
    ("copies-script", copied(1e6), DEPENDS),
    ("copies-script", copied(33e6), HOLDS),
    ("copies-script", copied(1e6, again=False), REFUTED),
    ("copies-script", Figures({}, {"spawn": [[9e6, 9e6, True]] * ROUNDS}), HOLDS),
    ("ipc-overhead", Figures(CHANNELS | flat(submit_threads__threads__1=2e-5)), HOLDS),
    ("ipc-overhead", Figures(CHANNELS | flat(submit_threads__threads__1=4e-4)), REFUTED),
    (
        "ipc-overhead",
        Figures(CHANNELS | {("submit-threads", "threads", 1): rounds(*[1e-4, 4e-4, 2e-4] * 2)}),
        UNDECIDED,
    ),
    ("killable", killed(0.01, 10.0), HOLDS),
    ("killable", killed(0.01, 0.5), REFUTED),
    ("killable", killed(9.9, 10.0), REFUTED),
    ("crash", crashed(), DEPENDS),
    ("crash", crashed(pool="well"), HOLDS),
    ("crash", crashed(thread=0), REFUTED),
    ("crash", crashed(other="ended, too"), REFUTED),
    ("race", raced(7), HOLDS),
    ("race", raced(0), UNDECIDED),
    ("race", raced(7, locked=1), REFUTED),
    ("leak", leaked(1.0, 0.0), HOLDS),
    ("leak", leaked(0.0, 0.0), REFUTED),
    ("leak", leaked(1.0, 1.0), REFUTED),
]
