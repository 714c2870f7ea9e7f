"""Kernels on buffers: most of their time goes into moving bytes."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from checks cimport apart, matrix_apart, matrix_in, matrix_out, number, octets_in, vector_in, vector_out
from native cimport Call, arguments, new_calls, run_calls
from numpy_later cimport np

# Every body takes plain pointers. The views that own the memory stay in the wrapper, where they keep the
# buffers exported while the GIL is released.


cdef void triad_body(const double *b, const double *c, double s, double *out, int64_t n) noexcept nogil:
    cdef int64_t i
    for i in range(n):
        out[i] = b[i] + s * c[i]


cdef const double[::1] second(object c, Py_ssize_t length):
    cdef const double[::1] view = vector_in(c, "c")
    if view.shape[0] != length:
        raise ValueError(f"c must have shape ({length},) as b has, not ({view.shape[0]},)")
    return view


cdef int untouched(const double[::1] b, const double[::1] c, double[::1] out) except -1:
    apart(&b[0], b.shape[0], &out[0], out.shape[0], "b", True)
    return apart(&c[0], c.shape[0], &out[0], out.shape[0], "c", True)


def triad_gil(b, c, s=3.0, out=None):
    """Run `gilkit.kernels.triad` with the GIL held."""
    cdef const double[::1] b_view = vector_in(b, "b"), c_view = second(c, b_view.shape[0])
    cdef double factor = number(s, "s")
    if out is None:
        out = np().empty(b_view.shape[0])
    cdef double[::1] out_view = vector_out(out, "out", b_view.shape[0])
    untouched(b_view, c_view, out_view)
    triad_body(&b_view[0], &c_view[0], factor, &out_view[0], b_view.shape[0])
    return out


def triad_nogil(b, c, s=3.0, out=None):
    """Run `gilkit.kernels.triad` with the GIL released."""
    cdef const double[::1] b_view = vector_in(b, "b"), c_view = second(c, b_view.shape[0])
    cdef double factor = number(s, "s")
    if out is None:
        out = np().empty(b_view.shape[0])
    cdef double[::1] out_view = vector_out(out, "out", b_view.shape[0])
    untouched(b_view, c_view, out_view)
    with nogil:
        triad_body(&b_view[0], &c_view[0], factor, &out_view[0], b_view.shape[0])
    return out


cdef void triad_call(Call *call) noexcept nogil:
    triad_body(<const double *> call.x, <const double *> call.y, call.s, <double *> call.out, call.n)


def triad_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.triad` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef const double[::1] b_view, c_view
    cdef double[::1] out_view
    cdef int w
    views = []
    results = []
    for w in range(len(calls)):
        b, c, s, out = arguments(calls[w], (3.0, None), 2)
        b_view, s = vector_in(b, "b"), number(s, "s")
        c_view = second(c, b_view.shape[0])
        results.append(np().empty(b_view.shape[0]) if out is None else out)
        out_view = vector_out(results[w], "out", b_view.shape[0])
        untouched(b_view, c_view, out_view)
        call[w].x, call[w].y, call[w].s = &b_view[0], &c_view[0], s
        call[w].out, call[w].n = &out_view[0], b_view.shape[0]
        views.append((b_view, c_view, out_view))
    run_calls(triad_call, call, len(calls), loops, spans, until, cpus)
    return results


cdef void transform_body(const double *points, const double *m, double *out, int64_t n) noexcept nogil:
    cdef int64_t i
    cdef double x, y, z, w
    for i in range(n):
        x, y, z, w = points[4 * i], points[4 * i + 1], points[4 * i + 2], points[4 * i + 3]
        out[4 * i] = m[0] * x + m[1] * y + m[2] * z + m[3] * w
        out[4 * i + 1] = m[4] * x + m[5] * y + m[6] * z + m[7] * w
        out[4 * i + 2] = m[8] * x + m[9] * y + m[10] * z + m[11] * w
        out[4 * i + 3] = m[12] * x + m[13] * y + m[14] * z + m[15] * w


cdef const double[:, ::1] homogeneous(object value, str name, Py_ssize_t rows):
    """``value`` as rows of four float64; any number of them where ``rows`` is negative."""
    cdef const double[:, ::1] view = matrix_in(value, name)
    if view.shape[1] != 4 or (rows >= 0 and view.shape[0] != rows):
        raise ValueError(
            f"{name} must have shape ({rows if rows >= 0 else 'n'}, 4), not ({view.shape[0]}, {view.shape[1]})"
        )
    return view


def transform_gil(points, matrix, out=None):
    """Run `gilkit.kernels.transform` with the GIL held."""
    cdef const double[:, ::1] p_view = homogeneous(points, "points", -1)
    cdef const double[:, ::1] m_view = homogeneous(matrix, "matrix", 4)
    if out is None:
        out = np().empty((p_view.shape[0], 4))
    cdef double[:, ::1] out_view = matrix_out(out, "out", p_view.shape[0], 4)
    matrix_apart(p_view, out_view, "points", True)
    matrix_apart(m_view, out_view, "matrix", False)
    transform_body(&p_view[0, 0], &m_view[0, 0], &out_view[0, 0], p_view.shape[0])
    return out


def transform_nogil(points, matrix, out=None):
    """Run `gilkit.kernels.transform` with the GIL released."""
    cdef const double[:, ::1] p_view = homogeneous(points, "points", -1)
    cdef const double[:, ::1] m_view = homogeneous(matrix, "matrix", 4)
    if out is None:
        out = np().empty((p_view.shape[0], 4))
    cdef double[:, ::1] out_view = matrix_out(out, "out", p_view.shape[0], 4)
    matrix_apart(p_view, out_view, "points", True)
    matrix_apart(m_view, out_view, "matrix", False)
    with nogil:
        transform_body(&p_view[0, 0], &m_view[0, 0], &out_view[0, 0], p_view.shape[0])
    return out


cdef void transform_call(Call *call) noexcept nogil:
    transform_body(<const double *> call.x, <const double *> call.y, <double *> call.out, call.n)


def transform_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.transform` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef const double[:, ::1] p_view, m_view
    cdef double[:, ::1] out_view
    cdef int w
    views = []
    results = []
    for w in range(len(calls)):
        points, matrix, out = arguments(calls[w], (None,), 2)
        p_view, m_view = homogeneous(points, "points", -1), homogeneous(matrix, "matrix", 4)
        results.append(np().empty((p_view.shape[0], 4)) if out is None else out)
        out_view = matrix_out(results[w], "out", p_view.shape[0], 4)
        matrix_apart(p_view, out_view, "points", True)
        matrix_apart(m_view, out_view, "matrix", False)
        call[w].x, call[w].y = &p_view[0, 0], &m_view[0, 0]
        call[w].out, call[w].n = &out_view[0, 0], p_view.shape[0]
        views.append((p_view, m_view, out_view))
    run_calls(transform_call, call, len(calls), loops, spans, until, cpus)
    return results


cdef inline double squared_distance(const double *a, const double *b, int64_t d) noexcept nogil:
    cdef int64_t k
    cdef double total = 0.0
    for k in range(d):
        total += (a[k] - b[k]) * (a[k] - b[k])
    return total


cdef void pairwise_body(const double *x, int64_t n, int64_t d, double *out) noexcept nogil:
    # Four sums at a time: each waits for its own last addition, and not for one another's.
    cdef int64_t i, j, k
    cdef double t0, t1, t2, t3, value
    cdef const double *a
    cdef const double *b
    for i in range(n):
        a = x + i * d
        j = 0
        while j + 4 <= n:
            b = x + j * d
            t0 = t1 = t2 = t3 = 0.0
            for k in range(d):
                value = a[k]
                t0 += (value - b[k]) * (value - b[k])
                t1 += (value - b[d + k]) * (value - b[d + k])
                t2 += (value - b[2 * d + k]) * (value - b[2 * d + k])
                t3 += (value - b[3 * d + k]) * (value - b[3 * d + k])
            out[i * n + j], out[i * n + j + 1] = t0, t1
            out[i * n + j + 2], out[i * n + j + 3] = t2, t3
            j += 4
        while j < n:
            out[i * n + j] = squared_distance(a, x + j * d, d)
            j += 1


cpdef object square(object out, Py_ssize_t n):
    """``out``, or room for n x n results: a clear word where they cannot fit."""
    if out is not None:
        return out
    numpy = np()  # what is raised where it is broken is another matter
    try:
        return numpy.empty((n, n))
    except (MemoryError, ValueError):
        raise ValueError(f"x is too large: {n} rows need {8 * <object> n * n} bytes of output") from None


def pairwise_gil(x, out=None):
    """Run `gilkit.kernels.pairwise` with the GIL held."""
    cdef const double[:, ::1] x_view = matrix_in(x, "x")
    out = square(out, x_view.shape[0])
    cdef double[:, ::1] out_view = matrix_out(out, "out", x_view.shape[0], x_view.shape[0])
    matrix_apart(x_view, out_view, "x", False)
    pairwise_body(&x_view[0, 0], x_view.shape[0], x_view.shape[1], &out_view[0, 0])
    return out


def pairwise_nogil(x, out=None):
    """Run `gilkit.kernels.pairwise` with the GIL released."""
    cdef const double[:, ::1] x_view = matrix_in(x, "x")
    out = square(out, x_view.shape[0])
    cdef double[:, ::1] out_view = matrix_out(out, "out", x_view.shape[0], x_view.shape[0])
    matrix_apart(x_view, out_view, "x", False)
    with nogil:
        pairwise_body(&x_view[0, 0], x_view.shape[0], x_view.shape[1], &out_view[0, 0])
    return out


cdef void pairwise_call(Call *call) noexcept nogil:
    pairwise_body(<const double *> call.x, call.n, call.m, <double *> call.out)


def pairwise_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.pairwise` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef const double[:, ::1] x_view
    cdef double[:, ::1] out_view
    cdef int w
    views = []
    results = []
    for w in range(len(calls)):
        x, out = arguments(calls[w], (None,))
        x_view = matrix_in(x, "x")
        results.append(square(out, x_view.shape[0]))
        out_view = matrix_out(results[w], "out", x_view.shape[0], x_view.shape[0])
        matrix_apart(x_view, out_view, "x", False)
        call[w].x, call[w].out = &x_view[0, 0], &out_view[0, 0]
        call[w].n, call[w].m = x_view.shape[0], x_view.shape[1]
        views.append((x_view, out_view))
    run_calls(pairwise_call, call, len(calls), loops, spans, until, cpus)
    return results


cdef void histogram_body(const uint8_t *data, int64_t n, int64_t *counts) noexcept nogil:
    # Four tables in turn: an increment of the same entry has to wait for the one before.
    cdef int64_t[4][256] tables
    cdef int64_t i, k
    for k in range(4):
        for i in range(256):
            tables[k][i] = 0
    i = 0
    while i + 4 <= n:
        tables[0][data[i]] += 1
        tables[1][data[i + 1]] += 1
        tables[2][data[i + 2]] += 1
        tables[3][data[i + 3]] += 1
        i += 4
    while i < n:
        tables[0][data[i]] += 1
        i += 1
    for i in range(256):
        counts[i] = tables[0][i] + tables[1][i] + tables[2][i] + tables[3][i]


def histogram_gil(data):
    """Run `gilkit.kernels.histogram` with the GIL held."""
    cdef const uint8_t[::1] view = octets_in(data, "data")
    out = np().empty(256, dtype=np().int64)
    cdef int64_t[::1] counts = out
    histogram_body(&view[0], view.shape[0], &counts[0])
    return out


def histogram_nogil(data):
    """Run `gilkit.kernels.histogram` with the GIL released."""
    cdef const uint8_t[::1] view = octets_in(data, "data")
    out = np().empty(256, dtype=np().int64)
    cdef int64_t[::1] counts = out
    with nogil:
        histogram_body(&view[0], view.shape[0], &counts[0])
    return out


cdef void histogram_call(Call *call) noexcept nogil:
    histogram_body(<const uint8_t *> call.x, call.n, <int64_t *> call.out)


def histogram_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.histogram` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef const uint8_t[::1] view
    cdef int64_t[:, ::1] counts = np().empty((len(calls), 256), dtype=np().int64)
    cdef int w
    views = []
    for w in range(len(calls)):
        data, = arguments(calls[w], ())
        view = octets_in(data, "data")
        call[w].x, call[w].n, call[w].out = &view[0], view.shape[0], &counts[w, 0]
        views.append(view)
    run_calls(histogram_call, call, len(calls), loops, spans, until, cpus)
    return list(np().asarray(counts))


cdef uint32_t[8][256] crc_table


cdef void fill_crc_table() noexcept nogil:
    cdef uint32_t i, remainder
    cdef int k
    for i in range(256):
        remainder = i
        for k in range(8):
            remainder = (remainder >> 1) ^ (<uint32_t> 0xEDB88320 * (remainder & 1))
        crc_table[0][i] = remainder
    for k in range(1, 8):
        for i in range(256):
            remainder = crc_table[k - 1][i]
            crc_table[k][i] = (remainder >> 8) ^ crc_table[0][remainder & 0xFF]


fill_crc_table()


cdef int64_t crc32_body(const uint8_t *data, int64_t n) noexcept nogil:
    cdef uint32_t crc = 0xFFFFFFFF
    cdef int64_t i = 0
    while i + 8 <= n:
        crc ^= (
            <uint32_t> data[i]
            | <uint32_t> data[i + 1] << 8
            | <uint32_t> data[i + 2] << 16
            | <uint32_t> data[i + 3] << 24
        )
        crc = (
            crc_table[7][crc & 0xFF]
            ^ crc_table[6][(crc >> 8) & 0xFF]
            ^ crc_table[5][(crc >> 16) & 0xFF]
            ^ crc_table[4][crc >> 24]
            ^ crc_table[3][data[i + 4]]
            ^ crc_table[2][data[i + 5]]
            ^ crc_table[1][data[i + 6]]
            ^ crc_table[0][data[i + 7]]
        )
        i += 8
    while i < n:
        crc = (crc >> 8) ^ crc_table[0][(crc ^ data[i]) & 0xFF]
        i += 1
    return crc ^ <uint32_t> 0xFFFFFFFF


def crc32_gil(data):
    """Run `gilkit.kernels.crc32` with the GIL held."""
    cdef const uint8_t[::1] view = octets_in(data, "data")
    return crc32_body(&view[0], view.shape[0])


def crc32_nogil(data):
    """Run `gilkit.kernels.crc32` with the GIL released."""
    cdef const uint8_t[::1] view = octets_in(data, "data")
    cdef int64_t result
    with nogil:
        result = crc32_body(&view[0], view.shape[0])
    return result


cdef void crc32_call(Call *call) noexcept nogil:
    call.result = crc32_body(<const uint8_t *> call.x, call.n)


def crc32_native(calls, loops=1, spans=None, until=None, cpus=None):
    """Run `gilkit.kernels.crc32` on one native thread for each of ``calls``."""
    calls = list(calls)  # nobody else's to change
    cdef bytearray storage = bytearray()
    cdef Call *call = new_calls(storage, calls)
    cdef const uint8_t[::1] view
    cdef int w
    views = []
    for w in range(len(calls)):
        data, = arguments(calls[w], ())
        view = octets_in(data, "data")
        call[w].x, call[w].n = &view[0], view.shape[0]
        views.append(view)
    run_calls(crc32_call, call, len(calls), loops, spans, until, cpus)
    return [call[w].result for w in range(len(calls))]
