"""What a feature map shows in regions of interest, all brought to one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import nn, operators
from ...core.dtypes import int64

__all__ = ["RoIAlign", "RoIPool", "roi_align", "roi_pool"]


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _rows(name: str, input: Any, boxes: Any) -> Any:
    """Boxes as rows (image, x1, y1, x2, y2); given as such, or as boxes for each image."""
    if input.dim() != 4:
        raise IndexError(f"{name}: input (N, C, H, W) expected, got {tuple(input.shape)}")
    if operators.is_tensor(boxes):
        if boxes.dim() != 2 or boxes.shape[1] != 5:
            raise AssertionError(
                f"The boxes tensor shape is not correct as Tensor[K, 5]: {name} got {tuple(boxes.shape)}; "
                "give rows (image, x1, y1, x2, y2), or a list with a Tensor[L, 4] for each image"
            )
        rows = boxes
    elif isinstance(boxes, (list, tuple)):
        for each in boxes:
            if each.dim() != 2 or each.shape[1] != 4:
                raise AssertionError(
                    "The shape of the tensor in the boxes list is not correct as List[Tensor[L, 4]]: "
                    f"{name} got {tuple(each.shape)}"
                )
        images = [operators.full((len(each), 1), float(index)) for index, each in enumerate(boxes)]
        rows = operators.cat([operators.cat(images).to(boxes[0]), operators.cat(list(boxes))], dim=1)
    else:
        raise AssertionError("boxes is expected to be a Tensor[L, 5] or a List[Tensor[K, 4]]")
    if rows.dtype != input.dtype:
        raise RuntimeError(
            f"Expected tensor for argument #1 'input' to have the same type as tensor for argument #2 'rois'; {name} got "
            f"{input.dtype} and {rows.dtype}; convert one of them"
        )
    rows = rows.detach()
    if len(rows) and not 0 <= int(rows[:, 0].amin()) <= int(rows[:, 0].amax()) < input.shape[0]:
        raise IndexError(f"{name}: boxes name images beyond the {input.shape[0]} of input {tuple(input.shape)}")
    return rows


def _gathered(input: Any, images: Any, ys: Any, xs: Any) -> Any:
    """(K, A, B, C) values of an image (N, C, H, W) at rows ``ys`` (K, A) and columns ``xs`` (K, B) of ``images`` (K,)."""
    count, channels, height, width = input.shape
    pixels = input.permute(0, 2, 3, 1).reshape(count * height * width, channels)
    where = (images[:, None, None] * height + ys[:, :, None]) * width + xs[:, None, :]
    return pixels.index_select(0, where.flatten()).reshape(*where.shape, channels)


def roi_align(
    input: Any,
    boxes: Any,
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Any:
    """(K, C, *output_size): the mean of bilinear samples in each of a grid of bins over each box (He et al., 2017).

    Args:
        input: (N, C, H, W).
        boxes: rows (image, x1, y1, x2, y2), or a list with boxes (L, 4) for each image.
        output_size: how many bins, (height, width).
        spatial_scale: from the boxes' coordinates to the input's.
        sampling_ratio: samples in a bin, each way; default: about one for each pixel.
        aligned: a pixel's value is that of its centre; without, boxes are half a pixel off.

    Raises:
        AssertionError: boxes of another shape.
        RuntimeError: ``input`` and ``boxes`` have different dtypes.

    >>> import flambeau as torch
    >>> image = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> torch.vision.ops.roi_align(image, [torch.tensor([[0.0, 0, 2, 2]])], 2, aligned=True)
    tensor([[[[0., 1.],
              [4., 5.]]]])
    """
    rows = _rows("roi_align", input, boxes)
    sizes = _pair(output_size)
    if len(rows) == 0:
        return operators.zeros((0, input.shape[1], *sizes), dtype=input.dtype)
    shift = 0.5 if aligned else 0.0
    # Rows and columns are sampled independently: a sample's weight is that of its row times that of its column.
    axes = []
    for size, extent, first, last in ((sizes[0], input.shape[2], 2, 4), (sizes[1], input.shape[3], 1, 3)):
        start = rows[:, first] * spatial_scale - shift
        length = rows[:, last] * spatial_scale - shift - start
        axes.append(_samples(start, length if aligned else length.clamp(min=1.0), size, extent, sampling_ratio))
    (ys, y_weights), (xs, x_weights) = axes
    values = _gathered(input, rows[:, 0].to(int64), ys, xs)
    weighted = values * y_weights[:, :, None, None] * x_weights[:, None, :, None]
    count, channels = len(rows), input.shape[1]
    return weighted.reshape(count, sizes[0], -1, sizes[1], xs.shape[1] // sizes[1], channels).sum((2, 4)).permute(0, 3, 1, 2)


def _samples(start: Any, length: Any, bins: int, extent: int, ratio: int) -> tuple[Any, Any]:
    """(K, bins · samples · 2) positions along an axis and their weights: each sample lies between two pixels."""
    if ratio > 0:
        most = ratio
        counts = operators.full_like(start, float(ratio))
    else:
        counts = (length / bins).ceil()
        most = max(int(counts.amax()), 1)
    within = operators.arange(most, dtype=start.dtype)
    steps = (within + 0.5) / counts.clamp(min=1)[:, None]  # (K, samples), in bins
    places = operators.arange(bins, dtype=start.dtype)[None, :, None] + steps[:, None, :]
    places = start[:, None, None] + places * (length / bins)[:, None, None]
    counted = (within < counts[:, None])[:, None, :] & (places >= -1.0) & (places <= extent)
    places = places.clamp(0, extent - 1)
    low = places.floor()
    share = places - low
    weights = operators.stack((1 - share, share), dim=-1) * (counted / counts.clamp(min=1)[:, None, None])[..., None]
    positions = operators.stack((low, (low + 1).clamp(max=extent - 1)), dim=-1).to(int64)
    return positions.flatten(1), weights.flatten(1)


def roi_pool(input: Any, boxes: Any, output_size: int | Sequence[int], spatial_scale: float = 1.0) -> Any:
    """(K, C, *output_size): the maximum in each of a grid of bins over each box, rounded to pixels (Girshick, 2015).

    Args: as for :func:`roi_align`. A bin beyond the image is 0.

    >>> import flambeau as torch
    >>> image = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> torch.vision.ops.roi_pool(image, [torch.tensor([[0.0, 0, 3, 3]])], 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    rows = _rows("roi_pool", input, boxes)
    sizes = _pair(output_size)
    if len(rows) == 0:
        return operators.zeros((0, input.shape[1], *sizes), dtype=input.dtype)
    axes = []
    for size, extent, first, last in ((sizes[0], input.shape[2], 2, 4), (sizes[1], input.shape[3], 1, 3)):
        # Halves are rounded away from 0.
        ends = [each.sign() * (each.abs() + 0.5).floor() for each in (rows[:, first] * spatial_scale, rows[:, last] * spatial_scale)]
        axes.append(_windows(ends[0], (ends[1] - ends[0] + 1).clamp(min=1), size, extent))
    (ys, y_inside), (xs, x_inside) = axes
    count, channels = len(rows), input.shape[1]
    values = _gathered(input, rows[:, 0].to(int64), ys.flatten(1), xs.flatten(1))
    inside = y_inside[:, :, :, None, None] & x_inside[:, None, None, :, :]
    values = values.reshape(*inside.shape, channels).masked_fill(~inside[..., None], float("-inf"))
    # (K, C, bins, bins, window): the gradient goes to the first of the largest.
    values = values.permute(0, 5, 1, 3, 2, 4).reshape(count, channels, *sizes, -1)
    nothing = ~inside.any(4).any(2)
    return values.max(-1).values.masked_fill(nothing[:, None], 0.0)


def _windows(start: Any, length: Any, bins: int, extent: int) -> tuple[Any, Any]:
    """(K, bins, window) positions of each bin's pixels along an axis, and which of them are in the bin and the image."""
    step = (length / bins)[:, None]
    numbers = operators.arange(bins, dtype=start.dtype)
    begin = ((numbers * step).floor() + start[:, None]).clamp(0, extent)
    end = (((numbers + 1) * step).ceil() + start[:, None]).clamp(0, extent)
    most = max(int((end - begin).amax()), 1)
    positions = begin[..., None] + operators.arange(most, dtype=start.dtype)
    return positions.clamp(max=extent - 1).to(int64), positions < end[..., None]


class RoIAlign(nn.Module):
    """:func:`roi_align` as a layer.

    >>> import flambeau as torch
    >>> torch.vision.ops.RoIAlign(2, 0.5, 2)
    RoIAlign(output_size=2, spatial_scale=0.5, sampling_ratio=2, aligned=False)
    """

    def __init__(
        self, output_size: int | Sequence[int], spatial_scale: float, sampling_ratio: int, aligned: bool = False
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Any, rois: Any) -> Any:
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"
        )


class RoIPool(nn.Module):
    """:func:`roi_pool` as a layer.

    >>> import flambeau as torch
    >>> torch.vision.ops.RoIPool((2, 3), 1.0)
    RoIPool(output_size=(2, 3), spatial_scale=1.0)
    """

    def __init__(self, output_size: int | Sequence[int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: Any, rois: Any) -> Any:
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"
