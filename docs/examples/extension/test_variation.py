"""What has to stay so: it releases the GIL, and is right on many threads at once."""

import numpy as np
import variation

SERIES = np.linspace(0.0, 1.0, 1_000_000)


def test_it_is_right():
    assert variation.releasing(np.array([1.0, 3.0, 2.0])) == 3.0


def test_it_releases_the_gil(gil):
    gil.assert_releases(variation.releasing, SERIES)


def test_it_is_the_same_on_many_threads(gil):
    gil.assert_same_under_threads(variation.releasing, SERIES)
