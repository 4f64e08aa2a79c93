"""Leaving out whole blocks at random while training (Huang et al., 2016)."""

from __future__ import annotations

from typing import Any

from ... import nn, operators

__all__ = ["StochasticDepth", "stochastic_depth"]


def stochastic_depth(input: Any, p: float, mode: str, training: bool = True) -> Any:
    """Zero with probability ``p``, else ``input`` / (1 − p).

    Args:
        mode: "batch" decides once for the whole input, "row" once for each of its rows.
        training: without it, the input is returned as it is.

    Raises:
        ValueError: ``p`` is no probability, or there is no such mode.

    >>> import flambeau as torch
    >>> torch.vision.ops.stochastic_depth(torch.ones(2), 1.0, "batch")
    tensor([0., 0.])
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"drop probability has to be between 0 and 1, but got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"mode has to be either 'batch' or 'row', but got {mode}")
    if not training or p == 0.0:
        return input
    rows = input.shape[0] if mode == "row" else 1
    kept = operators.empty((rows, *[1] * (input.ndim - 1)), dtype=input.dtype, device=input.device).bernoulli_(1.0 - p)
    if p < 1.0:
        kept = kept / (1.0 - p)
    return input * kept


class StochasticDepth(nn.Module):
    """:func:`stochastic_depth` as a layer.

    >>> import flambeau as torch
    >>> torch.vision.ops.StochasticDepth(0.2, "row")
    StochasticDepth(p=0.2, mode=row)
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Any) -> Any:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}"
