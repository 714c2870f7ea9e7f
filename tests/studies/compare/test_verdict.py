"""Verdicts follow from evidence: each cause from figures made for it, and not from those that nearly fit."""

from __future__ import annotations

from math import nan

import pytest
from made_up import idling, kernel, near, own, working

from gilkit.results.stats import Estimate
from gilkit.studies.compare.causes import SCALING
from gilkit.studies.compare.figures import Evidence, Usage
from gilkit.studies.compare.verdict import Cause, Verdict, judge


def nogil(threads: float | Estimate, **changes: object) -> Evidence:
    """A kernel whose nogil threads do so much."""
    speedup = threads if isinstance(threads, Estimate) else near(threads)
    return kernel(threads={"nogil": speedup}, **changes)


def test_a_verdict_in_words() -> None:
    assert str(Verdict(Cause.GIL, "why", "do")) == "the GIL is held: why → do"
    assert str(Verdict(Cause.FAILED, "it broke", "")) == "failed: it broke"
    open_ = Verdict(Cause.NOT_DECIDED, "why", "do", (Cause.SCALES, Cause.LOCK))
    assert str(open_) == "not decided between “scales” and “another lock”: why → do"


# What scales


def test_scales() -> None:
    found = judge(kernel())
    assert found.cause is Cause.SCALES
    assert "1.98× (1.96–2.00), 99% of the ceiling" in found.why
    assert "with the GIL 1.00×" in found.why
    assert found.advice == "release the GIL and use threads"


def test_scales_without_a_gil() -> None:
    found = judge(kernel(threads={"gil": near(1.97), "nogil": near(1.98)}, gil=False))
    assert found.cause is Cause.SCALES
    assert "no GIL here" in found.why
    assert found.advice == "use threads"


def test_own_code_that_releases_wants_threads() -> None:
    found = judge(own(1.95))
    assert found.cause is Cause.SCALES
    assert "the GIL is held for 2.0% of a call" in found.why
    assert found.advice == "threads: use as many as CPUs"


def test_processes_that_lose_are_mentioned() -> None:
    assert "processes 0.70×" in judge(kernel(processes=near(0.7))).why


@pytest.mark.parametrize("workers", [2, 4, 16, 64])
@pytest.mark.parametrize("p", [0.6, 1.0])
def test_what_reaches_the_ceiling_scales_on_any_machine(workers: int, p: float) -> None:
    ceiling = near(workers * p)
    fits = {"workers": workers, "cpus": workers, "ceiling": ceiling, "processes": ceiling}
    assert judge(own(near(0.97 * ceiling), held=0.0, **fits)).cause is Cause.SCALES
    held = judge(own(near(1.0), held=1.0, **fits))
    assert held.cause is Cause.GIL
    assert "the law allows 1.00×" in held.why
    assert f"up to {workers * p:.2f}×" in held.advice


def test_an_interval_that_touches_the_border_decides_nothing() -> None:
    close = Estimate(0.93, 0.89, 0.97)
    assert judge(own(1.85, threads_to_ceiling=close, held=0.0)).cause is Cause.NOT_DECIDED
    assert judge(own(1.85, threads_to_ceiling=Estimate(0.93, 0.91, 0.95), held=0.0)).cause is Cause.SCALES
    wide = judge(own(Estimate(1.6, 0.4, 2.8)))
    assert wide.cause is Cause.NOT_DECIDED
    assert "0.40–2.80" in wide.why
    assert judge(own(Estimate(1.76, 1.44, 2.07))).cause is Cause.NOT_DECIDED


def test_scales_or_the_gil() -> None:
    found = judge(own(1.80, call=near(5e-4), held=0.52))
    assert found.cause is Cause.NOT_DECIDED
    assert found.between == (Cause.SCALES, Cause.GIL)


def test_more_than_arithmetic_reaches_scales_too() -> None:
    """Two threads on one core: memory that is waited for leaves more to the sibling than arithmetic does."""
    assert judge(own(1.6, ceiling=near(1.2), held=0.0)).cause is Cause.SCALES


# The machine


def test_one_cpu_is_not_the_gils_fault() -> None:
    found = judge(own(1.0, cpus=1, ceiling=near(1.0), processes=near(1.0), held=0.01))
    assert found.cause is Cause.HARDWARE
    assert "nothing can scale here: one CPU" in found.why
    assert "held for 1.0% of a call" in found.why
    held = judge(own(1.0, cpus=1, ceiling=near(1.0), processes=near(1.0), held=1.0))
    assert held.cause is Cause.HARDWARE


def test_a_ceiling_near_one_lets_nothing_scale() -> None:
    low = near(1.05)
    found = judge(own(1.0, ceiling=low, processes=low, held=1.0))
    assert found.cause is Cause.HARDWARE
    assert "nothing can scale here" in found.why


def test_a_ceiling_of_few_of_many_cpus_decides_nothing() -> None:
    low = near(1.4)
    found = judge(own(1.35, workers=8, cpus=8, ceiling=low, processes=low, held=0.0))
    assert found.cause is Cause.NOT_DECIDED
    assert "limited or busy" in found.why


def test_a_busy_machine_names_no_cause_but_what_is_certain() -> None:
    found = judge(own(1.1, held=1.0, clean=5, tried=30))
    assert found.cause is Cause.BUSY
    assert "the machine is too busy: 5 of 30 rounds were undisturbed" in found.why
    assert "the GIL is held for 100% of a call: the law allows 1.00×" in found.why
    assert judge(own(1.95, clean=8, tried=30)).cause is Cause.SCALES
    assert judge(own(1.95, clean=6, tried=6)).cause is Cause.SCALES  # all that were asked for


def test_few_calls_and_few_rounds_decide_nothing() -> None:
    assert "not steady" in judge(own(1.0, held=1.0, steady=3.0)).why
    assert judge(own(1.0, held=1.0, steady=4.0)).cause is Cause.GIL
    few = judge(own(Estimate(1.0, nan, nan), held=1.0))
    assert few.cause is Cause.NOT_DECIDED
    assert "too few rounds" in few.why
    assert "held for 100%" in few.why


def test_figures_that_contradict_each_other_are_no_verdict() -> None:
    """On a busy machine: it holds the GIL throughout, and yet beats the ceiling."""
    found = judge(nogil(near(1.76, 0.03), held=1.0, ceiling=near(1.41), processes=None, native=None))
    assert found.cause is Cause.NOT_DECIDED
    assert found.between == (Cause.SCALES, Cause.GIL)
    assert "contradict" in found.why


def test_what_was_not_measured() -> None:
    assert judge(kernel(ceiling=None)).cause is Cause.NOT_DECIDED
    assert judge(kernel(threads={})).cause is Cause.NOT_DECIDED
    assert "--workers 2" in judge(kernel(workers=1)).advice


# The GIL


@pytest.mark.parametrize(
    ("call", "held", "threads"),
    [(5e-4, 0.8, 1.13), (3.5e-3, 0.7, 1.40), (5e-4, 0.54, 1.70), (5e-5, 0.5, 0.87), (5e-3, 1.0, 1.0)],
)
def test_the_gil_where_its_law_says_so(call: float, held: float, threads: float) -> None:
    found = judge(own(threads, call=near(call, 0), held=held))
    assert found.cause is Cause.GIL
    assert f"held for {held:.0%} of a call: the law allows" in found.why
    assert "batch" not in found.advice


@pytest.mark.parametrize(("call", "held"), [(5e-4, 0.2), (3.5e-3, 0.5), (20e-3, 0.5), (3.5e-3, 0.3)])
def test_calls_that_scale_though_they_hold_the_gil_in_part(call: float, held: float) -> None:
    assert judge(own(1.97, call=near(call, 0), held=held)).cause is Cause.SCALES


def test_the_law_is_shown_with_the_interval_of_the_share() -> None:
    found = judge(own(1.40, call=near(3.5e-3, 0), held=0.7, held_error=0.004))
    assert "the law allows 1.42× (1.38–1.46)" in found.why


def test_a_variant_that_holds_it_needs_no_look() -> None:
    found = judge(kernel(threads={"python": near(1.0), "gil": near(1.0)}, native=None))
    assert found.cause is Cause.GIL
    assert "1.00× (0.98–1.02) where processes reach 1.97×" in found.why
    assert found.advice.startswith("use processes, or release the GIL inside the call")
    pure = judge(kernel(threads={"python": near(1.0)}, native=None, call=near(1e-6, 0)))
    assert pure.cause is Cause.GIL  # and not too short


def test_a_share_that_is_not_known_blames_nobody() -> None:
    found = judge(own(1.0, held=None, held_note="the monitor wants a CPU of its own"))
    assert found.cause is Cause.NOT_DECIDED
    assert set(found.between) == {Cause.GIL, Cause.LOCK, Cause.SHARED}
    assert found.advice.startswith("processes: 1.97×")


def test_a_share_that_cannot_explain_is_not_blamed() -> None:
    for held in (0.004, 0.07, 0.3):
        found = judge(nogil(1.25, held=held, call=near(10e-3, 0)))
        assert found.cause is Cause.NOT_DECIDED
        assert Cause.GIL not in found.between


def test_the_gil_is_not_blamed_where_the_law_is_near_its_ceiling() -> None:
    """1.75 at 40 %: holds that come at random explain it; by the law all could scale. So would a lock."""
    found = judge(own(1.75, held=0.40))
    assert found.cause is Cause.NOT_DECIDED
    assert Cause.GIL in found.between
    assert Cause.LOCK in found.between


def test_what_stops_without_a_gil_too_is_not_decided() -> None:
    slow = own(1.0, held=1.0, processes=near(1.0), **working())
    found = judge(slow)
    assert found.cause is Cause.NOT_DECIDED
    assert found.between == (Cause.GIL, Cause.HARDWARE)


def test_the_gil_where_nothing_else_ran() -> None:
    assert judge(own(1.0, held=1.0, processes=None)).cause is Cause.GIL


# Own code that holds it


def test_own_code_is_told_to_release_first_with_the_gain() -> None:
    found = judge(own(1.0, held=1.0))
    assert found.cause is Cause.GIL
    assert found.advice == (
        "if it computes in C or Cython: release the GIL there: the law then allows up to 1.99×; "
        "if it is Python: processes: 1.97×; even if its data are sent with each call, 1.95×"
    )
    assert judge(own(1.0, held=1.0, sent=near(1.4))).advice.endswith(
        "1.40× if its data are sent with each call"
    )


def test_own_data_that_cannot_be_sent_stay_in_the_workers() -> None:
    found = judge(own(1.0, held=1.0, sent=None, unsendable="result cannot be pickled (TypeError: no)"))
    assert found.advice.endswith("make or load its data, for result cannot be pickled (TypeError: no)")


def test_whether_sending_pays_may_be_open() -> None:
    found = judge(own(1.0, held=1.0, sent=near(1.15, 0.2)))
    assert found.cause is Cause.GIL
    assert "not decided: 1.15× (0.95–1.35)" in found.advice


def test_processes_lose_by_what_is_pickled() -> None:
    found = judge(own(1.0, held=1.0, sent=near(0.5), pickling=25e-3, pickled=10**8))
    assert found.cause is Cause.TRANSFER
    assert "100 MB are pickled in 25.0 ms" in found.why
    assert "held for 100% of a call" in found.why
    assert found.advice.endswith("processes, only if the data stay in them or in shared memory")


@pytest.mark.parametrize("workers", [2, 8, 64])
def test_pickling_in_the_parent_is_transfer_with_any_number_of_workers(workers: int) -> None:
    # The parent pickles 2 ms for every call of 0.5 ms: that is what the whole pool does then.
    call, parent = 0.5e-3, 2e-3
    many = {"workers": workers, "cpus": workers, "ceiling": near(workers), "processes": near(workers)}
    found = judge(
        own(1.0, call=near(call, 0), held=1.0, sent=near(call / parent), pickling=2 * parent, **many)
    )
    assert found.cause is Cause.TRANSFER


def test_calls_too_short_to_be_sent_want_to_be_batched() -> None:
    # 4 µs calls at 0.04×: each task costs 98 µs, hardly any of it in pickles.
    found = judge(own(1.0, held=1.0, call=near(4e-6, 1e-8), sent=near(0.04, 0.001)))
    assert found.cause is Cause.SHORT
    assert found.advice.startswith("neither: calls are 4.00 µs; batch them to ≥ ")
    needed = float(found.advice.split("≥ ")[1].split()[0]) * 1e-3
    lost = 2 * 4e-6 * (1 / 0.04 - 1 / 1.97)
    assert 2 * needed / (2 * needed / 1.99 + lost) == pytest.approx(SCALING * 1.99, rel=0.01)


def test_a_long_call_that_holds_is_never_told_to_batch() -> None:
    for call in (2.9e-3, 5e-3, 20e-3):
        found = judge(own(1.0, held=1.0, call=near(call, 0), sent=near(0.9), pickling=1e-6))
        assert found.cause is Cause.TRANSFER
        assert "batch" not in str(found)


# Taken again, and short


def test_a_gil_that_is_taken_again_and_again_is_named() -> None:
    found = judge(nogil(near(0.73, 0.19), held=0.18, times=52.0, call=near(3.63e-3, 0)))
    assert found.cause is Cause.AGAIN
    assert "released, but taken again at least 52 times a call" in found.why
    assert found.advice.endswith("such as a missing noexcept")


def test_the_readers_own_extension_gets_the_hint_too() -> None:
    found = judge(own(0.4, held=0.5, times=20_000.0, call=near(2e-3, 0)))
    assert found.cause is Cause.AGAIN
    assert found.advice.startswith("if it is your extension: look for checks")
    assert "noexcept" in found.advice
    assert "otherwise processes: 1.97×" in found.advice


def test_taken_a_few_times_is_no_cause() -> None:
    found = judge(own(1.0, held=0.05, times=6.0, call=near(10e-3, 0), **idling(1.0)))
    assert found.cause is Cause.LOCK
    few = judge(own(1.40, held=0.7, times=6.0, call=near(3.5e-3, 0)))
    assert few.cause is Cause.GIL  # the share alone explains it
    between = judge(own(1.0, held=0.1, times=6.0, call=near(1e-3, 0), **idling(1.0, 1e-3)))
    assert between.between == (Cause.AGAIN, Cause.LOCK)


def test_short_calls_of_a_kernel() -> None:
    found = judge(nogil(1.5, held=0.1, call=near(0.57e-6, 0)))
    assert found.cause is Cause.SHORT
    assert "a call of 570 ns" in found.why
    assert found.advice.startswith("batch calls to about ")
    assert "elements" in found.advice


def test_sixteen_threads_that_hand_over_short_calls() -> None:
    many = {"workers": 16, "cpus": 16, "ceiling": near(15.8), "processes": near(15.5)}
    found = judge(own(0.25, held=0.1, call=near(5e-6, 0), **many, **working(5e-6, workers=16)))
    assert found.cause is Cause.SHORT
    assert "the law allows 0.24×" in found.why
    assert found.advice.startswith("neither: calls are 5.00 µs; batch them to ≥ ")
    here = judge(own(0.25, held=0.1, call=near(5e-6, 0), workers=16))  # two CPUs
    assert here.cause is Cause.SHORT


def test_short_calls_that_gain_all_the_same_are_not_sent_away() -> None:
    found = judge(own(1.74, held=0.1, call=near(1e-6, 0), **working(1e-6, cost=1.15)))
    assert found.cause in (Cause.SHORT, Cause.NOT_DECIDED)
    assert "neither" not in found.advice


def test_short_is_what_hand_overs_cost_and_not_what_it_holds() -> None:
    assert judge(own(0.87, held=0.5, call=near(5e-5, 0))).cause is Cause.GIL  # 25 µs, and 20 of a hand-over
    assert judge(own(0.87, held=0.3, call=near(5e-5, 0), **working())).cause is Cause.SHORT  # 15 µs, and 20


def test_a_mutex_of_short_calls_is_not_taken_for_hand_overs() -> None:
    found = judge(own(0.97, held=0.06, call=near(15e-6, 0), **idling(1.05, 15e-6)))
    assert found.cause is Cause.NOT_DECIDED
    assert found.between == (Cause.SHORT, Cause.LOCK)


def test_short_calls_with_a_mutex_wait_more_often_than_for_the_gil() -> None:
    """A mutex on a call of 15 µs, as measured: threads do what contended hand-overs would leave, too."""
    short = {"held": 0.05, "call": near(15e-6, 0), "processes": near(1.97), "handover": 20e-6}
    seldom = Usage(cpu=1.1, cpu_per_call=15e-6, voluntary=0.02)
    often = Usage(cpu=1.1, cpu_per_call=15e-6, voluntary=0.5)
    alone = Usage(cpu=1.0, cpu_per_call=15e-6)
    assert judge(own(0.71, **short, alone=alone, beside=seldom)).cause is Cause.SHORT
    assert judge(own(0.71, **short, alone=alone, beside=often)).between == (Cause.SHORT, Cause.LOCK)


# Another lock


def test_another_lock() -> None:
    found = judge(own(1.0, **idling(1.03)))
    assert found.cause is Cause.LOCK
    assert "2 use 1.03 CPUs, one alone 1.00" in found.why
    assert "1.0 switches a call" in found.why
    assert "instance of its own" in found.advice
    assert "processes: 1.97×" in found.advice
    assert "--shared" not in judge(own(1.0, shared=near(1.0), **idling(1.03))).advice


def test_a_mutex_beside_a_gil_that_is_held_for_half() -> None:
    assert judge(own(1.0, held=0.5, **idling(1.0))).cause is Cause.LOCK


def test_a_lock_that_processes_share() -> None:
    found = judge(own(1.0, processes=near(1.0), **idling(1.0, apart=1.0)))
    assert found.cause is Cause.LOCK
    assert "so do processes" in found.why
    assert "file" in found.advice


def test_a_lock_is_only_possible_where_little_shows_it() -> None:
    little = judge(own(1.70, **idling(1.70)))  # 85 % of the CPUs are busy
    assert little.cause is Cause.NOT_DECIDED
    assert "perhaps another lock" in little.why
    nobody = judge(own(1.0))
    assert nobody.between == (Cause.LOCK, Cause.SHARED)
    alone = {"alone": Usage(0.7, 7e-3), "beside": Usage(0.7, 7e-3), "apart": Usage(1.4, 7e-3)}
    assert judge(own(1.0, **alone)).cause is Cause.NOT_DECIDED  # it waits alone, too


@pytest.mark.parametrize("workers", [4, 16, 64])
def test_a_lock_among_many(workers: int) -> None:
    most = near(0.6 * workers)
    many = {"workers": workers, "cpus": workers, "ceiling": most, "processes": most}
    assert judge(own(1.3, **many, **idling(1.4, workers=workers))).cause is Cause.LOCK


# Shared memory


def test_shared_memory() -> None:
    found = judge(own(0.8, **working(cost=2.5)))
    assert found.cause is Cause.SHARED
    assert "25.0 ms of CPU time, in a process 10.0 ms" in found.why
    assert found.advice.startswith("give every thread data of its own")


def test_shared_memory_without_a_gil() -> None:
    assert judge(own(0.7, gil=False, held=None, **working(cost=2.8))).cause is Cause.SHARED


def test_shared_memory_that_the_system_maps_is_the_allocator_s() -> None:
    used = working(cost=2.8)
    used["beside"] = Usage(cpu=2.0, cpu_per_call=28e-3, system_per_call=16.2e-3, faults=512.0)
    found = judge(own(0.7, gil=False, held=None, **used))
    assert found.cause is Cause.SHARED
    assert "90% of what it takes more in the system, with 512 page faults a call" in found.why
    assert "the allocator" in found.why
    assert found.advice.startswith("use the same memory again in every call, instead of new")


def test_shared_memory_or_what_handing_over_costs() -> None:
    found = judge(own(1.5, call=near(30e-6, 0), **working(30e-6, cost=1.3)))
    assert found.cause is not Cause.SHARED  # 9 µs of CPU time more are within a hand-over


def test_shared_memory_that_hardly_shows() -> None:
    found = judge(own(1.7, **working(cost=1.15)))
    assert found.cause is Cause.NOT_DECIDED
    assert "perhaps shared memory" in found.why


def test_hyperthreads_make_calls_dearer_for_everybody() -> None:
    """Each call takes 1/0.6 of the CPU time that it takes alone: that is the machine."""
    siblings = {"workers": 4, "cpus": 4, "ceiling": near(2.4), "processes": near(2.38)}
    usage = {**working(cost=1 / 0.6, workers=4), "apart": None}
    assert judge(own(2.0, **siblings, **usage)).cause is Cause.NOT_DECIDED


# The hardware


def test_hardware_only_if_native_threads_and_processes_stop_too() -> None:
    slow = {"processes": near(1.22), "native": near(1.19), "held": 0.01}
    assert judge(nogil(1.2, **slow)).cause is Cause.HARDWARE
    assert judge(nogil(1.2, **{**slow, "native": near(1.97)})).cause is not Cause.HARDWARE
    assert judge(nogil(1.2, **{**slow, "processes": near(1.97)})).cause is not Cause.HARDWARE
    assert judge(nogil(1.2, **{**slow, "native": Estimate(1.2, 0.9, 1.9)})).cause is Cause.NOT_DECIDED
    assert judge(nogil(1.2, **{**slow, "native": None})).cause is Cause.NOT_DECIDED
    assert judge(nogil(1.5, processes=near(1.5), native=near(0.8), held=0.01)).cause is Cause.NOT_DECIDED


def test_own_code_at_the_hardwares_limit() -> None:
    found = judge(own(1.3, processes=near(1.3), **working(cost=1.5)))
    assert found.cause is Cause.HARDWARE
    assert found.advice.startswith("neither: ")
    nobody = judge(own(1.3, processes=near(1.3)))
    assert nobody.between == (Cause.LOCK, Cause.HARDWARE)


# Threads inside


def test_threads_of_the_calls_own() -> None:
    blas = own(1.0, processes=near(0.95), inside=1.9, limits="OPENBLAS_NUM_THREADS")
    found = judge(blas)
    assert found.cause is Cause.PARALLEL
    assert "one call uses 1.9 CPUs" in found.why
    assert "with OPENBLAS_NUM_THREADS set to 1" in found.advice
    both = judge(
        own(1.0, inside=1.9, limits="OMP_NUM_THREADS", single=near(1.97), single_to_whole=near(1.02))
    )
    assert "they do 1.97×" in both.why
    assert "1.02× (1.00–1.04) of one call as it is" in both.why
    assert both.advice.startswith("neither gains")
    gains = judge(own(1.0, inside=1.4, limits="x", single=near(1.97), single_to_whole=near(1.4)))
    assert gains.advice.startswith("one thread inside (x=1) and 2 threads outside: 1.40×")
    assert judge(own(1.95, inside=1.15)).cause is Cause.SCALES


# Waiting


def waiting(threads: float, **changes: object) -> Evidence:
    usual = {"workers": 8, "alone": Usage(0.01), "call": near(20e-3, 0), "held": 0.001}
    return own(threads, **{**usual, **changes})


def test_waiting_is_not_limited_by_the_cpus() -> None:
    found = judge(waiting(7.9, processes=near(7.8)))
    assert found.cause is Cause.WAITING
    assert found.advice == "threads: as many as should wait at once, not as many as CPUs"
    assert "one alone uses 1% of a CPU" in found.why
    assert judge(waiting(7.9, processes=near(7.8), cpus=1, ceiling=near(1.0))).cause is Cause.WAITING


def test_who_waits_for_a_cpu_that_others_use_does_not_wait_for_something_outside() -> None:
    assert waiting(1.0).waits
    assert waiting(1.0, inside=0.6).waits  # by chance: other threads of its process are counted, too
    assert not waiting(1.0, inside=1.0).waits  # a thread, or a process, of its own computes for it
    assert not waiting(1.0, alone=Usage(0.4, delay=0.55)).waits
    assert waiting(1.0, alone=Usage(0.4, delay=nan)).waits
    assert "one CPU" in judge(waiting(1.0, cpus=1, alone=Usage(0.4, delay=0.55))).why


def test_a_low_ceiling_does_not_hide_threads_above_it() -> None:
    found = judge(own(near(3.71, 0.07), workers=4, ceiling=near(1.4), held=0.01, processes=near(3.7)))
    assert found.cause is Cause.WAITING
    assert "3.71×" in found.why


def test_a_wait_that_holds_the_gil() -> None:
    found = judge(waiting(1.0, processes=near(7.8), held=1.0))
    assert found.cause is Cause.GIL
    assert "while it waits" in found.advice
    assert "up to 8.00×" in found.advice


def test_waits_that_nearly_scale() -> None:
    assert judge(waiting(7.2, processes=near(7.8))).cause is Cause.NOT_DECIDED
    assert judge(waiting(1.0, processes=near(1.0))).cause is Cause.NOT_DECIDED


# The scheduler, and what is shared


def test_left_to_the_scheduler() -> None:
    found = judge(own(1.95, unpinned=near(1.15), unpinned_delay=0.38))
    assert found.cause is Cause.SCALES
    assert "1.15× (1.13–1.17), and wait for a CPU for 38% of their time" in found.notes[0]
    assert judge(own(1.95, unpinned=Estimate(1.7, 1.4, 1.97))).notes == ()


def test_the_scheduler_as_the_cause_where_nobody_pinned() -> None:
    usage = {"alone": Usage(1.0, 5e-4), "beside": Usage(1.15, 5e-4, delay=0.4), "apart": Usage(2.0, 5e-4)}
    found = judge(own(1.15, call=near(5e-4, 0), held=0.2, pinned=False, **usage))
    assert found.cause is Cause.SCHEDULER
    assert "40%" in found.why
    assert found.advice.startswith("pin each")
    assert judge(own(1.15, call=near(5e-4, 0), held=0.2, **usage)).cause is not Cause.SCHEDULER


def test_threads_that_share_a_setup() -> None:
    found = judge(own(1.95, shared=near(1.0)))
    assert found.cause is Cause.SCALES
    assert "but 1.00× (0.98–1.02) where they share one setup" in found.why
    assert "its own" in found.advice
    assert judge(own(1.95, shared=near(1.93))).notes == ()


@pytest.mark.parametrize("cpus", [2, 4, 16, 64])
@pytest.mark.parametrize("ceiling", [0.9, 1.0, 1.05, 1.1, 1.4, 1.8, 3.7, 3.9])
@pytest.mark.parametrize("rounds", ["many", "few", "dropped"])
def test_nothing_can_scale_is_never_said_of_threads_that_do(cpus: int, ceiling: float, rounds: str) -> None:
    threads = near(3.71, 0.07) if rounds == "many" else Estimate(3.71, least=3.64, most=3.78)
    dropped = {"clean": 2, "tried": 30} if rounds == "dropped" else {}
    low = near(ceiling, 0.01)
    found = judge(own(threads, workers=4, cpus=cpus, ceiling=low, processes=low, held=0.01, **dropped))
    assert "nothing can scale" not in str(found)
    if found.cause is Cause.SCALES:
        assert 2 * ceiling > 3.71


def test_threads_far_above_the_ceiling_contradict_it() -> None:
    found = judge(own(near(3.71, 0.07), workers=4, cpus=4, ceiling=near(1.4), processes=near(1.4)))
    assert found.cause is Cause.NOT_DECIDED
    assert "3.71× (3.64–3.78)" in found.why
    assert "contradict" in found.why


def test_one_cpu_is_certain_on_a_busy_machine_and_of_few_rounds() -> None:
    for f in (own(0.8, cpus=1, clean=0, tried=30), own(Estimate(0.8, least=0.7, most=0.9), cpus=1)):
        assert "nothing can scale here: one CPU" in judge(f).why
    few = Estimate(1.9, least=1.8, most=1.95)
    assert "one CPU" not in judge(own(few, cpus=1, alone=Usage(0.01), ceiling=near(1.0))).why


@pytest.mark.parametrize("threads", [Estimate(1.0), Estimate(1.0, least=0.98, most=1.01)])
def test_few_rounds_of_the_gil_version_do_not_hide_that_it_holds(threads: Estimate) -> None:
    found = judge(kernel(threads={"gil": threads, "nogil": near(1.98)}))
    assert found.advice == "release the GIL and use threads"
    assert judge(kernel(threads={"gil": threads, "nogil": near(1.98)}, gil=False)).advice == "use threads"


def test_about_four_calls_in_a_window_are_steady() -> None:
    assert judge(own(1.0, held=1.0, steady=3.96)).cause is Cause.GIL


def test_where_too_few_rounds_are_paired_the_figures_decide_apart() -> None:
    """Each of four cases loses other rounds to others: few are left in which all four count."""
    few = Estimate(0.5, nan, nan)
    assert judge(own(1.95, threads_to_ceiling=few, threads_to_processes=few)).cause is Cause.SCALES
    assert judge(own(1.0, held=1.0, threads_to_ceiling=few, processes_to_ceiling=few)).cause is Cause.GIL


def test_a_mutex_around_a_wait() -> None:
    """As measured: each thread wakes up twice, so a call takes twice the CPU time; not why they stop."""
    used = {
        "alone": Usage(0.004, 2.2e-5, 1.0),
        "beside": Usage(0.009, 4.6e-5, 2.0),
        "apart": Usage(0.01, 2.5e-5, 1.0),
    }
    found = judge(own(1.02, **used, held=0.002, call=near(5e-3, 0), processes=near(2.0)))
    assert found.cause is Cause.LOCK
