"""What the constructors of transforms make of their arguments."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

__all__ = ["angles", "size_of", "spread_around", "window_of"]


def size_of(size: Any, message: str = "Please provide only two dimensions (h, w) for size.") -> Any:
    """(height, width) from one number, from a sequence of one, or as given.

    Raises:
        ValueError: another length.
    """
    if isinstance(size, numbers.Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(message)
    return size


def window_of(size: Any) -> Any:
    """(width, height) of a filter's window.

    Raises:
        ValueError: it has no middle, or is empty.

    >>> window_of(3)
    (3, 3)
    """
    window = size_of(size, "Kernel size should be a tuple/list of two integers")
    if any(each <= 0 or each % 2 == 0 for each in window):
        raise ValueError("Kernel size value should be an odd and positive number.")
    return window


def angles(given: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """The interval [-given, given] of one number, or the numbers given.

    Raises:
        ValueError: one negative number, or another length.
        TypeError: neither number nor sequence.
    """
    if isinstance(given, numbers.Number):
        if given < 0:  # type: ignore[operator]
            raise ValueError(f"If {name} is a single number, it must be positive.")
        return [float(-given), float(given)]  # type: ignore[operator, arg-type]
    expected = " or ".join(map(str, lengths))
    if not isinstance(given, Sequence):
        raise TypeError(f"{name} should be a sequence of length {expected}.")
    if len(given) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {expected}.")
    return [float(each) for each in given]


def spread_around(
    value: Any, name: str, center: float = 1.0, bound: tuple[float, float] = (0.0, math.inf), clip: bool = True
) -> tuple[float, float] | None:
    """The interval [center - value, center + value] of one number, or the two given; None when it is ``center`` alone.

    Raises:
        ValueError: a negative number, or an interval beyond ``bound``.
        TypeError: neither a number nor two.
    """
    if isinstance(value, numbers.Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(f"If {name} is a single number, it must be non negative.")
        low, high = center - float(value), center + float(value)  # type: ignore[arg-type]
        low = max(low, 0.0) if clip else low
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
    else:
        raise TypeError(f"{name} should be a single number or a list/tuple with length 2.")
    if not bound[0] <= low <= high <= bound[1]:
        raise ValueError(f"{name} values should be between {bound}, but got {[low, high]}.")
    return None if low == high == center else (low, high)
