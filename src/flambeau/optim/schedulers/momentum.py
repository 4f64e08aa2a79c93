"""Momentum under one name, whether an optimizer calls it ``momentum`` or the first of ``betas``."""

from __future__ import annotations

from typing import Any

from ..optimizer import Optimizer


def check_momentum_support(optimizer: Optimizer) -> bool:
    """Whether momentum is the first of ``betas``; refuse an optimizer that has neither."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
    return "betas" in optimizer.defaults


def set_momentum(group: dict[str, Any], value: float, use_beta1: bool) -> None:
    """Set a group's momentum."""
    if use_beta1:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value
