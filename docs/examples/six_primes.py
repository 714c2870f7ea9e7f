"""Six numbers, each tried for whether it is a prime, by a pool of processes."""

from concurrent.futures import ProcessPoolExecutor

NUMBERS = [
    2_000_000_000_003,
    2_100_000_000_011,
    2_200_000_000_027,
    2_300_000_000_113,
    2_400_000_000_119,
    2_400_000_000_121,
]


def is_prime(number):
    """Whether a number has no divisor but 1 and itself: by trial."""
    if number < 4:
        return number > 1
    if number % 2 == 0:
        return False
    divisor = 3
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 2
    return True


if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        for number, prime in zip(NUMBERS, pool.map(is_prime, NUMBERS), strict=True):
            print(f"{number:,} is {'a prime' if prime else 'no prime'}")
