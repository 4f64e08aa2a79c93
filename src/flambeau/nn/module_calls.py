"""What happens around ``forward``: hooks before and after it, and around its gradient.

A call of a module without hooks never comes here (see ``Module.__call__``); one with hooks runs
:func:`call_with_hooks`, which reads top to bottom in the order in which hooks run: global ones before the module's own.
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ..autograd import Function
from ..autograd.grad_mode import mode as grad_mode
from ..autograd.hooks import RemovableHandle
from ..tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from .module import Module

__all__ = [
    "call_with_hooks",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


class _GlobalHooks:
    """The hooks that run for every module of the process.

    Those around calls are in one dictionary, each with its kind, so that a call needs one look to know there are none.
    """

    def __init__(self) -> None:
        self.around_calls: OrderedDict[int, tuple[str, Any]] = OrderedDict()
        self.forward_with_kwargs: OrderedDict[int, bool] = OrderedDict()
        self.forward_always_called: OrderedDict[int, bool] = OrderedDict()
        self.backward_is_full: bool | None = None
        self.buffer_registration: OrderedDict[int, Any] = OrderedDict()
        self.module_registration: OrderedDict[int, Any] = OrderedDict()
        self.parameter_registration: OrderedDict[int, Any] = OrderedDict()

    def of_kind(self, kind: str) -> dict[int, Any]:
        """The hooks of one kind around calls, by key, as they are now."""
        return {key: hook for key, (found, hook) in self.around_calls.items() if found == kind}


global_hooks = _GlobalHooks()


def _register(hooks: OrderedDict[int, Any], hook: Any, extra: Any = None) -> RemovableHandle:
    handle = RemovableHandle(hooks, extra_dict=extra)
    hooks[handle.id] = hook
    return handle


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run ``hook(module, args)`` before the ``forward`` of every module; what it returns replaces the arguments."""
    return _register(global_hooks.around_calls, ("forward_pre", hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Run ``hook(module, args, output)`` after the ``forward`` of every module; what it returns replaces the output.

    ``with_kwargs`` hands over the keyword arguments too; ``always_call`` runs the hook even when ``forward`` raised.
    """
    hooks = global_hooks
    options = (hooks.forward_with_kwargs, hooks.forward_always_called)
    handle = _register(hooks.around_calls, ("forward", hook), options)
    if with_kwargs:
        hooks.forward_with_kwargs[handle.id] = True
    if always_call:
        hooks.forward_always_called[handle.id] = True
    return handle


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run ``hook(module, grad_output)`` before the gradient of every module is computed."""
    return _register(global_hooks.around_calls, ("backward_pre", hook))


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run ``hook(module, grad_input, grad_output)`` when the gradient of every module has been computed."""
    _choose_global_backward(full=True)
    return _register(global_hooks.around_calls, ("backward", hook))


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """The deprecated form of :func:`register_module_full_backward_hook`: it sees the last operator's gradients."""
    _choose_global_backward(full=False)
    return _register(global_hooks.around_calls, ("backward", hook))


def _choose_global_backward(full: bool) -> None:
    if global_hooks.backward_is_full is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only "
            "one of them."
        )
    global_hooks.backward_is_full = full


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run ``hook(module, name, buffer)`` whenever a buffer is registered; what it returns is registered instead."""
    return _register(global_hooks.buffer_registration, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run ``hook(module, name, submodule)`` whenever a child is registered; what it returns is registered instead."""
    return _register(global_hooks.module_registration, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Run ``hook(module, name, parameter)`` on every registration; what it returns is registered instead."""
    return _register(global_hooks.parameter_registration, hook)


# --- the call ---------------------------------------------------------------------------------------------------------


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``module.forward`` with every hook that concerns it."""
    called: set[int] = set()
    try:
        return _hooked_forward(module, args, kwargs, called)
    except Exception:
        _run_always_called(module, args, kwargs, called)
        raise


def _hooked_forward(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], called: set[int]) -> Any:
    for hook in global_hooks.of_kind("forward_pre").values():
        args = _replaced_arguments(hook(module, args), args)
    for key, hook in module._forward_pre_hooks.copy().items():
        if key in module._forward_pre_hooks_with_kwargs:
            replaced = hook(module, args, kwargs)
            if replaced is not None:
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {replaced}."
                    )
                args, kwargs = replaced
        else:
            args = _replaced_arguments(hook(module, args), args)

    full_hooks, regular_hooks = _backward_hooks_of(module)
    pre_hooks = [*global_hooks.of_kind("backward_pre").values(), *module._backward_pre_hooks.values()]
    around_gradient = BackwardHook(module, full_hooks, pre_hooks) if full_hooks or pre_hooks else None
    if around_gradient is not None:
        args = around_gradient.watch_inputs(args)

    result = module.forward(*args, **kwargs)

    for key, hook in global_hooks.of_kind("forward").items():
        called.add(key)
        with_kwargs = key in global_hooks.forward_with_kwargs
        replaced = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        result = result if replaced is None else replaced
    for key, hook in module._forward_hooks.copy().items():
        called.add(key)
        with_kwargs = key in module._forward_hooks_with_kwargs
        replaced = hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)
        result = result if replaced is None else replaced

    if around_gradient is not None:
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
                f"{type(result)}",
                stacklevel=4,
            )
        result = around_gradient.watch_outputs(result)
    if regular_hooks:
        _attach_regular_hooks(module, args, result, regular_hooks)
    return result


def _replaced_arguments(replaced: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    if replaced is None:
        return args
    return replaced if isinstance(replaced, tuple) else (replaced,)


def _run_always_called(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], called: set[int]) -> None:
    # The call is failing already: a hook that fails too must not hide why.
    registered = [
        (
            global_hooks.of_kind("forward"),
            global_hooks.forward_always_called,
            global_hooks.forward_with_kwargs,
            "global module ",
        ),
        (
            module._forward_hooks.copy(),
            module._forward_hooks_always_called,
            module._forward_hooks_with_kwargs,
            "module ",
        ),
    ]
    for hooks, always_called, with_kwargs, origin in registered:
        for key, hook in hooks.items():
            if key not in always_called or key in called:
                continue
            try:
                hook(module, args, kwargs, None) if key in with_kwargs else hook(module, args, None)
            except Exception as error:
                warnings.warn(
                    f"{origin}forward hook with ``always_call=True`` raised an exception that was silenced as another "
                    f"error was raised in forward: {error}",
                    stacklevel=4,
                )


def _backward_hooks_of(module: Module) -> tuple[list[Any], list[Any]]:
    full: list[Any] = []
    regular: list[Any] = []
    (full if global_hooks.backward_is_full is True else regular).extend(global_hooks.of_kind("backward").values())
    (full if module._is_full_backward_hook is True else regular).extend(module._backward_hooks.values())
    return full, regular


def _attach_regular_hooks(module: Module, inputs: Any, result: Any, hooks: list[Any]) -> None:
    first = result
    while not isinstance(first, Tensor):
        if isinstance(first, dict):
            first = next(value for value in first.values() if isinstance(value, Tensor))
        else:
            first = first[0]
    node = first.grad_fn
    if node is None:
        return
    for hook in hooks:
        node.register_hook(functools.partial(hook, module))
    module._maybe_warn_non_full_backward_hook(inputs, result, node)


def warn_of_partial_gradients(inputs: Any, result: Any, node: Any) -> None:
    """Warn when a regular backward hook will see less than the module's whole gradient."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else inputs
    results = (result,) if isinstance(result, Tensor) else result
    situation = ""
    if not (isinstance(results, tuple) and all(isinstance(value, Tensor) for value in results)):
        situation = "non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors"
        missing = "some of the grad_output"
    elif not (isinstance(inputs, tuple) and all(isinstance(value, Tensor) for value in inputs)):
        situation = (
            "non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of Tensors"
        )
        missing = "some of the grad_input"
    else:
        nodes = {value.grad_fn for value in results if value.grad_fn is not None}
        if nodes != {node}:
            situation = "a non-full backward hook when outputs are generated by different autograd Nodes"
            missing = "some grad_output"
        elif {value.grad_fn for value in inputs} != {following for following, _ in node.next_functions}:
            situation = "a non-full backward hook when the forward contains multiple autograd Nodes"
            missing = "some grad_input"
    if situation:
        warnings.warn(
            f"Using {situation} is deprecated and will be removed in future versions. This hook will be missing "
            f"{missing}. Please use register_full_backward_hook to get the documented behavior.",
            FutureWarning,
            stacklevel=5,
        )


# --- full backward hooks ----------------------------------------------------------------------------------------------


class BackwardHookFunction(Function):
    """The identity; on the way back it shows its gradients to ``react`` and passes on what that returns."""

    @staticmethod
    def forward(ctx: Any, react: Any, *tensors: Any) -> Any:
        ctx.react = react
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*[tensor for tensor in tensors if not tensor.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return (None, *ctx.react(gradients))


class BackwardHook:
    """One module call's gradient, watched: at its outputs (where it arrives) and at its inputs (where it leaves).

    The identity functions put on the inputs and the outputs call :meth:`_arrived` and :meth:`_left`. When no input
    requires a gradient nothing ever leaves, so the hooks run as soon as the gradient arrives.
    """

    def __init__(self, module: Module, hooks: list[Any], pre_hooks: list[Any]) -> None:
        self.module = module
        self.hooks = hooks
        self.pre_hooks = pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.input_count = 0
        self.output_count = 0
        self.input_positions: list[int] | None = None
        self.output_positions: list[int] = []

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs, seen by the hooks when their gradients leave."""
        self.input_count = len(args)
        watched, positions = self._watch(args, self._left)
        self.input_positions = positions
        return watched

    def watch_outputs(self, result: Any) -> Any:
        """The result, seen by the hooks when its gradient arrives."""
        single = isinstance(result, Tensor)
        outputs = (result,) if single else result
        if not isinstance(outputs, tuple):
            return result
        self.output_count = len(outputs)
        watched, positions = self._watch(outputs, self._arrived)
        self.output_positions = positions or []
        return watched[0] if single else watched

    def _watch(self, values: tuple[Any, ...], react: Any) -> tuple[tuple[Any, ...], list[int] | None]:
        positions = [index for index, value in enumerate(values) if isinstance(value, Tensor)]
        if not (grad_mode.enabled and any(values[index].requires_grad for index in positions)):
            return values, None
        passed = BackwardHookFunction.apply(react, *[values[index] for index in positions])
        replaced = list(values)
        for index, value in zip(positions, passed):
            replaced[index] = value
        if type(values) is tuple:
            return tuple(replaced), positions
        return type(values)(*replaced), positions  # a named tuple stays one

    def _arrived(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        grad_outputs = _spread(gradients, self.output_positions, self.output_count)
        for hook in self.pre_hooks:
            replaced = hook(self.module, grad_outputs)
            if replaced is None:
                continue
            grad_outputs = _checked(replaced, len(grad_outputs), "Backward pre hook", "grad_output")
        self.grad_outputs = grad_outputs
        if self.input_positions is None and self.hooks:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.register_full_backward_hook for more details.",
                stacklevel=5,
            )
            grad_inputs: tuple[Any, ...] = (None,) * self.input_count
            for hook in self.hooks:
                replaced = hook(self.module, grad_inputs, grad_outputs)
                nothing = replaced is None or (
                    isinstance(replaced, tuple) and all(gradient is None for gradient in replaced)
                )
                if not nothing:
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
            self.grad_outputs = None
        return tuple(grad_outputs[index] for index in self.output_positions)

    def _left(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_outputs is None:  # this gradient did not come through the module's output
            return gradients
        positions = self.input_positions or []
        grad_inputs = _spread(gradients, positions, self.input_count)
        for hook in self.hooks:
            replaced = hook(self.module, grad_inputs, self.grad_outputs)
            if replaced is not None:
                grad_inputs = _checked(replaced, len(grad_inputs), "Backward hook", "grad_input")
        self.grad_outputs = None
        return tuple(grad_inputs[index] for index in positions)


def _spread(gradients: tuple[Any, ...], positions: list[int], count: int) -> tuple[Any, ...]:
    spread = [None] * count
    for index, gradient in zip(positions, gradients):
        spread[index] = gradient
    return tuple(spread)


def _checked(replaced: Any, expected: int, kind: str, what: str) -> tuple[Any, ...]:
    if isinstance(replaced, Tensor):
        replaced = (replaced,)
    if len(replaced) != expected:
        raise RuntimeError(f"{kind} returned an invalid number of {what}, got {len(replaced)}, but expected {expected}")
    return tuple(replaced)
