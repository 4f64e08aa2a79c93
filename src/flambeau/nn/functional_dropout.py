"""Dropout as ``nn.functional`` offers it: as in ``operators/dropout.py``, with ``training`` and ``inplace``."""

from __future__ import annotations

import warnings
from typing import Any

from ..operators.declaration import functions


def _apply(name: str, input: Any, p: float, training: bool, inplace: bool) -> Any:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return functions[name + "_" if inplace else name](input, p, training)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero with probability ``p``, else input/(1 - p).

    >>> import flambeau as torch
    >>> torch.nn.functional.dropout(torch.ones(2), training=False)
    tensor([1., 1.])
    """
    return _apply("dropout", input, p, training, inplace)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps the mean and variance of what SELU makes (Klambauer et al., 2017)."""
    return _apply("alpha_dropout", input, p, training, inplace)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """:func:`alpha_dropout` of whole channels of (N, C, *)."""
    return _apply("feature_alpha_dropout", input, p, training, inplace)


def _batched(input: Any, p: float, training: bool, inplace: bool, batched: bool) -> Any:
    if batched:
        return _apply("feature_dropout", input, p, training, inplace)
    if inplace:
        return _apply("feature_dropout", input.unsqueeze_(0), p, training, True).squeeze_(0)
    return _apply("feature_dropout", input.unsqueeze(0), p, training, False).squeeze(0)


def _deprecated(name: str, rank: int, spatial: int) -> None:
    warnings.warn(
        f"{name}: Received a {rank}-D input to {name}, which is deprecated and will result in an error in a future "
        "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel "
        f"dimension, and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        stacklevel=3,
    )


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, L) or (C, L).

    Raises:
        RuntimeError: an input of other than 2 or 3 dimensions.
    """
    _check(p)
    rank = input.dim()
    if rank not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {rank}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
    return _batched(input, p, training, inplace, rank == 3)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, H, W); three dimensions are taken as (N, C, L)."""
    _check(p)
    rank = input.dim()
    if rank not in (3, 4):
        _deprecated("dropout2d", rank, 2)
    if rank == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _apply("feature_dropout", input, p, training, inplace)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _check(p)
    rank = input.dim()
    if rank not in (4, 5):
        _deprecated("dropout3d", rank, 3)
    return _batched(input, p, training, inplace, rank == 5)
