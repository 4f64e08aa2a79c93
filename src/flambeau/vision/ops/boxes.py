"""Boxes: areas, overlaps, formats, clipping, and leaving out those that say the same as a better one.

A box is (x1, y1, x2, y2), its upper left and lower right corner, unless a format says otherwise; boxes are (N, 4).
"""

from __future__ import annotations

import math
from typing import Any

from ... import operators
from ...autograd.grad_mode import no_grad
from ...core.dtypes import float32, int32, int64

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
]


def nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
    """Indices of the boxes that overlap no better one by more than ``iou_threshold``, best first.

    Args:
        boxes: (N, 4).
        scores: (N,).

    Raises:
        RuntimeError: the shapes are others.

    >>> import flambeau as torch
    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]])
    >>> torch.vision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5)
    tensor([0, 2])
    """
    if boxes.dim() != 2:
        raise RuntimeError(f"nms: boxes should be a 2d tensor, got {boxes.dim()}D")
    if boxes.shape[1] != 4:
        raise RuntimeError(f"nms: boxes should have 4 elements in dimension 1, got {boxes.shape[1]}")
    if scores.dim() != 1:
        raise RuntimeError(f"nms: scores should be a 1d tensor, got {scores.dim()}D")
    if len(boxes) != len(scores):
        raise RuntimeError(
            "nms: boxes and scores should have same number of elements in dimension 0, "
            f"got {len(boxes)} and {len(scores)}"
        )
    if not boxes.is_floating_point():
        raise NotImplementedError(f'"nms_kernel" not implemented for {boxes.dtype}; convert the boxes with .float()')
    order = scores.detach().argsort(descending=True, stable=True)
    kept = _kept(boxes.detach()[order].cpu().numpy(), float(iou_threshold))
    return order[operators.tensor(kept, dtype=int64, device=order.device)]


def _kept(boxes: Any, threshold: float) -> list[int]:
    """Positions of the boxes that stay; they are given best first. Each step needs the last, so it is done in NumPy."""
    import numpy

    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1) * (y2 - y1)
    kept = []
    waiting = numpy.arange(len(boxes))
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(int(best))
        width = x2[waiting].clip(max=x2[best]) - x1[waiting].clip(min=x1[best])
        height = y2[waiting].clip(max=y2[best]) - y1[waiting].clip(min=y1[best])
        overlap = width.clip(min=0) * height.clip(min=0)
        with numpy.errstate(invalid="ignore", divide="ignore"):
            with_best = overlap / (areas[best] + areas[waiting] - overlap)
        waiting = waiting[~(with_best.astype("float64") > threshold)]  # not a number: it stays
    return kept


def batched_nms(boxes: Any, scores: Any, idxs: Any, iou_threshold: float) -> Any:
    """:func:`nms` within each category; boxes of different categories leave each other alone.

    Args:
        idxs: (N,), the category of each box.

    >>> import flambeau as torch
    >>> boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11]])
    >>> torch.vision.ops.batched_nms(boxes, torch.tensor([0.8, 0.9]), torch.tensor([0, 1]), 0.5)
    tensor([1, 0])
    """
    if boxes.numel() == 0:
        return operators.empty((0,), dtype=int64, device=boxes.device)
    kept = []
    for category in operators.unique(idxs):
        members = (idxs == category).nonzero().flatten()
        kept.append(members[nms(boxes[members], scores[members], iou_threshold)])
    together = operators.cat(kept)
    return together[scores[together].argsort(descending=True)]


def remove_small_boxes(boxes: Any, min_size: float) -> Any:
    """Indices of the boxes with both sides at least ``min_size``.

    >>> import flambeau as torch
    >>> torch.vision.ops.remove_small_boxes(torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 1]]), 2)
    tensor([0])
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    return (sides >= min_size).all(dim=1).nonzero().flatten()


def clip_boxes_to_image(boxes: Any, size: tuple[int, int]) -> Any:
    """Boxes (…, 4) with their corners moved into an image of ``size`` (height, width).

    >>> import flambeau as torch
    >>> torch.vision.ops.clip_boxes_to_image(torch.tensor([[-1.0, 2, 30, 40]]), (20, 10))
    tensor([[ 0.,  2., 10., 20.]])
    """
    height, width = size
    x, y = boxes[..., 0::2].clamp(min=0, max=width), boxes[..., 1::2].clamp(min=0, max=height)
    return operators.stack((x, y), dim=boxes.dim()).reshape(boxes.shape)


# --- formats ----------------------------------------------------------------------------------------------------------

_FORMATS = ("xyxy", "xywh", "cxcywh", "xywhr", "cxcywhr", "xyxyxyxy")
_ROTATED = _FORMATS[3:]


def box_convert(boxes: Any, in_fmt: str, out_fmt: str) -> Any:
    """Boxes (…, K) in another format.

    "xyxy": two corners; "xywh": a corner, width, height; "cxcywh": the centre instead. Rotated counter-clockwise by
    r degrees: "xywhr", "cxcywhr", and "xyxyxyxy", all four corners from the upper left one on, clockwise.

    Raises:
        ValueError: there is no such format, or only one of the two is of rotated boxes.

    >>> import flambeau as torch
    >>> torch.vision.ops.box_convert(torch.tensor([[1.0, 2, 5, 8]]), "xyxy", "cxcywh")
    tensor([[3., 5., 4., 6.]])
    """
    known = in_fmt in _FORMATS and out_fmt in _FORMATS and (in_fmt in _ROTATED) == (out_fmt in _ROTATED)
    if not known:
        raise ValueError(f"Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt {out_fmt}")
    length = {"xyxyxyxy": 8, "xywhr": 5, "cxcywhr": 5}.get(in_fmt, 4)
    if boxes.shape[-1] != length:
        raise ValueError(f"box_convert: boxes in format {in_fmt} have {length} numbers each, got {tuple(boxes.shape)}")
    if in_fmt == out_fmt:
        return boxes.clone()
    if in_fmt in _ROTATED:
        return _from_centre_rotated(_to_centre_rotated(boxes, in_fmt), out_fmt).to(boxes.dtype)
    a, b, c, d = boxes.unbind(-1)
    if in_fmt == "xywh":
        a, b, c, d = a, b, a + c, b + d
    elif in_fmt == "cxcywh":
        a, b = a - c / 2, b - d / 2
        c, d = a + c, b + d
    if out_fmt == "xywh":
        c, d = c - a, d - b
    elif out_fmt == "cxcywh":
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    return operators.stack((a, b, c, d), dim=-1).to(boxes.dtype)


def _turned(x: Any, y: Any, degrees: Any) -> tuple[Any, Any]:
    """(x, y) turned counter-clockwise; y points down."""
    angle = degrees * (math.pi / 180)
    cosine, sine = angle.cos(), angle.sin()
    return x * cosine + y * sine, y * cosine - x * sine


def _to_centre_rotated(boxes: Any, fmt: str) -> tuple[Any, ...]:
    """(cx, cy, width, height, degrees) of rotated boxes."""
    if fmt == "xyxyxyxy":
        x1, y1, x2, y2, x3, y3, _, _ = boxes.unbind(-1)
        width, height = operators.hypot(x2 - x1, y2 - y1), operators.hypot(x3 - x2, y3 - y2)
        return (x1 + x3) / 2, (y1 + y3) / 2, width, height, operators.atan2(y1 - y2, x2 - x1) * (180 / math.pi)
    x, y, width, height, degrees = boxes.unbind(-1)
    if fmt == "xywhr":
        right, down = _turned(width / 2, height / 2, degrees)
        x, y = x + right, y + down
    return x, y, width, height, degrees


def _from_centre_rotated(box: tuple[Any, ...], fmt: str) -> Any:
    x, y, width, height, degrees = box
    if fmt == "xywhr":
        right, down = _turned(width / 2, height / 2, degrees)
        return operators.stack((x - right, y - down, width, height, degrees), dim=-1)
    if fmt == "cxcywhr":
        return operators.stack(box, dim=-1)
    corners = []
    for side, level in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        right, down = _turned(side * width, level * height, degrees)
        corners += [x + right, y + down]
    return operators.stack(corners, dim=-1)


# --- areas and overlaps -----------------------------------------------------------------------------------------------


def _roomy(values: Any) -> Any:
    """In a dtype that products of coordinates fit in."""
    if values.is_floating_point():
        return values if values.dtype.itemsize >= 4 else values.to(float32)
    return values if values.dtype.itemsize >= 4 else values.to(int32)


def box_area(boxes: Any, fmt: str = "xyxy") -> Any:
    """(N,) areas of boxes in the format "xyxy", "xywh" or "cxcywh".

    >>> import flambeau as torch
    >>> torch.vision.ops.box_area(torch.tensor([[0.0, 0, 2, 3]]))
    tensor([6.])
    """
    boxes = _roomy(boxes)
    if fmt == "xyxy":
        return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    if fmt in ("xywh", "cxcywh"):
        return boxes[..., 2] * boxes[..., 3]
    raise ValueError(f"Unsupported Bounding Box area for given format {fmt}")


def _overlap_and_union(boxes1: Any, boxes2: Any) -> tuple[Any, Any]:
    """Areas (N, M) of what each pair shares and of what it covers."""
    upper_left = operators.maximum(boxes1[:, None, :2], boxes2[:, :2])
    lower_right = operators.minimum(boxes1[:, None, 2:], boxes2[:, 2:])
    sides = _roomy(lower_right - upper_left).clamp(min=0)
    overlap = sides[..., 0] * sides[..., 1]
    return overlap, box_area(boxes1)[:, None] + box_area(boxes2) - overlap


def box_iou(boxes1: Any, boxes2: Any, fmt: str = "xyxy") -> Any:
    """(N, M): area shared by two boxes, divided by area covered by them.

    >>> import flambeau as torch
    >>> torch.vision.ops.box_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2], [5, 5, 6, 6]]))
    tensor([[0.3333, 0.0000]])
    """
    if fmt not in ("xyxy", "xywh", "cxcywh"):
        raise ValueError(f"Unsupported Box IoU Calculation for given format {fmt}; xyxy, xywh or cxcywh expected")
    if fmt != "xyxy":
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
    overlap, union = _overlap_and_union(boxes1, boxes2)
    return overlap / union


def _hull(boxes1: Any, boxes2: Any) -> Any:
    """(N, M, 2) sides of the smallest box around both."""
    upper_left = operators.minimum(boxes1[:, None, :2], boxes2[:, :2])
    lower_right = operators.maximum(boxes1[:, None, 2:], boxes2[:, 2:])
    return _roomy(lower_right - upper_left).clamp(min=0)


def generalized_box_iou(boxes1: Any, boxes2: Any) -> Any:
    """(N, M): :func:`box_iou` − the part of the smallest box around both that neither covers (Rezatofighi et al., 2019).

    >>> import flambeau as torch
    >>> torch.vision.ops.generalized_box_iou(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[3.0, 0, 4, 1]]))
    tensor([[-0.5000]])
    """
    overlap, union = _overlap_and_union(boxes1, boxes2)
    sides = _hull(boxes1, boxes2)
    around = sides[..., 0] * sides[..., 1]
    return overlap / union - (around - union) / around


def distance_box_iou(boxes1: Any, boxes2: Any, eps: float = 1e-7) -> Any:
    """(N, M): :func:`box_iou` − (distance of centres / diagonal of the smallest box around both)² (Zheng et al., 2019).

    >>> import flambeau as torch
    >>> torch.vision.ops.distance_box_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[0.0, 0, 2, 2]]))
    tensor([[1.]])
    """
    sides = _hull(boxes1, boxes2)
    diagonal = (sides**2).sum(-1) + eps
    boxes1, boxes2 = _roomy(boxes1), _roomy(boxes2)
    centres1, centres2 = (boxes1[:, :2] + boxes1[:, 2:]) / 2, (boxes2[:, :2] + boxes2[:, 2:]) / 2
    return box_iou(boxes1, boxes2) - ((centres1[:, None] - centres2) ** 2).sum(-1) / diagonal


def complete_box_iou(boxes1: Any, boxes2: Any, eps: float = 1e-7) -> Any:
    """(N, M): :func:`distance_box_iou` less a term for unlike ratios of width to height (Zheng et al., 2019).

    >>> import flambeau as torch
    >>> torch.vision.ops.complete_box_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[0.0, 0, 2, 2]]))
    tensor([[1.]])
    """
    slope1, slope2 = (
        operators.atan((each[:, 2] - each[:, 0]) / (each[:, 3] - each[:, 1])) for each in (_roomy(boxes1), _roomy(boxes2))
    )
    unlike = 4 / math.pi**2 * (slope1[:, None] - slope2) ** 2
    with no_grad():
        weight = unlike / (1 - box_iou(boxes1, boxes2) + unlike + eps)
    return distance_box_iou(boxes1, boxes2, eps) - weight * unlike


def masks_to_boxes(masks: Any) -> Any:
    """(N, 4): the smallest boxes around what masks (N, H, W) cover, of first and last covered pixels.

    >>> import flambeau as torch
    >>> torch.vision.ops.masks_to_boxes(torch.eye(3)[None])
    tensor([[0., 0., 2., 2.]])
    """
    if masks.numel() == 0:
        return operators.zeros((0, 4), dtype=float32, device=masks.device)
    ends = []
    for covered in ((masks != 0).any(dim=1), (masks != 0).any(dim=2)):
        positions = operators.arange(covered.shape[1], device=masks.device)
        first = operators.where(covered, positions, covered.shape[1]).amin(1)
        last = operators.where(covered, positions, -1).amax(1)
        nothing = last < 0
        ends.append((first.masked_fill(nothing, 0), last.masked_fill(nothing, 0)))
    (x1, x2), (y1, y2) = ends
    return operators.stack((x1, y1, x2, y2), dim=1).to(float32)
