"""``torch.linalg``: linear algebra. See ``operators/linear_algebra`` and ``operators/norms.py``."""

from __future__ import annotations

from typing import Any

from .core.errors import LinAlgError
from .operators.contraction import matmul
from .operators.declaration import composite
from .operators.linear_algebra.cholesky import cholesky_ex, linalg_cholesky as cholesky
from .operators.linear_algebra.determinants import det, linalg_slogdet as slogdet
from .operators.linear_algebra.indefinite import ldl_factor, ldl_factor_ex, ldl_solve
from .operators.linear_algebra.least_squares import lstsq
from .operators.linear_algebra.lu import linalg_lu as lu, linalg_lu_solve as lu_solve, lu_factor, lu_factor_ex
from .operators.linear_algebra.orthogonal import householder_product, linalg_qr as qr
from .operators.linear_algebra.powers import matrix_exp, matrix_power, multi_dot
from .operators.linear_algebra.singular import cond, linalg_svd as svd, matrix_rank, pinv, svdvals
from .operators.linear_algebra.solving import inv, inv_ex, solve, solve_ex
from .operators.linear_algebra.spectra import eig, eigh, eigvals, eigvalsh
from .operators.linear_algebra.tensors import tensorinv, tensorsolve
from .operators.linear_algebra.triangular import solve_triangular
from .operators.linear_algebra.vectors import linalg_cross as cross, linalg_vander as vander, vecdot
from .operators.norms import matrix_norm, vector_norm
from .operators.views import diagonal as _diagonal


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices, a view; see ``flambeau.diagonal``."""
    return _diagonal(A, offset, dim1, dim2)


@composite(function=False, method=False, name="linalg_norm")
def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """A vector norm over one dimension, a matrix norm over two; without ``ord`` the 2-norm of all elements.

    >>> import flambeau as torch
    >>> torch.linalg.norm(torch.tensor([[3.0, 4.0]]))
    tensor(5.)
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    axes = (dim,) if isinstance(dim, int) else dim
    rank = A.ndim
    if axes is not None and len(axes) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(axes)}"
        )
    if axes is None and rank not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {rank}D.")
    if len(axes) == 2 if axes is not None else rank == 2:
        return matrix_norm(A, ord, (0, 1) if axes is None else axes, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: Order {ord} not supported for vectors.")
    return vector_norm(A, ord, axes, keepdim, dtype=dtype)


__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
    "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm",
    "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander",
    "vecdot", "vector_norm",
]  # fmt: skip
