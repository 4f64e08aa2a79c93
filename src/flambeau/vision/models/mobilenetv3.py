"""MobileNetV3: MobileNetV2 with squeeze-and-excitation and hard swish, found by search (Howard et al., 2019)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ... import nn
from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from .initialisation import divisible, initialise
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = [
    "MobileNetV3",
    "MobileNet_V3_Large_Weights",
    "MobileNet_V3_Small_Weights",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
]

#: For each block: kernel, expanded width, width, whether it squeezes, activation, stride. The last three blocks are those
#: that ``reduced_tail`` halves and ``dilated`` dilates.
LARGE = [
    (3, 16, 16, False, "RE", 1),
    (3, 64, 24, False, "RE", 2),
    (3, 72, 24, False, "RE", 1),
    (5, 72, 40, True, "RE", 2),
    (5, 120, 40, True, "RE", 1),
    (5, 120, 40, True, "RE", 1),
    (3, 240, 80, False, "HS", 2),
    (3, 200, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 480, 112, True, "HS", 1),
    (3, 672, 112, True, "HS", 1),
    (5, 672, 160, True, "HS", 2),
    (5, 960, 160, True, "HS", 1),
    (5, 960, 160, True, "HS", 1),
]
SMALL = [
    (3, 16, 16, True, "RE", 2),
    (3, 72, 24, False, "RE", 2),
    (3, 88, 24, False, "RE", 1),
    (5, 96, 40, True, "HS", 2),
    (5, 240, 40, True, "HS", 1),
    (5, 240, 40, True, "HS", 1),
    (5, 120, 48, True, "HS", 1),
    (5, 144, 48, True, "HS", 1),
    (5, 288, 96, True, "HS", 2),
    (5, 576, 96, True, "HS", 1),
    (5, 576, 96, True, "HS", 1),
]


class InvertedResidualConfig:
    """The shape of one block: widths (scaled by ``width_mult``), kernel, squeezing, activation "RE" or "HS", stride."""

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """``channels`` · ``width_mult``, to a multiple of 8."""
        return divisible(channels * width_mult)


class InvertedResidual(nn.Module):
    """Expand, convolve in each channel, squeeze and excite, project; plus x if shapes allow."""

    def __init__(
        self,
        cnf: InvertedResidualConfig,
        norm_layer: Callable[..., nn.Module],
        se_layer: Callable[..., nn.Module] = partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid),
    ) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"illegal stride value {cnf.stride}: 1 or 2 expected")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        activation = nn.Hardswish if cnf.use_hs else nn.ReLU
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=activation)
        width = cnf.expanded_channels
        layers: list[nn.Module] = []
        if width != cnf.input_channels:
            layers.append(made(cnf.input_channels, width, kernel_size=1))
        stride = 1 if cnf.dilation > 1 else cnf.stride
        layers.append(made(width, width, cnf.kernel, stride=stride, dilation=cnf.dilation, groups=width))
        if cnf.use_se:
            layers.append(se_layer(width, divisible(width // 4)))
        layers.append(
            Conv2dNormActivation(width, cnf.out_channels, kernel_size=1, norm_layer=norm_layer, activation_layer=None)
        )
        self.block = nn.Sequential(*layers)
        self.out_channels = cnf.out_channels

    def forward(self, input: Any) -> Any:
        return self.block(input) + input if self.use_res_connect else self.block(input)


class MobileNetV3(nn.Module):
    """Blocks as ``inverted_residual_setting`` says; input (N, 3, H, W), output (N, num_classes).

    Args:
        last_channel: width of the hidden layer of the classifier.

    >>> import flambeau as torch
    >>> from flambeau.vision.models.mobilenetv3 import InvertedResidualConfig
    >>> block = InvertedResidualConfig(16, 3, 32, 16, True, "HS", 1, 1, 1.0)
    >>> torch.vision.models.MobileNetV3([block], 64, num_classes=10).eval()(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        inverted_residual_setting: list[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
        dropout: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if not inverted_residual_setting:
            raise ValueError("The inverted_residual_setting should not be empty")
        if not all(isinstance(each, InvertedResidualConfig) for each in inverted_residual_setting):
            raise TypeError("The inverted_residual_setting should be List[InvertedResidualConfig]")
        block = block or InvertedResidual
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish)
        layers: list[nn.Module] = [made(3, inverted_residual_setting[0].input_channels, stride=2)]
        layers += [block(each, norm_layer) for each in inverted_residual_setting]
        width = 6 * inverted_residual_setting[-1].out_channels
        layers.append(made(inverted_residual_setting[-1].out_channels, width, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(width, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(p=dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        initialise(self, partial(nn.init.normal_, mean=0, std=0.01))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _network(
    rows: list[tuple[int, int, int, bool, str, int]],
    last_channel: int,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    **kwargs: Any,
) -> MobileNetV3:
    shrink = 2 if reduced_tail else 1
    settings = []
    channels = 16
    for index, (kernel, expanded, width, squeezes, activation, stride) in enumerate(rows):
        tail = index - (len(rows) - 3)  # the blocks from 0 on are the tail
        if tail >= 0:
            width //= shrink
        if tail > 0:
            expanded //= shrink
        dilation = 2 if dilated and tail >= 0 else 1
        settings.append(
            InvertedResidualConfig(channels, kernel, expanded, width, squeezes, activation, stride, dilation, width_mult)
        )
        channels = width
    return MobileNetV3(settings, divisible(last_channel // shrink * width_mult), **kwargs)


class MobileNet_V3_Large_Weights(WeightsEnum):
    """Published for :func:`mobilenet_v3_large`."""

    IMAGENET1K_V1 = imagenet(
        "mobilenet_v3_large-8738ca79.pth", 5483032, 74.042, 91.34, 0.217, 21.114,
        recipe="pytorch/vision/tree/main/references/classification#mobilenetv3-large--small", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "mobilenet_v3_large-5c1a4163.pth", 5483032, 75.274, 92.566, 0.217, 21.107,
        recipe="pytorch/vision/issues/3995#new-recipe-with-reg-tuning", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(MobileNet_V3_Large_Weights)
def mobilenet_v3_large(**kwargs: Any) -> MobileNetV3:
    """MobileNetV3, large. ``width_mult``, ``reduced_tail`` and ``dilated`` change its blocks."""
    return _network(LARGE, 1280, **kwargs)


class MobileNet_V3_Small_Weights(WeightsEnum):
    """Published for :func:`mobilenet_v3_small`."""

    IMAGENET1K_V1 = imagenet(
        "mobilenet_v3_small-047dcff4.pth", 2542856, 67.668, 87.402, 0.057, 9.829,
        recipe="pytorch/vision/tree/main/references/classification#mobilenetv3-large--small", crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(MobileNet_V3_Small_Weights)
def mobilenet_v3_small(**kwargs: Any) -> MobileNetV3:
    """MobileNetV3, small. ``width_mult``, ``reduced_tail`` and ``dilated`` change its blocks.

    >>> from flambeau.vision import models
    >>> len(models.mobilenet_v3_small(num_classes=2).features)
    13
    """
    return _network(SMALL, 1024, **kwargs)
