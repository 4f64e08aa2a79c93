"""The handle that every ``register_…_hook`` returns, and what happens to hooks that cannot be saved."""

from __future__ import annotations

from typing import Any

from ..autograd.hooks import RemovableHandle

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]


def unserializable_hook(function: Any) -> Any:
    """Mark a hook so that pickling the tensor that carries it warns about losing it."""
    function.__torch_unserializable__ = True
    return function


def warn_if_has_hooks(tensor: Any) -> None:
    """Warn when a tensor about to be pickled carries backward hooks, which are not saved."""
    hooks = getattr(tensor, "_backward_hooks", None) or {}
    for hook in hooks.values():
        if not hasattr(hook, "__torch_unserializable__"):
            import warnings

            warnings.warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the "
                "function with @torch.utils.hooks.unserializable_hook to suppress this warning",
                stacklevel=2,
            )
