"""What is in a file, told from its pickle without building, importing or calling anything the pickle names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..core.dtypes import dtype
from ..serialization import names
from ..serialization.unpickler import check_key


class Storage(NamedTuple):
    """A block of numbers: its key in the file, the device it was on, its size."""

    key: str
    location: str
    nbytes: int


class Tensor(NamedTuple):
    """A tensor: what it looks like, not what is in it. ``storage`` is None on the meta device."""

    dtype: str
    shape: tuple[int, ...]
    storage: Storage | None
    parameter: bool = False


class Named:
    """A function or class that the file names. It is not imported; calling it is only noted."""

    def __init__(self, name: str) -> None:
        self.name = name


class Made(dict[Any, Any]):
    """What calling or instantiating a :class:`Named` would make: its name, arguments, state and items.

    ``is_call``: it is what a function returns; ``is_object``: an instance of a class; neither: a dictionary.
    """

    def __init__(self, name: str, arguments: tuple[Any, ...], is_call: bool = False, is_object: bool = False) -> None:
        super().__init__()
        self.name, self.arguments, self.state = name, arguments, None
        self.is_call, self.is_object = is_call, is_object

    __hash__ = object.__hash__  # type: ignore[assignment]


_REBUILT = "torch._utils._rebuild_"
_DICTIONARIES = {f"collections.{name}": name for name in ("OrderedDict", "defaultdict", "Counter")}


class Describing:
    """An allowance (:class:`flambeau.serialization.unpickler.Allowance`) that makes descriptions of everything.

    ``mentioned`` collects the names of all globals, ``storages`` and ``tensors`` what was found of either.
    """

    def __init__(self) -> None:
        self.mentioned: dict[str, None] = {}
        self.storages: dict[str, Storage] = {}
        self.tensors: list[Tensor] = []

    def find(self, module: str, name: str) -> Any:
        """A dtype or kind of storage as it is; a name for everything else."""
        full = ".".join(names.modern_name(module, name))
        self.mentioned[full] = None
        value = names.piece(full)
        if isinstance(value, dtype) or isinstance(getattr(value, "dtype", None), dtype):
            return value
        return Named(full)

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """The description of a tensor, a plain container, or a note of the call."""
        name = function.name if isinstance(function, Named) else repr(function)
        short = name.removeprefix(_REBUILT)
        if short != name and short in _TENSORS:
            return self._noted(_TENSORS[short](*arguments))
        if name == "torch._tensor._rebuild_from_type_v2":
            return self.call(arguments[0], arguments[2])
        if name in _DICTIONARIES:
            made = Made(_DICTIONARIES[name], ())
            if arguments and isinstance(arguments[-1], dict):
                made.update(arguments[-1])
            elif arguments and isinstance(arguments[-1], list | tuple):
                made.update((check_key(key), value) for key, value in arguments[-1])
            return made
        if name == "builtins.set" and arguments and isinstance(arguments[0], list | tuple):
            return set(map(check_key, arguments[0]))
        if name in ("copyreg._reconstructor", "copyreg.__newobj__") and arguments and isinstance(arguments[0], Named):
            return Made(arguments[0].name, (), is_object=True)
        return Made(name, arguments, is_call=True)

    def create(self, kind: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """A note that an object would be made."""
        return Made(kind.name if isinstance(kind, Named) else repr(kind), arguments, is_object=True)

    def restore(self, instance: Any, state: Any) -> None:
        """Keep an object's state with its description."""
        if isinstance(instance, Made):
            instance.state = state

    def persistent(self, identity: Any) -> Any:
        """The description of a storage."""
        if isinstance(identity, tuple) and len(identity) == 3 and identity[0] == "module":
            return identity[1]  # streams before 1.6 kept a class with its source
        _, kind, key, location, count = identity[:5]
        of = getattr(kind, "dtype", None)
        size = int(count) * (of.itemsize if isinstance(of, dtype) else 1)
        self.storages[str(key)] = Storage(str(key), str(location), size)
        return self.storages[str(key)], of

    def _noted(self, tensor: Tensor) -> Tensor:
        # A parameter is described twice: as its data, and as itself.
        if tensor.parameter and self.tensors:
            self.tensors.pop()
        self.tensors.append(tensor)
        return tensor


def _dtype_name(of: Any) -> str:
    return of.name if isinstance(of, dtype) else "uint8"


def _plain(storage: Any, offset: Any, size: Any, *rest: Any) -> Tensor:
    return Tensor(_dtype_name(storage[1]), tuple(size), storage[0])


def _with_dtype(storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, of: Any, *rest: Any) -> Tensor:
    return Tensor(_dtype_name(of), tuple(size), storage[0])


def _meta(of: Any, size: Any, *rest: Any) -> Tensor:
    return Tensor(_dtype_name(of), tuple(size), None)


def _parameter(data: Any, *rest: Any) -> Tensor:
    tensor: Tensor = data._replace(parameter=True)
    return tensor


#: What PyTorch's functions that rebuild tensors would make, by their names after ``_rebuild_``.
_TENSORS: dict[str, Callable[..., Tensor]] = {
    "tensor": _plain,
    "tensor_v2": _plain,
    "tensor_v3": _with_dtype,
    "meta_tensor_no_storage": _meta,
    "parameter": _parameter,
    "parameter_with_state": _parameter,
}
