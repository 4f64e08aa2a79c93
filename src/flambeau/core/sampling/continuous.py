"""Continuous distributions made from one uniform number each: uniform, exponential, Cauchy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..faster_sampling import FEW, faster
from ..fused_multiply_add import fused_float32, fused_float64
from ..generators import Generator
from .numbers import CHUNK, Array, Shape, count_of, libm, real_part, rounded

_LOW_24 = np.uint64(0xFFFFFF)
_FLOAT32 = np.dtype(np.float32)
_STEP_24 = np.float32(2.0**-24)


def uniform(generator: Generator, shape: Shape, dtype: Any, low: float = 0.0, high: float = 1.0) -> Array:
    """Numbers from [low, high): 53 random bits each in float64, 24 bits of one word in the narrower dtypes.

    A complex dtype gets both its parts from the interval.
    """
    if dtype is _FLOAT32 and low == 0 and high == 1 and (count := count_of(shape)) < FEW:
        word = generator.engine.word
        return np.array([(word() & 0xFFFFFF) * 2.0**-24 for _ in range(count)], dtype).reshape(shape)
    part = real_part(dtype)
    if part is not None:
        return uniform(generator, 2 * count_of(shape), part, low, high).view(dtype).reshape(shape)
    wanted, count = np.dtype(dtype), count_of(shape)
    double, unit = wanted == np.float64, low == 0 and high == 1
    if not double:
        low, high = float(np.float32(low)), float(np.float32(high))
    scale = high - low if double else float(np.float32(high) - np.float32(low))
    numbers = np.empty(count, np.float64 if double else np.float32)
    fast = faster.of(count) if _plain(scale) else None
    if fast is not None:
        narrow = wanted.itemsize < 4
        fast.uniform(generator.engine, numbers, scale, low, math.inf if narrow else high)
        if not narrow:
            return numbers.reshape(shape)
    for start in range(0, 0 if fast is not None else count, CHUNK):
        piece = numbers[start : start + CHUNK]
        if double:
            piece[...] = generator.engine.fractions(piece.size)
        else:
            unit_float32(generator, piece)
        if not unit:
            piece[...] = fused_float64(piece, scale, low) if double else fused_float32(piece, scale, low)
    numbers = numbers.astype(wanted, copy=False)
    if not unit or wanted.itemsize < 4:
        # Rounding may reach the upper end, which is not part of the interval: such numbers become the lower end.
        numbers[numbers == wanted.type(high)] = wanted.type(low)
    return numbers.reshape(shape)


def _plain(scale: float) -> bool:
    """Whether products with it are what they should be in the NumPy code for a fused multiplication and addition."""
    return scale == 0 or 1e-100 < abs(scale) < 1e100


def unit_float32(generator: Generator, out: Array) -> None:
    """Fill ``out`` (float32) with numbers from [0, 1), one word each."""
    words = generator.engine.words(out.size)
    words &= _LOW_24
    out[...] = words.view(np.int64)
    out *= _STEP_24


def exponential(generator: Generator, shape: Shape, dtype: Any, rate: float = 1.0) -> Array:
    """Waiting times of mean 1 / rate, by inversion: -log(1 - u) / rate."""
    count = count_of(shape)
    numbers = np.empty(count, np.float64)
    factor = -1.0 / rate
    for start in range(0, count, CHUNK):
        fractions = generator.engine.fractions(min(CHUNK, count - start))
        numbers[start : start + CHUNK] = libm(math.log1p, -fractions, dtype)
    numbers *= factor
    return rounded(numbers, dtype, shape)


def cauchy(generator: Generator, shape: Shape, dtype: Any, median: float = 0.0, sigma: float = 1.0) -> Array:
    """Numbers of the Cauchy distribution, by inversion: median + sigma * tan(pi * (u - 1/2))."""
    count = count_of(shape)
    numbers = np.empty(count, np.float64)
    for start in range(0, count, CHUNK):
        fractions = generator.engine.fractions(min(CHUNK, count - start))
        fractions -= 0.5
        fractions *= math.pi
        numbers[start : start + CHUNK] = fused_float64(libm(math.tan, fractions, dtype), sigma, median)
    return rounded(numbers, dtype, shape)

