"""``torch.jit`` as in PyTorch with ``PYTORCH_JIT=0``: functions and modules stay Python, and mean what they meant.

Every call is recorded and compiled as it is, so there is no script to make of it. Programs written for TorchScript run
unchanged; files of TorchScript (``torch.jit.save``) are programs for another machine and cannot be read or written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from .nn.module import Module

__all__ = [
    "Attribute", "Error", "Final", "RecursiveScriptModule", "ScriptFunction", "ScriptModule", "annotate", "export",
    "freeze", "ignore", "interface", "is_scripting", "is_tracing", "isinstance", "optimize_for_inference", "script",
    "script_if_tracing", "script_method", "trace",
    "trace_module", "unused",
]  # fmt: skip

_Kept = TypeVar("_Kept")
_builtin_isinstance = isinstance


class Error(RuntimeError):
    """What PyTorch raises when a script fails; nothing here does."""


class ScriptModule(Module):
    """A module that is its own script: an ordinary module."""


class RecursiveScriptModule(ScriptModule):
    """What PyTorch makes of a module; nothing here is one."""


class ScriptFunction:
    """What PyTorch makes of a function; nothing here is one."""


class Attribute:
    """A value with a type for the script compiler.

    >>> import flambeau as torch
    >>> torch.jit.Attribute(3, int).value
    3
    """

    def __init__(self, value: Any, type: Any) -> None:
        self.value, self.type = value, type


def script(
    obj: _Kept,
    optimize: Any = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> _Kept:
    """``obj`` itself: a function or module needs no script here.

    >>> import flambeau as torch
    >>> @torch.jit.script
    ... def double(x: torch.Tensor) -> torch.Tensor:
    ...     return x * 2
    >>> double(torch.ones(2))
    tensor([2., 2.])
    """
    return obj


def trace(func: _Kept, example_inputs: Any = None, *arguments: Any, **options: Any) -> _Kept:
    """``func`` itself, with whatever depends on its arguments still depending on them.

    >>> import flambeau as torch
    >>> torch.jit.trace(torch.relu, torch.ones(1)) is torch.relu
    True
    """
    return func


def trace_module(mod: _Kept, inputs: Any, *arguments: Any, **options: Any) -> _Kept:
    """``mod`` itself."""
    return mod


def script_method(fn: _Kept) -> _Kept:
    """``fn`` itself."""
    return fn


def script_if_tracing(fn: _Kept) -> _Kept:
    """``fn`` itself: nothing is ever traced."""
    return fn


def freeze(mod: _Kept, preserved_attrs: Any = None, optimize_numerics: bool = True) -> _Kept:
    """``mod`` itself. Constants are found in what was recorded.

    Raises:
        RuntimeError: the module is in training mode.
    """
    if getattr(mod, "training", False):
        raise RuntimeError("Freezing is currently only implemented for modules in eval mode. Please call .eval() first.")
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """``mod`` itself, in eval mode."""
    return mod.eval() if _builtin_isinstance(mod, Module) else mod


def export(fn: _Kept) -> _Kept:
    """Mark a method for the script compiler: it stays as it is."""
    return fn


def unused(fn: _Kept) -> _Kept:
    """Mark a method that the script compiler leaves out: it stays as it is."""
    return fn


def ignore(drop: Any = False, **options: Any) -> Any:
    """Mark a method that the script compiler leaves to Python: it stays as it is. With or without parentheses.

    >>> import flambeau as torch
    >>> torch.jit.ignore(len) is len, torch.jit.ignore(drop=True)(len) is len
    (True, True)
    """
    if callable(drop):
        return drop

    def keep(fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn

    return keep


def interface(obj: _Kept) -> _Kept:
    """Mark a class as an interface: it stays as it is."""
    return obj


def annotate(the_type: Any, the_value: _Kept) -> _Kept:
    """``the_value``; its type is a note for the script compiler."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether ``obj`` is of a type, which may be one with parameters: the elements are looked at too.

    >>> import flambeau as torch
    >>> torch.jit.isinstance([1, 2], list[int]), torch.jit.isinstance({"a": 1}, dict[str, str])
    (True, False)
    """
    from types import UnionType
    from typing import Union, get_args, get_origin

    if _builtin_isinstance(target_type, tuple):
        return any(isinstance(obj, each) for each in target_type)
    origin, parts = get_origin(target_type), get_args(target_type)
    if origin is None:
        return _builtin_isinstance(obj, type(None) if target_type is None else target_type)
    if origin in (Union, UnionType):
        return any(isinstance(obj, each) for each in parts)
    if not _builtin_isinstance(obj, origin):
        return False
    if origin is dict:
        return all(isinstance(key, parts[0]) and isinstance(value, parts[1]) for key, value in obj.items())
    if origin is tuple and not (len(parts) == 2 and parts[1] is Ellipsis):
        return len(obj) == len(parts) and all(map(isinstance, obj, parts))
    return all(isinstance(each, parts[0]) for each in obj)


def is_scripting() -> bool:
    """False: nothing is compiled to TorchScript."""
    return False


def is_tracing() -> bool:
    """False: nothing is traced."""
    return False
