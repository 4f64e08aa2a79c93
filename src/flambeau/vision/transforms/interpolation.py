"""``InterpolationMode``: how values between pixels are found."""

from __future__ import annotations

from enum import Enum
from typing import Any

__all__ = ["InterpolationMode", "as_interpolation", "pillow_filter"]


class InterpolationMode(Enum):
    """How values between pixels are found. The last three are for PIL images alone.

    >>> InterpolationMode("bilinear")
    <InterpolationMode.BILINEAR: 'bilinear'>
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


#: Pillow's numbers for its filters.
_NUMBERS = {
    InterpolationMode.NEAREST: 0, InterpolationMode.LANCZOS: 1, InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3, InterpolationMode.BOX: 4, InterpolationMode.HAMMING: 5,
    InterpolationMode.NEAREST_EXACT: 0,
}  # fmt: skip
_BY_NUMBER = {number: mode for mode, number in _NUMBERS.items() if mode is not InterpolationMode.NEAREST_EXACT}


def as_interpolation(given: Any) -> InterpolationMode:
    """An interpolation from its mode, its name, or Pillow's number for it.

    Raises:
        TypeError: something else.
    """
    if isinstance(given, InterpolationMode):
        return given
    if isinstance(given, str):
        return InterpolationMode(given.replace("_", "-"))
    if isinstance(given, int) and int(given) in _BY_NUMBER:
        return _BY_NUMBER[int(given)]
    raise TypeError(
        f"Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant, got {given!r}"
    )


def pillow_filter(mode: InterpolationMode) -> Any:
    """Pillow's number for an interpolation."""
    return _NUMBERS[mode]
