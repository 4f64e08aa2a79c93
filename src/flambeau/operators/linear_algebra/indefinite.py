"""The LDL factorization of symmetric indefinite matrices, and solving with it."""

from __future__ import annotations

from typing import Any

from ...core.dtypes import int32
from ...core.names import scalar_name
from ...primitives import linear_algebra as lapack
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..return_names import named
from .matrices import check_matrix, check_square, columns, raise_singular, same_dtype


@operator(name="linalg_ldl_factor_ex", layout=columns, function=False, method=False)
def _ldl_factor(A: Tensor, hermitian: bool = False) -> tuple[Value, Value, Value]:
    check_square("torch.linalg.ldl_factor_ex", A)
    return lapack.ldl_factor(A, hermitian=hermitian)


@operator(name="linalg_ldl_solve", layout=columns, function=False, method=False)
def _ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, hermitian: bool = False) -> Value:
    return lapack.ldl_solve(LD, pivots, B, hermitian=hermitian)


_SINGULAR = "The diagonal element {0} of D is zero, the solve could not be completed because the input matrix is singular."


@composite(function=False, method=False, name="linalg_ldl_factor_ex")
def ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """A = L D Lᵀ in one matrix, the exchanges, and for each matrix a code: 0, or where D is first zero."""
    results = _ldl_factor(A, hermitian)
    if check_errors:
        raise_singular("torch.linalg.ldl_factor_ex", results[2], _SINGULAR)
    return named("linalg_ldl_factor_ex")(results)


@composite(function=False, method=False, name="linalg_ldl_factor")
def ldl_factor(A: Any, *, hermitian: bool = False) -> Any:
    """A = L D Lᵀ (Lᴴ when ``hermitian``) for symmetric A, packed in one matrix, and the exchanges as LAPACK has them.

    >>> import flambeau as torch
    >>> torch.linalg.ldl_factor(torch.tensor([[4.0, 2], [2, 5]])).LD
    tensor([[4.0000, 0.0000],
            [0.5000, 4.0000]])
    """
    results = _ldl_factor(A, hermitian)
    raise_singular("torch.linalg.ldl_factor", results[2], _SINGULAR)
    return named("linalg_ldl_factor")(results[:2])


@composite(function=False, method=False, name="linalg_ldl_solve")
def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False) -> Any:
    """X with A X = B, given A's packed LDL factorization."""
    check_square("torch.linalg.ldl_solve", LD._spec, "LD")
    check_matrix("torch.linalg.ldl_solve", B._spec, "B")
    same_dtype("torch.linalg.ldl_solve", LD._spec, B._spec, "LD")
    if B._spec.ndim < 2 or LD._spec.shape[-1] != B._spec.shape[-2]:
        raise RuntimeError(
            f"torch.linalg.ldl_solve: Incompatible shapes ({LD._spec.shape[-2]}x{LD._spec.shape[-1]} and "
            f"{B._spec.shape[-2]}x{B._spec.shape[-1]})"
        )
    if pivots._spec.dtype is not int32:
        raise RuntimeError(
            f"torch.linalg.ldl_solve: Expected pivots to be integers. Got {scalar_name(pivots._spec.dtype)}"
        )
    if pivots._spec.shape != LD._spec.shape[:-1]:
        raise RuntimeError(
            "torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots._spec.shape)} instead"
        )
    return _ldl_solve(LD, pivots, B, hermitian)
