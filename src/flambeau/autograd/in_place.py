"""What an in-place write means for the tape: who may be written to, and what becomes of its history."""

from __future__ import annotations

from typing import Any

from .grad_mode import mode
from .views import WITHOUT_GRAD, adopt_views, rebase


def check_leaf(target: Any) -> None:
    """Raise PyTorch's error for an in-place write to a leaf that requires grad (or a view of one)."""
    if target._tracked and target._node is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    base = target._base
    if base is not None and base._tracked and base._node is None:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if base is not None and target._tracked and target._node.results > 1:
        raise RuntimeError(
            f"Output {target._slot} of {target._node.operation()} is a view and is being modified inplace. This view is the "
            "output of a function that returns multiple views. Such functions do not allow the output views to be modified "
            "inplace. You should replace the inplace operation by an out-of-place one."
        )


def check_inference(target: Any) -> None:
    """Raise PyTorch's error for a write to a tensor made in inference mode, outside of it."""
    if target._inference and not mode.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
            "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
        )


def check_view(target: Any) -> None:
    """Raise PyTorch's error where a view that the tape does not know is written to while the tape records."""
    if target._view_of is WITHOUT_GRAD and mode.enabled and target._base._tracked:
        raise RuntimeError(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is "
            "ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either "
            "both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace "
            "to be tracked)."
        )


def adopt_history(target: Any, node: Any) -> None:
    """Make ``node`` the origin of ``target`` after an in-place call; a view's base learns of the write too."""
    base = target._base
    before = (target._node, target._slot) if target._retains else None
    if base is None:
        first = not target._tracked
        target._tracked, target._node, target._slot = True, node, 0
        if first and target._views is not None:
            adopt_views(target)
    else:
        first = not base._tracked
        rebase(target, base, node)
        if first and base._views is not None:
            adopt_views(base)
    if before is not None:
        _follow(target, *before)


def _follow(target: Any, node: Any, slot: int) -> None:
    """What ``target`` retains is the gradient of its new content."""
    kept = dict(node.retained or {})
    reference = kept.pop(slot, None)
    node.retained = kept
    if reference is not None:
        target._node.retained, target._node.watched = {**(target._node.retained or {}), target._slot: reference}, True
