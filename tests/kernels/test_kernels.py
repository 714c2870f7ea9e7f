"""Every variant of every kernel returns the same bits, everywhere."""

from __future__ import annotations

import inspect
import os
import pickle
import random
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from variants import run, variants

from gilkit import kernels
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS, VARIANTS, data

floats = st.floats(allow_nan=False, width=64)


def vectors(length: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, length, elements=floats)


def tables(rows: Any, columns: Any) -> st.SearchStrategy[np.ndarray]:
    return st.tuples(rows, columns).flatmap(lambda shape: hnp.arrays(np.float64, shape, elements=floats))


few, small = st.integers(0, 12), st.integers(0, 300)
# What Hypothesis makes for each kernel. A kernel without an entry here fails `test_every_kernel_has_inputs`.
INPUTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "lcg": st.tuples(small),
    "lcg_checked": st.tuples(small),
    "primes": st.tuples(
        hnp.arrays(
            np.int64, few, elements=st.one_of(st.integers(0, 10**6), st.sampled_from([2**31 - 1, 2**40]))
        )
    ),
    "mandelbrot": st.tuples(few, st.integers(0, 40)),
    "triad": few.flatmap(lambda n: st.tuples(vectors(n), vectors(n), floats)),
    "transform": st.tuples(tables(few, st.just(4)), tables(st.just(4), st.just(4))),
    "pairwise": st.tuples(tables(few, few)),
    "histogram": st.tuples(st.binary(max_size=500)),
    "crc32": st.tuples(st.binary(max_size=500)),
    "sleep": st.tuples(st.floats(0, 1e-4)),
    "objects": st.tuples(st.lists(st.text(max_size=2), max_size=30)),
    "synthetic": st.tuples(small, small),
}


RUN_KERNELS = [name for name, kind in EXECUTORS.items() if not (kind.native or kind.plain)]
OF_LIBRARIES = [name for name in RUN_KERNELS if EXECUTORS[name].further]


def test_every_kernel_has_inputs() -> None:
    assert set(INPUTS) == set(KERNELS)


def agree(name: str, choice: st.DataObject, *executors: Executor) -> None:
    """Check that all variants of a kernel return the same bits, wherever they run."""
    args = choice.draw(INPUTS[name])
    with np.errstate(all="ignore"):
        expected = run(name, "python", args)
    known = variants(KERNELS[name])
    futures = {(each, v): each.submit(run, name, v, args) for each in executors for v in known}
    for which, future in futures.items():
        assert future.result(60) == expected, which


@pytest.fixture(scope="module")
def executors() -> Iterator[list[Executor]]:
    """Every executor that runs kernels here, but those of libraries."""
    with ExitStack() as stack:
        own = [EXECUTORS[name] for name in RUN_KERNELS if name not in OF_LIBRARIES]
        yield [stack.enter_context(kind.start(2)) for kind in own if not kind.missing()]


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=60)
@given(choice=st.data())
def test_variants_agree(name: str, choice: st.DataObject, executors: list[Executor]) -> None:
    agree(name, choice, *executors)


@pytest.mark.parametrize("executor", OF_LIBRARIES, indirect=True)
@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=3)
@given(choice=st.data())
def test_variants_agree_on_workers_of_libraries(name: str, choice: st.DataObject, executor: Executor) -> None:
    """What they are sent is what arrives, and no copy of it that is laid elsewhere in memory."""
    agree(name, choice, executor)


@pytest.mark.parametrize("times", [1, pytest.param(4, marks=pytest.mark.endurance)])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", KERNELS)
def test_eight_threads_return_the_serial_bits(name: str, variant: str, times: int) -> None:
    kernel = KERNELS[name]
    call = kernel.variant(variant)
    if call is None:
        pytest.skip(kernel.missing[variant])
    calls = 250 if variant in ("gil", "nogil") else 25  # native calls start threads, too; Python is slow
    size = {"sleep": 1, "mandelbrot": 6, "pairwise": 6, "primes": 1}.get(name, 40)
    args = kernel.make(size, None)
    if name == "primes":
        args = (np.array([2, 97, 10_403, 0], dtype=np.int64),)
    if [*inspect.signature(kernel.python).parameters][len(args) - 1] == "out":
        args = args[:-1]  # the output, which threads cannot share
    expected = run(name, variant, args)
    together = threading.Barrier(8)

    def worker() -> None:
        together.wait()
        for _ in range(times * calls):
            assert run(name, variant, args) == expected

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(worker) for _ in range(8)]:
            future.result()


def lcg_by_definition(n: int) -> int:
    result = 1
    for i in range(n):
        result = (result * result * i + 2 * result * i * i + 3) % 10_000_000
    return result


AROUND, AROUND_IS = 10_000_020, 3_560_260  # by its definition, which takes two seconds


# 64 bits overflow at i = 92,234 in the first term; i wraps around the modulus at 10**7.
@pytest.mark.parametrize("n", [0, 1, 2, 92_240, 700_000, AROUND])
def test_lcg_is_exact_past_64_bits(n: int) -> None:
    expected = AROUND_IS if n == AROUND else lcg_by_definition(n)
    assert kernels.lcg.gil(n) == kernels.lcg.nogil(n) == expected
    assert kernels.lcg_checked.nogil(n) == kernels.synthetic.nogil(n, 0)[0] == expected


@pytest.mark.endurance
def test_what_lcg_is_around_the_modulus_is_its_definition() -> None:
    assert lcg_by_definition(AROUND) == AROUND_IS


@pytest.mark.parametrize("i", [2**31, 2**53 + 1, 2**63 - 2, 9_999_999, 10**18])
def test_the_reduction_of_lcg_is_exact_for_any_i(i: int) -> None:
    # The compiled body keeps i mod 10**7: one step from there must be one step from i itself.
    shuffled = random.Random(i)
    for result in [0, 1, 9_999_999, *(shuffled.randrange(10**7) for _ in range(200))]:
        reduced = i % 10**7
        first = result * reduced % 10**7 * (result + 2 * reduced)
        assert first + 3 < 2**63
        assert (first + 3) % 10**7 == (result * result * i + 2 * result * i * i + 3) % 10**7


@pytest.mark.parametrize("variant", ["gil", "nogil"])
def test_primes_of_the_documentation(variant: str) -> None:
    numbers = np.array(data.PRIME_CANDIDATES, dtype=np.int64)
    assert kernels.primes.variant(variant)(numbers).tolist() == [True] * 5 + [False]


def test_primes_at_the_edges() -> None:
    known = {0: False, 1: False, 2: True, 3: True, 4: False, 9: False, 3_037_000_493: True, 2**62: False}
    assert kernels.primes.nogil(np.array([*known], dtype=np.int64)).tolist() == [*known.values()]
    # The largest int64 is 7 * 7 * 73 * 127 * 337 * 92737 * 649657.
    assert kernels.primes.nogil(np.array([2**63 - 1], dtype=np.int64)).tolist() == [False]


@given(payload=st.binary(max_size=5000))
def test_crc32_is_zlibs(payload: bytes) -> None:
    assert kernels.crc32.nogil(payload) == kernels.crc32.gil(payload) == zlib.crc32(payload)


@given(payload=st.binary(max_size=5000))
def test_histogram_is_bincount(payload: bytes) -> None:
    expected = np.bincount(np.frombuffer(payload, dtype=np.uint8), minlength=256)
    assert kernels.histogram.nogil(payload).tolist() == expected.tolist()


def test_bytes_come_from_any_buffer() -> None:
    text = b"GIL" * 7
    for buffer in (bytearray(text), memoryview(text), np.frombuffer(text, dtype=np.uint8)):
        for variant in ("python", "gil", "nogil"):
            assert kernels.crc32.variant(variant)(buffer) == zlib.crc32(text)


def test_transform_and_pairwise_against_numpy() -> None:
    points, matrix = data.floats(50, 4), data.floats(4, 4)
    np.testing.assert_allclose(kernels.transform.nogil(points, matrix), points @ matrix.T, rtol=1e-13)
    differences = points[:, None] - points[None]
    np.testing.assert_allclose(kernels.pairwise.nogil(points), (differences**2).sum(axis=2), rtol=1e-13)


def test_out_is_written_and_returned() -> None:
    b, c, out = np.ones(3), np.ones(3), np.zeros(3)
    for variant in ("python", "gil", "nogil"):
        assert kernels.triad.variant(variant)(b, c, 2.0, out) is out
        assert out.tolist() == [3.0, 3.0, 3.0]


def test_read_only_arrays_will_do() -> None:
    b = np.ones(4)
    b.setflags(write=False)
    assert kernels.triad.nogil(b, b).tolist() == [4.0] * 4


def test_sleep_waits() -> None:
    for variant in ("python", "gil", "nogil"):
        start = time.perf_counter()
        assert kernels.sleep.variant(variant)(0.02) is None
        assert time.perf_counter() - start >= 0.02


@pytest.mark.skipif(kernels.lcg.native is None, reason="built without OpenMP")
def test_native_runs_calls_on_threads_of_their_own() -> None:
    spans = np.zeros((3, 2))
    assert kernels.lcg.native([(10,), (20,), (30,)], loops=5, spans=spans) == [
        lcg_by_definition(n) for n in (10, 20, 30)
    ]
    assert (spans[:, 1] >= spans[:, 0]).all()
    assert (spans > 0).all()
    for calls, loops, error in (([], 1, ValueError), ([(1,)], 0, ValueError), ([(1, 2)], 1, TypeError)):
        with pytest.raises(error):
            kernels.lcg.native(calls, loops=loops)


def test_kernels_and_variants_can_be_sent_to_other_processes() -> None:
    for kernel in KERNELS.values():
        assert pickle.loads(pickle.dumps(kernel)) is kernel
        for name in variants(kernel):
            assert pickle.loads(pickle.dumps(kernel.variant(name))) is kernel.variant(name)


def test_first_calls_load_numpy_from_whichever_thread() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_CALLS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "False True 16\n", "")


FIRST_CALLS = """
import sys, threading
from gilkit.kernels import histogram, mandelbrot
before, found, begin = 'numpy' in sys.modules, [], threading.Barrier(16)
sys.setswitchinterval(1e-6)
def work(i):
    begin.wait()
    found.append(int(mandelbrot.nogil(4).sum() if i % 2 else histogram.gil(b'abc').sum()))
threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(before, set(found) == {3, int(mandelbrot.python(4).sum())}, len(found))
"""


@pytest.mark.parametrize("name", KERNELS)
def test_the_types_of_arguments_can_be_asked_for(name: str) -> None:
    assert "return" in get_type_hints(KERNELS[name].python)


def test_the_registry_is_whole() -> None:
    for name, kernel in KERNELS.items():
        assert getattr(kernels, name) is kernel
        assert name in kernels.__all__
        for variant in VARIANTS:
            assert (kernel.variant(variant) is None) == (variant in kernel.missing)
        assert kernel.variant("nonsense") is None
        doc = kernel.__doc__ or ""
        for part in ("Limited by", "Parameters\n", "Raises\n", "Notes\n"):
            assert part in doc, f"{name} has no {part.strip()!r}"
        assert re.search(r"\bcosts?\b", doc), f"{name} does not say what an element costs"
    assert KERNELS["objects"].nogil is None


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no CPU affinity here")
def test_openmp_that_binds_threads_does_not_bind_ours() -> None:
    script = (
        "import os; before = os.sched_getaffinity(0); from gilkit.kernels import lcg; "
        "assert os.sched_getaffinity(0) == before; lcg.native and lcg.native([(9,)] * 2); "
        "assert os.sched_getaffinity(0) == before"
    )
    for bind in ("true", "close", "spread"):
        subprocess.run([sys.executable, "-c", script], env={**os.environ, "OMP_PROC_BIND": bind}, check=True)
