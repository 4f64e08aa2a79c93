"""The four numbers of boxes: from one format to another, and within the image."""

from __future__ import annotations

from typing import Any

from .....tensor import Tensor
from ....tv_tensors import BoundingBoxes, BoundingBoxFormat, wrap

__all__ = ["clamp_bounding_boxes", "convert_bounding_box_format", "sanitize_bounding_boxes"]


def _columns(boxes: Any) -> Any:
    return boxes.unbind(-1)


def _joined(*columns: Any) -> Any:
    import flambeau

    return flambeau.stack(columns, -1)


def to_corners(boxes: Any, format: BoundingBoxFormat) -> Any:
    """Floating boxes of any format as (x1, y1, x2, y2)."""
    if format is BoundingBoxFormat.XYXY:
        return boxes
    x, y, width, height = _columns(boxes)
    if format is BoundingBoxFormat.CXCYWH:
        x, y = x - width / 2, y - height / 2
    return _joined(x, y, x + width, y + height)


def from_corners(corners: Any, format: BoundingBoxFormat) -> Any:
    """(x1, y1, x2, y2) in another format."""
    if format is BoundingBoxFormat.XYXY:
        return corners
    left, top, right, bottom = _columns(corners)
    if format is BoundingBoxFormat.CXCYWH:
        return _joined((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return _joined(left, top, right - left, bottom - top)


def clamped(corners: Any, canvas: tuple[int, int]) -> Any:
    """Corners within an image of (height, width)."""
    height, width = canvas
    left, top, right, bottom = _columns(corners)
    return _joined(left.clamp(0, width), top.clamp(0, height), right.clamp(0, width), bottom.clamp(0, height))


def _as_format(given: Any) -> BoundingBoxFormat:
    return BoundingBoxFormat[given.upper()] if isinstance(given, str) else given


def _floating(boxes: Any) -> Any:
    return boxes if boxes.dtype.is_floating_point else boxes.double()


def convert_bounding_box_format(
    inpt: Any, old_format: Any = None, new_format: Any = None, inplace: bool = False
) -> Any:
    """Boxes in another format.

    Args:
        old_format: of a plain tensor; BoundingBoxes know theirs.

    Raises:
        TypeError: no new format.
        ValueError: ``old_format`` missing, or given for BoundingBoxes.

    >>> import flambeau as torch
    >>> convert_bounding_box_format(torch.tensor([[1., 2., 4., 6.]]), "XYXY", "XYWH")
    tensor([[1., 2., 3., 4.]])
    """
    if new_format is None:
        raise TypeError("convert_bounding_box_format() missing 1 required argument: 'new_format'")
    wanted = _as_format(new_format)
    own = isinstance(inpt, BoundingBoxes)
    if own and old_format is not None:
        raise ValueError("For bounding box tv_tensor inputs, `old_format` must not be passed.")
    if not own and old_format is None:
        raise ValueError("For pure tensor inputs, `old_format` has to be passed.")
    source = inpt.format if own else _as_format(old_format)
    plain = inpt.as_subclass(Tensor)
    made = plain if source is wanted else from_corners(to_corners(_floating(plain), source), wanted).to(plain.dtype)
    if inplace and source is not wanted:
        made = plain.copy_(made)
    return wrap(made, like=inpt, format=wanted) if own else made


def clamp_bounding_boxes(
    inpt: Any, format: Any = None, canvas_size: Any = None, clamping_mode: str | None = "auto"
) -> Any:
    """Boxes cut off at the image's border.

    Args:
        format, canvas_size: of a plain tensor; BoundingBoxes know theirs.

    Raises:
        ValueError: they are missing, or given for BoundingBoxes.
    """
    own = isinstance(inpt, BoundingBoxes)
    if own and (format is not None or canvas_size is not None):
        raise ValueError("For bounding box tv_tensor inputs, `format` and `canvas_size` must not be passed.")
    if not own and (format is None or canvas_size is None):
        raise ValueError("For pure tensor inputs, `format` and `canvas_size` have to be passed.")
    mode = (inpt.clamping_mode if own else "soft") if clamping_mode == "auto" else clamping_mode
    if mode is None:
        return inpt
    kind, canvas = (inpt.format, inpt.canvas_size) if own else (_as_format(format), canvas_size)
    plain = inpt.as_subclass(Tensor)
    made = from_corners(clamped(to_corners(_floating(plain), kind), canvas), kind).to(plain.dtype)
    return wrap(made, like=inpt) if own else made


def sanitize_bounding_boxes(
    bounding_boxes: Any, format: Any = None, canvas_size: Any = None, min_size: float = 1.0, min_area: float = 1.0
) -> tuple[Any, Any]:
    """(the boxes that are large enough and within the image, for each of the given ones whether it is).

    Args:
        format, canvas_size: of a plain tensor; BoundingBoxes know theirs.
    """
    own = isinstance(bounding_boxes, BoundingBoxes)
    if not own and (format is None or canvas_size is None):
        raise ValueError("format and canvas_size cannot be None if bounding_boxes is a pure tensor.")
    kind = bounding_boxes.format if own else _as_format(format)
    height, width = bounding_boxes.canvas_size if own else canvas_size
    plain = bounding_boxes.as_subclass(Tensor)
    left, top, right, bottom = _columns(to_corners(_floating(plain), kind))
    across, down = right - left, bottom - top
    valid = (across >= min_size) & (down >= min_size) & (across * down >= min_area)
    valid = valid & (left >= 0) & (top >= 0) & (right <= width) & (bottom <= height)
    kept = plain[valid]
    return (wrap(kept, like=bounding_boxes) if own else kept), valid
