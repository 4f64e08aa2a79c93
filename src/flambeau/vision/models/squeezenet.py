"""SqueezeNet: AlexNet's accuracy with fifty times fewer parameters (Iandola et al., 2016)."""

from __future__ import annotations

from typing import Any

from ... import nn, operators
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = ["SqueezeNet", "SqueezeNet1_0_Weights", "SqueezeNet1_1_Weights", "squeezenet1_0", "squeezenet1_1"]

#: For each version: width and kernel of the first convolution, and the squeeze widths of the fire modules between two
#: poolings. A fire module expands to four times (1×1 and 3×3) its squeeze width; version 1.1 shrinks images earlier.
VERSIONS: dict[str, tuple[int, int, tuple[tuple[int, ...], ...]]] = {
    "1_0": (96, 7, ((16, 16, 32), (32, 48, 48, 64), (64,))),
    "1_1": (64, 3, ((16, 16), (32, 32), (48, 48, 64, 64))),
}


class Fire(nn.Module):
    """1×1 convolution to few channels, then 1×1 and 3×3 convolutions of those, side by side."""

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Any) -> Any:
        x = self.squeeze_activation(self.squeeze(x))
        expanded = self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))
        return operators.cat(expanded, 1)


class SqueezeNet(nn.Module):
    """Fire modules and one convolution to classes; input (N, 3, H, W) from 21 pixels on, output (N, num_classes).

    >>> import flambeau as torch
    >>> torch.vision.models.SqueezeNet("1_1", num_classes=10)(torch.ones(1, 3, 32, 32)).shape
    torch.Size([1, 10])
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in VERSIONS:
            raise ValueError(f"Unsupported SqueezeNet version {version}: 1_0 or 1_1 expected")
        self.num_classes = num_classes
        channels, kernel, parts = VERSIONS[version]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, kernel_size=kernel, stride=2), nn.ReLU(inplace=True)]
        for part in parts:
            layers.append(nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True))
            for squeezed in part:
                layers.append(Fire(channels, squeezed, 4 * squeezed, 4 * squeezed))
                channels = 8 * squeezed
        self.features = nn.Sequential(*layers)
        final = nn.Conv2d(512, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), final, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        for each in self.modules():
            if isinstance(each, nn.Conv2d):
                if each is final:
                    nn.init.normal_(each.weight, mean=0.0, std=0.01)
                else:
                    nn.init.kaiming_uniform_(each.weight)
                nn.init.zeros_(each.bias)

    def forward(self, x: Any) -> Any:
        return self.classifier(self.features(x)).flatten(1)


class SqueezeNet1_0_Weights(WeightsEnum):
    """Published for :func:`squeezenet1_0`."""

    IMAGENET1K_V1 = imagenet(
        "squeezenet1_0-b66bff10.pth", 1248424, 58.092, 80.42, 0.819, 4.778,
        recipe="pytorch/vision/pull/49#issuecomment-277560717", min_size=21, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(SqueezeNet1_0_Weights)
def squeezenet1_0(**kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.0, the paper's."""
    return SqueezeNet("1_0", **kwargs)


class SqueezeNet1_1_Weights(WeightsEnum):
    """Published for :func:`squeezenet1_1`."""

    IMAGENET1K_V1 = imagenet(
        "squeezenet1_1-b8a52dc0.pth", 1235496, 58.178, 80.624, 0.349, 4.729,
        recipe="pytorch/vision/pull/49#issuecomment-277560717", min_size=17, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(SqueezeNet1_1_Weights)
def squeezenet1_1(**kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.1, as accurate with 2.4 times less computation.

    >>> import flambeau as torch
    >>> from flambeau.vision import models
    >>> models.squeezenet1_1(num_classes=2)(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 2])
    """
    return SqueezeNet("1_1", **kwargs)
