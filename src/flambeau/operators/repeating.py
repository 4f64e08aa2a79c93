"""Elements and whole tensors repeated: ``repeat``, ``tile``, ``repeat_interleave``."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import int32, int64
from ..core.memory_formats import contiguous_format
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import memory
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import composite, functions, methods, operator
from .kinds import Tensor
from .views import as_index, sizes

Ints = tuple[int, ...]


def _interleaved(shape: Any, repeats: Ints) -> tuple[Ints, Ints]:
    """Sizes with a repeat before each dimension, and the result's sizes."""
    padded = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    pairs = tuple(each for pair in zip(repeats, padded) for each in pair)
    return pairs, tuple(a * b for a, b in zip(repeats, padded))


def _repeat_back(grad: Any, input_spec: Spec, repeats: Ints) -> Any:
    pairs, _ = _interleaved(input_spec.shape, repeats)
    if 0 in pairs:
        return (grad.sum() * 0).expand(input_spec.shape)  # zeros, but still a function of the gradient
    return grad.reshape(pairs).sum(tuple(range(0, len(pairs), 2))).reshape(input_spec.shape) if pairs else grad


@operator({"input": _repeat_back}, name="repeat", method=False, function=False)
def _repeat(input: Tensor, repeats: Ints) -> Value:
    pairs, shape = _interleaved(input.shape, repeats)
    if any(size < 0 for size in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    ones = tuple(1 if k % 2 == 0 else size for k, size in enumerate(pairs))
    return memory.reshape(memory.broadcast(memory.reshape(input, shape=ones), shape=pairs), shape=shape)


def repeat(input: Any, *repeats: Any, **named: Any) -> Any:
    """The tensor copied so many times along each dimension; more repeats than dimensions add dimensions in front.

    >>> import flambeau as torch
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = sizes(repeats, "repeat", "repeats", named)
    if len(times) < input._spec.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return _repeat(input, times)


methods["repeat"] = repeat


def tile(input: Any, *dims: Any, **named: Any) -> Any:
    """Like :meth:`repeat`, but missing repeats are one.

    >>> import flambeau as torch
    >>> torch.tile(torch.tensor([1, 2]), (2,))
    tensor([1, 2, 1, 2])
    """
    times = sizes(dims, "tile", "dims", named)
    return _repeat(input, (1,) * (input._spec.ndim - len(times)) + times)


methods["tile"] = functions["tile"] = tile


def _places(repeats: Any, output_size: int | None) -> Any:
    """For each place of the result the index of the element that stands there. Only its length needs a number."""
    kind = repeats._spec.dtype
    if repeats._spec.ndim > 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if kind is not int64 and kind is not int32:
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{scalar_name(kind)}'")
    repeats = repeats.reshape((-1,)).to(int64)
    if bool((repeats < 0).any()):
        raise RuntimeError("repeats can not be negative")
    ends = repeats.cumsum(0)
    total = (int(ends[-1].item()) if ends._spec.numel else 0) if output_size is None else output_size
    if ends._spec.numel and total != int(ends[-1].item()):
        raise RuntimeError(f"allocated size does not match required size: {total} against {int(ends[-1].item())}")
    return functions["searchsorted"](ends, functions["arange"](total), right=True).to(kind)


@composite()
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element (or slice of ``dim``) repeated so many times, in place of itself.

    >>> import flambeau as torch
    >>> torch.repeat_interleave(torch.tensor([5, 6]), torch.tensor([1, 2]))
    tensor([5, 6, 6])
    """
    if repeats is None:
        return _places(input, output_size)
    x = input.reshape((-1,)) if dim is None else input
    if dim is None:
        dim = 0
    if not x._spec.ndim:
        x = x.reshape((1,))
    axis = _strides.normalize_axis(as_index(dim), x._spec.ndim)
    size = x._spec.shape[axis]
    if not isinstance(repeats, Handle):
        times = as_index(repeats)
        if times < 0:
            raise RuntimeError("Repeats must be non-negative")
        shape = x._spec.shape
        wide = x.unsqueeze(axis + 1).expand((*shape[: axis + 1], times, *shape[axis + 1 :]))
        from .conversion import clone

        made = clone(wide, memory_format=contiguous_format).view((*shape[:axis], size * times, *shape[axis + 1 :]))
        return made
    if repeats._spec.numel == 1:
        repeats = repeats.reshape((1,)).expand((size,))
    elif repeats._spec.numel != size:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {repeats._spec.numel} and "
            f"input.size({axis}) = {size}"
        )
    return x.index_select(axis, _places(repeats, output_size))
