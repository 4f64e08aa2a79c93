"""Reductions: sums, means, products, extremes, norms. ``dim`` is an int, several, or None for all dimensions."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, dtype, int64
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import memory
from ..primitives import reductions as r
from ..primitives.values import Value
from .declaration import composite, operator
from .promotion import to

Ints = tuple[int, ...]


def axes_of(x: Value, dim: Any) -> Ints:
    """The dimensions meant by ``dim``, counted from the front."""
    return _strides.normalize_axes(dim, x.ndim)


def kept(result: Value, x: Value, axes: Ints, keepdim: bool) -> Value:
    """``result`` of reducing ``x``, with the reduced dimensions put back as ones when ``keepdim``."""
    if not keepdim:
        return result
    return memory.reshape(result, shape=tuple(1 if axis in axes else size for axis, size in enumerate(x.shape)))


def spread(grad: Any, input_spec: Spec, dim: Any, keepdim: bool) -> Any:
    """The gradient of a reduction put back over the reduced dimensions, as an expanded view."""
    shape = input_spec.shape
    if not keepdim and shape:
        axes = _strides.normalize_axes(dim, len(shape))
        if grad._spec.ndim == 0:
            return grad.expand(shape)
        grad = grad.reshape(tuple(1 if axis in axes else size for axis, size in enumerate(shape)))
    return grad.expand(shape)


def _sum_node(input: Any, dim: Any, *rest: Any) -> str:
    return "SumBackward0" if dim is None else "SumBackward1"


@operator(
    {"input": lambda grad, input_spec, dim, keepdim: spread(grad, input_spec, dim, keepdim)}, node=_sum_node
)
def sum(input: Tensor, dim: int | Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Value:
    """The sum of all elements, or over ``dim``. Integers and booleans are summed as int64.

    >>> import flambeau as torch
    >>> torch.sum(torch.ones(2, 3), dim=1)
    tensor([3., 3.])
    """
    axes = axes_of(input, dim)
    kind = dtype or (int64 if input.category <= INTEGER else input.dtype)
    x = to(input, kind) if input.category == COMPLEX and kind.category != COMPLEX else input
    return kept(r.reduce_sum(x, axes=axes, dtype=kind), input, axes, keepdim)


def _mean_node(input: Any, dim: Any, *rest: Any) -> str:
    return "MeanBackward0" if dim is None else "MeanBackward1"


def _mean_back(grad: Any, input_spec: Spec, dim: Any, keepdim: bool) -> Any:
    count = 1
    for axis in _strides.normalize_axes(dim, input_spec.ndim):
        count *= input_spec.shape[axis]
    return spread(grad, input_spec, dim, keepdim) / count


@operator({"input": _mean_back}, node=_mean_node)
def mean(input: Tensor, dim: int | Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Value:
    """The mean of all elements, or over ``dim``; for floating and complex tensors.

    >>> import flambeau as torch
    >>> torch.mean(torch.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    kind = dtype or input.dtype
    if kind.category < FLOATING:
        what = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {what} dtype must be either a floating point or complex dtype. Got: "
            f"{scalar_name(kind)}"
        )
    axes = axes_of(input, dim)
    count = 1
    for axis in axes:
        count *= input.shape[axis]
    total = r.reduce_sum(to(input, kind), axes=axes, dtype=kind.compute)
    return kept(to(total / float(count), kind), input, axes, keepdim)


@composite(function=False)
def sum_to_size(input: Any, *size: Any) -> Any:
    """Summed over the dimensions that broadcasting ``size`` to this shape would repeat."""
    from .views import sizes

    wanted, shape = sizes(size), input._spec.shape
    missing = len(shape) - len(wanted)
    axes = tuple(range(missing)) + tuple(
        axis for axis in range(missing, len(shape)) if wanted[axis - missing] == 1 and shape[axis] != 1
    )
    if missing < 0 or any(wanted[axis - missing] not in (1, shape[axis]) for axis in range(missing, len(shape))):
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    result = sum(input, axes, True) if axes else input
    return result.reshape(wanted) if missing else result


__all__ = ["BOOL", "axes_of", "kept", "mean", "spread", "sum", "sum_to_size"]
