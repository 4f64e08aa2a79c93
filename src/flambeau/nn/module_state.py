"""Saving a module's tensors into a state dictionary, and loading them back."""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from ..tensor import Tensor
from .parameter import Parameter, is_lazy

if TYPE_CHECKING:
    from .module import Module

__all__ = ["EXTRA_STATE", "IncompatibleKeys", "load_into", "load_state", "save_state"]

#: The key under which ``get_extra_state`` is saved, after the module's own prefix.
EXTRA_STATE = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` could not match: keys it missed and keys it had no use for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class _IncompatibleKeys(IncompatibleKeys):
    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


# --- saving -----------------------------------------------------------------------------------------------------------


def save_state(module: Module, destination: Any, prefix: str, keep_vars: bool) -> Any:
    """Write the state of ``module`` and its children into ``destination``, with versions in its ``_metadata``."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    metadata = {"version": module._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = metadata

    for hook in module._state_dict_pre_hooks.values():
        hook(module, prefix, keep_vars)
    module._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars)
    for hook in module._state_dict_hooks.values():
        replaced = hook(module, destination, prefix, metadata)
        if not getattr(hook, "_from_public_api", False):
            destination = destination if replaced is None else replaced
        elif replaced is not None:
            raise RuntimeError("state_dict post-hook must return None")
    return destination


def save_own_state(module: Module, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Write the parameters, persistent buffers and extra state of ``module`` itself."""
    for name, value in own_state(module).items():
        destination[prefix + name] = value if keep_vars or is_lazy(value) else value.detach()
    if has_extra_state(module):
        destination[prefix + EXTRA_STATE] = module.get_extra_state()


def own_state(module: Module) -> dict[str, Any]:
    """The parameters and persistent buffers of ``module`` itself that are not ``None``, by name."""
    persistent = (item for item in module._buffers.items() if item[0] not in module._non_persistent_buffers_set)
    return {name: value for name, value in itertools.chain(module._parameters.items(), persistent) if value is not None}


def has_extra_state(module: Module) -> bool:
    """Whether the module's class says what else belongs into the state."""
    from .module import Module

    return type(module).get_extra_state is not Module.get_extra_state


# --- loading ----------------------------------------------------------------------------------------------------------


def load_state(module: Module, state_dict: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Load ``state_dict`` into ``module`` and its children; see :meth:`Module.load_state_dict`."""
    metadata = getattr(state_dict, "_metadata", None)
    state_dict = OrderedDict(state_dict)
    if metadata is not None:
        state_dict._metadata = metadata

    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []

    def load(part: Module, part_state: Any, prefix: str) -> None:
        part_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
        if assign:
            part_metadata["assign_to_params_buffers"] = assign
        part._load_from_state_dict(part_state, prefix, part_metadata, True, missing, unexpected, errors)
        for name, child in part._modules.items():
            if child is not None:
                child_prefix = prefix + name + "."
                # A part sees only its own keys: hooks may look through them all, once per module.
                child_state = {key: value for key, value in part_state.items() if key.startswith(child_prefix)}
                load(child, child_state, child_prefix)
        found = _IncompatibleKeys(missing, unexpected)
        for hook in part._load_state_dict_post_hooks.values():
            if hook(part, found) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )

    load(module, state_dict, "")
    if strict:
        complaints = [("Missing", missing), ("Unexpected", unexpected)]
        errors[:0] = [
            f"{kind} key(s) in state_dict: " + ", ".join(f'"{key}"' for key in keys) + ". "
            for kind, keys in complaints
            if keys
        ]
    if errors:
        listed = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}")
    return _IncompatibleKeys(missing, unexpected)


def load_into(
    module: Module,
    state_dict: Any,
    prefix: str,
    local_metadata: Any,
    strict: bool,
    missing_keys: list[str],
    unexpected_keys: list[str],
    error_msgs: list[str],
) -> None:
    """Load what belongs to ``module`` itself, noting what is missing, unexpected or of the wrong shape."""
    for hook in module._load_state_dict_pre_hooks.values():
        hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

    assign = local_metadata.get("assign_to_params_buffers", False)
    own = own_state(module)
    for name, current in own.items():
        key = prefix + name
        if key not in state_dict:
            if strict:
                missing_keys.append(key)
            continue
        error = _load_one(module, name, key, current, state_dict[key], assign)
        if error:
            error_msgs.append(error)

    extra_key = prefix + EXTRA_STATE
    wants_extra = type(module).set_extra_state is not _module_class().set_extra_state
    if wants_extra and extra_key in state_dict:
        module.set_extra_state(state_dict[extra_key])
    elif wants_extra and strict:
        missing_keys.append(extra_key)
    elif strict and extra_key in state_dict:
        unexpected_keys.append(extra_key)

    if strict:
        for key in state_dict:
            if key.startswith(prefix) and key != extra_key:
                first, *rest = key[len(prefix) :].split(".", 1)
                if first not in (module._modules if rest else own):
                    unexpected_keys.append(key)


def _module_class() -> Any:
    from .module import Module

    return Module


def _load_one(module: Module, name: str, key: str, current: Any, loaded: Any, assign: bool) -> str | None:
    """Put ``loaded`` in the place of ``current``; returns what is wrong with it, if anything."""
    from ..autograd.grad_mode import no_grad

    if not isinstance(loaded, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(loaded)}"
        )
    if not is_lazy(current):
        # Files from before PyTorch 0.4 keep scalars as vectors of one element.
        if current.dim() == 0 and loaded.dim() == 1 and len(loaded) == 1:
            loaded = loaded[0]
        if loaded.shape != current.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, the shape in "
                f"current model is {current.shape}."
            )
        if current.is_meta and not loaded.is_meta and not assign:
            warnings.warn(
                f"for {key}: copying from a non-meta parameter in the checkpoint to a meta parameter in the current "
                "model, which is a no-op. (Did you mean to pass `assign=True` to assign items in the state dictionary "
                "to their corresponding key in the module instead of copying them in place?)",
                stacklevel=2,
            )
    elif is_lazy(loaded):  # neither has values yet
        return None
    try:
        with no_grad():
            if not assign:
                current.copy_(loaded)
                return None
            if isinstance(current, Parameter):
                if not isinstance(loaded, Parameter):
                    loaded = Parameter(loaded, requires_grad=current.requires_grad)
                else:
                    loaded.requires_grad_(current.requires_grad)
            setattr(module, name, loaded)
    except Exception as error:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are {current.size()} and whose '
            f"dimensions in the checkpoint are {loaded.size()}, an exception occurred : {error.args}."
        )
    return None
