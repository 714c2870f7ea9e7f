"""What is read of the interpreter's insides is checked first: on copies that read it at the wrong place."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import pytest
from quiet import needs_gil, needs_no_gil

from gilkit._ext import _monitor, _threads

SOURCE = Path(__file__).parent.parent.parent / "ext" / "gil_state.c"
COMPILER = (sysconfig.get_config_var("CC") or "").split()
BUILT = _monitor.missing()
TELLS = sys.version_info >= (3, 13)  # where its fields are, for debuggers

pytestmark = pytest.mark.skipif(BUILT is not None, reason=BUILT or "")


def opened(folder: Path, *changes: tuple[str, str], what: str = "gilkit_open") -> str | None:
    """Why a copy of the source with such changes does not open here; or does not read ``what`` then."""
    text = SOURCE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    source, library = folder / "changed.c", folder / "changed.so"
    source.write_text(text)
    includes = {sysconfig.get_path("include"), sysconfig.get_path("platinclude"), str(SOURCE.parent)}
    command = [
        *COMPILER,
        "-shared",
        "-fPIC",
        *(f"-I{path}" for path in includes),
        str(source),
        "-o",
        str(library),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no compiler that makes it here")
    for _ in range(3):  # the number of switches, which changes read, must not be that of a flag by chance
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    view, loaded = (ctypes.c_void_p * 3)(), ctypes.PyDLL(str(library))
    for name in ("gilkit_open", what):
        getattr(loaded, name).restype = ctypes.c_char_p
    why = loaded.gilkit_open(view)
    if what != "gilkit_open":
        assert why is None
        why = getattr(loaded, what)(view)
        return None if why is None else why.decode()
    assert (why is None) == (view[1] is not None) or "is not so" in why.decode()
    return None if why is None else why.decode()


def test_as_it_is_it_opens(tmp_path: Path) -> None:
    assert opened(tmp_path) is None


def test_on_any_thread(tmp_path: Path) -> None:
    found: list[str | None] = ["not run"]
    thread = threading.Thread(target=lambda: found.append(opened(tmp_path)))
    thread.start()
    thread.join()
    assert found[-1] is None


@pytest.mark.parametrize("field", ["locked", "last_holder"])
def test_another_field_than_it_takes_it_for_is_a_reason(field: str, tmp_path: Path) -> None:
    # Where the interpreter tells, it is not even read.
    why = opened(
        tmp_path, (f"->{field})", "->switch_number)"), (f"gil_state, {field})", "gil_state, switch_number)")
    )
    assert why is not None
    assert why.startswith(
        "gilkit was built for" if TELLS else "what is read of this interpreter's GIL is not so"
    )
    assert why.endswith(": install gilkit again, from source")


@needs_gil
@pytest.mark.parametrize("field", ["locked", "last_holder"])
def test_what_is_read_is_compared_with_what_is_so(field: str, tmp_path: Path) -> None:
    why = opened(tmp_path, (f"->{field})", "->switch_number)"))
    assert why is not None
    assert why.startswith("what is read of this interpreter's GIL is not so")


@needs_no_gil
def test_states_of_threads_are_compared_with_what_is_so(tmp_path: Path) -> None:
    assert opened(tmp_path, what="gilkit_states_missing") is None


@needs_no_gil
@pytest.mark.parametrize(
    "change",
    [
        ("((PyThreadState *)thread)->state", "((PyThreadState *)thread)->py_recursion_limit"),
        ("&all->is_global", "&all->requested"),
        ("FLAG(own, world_stopped)", "FLAG(all, is_global)"),
    ],
)
def test_states_that_are_not_so_are_a_reason(change: tuple[str, str], tmp_path: Path) -> None:
    why = opened(tmp_path, change, what="gilkit_states_missing")
    assert why is not None
    assert why.startswith("what is read of this interpreter's threads is not so")


def test_another_release_is_a_reason(tmp_path: Path) -> None:
    old = "PY_VERSION_HEX >> 16" if TELLS else "PY_VERSION_HEX >> 8"
    why = opened(tmp_path, (old, f"({old}) + 1"))
    assert why is not None
    assert why.startswith("gilkit was built for CPython ")


def test_the_interpreters_threads_are_found_however_many_there_are() -> None:
    stop = threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(200)]
    for thread in threads:
        thread.start()
    try:
        states, made = _threads.thread_states()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {thread.ident for thread in [*threads, threading.main_thread()]} <= {
        ident for _, _, ident, _ in states
    }
    assert {thread.native_id for thread in threads} <= {native for _, _, _, native in states}
    assert len({unique for _, unique, _, _ in states}) == len(states)
    assert max(unique for _, unique, _, _ in states) <= made


def test_threads_may_end_while_others_are_looked_for() -> None:
    def churn() -> None:
        for _ in range(200):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()

    churners = [threading.Thread(target=churn) for _ in range(4)]
    for thread in churners:
        thread.start()
    while any(thread.is_alive() for thread in churners):
        states, _ = _threads.thread_states()
        assert threading.get_ident() in {ident for _, _, ident, _ in states}
