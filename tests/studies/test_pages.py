"""`gilkit report`: a page that stands alone, says everything, and lets nothing in from files."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from command import answered, refused
from pictures import needs_pictures
from simulated import HOLDS, Machine, Made
from studies.test_charts import FILES, OLD, changed

import gilkit as package
from gilkit.display.tables import plain
from gilkit.kernels import KERNELS
from gilkit.studies.compare.budget import USUAL_PACE

pytestmark = [pytest.mark.once, needs_pictures]

LARGEST = 1_500_000  # bytes
EMPTY = {"meta"}  # elements without an end
LOADING = {"src", "srcset", "data", "action", "poster", "background", "xlink:href"}  # attributes


class Read(HTMLParser):
    """A page, read strictly: what begins ends, no id is there twice, and links lead somewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def made(found: object, folder: Path) -> str:
    """The page of results."""
    package.report(found, folder / "page.html")  # type: ignore[arg-type]
    return (folder / "page.html").read_text("utf-8")


@pytest.fixture(scope="module")
def of_all_kinds(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of results of every kind."""
    return made(FILES, tmp_path_factory.mktemp("page"))


def test_a_page_of_all_kinds_stands_alone(of_all_kinds: str) -> None:
    text = of_all_kinds
    page = Read(text)
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert page.tags.count("section") == len(FILES)
    assert not {"script", "link", "img", "iframe", "object", "embed", "image", "use", "base"} & set(page.tags)
    assert not any(name in LOADING or name.startswith("on") for name, _ in page.attributes)
    assert page.links == [f"#s{place}" for place in range(1, len(FILES) + 1)]
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert not re.search(r"@import|url\((?!#)", text)
    assert set(re.findall(r"url\(#([\w-]+)\)", text)) <= set(page.ids)
    assert len(text.encode()) < LARGEST


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_page_says_what_the_table_says(path: Path, of_all_kinds: str) -> None:
    outcome = package.load(path)
    own = section(of_all_kinds, path)
    text = unescape(own)
    assert plain(outcome) in text
    answers = outcome.study.answers(outcome.results)
    assert answers
    for _, answer in answers:
        assert answer in text
    first, picture, machine, table = (
        text.index(part) for part in (answers[0][1], "<svg", "The machine,", "<pre>")
    )
    assert first < picture < machine < table
    assert "CPython 3.11.7" in text
    assert "AMD EPYC" in text
    drawn = Read(f"<section {own}</section>").attributes
    assert drawn.count(("role", "img")) == text.count("<svg ") == text.count("</title><") > 0


def section(page: str, path: Path) -> str:
    """What the page of results of every kind says of one of them."""
    return page.split("<section ")[1 + FILES.index(path)].partition("</section>")[0]


def test_a_page_of_an_outcome_is_that_of_its_file(of_all_kinds: str, tmp_path: Path) -> None:
    path = OLD / "threshold.json"
    outcome = made(package.load(path), tmp_path)
    text = section(of_all_kinds, path)
    drawn = Read(outcome).attributes
    assert drawn.count(("role", "img")) == text.count("<svg ") > 0
    assert plain(package.load(path)) in unescape(outcome)


def test_answers_are_the_words_of_the_tables() -> None:
    for path in FILES:
        outcome = package.load(path)
        table = " ".join(plain(outcome).split())
        for _, answer in outcome.study.answers(outcome.results):
            words = set(re.findall(r"[\w.]*\d[\w.±×]*", answer))
            assert [word for word in words if word.strip(".") not in table] == [], answer


def test_a_busy_machine_stands_at_the_top(of_all_kinds: str, tmp_path: Path) -> None:
    busy = changed(OLD / "costs.json", tmp_path / "busy.json", "gilkit_load", 1.3)
    text = made([OLD / "map.json", busy], tmp_path)
    words = '<p class="busy">busy.json: BUSY: other programs use 1.3 of 2 CPUs; believe no figure</p>'
    assert text.index(words) < text.index("<nav")
    assert '<p class="busy">' not in of_all_kinds


def test_what_comes_from_files_is_escaped_and_failures_have_their_place(tmp_path: Path) -> None:
    evil = "</pre><script>alert(1)</script>"
    copy = changed(OLD / "comparison.json", tmp_path / "copy.json", "gilkit_kind", "comparison")
    text = copy.read_text("utf-8").replace("triad/", "<b onclick=x>&/")
    text = text.replace(
        '"gilkit_format":', r'"gilkit_failures": "{\"lcg/gil/threads/64\": \"too <late>\"}", "gilkit_format":'
    )
    renamed = tmp_path / "<i>.json"
    renamed.write_text(text, "utf-8")
    page = made(changed(renamed, renamed, "gilkit_interpreter", evil), tmp_path)
    tags = set(Read(page).tags)
    assert not tags & {"script", "b", "i"}
    assert "&lt;script&gt;" in page
    assert "&lt;b onclick=x&gt;" in page
    assert "<h3>What failed</h3>" in page
    assert "<dt>lcg/gil/threads/64</dt><dd>too &lt;late&gt;</dd>" in page


def test_all_kernels_of_a_large_machine_are_a_small_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    large = Machine(64, monkeypatch, tmp_path)
    found, _ = large.carried_out(large.kernels(), USUAL_PACE, {"objects": HOLDS, "synthetic": Made(held=0.5)})
    text = made(found, tmp_path)
    assert len(text.encode()) < LARGEST
    assert all(f"<dt>{kernel}</dt>" in text for kernel in KERNELS)


def test_bad_input_is_one_line_and_status_2(tmp_path: Path) -> None:
    costs, page = str(OLD / "costs.json"), str(tmp_path / "page.html")
    refused(answered("report", costs), "Missing option '-o' / '--output'")
    refused(answered("report", "-o", page), "Missing argument 'FILE...'")
    refused(answered("report", costs, "-o", str(tmp_path / "page.pdf")), "a report must end in .html, not")
    refused(answered("report", costs, "-o", "/nowhere/page.html"), "cannot write to /nowhere/page.html")
    refused(answered("report", costs, "/nowhere.json", "-o", page), "cannot read /nowhere.json")
    refused(answered("report", str(OLD / "trace.json"), "-o", page), "is a trace: open it in")
    assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match="a report is of results files and outcomes, not of a int"):
        package.report([3], page)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="name at least one results file"):
        package.report([], page)


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = answered("report", str(OLD / "costs.json"), "-o", str(page))
    assert (done.returncode, done.stdout) == (0, f"{page}: 1 result\n")
    assert "a process, by spawn 32.6 ms" in page.read_text("utf-8")
