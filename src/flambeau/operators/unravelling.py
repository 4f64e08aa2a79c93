"""Flat indices as coordinates."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import BOOL, FLOATING
from ..tracing.handles import Handle
from .declaration import composite, functions


@composite(method=False)
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The coordinates, one tensor a dimension, of elements of a row-major array given by their flat indices.

    Raises:
        TypeError: ``indices`` are no integers, or ``shape`` is no size.
        ValueError: ``shape`` has negative sizes.

    >>> import flambeau as torch
    >>> torch.unravel_index(torch.tensor([3, 5]), (2, 3))
    (tensor([1, 1]), tensor([0, 2]))
    """
    if not isinstance(indices, Handle):
        raise TypeError(f"expected 'indices' to be a tensor, but got {type(indices).__name__}")
    if indices._spec.dtype.category >= FLOATING or indices._spec.dtype.category == BOOL:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices._spec.dtype}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(isinstance(size, int) for size in sizes):
        raise TypeError(f"expected 'shape' sequence to contain ints, but got {shape}")
    if any(size < 0 for size in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    rest, found = indices, []
    for size in reversed(sizes):
        found.append(functions["remainder"](rest, size))
        rest = functions["div"](rest, size, rounding_mode="floor")
    return tuple(reversed(found))
