"""Calls of well-known libraries whose behaviour is documented: the monitor tells which release the GIL."""

from __future__ import annotations

import sys

import pytest
from quiet import Median, needs_monitor

from gilkit import machine
from gilkit.gil.held import watch
from gilkit.gil.law import behaviour
from gilkit.workloads.statement import StatementCall

pytestmark = pytest.mark.alone

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="no usleep here")
CALLS = [
    pytest.param("import zlib; b = bytes(10**6)", "zlib.compress(b)", "releases", id="zlib"),
    pytest.param("import hashlib; b = bytes(1000)", "hashlib.sha256(b)", "holds", id="sha256 below"),
    pytest.param("import hashlib; b = bytes(10**6)", "hashlib.sha256(b)", "releases", id="sha256 above"),
    pytest.param("import json; x = list(range(10**4))", "json.dumps(x)", "holds", id="json"),
    pytest.param("import re; t = 'ab' * 2000", "re.search('(a|b)*c', t[-1000:])", "holds", id="re"),
    pytest.param("import numpy as np; a = np.arange(10**5)[::-1] % 997", "np.sort(a)", "releases", id="sort"),
    pytest.param("import numpy as np; a = np.ones(10**5)", "np.sin(a)", "releases", id="large ufunc"),
    pytest.param("import numpy as np; a = np.ones(4)", "np.sin(a)", "holds", id="tiny ufunc"),
    pytest.param("import numpy as np; a = np.arange(10**4).astype(object)", "a + a", "holds", id="objects"),
    pytest.param(
        "import sqlite3; from contextlib import closing",
        "with closing(sqlite3.connect(':memory:')) as db:\n"
        "    db.execute('with recursive c(x) as (select 1 union all select x+1 from c where x < 30000) '\n"
        "               'select sum(x) from c').fetchall()",
        "releases",
        id="sqlite3",
    ),
    pytest.param("import time", "time.sleep(0.005)", "releases", id="sleep"),
    pytest.param(
        "from ctypes import CDLL; f = CDLL(None).usleep", "f(5000)", "releases", id="CDLL", marks=LINUX
    ),
    pytest.param(
        "from ctypes import PyDLL; f = PyDLL(None).usleep", "f(5000)", "holds", id="PyDLL", marks=LINUX
    ),
]


@needs_monitor
@pytest.mark.skipif(machine.usable_cpus() < 2, reason="the monitor wants a CPU to spare")
@pytest.mark.parametrize(("setup", "statement", "expected"), CALLS)
def test_a_call_does_what_its_documentation_says(setup: str, statement: str, expected: str) -> None:
    call = StatementCall(setup, statement).prepare()
    shares = Median(lambda: watch(call, 0.05).share)
    assert shares.mostly(lambda share: behaviour(share) == expected), shares
