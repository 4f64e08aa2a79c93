"""``load``: an object from an archive, or from the older plain stream."""

from __future__ import annotations

import os
import pickle
import struct
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from ..core.dtypes import dtype, uint8
from ..storage import TypedStorage, UntypedStorage
from . import names
from .allowlist import WeightsOnly
from .archive import ArchiveReader, looks_like_archive
from .locations import restorer
from .options import assumed_byteorder, get_crc32_options, get_default_mmap_options, skips_data
from .saving import MAGIC_NUMBER, STREAM_VERSION
from .unpickler import SafeUnpickler, globals_in


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Load what ``save`` has written, here or in PyTorch.

    Args:
        f: a path, or an object with ``read``, ``readline``, ``tell`` and ``seek``.
        map_location: where storages go: a device, its name, a dictionary from saved to wanted names, or a function of
            a storage and its saved location that returns a storage, or None for the usual place.
        pickle_module: the module that unpickles when ``weights_only`` is false.
        weights_only: build nothing but tensors, plain containers and what ``add_safe_globals`` allows (the default).
            When false, loading a file runs whatever code the file names: only for files you trust.
        mmap: map the file into memory instead of reading it; needs a path.
        pickle_load_args: for the unpickler; ``encoding`` for strings from Python 2.

    Raises:
        pickle.UnpicklingError: the file wants something that is not allowed, or its pickle is damaged.
        RuntimeError: the file is damaged, or a location does not exist here.

    >>> import flambeau as torch, io
    >>> buffer = io.BytesIO()
    >>> torch.save(torch.ones(2), buffer)
    >>> torch.load(io.BytesIO(buffer.getvalue()))
    tensor([1., 1.])
    """
    safe = _wants_weights_only(weights_only, pickle_module)
    if safe and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if mmap and not isinstance(f, str | os.PathLike):
        raise ValueError("f must be a file path in order to use the mmap argument")
    read = _safe_reader(pickle_load_args) if safe else _trusting_reader(pickle_module or pickle, pickle_load_args)
    restore = restorer(map_location)
    if isinstance(f, str | os.PathLike):
        with open(f, "rb") as file:
            return _load(file, read, restore, bool(mmap), os.fspath(f))
    for method in ("read", "readline", "tell", "seek"):
        if not hasattr(f, method):
            raise AttributeError(
                f"{type(f).__name__!r} object has no attribute {method!r}. You can only torch.load from a file that is "
                "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
            )
    return _load(f, read, restore, False, None)


def _wants_weights_only(weights_only: bool | None, pickle_module: Any) -> bool:
    forced = [
        os.environ.get(name, "0").lower() in ("1", "y", "yes", "true")
        for name in ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    ]
    if all(forced):
        raise RuntimeError(
            "Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` should be set, but both "
            "were set."
        )
    if forced[0]:
        return True
    if weights_only is None:
        return pickle_module is None and not forced[1]
    return weights_only


# A reader turns pickled bytes and a meaning for persistent ids into an object and the position after the pickle.
Reader = Callable[[Any, Callable[[Any], Any], int], tuple[Any, int]]


def _safe_reader(arguments: dict[str, Any]) -> Reader:
    unknown = set(arguments) - {"encoding"}
    if unknown:
        raise TypeError(
            f"Unpickler.__init__() got an unexpected keyword argument '{min(unknown)}'; with weights_only=True only "
            "'encoding' is understood"
        )
    encoding = arguments.get("encoding", "utf-8")

    def read(data: Any, persistent: Callable[[Any], Any], position: int) -> tuple[Any, int]:
        machine = SafeUnpickler(data, WeightsOnly(persistent), encoding, position)
        try:
            return machine.load(), machine.position
        except pickle.UnpicklingError as error:
            raise pickle.UnpicklingError(_explained(str(error))) from error.__cause__

    return read


def _explained(why: str) -> str:
    message = f"Weights only load failed. {why}\n"
    if "is truncated or corrupt" in why:
        return message + "The file is damaged, or was not written by torch.save."
    return message + (
        "Only if you trust the file: loading it with `weights_only=False` will likely succeed, and lets it run any "
        "code it names."
    )


def _trusting_reader(module: Any, arguments: dict[str, Any]) -> Reader:
    arguments = {"encoding": "utf-8", **arguments}

    def read(data: Any, persistent: Callable[[Any], Any], position: int) -> tuple[Any, int]:
        class Unpickler(module.Unpickler):
            def find_class(self, module: str, name: str) -> Any:
                return names.find(module, name) if names.is_torch(module) else super().find_class(module, name)

            def persistent_load(self, identity: Any) -> Any:
                return persistent(identity)

        stream = BytesIO(data)
        stream.seek(position)
        return Unpickler(stream, **arguments).load(), stream.tell()

    return read


def _load(file: Any, read: Reader, restore: Callable[..., Any], mapped: bool, path: str | None) -> Any:
    start = file.tell()
    beginning = file.read(4)
    file.seek(start)
    if looks_like_archive(beginning):
        if mapped:
            buffer = _mapped(path)  # type: ignore[arg-type]
            return _load_archive(ArchiveReader(buffer, 0, get_crc32_options()), read, restore, buffer)
        return _load_archive(ArchiveReader(file, start, get_crc32_options()), read, restore, None)
    if mapped:
        raise RuntimeError(
            "mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True), please "
            "torch.save your checkpoint with this option in order to use mmap."
        )
    data = file.read()
    if not data:
        raise EOFError("Ran out of input: the file is empty")
    result, end = _load_stream(data, read, restore)
    file.seek(start + end)
    return result


def _mapped(path: str) -> Any:
    """A file in memory, mapped as :func:`set_default_mmap_options` says; it lives as long as a tensor uses it."""
    import mmap

    flags = get_default_mmap_options()
    private = flags == mmap.MAP_PRIVATE
    writable = private or os.access(path, os.W_OK)
    protection = mmap.PROT_READ | mmap.PROT_WRITE if writable else mmap.PROT_READ
    with open(path, "rb" if private or not writable else "r+b") as file:
        return mmap.mmap(file.fileno(), 0, flags=flags, prot=protection)


# The description of a storage, the same in both formats


def _described(identity: Any) -> tuple[dtype, bool, str, str, int, Any]:
    """The parts of a persistent id: dtype, whether the storage has it, key, location, size in bytes, view."""
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise pickle.UnpicklingError(f"unknown persistent id {identity!r}; only storages can be referred to")
    _, kind, key, location, count, *view = identity
    of = uint8 if kind is UntypedStorage else getattr(kind, "dtype", None)
    if not isinstance(of, dtype):
        raise pickle.UnpicklingError(f"{kind!r} is not a kind of storage")
    if not isinstance(location, str):
        raise pickle.UnpicklingError(f"a storage's key and location must be strings, got {key!r} and {location!r}")
    if type(count) is not int or count < 0:
        raise RuntimeError(f"a storage's size must be a non-negative integer, got {count!r}")
    size = count * of.itemsize
    return of, kind is not UntypedStorage, str(key), location, size, view[0] if view else None


def _swapped(array: Any, of: dtype, byteorder: str) -> Any:
    width = of.itemsize // 2 if of.is_complex else of.itemsize
    return array if byteorder == sys.byteorder or width == 1 else array.view(f"u{width}").byteswap().view(np.uint8)


def _storage(array: Any, of: dtype) -> UntypedStorage:
    storage = UntypedStorage.from_array(array, of)
    storage.is_fresh = True
    return storage


def _as_typed(storage: Any, of: dtype, is_typed: bool) -> Any:
    if not is_typed or isinstance(storage, TypedStorage):
        return storage
    if not isinstance(storage, UntypedStorage):
        raise TypeError(f"map_location must return a storage or None, got {type(storage).__name__}")
    return TypedStorage(wrap_storage=storage, dtype=of)


def _load_archive(archive: ArchiveReader, read: Reader, restore: Callable[..., Any], mapped: Any) -> Any:
    if "constants.pkl" in archive:
        raise RuntimeError(
            "this is a TorchScript archive (torch.jit.save), which holds a program and not only data; in PyTorch, save "
            "its state_dict() with torch.save and load that"
        )
    byteorder = bytes(archive.read("byteorder", 16)).decode("ascii", "replace") if "byteorder" in archive else ""
    if byteorder not in ("little", "big"):
        if byteorder:
            raise RuntimeError(f"Unknown endianness type: {byteorder}")
        byteorder = assumed_byteorder()
    loaded: dict[str, Any] = {}

    def persistent(identity: Any) -> Any:
        of, is_typed, key, location, size, _ = _described(identity)
        if key not in loaded:
            loaded[key] = restore(_storage(_record(archive, key, size, of, byteorder, mapped), of), location)
        return _as_typed(loaded[key], of, is_typed)

    return read(archive.read("data.pkl"), persistent, 0)[0]


def _record(archive: ArchiveReader, key: str, size: int, of: dtype, byteorder: str, mapped: Any) -> Any:
    name = f"data/{key}"
    held = archive.size(name)
    if held != size:
        raise RuntimeError(
            f"record {name} holds {held} bytes, but the storage it belongs to has {size}. The file is corrupt"
        )
    if skips_data():
        return np.zeros(size, np.uint8)
    if mapped is not None and size:
        array = np.frombuffer(mapped, np.uint8, size, archive.offset(name))
    else:
        array = np.empty(size, np.uint8)
        archive.read_into(name, memoryview(array))  # type: ignore[arg-type]
    return _swapped(array, of, byteorder)


def _load_stream(data: bytes, read: Reader, restore: Callable[..., Any]) -> tuple[Any, int]:
    """The format from before 1.6; see :func:`.saving._save_stream`. Returns the object and where it ended."""
    plain = _safe_reader({})

    def nothing(identity: Any) -> Any:
        raise pickle.UnpicklingError("a persistent id where none can be")

    magic, position = _magic(data, plain, nothing)
    if magic != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file? It was not written by torch.save")
    version, position = plain(data, nothing, position)
    if version != STREAM_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version!r}")
    about, position = plain(data, nothing, position)
    little = about.get("little_endian", True) if isinstance(about, dict) else True
    byteorder = "little" if little else "big"
    loaded: dict[str, tuple[Any, Any, dtype, str]] = {}
    claimed = 0

    def persistent(identity: Any) -> Any:
        if isinstance(identity, tuple) and identity and identity[0] == "module":
            return identity[1]  # followed by its source, which old versions compared with the present one
        of, is_typed, key, location, size, view = _described(identity)
        if key not in loaded:
            nonlocal claimed
            claimed += size
            if claimed > len(data):
                raise RuntimeError(f"storages of {claimed} bytes do not fit a file of {len(data)}. The file is corrupt")
            array = np.zeros(size, np.uint8)
            loaded[key] = array, restore(_storage(array, of), location), of, location
        storage = loaded[key][1]
        if view is not None:
            storage = _part(storage, view, of)
        return _as_typed(storage, of, is_typed)

    result, position = read(data, persistent, position)
    keys, position = plain(data, nothing, position)
    if not isinstance(keys, list):
        raise RuntimeError("the list of storages is missing. The file is corrupt")
    if len(set(map(str, keys))) != len(loaded):
        raise RuntimeError(
            f"the file lists {len(keys)} storages but its objects use {len(loaded)}. The file is corrupt"
        )
    for key in keys:
        if str(key) not in loaded:
            raise RuntimeError(f"the file lists a storage {key!r} that nothing refers to. The file is corrupt")
        array, storage, of, _ = loaded[str(key)]
        if position + 8 > len(data):
            raise RuntimeError("the file ends before its last storage. It is truncated")
        (count,) = struct.unpack_from("<q" if little else ">q", data, position)
        position += 8
        width = of.itemsize
        if count * width != len(array) or position + len(array) > len(data):
            raise RuntimeError(
                f"a storage of {len(array)} bytes is said to have {count} elements of {width} bytes, and "
                f"{len(data) - position} bytes of the file are left. The file is truncated or corrupt"
            )
        held = np.frombuffer(data, np.uint8, len(array), position)
        position += len(array)
        _fill(storage, array, _swapped(held, of, byteorder))
    return result, position


def _magic(data: bytes, plain: Reader, nothing: Callable[[Any], Any]) -> tuple[Any, int]:
    try:
        return plain(data, nothing, 0)
    except pickle.UnpicklingError:
        raise pickle.UnpicklingError(
            "Weights only load failed. The file does not begin like one written by torch.save: it is truncated, "
            "corrupt, or of another kind"
        ) from None


def _fill(storage: Any, array: Any, held: Any) -> None:
    untyped = storage.untyped()
    if untyped.device.type != "meta":
        target = untyped._memory_to_write()
        target[...] = held


def _part(storage: Any, view: Any, of: dtype) -> Any:
    """A storage that is a window onto another one, as files from before 0.4 have them."""
    if not isinstance(view, tuple) or len(view) != 3 or any(type(number) is not int for number in view[1:]):
        raise RuntimeError(f"malformed view of a storage: {view!r}. The file is corrupt")
    _, offset, count = view
    first, last = offset * of.itemsize, (offset + count) * of.itemsize
    untyped = storage.untyped()
    if not 0 <= first <= last <= untyped.nbytes():
        raise RuntimeError(f"a view of elements {offset} to {offset + count} lies outside its storage")
    return UntypedStorage.from_array(untyped._memory()[first:last], of)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a saved file that ``load(weights_only=True)`` would refuse, found without running the file.

    >>> import flambeau as torch, io
    >>> buffer = io.BytesIO()
    >>> torch.save([range(3), torch.ones(1)], buffer)
    >>> torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(buffer.getvalue()))
    ['builtins.range']
    """
    if isinstance(f, str | os.PathLike):
        with open(f, "rb") as file:
            return get_unsafe_globals_in_checkpoint(file)
    start = f.tell()
    beginning = f.read(4)
    f.seek(start)
    if not looks_like_archive(beginning):
        raise ValueError(
            "Expected input to be a checkpoint returned by torch.save but got a torchscript or legacy file"
        )
    allowance, refused = WeightsOnly(lambda identity: None), []
    for full in globals_in(ArchiveReader(f, start, get_crc32_options()).read("data.pkl")):
        module, _, name = full.rpartition(".")
        try:
            allowance.find(module, name)
        except pickle.UnpicklingError:
            refused.append(".".join(names.modern_name(module, name)))
    return refused
