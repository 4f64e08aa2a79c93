"""Looking up rows of a table: ``embedding``, ``embedding_bag``, ``one_hot``."""

from __future__ import annotations

from typing import Any

from ..operators import embedding as _rows
from ..operators.declaration import functions
from ..operators.embedding import one_hot as one_hot


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of ``weight`` (num, dim) that ``input`` (*) names: (*, dim).

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows that are looked up and longer than this (in ``norm_type``) are first rescaled in place.
        scale_grad_by_freq: divide a row's gradient by how often the row is named.
        sparse: accepted; gradients are dense.

    >>> import flambeau as torch
    >>> torch.nn.functional.embedding(torch.tensor([1]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.]])
    """
    padding = -1
    if padding_idx is not None:
        rows = weight.size(0)
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding = padding_idx % rows
    if max_norm is not None:
        input = input.contiguous()
        _rows.embedding_renorm_(weight, input, max_norm, norm_type)
    return functions["embedding"](weight, input, padding, scale_grad_by_freq, sparse)


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows of ``weight`` in each bag of indices: (bags, dim).

    Args:
        input: (bags, size), or (count) with ``offsets`` (bags): where each bag starts.
        per_sample_weights: what each row is multiplied with; of the shape of ``input``; only for "sum".
        include_last_offset: the last of ``offsets`` is where the last bag ends.

    Raises:
        ValueError: shapes, offsets or mode do not fit together.

    >>> import flambeau as torch
    >>> table = torch.tensor([[1.0], [2.0], [4.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 2], [1, 1]]), table, mode="sum")
    tensor([[5.],
            [4.]])
    """
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the same shape "
            f"as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences. "
                f"However, found offsets of type {type(offsets)}"
            )
        count, size = input.shape
        offsets = functions["arange"](0, count * size, size, dtype=input.dtype) if size else input.new_zeros((count,))
        input = input.reshape((-1,))
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape((-1,))
    elif input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if mode not in _rows.MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
    if max_norm is not None:
        _rows.embedding_renorm_(weight, input, max_norm, norm_type)
    return functions["embedding_bag"](
        weight, input, offsets, scale_grad_by_freq, _rows.MODES.index(mode), sparse, per_sample_weights, include_last_offset,
        padding_idx,
    )[0]  # fmt: skip
