"""Colours and levels: fixed points, extremes, and tensors against PIL."""

import numpy as np
import pytest
from PIL import Image

import flambeau as torch
from flambeau.vision.transforms import functional as F


@pytest.mark.parametrize("adjust", [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_sharpness])
def test_factor_1_changes_nothing(adjust: object, pil: Image.Image, planes: torch.Tensor, unit: torch.Tensor) -> None:
    assert np.array_equal(np.asarray(adjust(pil, 1)), np.asarray(pil))
    assert torch.equal(adjust(planes, 1), planes) and torch.allclose(adjust(unit, 1), unit)
    with pytest.raises(ValueError, match="is not non-negative"):
        adjust(unit, -0.1)


@pytest.mark.parametrize(
    ("adjust", "factor", "apart"),
    [
        (F.adjust_brightness, 0.4, 1), (F.adjust_brightness, 1.7, 1), (F.adjust_contrast, 0.4, 1), (F.adjust_contrast, 1.7, 2),
        (F.adjust_saturation, 0.4, 2), (F.adjust_saturation, 1.7, 2), (F.adjust_gamma, 2.2, 1), (F.adjust_gamma, 0.6, 1),
        (F.adjust_sharpness, 0.3, 2), (F.adjust_sharpness, 1.8, 2), (F.posterize, 3, 0), (F.solarize, 99, 0),
        (F.rgb_to_grayscale, 3, 1),
    ],
)  # fmt: skip
def test_tensors_as_pil_images(
    adjust: object, factor: float, apart: int, pil: Image.Image, planes: torch.Tensor
) -> None:
    expected = np.asarray(adjust(pil, factor)).transpose(2, 0, 1).astype(int)
    assert np.abs(adjust(planes, factor).numpy().astype(int) - expected).max() <= apart


@pytest.mark.parametrize("adjust", [F.invert, F.autocontrast, F.equalize])
def test_tensors_as_pil_images_without_a_factor(adjust: object, pil: Image.Image, planes: torch.Tensor) -> None:
    expected = np.asarray(adjust(pil)).transpose(2, 0, 1).astype(int)
    assert np.abs(adjust(planes).numpy().astype(int) - expected).max() <= 1
    assert torch.equal(F.equalize(torch.stack([planes, planes]))[1], F.equalize(planes))


def test_extremes(unit: torch.Tensor) -> None:
    assert float(F.adjust_brightness(unit, 0).max()) == 0
    gray = F.adjust_saturation(unit, 0)
    assert torch.allclose(gray[0], gray[1]) and torch.allclose(gray[0], F.rgb_to_grayscale(unit)[0], atol=1e-6)
    flat = F.adjust_contrast(unit, 0)
    assert torch.allclose(flat, F.rgb_to_grayscale(unit).mean().expand_as(flat), atol=1e-6)
    assert torch.allclose(F.invert(F.invert(unit)), unit)


def test_hue_goes_round(unit: torch.Tensor, pil: Image.Image) -> None:
    assert torch.allclose(F.adjust_hue(unit, 0), unit, atol=1e-5)
    assert torch.allclose(F.adjust_hue(F.adjust_hue(unit, 0.3), -0.3), unit, atol=1e-4)
    assert torch.allclose(F.adjust_hue(unit, 0.5), F.adjust_hue(unit, -0.5), atol=1e-4)
    red = torch.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1)
    assert F.adjust_hue(red, 1 / 3).flatten().tolist() == pytest.approx([0, 1, 0], abs=1e-5)
    assert F.adjust_hue(pil.convert("L"), 0.2).mode == "L" and torch.equal(F.adjust_hue(unit[:1], 0.2), unit[:1])
    with pytest.raises(ValueError, match=r"hue_factor \(0.6\) is not in \[-0.5, 0.5\]"):
        F.adjust_hue(unit, 0.6)


def test_a_flat_image_is_left_alone() -> None:
    flat = torch.full((3, 4, 5), 77, dtype=torch.uint8)
    assert torch.equal(F.autocontrast(flat), flat) and torch.equal(F.equalize(flat), flat)
    assert torch.equal(F.autocontrast(flat / 255), flat / 255)


def test_blur_keeps_brightness_and_flat_images(unit: torch.Tensor, pil: Image.Image) -> None:
    flat = torch.full((3, 8, 9), 0.25)
    assert torch.allclose(F.gaussian_blur(flat, 5), flat)
    soft = F.gaussian_blur(unit, (7, 5), (2.0, 1.0))
    assert float(soft.var()) < float(unit.var()) and abs(float(soft.mean() - unit.mean())) < 0.01
    assert F.gaussian_blur(pil, 3).size == pil.size
    for size, sigma, told in ((4, 1, "odd and positive"), (3, 0.0, "sigma should have positive")):
        with pytest.raises(ValueError, match=told):
            F.gaussian_blur(unit, size, sigma)


@pytest.mark.parametrize(
    ("call", "kind", "told"),
    [
        (lambda x: F.posterize(x, 9), ValueError, "between 0 and 8. Got 9"),
        (
            lambda x: F.posterize(x, 3),
            TypeError,
            "Only torch.uint8 image tensors are supported, but found torch.float32",
        ),
        (lambda x: F.equalize(x), TypeError, "Only torch.uint8"),
        (lambda x: F.solarize(x, 2.0), TypeError, "Threshold should be less than bound of img"),
        (lambda x: F.rgb_to_grayscale(x, 2), ValueError, "num_output_channels should be either 1 or 3"),
        (lambda x: F.adjust_gamma(x, -1), ValueError, "Gamma should be a non-negative real number"),
        (lambda x: F.invert(x[:2]), TypeError, r"permitted channel values are \[1, 3\], but found 2"),
        (lambda x: F.to_grayscale(x), TypeError, "Input should be PIL Image"),
    ],
)
def test_errors(unit: torch.Tensor, call: object, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        call(unit)
