"""``compile``: the same function. Every call is recorded as it is anyway; there is nothing to trace, so nothing can break and
nothing need be guarded. What it is asked for changes when: what such a function records is compiled before it first runs, instead
of in the background once it has recurred. The trace it is recorded in may go on after it (loss, backward, the optimizer's
step): that is compiled with it, as one program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..nn.module import Module
from ..tracing.program import tiers
from ..tracing.recorder import trace
from . import switches

_MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")
_STANCES = (
    "default", "force_eager", "eager_on_recompile", "fail_on_recompile", "eager_then_compile", "aot_eager_then_compile",
)  # fmt: skip
#: The stances in which nothing is compiled for being asked for.
_WAITING = ("force_eager", "eager_on_recompile")


def _at_sight(function: Callable[..., Any], arguments: Any, named: Any) -> Any:
    """Call a function; what is recorded meanwhile, and what is pending then, is compiled before it runs."""
    if switches.state.stance in _WAITING:
        return function(*arguments, **named)
    tiers.depth += 1
    try:
        return function(*arguments, **named)
    finally:
        tiers.depth -= 1
        tiers.asked = trace.epoch


class OptimizedModule(Module):
    """What ``compile`` makes of a module: it calls the module, whose state appears under ``_orig_mod``."""

    _orig_mod: Module

    def __init__(self, mod: Module) -> None:
        super().__init__()
        self._orig_mod = mod
        self.training = mod.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return _at_sight(self._orig_mod, args, kwargs)

    def train(self, mode: bool = True) -> Any:
        """Set the mode of the module."""
        super().train(mode)
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self._orig_mod, name)


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | Callable[..., Any] | None = None,
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
    isolate_recompiles: bool = False,
    shapes_spec: Any = None,
) -> Any:
    """``model`` (a function or module) with exactly its meaning; without it, a decorator.

    What it records is compiled when it is first seen, before it runs; what is not under ``compile`` is compiled too, but in the
    background and once it recurs. The arguments are PyTorch's and are checked as there; they choose nothing else.

    Raises:
        AssertionError: ``model`` cannot be called.
        RuntimeError: ``mode`` is unknown, both ``mode`` and ``options`` are given, or there is no such ``backend``.

    >>> import flambeau as torch
    >>> torch.compile(lambda x: x * 2)(torch.ones(2))
    tensor([2., 2.])
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if mode is not None and mode not in _MODES:
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(_MODES)}")
    if isinstance(backend, str) and backend not in switches.list_backends(()):
        raise RuntimeError(f"Invalid backend: '{backend}', see `torch.compiler.list_backends()` for available backends.")
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options, disable=disable
        )
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    if disable:
        return model
    if isinstance(model, type):
        return model
    if isinstance(model, Module):
        return OptimizedModule(model)

    @functools.wraps(model)
    def compiled(*args: Any, **kwargs: Any) -> Any:
        return _at_sight(model, args, kwargs)

    compiled._torchdynamo_orig_callable = model  # type: ignore[attr-defined]
    return compiled


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """``fn`` itself, or a decorator: there is no tracing to keep out of it."""
    return (lambda function: function) if fn is None else fn


def nested_compile_region(
    fn: Any = None, *, options: Any = None, max_reuse_entries: int = 8, reuse_hash_fn: Any = None
) -> Any:
    """``fn`` itself, or a decorator: kernels that are alike are compiled once anyway."""
    return (lambda function: function) if fn is None else fn


class set_stance:
    """What being compiled means for functions, as a call, a context or a decorator.

    With "force_eager" and "eager_on_recompile" what they record is not compiled at sight, but when it recurs, as everything is.
    The other stances mean "default".

    Raises:
        RuntimeError: there is no such stance.
    """

    def __init__(
        self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
    ) -> None:
        if stance not in _STANCES:
            raise RuntimeError(f"invalid torch.compile stance '{stance}'; expected one of {', '.join(_STANCES)}")
        self.before, switches.state.stance = switches.state.stance, stance

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        stance, switches.state.stance = switches.state.stance, self.before

        @functools.wraps(function)
        def within(*args: Any, **kwargs: Any) -> Any:
            with set_stance(stance):
                return function(*args, **kwargs)

        return within

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: Any) -> None:
        switches.state.stance = self.before
