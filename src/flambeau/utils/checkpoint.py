"""Trading time for memory: what a function saved for backward is dropped and computed again when backward needs it.

Chen et al., "Training deep nets with sublinear memory cost" (2016).
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from ..amp.autocast_mode import autocast
from ..autograd import Function, backward
from ..autograd.grad_mode import enable_grad, mode, no_grad
from ..operators.autocasting import state as autocast_state
from ..random import fork_rng, get_rng_state, set_rng_state
from ..tensor import Tensor

__all__ = [
    "CheckpointError", "CheckpointFunction", "checkpoint", "checkpoint_sequential", "noop_context_fn",
    "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip


class CheckpointError(RuntimeError):
    """The function did something else when it ran again."""


class _Enough(Exception):
    """Everything that was saved has been computed again."""


class _Options:
    early_stop = True
    debug: bool | None = None


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether running a function again stops as soon as all that backward needs is there (the default)."""
    before, _Options.early_stop = _Options.early_stop, enable
    try:
        yield
    finally:
        _Options.early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Whether errors list all that was saved; None leaves it to ``checkpoint(debug=)``."""
    before, _Options.debug = _Options.debug, enabled
    try:
        yield
    finally:
        _Options.debug = before


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


class _Surroundings:
    """The random stream and autocast region in which a function first ran."""

    def __init__(self, preserve_rng_state: bool) -> None:
        self.stream = get_rng_state() if preserve_rng_state else None
        self.autocast = (autocast_state.enabled.get("cpu", False), autocast_state.dtype_of("cpu"), autocast_state.cache_enabled)

    @contextlib.contextmanager
    def again(self) -> Iterator[None]:
        enabled, kind, cache = self.autocast
        with fork_rng(enabled=self.stream is not None), autocast("cpu", kind, enabled, cache):
            if self.stream is not None:
                set_rng_state(self.stream)
            yield


# -- by saved-tensor hooks: the default to be ------------------------------------------------------------------------


class _Frame:
    """One call of a checkpointed function: how many tensors it saved, and how to get them back."""

    def __init__(self, run: Callable[[], Any], checked: bool, early_stop: bool, debug: bool) -> None:
        self.run, self.checked, self.early_stop, self.debug = run, checked, early_stop, debug
        self.kinds: list[tuple[Any, Any]] = []
        self.found: list[Any] = []

    def pack(self, tensor: Any) -> int:
        self.kinds.append((tuple(tensor.shape), tensor.dtype))
        return len(self.kinds) - 1

    def unpack(self, index: int) -> Any:
        if index >= len(self.found) or self.found[index] is None:
            self._run_again()
        tensor, self.found[index] = self.found[index], None
        if self.checked and self.kinds[index] != (tuple(tensor.shape), tensor.dtype):
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the "
                f"forward pass.\ntensor at position {index}:\nsaved metadata: {self.kinds[index]}\n"
                f"recomputed metadata: {(tuple(tensor.shape), tensor.dtype)}"
            )
        return tensor

    def _run_again(self) -> None:
        from ..autograd.graph import saved_tensors_hooks

        self.found = []

        def keep(tensor: Any) -> Any:
            self.found.append(tensor)
            if self.early_stop and len(self.found) == len(self.kinds):
                raise _Enough
            return tensor

        with enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor), contextlib.suppress(_Enough):
            self.run()
        if len(self.found) != len(self.kinds):
            detail = ""
            if self.debug or _Options.debug:
                detail = f"\nSaved during forward: {self.kinds}\nDuring recomputation: " + str(
                    [(tuple(each.shape), each.dtype) for each in self.found]
                )
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {len(self.kinds)}\n"
                f"Number of tensors saved during recomputation: {len(self.found)}.{detail}"
            )


# -- by a Function: gradients come from a backward pass within the backward pass -------------------------------------


class CheckpointFunction(Function):
    """A function run without a graph; its backward runs it again with one, and that graph backward."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        """``run_function(*args)``, keeping only ``args``."""
        if not any(isinstance(each, Tensor) and each.requires_grad for each in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        ctx.run_function, ctx.surroundings = run_function, _Surroundings(preserve_rng_state)
        ctx.places = [place for place, each in enumerate(args) if isinstance(each, Tensor)]
        ctx.others = [None if isinstance(each, Tensor) else each for each in args]
        ctx.save_for_backward(*(args[place] for place in ctx.places))
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of ``args``; those of what the function closes over are accumulated on the way."""
        args = list(ctx.others)
        for place, tensor in zip(ctx.places, ctx.saved_tensors):
            args[place] = tensor.detach().requires_grad_(tensor.requires_grad)
        with enable_grad(), ctx.surroundings.again():
            outputs = ctx.run_function(*args)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        pairs = [(o, g) for o, g in zip(outputs, grad_outputs) if isinstance(o, Tensor) and o.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([output for output, _ in pairs], [grad for _, grad in pairs])
        return None, None, *(each.grad if isinstance(each, Tensor) else None for each in args)


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose intermediate results are computed again in backward instead of kept.

    Args:
        use_reentrant: False (recommended): works with keywords, nested structures and ``autograd.grad``. True: the older way.
        context_fn: makes two contexts, for the first run and for those in backward.
        determinism_check: "none": do not compare shapes and dtypes of the two runs.
        preserve_rng_state: (keyword) draw the same random numbers in both runs; True by default.
        early_stop: end the second run as soon as all that backward needs is there.

    >>> import flambeau as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> torch.utils.checkpoint.checkpoint(lambda x: x.exp().log(), x, use_reentrant=False).backward(); x.grad
    tensor(1.)
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, calling "
            "checkpoint without use_reentrant will raise an exception. use_reentrant=False is recommended, but if you need to "
            "preserve the current default behavior, you can pass use_reentrant=True.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ('default', 'none'), but got {determinism_check}")
    first, second = context_fn()
    if not mode.enabled:
        with first:
            return function(*args, **kwargs)
    from ..autograd.graph import saved_tensors_hooks

    surroundings = _Surroundings(preserve)

    def again() -> None:
        with surroundings.again(), second:
            function(*args, **kwargs)

    frame = _Frame(again, determinism_check == "default", early_stop and _Options.early_stop, debug)
    with saved_tensors_hooks(frame.pack, frame.unpack), first:
        return function(*args, **kwargs)


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any) -> Any:
    """A sequence of modules in ``segments`` parts, each but the last one checkpointed.

    >>> import flambeau as torch
    >>> layers = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    >>> torch.utils.checkpoint.checkpoint_sequential(layers, 2, torch.ones(1, 2), use_reentrant=False).shape
    torch.Size([1, 2])
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    layers = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def part(start: int, stop: int) -> Callable[[Any], Any]:
        def run(value: Any) -> Any:
            for layer in layers[start:stop]:
                value = layer(value)
            return value

        return run

    size = len(layers) // segments
    if size == 0:
        raise ValueError(f"checkpoint_sequential: cannot divide {len(layers)} layers into {segments} segments")
    stop = 0
    for start in range(0, size * (segments - 1), size):
        stop = start + size
        input = checkpoint(part(start, stop), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return part(stop, len(layers))(input)
