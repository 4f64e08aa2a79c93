"""Losses for detection: focal loss, and overlaps of predicted boxes with true ones."""

from __future__ import annotations

import math
from typing import Any

from ... import operators
from ...autograd.grad_mode import no_grad
from ...nn import functional as F
from .boxes import _roomy

__all__ = ["complete_box_iou_loss", "distance_box_iou_loss", "generalized_box_iou_loss", "sigmoid_focal_loss"]


def _reduced(loss: Any, reduction: str) -> Any:
    if reduction == "none":
        return loss
    if reduction == "mean":
        return loss.mean() if loss.numel() > 0 else 0.0 * loss.sum()
    if reduction == "sum":
        return loss.sum()
    raise ValueError(
        f"Invalid Value for arg 'reduction': '{reduction}'\n Supported reduction modes: 'none', 'mean', 'sum'"
    )


def sigmoid_focal_loss(
    inputs: Any, targets: Any, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Any:
    """−α_t (1 − p_t)^γ log p_t, where p_t is the probability given to the truth (Lin et al., 2017).

    Args:
        inputs: logits, of any shape.
        targets: 0 or 1 for each.
        alpha: weight of the positive class, 1 − alpha that of the negative one; −1 for no weights.
        gamma: how little easy examples count.

    >>> import flambeau as torch
    >>> torch.vision.ops.sigmoid_focal_loss(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.0]))
    tensor([0.0433, 0.0057])
    """
    if not (0 <= alpha <= 1) and alpha != -1:
        raise ValueError(f"Invalid alpha value: {alpha}. alpha must be in the range [0,1] or -1 for ignore.")
    probability = inputs.sigmoid()
    truth = probability * targets + (1 - probability) * (1 - targets)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * (1 - truth) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return _reduced(loss, reduction)


def _overlaps(boxes1: Any, boxes2: Any, eps: float) -> tuple[Any, Any, Any]:
    """For each pair of boxes: area shared / area covered, area covered, sides (…, 2) of the smallest box around both."""
    shared = operators.minimum(boxes1[..., 2:], boxes2[..., 2:]) - operators.maximum(boxes1[..., :2], boxes2[..., :2])
    apart = (shared <= 0).any(-1)
    overlap = (shared[..., 0] * shared[..., 1]).masked_fill(apart, 0)
    areas = [(each[..., 2] - each[..., 0]) * (each[..., 3] - each[..., 1]) for each in (boxes1, boxes2)]
    covered = areas[0] + areas[1] - overlap
    sides = operators.maximum(boxes1[..., 2:], boxes2[..., 2:]) - operators.minimum(boxes1[..., :2], boxes2[..., :2])
    return overlap / (covered + eps), covered, sides


def generalized_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Any:
    """1 − generalized overlap of each box with its counterpart (Rezatofighi et al., 2019); boxes (…, 4).

    >>> import flambeau as torch
    >>> torch.vision.ops.generalized_box_iou_loss(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[3.0, 0, 4, 1]]))
    tensor([1.5000])
    """
    iou, covered, sides = _overlaps(_roomy(boxes1), _roomy(boxes2), eps)
    around = sides[..., 0] * sides[..., 1]
    return _reduced(1 - (iou - (around - covered) / (around + eps)), reduction)


def distance_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Any:
    """1 − overlap + (distance of centres / diagonal around both)², box by box (Zheng et al., 2019).

    >>> import flambeau as torch
    >>> torch.vision.ops.distance_box_iou_loss(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[0.0, 0, 1, 1]]))
    tensor([1.1921e-07])
    """
    return _reduced(_distance_loss(_roomy(boxes1), _roomy(boxes2), eps)[0], reduction)


def _distance_loss(boxes1: Any, boxes2: Any, eps: float) -> tuple[Any, Any]:
    iou, _, sides = _overlaps(boxes1, boxes2, eps)
    apart = (boxes1[..., :2] + boxes1[..., 2:] - boxes2[..., :2] - boxes2[..., 2:]) / 2
    return 1 - iou + (apart**2).sum(-1) / ((sides**2).sum(-1) + eps), iou


def complete_box_iou_loss(boxes1: Any, boxes2: Any, reduction: str = "none", eps: float = 1e-7) -> Any:
    """:func:`distance_box_iou_loss` and a term for unlike ratios of width to height (Zheng et al., 2019).

    >>> import flambeau as torch
    >>> torch.vision.ops.complete_box_iou_loss(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[0.0, 0, 1, 1]]))
    tensor([1.1921e-07])
    """
    boxes1, boxes2 = _roomy(boxes1), _roomy(boxes2)
    loss, iou = _distance_loss(boxes1, boxes2, eps)
    slopes = [operators.atan((each[..., 2] - each[..., 0]) / (each[..., 3] - each[..., 1])) for each in (boxes1, boxes2)]
    unlike = 4 / math.pi**2 * (slopes[1] - slopes[0]) ** 2
    with no_grad():
        weight = unlike / (1 - iou + unlike + eps)
    return _reduced(loss + weight * unlike, reduction)
