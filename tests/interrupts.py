"""Interrupts at a line of one's choice, as Ctrl-C may come at any."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any


def lines(code: CodeType) -> list[int]:
    """Return the numbers of the lines at which a function can be interrupted."""
    return sorted({line for _, _, line in code.co_lines() if line and line > code.co_firstlineno})


def interrupted_at(code: CodeType, line: int, call: Callable[[], object]) -> bool:
    """Call, and interrupt a function where it first comes to a line; return whether it came there."""

    def trace(frame: FrameType, event: str, arg: object) -> Any:  # noqa: ARG001 (as it is called)
        if frame.f_code is not code:
            return None
        if event == "line" and frame.f_lineno == line:
            raise KeyboardInterrupt  # and Python traces no more
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False
