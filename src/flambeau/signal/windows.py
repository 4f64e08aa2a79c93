"""Windows: weights that fade a stretch of a signal in and out (Harris, "On the use of windows for harmonic analysis", 1978).

``sym=True`` makes a symmetric window of M points, for filters; ``sym=False`` a periodic one, for spectra: the first M points
of the symmetric window of M + 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..core.dtypes import float32, float64, get_default_dtype
from ..core.memory_formats import strided
from ..operators.declaration import functions

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann", "kaiser",
    "nuttall",
]  # fmt: skip


class _Request:
    """The checked arguments that all windows share."""

    def __init__(self, name: str, M: int, sym: bool, dtype: Any, layout: Any, device: Any, requires_grad: bool) -> None:
        self.dtype = get_default_dtype() if dtype is None else dtype
        if M < 0:
            raise ValueError(f"{name} requires non-negative window length, got M={M}")
        if layout is not strided:
            raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
        if self.dtype not in (float32, float64):
            raise ValueError(f"{name} expects float32 or float64 dtypes, got: {self.dtype}")
        self.M, self.sym, self.device, self.requires_grad = M, sym, device, requires_grad
        self.intervals = M - 1 if sym else M  # between the first point and the last one of the symmetric window

    def line(self, start: float, step: float) -> Any:
        """start, start + step, … for M points."""
        end = start + (self.M - 1) * step
        return functions["linspace"](start, end, self.M, dtype=self.dtype, device=self.device)

    def short(self) -> Any:
        """The windows of no points and of one."""
        if self.M == 0:
            return self.finished(functions["empty"]((0,), dtype=self.dtype, device=self.device))
        return self.finished(functions["ones"]((1,), dtype=self.dtype, device=self.device)) if self.M == 1 else None

    def finished(self, made: Any) -> Any:
        """The window, requiring grad when asked."""
        return made.requires_grad_() if self.requires_grad else made


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: Any = None, layout: Any = strided,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """exp(-|n - center| / tau).

    >>> import flambeau as torch
    >>> torch.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    request = _Request("exponential", M, sym, dtype, layout, device, requires_grad)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if M <= 1:
        return request.short()
    middle = request.intervals / 2.0 if center is None else center
    return request.finished((-request.line(-middle / tau, 1 / tau).abs()).exp())


def cosine(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None, requires_grad: bool = False
) -> Any:
    """sin(π (n + 1/2) / M)."""
    request = _Request("cosine", M, sym, dtype, layout, device, requires_grad)
    if M <= 1:
        return request.short()
    step = math.pi / (M if sym else M + 1)
    return request.finished(request.line(0.5 * step, step).sin())


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """exp(-((n - centre) / std)² / 2)."""
    request = _Request("gaussian", M, sym, dtype, layout, device, requires_grad)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    if M <= 1:
        return request.short()
    scale = 1 / (std * math.sqrt(2))
    return request.finished((-(request.line(-request.intervals / 2.0 * scale, scale) ** 2)).exp())


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """I₀(beta √(1 - ((n - centre) / centre)²)) / I₀(beta)."""
    request = _Request("kaiser", M, sym, dtype, layout, device, requires_grad)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    short = request.short()
    if short is not None:
        return short
    start = -float(beta)
    line = request.line(start, 2.0 * beta / request.intervals)
    inside = (beta * beta - line**2).clamp(min=0).sqrt()
    return request.finished(functions["i0"](inside) / functions["i0"](line.new_tensor(float(beta))))


def general_cosine(
    M: Any, *, a: Iterable[float], sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Σ (-1)ⁱ aᵢ cos(2π i n / intervals).

    >>> import flambeau as torch
    >>> torch.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    request = _Request("general_cosine", M, sym, dtype, layout, device, requires_grad)
    short = request.short()
    if short is not None:
        return short
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    coefficients = list(a)
    if not coefficients:
        raise ValueError("Coefficients cannot be empty")
    line = request.line(0.0, 2 * math.pi / request.intervals)
    made: Any = None
    for i, each in enumerate(coefficients):
        term = (-1) ** i * each * (line * i).cos()
        made = term if made is None else made + term
    return request.finished(made)


def general_hamming(
    M: Any, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """alpha - (1 - alpha) cos(2π n / intervals)."""
    return general_cosine(
        M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def hamming(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None, requires_grad: bool = False
) -> Any:
    """0.54 - 0.46 cos(2π n / intervals)."""
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None, requires_grad: bool = False
) -> Any:
    """(1 - cos(2π n / intervals)) / 2."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def blackman(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None, requires_grad: bool = False
) -> Any:
    """0.42 - 0.5 cos(2π n / intervals) + 0.08 cos(4π n / intervals)."""
    return general_cosine(
        M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def nuttall(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None, requires_grad: bool = False
) -> Any:
    """Four cosine terms with the least side lobes (Nuttall, 1981)."""
    return general_cosine(
        M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype, layout=layout, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def bartlett(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = strided, device: Any = None, requires_grad: bool = False
) -> Any:
    """1 - |2 n / intervals - 1|."""
    request = _Request("bartlett", M, sym, dtype, layout, device, requires_grad)
    short = request.short()
    if short is not None:
        return short
    return request.finished(1 - request.line(-1.0, 2 / request.intervals).abs())
