"""Clipping, vectors of parameters, fusion, skipped initialisation and stateless calls, as in PyTorch."""

import pytest

import flambeau
from flambeau import nn


def trained(lib):
    layer = lib.nn.Linear(2, 2)
    layer(lib.ones(1, 2)).sum().backward()
    return layer


def clipped(lib, *args, **options):
    layer = trained(lib)
    norm = lib.nn.utils.clip_grad_norm_(layer.parameters(), *args, **options)
    return norm, layer.weight.grad, layer.bias.grad


def _not_finite(lib):
    layer = trained(lib)
    layer.weight.grad.fill_(float("nan"))
    return lib.nn.utils.clip_grad_norm_(layer.weight, 1.0, error_if_nonfinite=True)


def _by_value(lib):
    layer = trained(lib)
    return lib.nn.utils.clip_grad_value_(layer.parameters(), 0.1), layer.weight.grad


def _with_norm(lib):
    layer = trained(lib)
    return lib.nn.utils.clip_grads_with_norm_(layer.parameters(), 0.1, lib.tensor(3.0)), layer.weight.grad


def _restored(lib, count):
    layer = lib.nn.Linear(2, 2)
    lib.nn.utils.vector_to_parameters(lib.arange(float(count)), layer.parameters())
    return layer.weight, layer.bias


def tied(lib):
    class Tied(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = lib.nn.Linear(1, 1, bias=False)
            self.b = lib.nn.Linear(1, 1, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.a(x) + self.b(x)

    return Tied()


TOOLS = {
    "clip": lambda lib, u: clipped(lib, 0.5),
    "clip nothing": lambda lib, u: clipped(lib, 100.0),
    "clip inf": lambda lib, u: clipped(lib, 0.5, float("inf")),
    "clip inf by name": lambda lib, u: clipped(lib, 0.5, "inf"),
    "clip one": lambda lib, u: clipped(lib, 0.5, 1),
    "clip an empty generator": lambda lib, u: u.clip_grad_norm_((p for p in []), 1),
    "clip no parameters": lambda lib, u: u.clip_grad_norm_([], 1),
    "clip not finite": lambda lib, u: _not_finite(lib),
    "clip, deprecated": lambda lib, u: u.clip_grad_norm(trained(lib).parameters(), 1.0),
    "clip values": lambda lib, u: _by_value(lib),
    "clip with a norm": lambda lib, u: _with_norm(lib),
    "total norm": lambda lib, u: u.get_total_norm([lib.ones(2), lib.ones(3)]),
    "total norm of one": lambda lib, u: u.get_total_norm(lib.ones(4), 1),
    "total norm of none": lambda lib, u: u.get_total_norm([]),
    "total norm zero": lambda lib, u: u.get_total_norm([lib.ones(2), lib.ones(3)], 0),
    "to a vector": lambda lib, u: u.parameters_to_vector(trained(lib).parameters()),
    "from a vector": lambda lib, u: _restored(lib, 6),
    "from a short vector": lambda lib, u: _restored(lib, 4),
    "from no vector": lambda lib, u: u.vector_to_parameters(3, []),
    "skip_init": lambda lib, u: u.skip_init(lib.nn.Linear, 2, 3).weight.shape,
    "skip_init without device": lambda lib, u: u.skip_init(lib.nn.Identity().__class__.__bases__[0]),
    "skip_init of int": lambda lib, u: u.skip_init(int),
    "stateless": lambda lib, u: u.stateless.functional_call(
        lib.nn.Linear(2, 2), {"weight": lib.ones(2, 2)}, lib.ones(1, 2)
    ),
}


def _folded(lib, function, *shape, **options):
    weight = lib.randn(*shape)
    channels = shape[1] if options.get("transpose") else shape[0]
    statistics = [lib.randn(channels), lib.rand(channels) + 0.5, 1e-3, lib.rand(channels), lib.randn(channels)]
    return function(weight, lib.randn(channels), *statistics, **options)


def _folded_module(lib):
    linear, norm = lib.nn.Linear(2, 3).eval(), lib.nn.BatchNorm1d(3).eval()
    with lib.no_grad():
        norm.running_mean.uniform_()
        norm.running_var.uniform_(0.5, 2)
        norm.weight.uniform_()
    return lib.nn.utils.fuse_linear_bn_eval(linear, norm)(lib.ones(1, 2)).detach()


TOOLS |= {
    "fold into linear weights": lambda lib, u: _folded(lib, u.fuse_linear_bn_weights, 3, 2),
    "fold into convolution weights": lambda lib, u: _folded(lib, u.fuse_conv_bn_weights, 3, 2, 2, 2),
    "fold into transposed weights": lambda lib, u: _folded(lib, u.fuse_conv_bn_weights, 3, 2, 2, 2, transpose=True),
    "fold into a module": lambda lib, u: _folded_module(lib),
    "fold while training": lambda lib, u: u.fuse_linear_bn_eval(lib.nn.Linear(2, 3), lib.nn.BatchNorm1d(3)),
}


@pytest.mark.parity
@pytest.mark.parametrize("case", TOOLS)
def test_tools(agree, case):
    agree(lambda lib: TOOLS[case](lib, lib.nn.utils))


CALLS = {
    "replaced": lambda lib, c: c(lib.nn.Linear(2, 2), {"weight": lib.ones(2, 2)}, (lib.ones(1, 2),)).detach(),
    "unknown": lambda lib, c: c(lib.nn.Linear(2, 2), {"zz": lib.ones(2, 2)}, (lib.ones(1, 2),)).detach(),
    "strictly missing": lambda lib, c: c(lib.nn.Linear(2, 2), {"weight": lib.ones(2, 2)}, (), strict=True),
    "strictly wrong": lambda lib, c: c(lib.nn.Linear(2, 2), {"zz": lib.ones(2, 2)}, (), strict=True),
    "two dictionaries": lambda lib, c: c(
        lib.nn.Linear(2, 2), [{"weight": lib.ones(2, 2)}, {"bias": lib.ones(2)}], lib.ones(1, 2)
    ),
    "twice": lambda lib, c: c(lib.nn.Linear(2, 2), [{"weight": lib.ones(2, 2)}, {"weight": lib.ones(2)}], ()),
    "int": lambda lib, c: c(lib.nn.Linear(2, 2), {"weight": 3}, (lib.ones(1, 2),)),
    "tied": lambda lib, c: c(tied(lib), {"a.weight": lib.zeros(1, 1)}, (lib.ones(1, 1),)),
    "tied twice": lambda lib, c: c(
        tied(lib), {"a.weight": lib.zeros(1, 1), "b.weight": lib.ones(1, 1)}, (lib.ones(1, 1),)
    ),
    "not tied": lambda lib, c: c(
        tied(lib), {"a.weight": lib.zeros(1, 1), "b.weight": lib.ones(1, 1)}, (lib.ones(1, 1),), tie_weights=False
    ),
}


@pytest.mark.parity
@pytest.mark.parametrize("case", CALLS)
def test_functional_call(agree, case):
    agree(lambda lib: CALLS[case](lib, lib.func.functional_call))


def test_functional_call_leaves_the_module_as_it_was():
    layer = nn.Linear(1, 1)
    weight = layer.weight
    given = flambeau.ones(1, 1, requires_grad=True)
    flambeau.func.functional_call(layer, {"weight": given}, flambeau.ones(1, 1)).sum().backward()
    assert layer.weight is weight and weight.grad is None and given.grad.item() == 1.0
    with pytest.raises(TypeError, match="str"):
        flambeau.func.functional_call(layer, {"weight": given}, "nonsense")
    assert layer.weight is weight
