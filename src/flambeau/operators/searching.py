"""Distinct elements and places in order: ``unique``, ``unique_consecutive``, ``searchsorted``, ``bucketize``."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import bool_, int32, int64, promote_types
from ..primitives import sorting as order
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import composite, functions, operator
from .kinds import Tensor
from .promotion import to


@operator(method=False, function=False)
def row_order(input: Tensor) -> Value:
    """The order of a matrix's rows by their elements."""
    return order.row_order(input)


def _renewed(rows: Any) -> Any:
    """For each row (or element) but the first: whether it differs from the one before."""
    count = rows._spec.shape[0]
    differs = rows.narrow(0, min(count, 1), max(count - 1, 0)) != rows.narrow(0, 0, max(count - 1, 0))
    return differs.reshape((differs._spec.shape[0], -1)).any(1) if differs._spec.ndim > 1 else differs


def _runs(rows: Any) -> tuple[Any, Any, Any]:
    """Where each run of equal neighbours begins, which run each row is in, and how long runs are. A sync point."""
    count = rows._spec.shape[0]
    if not count:
        empty = functions["empty"](0, dtype=int64)
        return empty, empty, empty
    first = functions["ones"](1, dtype=bool_)
    begins = functions["cat"]([first, _renewed(rows)]) if count > 1 else first
    member = begins.cumsum(0) - 1
    starts = begins.nonzero()[:, 0]
    ends = functions["cat"]([starts[1:], functions["full"]((1,), count, dtype=int64)])
    return starts, member, ends - starts


def _result(values: Any, inverse: Any, counts: Any, return_inverse: bool, return_counts: bool) -> Any:
    found = (values, *((inverse,) if return_inverse else ()), *((counts,) if return_counts else ()))
    return found if len(found) > 1 else values


def _as_rows(input: Any, dim: int) -> Any:
    here = input._spec
    axis = _strides.normalize_axis(dim, here.ndim)
    if 0 in (size for k, size in enumerate(here.shape) if k != axis):
        raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
    if not here.ndim:
        return input.reshape((1, 1))
    width = here.numel // here.shape[axis] if here.shape[axis] else 1
    return input.movedim(axis, 0).reshape((here.shape[axis], width))


def _slices(x: Any, rows: Any, chosen: Any, dim: int) -> Any:
    """The slices of ``x`` along ``dim`` that are the chosen rows."""
    shape = list(x._spec.shape)
    if not shape:
        return x
    axis = _strides.normalize_axis(dim, len(shape))
    del shape[axis]
    return rows.index_select(0, chosen).reshape((chosen._spec.numel, *shape)).movedim(0, axis)


def _check(name: str, input: Any) -> None:
    if not isinstance(input, Handle):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")


@composite()
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct elements (or slices of ``dim``) in order; on request where each element went, and how often each is.

    >>> import flambeau as torch
    >>> torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    _check("unique", input)
    x = input.detach()
    if dim is None:
        rows = x.reshape((-1,))
        ordered, places = rows.sort(stable=True)
    else:
        rows = _as_rows(x, dim)
        places = row_order(rows)
        ordered = rows.index_select(0, places)
    starts, member, counts = _runs(ordered)
    inverse = functions["empty"](rows._spec.shape[0], dtype=int64).scatter(0, places, member)
    if dim is None:
        return _result(ordered[starts], inverse.reshape(input._spec.shape), counts, return_inverse, return_counts)
    return _result(_slices(x, rows, places[starts], dim), inverse, counts, return_inverse, return_counts)


@composite()
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """One of each run of equal neighbours; on request which run each element is in, and how long each is.

    >>> import flambeau as torch
    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    _check("unique_consecutive", input)
    x = input.detach()
    rows = x.reshape((-1,)) if dim is None else _as_rows(x, dim)
    starts, member, counts = _runs(rows)
    if dim is None:
        return _result(rows[starts], member.reshape(input._spec.shape), counts, return_inverse, return_counts)
    return _result(_slices(x, rows, starts, dim), member, counts, return_inverse, return_counts)


@operator(method=False, function=False, name="searchsorted")
def _search(boundaries: Tensor, values: Tensor, right: bool, out_int32: bool) -> Value:
    kind = promote_types(boundaries.dtype, values.dtype)
    found = order.search_sorted(to(boundaries, kind), to(values, kind), right=right)
    return to(found, int32) if out_int32 else found


def _as_tensor(value: Any, like: Any) -> Any:
    if isinstance(value, Handle):
        return value
    kind = like._spec.dtype
    if isinstance(value, float) and not kind.is_floating_point:
        return functions["tensor"](value)
    return functions["tensor"](value, dtype=kind)


@composite(method=False)
def searchsorted(
    sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Any = None,
) -> Any:  # fmt: skip
    """Where each value would have to be inserted to keep the last dimension of ``sorted_sequence`` sorted.

    Args:
        right: behind equal elements rather than before them; ``side="right"`` says the same.
        sorter: indices that sort ``sorted_sequence``, when it is not sorted itself.

    >>> import flambeau as torch
    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 6]))
    tensor([1, 3])
    """
    name = "torch.searchsorted()"
    there = sorted_sequence._spec
    if side is not None:
        if side not in ("left", "right"):
            raise RuntimeError(f"{name}: side can only be 'left' or 'right' but got {side}")
        if side == "left" and right:
            raise RuntimeError(
                f"{name}: side and right can't be set to opposites, got side of left while right was True"
            )
    if not there.ndim:
        raise RuntimeError(f"{name}: boundaries tensor should have positive dimension, but got 0 dimension")
    is_number = not isinstance(input, Handle)
    values = _as_tensor(input, sorted_sequence)
    if is_number and there.ndim != 1:
        raise RuntimeError(
            f"{name}: input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries "
            "tensor "
            f"dim({there.ndim}) and input value's dim(0) numel(1)"
        )
    if there.ndim != 1 and (there.ndim != values._spec.ndim or there.shape[:-1] != values._spec.shape[:-1]):
        raise RuntimeError(
            f"{name}: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and "
            "input value "
            f"tensor must match, but we got boundaries tensor {list(there.shape)} and input value tensor "
            f"{list(values._spec.shape)}"
        )
    if sorter is not None:
        if sorter._spec.shape != there.shape:
            raise RuntimeError(
                f"{name}: boundary and sorter must have the same size, but got boundary tensor "
                f"{list(there.shape)}and got sorter "
                f"tensor {list(sorter._spec.shape)}"
            )
        if sorter._spec.dtype is not int64:
            raise RuntimeError(f"{name}: sorter must be a tensor of long dtype but got dtype {sorter._spec.dtype}")
        if sorter._spec.numel and (int(sorter.min()) < 0 or int(sorter.max()) >= there.shape[-1]):
            raise RuntimeError(f"{name}: sorter index out of range")
        sorted_sequence = sorted_sequence.gather(-1, sorter)
    return _search(sorted_sequence.detach(), values.detach(), right or side == "right", out_int32)


@composite(method=False)
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The bucket of each value between sorted ``boundaries``; ``right``: buckets include their left boundary.

    >>> import flambeau as torch
    >>> torch.bucketize(torch.tensor([1, 4]), torch.tensor([1, 3, 5]))
    tensor([0, 2])
    """
    if boundaries._spec.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._spec.ndim})")
    values = _as_tensor(input, boundaries)
    return _search(boundaries.detach(), values.detach(), right, out_int32)
