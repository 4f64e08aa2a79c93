"""EfficientNet: depth, width and resolution scaled together (Tan and Le, 2019), and EfficientNetV2 (2021)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import nn
from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..ops.stochastic_depth import StochasticDepth
from .initialisation import divisible, initialise
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = [
    "EfficientNet",
    "EfficientNet_B0_Weights",
    "EfficientNet_B1_Weights",
    "EfficientNet_B2_Weights",
    "EfficientNet_B3_Weights",
    "EfficientNet_B4_Weights",
    "EfficientNet_B5_Weights",
    "EfficientNet_B6_Weights",
    "EfficientNet_B7_Weights",
    "EfficientNet_V2_L_Weights",
    "EfficientNet_V2_M_Weights",
    "EfficientNet_V2_S_Weights",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
]

#: The stages of B0: expansion, kernel, stride, input width, width, blocks.
STAGES = [
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
]
#: Those of the second version; the first three are fused.
STAGES_V2 = {
    "s": [
        (1, 3, 1, 24, 24, 2),
        (4, 3, 2, 24, 48, 4),
        (4, 3, 2, 48, 64, 4),
        (4, 3, 2, 64, 128, 6),
        (6, 3, 1, 128, 160, 9),
        (6, 3, 2, 160, 256, 15),
    ],
    "m": [
        (1, 3, 1, 24, 24, 3),
        (4, 3, 2, 24, 48, 5),
        (4, 3, 2, 48, 80, 5),
        (4, 3, 2, 80, 160, 7),
        (6, 3, 1, 160, 176, 14),
        (6, 3, 2, 176, 304, 18),
        (6, 3, 1, 304, 512, 5),
    ],
    "l": [
        (1, 3, 1, 32, 32, 4),
        (4, 3, 2, 32, 64, 7),
        (4, 3, 2, 64, 96, 7),
        (4, 3, 2, 96, 192, 10),
        (6, 3, 1, 192, 224, 19),
        (6, 3, 2, 224, 384, 25),
        (6, 3, 1, 384, 640, 7),
    ],
}


@dataclass
class _MBConvConfig:
    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: Callable[..., nn.Module]

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, min_value: int | None = None) -> int:
        """``channels`` · ``width_mult``, to a multiple of 8."""
        return divisible(channels * width_mult, 8, min_value)


class MBConvConfig(_MBConvConfig):
    """A stage of inverted residuals with squeezing; widths and depth are scaled."""

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        block: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__(
            expand_ratio,
            kernel,
            stride,
            self.adjust_channels(input_channels, width_mult),
            self.adjust_channels(out_channels, width_mult),
            self.adjust_depth(num_layers, depth_mult),
            block or MBConv,
        )

    @staticmethod
    def adjust_depth(num_layers: int, depth_mult: float) -> int:
        """``num_layers`` · ``depth_mult``, rounded up."""
        return math.ceil(num_layers * depth_mult)


class FusedMBConvConfig(_MBConvConfig):
    """A stage whose blocks expand and convolve in one step."""

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        block: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__(
            expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block or FusedMBConv
        )


class _Residual(nn.Module):
    """x + a block of x that is left out at random; without the sum where shapes forbid it."""

    block: nn.Sequential

    def __init__(self, cnf: _MBConvConfig, stochastic_depth_prob: float, layers: list[nn.Module]) -> None:
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ValueError(f"illegal stride value {cnf.stride}: 1 or 2 expected")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input: Any) -> Any:
        result = self.block(input)
        return self.stochastic_depth(result) + input if self.use_res_connect else result


class MBConv(_Residual):
    """Expand, convolve in each channel, squeeze and excite, project."""

    def __init__(
        self,
        cnf: MBConvConfig,
        stochastic_depth_prob: float,
        norm_layer: Callable[..., nn.Module],
        se_layer: Callable[..., nn.Module] = SqueezeExcitation,
    ) -> None:
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        width = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        layers: list[nn.Module] = []
        if width != cnf.input_channels:
            layers.append(made(cnf.input_channels, width, kernel_size=1))
        layers.append(made(width, width, kernel_size=cnf.kernel, stride=cnf.stride, groups=width))
        layers.append(se_layer(width, max(1, cnf.input_channels // 4), activation=partial(nn.SiLU, inplace=True)))
        layers.append(
            Conv2dNormActivation(width, cnf.out_channels, kernel_size=1, norm_layer=norm_layer, activation_layer=None)
        )
        super().__init__(cnf, stochastic_depth_prob, layers)


class FusedMBConv(_Residual):
    """Expand and convolve in one step, project."""

    def __init__(
        self, cnf: FusedMBConvConfig, stochastic_depth_prob: float, norm_layer: Callable[..., nn.Module]
    ) -> None:
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        width = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        if width == cnf.input_channels:
            layers: list[nn.Module] = [made(width, cnf.out_channels, kernel_size=cnf.kernel, stride=cnf.stride)]
        else:
            layers = [
                made(cnf.input_channels, width, kernel_size=cnf.kernel, stride=cnf.stride),
                Conv2dNormActivation(
                    width, cnf.out_channels, kernel_size=1, norm_layer=norm_layer, activation_layer=None
                ),
            ]
        super().__init__(cnf, stochastic_depth_prob, layers)


class EfficientNet(nn.Module):
    """Stages as ``inverted_residual_setting`` says; input (N, 3, H, W), output (N, num_classes).

    Args:
        stochastic_depth_prob: of the last block; the first are left out less often, in proportion.
        last_channel: width of the last convolution; default: four times its input's.

    >>> import flambeau as torch
    >>> from flambeau.vision.models.efficientnet import MBConvConfig
    >>> net = torch.vision.models.EfficientNet([MBConvConfig(6, 3, 2, 8, 16, 1)], dropout=0.2, num_classes=10)
    >>> net(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[MBConvConfig | FusedMBConvConfig],
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Callable[..., nn.Module] | None = None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        stages = inverted_residual_setting
        if not stages:
            raise ValueError("The inverted_residual_setting should not be empty")
        if not isinstance(stages, Sequence) or not all(isinstance(each, _MBConvConfig) for each in stages):
            raise TypeError("The inverted_residual_setting should be List[MBConvConfig]")
        norm_layer = norm_layer or nn.BatchNorm2d
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        layers: list[nn.Module] = [made(3, stages[0].input_channels, stride=2)]
        total = sum(each.num_layers for each in stages)
        number = 0
        for each in stages:
            blocks = []
            for index in range(each.num_layers):
                shape = copy.copy(each)
                if index:
                    shape.input_channels, shape.stride = shape.out_channels, 1
                blocks.append(shape.block(shape, stochastic_depth_prob * float(number) / total, norm_layer))
                number += 1
            layers.append(nn.Sequential(*blocks))
        width = last_channel if last_channel is not None else 4 * stages[-1].out_channels
        layers.append(made(stages[-1].out_channels, width, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(width, num_classes))
        initialise(self, _uniform_by_outputs)

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _uniform_by_outputs(weight: Any) -> None:
    bound = 1.0 / math.sqrt(weight.shape[0])
    nn.init.uniform_(weight, -bound, bound)


def _first(width_mult: float, depth_mult: float, dropout: float, kwargs: dict[str, Any]) -> EfficientNet:
    stages = [MBConvConfig(*row, width_mult=width_mult, depth_mult=depth_mult) for row in STAGES]
    return EfficientNet(stages, kwargs.pop("dropout", dropout), **kwargs)


def _second(size: str, dropout: float, kwargs: dict[str, Any]) -> EfficientNet:
    stages = [(FusedMBConvConfig if index < 3 else MBConvConfig)(*row) for index, row in enumerate(STAGES_V2[size])]
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=1e-03))
    return EfficientNet(stages, kwargs.pop("dropout", dropout), last_channel=1280, **kwargs)


class EfficientNet_B0_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b0`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b0_rwightman-7f5810bc.pth", 5288548, 77.692, 93.532, 0.386, 20.451,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=224, resize_size=256,
        interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_B0_Weights)
def efficientnet_b0(**kwargs: Any) -> EfficientNet:
    """EfficientNet B0: width times 1.0, depth times 1.0."""
    return _first(1.0, 1.0, 0.2, kwargs)


class EfficientNet_B1_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b1`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b1_rwightman-bac287d4.pth", 7794184, 78.642, 94.186, 0.687, 30.134,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=240, resize_size=256,
        interpolation="bicubic",
    )
    IMAGENET1K_V2 = imagenet(
        "efficientnet_b1-c27df63c.pth", 7794184, 79.838, 94.934, 0.687, 30.136,
        recipe="pytorch/vision/issues/3995#new-recipe-with-lr-wd-crop-tuning", crop_size=240, resize_size=255,
        interpolation="bilinear",
    )
    DEFAULT = IMAGENET1K_V2


@model(EfficientNet_B1_Weights)
def efficientnet_b1(**kwargs: Any) -> EfficientNet:
    """EfficientNet B1: width times 1.0, depth times 1.1."""
    return _first(1.0, 1.1, 0.2, kwargs)


class EfficientNet_B2_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b2`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b2_rwightman-c35c1473.pth", 9109994, 80.608, 95.31, 1.088, 35.174,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=288, resize_size=288,
        interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_B2_Weights)
def efficientnet_b2(**kwargs: Any) -> EfficientNet:
    """EfficientNet B2: width times 1.1, depth times 1.2."""
    return _first(1.1, 1.2, 0.3, kwargs)


class EfficientNet_B3_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b3`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b3_rwightman-b3899882.pth", 12233232, 82.008, 96.054, 1.827, 47.184,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=300, resize_size=320,
        interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_B3_Weights)
def efficientnet_b3(**kwargs: Any) -> EfficientNet:
    """EfficientNet B3: width times 1.2, depth times 1.4."""
    return _first(1.2, 1.4, 0.3, kwargs)


class EfficientNet_B4_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b4`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b4_rwightman-23ab8bcd.pth", 19341616, 83.384, 96.594, 4.394, 74.489,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=380, resize_size=384,
        interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_B4_Weights)
def efficientnet_b4(**kwargs: Any) -> EfficientNet:
    """EfficientNet B4: width times 1.4, depth times 1.8."""
    return _first(1.4, 1.8, 0.4, kwargs)


class EfficientNet_B5_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b5`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b5_lukemelas-1a07897c.pth", 30389784, 83.444, 96.628, 10.266, 116.864,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=456, resize_size=456,
        interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_B5_Weights)
def efficientnet_b5(**kwargs: Any) -> EfficientNet:
    """EfficientNet B5: width times 1.6, depth times 2.2."""
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=0.001, momentum=0.01))
    return _first(1.6, 2.2, 0.4, kwargs)


class EfficientNet_B6_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b6`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b6_lukemelas-24a108a5.pth", 43040704, 84.008, 96.916, 19.068, 165.362,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=528, resize_size=528,
        interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_B6_Weights)
def efficientnet_b6(**kwargs: Any) -> EfficientNet:
    """EfficientNet B6: width times 1.8, depth times 2.6."""
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=0.001, momentum=0.01))
    return _first(1.8, 2.6, 0.5, kwargs)


class EfficientNet_B7_Weights(WeightsEnum):
    """Published for :func:`efficientnet_b7`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_b7_lukemelas-c5b4e57e.pth", 66347960, 84.122, 96.908, 37.746, 254.675,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v1", crop_size=600, resize_size=600,
        interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_B7_Weights)
def efficientnet_b7(**kwargs: Any) -> EfficientNet:
    """EfficientNet B7: width times 2.0, depth times 3.1."""
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=0.001, momentum=0.01))
    return _first(2.0, 3.1, 0.5, kwargs)


class EfficientNet_V2_S_Weights(WeightsEnum):
    """Published for :func:`efficientnet_v2_s`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_v2_s-dd5fe13b.pth", 21458488, 84.228, 96.878, 8.366, 82.704,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v2", min_size=33, crop_size=384,
        resize_size=384, interpolation="bilinear",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_V2_S_Weights)
def efficientnet_v2_s(**kwargs: Any) -> EfficientNet:
    """EfficientNetV2, small."""
    return _second("s", 0.2, kwargs)


class EfficientNet_V2_M_Weights(WeightsEnum):
    """Published for :func:`efficientnet_v2_m`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_v2_m-dc08266a.pth", 54139356, 85.112, 97.156, 24.582, 208.01,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v2", min_size=33, crop_size=480,
        resize_size=480, interpolation="bilinear",
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_V2_M_Weights)
def efficientnet_v2_m(**kwargs: Any) -> EfficientNet:
    """EfficientNetV2, medium."""
    return _second("m", 0.3, kwargs)


class EfficientNet_V2_L_Weights(WeightsEnum):
    """Published for :func:`efficientnet_v2_l`."""

    IMAGENET1K_V1 = imagenet(
        "efficientnet_v2_l-59c71312.pth", 118515272, 85.808, 97.788, 56.08, 454.573,
        recipe="pytorch/vision/tree/main/references/classification#efficientnet-v2", min_size=33, crop_size=480,
        resize_size=480, interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5),
    )
    DEFAULT = IMAGENET1K_V1


@model(EfficientNet_V2_L_Weights)
def efficientnet_v2_l(**kwargs: Any) -> EfficientNet:
    """EfficientNetV2, large."""
    return _second("l", 0.4, kwargs)
