"""The ladder, of what real threads share."""

from __future__ import annotations

from dataclasses import replace

import pytest

import gilkit
from gilkit.results.stats import FEWEST_ROUNDS
from gilkit.studies.compare import climb
from gilkit.studies.compare.ladder_words import sentence
from gilkit.studies.compare.rungs import Found

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("hasty")]

UNHURRIED = climb.LADDER_PACE.patience  # as ever, on a busy machine: what is not tried names no cause
ROUNDS = 2 * FEWEST_ROUNDS  # so that those that others disturb do no harm

LOGGER = """
import logging, time
class Handler(logging.Handler):
    def emit(self, record):
        time.sleep(0.001)
log = logging.getLogger("made up")
log.addHandler(Handler())
log.propagate = False
"""


@pytest.mark.parametrize(
    ("setup", "stmt", "title"),
    [
        (
            "import threading, time; lock = threading.Lock(); data = [1]",
            "with lock: data; time.sleep(0.001)\ntime.sleep(1e-4)",  # so that another has its turn
            "`lock` (_thread.lock)",
        ),
        (LOGGER, "log.warning('x')", "`log` (logging.Logger)"),
    ],
)
def test_a_shared_lock_is_named_and_a_logger_whose_handler_has_one(
    setup: str, stmt: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that sleep with a lock do as much as one, whatever others do to the machine."""
    pace = replace(climb.LADDER_PACE, window=0.008, patience=UNHURRIED)  # eight calls
    monkeypatch.setattr(climb, "LADDER_PACE", pace)
    compared = gilkit.timeit(stmt, setup, ladder=True, workers=2, executors=["threads"], rounds=ROUNDS)
    found = compared.ladder
    assert found is not None
    counted = [len(compared.results.rounds(case)) for case in compared.results if case.workers == 2]
    if min(counted) < FEWEST_ROUNDS:
        pytest.skip("others disturbed it")
    assert found.found is Found.CAUSE, sentence(found)
    assert [rung.title for rung in found.culprits] == [title]
