"""Least squares."""

from __future__ import annotations

from typing import Any

from ...autograd.plans import called
from ...core.dtypes import finfo, int64
from ..declaration import composite
from ..return_names import named
from .matrices import by_columns, check_floating, same_dtype
from .singular import pinv_of, svdvals

_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@composite(function=False, method=False, name="linalg_lstsq")
def lstsq(A: Any, B: Any, rcond: Any = None, *, driver: str | None = None) -> Any:
    """X of least ‖A X - B‖ (of those, the one of least norm): solution, residuals, rank, singular values.

    A (…, m, n) and B (…, m, k) or (…, m). ``driver``: "gelsy" (default), "gels" (A has full rank), "gelsd", "gelss".

    >>> import flambeau as torch
    >>> torch.linalg.lstsq(torch.tensor([[1.0], [1]]), torch.tensor([[1.0], [3]])).solution.round()
    tensor([[2.]])
    """
    a, b = A._spec, B._spec
    if a.ndim < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    if b.ndim < 1:
        raise RuntimeError("torch.linalg.lstsq: other must have at least 1 dimension.")
    same_dtype("torch.linalg.lstsq", a, b, "input", "other")
    check_floating("torch.linalg.lstsq", a)
    if not 0 <= a.ndim - b.ndim <= 1:
        raise RuntimeError(
            "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    if driver is not None and driver not in _DRIVERS:
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    vector = a.ndim - b.ndim == 1
    if a.shape[-2] != b.shape[-1 if vector else -2]:
        raise RuntimeError(f"torch.linalg.lstsq: input.size(-2) should match other.size({-1 if vector else -2})")
    driver = driver or "gelsy"
    rows, width = a.shape[-2:]
    tolerance = finfo(a.dtype).eps * max(rows, width) if rcond is None or rcond < 0 else rcond
    right = B.unsqueeze(-1) if vector else B
    inverse = pinv_of("torch.linalg.lstsq", A, 0.0, 0.0 if driver == "gels" else tolerance, False)
    solution = by_columns(inverse @ right)
    none = A.new_empty(0, dtype=a.dtype.to_real())
    rank, values, residuals = A.new_empty(0, dtype=int64), none, none
    full = True
    if driver != "gels":
        sizes = svdvals(A.detach())
        if min(rows, width):
            rank = (sizes > tolerance * sizes[..., :1]).sum(-1)
        else:
            rank = A.new_zeros(a.shape[:-2], dtype=int64)
        full = bool((rank == width).all())
        if driver != "gelsy":
            values = sizes
    if rows > width and full and driver != "gelsy":
        error = A @ solution - right
        residuals = (error.abs() ** 2).sum(-2)
    elif solution._tracked:  # there are none, but they are results
        residuals = solution.abs().flatten()[:0]
    if vector:
        solution = solution.squeeze(-1)
    solution, residuals = (called(each, "LinalgLstsqBackward0") for each in (solution, residuals))
    return named("linalg_lstsq")((solution, residuals, rank, values))
