"""What the geometric transforms do to masks: as to images, but each pixel is of one class, never of two mixed."""

from __future__ import annotations

from typing import Any

from ... import functional as F
from ...interpolation import InterpolationMode
from .conversion import resize_image

__all__: list[str] = []

_NEAREST = InterpolationMode.NEAREST


def resize(mask: Any, size: Any, interpolation: Any = None, max_size: int | None = None, antialias: Any = None) -> Any:
    """In another size."""
    return resize_image(mask, size, _NEAREST, max_size)


def resized_crop(
    mask: Any, top: int, left: int, height: int, width: int, size: Any, interpolation: Any = None, antialias: Any = None
) -> Any:
    """A rectangle in another size."""
    return F.resized_crop(mask, top, left, height, width, size, _NEAREST)


def affine(
    mask: Any, angle: float, translate: Any, scale: float, shear: Any, interpolation: Any = None, fill: Any = None,
    center: Any = None,
) -> Any:  # fmt: skip
    """Turned, scaled, sheared and moved."""
    return F.affine(mask, angle, translate, scale, shear, _NEAREST, fill, center)


def rotate(
    mask: Any, angle: float, interpolation: Any = None, expand: bool = False, center: Any = None, fill: Any = None
) -> Any:
    """Turned."""
    return F.rotate(mask, angle, _NEAREST, expand, center, fill)


def perspective(
    mask: Any, startpoints: Any, endpoints: Any, interpolation: Any = None, fill: Any = None, coefficients: Any = None
) -> Any:
    """Projected."""
    return F.perspective(mask, startpoints, endpoints, _NEAREST, fill, coefficients)


def elastic(mask: Any, displacement: Any, interpolation: Any = None, fill: Any = None) -> Any:
    """Drawn on rubber."""
    return F.elastic_transform(mask, displacement, _NEAREST, fill)


def to_dtype(mask: Any, dtype: Any, scale: bool = False) -> Any:
    """In another dtype; classes are no brightness to be scaled."""
    return mask.to(dtype)
