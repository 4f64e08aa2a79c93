"""The base class of every optimizer: parameter groups, state, checkpoints and hooks."""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from ..autograd.grad_mode import enable_grad, mode as grad_mode
from ..tensor import Tensor
from ..tracing.recorder import end_round
from ..utils.hooks import RemovableHandle
from .host_scalars import HostScalars, host_scalar

Parameters = Iterable[Any]
StateDict = dict[str, Any]
Closure = Callable[[], Any]


class _RequiredParameter:
    """Marks an option in ``defaults`` that each parameter group has to give itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()

_global_step_pre_hooks: dict[int, Callable[..., Any]] = OrderedDict()
_global_step_post_hooks: dict[int, Callable[..., Any]] = OrderedDict()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before each ``step`` of every optimizer.

    It may return ``(args, kwargs)`` to be used instead. Returns a handle whose ``remove()`` undoes this.
    """
    return _register(_global_step_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after each ``step`` of every optimizer."""
    return _register(_global_step_post_hooks, hook)


def _register(hooks: Any, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _with_hooks(function: Callable[..., Any]) -> Callable[..., Any]:
    """Surround one class's ``step`` with the hooks, and end it at the engine's sync point."""

    @functools.wraps(function)
    def step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if type(self).step is not step:  # reached through super().step(): the outermost one runs the hooks
            return function(self, *args, **kwargs)
        if not (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _global_step_pre_hooks
            or _global_step_post_hooks
        ):
            result = function(self, *args, **kwargs)
            end_round()
            return result
        arguments: tuple[Any, ...] = (self, *args)
        for pre_hook in chain(_global_step_pre_hooks.values(), self._optimizer_step_pre_hooks.values()):
            replacement = pre_hook(self, arguments, kwargs)
            if replacement is not None:
                if not (isinstance(replacement, tuple) and len(replacement) == 2):
                    raise RuntimeError(
                        f"{function} must return None or a tuple of (new_args, new_kwargs), but got {replacement}."
                    )
                arguments, kwargs = replacement
        result = function(*arguments, **kwargs)
        end_round()
        for post_hook in chain(self._optimizer_step_post_hooks.values(), _global_step_post_hooks.values()):
            post_hook(self, arguments, kwargs)
        return result

    step.hooked = True  # type: ignore[attr-defined]
    return step


class Optimizer:
    r"""Base class of all optimizers.

    A subclass either overrides :meth:`step`, as with PyTorch, or gives ``_update_group``, which applies the rule to
    the parameters of one group with gradients switched off (on when ``differentiable``).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts that each define a parameter group. Their order has to be
            the same in every run.
        defaults: the options of a group that does not give its own.

    Raises:
        TypeError: ``params`` is a tensor, or holds something that is none of the above.
        ValueError: no parameters, a parameter in two groups, a non-leaf tensor, or names on only some of them.
    """

    state: defaultdict[Any, Any]
    param_groups: list[dict[str, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Parameters, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._make_private_state()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {params.type()}"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_private_state(self) -> None:
        self._optimizer_step_pre_hooks: dict[int, Any] = OrderedDict()
        self._optimizer_step_post_hooks: dict[int, Any] = OrderedDict()
        self._optimizer_state_dict_pre_hooks: dict[int, Any] = OrderedDict()
        self._optimizer_state_dict_post_hooks: dict[int, Any] = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks: dict[int, Any] = OrderedDict()
        self._optimizer_load_state_dict_post_hooks: dict[int, Any] = OrderedDict()
        self._scalars = HostScalars()

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:
            self._make_private_state()
        self._scalars.forget()
        self.defaults.setdefault("differentiable", False)
        for group in self.param_groups:  # checkpoints of earlier versions know fewer options
            for name, value in self.defaults.items():
                if value is not required and name != "differentiable":
                    group.setdefault(name, value)
        for entry in self.state.values():  # and count steps in Python numbers
            if isinstance(entry, dict) and isinstance(entry.get("step"), (int, float)):
                entry["step"] = host_scalar(entry["step"])

    def __repr__(self) -> str:
        lines = [f"{self.__class__.__name__} ("]
        for index, group in enumerate(self.param_groups):
            if index:
                lines.append("")
            lines.append(f"Parameter Group {index}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])

    # hooks ------------------------------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return ``(args, kwargs)`` to use instead."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before :meth:`state_dict` collects anything."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` on the result of :meth:`state_dict`; it may return another one."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return the dict to load instead."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    # checkpoints ------------------------------------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """The state and the options, with parameters named by their position, as PyTorch lays it out.

        ``{"state": {0: {...}, ...}, "param_groups": [{..., "params": [0, ...]}, ...]}``. Tensors are not copied.
        """
        for pre_hook in self._optimizer_state_dict_pre_hooks.values():
            pre_hook(self)
        positions: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {name: value for name, value in group.items() if name != "params"}
            for parameter in group["params"]:
                positions.setdefault(id(parameter), len(positions))
            packed["params"] = [positions[id(parameter)] for parameter in group["params"]]
            groups.append(packed)
        state = {positions[id(key)] if isinstance(key, Tensor) else key: entry for key, entry in self.state.items()}
        result: StateDict = {"state": state, "param_groups": groups}
        for post_hook in self._optimizer_state_dict_post_hooks.values():
            replacement = post_hook(self, result)
            if replacement is not None:
                result = replacement
        return result

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Take over what :meth:`state_dict` gave, here or in PyTorch; parameters are matched by position.

        State follows its parameter's dtype and device, except the step counts.

        Raises:
            ValueError: the number of groups, or of the parameters in one, differs.
        """
        state_dict = state_dict.copy()
        for pre_hook in self._optimizer_load_state_dict_pre_hooks.values():
            replacement = pre_hook(self, state_dict)
            if replacement is not None:
                state_dict = replacement
        from copy import deepcopy

        saved_groups = deepcopy(state_dict["param_groups"])
        if len(self.param_groups) != len(saved_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            if len(group["params"]) != len(saved["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
                )
        by_position = dict(
            zip(
                chain.from_iterable(saved["params"] for saved in saved_groups),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, entry in state_dict["state"].items():
            if key in by_position:
                state[by_position[key]] = _follow(by_position[key], entry)
            else:
                state[key] = entry
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            saved["params"] = group["params"]
            if "param_names" in group and "param_names" not in saved:
                saved["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for post_hook in self._optimizer_load_state_dict_post_hooks.values():
            post_hook(self)

    # training ---------------------------------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every gradient; with ``set_to_none=False`` keep the tensors and fill them with zeros."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter.grad = None
                    continue
                gradient = parameter.grad
                if gradient is not None:
                    if gradient.grad_fn is not None:
                        gradient.detach_()
                    else:
                        gradient.requires_grad_(False)
                    gradient.zero_()

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient; with a closure, evaluate the loss first and return it."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        outer = grad_mode.enabled
        grad_mode.enabled = self.defaults.get("differentiable", False)
        try:
            for group in self.param_groups:
                self._update_group(group)
        finally:
            grad_mode.enabled = outer
        return loss

    def _update_group(self, group: dict[str, Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} defines neither step nor _update_group")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with options of its own, to unfreeze layers during training for instance."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        else:
            params = list(params)
        named = [isinstance(entry, tuple) for entry in params]
        if any(named):
            if not all(named):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = [name for name, _ in params]
            params = [parameter for _, parameter in params]
        param_group["params"] = params
        for parameter in params:
            if not isinstance(parameter, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {type(parameter).__name__}"
                )
            if not self.defaults.get("differentiable") and not (parameter.is_leaf or parameter.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, value in self.defaults.items():
            if value is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, value)
        identities = [id(parameter) for parameter in params]
        if len(identities) != len(set(identities)):
            import warnings

            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an "
                "error; see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        known = {id(parameter) for group in self.param_groups for parameter in group["params"]}
        if not known.isdisjoint(identities):
            raise ValueError("some parameters appear in more than one parameter group")
        if self.param_groups and ("param_names" in param_group) != ("param_names" in self.param_groups[0]):
            which = "with" if "param_names" in param_group else "without"
            raise ValueError(
                "all optimizer param groups should be with/without names. "
                f"cannot add param group {which} names to the optimizer"
            )
        self.param_groups.append(param_group)


Optimizer.step = _with_hooks(Optimizer.step)  # type: ignore[method-assign]


def _follow(parameter: Tensor, value: Any, key: Any = None) -> Any:
    """Loaded state in the dtype and on the device of its parameter; step counts stay what they are."""
    if isinstance(value, Tensor):
        if key == "step":
            return value
        if parameter.is_floating_point():
            return value.to(dtype=parameter.dtype, device=parameter.device)
        return value.to(device=parameter.device)
    if isinstance(value, dict):
        return {name: _follow(parameter, entry, name) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_follow(parameter, entry) for entry in value)
    return value
