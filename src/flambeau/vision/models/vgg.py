"""VGG: 3×3 convolutions in ever wider stages (Simonyan and Zisserman, 2014)."""

from __future__ import annotations

from functools import partial
from typing import Any

from ... import nn
from .initialisation import initialise
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

#: The width of each stage, and for each network, by the paper's letter, how many convolutions its stages have.
WIDTHS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {"A": (1, 1, 2, 2, 2), "B": (2, 2, 2, 2, 2), "D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}
#: The same layer by layer: the width of a convolution, or "M" for max pooling.
cfgs: dict[str, list[int | str]] = {letter: [] for letter in CONVOLUTIONS}
for _letter, _counts in CONVOLUTIONS.items():
    for _width, _count in zip(WIDTHS, _counts):
        cfgs[_letter] += [*[_width] * _count, "M"]


class VGG(nn.Module):
    """``features``, pooled to 7×7, and three linear layers; input (N, 3, H, W) from 32 pixels on.

    >>> import flambeau as torch
    >>> features = torch.vision.models.vgg.make_layers([8, "M", 512, "M"])
    >>> torch.vision.models.VGG(features, num_classes=10, init_weights=False).classifier[6].out_features
    10
    """

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            initialise(self, partial(nn.init.normal_, mean=0, std=0.01))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def make_layers(cfg: list[int | str], batch_norm: bool = False) -> nn.Sequential:
    """The layers ``cfg`` lists: 3×3 convolutions of these widths, each with relu, and "M" for max pooling."""
    layers: list[nn.Module] = []
    channels = 3
    for width in cfg:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(channels, width, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU(inplace=True))
        channels = width
    return nn.Sequential(*layers)


def _with_weights(kwargs: dict[str, Any], weights: WeightsEnum) -> None:
    kwargs["init_weights"] = False  # they are replaced anyway


class VGG11_Weights(WeightsEnum):
    """Published for :func:`vgg11`."""

    IMAGENET1K_V1 = imagenet(
        "vgg11-8a719046.pth", 132863336, 69.02, 88.628, 7.609, 506.84,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG11_Weights, _with_weights)
def vgg11(**kwargs: Any) -> VGG:
    """VGG-11."""
    return VGG(make_layers(cfgs["A"]), **kwargs)


class VGG11_BN_Weights(WeightsEnum):
    """Published for :func:`vgg11_bn`."""

    IMAGENET1K_V1 = imagenet(
        "vgg11_bn-6002323d.pth", 132868840, 70.37, 89.81, 7.609, 506.881,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG11_BN_Weights, _with_weights)
def vgg11_bn(**kwargs: Any) -> VGG:
    """VGG-11 with batch normalization."""
    return VGG(make_layers(cfgs["A"], batch_norm=True), **kwargs)


class VGG13_Weights(WeightsEnum):
    """Published for :func:`vgg13`."""

    IMAGENET1K_V1 = imagenet(
        "vgg13-19584684.pth", 133047848, 69.928, 89.246, 11.308, 507.545,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG13_Weights, _with_weights)
def vgg13(**kwargs: Any) -> VGG:
    """VGG-13."""
    return VGG(make_layers(cfgs["B"]), **kwargs)


class VGG13_BN_Weights(WeightsEnum):
    """Published for :func:`vgg13_bn`."""

    IMAGENET1K_V1 = imagenet(
        "vgg13_bn-abd245e5.pth", 133053736, 71.586, 90.374, 11.308, 507.59,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG13_BN_Weights, _with_weights)
def vgg13_bn(**kwargs: Any) -> VGG:
    """VGG-13 with batch normalization."""
    return VGG(make_layers(cfgs["B"], batch_norm=True), **kwargs)


class VGG16_Weights(WeightsEnum):
    """Published for :func:`vgg16`."""

    IMAGENET1K_V1 = imagenet(
        "vgg16-397923af.pth", 138357544, 71.592, 90.382, 15.47, 527.796,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    IMAGENET1K_FEATURES = imagenet(
        "vgg16_features-amdegroot-88682ab5.pth", 138357544, float("nan"), float("nan"), 15.47, 527.802,
        recipe="amdegroot/ssd.pytorch#training-ssd", min_size=32, labelled=False, crop_size=224,
        mean=(0.48235, 0.45882, 0.40784), std=(1 / 255, 1 / 255, 1 / 255),
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG16_Weights, _with_weights)
def vgg16(**kwargs: Any) -> VGG:
    """VGG-16."""
    return VGG(make_layers(cfgs["D"]), **kwargs)


class VGG16_BN_Weights(WeightsEnum):
    """Published for :func:`vgg16_bn`."""

    IMAGENET1K_V1 = imagenet(
        "vgg16_bn-6c64b313.pth", 138365992, 73.36, 91.516, 15.47, 527.866,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG16_BN_Weights, _with_weights)
def vgg16_bn(**kwargs: Any) -> VGG:
    """VGG-16 with batch normalization."""
    return VGG(make_layers(cfgs["D"], batch_norm=True), **kwargs)


class VGG19_Weights(WeightsEnum):
    """Published for :func:`vgg19`."""

    IMAGENET1K_V1 = imagenet(
        "vgg19-dcbb9e9d.pth", 143667240, 72.376, 90.876, 19.632, 548.051,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG19_Weights, _with_weights)
def vgg19(**kwargs: Any) -> VGG:
    """VGG-19."""
    return VGG(make_layers(cfgs["E"]), **kwargs)


class VGG19_BN_Weights(WeightsEnum):
    """Published for :func:`vgg19_bn`."""

    IMAGENET1K_V1 = imagenet(
        "vgg19_bn-c79401a0.pth", 143678248, 74.218, 91.842, 19.632, 548.143,
        recipe="pytorch/vision/tree/main/references/classification#alexnet-and-vgg", min_size=32, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(VGG19_BN_Weights, _with_weights)
def vgg19_bn(**kwargs: Any) -> VGG:
    """VGG-19 with batch normalization."""
    return VGG(make_layers(cfgs["E"], batch_norm=True), **kwargs)
