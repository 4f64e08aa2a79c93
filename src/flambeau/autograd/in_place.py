"""What an in-place write means for the tape: who may be written to, and what becomes of its history."""

from __future__ import annotations

from typing import Any

from .grad_mode import mode
from .views import rebase


def check_leaf(target: Any) -> None:
    """Raise PyTorch's error for an in-place write to a leaf that requires grad (or a view of one)."""
    if target._inference and not mode.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
            "tensor before doing inplace update."
        )
    if target._tracked and target._node is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    base = target._base
    if base is not None and base._tracked and base._node is None:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")


def adopt_history(target: Any, node: Any) -> None:
    """Make ``node`` the origin of ``target`` after an in-place call; a view's base learns of the write too."""
    base = target._base
    if base is None:
        target._tracked, target._node, target._slot = True, node, 0
        return
    rebase(target, base, node)
