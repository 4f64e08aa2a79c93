"""The LU factorization with partial pivoting, its parts, and solving with it."""

from __future__ import annotations

from typing import Any

from ...autograd.plans import called
from ...core.dtypes import int32, int64
from ...core.names import scalar_name
from ...primitives import linear_algebra as lapack
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..return_names import named
from .matrices import adjoint, by_columns, check_matrix, columns, raise_singular, same_dtype
from .triangular import solve_triangular_left


@operator({"A": lambda grad, result0, result1: _lu_back(grad, result0, result1)},
          name="linalg_lu_factor_ex", layout=columns, function=False, method=False)  # fmt: skip
def _factor(A: Tensor, pivot: bool = True) -> tuple[Value, Value, Value]:
    check_matrix("torch.linalg.lu_factor", A)
    return lapack.lu_factor(A, pivot=pivot)


@operator(name="lu_row_order", function=False, method=False)
def _row_order(pivots: Tensor, rows: int) -> Value:
    from ..promotion import to

    return to(lapack.exchanged_rows(to(pivots, int32), rows=rows), int64)


def _permutation(pivots: Any, rows: int, like: Any) -> Any:
    """P with A = P L U."""
    order = _row_order(pivots.detach(), rows)
    return (order.unsqueeze(-2) == like.new_empty(0).to(int64).new_tensor(range(rows)).unsqueeze(-1)).to(like._spec.dtype)


def _lu_back(grad: Any, LU: Any, pivots: Any) -> Any:
    """With A = P [L₁; L₂] [U₁ U₂]: dA₁ = P (dL₁ U₁ + L₁ dU₁), and L₂ (or U₂) follow A's other rows (columns)."""
    rows, width = LU._spec.shape[-2:]
    count = min(rows, width)
    lower, upper = unpacked(LU)
    grad_lower, grad_upper = grad[..., :count].tril(-1), grad[..., :count, :].triu()
    l1, u1 = lower[..., :count, :], upper[..., :count]
    inner_lower = adjoint(l1) @ grad_lower[..., :count, :]
    inner_upper = grad_upper[..., :count] @ adjoint(u1)
    parts_below: Any = None
    parts_right: Any = None
    turned_lower, turned_upper = adjoint(l1), adjoint(u1)
    if rows > width:
        below = grad[..., count:, :]
        inner_upper = inner_upper - adjoint(lower[..., count:, :]) @ below
        parts_below = _right_solve(below, turned_upper)
    elif width > rows:
        right = grad[..., count:]
        inner_lower = inner_lower - right @ adjoint(upper[..., count:])
        parts_right = solve_triangular_left(turned_lower, right, True, True)
    inner = inner_lower.tril(-1) + inner_upper.triu()
    result = _right_solve(solve_triangular_left(turned_lower, inner, True, True), turned_upper)
    if parts_below is not None:
        from ..joining import cat

        result = cat((result, parts_below), -2)
    if parts_right is not None:
        from ..joining import cat

        result = cat((result, parts_right), -1)
    return _permutation(pivots, rows, LU) @ result


def _right_solve(b: Any, lower: Any) -> Any:
    """X with X lower = b."""
    return solve_triangular_left(lower.mT, b.mT, True).mT


def unpacked(LU: Any) -> tuple[Any, Any]:
    """L with ones on the diagonal, and U."""
    rows, width = LU._spec.shape[-2:]
    count = min(rows, width)
    lower = LU[..., :count].tril(-1)
    from ..declaration import functions

    lower = lower + functions["eye"](rows, count, dtype=LU._spec.dtype)
    return lower, LU[..., :count, :].triu()


_ZERO = (
    "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the "
    "factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
)


@composite(function=False, method=False, name="linalg_lu_factor_ex")
def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """L and U in one matrix, the row exchanges, and for each matrix a code: 0, or where U's diagonal is first zero."""
    results = _factor(A, pivot)
    if check_errors:
        raise_singular("torch.linalg.lu_factor_ex", results[2], _ZERO, RuntimeError)
    return named("linalg_lu_factor_ex")(results)


@composite(function=False, method=False, name="linalg_lu_factor")
def lu_factor(A: Any, *, pivot: bool = True) -> Any:
    """L (below the diagonal) and U (on and above it) in one matrix, and the row exchanges, counted from 1.

    >>> import flambeau as torch
    >>> torch.linalg.lu_factor(torch.tensor([[4.0, 2], [2, 5]])).LU
    tensor([[4.0000, 2.0000],
            [0.5000, 4.0000]])
    """
    results = _factor(A, pivot)
    raise_singular("torch.linalg.lu_factor", results[2], _ZERO, RuntimeError)
    return named("linalg_lu_factor")(results[:2])


@composite(function=False, method=False, name="linalg_lu")
def linalg_lu(A: Any, *, pivot: bool = True) -> Any:
    """A = P L U: a permutation, a lower triangle with ones on its diagonal, an upper triangle.

    >>> import flambeau as torch
    >>> torch.linalg.lu(torch.tensor([[4.0, 2], [2, 5]])).U
    tensor([[4., 2.],
            [0., 4.]])
    """
    check_matrix("linalg.lu", A._spec)
    packed, pivots, _ = _factor(A, pivot)
    order = _permutation(pivots, A._spec.shape[-2], A) if pivot else A.new_empty(0)
    parts = [called(each, "LinalgLuBackward0") for each in unpacked(packed)]
    return named("linalg_lu")((order.detach(), *parts))


def _lu(A: Any, pivot: bool = True, get_infos: bool = False, *, out: Any = None) -> Any:
    """The packed factorization and the row exchanges; with ``get_infos`` the codes too. See ``linalg.lu_factor``."""
    packed, pivots, info = _factor(A, pivot)
    if not get_infos:
        raise_singular("torch.linalg.lu_factor", info, _ZERO, RuntimeError)
    results = named("linalg_lu_factor")((packed, pivots))
    if get_infos:
        results = named("linalg_lu_factor_ex")((packed, pivots, info))
    if out is None:
        return results
    from ..writing import write_out

    return write_out("lu", out, results)


_lu.__name__ = "lu"


def _publish_lu() -> None:
    from ..registry import publish

    publish(_lu, "lu", (), True, True)


_publish_lu()


@composite(method=False)
def lu_unpack(LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """P, L and U of a packed factorization; what is not asked for is empty."""
    if unpack_pivots and LU_pivots._spec.dtype is not int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function is "
            "intended to be used with the output produced by torch.linalg.lu_factor"
        )
    empty = LU_data.new_empty(0)
    order = _permutation(LU_pivots, LU_data._spec.shape[-2], LU_data) if unpack_pivots else empty
    lower, upper = unpacked(LU_data) if unpack_data else (empty, empty)
    parts = [called(each, "LuUnpackBackward0") for each in (lower, upper)]
    return named("lu_unpack")((order.detach(), *parts))


@composite(function=False, method=False, name="linalg_lu_solve")
def linalg_lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """X with A X = B (X A = B when not ``left``; Aᴴ for A when ``adjoint``), given A's packed factorization."""
    same_dtype("linalg.lu_solve", LU._spec, B._spec, "LU")
    if pivots._spec.dtype is not int32:
        raise RuntimeError(
            f"linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32. Got {scalar_name(pivots._spec.dtype)}"
        )
    check_matrix("linalg.lu_solve", B._spec, "B")
    if not left:
        from .matrices import adjoint as turned

        return turned(linalg_lu_solve(LU, pivots, turned(B), adjoint=not adjoint))
    size = LU._spec.shape[-1]
    if B._spec.shape[-2] != size or LU._spec.shape[-2] != size:
        raise RuntimeError(
            f"linalg.lu_solve: Incompatible shapes of A and B for the equation AX = B ({LU._spec.shape[-2]}x{size} and "
            f"{B._spec.shape[-2]}x{B._spec.shape[-1]})"
        )
    order = _permutation(pivots, size, LU)
    if not adjoint:
        inner = solve_triangular_left(LU, order.mT @ B, False, True)
        return called(solve_triangular_left(LU, inner, True), "LinalgLuSolveBackward0")
    turned_lu = LU.mH
    inner = solve_triangular_left(turned_lu, B, False)
    return called(by_columns(order @ solve_triangular_left(turned_lu, inner, True, True)), "LinalgLuSolveBackward0")


@composite()
def lu_solve(input: Any, LU_data: Any, LU_pivots: Any) -> Any:
    """X with A X = input, given A's packed factorization."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


__all__ = ["linalg_lu", "linalg_lu_solve", "lu_factor", "lu_factor_ex", "lu_solve", "lu_unpack", "unpacked"]
