"""What a kernel is, and KERNELS, the registry that every table, test and benchmark is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from gilkit.arguments import LARGEST_INTEGER
from gilkit.kernels._compiled import openmp

VARIANTS = ("python", "gil", "nogil", "native")

NO_OPENMP = "gilkit was built without OpenMP, which the C compiler did not have"


@dataclass(frozen=True, eq=False)
class Kernel:
    """One computation and its variants.

    Parameters
    ----------
    name : str
    python, gil, nogil, native : callable or None
        The variants; None where the kernel has no such variant, and then `missing` says why.
    make : callable
        ``make(size, path)`` returns the arguments of one call: ``path`` is a file to take them from, or None.
    size, python_size : int
        How much work a call is by default: for the compiled variants, and for the slower python.
    unit : str
        What a size counts.
    limit : str
        What limits the kernel's speed.
    takes : str
        What a file may give it: ``"bytes"``, ``"array"``, or nothing, ``""``.
    default_most : int
        How much of a file to take where no size is asked for.
    largest : int
        The largest size of a call.
    nbytes : callable
        The memory that the arguments and results of a call of a size take, in bytes.
    missing : dict
        The reason for every missing variant.
    plain : callable or None
        The reference without its checks, where it needs nothing but Python: a function of ``_plain``.
    """

    name: str
    python: Any
    gil: Any
    nogil: Any
    native: Any
    make: Callable[[int, str | None], tuple[Any, ...]]
    size: int
    python_size: int
    unit: str
    limit: str
    takes: str = ""
    default_most: int = LARGEST_INTEGER
    largest: int = LARGEST_INTEGER
    nbytes: Callable[[int], int] = field(default=lambda _: 0)
    missing: dict[str, str] = field(default_factory=dict)
    plain: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.python.__doc__)

    def __reduce__(self) -> tuple[Callable[[str], Kernel], tuple[str]]:
        return (_registered, (self.name,))

    def __repr__(self) -> str:
        return f"<gilkit kernel {self.name}: {', '.join(v for v in VARIANTS if self.variant(v))}>"

    def variant(self, name: str) -> Any:
        """Return a variant.

        Parameters
        ----------
        name : str
            One of `gilkit.kernels.VARIANTS`.

        Returns
        -------
        callable or None
            None where the kernel has no such variant.
        """
        return getattr(self, name) if name in VARIANTS else None

    def default_size(self, variant: str) -> int:
        """Return the size of a call where none is asked for.

        Parameters
        ----------
        variant : str

        Returns
        -------
        int
            In the kernel's unit.
        """
        return self.python_size if variant == "python" else self.size


KERNELS: dict[str, Kernel] = {}


def _registered(name: str) -> Kernel:
    """Return the kernel that a pickle names."""
    return KERNELS[name]


def kernel(
    module: ModuleType, *, missing: dict[str, str] | None = None, **options: Any
) -> Callable[[Callable[..., Any]], Kernel]:
    """Register the decorated reference with the compiled variants that ``module`` has for it."""

    def register(python: Callable[..., Any]) -> Kernel:
        name = python.__name__
        python.__qualname__ = f"{name}.python"  # where pickle finds it: its own name is the kernel's now
        reasons = dict(missing or {})
        if not openmp:
            reasons.setdefault("native", NO_OPENMP)
        compiled: dict[str, Any] = {
            v: None if v in reasons else getattr(module, f"{name}_{v}") for v in VARIANTS[1:]
        }
        KERNELS[name] = Kernel(name=name, python=python, missing=reasons, **compiled, **options)
        return KERNELS[name]

    return register
