"""Determinants and their logarithms, by LU."""

from __future__ import annotations

from typing import Any

from ...autograd.grad_mode import mode
from ...core.dtypes import int64
from ...primitives import elementwise as p, linear_algebra as lapack, memory, reductions as r
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..promotion import to
from ..return_names import named
from .matrices import adjoint, check_square
from .solving import _inv_ex


def _pivots(A: Value) -> tuple[Value, Value]:
    """The diagonal of U, and the sign of the row exchanges."""
    rows = A.shape[-1]
    factor, pivots, _ = lapack.lu_factor(A, pivot=True)
    flat = memory.reshape(factor, shape=(*A.shape[:-2], rows * rows))
    starts, stops = [0] * flat.ndim, list(flat.shape)
    diagonal = memory.slice_(flat, starts=tuple(starts), stops=tuple(stops), steps=(*[1] * (flat.ndim - 1), max(rows, 0) + 1))
    order = memory.iota(shape=pivots.shape, axis=len(pivots.shape) - 1, dtype=pivots.dtype)
    moved = to(p.not_equal(pivots, order + 1), int64)
    count = r.reduce_sum(moved, axes=(pivots.ndim - 1,), dtype=int64)
    sign = p.number(1, dtype=int64) - 2 * p.remainder(count, 2)
    return diagonal, to(sign, A.dtype)


def _cofactors(A: Any, determinant: Any) -> Any:
    """The conjugated gradient of the determinant. Singular matrices have one too: by way of the SVD, where each product of
    all singular values but one is taken without a division (and is not differentiated further)."""
    if mode.enabled:
        return determinant.conj().unsqueeze(-1).unsqueeze(-1) * adjoint(_inv_ex(A)[0])
    from ..joining import cat
    from .singular import _svd

    u, s, vh = _svd(A)
    ones = s.new_ones((*s._spec.shape[:-1], 1))
    before = cat((ones, s[..., :-1]), -1).cumprod(-1)
    after = cat((s[..., 1:], ones), -1).flip(-1).cumprod(-1).flip(-1)
    phase = (det(u) * det(vh)).conj()
    return (u * ((before * after).to(u._spec.dtype) * phase.unsqueeze(-1)).unsqueeze(-2)) @ vh


def _det_back(grad: Any, A: Any, result: Any) -> Any:
    return grad.unsqueeze(-1).unsqueeze(-1) * _cofactors(A, result)


@operator({"A": _det_back}, name="linalg_det", function=False, method=False)
def _det(A: Tensor) -> Value:
    check_square("linalg.det", A)
    if not A.shape[-1]:
        return memory.full(1, shape=A.shape[:-2], dtype=A.dtype)
    diagonal, sign = _pivots(A)
    return sign * r.reduce_product(diagonal, axes=(diagonal.ndim - 1,), dtype=A.dtype)


@composite(name="det")
def det(A: Any) -> Any:
    """The determinant of square matrices (…, n, n).

    >>> import flambeau as torch
    >>> torch.linalg.det(torch.tensor([[2.0, 1], [0, 3]]))
    tensor(6.)
    """
    return _det(A)


def _slogdet_back(grads: Any, A: Any, result0: Any) -> Any:
    sign, size = grads
    scale = size.to(A._spec.dtype)
    if A._spec.dtype.is_complex:  # what turns the sign: i · Im
        scale = scale - 1j * (sign.conj() * result0).imag
    return scale.unsqueeze(-1).unsqueeze(-1) * adjoint(_inv_ex(A)[0])


@operator({"A": _slogdet_back}, name="linalg_slogdet", function=False, method=False, returns=named("linalg_slogdet"))
def _slogdet(A: Tensor) -> tuple[Value, Value]:
    check_square("linalg.slogdet", A)
    real = A.dtype.to_real()
    if not A.shape[-1]:
        return memory.full(1, shape=A.shape[:-2], dtype=A.dtype), memory.full(0, shape=A.shape[:-2], dtype=real)
    diagonal, sign = _pivots(A)
    last = (diagonal.ndim - 1,)
    if A.is_complex:
        size = p.absolute(diagonal)
        nonzero = p.select(p.equal(size, 0), p.number(1.0, dtype=real), size)
        directions = diagonal / to(nonzero, A.dtype)
    else:
        size = p.absolute(diagonal)
        one, none = p.number(1, dtype=A.dtype), p.number(0, dtype=A.dtype)
        directions = p.select(p.greater(diagonal, 0), one, p.select(p.less(diagonal, 0), -one, none))
    return (
        sign * r.reduce_product(directions, axes=last, dtype=A.dtype),
        to(r.reduce_sum(p.log(to(size, real)), axes=last, dtype=real), real),
    )


@composite(function=False, method=False, name="linalg_slogdet")
def linalg_slogdet(A: Any) -> Any:
    """The sign (a complex number of size one) and the logarithm of the size of the determinant.

    >>> import flambeau as torch
    >>> torch.linalg.slogdet(torch.eye(2)).logabsdet
    tensor(0.)
    """
    return _slogdet(A)


@composite()
def slogdet(input: Any) -> Any:
    """The sign and the logarithm of the size of the determinant; see ``linalg.slogdet``."""
    return named("slogdet")(tuple(_slogdet(input)))


@composite()
def logdet(input: Any) -> Any:
    """The logarithm of the determinant; NaN where that is negative.

    >>> import flambeau as torch
    >>> torch.logdet(torch.eye(2))
    tensor(0.)
    """
    check_square("logdet", input._spec)
    sign, size = _slogdet(input)
    if input._spec.dtype.is_complex:
        return sign.log() + size
    from ..selection import where

    return where(sign == -1.0, float("nan"), size)
