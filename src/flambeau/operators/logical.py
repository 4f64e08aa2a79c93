"""Logic on truth values: a number is true when it is not zero."""

from __future__ import annotations

from ..core.dtypes import bool_
from ..primitives import elementwise as p
from ..primitives.values import Value
from .declaration import POINTWISE, operator
from .kinds import Tensor
from .promotion import as_array


def truth(x: Value) -> Value:
    """Whether each element is not zero; NaN is true."""
    return x if x.dtype is bool_ else p.not_equal(x, as_array(0, x.dtype))


@operator(layout=POINTWISE, in_place=True)
def logical_not(input: Tensor) -> Value:
    """Whether an element is zero.

    >>> import flambeau as torch
    >>> torch.logical_not(torch.tensor([0, 3]))
    tensor([ True, False])
    """
    return ~truth(input)


@operator(layout=POINTWISE, in_place=True)
def logical_and(input: Tensor, other: Tensor) -> Value:
    """Whether both are not zero.

    >>> import flambeau as torch
    >>> torch.logical_and(torch.tensor([0, 3]), torch.tensor([1, 1]))
    tensor([False,  True])
    """
    return truth(input) & truth(other)


@operator(layout=POINTWISE, in_place=True)
def logical_or(input: Tensor, other: Tensor) -> Value:
    """Whether one of both is not zero.

    >>> import flambeau as torch
    >>> torch.logical_or(torch.tensor([0, 3]), torch.tensor([0, 1]))
    tensor([False,  True])
    """
    return truth(input) | truth(other)


@operator(layout=POINTWISE, in_place=True)
def logical_xor(input: Tensor, other: Tensor) -> Value:
    """Whether exactly one of both is not zero.

    >>> import flambeau as torch
    >>> torch.logical_xor(torch.tensor([0, 3]), torch.tensor([0, 0]))
    tensor([False,  True])
    """
    return truth(input) ^ truth(other)
