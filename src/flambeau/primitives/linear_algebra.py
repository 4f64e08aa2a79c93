"""Primitives on matrices, the last two dimensions of each operand: factorizations and solutions, by NumPy's LAPACK.

Where a matrix cannot be factored the primitive does not raise: it says so in ``info``, 0 for success, as LAPACK does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import int32
from ..core.errors import LinAlgError
from ..core.strides import broadcast
from .registry import primitive
from .values import Value

#: Columns factored at a time; what is right of them follows by one matrix product.
_PANEL = 32


def _factor_shape(x: Value, **_: Any) -> Any:
    return [(x.shape, x.dtype), (x.shape[:-2], int32)]


@primitive(_factor_shape)
def cholesky_factor(x: Any) -> Any:
    """The lower triangular L with x = L Lᴴ (only x's lower triangle is read), and info: the order of the leading minor
    that is not positive definite."""
    info = np.zeros(x.shape[:-2], np.int32)
    if not x.size:
        return x.copy(), info
    try:
        return np.linalg.cholesky(x), info
    except np.linalg.LinAlgError:
        result = np.tril(x)
    for place in np.ndindex(x.shape[:-2]):
        factor = result[place]
        for k in range(x.shape[-1]):
            pivot = factor[k, k].real - np.vdot(factor[k, :k], factor[k, :k]).real
            if not pivot > 0:
                info[place] = k + 1
                break
            factor[k, k] = np.sqrt(pivot)
            factor[k + 1 :, k] = (factor[k + 1 :, k] - factor[k + 1 :, :k] @ factor[k, :k].conj()) / factor[k, k]
    return result, info


def _lu_shape(x: Value, *, pivot: bool) -> Any:
    return [(x.shape, x.dtype), ((*x.shape[:-2], min(x.shape[-2:])), int32), (x.shape[:-2], int32)]


@primitive(_lu_shape)
def lu_factor(x: Any, *, pivot: bool) -> Any:
    """L below the diagonal and U on and above it, rows exchanged by partial pivoting; the row, from 1, that each was
    exchanged with; info: the first zero of U's diagonal. Right-looking by panels (Golub & Van Loan, 3.2)."""
    shape, (rows, columns) = x.shape, x.shape[-2:]
    count = min(rows, columns)
    a = np.array(x.reshape(int(np.prod(shape[:-2])), rows, columns))
    pivots = np.broadcast_to(np.arange(1, count + 1, dtype=np.int32), (len(a), count)).copy()
    batch = np.arange(len(a))
    for start in range(0, count, _PANEL):
        stop = min(start + _PANEL, count)
        for k in range(start, stop):
            if pivot:
                column = a[:, k:, k]
                size = np.abs(column.real) + np.abs(column.imag) if np.iscomplexobj(a) else np.abs(column)
                chosen = k + np.argmax(size, axis=1)
                pivots[:, k] = chosen + 1
                moved = a[batch, chosen]
                a[batch, chosen] = a[:, k]
                a[:, k] = moved
            divisor = a[:, k, k].copy()
            divisor[divisor == 0] = 1
            a[:, k + 1 :, k] /= divisor[:, None]
            a[:, k + 1 :, k + 1 : stop] -= a[:, k + 1 :, k, None] * a[:, k, None, k + 1 : stop]
        if stop < columns:
            for k in range(start, stop):
                a[:, k + 1 : stop, stop:] -= a[:, k + 1 : stop, k, None] * a[:, k, None, stop:]
            a[:, stop:, stop:] -= a[:, stop:, start:stop] @ a[:, start:stop, stop:]
    zero = np.diagonal(a, axis1=-2, axis2=-1) == 0
    info = np.where(zero.any(-1), np.argmax(zero, -1) + 1, 0) if count else np.zeros(len(a))
    return a.reshape(shape), pivots.reshape(*shape[:-2], count), info.astype(np.int32).reshape(shape[:-2])


def _permutation_shape(pivots: Value, *, rows: int) -> Any:
    return (*pivots.shape[:-1], rows), pivots.dtype


@primitive(_permutation_shape)
def exchanged_rows(pivots: Any, *, rows: int) -> Any:
    """The order that ``rows`` rows end up in after the exchanges of :func:`lu_factor`."""
    order = np.broadcast_to(np.arange(rows, dtype=pivots.dtype), (*pivots.shape[:-1], rows)).copy()
    count = int(np.prod(pivots.shape[:-1]))
    flat, swaps = order.reshape(count, rows), pivots.reshape(count, pivots.shape[-1])
    batch = np.arange(len(flat))
    for k in range(pivots.shape[-1]):
        other = swaps[:, k] - 1
        flat[batch, other], flat[:, k] = flat[:, k].copy(), flat[batch, other]
    return order


def _solve_shape(a: Value, b: Value) -> Any:
    batch = broadcast(a.shape[:-2], b.shape[:-2])
    return [((*batch, *b.shape[-2:]), b.dtype), (a.shape[:-2], int32)]


@primitive(_solve_shape)
def solve(a: Any, b: Any) -> Any:
    """X with a X = b, and info: the first zero on the diagonal of a's U, where there is no one X."""
    info = np.zeros(a.shape[:-2], np.int32)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if not a.size or not b.size:
        return np.zeros((*batch, *b.shape[-2:]), b.dtype), info
    try:
        return np.linalg.solve(a, b), info
    except np.linalg.LinAlgError:
        info = lu_factor.reference(a, pivot=True)[2]
    bad = info != 0
    safe = np.where(bad[..., None, None], np.eye(a.shape[-1], dtype=a.dtype), a)
    return np.where(bad[..., None, None], np.array(np.nan, b.dtype), np.linalg.solve(safe, b)), info


def _solve_triangular_shape(a: Value, b: Value, **_: Any) -> Any:
    return (*broadcast(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype


@primitive(_solve_triangular_shape)
def triangular_solve(a: Any, b: Any, *, upper: bool, unit: bool) -> Any:
    """X with a X = b for triangular a, by substitution; ``unit``: a's diagonal is taken to be ones."""
    rows = a.shape[-1]
    x = np.broadcast_to(b, (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])).copy()
    order = range(rows - 1, -1, -1) if upper else range(rows)
    blocks = [order[start : start + _PANEL] for start in range(0, rows, _PANEL)]
    for block in blocks:
        low, high = min(block), max(block) + 1
        done = slice(high, rows) if upper else slice(0, low)
        x[..., low:high, :] -= a[..., low:high, done] @ x[..., done, :]
        for k in block:
            inside = slice(k + 1, high) if upper else slice(low, k)
            x[..., k, :] -= np.einsum("...j,...jn->...n", a[..., k, inside], x[..., inside, :])
            if not unit:
                x[..., k, :] /= a[..., k, k, None]
    return x


def _qr_shape(x: Value, *, complete: bool) -> Any:
    rows, columns = x.shape[-2:]
    kept = rows if complete else min(rows, columns)
    return [((*x.shape[:-2], rows, kept), x.dtype), ((*x.shape[:-2], kept, columns), x.dtype)]


@primitive(_qr_shape)
def qr_factor(x: Any, *, complete: bool) -> Any:
    """Q with orthonormal columns and upper triangular R with x = Q R, by Householder reflections."""
    q, r = np.linalg.qr(x, "complete" if complete else "reduced")
    return q.astype(x.dtype, copy=False), r.astype(x.dtype, copy=False)


def _reflectors_shape(x: Value) -> Any:
    return [(x.shape, x.dtype), ((*x.shape[:-2], min(x.shape[-2:])), x.dtype)]


@primitive(_reflectors_shape)
def qr_reflectors(x: Any) -> Any:
    """R on and above the diagonal, below it the Householder vectors whose reflections make Q; and their scales."""
    if not x.size:
        return x.copy(), np.zeros((*x.shape[:-2], min(x.shape[-2:])), x.dtype)
    packed, scales = np.linalg.qr(x, "raw")
    return np.swapaxes(packed, -1, -2).astype(x.dtype), scales.astype(x.dtype)


def _eigenvalues_shape(x: Value, **_: Any) -> Any:
    return x.shape[:-1], x.dtype.to_real()


@primitive(_eigenvalues_shape)
def symmetric_eigenvalues(x: Any, *, upper: bool) -> Any:
    """The eigenvalues of a Hermitian matrix, of which one triangle is read, in ascending order."""
    try:
        return np.linalg.eigvalsh(x, "U" if upper else "L")
    except np.linalg.LinAlgError:
        return np.full(x.shape[:-1], np.nan, x.real.dtype)


def _eigen_shape(x: Value, **_: Any) -> Any:
    return [(x.shape[:-1], x.dtype.to_real()), (x.shape, x.dtype)]


@primitive(_eigen_shape)
def symmetric_eigen(x: Any, *, upper: bool) -> Any:
    """The eigenvalues in ascending order and orthonormal eigenvectors (columns) of a Hermitian matrix."""
    try:
        values, vectors = np.linalg.eigh(x, "U" if upper else "L")
    except np.linalg.LinAlgError:
        return np.full(x.shape[:-1], np.nan, x.real.dtype), np.full(x.shape, np.nan, x.dtype)
    return values, vectors


def _general_values_shape(x: Value) -> Any:
    return x.shape[:-1], x.dtype.to_complex()


def _check_finite(x: Any) -> None:
    if not np.isfinite(x).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


@primitive(_general_values_shape, can_fail=True)
def general_eigenvalues(x: Any) -> Any:
    """The eigenvalues of a square matrix, complex, in LAPACK's order."""
    _check_finite(x)
    return np.linalg.eigvals(x).astype(np.result_type(x.dtype, np.complex64))


def _general_shape(x: Value) -> Any:
    return [(x.shape[:-1], x.dtype.to_complex()), (x.shape, x.dtype.to_complex())]


@primitive(_general_shape, can_fail=True)
def general_eigen(x: Any) -> Any:
    """The eigenvalues and the eigenvectors (columns of norm one) of a square matrix, complex."""
    _check_finite(x)
    kind = np.result_type(x.dtype, np.complex64)
    values, vectors = np.linalg.eig(x)
    return values.astype(kind), vectors.astype(kind)


def _singular_values_shape(x: Value) -> Any:
    return (*x.shape[:-2], min(x.shape[-2:])), x.dtype.to_real()


def _not_finite(reason: Exception) -> LinAlgError:
    return LinAlgError(
        "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."
    )


@primitive(_singular_values_shape, can_fail=True)
def singular_values(x: Any) -> Any:
    """The singular values of a matrix, greatest first."""
    if x.size and not np.isfinite(x).all():
        raise _not_finite(ValueError())
    return np.linalg.svd(x, compute_uv=False)


def _singular_shape(x: Value, *, full: bool) -> Any:
    rows, columns = x.shape[-2:]
    count, batch = min(rows, columns), x.shape[:-2]
    return [
        ((*batch, rows, rows if full else count), x.dtype),
        ((*batch, count), x.dtype.to_real()),
        ((*batch, columns if full else count, columns), x.dtype),
    ]


@primitive(_singular_shape, can_fail=True)
def singular_decomposition(x: Any, *, full: bool) -> Any:
    """U, the singular values (greatest first), and Vᴴ, with x = U S Vᴴ; ``full``: square U and Vᴴ."""
    if not x.size:
        rows, columns = x.shape[-2:]
        count, batch = min(rows, columns), x.shape[:-2]
        u = np.broadcast_to(np.eye(rows, rows if full else count, dtype=x.dtype), (*batch, rows, rows if full else count))
        v = np.broadcast_to(
            np.eye(columns if full else count, columns, dtype=x.dtype), (*batch, columns if full else count, columns)
        )
        return u.copy(), np.zeros((*batch, count), x.real.dtype), v.copy()
    if not np.isfinite(x).all():
        raise _not_finite(ValueError())
    u, s, v = np.linalg.svd(x, full_matrices=full)
    return u, s, v


def _ldl_shape(x: Value, *, hermitian: bool) -> Any:
    return [(x.shape, x.dtype), (x.shape[:-1], int32), (x.shape[:-2], int32)]


@primitive(_ldl_shape)
def ldl_factor(x: Any, *, hermitian: bool) -> Any:
    """Symmetric indefinite x = L D Lᵀ (Lᴴ when Hermitian), D of 1×1 and 2×2 blocks: Bunch–Kaufman pivoting on the lower
    triangle, packed as LAPACK's ``sytrf`` does (Golub & Van Loan, 4.4). Pivots of 2×2 blocks are negative; info: the
    first block of D that is zero."""
    result = np.tril(x)
    pivots = np.zeros(x.shape[:-1], np.int32)
    info = np.zeros(x.shape[:-2], np.int32)
    for place in np.ndindex(x.shape[:-2]):
        info[place] = _bunch_kaufman(result[place], pivots[place], hermitian and np.iscomplexobj(x))
    return result, pivots, info


def _size(x: Any) -> Any:
    return np.abs(x.real) + np.abs(x.imag)


def _bunch_kaufman(a: Any, pivots: Any, hermitian: bool) -> int:
    """Factor the lower triangle of ``a`` in place."""
    n, k, failed = len(a), 0, 0
    bound = (1 + 17**0.5) / 8
    star = np.conj if hermitian else np.asarray
    while k < n:
        width, chosen = 1, k
        if hermitian:
            a[k, k] = a[k, k].real
        here = abs(a[k, k].real) if hermitian else _size(a[k, k])
        below = _size(a[k + 1 :, k])
        most = below.max() if below.size else 0.0
        if max(here, most) == 0 or np.isnan(here):
            failed = failed or k + 1
        else:
            if here < bound * most:
                row = k + 1 + int(np.argmax(below))
                along = np.concatenate([_size(a[row, k:row]), _size(a[row + 1 :, row])])
                widest = along.max()
                diagonal = abs(a[row, row].real) if hermitian else _size(a[row, row])
                if here >= bound * most * (most / widest):
                    pass
                elif diagonal >= bound * widest:
                    chosen = row
                else:
                    chosen, width = row, 2
            last = k + width - 1
            if chosen != last:
                _exchange(a, last, chosen, hermitian)
                if width == 2:
                    a[[k + 1, chosen], k] = a[[chosen, k + 1], k]
            rest = slice(k + width, n)
            block = a[k : k + width, k : k + width].copy()
            if width == 2:
                block[0, 1] = star(block[1, 0])
            if hermitian:
                block.flat[:: width + 1] = block.diagonal().real
            columns = a[rest, k : k + width].copy()
            if columns.size:
                factors = np.linalg.solve(block.T, columns.T).T
                update = factors @ (star(columns).T)
                a[rest, rest] -= np.tril(update)
                a[rest, k : k + width] = factors
        if width == 1:
            pivots[k] = chosen + 1
        else:
            pivots[k] = pivots[k + 1] = -(chosen + 1)
        k += width
    return failed


def _exchange(a: Any, first: int, second: int, hermitian: bool) -> None:
    """Exchange two rows and columns of the trailing symmetric matrix that begins at ``first``."""
    below = slice(second + 1, len(a))
    a[below, first], a[below, second] = a[below, second].copy(), a[below, first].copy()
    between = slice(first + 1, second)
    held = a[between, first].copy()
    a[between, first] = a[second, between]
    a[second, between] = held
    if hermitian:
        a[between, first] = a[between, first].conj()
        a[second, between] = a[second, between].conj()
        a[second, first] = a[second, first].conj()
    a[first, first], a[second, second] = a[second, second].copy(), a[first, first].copy()


def _same(x: Value) -> Any:
    return x.shape, x.dtype


#: Coefficients of the Padé approximant of degree 13 to eˣ (Higham, "The scaling and squaring method for the matrix
#: exponential revisited", 2005); up to a norm of 5.37 it is exact to double precision.
_PADE = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800,
    33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip


@primitive(_same)
def matrix_exponential(x: Any) -> Any:
    """Σ xᵏ / k! by scaling and squaring, computed in double precision."""
    if not x.size:
        return x.copy()
    kind = x.dtype
    x = x.astype(np.result_type(kind, np.float64))
    norm = np.abs(x).sum(-2).max(-1)
    squarings = np.where(np.isfinite(norm) & (norm > 5.37), np.ceil(np.log2(norm / 5.37)), 0).astype(int)
    a = x / np.exp2(squarings)[..., None, None]
    eye = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    b = [float(each) for each in _PADE]
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * eye)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * eye
    result = solve.reference(even - odd, even + odd)[0]
    for step in range(int(squarings.max())):
        result = np.where((squarings > step)[..., None, None], result @ result, result)
    return result.astype(kind)


def _ldl_solve_shape(packed: Value, pivots: Value, b: Value, *, hermitian: bool) -> Any:
    return (*broadcast(packed.shape[:-2], b.shape[:-2]), *b.shape[-2:]), b.dtype


@primitive(_ldl_solve_shape)
def ldl_solve(packed: Any, pivots: Any, b: Any, *, hermitian: bool) -> Any:
    """X with a X = b, given a's packed factorization by :func:`ldl_factor`."""
    batch = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    size = packed.shape[-1]
    result = np.broadcast_to(b, (*batch, *b.shape[-2:])).copy()
    packed = np.broadcast_to(packed, (*batch, size, size))
    pivots = np.broadcast_to(pivots, (*batch, size))
    for place in np.ndindex(batch):
        _solve_packed(packed[place], pivots[place], result[place], hermitian and np.iscomplexobj(packed))
    return result


def _solve_packed(a: Any, pivots: Any, x: Any, hermitian: bool) -> None:
    n, k = len(a), 0
    star = np.conj if hermitian else np.asarray
    starts = []
    while k < n:
        width = 1 if pivots[k] > 0 else 2
        last, other = k + width - 1, abs(int(pivots[k])) - 1
        if last != other:
            x[[last, other]] = x[[other, last]]
        x[k + width :] -= a[k + width :, k : k + width] @ x[k : k + width]
        block = a[k : k + width, k : k + width].copy()
        if width == 2:
            block[0, 1] = star(block[1, 0])
        if hermitian:
            block.flat[:: width + 1] = block.diagonal().real
        x[k : k + width] = np.linalg.solve(block, x[k : k + width])
        starts.append((k, width, last, other))
        k += width
    for k, width, last, other in reversed(starts):
        x[k : k + width] -= star(a[k + width :, k : k + width].T) @ x[k + width :]
        if last != other:
            x[[last, other]] = x[[other, last]]
