"""Decorators for classes of data pipes and their methods."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_origin

from flambeau.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe

__all__ = [
    "argument_validation",
    "functional_datapipe",
    "guaranteed_datapipes_determinism",
    "non_deterministic",
    "runtime_validation",
    "runtime_validation_disabled",
]


class functional_datapipe:
    """Class decorator: makes a pipe class a method, called `name`, of all pipes of its kind."""

    name: str

    def __init__(self, name: str, enable_df_api_tracing: bool = False) -> None:
        self.name = name
        self.enable_df_api_tracing = enable_df_api_tracing

    def __call__(self, cls: Any) -> Any:
        kind: Any
        if isinstance(cls, non_deterministic) or issubclass(cls, IterDataPipe):
            kind = IterDataPipe
        elif issubclass(cls, MapDataPipe):
            kind = MapDataPipe
        else:
            raise TypeError(f"functional_datapipe can only decorate IterDataPipe or MapDataPipe, but got {cls}")
        kind.register_datapipe_as_function(self.name, cls, self.enable_df_api_tracing)
        return cls


class _Switch:
    """A setting for the duration of a ``with`` block."""

    value = False
    inside = True

    def __enter__(self) -> None:
        self._before = type(self).value
        type(self).value = self.inside

    def __exit__(self, *error: Any) -> None:
        type(self).value = self._before


class guaranteed_datapipes_determinism(_Switch):
    """While active, making a pipe that is marked `non_deterministic` raises TypeError."""

    value = False

    def __init__(self) -> None:
        self._before = False


class runtime_validation_disabled(_Switch):
    """While active, `runtime_validation` checks nothing."""

    value = False

    def __init__(self) -> None:
        self._before = False


class non_deterministic:
    """Class decorator: marks a pipe as non-deterministic, always or where a function of its arguments says so."""

    def __init__(self, arg: Any) -> None:
        self.cls: Any = None
        self.applies: Callable[..., bool] | None = None
        if isinstance(arg, type):
            if not issubclass(arg, IterDataPipe):
                raise TypeError(
                    f"Only `IterDataPipe` can be decorated with `non_deterministic`, but {arg.__name__} is found"
                )
            self.cls = arg
        elif callable(arg):
            self.applies = arg
        else:
            raise TypeError(f"{arg} can not be decorated by non_deterministic")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.cls is not None:
            if guaranteed_datapipes_determinism.value:
                raise TypeError(_not_deterministic(self.cls, ""))
            return self.cls(*args, **kwargs)
        cls = args[0]
        if not (isinstance(cls, type) and issubclass(cls, IterDataPipe)):
            raise TypeError(f"Only `IterDataPipe` can be decorated, but {getattr(cls, '__name__', cls)} is found")
        self.cls = cls
        return self.deterministic_wrapper_fn

    def deterministic_wrapper_fn(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pipe, unless its arguments make it non-deterministic where that is ruled out."""
        assert self.applies is not None
        result = self.applies(*args, **kwargs)
        if not isinstance(result, bool):
            raise TypeError(
                f"deterministic_fn of `non_deterministic` decorator is required to return a boolean value, but "
                f"{type(result)} is found"
            )
        if result and guaranteed_datapipes_determinism.value:
            raise TypeError(_not_deterministic(self.cls, " with the inputs"))
        return self.cls(*args, **kwargs)


def _not_deterministic(cls: type, when: str) -> str:
    return (
        f"{cls.__name__} is non-deterministic{when}, but you set 'guaranteed_datapipes_determinism'. You can turn off "
        "determinism for this DataPipe if that is acceptable for your application"
    )


def argument_validation(f: Callable[..., Any]) -> Callable[..., Any]:
    """Method decorator: an argument annotated as a data pipe must be one, else TypeError."""

    @functools.wraps(f)
    def checked(*args: Any, **kwargs: Any) -> Any:
        signature = inspect.signature(f, eval_str=True)
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            annotation = signature.parameters[name].annotation
            expected = get_origin(annotation) or annotation
            if isinstance(expected, type) and issubclass(expected, (IterDataPipe, MapDataPipe)):
                if not isinstance(value, expected):
                    raise TypeError(f"Expected argument '{name}' as a {expected.__name__}, but found {type(value)}")
        return f(*args, **kwargs)

    return checked


def _element_type(cls: type) -> Any:
    """``int`` for a class derived from ``IterDataPipe[int]``; None where no class is named."""
    for base in getattr(cls, "__orig_bases__", ()):
        origin = get_origin(base)
        if isinstance(origin, type) and issubclass(origin, IterDataPipe):
            (element,) = get_args(base)
            return element if isinstance(element, type) else None
    return None


def runtime_validation(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of ``__iter__``: each sample must be an instance of the pipe's declared element type.

    Raises RuntimeError for a sample that is not, TypeError when it decorates another method.
    """
    if f.__name__ != "__iter__":
        raise TypeError(f"Can not decorate function {f.__name__} with 'runtime_validation'")

    @functools.wraps(f)
    def checked(self: Any) -> Any:
        expected = _element_type(type(self))
        for sample in f(self):
            if expected is not None and not runtime_validation_disabled.value and not isinstance(sample, expected):
                raise RuntimeError(
                    f"Expected an instance as subtype of {expected}, but found an instance of {type(sample)}"
                )
            yield sample

    return checked
