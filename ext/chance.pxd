"""Instants of uniform chance."""

from libc.stdint cimport uint64_t


cdef inline double chance(uint64_t *state) noexcept nogil:
    """Return the next number on [0, 1): xorshift64* (Vigna, 2016)."""
    state[0] ^= state[0] >> 12
    state[0] ^= state[0] << 25
    state[0] ^= state[0] >> 27
    return (state[0] * 0x2545F4914F6CDD1DULL >> 11) * (1.0 / 9007199254740992.0)
