"""The results file: gilkit and pyperf read what was written, and what is not ours is refused."""

from __future__ import annotations

import gzip
import json
import os
import random
import stat
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import gilkit
from gilkit.errors import ResultsError
from gilkit.results import facts
from gilkit.results.case import Case, Record
from gilkit.results.file import build, save
from gilkit.results.loading import load
from gilkit.results.writing import check_writable

THREADS = Case("lcg", "nogil", "threads", 2)
BROKEN = Case("lcg", "gil", "processes", 2)


@pytest.fixture
def suite() -> Any:
    records = [
        Record(THREADS.baseline, [1e-3, 1.1e-3, 1e-3], {"gilkit_size": 7}),
        Record(THREADS, [1e-3, 1e-3, 1.2e-3], {"gilkit_size": 7, "gilkit_workers": 2}),
    ]
    facts = {"gilkit_cpus": 2, "gilkit_gil": "on", "gilkit_interpreter": "CPython 3.11.7"}
    return build(records, facts, {BROKEN: "a worker process was killed by SIGKILL"})


def test_it_comes_back_whole(suite: Any, tmp_path: Path) -> None:
    save(suite, tmp_path / "r.json")
    found = load(tmp_path / "r.json")
    assert list(found) == [THREADS.baseline, THREADS]
    assert found.values(THREADS) == [1e-3, 1e-3, 1.2e-3]
    assert found.fact(THREADS, facts.SIZE) == 7
    assert found.fact(THREADS, facts.WORKERS) == 2
    assert found.facts["gilkit_cpus"] == 2
    assert found.failures == {BROKEN: "a worker process was killed by SIGKILL"}
    assert found.kernels == ["lcg"]
    assert found.values(BROKEN) == []


def test_a_compressed_file_comes_back_too(suite: Any, tmp_path: Path) -> None:
    save(suite, tmp_path / "r.json.gz")
    assert gzip.decompress((tmp_path / "r.json.gz").read_bytes()).startswith(b"{")
    assert THREADS in list(load(tmp_path / "r.json.gz"))


@pytest.mark.parametrize(
    "command",
    [["show"], ["stats"], ["check"], ["metadata"], ["compare_to", "SELF"]],
    ids=lambda c: c[0],
)
def test_pyperf_opens_it(suite: Any, tmp_path: Path, command: list[str]) -> None:
    path = str(tmp_path / "r.json")
    save(suite, path)
    name, *rest = [path if part == "SELF" else part for part in command]
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", name, path, *rest], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ResultsError, match="nothing was measured: it broke"):
        build([Record(THREADS)], {}, {THREADS: "it broke"})


@pytest.mark.usefixtures("nothing_collected")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON, or is cut off"),
        ("plain text", "not JSON, or is cut off"),
        ("[1, 2]", "not a pyperf suite"),
        ("{}", "not a pyperf suite"),
        ("5", "not a pyperf suite"),
        ('{"traceEvents": []}', "is a trace: open it in"),
        ('{"version": "99.0", "benchmarks": []}', "later version"),
        (b"\xff\xfe\x00\x01", "not JSON"),
        ("[" * 100_000, "not JSON, or is cut off"),
        (
            '{"version": "1.0", "benchmarks": [{"runs": [{"values": [1.0]}], "metadata": {"name": "x"}}]}',
            "not one of gilkit's",
        ),
    ],
)
def test_other_files_are_refused_in_one_line(content: str | bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ResultsError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_every_cut_off_file_is_refused(suite: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    save(suite, path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ResultsError, match="cut off"):
            load(path)


def test_a_later_format_is_refused(suite: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    save(suite, path)
    path.write_text(path.read_text().replace('"gilkit_format":2', '"gilkit_format":3'))
    with pytest.raises(ResultsError, match="format 3, later than this gilkit knows"):
        load(path)


def test_damaged_names_are_refused(suite: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    save(suite, path)
    path.write_text(path.read_text().replace("lcg/nogil/threads/2", "lcg nogil threads"))
    with pytest.raises(ResultsError, match="damaged"):
        load(path)


@pytest.mark.parametrize(
    ("fact", "broken"),
    [("gilkit_cpus", '"many"'), ("gilkit_failures", '"[1]"'), ("gilkit_failures", '"null"')],
)
def test_damaged_facts_are_refused(fact: str, broken: str, suite: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    save(suite, path)
    data = json.loads(path.read_text())
    data["metadata"][fact] = json.loads(broken)
    path.write_text(json.dumps(data))
    with pytest.raises(ResultsError, match="damaged"):
        load(path)


def test_a_damaged_compressed_file_is_refused(suite: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json.gz"
    save(suite, path)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 :] = b"x" * (len(whole) - len(whole) // 2)
    path.write_bytes(whole)
    with pytest.raises(ResultsError, match=str(path)):
        load(path)


def test_links_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for refuse in (check_writable, load):
        with pytest.raises(ResultsError, match=r"cannot (write to|read)"):
            refuse(tmp_path / "a")


def test_a_long_name_will_do(suite: Any, tmp_path: Path) -> None:
    path = tmp_path / ("r" * 240 + ".json")
    check_writable(path)
    save(suite, path)
    assert load(path).kernels == ["lcg"]


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ResultsError, match=r"cannot read /nowhere/r\.json: No such file"):
        load("/nowhere/r.json")


def test_saving_replaces_whole_and_leaves_nothing_beside(suite: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")
    path.chmod(0o640)
    save(suite, path)
    assert json.loads(path.read_text())["version"]
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(suite: Any, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "r.json")
    save(suite, tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert load(tmp_path / "r.json").kernels == ["lcg"]


def test_a_device_is_written_to_not_replaced(suite: Any) -> None:
    check_writable(os.devnull)
    save(suite, os.devnull)
    assert not Path(os.devnull).is_file()


def test_what_cannot_be_written_is_found_first(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "r.json", Path("/proc/r.json")):
        with pytest.raises(ResultsError, match="cannot write to") as caught:
            check_writable(path)
        assert str(path) in str(caught.value)
    check_writable(tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []


def test_cases_have_names() -> None:
    assert THREADS.name == "lcg/nogil/threads/2"
    assert Case.parse("my/function/call/threads/8") == Case("my/function", "call", "threads", 8)
    assert THREADS.baseline.name == "lcg/nogil/threads/1"


def test_a_fact_of_another_type_is_told_with_its_file(tmp_path: Path) -> None:
    old = Path(__file__).with_name("old_files") / "threshold.json"
    damaged = tmp_path / "damaged.json"
    damaged.write_text(
        old.read_text("utf-8").replace('"gilkit_counts":"[2]"', '"gilkit_counts":"two"'), "utf-8"
    )
    assert "two" in damaged.read_text("utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "gilkit", "show", str(damaged)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"gilkit: {damaged} is damaged: gilkit_counts must be list")


@pytest.mark.parametrize("packed", [[[0.05, 1]], [[0.0, 1, 0.0, None, True, [[1.0, 0.05, 0.05]]]], [1, 2]])
def test_windows_that_are_damaged_are_told_with_the_file(packed: list[object], tmp_path: Path) -> None:
    record = Record(Case("k", "nogil", "threads", 1), [1.0], dict(facts.WINDOWS.entry(packed)))
    save(build([record], {}, {}), tmp_path / "r.json")
    with pytest.raises(ResultsError, match=r"r\.json is damaged: "):
        load(tmp_path / "r.json")


DAMAGES = (10**400, -(10**400), 1e300, -1, 0, None, "", "x", [], {}, [1, "x"], {"x": 1}, "[1]", "{}", True)
FILES = sorted(Path(__file__).with_name("old_files").glob("*.json"))


def damaged(found: Any, chance: random.Random) -> str:
    """Put something else at one place of it, by chance; return what was put where."""
    while found:
        keys = list(found) if isinstance(found, dict) else list(range(len(found)))
        key = chance.choice(keys)
        inner = found[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.85:
            found = inner
            continue
        if isinstance(inner, str) and inner[:1] in ("[", "{") and chance.random() < 0.7:
            encoded = json.loads(inner)
            if encoded:
                said = damaged(encoded, chance)
                found[key] = json.dumps(encoded)
                return f"{key}: {said}"
        if chance.random() < 0.3:
            del found[key]
            return f"{key} deleted"
        found[key] = deepcopy(chance.choice(DAMAGES))
        return f"{key} = {str(found[key])[:20]}"
    return "nothing was left of it"


def shown_or_refused(path: Path) -> str:
    """Show a file; return why it is refused, if it is."""
    try:
        repr(gilkit.load(path))
    except ResultsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "seeds", [range(50), pytest.param(range(50, 2000), marks=pytest.mark.endurance)], ids=len
)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_whatever_is_damaged_is_shown_or_refused(path: Path, seeds: range, tmp_path: Path) -> None:
    whole = path.read_text("utf-8")
    for seed in seeds:
        chance = random.Random(f"{path.stem} {seed}")
        content = json.loads(whole)
        said = [damaged(content, chance) for _ in range(chance.choice((1, 1, 1, 2, 4)))]
        (tmp_path / "damaged.json").write_text(json.dumps(content), "utf-8")
        assert "\n" not in shown_or_refused(tmp_path / "damaged.json"), said
