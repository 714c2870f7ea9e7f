"""What the README tells people to run does run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gilkit.kernels import KERNELS
from gilkit.verdict import Cause

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def commands() -> list[str]:
    """The shell commands of the README, without their comments."""
    block = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    return [line.split("  #")[0].strip() for line in block.splitlines() if line.strip()]


def test_the_two_commands_are_there() -> None:
    assert "    pip install . && gilkit compare " in README
    assert "    pip install -e '.[test]' && pytest " in README
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "test" in extras


def test_the_commands_run_one_after_another(tmp_path: Path) -> None:
    assert len(commands()) >= 6
    for command in commands():
        words = shlex.split(command)
        if words[0] == "gilkit":
            words = ["python", "-m", *words]
        if "compare" in words:  # as it is written, but short
            words += ["--rounds", "1", "--workers", "2"] if "--workers" not in words else ["--rounds", "1"]
            if not {"lcg", "crc32"} & set(words):
                words.append("lcg")
        elif "timeit" in words:
            words += ["--rounds", "1", "--workers", "2"]
        elif "threshold" in words:
            words += ["--rounds", "1", "--workers", "2", "--sizes", "1000:2000"]
        elif "scaling" in words:
            words += ["--rounds", "1", "--workers", "2", "--work", "0.01"]
        elif "costs" in words:
            words += ["--rounds", "1"]
        elif "claims" in words:
            words.append("--quick")
        done = subprocess.run(
            [sys.executable, *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout


EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SUITES = [example for example in EXAMPLES if "def test_" in example]


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example not in SUITES])
def test_the_examples_run(example: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(
        f"def main():\n{re.sub('^', '    ', example, flags=re.M)}\nif __name__ == '__main__':\n    main()\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_the_test_suite_runs(tmp_path: Path) -> None:
    (suite,) = SUITES
    (tmp_path / "test_gil.py").write_text(suite)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra", "test_gil.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout  # what a busy machine or no GIL skips, it does with a reason


def test_the_table_is_a_real_one() -> None:
    assert "@" + "TABLE@" not in README
    rows = [line for line in README.splitlines() if line.startswith("    ") and "±" in line]
    assert {row.split()[0] for row in rows} >= set(KERNELS)


def test_every_kernel_and_every_verdict_is_explained() -> None:
    for kernel in KERNELS:
        assert f"`{kernel}`" in README, kernel
    for cause in Cause:
        assert f"\n| {cause.value} |" in README, cause


def test_the_guide_names_every_module() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    packages = [path.parent for path in (ROOT / "gilkit").glob("*/__init__.py")]
    for path in [*(ROOT / "gilkit").glob("*.py"), *packages]:
        if not path.stem.startswith("__"):
            assert f"`gilkit/{path.stem}" in guide or f"`gilkit/{path.name}" in guide, path.stem
