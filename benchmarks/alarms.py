"""Whether asv's alarms work: a planted regression must raise one, and a changed comment none.

    pip install -e ".[bench]" && python benchmarks/alarms.py [--kernel crc32] [--times 5]

In a clone of its own, on branches of its own, it commits a change that keeps the GIL in one kernel's `nogil`
version, and one that changes a comment. `asv continuous` must fail for the first and name that kernel's
benchmarks and no other's; for the second it must pass, every time. It takes a quiet machine, and says before
each how busy it is. Exits with 1 if an alarm was missing or false, or if the machine is busy.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from gilkit.kernels import KERNELS
from gilkit.machine import BUSY, load_by_others

ROOT = Path(__file__).parent.parent
FACTOR = "1.5"  # less is within what a noisy machine does; a GIL that is kept costs 2 on two CPUs
RATIOS = "_over_"  # the benchmarks that do not depend on how fast the machine is just now
AUTHOR = ["-c", "user.name=alarms", "-c", "user.email=alarms@localhost"]
WORSE = re.compile(r"^\| \+ .*\| +(\S.*?) +\|$", re.M)  # the rows of asv's table that got worse


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def git(folder: Path, *arguments: str) -> None:
    """Run git, which has to work."""
    subprocess.run(["git", "-C", str(folder), *AUTHOR, *arguments], check=True, capture_output=True)


def source(clone: Path, kernel: str) -> Path:
    """Return the file that a kernel's compiled versions are in."""
    return next(path for path in (clone / "ext").glob("*.pyx") if f"def {kernel}_nogil(" in path.read_text())


def keep_the_gil(path: Path, kernel: str) -> None:
    """Drop one `with nogil`."""
    before, name, after = path.read_text().partition(f"def {kernel}_nogil(")
    path.write_text(before + name + after.replace("with nogil:", "if True:", 1))


def change_a_comment(path: Path, kernel: str) -> None:
    """Add a comment above a kernel."""
    path.write_text(path.read_text().replace(f"def {kernel}_nogil(", f"# A comment.\ndef {kernel}_nogil(", 1))


def continuous(clone: Path, branch: str, bench: str) -> tuple[int, set[str]]:
    """Compare a branch to its start, and return asv's exit status and the benchmarks that got worse."""
    options = ["--factor", FACTOR, "--bench", bench]
    print(f"load by others before: {load_by_others(1.0):.2f} CPUs", flush=True)
    done = run(
        sys.executable, "-m", "asv", "continuous", *options, "start", branch, folder=clone / "benchmarks"
    )
    print(done.stdout[done.stdout.find("\n| ") :].strip() or done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode, set(WORSE.findall(done.stdout))


def main() -> int:
    """Play both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    both = [name for name, kernel in KERNELS.items() if kernel.nogil]
    parser.add_argument("--kernel", choices=both, default="crc32")
    parser.add_argument("--bench", default=RATIOS, help="which of asv's benchmarks to run")
    parser.add_argument("--times", type=int, default=5, help="how often the comment is played")
    asked = parser.parse_args()
    if (load := load_by_others(1.0)) >= BUSY:
        print(f"the machine is busy: others use {load:.2f} CPUs; wait until it is quiet")
        return 1
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        git(clone, "branch", "start")
        for branch, change in (("planted", keep_the_gil), ("comment", change_a_comment)):
            git(clone, "checkout", "-q", "-b", branch, "start")
            change(source(clone, asked.kernel), asked.kernel)
            git(clone, "commit", "-qam", branch)
        run(sys.executable, "-m", "asv", "machine", "--yes", folder=clone / "benchmarks")
        status, worse = continuous(clone, "planted", asked.bench)
        others = {name for name in worse if not re.search(rf"(?<![a-z]){asked.kernel}\b", name)}
        right = status != 0 and bool(worse) and not others
        wrong += not right
        print(f"planted in {asked.kernel}: exit status {status}, alarms {sorted(worse)}: {said(right)}")
        for index in range(asked.times):
            status, worse = continuous(clone, "comment", asked.bench)
            right = status == 0
            wrong += not right
            print(f"comment, {index + 1}: exit status {status}, alarms {sorted(worse)}: {said(right)}")
    return int(wrong > 0)


def said(right: bool) -> str:
    """Return the word for it."""
    return "right" if right else "WRONG"


if __name__ == "__main__":
    sys.exit(main())
