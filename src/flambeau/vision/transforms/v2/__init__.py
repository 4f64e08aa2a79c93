"""Transforms of whole samples: images with their videos, masks and boxes, in tuples, lists and dictionaries."""

from __future__ import annotations

from ..interpolation import InterpolationMode
from ..policies import AutoAugmentPolicy
from .autoaugment import AutoAugment, RandAugment, TrivialAugmentWide
from .color import (
    JPEG,
    RGB,
    ColorJitter,
    GaussianBlur,
    Grayscale,
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomChannelPermutation,
    RandomEqualize,
    RandomGrayscale,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)  # fmt: skip
from .composition import Compose, RandomApply, RandomChoice, RandomOrder
from .conversion import (
    ClampBoundingBoxes,
    ConvertBoundingBoxFormat,
    ConvertImageDtype,
    Identity,
    Lambda,
    LinearTransformation,
    Normalize,
    PILToTensor,
    ToDtype,
    ToImage,
    ToPILImage,
    ToPureTensor,
    ToTensor,
)  # fmt: skip
from .detection import (
    RandomIoUCrop,
    RandomPhotometricDistort,
    RandomResize,
    RandomShortestSize,
    RandomZoomOut,
    SanitizeBoundingBoxes,
    ScaleJitter,
)  # fmt: skip
from .erasing import RandomErasing
from .geometry import (
    CenterCrop,
    ElasticTransform,
    FiveCrop,
    Pad,
    RandomAffine,
    RandomCrop,
    RandomHorizontalFlip,
    RandomPerspective,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
    TenCrop,
)  # fmt: skip
from .mixing import CutMix, GaussianNoise, MixUp
from .transform import Transform

__all__ = [
    "JPEG", "RGB", "AutoAugment", "AutoAugmentPolicy", "CenterCrop", "ClampBoundingBoxes", "ColorJitter", "Compose",
    "ConvertBoundingBoxFormat", "ConvertImageDtype", "CutMix", "ElasticTransform", "FiveCrop", "GaussianBlur",
    "GaussianNoise", "Grayscale", "Identity", "InterpolationMode", "Lambda", "LinearTransformation", "MixUp",
    "Normalize", "PILToTensor", "Pad", "RandAugment", "RandomAdjustSharpness", "RandomAffine", "RandomApply",
    "RandomAutocontrast", "RandomChannelPermutation", "RandomChoice", "RandomCrop", "RandomEqualize",
    "RandomErasing", "RandomGrayscale", "RandomHorizontalFlip", "RandomInvert", "RandomIoUCrop", "RandomOrder",
    "RandomPerspective", "RandomPhotometricDistort", "RandomPosterize", "RandomResize", "RandomResizedCrop",
    "RandomRotation", "RandomShortestSize", "RandomSolarize", "RandomVerticalFlip", "RandomZoomOut", "Resize",
    "SanitizeBoundingBoxes", "ScaleJitter", "TenCrop", "ToDtype", "ToImage", "ToPILImage", "ToPureTensor",
    "ToTensor", "Transform", "TrivialAugmentWide",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name == "functional":
        from importlib import import_module

        return import_module(f"{__name__}.functional")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
