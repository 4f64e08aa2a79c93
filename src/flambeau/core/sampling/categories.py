"""Discrete outcomes: coin tosses, the wait for the first success, draws from given probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..faster_sampling import faster
from ..generators import Generator
from .continuous import exponential, uniform
from .numbers import CHUNK, Array, Shape, count_of, in_memory_order, rounded


def bernoulli(generator: Generator, shape: Shape, dtype: Any, probability: float = 0.5) -> Array:
    """1 with the given probability, else 0."""
    count = count_of(shape)
    numbers = np.empty(count, dtype)
    fast = faster.of(count)
    if fast is not None and numbers.itemsize <= 8:
        fast.bernoulli(generator.engine, numbers, probability)
        return numbers.reshape(shape)
    for start in range(0, count, CHUNK):
        piece = numbers[start : start + CHUNK]
        piece[...] = generator.engine.fractions(piece.size) < probability
    return numbers.reshape(shape)


def bernoulli_like(generator: Generator, probabilities: Array, dtype: Any) -> Array:
    """1 with the probability given for each place, else 0.

    Raises:
        RuntimeError: a probability outside of [0, 1].
    """
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false: bernoulli takes probabilities")
    precision = np.float64 if probabilities.dtype == np.float64 else np.float32
    drawn = uniform(generator, probabilities.shape, precision)
    return (drawn < probabilities.astype(precision, copy=False)).astype(dtype)


def dropout_mask(generator: Generator, shape: Shape, dtype: Any, probability: float) -> Array:
    """1 / (1 - probability) where dropout keeps a number, 0 where it drops it."""
    precision = np.float64 if np.dtype(dtype) == np.float64 else np.float32
    mask = bernoulli(generator, shape, dtype, 1 - probability)
    mask *= (precision(1) / precision(1 - probability)).astype(dtype)
    return mask


def geometric(generator: Generator, shape: Shape, dtype: Any, probability: float) -> Array:
    """The number of tosses until the first success (at least 1), by inversion."""
    count = count_of(shape)
    numbers = np.empty(count, np.float64)
    for start in range(0, count, CHUNK):
        piece = numbers[start : start + CHUNK]
        with np.errstate(divide="ignore"):
            logarithms = np.log(generator.engine.fractions(piece.size))
        np.ceil(logarithms / math.log1p(-probability), out=piece)
    return rounded(numbers, dtype, shape)


def multinomial(generator: Generator, probabilities: Array, samples: int, replacement: bool = False) -> Array:
    """Indices drawn with the given weights (they need not sum to 1) along the last dimension, ``samples`` per row.

    Without replacement, and for one sample, this is a race: each category waits an exponential time divided by its
    weight, and the first ones to arrive are the sample. Of those that arrive together, as happens in the dtypes of 16
    bits, the first in the row comes first; PyTorch leaves their order open.

    Raises:
        RuntimeError: weights that are negative, infinite, nan or, with replacement, all zero.
    """
    precise = probabilities.astype(np.float64)
    if not ((precise >= 0) & (precise < np.inf)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not replacement or samples == 1:
        if (precise.sum(-1) <= 0).any():
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        waits = in_memory_order(
            probabilities.shape, probabilities.strides, lambda shape: exponential(generator, shape, probabilities.dtype)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = probabilities / waits
        if samples == 1:
            return scores.argmax(-1, keepdims=True)
        return np.argsort(-scores, axis=-1, kind="stable")[..., :samples].astype(np.int64)
    rows = probabilities.reshape(-1, probabilities.shape[-1])
    drawn = np.empty((rows.shape[0], samples), np.int64)
    precision = np.float64 if rows.dtype == np.float64 else np.float32
    for place, row in enumerate(rows):
        totals = np.cumsum(row, dtype=precision)
        if not totals[-1] > 0:
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        totals = totals / totals[-1]
        totals[-1] = 1
        drawn[place] = np.searchsorted(totals, generator.engine.fractions(samples), side="left")
    return drawn.reshape(*probabilities.shape[:-1], samples)


