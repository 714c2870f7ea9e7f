"""Extension modules in C that do, or do not, declare that they need no GIL: compiled for a test."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from gilkit.machine import free_threaded

COMPILER = shlex.split(sysconfig.get_config_var("CC") or "cc")
needs_free_threads = pytest.mark.skipif(not free_threaded(), reason="this interpreter always has a GIL")
needs_compiler = pytest.mark.skipif(
    shutil.which(COMPILER[0]) is None or not Path(sysconfig.get_path("include"), "Python.h").exists(),
    reason="there is no C compiler, or Python's headers are missing",
)

DECLARES = "{Py_mod_gil, Py_MOD_GIL_NOT_USED},"
HEAD = """
#include <Python.h>
static PyObject *twice(PyObject *self, PyObject *number) { return PyNumber_Add(number, number); }
static PyMethodDef methods[] = {{"twice", twice, METH_O, NULL}, {NULL, NULL, 0, NULL}};
"""
PHASES = """
static int execute(PyObject *module) { EXECUTE return 0; }
static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, DECLARES {0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "NAME", NULL, 0, methods, slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_NAME(void) { return PyModuleDef_Init(&module); }
"""
ONE_PHASE = """
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "NAME", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_NAME(void) {
    EXECUTE
    PyObject *made = PyModule_Create(&module);
    SETS
    return made;
}
"""


def compiled(
    folder: Path, name: str, declares: bool = False, one_phase: bool = False, execute: str = ""
) -> Path:
    """Return the file of an extension module.

    Parameters
    ----------
    folder : Path
        Where it goes: that of its package.
    name : str
        Its own, without that of a package.
    declares : bool
        Whether it declares that it needs no GIL.
    one_phase : bool
        Whether all is done while it is made; otherwise it is made first, and then executed.
    execute : str
        C code that it runs.
    """
    code = HEAD + (ONE_PHASE if one_phase else PHASES)
    sets = "PyUnstable_Module_SetGIL(made, Py_MOD_GIL_NOT_USED);" if declares else ""
    for word, text in (
        ("DECLARES", DECLARES if declares else ""),
        ("SETS", sets),
        ("EXECUTE", execute),
        ("NAME", name),
    ):
        code = code.replace(word, text)
    source = folder / f"{name}.c"
    source.write_text(code)
    path = folder / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
    command = [*COMPILER, "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", str(source)]
    subprocess.run([*command, "-o", str(path)], check=True)
    source.unlink()
    return path


def imports(name: str) -> str:
    """C code that imports a module."""
    return f'{{ PyObject *other = PyImport_ImportModule("{name}"); Py_XDECREF(other); PyErr_Clear(); }}'
