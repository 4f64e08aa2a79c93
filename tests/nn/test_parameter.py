"""Parameters, buffers, and those without a shape yet."""

import copy
import pickle

import pytest

import flambeau
from flambeau import nn

CASES = {
    "empty": lambda lib: lib.nn.Parameter(),
    "print": lambda lib: lib.nn.Parameter(lib.ones(2, 2)),
    "frozen integers": lambda lib: lib.nn.Parameter(lib.ones(1, dtype=lib.int32), requires_grad=False),
    "integers": lambda lib: lib.nn.Parameter(lib.ones(1, dtype=lib.int32)),
    "of int": lambda lib: lib.nn.Parameter(3),
    "class of a result": lambda lib: type(lib.nn.Parameter(lib.ones(1)) * 2).__name__,
    "isinstance": lambda lib: (
        isinstance(lib.ones(1), lib.nn.Parameter),
        isinstance(lib.nn.Parameter(lib.ones(1)), lib.Tensor),
        isinstance(lib.nn.Parameter(lib.ones(1)), lib.nn.Buffer),
        isinstance(lib.nn.Buffer(lib.ones(1)), lib.nn.Buffer),
        type(lib.nn.Buffer(lib.ones(1))).__name__,
    ),
    "buffer": lambda lib: lib.nn.Buffer(lib.ones(2)),
    "buffer not persistent": lambda lib: lib.nn.Buffer(lib.ones(2), persistent=False).persistent,
    "uninitialized": lambda lib: (lib.nn.UninitializedParameter(), lib.nn.UninitializedBuffer()),
    "its shape": lambda lib: lib.nn.UninitializedParameter().shape,
    "its memory shared": lambda lib: lib.nn.UninitializedParameter().share_memory_(),
    "its class": lambda lib: isinstance(lib.nn.UninitializedParameter(), lib.nn.Parameter),
    "its dtype": lambda lib: lib.nn.UninitializedParameter(dtype=lib.float64).dtype,
    "its deepcopy": lambda lib: copy.deepcopy(lib.nn.UninitializedParameter()),
    "its pickle": lambda lib: pickle.loads(pickle.dumps(lib.nn.UninitializedParameter())),
    "materialized": lambda lib: _materialized(lib.nn.UninitializedParameter()),
    "materialized buffer": lambda lib: _materialized(lib.nn.UninitializedBuffer()),
}


@pytest.mark.parametrize("use", [lambda u: u + 1, lambda u: u.detach(), flambeau.sin])
def test_values_of_an_uninitialized_parameter_are_refused(use):
    with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
        use(nn.UninitializedParameter())


def _materialized(value):
    value.materialize((2, 3))
    return type(value).__name__, value.shape, value.requires_grad


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_parameters(agree, case):
    agree(CASES[case])


def test_parameter_shares_memory():
    data = flambeau.ones(2)
    parameter = nn.Parameter(data)
    assert parameter.data_ptr() == data.data_ptr() and parameter.is_leaf


def test_deepcopy_and_pickle():
    parameter = nn.Parameter(flambeau.ones(2), requires_grad=False)
    for twin in (copy.deepcopy(parameter), pickle.loads(pickle.dumps(parameter))):
        assert type(twin) is nn.Parameter and not twin.requires_grad and twin.tolist() == [1.0, 1.0]


def test_attributes_survive_a_pickle():
    parameter = nn.Parameter(flambeau.ones(2))
    parameter.note = "kept"
    assert pickle.loads(pickle.dumps(parameter)).note == "kept"


def lazy(lib):
    class Doubling(lib.nn.modules.lazy.LazyModuleMixin, lib.nn.Module):
        cls_to_become = None

        def __init__(self):
            super().__init__()
            self.weight = lib.nn.UninitializedParameter()
            self.seen = lib.nn.UninitializedBuffer()

        def initialize_parameters(self, x):
            self.weight.materialize((x.shape[-1],))
            self.seen.materialize((1,))

        def forward(self, x):
            return self.weight.shape, self.seen.shape

    return Doubling()


def _forgetful(lib):
    module = lazy(lib)
    type(module).initialize_parameters = lambda self, x: None
    return module(lib.ones(1))


LAZY = {
    "print": lambda lib: lib.nn.LazyLinear(3),
    "state": lambda lib: lib.nn.LazyLinear(3).state_dict(),
    "becomes": lambda lib: (lambda layer: (layer(lib.ones(2, 5)).shape, layer, type(layer).__name__))(
        lib.nn.LazyLinear(3)
    ),
    "own": lambda lib: lazy(lib)(lib.ones(4)),
    "forgetful": _forgetful,
    "undefined": lambda lib: type("L", (lib.nn.modules.lazy.LazyModuleMixin, lib.nn.Module), {})()(1),
    "loads a shape": lambda lib: _loaded(lib),
    "loads its like": lambda lib: lib.nn.LazyLinear(3).load_state_dict(lib.nn.LazyLinear(3).state_dict()),
    "into an initialized one": lambda lib: lib.nn.Linear(2, 3).load_state_dict(lib.nn.LazyLinear(3).state_dict()),
    "deepcopy": lambda lib: copy.deepcopy(lib.nn.LazyLinear(3))(lib.ones(1, 2)).shape,
    "pickle": lambda lib: pickle.loads(pickle.dumps(lib.nn.LazyLinear(3)))(lib.ones(1, 2)).shape,
    "to": lambda lib: lib.nn.LazyLinear(3).to(lib.float64).weight,
    "double": lambda lib: lib.nn.LazyLinear(3).double()(lib.ones(1, 2, dtype=lib.float64)).dtype,
    "share memory": lambda lib: lib.nn.LazyLinear(3).share_memory(),
    "initialised as the eager one": lambda lib: _first_weights(lib, lib.nn.LazyLinear(3)),
}


def _loaded(lib):
    layer = lib.nn.LazyLinear(3)
    layer.load_state_dict(lib.nn.Linear(2, 3).state_dict())
    return layer.weight.shape, layer(lib.ones(1, 2)).shape, type(layer).__name__, layer


def _first_weights(lib, layer):
    layer(lib.ones(1, 2))
    return layer.weight, layer.bias


@pytest.mark.parity
@pytest.mark.parametrize("case", LAZY)
def test_lazy_modules(agree, case):
    agree(LAZY[case])
