"""The last sentence says what to do, in figures: of every verdict that there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gilkit.results.stats import Estimate
from gilkit.studies.compare.figures import Evidence
from gilkit.studies.compare.further import Further
from gilkit.studies.compare.to_do import KEPT_BACK, USE, ToDo, by_use, what_to_do
from gilkit.studies.compare.verdict import Cause, Verdict


def sure(value: float) -> Estimate:
    return Estimate(value, value - 0.01, value + 0.01)


AS_GOOD = {"interpreters": Further("function", sure(1.95))}
OWN = Evidence("f", 2, threads={"function": sure(1.0)}, processes=sure(1.98), ceiling=sure(2.0))


def said(f: Evidence, cause: Cause, between: tuple[Cause, ...] = ()) -> str:
    return str(what_to_do(f, Verdict(cause, "", "", between)))


def test_every_verdict_leads_to_something() -> None:
    assert set(USE) | KEPT_BACK == set(Cause)
    assert not set(USE) & KEPT_BACK


@pytest.mark.parametrize(
    ("f", "cause", "text"),
    [
        (OWN, Cause.GIL, "use processes: 2 threads do 1.00×, processes 1.98× the work of one"),
        (
            replace(OWN, sent=sure(0.7)),
            Cause.TRANSFER,
            "use processes only if the data stay in them: 2 threads do 1.00×, processes 1.98×, processes "
            "that are sent their data 0.70× the work of one",
        ),
        (
            replace(OWN, processes=sure(1.0)),
            Cause.LOCK,
            "neither threads nor processes: 2 threads do 1.00×, processes 1.00× the work of one",
        ),
        (
            replace(OWN, processes=None),
            Cause.GIL,
            "not threads: 2 threads do 1.00× the work of one",
        ),
        (
            replace(OWN, threads={"nogil": sure(1.98)}),
            Cause.SCALES,
            "release the GIL and use threads: 2 nogil threads do 1.98×, processes 1.98× the work of one",
        ),
        (
            replace(OWN, threads={"gil": sure(1.0)}),
            Cause.GIL,
            "use processes, or release the GIL: 2 gil threads do 1.00×, processes 1.98× the work of one",
        ),
        (
            replace(OWN, threads={"nogil": sure(0.5)}),
            Cause.AGAIN,
            "mend the nogil block, which takes the GIL again: "
            "2 nogil threads do 0.50×, processes 1.98× the work of one",
        ),
        (
            replace(OWN, further=AS_GOOD),
            Cause.GIL,
            "use processes or interpreters: 2 threads do 1.00×, processes 1.98×, interpreters 1.95× the work "
            "of one",
        ),
        (
            replace(OWN, further={"interpreters": Further("function", sure(1.5))}),
            Cause.GIL,
            "use processes: 2 threads do 1.00×, processes 1.98×, interpreters 1.50× the work of one",
        ),
        (
            replace(OWN, further={"interpreters": Further("function", Estimate(1.95, 1.5, 2.4))}),
            Cause.GIL,
            "use processes: 2 threads do 1.00×, processes 1.98×, interpreters 1.95× the work of one",
        ),
        (
            replace(OWN, processes=None, further=AS_GOOD),
            Cause.GIL,
            "use interpreters: 2 threads do 1.00×, interpreters 1.95× the work of one",
        ),
        (
            replace(OWN, further={"joblib-threading": Further("function", sure(1.95), shares_gil=True)}),
            Cause.GIL,
            "use processes: 2 threads do 1.00×, processes 1.98× the work of one",
        ),
        (
            replace(
                OWN, threads={"nogil": sure(1.0)}, further={"interpreters": Further("python", sure(1.95))}
            ),
            Cause.LOCK,
            "use processes: 2 nogil threads do 1.00×, processes 1.98× the work of one",
        ),
        (OWN, Cause.BUSY, "not decided: the machine is too busy"),
        (replace(OWN, threads={}), Cause.FAILED, "failed"),
    ],
)
def test_what_to_do(f: Evidence, cause: Cause, text: str) -> None:
    assert said(f, cause) == text


def test_processes_help_whatever_it_is_if_every_cause_allows_it() -> None:
    assert said(OWN, Cause.NOT_DECIDED, (Cause.GIL, Cause.LOCK)).startswith("use processes, whatever")
    assert said(OWN, Cause.NOT_DECIDED, (Cause.GIL, Cause.HARDWARE)).startswith("not decided: 2 threads do")


def test_kernels_that_need_the_same_are_said_together() -> None:
    answers = [("a", ToDo("use threads", "x")), ("b", ToDo("use processes")), ("c", ToDo("use threads"))]
    assert by_use(answers) == [("use threads", ["a", "c"]), ("use processes", ["b"])]
