"""Augmentation that needs no tuning, of the one image in a sample; see ``transforms.autoaugment``."""

from __future__ import annotations

from typing import Any

from ....tensor import Tensor
from ...pillow import Image as PIL
from ...tv_tensors import BoundingBoxes, Image, Mask, Video
from .. import drawing_lots
from ..functional.conversion import largest_value
from ..images import get_dimensions
from ..interpolation import InterpolationMode
from ..policies import OPERATIONS, POLICIES, AutoAugmentPolicy, Space, space
from . import functional as F
from .functional.dispatch import is_pure_tensor
from .structures import leaves, rebuilt
from .transform import Transform, fill_of

__all__ = ["AutoAugment", "RandAugment", "TrivialAugmentWide"]


class _Automatic(Transform):
    """What the three share: they find the image, and hand it on from operation to operation."""

    def __init__(self, interpolation: Any, fill: Any) -> None:
        super().__init__()
        self.interpolation = interpolation
        self.fill = fill

    def augmented(self, image: Any, height: int, width: int) -> Any:
        """The image after the operations drawn."""
        raise NotImplementedError(f"{type(self).__name__} must define augmented(image, height, width)")

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        flat = list(leaves(sample))
        if any(isinstance(each, (BoundingBoxes, Mask)) for each in flat):
            raise TypeError(f"Inputs of type BoundingBoxes and Mask are not supported by {type(self).__name__}()")
        images = [place for place, each in enumerate(flat) if isinstance(each, (Image, Video, PIL.Image))]
        if not images:
            images = [place for place, each in enumerate(flat) if is_pure_tensor(each)][:1]
        if not images:
            raise TypeError("Found no image in the sample.")
        if len(images) > 1:
            raise ValueError(
                f"Auto augment transformations are only properly defined for a single image or video, but found {len(images)}."
            )
        found = flat[images[0]]
        plain = found.as_subclass(Tensor) if isinstance(found, Tensor) else found
        made = self.augmented(plain, *get_dimensions(plain)[1:])
        flat[images[0]] = made.as_subclass(type(found)) if isinstance(found, Tensor) else made
        return rebuilt(sample, iter(flat))

    def _perform(self, image: Any, name: str, magnitude: float) -> Any:
        if name == "Solarize":
            return F.solarize(image, (largest_value(image.dtype) if isinstance(image, Tensor) else 255.0) * magnitude)
        if name == "Posterize":
            return F.posterize(image, int(magnitude))
        if name == "Equalize":
            return F.equalize(image)
        return OPERATIONS[name](image, magnitude, self.interpolation, fill_of(self.fill, image))


def _drawn(found: Space) -> tuple[str, list[float] | None, bool]:
    name = list(found)[drawing_lots.integer(0, len(found))]
    return (name, *found[name])


def _signed(magnitude: float, both_ways: bool) -> float:
    return -magnitude if both_ways and drawing_lots.fraction() <= 0.5 else magnitude


class AutoAugment(_Automatic):
    """One of the 25 sub-policies learned on a data set."""

    def __init__(
        self, policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Any = InterpolationMode.NEAREST.value, fill: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        if policy not in POLICIES:
            raise ValueError(f"The provided policy {policy} is not recognized.")
        self.policy = policy
        self._policies = POLICIES[policy]

    def augmented(self, image: Any, height: int, width: int) -> Any:
        found = space("AutoAugment", 10, height, width, 1.0)
        for name, probability, which in self._policies[drawing_lots.integer(0, len(self._policies))]:
            if drawing_lots.fraction() > probability:
                continue
            magnitudes, both_ways = found[name]
            magnitude = 0.0
            if magnitudes is not None and which is not None:
                magnitude = _signed(magnitudes[which], both_ways)
            image = self._perform(image, name, magnitude)
        return image


class RandAugment(_Automatic):
    """``num_ops`` random operations, all of one magnitude."""

    def __init__(
        self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST.value, fill: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def augmented(self, image: Any, height: int, width: int) -> Any:
        found = space("RandAugment", self.num_magnitude_bins, height, width, 1.0)
        for _ in range(self.num_ops):
            name, magnitudes, both_ways = _drawn(found)
            magnitude = 0.0 if magnitudes is None else _signed(magnitudes[self.magnitude], both_ways)
            image = self._perform(image, name, magnitude)
        return image


class TrivialAugmentWide(_Automatic):
    """One random operation of random magnitude, from a wide range."""

    def __init__(
        self, num_magnitude_bins: int = 31, interpolation: Any = InterpolationMode.NEAREST.value, fill: Any = None
    ) -> None:
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def augmented(self, image: Any, height: int, width: int) -> Any:
        name, magnitudes, both_ways = _drawn(space("TrivialAugmentWide", self.num_magnitude_bins, height, width, 1.0))
        magnitude = 0.0
        if magnitudes is not None:
            magnitude = _signed(magnitudes[drawing_lots.integer(0, len(magnitudes))], both_ways)
        return self._perform(image, name, magnitude)
