"""One tensor as several views of it: ``split``, ``chunk``, ``tensor_split``, ``unbind``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from ..autograd.grad_mode import mode
from ..autograd.plans import Derivative, attach, new_plan
from ..core import strides as _strides
from ..core.specs import Spec, spec
from ..tracing.handles import Handle, wrap
from .calls import RULES_KEPT
from .declaration import composite
from .view_declaration import window_cell
from .views import as_index

Ints = tuple[int, ...]


class ManyViews:
    """An operator with several results, each a window onto the input. One node takes all their gradients together."""

    def __init__(self, rule: Callable[..., Any], derivative: dict[str, Any], name: str, node: str) -> None:
        code = rule.__code__
        self.rule, self.name, self.node = rule, name, node
        self.derivative = Derivative(derivative)
        self.parameters = ("input", *code.co_varnames[1 : code.co_argcount])
        self.kinds: tuple[Any, ...] = ()
        self.found: dict[Any, list[tuple[Spec, int]]] = {}
        self.plans: dict[Any, Any] = {}

    def __call__(self, input: Any, *arguments: Any) -> tuple[Any, ...]:
        if not isinstance(input, Handle):
            raise TypeError(f"{self.name}(): argument 'tensor' (position 1) must be Tensor, not {type(input).__name__}")
        here, cell = input._spec, input._cell
        try:
            windows = self.found[here, arguments]
        except KeyError:
            windows = [
                (spec(shape, here.dtype, steps, here.device), offset)
                for shape, steps, offset in self.rule(here, *arguments)
            ]
            if len(self.found) >= RULES_KEPT:
                self.found.clear()
            self.found[here, arguments] = windows
        base = input if input._base is None else input._base
        results = []
        for layout, offset in windows:
            result = wrap(window_cell(cell, layout, offset), layout)
            result._base = base
            if input._data_alias:
                result._data_alias = True
            if input._inference:
                result._inference = True
            results.append(result)
        if input._tracked and mode.enabled and results:
            values = (input, *arguments)
            plan = self.plans.get((here, arguments))
            if plan is None:
                if len(self.plans) >= RULES_KEPT:
                    self.plans.clear()
                plan = self.plans[here, arguments] = new_plan(self, values, results)
            attach(plan, values, results)
            for result in results:
                result._view_of = base._node
        return tuple(results)


def _pieces(here: Spec, axis: int, sizes: Ints) -> Any:
    start, step = 0, here.strides[axis]
    for size in sizes:
        yield (*here.shape[:axis], size, *here.shape[axis + 1 :]), here.strides, start * step if here.shape[axis] else 0
        start += size


def _join(grads: Any, axis: int) -> Any:
    from .joining import cat

    return cat(grads, axis)


def _slices(here: Spec, axis: int) -> Any:
    shape, steps = here.shape, here.strides
    for index in range(shape[axis]):
        yield (*shape[:axis], *shape[axis + 1 :]), (*steps[:axis], *steps[axis + 1 :]), index * steps[axis]


def _pile(grads: Any, grad: Any, axis: int) -> Any:
    from .joining import stack

    return stack(grads, axis)


def _join_one(grads: Any, grad: Any, axis: int) -> Any:
    return _join(grads, axis)


def _join_single(grad: Any) -> Any:
    return grad


def _unsqueeze_single(grad: Any, axis: int) -> Any:
    return grad.unsqueeze(axis)


_even = ManyViews(_pieces, {"input": _join_one}, "split", "SplitBackward0")
_even_one = ManyViews(_pieces, {"input": _join_single}, "split", "SplitBackward0")
_sized = ManyViews(_pieces, {"input": _join_one}, "split_with_sizes", "SplitWithSizesBackward0")
_sized_one = ManyViews(_pieces, {"input": _join_single}, "split_with_sizes", "SplitWithSizesBackward0")
_unbound = ManyViews(_slices, {"input": _pile}, "unbind", "UnbindBackward0")
_unbound_one = ManyViews(_slices, {"input": _unsqueeze_single}, "unbind", "UnbindBackward0")


def _check_axis(name: str, input: Any, dim: int) -> int:
    rank = input._spec.ndim
    if not rank:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    return _strides.normalize_axis(as_index(dim), rank)


@composite(method=True)
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of ``tensor`` cut along ``dim``: each of the given size (the last may be smaller), or of the sizes listed.

    >>> import flambeau as torch
    >>> torch.split(torch.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    axis = _check_axis("split", tensor, dim)
    each, size = as_index(split_size_or_sections), tensor._spec.shape[axis]
    if each < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={each}")
    if not each and size:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
    count = max(-(-size // each), 1) if each else 1
    sizes = (*(each,) * (count - 1), size - each * (count - 1))
    return (_even_one if count == 1 else _even)(tensor, axis, sizes)


@composite()
def split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """Views of ``input`` of the given sizes along ``dim``."""
    axis = _check_axis("split", input, dim)
    sizes, size = tuple(as_index(each) for each in split_sizes), input._spec.shape[axis]
    if any(each < 0 for each in sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}"
        )
    if sum(sizes) != size:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension "
            f"{axis}), but got "
            f"split_sizes={list(sizes)}"
        )
    return (_sized_one if len(sizes) == 1 else _sized)(input, axis, sizes)


@composite()
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` views of ``input`` along ``dim``, of equal size but for the last.

    >>> import flambeau as torch
    >>> [len(each) for each in torch.chunk(torch.arange(5), 2)]
    [3, 2]
    """
    if not input._spec.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    chunks = as_index(chunks)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    axis = _check_axis("chunk", input, dim)
    size = input._spec.shape[axis]
    each = -(-size // chunks)
    if not each:
        return split_with_sizes(input, (0,) * chunks, axis)
    return split(input, each, axis)


@composite()
def tensor_split(input: Any, indices_or_sections: Any = None, dim: int = 0, **given: Any) -> tuple[Any, ...]:
    """Views of ``input`` along ``dim``: so many of nearly equal size, or cut at the given indices.

    >>> import flambeau as torch
    >>> torch.tensor_split(torch.arange(5), (1, 3))
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    where = given.pop("tensor_indices_or_sections", given.pop("sections", given.pop("indices", indices_or_sections)))
    if not input._spec.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    axis = _strides.normalize_axis(as_index(dim), input._spec.ndim)
    size = input._spec.shape[axis]
    if isinstance(where, Handle):
        if where._spec.dtype.name != "int64":
            raise RuntimeError("tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
                               f"{where._spec.dtype}")  # fmt: skip
        if where._spec.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional "
                "tensor, but got "
                f"a tensor with {where._spec.ndim} dims"
            )
        where = where.tolist()
    if not isinstance(where, (tuple, list)):
        sections = as_index(where)
        if sections <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
        each, more = divmod(size, sections)
        where, end = [], 0
        for k in range(sections - 1):
            end += each + (k < more)
            where.append(end)
    from .views import slice_dimension

    bounds = [0, *(as_index(each) for each in where), None]
    return tuple(slice_dimension(input, axis, start, stop, 1) for start, stop in pairwise(bounds))


def _split_named(name: str, rank: int, axis_of: Callable[[int], int]) -> Any:
    def function(input: Any, indices_or_sections: Any = None, **given: Any) -> tuple[Any, ...]:
        where = given.get("sections", given.get("indices", indices_or_sections))
        here = input._spec
        if here.ndim < rank:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {rank} dimension, but got a tensor with {here.ndim} "
                "dimensions!"
            )
        axis = axis_of(here.ndim)
        if not isinstance(where, (tuple, list)):
            sections = as_index(where)
            if sections == 0 or here.shape[axis] % sections:
                raise RuntimeError(
                    f"torch.{name} attempted to split along dimension {axis}, but the size of the dimension "
                    f"{here.shape[axis]} is not divisible by the split_size {sections}!"
                )
        return tensor_split(input, where, axis)

    which = {"hsplit": "second", "vsplit": "first", "dsplit": "third"}[name]
    function.__doc__ = f":func:`tensor_split` along the {which} dimension."
    return composite(name=name)(function)


hsplit = _split_named("hsplit", 1, lambda rank: 0 if rank == 1 else 1)
vsplit = _split_named("vsplit", 2, lambda rank: 0)
dsplit = _split_named("dsplit", 3, lambda rank: 2)


@composite()
def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices of ``input`` along ``dim``, which disappears.

    >>> import flambeau as torch
    >>> torch.unbind(torch.tensor([[1, 2], [3, 4]]), 1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    rank = input._spec.ndim
    if not rank:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = _strides.normalize_axis(as_index(dim), rank)
    return (_unbound_one if input._spec.shape[axis] == 1 else _unbound)(input, axis)


__all__: Sequence[str] = [
    "ManyViews", "chunk", "dsplit", "hsplit", "split", "split_with_sizes", "tensor_split", "unbind", "vsplit",
]  # fmt: skip
