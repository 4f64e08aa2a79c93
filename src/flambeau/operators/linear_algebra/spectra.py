"""Eigenvalues and eigenvectors."""

from __future__ import annotations

from typing import Any

from ...autograd.grad_mode import mode
from ...primitives import linear_algebra as lapack
from ...primitives.values import Value
from ..declaration import composite, operator
from ..kinds import Tensor
from ..return_names import named
from .matrices import adjoint, check_square, columns, identity


def _check_triangle(UPLO: str) -> bool:
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper() == "U"


def over_gaps(x: Any, values: Any) -> Any:
    """xᵢⱼ / (λⱼ - λᵢ), zero on the diagonal; 0 / 0 is 0, so that equal eigenvalues do no harm where vectors do not count."""
    gap = values.unsqueeze(-2) - values.unsqueeze(-1)
    gap = gap.masked_fill((gap == 0) & (x == 0), 1) + identity(values)
    result = x / gap.to(x._spec.dtype)
    return result - result.tril().triu()


def _symmetric_back(grads: Any, result0: Any, result1: Any) -> Any:
    values, vectors = grads
    inner = over_gaps(adjoint(result1) @ vectors, result0)
    inner = inner + values.to(vectors._spec.dtype).diag_embed()
    return result1 @ inner @ adjoint(result1)


@operator({"A": _symmetric_back}, name="linalg_eigh", layout=columns, function=False, method=False,
          returns=named("linalg_eigh"))  # fmt: skip
def _eigh(A: Tensor, UPLO: str = "L") -> tuple[Value, Value]:
    upper = _check_triangle(UPLO)
    check_square("linalg.eigh", A)
    return lapack.symmetric_eigen(A, upper=upper)


@composite(function=False, method=False, name="linalg_eigh")
def eigh(A: Any, UPLO: str = "L") -> Any:
    """A = V diag(λ) Vᴴ for Hermitian A, of which the triangle ``UPLO`` is read; λ ascending, V unitary.

    >>> import flambeau as torch
    >>> torch.linalg.eigh(torch.tensor([[2.0, 0], [0, 1]])).eigenvalues
    tensor([1., 2.])
    """
    return _eigh(A, UPLO)


def _values_only_back(grads: Any, A: Any, UPLO: str, result1: Any) -> Any:
    vectors = _eigh(A, UPLO)[1] if mode.enabled else result1
    return (vectors * grads[0].unsqueeze(-2).to(vectors._spec.dtype)) @ adjoint(vectors)


@operator({"A": _values_only_back}, name="linalg_eigh", layout=columns, function=False, method=False)
def _eigh_for_values(A: Tensor, UPLO: str = "L") -> tuple[Value, Value]:
    check_square("linalg.eigvalsh", A)
    return lapack.symmetric_eigen(A, upper=_check_triangle(UPLO))


@operator(name="linalg_eigvalsh", function=False, method=False)
def _eigvalsh(A: Tensor, UPLO: str = "L") -> Value:
    upper = _check_triangle(UPLO)
    check_square("linalg.eigvalsh", A)
    return lapack.symmetric_eigenvalues(A, upper=upper)


@composite(function=False, method=False, name="linalg_eigvalsh")
def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of a Hermitian matrix, in ascending order.

    >>> import flambeau as torch
    >>> torch.linalg.eigvalsh(torch.tensor([[2.0, 0], [0, 1]]))
    tensor([1., 2.])
    """
    return _eigh_for_values(A, UPLO)[0] if A._tracked and mode.enabled else _eigvalsh(A, UPLO)


def _general_back(grads: Any, result0: Any, result1: Any) -> Any:
    values, vectors = grads
    turned = adjoint(result1)
    inner = turned @ vectors
    # Eigenvectors have norm one: what would stretch them does not count.
    inner = inner - (turned @ result1) * inner.diagonal(0, -2, -1).real.unsqueeze(-2)
    inner = over_gaps(inner, result0.conj()) + values.diag_embed()
    from .solving import _solve_ex

    return _solve_ex(turned, inner @ turned)[0]


@operator({"A": _general_back}, name="linalg_eig", layout=columns, function=False, method=False,
          returns=named("linalg_eig"))  # fmt: skip
def _eig(A: Tensor) -> tuple[Value, Value]:
    check_square("linalg.eig", A)
    return lapack.general_eigen(A)


@composite(function=False, method=False, name="linalg_eig")
def eig(A: Any) -> Any:
    """A = V diag(λ) V⁻¹; λ and V (columns of norm one) are complex.

    >>> import flambeau as torch
    >>> torch.linalg.eig(torch.tensor([[0.0, 1], [-1, 0]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    return _eig(A)


@operator(name="linalg_eigvals", function=False, method=False)
def _eigvals(A: Tensor) -> Value:
    check_square("linalg.eigvals", A)
    return lapack.general_eigenvalues(A)


@composite(function=False, method=False, name="linalg_eigvals")
def eigvals(A: Any) -> Any:
    """The eigenvalues of a square matrix, complex, in no particular order.

    >>> import flambeau as torch
    >>> torch.linalg.eigvals(torch.tensor([[0.0, 1], [-1, 0]]))
    tensor([0.+1.j, 0.-1.j])
    """
    return _eig(A)[0] if A._tracked and mode.enabled else _eigvals(A)
