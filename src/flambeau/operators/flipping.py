"""Elements in another order along dimensions: ``flip``, ``roll``, ``rot90``; ``adjoint``."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import COMPLEX
from ..primitives import memory
from ..primitives.values import Value
from .declaration import LIKE_FIRST, composite, operator
from .kinds import Tensor
from .views import as_index, sizes

Ints = tuple[int, ...]


def _flip_back(grad: Any, dims: Ints) -> Any:
    return flipped(grad, dims)


@operator({"input": _flip_back}, layout=LIKE_FIRST, name="flip", method=False, function=False)
def flipped(input: Tensor, dims: Ints) -> Value:
    """Elements in reverse order along ``dims``, counted from the front."""
    return memory.reverse(input, axes=dims) if dims else input


@composite()
def flip(input: Any, *dims: Any, **named: Any) -> Any:
    """Elements in reverse order along ``dims``.

    >>> import flambeau as torch
    >>> torch.flip(torch.tensor([[1, 2], [3, 4]]), (0,))
    tensor([[3, 4],
            [1, 2]])
    """
    axes = sizes(dims, "flip", "dims", named)
    return flipped(input, _strides.normalize_axes(axes, input._spec.ndim, empty_is_all=False))


@composite()
def fliplr(input: Any) -> Any:
    """Columns in reverse order."""
    if input._spec.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flipped(input, (1,))


@composite()
def flipud(input: Any) -> Any:
    """Rows in reverse order."""
    if input._spec.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flipped(input, (0,))


def _turn(x: Value, shift: int, axis: int) -> Value:
    size = x.shape[axis]
    cut = -shift % size if size else 0
    if not cut:
        return x
    return memory.concatenate(_part(x, axis, cut, size), _part(x, axis, 0, cut), axis=axis)


def _part(x: Value, axis: int, start: int, stop: int) -> Value:
    starts, stops = [0] * x.ndim, list(x.shape)
    starts[axis], stops[axis] = start, stop
    return memory.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=(1,) * x.ndim)


def _roll_back(grad: Any, shifts: Any, dims: Any) -> Any:
    return roll(grad, tuple(-each for each in _tuple(shifts)), dims)


@operator({"input": _roll_back})
def roll(input: Tensor, shifts: int | Ints, dims: int | Ints | None = None) -> Value:
    """Elements moved along ``dims``, those that leave at one end entering at the other; no dims: as if flattened.

    >>> import flambeau as torch
    >>> torch.roll(torch.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
    """
    turns, axes = _tuple(shifts), () if dims is None else _tuple(dims)
    if not turns:
        raise RuntimeError("`shifts` required")
    if not axes and len(turns) == 1:
        return memory.reshape(_turn(memory.reshape(input, shape=(input.numel,)), turns[0], 0), shape=input.shape)
    if len(turns) != len(axes):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(turns)}, dims:{len(axes)}")
    if not input.ndim:
        raise IndexError(f"Dimension specified as {axes[0]} but tensor has no dimensions")
    for shift, axis in zip(turns, axes):
        place = _strides.normalize_axis(axis, input.ndim)
        input = _turn(input, shift, place)
    return input


def _tuple(value: Any) -> Ints:
    return (value,) if isinstance(value, int) else tuple(value)


def _turned_layout(result: Value, operands: Any, arguments: Any) -> Any:
    here = operands[0]
    steps = list(_strides.like(here.shape, here.strides))
    if arguments[1] % 2:
        first, second = arguments[2]
        steps[first], steps[second] = steps[second], steps[first]
    return tuple(steps)


def _turn_back(grad: Any, k: int, dims: Ints) -> Any:
    return _rotated(grad, -k % 4, dims)


@operator(
    {"input": _turn_back},
    layout=_turned_layout, name="rot90", method=False, function=False,
)  # fmt: skip
def _rotated(input: Tensor, k: int, dims: Ints) -> Value:
    first, second = dims
    if k == 0:
        return input
    if k == 2:
        return memory.reverse(input, axes=dims)
    order = list(range(input.ndim))
    order[first], order[second] = second, first
    return memory.transpose(memory.reverse(input, axes=(second if k == 1 else first,)), axes=tuple(order))


@composite()
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Turned by k·90° in the plane of two dimensions, from the first towards the second.

    >>> import flambeau as torch
    >>> torch.rot90(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    rank, axes = input._spec.ndim, sizes((dims,), "dims")
    if len(axes) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(axes)}")
    if rank < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {rank}")
    if axes[0] == axes[1] or abs(axes[0] - axes[1]) == rank:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {axes[0]} and dim1 = {axes[1]}")
    places = tuple(_strides.normalize_axis(each, rank) for each in axes)
    return _rotated(input, as_index(k) % 4, places)


@composite()
def adjoint(input: Any) -> Any:
    """The last two dimensions exchanged, conjugated."""
    if input._spec.ndim < 2:
        raise RuntimeError(
            f"tensor.adjoint() is only supported on matrices or batches of matrices. Got {input._spec.ndim}-D tensor."
        )
    turned = input.transpose(-2, -1)
    return turned.conj() if input._spec.dtype.category == COMPLEX else turned
