"""For asv: how long a call is, and two threads of it, over the history of the extension."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import variation


class Variation:
    """A series of a million numbers."""

    def setup(self):
        """Make the data, and two threads."""
        self.series = np.linspace(0.0, 1.0, 1_000_000)
        self.pool = ThreadPoolExecutor(2)

    def teardown(self):
        """End the threads."""
        self.pool.shutdown()

    def time_one(self):
        """One call."""
        variation.releasing(self.series)

    def time_two_threads(self):
        """Two calls at once: as long as one, while it releases the GIL."""
        list(self.pool.map(variation.releasing, [self.series] * 2))
