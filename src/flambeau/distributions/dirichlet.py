"""The Dirichlet distribution."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .. import operators
from ..autograd import Function
from ..core.dtypes import finfo, float64
from . import constraints
from .exponential_family import ExponentialFamily

__all__ = ["Dirichlet"]


@lru_cache(1)
def _quadrature() -> tuple[list[float], list[float]]:
    """Gauss-Legendre nodes and weights on (0, 1), drawn towards 0 by cubing, where integrands are least smooth."""
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(96)
    unit = (nodes + 1) / 2
    return (unit**3).tolist(), (weights / 2 * 3 * unit**2).tolist()


def _beta_moments(x: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """∫ over (0, x) of t^(a-1)·(1-t)^(b-1), times log t and times log(1-t), each less its expectation under Beta(a, b)."""
    nodes, weights = _quadrature()
    s = operators.tensor(nodes, dtype=float64)
    w = operators.tensor(weights, dtype=float64)
    x, a, b = x.unsqueeze(-1), a.unsqueeze(-1), b.unsqueeze(-1)
    # t = x·s^(1/a) takes the power of t into the measure.
    log_t = x.log() + s.log() / a
    log_rest = (-log_t.exp()).log1p()
    body = ((b - 1) * log_rest).exp() * w
    total = (a + b).digamma()
    scale = (a * x.log()).exp().squeeze(-1) / a.squeeze(-1)
    first = (body * (log_t - a.digamma() + total)).sum(-1) * scale
    second = (body * (log_rest - b.digamma() + total)).sum(-1) * scale
    return first, second


def beta_gradient(x: Any, a: Any, b: Any) -> Any:
    """dx/da of a sample x from Beta(a, b) at a fixed quantile: -(∂I_x(a, b)/∂a) / p(x)."""
    limits = finfo(float64)
    x = x.clamp(min=limits.tiny, max=1 - limits.eps)
    first, _ = _beta_moments(x, a, b)
    _, second = _beta_moments(1 - x, b, a)
    integral = operators.where(x < a / (a + b), first, -second)
    return -integral * ((1 - a) * x.log() + (1 - b) * (-x).log1p()).exp()


class _Dirichlet(Function):
    @staticmethod
    def forward(ctx: Any, concentration: Any) -> Any:
        value = operators._sample_dirichlet(concentration)
        ctx.save_for_backward(concentration, value)
        return value

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        # Each component is Beta-distributed; when it grows the others shrink in proportion.
        concentration, x = (each.to(float64) for each in ctx.saved_tensors)
        total = concentration.sum(-1, True).expand_as(concentration)
        rate = beta_gradient(x, concentration, total - concentration)
        grad64 = grad.to(float64)
        others = (x * grad64).sum(-1, True) - x * grad64
        rest = (1 - x).clamp(min=finfo(float64).tiny)
        return (rate * (grad64 - others / rest)).to(grad.dtype)


class Dirichlet(ExponentialFamily):
    """Points of the simplex: p(x) ∝ ∏ xᵢ^(aᵢ - 1), with a = ``concentration``."""

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(Dirichlet, _instance)
        made.concentration = self.concentration.expand((*batch_shape, *self.event_shape))
        super(Dirichlet, made).__init__(batch_shape, self.event_shape, validate_args=False)
        made._validate_args = self._validate_args
        return made

    def rsample(self, sample_shape: Any = ()) -> Any:
        return _Dirichlet.apply(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return (a - 1.0).xlogy(value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    @property
    def mean(self) -> Any:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Any:
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        corner = (self.concentration < 1).all(-1, keepdim=True)
        place = self.concentration.argmax(-1)
        at_corner = operators.zeros_like(mode).scatter(-1, place.unsqueeze(-1), 1.0)
        return operators.where(corner, at_corner, mode)

    @property
    def variance(self) -> Any:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def entropy(self) -> Any:
        a = self.concentration
        k, total = a.size(-1), a.sum(-1)
        return a.lgamma().sum(-1) - total.lgamma() - (k - total) * total.digamma() - ((a - 1.0) * a.digamma()).sum(-1)

    @property
    def _natural_params(self) -> Any:
        return (self.concentration,)

    def _log_normalizer(self, x: Any) -> Any:
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
