"""``Generator`` as users hold it, its state a tensor, and the default one."""

from __future__ import annotations

from typing import Any, Self

from ..core import generators
from ..tracing.handles import Handle
from ..tracing.recorder import array_of
from .creation import from_array


class Generator(generators.Generator):
    """A stream of pseudo-random numbers of one's own, to be given to random operators as ``generator=``.

    Args:
        device: where the numbers are made; only the CPU has generators here.

    >>> import flambeau as torch
    >>> g = torch.Generator().manual_seed(0); torch.rand(3, generator=g)
    tensor([0.4963, 0.7682, 0.0885])

    Raises:
        RuntimeError: no generator on that device.
    """

    __slots__ = ()
    __module__ = "flambeau"  # where users, and pickles, find it

    def get_state(self) -> Any:
        """The whole state as a tensor of 5056 bytes, in the layout that PyTorch's CPU generator writes."""
        return from_array(super().get_state())

    def set_state(self, new_state: Any) -> Self:
        """Continue from a state that ``get_state``, here or in PyTorch, returned.

        Raises:
            TypeError: not a tensor of bytes.
            RuntimeError: not 5056 bytes, or not the state of a Mersenne Twister.
        """
        if not isinstance(new_state, Handle):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        super().set_state(array_of(new_state._cell))
        return self


#: The stream of every random operator that is given no generator of its own; it starts at a fresh seed.
default_generator = Generator()
default_generator.manual_seed(generators.fresh_seed())
