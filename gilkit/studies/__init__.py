"""One folder for each command: the question that it answers by measuring."""
