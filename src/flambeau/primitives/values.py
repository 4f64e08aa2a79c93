"""``Value``: a number that does not exist yet, and ``Block``: the straight-line code that will make it.

Calling a primitive on Values writes one line into the current block. A meaning of an operator is a Python function
that does this; run once for operands of given shapes and dtypes, it leaves behind the block that computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..core import dtypes
from ..core.dtypes import COMPLEX, dtype

if TYPE_CHECKING:
    from .registry import Primitive


class Value:
    """A typed name in a block: an array of known shape and dtype, or a Python number of known category.

    Values combine with Python's operators (``x * y + 1``), which apply the elementwise primitives.
    """

    __slots__ = ("dtype", "is_number", "name", "shape")

    shape: tuple[int, ...]
    dtype: dtypes.dtype
    is_number: bool
    name: int

    def __init__(self, shape: Sequence[int], dtype: dtypes.dtype, name: int, is_number: bool = False) -> None:
        self.shape, self.dtype, self.name, self.is_number = tuple(shape), dtype, name, is_number

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def numel(self) -> int:
        """The number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def is_complex(self) -> bool:
        """Whether it holds complex numbers."""
        return self.dtype.category == COMPLEX

    @property
    def category(self) -> int:
        """The category of its dtype: BOOL, INTEGER, FLOATING or COMPLEX."""
        return self.dtype.category

    def __repr__(self) -> str:
        kind = "number" if self.is_number else f"{self.dtype.name}{list(self.shape)}"
        return f"v{self.name}: {kind}"

    # Python's operators on Values; elementwise.py fills them in (see `install_operators`).
    __add__: Callable[..., Value]
    __radd__: Callable[..., Value]
    __sub__: Callable[..., Value]
    __rsub__: Callable[..., Value]
    __mul__: Callable[..., Value]
    __rmul__: Callable[..., Value]
    __truediv__: Callable[..., Value]
    __rtruediv__: Callable[..., Value]
    __neg__: Callable[..., Value]
    __and__: Callable[..., Value]
    __or__: Callable[..., Value]
    __xor__: Callable[..., Value]
    __invert__: Callable[..., Value]
    __lt__: Callable[..., Value]
    __le__: Callable[..., Value]
    __gt__: Callable[..., Value]
    __ge__: Callable[..., Value]


class Application:
    """One line of a block: a primitive, what it is applied to, its parameters, the Values it makes."""

    __slots__ = ("operands", "parameters", "primitive", "results")

    def __init__(
        self, primitive: Primitive, operands: tuple[Any, ...], parameters: dict[str, Any], results: tuple[Value, ...]
    ) -> None:
        self.primitive, self.operands, self.parameters, self.results = primitive, operands, parameters, results


class Block:
    """Code under construction: inputs, and applications in the order they were written."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.applications: list[Application] = []
        self._count = 0

    def input(self, shape: Sequence[int], dtype: dtype, is_number: bool = False) -> Value:
        """A new operand of the block."""
        made = self.new(shape, dtype, is_number)
        self.inputs.append(made)
        return made

    def new(self, shape: Sequence[int], dtype: dtype, is_number: bool = False) -> Value:
        """A new name."""
        self._count += 1
        return Value(shape, dtype, self._count - 1, is_number)

    def __enter__(self) -> Block:
        _open.append(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        _open.pop()


_open: list[Block] = []


def current_block() -> Block:
    """The block now being written."""
    return _open[-1]
