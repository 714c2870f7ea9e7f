"""Digests of data: the same in every process, and others for other data."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from gilkit.workloads.digests import digest_of, digest_of_file

DATA = "({'b': 1, 'a': {'x', 'y', 'z'}}, [1.5, None, b'x'], 'text', 10**30)"


def test_it_is_the_same_in_every_process() -> None:
    program = f"from gilkit.workloads.digests import digest_of; print(digest_of({DATA}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {digest_of(eval(DATA))}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, 1.0),
        ([1, 2], [2, 1]),
        ((1,), [1]),
        ({"a": 1}, {"a": 2}),
        ("a", b"a"),
        ([[1], 2], [[1, 2]]),
    ],
)
def test_other_data_have_another(one: object, other: object) -> None:
    assert digest_of(one) != digest_of(other)


def test_arrays_count_whole() -> None:
    one = np.zeros(10_000)
    other = one.copy()
    assert digest_of(one) == digest_of(other)
    other[5000] = 1
    assert digest_of(one) != digest_of(other)


def test_what_cannot_be_pickled_has_none() -> None:
    assert digest_of((1, threading.Lock())) is None
    endless: list[object] = []
    endless.append(endless)
    assert digest_of(endless) is None


def test_a_file_that_is_changed_has_another(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    first = digest_of_file(str(path))
    path.write_bytes(b"other")
    assert digest_of_file(str(path)) != first
