"""What people name is resolved in one place: kernels, statements, functions."""

from __future__ import annotations

from functools import partial

import pytest

from gilkit.errors import StatementError
from gilkit.kernels import KERNELS, Kernel
from gilkit.results import facts
from gilkit.workloads import target
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.target import (
    Own,
    check_processes,
    check_size,
    chosen_kernels,
    from_words,
    has_variant,
    kernel_or_statement,
    own_function,
    own_statement,
)


@pytest.mark.parametrize(
    ("words", "setup", "meant"),
    [
        (["lcg"], [], {"target": "lcg"}),
        (["len(x)"], ["x = 1", "y = 2"], {"stmt": "len(x)", "setup": "x = 1\ny = 2"}),
        (["a", "b"], [], {"stmt": "a\nb", "setup": "pass"}),
        (["lcg"], ["lcg = 1"], {"stmt": "lcg", "setup": "lcg = 1"}),  # SETUP made a name of it
    ],
)
def test_words_of_a_command_line(words: list[str], setup: list[str], meant: dict[str, str]) -> None:
    assert from_words(words, setup) == meant


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lgc"], "unknown kernel 'lgc': did you mean 'lcg'\\? Known are lcg, "),
        (["lcg", "triad"], "one kernel at a time, not 2: lcg, triad"),
    ],
)
def test_words_that_mean_nothing(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_words(words, [])


def test_a_kernel_or_a_statement() -> None:
    assert kernel_or_statement("study", "lcg", None, "pass") is KERNELS["lcg"]
    assert kernel_or_statement("study", KERNELS["lcg"], None, "pass") is KERNELS["lcg"]
    own = kernel_or_statement("study", None, "x + n", "x = 1")
    assert isinstance(own, Own)
    assert own.name == "x + n"
    assert own.workload(n=3) == StatementCall("x = 1", "x + n", (("n", 3),))
    assert facts.STATEMENT.of(own.facts) == "x + n"
    assert facts.SETUP.of(own.facts) == "x = 1"
    for given in (("lcg", "x"), (None, None)):
        with pytest.raises(TypeError, match="give a kernel or a statement"):
            kernel_or_statement("study", *given, "pass")
    with pytest.raises(ValueError, match="study takes one kernel at a time"):
        kernel_or_statement("study", ["lcg", "triad"], None, "pass")


def test_statements_are_checked_before_anything_runs() -> None:
    with pytest.raises(TypeError, match="setup must be a string, not int"):
        own_statement("x", 5)  # type: ignore[arg-type]
    with pytest.raises(StatementError, match="the statement is not Python"):
        own_statement("x +", "pass")


def test_functions_have_a_name() -> None:
    assert own_function(partial(max, 1), (2,)).name == "max"
    assert own_function(KERNELS["lcg"].gil, (2,)).workload().prepare()() is not None

    class Callable:
        def __call__(self) -> None: ...

    assert own_function(Callable(), ()).name.endswith("Callable")


def test_which_kernels_take_which_file() -> None:
    arrays, octets = ({k.name for k in chosen_kernels(None, path)} for path in ("x.npy", "x.txt"))
    assert {"transform", "pairwise"} <= arrays
    assert {"histogram", "crc32"} <= octets
    assert not arrays & octets
    assert "lcg" not in arrays | octets
    assert [k.name for k in chosen_kernels(["crc32"], "x.npy")] == ["crc32"]
    assert chosen_kernels(None) == list(KERNELS.values())
    assert [k.name for k in chosen_kernels([KERNELS["lcg"], "triad", "lcg"])] == ["lcg", "triad"]
    with pytest.raises(ValueError, match=r"lcg takes no input file: .*crc32"):
        chosen_kernels(["lcg"], "x.npy")
    with pytest.raises(ValueError, match="unknown kernel 'nope': known are lcg, "):
        chosen_kernels("nope")


def test_a_variant_that_is_missing_says_why() -> None:
    has_variant(KERNELS["lcg"], "nogil")
    with pytest.raises(ValueError, match="objects has no nogil version: it works on Python objects"):
        has_variant(KERNELS["objects"], "nogil")


@pytest.mark.parametrize("kernel", [KERNELS["triad"], KERNELS["mandelbrot"]], ids=lambda kernel: kernel.name)
def test_sizes_that_cannot_fit_are_refused(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    check_size(kernel, 100, 2)
    with pytest.raises(ValueError, match=f"{kernel.name}: .* GB|{kernel.name}: .* too large"):
        check_size(kernel, 10**12, 2)
    monkeypatch.setattr(target, "FOOTPRINT", 1e15)
    with pytest.raises(ValueError, match=r"2 processes need about 2,000,000.0 GB, and .*fewer"):
        check_processes(2)
