"""Tensors from the pieces that files hold: a storage, an offset, a shape and strides. Nothing is taken on trust."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from .core import memory_formats
from .core.devices import meta
from .core.dtypes import complex32, dtype
from .core.specs import Spec, spec
from .core.storages import Storage, View, window
from .storage import TypedStorage, UntypedStorage, has_legacy_name
from .tracing.handles import Handle, wrap

_MAXIMUM_DIMENSIONS = 64

#: Attributes of a tensor object that are the engine's own; all others were set by the user.
ENGINE_ATTRIBUTES = frozenset(Handle.__annotations__) | {
    "_accumulator_kept", "_backward_hooks", "_post_accumulate_hooks", "names_",
}  # fmt: skip


def _layout(size: Any, stride: Any, of: dtype, place: Any = None) -> Spec:
    for what, numbers in (("size", size), ("stride", stride)):
        if not isinstance(numbers, tuple | list) or not all(type(number) is int for number in numbers):
            raise RuntimeError(f"a tensor's {what} must be a tuple of integers, got {numbers!r}")
    if len(size) != len(stride) or len(size) > _MAXIMUM_DIMENSIONS:
        raise RuntimeError(f"mismatch in length of strides and shape: size {tuple(size)}, stride {tuple(stride)}")
    if any(length < 0 for length in size) or any(step < 0 for step in stride):
        raise RuntimeError(f"negative numbers in size {tuple(size)} or stride {tuple(stride)} are not supported")
    made = spec(tuple(size), of, tuple(stride)) if place is None else spec(tuple(size), of, tuple(stride), place)
    if made.numel >= 1 << 62 or any(step >= 1 << 62 for step in made.strides):
        raise RuntimeError(f"a tensor of size {tuple(size)} and stride {tuple(stride)} is too large for any memory")
    return made


def _cell(storage: UntypedStorage, layout: Spec, offset: int) -> Storage | View:
    """The engine's cell for a window onto ``storage`` that has been found to lie inside it."""
    cell = storage._cell
    assert cell is not None
    if storage.is_fresh:
        storage.is_fresh = False
        size = layout.numel * layout.dtype.numpy.itemsize
        if layout.is_dense and not offset and size == storage.nbytes():
            # No tensor knows the storage yet: let this one be the whole of it, which is the quicker kind.
            cell.array = window(cell.memory(), layout, 0)
            cell.spec, cell._bytes = layout, None
    return cell if cell.spec is layout and not offset else View(cell, layout, offset)


def _widen(storage: UntypedStorage) -> None:
    """Files hold complex32 as pairs of float16; the engine holds it as complex64."""
    cell = storage._cell
    assert cell is not None
    memory = cell.memory()
    if memory.size % complex32.itemsize:
        raise RuntimeError(f"a storage of {memory.size} bytes cannot hold numbers of dtype {complex32}")
    array = memory.view(np.float16).astype(np.float32).view(complex32.numpy)
    cell.array, cell.spec, cell._bytes = array, spec((array.size,), complex32), None


def rebuild_tensor_v3(
    storage: Any,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    dtype: dtype,
    metadata: Any = None,
) -> Any:
    """The tensor of ``dtype`` at an offset (in elements) in a storage.

    Raises:
        RuntimeError: it does not lie within its storage, or its description makes no sense.
    """
    untyped = storage.untyped() if isinstance(storage, TypedStorage) else storage
    if not isinstance(untyped, UntypedStorage):
        raise RuntimeError(f"a tensor's storage must be a storage, got {type(storage).__name__}")
    if untyped.device == meta:
        return rebuild_meta_tensor(dtype, size, stride, requires_grad)
    layout = _layout(size, stride, dtype)
    if dtype is complex32 and untyped.is_fresh:
        _widen(untyped)
    if type(storage_offset) is not int or storage_offset < 0:
        raise RuntimeError(f"a tensor's storage offset must be a non-negative integer, got {storage_offset!r}")
    if layout.numel:
        last = storage_offset + sum((length - 1) * step for length, step in zip(layout.shape, layout.strides))
        room = untyped.nbytes() // dtype.numpy.itemsize
        if last >= room:
            raise RuntimeError(
                f"setStorage: sizes {list(layout.shape)}, strides {list(layout.strides)}, storage offset "
                f"{storage_offset}, and itemsize {dtype.itemsize} requiring a storage size of "
                f"{(last + 1) * dtype.itemsize} are out of bounds for storage of size {untyped.nbytes()}"
            )
    made = wrap(_cell(untyped, layout, storage_offset), layout)
    for name, wanted in (metadata or {}).items():
        if name == "conj" and wanted:
            made = made.conj()
        elif name == "neg" and wanted:
            made = -made
    if requires_grad:
        made.requires_grad_()
    if backward_hooks:
        made._backward_hooks = backward_hooks
    return made


def rebuild_tensor_v2(
    storage: Any,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    metadata: Any = None,
) -> Any:
    """The tensor at an offset in a storage that knows its dtype; see :func:`rebuild_tensor_v3`."""
    of = getattr(storage, "dtype", None)
    if not isinstance(of, dtype):
        raise RuntimeError(f"a tensor's storage must know its dtype, got {type(storage).__name__}")
    return rebuild_tensor_v3(storage, storage_offset, size, stride, requires_grad, backward_hooks, of, metadata)


def rebuild_tensor(storage: Any, storage_offset: int, size: Any, stride: Any) -> Any:
    """The oldest form: no gradient and no hooks."""
    return rebuild_tensor_v2(storage, storage_offset, size, stride, False, None)


def rebuild_meta_tensor(dtype: dtype, size: Any, stride: Any, requires_grad: Any) -> Any:
    """A tensor on the meta device, which has no memory."""
    layout = _layout(size, stride, dtype, meta)
    cell = Storage()
    cell.spec = layout
    made = wrap(cell, layout)
    return made.requires_grad_() if requires_grad else made


def rebuild_from_type(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    """A tensor of a subclass, or one with attributes of its own."""
    return as_type(function(*arguments), kind, state)


def as_type(value: Any, kind: Any, state: Any) -> Any:
    """``value`` as an instance of the tensor subclass ``kind``, with the attributes in ``state``."""
    if type(value) is not kind:
        value = value.as_subclass(kind)
    if state is not None:
        value.__setstate__(state)
    return value


def restore_attributes(tensor: Any, state: Any) -> None:
    """Give a tensor the attributes a user had set on it; those that make it a tensor cannot be replaced.

    Raises:
        RuntimeError: the state is malformed or names such an attribute.
    """
    kind = type(tensor)
    for part in state if isinstance(state, tuple) else (state,):
        if part is None:
            continue
        if not isinstance(part, dict):
            raise RuntimeError(f"the state of a tensor must be a dictionary, got {type(part).__name__}")
        for name, value in part.items():
            if not isinstance(name, str) or name in ENGINE_ATTRIBUTES or name.startswith("__") or hasattr(kind, name):
                raise RuntimeError(f"a file may not set the attribute {name!r} of a {kind.__name__}")
            setattr(tensor, name, value)


def restore_object(instance: Any, state: Any) -> None:
    """Give an object its state as pickle does: by ``__setstate__``, or into its attributes."""
    setter = getattr(instance, "__setstate__", None)
    if setter is not None:
        setter(state)
        return
    own, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if own:
        instance.__dict__.update(own)
    for name, value in (slots or {}).items():
        setattr(instance, name, value)


def layout_by_name(name: Any) -> Any:
    """The layout that prints as ``name``: ``"torch.strided"``."""
    found = getattr(memory_formats, str(name).removeprefix("torch."), None)
    if not isinstance(found, memory_formats.layout):
        raise RuntimeError(f"unknown layout {name!r}")
    return found


def reduce_tensor(tensor: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a pickle holds of a plain tensor: the function that makes it anew, and its arguments."""
    of, size, stride = tensor.dtype, tuple(tensor.shape), tuple(tensor.stride())
    if tensor.device == meta:
        return rebuild_meta_tensor, (of, size, stride, tensor.requires_grad)
    # Hooks are not saved; the empty mapping keeps the format of PyTorch's files.
    place: tuple[Any, ...] = tensor.storage_offset(), size, stride, tensor.requires_grad, OrderedDict()
    untyped = UntypedStorage.of(tensor._cell)
    if has_legacy_name(of):
        return rebuild_tensor_v2, (TypedStorage(wrap_storage=untyped, dtype=of), *place)
    return rebuild_tensor_v3, (untyped, *place, of)
