"""``nn.init`` draws PyTorch's numbers and raises its errors."""

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

FILLED = {
    "uniform": ("uniform_", (3, 4), {}),
    "uniform bounds": ("uniform_", (3, 4), {"a": -2, "b": 5}),
    "normal": ("normal_", (3, 50), {"mean": 1.0, "std": 2.0}),
    "constant": ("constant_", (2, 3), {"val": 4}),
    "ones": ("ones_", (2, 3), {}),
    "zeros": ("zeros_", (2, 3), {}),
    "eye": ("eye_", (2, 4), {}),
    "dirac": ("dirac_", (4, 2, 3, 3), {"groups": 2}),
    "dirac 1d": ("dirac_", (2, 3, 5), {}),
    "xavier uniform": ("xavier_uniform_", (3, 4, 2), {"gain": 2.0}),
    "xavier normal": ("xavier_normal_", (30, 4), {}),
    "kaiming uniform": ("kaiming_uniform_", (3, 4, 2), {"a": 0.3}),
    "kaiming normal": ("kaiming_normal_", (30, 4), {"mode": "fan_out", "nonlinearity": "relu"}),
    "kaiming empty": ("kaiming_uniform_", (0, 4), {}),
    "truncated": ("trunc_normal_", (100,), {}),
    "truncated narrow": ("trunc_normal_", (7, 11), {"a": -0.1, "b": 0.2}),
    "truncated tail": ("trunc_normal_", (50,), {"a": 5, "b": 6}),
    "truncated moved": ("trunc_normal_", (50,), {"mean": 1.0, "std": 2.0}),
    "sparse": ("sparse_", (10, 4), {"sparsity": 0.35}),
    "orthogonal": ("orthogonal_", (5, 3), {"gain": 2}),
    "orthogonal wide": ("orthogonal_", (2, 3, 4), {}),
}


@pytest.mark.parametrize("case", FILLED)
def test_numbers(case):
    name, shape, options = FILLED[case]
    results = []
    for library in (torch, flambeau):
        library.manual_seed(3)
        filled = getattr(library.nn.init, name)(library.empty(shape), **options)
        results.append(filled.numpy())
        results.append(library.rand(2).numpy())  # and the generator is left where PyTorch's is
    np.testing.assert_allclose(results[2], results[0], rtol=2e-6, atol=2e-7)
    np.testing.assert_array_equal(results[3], results[1])


ERRORS = {
    "eye": lambda lib: lib.nn.init.eye_(lib.empty(3)),
    "dirac": lambda lib: lib.nn.init.dirac_(lib.empty(3)),
    "dirac groups": lambda lib: lib.nn.init.dirac_(lib.empty(3, 2, 3), 2),
    "sparse": lambda lib: lib.nn.init.sparse_(lib.empty(3), 0.1),
    "orthogonal": lambda lib: lib.nn.init.orthogonal_(lib.empty(3)),
    "xavier": lambda lib: lib.nn.init.xavier_normal_(lib.empty(3)),
    "kaiming mode": lambda lib: lib.nn.init.kaiming_uniform_(lib.empty(2, 2), mode="xx"),
    "gain": lambda lib: lib.nn.init.calculate_gain("zz"),
    "gain of a flag": lambda lib: lib.nn.init.calculate_gain("leaky_relu", True),
    "deprecated": lambda lib: lib.nn.init.constant(lib.empty(2), 3),
    "far bounds": lambda lib: lib.nn.init.trunc_normal_(lib.empty(3), 100).shape,
    "empty": lambda lib: lib.nn.init.kaiming_uniform_(lib.empty(0, 3)).shape,
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_and_warnings(agree, case):
    agree(ERRORS[case])


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gain(name):
    assert flambeau.nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)


def test_parameters_keep_requiring_grad():
    parameter = flambeau.nn.Parameter(flambeau.empty(3))
    assert flambeau.nn.init.normal_(parameter) is parameter
    assert parameter.requires_grad and parameter.is_leaf
