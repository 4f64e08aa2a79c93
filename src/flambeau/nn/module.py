"""``Module``: a function with tensors of its own, made of other such functions.

This file holds what a module *is*: its attributes, its tree, and conversion of the tensors in it. What runs around a
call is in ``module_calls.py``; saving and loading is in ``module_state.py``.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

from .. import operators
from ..autograd.grad_mode import mode as grad_mode, no_grad
from ..autograd.hooks import RemovableHandle
from ..core.devices import device as device_class
from ..core.dtypes import as_dtype, dtype as dtype_class
from ..tensor import Tensor
from ..tracing import synchronize
from .module_calls import call_with_hooks, global_hooks, warn_of_partial_gradients
from .module_state import load_into, load_state, save_own_state, save_state
from .parameter import Buffer, Parameter, is_lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .module_state import IncompatibleKeys

__all__ = ["Module"]

Self = TypeVar("Self", bound="Module")


class _CallState(threading.local):
    """Whether this thread is inside a module call without grad: only the outermost such call synchronizes."""

    inside = False


_call_state = _CallState()

_global_hooks_around_calls = global_hooks.around_calls


def _hook_tables() -> dict[str, Any]:
    return {
        "_backward_pre_hooks": OrderedDict(),
        "_backward_hooks": OrderedDict(),
        "_is_full_backward_hook": None,
        "_forward_hooks": OrderedDict(),
        "_forward_hooks_with_kwargs": OrderedDict(),
        "_forward_hooks_always_called": OrderedDict(),
        "_forward_pre_hooks": OrderedDict(),
        "_forward_pre_hooks_with_kwargs": OrderedDict(),
        "_state_dict_hooks": OrderedDict(),
        "_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_post_hooks": OrderedDict(),
    }


class Module:
    """The base class of all neural network modules.

    A subclass assigns parameters, buffers and other modules to attributes in ``__init__`` (after calling
    ``super().__init__()``) and defines ``forward``. What is assigned is registered: :meth:`parameters` finds it,
    :meth:`to` converts it, :meth:`state_dict` saves it.

    >>> import flambeau as torch
    >>> torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    dump_patches: bool = False
    #: Raised by a subclass whose saved state changes its form; ``_load_from_state_dict`` finds it in the metadata.
    _version: int = 1
    call_super_init: bool = False
    T_destination = TypeVar("T_destination", bound="dict[str, Any]")
    _compiled_call_impl: Any = None

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Module | None]
    _backward_pre_hooks: OrderedDict[int, Any]
    _backward_hooks: OrderedDict[int, Any]
    _is_full_backward_hook: bool | None
    _forward_hooks: OrderedDict[int, Any]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _forward_pre_hooks: OrderedDict[int, Any]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _state_dict_hooks: OrderedDict[int, Any]
    _state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_post_hooks: OrderedDict[int, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            if kwargs:
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
                )
            if args:
                raise TypeError(
                    f"{type(self).__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        # Past our own __setattr__, which would look every one of these values over.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            **_hook_tables(),
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # --- the call -----------------------------------------------------------------------------------------------------

    def forward(self, *input: Any) -> Any:
        """What the module computes; every subclass defines it. Call the module, not this, or hooks will not run."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # The common case first, in one test: every layer of every step passes here. Looking into the dictionary is
        # three times as fast as attributes are in a class that has a __getattr__.
        own = self.__dict__
        try:
            special = (
                own["_forward_hooks"]
                or own["_forward_pre_hooks"]
                or own["_backward_hooks"]
                or own["_backward_pre_hooks"]
                or _global_hooks_around_calls
                or "_compiled_call_impl" in own
            )
        except KeyError:
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute '_forward_hooks': call super().__init__() in its "
                "__init__()"
            ) from None
        if not special and (grad_mode.enabled or _call_state.inside):
            return self.forward(*args, **kwargs)
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        return self._call_impl(*args, **kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if grad_mode.enabled or _call_state.inside:
            return call_with_hooks(self, args, kwargs)
        _call_state.inside = True
        try:
            result = call_with_hooks(self, args, kwargs)
        finally:
            _call_state.inside = False
        # Without grad nothing else would end the recording: an evaluation loop would grow it without bound.
        synchronize()
        return result

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile this module's call, with the arguments of ``flambeau.compile``."""
        import flambeau

        package: Any = flambeau  # the function is entered into the namespace at run time
        self._compiled_call_impl = package.compile(self._call_impl, *args, **kwargs)

    # --- registration -------------------------------------------------------------------------------------------------

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is part of the module's state but not a parameter.

        ``persistent=False`` leaves it out of :meth:`state_dict`.

        Raises:
            KeyError: the name is empty, has a dot in it, or is taken.
            TypeError: ``tensor`` is neither a tensor nor ``None``.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name(name, "buffer", self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_type_name(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = _after_registration(global_hooks.buffer_registration, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; ``None`` keeps the name for one that is absent.

        Raises:
            KeyError: the name is empty, has a dot in it, or is taken.
            TypeError: ``param`` is neither a parameter nor ``None``.
            ValueError: ``param`` was computed from other tensors.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name(name, "parameter", self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{_type_name(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
                    "forward() method."
                )
            param = _after_registration(global_hooks.parameter_registration, self, name, param)
        self._parameters[name] = param

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module, reachable as an attribute.

        Raises:
            KeyError: the name is empty, has a dot in it, or is taken.
            TypeError: ``module`` is neither a module nor ``None``.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_type_name(module)} is not a Module subclass")
        self._check_name(name, "module", self._modules)
        self._modules[name] = _after_registration(global_hooks.module_registration, self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as :meth:`add_module`."""
        self.add_module(name, module)

    def _check_name(self, name: Any, kind: str, table: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_type_name(name)}")
        if kind == "module" and hasattr(self, name) and name not in table:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if kind != "module" and hasattr(self, name) and name not in table:
            raise KeyError(f"attribute '{name}' already exists")

    # --- attributes ---------------------------------------------------------------------------------------------------

    # Python asks here only after it found nothing in the instance's dictionary and in the class.
    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        if "_parameters" in own:  # the three tables are made together
            table = own["_parameters"]
            if name in table:
                return table[name]
            table = own["_modules"]
            if name in table:
                return table[name]
            table = own["_buffers"]
            if name in table:
                return table[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        parameters = own.get("_parameters")
        modules = own.get("_modules")
        buffers = own.get("_buffers")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, own, buffers, modules)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_type_name(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, own, parameters, buffers)
            modules[name] = _after_registration(global_hooks.module_registration, self, name, value)
        elif modules is not None and name in modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_type_name(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            modules[name] = _after_registration(global_hooks.module_registration, self, name, value)
        elif isinstance(value, Buffer):
            if buffers is None:
                raise AttributeError("cannot assign buffer before Module.__init__() call")
            self._forget(name, own, parameters, modules)
            self.register_buffer(name, value, getattr(value, "persistent", True))
        elif buffers is not None and name in buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{_type_name(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            buffers[name] = _after_registration(global_hooks.buffer_registration, self, name, value)
        else:
            super().__setattr__(name, value)

    def _forget(self, name: str, *tables: dict[str, Any] | None) -> None:
        for table in tables:
            if table is not None and name in table:
                del table[name]
        self.__dict__.get("_non_persistent_buffers_set", set()).discard(name)

    def __delattr__(self, name: str) -> None:
        if name in self._parameters:
            del self._parameters[name]
        elif name in self._buffers:
            del self._buffers[name]
            self._non_persistent_buffers_set.discard(name)
        elif name in self._modules:
            del self._modules[name]
        else:
            super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)  # a compiled program belongs to this process
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # A pickle made by an older version may lack the newer tables.
        for name, table in {"_non_persistent_buffers_set": set(), **_hook_tables()}.items():
            self.__dict__.setdefault(name, table)

    # --- finding things by name ---------------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Module:
        """The module at ``target``, a path such as ``"encoder.0.linear"``.

        Raises:
            AttributeError: there is nothing there, or something that is not a module.
        """
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at ``target``. With ``strict`` there must be a module there already.

        Raises:
            ValueError: ``target`` is empty or ``module`` is not a module.
            AttributeError: the path leads nowhere.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at ``target``; ``AttributeError`` when there is none."""
        return self._get_member(target, lambda parent, name, value: isinstance(value, Parameter), "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at ``target``; ``AttributeError`` when there is none."""
        return self._get_member(target, lambda parent, name, value: name in parent._buffers, "a buffer")

    def _get_member(self, target: str, accepts: Any, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        value = getattr(parent, name)
        if not accepts(parent, name, value):
            raise AttributeError(f"`{name}` is not {kind}")
        return value

    # --- walking the tree ---------------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """All modules of the tree with their paths, this one (``""``) first, a shared one once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, prefix + ("." if prefix else "") + name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """All modules of the tree, this one first."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children with their names, a shared one once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct children."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, get_members_fn: Any, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield path + ("." if path else "") + name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths; ``recurse=False`` leaves out those of children."""
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, as an optimizer takes them."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths; ``recurse=False`` leaves out those of children."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` with every module of the tree, children before their parents."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # --- modes --------------------------------------------------------------------------------------------------------

    def train(self: Self, mode: bool = True) -> Self:
        """Put every module of the tree in training mode, or (``mode=False``) in evaluation mode."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """Put every module of the tree in evaluation mode."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Let autograd record what happens to the parameters, or stop it."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every parameter's gradient, or (``set_to_none=False``) fill it with zeros."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if parameter.grad.grad_fn is not None:
                parameter.grad.detach_()
            else:
                parameter.grad.requires_grad_(False)
            parameter.grad.zero_()

    # --- conversion of the tensors ------------------------------------------------------------------------------------

    def _apply(self: Self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for name, parameter in self._parameters.items():
                if parameter is not None:
                    self._parameters[name] = _converted(parameter, fn)
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    buffer.data = fn(buffer.data)  # it stays without a shape
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Convert parameters and buffers in place: ``to(device)``, ``to(dtype)``, ``to(tensor)``,
        ``to(device, dtype, non_blocking)``, ``to(memory_format=…)``.

        Only floating point and complex tensors change their dtype.

        Raises:
            TypeError: the dtype is neither floating point nor complex.
        """
        device, dtype, non_blocking, memory_format = parse_conversion(args, kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError(
                    f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
                )
            if dtype.is_complex:
                import warnings

                warnings.warn(
                    "Complex modules are a new feature under active development whose design may change, and some "
                    "modules might not work as expected when using complex tensors as parameters or buffers.",
                    stacklevel=2,
                )

        def convert(tensor: Any) -> Any:
            target = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(device, target, non_blocking, memory_format=memory_format)
            if tensor.is_meta and device is not None and device.type != "meta":
                raise NotImplementedError(
                    "Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of "
                    "torch.nn.Module.to() when moving module from meta to a different device."
                )
            return tensor.to(device, target, non_blocking)

        return self._apply(convert)

    def type(self: Self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to ``dst_type``."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def _cast(self: Self, method: str) -> Self:
        return self._apply(lambda tensor: getattr(tensor, method)() if tensor.is_floating_point() else tensor)

    def float(self: Self) -> Self:
        """Convert floating point parameters and buffers to float32."""
        return self._cast("float")

    def double(self: Self) -> Self:
        """Convert floating point parameters and buffers to float64."""
        return self._cast("double")

    def half(self: Self) -> Self:
        """Convert floating point parameters and buffers to float16."""
        return self._cast("half")

    def bfloat16(self: Self) -> Self:
        """Convert floating point parameters and buffers to bfloat16."""
        return self._cast("bfloat16")

    def cpu(self: Self) -> Self:
        """Move parameters and buffers to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self: Self, device: Any = None) -> Self:
        """Move parameters and buffers to a CUDA device."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def xpu(self: Self, device: Any = None) -> Self:
        """Move parameters and buffers to an XPU device."""
        return self._move("xpu", device)

    def ipu(self: Self, device: Any = None) -> Self:
        """Move parameters and buffers to an IPU device."""
        return self._move("ipu", device)

    def mtia(self: Self, device: Any = None) -> Self:
        """Move parameters and buffers to an MTIA device."""
        return self._move("mtia", device)

    def _move(self: Self, kind: str, device: Any) -> Self:
        target = f"{kind}:{device}" if isinstance(device, int) else device or kind
        return self._apply(lambda tensor: tensor.to(target))

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Move parameters and buffers to ``device`` without copying their values."""
        return self._apply(lambda tensor: operators.empty_like(tensor, device=device), recurse=recurse)

    def share_memory(self: Self) -> Self:
        """Move parameters and buffers to memory that other processes can share."""
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.share_memory_()
            if tensor.grad is not None:
                tensor.grad.share_memory_()
        return self

    # --- state --------------------------------------------------------------------------------------------------------

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """The parameters and persistent buffers of the tree by path, detached unless ``keep_vars``.

        >>> import flambeau as torch
        >>> list(torch.nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        if args:
            import warnings

            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        return save_state(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy ``state_dict`` into this module and its children.

        With ``strict`` the keys must match exactly. With ``assign`` the tensors of the state dictionary become the
        module's own instead of being copied into its own. Returns the keys that were missing and unexpected.

        Raises:
            RuntimeError: lists every missing, unexpected and mis-shaped key.
            TypeError: ``state_dict`` is not a mapping.
        """
        from collections.abc import Mapping

        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        return load_state(self, state_dict, strict, assign)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        save_own_state(self, destination, prefix, keep_vars)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        load_into(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

    def get_extra_state(self) -> Any:
        """What besides tensors belongs in the state dictionary; a subclass that has such defines both methods."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called. Please file an issue to "
            "report this bug."
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what :meth:`get_extra_state` gave."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called. Please file an issue to "
            "report this bug."
        )

    # --- hooks --------------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args)`` before ``forward``; what it returns replaces the arguments.

        ``with_kwargs``: ``hook(module, args, kwargs)``, which returns ``None`` or both. ``prepend``: before the
        hooks registered so far.
        """
        handle = _add_hook(self._forward_pre_hooks, hook, prepend, self._forward_pre_hooks_with_kwargs)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Run ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        ``with_kwargs``: ``hook(module, args, kwargs, output)``. ``always_call``: even when ``forward`` raised.
        """
        options = (self._forward_hooks_with_kwargs, self._forward_hooks_always_called)
        handle = _add_hook(self._forward_hooks, hook, prepend, options)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_output)`` when the gradient of the output is known; it may return another one."""
        return _add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_input, grad_output)`` when the gradient of the inputs is known; it may return
        another ``grad_input``. Only positional arguments are watched."""
        self._choose_backward(full=True)
        return _add_hook(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The deprecated form of :meth:`register_full_backward_hook`: it sees the last operator's gradients only."""
        self._choose_backward(full=False)
        return _add_hook(self._backward_hooks, hook, False)

    def _choose_backward(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = full

    def _maybe_warn_non_full_backward_hook(self, inputs: Any, result: Any, grad_fn: Any) -> None:
        warn_of_partial_gradients(inputs, result, grad_fn)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return _add_hook(self._state_dict_hooks, hook, False)

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Run ``hook(module, state_dict, prefix, local_metadata)`` after saving; it may change the dictionary."""
        hook._from_public_api = True
        return _add_hook(self._state_dict_hooks, hook, False)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run ``hook(module, prefix, keep_vars)`` before saving."""
        return _add_hook(self._state_dict_pre_hooks, hook, False)

    def _register_load_state_dict_pre_hook(self, hook: Any, with_module: bool = False) -> RemovableHandle:
        return _add_hook(self._load_state_dict_pre_hooks, _HookOf(hook, self if with_module else None), False)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs)`` before loading."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Run ``hook(module, incompatible_keys)`` after loading; it may change those lists in place."""
        return _add_hook(self._load_state_dict_post_hooks, hook, False)

    # --- printing and copying -----------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the parentheses when the module is printed; a subclass defines it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indent(repr(module), 2)}" for name, module in self._modules.items()]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join([*lines, *children]) + "\n)"

    def _repr_html_(self) -> str:
        """What Jupyter shows: the tree of modules, with the number of parameters of each."""
        from ..drawing.html import module_html

        return module_html(self)

    def _replicate_for_data_parallel(self: Self) -> Self:
        replica = self.__new__(type(self))
        replica.__dict__ = self.__dict__.copy()
        # Parameters of a replica are plain attributes: they are copies that no optimizer may find.
        replica.__dict__.update(
            _parameters={}, _buffers=self._buffers.copy(), _modules=self._modules.copy(), _is_replica=True
        )
        return replica


def _converted(parameter: Any, fn: Callable[[Any], Any]) -> Any:
    """``parameter`` with its values and gradient put through ``fn``; the same object, since optimizers hold it, unless
    it moved to a device of another kind."""
    values = fn(parameter.data if is_lazy(parameter) else parameter)
    gradient = None if parameter.grad is None else fn(parameter.grad)
    if values.device.type != parameter.device.type:
        moved = Parameter(values, parameter.requires_grad)
        if gradient is not None:
            moved.grad = gradient.requires_grad_(parameter.grad.requires_grad)
        return moved
    parameter.data = values
    if gradient is not None:
        parameter.grad.data = gradient
    return parameter


class _HookOf:
    """A hook that is handed its module first. The module is not part of what a copy of the hook holds on to."""

    def __init__(self, hook: Callable[..., Any], module: Module | None) -> None:
        import weakref

        self.hook = hook
        self.with_module = module is not None
        self.module: Any = None if module is None else weakref.ref(module)
        functools.update_wrapper(self, hook)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.with_module:
            return self.hook(*args, **kwargs)
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return {"hook": self.hook, "with_module": self.with_module, "module": self.module() if self.module else None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["hook"], state.get("module"))  # type: ignore[misc]


def _add_hook(hooks: OrderedDict[int, Any], hook: Any, prepend: bool, options: Any = None) -> RemovableHandle:
    handle = RemovableHandle(hooks, extra_dict=options)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _after_registration(hooks: OrderedDict[int, Any], module: Module, name: str, value: Any) -> Any:
    for hook in hooks.values():
        replaced = hook(module, name, value)
        if replaced is not None:
            value = replaced
    return value


def _type_name(value: Any) -> str:
    """The name of a value's type, as PyTorch's messages give it: a tensor's tells its dtype."""
    if isinstance(value, Tensor) and value.type is not None:
        return value.type()
    kind = type(value)
    prefix = "" if kind.__module__ in ("builtins", "__builtin__") else kind.__module__ + "."
    return prefix + kind.__qualname__


def indent(text: str, spaces: int) -> str:
    """Indent every line but the first."""
    return text.replace("\n", "\n" + " " * spaces)


def parse_conversion(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, bool, Any]:
    """Read the arguments of ``Module.to`` and ``PackedSequence.to``: device, dtype, non_blocking, memory_format."""

    def refuse() -> TypeError:
        given = [type(value).__name__ for value in args] + [
            f"{name}={type(value).__name__}" for name, value in kwargs.items()
        ]
        return TypeError(
            f"to() received an invalid combination of arguments - got ({', '.join(given)}), but expected one of:\n"
            " * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, bool copy = False, "
            "*, torch.memory_format memory_format = None)\n"
            " * (torch.dtype dtype, bool non_blocking = False, bool copy = False, *, torch.memory_format "
            "memory_format = None)\n"
            " * (Tensor tensor, bool non_blocking = False, bool copy = False, *, torch.memory_format memory_format = "
            "None)\n"
        )

    first = args[0] if args else kwargs.get("tensor")
    if isinstance(first, Tensor):
        names = ["tensor", "non_blocking", "copy"]
    elif isinstance(first, (dtype_class, type)):
        names = ["dtype", "non_blocking", "copy"]
    else:
        names = ["device", "dtype", "non_blocking", "copy"]
    if len(args) > len(names):
        raise refuse()
    values = dict(zip(names, args))
    for name, value in kwargs.items():
        if name in values or name not in (*names, "memory_format"):
            raise refuse()
        values[name] = value
    if "tensor" in values:
        values["device"], values["dtype"] = values["tensor"].device, values["tensor"].dtype
    device, dtype = values.get("device"), values.get("dtype")
    if isinstance(dtype, type):  # float, say
        dtype = as_dtype(dtype, "to")
    if device is not None and not isinstance(device, (str, int, device_class)):
        raise refuse()
    if dtype is not None and not isinstance(dtype, dtype_class):
        raise refuse()
    if values.get("copy"):
        raise RuntimeError(".to() does not accept copy argument")
    device = device if device is None or isinstance(device, device_class) else device_class(device)
    return device, dtype, bool(values.get("non_blocking", False)), values.get("memory_format")
