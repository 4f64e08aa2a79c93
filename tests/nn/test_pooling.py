"""Pooling layers: printed form, special numbers, inverses."""

import math

import numpy as np
import pytest

import flambeau as fb
from flambeau.nn import functional as F


@pytest.mark.parametrize(
    "make",
    [
        lambda t: t.nn.MaxPool2d(2),
        lambda t: t.nn.MaxPool1d(3, stride=2, ceil_mode=True),
        lambda t: t.nn.AvgPool1d(2),
        lambda t: t.nn.AvgPool3d((1, 2, 3)),
        lambda t: t.nn.AdaptiveAvgPool2d((2, None)),
        lambda t: t.nn.LPPool2d(2, 3),
        lambda t: t.nn.MaxUnpool1d(3, 2, 1),
        lambda t: t.nn.FractionalMaxPool2d(2, output_size=3),
        lambda t: t.nn.FractionalMaxPool2d(2),
    ],
)
def test_layers_print_as_pytorchs(make, agree):
    agree(make)


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("options", [{"stride": 2}, {"padding": 1}, {"ceil_mode": True, "stride": 2, "padding": 1}])
def test_numbers_are_pytorchs(kind, options, agree):
    agree(lambda t: getattr(t.nn.functional, f"{kind}_pool2d")(t.arange(49.0).reshape(1, 7, 7).sin(), 3, **options))


def test_of_equal_elements_the_first_and_of_nans_the_last_is_found(agree):
    for row in ([1.0, 1.0, 1.0, 1.0], [-math.inf] * 4, [math.nan, 1.0, math.nan, 2.0], [2.0, math.nan, 3.0, 3.0]):
        agree(lambda t, row=row: t.nn.functional.max_pool2d(t.tensor(row).reshape(1, 2, 2), 2, return_indices=True))


def test_overlapping_windows_add_their_gradients():
    x = fb.tensor([[1.0, 5.0, 2.0]], requires_grad=True)
    F.max_pool1d(x, 2, stride=1).sum().backward()
    assert x.grad.tolist() == [[0.0, 2.0, 0.0]]


def test_unpooling_puts_elements_back():
    x = fb.randn(2, 3, 4, 6)
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    restored = F.max_unpool2d(values, indices, 2)
    assert (F.max_pool2d(restored.where(restored != 0, -math.inf), 2) == values).all()
    assert (restored != 0).sum().item() == values.numel()


def test_adaptive_average_of_one_is_the_mean():
    x = fb.randn(2, 3, 5, 7)
    np.testing.assert_allclose(
        F.adaptive_avg_pool2d(x, 1).flatten().numpy(), x.mean((2, 3)).flatten().numpy(), rtol=1e-5, atol=1e-6
    )


def test_fractional_pooling_repeats_with_the_seed():
    x = fb.randn(1, 2, 9, 9)
    layer = fb.nn.FractionalMaxPool2d(2, output_ratio=0.6)
    fb.manual_seed(3)
    first = layer(x)
    fb.manual_seed(3)
    assert first.shape == (1, 2, 5, 5) and (first == layer(x)).all()
