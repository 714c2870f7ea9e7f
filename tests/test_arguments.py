"""What callers ask for, checked."""

from __future__ import annotations

import pytest

import gilkit
from gilkit.arguments import duration, nearest, number, shown_count, unknown, worker_counts, worker_list


@pytest.mark.parametrize(
    ("cpus", "counts"),
    [
        (1, (1, 2)),
        (2, (1, 2, 3, 4)),
        (3, (1, 2, 3, 4, 6)),
        (4, (1, 2, 3, 4, 8)),
        (6, (1, 2, 3, 4, 8, 12)),
        (64, (1, 2, 3, 4, 8, 16, 32, 64, 128)),
    ],
)
def test_worker_counts(cpus: int, counts: tuple[int, ...]) -> None:
    assert worker_counts(cpus) == counts


@pytest.mark.parametrize("cpus", [4, 16, 64])
def test_tables_show_as_many_as_cpus_or_else_the_most(cpus: int) -> None:
    assert shown_count([1, cpus], cpus) == cpus
    assert shown_count([1, cpus, 4 * cpus], cpus) == cpus
    assert shown_count([1, 2, 3], cpus) == 3
    assert shown_count([1, 2], 1) == 2


def test_worker_lists_are_in_order() -> None:
    assert worker_list(None, (1, 64)) == [1, 64]
    assert worker_list([4, 1, 2, 4], (1, 64)) == [1, 2, 4]
    assert worker_list(16, (1, 64)) == [16]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mandelbort", "mandelbrot"),
        ("LCG", "lcg"),
        ("cputhread", "CpuThread"),
        ("quicksort", None),
        ("", None),
        (3, None),
    ],
)
def test_a_name_that_is_close_to_a_known_one_was_meant(name: object, meant: str | None) -> None:
    assert nearest(name, ["lcg", "mandelbrot", "CpuThread"]) == meant


def test_unknown_names_are_refused_with_what_was_meant() -> None:
    assert (
        unknown("kernel", "lgc", ["lcg", "sleep"])
        == "unknown kernel 'lgc': did you mean 'lcg'? Known are lcg, sleep"
    )
    assert unknown("kernel", "x", ["lcg", "sleep"]) == "unknown kernel 'x': known are lcg, sleep"


def test_from_python_it_is_the_same() -> None:
    with pytest.raises(ValueError, match="unknown kernel 'mandelbort': did you mean 'mandelbrot'"):
        gilkit.compare("mandelbort")
    with pytest.raises(ValueError, match="unknown executor 'thread': did you mean 'threads'"):
        gilkit.timeit("1", executors=["thread"])
    with pytest.raises(ValueError, match="unknown constant 'Start': did you mean 'start'"):
        gilkit.costs("Start")
    with pytest.raises(ValueError, match="unknown claim 'crasch': did you mean 'crash'"):
        gilkit.claims("crasch")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10ms", 0.01), ("0.05s", 0.05), (" 50 ms ", 0.05), (".5s", 0.5), ("3.s", 3.0), ("20us", 2e-5)],
)
def test_a_time_is_read_with_its_unit(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["50", "", "ms", "-1ms", "1e3ms", "10 m", "1ms2", "infs", "nan"])
def test_what_is_no_time_with_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time with its unit, such as 10ms"):
        duration(text)


class Odd(float):
    """Says something else than what it is."""

    def __float__(self) -> float:
        return 7.0


def test_a_number_is_what_it_is_and_a_text_is_none() -> None:
    assert number(3, "n") == number(3.0, "n") == 3.0
    assert type(number(3, "n")) is type(number(Odd(3.0), "n")) is float
    assert number(Odd(3.0), "n") == 3.0
    with pytest.raises(TypeError, match="n must be a number, not str"):
        number("3", "n")
    with pytest.raises(ValueError, match="n is too large for a float64"):
        number(10**400, "n")
