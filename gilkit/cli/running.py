"""A program in this interpreter, run as `python` runs it: a script, a module, code or standard input."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import io
import linecache
import os
import pkgutil
import runpy
import sys
from collections.abc import Collection
from types import ModuleType
from typing import Any

from gilkit.studies.stalls.own_modules import make_way

IN_THE_COMMAND_LINE, IN_STANDARD_INPUT = "<string>", "<stdin>"  # what Python calls the files of such code


def run(asked: dict[str, Any], program: str, arguments: list[str], plain: Collection[str]) -> None:
    """Run a program in this interpreter, as its ``__main__``; ``plain``: the modules that any has."""
    how = asked["how"]
    sys.argv = [program if how == "script" else f"-{how}", *arguments]
    main = sys.modules["__main__"] = ModuleType("__main__")
    names = vars(main)
    names["__builtins__"] = builtins
    if sys.version_info < (3, 14):
        names["__annotations__"] = {}
    if "__mp_main__" in sys.modules:  # what children of multiprocessing return is looked for there
        sys.modules["__mp_main__"] = main
    if how == "m":
        _look_first_in(asked["home"], plain)
        runpy._run_module_as_main(program)  # type: ignore[attr-defined]
    elif how == "c":
        _remember(IN_THE_COMMAND_LINE, program)
        main.__loader__ = importlib.machinery.BuiltinImporter
        _look_first_in("", plain)
        exec(compile(program, IN_THE_COMMAND_LINE, "exec", dont_inherit=True), main.__dict__)
    elif program == "-":
        _run_input(main, plain)
    else:
        _run_file(main, plain, os.path.join(asked["home"], program))  # noqa: PTH118 (as Python: not made shorter)


def _run_input(main: ModuleType, plain: Collection[str]) -> None:
    """Run what is on standard input."""
    code = b"" if sys.stdin is None else sys.stdin.buffer.read()
    _remember(IN_STANDARD_INPUT, _decoded(code))
    main.__loader__ = importlib.machinery.BuiltinImporter
    main.__file__ = IN_STANDARD_INPUT
    main.__dict__["__cached__"] = None
    _look_first_in("", plain)
    exec(compile(code, IN_STANDARD_INPUT, "exec", dont_inherit=True), main.__dict__)


def _run_file(main: ModuleType, plain: Collection[str], path: str) -> None:
    """Run a script, or the ``__main__`` of a folder or an archive."""
    if pkgutil.get_importer(path) is not None:
        sys.path.insert(0, path)
        make_way(path, plain)
        runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]
        return
    with io.open_code(path) as file:  # once: it may be a pipe
        text = file.read()
    code: Any = pkgutil.read_code(io.BytesIO(text))
    if code is None:
        code = text
        if not os.path.isfile(path):  # noqa: PTH113 (nobody reads it again)
            _remember(path, _decoded(text))
        main.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    else:
        main.__loader__ = importlib.machinery.SourcelessFileLoader("__main__", path)
    main.__file__ = path
    main.__dict__["__cached__"] = None
    _look_first_in(os.path.dirname(os.path.realpath(path)), plain)  # noqa: PTH120
    exec(compile(code, path, "exec", dont_inherit=True) if isinstance(code, bytes) else code, main.__dict__)


def _remember(file: str, text: str) -> None:
    """Keep the lines of what is in no file, for reports and tracebacks."""
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)


def _decoded(code: bytes) -> str:
    try:
        return importlib.util.decode_source(code)
    except (SyntaxError, ValueError):  # said when it is compiled
        return ""


def _look_first_in(folder: str, plain: Collection[str]) -> None:
    if not sys.flags.safe_path:
        sys.path.insert(0, folder)
        make_way(folder, plain)
