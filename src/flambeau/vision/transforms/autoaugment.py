"""Augmentation that needs no tuning: learned policies, or operations at random.

Cubuk et al., "AutoAugment", 2018, and "RandAugment", 2019; Müller & Hutter, "TrivialAugment", 2021; Hendrycks et al.,
"AugMix", 2019. Images are PIL images or uint8 tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.sampling import dirichlet
from ...nn import Module
from ...operators.creation import tensor
from ...operators.generator import default_generator
from . import drawing_lots, functional as F
from .images import get_dimensions, is_tensor
from .interpolation import InterpolationMode
from .policies import OPERATIONS, POLICIES, AutoAugmentPolicy, Space, space
from .warping import fill_for

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]


class _Automatic(Module):
    """What the four share: the interpolation and filling of their operations."""

    def __init__(self, interpolation: Any, fill: Any) -> None:
        super().__init__()
        self.interpolation = interpolation
        self.fill = fill

    def _perform(self, img: Any, name: str, magnitude: float) -> Any:
        fill = None if self.fill is None else fill_for(img, self.fill)
        return OPERATIONS[name](img, magnitude, self.interpolation, fill)

    def _told(self, **arguments: Any) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in arguments.items())})"


def _drawn(found: Space) -> tuple[str, list[float] | None, bool]:
    """A random operation with its magnitudes."""
    name = list(found)[drawing_lots.integer(0, len(found))]
    return (name, *found[name])


def _signed(magnitude: float, both_ways: bool) -> float:
    return -magnitude if both_ways and drawing_lots.integer(0, 2) else magnitude


class AutoAugment(_Automatic):
    """One of the 25 sub-policies learned on a data set, each of two operations with probabilities and magnitudes.

    Args:
        policy: the data set.
        fill: the value of what was outside, or one for each channel.
    """

    def __init__(
        self, policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Any = InterpolationMode.NEAREST, fill: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        if policy not in POLICIES:
            raise ValueError(f"The provided policy {policy} is not recognized.")
        self.policy = policy
        self.policies = POLICIES[policy]

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Any, Any]:
        """(the sub-policy's number, a number from 0 to 1 for each operation, a sign for each as 0 or 1)."""

        number = drawing_lots.integer(0, transform_num)
        chances = drawing_lots.fractions(2)
        return number, tensor(chances), tensor([drawing_lots.integer(0, 2) for _ in range(2)])

    def forward(self, img: Any) -> Any:
        number, chances, signs = self.get_params(len(self.policies))
        found = space("AutoAugment", 10, *get_dimensions(img)[1:])
        for (name, probability, which), chance, sign in zip(self.policies[number], chances.tolist(), signs.tolist()):
            if chance <= probability:
                magnitudes, both_ways = found[name]
                magnitude = 0.0 if which is None or magnitudes is None else magnitudes[which]
                img = self._perform(img, name, -magnitude if both_ways and sign == 0 else magnitude)
        return img

    def __repr__(self) -> str:
        return self._told(policy=self.policy, fill=self.fill)


class RandAugment(_Automatic):
    """Random operations, all of one magnitude.

    Args:
        num_ops: how many.
        magnitude: the magnitude's number, below ``num_magnitude_bins``.
    """

    def __init__(
        self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST, fill: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def forward(self, img: Any) -> Any:
        found = space("RandAugment", self.num_magnitude_bins, *get_dimensions(img)[1:])
        for _ in range(self.num_ops):
            name, magnitudes, both_ways = _drawn(found)
            magnitude = 0.0 if magnitudes is None else magnitudes[self.magnitude]
            img = self._perform(img, name, _signed(magnitude, both_ways))
        return img

    def __repr__(self) -> str:
        return self._told(
            num_ops=self.num_ops, magnitude=self.magnitude, num_magnitude_bins=self.num_magnitude_bins,
            interpolation=self.interpolation, fill=self.fill,
        )  # fmt: skip


class TrivialAugmentWide(_Automatic):
    """One random operation of random magnitude, from a wide range."""

    def __init__(
        self, num_magnitude_bins: int = 31, interpolation: Any = InterpolationMode.NEAREST, fill: Any = None
    ) -> None:
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def forward(self, img: Any) -> Any:
        name, magnitudes, both_ways = _drawn(
            space("TrivialAugmentWide", self.num_magnitude_bins, *get_dimensions(img)[1:])
        )
        magnitude = 0.0 if magnitudes is None else magnitudes[drawing_lots.integer(0, len(magnitudes))]
        return self._perform(img, name, _signed(magnitude, both_ways))

    def __repr__(self) -> str:
        return self._told(num_magnitude_bins=self.num_magnitude_bins, interpolation=self.interpolation, fill=self.fill)


class AugMix(_Automatic):
    """The image mixed with several chains of random operations on it, with random weights.

    Args:
        severity: how many of the ten magnitudes may be drawn.
        mixture_width: how many chains.
        chain_depth: how many operations in each; -1 draws 1, 2 or 3.
        alpha: of the weights' Dirichlet distribution.
        all_ops: with brightness, colour, contrast and sharpness.
    """

    def __init__(
        self, severity: int = 3, mixture_width: int = 3, chain_depth: int = -1, alpha: float = 1.0, all_ops: bool = True,
        interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(interpolation, fill)
        if not 1 <= severity <= 10:
            raise ValueError(f"The severity must be between [1, 10]. Got {severity} instead.")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def forward(self, img: Any) -> Any:

        original = img if is_tensor(img) else F.pil_to_tensor(img)
        found = space("AugMix", 10, *original.shape[-2:])
        if not self.all_ops:
            found = dict(list(found.items())[:-4])
        batch = original.reshape(*(1,) * max(4 - original.ndim, 0), *original.shape)
        count = batch.shape[0]
        # How much of the image itself stays (first) and how much the chains get together (second).
        share = tensor(_dirichlet(self.alpha, count, 2))
        weights = tensor(_dirichlet(self.alpha, count, self.mixture_width)) * share[:, 1:]
        mixed = share[:, 0].reshape(count, 1, 1, 1) * batch
        for chain in range(self.mixture_width):
            augmented = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else drawing_lots.integer(1, 4)):
                name, magnitudes, both_ways = _drawn(found)
                magnitude = 0.0 if magnitudes is None else magnitudes[drawing_lots.integer(0, self.severity)]
                augmented = self._perform(augmented, name, _signed(magnitude, both_ways))
            mixed = mixed + weights[:, chain].reshape(count, 1, 1, 1) * augmented
        result = mixed.reshape(original.shape).to(original.dtype)
        return result if is_tensor(img) else F.to_pil_image(result)

    def __repr__(self) -> str:
        return self._told(
            severity=self.severity, mixture_width=self.mixture_width, chain_depth=self.chain_depth, alpha=self.alpha,
            all_ops=self.all_ops, interpolation=self.interpolation, fill=self.fill,
        )  # fmt: skip


def _dirichlet(alpha: float, rows: int, parts: int) -> Any:
    """Random weights in sum 1, a row for each image."""
    return dirichlet(default_generator, np.full((rows, parts), alpha, np.float32))
