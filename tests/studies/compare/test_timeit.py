"""`gilkit timeit`: a statement of the reader's own, measured or refused with one clear answer."""

from __future__ import annotations

import os
import re
from pathlib import Path
from subprocess import CompletedProcess

import psutil
import pytest
from command import answered, ended, interrupted, refused, seen, started
from several import gilkit_each

import gilkit as package
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.loading import load
from gilkit.workloads.pickling import pickled
from gilkit.workloads.statement import StatementCall
from gilkit.workloads.workload import FunctionCall

pytestmark = pytest.mark.usefixtures("hasty")

FAST = ["--workers", "2", "--rounds", "2"]


def test_a_statement_and_its_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    setup = ["-s", "import zlib", "-s", "b = bytes(10**5)"]
    done = answered("timeit", *FAST, *setup, "zlib.compress(b)", "-o", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    for word in ("zlib.compress(b)", "one call", "threads", "processes", "sent", "ceiling", "memory"):
        assert word in done.stdout, word
    assert re.search(r"^b +100 kB ", done.stdout, re.M)
    assert re.search(r"^result +\d+ B ", done.stdout, re.M)
    found = load(path)
    case = Case("zlib.compress(b)", "function", "threads", 2)
    assert len(found.every(case)) == 2
    assert found.fact(case, facts.STATEMENT) == "zlib.compress(b)"
    assert found.fact(case, facts.SETUP) == "import zlib\nb = bytes(10**5)"
    assert found.fact(case, facts.MEMORY.named("processes")) > 10**6
    assert len(found.every(Case("zlib.compress(b)", "sent", "processes", 2))) == 2
    assert answered("show", str(path)).stdout == done.stdout


def test_every_worker_count_has_a_row() -> None:
    fast = ("--rounds", "1", "--executor", "threads")
    done = answered("timeit", *fast, "--workers", "1,2,3", "sum(range(1000))")
    assert done.returncode == 0, done.stderr
    assert [int(found) for found in re.findall(r"^(\d) +[\d.]+ ", done.stdout, re.M)] == [1, 2, 3]


FAILING = {
    "1/0": "ZeroDivisionError: division by zero",
    "raise SystemExit(3)": "SystemExit: 3",
    "import sys; sys.exit()": "SystemExit",
    "import os; os._exit(5)": "a worker process exited with status 5",
    "import ctypes; ctypes.string_at(0)": "a worker process was killed by SIGSEGV",
    "raise StopIteration": "StopIteration",
    "class E(Exception): __reduce__ = None\nraise E": "E",
}


@pytest.fixture(scope="module")
def failed() -> dict[str, CompletedProcess[str]]:
    """What is said of each statement."""
    return dict(zip(FAILING, gilkit_each(*(["timeit", *FAST, each] for each in FAILING)), strict=True))


@pytest.mark.parametrize(("statement", "answer"), FAILING.items())
def test_a_statement_that_fails_is_one_clear_answer(
    statement: str, answer: str, failed: dict[str, CompletedProcess[str]]
) -> None:
    done = failed[statement]
    assert done.returncode == 1
    assert done.stderr == "gilkit: nothing was measured\n"
    assert done.stdout.startswith(f"failed: {answer}") or answer == "E"
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo bar"], "the statement is not Python: invalid syntax, line 1: foo bar"),
        (["-s", "x =", "x"], "SETUP is not Python: invalid syntax"),
        ([], "Missing argument 'STMT...'"),
        (["--timeout", "0", "1"], "'--timeout'"),
        (["--workers", "x", "1"], "not a list of worker counts"),
        (["--workers", "10000", "1"], "workers must be at most 1024"),
        (["-o", "/nowhere/at/all.json", "1"], "cannot write to /nowhere/at/all.json"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(answered("timeit", *arguments), message)


def written(folder: Path) -> set[int]:
    """The ids of the processes that ran a SETUP which writes them down."""
    path = folder / "pid"
    return {int(pid) for pid in path.read_text().split()} if path.exists() else set()


@pytest.mark.parametrize("where", ["statement", "setup"])
def test_an_endless_loop_is_given_up_and_nothing_is_left(where: str, tmp_path: Path) -> None:
    loop = "while True: pass"
    noted = f"import os; open({str(tmp_path / 'pid')!r}, 'a').write(f'{{os.getpid()}} ')"
    arguments = ["-s", noted, "-s", loop, "1"] if where == "setup" else ["-s", noted, loop]
    done = answered("timeit", *FAST, "--timeout", "1", *arguments)
    assert done.returncode == 1
    assert done.stdout.startswith("failed: no answer within 1 s: killed")
    assert written(tmp_path)
    assert ended(psutil.Process(pid) for pid in written(tmp_path) if psutil.pid_exists(pid))


def test_a_result_that_cannot_be_pickled_stays_where_it_is() -> None:
    done = answered("timeit", *FAST, "lambda: 1")
    assert done.returncode == 0, done.stderr
    assert "result cannot be pickled, so not sent: " in done.stdout
    assert "sent  " not in done.stdout


def test_the_same_from_python() -> None:
    found = package.timeit("sum(x)", "x = list(range(1000))", rounds=2, workers=[2])
    assert found.speedup("function", "threads", 2) > 0
    assert found.verdict.why
    assert "sum(x)" in repr(found).splitlines()[2:4]  # on a busy machine a line is above it
    found = package.compare(sum, range(1000), rounds=2, workers=[2])
    assert "one call" in repr(found)
    assert "argument 1" in repr(found)
    with pytest.raises(TypeError, match="stmt must be a string, not int"):
        package.timeit(1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the statement is not Python"):
        package.timeit("x =")


def test_what_pickles_weigh() -> None:
    found = {item.name: item for item in pickled(StatementCall("b = bytes(10**6); f = len", "f(b)"))}
    assert set(found) == {"b", "result"}
    assert 10**6 < found["b"].nbytes < 1.01 * 10**6
    assert found["b"].seconds > 0
    found = {item.name: item for item in pickled(FunctionCall(lambda x: x, (3,)))}
    assert set(found) == {"argument 1", "result"}
    bad = {item.name: item for item in pickled(StatementCall("g = (i for i in ())", "g"))}
    assert "cannot pickle 'generator' object" in bad["g"].problem
    assert bad["g"].nbytes == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupt_ends_it_and_every_process(tmp_path: Path) -> None:
    noted = f"import os; open({str(tmp_path / 'pid')!r}, 'a').write(f'{{os.getpid()}} ')"
    with started("timeit", "-s", noted, "sum(range(10**5))") as process:
        assert seen(lambda: len(written(tmp_path)) >= 3)
        _, stderr = interrupted(process)
    assert process.returncode == 130
    assert stderr.startswith("\ngilkit: interrupted")
    assert ended(psutil.Process(pid) for pid in written(tmp_path) if psutil.pid_exists(pid))


def test_a_call_with_threads_of_its_own_on_one_worker() -> None:
    found = package.timeit(
        "list(pool.map(work, [data] * 2))",
        "import hashlib\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "pool, data = ThreadPoolExecutor(2), bytes(10**6)\n"
        "work = lambda data: hashlib.sha256(data).digest()",
        workers=1,
        rounds=1,
    )
    assert "one worker shows no scaling" in found.verdict.why


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--shared", "--executor", "processes"), "shared is for threads, which are not among the executors"),
        (("--executor", "serial"), "serial"),
    ],
)
def test_what_would_measure_nothing_is_refused(words: tuple[str, ...], message: str) -> None:
    refused(answered("timeit", "pass", *words), message)
