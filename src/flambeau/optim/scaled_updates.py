"""In-place updates whose scale is a Python number as a rule, and a tensor when the user made it one."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import float64
from ..tensor import Tensor

Scale = Any


def scale_of(value: Any) -> Scale:
    """An option as a scale: a number as it is; a one-element tensor with no dimensions, in double precision.

    Without dimensions it promotes nothing, and double precision is what a Python number would have had.
    """
    if isinstance(value, Tensor):
        return value.reshape(()).to(dtype=float64)
    return value


def add_scaled(target: Tensor, update: Tensor, scale: Scale) -> None:
    """``target += scale * update``."""
    if isinstance(scale, Tensor):
        target.add_(update * scale)
    else:
        target.add_(update, alpha=scale)


def add_ratio(target: Tensor, numerator: Tensor, denominator: Tensor, scale: Scale) -> None:
    """``target += scale * numerator / denominator``."""
    if isinstance(scale, Tensor):
        target.addcdiv_((numerator * scale).to(dtype=numerator.dtype), denominator)
    else:
        target.addcdiv_(numerator, denominator, value=scale)


def average(mean: Tensor, value: Tensor, decay: Scale) -> None:
    """``mean = decay * mean + (1 - decay) * value``."""
    if isinstance(decay, Tensor):
        mean.mul_(decay).add_(value * (1 - decay))
    else:
        mean.lerp_(value, 1 - decay)


def average_square(mean: Tensor, value: Tensor, decay: Scale) -> None:
    """``mean = decay * mean + (1 - decay) * value**2``."""
    if isinstance(decay, Tensor):
        mean.mul_(decay).add_(value * value * (1 - decay))
    else:
        mean.mul_(decay).addcmul_(value, value, value=1 - decay)
