"""Storages as users see them: ``UntypedStorage``, a tensor's memory as bytes, and ``TypedStorage``, with a dtype.

Both are windows onto the engine's :class:`~flambeau.core.storages.Storage`. Reading or writing one is a sync point.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .core import dtypes
from .core.devices import cpu, device, find, meta as meta_device
from .core.dtypes import dtype, dtype as _dtype
from .core.names import scalar_name
from .core.specs import spec
from .core.storages import Storage, View, at_rest, window
from .tracing import recorder

__all__ = ["TypedStorage", "UntypedStorage", "is_storage"]

# A storage's public face is one object as long as somebody holds it, so that `is` can be asked.
_faces: weakref.WeakKeyDictionary[Storage, weakref.ref[UntypedStorage]] = weakref.WeakKeyDictionary()


def flat_storage(array: Any, of: dtype) -> Storage:
    """The engine's storage on a flat array of bytes whose elements have dtype ``of``."""
    typed = array.view(of.numpy)
    return at_rest(typed, spec((typed.size,), of))


class UntypedStorage:
    """The bytes behind one or more tensors.

    ``UntypedStorage(size)`` is uninitialised memory, ``UntypedStorage([1, 2])`` holds the given bytes.

    >>> import flambeau as torch
    >>> torch.tensor([1], dtype=torch.int16).untyped_storage().tolist()
    [1, 0]
    """

    __slots__ = ("__weakref__", "_cell", "_size", "device", "is_fresh")

    _cell: Storage | None
    device: device
    is_fresh: bool  # just read from a file: no tensor shows it yet

    def __init__(self, contents: int | Sequence[int] = 0, *, device: Any = None) -> None:
        place = cpu if device is None else find(device, memory=False)
        if isinstance(contents, int):
            array = None if place == meta_device else np.empty(contents, np.uint8)
            size = contents
        else:
            for item in contents:
                if not isinstance(item, int):
                    raise RuntimeError(
                        "torch.UntypedStorage(): tried to construct a storage from a sequence "
                        f"({type(contents).__name__}), but one of the items was of type {type(item).__name__} "
                        "instead of int"
                    )
            array = np.array([item & 255 for item in contents], np.uint8)
            size = array.size
        self.device, self._size, self.is_fresh = place, size, False
        self._cell = None if array is None else flat_storage(array, dtypes.uint8)
        if self._cell is not None:
            _faces[self._cell] = weakref.ref(self)

    @classmethod
    def of(cls, cell: Storage | View) -> UntypedStorage:
        """The public face of the engine's storage behind ``cell``; the same object as long as it is held."""
        storage: Storage = cell.storage if isinstance(cell, View) else cell
        known = _faces.get(storage)
        face = known() if known is not None else None
        if face is None:
            face = cls.__new__(cls)
            face.device = storage.spec.device
            face._size = storage.spec.nbytes
            face.is_fresh = False
            face._cell = None if face.device == meta_device else storage
            _faces[storage] = weakref.ref(face)
        return face

    @classmethod
    def from_array(cls, array: Any, of: dtype = dtypes.uint8) -> UntypedStorage:
        """A storage on the memory of a flat NumPy array of bytes, whose elements have dtype ``of``."""
        return cls.of(flat_storage(array, of))

    @classmethod
    def from_buffer(
        cls,
        buffer: Any,
        byte_order: str = sys.byteorder,
        count: int = -1,
        offset: int = 0,
        *,
        dtype: Any = dtypes.uint8,
    ) -> UntypedStorage:
        """A copy of ``count`` elements of ``dtype`` in a bytes-like object, starting ``offset`` bytes into it."""
        array = np.frombuffer(buffer, dtype.numpy, count, offset).copy()
        if byte_order not in ("native", sys.byteorder):
            array.byteswap(inplace=True)
        return cls.from_array(array.view(np.uint8), dtype)

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """Memory mapped from a file: with ``shared`` writes reach the file, otherwise they stay private."""
        if shared:
            with open(filename, "ab") as file:
                if file.tell() < nbytes:
                    file.truncate(nbytes)
        array = np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(nbytes,))
        return cls.from_array(np.asarray(array))

    # What it is

    def _memory(self) -> Any:
        """The bytes, as a flat array onto the memory itself."""
        if self._cell is None:
            raise RuntimeError("Cannot access the data of a storage on the meta device: it has a size but no memory")
        recorder.array_of(self._cell)
        return self._cell.memory()

    def _memory_to_write(self) -> Any:
        recorder.synchronize()  # what was recorded before must still see the old bytes
        return self._memory()

    def nbytes(self) -> int:
        """Its size in bytes."""
        return self._size if self._cell is None else self._cell.spec.numel * self._cell.spec.dtype.numpy.itemsize

    size = nbytes
    __len__ = nbytes

    def element_size(self) -> int:
        return 1

    def data_ptr(self) -> int:
        """The address of the first byte; 0 when there is no memory."""
        return 0 if self._cell is None or not self.nbytes() else self._memory().ctypes.data

    @property
    def _cdata(self) -> int:
        return id(self if self._cell is None else self._cell)

    @property
    def filename(self) -> str | None:
        """The file that shared memory is named for: none, it is anonymous."""
        return None

    is_cuda = is_hpu = is_sparse = is_sparse_csr = False

    def get_device(self) -> int:
        return -1 if self.device.index is None else self.device.index

    def is_pinned(self, device: Any = "cuda") -> bool:
        return False

    def pin_memory(self, device: Any = "cuda") -> UntypedStorage:
        raise RuntimeError("Cannot pin memory: no accelerator is available. Use the storage as it is")

    def is_shared(self) -> bool:
        """Whether processes forked from this one see the same memory."""
        from .core.shared_memory import owner

        return self._cell is not None and owner(self._memory()) is not None

    def share_memory_(self) -> UntypedStorage:
        """Move the bytes to memory that processes forked from this one share. Other tensors on it move along."""
        if self._cell is not None and self.nbytes() and not self.is_shared():
            from .core.shared_memory import allocate

            old, cell = self._memory_to_write(), self._cell
            shared = allocate(len(old))
            shared[...] = old
            cell.array, cell._bytes = window(shared, cell.spec, 0), None
            cell.exposed = True  # other processes see what is written, so writes do not wait
        return self

    def resizable(self) -> bool:
        """Whether :meth:`resize_` works: only before a tensor shows the storage."""
        return self._cell is None or sys.getrefcount(self._cell) <= 2

    def resize_(self, size: int) -> UntypedStorage:
        """Make it ``size`` bytes long, keeping the bytes that fit.

        Raises:
            RuntimeError: a tensor shows it; resize the tensor instead.
        """
        if size == self.nbytes():
            return self
        if not self.resizable():
            raise RuntimeError("Trying to resize storage that a tensor shows; use the tensor's resize_ instead")
        if self._cell is not None:
            old = self._memory()
            array = np.empty(size, np.uint8)
            array[: len(old)] = old[:size]
            self._cell.array, self._cell.spec, self._cell._bytes = array, spec((size,), dtypes.uint8), None
        self._size = size
        return self

    def untyped(self) -> UntypedStorage:
        return self

    def __repr__(self) -> str:
        kind = f"[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"
        if self._cell is None:
            return "...\n" + kind
        return " " + "\n ".join(map(str, self.tolist())) + "\n" + kind

    def tolist(self) -> list[int]:
        return self._memory().tolist()

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def _index(self, index: Any) -> Any:
        if isinstance(index, slice):
            if index.step not in (None, 1):
                raise RuntimeError(f"Trying to slice with a step of {index.step}, but only a step of 1 is supported")
            return index
        if not isinstance(index, int):
            raise TypeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} out of range for storage of size {len(self)}")
        return index

    def __getitem__(self, index: Any) -> Any:
        found = self._memory()[self._index(index)]
        return UntypedStorage.from_array(found) if isinstance(index, slice) else int(found)

    def __setitem__(self, index: Any, value: int) -> None:
        self._memory_to_write()[self._index(index)] = value & 255

    # What can be made of it

    def fill_(self, value: int) -> UntypedStorage:
        """Set every byte."""
        self._memory_to_write()[...] = value & 255
        return self

    def copy_(self, source: UntypedStorage, non_blocking: bool = False) -> UntypedStorage:
        """Copy the bytes of a storage of the same size."""
        if len(source) != len(self):
            raise RuntimeError(f"size does not match, self was {len(self)} bytes but src was {len(source)} bytes")
        if self._cell is not None:
            self._memory_to_write()[...] = source.untyped()._memory()
        return self

    def clone(self) -> UntypedStorage:
        """The same bytes in memory of its own."""
        if self._cell is None:
            return UntypedStorage(len(self), device=self.device)
        return UntypedStorage.from_array(self._memory().copy(), self._cell.spec.dtype)

    def new(self) -> UntypedStorage:
        return UntypedStorage(0, device=self.device)

    def cpu(self) -> UntypedStorage:
        return self.to(cpu)

    def to(self, device: Any, non_blocking: bool = False) -> UntypedStorage:
        """The storage on another device; itself when it is there already."""
        place = find(device, memory=False)
        if place == self.device:
            return self
        if place == meta_device:
            return UntypedStorage(len(self), device=place)
        self._memory()  # explains that meta storages hold nothing to move
        return self

    def byteswap(self, dtype: Any) -> None:
        """Reverse the bytes of each element of ``dtype``, in place."""
        size = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
        if size > 1:
            self._memory_to_write().view(f"u{size}").byteswap(inplace=True)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        if dtype is None:
            return "torch.storage.UntypedStorage"
        return self._converted(dtype if not isinstance(dtype, str) else _legacy_dtype(dtype.rpartition(".")[2]))

    def _converted(self, wanted: dtype) -> TypedStorage:
        return TypedStorage(wrap_storage=self, dtype=dtypes.uint8, _internal=True)._converted(wanted)

    def __copy__(self) -> UntypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> UntypedStorage:
        known = memo.setdefault("torch", {})
        if self._cdata not in known:
            known[self._cdata] = self.clone()
        return known[self._cdata]

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + len(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._cell is None:
            return _load_meta_storage, (len(self),)
        data: Any = self._memory()
        if protocol >= 5:
            from pickle import PickleBuffer

            data = PickleBuffer(data)
        else:
            data = data.tobytes()
        return _load_storage, (data, self._cell.spec.dtype)


def _load_storage(data: Any, of: dtype) -> UntypedStorage:
    array = np.frombuffer(data, np.uint8)
    return UntypedStorage.from_array(array if array.flags.writeable else array.copy(), of)


def _load_meta_storage(size: int) -> UntypedStorage:
    return UntypedStorage(size, device=meta_device)


class TypedStorage:
    """A storage whose elements have a dtype. Kept for old programs: tensors do all this and more.

    >>> import flambeau as torch
    >>> torch.storage.TypedStorage([1, 2], dtype=torch.int8).tolist()
    [1, 2]
    """

    __slots__ = ("_untyped_storage", "dtype")

    dtype: dtype
    is_sparse = False

    def __init__(
        self, *contents: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None, _internal: bool = False
    ) -> None:
        wanted = dtype or getattr(type(self), "_class_dtype", None) or dtypes.get_default_dtype()
        self.dtype = wanted
        if wrap_storage is not None:
            if contents:
                raise RuntimeError("TypedStorage: a size or values cannot be given together with wrap_storage")
            if not isinstance(wrap_storage, UntypedStorage):
                raise TypeError(
                    f"Argument 'wrap_storage' must be UntypedStorage, but got {type(wrap_storage).__name__}"
                )
            self._untyped_storage = wrap_storage
        elif contents and not isinstance(contents[0], int):
            array = np.array(contents[0], wanted.numpy)
            self._untyped_storage = UntypedStorage.from_array(array.view(np.uint8), wanted)
        else:
            size = contents[0] if contents else 0
            self._untyped_storage = UntypedStorage(size * wanted.itemsize, device=device)

    def untyped(self) -> UntypedStorage:
        """The bytes without their dtype."""
        return self._untyped_storage

    def _array(self) -> Any:
        return self._untyped_storage._memory().view(self.dtype.numpy)

    @property
    def device(self) -> device:
        return self._untyped_storage.device

    @property
    def is_cuda(self) -> bool:
        return False

    @property
    def is_hpu(self) -> bool:
        return False

    @property
    def filename(self) -> str | None:
        return self._untyped_storage.filename

    @property
    def _cdata(self) -> int:
        return self._untyped_storage._cdata

    def element_size(self) -> int:
        return self.dtype.itemsize

    def nbytes(self) -> int:
        return self._untyped_storage.nbytes()

    def size(self) -> int:
        """The number of elements."""
        return self.nbytes() // self.dtype.numpy.itemsize

    __len__ = size

    def data_ptr(self) -> int:
        return self._untyped_storage.data_ptr()

    def get_device(self) -> int:
        return self._untyped_storage.get_device()

    def is_shared(self) -> bool:
        return self._untyped_storage.is_shared()

    def is_pinned(self, device: Any = "cuda") -> bool:
        return self._untyped_storage.is_pinned(device)

    def share_memory_(self) -> TypedStorage:
        """See :meth:`UntypedStorage.share_memory_`."""
        self._untyped_storage.share_memory_()
        return self

    def resizable(self) -> bool:
        return self._untyped_storage.resizable()

    def resize_(self, size: int) -> TypedStorage:
        """Make it ``size`` elements long; see :meth:`UntypedStorage.resize_`."""
        self._untyped_storage.resize_(size * self.dtype.numpy.itemsize)
        return self

    def pickle_storage_type(self) -> str:
        """The name under which files know this kind of storage: ``FloatStorage``."""
        return legacy_name(self.dtype)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        if dtype is None:
            return f"torch.{legacy_name(self.dtype)}"
        return self._converted(dtype if not isinstance(dtype, str) else _legacy_dtype(dtype.rpartition(".")[2]))

    def __repr__(self) -> str:
        kind = f"[torch.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"
        if self.device == meta_device:
            return "...\n" + kind
        return " " + "\n ".join(map(str, self.tolist())) + "\n" + kind

    def tolist(self) -> list[Any]:
        array = self._array()
        return array.tolist() if array.dtype.kind in "biufc" else array.astype(np.float64).tolist()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def _index(self, index: Any) -> int:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not isinstance(index, int):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} out of range for storage of size {len(self)}")
        return index

    def __getitem__(self, index: Any) -> Any:
        return self._array()[self._index(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        place = slice(*index.indices(len(self))) if isinstance(index, slice) else self._index(index)
        self._untyped_storage._memory_to_write().view(self.dtype.numpy)[place] = value

    def fill_(self, value: Any) -> TypedStorage:
        self[:] = value
        return self

    def copy_(self, source: TypedStorage, non_blocking: bool = False) -> TypedStorage:
        """Copy the elements of a storage of the same length, converting them to this dtype."""
        if len(source) != len(self):
            raise RuntimeError(f"size does not match, self had {len(self)} elements but src had {len(source)}")
        self[:] = source._array().astype(self.dtype.numpy)
        return self

    def _with(self, untyped: UntypedStorage) -> TypedStorage:
        return TypedStorage(wrap_storage=untyped, dtype=self.dtype)

    def clone(self) -> TypedStorage:
        return self._with(self._untyped_storage.clone())

    def cpu(self) -> TypedStorage:
        return self.to(cpu)

    def to(self, device: Any, non_blocking: bool = False) -> TypedStorage:
        return self._with(self._untyped_storage.to(device))

    def _converted(self, wanted: _dtype) -> TypedStorage:
        if wanted is self.dtype:
            return self
        array = np.ascontiguousarray(self._array().astype(wanted.numpy))
        return TypedStorage(wrap_storage=UntypedStorage.from_array(array.view(np.uint8), wanted), dtype=wanted)

    def __copy__(self) -> TypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> TypedStorage:
        return self._with(self._untyped_storage.__deepcopy__(memo))

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TypedStorage) and self.dtype is other.dtype and self._cdata == other._cdata

    def __hash__(self) -> int:
        return self._cdata

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _load_typed, (self._untyped_storage, self.dtype)

    @classmethod
    def from_buffer(cls, *arguments: Any, dtype: Any = None, **keywords: Any) -> TypedStorage:
        wanted = dtype or getattr(cls, "_class_dtype", None) or dtypes.get_default_dtype()
        untyped = UntypedStorage.from_buffer(*arguments, dtype=wanted, **keywords)
        return TypedStorage(wrap_storage=untyped, dtype=wanted)


def _load_typed(untyped: UntypedStorage, of: dtype) -> TypedStorage:
    return TypedStorage(wrap_storage=untyped, dtype=of)


def _add_conversions() -> None:
    names = {
        "bool": dtypes.bool_, "byte": dtypes.uint8, "char": dtypes.int8, "short": dtypes.int16, "int": dtypes.int32,
        "long": dtypes.int64, "half": dtypes.float16, "bfloat16": dtypes.bfloat16, "float": dtypes.float32,
        "double": dtypes.float64, "complex_float": dtypes.complex64, "complex_double": dtypes.complex128,
    }  # fmt: skip
    for name, wanted in names.items():
        for kind in (UntypedStorage, TypedStorage):

            def convert(self: Any, wanted: dtype = wanted) -> TypedStorage:
                return self._converted(wanted)

            convert.__name__, convert.__doc__ = name, f"The elements converted to ``{wanted}``."
            setattr(kind, name, convert)


_add_conversions()

_LEGACY_NAMES = {
    f"{scalar_name(each)}Storage": each
    for each in (
        dtypes.float64, dtypes.float32, dtypes.float16, dtypes.bfloat16, dtypes.int64, dtypes.int32, dtypes.int16,
        dtypes.int8, dtypes.uint8, dtypes.bool_, dtypes.complex128, dtypes.complex64,
    )
}  # fmt: skip


def legacy_name(of: dtype) -> str:
    """The name of the storage class for a dtype, ``FloatStorage``; ``KeyError`` where PyTorch never had one."""
    name = f"{scalar_name(of)}Storage"
    if name not in _LEGACY_NAMES:
        raise KeyError(f"there is no storage class for {of}")
    return name


def has_legacy_name(of: dtype) -> bool:
    """Whether PyTorch ever had a storage class for a dtype."""
    return f"{scalar_name(of)}Storage" in _LEGACY_NAMES


def _legacy_dtype(name: str) -> dtype:
    found = _LEGACY_NAMES.get(name)
    if found is None:
        raise ValueError(f"unknown storage type {name!r}; known are {', '.join(_LEGACY_NAMES)}")
    return found


class _LegacyKind(type):
    """Makes ``isinstance(storage, FloatStorage)`` ask for the dtype, and calling the class give a TypedStorage."""

    _class_dtype: dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls._class_dtype

    def __call__(cls, *contents: Any, wrap_storage: Any = None, **keywords: Any) -> TypedStorage:
        return TypedStorage(*contents, wrap_storage=wrap_storage, dtype=cls._class_dtype, **keywords)

    @property
    def dtype(cls) -> dtype:
        return cls._class_dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


_legacy_classes: dict[str, Any] = {}


def __getattr__(name: str) -> Any:
    """``FloatStorage`` and its kind, made when first asked for."""
    if name not in _LEGACY_NAMES:
        raise AttributeError(f"module 'flambeau.storage' has no attribute '{name}'")
    if name not in _legacy_classes:
        body = {"__module__": __name__, "_class_dtype": _LEGACY_NAMES[name], "__slots__": ()}
        _legacy_classes[name] = _LegacyKind(name, (), body)
    return _legacy_classes[name]


def is_storage(value: Any, /) -> bool:
    """Whether ``value`` is a storage.

    >>> import flambeau as torch
    >>> torch.is_storage(torch.zeros(1))
    False
    """
    return isinstance(value, UntypedStorage | TypedStorage)
