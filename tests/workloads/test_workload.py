"""Prepared calls are kept: those of kernels by place, others by thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from gilkit.workloads.workload import FunctionCall, KernelCall, ready


def test_a_place_has_data_of_its_own_which_all_threads_and_variants_share() -> None:
    def points(variant: str, place: int) -> object:
        call = ready(KernelCall("transform", variant, 50), place)
        assert isinstance(call, partial)
        return call.args[0]

    first, second = points("gil", 0), points("gil", 1)
    assert first is not second
    assert points("nogil", 0) is first
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(points, "gil", 1).result() is second


def test_a_thread_has_calls_of_its_own() -> None:
    recipe = FunctionCall(int)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ready, recipe, 0).result() is not ready(recipe, 0)
    assert ready(recipe, 1) is ready(recipe, 0)
