"""Where a thread is, copied from the interpreter's memory, is what the interpreter itself says."""

from __future__ import annotations

import ast
import dis
import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from gilkit._ext import _threads
from gilkit.gil.places import C_CALL, CERTAIN_PLACE, LIKELY_PLACE, CodePlace, Stall, by_line
from gilkit.gil.threads import ThreadId

WHY = _threads.frames_missing()
MODULES = ["ast", "argparse", "dataclasses", "inspect", "typing", "threading", "json.decoder", "re._parser"]
needs_frames = pytest.mark.skipif(WHY is not None, reason=WHY or "")
ADDED = {  # what a table of lines can hold: far jumps, back and forth, and lines without code
    "far": "x = 1\n" + "\n" * 70_000 + "y = 2\n",
    "long": "f(\n" + ",\n".join(f"g({i})" for i in range(300)) + ")\n",
    "backwards": "def f(a, b):\n    for i in a:\n        with b:\n            yield (i,\n  g(\n\n\n i))\n",
    "wide": "x = " + " + ".join(f"name_{i}" for i in range(500)) + "\n",
    "exceptions": "try:\n  a\nexcept B as c:\n  d\nelse:\n  e\nfinally:\n  f\n",
}


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def of_module(name: str) -> CodeType:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return compile(ast.parse(Path(spec.origin).read_bytes()), spec.origin, "exec")


@needs_frames
@pytest.mark.parametrize("name", [*MODULES, *ADDED])
def test_the_line_of_every_instruction_is_the_interpreters_own(name: str) -> None:
    top = compile(ADDED[name], f"<{name}>", "exec") if name in ADDED else of_module(name)
    seen = 0
    for code in codes(top):
        for start, end, line in code.co_lines():
            for offset in range(start, end, 2):
                assert _threads.place(id(code), offset) == (
                    code.co_filename,
                    code.co_qualname[-256:],
                    line or 0,
                )
                seen += 1
    assert seen == sum(len(code.co_code) for code in codes(top)) // 2
    assert seen >= sum(1 for code in codes(top) for _ in dis.get_instructions(code))


@needs_frames
@pytest.mark.parametrize("name", ["é", "日本", "😀", "a" * 2000, "x\udce4", ""])
def test_names_of_every_kind(name: str) -> None:
    code = compile("def f(): pass", name, "exec")
    longest = 1024 if name.isascii() else 1024 // 2
    last = len(code.co_code) - 2
    assert _threads.place(id(code), last) == (name[-longest:], "<module>", 1)


@needs_frames
def test_what_is_no_code_object_has_no_place() -> None:
    for thing in ("text", 12345678901, [], object(), sys):
        assert _threads.place(id(thing), 0) is None
    assert _threads.place(0, 0) is None
    assert _threads.place(8, 0) is None


@needs_frames
@pytest.mark.parametrize("generator", [False, True])
def test_the_stack_of_a_thread_that_stands_still_is_what_sys_says(generator: bool) -> None:
    ready, stop, me = threading.Event(), threading.Event(), []

    def inner() -> Iterator[None]:
        me.append((_threads.own_state()[0], threading.get_ident()))
        ready.set()
        stop.wait()
        yield

    def outer(depth: int) -> None:
        if depth:
            outer(depth - 1)
        elif generator:
            max(inner(), key=lambda _: 0)
        else:
            next(inner())

    thread = threading.Thread(target=outer, args=(50,))
    thread.start()
    ready.wait()
    # It is inside `stop.wait()` now or soon, and there it stays.
    for _ in range(1000):
        frame, wanted = sys._current_frames()[me[0][1]], []
        while frame is not None:
            wanted.append((frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lineno))
            frame = frame.f_back
        if (found := _threads.frames(me[0][0])) == wanted:
            break
    stop.set()
    thread.join()
    assert found == wanted
    assert len(found) > 50


def test_a_state_that_is_none_has_no_frames() -> None:
    assert _threads.frames(0) == []
    assert _threads.frames(4096) == []


def test_lines_are_added_up_and_are_as_certain_as_the_least_certain() -> None:
    one, other = CodePlace("/a.py", 3, "f"), CodePlace("/b.py", 5, "g")
    thread = ThreadId("T", 1)
    found = by_line(
        [
            Stall(0.0, 0.1, thread, C_CALL, CERTAIN_PLACE, (one,)),
            Stall(1.0, 1.5, thread, C_CALL, CERTAIN_PLACE, (other,)),
            Stall(2.0, 2.3, thread, C_CALL, LIKELY_PLACE, (one,)),
        ]
    )
    assert [(line.place, line.stalls, line.certainty) for line in found] == [
        (other, 1, CERTAIN_PLACE),
        (one, 2, LIKELY_PLACE),
    ]
    assert found[1].seconds == pytest.approx(0.4)
    assert found[1].longest == pytest.approx(0.3)


def test_the_programs_own_line_is_the_innermost_that_no_library_has() -> None:
    library = CodePlace(threading.__file__, 5, "Thread.run")
    package = CodePlace("/x/lib/python3/site-packages/p/q.py", 5, "q")
    frozen, own, caller = (
        CodePlace("<frozen importlib._bootstrap>", 1, "f"),
        CodePlace("/h/app.py", 7, "main"),
        None,
    )
    caller = CodePlace("/h/app.py", 90, "<module>")
    stall = Stall(0, 1, ThreadId("T", 1), stack=(library, package, frozen, own, caller))
    assert stall.place == library
    assert stall.own == own
    assert Stall(0, 1, ThreadId("T", 1), stack=(library, package)).own == library
    assert Stall(0, 1, ThreadId("T", 1)).own is None
