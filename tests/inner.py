"""How tests run a pytest of their own."""

SHORT_LOOKS = """
from gilkit.gil import observations
observations.OBSERVED = 0.1  # a third of the usual: what is told is less exact, and as true
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
