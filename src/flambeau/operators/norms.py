"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from ..core import strides as _strides
from ..core.dtypes import FLOATING, dtype
from ..core.names import scalar_name
from ..primitives import elementwise as p, reductions as r
from ..primitives.values import Value
from .declaration import composite, operator
from .kinds import Tensor
from .promotion import to
from .reductions import axes_of, kept, spread, sum

Ints = tuple[int, ...]


def _norm_back(grad: Any, input: Any, result: Any, ord: float, dim: Any, keepdim: bool) -> Any:
    """The derivative of (Σ|x|^p)^(1/p): sign(x)·(|x|/norm)^(p-1), zero where the norm is."""
    from .selection import where

    spec = input._spec
    if spec.numel == 0 or ord == 0:
        return input.new_zeros(spec.shape)
    grad = spread(grad, spec, dim, keepdim)
    norm = spread(result, spec, dim, keepdim)
    if ord == 1:
        return input.sgn() * grad
    if ord == 2:
        return (grad * (input / norm)).masked_fill(norm == 0, 0)
    if math.isinf(ord):
        size = input.abs()
        attained = (size == norm) | (size.isnan() & norm.isnan())
        count = sum(attained, dim, True).to(grad._spec.dtype)
        return input.sgn() * where(attained, grad / count, 0)
    if ord < 1:
        scale = input.abs().pow(ord - 1).masked_fill(input == 0, 0)
        return input.sgn() * scale * (grad * norm.pow(1 - ord))
    if ord < 2:
        scale = (norm.pow(1 - ord) * grad).masked_fill(norm == 0, 0)
        return input.sgn() * input.abs().pow(ord - 1) * scale
    scale = (grad / norm.pow(ord - 1)).masked_fill(norm == 0, 0)
    return input * input.abs().pow(ord - 2) * scale


@operator({"x": lambda grad, x, result, ord, dim, keepdim: _norm_back(grad, x, result, ord, dim, keepdim)},
          name="linalg_vector_norm", function=False, method=False)  # fmt: skip
def _vector_norm(x: Tensor, ord: float = 2.0, dim: int | Ints | None = None, keepdim: bool = False,
                 dtype: dtype | None = None) -> Value:  # fmt: skip
    if x.category < FLOATING:
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {scalar_name(x.dtype)}"
        )
    kind = dtype or x.dtype
    axes = axes_of(x, dim)
    if (ord < 0 or math.isinf(ord)) and any(x.shape[axis] == 0 for axis in axes):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord:g} norm on an empty tensor along a dimension of size 0, because the "
            "operation does not have an identity"
        )
    x = to(x, kind)
    size = to(p.absolute(x), kind.to_real().compute)
    wide = size.dtype
    if ord == 0:
        result = r.reduce_sum(p.not_equal(size, 0), axes=axes, dtype=wide)
    elif ord == 1:
        result = r.reduce_sum(size, axes=axes, dtype=wide)
    elif ord == 2:
        result = p.sqrt(r.reduce_sum(size * size, axes=axes, dtype=wide)) if axes else size
    elif math.isinf(ord):
        result = (r.reduce_max if ord > 0 else r.reduce_min)(size, axes=axes)
    else:
        result = p.power(r.reduce_sum(p.power(size, float(ord)), axes=axes, dtype=wide), 1.0 / ord)
    return kept(to(result, kind.to_real()), x, axes, keepdim)


@composite(function=False, method=False, name="linalg_vector_norm")
def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """(Σ|x|^ord)^(1/ord) over ``dim`` (all elements when None); ``inf`` is the greatest magnitude, 0 counts nonzeros.

    >>> import flambeau as torch
    >>> torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return _vector_norm(x, float(ord), dim, keepdim, dtype)


@composite(function=False, method=False, name="linalg_matrix_norm")
def matrix_norm(A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None) -> Any:
    """A norm of matrices: "fro", "nuc", ±1 (columns), ±inf (rows), ±2 (singular values)."""
    spec = A._spec
    if spec.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    if spec.dtype.category < FLOATING:
        raise RuntimeError(
            f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {scalar_name(spec.dtype)}"
        )
    if isinstance(dim, int) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    first, second = _strides.normalize_axes(tuple(dim), spec.ndim)
    if dtype is not None:
        A = A.to(dtype)
    if ord == "fro":
        result = vector_norm(A, 2, (first, second), keepdim)
    elif ord in ("nuc", 2, -2):
        from .linear_algebra.singular import svdvals

        values = svdvals(A.permute(*(a for a in range(spec.ndim) if a not in (first, second)), first, second))
        result = values.sum(-1) if ord == "nuc" else (values.amax(-1) if ord > 0 else values.amin(-1))
        if keepdim:
            result = result.unsqueeze(min(first, second)).unsqueeze(max(first, second))
    elif ord in (1, -1, float("inf"), float("-inf")):
        along, over = (first, second) if abs(ord) == 1 else (second, first)
        sums = vector_norm(A, 1, along, True)
        if ord > 0 and not sums._spec.shape[over]:
            result = sums.sum(over, True)  # of no rows or columns: zero
        else:
            result = (sums.amax if ord > 0 else sums.amin)(over, True)
        if not keepdim:
            result = result.squeeze((first, second))
    else:
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    return result


@composite()
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """A vector norm of all elements or over ``dim``; "fro" is the 2-norm, "nuc" the nuclear norm of matrices.

    >>> import flambeau as torch
    >>> torch.norm(torch.tensor([[3.0, 4.0]]))
    tensor(5.)
    """
    if p == "nuc":
        result = matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    else:
        order = 2.0 if p is None or p == "fro" else p
        if isinstance(order, str):
            raise RuntimeError(f"Only valid string values are 'fro' and 'nuc', found: {p}")
        result = vector_norm(input, order, dim, keepdim, dtype=dtype)
    return result
