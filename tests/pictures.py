"""What tests of pictures need: the extra ``report``.

It is looked for and not loaded: that takes a third of a second, and each process collects all tests.
"""

from __future__ import annotations

import pytest

from gilkit.display.picture_files import check_drawable


def _missing() -> str | None:
    """Return why no picture can be drawn here."""
    try:
        check_drawable()
    except ValueError as error:
        return str(error)
    return None


NO_PICTURES = _missing()
needs_pictures = pytest.mark.skipif(NO_PICTURES is not None, reason=NO_PICTURES or "")


def need_pictures() -> None:
    """Skip the test that runs, where none can be drawn."""
    if NO_PICTURES is not None:
        pytest.skip(NO_PICTURES)
