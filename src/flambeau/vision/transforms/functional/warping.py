"""Turning, shearing, moving, seeing from another side: the image is read at places that the new pixels come from."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....core import dtypes
from ....operators.creation import from_array, tensor
from ....tensor import Tensor
from ...pillow import Image
from ..images import check_image, get_dimensions
from ..interpolation import InterpolationMode, as_interpolation, pillow_filter
from ..spacing import evenly_spaced
from .batches import as_floating_batch, restored
from .conversion import pil_to_tensor, to_pil_image
from .cropping import fill_color

__all__ = ["affine", "elastic_transform", "perspective", "rotate"]

#: How tensors can be read between their pixels.
_SAMPLED = (InterpolationMode.NEAREST, InterpolationMode.BILINEAR)


def inverse_affine_matrix(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """The six numbers of the matrix from a place in the result to the place in the image it shows.

    The image's own way is M = T·C·R·S·C⁻¹: to the centre, shear, turn (by ``angle`` degrees, clockwise on the screen)
    and scale, back from the centre, and translate.
    """
    turn = math.radians(angle)
    along, down = (math.radians(each) for each in shear)
    # R·S(y)·S(x) without the scale; its determinant is 1.
    a = math.cos(turn - down) / math.cos(down)
    b = -math.cos(turn - down) * math.tan(along) / math.cos(down) - math.sin(turn)
    c = math.sin(turn - down) / math.cos(down)
    d = -math.sin(turn - down) * math.tan(along) / math.cos(down) + math.cos(turn)
    m = [d / scale, -b / scale, -c / scale, a / scale]
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    return [m[0], m[1], m[0] * x + m[1] * y + center[0], m[2], m[3], m[2] * x + m[3] * y + center[1]]


# -- tensors -----------------------------------------------------------------------------------------------------------


def _grid(matrix: Sequence[float], size: tuple[int, int], output: tuple[int, int]) -> Any:
    """For each pixel of the result the place it comes from, as grid_sample counts: from -1 to 1 (height, width, 2)."""
    (height, width), (tall, wide) = size, output
    theta = np.array(matrix, np.float32).reshape(2, 3).T / np.array([0.5 * width, 0.5 * height], np.float32)
    base = np.empty((tall, wide, 3), np.float32)
    base[..., 0] = evenly_spaced(-wide * 0.5 + 0.5, wide * 0.5 - 0.5, wide)
    base[..., 1] = evenly_spaced(-tall * 0.5 + 0.5, tall * 0.5 - 0.5, tall)[:, None]
    base[..., 2] = 1
    return base.reshape(-1, 3) @ theta.astype(np.float32)


def _sampled(img: Any, grid: Any, output: tuple[int, int], mode: InterpolationMode, fill: Any) -> Any:
    """The image read at the places of ``grid`` (an array); outside of it ``fill``."""
    import flambeau

    if mode not in _SAMPLED:
        raise ValueError(f"Interpolation mode '{mode.value}' is unsupported with Tensor input")
    sample = flambeau.nn.functional.grid_sample
    batch, kind = as_floating_batch(img)
    channels = batch.shape[1]
    places = from_array(np.ascontiguousarray(grid, dtype=np.float32)).to(device=img.device, dtype=batch.dtype)
    places = places.reshape(1, *output, 2)
    around = places.expand(batch.shape[0], *output, 2)
    result = sample(batch, around, mode=mode.value, padding_mode="zeros", align_corners=False)
    if fill is not None:
        values = list(fill) if isinstance(fill, (list, tuple)) else [fill]
        if len(values) not in (1, channels):
            raise ValueError(
                "The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
                f"({len(values)} != {channels})"
            )
        color = tensor([float(each) for each in values], dtype=batch.dtype, device=img.device)
        color = color.reshape(1, -1, 1, 1)
        covered = sample(
            flambeau.ones_like(batch[:, :1]), around, mode=mode.value, padding_mode="zeros", align_corners=False
        )
        if mode is InterpolationMode.NEAREST:
            result = flambeau.where(covered < 0.5, color.expand_as(result), result)
        else:
            result = result * covered + (1.0 - covered) * color
    return restored(result, img, kind)


# -- affine ------------------------------------------------------------------------------------------------------------


def _pair(shear: Any) -> list[float]:
    if isinstance(shear, numbers.Number):
        return [float(shear), 0.0]  # type: ignore[arg-type]
    if not isinstance(shear, (list, tuple)):
        raise TypeError("Shear should be either a single value or a sequence of two values")
    if len(shear) == 1:
        return [shear[0], shear[0]]
    if len(shear) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    return list(shear)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[int],
    scale: float,
    shear: float | Sequence[float],
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Sequence[int] | None = None,
) -> Any:
    """The image turned by ``angle`` degrees (clockwise), scaled, sheared about its centre, and moved.

    Args:
        translate: pixels to the right and down.
        shear: degrees along x, or along x and y.
        fill: the value of what was outside, or one for each channel.
        center: (x, y) of the point that stays; by default the middle.

    Raises:
        TypeError: an argument of another type.
        ValueError: not two translations or shears, or a scale that is not positive.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.tensor([[[1.0, 2.0, 3.0]]])
    >>> F.affine(x, angle=0.0, translate=[1, 0], scale=1.0, shear=[0.0])
    tensor([[[0., 1., 2.]]])
    """
    check_image(img)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if not isinstance(translate, (list, tuple)):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")
    mode = as_interpolation(interpolation)
    bend = _pair(shear)
    _, height, width = get_dimensions(img)
    if isinstance(img, Image.Image):
        middle = [width * 0.5, height * 0.5] if center is None else center
        matrix = inverse_affine_matrix(middle, angle, translate, scale, bend)
        return img.transform(
            img.size, Image.Transform.AFFINE, matrix, pillow_filter(mode), fillcolor=fill_color(fill, img)
        )
    middle = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
    matrix = inverse_affine_matrix(middle, angle, [float(each) for each in translate], scale, bend)
    size = (height, width)
    return _sampled(img, _grid(matrix, size, size), size, mode, fill)


# -- rotation ----------------------------------------------------------------------------------------------------------


def expanded_size(matrix: Sequence[float], width: int, height: int) -> tuple[int, int]:
    """(width, height) of what holds the whole turned image."""
    corners = np.array([[-0.5 * width, -0.5 * height, 1.0], [-0.5 * width, 0.5 * height, 1.0],
                        [0.5 * width, 0.5 * height, 1.0], [0.5 * width, -0.5 * height, 1.0]])  # fmt: skip
    turned = corners @ np.array(matrix).reshape(2, 3).T
    half = np.array([0.5 * width, 0.5 * height])
    # Cut off what is rounding error, so that a right angle does not add a row of nothing.
    grain = 1e-4
    low = np.floor(np.trunc((turned.min(0) + half) / grain) * grain)
    high = np.ceil(np.trunc((turned.max(0) + half) / grain) * grain)
    across, down = (high - low).astype(int).tolist()
    return across, down


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[int] | None = None,
    fill: Any = None,
) -> Any:
    """The image turned by ``angle`` degrees, counter-clockwise.

    Args:
        expand: make the result large enough for all of it.
        center: (x, y) of the point that stays; by default the middle.
        fill: the value of what was outside, or one for each channel.

    Raises:
        TypeError: an argument of another type.

    >>> import flambeau as torch
    >>> rotate(torch.tensor([[[1., 2.], [3., 4.]]]), 90)
    tensor([[[2., 4.],
             [1., 3.]]])
    """
    check_image(img)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")
    mode = as_interpolation(interpolation)
    if isinstance(img, Image.Image):
        return img.rotate(
            angle, pillow_filter(mode), expand, tuple(center) if center else None, fillcolor=fill_color(fill, img)
        )
    _, height, width = get_dimensions(img)
    middle = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
    matrix = inverse_affine_matrix(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    wide, tall = expanded_size(matrix, width, height) if expand else (width, height)
    return _sampled(img, _grid(matrix, (height, width), (tall, wide)), (tall, wide), mode, fill)


# -- perspective -------------------------------------------------------------------------------------------------------


def perspective_coefficients(startpoints: Sequence[Any], endpoints: Sequence[Any]) -> list[float]:
    """The eight numbers of the projection that takes ``endpoints`` to ``startpoints``.

    (x, y) goes to ((a·x + b·y + c) / (g·x + h·y + 1), (d·x + e·y + f) / (g·x + h·y + 1)); each pair of points gives two
    linear equations, solved by least squares.

    Raises:
        ValueError: not four points each.
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints and {len(endpoints)} endpoints."
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    wanted = np.array(startpoints, np.float64).reshape(8)
    solution = np.linalg.lstsq(np.array(rows, np.float64), wanted, rcond=None)[0]
    return solution.astype(np.float32).tolist()


def perspective(
    img: Any,
    startpoints: Sequence[Sequence[int]] | None,
    endpoints: Sequence[Sequence[int]] | None,
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
    coefficients: Sequence[float] | None = None,
) -> Any:
    """The image projected so that the four ``startpoints`` (x, y) come to lie at the ``endpoints``.

    Args:
        fill: the value of what was outside, or one for each channel.
        coefficients: the eight numbers of the projection, instead of the points.

    Raises:
        ValueError: not four points each, or both points and coefficients.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> corners = [[0, 0], [3, 0], [3, 3], [0, 3]]
    >>> F.perspective(torch.ones(1, 4, 4), corners, corners).shape
    torch.Size([1, 4, 4])
    """
    check_image(img)
    if coefficients is not None:
        if startpoints is not None or endpoints is not None or len(coefficients) != 8:
            raise ValueError("Either the startpoints/endpoints or eight coefficients must be given, and not both")
        numbers8 = list(coefficients)
    elif startpoints is None or endpoints is None:
        raise ValueError("Either the startpoints/endpoints or the coefficients must have non `None` values.")
    else:
        numbers8 = perspective_coefficients(startpoints, endpoints)
    mode = as_interpolation(interpolation)
    if isinstance(img, Image.Image):
        return img.transform(
            img.size, Image.Transform.PERSPECTIVE, numbers8, pillow_filter(mode), fillcolor=fill_color(fill, img)
        )
    height, width = img.shape[-2:]
    places = np.empty((height, width, 3), np.float32)
    places[..., 0] = np.arange(width, dtype=np.float32) + np.float32(0.5)
    places[..., 1] = (np.arange(height, dtype=np.float32) + np.float32(0.5))[:, None]
    places[..., 2] = 1
    a, b, c, d, e, f, g, h = numbers8
    above = np.array([[a, b, c], [d, e, f]], np.float32).T / np.array([0.5 * width, 0.5 * height], np.float32)
    below = np.array([[g, h, 1.0], [g, h, 1.0]], np.float32).T
    flat = places.reshape(-1, 3)
    grid = flat @ above.astype(np.float32) / (flat @ below) - np.float32(1.0)
    return _sampled(img, grid, (height, width), mode, fill)


# -- elastic -----------------------------------------------------------------------------------------------------------


def elastic_transform(
    img: Any, displacement: Any, interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None
) -> Any:
    """The image with each pixel read ``displacement`` (1, height, width, 2) away, in halves of the image's size.

    Simard, Steinkraus & Platt, "Best practices for convolutional neural networks", 2003.

    Raises:
        TypeError: ``displacement`` is no tensor.
        ValueError: it has another shape.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.arange(6.0).reshape(1, 2, 3)
    >>> torch.equal(F.elastic_transform(x, torch.zeros(1, 2, 3, 2)), x)
    True
    """
    check_image(img)
    mode = as_interpolation(interpolation)
    if not isinstance(displacement, Tensor):
        raise TypeError("Argument displacement should be a Tensor")
    if isinstance(img, Image.Image):
        moved = elastic_transform(pil_to_tensor(img), displacement, mode, fill)
        return to_pil_image(moved, mode=img.mode)
    height, width = img.shape[-2:]
    if tuple(displacement.shape) != (1, height, width, 2):
        raise ValueError(
            f"Argument displacement shape should be {(1, height, width, 2)}, but given {tuple(displacement.shape)}"
        )
    places = np.empty((height, width, 2), np.float32)
    places[..., 0] = evenly_spaced((1.0 - width) / width, (width - 1.0) / width, width)
    places[..., 1] = evenly_spaced((1.0 - height) / height, (height - 1.0) / height, height)[:, None]
    grid = places + displacement.detach().to(dtypes.float32).numpy()[0]
    return _sampled(img, grid, (height, width), mode, fill)
