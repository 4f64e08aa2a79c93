"""RegNet: widths that grow linearly with depth, rounded to stages (Radosavovic et al., 2020)."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from ... import nn
from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from .initialisation import divisible
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = [
    "RegNet",
    "RegNet_X_1_6GF_Weights",
    "RegNet_X_3_2GF_Weights",
    "RegNet_X_8GF_Weights",
    "RegNet_X_16GF_Weights",
    "RegNet_X_32GF_Weights",
    "RegNet_X_400MF_Weights",
    "RegNet_X_800MF_Weights",
    "RegNet_Y_1_6GF_Weights",
    "RegNet_Y_3_2GF_Weights",
    "RegNet_Y_8GF_Weights",
    "RegNet_Y_16GF_Weights",
    "RegNet_Y_32GF_Weights",
    "RegNet_Y_128GF_Weights",
    "RegNet_Y_400MF_Weights",
    "RegNet_Y_800MF_Weights",
    "regnet_x_1_6gf",
    "regnet_x_3_2gf",
    "regnet_x_8gf",
    "regnet_x_16gf",
    "regnet_x_32gf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_y_1_6gf",
    "regnet_y_3_2gf",
    "regnet_y_8gf",
    "regnet_y_16gf",
    "regnet_y_32gf",
    "regnet_y_128gf",
    "regnet_y_400mf",
    "regnet_y_800mf",
]

#: For each network: depth, first width, slope of the widths, ratio between stages, width of a group.
SHAPES = {
    "x_400mf": (22, 24, 24.48, 2.54, 16),
    "x_800mf": (16, 56, 35.73, 2.28, 16),
    "x_1_6gf": (18, 80, 34.01, 2.25, 24),
    "x_3_2gf": (25, 88, 26.31, 2.25, 48),
    "x_8gf": (23, 80, 49.56, 2.88, 120),
    "x_16gf": (22, 216, 55.59, 2.1, 128),
    "x_32gf": (23, 320, 69.86, 2.0, 168),
    "y_400mf": (16, 48, 27.89, 2.09, 8),
    "y_800mf": (14, 56, 38.84, 2.4, 16),
    "y_1_6gf": (27, 48, 20.71, 2.65, 24),
    "y_3_2gf": (21, 80, 42.63, 2.66, 24),
    "y_8gf": (17, 192, 76.82, 2.19, 56),
    "y_16gf": (18, 200, 106.23, 2.48, 112),
    "y_32gf": (20, 232, 115.89, 2.53, 232),
    "y_128gf": (27, 456, 160.83, 2.52, 264),
}


class SimpleStemIN(Conv2dNormActivation):
    """3×3 convolution of stride 2, normalization, activation."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        norm_layer: Callable[..., nn.Module],
        activation_layer: Callable[..., nn.Module],
    ) -> None:
        super().__init__(width_in, width_out, 3, 2, norm_layer=norm_layer, activation_layer=activation_layer)


class BottleneckTransform(nn.Sequential):
    """1×1, 3×3 in groups, squeeze and excite if ``se_ratio`` is given, 1×1."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Callable[..., nn.Module],
        activation_layer: Callable[..., nn.Module],
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None,
    ) -> None:
        width = round(width_out * bottleneck_multiplier)
        made = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=activation_layer)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        layers["a"] = made(width_in, width, kernel_size=1)
        layers["b"] = made(width, width, kernel_size=3, stride=stride, groups=width // group_width)
        if se_ratio:
            layers["se"] = SqueezeExcitation(width, round(se_ratio * width_in), activation=activation_layer)
        layers["c"] = Conv2dNormActivation(width, width_out, kernel_size=1, norm_layer=norm_layer, activation_layer=None)
        super().__init__(layers)


class ResBottleneckBlock(nn.Module):
    """activation(x + f(x)), with x projected where its shape changes."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Callable[..., nn.Module],
        activation_layer: Callable[..., nn.Module],
        group_width: int = 1,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
    ) -> None:
        super().__init__()
        self.proj = None
        if width_in != width_out or stride != 1:
            self.proj = Conv2dNormActivation(
                width_in, width_out, kernel_size=1, stride=stride, norm_layer=norm_layer, activation_layer=None
            )
        self.f = BottleneckTransform(
            width_in, width_out, stride, norm_layer, activation_layer, group_width, bottleneck_multiplier, se_ratio
        )
        self.activation = activation_layer(inplace=True)

    def forward(self, x: Any) -> Any:
        return self.activation((x if self.proj is None else self.proj(x)) + self.f(x))


class AnyStage(nn.Sequential):
    """Blocks of one width; the first has the stride."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        depth: int,
        block_constructor: Callable[..., nn.Module],
        norm_layer: Callable[..., nn.Module],
        activation_layer: Callable[..., nn.Module],
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None = None,
        stage_index: int = 0,
    ) -> None:
        super().__init__()
        for index in range(depth):
            block = block_constructor(
                width_out if index else width_in,
                width_out,
                1 if index else stride,
                norm_layer,
                activation_layer,
                group_width,
                bottleneck_multiplier,
                se_ratio,
            )
            self.add_module(f"block{stage_index}-{index}", block)


class BlockParams:
    """The shape of each stage."""

    def __init__(
        self,
        depths: list[int],
        widths: list[int],
        group_widths: list[int],
        bottleneck_multipliers: list[float],
        strides: list[int],
        se_ratio: float | None = None,
    ) -> None:
        self.depths = depths
        self.widths = widths
        self.group_widths = group_widths
        self.bottleneck_multipliers = bottleneck_multipliers
        self.strides = strides
        self.se_ratio = se_ratio

    @classmethod
    def from_init_params(
        cls,
        depth: int,
        w_0: int,
        w_a: float,
        w_m: float,
        group_width: int,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
        **kwargs: Any,
    ) -> BlockParams:
        """Stages of the widths w_0 + w_a · block, each rounded to w_0 times a power of w_m, and to a multiple of 8.

        Raises:
            ValueError: widths would not grow, or ``w_0`` is no multiple of 8.
        """
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % 8 != 0:
            raise ValueError(f"Invalid RegNet settings: w_a={w_a} >= 0, w_0={w_0} a multiple of 8, w_m={w_m} > 1 expected")
        powers = [round(math.log((w_0 + w_a * block) / w_0) / math.log(w_m)) for block in range(depth)]
        of_blocks = [round(w_0 * w_m**power / 8) * 8 for power in powers]
        widths = sorted(set(of_blocks))
        depths = [of_blocks.count(width) for width in widths]
        groups = []
        for index, width in enumerate(widths):
            inner = int(width * bottleneck_multiplier)
            groups.append(min(group_width, inner))
            widths[index] = int(divisible(inner, groups[-1]) / bottleneck_multiplier)
        count = len(widths)
        return cls(depths, widths, groups, [bottleneck_multiplier] * count, [2] * count, se_ratio)


class RegNet(nn.Module):
    """Stages as ``block_params`` says; input (N, 3, H, W), output (N, num_classes).

    >>> import flambeau as torch
    >>> from flambeau.vision.models.regnet import BlockParams
    >>> net = torch.vision.models.RegNet(BlockParams.from_init_params(3, 24, 24.0, 2.5, 8), num_classes=10)
    >>> net(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        block_params: BlockParams,
        num_classes: int = 1000,
        stem_width: int = 32,
        stem_type: Callable[..., nn.Module] | None = None,
        block_type: Callable[..., nn.Module] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
        activation: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        activation = activation or nn.ReLU
        self.stem = (stem_type or SimpleStemIN)(3, stem_width, norm_layer, activation)
        stages: OrderedDict[str, nn.Module] = OrderedDict()
        channels = stem_width
        for index, width in enumerate(block_params.widths):
            stages[f"block{index + 1}"] = AnyStage(
                channels,
                width,
                block_params.strides[index],
                block_params.depths[index],
                block_type or ResBottleneckBlock,
                norm_layer,
                activation,
                block_params.group_widths[index],
                block_params.bottleneck_multipliers[index],
                block_params.se_ratio,
                index + 1,
            )
            channels = width
        self.trunk_output = nn.Sequential(stages)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                outputs = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, mean=0.0, std=math.sqrt(2.0 / outputs))
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, mean=0.0, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Any) -> Any:
        return self.fc(self.avgpool(self.trunk_output(self.stem(x))).flatten(1))


def _network(name: str, kwargs: dict[str, Any]) -> RegNet:
    shape = BlockParams.from_init_params(*SHAPES[name], se_ratio=0.25 if name.startswith("y") else None)
    return RegNet(shape, **kwargs)


class RegNet_X_400MF_Weights(WeightsEnum):
    """Published for :func:`regnet_x_400mf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_x_400mf-adf1edd5.pth", 5495976, 72.834, 90.95, 0.414, 21.258,
        recipe="pytorch/vision/tree/main/references/classification#small-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_x_400mf-62229a5f.pth", 5495976, 74.864, 92.322, 0.414, 21.257,
        recipe="pytorch/vision/issues/3995#new-recipe-with-fixres", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_X_400MF_Weights)
def regnet_x_400mf(**kwargs: Any) -> RegNet:
    """RegNetX, 400 MFLOP."""
    return _network("x_400mf", kwargs)


class RegNet_X_800MF_Weights(WeightsEnum):
    """Published for :func:`regnet_x_800mf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_x_800mf-ad17e45c.pth", 7259656, 75.212, 92.348, 0.8, 27.945,
        recipe="pytorch/vision/tree/main/references/classification#small-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_x_800mf-94a99ebd.pth", 7259656, 77.522, 93.826, 0.8, 27.945,
        recipe="pytorch/vision/issues/3995#new-recipe-with-fixres", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_X_800MF_Weights)
def regnet_x_800mf(**kwargs: Any) -> RegNet:
    """RegNetX, 800 MFLOP."""
    return _network("x_800mf", kwargs)


class RegNet_X_1_6GF_Weights(WeightsEnum):
    """Published for :func:`regnet_x_1_6gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_x_1_6gf-e3633e7f.pth", 9190136, 77.04, 93.44, 1.603, 35.339,
        recipe="pytorch/vision/tree/main/references/classification#small-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_x_1_6gf-a12f2b72.pth", 9190136, 79.668, 94.922, 1.603, 35.339,
        recipe="pytorch/vision/issues/3995#new-recipe-with-fixres", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_X_1_6GF_Weights)
def regnet_x_1_6gf(**kwargs: Any) -> RegNet:
    """RegNetX, 1.6 GFLOP."""
    return _network("x_1_6gf", kwargs)


class RegNet_X_3_2GF_Weights(WeightsEnum):
    """Published for :func:`regnet_x_3_2gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_x_3_2gf-f342aeae.pth", 15296552, 78.364, 93.992, 3.177, 58.756,
        recipe="pytorch/vision/tree/main/references/classification#medium-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_x_3_2gf-7071aa85.pth", 15296552, 81.196, 95.43, 3.177, 58.756,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_X_3_2GF_Weights)
def regnet_x_3_2gf(**kwargs: Any) -> RegNet:
    """RegNetX, 3.2 GFLOP."""
    return _network("x_3_2gf", kwargs)


class RegNet_X_8GF_Weights(WeightsEnum):
    """Published for :func:`regnet_x_8gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_x_8gf-03ceed89.pth", 39572648, 79.344, 94.686, 7.995, 151.456,
        recipe="pytorch/vision/tree/main/references/classification#medium-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_x_8gf-2b70d774.pth", 39572648, 81.682, 95.678, 7.995, 151.456,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_X_8GF_Weights)
def regnet_x_8gf(**kwargs: Any) -> RegNet:
    """RegNetX, 8 GFLOP."""
    return _network("x_8gf", kwargs)


class RegNet_X_16GF_Weights(WeightsEnum):
    """Published for :func:`regnet_x_16gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_x_16gf-2007eb11.pth", 54278536, 80.058, 94.944, 15.941, 207.627,
        recipe="pytorch/vision/tree/main/references/classification#medium-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_x_16gf-ba3796d7.pth", 54278536, 82.716, 96.196, 15.941, 207.627,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_X_16GF_Weights)
def regnet_x_16gf(**kwargs: Any) -> RegNet:
    """RegNetX, 16 GFLOP."""
    return _network("x_16gf", kwargs)


class RegNet_X_32GF_Weights(WeightsEnum):
    """Published for :func:`regnet_x_32gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_x_32gf-9d47f8d0.pth", 107811560, 80.622, 95.248, 31.736, 412.039,
        recipe="pytorch/vision/tree/main/references/classification#large-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_x_32gf-6eb8fdc6.pth", 107811560, 83.014, 96.288, 31.736, 412.039,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_X_32GF_Weights)
def regnet_x_32gf(**kwargs: Any) -> RegNet:
    """RegNetX, 32 GFLOP."""
    return _network("x_32gf", kwargs)


class RegNet_Y_400MF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_400mf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_y_400mf-c65dace8.pth", 4344144, 74.046, 91.716, 0.402, 16.806,
        recipe="pytorch/vision/tree/main/references/classification#small-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_y_400mf-e6988f5f.pth", 4344144, 75.804, 92.742, 0.402, 16.806,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_Y_400MF_Weights)
def regnet_y_400mf(**kwargs: Any) -> RegNet:
    """RegNetY, 400 MFLOP."""
    return _network("y_400mf", kwargs)


class RegNet_Y_800MF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_800mf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_y_800mf-1b27b58c.pth", 6432512, 76.42, 93.136, 0.834, 24.774,
        recipe="pytorch/vision/tree/main/references/classification#small-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_y_800mf-58fc7688.pth", 6432512, 78.828, 94.502, 0.834, 24.774,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_Y_800MF_Weights)
def regnet_y_800mf(**kwargs: Any) -> RegNet:
    """RegNetY, 800 MFLOP."""
    return _network("y_800mf", kwargs)


class RegNet_Y_1_6GF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_1_6gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_y_1_6gf-b11a554e.pth", 11202430, 77.95, 93.966, 1.612, 43.152,
        recipe="pytorch/vision/tree/main/references/classification#small-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_y_1_6gf-0d7bc02a.pth", 11202430, 80.876, 95.444, 1.612, 43.152,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_Y_1_6GF_Weights)
def regnet_y_1_6gf(**kwargs: Any) -> RegNet:
    """RegNetY, 1.6 GFLOP."""
    return _network("y_1_6gf", kwargs)


class RegNet_Y_3_2GF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_3_2gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_y_3_2gf-b5a9779c.pth", 19436338, 78.948, 94.576, 3.176, 74.567,
        recipe="pytorch/vision/tree/main/references/classification#medium-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_y_3_2gf-9180c971.pth", 19436338, 81.982, 95.972, 3.176, 74.567,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_Y_3_2GF_Weights)
def regnet_y_3_2gf(**kwargs: Any) -> RegNet:
    """RegNetY, 3.2 GFLOP."""
    return _network("y_3_2gf", kwargs)


class RegNet_Y_8GF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_8gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_y_8gf-d0d0e4a8.pth", 39381472, 80.032, 95.048, 8.473, 150.701,
        recipe="pytorch/vision/tree/main/references/classification#medium-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_y_8gf-dc2b1b54.pth", 39381472, 82.828, 96.33, 8.473, 150.701,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_Y_8GF_Weights)
def regnet_y_8gf(**kwargs: Any) -> RegNet:
    """RegNetY, 8 GFLOP."""
    return _network("y_8gf", kwargs)


class RegNet_Y_16GF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_16gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_y_16gf-9e6ed7dd.pth", 83590140, 80.424, 95.24, 15.912, 319.49,
        recipe="pytorch/vision/tree/main/references/classification#large-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_y_16gf-3e4a00f9.pth", 83590140, 82.886, 96.328, 15.912, 319.49,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    IMAGENET1K_SWAG_E2E_V1 = imagenet(
        "regnet_y_16gf_swag-43afe44d.pth", 83590140, 86.012, 98.054, 46.735, 319.49,
        recipe="facebookresearch/SWAG", license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=384,
        resize_size=384, interpolation="bicubic",
    )
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet(
        "regnet_y_16gf_lc_swag-f3ec0043.pth", 83590140, 83.976, 97.244, 15.912, 319.49,
        recipe="pytorch/vision/pull/5793", license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=224,
        resize_size=224, interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_Y_16GF_Weights)
def regnet_y_16gf(**kwargs: Any) -> RegNet:
    """RegNetY, 16 GFLOP."""
    return _network("y_16gf", kwargs)


class RegNet_Y_32GF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_32gf`."""

    IMAGENET1K_V1 = imagenet(
        "regnet_y_32gf-4dee3f7a.pth", 145046770, 80.878, 95.34, 32.28, 554.076,
        recipe="pytorch/vision/tree/main/references/classification#large-models", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "regnet_y_32gf-8db6d4b5.pth", 145046770, 83.368, 96.498, 32.28, 554.076,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    IMAGENET1K_SWAG_E2E_V1 = imagenet(
        "regnet_y_32gf_swag-04fdfa75.pth", 145046770, 86.838, 98.362, 94.826, 554.076,
        recipe="facebookresearch/SWAG", license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=384,
        resize_size=384, interpolation="bicubic",
    )
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet(
        "regnet_y_32gf_lc_swag-e1583746.pth", 145046770, 84.622, 97.48, 32.28, 554.076,
        recipe="pytorch/vision/pull/5793", license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=224,
        resize_size=224, interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V2


@model(RegNet_Y_32GF_Weights)
def regnet_y_32gf(**kwargs: Any) -> RegNet:
    """RegNetY, 32 GFLOP."""
    return _network("y_32gf", kwargs)


class RegNet_Y_128GF_Weights(WeightsEnum):
    """Published for :func:`regnet_y_128gf`."""

    IMAGENET1K_SWAG_E2E_V1 = imagenet(
        "regnet_y_128gf_swag-c8ce3e52.pth", 644812894, 88.228, 98.682, 374.57, 2461.564,
        recipe="facebookresearch/SWAG", license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=384,
        resize_size=384, interpolation="bicubic",
    )
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet(
        "regnet_y_128gf_lc_swag-cbe8ce12.pth", 644812894, 86.068, 97.844, 127.518, 2461.564,
        recipe="pytorch/vision/pull/5793", license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=224,
        resize_size=224, interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_SWAG_E2E_V1


@model(RegNet_Y_128GF_Weights)
def regnet_y_128gf(**kwargs: Any) -> RegNet:
    """RegNetY, 128 GFLOP."""
    return _network("y_128gf", kwargs)
