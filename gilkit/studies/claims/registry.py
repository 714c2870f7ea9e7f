"""CLAIMS, the registry of what people say of threads and processes, each claim an experiment.

An experiment measures, and leaves its figures; a decision, which is a pure function, says what follows from
them. The command, the table and the tests have a claim from its entry.
"""

from __future__ import annotations

from gilkit.studies.claims import (
    on_cpus,
    on_failing,
    on_free_threads,
    on_holding,
    on_memory,
    on_releasing,
    on_scaling,
    on_starting,
    on_waiting,
    on_watching,
)
from gilkit.studies.claims.claim import REGISTERED, Claim

_THEMES = (
    on_scaling,
    on_cpus,
    on_releasing,
    on_holding,
    on_waiting,
    on_starting,
    on_memory,
    on_failing,
    on_watching,
    on_free_threads,
)

CLAIMS: dict[str, Claim] = {
    name: claim
    for theme in _THEMES
    for name, claim in REGISTERED.items()
    if claim.experiment.__module__ == theme.__name__
}
