"""The base classes of data pipes, and the registration that turns a pipe class into a method of every pipe."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from flambeau.utils.data.dataset import Dataset, IterableDataset

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

__all__ = ["DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe"]


class _Functional:
    """What pipes of both kinds share: the table of functions that can be called as methods, hooks and names."""

    functions: dict[str, Callable[..., Any]] = {}
    reduce_ex_hook: Callable[..., Any] | None = None
    getstate_hook: Callable[..., Any] | None = None
    str_hook: Callable[..., str] | None = None
    repr_hook: Callable[..., str] | None = None

    def __getattr__(self, attribute_name: str) -> Any:
        # Called only for what is not found as an ordinary attribute.
        function = type(self).functions.get(attribute_name)
        if function is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{attribute_name}'")
        bound = functools.partial(function, self)
        functools.update_wrapper(bound, function, assigned=("__doc__",), updated=())
        return bound

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *type(self).functions})

    @classmethod
    def register_function(cls, function_name: str, function: Callable[..., Any]) -> None:
        """Make `function` callable as a method of every pipe of this kind."""
        cls.functions[function_name] = function

    @classmethod
    def register_datapipe_as_function(
        cls, function_name: str, cls_to_register: Any, enable_df_api_tracing: bool = False
    ) -> None:
        """Make ``pipe.function_name(…)`` mean ``cls_to_register(pipe, …)``."""
        if function_name in cls.functions:
            raise Exception(f"Unable to add DataPipe function name {function_name} as it is already taken")

        def construct(source: Any, *args: Any, **kwargs: Any) -> Any:
            return cls_to_register(source, *args, **kwargs)

        construct.__doc__ = cls_to_register.__doc__
        cls.functions[function_name] = construct

    @classmethod
    def set_getstate_hook(cls, hook_fn: Callable[..., Any] | None) -> None:
        """Let `hook_fn` make the state of pipes as they are pickled."""
        if cls.getstate_hook is not None and hook_fn is not None:
            raise RuntimeError("Attempt to override existing getstate_hook")
        cls.getstate_hook = hook_fn

    @classmethod
    def set_reduce_ex_hook(cls, hook_fn: Callable[..., Any] | None) -> None:
        """Let `hook_fn` pickle pipes; it may raise NotImplementedError to leave one to the usual way."""
        if cls.reduce_ex_hook is not None and hook_fn is not None:
            raise RuntimeError("Attempt to override existing reduce_ex_hook")
        cls.reduce_ex_hook = hook_fn

    def __getstate__(self) -> Any:
        hook = type(self).getstate_hook
        return hook(self.__dict__) if hook is not None else self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __reduce_ex__(self, *args: Any, **kwargs: Any) -> Any:
        hook = type(self).reduce_ex_hook
        if hook is not None:
            try:
                return hook(self)
            except NotImplementedError:
                # The hook leaves this pipe to the usual way.
                return super().__reduce_ex__(*args, **kwargs)
        return super().__reduce_ex__(*args, **kwargs)

    def __repr__(self) -> str:
        hook = type(self).repr_hook
        return hook(self) if hook is not None else type(self).__qualname__

    def __str__(self) -> str:
        hook = type(self).str_hook
        return hook(self) if hook is not None else type(self).__qualname__


def _describe(pipe: IterDataPipe[Any]) -> str:
    """The pipe with its simple arguments, for an error message."""
    import inspect

    names = list(inspect.signature(type(pipe).__init__).parameters)[1:]
    shown = [f"{name}={vars(pipe)[name]!r}" for name in names if name in vars(pipe)]
    return f"{type(pipe).__name__}({', '.join(shown)})"


def _single_iterator(iterate: Callable[[Any], Iterator[Any]]) -> Callable[[Any], Iterator[Any]]:
    """Wrap a pipe's ``__iter__``: each call resets the pipe and ends the validity of earlier iterators."""

    @functools.wraps(iterate)
    def wrapped(self: Any) -> Iterator[Any]:
        if type(self).__iter__ is not wrapped:
            # Called through super(): the outermost __iter__ does the counting.
            return iterate(self)
        self._valid_iterator_id = (self._valid_iterator_id or 0) + 1
        self._number_of_samples_yielded = 0
        self.reset()
        return _guarded(self, iterate(self), self._valid_iterator_id)

    return wrapped


def _guarded(pipe: IterDataPipe[Any], samples: Iterator[Any], iterator_id: int) -> Iterator[Any]:
    while True:
        if pipe._valid_iterator_id != iterator_id:
            raise RuntimeError(
                "This iterator has been invalidated because another iterator has been created from the same "
                f"IterDataPipe: {_describe(pipe)}\nThis may be caused by multiple references to the same "
                "IterDataPipe. We recommend using `.fork()` if that is necessary."
            )
        try:
            sample = next(samples)
        except StopIteration:
            return
        pipe._number_of_samples_yielded += 1
        yield sample


class IterDataPipe(_Functional, IterableDataset[T_co]):
    """A stream that can be chained with others by method calls; a subclass writes ``__iter__``.

    Making an iterator calls `reset` and invalidates earlier ones: a pipe may hold buffers that only one can use.

    >>> class Count(IterDataPipe):
    ...     def __iter__(self): yield from range(3)
    >>> list(Count().map(str))
    ['0', '1', '2']
    """

    functions: dict[str, Callable[..., Any]] = {}

    _valid_iterator_id: int | None = None
    _number_of_samples_yielded: int = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__iter__" in vars(cls):
            cls.__iter__ = _single_iterator(vars(cls)["__iter__"])  # type: ignore[method-assign]

    def __iter__(self) -> Iterator[T_co]:
        # Not abstract, so that a pipe may get its samples through __next__ or a hook alone.
        if hasattr(type(self), "__next__"):
            return self
        raise NotImplementedError(f"{type(self).__name__} should implement __iter__")

    def reset(self) -> None:
        """Put the pipe back to its beginning; does nothing for a pipe without state."""


class DFIterDataPipe(IterDataPipe[T_co]):
    """A pipe whose samples are parts of data frames."""

    def _is_dfpipe(self) -> bool:
        return True


class MapDataPipe(_Functional, Dataset[T_co]):
    """A map from keys to samples that can be chained with others by method calls.

    >>> class Squares(MapDataPipe):
    ...     def __getitem__(self, index): return index * index
    ...     def __len__(self): return 3
    >>> Squares().map(str)[2]
    '4'
    """

    functions: dict[str, Callable[..., Any]] = {}


class DataChunk(list[T]):
    """A batch that a pipe yields: a list that prints its parts.

    >>> DataChunk([1, 2]).as_str()
    '[1, 2]'
    """

    def __init__(self, items: Iterable[T]) -> None:
        items = list(items)
        super().__init__(items)
        self.items = items

    def as_str(self, indent: str = "") -> str:
        """The elements in brackets, after `indent`."""
        return indent + "[" + ", ".join(str(item) for item in self) + "]"

    def raw_iterator(self) -> Iterator[T]:
        """The elements as they were given, however a subclass iterates."""
        return iter(self.items)
