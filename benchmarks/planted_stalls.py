"""Stalls at known lines: whether `gilkit.Stalls` finds them, on which line, and of what length.

    python benchmarks/planted_stalls.py [TIMES] [--only KIND] [--waiters 1,8] [--milliseconds 12,50,200]

Each kind of stall is planted so many times (3 by default), for each length, with one and with eight threads
that wait, and beside threads that come and go. Columns: planted; found; on the right line; certain, and of
them wrong; the lengths that are within 5 % or 1 ms; the largest difference; and the longest time from the end
of a stall to the call of ``on_stall``. At the end: what was reported that was not planted, also of programs
that release the GIL or make nobody wait. Exits with 1 if fewer than 99 % are on the right line, or one that
is certain is not.

Lengths are only true on a quiet machine: whoever takes the CPU from the sampler makes it blind.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import inspect
import json
import re
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import gilkit

LIBC = ctypes.PyDLL(None)  # its functions are called with the GIL
LONGEST_HUNT = 4.0  # seconds for finding the size that takes so long
Kind = Callable[[int], Callable[[], object]]
CALLBACK = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_int)
LONGER = (
    0.008  # seconds of waiting: 12 ms of a call are that also where somebody comes to wait a little later
)
PAUSE = 0.03  # seconds between two of them: everybody has had the GIL


class Sortable(list[int]):
    """Has an attribute that is computed in C."""

    in_order = property(sorted)


def c_call(size: int) -> Callable[[], object]:
    """Call a function."""
    data = bytes(size)
    return lambda: data.count(b"ab")  # planted


def operator_of_numbers(size: int) -> Callable[[], object]:
    """Divide and add."""
    big = (1 << 8 * size) - 1
    return lambda: big // 12345678901234567891 + big  # planted


def operator_in(size: int) -> Callable[[], object]:
    """Look for what is not there."""
    many = list(range(size))
    return lambda: -1 in many  # planted


def attribute(size: int) -> Callable[[], object]:
    """Ask for an attribute."""
    many = Sortable((i * 7919) % 1_000_003 for i in range(size))
    return lambda: many.in_order  # planted


def callback_from_c(size: int) -> Callable[[], object]:
    """Call Python from C."""
    data = bytes(size)

    def back(number: int) -> int:
        data.count(b"ab")  # planted
        return number

    called = CALLBACK(back)
    return lambda: called(1)


def sort_with_a_python_key(size: int) -> Callable[[], object]:
    """Sort by a key in Python."""
    data = bytes(size)

    def key(number: int) -> int:
        return data.count(b"ab") if number == 5 else 0  # planted

    return lambda: sorted(range(10), key=key)


def foreign_function(size: int) -> Callable[[], object]:
    """Call by ctypes, with the GIL."""
    return lambda: LIBC.usleep(size)  # planted


def regular_expression(size: int) -> Callable[[], object]:
    """Match in vain."""
    text = "ab" * size
    pattern = re.compile("(?:a|b)*c")
    return lambda: pattern.match(text)  # planted


def json_dumps(size: int) -> Callable[[], object]:
    """Encode numbers."""
    data = list(range(size))
    encode = json.JSONEncoder().encode
    return lambda: encode(data)  # planted


def garbage(size: int) -> Callable[[], object]:
    """Collect garbage where there is none."""
    kept = [[] for _ in range(size)]

    def collect() -> object:
        return kept and gc.collect()  # planted

    return collect


def compare_in_c(size: int) -> Callable[[], object]:
    """Find the largest string."""
    many = [str(i) for i in range(size)]
    return lambda: max(many)  # planted


def python_code(size: int) -> Callable[[], object]:
    """Count, while nobody may interrupt."""

    def count() -> int:
        total = 0
        for i in range(size):  # planted
            total += i  # planted
        return total

    return count


KINDS: list[Kind] = [
    c_call, operator_of_numbers, operator_in, attribute, callback_from_c, sort_with_a_python_key,
    foreign_function, regular_expression, json_dumps, garbage, compare_in_c, python_code,
]  # fmt: skip


def planted_lines(kind: Kind) -> set[int]:
    """The lines of this file that a kind of stall may be put on."""
    lines, first = inspect.getsourcelines(kind)
    return {first + i for i, line in enumerate(lines) if "# planted" in line}


def taking(kind: Kind, seconds: float) -> Callable[[], object]:
    """Make one that takes so long."""
    size, best = 1000, 0.0
    until = time.perf_counter() + LONGEST_HUNT
    while True:
        call = kind(size)
        best = min(timed(call) for _ in range(3))
        if abs(best - seconds) < 0.1 * seconds or time.perf_counter() > until:
            return call
        size = max(1, int(size * min(20.0, max(0.2, seconds / max(best, 1e-6)))))


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@contextmanager
def waiting(count: int, coming_and_going: bool) -> Iterator[None]:
    """Let so many threads want the GIL every half a millisecond, or for a moment each, one after another."""
    end = threading.Event()

    def wants() -> None:
        while not end.is_set():
            time.sleep(0.0005)

    def comes() -> None:
        while not end.is_set():
            for short in [threading.Thread(target=time.sleep, args=(0.001,)) for _ in range(5)]:
                short.start()
                short.join()

    threads = [threading.Thread(target=comes if coming_and_going else wants) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


@dataclass
class Score:
    """What was found of what was planted."""

    planted: int = 0
    found: int = 0
    right: int = 0
    certain: int = 0
    wrong_certain: int = 0
    lengths: int = 0
    worst: float = 0.0
    told: float = 0.0
    others: list[gilkit.Stall] = field(default_factory=list)

    def figures(self) -> str:
        """Return them as columns."""
        return (
            f"{self.planted:7} {self.found:5} {self.right:5} {self.certain:7} {self.wrong_certain:7} "
            f"{self.lengths:7} {self.worst * 1e3:5.1f} ms {self.told * 1e3:5.1f} ms"
        )

    def include(self, more: Score) -> None:
        """Add up with another."""
        for name in ("planted", "found", "right", "certain", "wrong_certain", "lengths"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.worst = max(self.worst, more.worst)
        self.told = max(self.told, more.told)
        self.others += more.others

    def add(self, truth: list[tuple[float, float]], stalls: list[gilkit.Stall], lines: set[int]) -> None:
        """Count what was found of stalls that lasted from and until these moments."""
        left = list(stalls)
        for start, end in truth:
            self.planted += 1
            mine = [s for s in left if s.start < end and s.end > start]
            if not mine:
                continue
            self.found += 1
            best = max(mine, key=lambda s: min(s.end, end) - max(s.start, start))
            left = [s for s in left if s not in mine]
            right = best.own is not None and best.own.file == __file__ and best.own.line in lines
            self.right += right
            if best.certainty == "certain":
                self.certain += 1
                self.wrong_certain += not right
            apart = abs(sum(s.seconds for s in mine) - (end - start))  # it may be handed over in it
            self.lengths += apart < max(0.001, 0.05 * (end - start))
            self.worst = max(self.worst, apart)
        self.others += left


def trial(kind: Kind, seconds: float, waiters: int, going: bool, times: int) -> Score:
    """Plant and look."""
    score = Score()
    call = taking(kind, seconds)
    truth = []
    usual = sys.getswitchinterval()

    def tell(stall: gilkit.Stall) -> None:
        score.told = max(score.told, time.perf_counter() - stall.end)

    with waiting(waiters, going), gilkit.Stalls(longer=LONGER, on_stall=tell) as watch:
        for _ in range(times):
            time.sleep(PAUSE)
            if kind is python_code:
                sys.setswitchinterval(1.0)
            start = time.perf_counter()
            call()
            truth.append((start, time.perf_counter()))
            sys.setswitchinterval(usual)
        time.sleep(PAUSE)
    score.add(
        [(start, end) for start, end in truth if end - start > 0.011], watch.stalls, planted_lines(kind)
    )
    return score


def nobody_waits() -> list[gilkit.Stall]:
    """Return what is reported of programs that release the GIL, and of one whose holds nobody waits for."""
    data = bytes(3_000_000)
    found: list[gilkit.Stall] = []
    with waiting(2, False), gilkit.Stalls() as watch:
        for _ in range(10):
            zlib.compress(data)
            time.sleep(0.03)
    found += watch.stalls
    with gilkit.Stalls() as watch:
        for _ in range(20):
            data.count(b"ab")
            LIBC.usleep(30_000)
    return found + watch.stalls


def main() -> int:
    """Print a row for each kind and those who wait."""
    parser = argparse.ArgumentParser(description="Plant stalls and look for them.")
    parser.add_argument("times", nargs="?", type=int, default=3)
    parser.add_argument("--only", choices=[kind.__name__ for kind in KINDS])
    parser.add_argument("--waiters", default="1,8")
    parser.add_argument("--milliseconds", default="12.5,50,200")
    asked = parser.parse_args()
    total = Score()
    print(f"Python {sys.version.split()[0]}")
    print(f"{'':28}planted found right certain (wrong) lengths    worst     told")
    for kind in KINDS:
        if asked.only and kind.__name__ != asked.only:
            continue
        for waiters, going in [*((int(n), False) for n in asked.waiters.split(",")), (1, True)]:
            score = Score()
            for milliseconds in asked.milliseconds.split(","):
                one = trial(kind, float(milliseconds) / 1e3, waiters, going, asked.times)
                score.include(one)
            title = f"{kind.__name__}, {'going' if going else waiters}"
            print(
                f"{title:28}{score.figures()}",
                *(f"\n    besides: {s.seconds * 1e3:.1f} ms {s.place} {s.kind}" for s in score.others[:5]),
                flush=True,
            )
            total.include(score)
    false = nobody_waits()
    print(
        f"{'all':28}{total.figures()}\nbesides: {len(total.others)}; where nobody waits: {len(false)}",
        *(f"\n    {s.seconds * 1e3:.1f} ms {s.place} {s.kind} {s.certainty}" for s in false),
    )
    return int(total.right < 0.99 * total.planted or total.wrong_certain > 0 or bool(false))


if __name__ == "__main__":
    sys.exit(main())
