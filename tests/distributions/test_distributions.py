"""Every distribution against PyTorch's: the same samples from the same seed, densities, moments, gradients, errors."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

import flambeau

torch = pytest.importorskip("torch")

v = "t.tensor([0.5, 1.5, 2.5])"
u = "t.tensor([0.2, 0.5, 0.7])"
MADE = {
    "Bernoulli": f"({u})", "Bernoulli logits": f"(logits={v})", "Beta": f"({v}, 2.0)", "Binomial": f"(5, {u})",
    "Categorical": f"({v})", "Categorical logits": "(logits=t.tensor([[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]]))",
    "Cauchy": f"(0.5, {v})", "Chi2": f"({v})", "ContinuousBernoulli": f"({u})", "Dirichlet": f"({v})",
    "Exponential": f"({v})", "FisherSnedecor": f"({v}, 6.0)", "Gamma": f"({v}, 2.0)", "GeneralizedPareto": f"(1.0, {v}, 0.2)",
    "Geometric": f"({u})", "Gumbel": f"(t.tensor([0.5, 0.0, 1.0]), {v})", "HalfCauchy": f"({v})", "HalfNormal": f"({v})",
    "Independent": f"(t.distributions.Normal({u}, 1.0), 1)", "InverseGamma": f"({v} + 2, 2.0)", "Kumaraswamy": f"({v}, 2.0)",
    "LKJCholesky": "(3, 1.5)", "Laplace": f"(1.0, {v})", "LogNormal": f"(0.5, {u})", "LogisticNormal": f"({u}, 0.7)",
    "LowRankMultivariateNormal": f"(t.zeros(3), t.ones(3, 1), {v})", "Multinomial": f"(4, {u})",
    "MixtureSameFamily": f"(t.distributions.Categorical({u}), t.distributions.Normal({v}, 1.0))",
    "MultivariateNormal": "(t.zeros(2), t.tensor([[2.0, 0.5], [0.5, 1.0]]))",
    "MultivariateNormal precision": "(t.zeros(2), precision_matrix=t.tensor([[2.0, 0.5], [0.5, 1.0]]))",
    "NegativeBinomial": f"(4, {u})", "Normal": f"({u}, {v})", "Normal numbers": "(0.5, 2.0)", "OneHotCategorical": f"({u})",
    "OneHotCategoricalStraightThrough": f"({u})", "Pareto": f"({v}, 3.0)", "Poisson": f"({v})",
    "RelaxedBernoulli": f"(t.tensor(0.7), {u})", "RelaxedOneHotCategorical": f"(t.tensor(0.7), {u})",
    "StudentT": f"(5.0, 0.5, {v})", "Uniform": f"(0.0, {v})", "VonMises": f"(0.5, {v})", "Weibull": f"({v}, 2.0)",
    "Wishart": "(t.tensor(4.0), t.tensor([[2.0, 0.5], [0.5, 1.0]]))",
    "TransformedDistribution": "(t.distributions.Normal(0.0, 1.0), [t.distributions.AffineTransform(1.0, -2.0), "
    "t.distributions.SigmoidTransform()])",
}  # fmt: skip


def make(library: Any, name: str) -> Any:
    return eval(f"t.distributions.{name.split()[0]}{MADE[name]}", {"t": library})


def outcome(run: Any) -> Any:
    try:
        found = run()
    except (NotImplementedError, ValueError, AssertionError) as error:
        return type(error)
    return found.tolist() if hasattr(found, "tolist") else found


def close(one: Any, other: Any, tolerance: float = 2e-5) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(close(a, b, tolerance) for a, b in zip(one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other or (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return bool(one == other)


@pytest.mark.parametrize("name", MADE)
def test_shapes_and_moments(name: str) -> None:
    ours, theirs = make(flambeau, name), make(torch, name)
    assert tuple(ours.batch_shape) == tuple(theirs.batch_shape) and tuple(ours.event_shape) == tuple(theirs.event_shape)
    assert repr(ours) == repr(theirs) and ours.has_rsample == theirs.has_rsample
    for what in ("mean", "variance", "stddev", "mode"):
        if (name, what) == ("Kumaraswamy", "mode"):
            continue  # PyTorch's is NaN throughout; see test_mode_of_kumaraswamy
        one, other = (outcome(lambda d=d: getattr(d, what)) for d in (ours, theirs))
        assert close(one, other), (what, one, other)
    one, other = outcome(ours.entropy), outcome(theirs.entropy)
    assert close(one, other), ("entropy", one, other)


@pytest.mark.parametrize("name", MADE)
def test_samples_and_densities(name: str) -> None:
    samples = []
    for library in (flambeau, torch):
        library.manual_seed(3)
        samples.append(make(library, name).sample((4,)))
    # PyTorch draws Wishart samples again where they are regular, not where they are singular.
    assert name == "Wishart" or close(samples[0].tolist(), samples[1].tolist(), 1e-4), (samples[0], samples[1])
    given = samples[1]
    ours, theirs = make(flambeau, name), make(torch, name)
    value = flambeau.tensor(given.tolist(), dtype=getattr(flambeau, str(given.dtype)[6:]))
    assert close(ours.log_prob(value).tolist(), theirs.log_prob(given).tolist(), 1e-4)
    one, other = (outcome(lambda d=d, x=x: d.cdf(x)) for d, x in ((ours, value), (theirs, given)))
    assert close(one, other, 1e-4), ("cdf", one, other)
    if isinstance(one, list):
        one, other = (
            outcome(lambda d=d, lib=lib: d.icdf(lib.full(d.batch_shape, 0.3)))
            for d, lib in ((ours, flambeau), (theirs, torch))
        )
        assert close(one, other, 1e-4), ("icdf", one, other)


@pytest.mark.parametrize("name", MADE)
def test_expand_and_support(name: str) -> None:
    ours, theirs = make(flambeau, name), make(torch, name)
    shape = (2, *ours.batch_shape)
    one, other = ours.expand(shape), theirs.expand(shape)
    assert tuple(one.batch_shape) == tuple(other.batch_shape) and one.sample().shape == ours._extended_shape((2,))
    assert repr(ours.support) == repr(theirs.support)
    a, b = (outcome(lambda d=d: d.enumerate_support()) for d in (one, other))
    assert close(a, b)


@pytest.mark.parametrize("name", ["Gamma", "Beta", "Dirichlet", "StudentT", "Chi2"])
def test_gradients_of_samples(name: str) -> None:
    def gradient(library: Any) -> Any:
        parameter = library.tensor([0.4, 1.5, 12.0], requires_grad=True)
        family = getattr(library.distributions, name)
        library.manual_seed(0)
        made = family(parameter, 2.0) if name in ("Gamma", "Beta") else family(parameter)
        weights = library.arange(1.0, 4.0)
        (made.rsample((3,)) * weights).sum().backward()
        return parameter.grad.tolist()

    assert close(gradient(flambeau), gradient(torch), 5e-3), (gradient(flambeau), gradient(torch))


FAMILIES = (
    "Bernoulli Beta Binomial Categorical Cauchy ContinuousBernoulli Dirichlet Exponential Gamma Geometric Gumbel HalfNormal "
    "Independent Laplace LogNormal LowRankMultivariateNormal MultivariateNormal Normal OneHotCategorical Pareto Poisson Uniform"
).split()


@pytest.mark.parametrize("first", FAMILIES)
def test_divergences(first: str) -> None:
    for second in FAMILIES:
        if {first, second} == {"ContinuousBernoulli", "Uniform"}:
            continue  # PyTorch says infinite where the bounds are those of [0, 1] themselves
        one, other = (
            outcome(lambda t=t: t.distributions.kl_divergence(make(t, first), make(t, second))) for t in (flambeau, torch)
        )
        assert close(one, other, 1e-4), (first, second, one, other)


@pytest.mark.parametrize(
    "call",
    [
        "t.distributions.Normal(0.0, -1.0)", "t.distributions.Normal(t.zeros(2), t.tensor([1.0, -1.0]))",
        "t.distributions.Bernoulli()", "t.distributions.Bernoulli(2.0)", "t.distributions.Normal(0.0, 1.0).log_prob(3)",
        "t.distributions.Bernoulli(0.5).log_prob(t.tensor([1.0, 3.0]))", "t.distributions.Normal('a', 1.0)",
        "t.distributions.Normal(t.zeros(2), 1.0).log_prob(t.zeros(3))", "t.distributions.Dirichlet(t.tensor(1.0))",
        "t.distributions.Uniform(1.0, 0.0)", "t.distributions.transform_to(t.distributions.constraints.interval(0, 2))",
    ],
)  # fmt: skip
def test_messages(call: str) -> None:
    def run(library: Any) -> str:
        try:
            return repr(eval(call, {"t": library}))
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    assert run(flambeau) == run(torch)


TRANSFORMS = {
    "ExpTransform()": (3,), "SigmoidTransform()": (3,), "TanhTransform()": (3,), "SoftplusTransform()": (3,),
    "AffineTransform(1.0, -2.0)": (3,), "PowerTransform(t.tensor(2.0))": (3,), "StickBreakingTransform()": (3,),
    "CorrCholeskyTransform()": (3,), "ReshapeTransform((3,), (1, 3))": (3,), "SoftmaxTransform()": (3,),
    "LowerCholeskyTransform()": (2, 2), "IndependentTransform(t.distributions.ExpTransform(), 1)": (3,),
    "CatTransform([t.distributions.ExpTransform(), t.distributions.TanhTransform()], lengths=[1, 2])": (3,),
    "StackTransform([t.distributions.ExpTransform(), t.distributions.TanhTransform()])": (2, 2),
    "ComposeTransform([t.distributions.ExpTransform(), t.distributions.AffineTransform(0.0, 3.0)])": (3,),
    "CumulativeDistributionTransform(t.distributions.Normal(0.0, 1.0))": (3,),
}  # fmt: skip


@pytest.mark.parametrize("text", TRANSFORMS)
def test_transforms(text: str) -> None:
    def run(library: Any) -> Any:
        transform = eval(f"t.distributions.{text}", {"t": library})
        count = math.prod(TRANSFORMS[text])
        x = (library.arange(1.0, count + 1) / (count + 2)).view(TRANSFORMS[text])
        y = transform(x)
        jacobian = outcome(lambda: transform.log_abs_det_jacobian(x, y))
        return [y.tolist(), transform.inv(y).tolist(), jacobian]

    assert close(run(flambeau), run(torch), 1e-4), (run(flambeau), run(torch))


def test_maps_onto_constraints() -> None:
    c = flambeau.distributions.constraints
    for constraint, kind in itertools.product(
        (c.positive, c.interval(-1.0, 2.0), c.simplex, c.less_than(3.0), c.corr_cholesky), ("transform_to", "biject_to")
    ):
        transform = getattr(flambeau.distributions, kind)(constraint)
        assert constraint.check(transform(flambeau.randn(4, 3))).all()


def test_mode_of_kumaraswamy() -> None:
    made = flambeau.distributions.Kumaraswamy(flambeau.tensor([1.5, 2.5]), 2.0)
    grid = flambeau.linspace(0.001, 0.999, 999)
    best = grid[made.log_prob(grid.unsqueeze(1)).argmax(0)]
    assert flambeau.allclose(made.mode, best, atol=1e-3)


def test_wishart_mean() -> None:
    flambeau.manual_seed(0)
    made = flambeau.distributions.Wishart(flambeau.tensor(4.0), flambeau.tensor([[2.0, 0.5], [0.5, 1.0]]))
    assert flambeau.allclose(made.sample((20000,)).mean(0), made.mean, atol=0.2)


def test_continuous_bernoulli_within_a_uniform() -> None:
    p, q = flambeau.distributions.ContinuousBernoulli(0.3), flambeau.distributions.Uniform(0.0, 2.0)
    x = flambeau.linspace(0.0005, 0.9995, 1000)
    expected = (p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x))).mean()
    assert flambeau.allclose(flambeau.distributions.kl_divergence(p, q), expected, atol=1e-4)
