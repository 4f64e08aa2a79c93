"""Making tensors: from data, from a number, ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.grad_mode import mode
from ..core import strides as _strides
from ..core.devices import find
from ..core.dtypes import (
    FLOATING,
    INTEGER,
    as_dtype,
    check_fits,
    dtype,
    dtype_of_category,
    dtype_of_number,
    from_numpy as dtype_from_numpy,
    get_default_dtype,
    limits,
    number_category,
    promote_types,
)
from ..core.memory_formats import memory_format
from ..core.names import scalar_name
from ..core.specs import Spec, spec
from ..core.storages import at_rest, empty_array, share
from ..primitives import memory
from ..primitives.elementwise import cast, number_array
from ..primitives.values import Value
from ..tracing.handles import Handle, wrap
from ..tracing.recorder import record
from .conversion import convert, format_strides
from .declaration import functions, methods, operator
from .kinds import Number
from .parameters import as_number
from .views import sizes

Ints = tuple[int, ...]


def finish(made: Any, requires_grad: bool) -> Any:
    """A new leaf, requiring grad when asked."""
    if mode.inference:
        made._inference = True
    if requires_grad:
        made.requires_grad_()
    return made


def from_array(array: Any, kind: dtype | None = None, requires_grad: bool = False) -> Any:
    """A tensor that owns a fresh NumPy array."""
    kind = kind or dtype_from_numpy(array.dtype)
    layout = spec(array.shape, kind)
    if array.dtype != kind.numpy or not array.flags.c_contiguous or not array.flags.writeable:
        array = np.array(array, kind.numpy, order="C")
    return finish(wrap(at_rest(array, layout), layout), requires_grad)


def tensor(
    data: Any, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Any:
    """A tensor with a copy of ``data``: a number, nested sequences of numbers, a NumPy array or a tensor.

    Args:
        dtype: the element type; by default that of the data (Python floats: the default dtype).
        device: where; the CPU.
        requires_grad: whether gradients with respect to it are wanted.

    Raises:
        ValueError: the sequences are ragged.
        TypeError: the data hold something that is no number.

    >>> import flambeau as torch
    >>> torch.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    find(device)
    if dtype is not None:
        dtype = as_dtype(dtype, "tensor")
    if isinstance(data, Handle):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            stacklevel=2,
        )
        made = data.detach().clone()
        if dtype is not None:
            made = convert(made, dtype)
        return finish(made.detach(), requires_grad)
    if isinstance(data, np.ndarray):
        return _copy_of_array(data, dtype, requires_grad)
    return from_array(*array_of_data(data, dtype), requires_grad)


def _copy_of_array(array: Any, kind: dtype | None, requires_grad: bool) -> Any:
    """A tensor on a copy of a NumPy array, laid out like it."""
    here = _layout_of(array)
    kind = kind or here.dtype
    layout = spec(array.shape, kind, _strides.like(here.shape, here.strides))
    made = _cast_array(array, kind)
    if layout.is_contiguous:
        return from_array(made, kind, requires_grad)
    memory = empty_array(layout)
    memory[...] = made
    return finish(wrap(at_rest(memory, layout), layout), requires_grad)


def _cast_array(array: Any, kind: dtype) -> Any:
    with np.errstate(all="ignore"):
        return cast.reference(np.asarray(array), dtype=kind)


def array_of_data(data: Any, kind: dtype | None) -> tuple[Any, dtype]:
    """Nested Python data as an array, and its dtype."""
    if type(kind) is type:
        kind = as_dtype(kind, "tensor")
    if type(data) in (float, int, bool, complex):
        kind = kind or dtype_of_number(data)
        return _number(data, kind), kind
    if isinstance(data, np.generic):
        kind = kind or dtype_from_numpy(data.dtype)
        return _cast_array(np.asarray(data), kind), kind
    if isinstance(data, (dict, set, frozenset)):
        raise _no_dtype(data)
    if hasattr(data, "__array__") and not isinstance(data, (list, tuple)):
        array = np.asarray(data)
        kind = kind or dtype_from_numpy(array.dtype)
        return _cast_array(array, kind), kind
    if type(data) is list and len(data) > 8:
        plain = set(map(type, data))
        if len(plain) == 1 and (number := plain.pop()) in (int, float):
            # A long flat list of one kind, which data sets bring by the thousand: NumPy reads it in one go.
            natural = dtype_of_number(data[0])
            if kind is None or kind is natural or (number is float and kind.category == natural.category):
                kind = kind or natural
                return _array_of_numbers(data, kind), kind
    shape = _shape_of(data)
    leaves: list[Any] = []
    _flatten(data, shape, 0, leaves)
    if kind is None:
        kind = _dtype_of_leaves(leaves)
    values = [each.item() if isinstance(each, Handle) else each for each in leaves]
    return _array_of_numbers(values, kind).reshape(shape), kind


def _number(number: Any, kind: dtype) -> Any:
    if type(number) is complex and kind.category in (INTEGER, FLOATING):
        _refuse_complex(kind)
    if kind.category == INTEGER:
        _check_range(number, kind)
    return number_array(number, kind)


def _refuse_complex(kind: dtype) -> None:
    if kind.category == FLOATING:
        raise TypeError("must be real number, not complex")
    raise TypeError("'complex' object cannot be interpreted as an integer")


def _check_range(number: Any, kind: dtype) -> None:
    """Raise PyTorch's error for a number of the data that an integer dtype does not hold."""
    if type(number) is int and not -(1 << 63) <= number < 1 << 63:
        raise ValueError("Overflow when unpacking long long")
    least, greatest = limits(kind)
    least = least or -greatest  # unsigned dtypes take negative numbers and wrap around
    if not (least <= number <= greatest) or (not limits(kind).least and number < 0 and type(number) is float):
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")


def _array_of_numbers(values: list[Any], kind: dtype) -> Any:
    if not values:
        return np.empty(0, kind.numpy)
    try:
        with np.errstate(all="ignore"):
            kinds = set(map(type, values))
            if kind.category in (INTEGER, FLOATING) and complex in kinds:
                _refuse_complex(kind)
            if kind.category == INTEGER:
                if values:
                    _check_range(min(values), kind)
                    _check_range(max(values), kind)
                if float in kinds:
                    values = [int(each) for each in values]
                if kind.numpy.kind == "u":
                    values = [each & (1 << 8 * kind.itemsize) - 1 for each in values]
                return np.array(values, kind.numpy)
            array = np.array(values)
            if array.dtype == object:
                array = np.array([float(each) for each in values])
            return _cast_array(array, kind)
    except OverflowError:
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow") from None


def _no_dtype(data: Any) -> RuntimeError:
    return RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def _shape_of(data: Any) -> Ints:
    shape: list[int] = []
    while not isinstance(data, (int, float, bool, complex, np.generic)):
        if isinstance(data, Handle):  # it stands for a number
            break
        if isinstance(data, np.ndarray):
            shape.extend(data.shape)
            break
        if isinstance(data, (str, bytes)):
            if not shape or isinstance(data, bytes):
                raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
            raise ValueError("too many dimensions 'str'")
        if isinstance(data, (dict, set, frozenset)):
            raise _no_dtype(data)
        try:
            length = len(data)
        except TypeError:
            raise _no_dtype(data) from None
        shape.append(length)
        if not length:
            break
        data = data[0]
    return tuple(shape)


def _flatten(data: Any, shape: Ints, depth: int, leaves: list[Any]) -> None:
    if depth == len(shape):
        if isinstance(data, Handle) and data._spec.numel == 1:
            leaves.append(data)
        elif isinstance(data, (int, float, bool, complex)):
            leaves.append(data)
        elif isinstance(data, np.generic) or (isinstance(data, np.ndarray) and data.size == 1):
            leaves.append(np.reshape(data, ())[()])  # a NumPy scalar, which knows its dtype
        elif isinstance(data, (list, tuple)):
            whole = leaves and all(isinstance(each, int) for each in leaves)
            raise TypeError(
                "'list' object cannot be interpreted as an integer" if whole else f"must be real number, not {type(data).__name__}"
            )
        elif isinstance(data, str):
            raise TypeError("new(): invalid data type 'str'")
        elif isinstance(data, Handle):
            raise _not_one_element(data)
        else:
            raise _no_dtype(data)
        return
    if isinstance(data, (Handle, np.ndarray)):
        rest = tuple(data._spec.shape) if isinstance(data, Handle) else data.shape
        if rest != shape[depth:]:
            raise ValueError(
                f"expected sequence of length {shape[depth]} at dim {depth} (got {rest[0] if rest else 0})"
            )
        flat = data.detach().reshape(-1).tolist() if isinstance(data, Handle) else data.reshape(-1)
        if isinstance(data, np.ndarray):
            leaves.extend(np_value for np_value in flat)
        else:
            leaves.extend(flat)
        return
    if not isinstance(data, (int, float, bool, complex, np.generic)):
        length = len(data)
        if length != shape[depth]:
            raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {length})")
        for each in data:
            _flatten(each, shape, depth + 1, leaves)
        return
    raise TypeError(f"not a sequence: expected one of length {shape[depth]} at dim {depth}, got {type(data).__name__}")


def _not_one_element(data: Handle) -> Exception:
    if data._spec.dtype.category <= INTEGER:
        return TypeError("only integer tensors of a single element can be converted to an index")
    return ValueError("only one element tensors can be converted to Python scalars")


def _dtype_of_leaves(leaves: Sequence[Any]) -> dtype:
    category, found = -1, None
    for each in leaves:
        if type(each) in number_category:
            category = max(category, number_category[type(each)])
        else:
            kind = each._spec.dtype if isinstance(each, Handle) else dtype_from_numpy(np.asarray(each).dtype)
            found = kind if found is None else promote_types(found, kind)
    if found is None:
        return get_default_dtype() if category < 0 else dtype_of_category(category)
    return found if category < 0 else promote_types(found, dtype_of_category(category))


def as_tensor(data: Any, dtype: dtype | None = None, device: Any = None) -> Any:
    """``data`` as a tensor, sharing memory with a tensor or NumPy array where the dtype allows.

    >>> import flambeau as torch
    >>> torch.as_tensor([1, 2])
    tensor([1, 2])
    """
    find(device)
    if isinstance(data, Handle):
        return data if dtype is None else convert(data, dtype)
    if isinstance(data, np.ndarray):
        made = numpy_tensor(data)
        return made if dtype is None else convert(made, dtype)
    return from_array(*array_of_data(data, dtype))


def numpy_tensor(array: Any) -> Any:
    """A tensor that shares memory with a NumPy array, both ways.

    Raises:
        TypeError: not an array, or of a dtype PyTorch does not have.
        ValueError: it has negative strides or another byte order.

    >>> import flambeau as torch, numpy
    >>> a = numpy.zeros(2); t = torch.from_numpy(a); a[0] = 1; t
    tensor([1., 0.], dtype=torch.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    layout = _layout_of(array)
    if not array.flags.writeable:
        import warnings

        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means "
            "writing to "
            "this tensor will result in undefined behavior. You may want to copy the array to protect its data or "
            "make it "
            "writable before converting it to a tensor.",
            stacklevel=2,
        )
        array = _thawed(array)
    _, cell = share(array, layout)
    return finish(wrap(cell, layout), False)


def _thawed(array: Any) -> Any:
    """A writable copy of the memory that a read-only array shows, seen the same way."""
    if not array.size:
        return array.copy()
    count = _strides.extent(array.shape, tuple(step // array.itemsize for step in array.strides))
    memory = np.lib.stride_tricks.as_strided(array, (count,), (array.itemsize,)).copy()
    return np.lib.stride_tricks.as_strided(memory, array.shape, array.strides)


def _layout_of(array: Any) -> Spec:
    """Dtype, shape and strides of a NumPy array.

    Raises:
        TypeError: PyTorch has no such dtype.
        ValueError: the strides are negative or do not count whole elements.
    """
    kind = dtype_from_numpy(array.dtype)
    if any(step < 0 for step in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently "
            "supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if any(step % array.itemsize for step in array.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate "
            "the memory."
        )
    return spec(array.shape, kind, tuple(step // array.itemsize for step in array.strides))


def _new(shape: Ints, kind: dtype, requires_grad: bool) -> Any:
    if any(size < 0 for size in shape):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {next(s for s in shape if s < 0)}: {list(shape)}"
        )
    layout = spec(shape, kind)
    return finish(wrap(at_rest(empty_array(layout), layout), layout), requires_grad)


def empty(
    *size: Any, out: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: memory_format | None = None, **named: Any,
) -> Any:  # fmt: skip
    """Memory with whatever was in it.

    >>> import flambeau as torch
    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    find(device)
    shape = sizes(size, "empty", "size", named)
    if memory_format is not None:
        steps = format_strides(shape, None, memory_format)
        return empty_layout(spec(shape, dtype or get_default_dtype(), steps), requires_grad)
    made = _new(shape, dtype or get_default_dtype(), requires_grad)
    if out is not None:
        return out_of(out, shape, dtype)
    return made


def empty_layout(layout: Spec, requires_grad: bool = False) -> Any:
    """Uninitialised memory of a dense layout."""
    return finish(wrap(at_rest(empty_array(layout), layout), layout), requires_grad)


def out_of(out: Any, shape: Ints, kind: dtype | None) -> Any:
    """The tensor given as ``out=``, resized."""
    if kind is not None and kind is not out._spec.dtype:
        raise RuntimeError(
            f"dtype {scalar_name(kind)} does not match dtype of out parameter ({scalar_name(out._spec.dtype)})"
        )
    return out.resize_(shape)


@operator(method=False, function=False, name="full")
def _filled(fill_value: Number, shape: Ints, dtype: dtype) -> Value:
    return memory.full(fill_value, shape=shape, dtype=dtype)


def filled(shape: Ints, value: Any, kind: dtype, requires_grad: bool = False) -> Any:
    """A tensor of one number, recorded: the number is an input of the program."""
    kind = as_dtype(kind, "full") if type(kind) is type else kind
    if value != 0 and value != 1:
        check_fits(value, kind)
    key = (shape, type(value), kind)
    rule = _fill_rules.get(key)
    if rule is None:
        if any(size < 0 for size in shape):
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {next(s for s in shape if s < 0)}: {list(shape)}"
            )
        if len(_fill_rules) > 4096:
            _fill_rules.clear()
        rule = _fill_rules[key] = _filled.operator.rule_for([value, shape, kind])[0]
    cell = record(rule, (value,))[0]
    return finish(wrap(cell, cell.spec), requires_grad)


_fill_rules: dict[Any, Any] = {}


def zeros(
    *size: Any, out: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, **named: Any,
) -> Any:  # fmt: skip
    """Filled with zero.

    >>> import flambeau as torch
    >>> torch.zeros(2)
    tensor([0., 0.])
    """
    find(device)
    shape = sizes(size, "zeros", "size", named)
    if out is not None:
        return out_of(out, shape, dtype).zero_()
    return filled(shape, 0, dtype or get_default_dtype(), requires_grad)


def ones(
    *size: Any, out: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, **named: Any,
) -> Any:  # fmt: skip
    """Filled with one.

    >>> import flambeau as torch
    >>> torch.ones(2, dtype=torch.int64)
    tensor([1, 1])
    """
    find(device)
    shape = sizes(size, "ones", "size", named)
    if out is not None:
        return out_of(out, shape, dtype).fill_(1)
    return filled(shape, 1, dtype or get_default_dtype(), requires_grad)


def full(
    size: Any, fill_value: Any, *, out: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Filled with ``fill_value``.

    >>> import flambeau as torch
    >>> torch.full((2,), 3.5)
    tensor([3.5000, 3.5000])
    """
    find(device)
    shape, number = _sequence_of_sizes(size, "full"), number_to_fill(fill_value, "full")
    if out is not None:
        return out_of(out, shape, dtype).fill_(number)
    return filled(shape, number, dtype or dtype_of_number(number), requires_grad)


def _sequence_of_sizes(size: Any, function: str) -> Ints:
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"{function}(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}"
        )
    return sizes((size,), function)


def number_to_fill(value: Any, function: str) -> Any:
    """``value`` (a number or a 0-dimensional tensor) as a Python number; TypeError when it is neither."""
    if isinstance(value, Handle) and not value._spec.ndim:
        value = value.item()
    number = as_number(value)
    if number is None:
        raise TypeError(
            f"{function}(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}"
        )
    return number


functions.update(
    tensor=tensor, as_tensor=as_tensor, from_numpy=numpy_tensor, empty=empty, zeros=zeros, ones=ones, full=full
)


def new_zeros(input: Any, *size: Any, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False,
              layout: Any = None, pin_memory: bool = False, **named: Any) -> Any:  # fmt: skip
    """Zeros with the dtype of ``input``."""
    return filled(sizes(size, "new_zeros", "size", named), 0, dtype or input._spec.dtype, requires_grad)


def new_ones(input: Any, *size: Any, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False,
             layout: Any = None, pin_memory: bool = False, **named: Any) -> Any:  # fmt: skip
    """Ones with the dtype of ``input``."""
    return filled(sizes(size, "new_ones", "size", named), 1, dtype or input._spec.dtype, requires_grad)


def new_full(input: Any, size: Any, fill_value: Any, *, dtype: dtype | None = None, device: Any = None,
             requires_grad: bool = False, layout: Any = None, pin_memory: bool = False) -> Any:  # fmt: skip
    """Filled with ``fill_value``, with the dtype of ``input``."""
    shape, number = _sequence_of_sizes(size, "new_full"), number_to_fill(fill_value, "new_full")
    return filled(shape, number, dtype or input._spec.dtype, requires_grad)


def new_empty(input: Any, *size: Any, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False,
              layout: Any = None, pin_memory: bool = False, **named: Any) -> Any:  # fmt: skip
    """Uninitialised memory with the dtype of ``input``."""
    return _new(sizes(size, "new_empty", "size", named), dtype or input._spec.dtype, requires_grad)


def new_tensor(input: Any, data: Any, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False,
               layout: Any = None, pin_memory: bool = False) -> Any:  # fmt: skip
    """A tensor of ``data`` with the dtype of ``input``."""
    return tensor(data, dtype=dtype or input._spec.dtype, requires_grad=requires_grad)


methods.update(new_zeros=new_zeros, new_ones=new_ones, new_full=new_full, new_empty=new_empty, new_tensor=new_tensor)
