"""Inverses and linear systems, by LU with partial pivoting."""

from __future__ import annotations

from typing import Any

from ...core import strides as _strides
from ...core.dtypes import int32
from ...primitives import elementwise as p, linear_algebra as lapack, memory
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..return_names import named
from .matrices import adjoint, check_matrix, check_square, columns, raise_singular, same_dtype

_SINGULAR = "The diagonal element {0} is zero, the inversion could not be completed because the input matrix is singular."


def identity_value(x: Value, rows: int, width: int) -> Value:
    """An identity matrix for the batch of ``x``, as a Value."""
    row = memory.iota(shape=(rows, width), axis=0, dtype=int32)
    return p.cast(p.equal(row, memory.iota(shape=(rows, width), axis=1, dtype=int32)), dtype=x.dtype)


def _inverse_back(grad: Any, result0: Any) -> Any:
    turned = adjoint(result0)
    return -(turned @ (grad @ turned))


@operator({"A": _inverse_back}, name="linalg_inv_ex", layout=columns, function=False, method=False)
def _inv_ex(A: Tensor) -> tuple[Value, Value]:
    check_square("linalg.inv", A)
    return lapack.solve(A, identity_value(A, *A.shape[-2:]))


@composite(function=False, method=False, name="linalg_inv_ex")
def inv_ex(A: Any, *, check_errors: bool = False) -> Any:
    """The inverse, and for each matrix a code: 0, or the first zero pivot of a singular one.

    >>> import flambeau as torch
    >>> torch.linalg.inv_ex(torch.eye(2)).info
    tensor(0, dtype=torch.int32)
    """
    results = _inv_ex(A)
    if check_errors:
        raise_singular("linalg.inv_ex", results[1], _SINGULAR)
    return named("linalg_inv_ex")(results)


@composite(function=False, method=False, name="linalg_inv")
def inv(A: Any) -> Any:
    """The inverse of square matrices (…, n, n).

    Raises:
        LinAlgError: a matrix is singular.

    >>> import flambeau as torch
    >>> torch.linalg.inv(torch.tensor([[2.0, 0], [0, 4]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    result, info = _inv_ex(A)
    raise_singular("linalg.inv", info, _SINGULAR)
    return result


@composite()
def inverse(input: Any) -> Any:
    """The inverse of square matrices; see ``linalg.inv``."""
    return inv(input)


def _is_vector(a: Any, b: Any) -> bool:
    return len(b.shape) == 1 or (len(a.shape) - 1 == len(b.shape) and tuple(b.shape) == tuple(a.shape[:-1]))


def _solve_back(grad: Any, A: Any, result0: Any, left: bool, needs: Any) -> Any:
    vector = _is_vector(A._spec, result0._spec) and result0._spec.ndim < A._spec.ndim
    solved = _solve_ex(adjoint(A), grad, left)[0]
    if not needs[0]:
        return None, solved
    x, g = (result0.unsqueeze(-1), solved.unsqueeze(-1)) if vector else (result0, solved)
    return (-(g @ adjoint(x)) if left or vector else -(adjoint(x) @ g)), solved


@operator({"A B": _solve_back}, name="linalg_solve_ex", layout=columns, function=False, method=False)
def _solve_ex(A: Tensor, B: Tensor, left: bool = True) -> tuple[Value, Value]:
    check_square("linalg.solve", A)
    same_dtype("linalg.solve", A, B)
    vector = _is_vector(A, B)
    if vector:
        if not left:
            raise RuntimeError("linalg.solve: Vector broadcasting of the left hand side is not supported for left=False.")
        if A.shape[-1] != B.shape[-1]:
            raise _incompatible(A, (B.shape[-1], 1), left)
        x, info = lapack.solve(A, memory.reshape(B, shape=(*B.shape, 1)))
        return memory.reshape(x, shape=x.shape[:-1]), info
    check_matrix("linalg.solve", B, "B")
    if A.shape[-1] != B.shape[-2 if left else -1]:
        raise _incompatible(A, B.shape[-2:], left)
    batch = _strides.broadcast(A.shape[:-2], B.shape[:-2])
    if left:
        x, info = lapack.solve(A, B)
    else:
        x, info = lapack.solve(_turned(A), _turned(B))
        x = _turned(x)
    if info.shape != batch:
        info = memory.broadcast(info, shape=batch)
    return x, info


def _incompatible(a: Value, shape: Any, left: bool) -> RuntimeError:
    return RuntimeError(
        f"linalg.solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
        f"({a.shape[-2]}x{a.shape[-1]} and {shape[0]}x{shape[1]})"
    )


def _turned(x: Value) -> Value:
    axes = tuple(range(x.ndim))
    return memory.transpose(x, axes=(*axes[:-2], axes[-1], axes[-2]))


_UNSOLVED = "The solver failed because the input matrix is singular."


@composite(function=False, method=False, name="linalg_solve_ex")
def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False) -> Any:
    """The solution of A X = B, and for each matrix a code: 0, or the first zero pivot of a singular one."""
    x, info = _solve_ex(A, B, left)
    if check_errors:
        raise_singular("torch.linalg.solve_ex", info, _UNSOLVED)
    return named("linalg_solve_ex")((x, info))


@composite(function=False, method=False, name="linalg_solve")
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """X with A X = B (X A = B when not ``left``): (…, n, n) with (…, n, k), or with vectors (…, n).

    Raises:
        LinAlgError: a matrix is singular.

    >>> import flambeau as torch
    >>> torch.linalg.solve(torch.tensor([[2.0, 0], [0, 4]]), torch.tensor([2.0, 4]))
    tensor([1., 1.])
    """
    x, info = _solve_ex(A, B, left)
    raise_singular("torch.linalg.solve", info, _UNSOLVED)
    return x
