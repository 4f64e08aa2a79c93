"""What the geometric transforms do to boxes: to their corners (N, 4) on a canvas (height, width)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .....operators.creation import from_array
from ...functional.cropping import four_sides, size_pair
from ...functional.resizing import resized_size
from ...functional.warping import _pair, expanded_size, inverse_affine_matrix, perspective_coefficients

__all__: list[str] = []

Canvas = tuple[int, int]


def _offset(corners: Any, across: float, down: float) -> Any:
    return corners + from_array(np.array([across, down, across, down], np.float32)).to(corners.device)


def horizontal_flip(corners: Any, canvas: Canvas) -> tuple[Any, Canvas]:
    """Mirrored left to right."""
    import flambeau

    left, top, right, bottom = corners.unbind(-1)
    return flambeau.stack([canvas[1] - right, top, canvas[1] - left, bottom], -1), canvas


def vertical_flip(corners: Any, canvas: Canvas) -> tuple[Any, Canvas]:
    """Upside down."""
    import flambeau

    left, top, right, bottom = corners.unbind(-1)
    return flambeau.stack([left, canvas[0] - bottom, right, canvas[0] - top], -1), canvas


def crop(corners: Any, canvas: Canvas, top: int, left: int, height: int, width: int) -> tuple[Any, Canvas]:
    """Relative to a rectangle."""
    return _offset(corners, -left, -top), (height, width)


def center_crop(corners: Any, canvas: Canvas, output_size: Any) -> tuple[Any, Canvas]:
    """Relative to the middle."""
    tall, wide = size_pair(output_size)
    offsets = []
    for have, want in ((canvas[0], tall), (canvas[1], wide)):
        offsets.append((want - have) // 2 if want > have else -round((have - want) / 2.0))
    return _offset(corners, offsets[1], offsets[0]), (tall, wide)


def pad(
    corners: Any, canvas: Canvas, padding: Any, fill: Any = None, padding_mode: str = "constant"
) -> tuple[Any, Canvas]:
    """With a border around.

    Raises:
        ValueError: a border that mirrors or repeats the image, in which there would be more boxes.
    """
    if padding_mode != "constant":
        raise ValueError(f"Padding mode '{padding_mode}' is not supported with bounding boxes")
    left, top, right, bottom = four_sides(padding)
    return _offset(corners, left, top), (canvas[0] + top + bottom, canvas[1] + left + right)


def resize(
    corners: Any,
    canvas: Canvas,
    size: Any,
    interpolation: Any = None,
    max_size: int | None = None,
    antialias: Any = True,
) -> tuple[Any, Canvas]:
    """In another size."""
    wanted = None if size is None else [size] if isinstance(size, int) else size
    tall, wide = resized_size(*canvas, wanted, max_size, allow_size_none=True)
    across, down = wide / canvas[1], tall / canvas[0]
    return corners * from_array(np.array([across, down, across, down], np.float32)).to(corners.device), (tall, wide)


def resized_crop(
    corners: Any, canvas: Canvas, top: int, left: int, height: int, width: int, size: Any, interpolation: Any = None,
    antialias: Any = True,
) -> tuple[Any, Canvas]:  # fmt: skip
    """Relative to a rectangle, in another size."""
    return resize(*crop(corners, canvas, top, left, height, width), size_pair(size))


def _around(points: Any) -> Any:
    """The boxes around the four points each (N, 4, 2)."""
    import flambeau

    return flambeau.cat([points.amin(-2), points.amax(-2)], -1)


def _points(corners: Any) -> Any:
    """The four corners of each box (N, 4, 2)."""
    return corners[..., [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def _mapped(corners: Any, matrix: Any) -> Any:
    """The boxes around the corners, each of which goes through a projection (3, 3)."""
    by = from_array(np.ascontiguousarray(matrix.T, dtype=np.float32)).to(corners.device)
    points = _points(corners)
    x, y, scale = (points @ by[:2] + by[2]).unbind(-1)
    import flambeau

    return _around(flambeau.stack([x / scale, y / scale], -1))


def _forward(inverse: Sequence[float]) -> Any:
    return np.linalg.inv(np.array([*inverse, 0.0, 0.0, 1.0][:9]).reshape(3, 3))


def affine(
    corners: Any, canvas: Canvas, angle: float, translate: Any, scale: float, shear: Any, interpolation: Any = None,
    fill: Any = None, center: Any = None,
) -> tuple[Any, Canvas]:  # fmt: skip
    """Around the turned, scaled, sheared and moved corners."""
    middle = [canvas[1] * 0.5, canvas[0] * 0.5] if center is None else center
    return _mapped(corners, _forward(inverse_affine_matrix(middle, angle, translate, scale, _pair(shear)))), canvas


def rotate(
    corners: Any, canvas: Canvas, angle: float, interpolation: Any = None, expand: bool = False, center: Any = None,
    fill: Any = None,
) -> tuple[Any, Canvas]:  # fmt: skip
    """Around the turned corners."""
    height, width = canvas
    middle = [width * 0.5, height * 0.5] if center is None or expand else center
    inverse = inverse_affine_matrix(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    turned = _mapped(corners, _forward(inverse))
    if not expand:
        return turned, canvas
    about_zero = inverse_affine_matrix([0.0, 0.0], -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    wide, tall = expanded_size(about_zero, width, height)
    border = _mapped(from_array(np.array([[0.0, 0.0, width, height]], np.float32)), _forward(inverse)).tolist()[0]
    return _offset(turned, -border[0], -border[1]), (tall, wide)


def perspective(
    corners: Any, canvas: Canvas, startpoints: Any, endpoints: Any, interpolation: Any = None, fill: Any = None,
    coefficients: Any = None,
) -> tuple[Any, Canvas]:  # fmt: skip
    """Around the projected corners."""
    inverse = perspective_coefficients(startpoints, endpoints) if coefficients is None else list(coefficients)
    return _mapped(corners, np.linalg.inv(np.array([*inverse, 1.0]).reshape(3, 3))), canvas


def elastic(
    corners: Any, canvas: Canvas, displacement: Any, interpolation: Any = None, fill: Any = None
) -> tuple[Any, Canvas]:
    """Around the moved corners; the way there is taken for the way back reversed, which is nearly right for small ways."""
    height, width = canvas
    points = _points(corners).detach().numpy()
    columns = np.ceil(points[..., 0]).astype(np.int64).clip(0, width - 1)
    rows = np.ceil(points[..., 1]).astype(np.int64).clip(0, height - 1)
    away = displacement.detach().numpy()[0][rows, columns]
    places = np.stack([columns, rows], -1) + 0.5 - away * 0.5 * np.array([width, height])
    return _around(from_array((places - 0.5).astype(np.float32))), canvas
