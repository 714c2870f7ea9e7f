"""What people say of threads and processes, each claim an experiment; CLAIMS is the registry of them.

An experiment measures, and leaves its figures; a decision, which is a pure function, says what follows from
them. The command, the table and the tests have a claim from its entry.
"""

from __future__ import annotations

from gilkit.experiments import _failing, _memory, _releasing, _scaling, _starting, _waiting, _watching
from gilkit.experiments._base import REGISTERED, WHOLE, Bench, Claim, Figures, Finding, Ruling, figures

__all__ = ["CLAIMS", "WHOLE", "Bench", "Claim", "Figures", "Finding", "Ruling", "figures"]

_THEMES = (_scaling, _releasing, _waiting, _starting, _memory, _failing, _watching)

CLAIMS: dict[str, Claim] = {
    name: claim
    for theme in _THEMES
    for name, claim in REGISTERED.items()
    if claim.experiment.__module__ == theme.__name__
}
