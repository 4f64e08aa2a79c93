"""Whether operators are put on the tape: ``no_grad``, ``enable_grad``, ``set_grad_enabled``, ``inference_mode``."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ..tracing.handles import Classes


class _Mode(threading.local):
    """The mode of the current thread. Operators look at it only once an operand requires grad."""

    enabled: bool = True
    inference: bool = False


mode = _Mode()
#: The threads in which operators rewrite their arguments (autocasting): what a derivative's row records then depends on more
#: than what it is given.
rewriting: set[int] = set()
_lock = threading.Lock()


class _Inferring:
    """How many threads are in inference mode."""

    threads = 0


def _mark(made: Any) -> None:
    """Results of operators are inference tensors where this thread is in inference mode."""
    if mode.inference:
        made._inference = True


class _ContextDecorator:
    """A context manager that also decorates functions, generators and classes' methods."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import inspect

        if inspect.isclass(function):
            import warnings

            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions or "
                "methods. To preserve the current behavior of class decoration, you can directly decorate the `__init__` method "
                "and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
        if inspect.isgeneratorfunction(function):
            return self._generator(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return wrapped

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            sent: Any = None
            try:
                while True:
                    with self.clone():
                        value = generator.send(sent)
                    try:
                        sent = yield value
                    except GeneratorExit:
                        generator.close()
                        raise
                    except BaseException as error:
                        with self.clone():
                            value = generator.throw(error)
                        sent = yield value
            except StopIteration as stop:
                return stop.value

        return wrapped

    def clone(self) -> Any:
        return self.__class__()

    def __enter__(self) -> None:
        raise NotImplementedError("subclasses say what mode they set")

    def __exit__(self, *exception: Any) -> None:
        raise NotImplementedError("subclasses say what mode they restore")


class no_grad(_ContextDecorator):
    """Results of operators do not require grad inside this context (or decorated function).

    >>> import flambeau as torch
    >>> with torch.no_grad(): (torch.ones(1, requires_grad=True) * 2).requires_grad
    False
    """

    _value = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        if function is not None and callable(function):
            return made(function)
        return made

    def __enter__(self) -> None:
        self._previous = mode.enabled
        mode.enabled = self._value and not mode.inference

    def __exit__(self, *exception: Any) -> None:
        mode.enabled = self._previous


class enable_grad(no_grad):
    """Results require grad again inside this context, within a ``no_grad`` around it.

    >>> import flambeau as torch
    >>> with torch.no_grad(), torch.enable_grad(): (torch.ones(1, requires_grad=True) * 2).requires_grad
    True
    """

    _value = True


class set_grad_enabled(_ContextDecorator):
    """Sets the mode at once, as a function; restores it when used as a context manager.

    >>> import flambeau as torch
    >>> with torch.set_grad_enabled(False): torch.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        self.previous = globals()["mode"].enabled
        self.mode = bool(mode)
        globals()["mode"].enabled = self.mode and not globals()["mode"].inference

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        mode.enabled = self.previous
        return super().__call__(function)

    def clone(self) -> set_grad_enabled:
        return self.__class__(self.mode)

    def __enter__(self) -> None:
        mode.enabled = self.mode and not mode.inference

    def __exit__(self, *exception: Any) -> None:
        mode.enabled = self.previous

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mode={self.mode})"


class inference_mode(_ContextDecorator):
    """Like ``no_grad``, and tensors made inside never take part in autograd.

    >>> import flambeau as torch
    >>> with torch.inference_mode(): torch.ones(1).is_inference()
    True
    """

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if callable(mode) and not isinstance(mode, bool):
            made.mode = True
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self.mode = bool(mode)

    def clone(self) -> inference_mode:
        return self.__class__(self.mode)

    def __enter__(self) -> None:
        self._previous = mode.enabled, mode.inference
        self._switch(not self.mode, self.mode)

    def __exit__(self, *exception: Any) -> None:
        self._switch(*self._previous)

    @staticmethod
    def _switch(enabled: bool, inference: bool) -> None:
        with _lock:
            _Inferring.threads += inference - mode.inference
            Classes.mark = _mark if _Inferring.threads else None
        mode.enabled, mode.inference = enabled, inference


def is_grad_enabled() -> bool:
    """Whether operators on tensors that require grad are recorded on the tape."""
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """Whether an ``inference_mode`` context is active."""
    return mode.inference
