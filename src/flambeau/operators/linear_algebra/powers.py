"""Powers, exponentials and long products of matrices."""

from __future__ import annotations

from typing import Any

from ...autograd.plans import called
from ...core.names import scalar_name
from ...primitives import linear_algebra as lapack
from ...primitives.values import Value
from ..contraction import matmul
from ..declaration import composite, operator
from ..kinds import Tensor
from .matrices import adjoint, check_floating, check_square, identity
from .solving import inv


@composite(aliases=())
def matrix_power(A: Any, n: int) -> Any:
    """A · A · … · A, n times, by repeated squaring; negative n: of the inverse.

    >>> import flambeau as torch
    >>> torch.linalg.matrix_power(torch.tensor([[1, 1], [0, 1]]), 3)
    tensor([[1, 3],
            [0, 1]])
    """
    check_square("linalg.matrix_power", A._spec, floating=False)
    if n == 0:
        nothing = A.masked_fill(A == A, 0).masked_fill(A != A, 0)
        return called(nothing + identity(A), "CopyBackwards")
    if n < 0:
        check_floating("linalg.matrix_power", A._spec)
        A, n = inv(A), -n
    if n == 1:
        return A.clone()
    if n == 3:
        return matmul(matmul(A, A), A)
    result: Any = None
    while True:
        if n & 1:
            result = A if result is None else matmul(result, A)
        n >>= 1
        if not n:
            return result
        A = matmul(A, A)


def _exponential_back(grad: Any, A: Any) -> Any:
    """The upper right block of exp [[Aᴴ, grad], [0, Aᴴ]] (Mathias, "A chain rule for matrix functions", 1996)."""
    from ..joining import cat

    turned = adjoint(A)
    size = A._spec.shape[-1]
    whole = cat((cat((turned, grad), -1), cat((turned.new_zeros(turned._spec.shape), turned), -1)), -2)
    return matrix_exp(whole)[..., :size, size:]


@operator({"A": _exponential_back}, name="linalg_matrix_exp", function=False, method=False)
def _matrix_exp(A: Tensor) -> Value:
    from ..promotion import to, widened

    check_square("linalg.matrix_exp", A, floating=False)
    check_floating("linalg.matrix_exp", A, low=True)
    return to(lapack.matrix_exponential(widened(A)), A.dtype)


@composite()
def matrix_exp(A: Any) -> Any:
    """Σ Aᵏ / k! of square matrices (…, n, n).

    >>> import flambeau as torch
    >>> torch.linalg.matrix_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _matrix_exp(A)


@composite(function=False, method=False, name="linalg_multi_dot")
def multi_dot(tensors: Any) -> Any:
    """The product of several matrices in the order that takes fewest multiplications (Cormen et al., chapter 15.2).

    >>> import flambeau as torch
    >>> torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3, 4), torch.ones(4)])
    tensor([12., 12.])
    """
    parts = list(tensors)
    if len(parts) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(parts)}")
    drops = []
    for place, axis in ((0, 0), (-1, 1)):
        rank = parts[place]._spec.ndim
        if rank == 1:
            parts[place] = parts[place].unsqueeze(axis)
            drops.append(axis)
        elif rank != 2:
            which = "first" if place == 0 else "last"
            raise RuntimeError(f"multi_dot(): the {which} tensor must be 1D or 2D but got {rank}D")
    for k, each in enumerate(parts):
        if each._spec.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {k} must be 2D but got {each._spec.ndim}D")
        if each._spec.dtype is not parts[0]._spec.dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {scalar_name(parts[0]._spec.dtype)} and "
                f"tensor {k} {scalar_name(each._spec.dtype)}"
            )
        if k and parts[k - 1]._spec.shape[1] != each._spec.shape[0]:
            shapes = f"{_shape(parts[k - 1])} and {k} with shape {_shape(each)}"
            raise RuntimeError(f"multi_dot(): tensors {k - 1} and {k} with shapes {shapes} cannot be multiplied")
    sizes = [each._spec.shape[0] for each in parts] + [parts[-1]._spec.shape[1]]
    result = _product(parts, _best_splits(sizes), 0, len(parts) - 1)
    result = called(result, "ViewBackward0")
    for axis in reversed(drops):
        result = result.squeeze(axis)
    return result


def _shape(x: Any) -> str:
    return str(list(x._spec.shape))


def _best_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    count = len(sizes) - 1
    costs: dict[tuple[int, int], int] = {(k, k): 0 for k in range(count)}
    splits: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            choices = [
                (costs[i, k] + costs[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            ]
            costs[i, j], splits[i, j] = min(choices)
    return splits


def _product(parts: list[Any], splits: dict[tuple[int, int], int], i: int, j: int) -> Any:
    if i == j:
        return parts[i]
    k = splits[i, j]
    return matmul(_product(parts, splits, i, k), _product(parts, splits, k + 1, j))
