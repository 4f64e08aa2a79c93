"""GoogLeNet: convolutions of several sizes side by side (Szegedy et al., 2014)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from ... import nn, operators
from ...nn import functional as F
from .published import WeightsEnum, imagenet
from .registry import model, require

__all__ = ["GoogLeNet", "GoogLeNetOutputs", "GoogLeNet_Weights", "googlenet"]


class GoogLeNetOutputs(NamedTuple):
    """What the network says in training: its classes, and those of its auxiliary heads."""

    logits: Any
    aux_logits2: Any
    aux_logits1: Any


class BasicConv2d(nn.Module):
    """Convolution, normalization, relu."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Any) -> Any:
        return F.relu(self.bn(self.conv(x)), inplace=True)


def from_imagenet_to_unit(x: Any) -> Any:
    """Images normalized by ImageNet's means and deviations, normalized by 0.5 and 0.5 instead."""
    scale = operators.tensor((0.229, 0.224, 0.225), device=x.device) / 0.5
    shift = (operators.tensor((0.485, 0.456, 0.406), device=x.device) - 0.5) / 0.5
    return x * scale[:, None, None] + shift[:, None, None]


def initialise_truncated(network: nn.Module, deviation: float) -> None:
    """Weights of convolutions and linear layers truncated normal on [−2, 2]; a layer's own ``stddev`` goes first."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, mean=0.0, std=float(getattr(module, "stddev", deviation)), a=-2, b=2)


class Inception(nn.Module):
    """1×1, two 3×3 behind 1×1, and max pooling before 1×1, joined."""

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        conv_block: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch1 = conv(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(
            conv(in_channels, ch3x3red, kernel_size=1), conv(ch3x3red, ch3x3, kernel_size=3, padding=1)
        )
        # The paper has 5×5 here; the published weights were trained with 3×3.
        self.branch3 = nn.Sequential(
            conv(in_channels, ch5x5red, kernel_size=1), conv(ch5x5red, ch5x5, kernel_size=3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True), conv(in_channels, pool_proj, kernel_size=1)
        )

    def forward(self, x: Any) -> Any:
        return operators.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    """Classes from the middle of the network, so that gradients get there."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        conv_block: Callable[..., nn.Module] | None = None,
        dropout: float = 0.7,
    ) -> None:
        super().__init__()
        self.conv = (conv_block or BasicConv2d)(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(p=dropout)

    def forward(self, x: Any) -> Any:
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x), inplace=True)))


#: The widths of each inception block, and before which the image is pooled.
BLOCKS = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


class GoogLeNet(nn.Module):
    """Nine inception blocks; input (N, 3, H, W) from 15 pixels on, output (N, num_classes).

    In training with ``aux_logits`` the output is a :class:`GoogLeNetOutputs`.

    Args:
        transform_input: images are normalized as for other networks.
        init_weights: draw first values as the paper says; takes its time.
        blocks: what takes the place of :class:`BasicConv2d`, :class:`Inception` and :class:`InceptionAux`.

    >>> import flambeau as torch
    >>> net = torch.vision.models.GoogLeNet(num_classes=10, aux_logits=False, init_weights=False)
    >>> net(torch.ones(2, 3, 64, 64)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool | None = None,
        blocks: list[Callable[..., nn.Module]] | None = None,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
    ) -> None:
        super().__init__()
        conv, inception, auxiliary = blocks or [BasicConv2d, Inception, InceptionAux]
        if init_weights is None:
            warnings.warn(
                "The default weight initialization of GoogleNet will be changed in future releases of torchvision. If you "
                "wish to keep the old behavior (which leads to long initialization times due to scipy/scipy#11299), "
                "please set init_weights=True.",
                FutureWarning,
                stacklevel=2,
            )
            init_weights = True
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.conv1 = conv(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = conv(64, 64, kernel_size=1)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        for name, widths in BLOCKS.items():
            if name == "4a":
                self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
            elif name == "5a":
                self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
            self.add_module(f"inception{name}", inception(*widths))
        self.aux1 = auxiliary(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = auxiliary(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(p=dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights:
            initialise_truncated(self, 0.01)

    def forward(self, x: Any) -> Any:
        if self.transform_input:
            x = from_imagenet_to_unit(x)
        x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        first = self.aux1(x) if self.aux1 is not None and self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        second = self.aux2(x) if self.aux2 is not None and self.training else None
        x = self.inception5b(self.inception5a(self.maxpool4(self.inception4e(x))))
        x = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return GoogLeNetOutputs(x, second, first) if self.training and self.aux_logits else x


def _with_weights(kwargs: dict[str, Any], weights: WeightsEnum) -> None:
    kwargs.setdefault("transform_input", True)
    kwargs.setdefault("aux_logits", False)
    require(kwargs, "init_weights", False)


def _load(network: GoogLeNet, state: dict[str, Any]) -> None:
    """The checkpoint has auxiliary heads, untrained ones."""
    if network.aux_logits:
        warnings.warn(
            "auxiliary heads in the pretrained googlenet model are NOT pretrained, so make sure to train them", stacklevel=4
        )
    else:
        state = {name: value for name, value in state.items() if not name.startswith("aux")}
    network.load_state_dict(state)


class GoogLeNet_Weights(WeightsEnum):
    """Published for :func:`googlenet`."""

    IMAGENET1K_V1 = imagenet(
        "googlenet-1378be20.pth", 6624904, 69.778, 89.53, 1.498, 49.731,
        recipe="pytorch/vision/tree/main/references/classification#googlenet", min_size=15, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(GoogLeNet_Weights, _with_weights, _load)
def googlenet(**kwargs: Any) -> GoogLeNet:
    """GoogLeNet."""
    return GoogLeNet(**kwargs)
