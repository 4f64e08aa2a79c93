"""Operators of boolean masks, and the places where numbers are not zero."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import bool_, int64
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import elementwise as p, indexing as places, memory
from ..primitives.scans import scan
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import composite, operator
from .indexing import known
from .kinds import Tensor
from .promotion import to
from .writing import write_out


@operator(name="nonzero", method=False, function=False)
def _places(input: Tensor) -> Value:
    return places.nonzero(input)


@composite()
def nonzero(input: Any, *, as_tuple: bool = False, out: Any = None) -> Any:
    """The places of elements that are not zero: a row for each, or (``as_tuple``) an index vector for each dimension.

    >>> import flambeau as torch
    >>> torch.nonzero(torch.tensor([[0, 3], [4, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    if out is not None:
        if not isinstance(out, Handle):
            raise TypeError(f"nonzero(): argument 'out' must be Tensor, not {type(out).__name__}")
        return write_out("nonzero", out, nonzero(input))
    if as_tuple:
        found = _places(input if input._spec.ndim else input.reshape((1,)))
        return tuple(found[k] for k in range(found._spec.shape[0]))
    return _places(input).t().detach()


@composite()
def argwhere(input: Any) -> Any:
    """The places of elements that are not zero, a row for each."""
    return nonzero(input)


@composite()
def nonzero_static(input: Any, *, size: int, fill_value: int = -1) -> Any:
    """The first ``size`` places of elements that are not zero, filled up with ``fill_value``.

    >>> import flambeau as torch
    >>> torch.nonzero_static(torch.tensor([0, 5, 6]), size=3)
    tensor([[ 1],
            [ 2],
            [-1]])
    """
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, but got {size}")
    found = nonzero(input)[:size]
    result = found.new_full((size, input._spec.ndim), fill_value)
    result[: found._spec.shape[0]] = found
    return result


def _select_back(grad: Any, input_spec: Spec, mask: Any) -> Any:
    shape = _strides.broadcast(input_spec.shape, mask._spec.shape)
    return grad.new_zeros(shape).masked_scatter(mask.expand(shape), grad)


@operator({"input": _select_back})
def masked_select(input: Tensor, mask: Tensor) -> Value:
    """The elements where ``mask`` (which broadcasts with ``input``) holds, as a vector.

    >>> import flambeau as torch
    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    if mask.dtype is not bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = _strides.broadcast(input.shape, mask.shape)
    return places.compress(memory.broadcast(input, shape=shape), memory.broadcast(mask, shape=shape))


def _check_scatter(input: Any, mask: Any, source: Any) -> None:
    if not all(isinstance(each, Handle) for each in (input, mask, source)) or mask._spec.dtype is not bool_:
        return
    array = known(mask)
    if array is None:
        return
    repeats = 1
    if mask._spec.shape != input._spec.shape:
        repeats = input._spec.numel // max(mask._spec.numel, 1)
    if int(array.sum()) * repeats > source._spec.numel:
        raise RuntimeError(
            "masked_scatter: Number of elements of source < number of ones in mask; give a source with one for each"
        )


def _scatter_source(grad: Any, mask: Any, source_spec: Spec) -> Any:
    # The k-th place where the mask holds took the k-th element of source.
    shape = grad._spec.shape
    mask = mask.expand(shape).reshape((-1,))
    order = (mask.cumsum(0) - 1).clamp(min=0)
    inside = grad.reshape((-1,)).masked_fill(~mask, 0)
    return grad.new_zeros((max(source_spec.numel, 1),)).index_add(0, order, inside)[: source_spec.numel].reshape(
        source_spec.shape
    )


@operator(
    {"input": lambda grad, mask: grad.masked_fill(mask, 0), "source": _scatter_source},
    in_place=True, check=_check_scatter,
)  # fmt: skip
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Value:
    """``input`` with the elements where ``mask`` holds replaced by those of ``source``, one after the other.

    >>> import flambeau as torch
    >>> torch.masked_scatter(torch.zeros(3), torch.tensor([True, False, True]), torch.tensor([5.0, 7.0]))
    tensor([5., 0., 7.])
    """
    if mask.dtype is not bool_:
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {scalar_name(mask.dtype)}"
        )
    if input.dtype is not source.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got"
            f"{scalar_name(input.dtype)} and {scalar_name(source.dtype)}"
        )
    shape = _strides.broadcast(input.shape, mask.shape)
    x, mask = memory.broadcast(input, shape=shape), memory.broadcast(mask, shape=shape)
    if not source.numel or not x.numel:
        return x
    holds = memory.reshape(to(mask, int64), shape=(mask.numel,))
    order = (scan(holds, axis=0, combine="add", dtype=int64) - holds) * holds  # where the mask does not hold: any
    taken = places.gather_at(memory.reshape(source, shape=(source.numel,)), order, axes=(0,), wraps=False)
    return p.select(mask, memory.reshape(taken, shape=shape), x)
