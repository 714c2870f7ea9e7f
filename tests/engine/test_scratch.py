"""The folder for temporary files goes with its process, or with the next one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gilkit.engine.scratch import LOCK

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nobody can tell there who uses a folder")

MAKES = "from gilkit.engine.scratch import folder; print(folder(), flush=True); input()"


def maker(parent: Path) -> subprocess.Popen[str]:
    """A process that has such a folder, and waits."""
    return subprocess.Popen(
        [sys.executable, "-c", MAKES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(parent)},
    )


def made_by(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_it_goes_with_its_process(tmp_path: Path) -> None:
    with maker(tmp_path) as process:
        assert made_by(process).is_dir()
        process.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path) -> None:
    with maker(tmp_path) as killed:
        stale = made_by(killed)
        (stale / "data").write_bytes(b"data")
        killed.kill()
    assert stale.is_dir()
    with maker(tmp_path) as first, maker(tmp_path) as second:
        folders = {made_by(first), made_by(second)}
        assert set(tmp_path.iterdir()) == folders  # what lives is left alone
        first.communicate("\n")
        second.communicate("\n")


def test_who_is_killed_while_it_removes_one_leaves_it_to_the_next(tmp_path: Path) -> None:
    ends = "import os, shutil; shutil.rmtree = lambda *_, **__: os._exit(0)"
    made = tmp_path / "gilkit-half"
    (made / "data").mkdir(parents=True)
    (made / LOCK).touch()
    code = f"{ends}; from gilkit.engine.scratch import folder; folder()"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True)
    assert (made / LOCK).exists()
    with maker(tmp_path) as process:
        assert [made_by(process)] == list(tmp_path.iterdir())
        process.communicate("\n")


ENVIRONMENT = "from gilkit.engine.scratch import environment; print(environment()['TMPDIR'])"


@pytest.mark.parametrize(("length", "ours"), [(75, True), (76, False)])
def test_programs_get_it_if_their_sockets_fit_into_it(length: int, ours: bool, short_folder: Path) -> None:
    name = "x" * (length - len(str(short_folder)) - len("//gilkit-12345678"))
    parent = short_folder / name
    parent.mkdir()
    environment = {**os.environ, "TMPDIR": str(parent)}
    done = subprocess.run(
        [sys.executable, "-c", ENVIRONMENT], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{parent}/gilkit-") == ours


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "gilkit-notes"
    other.mkdir()
    os.utime(other, (0, 0))  # it is old, and no folder of ours
    (tmp_path / "gilkit-link").symlink_to(other)
    with maker(tmp_path) as process:
        made_by(process)
        process.communicate("\n")
    assert {path.name for path in tmp_path.iterdir()} == {"gilkit-notes", "gilkit-link"}
