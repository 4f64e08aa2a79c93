"""ConvNeXt: what a convolutional network becomes when it borrows all a transformer has but attention (Liu et al., 2022)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ... import nn, operators
from ..ops.misc import Conv2dNormActivation, Permute
from ..ops.stochastic_depth import StochasticDepth
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = [
    "ConvNeXt",
    "ConvNeXt_Base_Weights",
    "ConvNeXt_Large_Weights",
    "ConvNeXt_Small_Weights",
    "ConvNeXt_Tiny_Weights",
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
]


class LayerNorm2d(nn.LayerNorm):
    """Layer normalization of the channels of each pixel, (N, C, H, W)."""

    def forward(self, input: Any) -> Any:
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """x + scale · mlp(norm(7×7 convolution in each channel of x)), with a learned scale for each channel."""

    def __init__(
        self,
        dim: int,
        layer_scale: float,
        stochastic_depth_prob: float,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim, bias=True),
            Permute([0, 2, 3, 1]),
            norm_layer(dim),
            nn.Linear(dim, 4 * dim),
            nn.GELU(),
            nn.Linear(4 * dim, dim),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(operators.full((dim, 1, 1), layer_scale))
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Any) -> Any:
        return self.stochastic_depth(self.layer_scale * self.block(input)) + input


class CNBlockConfig:
    """A stage: its width, that of the next stage (None for the last), and its number of blocks."""

    def __init__(self, input_channels: int, out_channels: int | None, num_layers: int) -> None:
        self.input_channels = input_channels
        self.out_channels = out_channels
        self.num_layers = num_layers

    def __repr__(self) -> str:
        return f"CNBlockConfig({self.input_channels}, {self.out_channels}, {self.num_layers})"


class ConvNeXt(nn.Module):
    """Stages of :class:`CNBlock`; input (N, 3, H, W) from 32 pixels on, output (N, num_classes).

    Args:
        stochastic_depth_prob: of the last block; those before are left out less often, in proportion.
        layer_scale: what the learned scales start from.

    >>> import flambeau as torch
    >>> from flambeau.vision.models.convnext import CNBlockConfig
    >>> net = torch.vision.models.ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=10)
    >>> net(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        block_setting: list[CNBlockConfig],
        stochastic_depth_prob: float = 0.0,
        layer_scale: float = 1e-6,
        num_classes: int = 1000,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if not block_setting:
            raise ValueError("The block_setting should not be empty")
        if not isinstance(block_setting, Sequence) or not all(isinstance(s, CNBlockConfig) for s in block_setting):
            raise TypeError("The block_setting should be List[CNBlockConfig]")
        block = block or CNBlock
        norm_layer = norm_layer or partial(LayerNorm2d, eps=1e-6)
        layers: list[nn.Module] = [
            Conv2dNormActivation(
                3,
                block_setting[0].input_channels,
                kernel_size=4,
                stride=4,
                padding=0,
                norm_layer=norm_layer,
                activation_layer=None,
                bias=True,
            )
        ]
        total = sum(each.num_layers for each in block_setting)
        number = 0
        for each in block_setting:
            blocks = []
            for _ in range(each.num_layers):
                blocks.append(block(each.input_channels, layer_scale, stochastic_depth_prob * number / (total - 1.0)))
                number += 1
            layers.append(nn.Sequential(*blocks))
            if each.out_channels is not None:
                layers.append(
                    nn.Sequential(
                        norm_layer(each.input_channels),
                        nn.Conv2d(each.input_channels, each.out_channels, kernel_size=2, stride=2),
                    )
                )
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        width = block_setting[-1].out_channels or block_setting[-1].input_channels
        self.classifier = nn.Sequential(norm_layer(width), nn.Flatten(1), nn.Linear(width, num_classes))
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Any) -> Any:
        return self.classifier(self.avgpool(self.features(x)))


def _network(widths: tuple[int, ...], depths: tuple[int, ...], depth_prob: float, kwargs: dict[str, Any]) -> ConvNeXt:
    stages = [CNBlockConfig(*each) for each in zip(widths, (*widths[1:], None), depths)]
    return ConvNeXt(stages, kwargs.pop("stochastic_depth_prob", depth_prob), **kwargs)


class ConvNeXt_Tiny_Weights(WeightsEnum):
    """Published for :func:`convnext_tiny`."""

    IMAGENET1K_V1 = imagenet(
        "convnext_tiny-983f1562.pth", 28589128, 82.52, 96.146, 4.456, 109.119,
        recipe="pytorch/vision/tree/main/references/classification#convnext", min_size=32, crop_size=224,
        resize_size=236,
    )
    DEFAULT = IMAGENET1K_V1


@model(ConvNeXt_Tiny_Weights)
def convnext_tiny(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt, tiny."""
    return _network((96, 192, 384, 768), (3, 3, 9, 3), 0.1, kwargs)


class ConvNeXt_Small_Weights(WeightsEnum):
    """Published for :func:`convnext_small`."""

    IMAGENET1K_V1 = imagenet(
        "convnext_small-0c510722.pth", 50223688, 83.616, 96.65, 8.684, 191.703,
        recipe="pytorch/vision/tree/main/references/classification#convnext", min_size=32, crop_size=224,
        resize_size=230,
    )
    DEFAULT = IMAGENET1K_V1


@model(ConvNeXt_Small_Weights)
def convnext_small(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt, small."""
    return _network((96, 192, 384, 768), (3, 3, 27, 3), 0.4, kwargs)


class ConvNeXt_Base_Weights(WeightsEnum):
    """Published for :func:`convnext_base`."""

    IMAGENET1K_V1 = imagenet(
        "convnext_base-6075fbad.pth", 88591464, 84.062, 96.87, 15.355, 338.064,
        recipe="pytorch/vision/tree/main/references/classification#convnext", min_size=32, crop_size=224,
        resize_size=232,
    )
    DEFAULT = IMAGENET1K_V1


@model(ConvNeXt_Base_Weights)
def convnext_base(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt, base."""
    return _network((128, 256, 512, 1024), (3, 3, 27, 3), 0.5, kwargs)


class ConvNeXt_Large_Weights(WeightsEnum):
    """Published for :func:`convnext_large`."""

    IMAGENET1K_V1 = imagenet(
        "convnext_large-ea097f82.pth", 197767336, 84.414, 96.976, 34.361, 754.537,
        recipe="pytorch/vision/tree/main/references/classification#convnext", min_size=32, crop_size=224,
        resize_size=232,
    )
    DEFAULT = IMAGENET1K_V1


@model(ConvNeXt_Large_Weights)
def convnext_large(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt, large."""
    return _network((192, 384, 768, 1536), (3, 3, 27, 3), 0.5, kwargs)
