"""Primitives of the discrete Fourier transform, by NumPy's pocketfft; single precision stays single."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import primitive
from .values import Value

Axes = tuple[int, ...]


def _scaled(x: Any, scale: float) -> Any:
    return x if scale == 1.0 else x * x.dtype.type(scale)


def _same(x: Value, **_: Any) -> Any:
    return x.shape, x.dtype


@primitive(_same)
def fourier(x: Any, *, axes: Axes, forward: bool, scale: float) -> Any:
    """scale · Σ x exp(∓2πi jk/n) over ``axes``: minus forward, plus backward."""
    made = np.fft.fftn(x, axes=axes) if forward else np.fft.ifftn(x, axes=axes, norm="forward")
    return _scaled(made.astype(x.dtype, copy=False), scale)


def _half_shape(x: Value, *, axes: Axes, scale: float) -> Any:
    shape = list(x.shape)
    shape[axes[-1]] = shape[axes[-1]] // 2 + 1
    return tuple(shape), x.dtype.to_complex()


@primitive(_half_shape)
def fourier_of_real(x: Any, *, axes: Axes, scale: float) -> Any:
    """The forward transform of real numbers: of the last of ``axes`` the first half, which determines the rest."""
    return _scaled(np.fft.rfftn(x, axes=axes).astype(np.result_type(x.dtype, np.complex64), copy=False), scale)


def _real_shape(x: Value, *, axes: Axes, size: int, scale: float) -> Any:
    shape = list(x.shape)
    shape[axes[-1]] = size
    return tuple(shape), x.dtype.to_real()


@primitive(_real_shape)
def fourier_to_real(x: Any, *, axes: Axes, size: int, scale: float) -> Any:
    """The backward transform to ``size`` real numbers of the half that :func:`fourier_of_real` gives."""
    sizes = [x.shape[axis] for axis in axes[:-1]] + [size]
    made = np.fft.irfftn(x, sizes, axes=axes, norm="forward")
    return _scaled(made.astype(x.real.dtype, copy=False), scale)
