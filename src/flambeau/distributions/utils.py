"""What the distributions share: parameters of one shape, probabilities and logits, values computed when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any, overload

from .. import operators
from ..autograd.grad_mode import enable_grad
from ..core.dtypes import finfo, get_default_dtype
from ..tensor import Tensor

euler_constant = 0.57721566490153286060

__all__ = [
    "broadcast_all", "clamp_probs", "euler_constant", "lazy_property", "logits_to_probs", "probs_to_logits",
    "tril_matrix_to_vec", "vec_to_tril_matrix",
]  # fmt: skip


def broadcast_all(*values: Any) -> tuple[Any, ...]:
    """Tensors of one shape; numbers take the dtype of the first floating tensor.

    Raises:
        ValueError: something is neither a number nor a tensor.
    """
    if not all(isinstance(each, (Tensor, Number)) for each in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    tensors = [each for each in values if isinstance(each, Tensor)]
    if len(tensors) < len(values):
        kind = tensors[0].dtype if tensors else get_default_dtype()
        values = tuple(each if isinstance(each, Tensor) else operators.tensor(each, dtype=kind) for each in values)
    return tuple(operators.broadcast_tensors(*values))


def standard_normal(shape: Any, dtype: Any) -> Any:
    """Numbers from the standard normal distribution, outside any graph."""
    return operators.normal(operators.zeros(shape, dtype=dtype), operators.ones(shape, dtype=dtype))


def sum_rightmost(value: Any, count: int) -> Any:
    """The sum over the last ``count`` dimensions."""
    return value if count == 0 else value.reshape((*value.shape[: value.dim() - count], -1)).sum(-1)


def clamp_probs(probs: Any) -> Any:
    """Probabilities kept away from 0 and 1 by the precision of their dtype."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """Probabilities from log-odds (``is_binary``) or from unnormalised log-probabilities over the last dimension."""
    return operators.sigmoid(logits) if is_binary else operators.softmax(logits, -1)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """The inverse of :func:`logits_to_probs`."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


def vec_to_tril_matrix(vec: Any, diag: int = 0) -> Any:
    """A lower-triangular matrix from its elements in row-major order; the inverse of :func:`tril_matrix_to_vec`."""
    count = vec.shape[-1]
    n = round((-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2)
    matrix = vec.new_zeros((*vec.shape[:-1], n, n))
    rows, columns = operators.tril_indices(n, n, diag)
    matrix[..., rows, columns] = vec
    return matrix


def tril_matrix_to_vec(mat: Any, diag: int = 0) -> Any:
    """The elements on and below a diagonal, in row-major order."""
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = operators.tril_indices(n, n, diag)
    return mat[..., rows, columns]


class lazy_property:
    """A property computed when first read, and kept."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Any: ...

    @overload
    def __get__(self, instance: Any, owner: Any = None) -> Any: ...

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value
