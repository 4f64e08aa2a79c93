"""Complex parameters, seen by elementwise rules as pairs of real numbers."""

from __future__ import annotations

from ..operators.views import view_as_real
from ..tensor import Tensor


def as_real(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Views of the complex ones among ``tensors`` as real tensors with a last dimension of two."""
    return tuple(view_as_real(tensor) if tensor.is_complex() else tensor for tensor in tensors)
