"""Order along a dimension: ``sort``, ``topk``, ``kthvalue``, ``median``, ``mode``. NaN is the greatest number."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import BOOL, COMPLEX, FLOATING, int64
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import elementwise as p, indexing as places, memory, reductions as folds
from ..primitives.scans import scan
from ..primitives.sorting import argument_sort
from ..primitives.values import Value
from .declaration import LIKE_FIRST, composite, operator
from .kinds import Tensor
from .scans import named

Ints = tuple[int, ...]


def _chosen_back(grad: Any, input_spec: Spec, dim: int, result1: Any) -> Any:
    if not input_spec.ndim:
        return grad
    return grad.new_zeros(input_spec.shape).scatter(dim, result1, grad)


def _sorted(x: Value, axis: int, descending: bool) -> tuple[Value, Value]:
    """Values and indices in order along ``axis``."""
    if not x.ndim or not x.numel:
        return x, memory.full(0, shape=x.shape, dtype=int64)
    order = argument_sort(x, axis=axis, descending=descending)
    return places.gather_along(x, order, axis=axis), order


@operator(
    {"input": _chosen_back}, layout=LIKE_FIRST, returns=named("sort"), name="sort", method=False, function=False,
    node=lambda input, dim, descending, stable: f"SortBackward{int(stable is not None)}",
)  # fmt: skip
def _sort(input: Tensor, dim: int, descending: bool, stable: bool | None) -> tuple[Value, Value]:
    if input.category == COMPLEX:
        raise RuntimeError("Sort does not support complex dtypes on CPU")
    return _sorted(input, _strides.normalize_axis(dim, input.ndim), descending)


@composite()
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    """Elements in order along ``dim``, and where each stood. Equal elements keep their order.

    >>> import flambeau as torch
    >>> torch.sort(torch.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    return _sort(input, dim, bool(descending), stable)


@composite()
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along ``dim``.

    >>> import flambeau as torch
    >>> torch.argsort(torch.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    return _sort(input, dim, bool(descending), None)[1]


@composite()
def msort(input: Any) -> Any:
    """Sorted along the first dimension."""
    return _sort(input, 0, False, None)[0]


def _cut(x: Value, axis: int, start: int, stop: int) -> Value:
    starts, stops = [0] * x.ndim, list(x.shape)
    starts[axis], stops[axis] = start, stop
    return memory.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=(1,) * x.ndim)


@operator({"input": _chosen_back}, returns=named("topk"))
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Value, Value]:
    """The ``k`` greatest (or least) elements along ``dim``, in order, and where they stand.

    >>> import flambeau as torch
    >>> torch.topk(torch.tensor([1, 5, 3]), 2).values
    tensor([5, 3])
    """
    axis = _strides.normalize_axis(dim, input.ndim)
    if not 0 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.category == COMPLEX:
        raise NotImplementedError(f"\"topk\" not implemented for '{scalar_name(input.dtype)}'")
    if input.category == BOOL:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    values, order = _sorted(input, axis, largest)
    return (values, order) if not input.ndim else (_cut(values, axis, 0, k), _cut(order, axis, 0, k))


def _picked(x: Value, axis: int, keepdim: bool) -> Value:
    """A result whose dimension ``axis`` has size one, which stays only with ``keepdim``."""
    return x if keepdim or not x.ndim else memory.reshape(x, shape=x.shape[:axis] + x.shape[axis + 1 :])


def _one_back(grad: Any, input_spec: Spec, dim: int, keepdim: bool, result1: Any) -> Any:
    if not input_spec.ndim:
        return grad
    if not keepdim:
        grad, result1 = grad.unsqueeze(dim), result1.unsqueeze(dim)
    return grad.new_zeros(input_spec.shape).scatter(dim, result1, grad)


def _check_real(name: str, x: Value, *, boolean: bool = True) -> None:
    if x.category == COMPLEX or (boolean and x.category == BOOL):
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(x.dtype)}'")


def _check_nonempty(name: str, x: Value, axis: int) -> None:
    if x.ndim and not x.shape[axis]:
        raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")


@operator({"input": _one_back}, returns=named("kthvalue"))
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Value, Value]:
    """The k-th least element along ``dim``, counted from one, and where it stands.

    >>> import flambeau as torch
    >>> torch.kthvalue(torch.tensor([4, 1, 3]), 2).values
    tensor(3)
    """
    axis = _strides.normalize_axis(dim, input.ndim)
    size = input.shape[axis] if input.ndim else 1
    _check_nonempty("kthvalue", input, axis)
    if not 1 <= k <= size:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    _check_real("kthvalue_cpu", input)
    values, order = _sorted(input, axis, False)
    if not input.ndim:
        return values, order
    return tuple(_picked(_cut(each, axis, k - 1, k), axis, keepdim) for each in (values, order))  # type: ignore[return-value]


def _middle(name: str, input: Value, axis: int, ignore_nan: bool) -> tuple[Value, Value]:
    """The lower median along ``axis`` and its index, the axis kept with size one."""
    _check_real(name, input)
    values, order = _sorted(input, axis, False)
    if not input.ndim or not input.numel:
        shape = tuple(1 if k == axis else size for k, size in enumerate(input.shape))
        return (values, order) if not input.ndim else tuple(
            memory.full(0, shape=shape, dtype=each.dtype) for each in (values, order)
        )
    size = input.shape[axis]
    if input.category < FLOATING:
        middle = (size - 1) // 2
        return _cut(values, axis, middle, middle + 1), _cut(order, axis, middle, middle + 1)
    shape = tuple(1 if k == axis else each for k, each in enumerate(input.shape))
    bad = folds.reduce_sum(p.cast(p.is_nan(input), dtype=int64), axes=(axis,), dtype=int64)
    bad = memory.reshape(bad, shape=shape)
    good = size - bad
    if ignore_nan:
        place = p.maximum(p.floor_divide_exact(good - 1, 2), 0)
    else:
        place = p.select(p.equal(bad, 0), p.number((size - 1) // 2, dtype=int64), good)
    return places.gather_along(values, place, axis=axis), places.gather_along(order, place, axis=axis)


def _pair(name: str, input: Value, dim: int, keepdim: bool, ignore_nan: bool) -> tuple[Value, Value]:
    axis = _strides.normalize_axis(dim, input.ndim)
    _check_nonempty(name, input, axis)
    found = _middle(f"{name}_cpu" if name == "median" else name, input, axis, ignore_nan)
    return tuple(_picked(each, axis, keepdim) for each in found)  # type: ignore[return-value]


def _whole(name: str, input: Value, ignore_nan: bool) -> Value:
    if not input.numel:
        return memory.full(float("nan") if input.category >= FLOATING else -(1 << 63), shape=(), dtype=input.dtype)
    flat = memory.reshape(input, shape=(input.numel,))
    return memory.reshape(_middle(name, flat, 0, ignore_nan)[0], shape=())


def _even_back(grad: Any, input: Any, result: Any) -> Any:
    """Equal elements share the gradient."""
    mask = input == result
    mask = mask | (input.isnan() & result.isnan())
    return grad * mask / mask.sum()


@operator({"input": _even_back}, name="median", method=False, function=False)
def _median(input: Tensor) -> Value:
    return _whole("median", input, False)


@operator({"input": _even_back}, name="nanmedian", method=False, function=False)
def _nanmedian(input: Tensor) -> Value:
    return _whole("nanmedian", input, True)


@operator(
    {"input": _one_back}, returns=named("median"), name="median", method=False, function=False, node="MedianBackward1"
)
def _median_along(input: Tensor, dim: int, keepdim: bool) -> tuple[Value, Value]:
    return _pair("median", input, dim, keepdim, False)


@operator(
    {"input": _one_back}, returns=named("nanmedian"), name="nanmedian", method=False, function=False,
    node="NanmedianBackward1",
)  # fmt: skip
def _nanmedian_along(input: Tensor, dim: int, keepdim: bool) -> tuple[Value, Value]:
    return _pair("nanmedian", input, dim, keepdim, True)


@composite()
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements, or along ``dim`` with its index; NaN where there is one.

    >>> import flambeau as torch
    >>> torch.median(torch.tensor([4, 1, 3, 2]))
    tensor(2)
    """
    return _median(input) if dim is None else _median_along(input, dim, keepdim)


@composite()
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements but NaN, or along ``dim`` with its index.

    >>> import flambeau as torch
    >>> torch.nanmedian(torch.tensor([1.0, float("nan"), 3.0]))
    tensor(1.)
    """
    return _nanmedian(input) if dim is None else _nanmedian_along(input, dim, keepdim)


@operator({"input": _one_back}, returns=named("mode"))
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Value, Value]:
    """The most frequent element along ``dim`` (the least of several), and where it stands last.

    >>> import flambeau as torch
    >>> torch.mode(torch.tensor([2, 1, 2])).values
    tensor(2)
    """
    axis = _strides.normalize_axis(dim, input.ndim)
    _check_nonempty("mode", input, axis)
    if input.category == COMPLEX:
        raise NotImplementedError(f"\"mode\" not implemented for '{scalar_name(input.dtype)}'")
    values, order = _sorted(input, axis, False)
    if not input.ndim:
        return values, order
    shape = tuple(1 if k == axis else size for k, size in enumerate(input.shape))
    if not input.numel:
        return tuple(  # type: ignore[return-value]
            _picked(memory.full(0, shape=shape, dtype=each.dtype), axis, keepdim) for each in (values, order)
        )
    size = input.shape[axis]
    here = memory.iota(shape=input.shape, axis=axis, dtype=int64)
    # How often the element of each place came before in its run: its distance from where the run began.
    changed = p.not_equal(_cut(values, axis, 1, size), _cut(values, axis, 0, size - 1))
    first = memory.full(True, shape=shape, dtype=changed.dtype)
    starts = p.select(memory.concatenate(first, changed, axis=axis), here, memory.full(0, shape=(), dtype=int64))
    length = here - scan(starts, axis=axis, combine="maximum", dtype=int64)
    best = memory.reshape(folds.argument_max(length, axis=axis), shape=shape)
    found = (places.gather_along(each, best, axis=axis) for each in (values, order))
    return tuple(_picked(each, axis, keepdim) for each in found)  # type: ignore[return-value]


__all__ = ["argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "sort", "topk"]
