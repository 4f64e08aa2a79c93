"""Weights computed from others: parametrizations and the older hooks, as in PyTorch."""

import copy
import pickle

import pytest

import flambeau
from flambeau import nn


def module_class(lib, **methods):
    return type("Made", (lib.nn.Module,), {name: staticmethod(method) for name, method in methods.items()})()


def symmetric(lib):
    return module_class(lib, forward=lambda x: x.triu() + x.triu(1).mT, right_inverse=lambda x: x.triu())


def halves(lib):
    return module_class(lib, forward=lambda a, b: a + b, right_inverse=lambda x: (x / 2, x / 2))


def square(lib, *parametrizations, **options):
    layer = lib.nn.Linear(3, 3)
    for parametrization in parametrizations:
        lib.nn.utils.parametrize.register_parametrization(layer, "weight", parametrization, **options)
    return layer


def _assigned(lib, parametrization):
    layer = square(lib, parametrization)
    layer.weight = lib.ones(3, 3)
    return layer.weight.detach(), list(layer.state_dict())


def _removed(lib, parametrization, leave, **options):
    layer = square(lib, parametrization, **options)
    result = lib.nn.utils.parametrize.remove_parametrizations(layer, "weight", leave)
    return result is layer, type(layer).__name__, layer.weight, list(layer.state_dict())


def _transferred(lib):
    source, target = square(lib, symmetric(lib)), lib.nn.Linear(3, 3)
    result = lib.nn.utils.parametrize.transfer_parametrizations_and_params(source, target)
    return type(result).__name__, list(result.state_dict()), (result.weight == source.weight).all()


def _cached(lib):
    layer = square(lib, symmetric(lib))
    with lib.nn.utils.parametrize.cached():
        inside = layer.weight is layer.weight
    return inside, layer.weight is layer.weight


PARAMETRIZE = {
    "registered": lambda lib, p: square(lib, symmetric(lib)),
    "twice": lambda lib, p: square(lib, symmetric(lib), symmetric(lib)),
    "state": lambda lib, p: list(square(lib, symmetric(lib)).state_dict()),
    "two originals": lambda lib, p: list(square(lib, halves(lib)).state_dict()),
    "is parametrized": lambda lib, p: (
        p.is_parametrized(square(lib, symmetric(lib))),
        p.is_parametrized(square(lib, symmetric(lib)), "weight"),
        p.is_parametrized(square(lib, symmetric(lib)), "bias"),
        p.is_parametrized(lib.nn.Identity()),
    ),
    "assigned": lambda lib, p: _assigned(lib, symmetric(lib)),
    "assigned to two": lambda lib, p: _assigned(lib, halves(lib)),
    "assigned without inverse": lambda lib, p: _assigned(lib, lib.nn.Identity()),
    "deleted": lambda lib, p: delattr(square(lib, symmetric(lib)), "weight"),
    "removed": lambda lib, p: _removed(lib, symmetric(lib), True),
    "removed to the original": lambda lib, p: _removed(lib, symmetric(lib), False),
    "removed from two": lambda lib, p: _removed(lib, halves(lib), True),
    "removed from two to the original": lambda lib, p: _removed(lib, halves(lib), False),
    "removed where none is": lambda lib, p: p.remove_parametrizations(square(lib), "weight"),
    "unknown name": lambda lib, p: p.register_parametrization(square(lib), "zz", symmetric(lib)),
    "another shape": lambda lib, p: square(lib, module_class(lib, forward=lambda x: x[:2])),
    "another shape, unsafe": lambda lib, p: (
        square(lib, module_class(lib, forward=lambda x: x[:2]), unsafe=True).weight.shape
    ),
    "another dtype": lambda lib, p: square(lib, module_class(lib, forward=lambda x: x.double())),
    "no tensor": lambda lib, p: square(lib, module_class(lib, forward=lambda x: 3)),
    "inverse is no tensor": lambda lib, p: square(
        lib, module_class(lib, forward=lambda x: x, right_inverse=lambda x: 3)
    ),
    "inverse of another dtype": lambda lib, p: square(
        lib, module_class(lib, forward=lambda x: x, right_inverse=lambda x: x.double())
    ),
    "cached": lambda lib, p: _cached(lib),
    "pickled": lambda lib, p: pickle.dumps(square(lib, symmetric(lib))),
    "copied": lambda lib, p: copy.deepcopy(square(lib, symmetric(lib))),
    "class before": lambda lib, p: p.type_before_parametrizations(square(lib, symmetric(lib))).__name__,
    "transferred": lambda lib, p: _transferred(lib),
}


@pytest.mark.parity
@pytest.mark.parametrize("case", PARAMETRIZE)
def test_parametrize(agree, case):
    agree(lambda lib: PARAMETRIZE[case](lib, lib.nn.utils.parametrize))


def weights(layer, steps=1):
    """The weight in training, then in evaluation, and the state it left."""
    found = []
    for _ in range(steps):
        found.append(layer.weight.detach())
    layer.eval()
    return found, layer.weight.detach(), layer.state_dict()


def _gradient(lib, layer):
    (layer(lib.ones(1, 2)) * 2).sum().backward()
    return [(name, parameter.grad) for name, parameter in layer.named_parameters()]


def _forgotten(lib, apply, remove):
    layer = apply(lib.nn.Linear(2, 3))
    layer(lib.ones(1, 2))
    return remove(layer), list(layer.state_dict()), layer.weight


NORMS = {
    "weight_norm": lambda lib, p: weights(p.weight_norm(lib.nn.Linear(2, 3))),
    "weight_norm of all": lambda lib, p: weights(p.weight_norm(lib.nn.Linear(2, 3), dim=None)),
    "weight_norm gradient": lambda lib, p: _gradient(lib, p.weight_norm(lib.nn.Linear(2, 3))),
    "weight_norm elsewhere": lambda lib, p: p.weight_norm(lib.nn.Linear(2, 3), "zz"),
    "spectral_norm": lambda lib, p: weights(p.spectral_norm(lib.nn.Linear(2, 3)), 2),
    "spectral_norm gradient": lambda lib, p: _gradient(lib, p.spectral_norm(lib.nn.Linear(2, 3))),
    "spectral_norm elsewhere": lambda lib, p: p.spectral_norm(lib.nn.Linear(2, 3), "zz"),
    "spectral_norm without steps": lambda lib, p: p.spectral_norm(lib.nn.Linear(2, 3), n_power_iterations=0),
    "orthogonal of a vector": lambda lib, p: p.orthogonal(lib.nn.Linear(2, 3), "bias"),
    "orthogonal by nonsense": lambda lib, p: p.orthogonal(lib.nn.Linear(2, 3), orthogonal_map="zz"),
    "old weight_norm": lambda lib, p: list(lib.nn.utils.weight_norm(lib.nn.Linear(2, 3)).state_dict()),
    "old weight_norm gradient": lambda lib, p: _gradient(lib, lib.nn.utils.weight_norm(lib.nn.Linear(2, 3))),
    "old weight_norm twice": lambda lib, p: lib.nn.utils.weight_norm(lib.nn.utils.weight_norm(lib.nn.Linear(2, 3))),
    "old weight_norm removed": lambda lib, p: _forgotten(
        lib, lib.nn.utils.weight_norm, lib.nn.utils.remove_weight_norm
    ),
    "old weight_norm not there": lambda lib, p: lib.nn.utils.remove_weight_norm(lib.nn.Linear(2, 3)),
    "old spectral_norm": lambda lib, p: lib.nn.utils.spectral_norm(lib.nn.Linear(2, 3)).state_dict(),
    "old spectral_norm gradient": lambda lib, p: _gradient(lib, lib.nn.utils.spectral_norm(lib.nn.Linear(2, 3))),
    "old spectral_norm removed": lambda lib, p: _forgotten(
        lib, lib.nn.utils.spectral_norm, lib.nn.utils.remove_spectral_norm
    ),
    "old spectral_norm not there": lambda lib, p: lib.nn.utils.remove_spectral_norm(lib.nn.Linear(2, 3)),
}


@pytest.mark.parity
@pytest.mark.parametrize("case", NORMS)
def test_norms(agree, case):
    agree(lambda lib: NORMS[case](lib, lib.nn.utils.parametrizations))


def test_parametrized_weights_train():
    layer = square(flambeau, symmetric(flambeau))
    layer(flambeau.ones(1, 3)).sum().backward()
    assert layer.parametrizations.weight.original.grad is not None


@pytest.mark.parametrize("orthogonal_map", ["householder", "matrix_exp", "cayley"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_orthogonal_weights_are(orthogonal_map, shape):
    if not hasattr(flambeau, "linalg"):
        pytest.skip("flambeau.linalg is not there yet")
    layer = nn.utils.parametrizations.orthogonal(nn.Linear(*shape), orthogonal_map=orthogonal_map)
    weight = layer.weight.detach()
    product = weight @ weight.t() if weight.shape[0] < weight.shape[1] else weight.t() @ weight
    assert flambeau.allclose(product, flambeau.eye(len(product)), atol=1e-5)
