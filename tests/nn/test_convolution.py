"""Convolution layers: numbers, printed form and errors of PyTorch's; adjointness; channels found at the first call."""

import copy

import numpy as np
import pytest

import flambeau as fb
from flambeau.nn import functional as F

LAYERS = [
    lambda t: t.nn.Conv1d(4, 6, 3, padding="same", dilation=2),
    lambda t: t.nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, groups=2, bias=False),
    lambda t: t.nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular", dilation=(1, 2)),
    lambda t: t.nn.Conv3d(2, 3, 2),
    lambda t: t.nn.ConvTranspose1d(3, 2, 4, stride=3, output_padding=1),
    lambda t: t.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
    lambda t: t.nn.LazyConv2d(5, 3),
]


@pytest.mark.parametrize("make", LAYERS)
def test_layers_begin_and_print_as_pytorchs(make, agree):
    agree(make)
    agree(lambda library: list(make(library).state_dict()))


def test_initial_numbers_are_pytorchs():
    torch = pytest.importorskip("torch")
    for make in LAYERS[:6]:
        fb.manual_seed(7)
        torch.manual_seed(7)
        for mine, theirs in zip(make(fb).parameters(), make(torch).parameters()):
            np.testing.assert_array_equal(mine.detach().numpy(), theirs.detach().numpy())


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [2, "same"])
def test_padding_modes(mode, padding, agree):
    def scenario(library):
        layer = library.nn.Conv2d(1, 1, 4, padding=padding, padding_mode=mode)
        library.nn.init.ones_(layer.weight)
        library.nn.init.zeros_(layer.bias)
        return layer(library.arange(36.0).reshape(1, 1, 6, 6)).detach()

    agree(scenario)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride, padding, dilation", [(1, 0, 1), (2, 1, 2), ((3, 1), (0, 2), (1, 2))])
def test_transposed_convolution_is_the_adjoint(stride, padding, dilation, groups):
    """⟨C x, y⟩ = ⟨x, Cᵀ y⟩."""
    random = np.random.default_rng(0)
    x = fb.tensor(random.standard_normal((70, 4, 9, 8)))
    w = fb.tensor(random.standard_normal((6, 4 // groups, 3, 2)))
    forward = F.conv2d(x, w, None, stride, padding, dilation, groups)
    y = fb.tensor(random.standard_normal(tuple(forward.shape)))
    x.requires_grad_()
    w.requires_grad_()
    (F.conv2d(x, w, None, stride, padding, dilation, groups) * y).sum().backward()
    inner = (forward * y).sum().item()
    np.testing.assert_allclose((x.detach() * x.grad).sum().item(), inner)
    np.testing.assert_allclose((w.detach() * w.grad).sum().item(), inner)


def test_samples_are_convolved_alike_whatever_the_block(monkeypatch):
    from flambeau.primitives import convolution

    x, w = fb.randn(7, 3, 6, 6), fb.randn(4, 3, 3, 3)
    whole = F.conv2d(x, w, padding=1).numpy()
    monkeypatch.setattr(convolution, "BLOCK", 1 << 11)
    np.testing.assert_allclose(F.conv2d(x, w, padding=1).numpy(), whole, rtol=1e-5, atol=1e-6)


def test_output_size_chooses_the_output_padding():
    layer = fb.nn.ConvTranspose2d(1, 1, 3, stride=2)
    assert layer(fb.ones(1, 1, 4, 4), output_size=(10, 9)).shape == (1, 1, 10, 9)
    with pytest.raises(ValueError, match=r"valid sizes range from \[9, 9\] to \[10, 10\]"):
        layer(fb.ones(1, 1, 4, 4), output_size=(20, 20))


def test_lazy_layers_become_plain_ones():
    layer = fb.nn.LazyConv2d(5, 3)
    twin = copy.deepcopy(layer)
    assert layer(fb.ones(2, 4, 6, 6)).shape == (2, 5, 4, 4)
    assert type(layer) is fb.nn.Conv2d and layer.in_channels == 4 and type(twin) is fb.nn.LazyConv2d
    twin.load_state_dict(layer.state_dict())
    assert twin.weight.shape == (5, 4, 3, 3)
    transposed = fb.nn.LazyConvTranspose1d(2, 3)
    assert transposed(fb.ones(3, 5)).shape == (2, 7) and type(transposed) is fb.nn.ConvTranspose1d


@pytest.mark.parametrize(
    "scenario",
    [
        lambda t: t.nn.Conv2d(3, 4, 3, groups=2),
        lambda t: t.nn.Conv2d(3, 4, 3, padding="same", stride=2),
        lambda t: t.nn.ConvTranspose2d(3, 3, 3, padding_mode="reflect"),
        lambda t: t.nn.Conv2d(1, 1, 3)(t.ones(1, 1, 2, 2)),
        lambda t: t.nn.Conv2d(2, 1, 3)(t.ones(1, 1, 4, 4)),
        lambda t: t.nn.Conv2d(1, 1, 3)(t.ones(4, 4)),
    ],
)
def test_errors_are_pytorchs(scenario, agree):
    agree(scenario)
