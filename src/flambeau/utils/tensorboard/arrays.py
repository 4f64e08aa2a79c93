"""What users hand to a writer, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Tensor


def as_array(values: Any) -> Any:
    """A tensor, an array, a list or a number as an array of a dtype NumPy knows; numbers become arrays of one element.

    Raises:
        NotImplementedError: it is none of these.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        if values.dtype.numpy.isbuiltin != 1:  # bfloat16 and its like
            values = values.float()
        return np.array(values)
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, list):
        return np.array([as_array(each) for each in values] if any(isinstance(e, Tensor) for e in values) else values)
    if np.isscalar(values) and not isinstance(values, (str, bytes)):
        return np.array([values])
    raise NotImplementedError(
        f"Got {type(values)}, but a tensor, a numpy array, a list of numbers or a number is expected."
    )
