"""``__torch_function__``: types that want to answer for PyTorch's functions, and handing calls to them.

Functions written in Python ask with ``has_torch_function`` and hand over with ``handle_torch_function``. The library's
own operators do not ask: a subclass of ``Tensor`` goes through them as a tensor.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from .operators.declaration import functions
from .tensor import Tensor

__all__ = [
    "get_ignored_functions", "get_overridable_functions", "handle_torch_function", "has_torch_function",
    "has_torch_function_unary", "has_torch_function_variadic", "is_tensor_like", "is_tensor_method_or_property",
    "resolve_name", "wrap_torch_function",
]  # fmt: skip

#: Functions that make tensors or set state: there is no tensor among their arguments to ask.
_IGNORED = (
    "arange empty empty_strided eye frombuffer from_numpy full linspace logspace ones rand randint randn randperm tensor zeros "
    "tril_indices triu_indices bartlett_window blackman_window hamming_window hann_window kaiser_window"
).split()


def _overloaded(arguments: Iterable[Any]) -> list[Any]:
    """One argument of each type that answers for itself; subclasses before their bases."""
    found: list[Any] = []
    kinds: list[type] = []
    for each in arguments:
        kind = type(each)
        if kind in kinds or getattr(kind, "__torch_function__", None) is None:
            continue
        place = next((k for k, other in enumerate(kinds) if issubclass(kind, other)), len(kinds))
        found.insert(place, each)
        kinds.insert(place, kind)
    return found


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether the type of one of the arguments defines ``__torch_function__``."""
    return any(getattr(type(each), "__torch_function__", None) is not None for each in relevant_args)


def has_torch_function_unary(argument: Any) -> bool:
    """:func:`has_torch_function` of one argument."""
    return has_torch_function((argument,))


def has_torch_function_variadic(*arguments: Any) -> bool:
    """:func:`has_torch_function` of the arguments themselves."""
    return has_torch_function(arguments)


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """What the first of the arguments' types that knows ``public_api`` answers.

    Raises:
        TypeError: all of them return NotImplemented.
    """
    overloaded = _overloaded(relevant_args)
    kinds = tuple(map(type, overloaded))
    for each in overloaded:
        result = type(each).__torch_function__(public_api, kinds, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {list(kinds)}")


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that hands calls over; ``dispatcher`` picks the relevant arguments."""

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return wrap


def is_tensor_like(inp: Any) -> bool:
    """Whether something is a tensor, or of a type with ``__torch_function__``."""
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether a function is a method of ``Tensor`` or the getter of a property."""
    return func in _methods() or getattr(func, "__name__", "") == "__get__"


def _methods() -> set[Any]:
    return {each for name, each in vars(Tensor).items() if callable(each) and getattr(each, "__hash__", None)}


def get_ignored_functions() -> set[Callable[..., Any]]:
    """Public functions that never hand over, having no tensor to ask."""
    return {functions[name] for name in _IGNORED if name in functions}


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """The public functions by the namespace they are in."""
    import flambeau

    ignored = get_ignored_functions()
    return {
        flambeau: [each for name, each in functions.items() if each not in ignored and not name.startswith("_")],
        Tensor: [each for name, each in vars(Tensor).items() if callable(each) and not name.startswith("_")],
    }


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The public name of a function: "torch.add", "torch.Tensor.add"; None when it has none."""
    for space, members in (("torch", functions), ("torch.Tensor", vars(Tensor))):
        for name, each in members.items():
            if each is f:
                return f"{space}.{name}"
    return None
