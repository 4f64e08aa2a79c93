"""``Storage``: the mutable cell behind a tensor, and ``View``: a window onto one.

A storage holds a value: a NumPy array at rest, or a numbered value of the current trace that has not been
computed yet. Which of the two is told by ``epoch``: while it equals the recorder's epoch, ``position`` is valid in
the recorder's trace; otherwise the number lies in ``array``. Once a storage has an array it keeps it for life
(``data_ptr`` is stable, NumPy may share it): later values are copied into it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .specs import Spec, spec


class Storage:
    """The cell whose current value a tensor, and all its views, show.

    Attributes:
        spec: the layout in which the whole value is expressed. A tensor with this very Spec and offset 0 *is* the
            whole value; every other tensor on the storage has a :class:`View`.
        array: the memory at rest, an array of the spec's shape and strides; None until first computed.
        version: how often an in-place operator has written here; autograd compares it with what it saw.
        exposed: NumPy may read or write ``array`` behind our back.
        failure: why the value was never computed, when the program that should have computed it failed.
    """

    array: Any = None
    version: int = 0
    exposed: bool = False
    failure: BaseException | None = None
    _bytes: Any = None
    epoch: Any = None
    position: int = 0
    spec: Spec

    def memory(self) -> Any:
        """The memory at rest as a flat array of bytes."""
        found = self._bytes
        if found is None or self.array is None:
            array = self.array
            if not array.flags.c_contiguous:
                order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
                array = array.transpose(order)
            found = self._bytes = array.reshape(-1).view(np.uint8)
        return found


class View:
    """A window onto a storage: other shape and strides, or an offset in elements. Never has a valid epoch itself."""

    __slots__ = ("offset", "spec", "storage")
    epoch = None
    position = 0

    def __init__(self, storage: Storage, spec: Spec, offset: int) -> None:
        self.storage, self.spec, self.offset = storage, spec, offset

    @property
    def version(self) -> int:
        """The version of the storage looked at."""
        return self.storage.version


Cell = Storage | View


def at_rest(array: Any, layout: Spec) -> Storage:
    """A storage that holds ``array``, whose shape and strides are those of ``layout``."""
    storage = Storage()
    storage.spec, storage.array = layout, array
    return storage


def window(memory: Any, layout: Spec, offset: int) -> Any:
    """The array of the given layout that begins ``offset`` elements into a flat array of bytes."""
    if layout.numel == 0:
        return np.empty(layout.shape, layout.dtype.numpy)
    size = layout.dtype.numpy.itemsize
    steps = tuple(step * size for step in layout.strides)
    return np.ndarray(layout.shape, layout.dtype.numpy, memory, offset * size, steps)


def empty_array(layout: Spec) -> Any:
    """Uninitialised memory with a dense layout's shape and strides."""
    if layout.is_contiguous:
        return np.empty(layout.shape, layout.dtype.numpy)
    return window(np.empty(layout.numel * layout.dtype.numpy.itemsize, np.uint8), layout, 0)


def has_layout(array: Any, layout: Spec) -> bool:
    """Whether an array's elements lie exactly as ``layout`` says."""
    if layout.is_contiguous:
        return bool(array.flags.c_contiguous)
    size = array.itemsize
    return array.strides == tuple(step * size for step in layout.strides)


def share(array: Any, of: Spec) -> tuple[Storage, Cell]:
    """A storage on memory that NumPy owns, and the cell of a tensor that shows ``array`` with layout ``of``.

    When the array does not fill its memory densely the storage covers all the bytes it reaches.
    """
    if of.is_dense and of.numel:
        # A view of our own: who else refers to the memory shows in the owner's reference count.
        storage = at_rest(array.view(), of)
        storage.exposed = True
        return storage, storage
    from .strides import extent

    count = extent(of.shape, of.strides)
    whole = spec((count,), of.dtype, (1,), of.device)
    reach = np.lib.stride_tricks.as_strided(array, (count,), (array.itemsize,)) if count else array.reshape(0)
    storage = at_rest(reach, whole)
    storage.exposed = True
    return storage, View(storage, of, 0)
