"""Tensors on their way between processes: the descriptor of their memory travels, not their numbers."""

from __future__ import annotations

import os
from multiprocessing import reduction
from typing import Any

from ..core import shared_memory
from ..core.devices import meta
from ..rebuilding import rebuild_from_type, rebuild_tensor_v3
from ..storage import UntypedStorage
from ..tensor import Tensor
from ..tensor_memory import own_attributes


def _open(handle: Any, size: int, kind: Any) -> UntypedStorage:
    storage = UntypedStorage.from_array(shared_memory.attach(handle.detach(), size), kind)
    cell: Any = storage._cell
    cell.exposed = True  # other processes see what is written, so writes do not wait
    return storage


def _rebuild(handle: Any, size: int, kind: Any, place: Any, requires_grad: bool) -> Any:
    storage = _open(handle, size, kind)
    offset, shape, strides = place
    return rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, None, kind)


def _handle(storage: UntypedStorage) -> Any:
    storage.share_memory_()
    descriptor = shared_memory.descriptor_of(storage._memory())
    if descriptor is None:  # it is mapped from somewhere else
        copy = shared_memory.allocate(storage.nbytes())
        copy[...] = storage._memory()
        descriptor = shared_memory.descriptor_of(copy)
        assert descriptor is not None
        return reduction.DupFd(os.dup(descriptor))
    return reduction.DupFd(descriptor)


def _reduce_tensor(tensor: Any) -> Any:
    if not tensor.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support crossing "
            "process boundaries.  If you just want to transfer the data, call detach() on the tensor before serializing "
            "(e.g., putting it on the queue)."
        )
    storage = tensor.untyped_storage()
    if tensor.device == meta or not storage.nbytes():
        return tensor.__reduce_ex__(2)
    place = tensor.storage_offset(), tuple(tensor.shape), tensor.stride()
    arguments = (_handle(storage), storage.nbytes(), tensor.dtype, place, tensor.requires_grad)
    attributes = own_attributes(tensor)
    if type(tensor) is Tensor and not attributes:
        return _rebuild, arguments
    return rebuild_from_type, (_rebuild, type(tensor), arguments, attributes or None)


def _rebuild_parameter(data: Any, requires_grad: bool, attributes: dict[str, Any]) -> Any:
    from ..nn.parameter import Parameter

    made = Parameter(data, requires_grad)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def _reduce_parameter(parameter: Any) -> Any:
    return _rebuild_parameter, (parameter.detach(), parameter.requires_grad, own_attributes(parameter))


def _reduce_storage(storage: UntypedStorage) -> Any:
    if storage.device == meta or not storage.nbytes():
        return storage.__reduce_ex__(2)
    from ..core.dtypes import uint8

    return _open, (_handle(storage), storage.nbytes(), uint8)


def register() -> None:
    """Make Python's multiprocessing send tensors this way, where descriptors can be sent."""
    if not reduction.HAVE_SEND_HANDLE or os.name != "posix":
        return
    from ..nn.parameter import Parameter

    reduction.ForkingPickler.register(Tensor, _reduce_tensor)
    reduction.ForkingPickler.register(Parameter, _reduce_parameter)
    reduction.ForkingPickler.register(UntypedStorage, _reduce_storage)
