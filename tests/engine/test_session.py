"""What becomes of a run: whole, interrupted or unsaved, nothing that was measured is lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from gilkit.engine.pools import Lab
from gilkit.engine.session import obtained
from gilkit.errors import InterruptedRunError, NothingMeasuredError, ResultsError, UnsavedError


class Outcome:
    """What the run of a test ends with: the values that it had."""

    def __init__(self, values: list[int]) -> None:
        self.values = list(values)

    def save(self, path: str | os.PathLike[str]) -> None:
        try:
            Path(path).write_text(repr(self.values), "utf-8")
        except OSError as error:
            raise ResultsError(f"cannot write to {path}") from error


class Open(Lab):
    """A lab that knows whether it was entered and left, and what happens when it is left."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen: list[str] = []
        self.interrupted_again = False

    def __enter__(self) -> Open:
        self.seen.append("entered")
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self.interrupted_again:
            signal.raise_signal(signal.SIGINT)  # sent to the process, another thread may take it
        self.seen.append("left")
        super().__exit__(kind, error, trace)


class Steps:
    """A run of three steps, which ends at one of them as it is told."""

    def __init__(self, until: int = 3, end: BaseException | None = None) -> None:
        self.values: list[int] = []
        self.until, self.end = until, end
        self.lab = Open()

    def measure(self, lab: Lab) -> None:
        assert lab is self.lab
        assert self.lab.seen == ["entered"]
        for step in range(3):
            if step == self.until and self.end is not None:
                raise self.end
            self.values.append(step)

    def suite(self) -> list[int]:
        assert self.lab.seen == ["entered", "left"]  # nothing is left running while results are seen to
        if not self.values:
            raise NothingMeasuredError({})
        return self.values

    def obtained(self, output: Path | None = None) -> Outcome:
        return obtained(Outcome, self.lab, self.measure, self.suite, output)


def test_a_whole_run_is_returned_and_saved(tmp_path: Path) -> None:
    assert Steps().obtained().values == [0, 1, 2]
    assert Steps().obtained(tmp_path / "whole").values == [0, 1, 2]
    assert (tmp_path / "whole").read_text("utf-8") == "[0, 1, 2]"


def test_an_interrupt_keeps_what_was_measured(tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError) as caught:
        Steps(2, KeyboardInterrupt()).obtained(tmp_path / "part")
    assert caught.value.outcome.values == [0, 1]
    assert (tmp_path / "part").read_text("utf-8") == "[0, 1]"


def test_an_interrupt_while_the_last_is_saved_loses_nothing(tmp_path: Path) -> None:
    run, asked = Steps(), []

    def kind(values: list[int]) -> Outcome:
        asked.append(values)
        if len(asked) == 1:
            raise KeyboardInterrupt
        return Outcome(values)

    with pytest.raises(InterruptedRunError) as caught:
        obtained(kind, run.lab, run.measure, lambda: run.values, tmp_path / "r.json")
    assert caught.value.outcome.values == run.values
    assert (tmp_path / "r.json").read_text("utf-8") == repr(run.values)


def test_an_interrupt_before_anything_was_measured(tmp_path: Path) -> None:
    run = Steps(0, KeyboardInterrupt())
    with pytest.raises(InterruptedRunError) as caught:
        run.obtained(tmp_path / "nothing")
    assert caught.value.outcome is None
    assert run.lab.seen == ["entered", "left"]
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_that_cannot_be_saved_is_still_returned(tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError) as caught:
        Steps(1, KeyboardInterrupt()).obtained(tmp_path / "nowhere" / "part")
    assert caught.value.outcome.values == [0]


def test_a_whole_run_that_cannot_be_saved_is_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(UnsavedError, match="cannot write to") as caught:
        Steps().obtained(tmp_path / "nowhere" / "whole")
    assert caught.value.outcome.values == [0, 1, 2]


def test_a_run_that_measured_nothing_says_so(tmp_path: Path) -> None:
    run = Steps()
    run.measure = lambda _: None  # type: ignore[method-assign]
    with pytest.raises(NothingMeasuredError):
        run.obtained(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def test_other_errors_leave_the_lab_and_pass() -> None:
    run = Steps(1, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        run.obtained()
    assert run.lab.seen == ["entered", "left"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_second_interrupt_does_not_disturb_what_the_first_began(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run = Steps(2, KeyboardInterrupt())
        run.lab.interrupted_again = True
        with pytest.raises(InterruptedRunError) as caught:
            run.obtained(tmp_path / "part")
        assert caught.value.outcome.values == [0, 1]
        assert run.lab.seen == ["entered", "left"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # heard again
    finally:
        signal.signal(signal.SIGINT, before)
