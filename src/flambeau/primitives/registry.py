"""How a primitive is declared: one function that is its reference meaning, and one that is its shape rule.

::

    @primitive(shape=same_as_first)
    def exp(x):
        return np.exp(x)

The decorated name becomes a :class:`Primitive`. Called on Values it writes a line of code; its ``reference`` is the
NumPy function, which is the specification that every other tier must agree with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.dtypes import bool_, complex64, complex128, dtype, float16, float32, float64, int64
from ..core.strides import broadcast
from .values import Application, Value, current_block

ShapeRule = Callable[..., Any]

primitives: dict[str, Primitive] = {}

#: dtypes whose NumPy arrays take a Python number as it is, without changing the result's dtype or overflowing.
_TAKES_NUMBERS = frozenset((float16, float32, float64, complex64, complex128, int64, bool_))


class Primitive:
    """An entry of the closed set: ``name``, ``shape`` rule and ``reference`` meaning.

    Attributes:
        name: what programs print.
        shape: from operands (Values) and parameters to (shape, dtype), or a list of those for several results.
        reference: from NumPy arrays and parameters to one NumPy array, or a tuple of them.
        aliases: the result may share memory with the first operand.
        elementwise: operands broadcast, have one dtype, and may be Python numbers.
        dynamic: the shape of the result depends on the operands' numbers; must run at once.
        in_place: like ``reference`` but free to overwrite (and return) its first operand.
        can_fail: the reference may raise for some numbers (an index out of range).
    """

    __slots__ = ("aliases", "can_fail", "dynamic", "elementwise", "in_place", "name", "reference", "shape")

    def __init__(self, name: str, shape: ShapeRule, reference: Callable[..., Any]) -> None:
        self.name, self.shape, self.reference = name, shape, reference
        self.aliases = self.elementwise = self.dynamic = self.can_fail = False
        self.in_place: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __call__(self, *operands: Any, **parameters: Any) -> Any:
        """Write one line into the current block; returns its Value, or a tuple where there are several results."""
        if self.elementwise:
            operands = _unify(self, operands)
        block = current_block()
        made = self.shape(*operands, **parameters)
        if isinstance(made, list):
            results = tuple(block.new(shape, kind) for shape, kind in made)
        else:
            results = (block.new(*made),)
        block.applications.append(Application(self, operands, parameters, results))
        return results if isinstance(made, list) else results[0]


def primitive(
    shape: ShapeRule,
    *,
    aliases: bool = False,
    elementwise: bool = False,
    dynamic: bool = False,
    can_fail: bool = False,
    in_place: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare the decorated NumPy function as the reference meaning of the primitive of that name."""

    def declare(reference: Callable[..., Any]) -> Any:
        name = reference.__name__.rstrip("_")
        made = Primitive(name, shape, reference)
        made.aliases, made.elementwise, made.dynamic, made.can_fail = aliases, elementwise, dynamic, can_fail
        made.in_place = in_place
        assert name not in primitives, f"primitive {name} is declared twice"
        primitives[name] = made
        return made

    return declare


def as_value(operand: Any, kind: dtype) -> Any:
    """``operand`` (a number Value or a Python number) ready to stand beside arrays of dtype ``kind``.

    Where NumPy would change the result's dtype or refuse to overflow, the number is first made an array.
    """
    if kind in _TAKES_NUMBERS:
        category = operand.category if isinstance(operand, Value) else _CATEGORY[type(operand)]
        if category <= kind.category and (kind.category or not category):
            return operand
    return primitives["number"](operand, dtype=kind)


_CATEGORY = {bool: 0, int: 1, float: 2, complex: 3}


def _unify(of: Primitive, operands: tuple[Any, ...]) -> tuple[Any, ...]:
    kind = None
    for each in operands:
        if isinstance(each, Value) and not each.is_number:
            if kind is None:
                kind = each.dtype
            elif each.dtype is not kind:
                raise AssertionError(f"{of.name}: operands of dtypes {kind.name} and {each.dtype.name}; cast one first")
    if kind is None:
        first = next(each for each in operands if isinstance(each, Value))
        kind = first.dtype
        operands = tuple(primitives["number"](each, dtype=kind) for each in operands)
    return tuple(
        each if isinstance(each, Value) and not each.is_number else as_value(each, kind) for each in operands
    )


def broadcast_shape(*operands: Any) -> tuple[int, ...]:
    """The common shape of the operands, numbers counting as 0-dimensional."""
    shapes = [each.shape for each in operands if isinstance(each, Value)]
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    return broadcast(*shapes)


def dtype_of(*operands: Any) -> dtype:
    """The dtype of the array operands."""
    for each in operands:
        if isinstance(each, Value) and not each.is_number:
            return each.dtype
    return next(each for each in operands if isinstance(each, Value)).dtype


def pointwise(*operands: Any, **_: Any) -> tuple[tuple[int, ...], dtype]:
    """Shape rule: operands broadcast, the dtype stays."""
    return broadcast_shape(*operands), dtype_of(*operands)


def pointwise_bool(*operands: Any, **_: Any) -> tuple[tuple[int, ...], dtype]:
    """Shape rule: operands broadcast, the result is boolean."""
    return broadcast_shape(*operands), bool_


def same_as_first(first: Value, *_: Any, **__: Any) -> tuple[tuple[int, ...], dtype]:
    """Shape rule: as the first operand."""
    return first.shape, first.dtype
