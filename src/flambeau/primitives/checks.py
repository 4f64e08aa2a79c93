"""The primitive that stops a program whose numbers are not what an operator can work on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import primitive
from .values import Value

_ERRORS = {"IndexError": IndexError, "RuntimeError": RuntimeError, "ValueError": ValueError}


def _shape(x: Value, valid: Value, **_: Any) -> Any:
    return x.shape, x.dtype


def check_classes(target: Any, classes: int, ignored: int) -> None:
    """Raise IndexError for the first class number that is neither one of ``classes`` nor the ignored one."""
    if not target.size or (target.min() >= 0 and target.max() < classes):
        return
    wrong = target[((target < 0) | (target >= classes)) & (target != ignored)]
    if wrong.size:
        raise IndexError(f"Target {wrong.reshape(-1)[0]} is out of bounds.")


@primitive(_shape, aliases=True, can_fail=True)
def checked(x: Any, valid: Any, *, error: str, message: str) -> Any:
    """x itself where the boolean array ``valid``, of x's shape, holds everywhere; ``{}`` in the message is the first culprit."""
    if not np.all(valid):
        raise _ERRORS[error](message.format(np.asarray(x)[~np.asarray(valid)].reshape(-1)[0]))
    return x
