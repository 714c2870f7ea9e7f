"""How tests run a pytest of their own."""

from hasty import SHORTER

# What a suite's conftest.py has, to look for as short as all in a hurry: less exact, and as true.
SHORT_LOOKS = f"""
from gilkit.gil import observations
observations.OBSERVED = {SHORTER["gil.observations"]["OBSERVED"]}
"""
LIGHTLY = ("-p", "no:hypothesispytest")  # which takes a third of such a start
SOON = {"PYTEST_ADDOPTS": " ".join(LIGHTLY)}  # in the environment of what pages tell people to run
QUIETLY = (
    *("-p", "no:cacheprovider", "-p", "no:randomly"),
    *LIGHTLY,
    *("-W", "error", "--strict-markers", "--strict-config"),
)
