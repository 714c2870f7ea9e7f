"""The load by others, of a real process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gilkit import machine

pytestmark = pytest.mark.alone


def test_load_by_others_sees_a_busy_process_and_not_this_one() -> None:
    # Whether, not how much: the busy process has to show beside the noise of the machine.
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            assert any(machine.load_by_others(0.5) > machine.BUSY for _ in range(3))
        finally:
            busy.kill()
