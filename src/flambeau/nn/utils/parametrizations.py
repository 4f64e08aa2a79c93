"""Ready-made parametrizations: orthogonal matrices, weight normalization, spectral normalization."""

from __future__ import annotations

from typing import Any

from ... import operators
from ...autograd.grad_mode import no_grad
from ...core.dtypes import finfo
from ...tensor import Tensor
from ..module import Module
from . import parametrize
from .spectral_norm import as_matrix, default_dim, normalized
from .weight_norm import norm_except

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

_MAPS = ("matrix_exp", "cayley", "householder")


def _tensor_of(module: Module, name: str) -> Any:
    value = getattr(module, name, None)
    if not isinstance(value, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return value


def _is_orthogonal(matrix: Any, epsilon: float | None = None) -> bool:
    rows, columns = matrix.size(-2), matrix.size(-1)
    if rows < columns:
        matrix, rows, columns = matrix.mT, columns, rows
    if epsilon is None:
        epsilon = 10 * rows * finfo(matrix.dtype).eps
    identity = operators.eye(columns, dtype=matrix.dtype, device=matrix.device)
    return bool(operators.allclose(matrix.mH @ matrix, identity, atol=epsilon))


def _orthogonal_from(matrix: Any) -> Any:
    """The orthogonal matrix nearest to a random one with this shape: the signed Q of its QR decomposition."""
    from ... import linalg

    q, r = linalg.qr(matrix)
    return q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    """A matrix X (n × k, n ≥ k) to one with orthonormal columns.

    With A the skew-symmetric part made of X's lower triangle: matrix_exp is exp(A), cayley (I + A/2)(I − A/2)⁻¹,
    householder the product of the reflections in X's columns. With ``base`` (the first value), the result is base · Q,
    so that training starts from what was there.
    """

    base: Any

    def __init__(self, weight: Any, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        from ... import linalg

        n, k = X.size(-2), X.size(-1)
        transposed = n < k
        if transposed:
            X, n, k = X.mT, k, n
        if self.orthogonal_map == "householder":
            # Unit vectors below the diagonal, as Householder reflections are stored.
            A = X.tril(diagonal=-1)
            tau = 2.0 / (1.0 + (A * A).sum(dim=-2))
            Q = linalg.householder_product(A, tau)
            Q = Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            A = X.tril()
            if n != k:
                A = operators.cat([A, A.new_zeros(n, n - k).expand(*A.shape[:-2], -1, -1)], dim=-1)
            A = A - A.mH
            if self.orthogonal_map == "matrix_exp":
                Q = linalg.matrix_exp(A)
            else:
                identity = operators.eye(n, dtype=A.dtype, device=A.device)
                Q = linalg.solve(identity - A * 0.5, identity + A * 0.5)
            if n != k:
                Q = Q[..., :k]
        if hasattr(self, "base"):
            Q = self.base @ Q if self.base is not None else Q
        return Q.mT if transposed else Q

    @no_grad()
    def right_inverse(self, Q: Any) -> Any:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        given = Q
        n, k = Q.size(-2), Q.size(-1)
        transposed = n < k
        if transposed:
            Q, n, k = Q.mT, k, n
        if not hasattr(self, "base"):
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            A, tau = operators.geqrf(Q)
            diagonal = A.diagonal(dim1=-2, dim2=-1)
            diagonal.sign_()
            diagonal[tau == 0.0] *= -1
            return A.mT if transposed else A
        if n == k:
            base = Q.clone() if _is_orthogonal(Q) else _orthogonal_from(Q)
        else:
            # Complete the columns to a square orthogonal matrix.
            noise = operators.randn(*Q.shape[:-2], n, n - k, dtype=Q.dtype, device=Q.device)
            base = _orthogonal_from(operators.cat([Q, noise], dim=-1))
        self.base = base
        start = operators.zeros_like(given)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # what every map takes to the identity
        return start


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Let a matrix (or batch of matrices) have orthonormal rows or columns.

    ``orthogonal_map``: "matrix_exp", "cayley" or "householder"; by default householder unless the matrix is square or
    complex. Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds" (2019).
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.size(-2) == weight.size(-1)
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Any) -> Any:
        return norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into a magnitude and a direction: w = g · v / ‖v‖, with the norm over all dimensions but ``dim``.

    Salimans & Kingma, "Weight normalization" (2016).
    """
    made = parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def convert_older(
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        # States saved by the hook-based weight_norm name the two parts otherwise.
        for suffix, original in (("_g", "original0"), ("_v", "original1")):
            old = f"{prefix}{name}{suffix}"
            if old in state_dict:
                state_dict[f"{prefix}parametrizations.{name}.{original}"] = state_dict.pop(old)

    made._register_load_state_dict_pre_hook(convert_older)
    return made


class _SpectralNorm(Module):
    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if dim >= weight.ndim or dim < -weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim if dim >= 0 else dim + weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim).detach()
            height, width = matrix.size()
            u = matrix.new_empty(height).normal_(0, 1)
            v = matrix.new_empty(width).normal_(0, 1)
            self.register_buffer("_u", normalized(u, eps))
            self.register_buffer("_v", normalized(v, eps))
            self._power_method(matrix, 15)  # a good estimate from the start

    @no_grad()
    def _power_method(self, matrix: Any, iterations: int) -> None:
        for _ in range(iterations):
            self._u.copy_(normalized(matrix.mv(self._v), self.eps))
            self._v.copy_(normalized(matrix.mH.mv(self._u), self.eps))

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return normalized(weight, self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._power_method(matrix.detach(), self.n_power_iterations)
        # Copies: the next call's power iteration writes in place to what this one's gradient needs.
        u, v = self._u.clone(), self._v.clone()
        return weight / u.vdot(matrix.mv(v))

    def right_inverse(self, value: Any) -> Any:
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value, estimated by power iteration at every use in training mode.

    Miyato et al., "Spectral normalization for generative adversarial networks" (2018).
    """
    weight = _tensor_of(module, name)
    dim = default_dim(module) if dim is None else dim
    return parametrize.register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
