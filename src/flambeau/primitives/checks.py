"""The primitive that stops a program whose numbers are not what an operator can work on."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import primitive
from .values import Value

_ERRORS = {"IndexError": IndexError, "RuntimeError": RuntimeError, "ValueError": ValueError}


def _shape(x: Value, valid: Value, **_: Any) -> Any:
    return x.shape, x.dtype


@primitive(_shape, aliases=True, can_fail=True)
def checked(x: Any, valid: Any, *, error: str, message: str) -> Any:
    """x itself where the boolean array ``valid``, of x's shape, holds everywhere; ``{}`` in the message is the first culprit."""
    if not np.all(valid):
        raise _ERRORS[error](message.format(np.asarray(x)[~np.asarray(valid)].reshape(-1)[0]))
    return x
