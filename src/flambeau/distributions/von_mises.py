"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

from .. import operators
from ..autograd.grad_mode import no_grad
from ..core.dtypes import float64
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all, lazy_property

__all__ = ["VonMises"]


_SMALL = (
    (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2),
    (0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3),
)
_LARGE = (
    (0.39894228, 0.1328592e-1, 0.225319e-2, -0.157565e-2, 0.916281e-2, -0.2057706e-1, 0.2635537e-1, -0.1647633e-1, 0.392377e-2),
    (0.39894228, -0.3988024e-1, -0.362018e-2, 0.163801e-2, -0.1031555e-1, 0.2282967e-1, -0.2895312e-1, 0.1787654e-1, -0.420059e-2),
)


def _polynomial(y: Any, coefficients: tuple[float, ...]) -> Any:
    result = operators.full_like(y, coefficients[-1])
    for each in reversed(coefficients[:-1]):
        result = each + y * result
    return result


def log_modified_bessel(x: Any, order: int = 0) -> Any:
    """log of I₀ or I₁ at x > 0: Abramowitz and Stegun, 9.8.1-9.8.4."""
    y = (x / 3.75).pow(2)
    small = _polynomial(y, _SMALL[order])
    if order == 1:
        small = x.abs() * small
    large = x - 0.5 * x.log() + _polynomial(3.75 / x, _LARGE[order]).log()
    return operators.where(x < 3.75, small.log(), large)


class VonMises(Distribution):
    """Angles: p(x) = exp(concentration·cos(x - loc)) / (2π·I₀(concentration)). Drawn by rejection.

    Best and Fisher, "Efficient simulation of the von Mises distribution" (1979).
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, (), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(_instance, batch_shape, "loc", "concentration")

    @lazy_property
    def _proposal_r(self) -> Any:
        kappa = self.concentration.to(float64)
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        # The formula loses its digits for small concentrations; this is its series there.
        return operators.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            shape = self._extended_shape(sample_shape)
            kappa = self.concentration.to(float64).expand(shape)
            r = self._proposal_r.expand(shape)
            x = operators.zeros(shape, dtype=float64)
            done = operators.zeros(shape, dtype=operators.tensor(True).dtype)
            while not done.all().item():
                u1, u2, u3 = operators.rand((3, *shape), dtype=float64).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                x = operators.where(accept, (u3 - 0.5).sign() * f.acos(), x)
                done = done | accept
            return (((x + math.pi + self.loc.to(float64)) % (2 * math.pi)) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        found = self.concentration * (value - self.loc).cos()
        return found - math.log(2 * math.pi) - log_modified_bessel(self.concentration)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        """The circular variance."""
        kappa = self.concentration
        return 1 - (log_modified_bessel(kappa, 1) - log_modified_bessel(kappa)).exp()
