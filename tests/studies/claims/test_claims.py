"""`gilkit claims`: the registry, the decisions, real experiments, and what goes wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from command import MARK, answered, ended, gilkit, interrupted, leaving_nothing, refused, seen, started
from hasty import HURRIED
from made_up_claims import DECIDED, DEPENDS, HOLDS, REFUTED, UNDECIDED, held, scaled, turned

import gilkit as package
from gilkit import machine
from gilkit.engine.pools import Lab
from gilkit.engine.runner import Runner
from gilkit.errors import CaseFailedError
from gilkit.results import facts
from gilkit.results.case import Case
from gilkit.results.loading import load
from gilkit.results.stats import FEWEST_ROUNDS, Estimate, estimate
from gilkit.results.windows import Stint, Window
from gilkit.studies.claims import launch, registry
from gilkit.studies.claims.bench import Bench, kernel_call
from gilkit.studies.claims.claim import WHOLE, Claim, Figures, Finding, Ruling, above, all_of
from gilkit.studies.claims.on_failing import LEAK
from gilkit.studies.claims.registry import CLAIMS
from gilkit.studies.claims.study import Claims, Course, claims

REAL = ["killable", "crash", "race", "leak", "shared-memory", "copies-script", "one-os-thread", "io-same"]
SHOWN = (Path(__file__).parents[3] / "docs" / "outputs" / "claims.txt").read_text("utf-8")
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
FEW = f"""{HURRIED}
from gilkit.cli.main import main
from gilkit.studies.claims import bench, on_failing, on_memory
rounds, on_failing.FEWEST_ROUNDS, on_memory.FEWEST_ROUNDS = on_failing.FEWEST_ROUNDS, 2, 2
repeat = bench.Bench.repeat
bench.Bench.repeat = lambda self, runs, few: repeat(self, runs, rounds if self.claim == "leak" else few)
main()
"""  # rounds; of a leak there are enough to tell whether the claim holds


def test_every_claim_is_there_with_its_method_and_limits() -> None:
    for name, claim in CLAIMS.items():
        assert name == claim.name
        assert re.fullmatch(r"[A-Z][^“”]+\.", claim.sentence), name
        words = claim.experiment.__doc__ or ""
        assert re.search(r"\n\n *Method: \S", words), name
        assert re.search(r"\n *Limits: \S", words), name
    assert len({claim.sentence for claim in CLAIMS.values()}) == len(CLAIMS)


def test_the_list_has_every_claim() -> None:
    done = answered("claims", "--list")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert re.findall(r"^\S+$", done.stdout, re.M) == list(CLAIMS)
    told = " ".join(done.stdout.split())
    for claim in CLAIMS.values():
        assert f"“{claim.sentence}”" in told
    assert told.count("Method:") == told.count("Limits:") == len(CLAIMS)


# Decisions, with made-up figures.


@pytest.mark.parametrize(("name", "found", "ruling"), DECIDED)
def test_figures_decide(name: str, found: Figures, ruling: Ruling) -> None:
    finding = CLAIMS[name].finding(found)
    assert finding.ruling is ruling, finding
    assert finding.why
    assert finding.measured
    assert "nan" not in finding.measured


def test_a_held_share_that_is_not_told_is_said() -> None:
    finding = CLAIMS["numpy-releases"].finding(held(0.01, None, note="the machine is too busy"))
    assert "adding object arrays the GIL is held was not told: the machine is too busy" in finding.why
    assert re.search(r"adding object arrays +not told +1\.00", finding.measured)
    turns = {"note": "the machine is too busy", "held": None, "holders": 0, "turn": 0.0}
    found = Figures(scaled("python", "threads", 1.0), {**turned(1.0), "turns": turns})
    finding = CLAIMS["one-at-a-time"].finding(found)
    assert finding.ruling is HOLDS  # by what was done, and by the CPU time
    assert finding.measured.endswith("held the GIL was not told: the machine is too busy")


def test_a_baseline_of_an_earlier_gilkit_is_the_serial_one() -> None:
    alone, several = scaled("python", "threads", 1.9).values()
    found = Figures({("python", "serial", 1): alone, ("python", "threads", 2): several})
    assert found.speedup("python", "threads") == pytest.approx(1.9)


def test_every_claim_can_come_out_in_more_than_one_way() -> None:
    for name in CLAIMS:
        assert len({ruling for which, _, ruling in DECIDED if which == name}) > 1, name


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.quiet])
def test_a_busy_machine_decides_nothing(name: str) -> None:
    found = next(found for which, found, ruling in DECIDED if which == name and ruling is not UNDECIDED)
    finding = CLAIMS[name].finding(replace(found, load=1.2))
    assert finding.ruling is UNDECIDED
    assert "others used 1.2 CPUs" in finding.why
    assert finding.measured


def test_rounds_that_others_disturbed_all_decide_nothing() -> None:
    key = ("nogil", "threads", 1)
    for rounds in ({}, {0: 1.0}):
        found = Figures(
            {key: rounds, ("nogil", "threads", 2): {1: 1.0}, **{("gil", "threads", n): {} for n in (1, 2)}}
        )
        finding = CLAIMS["nogil-scales"].finding(found)
        assert finding.ruling is UNDECIDED
        assert finding.why == "the machine is too busy: others disturbed every round"


@pytest.mark.parametrize("name", [name for name, claim in CLAIMS.items() if claim.cpus > 1])
def test_one_cpu_decides_nothing_that_takes_two(name: str) -> None:
    finding = CLAIMS[name].finding(Figures(cpus=1))
    assert finding.ruling is UNDECIDED
    assert "too small" in finding.why


def test_an_interval_decides_and_not_the_point() -> None:
    assert above(Estimate(2.0, 1.9, 2.1), 1.0) is True
    assert above(Estimate(0.5, 0.4, 0.6), 1.0) is False
    assert above(Estimate(2.0, 0.9, 2.1), 1.0) is None
    assert above(estimate([2.0] * (FEWEST_ROUNDS - 1)), 1.0) is None  # so few have no interval
    assert above(estimate([2.0] * FEWEST_ROUNDS), 1.0) is True
    assert all_of([True, None]) is None
    assert all_of([None, False]) is False
    assert all_of([True, True]) is True


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Those that are cheap or dangerous, by the command line, with a folder of its own for what it leaves."""
    folder = tmp_path_factory.mktemp("claims")
    rubbish = folder / "tmp"
    rubbish.mkdir()
    names = [name for name in REAL if CLAIMS[name].missing() is None]
    environment = {**os.environ, "TMPDIR": str(rubbish)}
    with leaving_nothing():
        environment[MARK] = os.environ[MARK]
        path = str(folder / "claims.json")
        words = ("claims", *names, "--quick", "-o", path)
        done = gilkit(*words, start=("-c", FEW), cwd=folder, env=environment)
    assert list(rubbish.iterdir()) == []
    return done, folder / "claims.json"


@posix
def test_real_experiments(ran: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, path = ran
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    for name in REAL:
        assert re.search(rf"^(holds|refuted|depends|undecided) +{name}$", done.stdout, re.M), name
    kept = load(path)
    found = {name: kept.fact(Case(name, WHOLE, "serial", 1), facts.FOUND) or {} for name in REAL}
    assert found["crash"]["thread"]["status"] == -signal.SIGSEGV
    assert found["crash"]["process"] == {"status": 0, "crashed": -signal.SIGSEGV, "other": "well"}
    assert found["crash"]["pool"]["crashed"] == "BrokenProcessPool"
    assert all(due == got for due, got in found["race"]["threads, locked"])
    assert all(due == got for due, got in found["race"]["pool"])
    assert all(late >= found["killable"]["length"] for late in found["killable"]["ended gil"])
    assert all(late >= found["killable"]["length"] for late in found["killable"]["ended nogil"])
    assert found["shared-memory"]["thread"]["theirs"]
    assert not found["shared-memory"]["process"]["theirs"]
    assert found["shared-memory"]["process"]["block"]
    assert len(set(found["one-os-thread"]["ids"])) == 2 * machine.usable_cpus()
    assert all(again for _, _, again in found["copies-script"]["spawn"])
    assert min(found["leak"]["thread"]) > 25e6
    assert len(kept.values(Case("io-same", "sleep", "processes", 1))) > 1
    findings = Claims(kept.suite).findings
    assert findings["crash"].ruling in (DEPENDS, HOLDS)
    assert findings["leak"].ruling is HOLDS
    assert findings["one-os-thread"].ruling is REFUTED


@posix
def test_the_file_shows_the_same(ran: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, path = ran
    assert answered("show", str(path)).stdout == done.stdout
    assert isinstance(package.load(path), Claims)
    assert repr(package.load(path)) == done.stdout.rstrip("\n")
    told = subprocess.run(
        [sys.executable, "-m", "pyperf", "show", str(path)], capture_output=True, text=True, check=False
    )
    assert "io-same/sleep/threads/1" in told.stdout


@pytest.mark.usefixtures("hasty")
def test_contestants_are_measured_in_whole_rounds() -> None:
    with Lab(2, 60.0) as lab:
        bench = Bench("nogil-scales", lab, 2, True, Runner(1))
        bench.compare([("nogil", "threads", 2, kernel_call("lcg", "nogil"))])
    assert set(bench.series) == {("nogil", "threads", 1), ("nogil", "threads", 2)}
    one, two = bench.runner.records.values()
    assert one.ids == two.ids  # of which series have those that nobody disturbed
    assert all(set(values) <= set(one.ids) for values in bench.series.values())
    assert len(bench.facts["cpu nogil/threads/2"]) == len(one.ids) >= FEWEST_ROUNDS


def test_a_disturbed_round_is_made_up_for() -> None:
    case, turns = Case("nogil-scales", "nogil", "threads", 1), iter(range(99))

    def window() -> Window:
        stolen = 1.0 if next(turns) == 2 else 0.0
        return Window(0.1, 1, (Stint(10.0, 0.1, 0.1),), stolen)

    bench = Bench("nogil-scales", Lab(1), 1, True, Runner(1))
    bench.rounds({("nogil", "threads", 1): window}, budget=1e-9)
    assert len(bench.runner.records[case].ids) == FEWEST_ROUNDS + 1
    assert set(bench.series["nogil", "threads", 1]) == {0, 1, 3, 4, 5, 6}
    bench = Bench("nogil-scales", Lab(1), 1, True, Runner(1))
    always = {("nogil", "threads", 1): lambda: Window(0.1, 1, (Stint(10.0, 0.1, 0.1),), 1.0)}
    bench.rounds(always, budget=1e-9)
    assert len(bench.runner.records[case].ids) == 2 * FEWEST_ROUNDS  # and no more


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "unknown claim 'nonsense': known are "),
        (["crash", "-o", "/nowhere/at/all.json"], "cannot write to /nowhere/at/all.json"),
        (["--rounds", "3"], "unknown option"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments: list[str], message: str) -> None:
    refused(answered("claims", *arguments), message)


def test_bad_arguments_from_python() -> None:
    with pytest.raises(ValueError, match="unknown claim 'nonsense'"):
        package.claims("nonsense")
    with pytest.raises(ValueError, match="name at least one claim"):
        package.claims([])
    with pytest.raises(TypeError, match="claims must be names, not int"):
        package.claims(3)  # type: ignore[arg-type]


def test_what_the_site_shows_is_from_a_real_run_and_still_claimed() -> None:
    assert SHOWN.startswith("$ gilkit claims\n")
    shown = re.findall(r"^(holds|refuted|depends|undecided) +([a-z]\S+)$", SHOWN, re.M)
    assert shown
    told = " ".join(SHOWN.split())
    for _, name in shown:  # what is new may be missing until the outputs are made again
        assert f"“{CLAIMS[name].sentence}”" in told


# What goes wrong.


def entry(name: str, **changes: object) -> Claim:
    """A claim of a test's own, under the name of a real one."""

    def decision(found: Figures) -> Finding:
        return Finding(HOLDS, "it is so", f"{found.facts['n']}")

    def experiment(bench: Bench) -> None:
        bench.facts["n"] = 17

    return replace(CLAIMS[name], experiment=experiment, decision=decision, quiet=False, **changes)  # type: ignore[arg-type]


def tried(monkeypatch: pytest.MonkeyPatch, *entries: Claim) -> Claims:
    for claim in entries:
        monkeypatch.setitem(CLAIMS, claim.name, claim)
    runner = Runner(1)
    with Lab(1, 5.0) as lab:
        Course(entries, True, 1, runner).measure(lab)
    return Claims(runner.suite())


def test_an_experiment_that_fails_is_a_row_and_the_others_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Bench) -> None:
        raise CaseFailedError("it did not work")

    def err(_: Bench) -> None:
        raise OSError(28, "No space left on device")

    bad, worse = replace(entry("crash"), experiment=fail), replace(entry("leak"), experiment=err)
    absent = entry("windows", missing=lambda: "it is a test")
    found = tried(monkeypatch, bad, worse, absent, entry("race"))
    text = repr(found)
    assert re.search(r"^failed +crash\n.*\n +it did not work$", text, re.M)
    assert re.search(r"^failed +leak\n.*\n +OSError: .*No space left on device$", text, re.M)
    assert re.search(r"^not here +windows\n.*\n +it is a test$", text, re.M)
    assert re.search(r"^holds +race\n.*\n +17\n +→ it is so$", text, re.M)
    assert found.missing == {"windows": "it is a test"}
    assert found.findings == {"race": Finding(HOLDS, "it is so", "17")}
    assert set(found.failures) == {"crash/whole/serial/1", "leak/whole/serial/1"}


def test_nothing_that_is_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLAIMS, "windows", entry("windows", missing=lambda: "it is a test"))
    with pytest.raises(ValueError, match="nothing to measure: windows: it is a test"):
        claims("windows")


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(CaseFailedError, match="its program failed: TypeError"):
        launch.said("failing.race", "threads")
    with (
        pytest.raises(CaseFailedError, match="ended early, with status 1"),
        launch.program("memory.share", 1) as child,
    ):
        child.told()


def test_what_a_thread_leaked_is_what_is_still_held() -> None:
    # That of Python without a GIL keeps what is freed on the way, too: nothing is.
    with launch.program("memory.leak", "thread", LEAK) as child:
        child.told()
        before = machine.memory(child.pid)
        child.tell()
        child.told()
        assert machine.memory(child.pid) - before == pytest.approx(LEAK, rel=0.25)


@posix
def test_a_program_is_ended_with_all_that_it_started() -> None:
    with launch.program("memory.hold", "forkserver", 2) as child:
        assert child.told() == "ready"
        processes = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        assert len(processes) > 3
        semaphores = {name for process in processes for name in mapped(process.pid)}
    assert ended(processes)
    assert semaphores or sys.platform != "linux"
    assert not [name for name in semaphores if Path(name).exists()]


def mapped(pid: int) -> set[str]:
    """The files of named semaphores that a process has open, where the system tells."""
    maps = Path(f"/proc/{pid}/maps")
    return set(re.findall(r"/dev/shm/sem\.mp-\w+", maps.read_text())) if maps.exists() else set()


INTERRUPTED = """
import pathlib
from gilkit.cli.main import main
from gilkit.studies.claims import launch
before = launch.program
def program(name, *arguments):
    if name == "failing.inside":
        pathlib.Path("second").touch()
    return before(name, *arguments)
launch.program = program
main()
"""


@posix
def test_an_interrupt_keeps_what_was_measured_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    arguments = ["claims", "crash", "killable", "-o", str(path)]
    with leaving_nothing(), started(*arguments, start=("-c", INTERRUPTED), cwd=tmp_path) as process:
        assert seen((tmp_path / "second").exists)
        time.sleep(0.3)
        stdout, stderr = interrupted(process)
    assert process.returncode == 130, stderr
    assert stderr.strip() == "gilkit: interrupted"
    assert re.search(r"^(depends|holds) +crash$", stdout, re.M)
    assert "killable" not in stdout
    assert set(package.load(path).findings) == {"crash"}


def test_no_module_of_claims_is_forgotten() -> None:
    folder = Path(registry.__file__).parent
    assert {path.stem for path in folder.glob("on_*.py")} == {
        theme.__name__.rpartition(".")[2] for theme in registry._THEMES
    }


def test_files_in_the_current_folder_do_not_pass_for_modules(tmp_path: Path) -> None:
    for name in ("random", "socket", "tempfile", "threading"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken for a module')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gilkit", "claims", "crash", "--quick"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "crash" in done.stdout
