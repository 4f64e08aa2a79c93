"""``save``: an object and the storages it holds, into an archive or into the older plain stream."""

from __future__ import annotations

import os
import pickle
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np

from .. import rebuilding
from ..core.dtypes import complex32, dtype
from ..core.memory_formats import layout, memory_format
from ..storage import TypedStorage, UntypedStorage
from . import names
from .archive import ALIGNMENT, ArchiveWriter
from .locations import location_tag
from .options import get_crc32_options, skips_data

#: What a file in the older format begins with, and the version of that format.
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
STREAM_VERSION = 1001


def save(
    obj: object,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Save an object, with all tensors in it, to a file. PyTorch reads the file, and ``load`` reads PyTorch's.

    Tensors that share a storage still share it when loaded. A file on disk appears whole or not at all: the data goes
    to a temporary file beside it, which takes its place at the end.

    Args:
        obj: what to save; a ``state_dict()`` more often than a whole module.
        f: a path, or an object with ``write``.
        pickle_module: the module that pickles ``obj``. Only with ``pickle`` itself, and modules whose ``Pickler``
            derives from its Python version, do our classes get the names that PyTorch understands.
        pickle_protocol: the pickle protocol (2).

    Raises:
        AttributeError: ``f`` is neither a path nor has it ``write``.
        RuntimeError: the folder does not exist, or one storage is used with several dtypes.

    >>> import flambeau as torch, io
    >>> torch.save({"a": torch.ones(2)}, io.BytesIO())
    """
    if isinstance(f, str | os.PathLike):
        folder = os.path.dirname(os.path.abspath(os.fspath(f)))
        if not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.")
        stem = os.path.splitext(os.path.basename(os.fspath(f)))[0]
        with _replacing(os.fspath(f)) as file:
            _save(obj, file, stem, pickle_module, pickle_protocol, _use_new_zipfile_serialization,
                  _disable_byteorder_record)  # fmt: skip
    elif hasattr(f, "write"):
        _save(obj, f, "archive", pickle_module, pickle_protocol, _use_new_zipfile_serialization,
              _disable_byteorder_record)  # fmt: skip
        if hasattr(f, "flush"):
            f.flush()
    else:
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")


def _save(obj: Any, file: Any, stem: str, module: Any, protocol: int, as_archive: bool, no_byteorder: bool) -> None:
    if not as_archive:
        _save_stream(obj, file, module, protocol)
        return
    pickled, storages = pickle_with_storages(obj, module, protocol)
    name = stem if stem and stem.isascii() and stem.isprintable() and not set(stem) & set('\\:"') else "archive"
    if name in (".", ".."):
        name = "archive"
    archive = ArchiveWriter(file, name, get_crc32_options())
    archive.add("data.pkl", pickled)
    archive.add(".format_version", b"1")
    archive.add(".storage_alignment", str(ALIGNMENT).encode())
    if not no_byteorder:
        archive.add("byteorder", sys.byteorder.encode())
    for key, (storage, of) in storages.items():
        if skips_data():
            archive.add_hole(f"data/{key}", _size(storage, of))
        else:
            archive.add(f"data/{key}", _bytes(storage, of))
    archive.add("version", b"3\n")
    archive.add(".data/serialization_id", archive.identity.encode())
    archive.close()


def _bytes(storage: UntypedStorage, of: dtype | None) -> Any:
    memory = storage._memory()
    # complex32 is held as complex64; files hold pairs of float16.
    return memory.view(np.float32).astype(np.float16).view(np.uint8) if of is complex32 else memory


def _size(storage: UntypedStorage, of: dtype | None) -> int:
    return storage.nbytes() // 2 if of is complex32 else storage.nbytes()


@contextmanager
def _replacing(path: str) -> Iterator[Any]:
    """A new file that takes the place of ``path`` when the block ends well, and vanishes when it does not."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as device:  # a pipe or a device cannot be replaced, only written to
            yield device
        return
    folder, name = os.path.split(path)
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else None
    if mode is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "Permission denied", path)
    number = 0
    while True:
        temporary = os.path.join(folder, f".{name[:200]}.{os.getpid()}.{number}.tmp")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
            break
        except FileExistsError:
            number += 1
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    if hasattr(os, "O_DIRECTORY"):  # the new name must survive a crash as well
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        except OSError:
            pass  # some file systems cannot synchronise folders; the file itself is safe
        finally:
            os.close(handle)


def _dtype_held(storage: UntypedStorage) -> dtype | None:
    return None if storage._cell is None else storage._cell.spec.dtype


class _Storages:
    """Gives each storage met while pickling a key, and describes it by a persistent id."""

    def __init__(self, with_views: bool = False) -> None:
        self.found: dict[str, tuple[UntypedStorage, dtype | None]] = {}
        self._with_views = with_views
        self._keys: dict[int, str] = {}
        self._dtypes: dict[int, dtype] = {}

    def persistent_id(self, value: Any) -> Any:
        if type(value) is TypedStorage:
            untyped, of = value.untyped(), value.dtype
            kind, size = names.legacy_class(of), _size(untyped, of) // of.itemsize
        elif type(value) is UntypedStorage:
            untyped, of, kind = value, None, UntypedStorage
            size = _size(untyped, _dtype_held(untyped))
        else:
            return None
        identity = untyped._cdata
        if of is not None and self._dtypes.setdefault(identity, of) is not of:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types "
                f"({self._dtypes[identity]} and {of}); save clones of them"
            )
        key = self._keys.get(identity)
        if key is None:
            key = self._keys[identity] = str(len(self._keys))
            self.found[key] = untyped, of or _dtype_held(untyped)
        described = "storage", kind, key, location_tag(untyped), size
        return (*described, None) if self._with_views else described


class _TorchNames:
    """Part of a pickler: writes our functions, classes and dtypes under PyTorch's names."""

    def save_global(self: Any, obj: Any, name: str | None = None) -> None:
        known = names.file_name(obj, name)
        if known is None:
            super().save_global(obj, name)  # type: ignore[misc]
            return
        module, _, short = known.rpartition(".")
        if self.proto >= 4:
            self.save(module)
            self.save(short)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{short}\n".encode())
        self.memoize(obj)

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is dtype or kind is memory_format:
            return obj.name
        if kind is layout:
            return rebuilding.layout_by_name, (repr(obj),)
        return NotImplemented


def _pickler(module: Any, storages: _Storages) -> Any:
    python_pickler: Any = pickle._Pickler
    base = python_pickler if module is pickle else module.Pickler
    described: dict[str, Any] = {"persistent_id": lambda self, value: storages.persistent_id(value)}
    if not issubclass(base, python_pickler):
        return type("Pickler", (base,), described)
    from types import FunctionType

    described["dispatch"] = {**base.dispatch, FunctionType: lambda self, value: self.save_global(value)}
    if module is not pickle:  # dill and the like decide for themselves how functions are saved
        described["dispatch"] = base.dispatch
    return type("Pickler", (_TorchNames, base), described)


def pickle_with_storages(
    obj: Any, module: Any, protocol: int, with_views: bool = False
) -> tuple[bytes, dict[str, Any]]:
    """The pickle of ``obj``, and the storages it refers to by key."""
    storages, buffer = _Storages(with_views), BytesIO()
    _pickler(module, storages)(buffer, protocol).dump(obj)
    return buffer.getvalue(), storages.found


def _save_stream(obj: Any, file: Any, module: Any, protocol: int) -> None:
    """The format from before 1.6: five pickles, then the storages' bytes in the order of the fifth."""
    sizes = {"short": 2, "int": 4, "long": 4}
    about = {"protocol_version": STREAM_VERSION, "little_endian": sys.byteorder == "little", "type_sizes": sizes}
    for part in (MAGIC_NUMBER, STREAM_VERSION, about):
        file.write(pickle.dumps(part, protocol=protocol))
    pickled, storages = pickle_with_storages(obj, module, protocol, with_views=True)
    file.write(pickled)
    file.write(pickle.dumps(list(storages), protocol=protocol))
    for storage, of in storages.values():
        data = _bytes(storage, of)
        width = of.itemsize if of is not None else 1
        file.write(struct.pack("<q", len(data) // width))
        file.write(memoryview(data))
