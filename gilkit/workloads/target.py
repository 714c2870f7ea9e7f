"""What is measured, as people name it: ``KERNEL``, ``STMT`` or a function. Resolved here, and only here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gilkit.arguments import allowed, unknown
from gilkit.kernels import KERNELS, Kernel
from gilkit.machine import free_memory
from gilkit.results import facts
from gilkit.results.facts import Metadata
from gilkit.workloads.digests import digest_of
from gilkit.workloads.statement import StatementCall, check, named
from gilkit.workloads.workload import FunctionCall, Workload

SOURCE = re.compile(r"[\w./\\-]+\.(py|pyx|c|cpp|so|pyd)")  # a name of a file, and no statement
FOOTPRINT = 60e6  # bytes of a worker process, before it has data


@dataclass(frozen=True, slots=True)
class Own:
    """The reader's own code: a statement, or a function.

    Parameters
    ----------
    name : str
        What it is called in tables.
    workload : callable
        ``workload(**given)`` returns its workload; names that are given are there before SETUP runs. With
        ``shared=True`` that runs once for all threads of a process, but for names that are ``private``.
    facts : Metadata
        What results are to say of it.
    """

    name: str
    workload: Callable[..., Workload]
    facts: Metadata = field(default_factory=dict)


def own_function(function: Callable[..., object], args: tuple[Any, ...]) -> Own:
    """Return a function with its arguments as what is measured."""
    plain = function.func if isinstance(function, partial) else function
    name = str(getattr(plain, "__qualname__", None) or type(plain).__qualname__)
    digest = digest_of(args)
    known = {} if digest is None else facts.ARGUMENTS.entry(digest)
    return Own(name, lambda: FunctionCall(function, args), known)


def refuse_file(stmt: str, setup: str) -> None:
    """Say how to measure what is in a file to whom names it as if it were a statement."""
    if setup in ("", "pass") and SOURCE.fullmatch(stmt.strip()):
        module = re.split(r"[/\\]", stmt.strip())[-1].split(".")[0]
        built = "build it, and " if stmt.strip().endswith((".pyx", ".c", ".cpp")) else ""
        raise ValueError(
            f"{stmt!r} is a file, no statement: {built}call a function of it: "
            f"-s 'import {module}' '{module}.function()'"
        )


def own_statement(stmt: str, setup: str) -> Own:
    """Return a statement with its SETUP as what is measured.

    Raises
    ------
    TypeError
        If one of them is no text.
    ValueError
        If it is the name of a file.
    StatementError
        If one of them is not Python.
    """
    for name, text in (("stmt", stmt), ("setup", setup)):
        if not isinstance(text, str):
            raise TypeError(f"{name} must be a string, not {type(text).__name__}")
    refuse_file(stmt, setup)
    check(setup, stmt)

    def workload(shared: bool = False, private: tuple[str, ...] = (), **given: Any) -> Workload:
        return StatementCall(setup, stmt, tuple(given.items()), shared, private)

    return Own(
        named(stmt),
        workload,
        {**facts.STATEMENT.entry(stmt), **facts.SETUP.entry(setup)},
    )


def chosen_kernels(target: Any, path: str | None = None) -> list[Kernel]:
    """Return the kernels that ``target`` names: all of them, or all that take a file, where it is None."""
    takes = {k.name: k.takes for k in KERNELS.values() if k.takes}
    if target is None:
        wanted = list(KERNELS)
        if path is not None:
            kind = "array" if path.endswith(".npy") else "bytes"
            wanted = [name for name, taken in takes.items() if taken == kind]
    else:
        if not isinstance(target, str | Kernel | Iterable):
            raise TypeError(f"target must be kernels or a function, not {type(target).__name__}")
        names = [target] if isinstance(target, str | Kernel) else target
        wanted = [name.name if isinstance(name, Kernel) else name for name in names]
        for name in wanted:
            _own_module(name)
    kernels = [KERNELS[name] for name in allowed("kernel", wanted, list(KERNELS))]
    for kernel in kernels:
        if path is not None and not kernel.takes:
            raise ValueError(f"{kernel.name} takes no input file: {', '.join(takes)} do")
    return kernels


def _own_module(name: object) -> None:
    """Say how to measure code of one's own to whom names it as if it were a kernel."""
    if isinstance(name, str) and name not in KERNELS and re.search(r"[.(:/]", name):
        module = re.split(r"[.(:]", name.rsplit("/", 1)[-1])[0] or "mymod"
        raise ValueError(
            f"{name!r} is no kernel of gilkit's; two functions of your own, built, are compared by: "
            f"gilkit timeit -s 'import {module}' '{module}.one()' --against '{module}.other()'"
        )


def kernel_or_statement(study: str, target: Any, stmt: str | None, setup: str) -> Kernel | Own:
    """Return the one kernel or the statement that a study is asked for."""
    if (target is None) == (stmt is None):
        raise TypeError("give a kernel or a statement")
    if stmt is not None:
        return own_statement(stmt, setup)
    chosen = chosen_kernels(target)
    if len(chosen) != 1:
        raise ValueError(f"{study} takes one kernel at a time")
    return chosen[0]


def from_words(words: Sequence[str], setup: Sequence[str]) -> dict[str, Any]:
    """Return what the words of a command line mean, as arguments of a study: a kernel, or else a statement.

    Raises
    ------
    ValueError
        If they name several kernels, one that there is not, or a file.
    """
    alone = len(words) == 1 and not setup
    if alone and words[0] in KERNELS:
        return {"target": words[0]}
    if alone and words[0].isidentifier():
        raise ValueError(unknown("kernel", words[0], KERNELS))
    if alone:
        refuse_file(words[0], "")
    if not setup and all(word in KERNELS for word in words):
        raise ValueError(f"one kernel at a time, not {len(words)}: {', '.join(words)}")
    return {"stmt": "\n".join(words), "setup": "\n".join(setup) or "pass"}


def has_variant(kernel: Kernel, variant: str, what: str = "version") -> None:
    """Refuse a variant that a kernel does not have."""
    if kernel.variant(variant) is None:
        why = kernel.missing.get(variant, "it has none")
        raise ValueError(f"{kernel.name} has no {variant} {what}: {why}")


def check_size(kernel: Kernel, size: int, workers: int) -> None:
    """Refuse sizes that a kernel does not take, and those whose data would not fit into memory.

    Threads, processes and native threads each have their own data.
    """
    if size > kernel.largest:
        raise ValueError(f"{kernel.name}: size {size} is too large: at most {kernel.largest} is allowed")
    # Twice: that of the kernel before is still there.
    needed = 2 * kernel.nbytes(size) * 3 * workers + FOOTPRINT * workers
    if needed > (free := free_memory()):
        raise ValueError(
            f"{kernel.name}: a size of {size} needs about {needed / 1e9:,.1f} GB for {workers} workers, and "
            f"{free / 1e9:,.1f} GB are free: choose a smaller size or fewer workers"
        )


def processes_in_memory(data: int) -> int:
    """Return how many further processes fit into the free memory, each with so many bytes of data."""
    return int(free_memory() / (FOOTPRINT + data))


def check_processes(workers: int) -> None:
    """Refuse more processes of the reader's own code than fit into memory."""
    if (needed := FOOTPRINT * workers) > (free := free_memory()):
        raise ValueError(
            f"{workers} processes need about {needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free: "
            "choose fewer workers"
        )
