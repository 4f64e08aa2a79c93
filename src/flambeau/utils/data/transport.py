"""How a batch travels from a worker process to the main one.

A batch is pickled. Large arrays in it do not go through the pipe: each is written to an anonymous file in memory
whose descriptor is sent over the socket, and the receiver maps it. Such a file has no name, so nothing can be left
behind in /dev/shm, whoever is killed and whenever; its memory goes with the tensor that maps it. Each array has a
file of its own, so that keeping the labels of a batch does not keep its images.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

import numpy

from flambeau.core.dtypes import dtype
from flambeau.rebuilding import rebuild_tensor_v3
from flambeau.storage import UntypedStorage
from flambeau.tensor import Tensor

# Below this a copy through the pipe costs less than the system calls of a file in memory.
_LARGE = 1 << 16
# Linux refuses more than 253 descriptors in one message.
_DESCRIPTORS_PER_MESSAGE = 64
_CAN_SEND_DESCRIPTORS = hasattr(os, "fork")


class EncodedBatch(NamedTuple):
    """A pickled batch and the files that hold its large arrays."""

    payload: bytes
    descriptors: list[int]
    sizes: list[int]


class ReceivedBatch(NamedTuple):
    """A pickled batch and the memory of its large arrays."""

    payload: bytes
    buffers: list[Any]


def _rebuild_tensor(
    raw: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: dtype, requires_grad: bool
) -> Any:
    memory = numpy.frombuffer(raw, numpy.uint8)
    storage = UntypedStorage.from_array(memory if memory.flags.writeable else memory.copy(), dtype)
    storage.is_fresh = True
    return rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, None, dtype)


def _reduce_tensor(tensor: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    if not tensor.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
            "crossing process boundaries. If you just want to transfer the data, call detach() on the tensor "
            "before returning it from the data set or collate_fn"
        )
    plain = tensor.detach()
    storage = plain.untyped_storage()
    if storage.nbytes() != plain.nbytes:
        # A part of a larger storage, which need not travel with it; or less, repeated by strides of zero.
        plain = plain.clone()
        storage = plain.untyped_storage()
    place = plain.storage_offset(), tuple(plain.shape), plain.stride()
    return _rebuild_tensor, (pickle.PickleBuffer(storage._memory()), *place, plain.dtype, tensor.requires_grad)


class _BatchPickler(ForkingPickler):
    def reducer_override(self, value: Any) -> Any:
        return _reduce_tensor(value) if type(value) is Tensor else NotImplemented


def _file_in_memory(content: memoryview) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("flambeau-batch")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def encode(batch: Any) -> EncodedBatch:
    """Pickle `batch` and copy its large arrays to files in memory; the caller sends or closes them."""
    descriptors: list[int] = []
    sizes: list[int] = []

    def in_band(buffer: pickle.PickleBuffer) -> bool:
        content = buffer.raw()
        if content.nbytes < _LARGE or not _CAN_SEND_DESCRIPTORS:
            return True
        descriptors.append(_file_in_memory(content))
        sizes.append(content.nbytes)
        return False

    stream = io.BytesIO()
    try:
        _BatchPickler(stream, 5, True, in_band).dump(batch)
    except BaseException:
        close_all(descriptors)
        raise
    return EncodedBatch(stream.getvalue(), descriptors, sizes)


def close_all(descriptors: Sequence[int]) -> None:
    """Close all of the file descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


def _as_socket(connection: Connection) -> Any:
    import socket

    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=connection.fileno())
    # A default timeout set by the user would make the connection itself non-blocking.
    channel.setblocking(True)
    return channel


def send(connection: Connection, header: Any, batch: EncodedBatch | None) -> None:
    """Send `header` and, with it, an encoded batch, whose files are closed whatever happens."""
    descriptors = batch.descriptors if batch else []
    try:
        connection.send((header, batch.sizes if batch else None))
        if batch is None:
            return
        connection.send_bytes(batch.payload)
        if descriptors:
            import socket

            channel = _as_socket(connection)
            try:
                for start in range(0, len(descriptors), _DESCRIPTORS_PER_MESSAGE):
                    socket.send_fds(channel, [b"\0"], descriptors[start : start + _DESCRIPTORS_PER_MESSAGE])
            finally:
                channel.detach()
    finally:
        close_all(descriptors)


def _map_files(connection: Connection, sizes: list[int]) -> list[Any]:
    import mmap
    import socket

    # Populated: one system call now instead of a page fault per page while the batch is first read.
    flags = {"flags": mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)}
    channel = _as_socket(connection)
    buffers: list[Any] = []
    try:
        while len(buffers) < len(sizes):
            expected = min(_DESCRIPTORS_PER_MESSAGE, len(sizes) - len(buffers))
            data, descriptors, _, _ = socket.recv_fds(channel, 1, expected)
            if not data:
                raise EOFError
            try:
                if len(descriptors) != expected:
                    raise RuntimeError(
                        "Could not receive the shared memory of a batch from a DataLoader worker: too many open "
                        "files. Raise the limit (ulimit -n) or lower num_workers or prefetch_factor."
                    )
                for descriptor in descriptors:
                    buffers.append(mmap.mmap(descriptor, sizes[len(buffers)], **flags))
            finally:
                close_all(descriptors)
    finally:
        channel.detach()
    return buffers


def receive(connection: Connection) -> tuple[Any, ReceivedBatch | None]:
    """The next header and its batch (None where none was sent). EOFError once the sender has gone."""
    header, sizes = connection.recv()
    if sizes is None:
        return header, None
    payload = connection.recv_bytes()
    return header, ReceivedBatch(payload, _map_files(connection, sizes) if sizes else [])


def decode(batch: ReceivedBatch) -> Any:
    """The batch itself; its large arrays use the received memory where it is."""
    return pickle.loads(batch.payload, buffers=batch.buffers)
