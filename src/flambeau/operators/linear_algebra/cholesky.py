"""The Cholesky factorization of Hermitian positive definite matrices, and solving with it."""

from __future__ import annotations

from typing import Any

from ...autograd.plans import called
from ...primitives import elementwise as p, linear_algebra as lapack, memory
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..return_names import named
from .matrices import adjoint, check_matrix, check_square, columns, hermitian_part, identity, raise_singular
from .triangular import solve_triangular_left

_INDEFINITE = (
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order {0} is "
    "not positive-definite)."
)


def _turned(x: Value) -> Value:
    axes = tuple(range(x.ndim))
    x = memory.transpose(x, axes=(*axes[:-2], axes[-1], axes[-2]))
    return p.conjugate(x) if x.is_complex else x


def _cholesky_back(grad: Any, result0: Any, upper: bool) -> Any:
    """Murray, "Differentiation of the Cholesky decomposition", 2016."""
    factor, grad = (adjoint(result0), adjoint(grad)) if upper else (result0, grad)
    turned = adjoint(factor)
    inner = hermitian_part((turned @ grad).tril())
    left = solve_triangular_left(turned, 0.5 * inner, True)
    return adjoint(solve_triangular_left(turned, adjoint(left), True))


def _factored(A: Tensor, upper: bool = False) -> tuple[Value, Value]:
    check_square("linalg.cholesky", A)
    factor, info = lapack.cholesky_factor(_turned(A) if upper else A)
    return (_turned(factor) if upper else factor), info


def _declared(name: str) -> Any:
    return operator({"A": _cholesky_back}, name=name, layout=columns, function=False, method=False)(_factored)


_cholesky_ex, _cholesky = _declared("linalg_cholesky_ex"), _declared("cholesky")


@composite(function=False, method=False, name="linalg_cholesky_ex")
def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> Any:
    """The Cholesky factor, and for each matrix a code: 0, or the order of the first minor that is not positive definite."""
    results = _cholesky_ex(A, upper)
    if check_errors:
        raise_singular("linalg.cholesky_ex", results[1], _INDEFINITE)
    return named("linalg_cholesky_ex")(results)


@composite(function=False, method=False, name="linalg_cholesky")
def linalg_cholesky(A: Any, *, upper: bool = False) -> Any:
    """L lower triangular with A = L Lᴴ (U upper triangular with A = Uᴴ U when ``upper``), (…, n, n).

    Raises:
        LinAlgError: a matrix is not positive definite.

    >>> import flambeau as torch
    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2], [2, 5]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    result, info = _cholesky_ex(A, upper)
    raise_singular("linalg.cholesky", info, _INDEFINITE)
    return result


@composite()
def cholesky(input: Any, upper: bool = False) -> Any:
    """The Cholesky factor; see ``linalg.cholesky``."""
    check_square("cholesky", input._spec)
    result, info = _cholesky(input, upper)
    raise_singular("cholesky", info, _INDEFINITE)
    return result


def _solve_with(L: Any, B: Any, upper: bool) -> Any:
    turned = adjoint(L)
    if upper:
        return solve_triangular_left(L, solve_triangular_left(turned, B, False), True)
    return solve_triangular_left(turned, solve_triangular_left(L, B, False), True)


@composite()
def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:
    """X with A X = B, given the Cholesky factor L of A."""
    for name, each in (("b", B), ("u", L)):
        if each._spec.ndim < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {each._spec.ndim} dimensions instead")
    check_square("cholesky_solve", L._spec)
    if L._spec.shape[-1] != B._spec.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {L._spec.shape[-1]} by {L._spec.shape[-1]} but "
            f"each b matrix is {B._spec.shape[-2]} by {B._spec.shape[-1]}"
        )
    return called(_solve_with(L, B, upper), "CholeskySolveBackward0")


@composite()
def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """The inverse of A, given its Cholesky factor L."""
    check_matrix("cholesky_inverse", L._spec)
    check_square("cholesky_inverse", L._spec)
    return called(_solve_with(L, identity(L).expand(L._spec.shape), upper), "CholeskyInverseBackward0")
