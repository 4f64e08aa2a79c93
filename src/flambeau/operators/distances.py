"""Distances and similarities between vectors."""

from __future__ import annotations

from typing import Any

from ..autograd.plans import called
from ..core.dtypes import int64
from ..core.names import scalar_name
from .declaration import composite, functions


@composite(method=False)
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Σ x1·x2/(max(|x1|, eps)·max(|x2|, eps)) along ``dim``.

    >>> import flambeau as torch
    >>> torch.cosine_similarity(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    kind = functions["result_type"](x1, x2)
    if not kind.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {_name(kind)}")
    x1, x2 = functions["broadcast_tensors"](x1.to(kind), x2.to(kind))
    first = _length(x1, dim).clamp(min=eps)
    second = _length(x2, dim).clamp(min=eps)
    return (x1 / first * (x2 / second)).sum(dim)


def _name(kind: Any) -> str:
    return scalar_name(kind)


def _length(x: Any, dim: int) -> Any:
    return functions["norm"](x, 2, dim, keepdim=True)


@composite(method=False)
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of x1 - x2 + eps along the last dimension.

    >>> import flambeau as torch
    >>> torch.pairwise_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    return called(functions["norm"](x1 - x2 + eps, p, -1, keepdim), "NormBackward1")


def _norm_of_differences(d: Any, p: float) -> Any:
    """The p-norm along the last dimension, whose gradient is zero where the difference is."""
    if p == 0:
        return (d != 0).to(d.dtype).sum(-1) + (d * 0).sum(-1)  # constant, but still on the tape
    if p == 1:
        return d.abs().sum(-1)
    if p == float("inf"):
        return d.abs().amax(-1) if d.shape[-1] else d.abs().sum(-1)
    return functions["norm"](d, p, -1)


@composite(method=False)
def cdist(
    x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary"
) -> Any:
    """The p-norm of the difference of every row of x1 (..., P, M) with every row of x2 (..., R, M): (..., P, R).

    >>> import flambeau as torch
    >>> torch.cdist(torch.zeros(1, 2), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    for place, each in ((1, x1), (2, x2)):
        if each.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, X{place} got: {each.dim()}D")
        if not each.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, X{place} got: {_name(each.dtype)}")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if compute_mode not in (
        None, "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist",
    ):  # fmt: skip
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    product = p == 2 and compute_mode == "use_mm_for_euclid_dist"
    node = "ViewBackward0" if product and x1.numel() and x2.numel() else "CdistBackward0"
    large = x1.shape[-2] * x2.shape[-2] * x1.shape[-1] > 1 << 20  # the differences themselves are more exact
    if p == 2 and large and compute_mode != "donot_use_mm_for_euclid_dist":
        if x1.shape[-2]:  # what is common to all rows would only cancel
            middle = x1.detach().mean(-2, keepdim=True)
            x1, x2 = x1 - middle, x2 - middle
        # |x - y|² = |x|² - 2x·y + |y|²: one matrix product instead of every difference.
        squares = (x1 * x1).sum(-1, keepdim=True) + (x2 * x2).sum(-1).unsqueeze(-2) - 2 * (x1 @ x2.transpose(-1, -2))
        return called(_root(squares), node)
    return called(_norm_of_differences(x1.unsqueeze(-2) - x2.unsqueeze(-3), p), node)


def _root(squares: Any) -> Any:
    """The square root, with a gradient of zero where it is zero."""
    zero = squares <= 1e-30
    return squares.masked_fill(zero, 1).sqrt().masked_fill(zero, 0)


@composite(method=False)
def pdist(input: Any, p: float = 2) -> Any:
    """The p-norms of the differences of every pair of rows of (N, M): the N·(N - 1)/2 of them, row by row.

    >>> import flambeau as torch
    >>> torch.pdist(torch.tensor([[0.0], [1.0], [3.0]]))
    tensor([1., 3., 2.])
    """
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    rows = input.shape[0]
    first = [i for i in range(rows) for _ in range(i + 1, rows)]
    second = [j for i in range(rows) for j in range(i + 1, rows)]
    index = functions["tensor"]
    left = input.index_select(0, index(first, dtype=int64))
    right = input.index_select(0, index(second, dtype=int64))
    return called(_norm_of_differences(left - right, p), "PdistBackward0")
