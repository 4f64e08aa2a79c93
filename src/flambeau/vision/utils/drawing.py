"""Boxes, masks and key points drawn on images."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ... import operators
from ...autograd.grad_mode import no_grad
from ...core.dtypes import bool_, int64, uint8

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks"]

#: Pixels of a dash, and of the gap after it.
_DASH = 5


def _pillow(part: str) -> Any:
    """A part of Pillow; what to do if there is none, `..pillow` says."""
    from .. import pillow  # noqa: F401

    return import_module(f"PIL.{part}")


def _check_image(name: str, image: Any, channels: tuple[int, ...], message: str) -> None:
    if not operators.is_tensor(image):
        raise TypeError(f"Tensor expected, got {type(image)}")
    if not (image.dtype == uint8 or image.is_floating_point()):
        raise ValueError(f"The image dtype must be uint8 or float, got {image.dtype}")
    if image.dim() != 3:
        raise ValueError(f"Pass individual images, not batches: {name} takes (C, H, W), got {tuple(image.shape)}")
    if image.shape[0] not in channels:
        raise ValueError(message)


def _palette(count: int) -> list[Any]:
    """Colours that differ, one for each of ``count`` objects."""
    return [tuple(number * base % 255 for base in (2**25 - 1, 2**15 - 1, 2**21 - 1)) for number in range(count)]


def _colours(colors: Any, count: int) -> list[tuple[int, ...]]:
    """A colour for each object, of one for all, a list of them, or None."""
    if colors is None:
        found = _palette(count)
    elif isinstance(colors, list):
        if len(colors) < count:
            raise ValueError(
                f"Number of colors must be equal or larger than the number of objects, but got {len(colors)} < {count}."
            )
        found = colors
    elif isinstance(colors, (str, tuple)):
        found = [colors] * count
    else:
        raise ValueError(f"colors must be a tuple or a string, or a list thereof, but got {colors}.")
    return [_pillow("ImageColor").getrgb(each) if isinstance(each, str) else each for each in found]


def _picture(image: Any) -> Any:
    """The Pillow image to draw on; a float image is on [0, 1]."""
    from ..pillow import Image

    if image.is_floating_point():
        image = (image * 255.999).to(uint8)
    return Image.fromarray(image.permute(1, 2, 0).to("cpu").contiguous().numpy())


def _drawn(picture: Any, image: Any) -> Any:
    """A drawing as a tensor, in the dtype of the image it was made from."""
    import numpy

    levels = operators.from_numpy(numpy.array(picture)).permute(2, 0, 1).contiguous().to(image.device)
    return levels.to(image.dtype) / 255 if image.is_floating_point() else levels


@no_grad()
def draw_bounding_boxes(
    image: Any,
    boxes: Any,
    labels: list[str] | None = None,
    colors: Any = None,
    fill: bool | None = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: Any = None,
    label_background_colors: Any = None,
    fill_labels: bool = False,
) -> Any:
    """The image with boxes on it, (3, H, W).

    Args:
        image: (3, H, W) or (1, H, W), uint8, or float on [0, 1].
        boxes: (N, 4), corners (x1, y1, x2, y2); or (N, 8), all corners of rotated boxes.
        labels: what is written in each; None for nothing.
        colors: one for each box, or one for all; names or (r, g, b). Default: all different.
        fill: fill the boxes with their colour, translucently.
        font: a TrueType font's file or name; ``font_size`` in points.
        label_colors: default: the box's colour, or black if ``fill_labels``.
        label_background_colors: what ``fill_labels`` puts behind each label; default: the box's colour.

    Raises:
        ValueError: the shapes are others, or there are fewer labels or colours than boxes.

    >>> import flambeau as torch
    >>> image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    >>> drawn = torch.vision.utils.draw_bounding_boxes(image, torch.tensor([[1, 1, 6, 6]]), colors="red")
    >>> drawn[:, 1, 1]
    tensor([255,   0,   0], dtype=torch.uint8)
    """
    _check_image("draw_bounding_boxes", image, (1, 3), "Only grayscale and RGB images are supported")
    if boxes.dim() != 2 or boxes.shape[1] not in (4, 8):
        raise ValueError(f"draw_bounding_boxes: boxes (N, 4) or (N, 8) expected, got {tuple(boxes.shape)}")
    rotated = boxes.shape[1] == 8
    if not rotated and len(boxes) and ((boxes[:, 0] > boxes[:, 2]) | (boxes[:, 1] > boxes[:, 3])).any():
        raise ValueError(
            "Boxes need to be in (xmin, ymin, xmax, ymax) format. Use torchvision.ops.box_convert to convert them"
        )
    count = len(boxes)
    if count == 0:
        warnings.warn("boxes doesn't contain any box. No box was drawn", stacklevel=3)
        return image
    if labels is not None and len(labels) != count:
        raise ValueError(
            f"Number of boxes ({count}) and labels ({len(labels)}) mismatch. Please specify labels for each box."
        )
    outlines = _colours(colors, count)
    ink_unasked = ["black"] * count if fill_labels else outlines
    writing = _colours(ink_unasked if label_colors is None else label_colors, count)
    behind = outlines if label_background_colors is None else _colours(label_background_colors, count)

    picture = _picture(image.expand(3, -1, -1) if image.shape[0] == 1 else image)
    fonts = _pillow("ImageFont")
    if font is None:
        if font_size is not None:
            warnings.warn("Argument 'font_size' will be ignored since 'font' is not set.", stacklevel=3)
        typeface: Any = fonts.load_default()
    else:
        typeface = fonts.truetype(font=font, size=font_size or 10)
    draw = _pillow("ImageDraw").Draw(picture, "RGBA" if fill else None)
    rows = boxes.to(int64).tolist()
    written: list[str | None] = [None] * count if labels is None else list(labels)
    for box, label, outline, ink, background in zip(rows, written, outlines, writing, behind):
        inside = (*outline, 100) if fill else None
        if rotated:
            _draw_rotated(draw, box, outline, inside, width)
        else:
            draw.rectangle(box, width=width, outline=outline, fill=inside)
        if label is not None:
            corner = (box[0] + width + 1, box[1] + width + 1)
            if fill_labels:
                left, top, right, bottom = draw.textbbox(corner, label, font=typeface)
                draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=background)
            draw.text(corner, label, fill=ink, font=typeface)
    return _drawn(picture, image)


def _draw_rotated(draw: Any, box: list[int], outline: tuple[int, ...], inside: Any, width: int) -> None:
    """The first side, which is the upper one of the box unturned, is dashed: so its orientation shows."""
    if inside is not None:
        draw.polygon(box, fill=inside, outline=None, width=width)
    corners = [(box[index], box[index + 1]) for index in (0, 2, 4, 6)]
    for start, end in ((1, 2), (2, 3), (3, 0)):
        draw.line((*corners[start], *corners[end]), fill=outline, width=width)
    (x1, y1), (x2, y2) = corners[:2]
    length = math.hypot(x2 - x1, y2 - y1)
    for begin in range(0, math.ceil(length), 2 * _DASH):
        parts = begin / length, min((begin + _DASH) / length, 1)
        ends = [(int(x1 + part * (x2 - x1)), int(y1 + part * (y2 - y1))) for part in parts]
        draw.line(ends, fill=outline, width=width)


@no_grad()
def draw_segmentation_masks(image: Any, masks: Any, alpha: float = 0.8, colors: Any = None) -> Any:
    """The image with masks on it: image · (1 − alpha) + colour · alpha where a mask covers it.

    Where several do, the colour is black.

    Args:
        image: (3, H, W), uint8, or float on [0, 1].
        masks: (N, H, W) or (H, W), bool.
        colors: one for each mask, or one for all; names or (r, g, b). Default: all different.

    Raises:
        ValueError: shapes or dtypes are others, or there are fewer colours than masks.

    >>> import flambeau as torch
    >>> image, mask = torch.zeros(3, 2, 2, dtype=torch.uint8), torch.eye(2).bool()
    >>> torch.vision.utils.draw_segmentation_masks(image, mask, 0.5, "red")[0]
    tensor([[127,   0],
            [  0, 127]], dtype=torch.uint8)
    """
    _check_image("draw_segmentation_masks", image, (3,), "Pass an RGB image. Other Image formats are not supported")
    if masks.dim() == 2:
        masks = masks[None]
    if masks.dim() != 3:
        raise ValueError("masks must be of shape (H, W) or (batch_size, H, W)")
    if masks.dtype != bool_:
        raise ValueError(f"The masks must be of dtype bool. Got {masks.dtype}")
    if masks.shape[-2:] != image.shape[-2:]:
        raise ValueError("The image and the masks must have the same height and width")
    if len(masks) == 0:
        warnings.warn("masks doesn't contain any mask. No mask was drawn", stacklevel=3)
        return image
    coloured = image
    for mask, colour in zip(masks, _colours(colors, len(masks))):
        value = operators.tensor(colour, device=image.device)
        value = value.to(image.dtype) / 255 if image.is_floating_point() else value.to(image.dtype)
        coloured = operators.where(mask, value[:, None, None], coloured)
    coloured = coloured.masked_fill(masks.sum(0) > 1, 0)
    return (image * (1 - alpha) + coloured * alpha).to(image.dtype)


@no_grad()
def draw_keypoints(
    image: Any,
    keypoints: Any,
    connectivity: list[tuple[int, int]] | None = None,
    colors: Any = None,
    radius: int = 2,
    width: int = 3,
    visibility: Any = None,
) -> Any:
    """The image with key points on it.

    Args:
        image: (3, H, W), uint8, or float on [0, 1].
        keypoints: (instances, K, 2), as (x, y).
        connectivity: pairs of points that a white line of ``width`` joins.
        colors: of the points, one for all: a name or (r, g, b).
        visibility: (instances, K), which are drawn; default: all.

    Raises:
        ValueError: the shapes are others.

    >>> import flambeau as torch
    >>> image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    >>> torch.vision.utils.draw_keypoints(image, torch.tensor([[[3, 4]]]), colors="red")[:, 4, 3]
    tensor([255,   0,   0], dtype=torch.uint8)
    """
    _check_image("draw_keypoints", image, (3,), "Pass an RGB image. Other Image formats are not supported")
    if keypoints.dim() != 3 or keypoints.shape[2] != 2:
        raise ValueError("keypoints must be of shape (num_instances, K, 2)")
    if visibility is None:
        visibility = operators.ones(keypoints.shape[:-1], dtype=bool_)
    if visibility.dim() == 3:
        visibility = visibility.squeeze(-1)
    if visibility.dim() != 2:
        raise ValueError(f"visibility must be of shape (num_instances, K). Got ndim={visibility.dim()}")
    if visibility.shape != keypoints.shape[:-1]:
        raise ValueError(
            "keypoints and visibility must have the same dimensionality for num_instances and K. "
            f"Got visibility.shape={visibility.shape} and keypoints.shape={keypoints.shape}"
        )
    picture = _picture(image)
    draw = _pillow("ImageDraw").Draw(picture)
    seen: Sequence[Sequence[bool]] = visibility.to(bool_).tolist()
    for points, shown in zip(keypoints.to(int64).tolist(), seen):
        for (x, y), visible in zip(points, shown):
            if visible:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colors, outline=None, width=0)
        for start, end in connectivity or ():
            if shown[start] and shown[end]:
                draw.line((*points[start], *points[end]), width=width)
    return _drawn(picture, image)
