"""Arithmetic-bound kernels: no memory traffic to speak of."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from checks cimport count, integers_in
from lcg cimport lcg_body, lcg_step
from native cimport OPENMP, Call, arguments, new_calls, run_calls
from numpy_later cimport np

openmp = bool(OPENMP)


def lcg_gil(n):
    """Run `gilkit.kernels.lcg` with the GIL held."""
    cdef int64_t size = count(n, "n")
    return lcg_body(size)


def lcg_nogil(n):
    """Run `gilkit.kernels.lcg` with the GIL released."""
    cdef int64_t size = count(n, "n")
    cdef int64_t result
    with nogil:
        result = lcg_body(size)
    return result


cdef void lcg_call(Call *call) noexcept nogil:
    call.result = lcg_body(call.n)


def lcg_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.lcg` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef int w
    for w in range(len(calls)):
        n, = arguments(calls[w], ())
        call[w].n = count(n, "n")
    run_calls(lcg_call, call, len(calls), loops, spans, until, cpus)
    return [call[w].result for w in range(len(calls))]


cdef uint8_t is_prime(uint64_t number) noexcept nogil:
    cdef uint64_t divisor = 3
    if number < 2:
        return 0
    if number % 2 == 0:
        return number == 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return 0
        divisor += 2
    return 1


cdef void primes_body(const int64_t *numbers, int64_t n, uint8_t *out) noexcept nogil:
    cdef int64_t i
    for i in range(n):
        out[i] = is_prime(<uint64_t> numbers[i])


cdef const int64_t[::1] candidates(object numbers):
    cdef const int64_t[::1] view = integers_in(numbers, "numbers")
    cdef Py_ssize_t i
    for i in range(view.shape[0]):
        if view[i] < 0:
            raise ValueError("numbers must not be negative")
    return view


def primes_gil(numbers):
    """Run `gilkit.kernels.primes` with the GIL held."""
    cdef const int64_t[::1] view = candidates(numbers)
    out = np().empty(view.shape[0], dtype=bool)
    cdef uint8_t[::1] flags = out.view(np().uint8)
    primes_body(&view[0], view.shape[0], &flags[0])
    return out


def primes_nogil(numbers):
    """Run `gilkit.kernels.primes` with the GIL released."""
    cdef const int64_t[::1] view = candidates(numbers)
    out = np().empty(view.shape[0], dtype=bool)
    cdef uint8_t[::1] flags = out.view(np().uint8)
    with nogil:
        primes_body(&view[0], view.shape[0], &flags[0])
    return out


cdef void primes_call(Call *call) noexcept nogil:
    primes_body(<const int64_t *> call.x, call.n, <uint8_t *> call.out)


def primes_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.primes` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef const int64_t[::1] view
    cdef uint8_t[::1] flags
    cdef int w
    views = []
    results = []
    for w in range(len(calls)):
        numbers, = arguments(calls[w], ())
        view = candidates(numbers)
        results.append(np().empty(view.shape[0], dtype=bool))
        flags = results[w].view(np().uint8)
        call[w].x, call[w].n, call[w].out = &view[0], view.shape[0], &flags[0]
        views.append((view, flags))
    run_calls(primes_call, call, len(calls), loops, spans, until, cpus)
    return results


cdef void mandelbrot_body(int64_t n, int32_t limit, int32_t *out) noexcept nogil:
    cdef int64_t row, column
    cdef int32_t i
    cdef double cr, ci, zr, zi, rr, ii
    for row in range(n):
        ci = 2.5 * row / n - 1.25
        for column in range(n):
            cr = 2.5 * column / n - 2.0
            zr = zi = rr = ii = 0.0
            i = 0
            while i < limit and rr + ii <= 4.0:
                zi = 2.0 * zr * zi + ci
                zr = rr - ii + cr
                rr = zr * zr
                ii = zi * zi
                i += 1
            out[row * n + column] = i


cdef tuple grid(object n, object limit):
    """The checked side length and limit."""
    return count(n, "n", 32_767), count(limit, "limit", 2**31 - 1)


def mandelbrot_gil(n, limit=256):
    """Run `gilkit.kernels.mandelbrot` with the GIL held."""
    cdef int64_t side
    cdef int32_t most
    side, most = grid(n, limit)
    out = np().empty((side, side), dtype=np().int32)
    cdef int32_t[:, ::1] view = out
    mandelbrot_body(side, most, &view[0, 0])
    return out


def mandelbrot_nogil(n, limit=256):
    """Run `gilkit.kernels.mandelbrot` with the GIL released."""
    cdef int64_t side
    cdef int32_t most
    side, most = grid(n, limit)
    out = np().empty((side, side), dtype=np().int32)
    cdef int32_t[:, ::1] view = out
    with nogil:
        mandelbrot_body(side, most, &view[0, 0])
    return out


cdef void mandelbrot_call(Call *call) noexcept nogil:
    mandelbrot_body(call.n, <int32_t> call.m, <int32_t *> call.out)


def mandelbrot_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.mandelbrot` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef int32_t[:, ::1] view
    cdef int w
    results = []
    for w in range(len(calls)):
        n, limit = arguments(calls[w], (256,))
        call[w].n, call[w].m = grid(n, limit)
        results.append(np().empty((call[w].n, call[w].n), dtype=np().int32))
        view = results[w]
        call[w].out = &view[0, 0]
    run_calls(mandelbrot_call, call, len(calls), loops, spans, until, cpus)
    return results


# The trap, on purpose: `noexcept` is missing, so every caller has to ask whether an exception was raised,
# and takes the GIL to ask.
cdef void lcg_slice(uint64_t *result, uint64_t *reduced, int64_t steps) nogil:
    cdef int64_t i
    for i in range(steps):
        result[0] = lcg_step(result[0], reduced[0])
        reduced[0] += 1
        if reduced[0] == 10_000_000:
            reduced[0] = 0


cdef int64_t lcg_checked_body(int64_t n) except? -1 nogil:
    cdef uint64_t result = 1
    cdef uint64_t reduced = 0
    while n > 0:
        lcg_slice(&result, &reduced, min(n, 16))
        n -= 16
    return <int64_t> result


def lcg_checked_gil(n):
    """Run `gilkit.kernels.lcg_checked` with the GIL held."""
    cdef int64_t size = count(n, "n")
    return lcg_checked_body(size)


def lcg_checked_nogil(n):
    """Run `gilkit.kernels.lcg_checked` with the GIL released, and taken again for every check."""
    cdef int64_t size = count(n, "n")
    cdef int64_t result
    with nogil:
        result = lcg_checked_body(size)
    return result


def lcg_checked_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run the arithmetic of `gilkit.kernels.lcg_checked`, which is lcg's, without its checks."""
    return lcg_native(calls, loops, spans, until, cpus)
