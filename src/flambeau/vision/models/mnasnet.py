"""MNASNet: found by a search that measures the time on a phone (Tan et al., 2018)."""

from __future__ import annotations

from functools import partial
from typing import Any

from ... import nn
from .initialisation import divisible, initialise
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = [
    "MNASNet",
    "MNASNet0_5_Weights",
    "MNASNet0_75_Weights",
    "MNASNet1_0_Weights",
    "MNASNet1_3_Weights",
    "mnasnet0_5",
    "mnasnet0_75",
    "mnasnet1_0",
    "mnasnet1_3",
]

#: For each stage: width, kernel, stride, expansion, blocks.
STAGES = [(24, 3, 2, 3, 3), (40, 5, 2, 3, 3), (80, 5, 2, 6, 3), (96, 3, 1, 6, 2), (192, 5, 2, 6, 4), (320, 3, 1, 6, 1)]
#: TensorFlow's decay of 0.9997.
_MOMENTUM = 1 - 0.9997


class _InvertedResidual(nn.Module):
    """Expand, convolve in each channel, project; plus x if shapes allow."""

    def __init__(
        self, in_ch: int, out_ch: int, kernel_size: int, stride: int, expansion_factor: int, bn_momentum: float = 0.1
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        if kernel_size not in (3, 5):
            raise ValueError(f"kernel_size should be 3 or 5 instead of {kernel_size}")
        width = in_ch * expansion_factor
        norm = partial(nn.BatchNorm2d, momentum=bn_momentum)
        self.apply_residual = in_ch == out_ch and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(in_ch, width, 1, bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, kernel_size, padding=kernel_size // 2, stride=stride, groups=width, bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, out_ch, 1, bias=False),
            norm(out_ch),
        )

    def forward(self, input: Any) -> Any:
        return self.layers(input) + input if self.apply_residual else self.layers(input)


class MNASNet(nn.Module):
    """Stages of inverted residuals, ``alpha`` times as wide; input (N, 3, H, W), output (N, num_classes).

    >>> import flambeau as torch
    >>> torch.vision.models.MNASNet(0.5, num_classes=10).eval()(torch.ones(1, 3, 32, 32)).shape
    torch.Size([1, 10])
    """

    _version = 2

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0.0:
            raise ValueError(f"alpha should be greater than 0.0 instead of {alpha}")
        self.alpha = alpha
        self.num_classes = num_classes
        norm = partial(nn.BatchNorm2d, momentum=_MOMENTUM)
        first, channels = divisible(32 * alpha), divisible(16 * alpha)
        layers: list[nn.Module] = [
            nn.Conv2d(3, first, 3, padding=1, stride=2, bias=False),
            norm(first),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, first, 3, padding=1, groups=first, bias=False),
            norm(first),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, channels, 1, bias=False),
            norm(channels),
        ]
        for width, kernel, stride, expansion, count in STAGES:
            width = divisible(width * alpha)
            blocks = []
            for index in range(count):
                blocks.append(_InvertedResidual(channels, width, kernel, 1 if index else stride, expansion, _MOMENTUM))
                channels = width
            layers.append(nn.Sequential(*blocks))
        layers += [nn.Conv2d(channels, 1280, 1, bias=False), norm(1280), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(1280, num_classes))
        initialise(self, partial(nn.init.kaiming_uniform_, mode="fan_out", nonlinearity="sigmoid"))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.layers(x).mean([2, 3]))


class MNASNet0_5_Weights(WeightsEnum):
    """Published for :func:`mnasnet0_5`."""

    IMAGENET1K_V1 = imagenet(
        "mnasnet0.5_top1_67.823-3ffadce67e.pth", 2218512, 67.734, 87.49, 0.104, 8.591,
        recipe="1e100/mnasnet_trainer", crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(MNASNet0_5_Weights)
def mnasnet0_5(**kwargs: Any) -> MNASNet:
    """MNASNet, 0.5 times as wide."""
    return MNASNet(0.5, **kwargs)


class MNASNet0_75_Weights(WeightsEnum):
    """Published for :func:`mnasnet0_75`."""

    IMAGENET1K_V1 = imagenet(
        "mnasnet0_75-7090bc5f.pth", 3170208, 71.18, 90.496, 0.215, 12.303,
        recipe="pytorch/vision/pull/6019", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V1


@model(MNASNet0_75_Weights)
def mnasnet0_75(**kwargs: Any) -> MNASNet:
    """MNASNet, 0.75 times as wide."""
    return MNASNet(0.75, **kwargs)


class MNASNet1_0_Weights(WeightsEnum):
    """Published for :func:`mnasnet1_0`."""

    IMAGENET1K_V1 = imagenet(
        "mnasnet1.0_top1_73.512-f206786ef8.pth", 4383312, 73.456, 91.51, 0.314, 16.915,
        recipe="1e100/mnasnet_trainer", crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(MNASNet1_0_Weights)
def mnasnet1_0(**kwargs: Any) -> MNASNet:
    """MNASNet, 1.0 times as wide."""
    return MNASNet(1.0, **kwargs)


class MNASNet1_3_Weights(WeightsEnum):
    """Published for :func:`mnasnet1_3`."""

    IMAGENET1K_V1 = imagenet(
        "mnasnet1_3-a4c69d6f.pth", 6282256, 76.506, 93.522, 0.526, 24.246,
        recipe="pytorch/vision/pull/6019", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V1


@model(MNASNet1_3_Weights)
def mnasnet1_3(**kwargs: Any) -> MNASNet:
    """MNASNet, 1.3 times as wide."""
    return MNASNet(1.3, **kwargs)
