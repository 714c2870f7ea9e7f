"""``--json`` and ``--csv``: nothing else stands on standard output, however a run ends."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from command import answered, gilkit, interrupted, refused, seen, started
from several import gilkit_each

import gilkit as package
from gilkit.cli.group import command
from gilkit.engine.executors import EXECUTORS
from gilkit.kernels import KERNELS
from gilkit.results.case import Case, Record
from gilkit.results.file import build, save
from gilkit.studies.registry import STUDIES

pytestmark = pytest.mark.once

FAST = ["--workers", "2", "--rounds", "1", "--size", "2000"]
SHORT: dict[str, list[str]] = {
    "compare": ["lcg", *FAST],
    "timeit": ["pass", "--rounds", "1", "--workers", "2"],
    "beside": ["pass", "sum(range(100))", "--rounds", "1"],
    "map": ["str", "range(20)", "--budget", "0.1", "--rounds", "1", "--workers", "2"],
    "layout": ["sum(range(100))", "--rounds", "1"],
    "threshold": ["lcg", "--sizes", "100:200", "--rounds", "1", "--workers", "2"],
    "costs": ["pickle-1kB", "--rounds", "1"],
    "timeline": ["lcg", "--calls", "3", "--workers", "2"],
    "scaling": ["--work", "0.002", "--workers", "1,2", "--rounds", "1"],
    "claims": ["one-os-thread", "--quick"],
}
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_command_that_reports_takes_both() -> None:
    assert set(SHORT) == {*STUDIES, "timeit"} & set(package.__all__)
    for name in (*SHORT, "show", "list"):
        options = {option for param in command.commands[name].params for option in param.opts}
        assert {"--json", "--csv"} <= options


@pytest.fixture(scope="module")
def in_json() -> dict[str, CompletedProcess[str]]:
    """What every command prints with ``--json``, of those that can run here."""
    names = [name for name in SHORT if name != "layout" or not EXECUTORS["dask"].missing()]
    return dict(zip(names, gilkit_each(*([name, *SHORT[name], "--json"] for name in names)), strict=True))


@pytest.mark.parametrize("name", SHORT)
def test_json_is_all_that_stands_on_standard_output(
    name: str, in_json: dict[str, CompletedProcess[str]]
) -> None:
    if name not in in_json:
        pytest.skip(EXECUTORS["dask"].missing() or "")
    done = in_json[name]
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kind"] == (STUDIES["compare" if name == "timeit" else name].kind or name)
    assert found["cases" if name != "timeline" else "slices"]


@pytest.mark.usefixtures("hasty")
def test_what_workers_print_is_kept_from_what_machines_read() -> None:
    statement = "import os; print('by ' + 'python'); os.write(1, b'by the' b' system\\n')"
    # Threads that print at once may let CPython before 3.12.5 write bytes that nobody gave it (gh-119506).
    done = gilkit("timeit", statement, "--rounds", "1", "--workers", "2", "--json", errors="replace")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kind"] == "comparison"
    assert "by python" in done.stderr
    assert "by the system" in done.stderr
    done = answered("timeit", "print('in a ' + 'test')", "--rounds", "1", "--workers", "1", "--csv")
    assert done.returncode == 0, done.stderr
    assert rows(done.stdout)
    assert "in a test" not in done.stdout


@pytest.mark.usefixtures("hasty")
def test_csv_has_the_cases_of_json(tmp_path: Path) -> None:
    path = str(tmp_path / "r.json")
    done = answered("compare", *SHORT["compare"], "-o", path, "--csv")
    assert done.returncode == 0, done.stderr
    cases = package.load(path).to_dict()["cases"]
    assert rows(done.stdout) == [
        {key: "" if value is None else str(value) for key, value in case.items()} for case in cases
    ]
    shown = answered("show", path, "--json")
    assert json.loads(shown.stdout) == package.load(path).to_dict()
    assert answered("show", path, "--csv").stdout == done.stdout


@pytest.mark.usefixtures("hasty")
def test_a_timeline_in_csv_has_its_slices() -> None:
    done = answered("timeline", *SHORT["timeline"], "--csv")
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    assert len(found) == 2 * 3
    assert list(found[0]) == ["worker", "start", "end", "cpu", "held"]
    assert min(float(row["start"]) for row in found) == 0.0


def test_a_list_says_what_its_table_says() -> None:
    found = json.loads(answered("list", "--json").stdout)
    assert [row["kernel"] for row in found["kernels"]] == list(KERNELS)
    assert [row["executor"] for row in found["executors"]] == list(EXECUTORS)
    objects = next(row for row in found["kernels"] if row["kernel"] == "objects")
    assert (objects["python"], objects["gil"], objects["nogil"], objects["native"]) == (
        True,
        True,
        False,
        False,
    )
    assert {"objects nogil", "objects native"} <= set(found["missing"])
    table = gilkit("list", "--csv")
    assert rows(table.stdout) == [{key: str(value) for key, value in row.items()} for row in found["kernels"]]
    printed = answered("list").stdout
    assert all(f"{row['size']:,} {row['unit']}" in printed for row in found["kernels"])


def test_they_exclude_one_another_and_lists() -> None:
    refused(answered("compare", "lcg", "--json", "--csv"), "--json and --csv exclude one another")
    refused(answered("costs", "--list", "--json"), "are for what was measured, not for --list")
    refused(answered("compare", "nope", "--json"), "unknown kernel 'nope'")


def test_a_failed_case_is_said_and_is_status_1(tmp_path: Path) -> None:
    one, two = (Case("lcg", "nogil", "threads", workers) for workers in (1, 2))
    path = str(tmp_path / "failed.json")
    save(build([Record(one, [1e-3] * 7)], {}, {two: "it broke"}), path)
    found = answered("show", path, "--json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["failures"] == {two.name: "it broke"}
    table = answered("show", path, "--csv")
    assert table.returncode == 1
    assert len(rows(table.stdout)) == 1
    assert table.stderr == f"gilkit: failed {two.name}: it broke\n"


@pytest.mark.usefixtures("hasty")
def test_where_nothing_was_measured_standard_output_is_empty() -> None:
    done = answered("timeit", "1/0", "--rounds", "1", "--workers", "2", "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert done.stderr.endswith("gilkit: nothing was measured\n")


@POSIX
def test_what_could_not_be_saved_is_printed() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    done = gilkit("costs", "pickle-1kB", "--rounds", "1", "-o", str(full), "--json")
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["kind"] == "costs"
    assert "gilkit: cannot write to /dev/full" in done.stderr


@POSIX
def test_an_interrupt_prints_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    long = ["--quick", "--workers", "2", "--size", "2000", "--rounds", "8", "--variant", "gil,nogil"]
    with started("compare", "lcg", "sleep", *long, "-o", str(path), "--json") as process:
        assert seen(lambda: path.exists() or process.poll() is not None)
        out, err = interrupted(process)  # the first kernel is done, the second is being measured
    assert process.returncode == 130
    assert err.splitlines()[-1] == "gilkit: interrupted"
    assert "lcg" in {case["kernel"] for case in json.loads(out)["cases"]}
