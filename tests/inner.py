"""How tests run a pytest of their own."""

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
