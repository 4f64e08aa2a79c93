"""``make_tensor``: tensors of random numbers in a range, for tests."""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import BOOL, FLOATING, dtype as _dtype, finfo, iinfo, uint8
from ..operators.declaration import functions


def _range(low: Any, high: Any, kind: _dtype) -> tuple[Any, Any]:
    default: tuple[float, float]
    least: float
    greatest: float
    if kind.category == BOOL:
        default, least, greatest = (0, 2), 0, 2
    elif kind.category < FLOATING:
        limits = iinfo(kind)
        default = (0, 10) if kind is uint8 or limits.min == 0 else (-9, 10)
        least, greatest = limits.min, limits.max + (limits.max < 2**63 - 1)
    else:
        narrow = finfo(kind.real if hasattr(kind, "real") else kind)
        default, least, greatest = (-9, 9), narrow.min, narrow.max
    low, high = default[0] if low is None else low, default[1] if high is None else high
    if any(isinstance(each, float) and math.isnan(each) for each in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    low, high = max(low, least), min(high, greatest)
    if kind.category < FLOATING:
        return math.floor(low), math.ceil(high)
    return low, high


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """A tensor of numbers drawn uniformly from [low, high).

    Args:
        low, high: by default -9 and 9 (10 for integers); 0 and 10 for unsigned integers.
        noncontiguous: every second element of a larger tensor.
        exclude_zero: zeros are replaced by the smallest positive number (integers: by one).

    >>> import flambeau as torch
    >>> torch.testing.make_tensor(2, 3, dtype=torch.int64, device="cpu").shape
    torch.Size([2, 3])
    """
    sizes = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else tuple(shape)
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"{noncontiguous=} and {memory_format=}"
        )
    if requires_grad and dtype.category < FLOATING:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype=}")
    low, high = _range(low, high, dtype)
    spread = noncontiguous and math.prod(sizes) > 1
    if spread:
        sizes = (*sizes[:-1], 2 * sizes[-1])
    if dtype.category < FLOATING:
        made = functions["randint"](low, high, sizes, dtype=dtype, device=device)
    else:
        made = functions["empty"](sizes, dtype=dtype, device=device)
        (functions["view_as_real"](made) if dtype.is_complex else made).uniform_(low, high)
    if exclude_zero:
        made[made == 0] = 1 if dtype.category < FLOATING else finfo(dtype).tiny
    if spread:
        made = made[..., 1::2]
    elif memory_format is not None:
        made = made.clone(memory_format=memory_format)
    return made.requires_grad_() if requires_grad else made
