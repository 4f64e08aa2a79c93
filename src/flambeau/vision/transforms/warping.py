"""Turned, sheared, moved, seen from another side, as if drawn on rubber: all at random."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ...nn import Module
from . import drawing_lots, functional as F
from .arguments import angles
from .images import get_dimensions, is_tensor
from .interpolation import InterpolationMode, as_interpolation

__all__ = ["ElasticTransform", "RandomAffine", "RandomPerspective", "RandomRotation"]


def fill_for(img: Any, fill: Any) -> Any:
    """One value for each channel of a tensor; for a PIL image as given."""
    if not is_tensor(img):
        return fill
    if isinstance(fill, (int, float)):
        return [float(fill)] * get_dimensions(img)[0]
    return [float(each) for each in fill]


def _checked_fill(fill: Any) -> Any:
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, numbers.Number)):
        raise TypeError("Fill should be either a sequence or a number.")
    return fill


class RandomRotation(Module):
    """Turned by a random angle, counter-clockwise.

    Args:
        degrees: at most so far to both sides, or from … to.
        expand, center, fill: see ``functional.rotate``.
    """

    def __init__(
        self, degrees: Any, interpolation: Any = InterpolationMode.NEAREST, expand: bool = False, center: Any = None,
        fill: Any = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.interpolation = as_interpolation(interpolation)
        self.degrees = angles(degrees, "degrees")
        if center is not None and len(center) != 2:
            raise ValueError("center should be a sequence of length 2.")
        self.center = center
        self.expand = expand
        self.fill = _checked_fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """A random angle."""
        return drawing_lots.uniform(float(degrees[0]), float(degrees[1]))

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        return F.rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}, "
            f"expand={self.expand}{center}, fill={self.fill})"
        )


class RandomAffine(Module):
    """Turned, moved, scaled and sheared at random about the centre.

    Args:
        degrees: at most so far to both sides, or from … to.
        translate: at most these parts of width and height to all sides.
        scale: from … to.
        shear: along x at most so many degrees, or from … to; with four numbers also along y.
        fill, center: see ``functional.affine``.
    """

    def __init__(
        self, degrees: Any, translate: Any = None, scale: Any = None, shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST, fill: Any = 0, center: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.interpolation = as_interpolation(interpolation)
        self.degrees = angles(degrees, "degrees")
        check_affine(translate, scale, center)
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else angles(shear, "shear", (2, 4))
        self.fill = _checked_fill(fill)
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[float], translate: Any, scale_ranges: Any, shears: Any, img_size: Sequence[int]
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """(angle, translation, scale, shear), all random, for an image of ``img_size`` = (width, height)."""
        return random_affine(degrees, translate, scale_ranges, shears, img_size)

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        _, height, width = get_dimensions(img)
        moves = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return F.affine(img, *moves, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self) -> str:
        told = [f"degrees={self.degrees}"]
        told += [
            f"{name}={getattr(self, name)}"
            for name in ("translate", "scale", "shear")
            if getattr(self, name) is not None
        ]
        if self.interpolation is not InterpolationMode.NEAREST:
            told.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            told.append(f"fill={self.fill}")
        if self.center is not None:
            told.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(told)})"


def check_affine(translate: Any, scale: Any, center: Any) -> None:
    """Refuse what no affine map can have.

    Raises:
        ValueError: translations beyond 0 to 1, scales that are not positive, a centre of other than two numbers.
    """
    for name, given in (("translate", translate), ("scale", scale), ("center", center)):
        if given is None:
            continue
        if not isinstance(given, Sequence):
            raise TypeError(f"{name} should be a sequence of length 2.")
        if len(given) != 2:
            raise ValueError(f"{name} should be a sequence of length 2.")
    if translate is not None and not all(0.0 <= each <= 1.0 for each in translate):
        raise ValueError("translation values should be between 0 and 1")
    if scale is not None and not all(each > 0 for each in scale):
        raise ValueError("scale values should be positive")


def random_affine(
    degrees: Sequence[float], translate: Any, scale: Any, shears: Any, size: Sequence[int]
) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
    """(angle, translation, scale, shear), each drawn where it is asked for."""
    angle = drawing_lots.uniform(float(degrees[0]), float(degrees[1]))
    moves = (0, 0)
    if translate is not None:
        across, down = float(translate[0] * size[0]), float(translate[1] * size[1])
        first = round(drawing_lots.uniform(-across, across))
        moves = (first, round(drawing_lots.uniform(-down, down)))
    factor = 1.0 if scale is None else drawing_lots.uniform(scale[0], scale[1])
    along = down_shear = 0.0
    if shears is not None:
        along = drawing_lots.uniform(shears[0], shears[1])
        if len(shears) == 4:
            down_shear = drawing_lots.uniform(shears[2], shears[3])
    return angle, moves, factor, (along, down_shear)


class RandomPerspective(Module):
    """Seen from a random side, with probability ``p``.

    Args:
        distortion_scale: how far, from 0 to 1, the corners may move towards the middle.
        fill: the value of what was outside.
    """

    def __init__(
        self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.p = p
        self.interpolation = as_interpolation(interpolation)
        self.distortion_scale = distortion_scale
        self.fill = _checked_fill(fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """The corners, and where they go, each at random within its quarter of the image."""
        return random_corners(width, height, distortion_scale)

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        if drawing_lots.fraction() >= self.p:
            return img
        _, height, width = get_dimensions(img)
        return F.perspective(img, *self.get_params(width, height, self.distortion_scale), self.interpolation, fill)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


def random_corners(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
    """The corners, clockwise from the upper left, and where they go."""
    across, down = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
    left, right = (0, across + 1), (width - across - 1, width)
    upper, lower = (0, down + 1), (height - down - 1, height)
    draw = drawing_lots.integer
    ends = [[draw(*x), draw(*y)] for x, y in ((left, upper), (right, upper), (right, lower), (left, lower))]
    return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], ends


class ElasticTransform(Module):
    """Drawn on rubber: each pixel moves by smoothed noise.

    Simard, Steinkraus & Platt, "Best practices for convolutional neural networks", 2003.

    Args:
        alpha: how far, along x and y.
        sigma: how smooth, along x and y.
        fill: the value of what was outside.
    """

    def __init__(
        self, alpha: Any = 50.0, sigma: Any = 5.0, interpolation: Any = InterpolationMode.BILINEAR, fill: Any = 0
    ) -> None:
        super().__init__()
        self.alpha = float_pair(alpha, "alpha")
        self.sigma = float_pair(sigma, "sigma")
        self.interpolation = as_interpolation(interpolation)
        self.fill = [float(fill)] if isinstance(fill, (int, float)) else [float(each) for each in fill]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Any:
        """A random displacement (1, height, width, 2)."""
        return random_displacement(alpha, sigma, size)

    def forward(self, tensor: Any) -> Any:
        _, height, width = get_dimensions(tensor)
        displacement = self.get_params(self.alpha, self.sigma, [height, width])
        return F.elastic_transform(tensor, displacement, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, interpolation={self.interpolation}, "
            f"fill={self.fill})"
        )


def float_pair(given: Any, name: str) -> list[float]:
    """Two numbers from one, or as given.

    Raises:
        TypeError: neither.
        ValueError: another length.
    """
    if isinstance(given, (int, float)):
        return [float(given)] * 2
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"{name} should be a number or a sequence of numbers. Got {type(given)}")
    if len(given) not in (1, 2):
        raise ValueError(f"If {name} is a sequence its length should be 1 or 2. Got {len(given)}")
    if not all(isinstance(each, (int, float)) for each in given):
        raise TypeError(f"{name} should be a sequence of numbers. Got {given}")
    return [float(each) for each in given] * (3 - len(given))


def random_displacement(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Any:
    """Noise along x, then along y, smoothed by Gaussians of four times their deviations; (1, height, width, 2)."""
    import flambeau

    planes = []
    for which in (0, 1):
        noise = flambeau.rand([1, 1, *size]) * 2 - 1
        if sigma[which] > 0.0:
            window = int(8 * sigma[which] + 1)
            noise = F.gaussian_blur(noise, [window + 1 - window % 2] * 2, list(sigma))
        planes.append(noise * alpha[which] / size[1 - which])
    return flambeau.concat(planes, 1).permute(0, 2, 3, 1)
