"""What is done to an image before a published model sees it."""

from __future__ import annotations

from typing import Any

from ... import operators
from ...nn.module import Module

__all__ = ["ImageClassification"]


class ImageClassification(Module):
    """Resize, crop the middle, to float on [0, 1], normalize. Takes PIL images, and (batches of) image tensors.

    Args:
        crop_size: what the model sees.
        resize_size: the shorter side before cropping.
        interpolation: an ``InterpolationMode`` or its name.
        antialias: smooth before making an image smaller; PIL images always are.
    """

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int | None = 256,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        std: tuple[float, ...] = (0.229, 0.224, 0.225),
        interpolation: Any = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        from ..transforms import InterpolationMode  # needs Pillow, which a model by itself does not

        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = None if resize_size is None else [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = InterpolationMode(interpolation)
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        from ..transforms import functional

        if self.resize_size is not None:
            img = functional.resize(img, self.resize_size, interpolation=self.interpolation, antialias=self.antialias)
        img = functional.center_crop(img, self.crop_size)
        if not operators.is_tensor(img):
            img = functional.pil_to_tensor(img)
        img = functional.convert_image_dtype(img)
        return functional.normalize(img, mean=self.mean, std=self.std)

    def __repr__(self) -> str:
        shown = "".join(
            f"\n    {name}={getattr(self, name)}" for name in ("crop_size", "resize_size", "mean", "std", "interpolation")
        )
        return f"{type(self).__name__}({shown}\n)"

    def describe(self) -> str:
        """In words."""
        return (
            f"Accepts PIL images, (batched) (B, C, H, W) and single (C, H, W) image tensors. Images are resized to "
            f"{self.resize_size} ({self.interpolation}), cropped in the middle to {self.crop_size}, rescaled to [0, 1] "
            f"and normalized with mean={self.mean} and std={self.std}."
        )
