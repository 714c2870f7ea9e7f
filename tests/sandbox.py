"""Programs in processes of their own, and a sandbox for them that forbids what gilkit copies memory with."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

needs_seccomp = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="a sandbox of Linux, and the number of the system call is that of x86_64",
)

# To be put before a program.
FORBID = """
import ctypes, errno
class Step(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), *((n, ctypes.c_ubyte) for n in "yn"), ("k", ctypes.c_uint)]
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.POINTER(Step))]
LOAD, EQUAL, RETURN, ERROR, ALLOW, READV = 0x20, 0x15, 0x06, 0x00050000 | errno.EPERM, 0x7FFF0000, 310
steps = (Step * 4)(Step(LOAD), Step(EQUAL, 0, 1, READV), Step(RETURN, 0, 0, ERROR), Step(RETURN, 0, 0, ALLOW))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(4, steps)), 0, 0) == 0
"""


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program, which says where it crashes."""
    command = [sys.executable, "-W", "ignore", "-X", "faulthandler", "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
