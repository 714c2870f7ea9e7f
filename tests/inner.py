"""How tests run a pytest of their own."""

from hasty import SHORTER

# What a suite's conftest.py has, to look for as short as all in a hurry: less exact, and as true.
SHORT_LOOKS = f"""
from gilkit.gil import observations
observations.OBSERVED = {SHORTER["gil.observations"]["OBSERVED"]}
"""
QUIETLY = (
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-p",
    "no:hypothesispytest",  # it takes a third of such a start
    "-W",
    "error",
    "--strict-markers",
    "--strict-config",
)
