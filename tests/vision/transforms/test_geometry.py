"""Sizes and places: properties that hold whatever the numbers are."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

import flambeau as torch
from flambeau.vision import transforms as T
from flambeau.vision.transforms import functional as F


def array(img: object) -> np.ndarray:
    """(channels, height, width) of any image."""
    return np.asarray(img).transpose(2, 0, 1) if isinstance(img, Image.Image) else img.numpy()


def forms(pil: Image.Image, planes: torch.Tensor) -> list[object]:
    """The same picture as PIL image, as a tensor at rest, pending, and with gradient."""
    return [pil, planes, planes + 0, planes.float().requires_grad_()]


def same(images: list[object]) -> np.ndarray:
    """Their common pixels."""
    arrays = [array(img if isinstance(img, Image.Image) else img.detach()) for img in images]
    for other in arrays[1:]:
        assert np.array_equal(arrays[0], other)
    return arrays[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(-8, 12), st.integers(-8, 12), st.integers(1, 14), st.integers(1, 14))
def test_a_crop_shows_what_was_there_and_0_outside(top: int, left: int, height: int, width: int) -> None:
    pixels = np.arange(1, 73, dtype=np.uint8).reshape(9, 8)
    around = np.zeros((60, 60), np.uint8)
    around[20:29, 20:28] = pixels
    expected = around[20 + top : 20 + top + height, 20 + left : 20 + left + width]
    for img in (Image.fromarray(pixels), torch.from_numpy(pixels), torch.from_numpy(pixels) + 0):
        assert np.array_equal(np.asarray(F.crop(img, top, left, height, width)), expected)


def test_mirrors(pil: Image.Image, planes: torch.Tensor, picture: np.ndarray) -> None:
    assert np.array_equal(same([F.hflip(img) for img in forms(pil, planes)]), picture.transpose(2, 0, 1)[..., ::-1])
    assert np.array_equal(same([F.vflip(img) for img in forms(pil, planes)]), picture.transpose(2, 0, 1)[:, ::-1])


NUMPY_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


@pytest.mark.parametrize("mode", NUMPY_MODES)
@pytest.mark.parametrize("padding", [3, (2, 5), (1, 2, 3, 4), (0, 0, 0, 1)])
def test_borders(
    pil: Image.Image, planes: torch.Tensor, picture: np.ndarray, mode: str, padding: int | tuple[int, ...]
) -> None:
    left, top, right, bottom = {int: lambda: (padding,) * 4, tuple: lambda: tuple(padding) * (4 // len(padding))}[
        type(padding)
    ]()
    expected = np.pad(picture, ((top, bottom), (left, right), (0, 0)), mode=NUMPY_MODES[mode]).transpose(2, 0, 1)
    assert np.array_equal(same([F.pad(img, padding, padding_mode=mode) for img in forms(pil, planes)]), expected)


def test_borders_of_a_colour_and_borders_cut_off(pil: Image.Image, planes: torch.Tensor) -> None:
    found = same([F.pad(img, (1, 0), (7, 8, 9)) for img in forms(pil, planes)])
    assert found[:, 0, 0].tolist() == [7, 8, 9] and found[:, 5, -1].tolist() == [7, 8, 9]
    cut = same(
        [F.pad(img, (-2, -1, -3, 2), padding_mode=mode) for img in forms(pil, planes) for mode in ("symmetric",)]
    )
    assert cut.shape == (3, 38, 40)


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        (("x",), TypeError, "inappropriate padding arg"),
        (((1, 2, 3),), ValueError, "1, 2, or 4 element tuple, not a 3 element tuple"),
        ((1, 0, "around"), ValueError, "Padding mode should be either"),
        ((40, 0, "reflect"), RuntimeError, "Padding size should be less"),
    ],
)
def test_borders_that_cannot_be(planes: torch.Tensor, arguments: tuple, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        F.pad(planes, *arguments)


@pytest.mark.parametrize("size", [(10, 20), (37, 45), (50, 20), (40, 61), 7])
def test_the_middle(pil: Image.Image, planes: torch.Tensor, size: int | tuple[int, int]) -> None:
    found = same([F.center_crop(img, size) for img in forms(pil, planes)])
    assert found.shape[1:] == ((size, size) if isinstance(size, int) else size)
    five = [F.five_crop(img, 9) for img in forms(pil, planes)]
    assert np.array_equal(same([each[4] for each in five]), same([F.center_crop(img, 9) for img in forms(pil, planes)]))
    assert np.array_equal(same([each[3] for each in five]), array(pil)[:, -9:, -9:])


def test_ten_crops(planes: torch.Tensor) -> None:
    crops = F.ten_crop(planes, 8)
    assert torch.equal(torch.stack(crops[5:]), torch.stack(F.five_crop(F.hflip(planes), 8)))
    assert torch.equal(F.ten_crop(planes, 8, vertical_flip=True)[5], F.vflip(planes)[:, :8, :8])
    with pytest.raises(ValueError, match=r"Requested crop size \(99, 99\) is bigger than input size \(37, 45\)"):
        F.five_crop(planes, 99)


@pytest.mark.parametrize(
    ("size", "max_size", "expected"),
    [
        (20, None, (20, 24)),
        ([74], None, (74, 90)),
        ((5, 6), None, (5, 6)),
        (30, 33, (27, 33)),
        ((37, 45), None, (37, 45)),
    ],
)
def test_sizes(pil: Image.Image, planes: torch.Tensor, size: object, max_size: int | None, expected: tuple) -> None:
    for img in forms(pil, planes):
        made = F.resize(img, size, max_size=max_size)
        assert tuple(F.get_dimensions(made)) == (3, *expected)


def test_shrinking_by_whole_numbers_averages(unit: torch.Tensor) -> None:
    image = unit[:, :36, :44]
    means = image.reshape(3, 18, 2, 22, 2).mean((2, 4))
    assert torch.allclose(F.resize(image, (18, 22), T.InterpolationMode.BILINEAR, antialias=False), means, atol=1e-6)
    assert torch.equal(F.resize(image, (18, 22), T.InterpolationMode.NEAREST), image[:, ::2, ::2])


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        (("x",), TypeError, "Got inappropriate size arg: x"),
        (((1, 2, 3),), ValueError, "Size must be an int or a 1 or 2 element"),
        ((5, "bilinear", 5), ValueError, "max_size = 5 must be strictly greater than the requested size"),
        (((5, 6), "bilinear", 9), ValueError, "max_size should only be passed if size specifies"),
        ((5, "lanczos"), ValueError, "unsupported with Tensor input"),
    ],
)
def test_sizes_that_cannot_be(planes: torch.Tensor, arguments: tuple, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        F.resize(planes, *arguments)


def test_right_angles_turn_exactly(pil: Image.Image, unit: torch.Tensor) -> None:
    square = unit[:, :30, :30]
    assert torch.equal(F.rotate(square, 90), square.rot90(1, (1, 2)))
    assert torch.equal(F.rotate(square, 180), square.flip(1, 2))
    assert torch.equal(F.rotate(unit, 90, expand=True), unit.rot90(1, (1, 2)))
    assert F.rotate(pil, 90, expand=True).size == (37, 45)


def test_moves_and_fillings(unit: torch.Tensor) -> None:
    moved = F.affine(unit, 0, (3, 2), 1.0, 0.0, fill=[0.1, 0.2, 0.3])
    assert torch.equal(moved[:, 2:, 3:], unit[:, :-2, :-3])
    assert moved[:, 0, 0].tolist() == pytest.approx([0.1, 0.2, 0.3])
    doubled = F.affine(unit, 0, (0, 0), 2.0, 0.0, center=(0, 0))
    assert torch.equal(doubled[:, ::2, ::2], unit[:, :19, :23])


def test_a_projection_onto_itself_changes_nothing(pil: Image.Image, unit: torch.Tensor) -> None:
    corners = [[0, 0], [44, 0], [44, 36], [0, 36]]
    assert torch.allclose(F.perspective(unit, corners, corners), unit, atol=1e-4)
    assert np.abs(np.asarray(F.perspective(pil, corners, corners), int) - np.asarray(pil)).max() <= 1
    shifted = [[x + 5, y + 3] for x, y in corners]
    assert torch.allclose(F.perspective(unit, corners, shifted)[:, 3:, 5:], unit[:, :-3, :-5], atol=1e-3)


def test_warps_are_differentiable(unit: torch.Tensor) -> None:
    for warp in (
        lambda image: F.rotate(image, 20, T.InterpolationMode.BILINEAR),
        lambda image: F.affine(image, 10, (1, 2), 1.1, 3, T.InterpolationMode.BILINEAR),
        lambda image: F.resize(image, 20),
        lambda image: F.gaussian_blur(image, 5),
        lambda image: F.adjust_brightness(image * 0.5, 1.1),
    ):
        image = unit.clone().requires_grad_()
        warp(image).sum().backward()
        assert image.grad.shape == unit.shape and float(image.grad.abs().sum()) > 0


@pytest.mark.parametrize(
    ("call", "kind", "told"),
    [
        (lambda x: F.affine(x, 0, (1,), 1, 0), ValueError, "Argument translate should be a sequence of length 2"),
        (lambda x: F.affine(x, 0, (1, 1), 0, 0), ValueError, "Argument scale should be positive"),
        (lambda x: F.affine(x, "a", (1, 1), 1, 0), TypeError, "Argument angle should be int or float"),
        (
            lambda x: F.rotate(x, 1, T.InterpolationMode.BICUBIC),
            ValueError,
            "'bicubic' is unsupported with Tensor input",
        ),
        (lambda x: F.rotate(x, 1, fill=[1, 2]), ValueError, "number of elements in 'fill'"),
        (lambda x: F.perspective(x, [[0, 0]], [[0, 0]]), ValueError, "exactly four corners"),
        (lambda x: F.elastic_transform(x, torch.zeros(1)), ValueError, "displacement shape should be"),
        (lambda x: F.hflip("image"), TypeError, "img should be PIL Image or Tensor. Got <class 'str'>"),
        (lambda x: F.hflip(x[0, 0]), TypeError, "Tensor is not a torch image"),
        (lambda x: F.erase(np.zeros(3), 0, 0, 1, 1, 0), TypeError, "erase takes a tensor"),
    ],
)
def test_errors(unit: torch.Tensor, call: object, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        call(unit)


def test_erasing(unit: torch.Tensor) -> None:
    made = F.erase(unit, 2, 3, 4, 5, torch.tensor(9.0))
    assert bool((made[:, 2:6, 3:8] == 9).all()) and int((made == 9).sum()) == 60 and float(unit.max()) <= 1
    assert F.erase(unit, 0, 0, 1, 1, 0.5, inplace=True) is unit and unit[0, 0, 0] == 0.5
