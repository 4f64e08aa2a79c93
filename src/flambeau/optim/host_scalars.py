"""Numbers that an optimizer keeps per parameter: tensors in its state, Python floats in its arithmetic."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import float32, float64, get_default_dtype
from ..operators.creation import tensor
from ..tensor import Tensor


def scalar_dtype() -> Any:
    """The dtype of step counts in the state: float64 if that is the default dtype, else float32, as in PyTorch."""
    return float64 if get_default_dtype() == float64 else float32


def host_scalar(value: float) -> Tensor:
    """A new tensor for one number. It is in memory at once: nothing has to be computed before it can be read."""
    made: Tensor = tensor(float(value), dtype=scalar_dtype())
    return made


class HostScalars:
    """Reads and writes zero-dimensional CPU tensors in place, through the memory they share with NumPy.

    A step count has to be a tensor for the user and for checkpoints, but its value goes into bias corrections, which
    are run-time inputs of the recorded program. Going through the shared memory needs neither an entry in the
    recording nor a sync, and the tensor stays the only place where the value is: what a user or a checkpoint writes
    into it counts.
    """

    __slots__ = ("_memory",)

    def __init__(self) -> None:
        self._memory: dict[int, tuple[Any, Tensor]] = {}  # holding the tensor keeps its id from being reused

    def forget(self) -> None:
        """Let go of all tensors, when the state is replaced."""
        self._memory.clear()

    def memory(self, scalar: Tensor) -> Any:
        """A NumPy array of one element that is ``scalar``'s memory."""
        entry = self._memory.get(id(scalar))
        if entry is None:
            entry = self._memory[id(scalar)] = (scalar.detach().numpy().reshape(()), scalar)
        return entry[0]

    def advance(self, scalar: Tensor) -> float:
        """Add one to ``scalar`` and return the new value."""
        entry = self._memory.get(id(scalar))
        memory = entry[0] if entry is not None else self.memory(scalar)
        value: float = memory.item() + 1
        memory[()] = value
        return value
