"""`gilkit stalls`: a program runs as under `python`, and the line that makes others wait is named.

Planted stalls are far longer than the limit, and no length decides a test: only the line does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner
from command import THOROUGH, answered, gilkit, heed_interrupts, interrupted, refused, seen, started
from quiet import needs_gil, needs_monitor
from traceformat import checked

import gilkit as package
from gilkit.cli import stalls, starter
from gilkit.cli.group import command
from gilkit.engine.scratch import PREFIX
from gilkit.gil.places import C_CALL, PUT_ASIDE
from gilkit.results import facts
from gilkit.studies.stalls import children, notes

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.name != "posix", reason="a call is planted that POSIX has"),
    needs_monitor,
    needs_gil,
]

PLANTED = """
import ctypes, os, sys, threading, time

hold = ctypes.PyDLL(None).usleep  # it keeps the GIL
going = True

def others():
    while going:
        time.sleep(1e-3)  # and wants the GIL again

def planted():
    hold(200_000)  # planted

def work():
    global going
    thread = threading.Thread(target=others)
    thread.start()
    time.sleep(0.05)
    for _ in range(2):
        planted()
        time.sleep(0.02)
    going = False
    thread.join()
"""
LINE = "hold(200_000)  # planted"


def script(folder: Path, *lines: str, name: str = "app.py") -> Path:
    """A program that has a planted stall to call, and these lines."""
    path = folder / name
    path.write_text(PLANTED + "\n".join(lines) + "\n", "utf-8")
    return path


def stalled(
    *arguments: str, folder: Path, start: tuple[str, ...] = THOROUGH, **options: Any
) -> subprocess.CompletedProcess[str]:
    return gilkit("stalls", *arguments, start=start, cwd=folder, **options)


def planted_in(report: str) -> bool:
    """Whether a report names the line."""
    return LINE in report and f":{PLANTED.splitlines().index('    ' + LINE) + 1} planted" in report


def named(path: Path) -> set[str]:
    """The lines that a results file names: which to mend is not known where a busy machine made them late."""
    sections = package.load(path).to_dict()["processes"]
    return {line["source"] for section in sections for line in section["lines"]}


def both(folder: Path, *words: str, **options: Any) -> list[subprocess.CompletedProcess[str]]:
    """What a program does under python, and under gilkit stalls."""
    usual = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        **options,
    )
    return [usual, stalled(*words, folder=folder, **options)]


# The line.


@pytest.mark.parametrize("how", ["script", "module", "code"])
def test_the_line_that_made_others_wait_is_named(how: str, tmp_path: Path) -> None:
    path = script(tmp_path, "work()", name="app.py")
    words = {"script": ["app.py"], "module": ["-m", "app"], "code": ["-c", path.read_text("utf-8")]}[how]
    done = stalled("-o", "found.json", *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert planted_in(done.stderr), done.stderr
    assert LINE in named(tmp_path / "found.json")
    assert max(map(len, done.stderr.splitlines())) <= 80
    shown = answered("show", str(tmp_path / "found.json"))
    assert shown.stdout.strip() == done.stderr.strip()


def test_inside_a_library_the_line_of_the_program_is_named_that_led_there(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages" / "lib"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("def call(function): return function(200_000)\n", "utf-8")
    lines = "import lib", "def planted(): lib.call(hold)  # through it", "work()"
    script(tmp_path, *lines)
    environment = {**os.environ, "PYTHONPATH": str(folder.parent)}
    done = stalled("-o", "found.json", "app.py", folder=tmp_path, env=environment)
    assert "def planted(): lib.call(hold)  # through it" in named(tmp_path / "found.json")
    assert "planted → lib/__init__.py:1 call" in " ".join(done.stderr.split())


def test_threads_that_outlive_the_main_one_are_watched(tmp_path: Path) -> None:
    script(tmp_path, "threading.Thread(target=work).start()", "print('main ends')")
    done = stalled("app.py", folder=tmp_path)
    assert done.stdout == "main ends\n"
    assert planted_in(done.stderr)


def test_without_a_stall_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import time; time.sleep(0.2)\n", "utf-8")
    done = stalled("--longer", "0.5s", "app.py", folder=tmp_path)
    assert "anybody wait for 500 ms or longer" in done.stderr
    assert "mend" not in done.stderr


def test_the_example_of_the_site_is_told_of_its_line_while_it_runs(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "examples" / "late_loop.py").read_text("utf-8")
    (tmp_path / "late_loop.py").write_text(text, "utf-8")
    line = next(n for n, code in enumerate(text.splitlines(), 1) if "return json.dumps(ROWS)" in code)
    done = subprocess.run(
        [sys.executable, "late_loop.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    kinds = f"{C_CALL}|{PUT_ASIDE}"  # on a busy machine
    assert re.search(rf" ms for late_loop\.py:{line} report: ({kinds}), certain\n", done.stdout)
    assert done.stderr == ""


def test_a_worker_of_dask_says_which_line_keeps_its_threads_waiting() -> None:
    pytest.importorskip("distributed")
    program = Path(__file__).parents[2] / "docs" / "examples" / "dask_worker.py"
    texts = program.read_text("utf-8").splitlines()
    line = 1 + next(i for i, text in enumerate(texts) if "json.dumps" in text)
    command = [sys.executable, "-W", "ignore", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert any(found.endswith(f":{line} report: C call") for found in done.stdout.splitlines()), done.stdout


# As python.


ENDINGS = {
    "late": "import atexit; atexit.register(print, 'at exit')\n"
    "threading.Timer(0.1, print, ['late']).start(); sys.exit(3)",
    "text": "sys.exit('a text')",
    "error": "def f(): raise ValueError('theirs')\nf()",
    "hook": "sys.excepthook = lambda *args: print('hook', args[0].__name__)\n1 / 0",
    "syntax": "def f(:",
    "at once": "print('flushed', flush=True); os._exit(7)",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_it_ends_as_under_python(name: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(f"import os, sys, threading\n{ENDINGS[name]}\n", "utf-8")
    usual, watched = both(tmp_path, "app.py")
    assert watched.returncode == usual.returncode
    assert watched.stdout == usual.stdout
    assert watched.stderr.startswith(usual.stderr)
    assert ("watched for" in watched.stderr) == (name != "at once")


SAYS = dedent("""
    import __main__, sys
    def main(): pass
    print(sys.argv, sys.path[0], __name__, getattr(__main__, '__file__', None), __spec__ and __spec__.name)
    print(main.__module__, __main__.main is main, __package__, __builtins__.__name__)
    print(type(__loader__).__name__)
    print(sys.path, __annotations__ if sys.version_info < (3, 14) else 0)
    print(sorted({'numpy', 'rich', 'click'} & set(sys.modules)), sys.flags.dev_mode)
""")


@pytest.mark.parametrize(
    "words",
    [
        ("app.py", "-o", "x", "--longer", "--", "-m"),
        ("./sub/app.py", "a b"),
        ("-m", "sub.app", "-c", "x"),
        ("-m", "sub", "--help"),
        ("sub", "x"),
        ("-c", SAYS, "-o", "x"),
    ],
    ids=lambda words: words[0] + words[1][:8],
)
def test_a_program_sees_what_it_would_under_python(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("app.py", "sub/app.py", "sub/__main__.py", "sub/__init__.py"):
        (tmp_path / name).write_text(SAYS if "init" not in name else "", "utf-8")
    usual, watched = both(tmp_path, *words)
    assert usual.returncode == watched.returncode == 0, watched.stderr
    assert watched.stdout == usual.stdout


def test_what_can_be_read_once_is_run_as_by_python(tmp_path: Path) -> None:
    text = SAYS + "print(input('asks ') if sys.argv[1:] else 'no input')\n"
    usual, watched = both(tmp_path, "-", input=SAYS)
    assert watched.stdout == usual.stdout != "", watched.stderr
    watched = stalled("/dev/stdin", folder=tmp_path, input="print(__file__)")
    assert watched.stdout == "/dev/stdin\n", watched.stderr
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with started("stalls", "pipe", "a", start=THOROUGH, cwd=tmp_path, stdin=subprocess.PIPE) as process:
        pipe.write_text(PLANTED + text + "work()\n", "utf-8")
        out, err = process.communicate("b\n", timeout=100)
    assert process.returncode == 0, err
    assert out.endswith("asks b\n")
    assert planted_in(err)  # and its line is known


def test_a_program_has_its_arguments_and_its_names_are_its_own_affair(tmp_path: Path) -> None:
    for name in ("na\nme.py", "app.py"):
        (tmp_path / name).write_text("import sys; print(sys.argv)", "utf-8")
    for words in (["-m", "app", "--", "x"], ["-c", "import sys; print(sys.argv)", "--", "x"], ["na\nme.py"]):
        usual, watched = both(tmp_path, *words)
        assert watched.stdout == usual.stdout != "", watched.stderr
        assert "watched for" in watched.stderr
    (tmp_path / "__main__.py").write_text("print('main')", "utf-8")
    for words in ([""], ["-c", ""], ["-m", "gilkit", "stalls", "-c", "print(1)"]):
        watched = stalled(*words, folder=tmp_path)
        assert watched.returncode == 0
        assert "watched for" in watched.stderr, watched.stderr
        assert "Traceback" not in watched.stderr


def test_modules_of_its_own_that_are_called_as_those_of_python_are_found(tmp_path: Path) -> None:
    for name in ("random", "queue", "statistics"):
        (tmp_path / f"{name}.py").write_text("OWN = True\n", "utf-8")
    (tmp_path / "json").mkdir()  # no package: Python's goes first
    script(
        tmp_path,
        "import json, multiprocessing, queue, random",
        "def task():",
        "    print(random.OWN, queue.OWN, json.dumps(1), flush=True)",
        "    work()",
        "if __name__ == '__main__':",
        "    task()",
        "    child = multiprocessing.get_context('spawn').Process(target=task, name='child')",
        "    child.start()",
        "    child.join()",
        "    print(child.exitcode)",
    )
    usual, watched = both(tmp_path, "app.py")
    assert watched.stdout == usual.stdout == "True True 1\n" * 2 + "0\n", watched.stderr
    watched = stalled("--subprocesses", "app.py", folder=tmp_path)
    assert watched.stdout == usual.stdout, watched.stderr
    program, child = watched.stderr.split("\nchild, watched for")
    assert planted_in(program)
    assert LINE in child


def test_what_its_main_defines_can_be_pickled_and_standard_input_is_its_own(tmp_path: Path) -> None:
    script(
        tmp_path, "import dataclasses, pickle", "@dataclasses.dataclass", "class D: x: int",
        "print(pickle.loads(pickle.dumps(D(int(input())))))", name="app.py",
    )  # fmt: skip
    usual, watched = both(tmp_path, "app.py", input="4\n")
    assert watched.stdout == usual.stdout == "D(x=4)\n"


@pytest.mark.parametrize("options", [("-X", "dev", "-W", "ignore"), ("-P",), ("-I",)], ids=" ".join)
def test_options_of_the_interpreter_are_those_of_the_program(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(SAYS, "utf-8")
    usual = gilkit("app.py", start=options, cwd=tmp_path)
    watched = stalled("app.py", folder=tmp_path, start=(*options, "-m", "gilkit"))
    assert watched.stdout == usual.stdout != "", watched.stderr


def test_what_a_program_calls_its_modules_is_its_own_affair(tmp_path: Path) -> None:
    for name in ("rich", "json", "statistics", "click", "tempfile", "sysconfig"):
        (tmp_path / f"{name}.py").write_text(f"print({name!r})\n", "utf-8")
    script(tmp_path, "import rich, click", "sys.stderr = None", "del sys.path[:]", "work()")
    done = stalled("-o", "found.json", "app.py", folder=tmp_path)
    assert done.stdout == "rich\nclick\n"
    assert planted_in(done.stderr)
    assert LINE in named(tmp_path / "found.json")


def test_whatever_is_on_the_path_the_report_is_printed_and_children_end_as_they_would(tmp_path: Path) -> None:
    odd = "sys.path[:0] = [pathlib.Path('x'), None, b'y', 7]"
    script(
        tmp_path,
        "import multiprocessing, pathlib",
        "def task():",
        f"    {odd}",
        "    work()",
        "def ends(): sys.path = None",
        "context = multiprocessing.get_context('fork')",
        "tasks = [context.Process(target=t) for t in (task, ends)]",
        "for one in tasks: one.start()",
        "for one in tasks: one.join()",
        "print([one.exitcode for one in tasks])",
        odd,
        "work()",
        "if sys.argv[1:]: sys.path = None",
    )
    for more in ([], ["none"]):
        done = stalled("--subprocesses", "app.py", *more, folder=tmp_path)
        assert (done.returncode, done.stdout) == (0, "[0, 0]\n"), done.stderr
        assert planted_in(done.stderr), done.stderr
        assert "Traceback" not in done.stderr


# Signals.


def test_ctrl_c_ends_it_and_the_report_is_printed_all_the_same(tmp_path: Path) -> None:
    script(tmp_path, "work()", "print('here', flush=True)", "time.sleep(100)")
    with started("stalls", "-o", "found.json", "app.py", start=THOROUGH, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        out, err = interrupted(process)
    assert process.returncode == -signal.SIGINT  # as python: a shell says 130 of it
    assert out == ""
    assert "KeyboardInterrupt" in err
    assert "program.py" not in err
    assert planted_in(err)
    assert LINE in named(tmp_path / "found.json")


def test_ctrl_c_before_the_program_begins_is_no_traceback_of_gilkits() -> None:
    begins = (
        "import runpy, signal, sys\n"
        "class Loading:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'gilkit.cli.program': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Loading())\n"
        f"runpy.run_path({starter.__file__!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", begins], capture_output=True, text=True, check=False, timeout=100,
        preexec_fn=heed_interrupts,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_signal_that_ends_programs_ends_it_with_a_report(tmp_path: Path) -> None:
    script(tmp_path, "work()", "print('here', flush=True)", "time.sleep(100)")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = ("stalls", "--subprocesses", "app.py")
    with started(*words, start=THOROUGH, cwd=tmp_path, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        _, err = process.communicate(timeout=100)
    assert not list(tmp_path.glob(f"{PREFIX}*"))
    assert process.returncode == -signal.SIGTERM
    assert planted_in(err)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_program_that_is_inside_a_call_into_c(name: str, tmp_path: Path) -> None:
    """With a report where somebody else can have the GIL; and not where the program heeds it itself."""
    for kind, library in {"keeps": "PyDLL", "lets go": "CDLL"}.items():
        script(
            tmp_path,
            f"import itertools; native = ctypes.{library}(None)",
            "native.PyThread_allocate_lock.restype = ctypes.c_void_p",
            "lock = ctypes.c_void_p(native.PyThread_allocate_lock())",
            "waits = map(native.PyThread_acquire_lock, [lock, lock], [1, 1])  # for ever, once it has it",
            "work()",
            # It says so from inside the call: a signal that came before would be heeded in Python.
            "sum(itertools.chain(map(os.write, [1], [b'here\\n']), waits))",
        )
        with started("stalls", "app.py", start=THOROUGH, cwd=tmp_path) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(getattr(signal, name))
            _, err = process.communicate(timeout=100)
        assert process.returncode == -getattr(signal, name), err
        assert planted_in(err) == (kind == "lets go")
        assert ("inside a call into C: no report" in err) == (kind == "keeps")


def test_the_handlers_of_a_program_go_before_those_of_gilkit(tmp_path: Path) -> None:
    script(
        tmp_path,
        "import signal",
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(6))",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "hold(2_000_000)",
    )
    done = stalled("app.py", folder=tmp_path)
    assert done.returncode == 6, done.stderr
    assert "no report" not in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no SIGUSR1 here")
def test_a_signal_asks_for_a_report_meanwhile(tmp_path: Path) -> None:
    script(tmp_path, "work()", "print('here', flush=True)", "input()", "print('on')")
    with started("stalls", "app.py", start=THOROUGH, cwd=tmp_path, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        lines = []
        while not lines or not lines[-1].startswith(
            ("mend ", "that the system")
        ):  # the latter on a busy machine
            lines.append(process.stderr.readline())
        out, err = process.communicate("\n", timeout=100)
    assert planted_in("".join(lines))
    assert "so far" in "".join(lines)
    assert (process.returncode, out) == (0, "on\n")
    assert planted_in(err)
    assert "so far" not in err


def test_the_report_does_not_depend_on_what_a_program_leaves(tmp_path: Path) -> None:
    script(
        tmp_path,
        "work()",
        "import signal, subprocess",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.setitimer(signal.ITIMER_REAL, 0.05)",
        "subprocess.run = subprocess.Popen = time.sleep = sys.executable = sys.stderr = None",
        "sys.exit(3)",
    )
    done = stalled("app.py", folder=tmp_path)
    assert done.returncode == 3, done.stderr
    assert planted_in(done.stderr)
    assert "could not be made" not in done.stderr


def test_a_report_that_cannot_be_made_is_one_line_and_the_status_is_the_programs(tmp_path: Path) -> None:
    limits = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))"
    wrong = "sys.getswitchinterval = lambda: []"  # what the other interpreter cannot read
    for line in (limits, "del sys.getswitchinterval", wrong):
        script(tmp_path, line, "sys.exit(4)")
        done = stalled("app.py", folder=tmp_path)
        assert done.returncode == 4, done.stderr
        assert done.stderr.startswith("gilkit: the report could not be made: "), done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


# Children.


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_are_watched_whatever_starts_them(method: str, tmp_path: Path) -> None:
    script(
        tmp_path,
        "from concurrent.futures import ProcessPoolExecutor",
        "import multiprocessing",
        "class Result: pass",
        "def task(_):",
        "    work()",
        "    return Result()",
        "def crash():",
        "    work()",
        "    os.kill(os.getpid(), 9)",
        "if __name__ == '__main__':",
        f"    context = multiprocessing.get_context({method!r})",
        "    with context.Pool(2) as pool: print(len(pool.map(task, range(2), 1)))",
        "    with ProcessPoolExecutor(1, context) as pool: print(len(list(pool.map(task, range(1)))))",
        "    process = context.Process(target=crash, name='crasher')",
        "    process.start()",
        "    process.join()",
        "    print(process.exitcode)",
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = stalled("--subprocesses", "-o", "found.json", "app.py", folder=tmp_path, env=environment)
    assert (done.returncode, done.stdout) == (0, "2\n1\n-9\n"), done.stderr
    found = {one["name"]: one for one in package.load(tmp_path / "found.json").to_dict()["processes"]}
    assert len(found) == 4
    assert not [line for line in found["app.py"]["lines"] if line["source"] == LINE]
    for name, one in found.items():
        if name != "app.py":
            assert one["lines"][0]["source"] == LINE, name
    assert found["crasher"]["ended"] is False
    assert "\nended by force: what came after" in done.stderr
    assert not list(tmp_path.glob(f"{PREFIX}*"))
    checked(traced(tmp_path, "found.json"))


def test_a_child_writes_all_its_stalls_however_few_its_watch_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "Stalls", partial(package.Stalls, room=1))
    kept = children._Notes("child", str(tmp_path), 0.01)
    program: dict[str, Any] = {}
    exec(PLANTED, program)
    for _ in range(2):
        program["going"] = True
        program["work"]()
    kept.end()
    (found,) = notes.children(notes.notes_in(str(tmp_path)))
    assert sum(stall.own is not None and stall.own.function == "planted" for stall in found.stalls) >= 4
    assert found.dropped == 0


def traced(folder: Path, name: str) -> Any:
    """The trace of a results file."""
    package.load(folder / name).save_trace(folder / "again.trace.json")
    return json.loads((folder / "again.trace.json").read_text("utf-8"))


def test_a_forked_copy_of_the_program_reports_nothing(tmp_path: Path) -> None:
    lines = "pid = os.fork()", "print('child' if not pid else os.waitpid(pid, 0)[1], flush=True)"
    script(tmp_path, *lines)
    done = stalled("app.py", folder=tmp_path)
    assert done.stdout == "child\n0\n"
    assert "Warning" not in done.stderr  # of threads that are not its own
    assert done.stderr.count("CPython") == 1


# Files, and what is refused.


def test_by_its_name_a_file_is_a_trace(tmp_path: Path) -> None:
    script(tmp_path, "work()")
    done = stalled("-o", "found.trace.json", "app.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    trace = json.loads((tmp_path / "found.trace.json").read_text("utf-8"))
    slices = [event for event in checked(trace) if event["ph"] == "X"]
    named = [event for event in slices if event["args"].get("source") == LINE]
    assert len(named) >= 2
    for event in named:
        assert event["args"]["others_waited_us"] == event["dur"]
        assert [place.split()[1] for place in event["args"]["stack"]] == ["planted", "work", "<module>"]
    over = [event for event in slices if event["cat"] == "wait"]
    assert sys.platform != "linux" or over
    ends = {(event["ts"] + event["dur"], event["tid"]) for event in slices if event["cat"] == "stall"}
    for event in over:
        assert {tid for end, tid in ends if end == event["ts"] + event["dur"]} - {event["tid"]}
    assert trace["otherData"]["gilkit_subject"] == "app.py"
    assert facts.STALLS_SEEN.key not in trace["otherData"]  # the events are these
    refused(answered("show", str(tmp_path / "found.trace.json")), "is a trace: open it in")


def test_bad_input_is_one_line_and_status_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path, "print('it ran')")
    monkeypatch.chdir(tmp_path)
    refused(answered("stalls"), "name a program: SCRIPT, -m MODULE or -c CODE")
    refused(answered("stalls", "none.py"), "cannot open none.py: No such file or directory")
    refused(answered("stalls", "--longer", "50", "app.py"), "is not a time with its unit, such as 10ms")
    refused(answered("stalls", "--longer", "1us", "app.py"), "between 1ms and 3600s, not 1us")
    refused(answered("stalls", "-o", "/none/x.json", "app.py"), "cannot write to /none/x.json")
    for option in ("-m", "-c", "--longer"):
        message = f"Option '{option}' requires an argument (see 'gilkit stalls --help')"
        refused(answered("stalls", option), message)
    refused(answered("stalls", "-o", "app.py", "./app.py"), "--output and SCRIPT must be two files")
    refused(answered("stalls", "--long", "app.py"), "did you mean '--longer'?")
    done = CliRunner().invoke(command, ["stalls", "x.py"], prog_name="%gilkit")
    assert "in a notebook, use gilkit.Stalls" in done.output


@pytest.mark.parametrize("number", [1, 2])
def test_where_a_stream_is_closed_it_runs_as_under_python(number: int, tmp_path: Path) -> None:
    code = f"import os; os.write({3 - number}, b'x'); exit(7)"
    for words in (["stalls", "-c", code], ["list"], ["list", "--json"]):
        done = gilkit(*words, start=THOROUGH, cwd=tmp_path, preexec_fn=partial(os.close, number))
        assert done.returncode == (7 if words[0] == "stalls" else 0), done.stderr
        assert "Traceback" not in done.stderr
        assert bool(done.stdout) == (number == 2)


def test_a_module_that_is_not_there_is_said_as_by_python(tmp_path: Path) -> None:
    usual, watched = both(tmp_path, "-m", "no_such_module")
    assert watched.returncode == usual.returncode == 1
    assert watched.stderr.startswith(usual.stderr)


def test_a_file_that_cannot_be_written_in_the_end_leaves_the_status(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    script(tmp_path, "import shutil", f"shutil.rmtree({str(tmp_path / 'sub')!r})", "sys.exit(5)")
    done = stalled("-o", "sub/found.json", "app.py", folder=tmp_path)
    assert done.returncode == 5
    assert "gilkit: cannot write to" in done.stderr
    assert re.search("anybody wait|somebody waited", done.stderr)


def test_the_words_of_a_program_are_told_from_those_of_gilkit() -> None:
    divided = stalls.stalls_command._divided  # type: ignore[attr-defined]
    assert divided(["--subprocesses", "-o", "f", "a.py", "-o", "g"]) == [
        "--subprocesses", "-o", "f", "--", "a.py", "-o", "g",
    ]  # fmt: skip
    assert divided(["-m", "a", "--x"]) == ["-m", "a", "--", "--x"]
    assert divided(["-ma", "--x"]) == ["-ma", "--", "--x"]
    assert divided(["-m", "a", "--", "b"]) == ["-m", "a", "--", "--", "b"]
    assert divided(["-c", "a", "--"]) == ["-c", "a", "--", "--"]
    assert divided(["--longer=20ms", "-c", "a", "-m"]) == ["--longer=20ms", "-c", "a", "--", "-m"]
    assert divided(["--", "a.py", "--", "b"]) == ["--", "a.py", "--", "b"]
    assert divided(["-h"]) == ["-h", "--"]


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    script(tmp_path, "import multiprocessing, tempfile", "print(tempfile.gettempdir())")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = stalled("--subprocesses", "app.py", folder=tmp_path, env=environment)
    assert done.stdout == f"{tmp_path}\n"
    assert seen(lambda: not list(tmp_path.glob(f"{PREFIX}*")), 10)
