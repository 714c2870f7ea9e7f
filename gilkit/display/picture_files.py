"""Pictures in files: SVG, PNG or HTML. Altair and vl-convert, which draw, are loaded when one is made."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gilkit.results.writing import check_writable, replace

if TYPE_CHECKING:
    import altair as alt

SUFFIXES = (".svg", ".png", ".html")
DENSITY = 2.0  # pixels of a PNG for each of the picture's own


def check_drawable() -> None:
    """Find out now whether anything can be drawn here.

    Raises
    ------
    ValueError
        If it cannot: the message says what is missing and how to get it.
    """
    wanted = {
        "Altair": "altair",
        "vl-convert": "vl_convert",
    }  # not loaded yet: something is still to be measured
    missing = [name for name, module in wanted.items() if find_spec(module) is None]
    if missing:
        raise ValueError(f"pictures need {' and '.join(missing)}: pip install 'gilkit[report]'")


def check_picture(path: str | os.PathLike[str]) -> None:
    """Find out now whether a picture can be drawn into ``path``.

    Raises
    ------
    ValueError
        If it cannot: the ending is another, the extra is missing, or the file cannot be written.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ValueError(f"a plot must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, not {path}")
    check_drawable()
    check_writable(path)


def write_picture(chart: alt.LayerChart, path: str | os.PathLike[str]) -> None:
    """Draw a chart into a file, whole or not at all.

    Raises
    ------
    ResultsError
        If it cannot be written.
    """
    match Path(path).suffix.lower():
        case ".png":
            drawn = _png(chart)
        case ".html":  # with all that it takes inside: nothing is loaded from elsewhere
            drawn = str(chart.to_html(inline=True)).encode()
        case _:
            drawn = svg(chart).encode()
    replace(path, lambda name: Path(name).write_bytes(drawn))


def svg(chart: alt.LayerChart) -> str:
    """Return a chart as SVG."""
    return drawn_by(specification(chart))


def specification(chart: alt.LayerChart) -> dict[str, Any]:
    """Return what Vega-Lite draws; Altair compares it to the schema, so it is made once for all drawings."""
    found: dict[str, Any] = chart.to_dict()
    return found


def drawn_by(spec: dict[str, Any]) -> str:
    """Return as SVG what Vega-Lite draws by a specification."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec))


def _png(chart: alt.LayerChart) -> bytes:
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(specification(chart), scale=DENSITY))
