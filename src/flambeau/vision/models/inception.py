"""Inception v3: large convolutions taken apart into small and one-sided ones (Szegedy et al., 2015)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from ... import nn, operators
from ...nn import functional as F
from .googlenet import BasicConv2d, from_imagenet_to_unit, initialise_truncated
from .published import WeightsEnum, imagenet
from .registry import model, require

__all__ = ["Inception3", "InceptionOutputs", "Inception_V3_Weights", "inception_v3"]

_ROW, _COLUMN = {"kernel_size": (1, 7), "padding": (0, 3)}, {"kernel_size": (7, 1), "padding": (3, 0)}
_POINT = {"kernel_size": 1}
_SQUARE, _SHRINK = {"kernel_size": 3, "padding": 1}, {"kernel_size": 3, "stride": 2}


class InceptionOutputs(NamedTuple):
    """What the network says in training: its classes, and those of its auxiliary head."""

    logits: Any
    aux_logits: Any


class _Block(nn.Module):
    """Branches side by side. ``add`` makes one of convolutions, which are named branch…_1, branch…_2 and so on."""

    def __init__(self, in_channels: int, conv_block: Callable[..., nn.Module] | None) -> None:
        super().__init__()
        self._conv = conv_block or BasicConv2d
        self._in_channels = in_channels

    def add(self, name: str, *convolutions: tuple[int, dict[str, Any]]) -> None:
        channels = self._in_channels
        for index, (width, shape) in enumerate(convolutions, 1):
            full = name if len(convolutions) == 1 else f"{name}_{index}"
            self.add_module(full, self._conv(channels, width, **shape))
            channels = width

    def branch(self, name: str, x: Any) -> Any:
        index = 1
        while (layer := self._modules.get(f"{name}_{index}")) is not None:
            x = layer(x)
            index += 1
        return x


def _averaged(x: Any) -> Any:
    return F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)


class InceptionA(_Block):
    """1×1, 5×5, twice 3×3, pooling."""

    def __init__(
        self, in_channels: int, pool_features: int, conv_block: Callable[..., nn.Module] | None = None
    ) -> None:
        super().__init__(in_channels, conv_block)
        self.add("branch1x1", (64, _POINT))
        self.add("branch5x5", (48, _POINT), (64, {"kernel_size": 5, "padding": 2}))
        self.add("branch3x3dbl", (64, _POINT), (96, _SQUARE), (96, _SQUARE))
        self.add("branch_pool", (pool_features, _POINT))

    def forward(self, x: Any) -> Any:
        parts = self.branch1x1(x), self.branch("branch5x5", x), self.branch("branch3x3dbl", x)
        return operators.cat([*parts, self.branch_pool(_averaged(x))], 1)


class InceptionB(_Block):
    """Half the image: 3×3, twice 3×3, pooling."""

    def __init__(self, in_channels: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__(in_channels, conv_block)
        self.add("branch3x3", (384, _SHRINK))
        self.add("branch3x3dbl", (64, _POINT), (96, _SQUARE), (96, _SHRINK))

    def forward(self, x: Any) -> Any:
        pooled = F.max_pool2d(x, kernel_size=3, stride=2)
        return operators.cat([self.branch3x3(x), self.branch("branch3x3dbl", x), pooled], 1)


class InceptionC(_Block):
    """1×1, 1×7 and 7×1, the same twice, pooling."""

    def __init__(self, in_channels: int, channels_7x7: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__(in_channels, conv_block)
        width = channels_7x7
        self.add("branch1x1", (192, _POINT))
        self.add("branch7x7", (width, _POINT), (width, _ROW), (192, _COLUMN))
        self.add("branch7x7dbl", (width, _POINT), (width, _COLUMN), (width, _ROW), (width, _COLUMN), (192, _ROW))
        self.add("branch_pool", (192, _POINT))

    def forward(self, x: Any) -> Any:
        parts = self.branch1x1(x), self.branch("branch7x7", x), self.branch("branch7x7dbl", x)
        return operators.cat([*parts, self.branch_pool(_averaged(x))], 1)


class InceptionD(_Block):
    """Half the image: 3×3, 7×7 and 3×3, pooling."""

    def __init__(self, in_channels: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__(in_channels, conv_block)
        self.add("branch3x3", (192, _POINT), (320, _SHRINK))
        self.add("branch7x7x3", (192, _POINT), (192, _ROW), (192, _COLUMN), (192, _SHRINK))

    def forward(self, x: Any) -> Any:
        pooled = F.max_pool2d(x, kernel_size=3, stride=2)
        return operators.cat([self.branch("branch3x3", x), self.branch("branch7x7x3", x), pooled], 1)


class InceptionE(_Block):
    """1×1; 3×3 and twice 3×3, the last of them as 1×3 beside 3×1; pooling."""

    def __init__(self, in_channels: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__(in_channels, conv_block)
        self.add("branch1x1", (320, _POINT))
        self.branch3x3_1 = self._conv(in_channels, 384, kernel_size=1)
        self.branch3x3_2a = self._conv(384, 384, kernel_size=(1, 3), padding=(0, 1))
        self.branch3x3_2b = self._conv(384, 384, kernel_size=(3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = self._conv(in_channels, 448, kernel_size=1)
        self.branch3x3dbl_2 = self._conv(448, 384, kernel_size=3, padding=1)
        self.branch3x3dbl_3a = self._conv(384, 384, kernel_size=(1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = self._conv(384, 384, kernel_size=(3, 1), padding=(1, 0))
        self.add("branch_pool", (192, _POINT))

    def forward(self, x: Any) -> Any:
        once, twice = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        sides = self.branch3x3_2a(once), self.branch3x3_2b(once), self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice)
        return operators.cat([self.branch1x1(x), *sides, self.branch_pool(_averaged(x))], 1)


class InceptionAux(nn.Module):
    """Classes from the middle of the network, so that gradients get there."""

    def __init__(
        self, in_channels: int, num_classes: int, conv_block: Callable[..., nn.Module] | None = None
    ) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.conv0 = conv(in_channels, 128, kernel_size=1)
        self.conv1 = conv(128, 768, kernel_size=5)
        self.fc = nn.Linear(768, num_classes)
        self.conv1.stddev = 0.01  # of the block, not of the convolution in it, which is drawn as any other
        self.fc.stddev = 0.001

    def forward(self, x: Any) -> Any:
        x = self.conv1(self.conv0(F.avg_pool2d(x, kernel_size=5, stride=3)))
        return self.fc(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


class Inception3(nn.Module):
    """Inception v3; input (N, 3, H, W) from 75 pixels on, meant for 299, output (N, num_classes).

    In training with ``aux_logits`` the output is an :class:`InceptionOutputs`.

    Args:
        transform_input: images are normalized as for other networks.
        inception_blocks: what takes the place of the seven kinds of block.
        init_weights: draw first values as the paper says; takes its time.

    >>> import flambeau as torch
    >>> net = torch.vision.models.Inception3(num_classes=10, aux_logits=False, init_weights=False)
    >>> net.fc.out_features
    10
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        inception_blocks: list[Callable[..., nn.Module]] | None = None,
        init_weights: bool | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        blocks = inception_blocks or [
            BasicConv2d, InceptionA, InceptionB, InceptionC, InceptionD, InceptionE, InceptionAux,
        ]  # fmt: skip
        if init_weights is None:
            warnings.warn(
                "The default weight initialization of inception_v3 will be changed in future releases of torchvision. If "
                "you wish to keep the old behavior (which leads to long initialization times due to scipy/scipy#11299), "
                "please set init_weights=True.",
                FutureWarning,
                stacklevel=2,
            )
            init_weights = True
        if len(blocks) != 7:
            raise ValueError(f"length of inception_blocks should be 7 instead of {len(blocks)}")
        conv, a, b, c, d, e, auxiliary = blocks
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.Conv2d_1a_3x3 = conv(3, 32, kernel_size=3, stride=2)
        self.Conv2d_2a_3x3 = conv(32, 32, kernel_size=3)
        self.Conv2d_2b_3x3 = conv(32, 64, kernel_size=3, padding=1)
        self.maxpool1 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Conv2d_3b_1x1 = conv(64, 80, kernel_size=1)
        self.Conv2d_4a_3x3 = conv(80, 192, kernel_size=3)
        self.maxpool2 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.Mixed_5b = a(192, pool_features=32)
        self.Mixed_5c = a(256, pool_features=64)
        self.Mixed_5d = a(288, pool_features=64)
        self.Mixed_6a = b(288)
        self.Mixed_6b = c(768, channels_7x7=128)
        self.Mixed_6c = c(768, channels_7x7=160)
        self.Mixed_6d = c(768, channels_7x7=160)
        self.Mixed_6e = c(768, channels_7x7=192)
        self.AuxLogits = auxiliary(768, num_classes) if aux_logits else None
        self.Mixed_7a = d(768)
        self.Mixed_7b = e(1280)
        self.Mixed_7c = e(2048)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(p=dropout)
        self.fc = nn.Linear(2048, num_classes)
        if init_weights:
            initialise_truncated(self, 0.1)

    def forward(self, x: Any) -> Any:
        if self.transform_input:
            x = from_imagenet_to_unit(x)
        x = self.maxpool1(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        middle = self.AuxLogits(x) if self.AuxLogits is not None and self.training else None
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        x = self.fc(self.dropout(self.avgpool(x)).flatten(1))
        return InceptionOutputs(x, middle) if self.training and self.aux_logits else x


def _with_weights(kwargs: dict[str, Any], weights: WeightsEnum) -> None:
    kwargs.setdefault("transform_input", True)
    require(kwargs, "init_weights", False)


def _load(network: Inception3, state: dict[str, Any]) -> None:
    """The checkpoint has an auxiliary head."""
    if not network.aux_logits:
        state = {name: value for name, value in state.items() if not name.startswith("AuxLogits")}
    network.load_state_dict(state)


class Inception_V3_Weights(WeightsEnum):
    """Published for :func:`inception_v3`."""

    IMAGENET1K_V1 = imagenet(
        "inception_v3_google-0cc3c7bd.pth", 27161264, 77.294, 93.45, 5.713, 103.903,
        recipe="pytorch/vision/tree/main/references/classification#inception-v3", min_size=75, crop_size=299,
        resize_size=342,
    )
    DEFAULT = IMAGENET1K_V1


@model(Inception_V3_Weights, _with_weights, _load)
def inception_v3(**kwargs: Any) -> Inception3:
    """Inception v3."""
    return Inception3(**kwargs)
