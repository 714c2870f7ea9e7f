"""NumPy for the kernels, loaded when one needs it: to know which there are does not take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
else:

    class _Later:
        """What a module has: it is loaded when a name of it is asked for."""

        def __init__(self, load: Any) -> None:
            self._load = load

        def __getattr__(self, name: str) -> Any:
            found = self.__dict__[name] = getattr(self._load(), name)
            return found

    def _numpy() -> Any:
        import numpy

        return numpy

    def _typing() -> Any:
        import numpy.typing

        return numpy.typing

    np, npt = _Later(_numpy), _Later(_typing)

__all__ = ["np", "npt"]
