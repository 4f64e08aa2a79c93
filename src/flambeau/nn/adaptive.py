"""Softmax over many classes whose rare ones are reached through clusters (Grave et al., 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..operators.declaration import functions
from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of targets (N) given (N, in_features), and the mean of their negatives.

    Classes are numbered from frequent to rare. Those below ``cutoffs[0]`` have a score of their own; the others share
    one for their cluster, and within it are told apart through a projection ``div_value`` times smaller each time.

    >>> import flambeau as torch
    >>> layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10]); layer.log_prob(torch.ones(3, 8)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(cutoffs)
            or min(cutoffs) <= 0
            or max(cutoffs) > n_classes - 1
            or len(set(cutoffs)) != len(cutoffs)
            or any(int(each) != each for each in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is "
                "between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for cluster in range(self.n_clusters):
            hidden = int(in_features // div_value ** (cluster + 1))
            size = self.cutoffs[cluster + 1] - self.cutoffs[cluster]
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, False, device, dtype), Linear(hidden, size, False, device, dtype)
                )
            )

    def reset_parameters(self) -> None:
        """Draw every weight anew."""
        self.head.reset_parameters()
        for projection, scores in self.tail:
            projection.reset_parameters()
            scores.reset_parameters()

    def forward(self, input: Any, target: Any) -> _ASMoutput:
        batched = target.dim() > 0
        if target.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if batched and input.size(0) != target.size(0):
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if batched != (input.dim() == 2):
            raise RuntimeError(
                f"{1 if batched else 0}D target tensor expects {2 if batched else 1}D input tensors, but found inputs with size "
                f"{input.size()}"
            )
        x, labels = (input, target) if batched else (input.unsqueeze(0), target.unsqueeze(0))
        outside = (labels < 0) | (labels >= self.n_classes)
        if outside.any():
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{labels.min().item()}, "
                f"{labels.max().item()}] were found. "
            )
        chosen = self._log_probabilities(x).gather(1, labels.unsqueeze(1)).squeeze(1)
        output = chosen if batched else chosen.squeeze(0)
        return _ASMoutput(output, (-output).mean())

    def _log_probabilities(self, x: Any) -> Any:
        head = F.log_softmax(self.head(x), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for cluster, layers in enumerate(self.tail):
            within = F.log_softmax(layers(x), dim=1)
            parts.append(within + head[:, self.shortlist_size + cluster].unsqueeze(1))
        return functions["cat"](parts, 1)

    def log_prob(self, input: Any) -> Any:
        """Log-probabilities of all classes, (N, n_classes)."""
        return self._log_probabilities(input)

    def predict(self, input: Any) -> Any:
        """The class with the highest probability for each row of (N, in_features)."""
        return self._log_probabilities(input).argmax(1)
