"""Blocks of ``python`` in the pages are run as scripts."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hasty import HURRIED
from pages import DOCS, blocks
from pictures import MISSING, need_pictures

pytestmark = pytest.mark.once

SCRIPTS = [block for block in blocks("python") if "def test_" not in block]


# One after the other in one process, which loads all that they need once; each says how it ended.
ALL = """
if __name__ == '__main__':
    import traceback; {HURRIED}
    for script in ({names},):
        status = 0
        try:
            script()
        except BaseException:
            traceback.print_exc()
            status = 1
        print(end=f"\\0{{status}}\\0", file=sys.stderr, flush=True)
"""


def hurried(script: str) -> str:
    """The same with one round where it measures in several."""
    script = re.sub(r"(gilkit\.compare\((?!.*rounds=).*)\)$", r"\1, rounds=1)", script, flags=re.M)
    return re.sub(r"rounds=\d", "rounds=1", script)


def draws(script: str) -> bool:
    """Whether it makes a picture or a page."""
    return ".plot(" in script or ".report(" in script


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """The status of each script that can run here, and what it says on standard error."""
    scripts = [script for script in SCRIPTS if not draws(script) or not MISSING]
    bodies = [re.sub("^", "    ", hurried(script), flags=re.M) for script in scripts]
    functions = [f"def script_{place}():\n{body}\n" for place, body in enumerate(bodies)]
    names = ", ".join(f"script_{place}" for place in range(len(scripts)))
    path = tmp_path_factory.mktemp("scripts") / "example.py"
    path.write_text("".join(functions) + ALL.format(HURRIED=HURRIED, names=names), "utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], cwd=path.parent, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said = done.stderr.split("\0")
    return dict(zip(scripts, zip(said[1::2], said[::2], strict=False), strict=True))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.splitlines()[-1][:40])
def test_the_scripts_run(script: str, ended: dict[str, tuple[str, str]]) -> None:
    if draws(script):
        need_pictures()
    status, said = ended[script]
    assert status == "0", said


def test_the_example_of_data_that_stay_runs() -> None:
    command = [sys.executable, str(DOCS / "examples" / "own_data.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "1488890\n"
