"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

from .. import operators
from ..nn import functional as F
from . import constraints
from .exponential_family import ExponentialFamily
from .utils import broadcast_all, clamp_probs, lazy_property, logits_to_probs, probs_to_logits

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ExponentialFamily):
    """p(x) ∝ probs^x · (1 - probs)^(1-x) on [0, 1].

    Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders" (2019).
    Near probs = 1/2, within ``lims``, where the formulas are singular, Taylor series stand for them.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        if probs is not None:
            (self.probs,) = broadcast_all(probs)
            if validate_args is not None and not constraints.unit_interval.check(self.probs).all().item():
                raise ValueError("The parameter probs has invalid values")
            self.probs = clamp_probs(self.probs)
        else:
            (self.logits,) = broadcast_all(logits)
        self._param = self.probs if probs is not None else self.logits
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._expanded(_instance, batch_shape, "probs", "logits", "_param")
        made._lims = self._lims
        return made

    @lazy_property
    def logits(self) -> Any:
        """The log-odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Any:
        """The parameter."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self._param.size()

    def _regular(self) -> Any:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _safe(self) -> Any:
        return operators.where(self._regular(), self.probs, self._lims[0])

    def _log_constant(self) -> Any:
        safe = self._safe()
        below, above = safe.clamp(max=0.5), safe.clamp(min=0.5)
        ratio = ((-safe).log1p() - safe.log()).abs().log()
        divisor = operators.where(safe <= 0.5, (-2.0 * below).log1p(), (2.0 * above - 1.0).log())
        x = (self.probs - 0.5).pow(2)
        taylor = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return operators.where(self._regular(), ratio - divisor, taylor)

    @property
    def mean(self) -> Any:
        safe = self._safe()
        found = safe / (2.0 * safe - 1.0) + 1.0 / ((-safe).log1p() - safe.log())
        x = self.probs - 0.5
        return operators.where(self._regular(), found, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x)

    @property
    def stddev(self) -> Any:
        return self.variance.sqrt()

    @property
    def variance(self) -> Any:
        safe = self._safe()
        found = safe * (safe - 1.0) / (1.0 - 2.0 * safe).pow(2) + 1.0 / ((-safe).log1p() - safe.log()).pow(2)
        x = (self.probs - 0.5).pow(2)
        return operators.where(self._regular(), found, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(operators.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_constant()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        safe = self._safe()
        found = (safe.pow(value) * (1.0 - safe).pow(1.0 - value) + safe - 1.0) / (2.0 * safe - 1.0)
        return operators.where(self._regular(), found, value).clamp(min=0, max=1)

    def icdf(self, value: Any) -> Any:
        safe = self._safe()
        found = ((-safe + value * (2.0 * safe - 1.0)).log1p() - (-safe).log1p()) / (safe.log() - (-safe).log1p())
        return operators.where(self._regular(), found, value)

    def entropy(self) -> Any:
        log_one, log_zero = self.probs.log(), (-self.probs).log1p()
        return self.mean * (log_zero - log_one) - self._log_constant() - log_zero

    @property
    def _natural_params(self) -> Any:
        return (self.logits,)

    def _log_normalizer(self, x: Any) -> Any:
        regular = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        safe = operators.where(regular, x, (self._lims[0] - 0.5) * operators.ones_like(x))
        return operators.where(regular, safe.expm1().abs().log() - safe.abs().log(), 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0)
