"""The loop of lcg in plain Python, alone in its file: programs that import nothing of gilkit load it, too."""


def lcg(n: int) -> int:
    """Iterate ``n`` times, and return the last value."""
    result = 1
    for i in range(n):
        result = (result * result * i + 2 * result * i * i + 3) % 10_000_000
    return result
