"""Memory that several processes see, behind a file descriptor without a name: nothing is left behind, whoever is killed."""

from __future__ import annotations

import os
import weakref
from typing import Any

import numpy as np

#: The descriptor behind each mapping of this process, by the mapping's identity.
_descriptors: dict[int, int] = {}


def _new_descriptor(size: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("flambeau")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


def _forget(identity: int) -> None:
    os.close(_descriptors.pop(identity))


def attach(descriptor: int, size: int) -> Any:
    """The memory behind a descriptor, which now belongs to it, as a flat array of bytes."""
    from mmap import mmap

    mapped = mmap(descriptor, size)
    _descriptors[id(mapped)] = descriptor
    weakref.finalize(mapped, _forget, id(mapped)).atexit = False
    return np.frombuffer(mapped, np.uint8)


def allocate(size: int) -> Any:
    """New shared memory of ``size`` > 0 bytes, as a flat array."""
    return attach(_new_descriptor(size), size)


def owner(array: Any) -> Any:
    """The mapping whose memory an array shows; None when it is not shared memory."""
    from mmap import mmap

    while isinstance(array, np.ndarray | memoryview):
        array = array.base if isinstance(array, np.ndarray) else array.obj
    return array if isinstance(array, mmap) else None


def descriptor_of(array: Any) -> int | None:
    """The descriptor behind an array in shared memory; None when there is none."""
    found = owner(array)
    return None if found is None else _descriptors.get(id(found))
