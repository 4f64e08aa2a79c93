"""The QR factorization, and products of Householder reflections."""

from __future__ import annotations

from typing import Any

from ...autograd.plans import called
from ...primitives import linear_algebra as lapack, memory
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..return_names import named
from .matrices import adjoint, by_columns, check_matrix, columns, hermitian_part, identity, same_dtype
from .triangular import solve_triangular_left


def _right_solve(b: Any, upper: Any) -> Any:
    """b R⁻ᴴ for upper triangular R."""
    return adjoint(solve_triangular_left(upper, adjoint(b), True))


def _tall_back(grad_q: Any, grad_r: Any, q: Any, r: Any) -> Any:
    """Walter and Lehmann, "Algorithmic differentiation of linear algebra functions", 2010."""
    inner = hermitian_part((grad_r @ adjoint(r) - adjoint(q) @ grad_q).triu())
    return _right_solve(grad_q + q @ inner, r)


def _qr_back(grads: Any, A_spec: Any, result0: Any, result1: Any, mode: str) -> Any:
    rows, width = A_spec.shape[-2:]
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
            "mode='reduced') if you are going to require grads"
        )
    if mode == "complete" and rows > width:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    grad_q, grad_r = grads
    if rows >= width:
        return _tall_back(grad_q, grad_r, result0, result1)
    from ..joining import cat

    left, right = grad_r[..., :rows], grad_r[..., rows:]
    rest = result0 @ result1[..., rows:]
    first = _tall_back(grad_q + rest @ adjoint(right), left, result0, result1[..., :rows])
    return cat((first, result0 @ right), -1)


@operator({"A": _qr_back}, name="linalg_qr", layout=columns, function=False, method=False, returns=named("linalg_qr"))
def linalg_qr(A: Tensor, mode: str = "reduced") -> tuple[Value, Value]:
    """A = Q R with orthonormal columns in Q and R upper triangular. ``mode``: "reduced", "complete" (Q square) or "r".

    >>> import flambeau as torch
    >>> torch.linalg.qr(torch.tensor([[2.0, 1], [0, 3]])).R.abs()
    tensor([[2., 1.],
            [0., 3.]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    check_matrix("linalg.qr", A)
    q, r = lapack.qr_factor(A, complete=mode == "complete")
    if mode == "r":
        q = memory.full(0.0, shape=(0,), dtype=A.dtype)
    return q, r


@composite()
def qr(input: Any, some: bool = True) -> Any:
    """input = Q R; see ``linalg.qr``."""
    return named("qr")(tuple(linalg_qr(input, "reduced" if some else "complete")))


@operator(layout=columns, returns=named("geqrf"))
def geqrf(input: Tensor) -> tuple[Value, Value]:
    """R, below its diagonal the Householder vectors whose reflections make Q, and the reflections' scales."""
    check_matrix("torch.geqrf", input)
    return lapack.qr_reflectors(input)


def _reflect(A: Any, tau: Any, c: Any, from_left: bool, backwards: bool, turned: bool) -> Any:
    """c times the reflections H = I - τ v vᴴ (Hᴴ when ``turned``), applied one after the other."""
    rows = A._spec.shape[-2]
    vectors = A[..., : tau._spec.shape[-1]].tril(-1) + identity(A, rows)[:, : tau._spec.shape[-1]]
    count = tau._spec.shape[-1]
    for k in range(count - 1, -1, -1) if backwards else range(count):
        v = vectors[..., :, k : k + 1]
        scale = tau[..., k : k + 1].unsqueeze(-1)
        scale = scale.conj() if turned and tau._spec.dtype.is_complex else scale
        c = c - scale * (v @ (adjoint(v) @ c)) if from_left else c - scale * ((c @ v) @ adjoint(v))
    return c


def _check_reflectors(name: str, A: Any, tau: Any) -> None:
    if A._spec.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if A._spec.shape[-2] < A._spec.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if A._spec.shape[-1] < tau._spec.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if A._spec.ndim - tau._spec.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau._spec.ndim} and "
            f"input.ndim is equal to {A._spec.ndim}"
        )
    if tau._spec.shape[:-1] != A._spec.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau._spec.shape[:-1])}"
        )
    if tau._spec.dtype is not A._spec.dtype:
        raise RuntimeError(f"{name}: tau dtype {tau._spec.dtype} does not match input dtype {A._spec.dtype}")


@composite(function=False, method=False, name="linalg_householder_product")
def householder_product(A: Any, tau: Any) -> Any:
    """The first columns of H₁ H₂ … with Hᵢ = I - τᵢ vᵢ vᵢᴴ, vᵢ below the diagonal of A (one on it).

    >>> import flambeau as torch
    >>> torch.linalg.householder_product(torch.zeros(2, 1), torch.zeros(1))
    tensor([[1.],
            [0.]])
    """
    _check_reflectors("torch.linalg.householder_product", A, tau)
    rows, width = A._spec.shape[-2:]
    start = identity(A, rows)[:, :width].expand(*A._spec.shape[:-2], rows, width)
    return called(by_columns(_reflect(A, tau, start, True, True, False)), "LinalgHouseholderProductBackward0")


@composite()
def orgqr(input: Any, tau: Any) -> Any:
    """See ``linalg.householder_product``."""
    return householder_product(input, tau)


@composite()
def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """Q other (other Q when not ``left``; Qᴴ for Q when ``transpose``), Q the product of Householder reflections."""
    same_dtype("torch.ormqr", input._spec, other._spec, "input", "other")
    if input._spec.ndim < 2:
        raise RuntimeError("torch.ormqr: input must have at least 2 dimensions.")
    if other._spec.ndim < 2:
        raise RuntimeError("torch.ormqr: other must have at least 2 dimensions.")
    side = -2 if left else -1
    if other._spec.shape[side] < tau._spec.shape[-1]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be greater than or equal to tau.shape[-1]")
    if other._spec.shape[side] != input._spec.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    return called(by_columns(_reflect(input, tau, other, left, left != transpose, transpose)), "OrmqrBackward0")
