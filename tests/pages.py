"""What the pages of the README and the site say and show, for the tests of it."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
SITE = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (README, *SITE)}

Ran = Callable[[str], "subprocess.CompletedProcess[str]"]


def module_at(path: Path) -> ModuleType:
    """A script of the site, as a module."""
    name = f"gilkit_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def untold(document: Mapping[str, Any]) -> list[str]:
    """The keys of an object for machines, and its kind, that the page on them does not tell."""
    page = TEXTS["docs/reference/output.md"]
    return [word for word in (document["kind"], *document) if f"`{word}`" not in page]


MAKER = module_at(DOCS / "make_outputs.py")
OUTPUTS = MAKER.COMMANDS
EXTENSION = "variation"  # of one page; it is built before a command that names it


def fenced(text: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: what stands behind the fence, and the block."""
    return re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S)


def blocks(language: str) -> list[str]:
    """The distinct blocks of a language, the README's first."""
    found = [block for text in TEXTS.values() for info, block in fenced(text) if info == language]
    return list(dict.fromkeys(found))


def joined(block: str) -> list[str]:
    """The lines of a block; those that end with a backslash go on."""
    return re.sub(r"\\\n *", "", block).splitlines()


def commands() -> list[str]:
    """The distinct shell commands, without their comments."""
    lines = [line.split("  #")[0].strip() for block in blocks("sh") for line in joined(block)]
    return list(dict.fromkeys(line for line in lines if line))


def lighter(statement: str) -> str:
    """The same with a hundredth of the numbers that it counts to, or has."""
    hundredth = re.sub(r"0_000\b", "_00", statement)
    return re.sub(r"10\*\*([5-7])\b", lambda power: f"10**{int(power[1]) - 2}", hundredth)


def shortened(command: str) -> list[str]:
    """Return the words of a command as it is written, with less to measure."""
    words = shlex.split(command.replace("\\\n", ""))
    words = [
        sys.executable if before == "--python" else word
        for before, word in zip(["", *words[:-1]], words, strict=True)
    ]
    if words[0] != "gilkit" or "--list" in words:
        return words
    own = not any(word.startswith("-") for word in words[2:3]) and len(words) > 2
    if words[1] in ("timeit", "beside", "map", "layout"):
        words = [lighter(word.replace("125_000_000", "125_000")) for word in words]  # 1 GB for each process
    match words[1]:
        case "compare":
            words += [] if own else ["lcg"]
            words += ["--rounds", "1"] + ([] if "--workers" in words else ["--workers", "2"])
        case "timeit":
            words += ["--rounds", "1", "--workers", "2"]
        case "layout" | "beside":
            words += ["--rounds", "1"]
        case "map":
            words = [re.sub(r"\brange\((3000|1000|40)\)", "range(20)", word) for word in words]
            words += ["--rounds", "1", "--budget", "0.1"]
        case "threshold":
            words += ["--rounds", "1", "--workers", "2", "--sizes", "1000:2000"]
        case "scaling":
            words += ["--rounds", "1", "--workers", "1,2", "--work", "0.01"]
        case "costs":
            words += ["--rounds", "1"] + ([] if own else ["pickle-1kB"])
        case "claims":
            words += ["--quick"] + ([] if own else ["one-os-thread"])
        case "timeline":
            words += ["--calls", "5"]
    return words


def stored(name: str) -> str:
    """The output of that name."""
    return (DOCS / "outputs" / f"{name}.txt").read_text("utf-8")
