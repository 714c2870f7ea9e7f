"""gilkit: threads or processes, and should this release the GIL? Measured on your own machine.

`gilkit.kernels` holds the kernels. `compare` measures them, or a function of your own, on threads and on
processes; `load` reads what was measured before. `GilMonitor` and `held_share` tell who holds the GIL, and
for what share of the time; `timeline` draws who ran and who held it when.

The public names stand in the stub beside this file, `__init__.pyi`. Each is loaded when it is first used, and
NumPy when something is done that needs it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
