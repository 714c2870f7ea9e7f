"""Facts: what is written comes back with its type, and what is damaged is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gilkit import machine
from gilkit.errors import ResultsError
from gilkit.results import facts
from gilkit.results.facts import FACTS, Fact, machine_facts, run_facts

FIGURE = 10**17
VALUES = {
    str: st.text(),
    int: st.integers(1, FIGURE),
    float: st.floats(-FIGURE, FIGURE),
    list: st.lists(st.integers(1, FIGURE), min_size=1, unique=True).map(sorted),
    dict: st.dictionaries(st.text(), st.text()),
}


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
@settings(max_examples=30)  # of each: there are many of each type
@given(data=st.data())
def test_what_is_written_comes_back(fact: Fact[Any], data: st.DataObject) -> None:
    value = data.draw(
        st.lists(st.text())
        if fact in (facts.AGAINST, facts.GIL_MODULES, facts.PYTHONS)
        else VALUES[fact.type]
    )
    written = fact.entry(value)
    assert set(written) == {fact.key}
    assert isinstance(written[fact.key], str | int | float)  # what pyperf's metadata hold
    assert fact.of(written) == fact.needed(written) == value


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_what_is_not_there_is_none_or_the_default(fact: Fact[Any]) -> None:
    assert fact.of({}) is None
    assert fact.of({}, 7) == 7
    with pytest.raises(ResultsError, match=f"^{fact.key} is missing$"):
        fact.needed({})


@pytest.mark.parametrize(
    ("fact", "value", "message"),
    [
        (facts.CPUS, "two", "gilkit_cpus must be int, not 'two'"),
        (facts.CPUS, True, "gilkit_cpus must be int, not 'True'"),
        (facts.CPUS, 2.5, "gilkit_cpus must be int, not '2.5'"),
        (facts.LOAD, "much", "gilkit_load must be float, not 'much'"),
        (facts.LOAD, 10**400, "gilkit_load must be float, not '1000"),
        (facts.LOAD, 1e300, "gilkit_load must be float, not '1e\\+300'"),
        (facts.CPUS, 0, "gilkit_cpus must be int, not '0'"),
        (facts.COUNTS, "[2, 1]", r"gilkit_counts must be list \(as JSON\), not '\[2, 1\]'"),
        (facts.COUNTS, "[]", r"gilkit_counts must be list \(as JSON\), not '\[\]'"),
        (facts.ROUND_IDS, '[0, "x"]', r"gilkit_rounds must be list \(as JSON\), not ..0, .x."),
        (facts.FAILURES, '{"x": 1}', r"gilkit_failures must be dict \(as JSON\), not .{.x.: 1"),
        (facts.KIND, 7, "gilkit_kind must be str, not '7'"),
        (facts.COUNTS, "[1, 2", r"gilkit_counts must be list \(as JSON\), not '\[1, 2'"),
        (facts.COUNTS, "{}", r"gilkit_counts must be list \(as JSON\), not '{}'"),
        (facts.FOUND, 3, r"gilkit_found must be dict \(as JSON\), not '3'"),
        (facts.STATEMENT, "no JSON", r"gilkit_statement must be str \(as JSON\), not 'no JSON'"),
    ],
)
def test_a_value_of_another_type_is_damaged(fact: Fact[Any], value: object, message: str) -> None:
    with pytest.raises(ResultsError, match=f"^{message}"):
        fact.of({fact.key: value})


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize(
    ("figures", "can_be"),
    [
        ("[]", True),
        ("[1, 2.5, -3]", True),
        ("[null, 1, true]", True),
        ("[1e17" + ", 1e17" * 20 + "]", True),  # more than any figure, in all
        ("[1e18]", False),
        ("[-1e18, 1]", False),
        ("[1, NaN]", False),
        ("[NaN, 1]", False),
        ("[-Infinity, Infinity]", False),
        ("[1" + "0" * 400 + "]", False),
        ("[0.5, -1" + "0" * 400 + "]", False),
        ("[null, 1e300]", False),
    ],
)
def test_no_figure_is_larger_than_can_be_measured(figures: str, can_be: bool, depth: int) -> None:
    fact = Fact("made_up", list, "Made up.")
    written = {"made_up": "[" * depth + figures + "]" * depth}
    if can_be:
        assert fact.of(written) is not None
    else:
        with pytest.raises(ResultsError, match="made_up must be"):
            fact.of(written)


def test_an_integer_is_a_number_of_seconds_too() -> None:
    found = facts.LOAD.of({"gilkit_load": 2})
    assert found == 2.0
    assert isinstance(found, float)


def test_a_family_of_facts_has_names() -> None:
    assert facts.START.named("host").entry(0.5) == {"gilkit_start_host": 0.5}


def test_every_fact_says_what_it_is() -> None:
    for key, fact in FACTS.items():
        assert key == fact.key
        assert fact.about.endswith(".")
        assert fact.type_name


def test_what_a_run_says_of_its_machine() -> None:
    found = run_facts(seed=7)
    assert facts.SEED.of(found) == 7
    assert facts.INTERPRETER.of(found) == machine.interpreter()
    assert facts.CPUS.needed(found) == machine.usable_cpus()
    assert machine_facts().items() <= found.items()
    assert {"python_version", "platform"} <= set(found)  # pyperf's own
