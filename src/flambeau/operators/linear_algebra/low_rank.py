"""Approximate decompositions of low rank, by random projections (Halko, Martinsson and Tropp, 2009)."""

from __future__ import annotations

from typing import Any

from ..declaration import composite, functions
from .matrices import adjoint
from .orthogonal import linalg_qr
from .singular import linalg_svd


def _basis(A: Any, q: int, niter: int | None) -> Any:
    """Orthonormal columns whose span nearly holds A's: algorithms 4.4 (subspace iteration)."""
    start = functions["randn"](A._spec.shape[-1], q, dtype=A._spec.dtype, device=A._spec.device)
    found = linalg_qr(A @ start)[0]
    for _ in range(2 if niter is None else niter):
        found = linalg_qr(adjoint(A) @ found)[0]
        found = linalg_qr(A @ found)[0]
    return found


@composite(method=False)
def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> Any:
    """U (…, m, q), S (…, q), V (…, n, q) with A (less M) ≈ U diag(S) Vᴴ.

    >>> import flambeau as torch
    >>> torch.svd_lowrank(torch.ones(4, 3), q=1)[1]
    tensor([3.4641])
    """
    q = 6 if q is None else q
    rows, width = A._spec.shape[-2:]
    if M is not None:
        A = A - M.broadcast_to(A._spec.shape)
    if rows < width:
        A = adjoint(A)
    basis = _basis(A, q, niter)
    u, s, vh = linalg_svd(adjoint(basis) @ A, full_matrices=False)
    u, v = basis @ u, adjoint(vh)
    return (v, s, u) if rows < width else (u, s, v)


@composite(method=False)
def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """Principal components: U, S, V of the low-rank decomposition of A with its columns' means taken off.

    Raises:
        ValueError: q or niter out of range.
    """
    rows, width = A._spec.shape[-2:]
    if q is None:
        q = min(6, rows, width)
    elif not 0 <= q <= min(rows, width):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(rows, width)}")
    if not niter >= 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = A - A.mean(-2, keepdim=True)
    return svd_lowrank(A, q, niter=niter)
