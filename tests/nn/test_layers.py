"""Layers print, start and compute as PyTorch's: linear, activations, dropout, normalisation, embedding, padding."""

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

#: How to make each layer, and the shape of an input to it.
LAYERS = {
    "Linear": (lambda nn: nn.Linear(4, 3), (2, 4)),
    "Linear without bias": (lambda nn: nn.Linear(4, 3, bias=False), (2, 5, 4)),
    "Identity": (lambda nn: nn.Identity(1, a=2), (2, 4)),
    "Flatten": (lambda nn: nn.Flatten(), (2, 3, 4)),
    "Unflatten": (lambda nn: nn.Unflatten(1, (2, 2)), (3, 4)),
    "CELU": (lambda nn: nn.CELU(2.0), (2, 4)),
    "ELU": (lambda nn: nn.ELU(0.5, True), (2, 4)),
    "GELU": (lambda nn: nn.GELU(), (2, 4)),
    "GELU tanh": (lambda nn: nn.GELU("tanh"), (2, 4)),
    "GLU": (lambda nn: nn.GLU(1), (2, 4)),
    "Hardshrink": (lambda nn: nn.Hardshrink(), (2, 4)),
    "Hardsigmoid": (lambda nn: nn.Hardsigmoid(True), (2, 4)),
    "Hardswish": (lambda nn: nn.Hardswish(), (2, 4)),
    "Hardtanh": (lambda nn: nn.Hardtanh(-0.5, 0.2), (2, 4)),
    "LeakyReLU": (lambda nn: nn.LeakyReLU(0.2, True), (2, 4)),
    "LogSigmoid": (lambda nn: nn.LogSigmoid(), (2, 4)),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(1), (2, 4)),
    "Mish": (lambda nn: nn.Mish(), (2, 4)),
    "PReLU": (lambda nn: nn.PReLU(4, 0.1), (2, 4)),
    "RReLU": (lambda nn: nn.RReLU(0.1, 0.2), (2, 4)),
    "ReLU": (lambda nn: nn.ReLU(True), (2, 4)),
    "ReLU6": (lambda nn: nn.ReLU6(), (2, 4)),
    "SELU": (lambda nn: nn.SELU(), (2, 4)),
    "SiLU": (lambda nn: nn.SiLU(), (2, 4)),
    "Sigmoid": (lambda nn: nn.Sigmoid(), (2, 4)),
    "Softmax": (lambda nn: nn.Softmax(-1), (2, 4)),
    "Softmax2d": (lambda nn: nn.Softmax2d(), (2, 4, 3, 3)),
    "Softmin": (lambda nn: nn.Softmin(1), (2, 4)),
    "Softplus": (lambda nn: nn.Softplus(2, 3), (2, 4)),
    "Softshrink": (lambda nn: nn.Softshrink(), (2, 4)),
    "Softsign": (lambda nn: nn.Softsign(), (2, 4)),
    "Tanh": (lambda nn: nn.Tanh(), (2, 4)),
    "Tanhshrink": (lambda nn: nn.Tanhshrink(), (2, 4)),
    "Threshold": (lambda nn: nn.Threshold(0.1, 20), (2, 4)),
    "Dropout": (lambda nn: nn.Dropout(0.3), (20, 4)),
    "Dropout in place": (lambda nn: nn.Dropout(0.3, True), (20, 4)),
    "Dropout1d": (lambda nn: nn.Dropout1d(), (3, 4, 5)),
    "Dropout2d": (lambda nn: nn.Dropout2d(), (3, 4, 5, 2)),
    "Dropout3d": (lambda nn: nn.Dropout3d(), (3, 4, 5, 2, 2)),
    "AlphaDropout": (lambda nn: nn.AlphaDropout(), (20, 4)),
    "FeatureAlphaDropout": (lambda nn: nn.FeatureAlphaDropout(), (3, 4, 5)),
    "BatchNorm1d": (lambda nn: nn.BatchNorm1d(4), (5, 4)),
    "BatchNorm1d of sequences": (lambda nn: nn.BatchNorm1d(4, momentum=None), (5, 4, 3)),
    "BatchNorm2d": (lambda nn: nn.BatchNorm2d(4, affine=False, track_running_stats=False), (5, 4, 3, 2)),
    "BatchNorm3d": (lambda nn: nn.BatchNorm3d(2, bias=False), (3, 2, 3, 2, 2)),
    "LazyBatchNorm2d": (lambda nn: nn.LazyBatchNorm2d(), (5, 4, 3, 2)),
    "SyncBatchNorm": (lambda nn: nn.SyncBatchNorm(4), (5, 4)),
    "InstanceNorm1d": (lambda nn: nn.InstanceNorm1d(4, affine=True, track_running_stats=True), (2, 4, 5)),
    "InstanceNorm1d of one": (lambda nn: nn.InstanceNorm1d(4), (4, 5)),
    "InstanceNorm2d": (lambda nn: nn.InstanceNorm2d(4), (2, 4, 5, 3)),
    "InstanceNorm3d": (lambda nn: nn.InstanceNorm3d(2), (2, 2, 3, 3, 2)),
    "LazyInstanceNorm2d": (lambda nn: nn.LazyInstanceNorm2d(), (2, 4, 5, 3)),
    "LayerNorm": (lambda nn: nn.LayerNorm(4), (2, 3, 4)),
    "LayerNorm of two": (lambda nn: nn.LayerNorm((3, 4), bias=False), (2, 3, 4)),
    "GroupNorm": (lambda nn: nn.GroupNorm(2, 4), (2, 4, 5)),
    "RMSNorm": (lambda nn: nn.RMSNorm(4, 1e-3), (2, 3, 4)),
    "RMSNorm plain": (lambda nn: nn.RMSNorm((4,), elementwise_affine=False), (2, 3, 4)),
    "LocalResponseNorm": (lambda nn: nn.LocalResponseNorm(2), (2, 4, 5, 5)),
    "CircularPad1d": (lambda nn: nn.CircularPad1d((1, 2)), (2, 3, 4)),
    "CircularPad2d": (lambda nn: nn.CircularPad2d(1), (2, 3, 4)),
    "CircularPad3d": (lambda nn: nn.CircularPad3d(1), (2, 2, 3, 4)),
    "ConstantPad1d": (lambda nn: nn.ConstantPad1d(2, 3.5), (2, 3, 4)),
    "ConstantPad2d": (lambda nn: nn.ConstantPad2d((1, 0, 2, 1), 3.5), (2, 3, 4)),
    "ConstantPad3d": (lambda nn: nn.ConstantPad3d(1, 3.5), (2, 3, 4)),
    "ReflectionPad1d": (lambda nn: nn.ReflectionPad1d(2), (2, 3, 4)),
    "ReflectionPad2d": (lambda nn: nn.ReflectionPad2d(1), (2, 3, 4)),
    "ReflectionPad3d": (lambda nn: nn.ReflectionPad3d(1), (2, 2, 3, 4)),
    "ReplicationPad1d": (lambda nn: nn.ReplicationPad1d(2), (2, 3, 4)),
    "ReplicationPad2d": (lambda nn: nn.ReplicationPad2d(1), (2, 3, 4)),
    "ReplicationPad3d": (lambda nn: nn.ReplicationPad3d(1), (2, 2, 3, 4)),
    "ZeroPad1d": (lambda nn: nn.ZeroPad1d((1, 2)), (2, 3, 4)),
    "ZeroPad2d": (lambda nn: nn.ZeroPad2d(1), (2, 3, 4)),
    "ZeroPad3d": (lambda nn: nn.ZeroPad3d(1), (2, 3, 4)),
}

#: Layers of indices.
LOOKUPS = {
    "Embedding": lambda nn: nn.Embedding(10, 3),
    "Embedding with padding": lambda nn: nn.Embedding(10, 3, padding_idx=-1, scale_grad_by_freq=True),
    "Embedding with max_norm": lambda nn: nn.Embedding(10, 3, max_norm=1.0, norm_type=3.0),
    "EmbeddingBag": lambda nn: nn.EmbeddingBag(10, 3),
    "EmbeddingBag sum": lambda nn: nn.EmbeddingBag(10, 3, mode="sum", padding_idx=1),
    "EmbeddingBag max": lambda nn: nn.EmbeddingBag(10, 3, mode="max"),
}


def run(library, make, inputs, train):
    """What a layer prints, starts with, computes, and what gradients and state it leaves."""
    library.manual_seed(5)
    layer = make(library.nn).train(train)
    found = [str(layer)]
    data = [library.tensor(each) for each in inputs]
    leaves = [each.requires_grad_() for each in data if each.is_floating_point()]
    result = layer(*[each * 1 if each.is_floating_point() else each for each in data])
    found += [str(layer), result.detach().numpy()]
    (result * library.linspace(-1, 1, result.numel()).reshape(result.shape)).sum().backward()
    found += [each.grad.numpy() for each in leaves]
    for name, parameter in layer.named_parameters():
        found += [name, parameter.detach().numpy(), parameter.grad.numpy()]
    for name, value in layer.state_dict().items():
        found += [name, value.numpy()]
    return found


def compare(make, inputs, train):
    expected, got = run(torch, make, inputs, train), run(flambeau, make, inputs, train)
    assert [each for each in got if isinstance(each, str)] == [each for each in expected if isinstance(each, str)]
    for left, right in zip(got, expected, strict=True):
        if not isinstance(right, str):
            assert left.dtype == right.dtype
            np.testing.assert_allclose(left, right, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("case", LAYERS)
def test_layers(case, train):
    make, shape = LAYERS[case]
    data = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    compare(make, [data.tolist()], train)


@pytest.mark.parametrize("case", LOOKUPS)
def test_lookups(case):
    compare(LOOKUPS[case], [[[1, 9, 3], [3, 3, 0]]], True)


def test_bilinear():
    generator = np.random.default_rng(0)
    inputs = [generator.standard_normal((4, size)).tolist() for size in (2, 3)]
    compare(lambda nn: nn.Bilinear(2, 3, 5), inputs, True)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_cross_map_normalization(size):
    # PyTorch's gradient of this layer is not that of what it computes, so only results are compared.
    data = np.random.default_rng(0).standard_normal((2, 5, 3, 3)).astype(np.float32)
    got = flambeau.nn.CrossMapLRN2d(size, alpha=0.5)(flambeau.from_numpy(data)).numpy()
    expected = torch.nn.CrossMapLRN2d(size, alpha=0.5)(torch.from_numpy(data)).numpy()
    np.testing.assert_allclose(got, expected, rtol=2e-5)


REFUSED = {
    "dropout probability": lambda lib: lib.nn.Dropout(2),
    "batch norm of a vector": lambda lib: lib.nn.BatchNorm1d(2)(lib.ones(2)),
    "batch norm of a matrix": lambda lib: lib.nn.BatchNorm2d(2)(lib.ones(2, 2)),
    "instance norm of a vector": lambda lib: lib.nn.InstanceNorm1d(2)(lib.ones(2)),
    "instance norm of other channels": lambda lib: lib.nn.InstanceNorm1d(2, affine=True)(lib.ones(2, 3, 4)),
    "groups": lambda lib: lib.nn.GroupNorm(2, 3),
    "padding_idx": lambda lib: lib.nn.Embedding(2, 3, padding_idx=2),
    "padding_idx of a bag": lambda lib: lib.nn.EmbeddingBag(2, 3, padding_idx=4),
    "table": lambda lib: lib.nn.Embedding(2, 3, _weight=lib.ones(3, 3)),
    "pretrained": lambda lib: lib.nn.Embedding.from_pretrained(lib.ones(3)),
    "unflatten int": lambda lib: lib.nn.Unflatten(1, 3),
    "unflatten text": lambda lib: lib.nn.Unflatten(1, ("a", 2)),
    "hardtanh": lambda lib: lib.nn.Hardtanh(1, 0),
    "hardtanh, deprecated": lambda lib: lib.nn.Hardtanh(min_value=0, max_value=2),
    "softmax2d": lambda lib: lib.nn.Softmax2d()(lib.ones(2, 3)),
    "bilinear": lambda lib: lib.nn.Bilinear(0, 1, 1),
    "circular": lambda lib: lib.nn.CircularPad1d(1)(lib.ones(2)),
    "sync": lambda lib: lib.nn.SyncBatchNorm(2)(lib.ones(2)),
    "convert": lambda lib: lib.nn.SyncBatchNorm.convert_sync_batchnorm(lib.nn.Sequential(lib.nn.BatchNorm1d(2))),
    "statistics of an older version": lambda lib: _older(lib),
    "lazy state": lambda lib: lib.nn.LazyBatchNorm1d().state_dict(),
    "from_pretrained": lambda lib: lib.nn.Embedding.from_pretrained(lib.ones(2, 3)).weight,
}


def _older(lib):
    layer = lib.nn.BatchNorm1d(2)
    state = {name: value for name, value in layer.state_dict().items() if name != "num_batches_tracked"}
    return layer.load_state_dict(state)


@pytest.mark.parametrize("case", REFUSED)
def test_messages(agree, case):
    agree(REFUSED[case])
