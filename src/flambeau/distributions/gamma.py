"""The gamma distribution."""

from __future__ import annotations

from typing import Any

from .. import operators
from ..autograd import Function
from ..core.dtypes import finfo, float64
from . import constraints
from .exponential_family import ExponentialFamily
from .utils import broadcast_all

__all__ = ["Gamma"]


def standard_gamma_gradient(a: Any, z: Any) -> Any:
    """dz/da of a sample z from Gamma(a, 1) at a fixed quantile: -(∂P(a, z)/∂a) / p(z; a).

    Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients" (2018). The derivative of the regularised
    incomplete gamma function is a five-point difference in float64, on the side whose tail is the smaller.
    """
    kind = a.dtype
    a, z = a.to(float64), z.to(float64).clamp(min=finfo(float64).tiny)
    step = 1e-3 * operators.minimum(a, a.sqrt())
    lower = (8 * (operators.igamma(a + step, z) - operators.igamma(a - step, z))
             - operators.igamma(a + 2 * step, z) + operators.igamma(a - 2 * step, z))  # fmt: skip
    upper = (8 * (operators.igammac(a + step, z) - operators.igammac(a - step, z))
             - operators.igammac(a + 2 * step, z) + operators.igammac(a - 2 * step, z))  # fmt: skip
    derivative = operators.where(z < a, lower, -upper) / (12 * step)
    log_density = (a - 1) * z.log() - z - a.lgamma()
    found = -derivative * (-log_density).exp()
    # Far below the mean P = z^a/Γ(a+1), whose derivative is known.
    small = z / a * ((a + 1).digamma() - z.log())
    return operators.where(z < 1e-6 * a, small, found).to(kind)


class _StandardGamma(Function):
    @staticmethod
    def forward(ctx: Any, concentration: Any) -> Any:
        value = operators._standard_gamma(concentration)
        ctx.save_for_backward(concentration, value)
        return value

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * standard_gamma_gradient(*ctx.saved_tensors)


class Gamma(ExponentialFamily):
    """p(x) = rate^a · x^(a-1) · exp(-rate·x) / Γ(a), with a = ``concentration``."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(_instance, batch_shape, "concentration", "rate")

    @property
    def mean(self) -> Any:
        return self.concentration / self.rate

    @property
    def mode(self) -> Any:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Any:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        value = _StandardGamma.apply(self.concentration.expand(shape)) / self.rate.expand(shape)
        value.detach().clamp_(min=finfo(value.dtype).tiny)  # never 0, whose logarithm would be infinite
        return value

    def log_prob(self, value: Any) -> Any:
        value = operators.as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        return (
            self.concentration.xlogy(self.rate)
            + (self.concentration - 1).xlogy(value)
            - self.rate * value
            - self.concentration.lgamma()
        )

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return operators.igamma(self.concentration, self.rate * value)

    def entropy(self) -> Any:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1.0 - a) * a.digamma()

    @property
    def _natural_params(self) -> Any:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        return (x + 1).lgamma() + (x + 1) * (-y.reciprocal()).log()
