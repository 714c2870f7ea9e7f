"""Cases that people asked about in public, as evidence made from their right answers."""

from __future__ import annotations

import pytest
from made_up import idling, near, own, working

from gilkit.results.stats import Estimate
from gilkit.studies.compare.figures import Evidence, Usage
from gilkit.studies.compare.verdict import Cause, judge

CASES: dict[str, tuple[Evidence, Cause, str]] = {
    "lxml: one parser for the module": (
        own(1.3, held=0.42, times=3, call=near(8e-3, 0), **idling(1.32, 8e-3)),
        Cause.LOCK,
        "instance of its own",
    ),
    "lxml: a parser for each": (
        own(1.6, held=0.42, call=near(8e-3, 0), **idling(1.65)),
        Cause.NOT_DECIDED,
        "",
    ),
    "h5py": (own(1.0, held=0.1, times=12, call=near(9e-3, 0), **idling(1.02, 9e-3)), Cause.LOCK, "processes"),
    "logging": (
        own(1.0, held=0.01, call=near(8e-3, 0), **idling(1.01, 8e-3)),
        Cause.LOCK,
        "instance of its own",
    ),
    "sqlite: rows": (
        own(0.9, held=0.48, times=40_000, call=near(25e-3, 0), sent=None, **idling(1.2, 25e-3)),
        Cause.AGAIN,
        "processes: 1.97×",
    ),
    "sqlite: an aggregate": (own(1.96, held=0.01), Cause.SCALES, "threads"),
    "orjson": (
        own(1.0, held=1.0, call=near(8e-3, 0), sent=near(0.6), pickling=30e-3, pickled=3 * 10**6),
        Cause.TRANSFER,
        "only if the data stay in them",
    ),
    "cryptography": (own(1.0, held=1.0, call=near(12e-3, 0)), Cause.GIL, "release the GIL there"),
    "hashlib": (own(1.97, held=0.001), Cause.SCALES, "threads"),
    "pandas: groupby": (own(1.9, held=0.05, sent=near(0.9)), Cause.SCALES, "threads"),
    "pandas: apply": (own(1.0, held=1.0), Cause.GIL, "processes: 1.97×"),
    "a pool of tiny tasks": (
        own(1.0, held=1.0, call=near(2e-6, 0), sent=near(0.012, 0.001), pickling=2e-6, pickled=200),
        Cause.SHORT,
        "neither: calls are 2.00 µs; batch them",
    ),
    "sending costs the gain": (
        own(1.0, held=1.0, call=near(4.5e-3, 0), sent=near(0.2), pickling=40e-3, pickled=4_500_000),
        Cause.TRANSFER,
        "shared memory",
    ),
    "BLAS": (
        own(1.0, inside=1.9, limits="OPENBLAS_NUM_THREADS", single=near(1.97), single_to_whole=near(1.02)),
        Cause.PARALLEL,
        "one call at a time",
    ),
    "false sharing": (
        own(0.9, held=0.01, call=near(1e-3, 0), **working(1e-3, cost=2.2)),
        Cause.SHARED,
        "data of its own",
    ),
    "far apart": (own(1.97, held=0.01, call=near(1e-3, 0), **working(1e-3)), Cause.SCALES, "threads"),
    "a missing noexcept": (
        own(0.35, held=0.6, times=20_000, call=near(2e-3, 0), **idling(1.3, 2e-3)),
        Cause.AGAIN,
        "noexcept",
    ),
    "without a GIL: a shared list": (
        own(0.6, gil=False, held=None, call=near(4e-4, 0), **working(4e-4, cost=3.3)),
        Cause.SHARED,
        "data of its own",
    ),
    "the GIL came back": (own(1.0, held=1.0), Cause.GIL, "processes: 1.97×"),
    "select": (
        own(7.9, workers=8, alone=Usage(0.004), held=0.001, call=near(20e-3, 0), processes=near(7.8)),
        Cause.WAITING,
        "as many as should wait at once",
    ),
    "one CPU": (
        own(1.0, cpus=1, ceiling=near(1.0), processes=near(0.99), held=None),
        Cause.HARDWARE,
        "more CPUs",
    ),
    "a busy neighbour": (
        own(Estimate(1.1, 0.8, 1.5), ceiling=near(1.3, 0.3), clean=2, tried=60),
        Cause.BUSY,
        "quiet machine",
    ),
    "a text search": (own(1.92, held=0.03, call=near(3e-3, 0)), Cause.SCALES, "threads"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_public_case_is_judged_right(name: str) -> None:
    evidence, cause, advice = CASES[name]
    found = judge(evidence)
    assert found.cause is cause, str(found)
    assert advice in found.advice, str(found)


@pytest.mark.parametrize("name", [name for name, (f, *_) in CASES.items() if f.held is not None])
def test_the_held_share_is_said_whatever_the_cause(name: str) -> None:
    assert "the GIL is held for" in judge(CASES[name][0]).why


@pytest.mark.parametrize("name", CASES)
def test_wide_intervals_name_no_other_cause(name: str) -> None:
    """The same figures with intervals of ± 40 %: the same cause, or none."""
    f, cause, _ = CASES[name]
    assert f.subject is not None
    wide = Estimate(f.subject, 0.6 * f.subject, 1.4 * f.subject)
    found = judge(
        Evidence(
            **{**{n: getattr(f, n) for n in Evidence.__dataclass_fields__}, "threads": {"function": wide}}
        )
    )
    assert found.cause in (cause, Cause.NOT_DECIDED, *((Cause.GIL,) if cause is Cause.TRANSFER else ()))
