"""Weight normalization by a forward pre-hook (the older form; see ``parametrizations.weight_norm``)."""

from __future__ import annotations

import warnings
from typing import Any

from ..module import Module
from ..parameter import Parameter

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


def norm_except(tensor: Any, dim: int | None) -> Any:
    """The norm over all dimensions but ``dim``, which stays; over all when ``dim`` is ``None`` or -1."""
    if dim is None or dim == -1:
        return tensor.norm()
    others = [index for index in range(tensor.dim()) if index != dim % tensor.dim()]
    return tensor.norm(2, dim=others, keepdim=True) if others else tensor.abs()


class WeightNorm:
    """The hook: computes the weight w = g · v / ‖v‖ before every call."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """The weight, from the module's magnitude g and direction v."""
        magnitude, direction = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return direction * (magnitude / norm_except(direction, self.dim))

    @classmethod
    def apply(cls, module: Any, name: str, dim: int | None) -> WeightNorm:
        """Put the hook on ``module``, with parameters ``name_g`` and ``name_v`` in the place of ``name``."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        from ..parameter import is_lazy

        norm = cls(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying weight normalization"
            )
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(norm_except(weight, norm.dim).data))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, norm.compute_weight(module))
        module.register_forward_pre_hook(norm)
        return norm

    def remove(self, module: Any) -> None:
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Split a weight into its magnitude ``name_g`` and its direction ``name_v``; returns ``module``.

    w = g · v / ‖v‖, with the norm over all dimensions but ``dim`` (``None``: over all). Salimans & Kingma, "Weight
    normalization" (2016).
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Any:
    """Undo :func:`weight_norm`.

    Raises:
        ValueError: there is none on ``name``.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
