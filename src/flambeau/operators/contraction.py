"""Products summed over a dimension: matrix multiplication and its relatives."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import COMPLEX
from ..core.names import scalar_name
from ..primitives import contraction as c
from ..primitives.values import Value
from .declaration import operator


def conjugate_transpose(x: Any) -> Any:
    """The last two dimensions exchanged, conjugated when complex."""
    x = x.transpose(-2, -1)
    return x.conj() if x._spec.dtype.category == COMPLEX else x


def _same_dtype(name: str, x: Value, y: Value) -> None:
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {scalar_name(x.dtype).lower()} != "
            f"{scalar_name(y.dtype).lower()} (in {name})"
        )


@operator(
    {
        "input": lambda grad, mat2: mm(grad, conjugate_transpose(mat2)),
        "mat2": lambda grad, input: mm(conjugate_transpose(input), grad),
    }
)
def mm(input: Tensor, mat2: Tensor) -> Value:
    """The product of two matrices, (n, m) and (m, p).

    >>> import flambeau as torch
    >>> torch.mm(torch.ones(2, 3), torch.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    if input.ndim != 2 or mat2.ndim != 2:
        which = "self" if input.ndim != 2 else "mat2"
        raise RuntimeError(f"{which} must be a matrix")
    if input.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({input.shape[0]}x{input.shape[1]} and "
            f"{mat2.shape[0]}x{mat2.shape[1]})"
        )
    _same_dtype("mm", input, mat2)
    return c.matrix_multiply(input, mat2)
