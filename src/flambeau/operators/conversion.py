"""Copies: ``clone``, ``contiguous``, ``copy_``, and ``to`` in all its forms."""

from __future__ import annotations

from typing import Any

from ..autograd.in_place import check_leaf
from ..core import dtypes, strides as _strides
from ..core.devices import device, find
from ..core.dtypes import dtype
from ..core.memory_formats import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    memory_format,
    preserve_format,
)
from ..core.specs import Spec
from ..primitives import elementwise as p, memory
from ..primitives.values import Value
from .declaration import composite, operator
from .kinds import Number, Tensor
from .promotion import as_array, to as cast_to
from .registry import publish
from .writing import check_apart, check_no_overlap, store


def format_strides(shape: Any, strides: Any, wanted: memory_format | None) -> Any:
    """The strides that a memory format asks for; those of the input, kept, for ``preserve_format``.

    Raises:
        RuntimeError: the format is for another number of dimensions.
    """
    if wanted is None or wanted is preserve_format:
        if strides is None:
            raise RuntimeError("unsupported memory format Preserve: there is no tensor whose format could be kept")
        return _strides.like(shape, strides)
    if wanted is contiguous_format:
        return _strides.contiguous(shape)
    rank = 4 if wanted is channels_last else 5
    if len(shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {wanted.name} format")
    return _strides.channels_last(shape)


def _copy_layout(result: Value, operands: Any) -> Any:
    return _strides.like(operands[0].shape, operands[0].strides)


@operator({"input": lambda grad: grad}, layout=_copy_layout, name="clone", function=False, method=False)
def _clone(input: Tensor) -> Value:
    return input


def _formatted(kind: memory_format, node: str) -> Any:
    def layout(result: Value, operands: Any) -> Any:
        return format_strides(operands[0].shape, operands[0].strides, kind)

    @operator({"input": lambda grad: grad}, layout=layout, name="clone", node=node, function=False, method=False)
    def clone_as(input: Tensor) -> Value:
        return input

    return clone_as


_clones: dict[Any, Any] = {}


def _copy_as(input: Any, format: memory_format, node: str) -> Any:
    found = _clones.get((format, node))
    if found is None:
        found = _clones[format, node] = _formatted(format, node)
    return found(input)


@composite()
def clone(input: Any, *, memory_format: memory_format | None = None) -> Any:
    """A copy that gradients flow through.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0]); y = x.clone(); y[0] = 5; x
    tensor([1., 2.])
    """
    if memory_format is None or memory_format is preserve_format:
        return _clone(input)
    return _copy_as(input, memory_format, "CloneBackward0")


def is_contiguous(input: Any, memory_format: memory_format = contiguous_format) -> bool:
    """Whether elements lie in memory in row-major order (or in that of another memory format)."""
    here = input._spec
    if memory_format is contiguous_format:
        return here.is_contiguous
    if memory_format in (channels_last, channels_last_3d):
        rank = 4 if memory_format is channels_last else 5
        return here.ndim == rank and _strides.is_channels_last(here.shape, here.strides)
    raise RuntimeError("preserve memory format is unsupported by the contiguous operator")


@composite(function=False)
def contiguous(input: Any, memory_format: memory_format = contiguous_format) -> Any:
    """``input`` itself when it is contiguous, else a contiguous copy.

    >>> import flambeau as torch
    >>> torch.zeros(2, 3).t().contiguous().stride()
    (2, 1)
    """
    if memory_format is preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    return input if is_contiguous(input, memory_format) else clone(input, memory_format=memory_format)


def _to_back(grad: Any, input_spec: Spec) -> Any:
    return grad  # the engine casts a gradient to its input's dtype


@operator({"input": _to_back}, layout=_copy_layout, node="ToCopyBackward0", name="to", function=False, method=False)
def _convert(input: Tensor, dtype: dtype) -> Value:
    return p.cast(input, dtype=dtype) if dtype is not input.dtype else input


def convert(input: Any, kind: dtype) -> Any:
    """``input`` in another dtype; itself when it has that already."""
    return input if input._spec.dtype is kind else _convert(input, kind)


@composite(function=False)
def to(input: Any, *args: Any, **kwargs: Any) -> Any:
    """``to(dtype)``, ``to(device, dtype)`` or ``to(other)``: converted, or itself when nothing changes.

    >>> import flambeau as torch
    >>> torch.tensor([1.5, -2.7]).to(torch.int64)
    tensor([ 1, -2])
    """
    kind, place, copy, format = parse_to(args, kwargs)
    if place is not None:
        find(place)
    if kind is not None and kind is not input._spec.dtype:
        if format is not None and format is not preserve_format and not is_contiguous(input, format):
            input = _copy_as(input, format, "ToCopyBackward0")
        return _convert(input, kind)
    if format is None or format is preserve_format:
        return _convert(input, input._spec.dtype) if copy else input
    return _copy_as(input, format, "ToCopyBackward0") if copy or not is_contiguous(input, format) else input


#: Methods that convert to one dtype, by name.
_CASTS = {
    "bool": dtypes.bool_,
    "byte": dtypes.uint8,
    "char": dtypes.int8,
    "short": dtypes.int16,
    "int": dtypes.int32,
    "long": dtypes.int64,
    "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16,
    "float": dtypes.float32,
    "double": dtypes.float64,
    "chalf": dtypes.complex32,
    "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}


def _publish_cast(name: str, kind: dtype) -> None:
    def cast(input: Any, memory_format: memory_format = preserve_format) -> Any:
        return to(input, kind, memory_format=memory_format)

    cast.__name__ = cast.__qualname__ = name
    cast.__doc__ = f"``input`` as {kind.name}; itself when it is that already."
    publish(cast, name, (), False, True)


for _name, _kind in _CASTS.items():
    _publish_cast(_name, _kind)


def parse_to(args: Any, kwargs: Any) -> tuple[dtype | None, Any, bool, memory_format | None]:
    """The (dtype, device, copy, memory_format) meant by the arguments of ``to``."""
    kind, place = kwargs.get("dtype"), kwargs.get("device")
    copy, format = bool(kwargs.get("copy", False)), kwargs.get("memory_format")
    unknown = set(kwargs) - {"dtype", "device", "copy", "memory_format", "non_blocking", "other"}
    if unknown:
        raise TypeError(f"to() got an unexpected keyword argument '{unknown.pop()}'")
    flags = []
    if kind is not None:
        kind = dtypes.as_dtype(kind, "to")
    for each in (*args, *([kwargs["other"]] if "other" in kwargs else [])):
        if isinstance(each, dtype):
            kind = each
        elif isinstance(each, bool):
            flags.append(each)
        elif isinstance(each, (device, str, int)):
            place = each
        elif hasattr(each, "_spec"):
            kind, place = each._spec.dtype, each._spec.device
        elif isinstance(each, memory_format):
            format = each
        elif isinstance(each, type):
            kind = dtypes.as_dtype(each, "to")
        elif each is not None:
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(each).__name__})")
    if len(flags) > 1:
        copy = flags[1]
    return kind, place, copy, format


@composite(function=False, method=True)
def type_as(input: Any, other: Any) -> Any:
    """``input`` in the dtype of ``other``."""
    return convert(input, other._spec.dtype)


@operator({"src": lambda grad: grad}, name="copy", method=False, function=False, node="CopyBackwards")
def _copied(input: Tensor, src: Tensor | Number) -> Value:
    value = as_array(src, input.dtype) if not isinstance(src, Value) or src.is_number else cast_to(src, input.dtype)
    return value if value.shape == input.shape else memory.broadcast(value, shape=input.shape)


def copy_(input: Any, src: Any, non_blocking: bool = False) -> Any:
    """The elements of ``src``, broadcast and cast, written into ``input``.

    >>> import flambeau as torch
    >>> torch.zeros(2).copy_(torch.tensor([1, 2]))
    tensor([1., 2.])
    """
    from ..tracing.handles import Handle

    if not isinstance(src, Handle):
        if isinstance(src, (int, float, bool, complex)):
            return input.fill_(src)
        raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
    check_no_overlap("copy_", input)
    check_apart("copy_", input, (src,))
    return overwrite(input, src)


def overwrite(input: Any, src: Any) -> Any:
    """``copy_`` of a tensor, also into one whose elements share memory."""
    from ..autograd.grad_mode import mode
    from ..autograd.in_place import adopt_history
    from ..autograd.plans import new_plan
    from ..tracing.recorder import record

    tracked = mode.enabled and (input._tracked or src._tracked)
    if tracked:
        check_leaf(input)
    if input._spec.shape != src._spec.shape:
        _strides.expand(src._spec.shape, src._spec.strides, input._spec.shape)
    if input._spec.numel == 0:
        input._storage.version += 1
        return input
    operator = _copied.operator
    values = [input, src]
    rule, _, _ = operator.rule_for(values)
    plan = new_plan(operator, values, [input]) if tracked and rule.differentiable else None
    edges = None if plan is None else plan.edges(values)
    saved = None if plan is None else plan.save_arguments(values)
    store(input, record(rule, [input._cell, src._cell])[0])
    if plan is not None:
        adopt_history(input, plan.node(values, edges, saved, [input]))
    return input


from .declaration import methods  # noqa: E402

methods["copy_"] = copy_
methods["is_contiguous"] = is_contiguous
methods["_clone"] = _clone
