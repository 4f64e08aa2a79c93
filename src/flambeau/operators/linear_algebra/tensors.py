"""Tensors as matrices: some dimensions are the rows, the others the columns."""

from __future__ import annotations

from typing import Any

from ..declaration import composite
from .solving import inv, solve


def _count(shape: Any) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


@composite(function=False, method=False, name="linalg_tensorinv")
def tensorinv(A: Any, ind: int = 2) -> Any:
    """The inverse of A as a matrix from its dimensions after the first ``ind`` to those first ones.

    >>> import flambeau as torch
    >>> torch.linalg.tensorinv(torch.eye(4).reshape(2, 2, 4)).shape
    torch.Size([4, 2, 2])
    """
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    shape = A._spec.shape
    left, right = tuple(shape[:ind]), tuple(shape[ind:])
    if _count(left) != _count(right):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{_count(right)} != {_count(left)}"
        )
    return inv(A.reshape(_count(left), _count(right))).reshape(right + left)


@composite(function=False, method=False, name="linalg_tensorsolve")
def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """X with tensordot(A, X, X.ndim) = B; ``dims`` of A are moved to its end first.

    >>> import flambeau as torch
    >>> torch.linalg.tensorsolve(torch.eye(4).reshape(2, 2, 4), torch.ones(2, 2))
    tensor([1., 1., 1., 1.])
    """
    rank = A._spec.ndim
    if dims is not None:
        moved = [axis % rank for axis in dims]
        A = A.permute(*(axis for axis in range(rank) if axis not in moved), *moved)
    shape = tuple(A._spec.shape[B._spec.ndim :])
    if _count(shape) != B._spec.numel:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got "
            f"{_count(shape)} != {_count(A._spec.shape[: B._spec.ndim])}"
        )
    return solve(A.reshape(_count(shape), _count(shape)), B.flatten()).reshape(shape)
