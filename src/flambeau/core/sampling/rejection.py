"""Distributions sampled by rejection: each number takes as many random words as it happens to need.

Poisson and binomial after Hörmann ("The transformed rejection method for generating Poisson random variables", 1993;
"The generation of binomial random variates", 1993); gamma after Marsaglia and Tsang ("A simple method for generating
gamma variables", 2000).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import length_hint
from types import TracebackType
from typing import Any

import numpy as np

from ..faster_sampling import faster
from ..generators import Generator
from .box_muller import standard_normal
from .numbers import Array, rounded

_LARGEST_RATE = 1e15  # up to which every number of events is a float64

Draw = Callable[[], float]


class _Fractions:
    """Numbers from [0, 1) one at a time, drawn in blocks; what is left of the last block goes back at the end."""

    __slots__ = ("_block", "_engine", "_left", "_size", "_state")

    def __init__(self, generator: Generator, expected: int) -> None:
        self._engine = generator.engine
        self._size = min(max(expected, 1), 1 << 14)
        self._left = iter(())  # type: Any
        self._state: Any = None

    def __call__(self) -> float:
        for fraction in self._left:
            return fraction
        self._state = self._engine.state()
        self._left = iter(self._engine.fractions(self._size).tolist())
        return next(self._left)

    def __enter__(self) -> Draw:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        left = length_hint(self._left)
        if left:
            self._engine.set_state(*self._state)
            self._engine.skip(2 * (self._size - left))


def poisson(generator: Generator, rates: Array, dtype: Any = None) -> Array:
    """The number of events when ``rates`` are expected.

    Raises:
        RuntimeError: a negative rate.
    """
    if (rates < 0).any():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    wanted = rates.astype(np.float64)
    # (Where every rate is 0 nothing is drawn, and a fresh stream stays fresh.)
    fast = faster.of(rates.size) if wanted.any() and (wanted < _LARGEST_RATE).all() else None
    if fast is not None:
        numbers = fast.poisson(generator.engine, np.ascontiguousarray(wanted).reshape(-1))
        return rounded(numbers, dtype or rates.dtype, rates.shape)
    with _Fractions(generator, 2 * rates.size) as draw:
        counts = [_one_poisson(rate, draw) for rate in wanted.ravel().tolist()]
    return rounded(np.array(counts, np.float64), dtype or rates.dtype, rates.shape)


def _one_poisson(rate: float, draw: Draw) -> int:
    if rate == 0:
        return 0
    if rate < 10:
        # Knuth: multiply fractions until the product falls below exp(-rate).
        threshold, product, count = math.exp(-rate), 1.0, 0
        while True:
            product *= draw()
            if product <= threshold:
                return count
            count += 1
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accepted = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = draw() - 0.5, draw()
        edge = 0.5 - abs(u)
        if edge == 0:
            continue
        count = math.floor((2 * a / edge + b) * u + rate + 0.43)
        if edge >= 0.07 and v <= accepted:
            return count
        if count < 0 or (edge < 0.013 and v > edge):
            continue
        height = math.log(v) + math.log(inverse_alpha) - math.log(a / (edge * edge) + b)
        if height <= -rate + count * log_rate - math.lgamma(count + 1):
            return count


def binomial(generator: Generator, counts: Array, probabilities: Array) -> Array:
    """The number of successes in ``counts`` trials that succeed with ``probabilities`` (of one shape)."""
    trials, chances = counts.astype(np.float64), probabilities.astype(np.float64)
    with _Fractions(generator, 3 * counts.size) as draw:
        successes = [_one_binomial(*pair, draw) for pair in zip(trials.ravel().tolist(), chances.ravel().tolist())]
    return rounded(np.array(successes, np.float64), counts.dtype, counts.shape)


def _one_binomial(trials: float, chance: float, draw: Draw) -> float:
    if trials <= 0 or chance <= 0:
        return 0
    if chance >= 1:
        return trials
    if chance > 0.5:
        return trials - _few_successes(trials, 1 - chance, draw)
    return _few_successes(trials, chance, draw) if chance <= 0.5 else math.nan


def _few_successes(trials: float, chance: float, draw: Draw) -> float:
    if trials * chance >= 10:
        return _transformed_rejection(trials, chance, draw)
    # Add up geometric waits until the trials are used up.
    waited, successes = 0.0, 0
    failure = math.log1p(-chance)
    while True:
        fraction = draw()
        waited += math.ceil(math.log(fraction) / failure) if fraction > 0 else math.inf
        if waited > trials:
            return successes
        successes += 1


def _transformed_rejection(trials: float, chance: float, draw: Draw) -> float:
    deviation = math.sqrt(trials * chance * (1 - chance))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    centre = trials * chance + 0.5
    accepted = 0.92 - 4.2 / b
    odds = chance / (1 - chance)
    alpha = (2.83 + 5.1 / b) * deviation
    mode = math.floor((trials + 1) * chance)
    while True:
        u, v = draw() - 0.5, draw()
        edge = 0.5 - abs(u)
        if edge == 0:
            continue
        k = math.floor((2 * a / edge + b) * u + centre)
        if edge >= 0.07 and v <= accepted:
            return k
        if k < 0 or k > trials or v == 0:
            continue
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (trials - mode + 1)))
            + (trials + 1) * math.log((trials - mode + 1) / (trials - k + 1))
            + (k + 0.5) * math.log(odds * (trials - k + 1) / (k + 1))
            + _stirling_error(mode)
            + _stirling_error(trials - mode)
            - _stirling_error(k)
            - _stirling_error(trials - k)
        )
        if math.log(v * alpha / (a / (edge * edge) + b)) <= bound:
            return k


def _stirling_error(k: float) -> float:
    """What Stirling's formula lacks: log k! - [(k + 1/2) log(k + 1) - (k + 1) + log(2π) / 2]."""
    if k <= 9:
        return math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi))
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


_THIRD = float(np.float32(1) / np.float32(3))


def standard_gamma(generator: Generator, shapes: Array) -> Array:
    """Gamma distributed numbers of scale 1 with the given shape parameters."""
    values = np.array([_one_gamma(shape, shapes.dtype.type, generator) for shape in shapes.ravel().tolist()])
    # PyTorch keeps them from being 0, where the density has no logarithm.
    values = np.maximum(values.astype(np.float64), np.finfo(shapes.dtype).tiny)
    return rounded(values, shapes.dtype, shapes.shape)


def _one_gamma(shape: float, precision: Any, generator: Generator) -> float:
    # Three numbers are kept in the tensor's own precision, the others in float64: so does PyTorch, and it shows.
    scale, fraction = 1.0, generator.engine.fraction
    if shape < 1:
        if shape <= 0:
            return 0.0
        scale = math.pow(1 - fraction(), float(precision(1 / shape)))
        shape = float(precision(shape + 1))
    d = float(precision(shape - _THIRD))
    c = 1 / math.sqrt(9 * d)
    while True:
        root = 0.0
        while root <= 0:
            x = standard_normal(generator)
            root = 1 + c * x
        v = root * root * root
        u = 1 - fraction()
        square = x * x
        if u < 1 - 0.0331 * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def dirichlet(generator: Generator, concentrations: Array) -> Array:
    """Points of the simplex: gamma numbers along the last dimension, divided by their sum."""
    parts = standard_gamma(generator, concentrations.astype(np.float64))
    totals = np.cumsum(parts, axis=-1)[..., -1:]
    limits = np.finfo(concentrations.dtype)
    return rounded(np.clip(parts / totals, limits.tiny, 1 - limits.epsneg), concentrations.dtype, concentrations.shape)
