"""A test that fails: sorting needs the GIL."""


def test_sorting_releases_the_gil(gil):
    """It does not: a comparison may run Python code."""
    gil.assert_releases(sorted, range(10**6))
