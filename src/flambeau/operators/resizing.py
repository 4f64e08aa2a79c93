"""Changing a tensor's size or memory in place: ``resize_``, ``resize_as_``, ``set_``."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import strides as _strides
from ..core.memory_formats import contiguous_format, memory_format, preserve_format
from ..core.specs import Spec, spec
from ..core.storages import Storage, View, empty_array
from ..tracing.handles import Handle
from ..tracing.recorder import array_of, lock, synchronize, trace
from .conversion import format_strides
from .declaration import functions, methods
from .view_declaration import window_cell
from .views import sizes


def grow(storage: Storage, count: int) -> None:
    """Give a storage memory for ``count`` elements of its dtype, keeping those it has.

    Raises:
        RuntimeError: NumPy shares the memory, which therefore cannot move.
    """
    with lock:
        if storage.epoch is trace.epoch:
            synchronize()
        if storage.exposed:
            raise RuntimeError("Trying to resize storage that is not resizable")
        before = storage.spec
        layout = spec((count,), before.dtype, None, before.device)
        array = empty_array(layout)
        if before.numel:
            array.view(np.uint8)[: before.nbytes] = storage.memory()
            _keep_layouts(storage)
        storage.spec, storage.array, storage._bytes, storage.epoch = layout, array, None, None


def _keep_layouts(storage: Storage) -> None:
    """Tensors that are the whole storage become windows onto it, since its layout is about to change.

    Only the collector knows who they are. Growing memory that has content is rare enough to ask it.
    """
    import gc

    for each in gc.get_referrers(storage):
        owner = each if isinstance(each, dict) else getattr(each, "__dict__", {})
        if owner.get("_cell") is storage and isinstance(owner.get("_spec"), Spec):
            owner["_cell"] = View(storage, owner["_spec"], 0)


def place(input: Any, layout: Spec, offset: int, storage: Storage) -> Any:
    """Make ``input`` show ``storage`` with the given layout, growing the storage when it is too small."""
    need = (offset + _strides.extent(layout.shape, layout.strides)) * layout.dtype.itemsize if layout.numel else 0
    if need > storage.spec.nbytes:
        size = storage.spec.dtype.itemsize
        grow(storage, -(-need // size))
        if offset == 0 and layout.is_dense and layout.nbytes == storage.spec.nbytes:
            storage.array = storage.array.view(layout.dtype.numpy)
            if layout.is_contiguous:
                storage.array = storage.array.reshape(layout.shape)
                storage.spec = layout
    input._cell, input._spec = window_cell(storage, layout, offset), layout
    return input


def _check(input: Any, name: str) -> None:
    if input._tracked:
        raise RuntimeError(f"cannot {name} variables that require grad")


def resize_(input: Any, *size: Any, memory_format: memory_format = contiguous_format) -> Any:
    """Another size on the same memory; more memory, with whatever is in it, when the elements do not fit.

    Raises:
        RuntimeError: the tensor requires grad, or NumPy shares the memory that would have to grow.

    >>> import flambeau as torch
    >>> torch.arange(6).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    _check(input, "resize")
    shape = sizes(size, "resize_")
    if any(each < 0 for each in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    if memory_format is preserve_format:
        raise RuntimeError(f"Unsupported memory format {memory_format}")
    here = input._spec
    if tuple(shape) == tuple(here.shape) and memory_format is contiguous_format:
        return input
    layout = spec(shape, here.dtype, format_strides(shape, None, memory_format), here.device)
    return place(input, layout, input.storage_offset(), input._storage)


def resize_as_(input: Any, the_template: Any, *, memory_format: memory_format = contiguous_format) -> Any:
    """:func:`resize_` to the size of another tensor, and to its layout with ``preserve_format``."""
    _check(input, "resize")
    there = the_template._spec
    if memory_format is preserve_format:
        layout = spec(there.shape, input._spec.dtype, _strides.like(there.shape, there.strides))
        return place(input, layout, input.storage_offset(), input._storage)
    return resize_(input, tuple(there.shape), memory_format=memory_format)


def set_(
    input: Any, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None
) -> Any:
    """Show the memory of ``source``, a tensor or a storage, with the given offset, size and strides.

    >>> import flambeau as torch
    >>> x = torch.zeros(2); x.set_(torch.ones(3))
    tensor([1., 1., 1.])
    """
    if input._tracked and input._node is not None:
        raise RuntimeError("set_(): the tensor is part of a graph; detach() it first")
    kind = input._spec.dtype
    if source is None:
        storage = Storage()
        storage.spec = spec((0,), kind)
        storage.array = empty_array(storage.spec)
        input._cell, input._spec = storage, storage.spec
        return input
    if isinstance(source, Handle):
        if source._spec.dtype is not kind:
            raise RuntimeError(
                f"Could not set tensor of type {source._spec.dtype} to a tensor of type {kind}"
            )
        if size is None:
            input._cell, input._spec = source._cell, source._spec
            return input
        cell: Any = source._storage
    else:
        face = getattr(source, "_untyped_storage", source)
        cell = getattr(face, "_cell", None)
        if not isinstance(cell, (Storage, View)):
            raise TypeError(f"set_(): argument 'source' must be Tensor or Storage, not {type(source).__name__}")
        array_of(cell)
        cell = cell.storage if isinstance(cell, View) else cell
    if size is None:
        size = ((cell.spec.nbytes // kind.itemsize) - storage_offset,)
    shape = sizes((size,))
    layout = spec(shape, kind, None if stride is None else sizes((stride,), "stride"))
    return place(input, layout, storage_offset, cell)


functions["resize_as_"] = resize_as_
methods.update(resize_=resize_, resize_as_=resize_as_, set_=set_)
