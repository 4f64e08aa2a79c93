"""Vectors combined, shapes made common: ``meshgrid``, ``cartesian_prod``, ``combinations``, ``broadcast_tensors``."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import int64
from ..core.sizes import Size
from ..tracing.handles import Handle
from .declaration import composite, functions
from .joining import stack
from .views import as_index


def _several(tensors: Any) -> list[Any]:
    items = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    for place, each in enumerate(items):
        if not isinstance(each, Handle):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type(each).__name__}")
    return list(items)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors expanded to their common shape, as views."""
    items = _several(tensors)
    shape = _strides.broadcast(*(each._spec.shape for each in items))
    return tuple(each.expand(shape) for each in items)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of these shapes broadcast to.

    >>> import flambeau as torch
    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    sizes = [(each,) if isinstance(each, int) else tuple(map(as_index, each)) for each in shapes]
    for each in sizes:
        if any(size < 0 for size in each):
            raise RuntimeError(f"Trying to create tensor with negative dimension ({min(each)}): ({min(each)})")
    try:
        return Size(_strides.broadcast(*sizes))
    except RuntimeError:
        raise RuntimeError(
            "Shape mismatch: objects cannot be broadcast to a single shape: "
            f"{' and '.join(str(list(each)) for each in sizes)}"
        ) from None


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """The coordinates of a grid spanned by vectors, each expanded over the others.

    Args:
        indexing: "ij" (the default): the i-th vector varies along dimension i; "xy": the first two are exchanged.

    >>> import flambeau as torch
    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4, 5]), indexing="ij")[0]
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    items = _several(tensors)
    if indexing is None:
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if not items:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for each in items:
        if each._spec.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {each}")
    if any(each._spec.dtype is not items[0]._spec.dtype for each in items):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    axes = list(range(len(items)))  # along which dimension each vector varies
    if indexing == "xy" and len(items) >= 2:
        axes[:2] = 1, 0
    shape = [0] * len(items)
    for axis, each in zip(axes, items):
        shape[axis] = each._spec.numel
    return tuple(
        each.view(tuple(size if k == axis else 1 for k, size in enumerate(shape))).expand(tuple(shape))
        for axis, each in zip(axes, items)
    )


def cartesian_prod(*tensors: Any) -> Any:
    """All tuples with one element of each vector, a row for each.

    >>> import flambeau as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4])).tolist()
    [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    items = _several(tensors)
    for each in items:
        if each._spec.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(each._spec.shape)}")
    if len(items) == 1:
        return items[0]
    return stack([each.flatten() for each in meshgrid(*items, indexing="ij")], 1)


@composite()
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All ways to take ``r`` elements of a vector, in order, a row for each.

    >>> import flambeau as torch
    >>> torch.combinations(torch.tensor([1, 2, 3])).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    here = input._spec
    if here.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(here.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if not r:
        return input.new_empty((0,))
    from itertools import combinations as without, combinations_with_replacement

    rows = list((combinations_with_replacement if with_replacement else without)(range(here.numel), r))
    places = functions["tensor"](rows) if rows else functions["zeros"](0, r, dtype=int64)
    return stack([input.index_select(0, places[:, k]) for k in range(r)], 1)


functions.update(
    broadcast_tensors=broadcast_tensors, broadcast_shapes=broadcast_shapes, meshgrid=meshgrid,
    cartesian_prod=cartesian_prod,
)  # fmt: skip
