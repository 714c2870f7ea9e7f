"""Programs of their own, which are run by their path: see talk."""
