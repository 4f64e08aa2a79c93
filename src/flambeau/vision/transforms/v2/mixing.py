"""Batches whose images are mixed with one another, and their labels likewise; and noise.

Zhang et al., "mixup: beyond empirical risk minimization", 2018; Yun et al., "CutMix", 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ....core import dtypes
from ....operators.creation import tensor
from ....tensor import Tensor
from ...pillow import Image as PIL
from ...tv_tensors import BoundingBoxes, Image, Mask, Video
from .. import drawing_lots
from . import functional as F
from .detection import find_labels
from .functional.dispatch import is_pure_tensor
from .structures import leaves, rebuilt
from .transform import Transform, query_size

__all__ = ["CutMix", "GaussianNoise", "MixUp"]


class _Mixing(Transform):
    """Images (N, channels, height, width) and labels: classes (N,), or what is wanted of each (N, classes)."""

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        num_classes: int | None = None,
        labels_getter: Callable[[Any], Any] | str = "default",
    ) -> None:
        super().__init__()
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self._labels_getter = labels_getter

    def mixture(self, flat_inputs: list[Any], share: float) -> tuple[float, Any]:
        """(what part of an image is its own, the function that mixes images)."""
        raise NotImplementedError(f"{type(self).__name__} must define mixture(flat_inputs, share)")

    def forward(self, *inputs: Any) -> Any:
        import flambeau

        sample = inputs if len(inputs) > 1 else inputs[0]
        flat = list(leaves(sample))
        name = type(self).__name__
        if any(isinstance(each, (PIL.Image, BoundingBoxes, Mask)) for each in flat):
            raise ValueError(f"{name}() does not support PIL images, bounding boxes and masks.")
        (labels,) = find_labels(sample, self._labels_getter)
        if not isinstance(labels, Tensor) or labels.ndim not in (1, 2):
            raise ValueError(
                f"labels should be a tensor of shape (batch_size,) or (batch_size, num_classes), got {labels}"
            )
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError("num_classes must be passed if the labels are index-based (1D)")
        if labels.ndim == 2 and self.num_classes is not None and labels.shape[1] != self.num_classes:
            raise ValueError(f"labels of {labels.shape[1]} classes do not fit num_classes = {self.num_classes}")
        images = [each for each in flat if each is not labels and _is_image(each)]
        if not images or any(each.ndim < 4 or each.shape[0] != labels.shape[0] for each in images):
            raise ValueError(f"{name}() takes a batch of images, as long as the labels: use it after the DataLoader")
        beta = flambeau.distributions.Beta(tensor([self.alpha]), tensor([self.alpha]))
        own, mix = self.mixture(images, float(beta.sample(()).item()))
        wanted = labels if labels.ndim == 2 else flambeau.nn.functional.one_hot(labels, self.num_classes)
        wanted = wanted if wanted.dtype.is_floating_point else wanted.to(dtypes.float32)
        made = []
        for each in flat:
            if each is labels:
                made.append(wanted.roll(1, 0) * (1.0 - own) + wanted * own)
            elif any(each is image for image in images):
                mixed = mix(each.as_subclass(Tensor))
                made.append(mixed.as_subclass(type(each)) if isinstance(each, (Image, Video)) else mixed)
            else:
                made.append(each)
        return rebuilt(sample, iter(made))


def _is_image(inpt: Any) -> bool:
    return isinstance(inpt, (Image, Video)) or is_pure_tensor(inpt)


class MixUp(_Mixing):
    """Each image a weighted mean of itself and the one before it, and its label likewise.

    Args:
        alpha: of the Beta distribution of the weights.
        num_classes: how many classes there are, where labels are their numbers.
        labels_getter: where labels are; by default under "labels", or second.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import v2
    >>> images, labels = v2.MixUp(num_classes=3)(torch.rand(2, 1, 4, 4), torch.tensor([0, 2])); labels.sum(1)
    tensor([1., 1.])
    """

    def mixture(self, flat_inputs: list[Any], share: float) -> tuple[float, Any]:
        return share, lambda images: images.roll(1, 0) * (1.0 - share) + images * share


class CutMix(_Mixing):
    """A rectangle of each image replaced by the same one of the image before it, and the label mixed by area.

    Arguments as for :class:`MixUp`.
    """

    def mixture(self, flat_inputs: list[Any], share: float) -> tuple[float, Any]:
        height, width = query_size(flat_inputs)
        x, y = drawing_lots.integer(0, width), drawing_lots.integer(0, height)
        half = 0.5 * math.sqrt(1.0 - share)
        across, down = int(half * width), int(half * height)
        left, right, top, bottom = max(x - across, 0), min(x + across, width), max(y - down, 0), min(y + down, height)

        def mix(images: Any) -> Any:
            made = images.clone()
            made[..., top:bottom, left:right] = images.roll(1, 0)[..., top:bottom, left:right]
            return made

        return 1.0 - (right - left) * (bottom - top) / (width * height), mix


class GaussianNoise(Transform):
    """Noise added to floating images.

    Args:
        mean, sigma: of the noise.
        clip: keep the result between 0 and 1.

    Raises:
        ValueError: a negative deviation, or an image that is not floating.
    """

    _transformed_types = (is_pure_tensor, Image, Video)

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        if sigma < 0:
            raise ValueError(f"sigma shouldn't be negative. Got {sigma}")
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.gaussian_noise, inpt, self.mean, self.sigma, self.clip)
