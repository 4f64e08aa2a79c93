"""Random integers and permutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..faster_sampling import FEW, faster
from ..generators import Generator
from .numbers import BFLOAT16, Array, Shape, count_of

# From this many values on PyTorch takes 64 random bits for a number: 32 would favour the low ones noticeably.
_WIDE_RANGE = 1 << 28
_ALL_64_BITS = 1 << 64
_WIDE_PERMUTATION = (2**32 - 1) // 20
_SHORT_PERMUTATION = 256
_INT64 = np.dtype(np.int64)


def integers(generator: Generator, shape: Shape, dtype: Any, low: int, high: int) -> Array:
    """Integers from [low, high), as ``dtype`` (which may be floating)."""
    count = count_of(shape)
    values = high - low
    if count < FEW and dtype is _INT64 and values < _WIDE_RANGE and high < 2**63:
        word = generator.engine.word
        return np.array([low + word() % values for _ in range(count)], dtype).reshape(shape)
    if values >= _WIDE_RANGE:
        words = generator.engine.double_words(count)
        if values < _ALL_64_BITS:
            words = _remainder(words, values)
    elif (fast := faster.of(count)) is not None and -(2**63) <= low < 2**63:
        return _as(fast.integers(generator.engine, count, values, low), dtype, shape)
    else:
        words = _remainder(generator.engine.words(count), values)
    numbers = words.view(np.int64)
    if low and values < _ALL_64_BITS:
        numbers += np.int64(low if low < 2**63 else low - 2**64)
    return _as(numbers, dtype, shape, unsigned=high > 2**63)


def any_integers(generator: Generator, shape: Shape, dtype: Any) -> Array:
    """Integers from the whole non-negative range of an integer dtype; from [0, 2^digits] of a floating one."""
    wanted = np.dtype(dtype)
    count = count_of(shape)
    if wanted == np.float64:
        return _as(_remainder(generator.engine.double_words(count), 2**53 + 1).view(np.int64), dtype, shape)
    if wanted.kind in "iu" and wanted.itemsize == 8:
        words = generator.engine.double_words(count)
        if wanted.kind == "i":
            words &= np.uint64(2**63 - 1)
        return words.view(wanted).reshape(shape)
    if wanted == BFLOAT16 or wanted.kind == "f":
        digits = 8 if wanted == BFLOAT16 else {2: 11, 4: 24}[wanted.itemsize]
        values = 2**digits + 1
    else:
        values = 2 if wanted.kind == "b" else int(np.iinfo(wanted).max) + 1
    return _as(_remainder(generator.engine.words(count), values).view(np.int64), dtype, shape)


def permutation(generator: Generator, count: int, dtype: Any = np.int64) -> Array:
    """The numbers 0 … count-1 in random order: Fisher and Yates' shuffle, from the front.

    Step i exchanges item i with one of those from i on. Long shuffles are computed all steps at once. What step i
    leaves at place i is what it finds at its partner j: whatever the last earlier step with the partner j put
    there, that is, what was at place k before that step k, and so on back to a place nobody had touched. The steps
    are sorted by partner to find the last earlier ones, and the chains are followed by pointer doubling.
    """
    if count < 2:
        return np.arange(count).astype(dtype)
    if count < FEW:
        word = generator.engine.word
        return np.array(_shuffled([step + word() % (count - step) for step in range(count - 1)], count), dtype=dtype)
    fast = faster.of(count)
    if fast is not None and count < _WIDE_PERMUTATION:
        compiled: Array = fast.permutation(generator.engine, count)
        return compiled.astype(dtype, copy=False)
    words = (
        generator.engine.words(count - 1) if count < _WIDE_PERMUTATION else generator.engine.double_words(count - 1)
    )
    # 32-bit divisions, where they will do, are several times faster.
    narrow = np.uint32 if count < _WIDE_PERMUTATION else np.uint64
    choices: Array = np.arange(count, 1, -1, dtype=narrow)
    chosen = np.remainder(words.astype(narrow, copy=False), choices).astype(np.int64)
    chosen += np.arange(count - 1)
    if count <= _SHORT_PERMUTATION:
        return np.array(_shuffled(chosen.tolist(), count), dtype=dtype)
    return _shuffled_at_once(chosen, count).astype(dtype, copy=False)


def _shuffled(partners: list[int], count: int) -> list[int]:
    order = list(range(count))
    for step, partner in enumerate(partners):
        order[step], order[partner] = order[partner], order[step]
    return order


def _shuffled_at_once(partners: Array, count: int) -> Array:
    steps = np.arange(count - 1)
    # Sorting (partner, step) as one number groups the steps of each partner in their order.
    keys = partners << np.int64(32)
    keys |= steps
    keys.sort()
    by_partner = keys & np.int64(0xFFFFFFFF)
    keys >>= np.int64(32)
    repeated = np.flatnonzero(keys[1:] == keys[:-1])
    last_of_group = np.flatnonzero(keys[1:] != keys[:-1])
    # The last step before step i with the same partner; -1 where there is none.
    previous = np.full(count - 1, -1)
    previous[by_partner[repeated + 1]] = by_partner[repeated]
    # The last step, before step p itself, whose partner was p. Partners are never behind, so all others come earlier.
    origin = np.arange(count)
    origin[keys[last_of_group]] = by_partner[last_of_group]
    origin[keys[-1]] = by_partner[-1]
    own = np.flatnonzero(partners == steps)
    origin[own] = np.where(previous[own] >= 0, previous[own], own)
    # Each place's item just before its own step: follow the chain back to a place nobody had touched.
    moving = np.flatnonzero(origin[:-1] != steps)
    if origin[-1] != count - 1:
        moving = np.append(moving, count - 1)
    at = origin[moving]
    while moving.size:
        further = origin[at]
        unsettled = further != at
        moving, at = moving[unsettled], further[unsettled]
        origin[moving] = at
    result = np.empty(count, np.int64)
    np.copyto(result[:-1], partners)
    found = np.flatnonzero(previous >= 0)
    result[found] = origin[previous[found]]
    result[own] = origin[own]
    result[-1] = origin[-1]
    return result


def _remainder(words: Array, values: int) -> Array:
    """``words % values``. A division by one number is a multiplication to NumPy, its remainder is not."""
    if values & (values - 1) == 0:
        words &= np.uint64(values - 1)
        return words
    divisor = np.uint64(values)
    quotient = words // divisor
    quotient *= divisor
    words -= quotient
    return words


def _as(numbers: Array, dtype: Any, shape: Shape, unsigned: bool = False) -> Array:
    wanted = np.dtype(dtype)
    if unsigned:
        numbers = numbers.view(np.uint64)
    if wanted == BFLOAT16 or wanted == np.float16:
        numbers = numbers.astype(np.float32)
    return numbers.astype(wanted, copy=False).reshape(shape)
