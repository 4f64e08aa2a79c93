"""``Generator``: a random stream with PyTorch's interface, PyTorch's words and PyTorch's saved state."""

from __future__ import annotations

import operator
import os
from typing import Any, Self

import numpy as np

from . import devices
from .mersenne_twister import WORDS, MersenneTwister

DEFAULT_SEED = 67280421310721

# What PyTorch writes for a CPU generator: the recurrence with each word in 64 bits, `left` words until the next
# refill, `next` the position among them, and the second number of the last pair of normal ones.
_LAYOUT: Any = {
    "names": ["seed", "left", "seeded", "next", "words", "normal", "normal_is_valid"],
    "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", (WORDS,)), "<f8", "<i4"],
    "offsets": [0, 8, 12, 16, 24, 5024, 5040],
    "itemsize": 5056,
}
STATE_SIZE = 5056


def fresh_seed() -> int:
    """A seed from the operating system's entropy."""
    return int.from_bytes(os.urandom(8), "little")


def _as_seed(seed: Any, caller: str) -> int:
    if isinstance(seed, float | str | bytes) or seed is None:
        raise RuntimeError(f"{caller} expected a long, but got {type(seed).__name__}")
    try:
        seed = operator.index(seed)
    except TypeError:
        seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError(
            f"Overflow when unpacking long long: {caller} takes a seed from -2**63 to 2**64 - 1, got {seed}"
        )
    return seed % 2**64


class Generator:
    """A pseudo-random stream: a Mersenne Twister and the one normal number it has in reserve.

    At this layer its state is a NumPy array of bytes; users hold the one of ``operators/generator.py``, which gives
    a tensor.

    Args:
        device: where the numbers are made; only the CPU has generators here.

    >>> import flambeau as torch
    >>> torch.Generator().manual_seed(3).initial_seed()
    3

    Raises:
        RuntimeError: no generator on that device, or a seed that is no integer.
        ValueError: a seed outside of 64 bits.
    """

    __slots__ = ("__weakref__", "_initial_seed", "engine", "next_normal")

    engine: MersenneTwister
    next_normal: float | None
    _initial_seed: int

    def __init__(self, device: Any = "cpu") -> None:
        wanted = device if isinstance(device, devices.device) else devices.device(device)
        if wanted.type != "cpu":
            raise RuntimeError(f"Cannot get a generator for device type '{wanted.type}'; use device='cpu'")
        self._initial_seed = DEFAULT_SEED
        self.engine = MersenneTwister(DEFAULT_SEED)
        self.next_normal = None

    @property
    def device(self) -> devices.device:
        """The device whose numbers this makes."""
        return devices.cpu

    def manual_seed(self, seed: int) -> Self:
        """Start the stream anew at ``seed`` (negative ones count from 2**64) and return the generator."""
        self._initial_seed = _as_seed(seed, "manual_seed")
        self.engine.seed(self._initial_seed)
        self.next_normal = None
        return self

    def seed(self) -> int:
        """Start the stream anew at a seed from the operating system, and return that seed."""
        self.manual_seed(fresh_seed())
        return self._initial_seed

    def initial_seed(self) -> int:
        """The seed at which the stream last started."""
        return self._initial_seed

    def get_state(self) -> Any:
        """The whole state as 5056 bytes, in the layout that PyTorch's CPU generator writes."""
        record = np.zeros((), dtype=_LAYOUT)
        key, position, started = self.engine.state()
        record["seed"], record["seeded"], record["words"] = self._initial_seed, 1, key
        record["left"], record["next"] = WORDS + 1 - position, position if started else 0
        if self.next_normal is not None:
            record["normal"], record["normal_is_valid"] = self.next_normal, 1
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def set_state(self, state: Any) -> Self:
        """Continue from a state that ``get_state``, here or in PyTorch, returned.

        Raises:
            TypeError: not a tensor of bytes.
            RuntimeError: not 5056 bytes, or not the state of a Mersenne Twister.
        """
        if state.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if state.size != STATE_SIZE:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE_SIZE} but found the input RNG state size "
                f"to be {state.size}"
            )
        record = np.frombuffer(state.tobytes(), dtype=_LAYOUT)[0]
        left, following = int(record["left"]), int(record["next"])
        if record["seeded"] != 1 or not 1 <= left <= WORDS or following > WORDS:
            raise RuntimeError("Invalid mt19937 state: these bytes are not what get_state() returned")
        self._initial_seed = int(record["seed"])
        # A refill is due when left is 1, whatever `next` says: it is 0 in a stream from which nothing was taken.
        self.engine.set_state(record["words"], WORDS if left == 1 else following, following != 0 or left != 1)
        self.next_normal = float(record["normal"]) if record["normal_is_valid"] else None
        return self

    def clone_state(self) -> Self:
        """A generator of its own in the same state: both go on to give the same numbers."""
        twin = type(self)()
        twin._initial_seed, twin.next_normal = self._initial_seed, self.next_normal
        twin.engine.set_state(*self.engine.state())
        return twin

    def get_offset(self) -> int:
        """Not for the CPU, as in PyTorch: raises RuntimeError."""
        raise RuntimeError("CPU Generator does not use offset; use get_state()")

    def set_offset(self, offset: int) -> Self:
        """Not for the CPU, as in PyTorch: raises RuntimeError."""
        raise RuntimeError("CPU Generator does not use offset; use set_state()")

    def __reduce__(self) -> Any:
        return type(self), ("cpu",), (self._initial_seed, None, self.get_state())

    def __setstate__(self, saved: tuple[int, Any, Any]) -> None:
        self.set_state(saved[2])
