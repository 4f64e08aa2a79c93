"""The source of random words: the 32-bit Mersenne Twister (MT19937), in NumPy's fast implementation.

Matsumoto & Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudorandom number
generator", 1998. Seeding is the 2002 initialisation by one 32-bit word. Nothing is set up before the first word is
asked for, so that making a generator is free and ``numpy.random`` is imported only by those who draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .faster_sampling import faster

WORDS = 624
_LOW_32 = 0xFFFFFFFF
_LOW_21, _LOW_32_WORD, _SHIFT_32 = np.uint64(0x1FFFFF), np.uint64(_LOW_32), np.uint64(32)


class MersenneTwister:
    """A stream of 32-bit words that depends on the low 32 bits of ``seed`` alone."""

    __slots__ = ("_address", "_bits", "_legacy", "_seed", "_started")

    _address: int | None
    _bits: Any
    _legacy: Any
    _seed: int | None
    _started: bool

    def __init__(self, seed: int) -> None:
        self._bits = self._legacy = self._address = None
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Start the stream again at ``seed``."""
        self._seed = seed & _LOW_32
        self._started = False

    def _ready(self) -> Any:
        """NumPy's engine, brought to the seed if it has not been since the last call of :meth:`seed`."""
        if self._bits is None:
            from numpy.random import MT19937, RandomState

            self._bits = MT19937(0)
            self._legacy = RandomState(self._bits)
        if self._seed is not None:
            self._legacy.seed(self._seed)
            self._seed = None
        return self._bits

    def word(self) -> int:
        """The next word."""
        self._started = True
        return (self._bits if self._seed is None else self._ready()).random_raw()

    def words(self, count: int) -> np.ndarray[Any, Any]:
        """The next ``count`` words, each in a uint64 of its own."""
        fast = faster.of(count)
        if fast is not None:
            compiled: np.ndarray[Any, Any] = fast.words(self, count)
            return compiled
        return self._words(count)

    def _words(self, count: int) -> np.ndarray[Any, Any]:
        if count:
            self._started = True
        return (self._bits if self._seed is None else self._ready()).random_raw(count)

    def double_words(self, count: int) -> np.ndarray[Any, Any]:
        """``count`` 64-bit words; of the two words that make up one, the first is the high half."""
        words = self.words(2 * count)
        high = words[0::2] << _SHIFT_32
        high |= words[1::2]
        return high

    def fractions(self, count: int) -> np.ndarray[Any, Any]:
        """``count`` float64 numbers in [0, 1), each from 53 bits of two words."""
        fast = faster.of(count)
        if fast is not None:
            compiled: np.ndarray[Any, Any] = fast.fractions(self, count)
            return compiled
        words = self._words(2 * count)
        joined = words[0::2] & _LOW_21
        joined <<= _SHIFT_32
        joined |= words[1::2]
        # A signed view: NumPy converts int64 to float64 with one instruction, uint64 with several.
        numbers = joined.view(np.int64).astype(np.float64)
        numbers *= 2.0**-53
        return numbers

    def fraction(self) -> float:
        """One float64 in [0, 1): what ``fractions(1)`` would hold."""
        draw = (self._bits if self._seed is None else self._ready()).random_raw
        self._started = True
        high = draw()
        return (((high & 0x1FFFFF) << 32) | draw()) * 2.0**-53

    def skip(self, count: int) -> None:
        """Pass over ``count`` words."""
        self.words(count)

    def memory(self) -> tuple[Any, int]:
        """For whoever takes words there: a lock to hold, and the address of 624 words of 32 bits and the position, an int."""
        bits = self._bits if self._seed is None else self._ready()
        if self._address is None:
            self._address = bits.ctypes.state_address
        self._started = True
        return bits.lock, self._address

    def state(self) -> tuple[np.ndarray[Any, Any], int, bool]:
        """The 624 words of the recurrence, the position among them, and whether any was taken since seeding."""
        state = self._ready().state["state"]
        return state["key"], state["pos"], self._started

    def set_state(self, key: np.ndarray[Any, Any], position: int, started: bool) -> None:
        """Continue from what :meth:`state` returned."""
        bits = self._ready()
        bits.state = {"bit_generator": "MT19937", "state": {"key": key.astype(np.uint32), "pos": position}}
        self._started = started
