"""A page of results: one file of HTML without network and script. Whatever it is given is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

Said = Sequence[tuple[str, str]]  # of what, and what of it

STYLE = """
:root { color-scheme: light dark;
  --paper: white; --ink: #1a1a1a; --soft: #555; --line: #ddd; --alarm: #b34700; }
body { background: var(--paper); color: var(--ink); max-width: 54rem; margin: 0 auto; padding: 1rem;
  font: 16px/1.5 Arial, Helvetica, Liberation Sans, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 3rem; border-top: 1px solid var(--line);
  padding-top: 1rem; } h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.soft { color: var(--soft); margin: 0; } a { color: inherit; }
.busy { border: 3px solid var(--alarm); color: var(--alarm); font-weight: bold; padding: .5rem 1rem; }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .4rem 1.2rem; margin: 1rem 0; }
dt { font-weight: bold; max-width: 16rem; overflow-wrap: anywhere; }
dd { margin: 0; white-space: pre-line; overflow-wrap: anywhere; }
dl.facts { font-size: .9rem; grid-template-columns: 3fr 2fr; gap: .2rem 1.2rem; }
dl.facts dt { font-weight: normal; color: var(--soft); max-width: none; }
figure { margin: 1.5rem 0; overflow-x: auto; } svg { max-width: 100%; height: auto; }
.dark { display: none; }
pre { overflow-x: auto; font: .85rem/1.3 ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #121417; --ink: #e6e6e6; --soft: #b4b4b4; --line: #444; --alarm: #ff9e5e; }
  .light { display: none; } .dark { display: inline; } }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } figure, dd, tr { break-inside: avoid; }
  section + section h2 { break-before: page; }
  h2, h3 { break-after: avoid; } pre { white-space: pre-wrap; font-size: 7.5pt; } }
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as SVG: what it answers, for paper and for a dark screen."""

    question: str
    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Section:
    """What a page says of one outcome.

    Parameters
    ----------
    name : str
        Of the file, or of the study.
    question : str
    headline : str
        Interpreter, GIL and CPUs.
    answers : sequence of (str, str)
        The verdicts.
    pictures : sequence of Picture
    measured : sequence of (str, str)
        The machine, and how it was measured.
    failures : sequence of (str, str)
        What failed, and why.
    table : str
        All of it, as text.
    busy : str
        What is to be said if others used the CPUs; or empty.
    """

    name: str
    question: str
    headline: str
    answers: Said
    pictures: Sequence[Picture]
    measured: Said
    failures: Said
    table: str
    busy: str = field(default="")


def page(sections: Sequence[Section]) -> str:
    """Return the page of these sections."""
    several = len(sections) > 1
    title = "What gilkit measured" + ("" if several else f": {sections[0].name}")
    busy = [
        f"{section.name}: {section.busy}" if several else section.busy for section in sections if section.busy
    ]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        f'<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style>\n</head>",
        f"<body>\n<header>\n<h1>{escape(title)}</h1>",
        *(f'<p class="busy">{escape(words)}</p>' for words in busy),
        *(_contents(sections) if several else ()),
        "</header>\n<main>",
        *(line for place, section in enumerate(sections, 1) for line in _section(place, section)),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _contents(sections: Sequence[Section]) -> Iterable[str]:
    yield '<nav aria-label="Contents">\n<ol>'
    for place, section in enumerate(sections, 1):
        yield f'<li><a href="#s{place}">{escape(section.name)}</a>: {escape(section.question)}</li>'
    yield "</ol>\n</nav>"


def _section(place: int, section: Section) -> Iterable[str]:
    yield f'<section id="s{place}">\n<h2>{escape(section.question)}</h2>'
    yield f'<p class="soft">{escape(section.name)} · {escape(section.headline)}</p>'
    yield from _said(section.answers)
    for number, picture in enumerate(section.pictures, 1):
        light, dark = (
            _inline(drawn, picture.question, f"s{place}p{number}{mode}")
            for mode, drawn in (("light", picture.light), ("dark", picture.dark))
        )
        yield f'<figure>\n<span class="light">{light}</span>\n<span class="dark">{dark}</span>\n</figure>'
    if section.failures:
        yield "<h3>What failed</h3>"
        yield from _said(section.failures)
    yield "<h3>The machine, and how it was measured</h3>"
    yield from _said(section.measured, "facts")
    yield f"<h3>The table</h3>\n<pre>{escape(section.table)}</pre>\n</section>"


def _said(said: Said, kind: str = "said") -> Iterable[str]:
    if said:
        yield f'<dl class="{kind}">'
        yield from (f"<dt>{escape(what)}</dt><dd>{escape(text)}</dd>" for what, text in said)
        yield "</dl>"


def _inline(svg: str, question: str, name: str) -> str:
    """Return an SVG as it stands in a page: with a title, without namespaces, and with ids of its own."""
    opening, rest = svg.split(">", 1)
    opening = re.sub(r' xmlns(:\w+)?="[^"]*"', "", opening)
    rest = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", rest)
    rest = re.sub(r"(?<=translate\()([\d.-]+),([\d.-]+)", _short, rest)  # thousands of dots
    title = f'<title id="{name}">{escape(question)} The figures are in the table below.</title>'
    return f'{opening} role="img" aria-labelledby="{name}">{title}{rest}'


def _short(place: re.Match[str]) -> str:
    return f"{float(place[1]):.6g},{float(place[2]):.6g}"
