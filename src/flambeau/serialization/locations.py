"""Where a storage lives: the tag it is saved with, and where a tag puts it when it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core import devices
from ..core.dtypes import dtype
from ..storage import TypedStorage, UntypedStorage, legacy_name

Tagger = Callable[[Any], "str | None"]
Deserializer = Callable[[Any, str], Any]

_CPU_ADVICE = (
    "If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map "
    "your storages to the CPU."
)


def _type_of(location: str) -> str:
    return location.partition(":")[0]


def _tag_cpu(storage: Any) -> str | None:
    return "cpu" if storage.device.type == "cpu" else None


def _restore_cpu(storage: Any, location: str) -> Any:
    return storage if location == "cpu" else None


def _tag_meta(storage: Any) -> str | None:
    return "meta" if storage.device.type == "meta" else None


def _restore_meta(storage: Any, location: str) -> Any:
    return UntypedStorage(storage.nbytes(), device="meta") if location == "meta" else None


def _tag_nothing(storage: Any) -> str | None:
    return None


def validate_cuda_device(location: str) -> int:
    """The index of the CUDA device a location names.

    Raises:
        RuntimeError: there are no CUDA devices here.
    """
    raise RuntimeError(
        f"Attempting to deserialize object on a CUDA device ({location}) but torch.cuda.is_available() is False. "
        + _CPU_ADVICE
    )


def validate_hpu_device(location: str) -> int:
    """The index of the HPU device a location names.

    Raises:
        RuntimeError: there are no HPU devices here.
    """
    raise RuntimeError(f"The HPU device module is not registered (wanted for {location}). " + _CPU_ADVICE)


def _restore_elsewhere(storage: Any, location: str) -> Any:
    kind = _type_of(location)
    if kind == "cuda":
        validate_cuda_device(location)
    if kind == "hpu":
        validate_hpu_device(location)
    if kind in ("mps", "xpu"):
        raise RuntimeError(f"Attempting to deserialize object on a {kind} device, which is not here. " + _CPU_ADVICE)
    return None


# Lower numbers are asked first; user packages go where their number puts them.
_packages: list[tuple[int, Tagger, Deserializer]] = [
    (10, _tag_cpu, _restore_cpu),
    (20, _tag_nothing, _restore_elsewhere),
    (22, _tag_meta, _restore_meta),
]


def register_package(priority: int, tagger: Tagger, deserializer: Deserializer) -> None:
    """Teach ``save`` and ``load`` about another kind of device.

    Args:
        priority: place in the order of asking, lower first (the CPU has 10).
        tagger: from a storage to its tag, or None when it is not concerned.
        deserializer: from a storage in main memory and a tag to the storage where it belongs, or None.
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def location_tag(storage: Any) -> str:
    """The tag under which a storage is saved: ``"cpu"``.

    Raises:
        RuntimeError: no registered package knows the storage.
    """
    for _, tagger, _ in _packages:
        location = tagger(storage)
        if location:
            return location
    raise RuntimeError(f"don't know how to determine data location of {type(storage).__name__}")


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage moved to where ``location`` says.

    Raises:
        RuntimeError: there is no such place here.
    """
    for _, _, deserializer in _packages:
        result = deserializer(storage, location)
        if result is not None:
            return result
    raise RuntimeError(
        f"don't know how to restore data location of {type(storage).__module__.replace('flambeau', 'torch')}."
        f"{type(storage).__name__} (tagged with {location}); load with map_location='cpu'"
    )


def restorer(map_location: Any) -> Deserializer:
    """What ``load``'s argument ``map_location`` means, as a function of a storage and its tag."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(
            storage, _as_location(map_location.get(location, location))
        )
    if isinstance(map_location, str | devices.device):
        wanted = str(map_location)
        return lambda storage, location: default_restore_location(storage, wanted)
    if not callable(map_location):
        raise TypeError(
            f"map_location must be a string, a device, a dictionary or a function, not {type(map_location).__name__}: "
            f"'{type(map_location).__name__}' object is not callable"
        )

    def restore(storage: Any, location: str) -> Any:
        result = map_location(storage, location)
        return default_restore_location(storage, location) if result is None else result

    return restore


def _as_location(wanted: Any) -> str:
    return str(wanted) if isinstance(wanted, devices.device) else wanted


class StorageType:
    """Stands for a storage class of PyTorch's files; knows its dtype.

    >>> StorageType("FloatStorage").dtype
    torch.float32
    """

    def __init__(self, name: str) -> None:
        self._dtype = getattr(_storage_module(), name).dtype

    @property
    def dtype(self) -> dtype:
        return self._dtype

    def __str__(self) -> str:
        return f"StorageType(dtype={self.dtype})"


def _storage_module() -> Any:
    from .. import storage

    return storage


def normalize_storage_type(storage_type: Any) -> Any:
    """The class under which files know a storage class: ``FloatStorage`` for itself and for typed storages."""
    of = getattr(storage_type, "dtype", None)
    return getattr(_storage_module(), legacy_name(of)) if isinstance(of, dtype) else storage_type


def storage_to_tensor_type(storage: TypedStorage) -> Any:
    """The class of tensors that have such a storage: ``FloatTensor``."""
    import flambeau

    return getattr(flambeau, storage.pickle_storage_type().replace("Storage", "Tensor"))
