"""MobileNetV2: inverted residuals, wide inside and narrow between (Sandler et al., 2018)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ... import nn
from ...nn import functional as F
from ..ops.misc import Conv2dNormActivation
from .initialisation import divisible, initialise
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = ["MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2"]

#: For each stage: expansion, width, blocks, stride of the first.
STAGES = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]


class InvertedResidual(nn.Module):
    """1×1 convolution to ``expand_ratio`` times the channels, 3×3 in each channel, 1×1 to ``oup``; plus x if shapes allow."""

    def __init__(
        self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Callable[..., nn.Module] | None = None
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm_layer = norm_layer or nn.BatchNorm2d
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        hidden = round(inp * expand_ratio)
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        layers: list[nn.Module] = [made(inp, hidden, kernel_size=1)] if expand_ratio != 1 else []
        layers += [
            made(hidden, hidden, stride=stride, groups=hidden),
            nn.Conv2d(hidden, oup, 1, bias=False),
            norm_layer(oup),
        ]
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup

    def forward(self, x: Any) -> Any:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Stages of inverted residuals; input (N, 3, H, W), output (N, num_classes).

    Args:
        width_mult: makes every layer wider or narrower.
        inverted_residual_setting: (expansion, width, blocks, stride) of each stage.
        round_nearest: widths are multiples of this.

    >>> import flambeau as torch
    >>> net = torch.vision.models.MobileNetV2(10, 0.25, [[1, 16, 1, 1], [6, 24, 2, 2]])
    >>> net(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: list[list[int]] | None = None,
        round_nearest: int = 8,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        block = block or InvertedResidual
        norm_layer = norm_layer or nn.BatchNorm2d
        stages = STAGES if inverted_residual_setting is None else inverted_residual_setting
        if not stages or len(stages[0]) != 4:
            raise ValueError(f"inverted_residual_setting should be non-empty or a 4-element list, got {stages}")
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        channels = divisible(32 * width_mult, round_nearest)
        self.last_channel = divisible(1280 * max(1.0, width_mult), round_nearest)
        layers: list[nn.Module] = [made(3, channels, stride=2)]
        for expansion, width, blocks, stride in stages:
            width = divisible(width * width_mult, round_nearest)
            for index in range(blocks):
                layers.append(block(channels, width, 1 if index else stride, expand_ratio=expansion, norm_layer=norm_layer))
                channels = width
        layers.append(made(channels, self.last_channel, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        initialise(self, partial(nn.init.normal_, mean=0, std=0.01))

    def forward(self, x: Any) -> Any:
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), (1, 1)).flatten(1))


class MobileNet_V2_Weights(WeightsEnum):
    """Published for :func:`mobilenet_v2`."""

    IMAGENET1K_V1 = imagenet(
        "mobilenet_v2-b0353104.pth", 3504872, 71.878, 90.286, 0.301, 13.555,
        recipe="pytorch/vision/tree/main/references/classification#mobilenetv2", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "mobilenet_v2-7ebf99e0.pth", 3504872, 72.154, 90.822, 0.301, 13.598,
        recipe="pytorch/vision/issues/3995#new-recipe-with-reg-tuning", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(MobileNet_V2_Weights)
def mobilenet_v2(**kwargs: Any) -> MobileNetV2:
    """MobileNetV2."""
    return MobileNetV2(**kwargs)
