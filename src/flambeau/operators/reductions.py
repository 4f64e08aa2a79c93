"""Reductions: sums, means, products, extremes, norms. ``dim`` is an int, several, or None for all dimensions."""

from __future__ import annotations

import builtins
from typing import Any

from ..core import strides as _strides
from ..core.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, bool_, dtype, get_default_dtype, int64, uint8
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import elementwise as p, indexing as i, memory, reductions as r
from ..primitives.values import Value
from .declaration import composite, methods, operator
from .kinds import Tensor
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


@operator(
    {"grad": lambda grad, shape, axes, keepdim, count: _gather_back(grad, axes, keepdim, count)},
    name="expand", function=False, method=False,
)  # fmt: skip
def spread_over(grad: Tensor, shape: Ints, axes: Ints, keepdim: bool, count: int) -> Value:
    """A reduced tensor repeated over the reduced dimensions of ``shape``, divided by ``count``."""
    if not keepdim and shape:
        grad = memory.reshape(grad, shape=tuple(1 if axis in axes else size for axis, size in enumerate(shape)))
    return memory.broadcast(grad if count == 1 else grad / float(count), shape=shape)


def _gather_back(grad: Any, axes: Ints, keepdim: bool, count: int) -> Any:
    total = sum(grad, axes, keepdim) if axes else grad
    return total if count == 1 else total / count


def spread(grad: Any, input_spec: Spec, dim: Any, keepdim: bool, count: int = 1) -> Any:
    """The gradient of a reduction put back over the reduced dimensions (and divided by ``count``)."""
    shape = tuple(input_spec.shape)
    return spread_over(grad, shape, _strides.normalize_axes(dim, len(shape)), keepdim or grad._spec.ndim == len(shape), count)


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
    return spread(grad, input_spec, dim, keepdim, count)


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


@operator(
    {"input": lambda grad, input_spec: grad.expand(input_spec.shape)}, name="sum_to_size", function=False, method=False
)
def summed_to(input: Tensor, shape: Ints) -> Value:
    """Summed over the dimensions that broadcasting ``shape`` to the input's shape repeats."""
    missing = input.ndim - len(shape)
    axes = tuple(range(missing)) + tuple(
        axis for axis in range(missing, input.ndim) if shape[axis - missing] == 1 and input.shape[axis] != 1
    )
    return memory.reshape(r.reduce_sum(input, axes=axes, dtype=input.dtype), shape=shape)


methods["_summed_to"] = summed_to


@composite(function=False)
def sum_to_size(input: Any, *size: Any) -> Any:
    """Summed over the dimensions that broadcasting ``size`` to this shape would repeat.

    Raises:
        RuntimeError: ``size`` does not broadcast to this shape.
    """
    from .views import sizes

    wanted, shape = sizes(size), input._spec.shape
    if not wanted:
        return sum(input)
    if wanted == tuple(shape):
        return input
    missing = len(shape) - len(wanted)
    if missing < 0 or builtins.any(wanted[axis - missing] not in (1, shape[axis]) for axis in range(missing, len(shape))):
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    axes = [*range(missing), *(i for i in range(missing, len(shape)) if wanted[i - missing] == 1 != shape[i])]
    result = sum(input, axes, keepdim=True) if axes else input
    return result.view(wanted) if missing else result


# -- products -----------------------------------------------------------------------------------------------------------


def _product_back(grad: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    """The product of all the others, for each element: right also where elements are zero."""
    if dim is None:
        flat = input.reshape(-1)
        return (grad * _others(flat, 0).conj()).reshape(input._spec.shape)
    if not input._spec.ndim:
        return grad
    axis = _strides.normalize_axis(dim if isinstance(dim, int) else dim[0], input._spec.ndim)
    if not keepdim:
        grad = grad.unsqueeze(axis)
    return grad * _others(input, axis).conj()


def _others(x: Any, axis: int) -> Any:
    from .joining import cat

    size = x._spec.shape[axis]
    if size < 2:
        return x.new_ones(x._spec.shape)
    one = x.narrow(axis, 0, 1).detach() * 0 + 1
    one = one.new_ones(one._spec.shape)
    before = cat((one, x.narrow(axis, 0, size - 1)), axis).cumprod(axis)
    after = cat((one, x.flip(axis).narrow(axis, 0, size - 1)), axis).cumprod(axis).flip(axis)
    return before * after


def _product_node(input: Any, dim: Any, *rest: Any) -> str:
    return "ProdBackward0" if dim is None else "ProdBackward1"


@operator(
    {"input": _product_back}, node=_product_node
)
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Value:
    """The product of all elements, or over one dimension. Integers and booleans are multiplied as int64.

    >>> import flambeau as torch
    >>> torch.prod(torch.tensor([2, 3, 4]))
    tensor(24)
    """
    axes = axes_of(input, dim)
    kind = dtype or (int64 if input.category <= INTEGER else input.dtype)
    x = to(input, kind) if input.category == COMPLEX and kind.category != COMPLEX else input
    return kept(r.reduce_product(x, axes=axes, dtype=kind), input, axes, keepdim)


# -- extremes -----------------------------------------------------------------------------------------------------------


def _needs_elements(name: str, x: Value, axes: Ints, dim: Any) -> None:
    """Raise PyTorch's errors for an extreme of nothing."""
    for axis in axes:
        if x.shape[axis] == 0:
            if dim is None or dim == ():
                raise RuntimeError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
                    "the 'dim' argument."
                )
            raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")


def _even_share(grad: Any, input: Any, result: Any, dim: Any, keepdim: bool) -> Any:
    """An extreme's gradient, shared evenly among the elements that attain it."""
    from .selection import where

    spec = input._spec
    chosen = spread(result, spec, dim, keepdim)
    mask = (input == chosen) | (input.isnan() & chosen.isnan())
    share = mask.to(grad._spec.dtype)
    count = sum(share, dim if dim != () else None, True)
    return where(mask, spread(grad, spec, dim, keepdim) / count, 0)


def _extreme(name: str, primitive: Any, input: Value, dim: Any, keepdim: bool) -> Value:
    if input.is_complex:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(input.dtype)}'")
    axes = axes_of(input, dim)
    _needs_elements(name, input, axes, dim)
    return kept(primitive(input, axes=axes), input, axes, keepdim) if axes else input


@operator({"input": _even_share})
def amax(input: Tensor, dim: int | Ints | None = None, keepdim: bool = False) -> Value:
    """The greatest element, or over ``dim``; its gradient is shared evenly among equals.

    >>> import flambeau as torch
    >>> torch.amax(torch.tensor([[1, 4], [3, 2]]), 1)
    tensor([4, 3])
    """
    return _extreme("amax", r.reduce_max, input, dim, keepdim)


@operator({"input": _even_share})
def amin(input: Tensor, dim: int | Ints | None = None, keepdim: bool = False) -> Value:
    """The least element, or over ``dim``; its gradient is shared evenly among equals."""
    return _extreme("amin", r.reduce_min, input, dim, keepdim)


def _aminmax_back(grads: Any, input: Any, result0: Any, result1: Any, dim: Any, keepdim: bool) -> Any:
    least, greatest = grads
    return _even_share(least, input, result0, dim, keepdim) + _even_share(greatest, input, result1, dim, keepdim)


def _aminmax_pair(results: Any) -> Any:
    from ..return_types import aminmax as pair

    return pair(tuple(results))


@operator({"input": _aminmax_back}, returns=_aminmax_pair)
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Value, Value]:
    """The least and the greatest element, as a pair."""
    least = _extreme("aminmax", r.reduce_min, input, dim, keepdim)
    return least, _extreme("aminmax", r.reduce_max, input, dim, keepdim)


def _place_back(grad: Any, input_spec: Spec, result1: Any, dim: int, keepdim: bool) -> Any:
    """The gradient of elements picked along ``dim``, put back where they came from."""
    if not input_spec.ndim:
        return grad
    if not keepdim:
        grad, result1 = grad.unsqueeze(dim), result1.unsqueeze(dim)
    return grad.new_zeros(input_spec.shape).scatter(dim, result1, grad)


def _pick(input: Value, index: Value, axis: int) -> Value:
    """The elements of ``input`` at ``index`` (which lacks ``axis``) along ``axis``."""
    shape = tuple(1 if a == axis else size for a, size in enumerate(input.shape))
    picked = i.gather_along(input, memory.reshape(index, shape=shape), axis=axis)
    return memory.reshape(picked, shape=index.shape)


def _along(name: str, primitive: Any, input: Value, dim: int, keepdim: bool) -> tuple[Value, Value]:
    if input.is_complex:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(input.dtype)}'")
    axis = _strides.normalize_axis(dim, input.ndim)
    if not input.ndim:
        return input, memory.reshape(primitive(memory.reshape(input, shape=(1,)), axis=0), shape=())
    _needs_elements(name, input, (axis,), dim)
    index = primitive(input, axis=axis)
    value = _pick(input, index, axis)
    return kept(value, input, (axis,), keepdim), kept(index, input, (axis,), keepdim)


def _pair(name: str) -> Any:
    def make(results: Any) -> Any:
        from .. import return_types

        return getattr(return_types, name)(results)

    return make


@operator({"input": _place_back}, name="max", returns=_pair("max"), function=False, method=False)
def _max_along(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    return _along("max", r.argument_max, input, dim, keepdim)


@operator({"input": _place_back}, name="min", returns=_pair("min"), function=False, method=False)
def _min_along(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    return _along("min", r.argument_min, input, dim, keepdim)


@operator({"input": lambda grad, input, result: _even_share(grad, input, result, None, False)}, name="max",
          node="MaxBackward1", function=False, method=False)  # fmt: skip
def _max_of_all(input: Tensor) -> Value:
    return _extreme("max", r.reduce_max, input, None, False)


@operator({"input": lambda grad, input, result: _even_share(grad, input, result, None, False)}, name="min",
          node="MinBackward1", function=False, method=False)  # fmt: skip
def _min_of_all(input: Tensor) -> Value:
    return _extreme("min", r.reduce_min, input, None, False)


def _either(of_all: Any, along: Any, name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    from .comparison import maximum, minimum

    if dim is None:
        return of_all(input)
    if hasattr(dim, "_spec"):
        return (maximum if name == "max" else minimum)(input, dim)
    return along(input, dim, keepdim)


@composite()
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The greatest element; with ``dim`` the greatest along it and where; with a tensor the greater of each pair.

    >>> import flambeau as torch
    >>> torch.max(torch.tensor([[1, 4], [3, 2]]), 1).indices
    tensor([1, 0])
    """
    return _either(_max_of_all, _max_along, "max", input, dim if other is None else other, keepdim)


@composite()
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The least element; with ``dim`` the least along it and where; with a tensor the lesser of each pair."""
    return _either(_min_of_all, _min_along, "min", input, dim if other is None else other, keepdim)


def _argument(name: str, primitive: Any, input: Value, dim: int | None, keepdim: bool) -> Value:
    if input.is_complex or input.category == BOOL:
        raise RuntimeError(f"\"{name}_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    if dim is None:
        if not input.numel:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        flat = primitive(memory.reshape(input, shape=(input.numel,)), axis=0)
        return memory.reshape(flat, shape=(1,) * input.ndim if keepdim else ())
    axis = _strides.normalize_axis(dim, input.ndim)
    if not input.ndim:
        return memory.reshape(primitive(memory.reshape(input, shape=(1,)), axis=0), shape=())
    if not input.shape[axis]:
        raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    return kept(primitive(input, axis=axis), input, (axis,), keepdim)


@operator()
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Value:
    """The index of the greatest element, of the flattened tensor or along ``dim``.

    >>> import flambeau as torch
    >>> torch.argmax(torch.tensor([[1, 4], [3, 2]]), dim=1)
    tensor([1, 0])
    """
    return _argument("argmax", r.argument_max, input, dim, keepdim)


@operator()
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Value:
    """The index of the least element, of the flattened tensor or along ``dim``."""
    return _argument("argmin", r.argument_min, input, dim, keepdim)


# -- counting and truth ---------------------------------------------------------------------------------------------------


def _truth(input: Value) -> Value:
    return to(input, bool_)


def _truth_result(result: Value, input: Value) -> Value:
    return to(result, uint8) if input.dtype is uint8 else result  # PyTorch keeps uint8 for its old masks


@operator()
def any(input: Tensor, dim: int | Ints | None = None, keepdim: bool = False) -> Value:
    """Whether some element is not zero.

    >>> import flambeau as torch
    >>> torch.any(torch.tensor([[True, False], [False, False]]), 1)
    tensor([ True, False])
    """
    axes = axes_of(input, dim) if dim != () else ()
    return _truth_result(kept(r.reduce_any(_truth(input), axes=axes), input, axes, keepdim), input)


@operator()
def all(input: Tensor, dim: int | Ints | None = None, keepdim: bool = False) -> Value:
    """Whether every element is not zero."""
    axes = axes_of(input, dim) if dim != () else ()
    return _truth_result(kept(r.reduce_all(_truth(input), axes=axes), input, axes, keepdim), input)


@operator()
def count_nonzero(input: Tensor, dim: int | Ints | None = None) -> Value:
    """How many elements are not zero."""
    axes = axes_of(input, dim)
    return r.reduce_sum(_truth(input), axes=axes, dtype=int64)


# -- spread -----------------------------------------------------------------------------------------------------------


def _variance_back(grad: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    spec = input._spec
    count = _count(spec, dim)
    degrees = count - (1 if correction is None else correction)
    if degrees <= 0:
        return spread(grad, spec, dim, keepdim) * ((input - mean(input, dim, True)) * float("inf" if degrees == 0 else 0))
    return spread(grad, spec, dim, keepdim) * (input - mean(input, dim, True)) * (2.0 / degrees)


def _count(spec: Spec, dim: Any) -> int:
    count = 1
    for axis in _strides.normalize_axes(dim, spec.ndim):
        count *= spec.shape[axis]
    return count


def _deviation_back(grad: Any, input: Any, result: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    slope = (grad / (result * 2)).masked_fill(result == 0, 0)
    return _variance_back(slope, input, dim, correction, keepdim)


def _variance(name: str, input: Value, dim: Any, correction: Any, keepdim: bool) -> tuple[Value, Value]:
    if input.category < FLOATING:
        raise RuntimeError("std and var only support floating point and complex dtypes")
    axes = axes_of(input, dim)
    count = 1
    for axis in axes:
        count *= input.shape[axis]
    wide = input.dtype.compute
    x = to(input, wide)
    ones = tuple(1 if axis in axes else size for axis, size in enumerate(input.shape))
    centre = r.reduce_sum(x, axes=axes, dtype=wide) / float(count) if count else r.reduce_sum(x, axes=axes, dtype=wide) * float("nan")
    distance = p.absolute(x - memory.reshape(centre, shape=ones))
    squares = r.reduce_sum(distance * distance, axes=axes, dtype=wide.to_real())
    degrees = count - (1 if correction is None else correction)
    divisor = float(degrees) if degrees > 0 else 0.0
    return p.divide(squares, divisor), centre


def _var_layout(x: Value, value: Value, axes: Ints, keepdim: bool, kind: Any) -> Value:
    return kept(to(value, kind), x, axes, keepdim)


@operator({"input": _variance_back}, name="var", function=False, method=False)
def _var(input: Tensor, dim: int | Ints | None = None, correction: int | float | None = None, keepdim: bool = False) -> Value:
    value, _ = _variance("var", input, dim, correction, keepdim)
    return _var_layout(input, value, axes_of(input, dim), keepdim, input.dtype.to_real())


@operator({"input": _deviation_back}, name="std", function=False, method=False)
def _std(input: Tensor, dim: int | Ints | None = None, correction: int | float | None = None, keepdim: bool = False) -> Value:
    value, _ = _variance("std", input, dim, correction, keepdim)
    return _var_layout(input, p.sqrt(value), axes_of(input, dim), keepdim, input.dtype.to_real())


def _var_mean_back(grads: Any, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    spread_part = _variance_back(grads[0], input, dim, correction, keepdim)
    if _count(input._spec, dim) <= correction:  # infinite or undefined, but only where the variance matters
        spread_part = spread_part.masked_fill(spread(grads[0], input._spec, dim, keepdim) == 0, 0)
    return spread_part + _mean_back(grads[1], input._spec, dim, keepdim)


@operator({"input": _var_mean_back}, name="var_mean", function=False, method=False)
def _var_mean(
    input: Tensor, dim: int | Ints | None = None, correction: int | float | None = None, keepdim: bool = False
) -> tuple[Value, Value]:
    value, centre = _variance("var_mean", input, dim, correction, keepdim)
    axes = axes_of(input, dim)
    return (
        _var_layout(input, value, axes, keepdim, input.dtype.to_real()),
        _var_layout(input, centre, axes, keepdim, input.dtype),
    )


def _std_mean_back(grads: Any, input: Any, result0: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    slope = (grads[0] / (result0 * 2)).masked_fill(result0 == 0, 0)
    return _var_mean_back((slope, grads[1]), input, dim, correction, keepdim)


@operator({"input": _std_mean_back}, name="std_mean", function=False, method=False)
def _std_mean(
    input: Tensor, dim: int | Ints | None = None, correction: int | float | None = None, keepdim: bool = False
) -> tuple[Value, Value]:
    value, centre = _variance("std_mean", input, dim, correction, keepdim)
    axes = axes_of(input, dim)
    return (
        _var_layout(input, p.sqrt(value), axes, keepdim, input.dtype.to_real()),
        _var_layout(input, centre, axes, keepdim, input.dtype),
    )


def _spread_arguments(dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Any]:
    """The old forms ``var(unbiased)`` and ``var(dim, unbiased)`` as (dim, correction)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        correction = 1 if unbiased else 0
    return dim, 1 if correction is None else correction


@composite()
def var(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The variance of all elements, or over ``dim``: squared distances from the mean over (n - correction).

    >>> import flambeau as torch
    >>> torch.var(torch.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    dim, correction = _spread_arguments(dim, unbiased, correction)
    return _var(input, dim, correction, keepdim)


@composite()
def std(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The standard deviation of all elements, or over ``dim``: the root of :func:`var`."""
    dim, correction = _spread_arguments(dim, unbiased, correction)
    return _std(input, dim, correction, keepdim)


@composite(method=False)
def var_mean(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The variance and the mean, as a pair."""
    dim, correction = _spread_arguments(dim, unbiased, correction)
    return _var_mean(input, dim, correction, keepdim)


@composite(method=False)
def std_mean(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The standard deviation and the mean, as a pair."""
    dim, correction = _spread_arguments(dim, unbiased, correction)
    return _std_mean(input, dim, correction, keepdim)


# -- sums of exponentials, and sums that skip NaN -------------------------------------------------------------------------


def _logsumexp_back(grad: Any, input: Any, result: Any, dim: Any, keepdim: bool) -> Any:
    spec = input._spec
    return spread(grad, spec, dim, keepdim) * (input - spread(result, spec, dim, keepdim)).exp().conj()


@operator({"input": _logsumexp_back}, name="logsumexp")
def logsumexp(input: Tensor, dim: int | Ints, keepdim: bool = False) -> Value:
    """log Σ exp(input) over ``dim``, computed without overflow.

    >>> import flambeau as torch
    >>> torch.logsumexp(torch.tensor([1000.0, 1000.0]), 0)
    tensor(1000.6932)
    """
    x = input if input.category >= FLOATING else to(input, get_default_dtype())
    wide = to(x, x.dtype.compute)
    axes = axes_of(input, dim)
    ones = tuple(1 if axis in axes else size for axis, size in enumerate(input.shape))
    size = p.real(wide) if wide.is_complex else wide
    if input.numel:
        top = r.reduce_max(size, axes=axes)
        top = p.select(p.is_finite(top), top, 0.0)
    else:
        top = memory.full(0.0, shape=tuple(s for a, s in enumerate(input.shape) if a not in axes), dtype=size.dtype)
    shift = memory.reshape(top, shape=ones)
    if wide.is_complex:
        shift, top = p.cast(shift, dtype=wide.dtype), p.cast(top, dtype=wide.dtype)
    total = r.reduce_sum(p.exp(wide - shift), axes=axes, dtype=wide.dtype)
    return kept(to(p.log(total) + top, x.dtype), input, axes, keepdim)


@composite()
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum, NaN counting as zero."""
    if input._spec.dtype.category == COMPLEX:
        raise RuntimeError("nansum does not support complex inputs")
    if input._spec.dtype.category < FLOATING:
        return sum(input, dim, keepdim, dtype=dtype)
    return _nansum(input, dim, keepdim, dtype=dtype)


@operator(
    {"input": lambda grad, input, dim, keepdim: spread(grad, input._spec, dim, keepdim).masked_fill(input.isnan(), 0)},
    name="nansum", function=False, method=False,
)  # fmt: skip
def _nansum(
    input: Tensor, dim: int | Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Value:
    axes, kind = axes_of(input, dim), dtype or input.dtype
    present = p.select(p.not_equal(input, input), 0.0, input)
    return kept(r.reduce_sum(present, axes=axes, dtype=kind), input, axes, keepdim)


@composite()
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean of the elements that are not NaN."""
    if input._spec.dtype.category < FLOATING:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {scalar_name(input._spec.dtype)}"
        )
    count = sum(input.isnan().logical_not(), dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / count


@composite()
def dist(input: Any, other: Any, p: Any = 2) -> Any:
    """The p-norm of input - other."""
    from .norms import norm

    return norm(input - other, p)


__all__ = ["axes_of", "kept", "spread"]
