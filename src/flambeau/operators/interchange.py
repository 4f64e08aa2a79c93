"""Tensors on memory that others own: ``frombuffer``, ``asarray``, DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.devices import find
from ..core.dtypes import dtype, get_default_dtype
from ..core.names import scalar_name
from ..core.specs import spec
from ..core.storages import share
from ..tracing.handles import Handle, wrap
from ..tracing.recorder import array_of
from .conversion import clone, convert
from .creation import finish, numpy_tensor, tensor
from .declaration import functions, methods


def frombuffer(
    buffer: Any, *, dtype: dtype, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Any:
    """A vector on the memory of a buffer: ``count`` elements (-1: all) from ``offset`` bytes on.

    >>> import flambeau as torch
    >>> torch.frombuffer(bytearray([1, 0, 2, 0]), dtype=torch.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    try:
        view = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    length, size = view.nbytes, dtype.itemsize
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    if count < 0:
        if (length - offset) % size:
            raise ValueError(
                f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of "
                f"element size ({size})"
            )
        count = (length - offset) // size
    if offset + count * size > length:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be greater "
            "than actual "
            f"buffer length ({length} bytes)"
        )
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    if not array.flags.writeable:
        import warnings

        warnings.warn(
            "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can "
            "write to "
            "the underlying (supposedly non-writable) buffer using the tensor. You may want to copy the buffer to "
            "protect its "
            "data or make it writable before converting it to a tensor.",
            stacklevel=2,
        )
        array = array.copy()
    layout = spec(array.shape, dtype)
    return finish(wrap(share(array, layout)[1], layout), requires_grad)


def asarray(
    obj: Any, *, dtype: dtype | None = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Any:
    """``obj`` as a tensor, sharing its memory where possible.

    Args:
        copy: True: never share; False: an error where memory cannot be shared; None: share where possible.

    >>> import flambeau as torch
    >>> torch.asarray([1, 2])
    tensor([1, 2])
    """
    find(device)
    if isinstance(obj, Handle):
        made: Any = obj
        if dtype is not None and obj._spec.dtype is not dtype:
            if copy is False:
                raise ValueError(
                    f"can't alias tensor with dtype '{scalar_name(obj._spec.dtype)}' into dtype '{scalar_name(dtype)}'."
                )
            made = convert(obj, dtype)
        elif copy:
            made = clone(obj)
        if made is not obj:
            made = made.detach()
        return made.requires_grad_() if requires_grad else made
    if isinstance(obj, np.ndarray) or (hasattr(obj, "__dlpack__") and not isinstance(obj, np.generic)):
        shared = numpy_tensor(obj) if isinstance(obj, np.ndarray) else from_dlpack(obj)
        if dtype is not None and shared._spec.dtype is not dtype:
            if copy is False:
                raise ValueError(
                    f"can't alias tensor with dtype '{scalar_name(shared._spec.dtype)}' into dtype "
                    f"'{scalar_name(dtype)}'."
                )
            return finish(convert(shared, dtype), requires_grad)
        return finish(clone(shared) if copy else shared, requires_grad)
    if not isinstance(obj, (list, tuple, str, np.generic, int, float, complex)):
        try:
            shared = frombuffer(obj, dtype=dtype or get_default_dtype())
        except ValueError:
            pass  # no buffer: numbers, or something that holds them
        else:
            return finish(clone(shared) if copy else shared, requires_grad)
    if copy is False:
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    if isinstance(obj, (list, tuple)) and obj and all(isinstance(each, Handle) for each in obj) and dtype is None:
        return finish(functions["stack"](list(obj)), requires_grad)
    return tensor(obj, dtype=dtype, requires_grad=requires_grad)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor on the memory of an object of another library that speaks DLPack.

    >>> import flambeau as torch, numpy
    >>> torch.from_dlpack(numpy.ones(2))
    tensor([1., 1.], dtype=torch.float64)
    """
    find(device)
    if isinstance(ext_tensor, Handle):
        made = ext_tensor.detach()
        return clone(made) if copy else made
    if not hasattr(ext_tensor, "__dlpack__"):
        ext_tensor = _Capsule(ext_tensor)
    array = np.from_dlpack(ext_tensor)
    if not array.flags.writeable or copy:
        array = array.copy()
    return numpy_tensor(array)


class _Capsule:
    """A bare DLPack capsule on the CPU, as an object NumPy takes."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def __dlpack__(
    self: Any, *, stream: Any = -1, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """The tensor's memory as a DLPack capsule. A sync point.

    Raises:
        BufferError: the tensor requires grad, or is of a dtype that NumPy cannot export.
    """
    if self._tracked:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if self._spec.dtype.numpy.isbuiltin != 1:
        raise BufferError(
            f"Can't export tensors of dtype {self._spec.dtype}: NumPy, which exports the memory, does not have it"
        )
    array = array_of(self._cell)
    self._storage.exposed = True
    return array.view().__dlpack__(max_version=max_version, copy=copy)


def __dlpack_device__(self: Any) -> tuple[int, int]:
    """The device of the memory as DLPack numbers it: the CPU."""
    return 1, 0


def to_dlpack(tensor: Any) -> Any:
    """The memory of a tensor as a DLPack capsule, which another library takes over."""
    return tensor.__dlpack__()


functions.update(frombuffer=frombuffer, asarray=asarray, from_dlpack=from_dlpack, to_dlpack=to_dlpack)
methods["__dlpack__"], methods["__dlpack_device__"] = __dlpack__, __dlpack_device__
