"""The Wishart distribution."""

from __future__ import annotations

import math
from typing import Any

from .. import operators
from ..core.dtypes import finfo
from ..linalg import cholesky, slogdet
from . import constraints
from .chi2 import Chi2
from .distribution import Distribution
from .exponential_family import ExponentialFamily
from .multivariate_normal import precision_to_scale_tril
from .utils import lazy_property

__all__ = ["Wishart"]


def _multivariate_digamma(x: Any, p: int) -> Any:
    return (x.unsqueeze(-1) - operators.arange(p, dtype=x.dtype) / 2).digamma().sum(-1)


class Wishart(ExponentialFamily):
    """The sum of ``df`` outer products of normal vectors with the given covariance. Drawn by Bartlett's decomposition."""

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self, df: Any, covariance_matrix: Any = None, precision_matrix: Any = None, scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        given = {
            name: value
            for name, value in (
                ("scale_tril", scale_tril), ("covariance_matrix", covariance_matrix), ("precision_matrix", precision_matrix)
            )
            if value is not None
        }  # fmt: skip
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        df = df if hasattr(df, "dtype") else operators.tensor(float(df), dtype=matrix.dtype)
        batch = operators.broadcast_shapes(matrix.shape[:-2], df.shape)
        event = matrix.shape[-2:]
        self.df = df.expand(batch)
        if self.df.le(event[-1] - 1).any().item():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {event[-1] - 1}.")
        setattr(self, name, matrix.expand((*batch, -1, -1)))
        super().__init__(batch, event, validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = scale_tril
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = cholesky(covariance_matrix)
        else:
            self._unbroadcasted_scale_tril = precision_to_scale_tril(precision_matrix)
        self._make_chi2()

    @property
    def arg_constraints(self) -> Any:
        return {
            "covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(self._event_shape[-1] - 1),
        }  # fmt: skip

    def _make_chi2(self) -> None:
        p = self._event_shape[-1]
        df = self.df.unsqueeze(-1) - operators.arange(p, dtype=self.df.dtype).expand((*self._batch_shape, p))
        self._chi2 = Chi2(df)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(Wishart, _instance)
        made._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        made.df = self.df.expand(batch_shape)
        for name in ("covariance_matrix", "scale_tril", "precision_matrix"):
            if name in self.__dict__:
                setattr(made, name, getattr(self, name).expand((*batch_shape, *self.event_shape)))
        Distribution.__init__(made, batch_shape, self.event_shape, validate_args=False)
        made._make_chi2()
        made._validate_args = self._validate_args
        return made

    def _full(self, matrix: Any) -> Any:
        return matrix.expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def scale_tril(self) -> Any:
        """The Cholesky factor of the covariance."""
        return self._full(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance of the vectors."""
        return self._full(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        return self._full(operators.cholesky_inverse(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Any:
        return self.df.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Any:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = factor.masked_fill(factor <= 0, float("nan"))
        return factor.reshape((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Any:
        v = self.covariance_matrix
        diagonal = v.diagonal(0, -2, -1)
        products = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.reshape((*self._batch_shape, 1, 1)) * (v.pow(2) + products)

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Any:
        shape = self._extended_shape(sample_shape)
        p = self._event_shape[-1]
        diagonal = self._chi2.rsample(sample_shape).clamp(min=finfo(self.df.dtype).tiny).sqrt()
        below = operators.randn((*sample_shape, *self._batch_shape, p * (p - 1) // 2), dtype=self.df.dtype)
        rows, columns = operators.tril_indices(p, p, -1)
        lower = operators.zeros(shape, dtype=self.df.dtype)
        lower[..., rows, columns] = below
        chol = self._unbroadcasted_scale_tril @ (lower + diagonal.diag_embed())
        return chol @ chol.mT

    def _half_log_det(self) -> Any:
        return self._unbroadcasted_scale_tril.diagonal(0, -2, -1).log().sum(-1)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        nu, p = self.df, self._event_shape[-1]
        solved = operators.cholesky_solve(value, self._unbroadcasted_scale_tril.expand_as(value))
        return (
            -nu * (p * math.log(2.0) / 2 + self._half_log_det())
            - operators.mvlgamma(nu / 2, p)
            + (nu - p - 1) / 2 * slogdet(value)[1]
            - solved.diagonal(0, -2, -1).sum(-1) / 2
        )

    def entropy(self) -> Any:
        nu, p = self.df, self._event_shape[-1]
        return (
            (p + 1) * (p * math.log(2.0) / 2 + self._half_log_det())
            + operators.mvlgamma(nu / 2, p)
            - (nu - p - 1) / 2 * _multivariate_digamma(nu / 2, p)
            + nu * p / 2
        )
