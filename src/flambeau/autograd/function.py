"""``Function``: operators of the user's own, with a forward and a backward written in Python.

The context a Function's methods receive *is* the node of the graph, as in PyTorch: what the user hangs on ``ctx`` in
``forward`` is there in ``backward``, and ``result.grad_fn`` is that object.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..tracing.handles import Handle, wrap
from .grad_mode import mode, no_grad
from .in_place import adopt_history, check_leaf
from .saved import Packed, SavedResult, modified_error, save_value
from .tape import Node, edge_of, next_sequence, zeros_of


class FunctionCtx:
    """What ``forward`` and ``backward`` share: saved tensors and the user's own attributes."""

    needs_input_grad: tuple[bool, ...] = ()
    materialize_grads: bool = True
    _to_save: tuple[Any, ...] = ()
    _dirty: tuple[Any, ...] = ()
    _constant: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (inputs, outputs or others; None allowed) for ``backward``; see ``saved_tensors``."""
        self._to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for ``jvp``."""
        self._to_save_forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that ``forward`` has written to these inputs; they must be among its outputs."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that no gradient flows to these outputs."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether gradients nobody supplied arrive as zeros (True) or as None."""
        self.materialize_grads = value


class BackwardFunction(Node, FunctionCtx):
    """The node of a Function."""

    _forward_class: Any = None
    _saved: Any = ()
    _freed: bool = False
    _places: Sequence[int] = ()  # for each edge, which argument it stands for
    _arguments: int = 0

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to ``save_for_backward``.

        Raises:
            RuntimeError: they were freed by an earlier backward, or written to since.
        """
        if self._freed:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
                "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
                "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
                "saved tensors after calling backward."
            )
        if self._saved == () and self._to_save:
            return self._to_save  # during forward
        return tuple(self._unpack(*each) for each in self._saved)

    saved_variables = saved_tensors

    def _unpack(self, value: Any, version: int) -> Any:
        if isinstance(value, Handle):
            if value._cell.version != version:
                raise modified_error(value, version, self)
        elif type(value) is SavedResult:
            if value.cell.version != version:
                raise modified_error(value, version, self)
            made = wrap(value.cell, value.spec)
            made._tracked, made._node, made._slot = True, self, value.slot
            return made
        elif type(value) is Packed:
            return value.unpack(value.value)
        return value

    def apply(self, grads: list[Any]) -> Sequence[Any]:
        if self.materialize_grads:
            grads = [zeros_of(spec) if grad is None else grad for grad, spec in zip(grads, self.result_specs)]
        cls = self._forward_class
        results = (cls.backward if cls.vjp is Function.vjp else cls.vjp)(self, *grads)
        results = results if isinstance(results, tuple) else (results,)
        if len(results) > self._arguments and all(each is None for each in results[self._arguments :]):
            results = results[: self._arguments]
        if len(results) != self._arguments:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {self._arguments}, got "
                f"{len(results)})"
            )
        chosen = [results[place] for place in self._places]
        for place, each in zip(self._places, chosen):
            if each is not None and not isinstance(each, Handle):
                raise TypeError(
                    f"expected Variable or None (got {type(each).__name__}) as gradient {place} of {self.name()}"
                )
        return chosen

    def release(self) -> None:
        if self._saved:
            self._saved, self._to_save, self._freed = (), (), True


_classes: dict[Any, type] = {}


class Function:
    """Base class of custom operators: subclass it, write ``forward`` and ``backward``, call ``apply``.

    ``forward(ctx, *args)`` computes (or ``forward(*args)`` with a separate ``setup_context(ctx, inputs, output)``);
    ``backward(ctx, *grads)`` returns one gradient, or None, for each argument of ``forward``.

    >>> import flambeau as torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * grad
    >>> x = torch.tensor(3.0, requires_grad=True); Square.apply(x).backward(); x.grad
    tensor(6.)
    """

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        import warnings

        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke them "
            "on the class itself. Instantiating an autograd function will raise an error in a future version of PyTorch.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function with "
            "static forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs. Every subclass writes this."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save what backward needs, when ``forward`` takes no context."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward "
            "mode AD."
        )

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """Another name under which ``backward`` may be written."""
        raise NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function.")

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The derivative along a direction, for forward mode."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """How the function acts on a batch."""
        raise NotImplementedError("To use autograd.Function with vmap, you must override the vmap staticmethod")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and put it on the tape."""
        if kwargs:
            args = _bind(cls, args, kwargs)
        ctx = _node_class(cls)()
        tensors = [each for each in args if isinstance(each, Handle)]
        ctx.needs_input_grad = tuple(isinstance(each, Handle) and each._tracked for each in args)
        tracked = mode.enabled and any(each._tracked for each in tensors)
        with no_grad():
            if cls.setup_context is not Function.setup_context:
                outputs = cls.forward(*args)
                cls.setup_context(ctx, args, outputs)
            else:
                outputs = cls.forward(ctx, *args)
        single = not isinstance(outputs, tuple)
        results = [outputs] if single else list(outputs)
        if single and not isinstance(outputs, Handle) and outputs is not None:
            raise TypeError(f"{cls.__name__}.forward: expected Tensor or tuple of Tensors (got {type(outputs).__name__})")
        finished = _finish(ctx, cls, args, results, tracked)
        return finished[0] if single else tuple(finished)


def _bind(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    import inspect

    skip = cls.setup_context is Function.setup_context
    signature = inspect.signature(cls.forward)
    bound = signature.bind(*((None,) if skip else ()), *args, **kwargs)
    bound.apply_defaults()
    return tuple(bound.args[1:] if skip else bound.args)


def _node_class(cls: Any) -> Any:
    found = _classes.get(cls)
    if found is None:
        found = _classes[cls] = type(cls.__name__ + "Backward", (BackwardFunction,), {"_forward_class": cls})
    return found


def _finish(ctx: Any, cls: Any, args: Sequence[Any], results: list[Any], tracked: bool) -> list[Any]:
    """Point the outputs at the node, write inputs' history anew where they were written to, save tensors."""
    constant = {id(each) for each in ctx._constant}
    dirty = {id(each) for each in ctx._dirty}
    inputs = {id(each): each for each in args if isinstance(each, Handle)}
    ctx.sequence = next_sequence()
    ctx._arguments = len(args)
    ctx._places = [place for place, each in enumerate(args) if isinstance(each, Handle)]
    ctx.edges = tuple(edge_of(args[place]) if tracked else None for place in ctx._places)
    ctx.input_specs = [args[place]._spec for place in ctx._places]
    ctx.result_specs = [each._spec if isinstance(each, Handle) else None for each in results]
    slots: dict[int, int] = {}
    finished = []
    for slot, each in enumerate(results):
        if not isinstance(each, Handle):
            finished.append(each)
            continue
        original = id(each)
        if original not in dirty and (original in inputs or each._node is not None):
            each = wrap(each._cell, each._spec)
        if tracked and original not in constant and each._spec.dtype.category >= 2:
            if original in dirty and original in inputs:
                if each._node is None and each._tracked:
                    raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
                check_leaf(each)
                adopt_history(each, ctx)
            else:
                each._tracked, each._node, each._slot = True, ctx, slot
        slots[original] = slot
        finished.append(each)
    if tracked:
        ctx._saved = tuple(
            (None, 0) if each is None
            else save_value(finished[slots[id(each)]], slots[id(each)]) if id(each) in slots and id(each) not in inputs
            else save_value(each)
            for each in ctx._to_save
        )  # fmt: skip
        ctx._to_save = ctx._to_save if not ctx._saved else ()
    return finished


class _TwiceDifferentiated(Node):
    def apply(self, grads: list[Any]) -> Sequence[Any]:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a ``backward`` that cannot be differentiated itself."""

    @functools.wraps(function)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            outputs = function(ctx, *grads)
        tracked = [each for each in grads if isinstance(each, Handle) and each._tracked]
        if not mode.enabled or not tracked:
            return outputs
        node = _TwiceDifferentiated()
        node.sequence = next_sequence()
        node.edges = tuple(edge_of(each) for each in tracked)
        made = []
        for each in outputs if isinstance(outputs, tuple) else (outputs,):
            if isinstance(each, Handle):
                each = wrap(each._cell, each._spec)
                each._tracked, each._node, each._slot = True, node, 0
                node.result_specs = (each._spec,)
            made.append(each)
        return tuple(made) if isinstance(outputs, tuple) else made[0]

    return wrapped
