"""Normal numbers: Box and Muller's transform ("A note on the generation of random normal deviates", 1958).

PyTorch has two ways. Fewer than 16 numbers, and memory that is not contiguous, take one pair of float64 after the
other; the second of a pair waits in the generator for the next call. From 16 numbers on, blocks of 16 uniform
numbers become 16 normal ones, the first eight giving the radii and the last eight the angles; when 16 does not
divide the count, the last 16 are made again from fresh ones.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..faster_sampling import faster
from ..fused_multiply_add import fused_float32, fused_float64
from ..generators import Generator
from .continuous import unit_float32
from .numbers import CHUNK, Array, Shape, count_of, exactly, libm, real_part, rounded, unit_circle

_BLOCK = 16
_TURN = np.float32(2 * math.pi)
_FLOAT32 = np.dtype(np.float32)


def normal(
    generator: Generator, shape: Shape, dtype: Any, mean: float = 0.0, std: float = 1.0, contiguous: bool = True
) -> Array:
    """Numbers of mean ``mean`` and standard deviation ``std``; of a complex dtype, ``std`` is that of the modulus.

    ``contiguous`` tells whether the memory they are meant for is: the others get different numbers in PyTorch.
    """
    if dtype is _FLOAT32 and mean == 0 and std == 1 and (count := count_of(shape)) < _BLOCK:
        return np.array([standard_normal(generator) for _ in range(count)], dtype).reshape(shape)
    part = real_part(dtype)
    if part is not None:
        parts = normal(generator, 2 * count_of(shape), part, 0.0, std / math.sqrt(2), contiguous)
        numbers: Array = parts.view(dtype).reshape(shape)
        return numbers + np.dtype(dtype).type(mean) if mean else numbers
    count = count_of(shape)
    if count < _BLOCK or not contiguous:
        return rounded(_affine(standard_pairs(generator, count, dtype), mean, std), dtype, shape)
    wanted = np.dtype(dtype)
    if wanted == np.float64:
        return _double_blocks(generator, count, mean, std).reshape(shape)
    numbers = np.empty(count, np.float32)
    fast = faster.of(count)
    if fast is not None:
        whole = count - count % _BLOCK
        fast.normal(generator.engine, numbers[:whole], mean, std)
        if whole < count:
            if wanted == np.float32:
                generator.engine.skip(count - whole)
            fast.normal(generator.engine, numbers[-_BLOCK:], mean, std)
        return numbers.astype(wanted, copy=False).reshape(shape)
    if wanted == np.float32:
        fill_uniform(generator, numbers)
        whole = count - count % _BLOCK
        _float_blocks(numbers[:whole], mean, std)
        if whole < count:
            unit_float32(generator, numbers[-_BLOCK:])
            _float_blocks(numbers[-_BLOCK:], mean, std)
        return numbers.reshape(shape)
    # The narrow dtypes draw block by block, so that no words are spent on numbers that are made again.
    whole = count - count % _BLOCK
    fill_uniform(generator, numbers[:whole])
    _float_blocks(numbers[:whole], mean, std)
    if whole < count:
        unit_float32(generator, numbers[-_BLOCK:])
        _float_blocks(numbers[-_BLOCK:], mean, std)
    return numbers.astype(wanted).reshape(shape)


def log_normal(generator: Generator, shape: Shape, dtype: Any, mean: float = 1.0, std: float = 2.0) -> Array:
    """Numbers whose logarithm is normal with that mean and standard deviation."""
    exponents = _affine(standard_pairs(generator, count_of(shape), dtype), mean, std)
    with np.errstate(over="ignore"):
        return rounded(_exponential(exponents, dtype), dtype, shape)


def _exponential(exponents: Array, dtype: Any) -> Array:
    if np.dtype(dtype) != np.float64:
        return np.exp(exponents)
    # Of a complex number without imaginary part this is the C library's own, to the last bit.
    values: Array = np.exp(exponents.astype(np.complex128)).real
    return values


def standard_pairs(generator: Generator, count: int, dtype: Any) -> Array:
    """``count`` standard normal float64 numbers, pair by pair, beginning with the one left over from before."""
    numbers = np.empty(count, np.float64)
    done = 0
    if count and generator.next_normal is not None:
        numbers[0], generator.next_normal, done = generator.next_normal, None, 1
    if count - done <= _BLOCK:
        for place in range(done, count):
            numbers[place] = standard_normal(generator)
        return numbers
    for start in range(done, count, CHUNK):
        piece = numbers[start : start + CHUNK]
        fractions = generator.engine.fractions(piece.size + piece.size % 2).reshape(-1, 2)
        radii = np.sqrt(-2 * libm(math.log1p, -fractions[:, 1], dtype))
        pairs = (_double_circle(2 * math.pi * fractions[:, 0], dtype) * radii[:, np.newaxis]).ravel()
        piece[...] = pairs[: piece.size]
        if piece.size % 2:
            angle, radicand = fractions[-1].tolist()
            generator.next_normal = _second_of_pair(angle, radicand)
    return numbers


def _double_circle(angles: Array, dtype: Any) -> Array:
    """Cosine and sine of each angle side by side; the C library's where the last bit of a float64 shows."""
    if np.dtype(dtype) == np.float64 or angles.size <= _BLOCK:
        return unit_circle(angles).view(np.float64).reshape(-1, 2)
    return np.stack((np.cos(angles), np.sin(angles)), axis=1)


def _second_of_pair(first: float, second: float) -> float:
    return math.sqrt(-2 * math.log1p(-second)) * math.sin(2 * math.pi * first)


def standard_normal(generator: Generator) -> float:
    """One standard normal number: the one in reserve, or the first of a new pair whose second goes in reserve."""
    reserve = generator.next_normal
    if reserve is not None:
        generator.next_normal = None
        return reserve
    angle = 2 * math.pi * generator.engine.fraction()
    radius = math.sqrt(-2 * math.log1p(-generator.engine.fraction()))
    generator.next_normal = radius * math.sin(angle)
    return radius * math.cos(angle)


def _affine(numbers: Array, mean: float, std: float) -> Array:
    """``numbers * std + mean``, in place."""
    for start in range(0, 0 if mean == 0 and std == 1 else numbers.size, CHUNK):
        piece = numbers[start : start + CHUNK]
        piece[...] = fused_float64(piece, std, mean)
    return numbers


def fill_uniform(generator: Generator, numbers: Array) -> None:
    """Fill a float32 array with numbers from [0, 1), a piece at a time."""
    for start in range(0, numbers.size, CHUNK):
        unit_float32(generator, numbers[start : start + CHUNK])


def _double_blocks(generator: Generator, count: int, mean: float, std: float) -> Array:
    whole = count - count % _BLOCK
    numbers = np.empty(count, np.float64)
    fast = faster.of(count) if 1e-100 < abs(std) < 1e100 else None
    if fast is not None:
        fast.normal(generator.engine, numbers[:whole], mean, std)
        if whole < count:
            generator.engine.skip(2 * (count - whole))
            fast.normal(generator.engine, numbers[-_BLOCK:], mean, std)
        return numbers
    for start in range(0, whole, CHUNK):
        piece = numbers[start : min(start + CHUNK, whole)]
        piece[...] = _double_block(generator.engine.fractions(piece.size), mean, std)
    if whole < count:
        generator.engine.skip(2 * (count - whole))
        numbers[-_BLOCK:] = _double_block(generator.engine.fractions(_BLOCK), mean, std)
    return numbers


def _double_block(fractions: Array, mean: float, std: float) -> Array:
    blocks = fractions.reshape(-1, 2, _BLOCK // 2)
    radii = np.sqrt(-2 * exactly(math.log, 1 - blocks[:, 0]))
    turned = unit_circle(2 * math.pi * blocks[:, 1])
    blocks[:, 0] = turned.real * radii
    blocks[:, 1] = turned.imag * radii
    return _affine(fractions, mean, std)


def _float_blocks(numbers: Array, mean: float, std: float) -> None:
    """Turn blocks of uniform float32 numbers into normal ones, in place."""
    for start in range(0, numbers.size, CHUNK):
        piece = numbers[start : start + CHUNK]
        blocks = piece.reshape(-1, 2, _BLOCK // 2)
        radii = _log(1 - blocks[:, 0])
        radii *= np.float32(-2)
        np.sqrt(radii, out=radii)
        sines, cosines = _sin_cos(blocks[:, 1] * _TURN)
        np.multiply(radii, cosines, out=blocks[:, 0])
        np.multiply(radii, sines, out=blocks[:, 1])
        if mean != 0 or std != 1:
            piece[...] = fused_float32(piece, float(np.float32(std)), float(np.float32(mean)))


# The float32 logarithm, sine and cosine below are those of the Cephes library (Moshier, 1989), whose order of
# operations and rounding, with multiplications and additions fused, decides the last bit of every normal number.

_ROOT_HALF = np.float32(0.707106781186547524)
_LOG = [np.float32(c) for c in (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)]  # fmt: skip
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_SIN = [np.float32(c) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)]
_COS = [np.float32(c) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)]
_FOUR_OVER_PI = np.float32(1.27323954473516)
_QUARTER_PI = [np.float32(c) for c in (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)]


def _polynomial(coefficients: list[np.float32], variable: Array) -> Array:
    """Horner's scheme in float32 with fused steps: float64 holds each product, and is rounded after each sum."""
    wide = variable.astype(np.float64)
    sums = wide * float(coefficients[0])
    sums += float(coefficients[1])
    narrow = sums.astype(np.float32)
    for coefficient in coefficients[2:]:
        np.multiply(wide, narrow, out=sums)
        sums += float(coefficient)
        narrow[...] = sums
    return narrow


def _fused(left: Array, right: Any, addend: Array) -> Array:
    """``left * right + addend`` of float32 arrays with one rounding (but for one case in 2^29)."""
    total = np.multiply(left, right, dtype=np.float64)
    total += addend
    return total.astype(np.float32)


def _log(numbers: Array) -> Array:
    """The natural logarithm of float32 numbers from (0, 1]."""
    mantissa, exponent = np.frexp(numbers)
    small = (mantissa < _ROOT_HALF).view(np.int8)
    exponent -= small
    exponents = exponent.astype(np.float32)
    # The small ones are doubled before 1 is taken away; neither step rounds.
    mantissa *= small.astype(np.float32) + np.float32(1)
    mantissa -= np.float32(1)
    square = mantissa * mantissa
    terms = _polynomial(_LOG, mantissa)
    terms *= mantissa
    terms = _fused(terms, square, exponents * _LN2_LOW)
    square *= np.float32(0.5)
    terms -= square
    mantissa += terms
    exponents *= _LN2_HIGH  # exact: the constant has nine bits
    mantissa += exponents
    return mantissa


def _sin_cos(angles: Array) -> tuple[Array, Array]:
    """Sine and cosine of float32 angles from [0, 2π]."""
    octants = (angles * _FOUR_OVER_PI).astype(np.int32)
    octants += 1
    octants &= -2
    eighths = octants.astype(np.float32)
    # π/4 in three parts; the products with the first two, short ones are exact.
    reduced = angles + eighths * _QUARTER_PI[0]
    reduced += eighths * _QUARTER_PI[1]
    reduced = _fused(eighths, _QUARTER_PI[2], reduced)
    square = reduced * reduced
    cosine = _polynomial(_COS, square)
    cosine *= square
    cosine = _fused(cosine, square, square * np.float32(-0.5))
    cosine += np.float32(1)
    sine = _polynomial(_SIN, square)
    sine *= square
    sine = _fused(sine, reduced, reduced)
    # In odd quadrants the two change places; signs follow the quadrant. Both by their bits: that has no branches.
    octants >>= 1
    first, second = sine.view(np.int32), cosine.view(np.int32)
    exchange = first ^ second
    exchange &= -(octants & 1)
    first ^= exchange
    second ^= exchange
    first ^= (octants & 2) << 30
    octants += 1
    second ^= (octants & 2) << 30
    return sine, cosine
