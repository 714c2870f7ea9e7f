"""Whether there is a GIL where calls run: asked there, after SETUP and a first call, which may turn it on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gilkit.engine.executors import EXECUTORS
from gilkit.engine.pools import Lab
from gilkit.errors import CaseFailedError
from gilkit.gil.turned_on import GilState
from gilkit.machine import free_threaded
from gilkit.results import facts
from gilkit.results.facts import Metadata
from gilkit.workloads.workload import Workload


def gil_facts(lab: Lab, workloads: Mapping[str, Workload], known: Metadata) -> Metadata:
    """Return what a results file says of the GIL of a free-threaded build; nothing of any other.

    Parameters
    ----------
    lab : Lab
    workloads : mapping of str to Workload
        What runs on each executor.
    known : Metadata
        What the file says already, of workloads before these: what they turned on stays on.
    """
    if not free_threaded():
        return {}
    states: dict[str, GilState] = {}
    for executor, workload in workloads.items():
        if EXECUTORS[executor].native:
            continue
        try:
            states[executor] = lab.gil(executor, workload)
        except CaseFailedError:
            continue  # its rounds will say why
    return _said(states, known) if states else {}


def _said(states: Mapping[str, GilState], known: Metadata) -> Metadata:
    here = states.get("threads") or next(iter(states.values()))
    names = [name for state in (here, *states.values()) for name in state.modules]
    modules = dict.fromkeys(facts.GIL_MODULES.of(known, []) + names)
    found = replace(here, modules=tuple(modules)).facts
    elsewhere = {name: "on" if state.on else "off" for name, state in states.items() if state.on != here.on}
    return found | (facts.GIL_ELSEWHERE.entry(elsewhere) if elsewhere else {})
