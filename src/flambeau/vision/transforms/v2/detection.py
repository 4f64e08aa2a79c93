"""What recipes for finding objects use: other sizes, wider views, narrower views that keep objects, and clean boxes.

Liu et al., "SSD: single shot multibox detector", 2016; Ghiasi et al., "Simple copy-paste", 2021 (scale jitter).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....core import dtypes
from ....tensor import Tensor
from ...tv_tensors import BoundingBoxes, Mask
from .. import drawing_lots
from ..interpolation import InterpolationMode
from . import functional as F
from .functional.box_formats import to_corners
from .structures import leaves, rebuilt
from .transform import RandomApplied, Transform, fill_of, query_channels, query_size

__all__ = [
    "RandomIoUCrop", "RandomPhotometricDistort", "RandomResize", "RandomShortestSize", "RandomZoomOut",
    "SanitizeBoundingBoxes", "ScaleJitter", "find_labels",
]  # fmt: skip

_BILINEAR = InterpolationMode.BILINEAR.value


class _RandomSize(Transform):
    """Another size, drawn once for the whole sample."""

    interpolation: Any
    antialias: bool | None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.resize, inpt, params["size"], self.interpolation, None, self.antialias)


class ScaleJitter(_RandomSize):
    """Scaled to fit into ``target_size``, times a random factor."""

    def __init__(
        self, target_size: tuple[int, int], scale_range: tuple[float, float] = (0.1, 2.0), interpolation: Any = _BILINEAR,
        antialias: bool | None = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.target_size = target_size
        self.scale_range = scale_range
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        low, high = self.scale_range
        factor = np.float32(low) + np.float32(drawing_lots.fraction()) * np.float32(high - low)
        factor *= np.float32(min(self.target_size[1] / height, self.target_size[0] / width))
        return {"size": [int(np.float32(height) * factor), int(np.float32(width) * factor)]}


class RandomShortestSize(_RandomSize):
    """The shorter edge one of ``min_size`` at random, the longer at most ``max_size``."""

    def __init__(
        self, min_size: int | Sequence[int], max_size: int | None = None, interpolation: Any = _BILINEAR,
        antialias: bool | None = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        factor = self.min_size[drawing_lots.integer(0, len(self.min_size))] / min(height, width)
        if self.max_size is not None:
            factor = min(factor, self.max_size / max(height, width))
        return {"size": [int(height * factor), int(width * factor)]}


class RandomResize(_RandomSize):
    """The shorter edge at random from ``min_size`` to just below ``max_size``."""

    def __init__(
        self, min_size: int, max_size: int, interpolation: Any = _BILINEAR, antialias: bool | None = True
    ) -> None:
        super().__init__()
        self.min_size = min_size
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"size": [drawing_lots.integer(self.min_size, self.max_size)]}


class RandomZoomOut(RandomApplied):
    """On a canvas of ``side_range`` times the size, at a random place, with probability ``p``."""

    def __init__(self, fill: Any = 0, side_range: Sequence[float] = (1.0, 4.0), p: float = 0.5) -> None:
        super().__init__(p)
        self.fill = fill
        self.side_range = side_range
        if len(side_range) != 2 or side_range[0] < 1.0 or side_range[0] > side_range[1]:
            raise ValueError(f"Invalid side range provided {side_range}.")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        low, high = self.side_range
        factor = np.float32(low) + np.float32(drawing_lots.fraction()) * np.float32(high - low)
        wide, tall = int(np.float32(width) * factor), int(np.float32(height) * factor)
        across, down = map(np.float32, drawing_lots.fractions(2))
        left, top = int(np.float32(wide - width) * across), int(np.float32(tall - height) * down)
        return {"padding": [left, top, wide - (left + width), tall - (top + height)]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.pad, inpt, **params, fill=fill_of(self.fill, inpt))


class RandomPhotometricDistort(Transform):
    """Brightness, contrast, saturation, hue and the channels' order, each changed with probability ``p``."""

    def __init__(
        self, brightness: tuple[float, float] = (0.875, 1.125), contrast: tuple[float, float] = (0.5, 1.5),
        saturation: tuple[float, float] = (0.5, 1.5), hue: tuple[float, float] = (-0.05, 0.05), p: float = 0.5,
    ) -> None:  # fmt: skip
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.hue = hue
        self.saturation = saturation
        self.p = p

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        channels = query_channels(flat_inputs)
        names = ("brightness", "contrast", "saturation", "hue")
        params: dict[str, Any] = {
            name: drawing_lots.uniform(*getattr(self, name)) if drawing_lots.fraction() < self.p else None
            for name in names
        }
        params["early"] = drawing_lots.fraction() < 0.5
        params["order"] = drawing_lots.shuffled(channels) if drawing_lots.fraction() < self.p else None
        return params

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        steps = [("saturation", F.adjust_saturation), ("hue", F.adjust_hue)]
        steps.insert(0 if params["early"] else 2, ("contrast", F.adjust_contrast))
        for name, adjust in [("brightness", F.adjust_brightness), *steps]:
            if params[name] is not None:
                inpt = self._call_kernel(adjust, inpt, params[name])
        return inpt if params["order"] is None else self._call_kernel(F.permute_channels, inpt, params["order"])


class RandomIoUCrop(Transform):
    """A random rectangle that overlaps some box at least as much as one of ``sampler_options`` demands.

    Boxes whose centre lies outside become empty; ``SanitizeBoundingBoxes`` removes them and their labels.

    Raises:
        TypeError: a sample without an image or without boxes.
    """

    def __init__(
        self, min_scale: float = 0.3, max_scale: float = 1.0, min_aspect_ratio: float = 0.5, max_aspect_ratio: float = 2.0,
        sampler_options: list[float] | None = None, trials: int = 40,
    ) -> None:  # fmt: skip
        super().__init__()
        self.min_scale = min_scale
        self.max_scale = max_scale
        self.min_aspect_ratio = min_aspect_ratio
        self.max_aspect_ratio = max_aspect_ratio
        self.options = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0] if sampler_options is None else sampler_options
        self.trials = trials

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if sum(isinstance(each, BoundingBoxes) for each in flat_inputs) != 1:
            raise TypeError(f"{type(self).__name__}() requires an image and one set of bounding boxes in the sample")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        boxes = next(each for each in flat_inputs if isinstance(each, BoundingBoxes))
        corners = to_corners(boxes.as_subclass(Tensor).to(dtypes.float32), boxes.format).numpy()
        middle = (corners[:, :2] + corners[:, 2:]) * 0.5
        while True:
            overlap = self.options[drawing_lots.integer(0, len(self.options))]
            if overlap >= 1.0:  # the whole image
                return {}
            for _ in range(self.trials):
                found = self._rectangle(height, width)
                if found is None:
                    continue
                top, left, tall, wide = found
                within = ((middle > (left, top)) & (middle < (left + wide, top + tall))).all(1)
                if within.any() and _overlaps(corners[within], found).max() >= overlap:
                    return {"where": found, "within": within}

    def _rectangle(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        spread = np.float32(self.max_scale - self.min_scale)
        parts = [np.float32(self.min_scale) + spread * np.float32(each) for each in drawing_lots.fractions(2)]
        wide, tall = int(np.float32(width) * parts[0]), int(np.float32(height) * parts[1])
        if not tall or not self.min_aspect_ratio <= wide / tall <= self.max_aspect_ratio:
            return None
        across, down = map(np.float32, drawing_lots.fractions(2))
        left, top = int(np.float32(width - wide) * across), int(np.float32(height - tall) * down)
        return (top, left, tall, wide) if wide else None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not params:
            return inpt
        made = self._call_kernel(F.crop, inpt, *params["where"])
        if isinstance(made, BoundingBoxes):
            import flambeau

            made[flambeau.from_numpy(~params["within"])] = 0
        return made


def _overlaps(corners: Any, where: tuple[int, int, int, int]) -> Any:
    """Of each box the intersection with a rectangle by their union."""
    top, left, tall, wide = where
    low, high = np.maximum(corners[:, :2], (left, top)), np.minimum(corners[:, 2:], (left + wide, top + tall))
    common = (high - low).clip(0).prod(1)
    return common / ((corners[:, 2:] - corners[:, :2]).prod(1) + tall * wide - common)


def find_labels(sample: Any, getter: Any) -> list[Any]:
    """The labels in a sample.

    Args:
        getter: a function of the sample; the key of a dictionary; None: there are none; or "default", which takes what is
            under "labels", or under a key with "label" in it, or else what comes second.

    Raises:
        ValueError: "default" finds none, or more than one.
    """
    if getter is None:
        return []
    if callable(getter):
        found = getter(sample)
        return list(found) if isinstance(found, (tuple, list)) else [found]
    holder = sample
    if isinstance(sample, (tuple, list)):
        dictionaries = [each for each in sample if hasattr(each, "keys")]
        if getter == "default" and len(sample) > 1 and isinstance(sample[1], Tensor):
            return [sample[1]]
        if not dictionaries:
            raise ValueError(
                f"Could not find labels in a {type(sample).__name__} without a dictionary: pass labels_getter"
            )
        holder = dictionaries[0]
    if getter != "default":
        return [holder[getter]]
    keys = [key for key in holder if isinstance(key, str) and "label" in key.lower()]
    exact = [key for key in keys if key.lower() == "labels"]
    if len(exact or keys) != 1:
        raise ValueError(
            f"Could not infer where the labels are in the sample: {len(keys)} of its keys have 'label' in them. "
            "Pass a function of the sample as labels_getter, or labels_getter=None if there are none."
        )
    return [holder[(exact or keys)[0]]]


class SanitizeBoundingBoxes(Transform):
    """Without boxes that are too small or reach beyond the image; without their labels and masks, too.

    Args:
        min_size: pixels along each side.
        min_area: square pixels.
        labels_getter: where labels are; see ``find_labels``.

    Raises:
        ValueError: no boxes, or other than one set, or labels of another length.
    """

    def __init__(
        self, min_size: float = 1.0, min_area: float = 1.0, labels_getter: Callable[[Any], Any] | str | None = "default"
    ) -> None:
        super().__init__()
        if min_size < 1:
            raise ValueError(f"min_size must be >= 1, got {min_size}.")
        if min_area < 1:
            raise ValueError(f"min_area must be >= 1, got {min_area}.")
        self.min_size = min_size
        self.min_area = min_area
        self.labels_getter = labels_getter

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        flat = list(leaves(sample))
        boxes = [each for each in flat if isinstance(each, BoundingBoxes)]
        if len(boxes) != 1:
            raise ValueError(
                f"{type(self).__name__}() takes samples with one set of bounding boxes, found {len(boxes)}"
            )
        labels = find_labels(sample, self.labels_getter)
        for each in labels:
            if not isinstance(each, Tensor) or each.shape[0] != boxes[0].shape[0]:
                raise ValueError(f"Number of boxes (shape={tuple(boxes[0].shape)}) and labels do not match.")
        kept, valid = F.sanitize_bounding_boxes(boxes[0], min_size=self.min_size, min_area=self.min_area)
        made = []
        for each in flat:
            if each is boxes[0]:
                made.append(kept)
            elif isinstance(each, Mask) and each.shape[0] == valid.shape[0]:
                made.append(each[valid].as_subclass(Mask))
            elif any(each is label for label in labels):
                made.append(each[valid])
            else:
                made.append(each)
        return rebuilt(sample, iter(made))
