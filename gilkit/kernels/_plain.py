"""References that need nothing but Python, in a file that programs load which import nothing of gilkit."""

import time


def lcg(n: int) -> int:
    """Iterate ``n`` times, and return the last value."""
    result = 1
    for i in range(n):
        result = (result * result * i + 2 * result * i * i + 3) % 10_000_000
    return result


def both(held: int, released: int) -> tuple[int, int]:
    """Return what `lcg` returns of each."""
    return lcg(held), lcg(released)


def counted(words: list[str]) -> dict[str, int]:
    """Return how often each word occurs."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def crc32(data: bytes) -> int:
    """Return the checksum, a byte at a time by table."""
    table = list(range(256))
    for _ in range(8):
        table = [(entry >> 1) ^ (0xEDB88320 * (entry & 1)) for entry in table]
    crc = 0xFFFFFFFF
    for value in data:
        crc = (crc >> 8) ^ table[(crc ^ value) & 0xFF]
    return crc ^ 0xFFFFFFFF


def slept(seconds: float) -> None:
    """Sleep for so long."""
    time.sleep(seconds)
