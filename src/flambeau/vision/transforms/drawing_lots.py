"""Single random numbers, as plain Python ones, from the default stream.

Each is what the tensor expression named in its docstring would give, and leaves the stream where that would; without
the tensor it takes a tenth of the time, which counts when every sample of a data set asks for several.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import numpy as np

from ...core.sampling import multinomial, permutation
from ...operators.generator import default_generator

__all__ = ["choose", "fraction", "fractions", "gaussians", "integer", "shuffled", "uniform"]

_LOW_24 = 0xFFFFFF
_STEP_24 = 2.0**-24
_SINGLE = Struct("f")
_WIDE_RANGE = 1 << 28


def fraction() -> float:
    """``torch.rand(1).item()``.

    >>> import flambeau as torch
    >>> _ = torch.manual_seed(0); round(fraction(), 4)
    0.4963
    """
    return (default_generator.engine.word() & _LOW_24) * _STEP_24


def fractions(count: int) -> list[float]:
    """``torch.rand(count).tolist()``, for few numbers."""
    return [fraction() for _ in range(count)]


def uniform(low: float, high: float) -> float:
    """``torch.empty(1).uniform_(low, high).item()``."""
    start, end = _float32(low), _float32(high)
    # A double holds the product exactly, so that this is rounded as the fused multiplication and addition of floats is.
    number = _float32(fraction() * _float32(end - start) + start)
    return start if number == end else number


def _float32(number: float) -> float:
    """The nearest number that 32 bits hold."""
    return _SINGLE.unpack(_SINGLE.pack(number))[0]


def integer(low: int, high: int) -> int:
    """``torch.randint(low, high, (1,)).item()``: an integer from [low, high).

    Raises:
        RuntimeError: there is none.
    """
    values = high - low
    if values <= 0:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if values >= _WIDE_RANGE:
        word = int(default_generator.engine.double_words(1)[0])
    else:
        word = default_generator.engine.word()
    return low + word % values


def shuffled(count: int) -> list[int]:
    """``torch.randperm(count).tolist()``."""
    return permutation(default_generator, count).tolist()


def choose(weights: list[float]) -> int:
    """``torch.multinomial(torch.tensor(weights), 1).item()``: an index, with the given weights."""
    return int(multinomial(default_generator, np.asarray(weights, np.float32), 1)[0])


def gaussians(shape: tuple[int, ...]) -> Any:
    """``torch.empty(shape).normal_()``."""
    import flambeau

    return flambeau.empty(shape, dtype=flambeau.float32).normal_()
