"""Exponential families: densities exp(t(x)·θ - F(θ) + k(x)), whose entropy follows from F."""

from __future__ import annotations

from typing import Any

from .distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """A distribution that knows its natural parameters θ and log-normaliser F.

    Nielsen and Nock, "Entropies and cross-entropies of exponential families" (2010).
    """

    @property
    def _natural_params(self) -> Any:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Any) -> Any:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        """The expectation of k(x)."""
        raise NotImplementedError

    def entropy(self) -> Any:
        """F(θ) - θ·∇F(θ) - E[k(x)]."""
        from ..autograd import grad

        natural = [each.detach().requires_grad_() for each in self._natural_params]
        normalizer = self._log_normalizer(*natural)
        gradients = grad(normalizer.sum(), natural, create_graph=True)
        result = -self._mean_carrier_measure + normalizer
        for each, gradient in zip(natural, gradients):
            result = result - (each * gradient).reshape((*self._batch_shape, -1)).sum(-1)
        return result
