"""Window functions for spectral analysis: Bartlett, Hann, Hamming, Blackman, Kaiser.

A periodic window is the symmetric one of a point more, without its last point.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.devices import find
from ..core.dtypes import FLOATING, as_dtype, dtype, get_default_dtype
from .declaration import functions


def _window(
    name: str, length: int, periodic: bool, kind: dtype | None, device: Any, requires_grad: bool,
    formula: Callable[[Any, int], Any],
) -> Any:
    """``formula(n, last)`` at n = 0 … last, for ``length`` points."""
    find(device)
    made_of = get_default_dtype() if kind is None else as_dtype(kind, name)
    if made_of.category != FLOATING:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {made_of}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if length < 2:
        return functions["ones"](length, dtype=made_of, requires_grad=requires_grad)
    last = length if periodic else length - 1
    made = formula(functions["arange"](length, dtype=made_of), last)
    return made.requires_grad_() if requires_grad else made


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """A triangle: wₙ = 1 - |2n/(N-1) - 1|.

    >>> import flambeau as torch
    >>> torch.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """

    def formula(n: Any, last: int) -> Any:
        return 1 - (n * (2 / last) - 1).abs()

    return _window("bartlett_window", window_length, periodic, dtype, device, requires_grad, formula)


def _cosines(*weights: float) -> Callable[[Any, int], Any]:
    """Σ (-1)ᵏ aₖ cos(2πkn/(N-1))."""

    def formula(n: Any, last: int) -> Any:
        total = (n * (2 * math.pi / last)).cos() * -weights[1] + weights[0]
        for k, weight in enumerate(weights[2:], 2):
            total = total + (n * (2 * math.pi * k / last)).cos() * (weight * (-1) ** k)
        return total

    return formula


def hann_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """wₙ = ½ - ½ cos(2πn/(N-1)).

    >>> import flambeau as torch
    >>> torch.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", window_length, periodic, dtype, device, requires_grad, _cosines(0.5, 0.5))


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: dtype | None = None,
    layout: Any = None, device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """wₙ = α - β cos(2πn/(N-1))."""
    return _window("hamming_window", window_length, periodic, dtype, device, requires_grad, _cosines(alpha, beta))


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """wₙ = 0.42 - 0.5 cos(2πn/(N-1)) + 0.08 cos(4πn/(N-1))."""
    return _window("blackman_window", window_length, periodic, dtype, device, requires_grad, _cosines(0.42, 0.5, 0.08))


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: dtype | None = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """wₙ = I₀(β√(1 - (2n/(N-1) - 1)²)) / I₀(β), with the modified Bessel function I₀."""

    def formula(n: Any, last: int) -> Any:
        bessel = functions["i0"]
        top = bessel((1 - (n * (2 / last) - 1) ** 2).clamp(min=0).sqrt() * beta)
        return top / bessel(functions["tensor"](float(beta), dtype=n._spec.dtype))

    return _window("kaiser_window", window_length, periodic, dtype, device, requires_grad, formula)


functions.update(
    bartlett_window=bartlett_window, hann_window=hann_window, hamming_window=hamming_window,
    blackman_window=blackman_window, kaiser_window=kaiser_window,
)  # fmt: skip
