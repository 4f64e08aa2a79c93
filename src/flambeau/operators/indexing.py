"""``x[…]`` and ``x[…] = v`` as PyTorch has them, and the operators of index tensors on one dimension.

Ints, slices, ``None`` and ``...`` are a chain of views. What remains, index tensors and masks, is one gather or one
write at the places they name. Index tensors whose numbers are known already are checked at the call.
"""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import COMPLEX, FLOATING, INTEGER, bool_, int32, int64, uint8
from ..core.names import scalar_name, type_name
from ..core.specs import Spec
from ..core.storages import View, window
from ..primitives import indexing as places
from ..primitives.values import Value
from ..tracing.handles import Handle
from ..tracing.recorder import trace
from .declaration import LIKE_FIRST, composite, functions, methods, operator
from .kinds import Tensor, Tensors
from .promotion import to
from .views import alias_of, selected, slice_dimension, unsqueezed
from .writing import check_no_overlap

Ints = tuple[int, ...]


def known(tensor: Any) -> Any:
    """The numbers of a tensor as an array when they lie in memory; None while they are still to be computed."""
    cell = tensor._cell
    storage = cell.storage if type(cell) is View else cell
    if storage.array is None or (storage.epoch is trace.epoch and storage.position >= 0):
        return None
    return window(storage.memory(), cell.spec, cell.offset) if type(cell) is View else storage.array


def check_known(index: Any, size: int, place: int, wraps: bool = True) -> None:
    """Raise IndexError for indices out of range, as far as they are known."""
    array = known(index)
    if array is not None:
        places.check_bounds(array, size, place, wraps)


def long(index: Value) -> Value:
    """An index in int64."""
    return to(index, int64)


# -- advanced indexing -------------------------------------------------------------------------------------------------


def _index_layout(result: Value, operands: Any, arguments: Any) -> Any:
    # PyTorch's iterator sees the input with stride 0 on indexed dimensions, and each index with stride 0 on the others.
    here, indices, axes = operands[0], operands[1:], arguments[2]
    rank = len(result.shape)
    shape = _strides.broadcast(*(each.shape for each in indices))
    first = axes[0] if places.adjacent(axes) else 0
    rest = [step for axis, step in enumerate(here.strides) if axis not in axes]
    seen = [(*rest[:first], *[0] * len(shape), *rest[first:])]
    for each in indices:
        steps = (0,) * (len(shape) - each.ndim) + tuple(
            0 if size == 1 else step for size, step in zip(each.shape, each.strides)
        )
        seen.append((*[0] * first, *steps, *[0] * (rank - first - len(shape))))
    return _strides.pointwise(result.shape, [(tuple(result.shape), steps) for steps in seen])


def _check_index(input: Any, indices: Any, axes: Ints, *rest: Any) -> None:
    for place, (axis, index) in enumerate(zip(axes, indices)):
        check_known(index, input._spec.shape[axis], place)


def _index_back(grad: Any, input_spec: Spec, indices: Any, axes: Ints) -> Any:
    return index_write(grad.new_zeros(input_spec.shape), tuple(indices), axes, grad, True)


def _common_index_shape(indices: Any) -> Ints:
    try:
        return places.broadcast_shape(*indices)
    except RuntimeError:
        shapes = ", ".join(str(list(each.shape)) for each in indices)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None


def _needs_elements(shape: Any, axes: Ints, index_shape: Ints) -> None:
    if 0 in (shape[axis] for axis in axes) and 0 not in index_shape:
        raise IndexError("index is out of bounds for dimension with size 0")


@operator(
    {"input": _index_back}, layout=_index_layout, check=_check_index, name="index", method=False, function=False
)
def index_read(input: Tensor, indices: Tensors, axes: Ints) -> Value:
    """``input[…]`` with one index tensor for each of ``axes``."""
    _needs_elements(input.shape, axes, _common_index_shape(indices))
    return places.gather_at(input, *map(long, indices), axes=axes)


def _check_write(input: Any, indices: Any, axes: Ints, values: Any, accumulate: bool) -> None:
    _check_index(input, indices, axes)


def _write_input(grad: Any, indices: Any, axes: Ints, accumulate: bool) -> Any:
    return grad if accumulate else index_write(grad, tuple(indices), axes, grad.new_zeros(()), False)


@operator(
    {
        "input": _write_input,
        "values": lambda grad, indices, axes: index_read(grad, tuple(indices), axes),
    },
    layout=LIKE_FIRST, in_place=True, check=_check_write, name="index_put", method=False, function=False,
)  # fmt: skip
def index_write(input: Tensor, indices: Tensors, axes: Ints, values: Tensor, accumulate: bool) -> Value:
    """``input`` with ``values`` written to (or added at) ``input[…]``."""
    if input.dtype is not values.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{scalar_name(input.dtype)} for the destination and {scalar_name(values.dtype)} for the source."
        )
    index_shape = _common_index_shape(indices)
    _needs_elements(input.shape, axes, index_shape)
    wanted = places.indexed_shape(input.shape, index_shape, axes)
    try:
        fits = _strides.broadcast(values.shape, wanted) == wanted
    except RuntimeError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
            "shape "
            f"{list(wanted)}"
        )
    if 0 in wanted:
        return input
    return places.put_at(
        input, values, *map(long, indices), axes=axes, combine="add" if accumulate else "assign"
    )


_write_in_place = methods.pop("index_put_")


def _expanded(input: Any, indices: Any) -> tuple[list[Any], Ints]:
    """Index tensors and their dimensions, masks replaced by the places where they hold."""
    from .masking import nonzero

    found: list[Any] = []
    axes: list[int] = []
    shape = input._spec.shape
    axis = 0
    for index in indices:
        if index is None:
            axis += 1
            continue
        here = index._spec
        if here.dtype is bool_ or here.dtype is uint8:
            if here.dtype is uint8:
                import warnings

                warnings.warn(
                    "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                    stacklevel=4,
                )
            if axis + here.ndim > len(shape):
                raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
            for k, size in enumerate(here.shape):
                if size != shape[axis + k]:
                    raise IndexError(
                        f"The shape of the mask {list(here.shape)} at index {k} does not match the shape of the "
                        "indexed "
                        f"tensor {list(shape)} at index {axis + k}"
                    )
            found.extend(nonzero(index, as_tuple=True))
            axes.extend(range(axis, axis + here.ndim))
            axis += here.ndim
        else:
            if here.dtype is not int64 and here.dtype is not int32:
                raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
            found.append(index)
            axes.append(axis)
            axis += 1
    if axis > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)} (got {axis})")
    return found, tuple(axes)


def _is_mask(index: Any) -> bool:
    return index is not None and (index._spec.dtype is bool_ or index._spec.dtype is uint8)


def read_at(input: Any, indices: Any) -> Any:
    """``input`` at index tensors and masks; None stands for a whole dimension."""
    found, axes = _expanded(input, indices)
    return index_read(input, tuple(found), axes)


def write_at(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Write ``values`` into ``input`` at index tensors and masks; None stands for a whole dimension."""
    if values._spec.numel == 1 and not accumulate:
        given = [index for index in indices if index is not None]
        if len(given) == 1 and _is_mask(given[0]):
            mask = _spread_mask(input, indices, given[0])
            return input.masked_fill_(mask, values.reshape(()))
    found, axes = _expanded(input, indices)
    return _write_in_place(input, tuple(found), axes, values, accumulate)


def _spread_mask(input: Any, indices: Any, mask: Any) -> Any:
    """A mask on some dimensions of ``input`` shaped to broadcast over all of them."""
    axis = next(k for k, index in enumerate(indices) if index is not None)
    here, shape = mask._spec, input._spec.shape
    if axis + here.ndim > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    for k, size in enumerate(here.shape):
        if size != shape[axis + k]:
            raise IndexError(
                f"The shape of the mask {list(here.shape)} at index {k} does not match the shape of the indexed tensor "
                f"{list(shape)} at index {axis + k}"
            )
    if here.dtype is uint8:
        mask = mask.to(bool_)
    return mask.reshape((*here.shape, *[1] * (len(shape) - axis - here.ndim)))


def _index_sequence(indices: Any, name: str) -> list[Any]:
    if isinstance(indices, Handle) or not isinstance(indices, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not {type(indices).__name__}"
        )
    for k, each in enumerate(indices):
        if not isinstance(each, Handle):
            raise TypeError(f"expected Tensor as element {k} in argument 0, but got {type(each).__name__}")
    return list(indices)


def index_put_(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """``input[indices] = values``, or added to what is there."""
    return write_at(input, _index_sequence(indices, "index_put_"), values, accumulate)


methods["index_put_"] = index_put_


@composite()
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``values`` written to, or added at, the places ``indices`` name.

    Args:
        indices: a tuple of integer or boolean tensors, which broadcast together.
        values: broadcasts to the shape of ``input[indices]``.

    >>> import flambeau as torch
    >>> torch.zeros(3).index_put((torch.tensor([0, 2]),), torch.tensor(1.0))
    tensor([1., 0., 1.])
    """
    given = _index_sequence(indices, "index_put")
    if len(given) == 1 and values._spec.numel == 1 and not accumulate and _is_mask(given[0]):
        return input.masked_fill(_spread_mask(input, given, given[0]), values.reshape(()))
    found, axes = _expanded(input, given)
    return index_write(input, tuple(found), axes, values, accumulate)


# -- what stands between the brackets ----------------------------------------------------------------------------------


def _wrong_index(index: Any) -> IndexError:
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
        f"{type(index).__name__})"
    )


def _select(input: Any, axis: int, index: int) -> Any:
    shape = input._spec.shape
    size = shape[axis]
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of bounds for dimension {axis} with size {size}")
    return selected(input, axis, index + size if index < 0 else index)


def _slice(input: Any, axis: int, bounds: slice) -> Any:
    try:
        return slice_dimension(input, axis, bounds.start, bounds.stop, bounds.step)
    except TypeError:
        raise TypeError("slice indices must be integers or None or have an __index__ method") from None


def _tensor_of(index: Any) -> Any:
    """An index given as a list or an array, as a tensor."""
    import numpy as np

    if isinstance(index, np.ndarray):
        return functions["from_numpy"](index)
    if isinstance(index, str):
        raise TypeError("new(): invalid data type 'str'")
    made = functions["tensor"](list(index))
    return made.to(int64) if not made._spec.numel or made._spec.dtype.category >= FLOATING else made


def _is_sequence(index: Any) -> bool:
    return hasattr(index, "__len__") and hasattr(index, "__getitem__") and not isinstance(index, dict)


def _as_tuple(index: Any) -> tuple[Any, ...]:
    """Lists that hold tensors, slices or other sequences count as tuples; PyTorch's rule from before NumPy 1.23."""
    if isinstance(index, tuple):
        return index
    if not isinstance(index, list) or len(index) >= 32:
        return (index,)
    if any(isinstance(each, (Handle, slice)) or each is None or each is ... or _is_sequence(each) for each in index):
        import warnings

        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch "
            "2.9; use "
            "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, "
            "x[torch.tensor(seq)], which will result either in an error or a different result",
            stacklevel=3,
        )
        return tuple(index)
    return (index,)


def _dimensions_taken(index: Any) -> int:
    if index is None or index is ... or index is True or index is False:
        return 0
    if isinstance(index, Handle) and (index._spec.dtype is bool_ or index._spec.dtype is uint8):
        return index._spec.ndim
    return 1


def _apply_views(input: Any, index: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """The chain of views that an index begins with, and the index tensors left for each dimension (None: whole)."""
    rank = input._spec.ndim
    taken = sum(map(_dimensions_taken, index))
    if taken > rank:
        raise IndexError(f"too many indices for tensor of dimension {rank}")
    result, axis = input, 0
    tensors: dict[int, Any] = {}
    for each in index:
        if type(each) is int:
            result = _select(result, axis, each)
        elif type(each) is slice:
            if each.start is not None or each.stop is not None or each.step is not None:
                result = _slice(result, axis, each)
            axis += 1
        elif each is ...:
            axis += rank - taken
        elif each is None:
            result = unsqueezed(result, axis)
            axis += 1
        elif each is True or each is False:
            result = unsqueezed(result, axis)
            tensors[axis] = functions["tensor"]([each])
            axis += 1
        elif isinstance(each, Handle):
            kind, dimensions = each._spec.dtype, each._spec.ndim
            if not dimensions and kind.category == INTEGER and kind is not uint8:
                result = _select(result, axis, each.item())
            elif not dimensions and (kind is bool_ or kind is uint8):
                result = unsqueezed(result, axis)
                tensors[axis] = each.reshape((1,))
                axis += 1
            else:
                tensors[axis] = each
                axis += dimensions if kind is bool_ or kind is uint8 else 1
        elif hasattr(each, "__index__") and not _is_sequence(each):
            result = _select(result, axis, each.__index__())
        elif _is_sequence(each):
            made = _tensor_of(each)
            if not made._spec.ndim and made._spec.dtype is not bool_:
                result = _select(result, axis, made.item())
                continue
            tensors[axis] = made
            axis += made._spec.ndim if made._spec.dtype is bool_ else 1
        else:
            raise _wrong_index(each)
    indices: list[Any] = []
    for place, each in sorted(tensors.items()):
        covered = sum(index._spec.ndim if _is_mask(index) else 1 for index in indices if index is not None)
        covered += sum(index is None for index in indices)
        indices.extend([None] * (place - covered))
        indices.append(each)
    return result, indices


def __getitem__(self: Any, index: Any) -> Any:
    """The part of the tensor that ``index`` names: a view for ints, slices, None and ``...``, else a copy.

    Raises:
        IndexError: too many indices, out of range, or something that is no index.

    >>> import flambeau as torch
    >>> x = torch.arange(6).reshape(2, 3); x[:, 1], x[x > 3]
    (tensor([1, 4]), tensor([4, 5]))
    """
    kind = type(index)
    if kind is int:
        shape = self._spec.shape
        if not shape:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a "
                "0-dim tensor to a number"
            )
        size = shape[0]
        if -size <= index < size:
            return selected(self, 0, index + size if index < 0 else index)
        raise IndexError(f"index {index} is out of bounds for dimension 0 with size {size}")
    if kind is slice:
        if not self._spec.shape:
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        return _slice(self, 0, index)
    if index is None:
        return unsqueezed(self, 0)
    if index is ...:
        return alias_of(self)
    if isinstance(index, Handle) and index._spec.dtype is int64 and index._spec.ndim and self._spec.ndim:
        return index_read(self, (index,), (0,))
    result, indices = _apply_views(self, index if kind is tuple else _as_tuple(index))
    if indices:
        return read_at(result, indices)
    return alias_of(self) if result is self else result


def _assigned(self: Any, value: Any) -> Any:
    """The value of an assignment: a tensor, or a Python number."""
    if isinstance(value, Handle):
        return value
    kind = self._spec.dtype
    if isinstance(value, (bool, int, float, complex)) or (hasattr(value, "item") and getattr(value, "ndim", 1) == 0):
        number = value if isinstance(value, (bool, int, float, complex)) else value.item()
        if isinstance(number, complex) and kind.category != COMPLEX:
            names = {"float32": "float", "float64": "double", "int64": "int64_t", "int32": "int"}
            name = names.get(kind.name, kind.name)
            raise RuntimeError(f"value cannot be converted to type {name} without overflow")
        return number
    raise TypeError(f"can't assign a {type(value).__name__} to a {type_name(kind)}")


def _without_leading_ones(value: Any, rank: int) -> Any:
    shape = value._spec.shape
    extra = 0
    while extra < len(shape) and shape[extra] == 1:
        extra += 1
    return value.reshape(tuple(shape[extra:])) if extra else value


def _write_view(target: Any, value: Any) -> None:
    if isinstance(value, Handle):
        if value._spec.ndim > target._spec.ndim:
            value = _without_leading_ones(value, target._spec.ndim)
        target.copy_(value)
    else:
        check_no_overlap("copy_", target)
        target.fill_(value)


def __setitem__(self: Any, index: Any, value: Any) -> None:
    """Write a tensor or a number into the part of the tensor that ``index`` names, broadcast.

    >>> import flambeau as torch
    >>> x = torch.zeros(3); x[1:] = 2; x[x == 0] = 1; x
    tensor([1., 2., 2.])
    """
    value = _assigned(self, value)
    kind = type(index)
    if index is False:
        return
    if kind is int or kind is slice:
        if kind is slice and not self._spec.shape:
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        _write_view(__getitem__(self, index), value)
        return
    if index is ...:
        _write_view(self, value)
        return
    if index is None or index is True:
        _write_view(unsqueezed(self, 0), value)
        return
    target, indices = _apply_views(self, index if kind is tuple else _as_tuple(index))
    if not indices:
        _write_view(target, value)
        return
    if not isinstance(value, Handle):
        from .creation import filled

        value = filled((), value, self._spec.dtype)
    elif value._spec.ndim:
        value = _without_leading_ones(value, target._spec.ndim)
    write_at(target, indices, value)


methods["__getitem__"], methods["__setitem__"] = __getitem__, __setitem__


# -- derivatives of views whose windows overlap ------------------------------------------------------------------------


@operator(
    {"grad": lambda grad, strides, offset, grad_spec: grad.as_strided(grad_spec.shape, strides, offset)},
    method=False, function=False,
)  # fmt: skip
def accumulate_strided(grad: Tensor, strides: Ints, offset: int, count: int) -> Value:
    """A vector of zeros with each element of ``grad`` added at the place that strides and offset give it."""
    return places.accumulate_strided(grad, strides=strides, offset=offset, count=count)


def index_add_windows(grad: Any, shape: Ints, axis: int, size: int, step: int) -> Any:
    """The gradient of ``unfold``: windows added up where they overlap."""
    from ..core.specs import spec
    from .views import unfolded

    layout = spec(shape, grad._spec.dtype)
    _, strides, _ = unfolded.rule(layout, axis, size, step)
    return accumulate_strided(grad, strides, 0, layout.numel).reshape(shape)


def as_strided_gradient(grad: Any, here: Spec, first: int, shape: Ints, strides: Ints, offset: int) -> Any:
    """The gradient of ``as_strided``: places shown several times add up, places of the input that overlap share it.

    The input had layout ``here`` and began ``first`` elements into its storage.
    """
    begin = min(first, offset)
    end = max(first + _strides.extent(here.shape, here.strides), offset + _strides.extent(shape, strides))
    whole = accumulate_strided(grad, tuple(strides), offset - begin, end - begin)
    if _strides.may_overlap(here.shape, here.strides):
        ones = grad.new_ones(here.shape)
        count = accumulate_strided(ones, tuple(here.strides), first - begin, end - begin)
        whole = whole / count.clamp(min=1)
    return whole.as_strided(tuple(here.shape), tuple(here.strides), first - begin)
