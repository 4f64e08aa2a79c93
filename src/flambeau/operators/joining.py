"""Several tensors made one: ``cat``, ``stack`` and their shorthands, ``block_diag``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import strides as _strides
from ..core.dtypes import result_dtype
from ..core.specs import Spec
from ..primitives import memory
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import composite, functions, operator
from .kinds import Tensors
from .promotion import to
from .views import sliced

Ints = tuple[int, ...]


def _common(tensors: Sequence[Value]) -> list[Value]:
    kind = result_dtype([each.dtype for each in tensors], [], [])
    return [to(each, kind) for each in tensors]


def _is_legacy_empty(shape: Any) -> bool:
    """PyTorch lets ``torch.tensor([])`` stand for nothing in a concatenation of any rank."""
    return tuple(shape) == (0,)


def _cat_layout(result: Value, operands: Sequence[Spec]) -> Any:
    """Channels last where all operands are."""
    present = [each for each in operands if not _is_legacy_empty(each.shape)]
    if present and all(_strides.suggests_channels_last(each.shape, each.strides) for each in present):
        return _strides.channels_last(result.shape)
    return None


def _cat_back(grad: Any, tensors_specs: Sequence[Spec], dim: int) -> Any:
    rank = grad._spec.ndim
    axis = _strides.normalize_axis(dim, rank)
    result, start = [], 0
    for each in tensors_specs:
        if _is_legacy_empty(each.shape) and rank != 1:
            result.append(grad.new_zeros((0,)))
            continue
        stop = start + each.shape[axis]
        result.append(sliced(grad, axis, start, stop, 1))
        start = stop
    return result


@operator({"tensors": _cat_back}, layout=_cat_layout, method=False, aliases=("concat", "concatenate"))
def cat(tensors: Tensors, dim: int = 0) -> Value:
    """Tensors one after the other along ``dim``; their other sizes must agree, their dtypes are promoted.

    >>> import flambeau as torch
    >>> torch.cat([torch.tensor([1, 2]), torch.tensor([3])])
    tensor([1, 2, 3])
    """
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for place, each in enumerate(tensors):
        if each is None:
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got NoneType")
        if not each.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {place}) cannot be concatenated")
    values = _common(tensors)
    present = [each for each in values if not _is_legacy_empty(each.shape)]
    if not present:
        _strides.normalize_axis(dim, 1)
        return values[0]
    first = present[0]
    axis = _strides.normalize_axis(dim, first.ndim)
    for place, each in enumerate(values):
        if _is_legacy_empty(each.shape):
            continue
        if each.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {each.ndim}")
        for k, (size, wanted) in enumerate(zip(each.shape, first.shape)):
            if size != wanted and k != axis:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {wanted} but got size "
                    f"{size} for "
                    f"tensor number {place} in the list."
                )
    return memory.concatenate(*present, axis=axis)


def _stack_back(grad: Any, dim: int) -> Any:
    return list(grad.unbind(dim))


@operator({"tensors": _stack_back}, method=False)
def stack(tensors: Tensors, dim: int = 0) -> Value:
    """Tensors of one shape along a new dimension ``dim``.

    >>> import flambeau as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0]
    axis = _strides.normalize_axis(dim, first.ndim + 1)
    for place, each in enumerate(tensors):
        if each.shape != first.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first.shape)} at entry 0 and "
                f"{list(each.shape)} "
                f"at entry {place}"
            )
    shape = (*first.shape[:axis], 1, *first.shape[axis:])
    return memory.concatenate(*(memory.reshape(each, shape=shape) for each in _common(tensors)), axis=axis)


def tensor_list(name: str, tensors: Any) -> list[Any]:
    """A non-empty sequence of tensors.

    Raises:
        TypeError: something else.
        RuntimeError: it is empty.
    """
    if isinstance(tensors, Handle) or not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return list(tensors)


@composite(method=False)
def hstack(tensors: Any) -> Any:
    """Tensors side by side: along the second dimension, vectors along the first."""
    items = [atleast_1d(each) for each in tensor_list("hstack", tensors)]
    return cat(items, 0 if items[0]._spec.ndim == 1 else 1)


@composite(method=False, aliases=("row_stack",))
def vstack(tensors: Any) -> Any:
    """Tensors below each other, along the first dimension; vectors are rows."""
    return cat([atleast_2d(each) for each in tensor_list("vstack", tensors)], 0)


@composite(method=False)
def dstack(tensors: Any) -> Any:
    """Tensors behind each other, along the third dimension."""
    return cat([atleast_3d(each) for each in tensor_list("dstack", tensors)], 2)


@composite(method=False)
def column_stack(tensors: Any) -> Any:
    """Tensors side by side; vectors are columns."""
    given = tensor_list("column_stack", tensors)
    items = [each.reshape((each._spec.numel, 1)) if each._spec.ndim < 2 else each for each in given]
    return cat(items, 1)


def _block_back(grad: Any, tensors_specs: Sequence[Spec]) -> Any:
    result, row, column = [], 0, 0
    for each in tensors_specs:
        height, width = _as_matrix(each.shape)
        block = sliced(sliced(grad, 0, row, row + height, 1), 1, column, column + width, 1)
        result.append(block.reshape(each.shape))
        row, column = row + height, column + width
    return result


def _as_matrix(shape: Any) -> Ints:
    return (*(1,) * (2 - len(shape)), *shape)


@operator({"tensors": _block_back}, name="block_diag", method=False, function=False)
def _block_diag(tensors: Tensors) -> Value:
    for place, each in enumerate(tensors):
        if each.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {place} has {each.ndim} "
                "dimensions"
            )
    values = [memory.reshape(each, shape=_as_matrix(each.shape)) for each in _common(tensors)]
    width = sum(each.shape[1] for each in values)
    rows, column = [], 0
    for each in values:
        height, kind = each.shape[0], each.dtype
        left = memory.full(0, shape=(height, column), dtype=kind)
        column += each.shape[1]
        right = memory.full(0, shape=(height, width - column), dtype=kind)
        rows.append(memory.concatenate(left, each, right, axis=1))
    return memory.concatenate(*rows, axis=0)


def block_diag(*tensors: Any) -> Any:
    """The matrix with the given matrices along its diagonal, zeros elsewhere.

    >>> import flambeau as torch
    >>> torch.block_diag(torch.tensor([1]), torch.tensor([[2, 3]]))
    tensor([[1, 0, 0],
            [0, 2, 3]])
    """
    return _block_diag(tensors)


def _each(function: Any) -> Any:
    """A function of one tensor that also takes several, or a sequence of them, and then returns a tuple."""

    def wrapped(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], Handle):
            return function(tensors[0])
        items = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
        return tuple(function(each) for each in items)

    wrapped.__name__ = wrapped.__qualname__ = function.__name__
    wrapped.__doc__ = function.__doc__
    return wrapped


@_each
def atleast_1d(input: Any) -> Any:
    """A tensor of at least one dimension: scalars become vectors of length one."""
    return input.reshape((1,)) if not input._spec.ndim else input


@_each
def atleast_2d(input: Any) -> Any:
    """A tensor of at least two dimensions: vectors become rows."""
    rank = input._spec.ndim
    return input.reshape((1, 1)) if not rank else input.unsqueeze(0) if rank == 1 else input


@_each
def atleast_3d(input: Any) -> Any:
    """A tensor of at least three dimensions: vectors become (1, n, 1), matrices (m, n, 1)."""
    rank = input._spec.ndim
    if not rank:
        return input.reshape((1, 1, 1))
    if rank == 1:
        return input.unsqueeze(0).unsqueeze(-1)
    return input.unsqueeze(-1) if rank == 2 else input


functions.update(block_diag=block_diag, atleast_1d=atleast_1d, atleast_2d=atleast_2d, atleast_3d=atleast_3d)
