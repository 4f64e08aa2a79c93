"""Layers that rearrange and resample images."""

import numpy as np
import pytest

import flambeau as fb
from flambeau.nn import functional as F


@pytest.mark.parametrize(
    "make",
    [
        lambda t: t.nn.PixelShuffle(2),
        lambda t: t.nn.Upsample(scale_factor=(2, 3), mode="bilinear"),
        lambda t: t.nn.UpsamplingNearest2d(size=3),
        lambda t: t.nn.Fold((4, 5), 2),
        lambda t: t.nn.Unfold(3, padding=1),
        lambda t: t.nn.ChannelShuffle(2),
    ],
)
def test_layers_print_as_pytorchs(make, agree):
    agree(make)


def test_shuffling_is_undone():
    x = fb.arange(2.0 * 8 * 3 * 2).reshape(2, 8, 3, 2)
    assert (F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2) == x).all()
    assert (F.channel_shuffle(F.channel_shuffle(x, 2), 4) == x).all()


def test_fold_adds_what_unfold_copied():
    x = fb.ones(1, 2, 4, 4)
    counts = F.fold(F.unfold(x, 3, padding=1), (4, 4), 3, padding=1)
    assert counts[0, 0].tolist()[0] == [4.0, 6.0, 6.0, 4.0] and counts[0, 1, 1, 1].item() == 9


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area", "bilinear", "bicubic"])
def test_resizing_a_constant_image_changes_nothing(mode):
    image = fb.full((1, 2, 5, 7), 3.0)
    for size in ((3, 4), (8, 13)):
        np.testing.assert_allclose(F.interpolate(image, size, mode=mode).numpy(), 3.0, rtol=1e-6)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(3, 9), (11, 4)])
def test_antialiasing_is_pytorchs(mode, size):
    torch = pytest.importorskip("torch")
    image = np.random.default_rng(0).standard_normal((1, 2, 6, 10))
    mine, theirs = (
        library.nn.functional.interpolate(library.tensor(image), size, mode=mode, antialias=True).numpy()
        for library in (fb, torch)
    )
    np.testing.assert_allclose(mine, theirs)


def test_aligned_corners_stay():
    x = fb.randn(1, 1, 4, 5)
    y = F.interpolate(x, (9, 8), mode="bilinear", align_corners=True)
    np.testing.assert_allclose(y[..., [0, -1]][..., [0, -1], :].numpy(), x[..., [0, -1]][..., [0, -1], :].numpy(), rtol=1e-6)


def test_the_identity_grid_samples_the_image_itself():
    x = fb.randn(2, 3, 4, 5)
    grid = F.affine_grid(fb.eye(2, 3).expand(2, 2, 3), [2, 3, 4, 5], align_corners=False)
    for mode in ("bilinear", "nearest", "bicubic"):
        found = F.grid_sample(x, grid, mode=mode, align_corners=False)
        np.testing.assert_allclose(found.numpy(), x.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "scenario",
    [
        lambda t: t.nn.functional.interpolate(t.ones(1, 1, 4), 2, mode="bilinear"),
        lambda t: t.nn.functional.interpolate(t.ones(1, 1, 4, 4)),
        lambda t: t.nn.functional.interpolate(t.ones(1, 1, 4, 4), (2, 2), scale_factor=2),
        lambda t: t.nn.functional.interpolate(t.ones(1, 1, 4, 4), 2, align_corners=True),
        lambda t: t.nn.functional.pixel_shuffle(t.ones(3, 2, 2), 2),
        lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.zeros(1, 2, 2, 3), align_corners=False),
        lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.zeros(1, 2, 2, 2), mode="cubic"),
    ],
)
def test_errors_are_pytorchs(scenario, agree):
    agree(scenario)
