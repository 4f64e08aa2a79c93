"""Options that scale an update: Python numbers as a rule, tensors when the user made them so."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import float64
from ..tensor import Tensor


def scale_of(value: Any) -> Any:
    """An option as a scale: a number as it is; a one-element tensor with no dimensions, in double precision.

    Without dimensions it promotes nothing, and double precision is what a Python number would have had.
    """
    if isinstance(value, Tensor):
        return value.reshape(()).to(dtype=float64)
    return value
