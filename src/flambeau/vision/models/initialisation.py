"""First values that networks share, and channel counts."""

from __future__ import annotations

from typing import Any

from ...nn import Conv2d, Linear, Module, init

__all__ = ["divisible", "initialise"]


def initialise(network: Module, linear: Any = None, mode: str = "fan_out") -> None:
    """Convolutions normal as He et al. (2015) have it, their biases 0; ``linear(weight)`` for linear layers, biases 0.

    Normalizations are made with ones and zeros already.
    """
    for module in network.modules():
        if isinstance(module, Conv2d):
            init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")
        elif isinstance(module, Linear) and linear is not None:
            linear(module.weight)
        else:
            continue
        if module.bias is not None:
            init.zeros_(module.bias)


def divisible(value: float, divisor: int = 8, minimum: int | None = None) -> int:
    """``value`` rounded to a multiple of ``divisor``, at least ``minimum``, and at most a tenth below ``value``.

    >>> divisible(37), divisible(19)
    (40, 24)
    """
    rounded = max(minimum or divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
