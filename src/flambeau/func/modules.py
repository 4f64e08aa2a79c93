"""Modules for functional use: ensembles as stacked parameters, normalization without running statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..operators.declaration import functions
from ..tensor import Tensor

__all__ = ["debug_unwrap", "functionalize", "replace_all_batch_norm_modules_", "stack_module_state"]


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of modules of one kind, by name, stacked along a new first dimension.

    >>> import flambeau as torch
    >>> parameters, _ = torch.func.stack_module_state([torch.nn.Linear(2, 3) for _ in range(4)])
    >>> parameters["weight"].shape
    torch.Size([4, 3, 2])
    """
    if not len(models):
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({each.training for each in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(each) for each in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stacked(tables: list[dict[str, Any]]) -> dict[str, Any]:
        made = {}
        for name, first in tables[0].items():
            column = [table[name] for table in tables]
            whole = functions["stack"]([each.detach() for each in column])
            made[name] = whole.requires_grad_(first.requires_grad) if first.requires_grad else whole
        return made

    return (
        stacked([dict(each.named_parameters()) for each in models]),
        stacked([dict(each.named_buffers()) for each in models]),
    )


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Take the running statistics off every batch normalization in ``root``, which then always uses the batch's own."""
    from ..nn.batch_normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d

    for each in root.modules():
        if isinstance(each, (BatchNorm1d, BatchNorm2d, BatchNorm3d)) and each.track_running_stats:
            each.running_mean = each.running_var = each.num_batches_tracked = None
            each.track_running_stats = False
    return root


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """``func`` with the same results and the same effects on its arguments, without mutations inside.

    Here every recorded program is free of mutations already, so that there is nothing left to remove.
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            f"functionalize(f, remove='mutations_and_views'): received invalid argument for remove={remove}. Valid options are:\n"
            "     remove='mutations': all inplace and out= operators will be removed from the program, and replaced with their "
            "out-of-place equivalents.\n     remove='mutations_and_views': In addition to the above, all aliasing operators {view} "
            "will be replaced with their non-aliasing counterparts, {view}_copy.\n"
        )
    import functools

    @functools.wraps(func)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return transformed


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """The tensor inside a transformation, as a plain one. Tensors are never wrapped here: it is its detached self."""
    if not isinstance(tensor, Tensor):
        raise ValueError(f"Expected a Tensor, got {type(tensor)}")
    return tensor.detach()
