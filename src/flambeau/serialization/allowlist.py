"""What ``load(weights_only=True)`` lets a file do: build tensors, plain containers, and what the user has allowed."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from pickle import UnpicklingError
from typing import Any

from .. import rebuilding
from ..core.devices import device
from ..core.sizes import Size
from ..tracing.handles import Handle
from . import names
from .unpickler import check_key

#: Functions and classes, or pairs with the names these have in files where that differs: ``(MyClass, "old_module.MyClass")``.
_safe_globals: list[Any] = []


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Allow functions and classes in files loaded with ``weights_only=True``.

    Only allow what may be called with any arguments from a file you do not trust.

    >>> import flambeau as torch
    >>> torch.serialization.add_safe_globals([range])
    >>> torch.serialization.clear_safe_globals()
    """
    for each in safe_globals:
        if each not in _safe_globals:
            _safe_globals.append(each)


def get_safe_globals() -> list[Any]:
    """What :func:`add_safe_globals` has allowed so far."""
    return list(_safe_globals)


def clear_safe_globals() -> None:
    """Forget everything :func:`add_safe_globals` has allowed."""
    _safe_globals.clear()


class safe_globals:
    """Allow functions and classes inside a ``with`` block; see :func:`add_safe_globals`.

    >>> import flambeau as torch
    >>> with torch.serialization.safe_globals([range]):
    ...     torch.serialization.get_safe_globals()
    [<class 'range'>]
    """

    def __init__(self, safe_globals: Iterable[Any]) -> None:
        self._wanted = list(safe_globals)

    def __enter__(self) -> None:
        self._before = get_safe_globals()
        add_safe_globals(self._wanted)

    def __exit__(self, *exception: Any) -> None:
        _safe_globals[:] = self._before


def _user_objects() -> dict[str, Any]:
    """The user's additions under every name a file may call them by."""
    found: dict[str, Any] = {}
    for each in _safe_globals:
        if isinstance(each, tuple):
            value, name = each
            found[name] = value
            continue
        if not hasattr(each, "__module__") or not hasattr(each, "__qualname__"):
            raise TypeError(f"safe globals must be functions, classes or (object, name) pairs, got {each!r}")
        found[f"{each.__module__}.{each.__qualname__}"] = each
        ours = names.file_name(each)
        if ours is not None:
            found[ours] = each
    return found


# Plain containers and numbers. Their own constructors do more than is needed (``bytearray(10**12)`` allocates,
# hashing of members may never end), so each has a stand-in that accepts what pickle writes and nothing else.


def _refuse(what: str) -> UnpicklingError:
    return UnpicklingError(f"{what} is not what pickle writes")


def _make_set(items: Any = ()) -> set[Any]:
    if not isinstance(items, list | tuple):
        raise _refuse(f"a set made from {type(items).__name__}")
    return set(map(check_key, items))


def _make_ordered(pairs: Any = ()) -> OrderedDict[Any, Any]:
    if isinstance(pairs, dict):
        return OrderedDict(pairs)
    if not isinstance(pairs, list | tuple):
        raise _refuse(f"an OrderedDict made from {type(pairs).__name__}")
    return OrderedDict((check_key(key), value) for key, value in pairs)


def _make_counter(counts: Any = None) -> Counter[Any]:
    if counts is not None and not isinstance(counts, dict):
        raise _refuse(f"a Counter made from {type(counts).__name__}")
    return Counter(counts)


def _make_bytearray(contents: Any = b"", encoding: Any = None) -> bytearray:
    if isinstance(contents, bytes) and encoding is None:
        return bytearray(contents)
    return bytearray(_encode(contents, encoding))


def _make_complex(real: Any = 0.0, imaginary: Any = 0.0) -> complex:
    if not isinstance(real, int | float) or not isinstance(imaginary, int | float):
        raise _refuse("a complex number made from other things than numbers")
    return complex(real, imaginary)


def _encode(text: Any, encoding: Any = "utf-8") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise _refuse(f"{type(text).__name__} encoded as {encoding!r}")
    return text.encode(encoding)


def _make_size(sizes: Any = ()) -> Size:
    if not isinstance(sizes, list | tuple) or not all(type(size) is int for size in sizes):
        raise _refuse("a torch.Size of other things than integers")
    return Size(sizes)


def _make_device(kind: Any, index: Any = None) -> device:
    if not isinstance(kind, str):
        raise _refuse("a device whose type is not a string")
    return device(kind, index)


def _plain() -> dict[str, tuple[Any, Callable[..., Any]]]:
    from _codecs import encode

    return {
        "collections.OrderedDict": (OrderedDict, _make_ordered),
        "collections.Counter": (Counter, _make_counter),
        "builtins.set": (set, _make_set),
        "builtins.bytearray": (bytearray, _make_bytearray),
        "builtins.complex": (complex, _make_complex),
        "_codecs.encode": (encode, _encode),
    }


class WeightsOnly:
    """The allowance of ``load(weights_only=True)``; see :class:`.unpickler.Allowance`."""

    def __init__(self, persistent: Callable[[Any], Any]) -> None:
        self.persistent = persistent
        plain = _plain()
        self._found: dict[str, Any] = {name: value for name, (value, _) in plain.items()}
        self._users = _user_objects()
        self._user_values = {id(value) for value in self._users.values()}
        self._calls: dict[int, Callable[..., Any]] = {id(value): make for value, make in plain.values()}
        # What may be called among the pieces of tensors, each entered into `_calls` when a file names it.
        self._makers: dict[str, Callable[..., Any]] = {
            "torch.Size": _make_size,
            "torch.device": _make_device,
            "torch._utils._rebuild_tensor": rebuilding.rebuild_tensor,
            "torch._utils._rebuild_tensor_v2": rebuilding.rebuild_tensor_v2,
            "torch._utils._rebuild_tensor_v3": rebuilding.rebuild_tensor_v3,
            "torch._utils._rebuild_meta_tensor_no_storage": rebuilding.rebuild_meta_tensor,
            "torch.serialization._get_layout": rebuilding.layout_by_name,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch._utils._rebuild_parameter_with_state": self._parameter,
            "torch._tensor._rebuild_from_type_v2": self._from_type,
        }

    def find(self, module: str, name: str) -> Any:
        full = ".".join(names.modern_name(module, name))
        if full in self._users:
            return self._users[full]
        if full in self._found:
            return self._found[full]
        value = names.piece(full)
        if value is not None:
            if full in self._makers:
                self._calls[id(value)] = self._makers[full]
            self._found[full] = value
            return value
        shown = full.removeprefix("builtins.")
        raise UnpicklingError(
            f"Unsupported global: GLOBAL {shown} was not an allowed global by default. Please use "
            f"`torch.serialization.add_safe_globals([{shown}])` or the `torch.serialization.safe_globals([{shown}])` "
            "context manager to allowlist this global if you trust this class/function."
        )

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        make = self._calls.get(id(function))
        if make is None and id(function) in self._user_values:
            make = function
        if make is None:
            raise UnpicklingError(f"Trying to call {_named(function)}, which is not allowed to be called from a file")
        return make(*arguments)

    def create(self, kind: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if not isinstance(kind, type) or id(kind) not in self._user_values:
            raise UnpicklingError(
                f"Trying to create an object of {_named(kind)}, which was not allowed with add_safe_globals"
            )
        return kind.__new__(kind, *arguments, **keywords)

    def restore(self, instance: Any, state: Any) -> None:
        kind = type(instance)
        if isinstance(instance, Handle):
            rebuilding.restore_attributes(instance, state)
        elif kind in (OrderedDict, Counter):
            if not isinstance(state, dict) or not all(type(key) is str for key in state):
                raise UnpicklingError(f"the state of a {kind.__name__} must be a dictionary with strings as keys")
            instance.__dict__.update(state)
        elif id(kind) in self._user_values:
            rebuilding.restore_object(instance, state)
        else:
            raise UnpicklingError(
                "Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got "
                f"{kind}"
            )

    def _parameter(self, data: Any, requires_grad: Any, hooks: Any, state: Any = None) -> Any:
        if not isinstance(data, Handle) or not isinstance(hooks, dict) or hooks:
            raise UnpicklingError("a parameter must be made from a tensor, without hooks")
        parameter = names.piece("torch._utils._rebuild_parameter")(data, bool(requires_grad), OrderedDict())
        if state is not None:
            rebuilding.restore_attributes(parameter, state)
        return parameter

    def _from_type(self, function: Any, kind: Any, arguments: Any, state: Any) -> Any:
        if not isinstance(arguments, tuple) or not isinstance(kind, type) or not issubclass(kind, Handle):
            raise UnpicklingError("a tensor subclass must be made from a class of tensors and a tuple of arguments")
        value = self.call(function, arguments)
        return rebuilding.as_type(value, kind, state)


def _named(value: Any) -> str:
    if isinstance(value, type) or callable(value):
        return f"{getattr(value, '__module__', '?')}.{getattr(value, '__qualname__', '?')}"
    return f"an object of {type(value)}"
