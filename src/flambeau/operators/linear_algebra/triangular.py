"""Systems with triangular matrices."""

from __future__ import annotations

from typing import Any

from ...autograd.plans import called
from ...core import strides as _strides
from ...core.memory_formats import contiguous_format
from ...primitives import linear_algebra as lapack
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..return_names import named
from .matrices import adjoint, check_matrix, check_square, columns, same_dtype


def check_system(name: str, a: Any, b: Any, left: bool = True) -> None:
    """Raise PyTorch's errors where A X = B (X A = B) makes no sense."""
    check_square(name, a)
    check_matrix(name, b, "B")
    same_dtype(name, a, b)
    if a.shape[-1] != b.shape[-2 if left else -1]:
        shapes = f"({a.shape[-2]}x{a.shape[-1]} and {b.shape[-2]}x{b.shape[-1]})"
        raise RuntimeError(f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} {shapes}")
    _strides.broadcast(a.shape[:-2], b.shape[:-2])


def _triangular_back(grad: Any, A: Any, result: Any, upper: bool, unitriangular: bool, needs: Any) -> Any:
    solved = solve_triangular_left(adjoint(A), grad, not upper, unitriangular)
    if not needs[0]:
        return None, solved
    outer = -(solved @ adjoint(result))
    first = int(unitriangular)
    return outer.triu(first) if upper else outer.tril(-first), solved


@operator({"A B": _triangular_back}, name="linalg_solve_triangular", layout=columns, function=False, method=False)
def solve_triangular_left(A: Tensor, B: Tensor, upper: bool, unitriangular: bool = False) -> Value:
    """X with A X = B."""
    check_system("linalg.solve_triangular", A, B)
    return lapack.triangular_solve(A, B, upper=upper, unit=unitriangular)


@composite(function=False, method=False, name="linalg_solve_triangular")
def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """X with A X = B (X A = B when not ``left``) for triangular A, (…, n, n) and (…, n, k), by substitution.

    >>> import flambeau as torch
    >>> torch.linalg.solve_triangular(torch.tensor([[2.0, 0], [1, 1]]), torch.tensor([[2.0], [3]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    if left:
        return solve_triangular_left(A, B, upper, unitriangular)
    check_system("linalg.solve_triangular", A._spec, B._spec, False)
    return called(solve_triangular_left(A.mT, B.mT, not upper, unitriangular).mT, "LinalgSolveTriangularBackward0")


@composite()
def triangular_solve(b: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False) -> Any:
    """X with A X = b (Aᵀ X = b when ``transpose``) for triangular A, and A itself."""
    check_system("triangular_solve", A._spec, b._spec)
    matrix = A.mT if transpose else A
    solution = solve_triangular_left(matrix, b, upper != transpose, unitriangular)
    shape = solution._spec.shape[:-2]
    copied = A.expand(*shape, *A._spec.shape[-2:]).mT.clone(memory_format=contiguous_format).mT
    return named("triangular_solve")([called(each, "TriangularSolveBackward0") for each in (solution, copied)])
