"""Verdicts follow from evidence: each cause from a case made for it."""

from __future__ import annotations

import pytest

from gilkit.results.case import Case, Record
from gilkit.results.file import Results, build
from gilkit.results.stats import Estimate
from gilkit.studies.compare.evidence import Evidence, shown_workers, speedup
from gilkit.studies.compare.verdict import SCALING, Cause, judge, verdicts


def near(value: float, margin: float = 0.03) -> Estimate:
    return Estimate(value, value - margin, value + margin)


def evidence(**changes: object) -> Evidence:
    """A kernel that scales; ``changes`` make it another."""
    facts: dict[str, object] = {
        "kernel": "k",
        "workers": 2,
        "call": near(1e-3, 1e-5),
        "threads": {"python": near(1.0), "gil": near(1.0), "nogil": near(1.98)},
        "processes": near(1.97),
        "native": near(1.99),
        "ceiling": near(1.99),
        "size": 1000,
        "unit": "elements",
        "gil": True,
    }
    return Evidence(**{**facts, **changes})  # type: ignore[arg-type]


def threads(**speedups: float | Estimate) -> dict[str, Estimate]:
    return {v: s if isinstance(s, Estimate) else near(s) for v, s in speedups.items()}


def test_scales() -> None:
    found = judge(evidence())
    assert found.cause is Cause.SCALES
    assert "1.98×" in found.why
    assert "with the GIL 1.00×" in found.why
    assert "release the GIL" in found.advice


def test_scales_without_a_gil() -> None:
    found = judge(evidence(threads=threads(gil=1.97, nogil=1.98), gil=False))
    assert found.cause is Cause.SCALES
    assert "no GIL here" in found.why
    assert found.advice == "use threads"


def test_the_gil_is_held_in_a_kernel_without_a_nogil_variant() -> None:
    found = judge(evidence(threads=threads(python=1.0, gil=1.0), native=None))
    assert found.cause is Cause.GIL
    assert "1.00× where processes reach 1.97×" in found.why
    assert "use processes" in found.advice


def test_the_gil_is_held_inside_a_nogil_call() -> None:
    found = judge(evidence(threads=threads(nogil=0.8), call=near(5e-3, 1e-5)))
    assert found.cause is Cause.GIL


def test_only_releasing_helps_where_processes_do_not() -> None:
    found = judge(evidence(threads=threads(nogil=1.0), processes=near(1.0)))
    assert found.cause is Cause.GIL
    assert found.advice == "release the GIL inside the call"


def test_calls_too_short() -> None:
    # 0.57 µs calls at 1.5×: two workers lose 2 × 0.57 µs × (1/1.5 - 1/1.99) = 0.19 µs in each.
    found = judge(evidence(threads=threads(nogil=1.5), call=near(0.57e-6, 1e-9)))
    assert found.cause is Cause.SHORT
    assert "570 ns" in found.why
    assert "batch calls" in found.advice
    assert "elements" in found.advice


def test_the_length_that_pays_is_the_one_at_which_threads_scale() -> None:
    # With a loss of 1 µs a call, W v / (W v / C + loss) reaches 0.9 C at v = 9 µs for W = C = 2.
    call = 2e-6
    reached = 2 * call / (call + 1e-6)
    found = judge(
        evidence(
            threads=threads(nogil=near(reached, 0.01)),
            call=near(call, 0),
            native=near(2.0),
            processes=near(2.0),
            ceiling=near(2.0),
        )
    )
    assert found.cause is Cause.SHORT
    assert "9.00 µs" in found.advice


def test_hardware_only_if_native_threads_and_processes_stop_too() -> None:
    slow = {"threads": threads(nogil=1.2), "processes": near(1.22), "native": near(1.19)}
    assert judge(evidence(**slow)).cause is Cause.HARDWARE
    assert judge(evidence(**{**slow, "native": near(1.97)})).cause is not Cause.HARDWARE
    assert judge(evidence(**{**slow, "processes": near(1.97)})).cause is not Cause.HARDWARE
    # A native variant that may scale, for all that is known, blames no hardware either.
    unsure = {**slow, "native": Estimate(1.2, 0.9, 1.9)}
    assert judge(evidence(**unsure)).cause is Cause.UNEXPLAINED


def test_nothing_is_blamed_where_the_interval_leaves_doubt() -> None:
    found = judge(evidence(threads=threads(nogil=Estimate(1.4, 1.0, 2.0))))
    assert found.cause is Cause.UNEXPLAINED
    assert "1.00× to 2.00×" in found.why


def test_without_a_ceiling_there_is_no_verdict() -> None:
    assert judge(evidence(ceiling=None)).cause is Cause.UNEXPLAINED
    assert judge(evidence(threads={})).cause is Cause.UNEXPLAINED
    assert judge(evidence(workers=1)).cause is Cause.UNEXPLAINED


def made(values: dict[str, list[float]], failures: dict[str, str] | None = None) -> Results:
    """Results with these rounds."""
    records = [
        Record(Case.parse(name), v, {"gilkit_size": 10, "gilkit_unit": "n"}) for name, v in values.items()
    ]
    failed = {Case.parse(name): reason for name, reason in (failures or {}).items()}
    return Results(build(records, {"gilkit_cpus": 2, "gilkit_gil": "on"}, failed))


def test_speedup_is_work_done_at_once_over_the_work_of_one() -> None:
    found = made({"k/nogil/serial/1": [1.0, 2.0, 3.0], "k/nogil/threads/2": [1.0, 2.0, 3.0]})
    assert speedup(found, Case("k", "nogil", "threads", 2)) == 2.0
    assert speedup(found, Case("k", "nogil", "threads", 4)) is None


def test_native_and_the_ceiling_are_their_own_baseline() -> None:
    found = made(
        {
            "k/native/openmp/1": [1.0],
            "k/native/openmp/2": [2.0],
            "k/ceiling/processes/1": [1.0],
            "k/ceiling/processes/2": [1.0],
        }
    )
    assert speedup(found, Case("k", "native", "openmp", 2)) == 1.0
    assert speedup(found, Case("k", "ceiling", "processes", 2)) == 2.0


def test_a_row_shows_as_many_workers_as_cpus_or_else_the_most() -> None:
    found = made(
        {
            "a/nogil/threads/1": [1.0],
            "a/nogil/threads/2": [1.0],
            "a/nogil/threads/4": [1.0],
            "b/nogil/threads/4": [1.0],
        }
    )
    assert shown_workers(found, "a") == 2
    assert shown_workers(found, "b") == 4


def test_a_kernel_that_failed_altogether_says_so() -> None:
    found = dict(verdicts(made({"k/ceiling/openmp/1": [1.0]}, {"k/gil/serial/1": "it broke"})))
    assert found["k"].cause is Cause.FAILED
    assert str(found["k"]) == "failed: it broke"


def test_a_function_is_not_told_to_batch_calls_that_may_hold_the_gil() -> None:
    found = judge(evidence(threads=threads(function=1.0), native=None, call=near(3e-6, 1e-9)))
    assert found.cause is Cause.GIL


def test_pure_python_is_never_too_short() -> None:
    found = judge(evidence(threads=threads(python=1.0), call=near(1e-6, 1e-9)))
    assert found.cause is Cause.GIL


def test_a_machine_whose_ceiling_is_near_one_decides_nothing() -> None:
    slow = near(1.05)
    found = judge(evidence(threads=threads(nogil=1.0, gil=1.0), ceiling=slow, native=slow, processes=slow))
    assert found.cause is Cause.UNEXPLAINED
    assert "nothing can scale here" in found.why


def test_native_threads_that_do_worse_blame_no_hardware() -> None:
    found = judge(evidence(threads=threads(nogil=1.5), native=near(0.8), processes=near(1.5)))
    assert found.cause is Cause.UNEXPLAINED


def test_hardware_is_not_blamed_without_native_threads() -> None:
    found = judge(evidence(threads=threads(nogil=1.2), native=None, processes=near(1.2)))
    assert found.cause is Cause.UNEXPLAINED


def test_one_round_decides_nothing_against_threads() -> None:
    one = {"threads": {"nogil": Estimate(1.0)}, "native": Estimate(2.0), "processes": Estimate(2.0)}
    found = judge(evidence(**one, ceiling=Estimate(2.0)))
    assert found.cause is Cause.UNEXPLAINED
    assert "one round has no interval" in found.why


def test_processes_that_lose_are_mentioned() -> None:
    assert "processes 0.70×" in judge(evidence(processes=near(0.7))).why


def test_the_held_share_explains() -> None:
    found = judge(evidence(threads=threads(nogil=1.3), held=0.6, times=1.0))
    assert found.cause is Cause.GIL
    assert "held for 60% of a call, so at most 1.67×" in found.why
    assert "taken again" not in found.why


def test_a_gil_that_is_taken_again_and_again_is_named() -> None:
    found = judge(evidence(threads=threads(nogil=0.8), held=0.26, times=62.0, call=near(5e-3, 1e-5)))
    assert "released, but taken again at least 62 times a call" in found.why
    assert "noexcept" in found.advice


def test_a_short_call_that_holds_the_gil_is_not_told_to_batch() -> None:
    short = {"threads": threads(function=1.0), "native": None, "call": near(3e-6, 1e-9)}
    assert judge(evidence(**short, held=0.97)).cause is Cause.GIL
    assert judge(evidence(**short, held=0.1)).cause is Cause.SHORT


def test_a_share_that_cannot_explain_is_not_blamed() -> None:
    found = judge(evidence(threads=threads(nogil=1.25), held=0.004, call=near(10e-3, 1e-5)))
    assert found.cause is Cause.UNEXPLAINED


def test_a_share_is_not_blamed_for_more_than_it_can_cost() -> None:
    # Two threads wait at most 7 % of a call for each other: that does not make 1.5 of 2.
    found = evidence(threads=threads(nogil=1.5), held=0.07, times=1.0)
    assert judge(found).cause is Cause.UNEXPLAINED
    assert judge(evidence(threads=threads(nogil=1.76), held=0.12, times=1.0)).cause is Cause.GIL
    assert judge(evidence(threads=threads(nogil=1.5), held=0.07, times=60.0)).cause is Cause.GIL


def test_the_gil_is_blamed_by_its_share_alone_where_nothing_else_ran() -> None:
    alone = {"threads": threads(function=1.0), "native": None, "processes": None}
    assert judge(evidence(**alone, held=1.0)).cause is Cause.GIL
    assert judge(evidence(**alone)).cause is Cause.UNEXPLAINED


def test_a_baseline_is_not_what_a_row_shows() -> None:
    found = made({"k/nogil/serial/1": [1.0], "k/nogil/threads/2": [1.0], "k/ceiling/openmp/1": [1.0]})
    found.cpus = 1
    assert shown_workers(found, "k") == 2


def own(**changes: object) -> Evidence:
    """The reader's own call, of 10 ms, which holds the GIL."""
    facts: dict[str, object] = {
        "threads": {"function": near(1.0)},
        "call": near(10e-3, 1e-4),
        "native": None,
        "size": 0,
        "unit": "",
        "held": 1.0,
        "sent": near(1.95),
        "pickling": 1e-5,
        "pickled": 1000,
    }
    return evidence(**{**facts, **changes})


def test_own_code_that_releases_wants_threads() -> None:
    found = judge(own(threads=threads(function=1.95), held=0.01))
    assert found.cause is Cause.SCALES
    assert found.advice.startswith("threads: ")


def test_own_code_that_holds_wants_processes() -> None:
    found = judge(own())
    assert found.cause is Cause.GIL
    assert found.advice == "processes: 1.97×; even if its data are sent with each call, 1.95×"
    found = judge(own(sent=near(1.4)))
    assert found.advice == "processes: 1.97×; 1.40× if its data are sent with each call"


def test_own_data_that_cannot_be_sent_stay_in_the_workers() -> None:
    found = judge(own(sent=None, unsendable="result cannot be pickled (TypeError: no)"))
    assert found.cause is Cause.GIL
    assert found.advice.endswith(
        "let each make or load its data, for result cannot be pickled (TypeError: no)"
    )


def test_processes_lose_by_what_is_pickled() -> None:
    # 2 workers x 10 ms x (1/0.5 - 1/1.97) = 29.8 ms are lost in each call, 25 ms of it in pickles.
    found = judge(own(sent=near(0.5), pickling=25e-3, pickled=10**8))
    assert found.cause is Cause.TRANSFER
    assert "100 MB are pickled in 25.0 ms" in found.why
    assert found.advice.startswith("processes: only if the data stay in them")


def test_calls_too_short_to_be_sent_want_to_be_batched() -> None:
    # 4 µs calls at 0.04×: each loses 196 µs, hardly any of it in pickles.
    found = judge(own(call=near(4e-6, 1e-8), sent=near(0.04, 0.001)))
    assert found.cause is Cause.SHORT
    assert found.advice.startswith("neither: calls are 4.00 µs; batch them to ≥ ")
    needed = float(found.advice.split("≥ ")[1].split()[0]) * 1e-3
    lost = 2 * 4e-6 * (1 / 0.04 - 1 / 1.97)
    assert 2 * needed / (2 * needed / 1.99 + lost) == pytest.approx(SCALING * 1.99, rel=0.01)


def test_own_short_calls_that_release() -> None:
    found = judge(own(threads=threads(function=1.2), call=near(2e-6, 1e-8), held=0.2))
    assert found.cause is Cause.SHORT
    assert found.advice.startswith("neither: calls are 2.00 µs; batch them to ≥ ")


def test_own_code_at_the_hardwares_limit() -> None:
    found = judge(own(threads=threads(function=1.3), processes=near(1.3), held=0.01))
    assert found.cause is Cause.HARDWARE
    assert found.advice.startswith("neither: ")
