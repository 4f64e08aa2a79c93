"""The generalised Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

from .. import operators
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """p(x) = (1 + c·z)^(-1/c - 1)/scale, z = (x - loc)/scale, c = ``concentration``; exponential for c = 0."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(_instance, batch_shape, "loc", "scale", "concentration")

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(operators.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def _parts(self, value: Any) -> Any:
        z = (value - self.loc) / self.scale
        flat = operators.isclose(self.concentration, operators.zeros_like(self.concentration))
        return z, flat, operators.where(flat, operators.ones_like(self.concentration), self.concentration)

    def _survival(self, value: Any) -> Any:
        """log P(X > value)."""
        z, flat, safe = self._parts(value)
        return operators.where(flat, -z, -(safe * z).log1p() / safe)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        z, flat, safe = self._parts(value)
        found = operators.where(flat, -z, -(1 + 1 / safe) * (safe * z).log1p())
        return found - self.scale.log()

    def log_survival_function(self, value: Any) -> Any:
        """log P(X > value)."""
        if self._validate_args:
            self._validate_sample(value)
        return self._survival(value)

    def log_cdf(self, value: Any) -> Any:
        """log P(X ≤ value)."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Any) -> Any:
        return self.log_cdf(value).exp()

    def icdf(self, value: Any) -> Any:
        _, flat, safe = self._parts(value)
        away = (-value).log1p()
        return self.loc + self.scale * operators.where(flat, -away, (-safe * away).expm1() / safe)

    @property
    def mean(self) -> Any:
        found = self.loc + self.scale / (1 - self.concentration)
        return operators.where(self.concentration < 1, found, math.nan)

    @property
    def variance(self) -> Any:
        c = self.concentration
        found = self.scale.pow(2) / ((1 - c).pow(2) * (1 - 2 * c))
        return operators.where(c < 0.5, found, math.nan)

    @property
    def mode(self) -> Any:
        return self.loc

    def entropy(self) -> Any:
        return self.scale.log() + self.concentration + 1

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        upper = self.loc - self.scale / self.concentration
        upper = operators.where(self.concentration < 0, upper, math.inf)
        return constraints.interval(self.loc, upper)
