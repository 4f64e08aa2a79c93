"""DenseNet: each layer sees all that came before it in its block (Huang et al., 2016)."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

from ... import nn, operators
from ...autograd.grad_mode import is_grad_enabled
from ...nn import functional as F
from .initialisation import initialise
from .published import WeightsEnum, imagenet
from .registry import model

__all__ = [
    "DenseNet",
    "DenseNet121_Weights",
    "DenseNet161_Weights",
    "DenseNet169_Weights",
    "DenseNet201_Weights",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
]


class _DenseLayer(nn.Module):
    """Normalize, relu, 1×1 convolution; normalize, relu, 3×3 convolution, of all features there are."""

    def __init__(
        self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float, memory_efficient: bool = False
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def _bottleneck(self, *features: Any) -> Any:
        return self.conv1(self.relu1(self.norm1(operators.cat(features, 1))))

    def forward(self, input: Any) -> Any:
        features = list(input) if isinstance(input, (list, tuple)) else [input]
        if self.memory_efficient and is_grad_enabled() and any(each.requires_grad for each in features):
            from ...utils.checkpoint import checkpoint

            narrow = checkpoint(self._bottleneck, *features, use_reentrant=False)
        else:
            narrow = self._bottleneck(*features)
        new = self.conv2(self.relu2(self.norm2(narrow)))
        return F.dropout(new, p=self.drop_rate, training=self.training) if self.drop_rate > 0 else new


class _DenseBlock(nn.ModuleDict):
    """Layers whose outputs are collected, and joined at the end."""

    def __init__(
        self,
        num_layers: int,
        num_input_features: int,
        bn_size: int,
        growth_rate: int,
        drop_rate: float,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        for index in range(num_layers):
            width = num_input_features + index * growth_rate
            self[f"denselayer{index + 1}"] = _DenseLayer(width, growth_rate, bn_size, drop_rate, memory_efficient)

    def forward(self, init_features: Any) -> Any:
        features = [init_features]
        for layer in self.values():
            features.append(layer(features))
        return operators.cat(features, 1)


class _Transition(nn.Sequential):
    """Half the image, fewer channels."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(num_input_features, num_output_features, kernel_size=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """Dense blocks with transitions between them; input (N, 3, H, W) from 29 pixels on, output (N, num_classes).

    Args:
        growth_rate: channels that each layer adds.
        block_config: layers in each block.
        bn_size: width of a layer's bottleneck, in growth rates.
        memory_efficient: compute bottlenecks again in the backward pass instead of keeping them.

    >>> import flambeau as torch
    >>> tiny = torch.vision.models.DenseNet(4, (2, 2), 8, num_classes=10)
    >>> tiny(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: tuple[int, ...] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        width = num_init_features
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False),
            norm0=nn.BatchNorm2d(width),
            relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        )
        for number, count in enumerate(block_config, 1):
            layers[f"denseblock{number}"] = _DenseBlock(count, width, bn_size, growth_rate, drop_rate, memory_efficient)
            width += count * growth_rate
            if number < len(block_config):
                layers[f"transition{number}"] = _Transition(width, width // 2)
                width //= 2
        layers[f"norm{len(block_config) + 1}"] = nn.BatchNorm2d(width)
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(width, num_classes)
        initialise(self, mode="fan_in")
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Any) -> Any:
        features = F.relu(self.features(x), inplace=True)
        return self.classifier(F.adaptive_avg_pool2d(features, (1, 1)).flatten(1))


def _load(network: DenseNet, state: dict[str, Any]) -> None:
    """Load a published checkpoint, which has "denselayer1.norm.1" where "denselayer1.norm1" is meant."""
    old = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d)")
    network.load_state_dict({old.sub(r"\1\2", name): value for name, value in state.items()})


class DenseNet121_Weights(WeightsEnum):
    """Published for :func:`densenet121`."""

    IMAGENET1K_V1 = imagenet(
        "densenet121-a639ec97.pth", 7978856, 74.434, 91.972, 2.834, 30.845,
        recipe="pytorch/vision/pull/116", min_size=29, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(DenseNet121_Weights, load=_load)
def densenet121(**kwargs: Any) -> DenseNet:
    """DenseNet-121."""
    return DenseNet(32, (6, 12, 24, 16), 64, **kwargs)


class DenseNet161_Weights(WeightsEnum):
    """Published for :func:`densenet161`."""

    IMAGENET1K_V1 = imagenet(
        "densenet161-8d451a50.pth", 28681000, 77.138, 93.56, 7.728, 110.369,
        recipe="pytorch/vision/pull/116", min_size=29, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(DenseNet161_Weights, load=_load)
def densenet161(**kwargs: Any) -> DenseNet:
    """DenseNet-161."""
    return DenseNet(48, (6, 12, 36, 24), 96, **kwargs)


class DenseNet169_Weights(WeightsEnum):
    """Published for :func:`densenet169`."""

    IMAGENET1K_V1 = imagenet(
        "densenet169-b2777c0a.pth", 14149480, 75.6, 92.806, 3.36, 54.708,
        recipe="pytorch/vision/pull/116", min_size=29, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(DenseNet169_Weights, load=_load)
def densenet169(**kwargs: Any) -> DenseNet:
    """DenseNet-169."""
    return DenseNet(32, (6, 12, 32, 32), 64, **kwargs)


class DenseNet201_Weights(WeightsEnum):
    """Published for :func:`densenet201`."""

    IMAGENET1K_V1 = imagenet(
        "densenet201-c1103571.pth", 20013928, 76.896, 93.37, 4.291, 77.373,
        recipe="pytorch/vision/pull/116", min_size=29, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(DenseNet201_Weights, load=_load)
def densenet201(**kwargs: Any) -> DenseNet:
    """DenseNet-201."""
    return DenseNet(32, (6, 12, 48, 32), 64, **kwargs)
