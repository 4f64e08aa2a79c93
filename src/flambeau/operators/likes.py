"""Tensors in the shape of another (``zeros_like`` …) or with strides as asked (``empty_strided`` …)."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.devices import find
from ..core.dtypes import dtype, dtype_of_number, get_default_dtype
from ..core.memory_formats import memory_format, preserve_format
from ..core.specs import Spec, spec
from ..core.storages import View, at_rest, empty_array
from ..primitives import memory
from ..primitives.values import Value
from ..tracing.handles import Handle, wrap
from .conversion import format_strides
from .creation import empty_layout, filled, finish
from .declaration import functions, methods, operator
from .kinds import Number
from .views import sizes

Ints = tuple[int, ...]


def _as_asked(result: Value, operands: Any, arguments: Any) -> Any:
    return arguments[3]


@operator(method=False, function=False, name="full", layout=_as_asked)
def _filled_with_strides(fill_value: Number, shape: Ints, dtype: dtype, strides: Ints) -> Value:
    return memory.full(fill_value, shape=shape, dtype=dtype)


def _layout_like(input: Any, kind: dtype | None, format: memory_format | None) -> Spec:
    here = input._spec
    wanted = preserve_format if format is None else format
    return spec(here.shape, kind or here.dtype, format_strides(here.shape, here.strides, wanted), here.device)


def _filled_like(input: Any, value: Any, kind: Any, format: Any, requires_grad: bool) -> Any:
    layout = _layout_like(input, kind, format)
    if layout.is_contiguous:
        return filled(tuple(layout.shape), value, layout.dtype, requires_grad)
    return finish(_filled_with_strides(value, tuple(layout.shape), layout.dtype, layout.strides), requires_grad)


def _tensor(name: str, input: Any) -> None:
    if not isinstance(input, Handle):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")


def zeros_like(
    input: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: memory_format | None = None, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Zeros with the shape, dtype and layout of ``input``.

    >>> import flambeau as torch
    >>> torch.zeros_like(torch.tensor([1, 2]))
    tensor([0, 0])
    """
    _tensor("zeros_like", input)
    find(device)
    return _filled_like(input, 0, dtype, memory_format, requires_grad)


def ones_like(
    input: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: memory_format | None = None, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Ones with the shape, dtype and layout of ``input``."""
    _tensor("ones_like", input)
    find(device)
    return _filled_like(input, 1, dtype, memory_format, requires_grad)


def full_like(
    input: Any, fill_value: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: memory_format | None = None, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """``fill_value`` everywhere, with the shape, dtype and layout of ``input``."""
    _tensor("full_like", input)
    find(device)
    value = fill_value.item() if isinstance(fill_value, Handle) else fill_value
    return _filled_like(input, value, dtype, memory_format, requires_grad)


def empty_like(
    input: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: memory_format | None = None, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Memory with whatever was in it, with the shape, dtype and layout of ``input``."""
    _tensor("empty_like", input)
    find(device)
    return empty_layout(_layout_like(input, dtype, memory_format), requires_grad)


def empty_strided(
    size: Any, stride: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Memory with whatever was in it, of any strides (in elements).

    >>> import flambeau as torch
    >>> torch.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    find(device)
    shape, steps = sizes((size,)), sizes((stride,), "stride")
    if len(shape) != len(steps):
        raise RuntimeError(f"mismatch in length of strides and shape: {len(shape)} sizes and {len(steps)} strides")
    if any(each < 0 for each in (*shape, *steps)):
        raise RuntimeError(
            f"empty_strided(): sizes and strides must not be negative, got {list(shape)} and {list(steps)}"
        )
    wanted = spec(shape, dtype or get_default_dtype(), steps)
    if wanted.is_dense:
        return empty_layout(wanted, requires_grad)
    flat = spec((_strides.extent(shape, steps),), wanted.dtype)
    return finish(wrap(View(at_rest(empty_array(flat), flat), wanted, 0), wanted), requires_grad)


def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Memory with whatever was in it, dimensions lying in memory in the given order, the slowest first."""
    shape, order = sizes((size,)), sizes((physical_layout,), "physical_layout")
    if len(order) != len(shape):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(shape)} is not equal to len(physical_layout) = {len(order)}"
        )
    if sorted(order) != list(range(len(shape))):
        raise RuntimeError(
            f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, each once, but got {list(order)})"
        )
    find(device)
    steps = _strides.from_order(shape, order[::-1])
    return empty_layout(spec(shape, dtype or get_default_dtype(), steps), requires_grad)


def new_empty_strided(
    input: Any, size: Any, stride: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """:func:`empty_strided` with the dtype of ``input``."""
    return empty_strided(size, stride, dtype=dtype or input._spec.dtype, requires_grad=requires_grad)


def scalar_tensor(
    s: Any, *, dtype: dtype | None = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:  # fmt: skip
    """A 0-dimensional tensor of the default dtype."""
    find(device)
    category = dtype_of_number(s).category
    return filled((), s, dtype or (dtype_of_number(s) if category == 3 else get_default_dtype()), requires_grad)


functions.update(
    zeros_like=zeros_like, ones_like=ones_like, full_like=full_like, empty_like=empty_like, empty_strided=empty_strided,
    empty_permuted=empty_permuted, scalar_tensor=scalar_tensor,
)  # fmt: skip
methods["new_empty_strided"] = new_empty_strided
