"""Names of ``nn.functional`` that serve other libraries: protocols of overriding, type annotations, notes for docstrings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..tensor import Tensor


class _BroadcastingList:
    """``BroadcastingList2[int]`` in an annotation: an int, or a list of two."""

    def __getitem__(self, types: Any) -> None:
        return None


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = _BroadcastingList()

reproducibility_notes = {
    "forward_reproducibility_note": "The result does not depend on the number of threads, nor on their timing.",
    "backward_reproducibility_note": "The gradients do not depend on the number of threads, nor on their timing.",
    "cudnn_reproducibility_note": "No vendor library chooses algorithms behind the operator's back.",
}
sparse_support_notes = {"sparse_beta_warning": "Sparse layouts are not supported."}
tf32_notes = {"tf32_note": "Products of float32 matrices are computed in float32, never in fewer bits."}


def has_torch_function(arguments: Iterable[Any]) -> bool:
    """Whether the type of some argument says, by ``__torch_function__``, that it wants to handle calls itself."""
    return any(_overrides(each) for each in arguments)


def has_torch_function_unary(argument: Any) -> bool:
    """:func:`has_torch_function` of one argument."""
    return _overrides(argument)


def has_torch_function_variadic(*arguments: Any) -> bool:
    """:func:`has_torch_function` of its arguments."""
    return has_torch_function(arguments)


def _overrides(value: Any) -> bool:
    kind = type(value)
    method = getattr(kind, "__torch_function__", None)
    return method is not None and kind is not Tensor and method is not getattr(Tensor, "__torch_function__", None)


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """Let the arguments that override ``public_api`` handle the call, subclasses first.

    Raises:
        TypeError: none of them does.
    """
    handlers: list[Any] = []
    for each in relevant_args:
        if _overrides(each) and type(each) not in map(type, handlers):
            place = next((k for k, other in enumerate(handlers) if isinstance(each, type(other))), len(handlers))
            handlers.insert(place, each)
    kinds = tuple(map(type, handlers))
    for each in handlers:
        result = each.__torch_function__(public_api, kinds, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {list(kinds)}")


def boolean_dispatch(
    arg_name: str, arg_index: int, default: bool, if_true: Callable[..., Any], if_false: Callable[..., Any],
    module_name: str, func_name: str,
) -> Callable[..., Any]:  # fmt: skip
    """A function that calls ``if_true`` or ``if_false`` by the value of one of its arguments."""

    def function(*args: Any, **kwargs: Any) -> Any:
        chosen = args[arg_index] if arg_index < len(args) else kwargs.get(arg_name, default)
        return (if_true if chosen else if_false)(*args, **kwargs)

    function.__name__ = func_name
    function.__module__ = module_name
    function.__doc__ = if_true.__doc__ or if_false.__doc__
    return function


def assert_int_or_pair(arg: Any, arg_name: str, message: str) -> None:
    """Check that ``arg`` is an int or has two elements.

    Raises:
        AssertionError: it is neither; ``message`` is formatted with the argument's name.
    """
    if not isinstance(arg, int) and len(arg) != 2:
        raise AssertionError(message.format(arg_name))
