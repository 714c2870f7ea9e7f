"""A report that one call writes: meanwhile no other thread runs."""

import json


def rows(count):
    """Return rows that are made in Python, which lets go of the GIL when somebody asks for it."""
    return [{"row": row, "square": row * row} for row in range(count)]


def report(count):
    """Return a report as JSON, which is one call of a C function."""
    return json.dumps(rows(count))
