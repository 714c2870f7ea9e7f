"""What kernels take and refuse: every variant the same, and wrong arguments by name."""

from __future__ import annotations

import ctypes
import math
from array import array
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from variants import bits, call, variants

from gilkit import kernels
from gilkit.kernels import KERNELS, VARIANTS

vector, table = np.ones(3), np.ones((3, 4))
COUNTS = [(1.5, TypeError), ("3", TypeError), (None, TypeError), (-1, ValueError), (2**63, ValueError)]
OCTETS = [
    (None, TypeError),
    ("text", TypeError),
    (np.ones(3), ValueError),
    (np.zeros((2, 2), np.uint8), ValueError),
    (memoryview(bytearray(8))[::2], ValueError),
]
VECTORS = [
    (None, TypeError),
    ([1.0, 2.0, 3.0], TypeError),
    (np.ones(3, np.float32), ValueError),
    (np.ones((3, 1)), ValueError),
    (np.ones(6)[::2], ValueError),
]
TABLES = [
    (None, TypeError),
    (3, TypeError),
    (np.ones((3, 4), np.int64), ValueError),
    (np.ones(4), ValueError),
    (np.asfortranarray(table), ValueError),
]
# kernel, the position of the argument, its name, good arguments, and bad values with their errors
REFUSED: list[tuple[str, int, str, tuple[Any, ...], list[tuple[Any, type[Exception]]]]] = [
    ("lcg", 0, "n", (1,), COUNTS),
    ("lcg_checked", 0, "n", (1,), COUNTS),
    ("synthetic", 0, "held", (1, 1), COUNTS),
    ("synthetic", 1, "released", (1, 1), COUNTS),
    ("mandelbrot", 0, "n", (1, 1), [*COUNTS, (32_768, ValueError)]),
    ("mandelbrot", 1, "limit", (1, 1), [*COUNTS, (2**31, ValueError)]),
    (
        "primes",
        0,
        "numbers",
        (np.array([3]),),
        [
            (None, TypeError),
            (7, TypeError),
            (np.ones(2), ValueError),
            (np.ones((1, 1), np.int64), ValueError),
            (np.array([-3]), ValueError),
            (np.arange(9)[::3], ValueError),
        ],
    ),
    ("triad", 0, "b", (vector, vector), VECTORS),
    ("triad", 1, "c", (vector, vector), [*VECTORS, (np.ones(2), ValueError)]),
    ("triad", 2, "s", (vector, vector, 1.0), [(None, TypeError), ([], TypeError)]),
    ("triad", 3, "out", (vector, vector, 1.0, None), [*VECTORS[1:], (np.ones(2), ValueError)]),
    ("transform", 0, "points", (table, np.eye(4)), [*TABLES, (np.ones((3, 3)), ValueError)]),
    ("transform", 1, "matrix", (table, np.eye(4)), [*TABLES, (np.eye(3), ValueError)]),
    ("transform", 2, "out", (table, np.eye(4), None), [*TABLES[1:], (np.ones((2, 4)), ValueError)]),
    ("pairwise", 0, "x", (table,), TABLES),
    ("pairwise", 1, "out", (table, None), [*TABLES[1:], (np.ones((3, 4)), ValueError)]),
    ("histogram", 0, "data", (b"",), OCTETS),
    ("crc32", 0, "data", (b"",), OCTETS),
    (
        "sleep",
        0,
        "seconds",
        (0.0,),
        [(None, TypeError), (-1.0, ValueError), (float("nan"), ValueError), (float("inf"), ValueError)],
    ),
    ("objects", 0, "words", ([],), [(None, TypeError), (("a",), TypeError)]),
]


def test_every_kernel_is_refused_something() -> None:
    assert {row[0] for row in REFUSED} == set(KERNELS)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("name", "position", "argument", "good", "bad"),
    REFUSED,
    ids=[f"{row[0]}-{row[2]}" for row in REFUSED],
)
def test_bad_arguments_are_refused_by_name(
    variant: str,
    name: str,
    position: int,
    argument: str,
    good: tuple[Any, ...],
    bad: list[tuple[Any, type[Exception]]],
) -> None:
    call = KERNELS[name].variant(variant)
    if call is None:
        pytest.skip(KERNELS[name].missing[variant])
    for value, error in bad:
        args = (*good[:position], value, *good[position + 1 :])
        with pytest.raises(error, match=rf"\b{argument}\b") as caught:
            call([args]) if variant == "native" else call(*args)
        assert "\n" not in str(caught.value)


def test_a_read_only_output_is_refused() -> None:
    out = np.zeros(3)
    out.setflags(write=False)
    for variant in ("python", "gil", "nogil"):
        with pytest.raises(ValueError, match="out"):
            kernels.triad.variant(variant)(vector, vector, 1.0, out)


def overlapping() -> list[tuple[str, tuple[Any, ...], str]]:
    """Calls whose output lies over a part of an input, and the input."""
    x, matrix = np.arange(400.0), np.arange(16.0).reshape(4, 4)
    rows = x.reshape(100, 4)
    return [
        ("triad", (x[:100], x[50:150], 3.0, x[1:101]), "b"),
        ("triad", (x[:100], x[150:250], 3.0, x[151:251]), "c"),
        ("transform", (rows[:50], matrix, rows[1:51]), "points"),
        ("transform", (rows[:4], x[200:216].reshape(4, 4), x[204:220].reshape(4, 4)), "matrix"),
        ("pairwise", (x[:16].reshape(4, 4), x[:16].reshape(4, 4)), "x"),
        ("pairwise", (x[:16].reshape(4, 4), x[15:31].reshape(4, 4)), "x"),
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_output_over_a_part_of_an_input_is_refused(variant: str) -> None:
    for name, args, which in overlapping():
        if (call := KERNELS[name].variant(variant)) is None:
            pytest.skip(KERNELS[name].missing[variant])
        before = [np.copy(arg) for arg in args]
        with pytest.raises(ValueError, match=f"out must not overlap {which}"):
            call([args]) if variant == "native" else call(*args)
        assert all(np.array_equal(a, b) for a, b in zip(args, before, strict=True))


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_input_may_be_the_output_where_all_is_read_before_it_is_written(variant: str) -> None:
    for name, inputs, place in (
        ("triad", (np.arange(9.0), np.ones(9), 2.0), 0),
        ("triad", (np.arange(9.0), np.ones(9), 2.0), 1),
        ("transform", (np.arange(36.0).reshape(9, 4), np.arange(16.0).reshape(4, 4)), 0),
    ):
        if (call := KERNELS[name].variant(variant)) is None:
            pytest.skip(KERNELS[name].missing[variant])
        expected = KERNELS[name].python(*inputs)
        args = (*inputs, inputs[place])
        found = call([args])[0] if variant == "native" else call(*args)
        assert np.array_equal(found, expected)


class Strange(float):
    """A float whose method says something else."""

    def __float__(self) -> float:
        return 77.0


class Floatlike:
    """Something that can be made a float."""

    def __float__(self) -> float:
        return 0.25


class Indexlike:
    """Something that can be made an integer."""

    def __index__(self) -> int:
        return 3


def misaligned(kind: type[np.generic], *shape: int) -> np.ndarray:
    """An array whose items begin one byte beside where the machine expects them."""
    size = int(np.prod(shape)) * kind().itemsize
    return np.zeros(size + 1, np.uint8)[1:].view(kind).reshape(shape)


def released() -> memoryview:
    view = memoryview(bytearray(8))
    view.release()
    return view


ODD = [
    *(
        None,
        "3",
        b"3",
        3,
        2.5,
        True,
        [3],
        (3.0,),
        1j,
        object(),
        memoryview(b"3"),
        bytearray(b"3"),
        released(),
    ),
    *(Strange(2.5), Floatlike(), Indexlike(), Decimal("2.5"), Fraction(5, 2), math.nan, -0.0),
    *(np.float32(2.5), np.int8(3), np.bool_(True), np.array(2.5), np.array([2.5])),
    *(10**400, -(10**400), 2**63, -1),
    *(array(letter, [3] * 3) for letter in "dfqlBL"),
    *(
        (kind * 3)()
        for kind in (ctypes.c_double, ctypes.c_long, ctypes.c_longlong, ctypes.c_ubyte, ctypes.c_char)
    ),
    *((ctypes.c_double * 4 * 3)(), bytearray(24)),
    *(memoryview(bytearray(24)).cast(letter) for letter in "dqlN?Pcb"),
    *(
        np.ones(3, kind)
        for kind in ("?", "i1", "u1", "<i8", "u8", "<f8", ">f8", ">i8", "f4", "c8", "S1", "M8[s]")
    ),
    *(np.ones(3, [("x", kind)]) for kind in ("f8", "i8", "u1")),
    *(np.ones((3, 4), kind) for kind in ("f8", ">f8", "?", [("x", "f8")])),
    *(np.ones(shape) for shape in ((), 0, (0, 4), (3, 0), (4, 4), (1, 3, 4))),
    *(
        misaligned(np.float64, 3),
        misaligned(np.float64, 3, 4),
        misaligned(np.float64, 4, 4),
        misaligned(np.int64, 3),
    ),
    *(np.ones((6, 4))[::2], np.ones(6)[::-2], np.ma.ones(3), np.broadcast_to(np.ones(1), 3)),
]


def told(name: str, variant: str, args: tuple[Any, ...]) -> Any:
    """What a call says: its result to the bit, or its error."""
    try:
        result = call(name, variant, args)
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    plain = result is None or isinstance(result, int | dict | tuple)
    return type(result), bits(result if plain else np.array(result))


def waits(value: Any) -> bool:
    """Whether it is a number of seconds worth mentioning."""
    try:
        return float(value) > 1e-3
    except (TypeError, ValueError, OverflowError):
        return False


@pytest.mark.parametrize(
    ("name", "position", "good", "bad"),
    [(*row[:2], *row[3:]) for row in REFUSED],
    ids=[f"{row[0]}-{row[2]}" for row in REFUSED],
)
def test_variants_agree_on_what_they_take(
    name: str, position: int, good: tuple[Any, ...], bad: list[tuple[Any, type[Exception]]]
) -> None:
    taken = refused = 0
    for value in [good[position], *ODD, *(value for value, _ in bad)]:
        if name == "sleep" and waits(value):
            continue
        args = (*good[:position], value, *good[position + 1 :])
        expected = told(name, "python", args)
        refused += issubclass(expected[0], Exception)
        taken += not issubclass(expected[0], Exception)
        for variant in variants(KERNELS[name]):
            assert told(name, variant, args) == expected, (variant, value)
    assert taken
    assert refused > len(bad)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_empty_array_may_point_anywhere(variant: str) -> None:
    """As one does that was pickled, in some builds of Python."""
    floats, integers = (np.frombuffer(memoryview(bytearray(9))[1:1], kind) for kind in (float, np.int64))
    assert floats.ctypes.data % 8
    aligned = np.ones(0)
    assert told("triad", variant, (floats, floats, 0.0)) == told("triad", variant, (aligned, aligned, 0.0))
    assert told("primes", variant, (integers,)) == told("primes", variant, (aligned.astype(np.int64),))


@pytest.mark.skipif(kernels.lcg.native is None, reason="built without OpenMP")
def test_native_checks_what_it_is_given() -> None:
    rows: dict[str, Any] = {"spans": np.zeros((1, 9)), "until": 0.0}
    buffer = "a writable C-contiguous 2-d buffer of float64"
    bad: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (
            TypeError,
            "spans must be a writable C-contiguous 2-d buffer of float64, not tuple",
            {"spans": (0, 0)},
        ),
        (TypeError, f"spans must be {buffer}, not tuple", {"spans": (0, 0)}),
        (TypeError, f"spans must be {buffer}, not str", {"spans": "ab"}),
        (TypeError, f"spans must be {buffer}, not NoneType", {"until": 0.0}),
        (ValueError, f"spans must be {buffer}", {"spans": np.zeros(2)}),
        (ValueError, "spans must have a row for each of 1 calls, not 3", {"spans": np.zeros((3, 2))}),
        (ValueError, "spans must have at least 2 columns, not 1", {"spans": np.zeros((1, 1))}),
        (ValueError, "spans must have at least 8 columns, not 5", {"spans": np.zeros((1, 5)), "until": 0.0}),
        (TypeError, "until must be a number, not str", {**rows, "until": "0"}),
        (TypeError, "cpus must be a C-contiguous 1-d buffer of int64, not list", {**rows, "cpus": [0]}),
        (ValueError, "cpus must name one for each of 1 calls, not 2", {**rows, "cpus": np.array([0, 1])}),
        (TypeError, "loops must be an integer, not str", {"loops": "2"}),
    ]
    for error, message, options in bad:
        with pytest.raises(error, match=message):
            kernels.lcg.native([(3,)], **options)

    class Growing:
        """Arguments that lengthen the list they are in while they are read."""

        def __init__(self) -> None:
            self.calls: list[Any] = [self]

        def __iter__(self) -> Any:
            self.calls.append((5,))
            return iter((3,))

    assert kernels.lcg.native(Growing().calls) == [kernels.lcg.python(3)]
