"""Sizes, places and shapes: of images, videos, masks and boxes alike."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ...pillow import Image as PIL
from ...tv_tensors import BoundingBoxes, Mask
from .. import drawing_lots
from ..arguments import angles, size_of
from ..cropping import RandomResizedCrop as RandomResizedCrop1
from ..functional.warping import perspective_coefficients
from ..interpolation import InterpolationMode
from ..warping import check_affine, float_pair, random_affine, random_corners, random_displacement
from . import functional as F
from .transform import RandomApplied, Transform, fill_of, query_size

__all__ = [
    "CenterCrop", "ElasticTransform", "FiveCrop", "Pad", "RandomAffine", "RandomCrop", "RandomHorizontalFlip",
    "RandomPerspective", "RandomResizedCrop", "RandomRotation", "RandomVerticalFlip", "Resize", "TenCrop",
]  # fmt: skip


class RandomHorizontalFlip(RandomApplied):
    """Mirrored left to right with probability ``p``.

    >>> import flambeau as torch
    >>> from flambeau.vision import tv_tensors
    >>> from flambeau.vision.transforms import v2
    >>> boxes = tv_tensors.BoundingBoxes([[0, 0, 2, 3]], format="XYXY", canvas_size=(4, 4))
    >>> v2.RandomHorizontalFlip(1)(torch.zeros(1, 4, 4), boxes)[1]
    BoundingBoxes([[2, 0, 4, 3]], format=BoundingBoxFormat.XYXY, canvas_size=(4, 4), clamping_mode=soft)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.horizontal_flip, inpt)


class RandomVerticalFlip(RandomApplied):
    """Upside down with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.vertical_flip, inpt)


class Resize(Transform):
    """In another size: (height, width); one number for the shorter edge; or None, and ``max_size`` the longer."""

    def __init__(
        self, size: int | Sequence[int] | None, interpolation: Any = InterpolationMode.BILINEAR.value,
        max_size: int | None = None, antialias: bool | None = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if isinstance(size, int):
            size = [size]
        elif isinstance(size, Sequence) and len(size) in (1, 2):
            size = list(size)
        elif size is None:
            if not isinstance(max_size, int):
                raise ValueError(f"max_size must be an integer when size is None, but got {max_size} instead.")
        else:
            raise ValueError(
                f"size can be an integer, a sequence of one or two integers, or None, but got {size} instead."
            )
        self.size = size
        self.interpolation = interpolation
        self.max_size = max_size
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.resize, inpt, self.size, self.interpolation, self.max_size, self.antialias)


class CenterCrop(Transform):
    """The middle; a border of 0 is added where the sample is smaller."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = size_of(size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.center_crop, inpt, output_size=self.size)


class RandomResizedCrop(Transform):
    """A rectangle of random size, proportions and place, brought to the given size.

    Args:
        size: (height, width) of the result.
        scale: the rectangle's area as a part of the image's, from … to.
        ratio: its width by its height, from … to.
    """

    def __init__(
        self, size: int | Sequence[int], scale: Any = (0.08, 1.0), ratio: Any = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR.value, antialias: bool | None = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.size = size_of(size)
        if not isinstance(scale, Sequence) or not isinstance(ratio, Sequence):
            raise TypeError(f"{'Ratio' if isinstance(scale, Sequence) else 'Scale'} should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=2)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation
        self.antialias = antialias

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        where = RandomResizedCrop1.place(height, width, self.scale, self.ratio)
        return dict(zip(("top", "left", "height", "width"), where))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        options = {"size": self.size, "interpolation": self.interpolation, "antialias": self.antialias}
        return self._call_kernel(F.resized_crop, inpt, **params, **options)


def _check_no_boxes(name: str, flat_inputs: list[Any]) -> None:
    if any(isinstance(each, (BoundingBoxes, Mask)) for each in flat_inputs):
        raise TypeError(f"BoundingBoxes'es and Mask's are not supported by {name}()")


class FiveCrop(Transform):
    """The four corners and the middle, as a tuple; of images and videos alone."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = size_of(size)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        _check_no_boxes(type(self).__name__, flat_inputs)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.five_crop, inpt, self.size)


class TenCrop(Transform):
    """The four corners and the middle, of the image and of its mirror image; of images and videos alone."""

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = size_of(size)
        self.vertical_flip = vertical_flip

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        _check_no_boxes(type(self).__name__, flat_inputs)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.ten_crop, inpt, self.size, vertical_flip=self.vertical_flip)


def _check_padding(padding: Any) -> None:
    if not isinstance(padding, (int, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if not isinstance(padding, int) and len(padding) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple")


class Pad(Transform):
    """A border around; see ``functional.pad``. Boxes know only the "constant" one."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        _check_padding(padding)
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
        self.padding = padding if isinstance(padding, int) else list(padding)
        self.fill = fill
        self.padding_mode = padding_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = fill_of(self.fill, inpt)
        return self._call_kernel(F.pad, inpt, padding=self.padding, fill=fill, padding_mode=self.padding_mode)


class RandomCrop(Transform):
    """A rectangle of the given size at a random place.

    Args:
        padding: a border to add first.
        pad_if_needed: add a border on both sides where the sample is smaller.
    """

    def __init__(
        self, size: int | Sequence[int], padding: Any = None, pad_if_needed: bool = False, fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:  # fmt: skip
        super().__init__()
        self.size = size_of(size)
        if padding is not None:
            _check_padding(padding)
        self.padding = None if padding is None else list(F.boxes.four_sides(padding))
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        tall, wide = self.size
        left, top, right, bottom = self.padding or (0, 0, 0, 0)
        height, width = height + top + bottom, width + left + right
        if self.pad_if_needed:
            if height < tall:
                missing = tall - height
                top, bottom, height = top + missing, bottom + missing, height + 2 * missing
            if width < wide:
                missing = wide - width
                left, right, width = left + missing, right + missing, width + 2 * missing
        if height < tall or width < wide:
            padded = "" if self.padding is None else "padded "
            raise ValueError(
                f"Required crop size {(tall, wide)} is larger than {padded}input image size {(height, width)}."
            )
        # Where there is but one place, no lot is drawn.
        above = drawing_lots.integer(0, height - tall + 1) if height > tall else 0
        before = drawing_lots.integer(0, width - wide + 1) if width > wide else 0
        return {
            "padding": [left, top, right, bottom] if any((left, top, right, bottom)) else None,
            "crop": (above, before, tall, wide) if (height, width) != (tall, wide) else None,
        }

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if params["padding"] is not None:
            fill = fill_of(self.fill, inpt)
            inpt = self._call_kernel(F.pad, inpt, padding=params["padding"], fill=fill, padding_mode=self.padding_mode)
        return inpt if params["crop"] is None else self._call_kernel(F.crop, inpt, *params["crop"])


class RandomRotation(Transform):
    """Turned by a random angle, counter-clockwise; see ``functional.rotate``."""

    def __init__(
        self, degrees: Any, interpolation: Any = InterpolationMode.NEAREST.value, expand: bool = False,
        center: Any = None, fill: Any = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.degrees = angles(degrees, "degrees")
        self.interpolation = interpolation
        self.expand = expand
        self.fill = fill
        if center is not None and len(center) != 2:
            raise ValueError("center should be a sequence of length 2.")
        self.center = center

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"angle": drawing_lots.uniform(self.degrees[0], self.degrees[1])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.rotate, inpt, **params, interpolation=self.interpolation, expand=self.expand, center=self.center,
            fill=_fill(self.fill, inpt),
        )  # fmt: skip


def _fill(fill: Any, inpt: Any) -> Any:
    """A list of values for tensors, as they come for PIL images."""
    found = fill_of(fill, inpt)
    return [found] if isinstance(found, (int, float)) and not isinstance(inpt, PIL.Image) else found


class RandomAffine(Transform):
    """Turned, moved, scaled and sheared at random about the centre; see ``transforms.RandomAffine``."""

    def __init__(
        self, degrees: Any, translate: Any = None, scale: Any = None, shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST.value, fill: Any = 0, center: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.degrees = angles(degrees, "degrees")
        check_affine(translate, scale, center)
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else angles(shear, "shear", (2, 4))
        self.interpolation = interpolation
        self.fill = fill
        self.center = center

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        drawn = random_affine(self.degrees, self.translate, self.scale, self.shear, (width, height))
        return dict(zip(("angle", "translate", "scale", "shear"), drawn))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(
            F.affine, inpt, **params, interpolation=self.interpolation, fill=_fill(self.fill, inpt), center=self.center
        )


class RandomPerspective(RandomApplied):
    """Seen from a random side, with probability ``p``.

    Args:
        distortion_scale: how far, from 0 to 1, the corners may move towards the middle.
    """

    def __init__(
        self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Any = InterpolationMode.BILINEAR.value,
        fill: Any = 0,
    ) -> None:  # fmt: skip
        super().__init__(p)
        if not 0 <= distortion_scale <= 1:
            raise ValueError("Argument distortion_scale value should be between 0 and 1")
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation
        self.fill = fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = query_size(flat_inputs)
        return {"coefficients": perspective_coefficients(*random_corners(width, height, self.distortion_scale))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = _fill(self.fill, inpt)
        options = {"interpolation": self.interpolation, "fill": fill, **params}
        return self._call_kernel(F.perspective, inpt, startpoints=None, endpoints=None, **options)


class ElasticTransform(Transform):
    """Drawn on rubber: each pixel moves by smoothed noise; see ``transforms.ElasticTransform``."""

    def __init__(
        self, alpha: Any = 50.0, sigma: Any = 5.0, interpolation: Any = InterpolationMode.BILINEAR.value, fill: Any = 0
    ) -> None:
        super().__init__()
        self.alpha = float_pair(alpha, "alpha")
        self.sigma = float_pair(sigma, "sigma")
        self.interpolation = interpolation
        self.fill = fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"displacement": random_displacement(self.alpha, self.sigma, query_size(flat_inputs))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        fill = _fill(self.fill, inpt)
        return self._call_kernel(F.elastic, inpt, **params, interpolation=self.interpolation, fill=fill)
