"""What tests of pictures need: the extra ``report``.

It is looked for and not loaded: that takes a third of a second, and each process collects all tests.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

MISSING = [name for name in ("altair", "vl_convert") if find_spec(name) is None]
REASON = "the extra report is not installed"
needs_pictures = pytest.mark.skipif(bool(MISSING), reason=REASON)


def need_pictures() -> None:
    """Skip the test that runs, where none can be drawn."""
    if MISSING:
        pytest.skip(REASON)
