"""The Kullback-Leibler divergence KL(p ‖ q) = E_p[log p(x) - log q(x)], by the classes of p and q."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import operators
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exponential import Exponential
from .exponential_family import ExponentialFamily
from .gamma import Gamma
from .geometric import Geometric
from .gumbel import Gumbel
from .half_normal import HalfNormal
from .independent import Independent
from .laplace import Laplace
from .lowrank_multivariate_normal import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal, batch_mahalanobis
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .pareto import Pareto
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import euler_constant, sum_rightmost

__all__ = ["kl_divergence", "register_kl"]

_registry: dict[tuple[type, type], Callable[[Any, Any], Any]] = {}
_found: dict[tuple[type, type], Any] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """A decorator: the function computes the divergence of distributions of these classes and their subclasses."""
    if not (isinstance(type_p, type) and issubclass(type_p, Distribution)):
        raise TypeError(f"Expected type_p to be a Distribution subclass but got {type_p}")
    if not (isinstance(type_q, type) and issubclass(type_q, Distribution)):
        raise TypeError(f"Expected type_q to be a Distribution subclass but got {type_q}")

    def enter(function: Any) -> Any:
        _registry[type_p, type_q] = function
        _found.clear()
        return function

    return enter


def _find(kind_p: type, kind_q: type) -> Any:
    """The function for the nearest pair of base classes, p's before q's."""
    fits = [pair for pair in _registry if issubclass(kind_p, pair[0]) and issubclass(kind_q, pair[1])]
    if not fits:
        return None
    return _registry[min(fits, key=lambda pair: (kind_p.__mro__.index(pair[0]), kind_q.__mro__.index(pair[1])))]


def kl_divergence(p: Distribution, q: Distribution) -> Any:
    """KL(p ‖ q), of shape ``batch_shape``.

    Raises:
        NotImplementedError: nothing is registered for these classes.

    >>> import flambeau as torch
    >>> Normal = torch.distributions.Normal
    >>> torch.distributions.kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    key = type(p), type(q)
    if key not in _found:
        _found[key] = _find(*key)
    if _found[key] is None:
        raise NotImplementedError(f"No KL(p || q) is implemented for p type {key[0].__name__} and q type {key[1].__name__}")
    return _found[key](p, q)


def _infinite(like: Any) -> Any:
    return operators.full_like(like, math.inf)


def _x_log_x(x: Any) -> Any:
    return x.xlogy(x)


# -- within a family ---------------------------------------------------------------------------------------------------


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    from ..nn.functional import softplus

    first = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    first = operators.where(q.probs == 0, math.inf, first).masked_fill(p.probs == 0, 0)
    second = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    second = operators.where(q.probs == 1, math.inf, second).masked_fill(p.probs == 1, 0)
    return first + second


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    sum_p, sum_q = p.concentration1 + p.concentration0, q.concentration1 + q.concentration0
    logs = q.concentration1.lgamma() + q.concentration0.lgamma() + sum_p.lgamma()
    logs = logs - (p.concentration1.lgamma() + p.concentration0.lgamma() + sum_q.lgamma())
    one = (p.concentration1 - q.concentration1) * p.concentration1.digamma()
    two = (p.concentration0 - q.concentration0) * p.concentration0.digamma()
    return logs + one + two + (sum_q - sum_p) * sum_p.digamma()


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    if (p.total_count < q.total_count).any().item():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    found = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return operators.where(p.total_count > q.total_count, math.inf, found)


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    terms = p.probs * (p.logits - q.logits)
    terms = operators.where((q.probs == 0).expand_as(terms), math.inf, terms)
    return operators.where((p.probs == 0).expand_as(terms), 0.0, terms).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    first = p.mean * (p.logits - q.logits)
    return first + p._log_constant() + (-p.probs).log1p() - q._log_constant() - (-q.probs).log1p()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    total_p, total_q = p.concentration.sum(-1), q.concentration.sum(-1)
    logs = total_p.lgamma() - total_q.lgamma() - (p.concentration.lgamma() - q.concentration.lgamma()).sum(-1)
    digammas = p.concentration.digamma() - total_p.digamma().unsqueeze(-1)
    return logs + ((p.concentration - q.concentration) * digammas).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _family(p: Any, q: Any) -> Any:
    """The Bregman divergence of the log-normaliser."""
    from ..autograd import grad

    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed using Bregman divergences"
        )
    natural_p = [each.detach().requires_grad_() for each in p._natural_params]
    natural_q = q._natural_params
    normalizer = p._log_normalizer(*natural_p)
    gradients = grad(normalizer.sum(), natural_p, create_graph=True)
    result = q._log_normalizer(*natural_q) - normalizer
    for one, other, gradient in zip(natural_p, natural_q, gradients):
        result = result - sum_rightmost((other - one) * gradient, len(q.event_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    first = q.concentration * (p.rate / q.rate).log() + q.concentration.lgamma() - p.concentration.lgamma()
    second = (p.concentration - q.concentration) * p.concentration.digamma()
    return first + second + (q.rate - p.rate) * (p.concentration / p.rate)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    away = q.loc / q.scale - p.loc / q.scale
    change = ratio.log() - away
    return -change + ratio * euler_constant + (away + (1 + ratio).lgamma()).exp() - (1 + euler_constant)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Any:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    ratio, away = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * (-away / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    ratio, alpha = p.scale / q.scale, q.alpha / p.alpha
    return operators.where(p.support.lower_bound < q.support.lower_bound, math.inf, q.alpha * ratio.log() - alpha.log() + alpha - 1)


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return operators.where((q.low > p.low) | (q.high < p.high), math.inf, found)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


def _normal_vectors(p: Any, q: Any) -> Any:
    """Of two multivariate normal distributions, by the Cholesky factors of their covariances."""
    from ..linalg import solve_triangular

    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between two Multivariate Normals with different event shapes cannot be computed: "
            f"{p.event_shape} and {q.event_shape}"
        )
    lower_p, lower_q = p.scale_tril, q.scale_tril
    half = lower_q.diagonal(0, -2, -1).log().sum(-1) - lower_p.diagonal(0, -2, -1).log().sum(-1)
    batch = operators.broadcast_shapes(lower_p.shape, lower_q.shape)
    trace = solve_triangular(lower_q.expand(batch), lower_p.expand(batch), upper=False).pow(2).sum((-2, -1))
    return half + 0.5 * (trace + batch_mahalanobis(lower_q, q.loc - p.loc) - p.event_shape[0])


for _kind in (MultivariateNormal, LowRankMultivariateNormal):
    for _other in (MultivariateNormal, LowRankMultivariateNormal):
        register_kl(_kind, _other)(_normal_vectors)

# -- across families: minus the entropy of p, minus the expectation under p of log q --------------------------------------


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _beta_continuous_bernoulli(p: Any, q: Any) -> Any:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_constant()


def _to_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


def _to_normal(p: Any, q: Any) -> Any:
    second = (p.variance + (p.mean - q.loc).pow(2)) / (2 * q.scale.pow(2))
    return -p.entropy() + 0.5 * (2 * math.pi * q.scale.pow(2)).log() + second


_p: type
for _p in (Beta, ContinuousBernoulli, Gumbel, Uniform, Exponential, Gamma, Laplace, Pareto):
    register_kl(_p, Normal)(_to_normal)
for _p in (Beta, ContinuousBernoulli, Gamma, Pareto, Uniform):
    register_kl(_p, Exponential)(_to_exponential)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Any:
    return operators.where(p.alpha <= 2, math.inf, _to_normal(p, q))


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Any:
    return operators.where(p.alpha <= 1, math.inf, _to_exponential(p, q))


def _gamma_cross(p: Any, q: Any, log_mean: Any) -> Any:
    constant = q.concentration.lgamma() - q.concentration * q.rate.log()
    return -p.entropy() + constant - (q.concentration - 1) * log_mean + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Any:
    return _gamma_cross(p, q, p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma())


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Any:
    return _gamma_cross(p, q, -euler_constant - p.rate.log())


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Any:
    return operators.where(p.alpha <= 1, math.inf, _gamma_cross(p, q, p.scale.log() + p.alpha.reciprocal()))


def _mean_log_uniform(p: Any) -> Any:
    return (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Any:
    return operators.where(p.low < q.support.lower_bound, math.inf, _gamma_cross(p, q, _mean_log_uniform(p)))


@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Any:
    found = -p.entropy() + (q.high - q.low).log()
    return operators.where((q.low > 0) | (q.high < 1), math.inf, found)


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: Any, q: Any) -> Any:
    found = -p.entropy() + (q.high - q.low).log()
    return operators.where((q.low > 0) | (q.high < 1), math.inf, found)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    width = p.high - p.low
    low, high = 1 - p.high, 1 - p.low
    total = (q.concentration1 + q.concentration0).lgamma()
    log_one, log_zero = _mean_log_uniform(p), (_x_log_x(high) - _x_log_x(low)) / width - 1
    found = -width.log() + q.concentration1.lgamma() + q.concentration0.lgamma() - total
    found = found - (q.concentration1 - 1) * log_one - (q.concentration0 - 1) * log_zero
    return operators.where((p.high > 1) | (p.low < 0), math.inf, found)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    found = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_constant()
    return operators.where((p.high > 1) | (p.low < 0), math.inf, found)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    found = (q.alpha + 1) * _mean_log_uniform(p) - (q.alpha * q.scale.pow(q.alpha) * (p.high - p.low)).log()
    return operators.where(p.low < q.support.lower_bound, math.inf, found)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Any:
    product = p.rate * q.scale
    away = q.loc / q.scale
    return product.log() - 1 + product.reciprocal() - away + away.exp() * product / (product + 1)


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Any:
    scale = p.rate * q.scale
    away = q.loc / q.scale
    first = (p.concentration - 1) * p.concentration.digamma() - p.concentration.lgamma() - p.concentration
    return first + scale.log() + p.concentration / scale - away + away.exp() * (1 + scale.reciprocal()).pow(-p.concentration)


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Any:
    ratio, square, away = p.loc / q.scale, (p.scale / q.scale).pow(2), q.loc / q.scale
    first = -(p.scale / q.scale).log() + ratio - away
    return first + (-ratio + 0.5 * square + away).exp() - 0.5 * (1 + math.log(2 * math.pi))


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Any:
    width = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return width.log() + 0.5 * (high + low) - width * ((-high).exp() - (-low).exp())


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    away, scale = p.loc - q.loc, p.scale / q.scale
    x = away / p.scale
    spread = math.sqrt(2 / math.pi) * p.scale * (-0.5 * x.pow(2)).exp() + away * (math.sqrt(0.5) * x).erf()
    return -scale.log() + spread / q.scale - (0.5 + 0.5 * math.log(0.5 * math.pi))


@register_kl(Poisson, Bernoulli)
@register_kl(Poisson, Binomial)
def _poisson_bounded(p: Any, q: Any) -> Any:
    return _infinite(p.rate)


# What p can draw and q cannot makes the divergence infinite.
for _pair in (
    (Beta, Pareto), (ContinuousBernoulli, Pareto),
    *((Exponential, each) for each in (Beta, ContinuousBernoulli, Pareto, Uniform)),
    *((Gamma, each) for each in (Beta, ContinuousBernoulli, Pareto, Uniform)),
    *((Gumbel, each) for each in (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    *((Laplace, each) for each in (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    *((Normal, each) for each in (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    *((Pareto, each) for each in (Beta, ContinuousBernoulli, Uniform)),
):  # fmt: skip

    @register_kl(*_pair)
    def _beyond(p: Any, q: Any) -> Any:
        return operators.full(p.batch_shape, math.inf, dtype=p.mean.dtype)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Any:
    return operators.where(p.low < q.support.lower_bound, math.inf, _to_exponential(p, q))
