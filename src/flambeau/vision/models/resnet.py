"""Residual networks: ResNet (He et al., 2015), ResNeXt (Xie et al., 2016), Wide ResNet (Zagoruyko et al., 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import nn
from .initialisation import initialise
from .published import WeightsEnum, imagenet
from .registry import model, require

__all__ = [
    "ResNeXt50_32X4D_Weights",
    "ResNeXt101_32X8D_Weights",
    "ResNeXt101_64X4D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "Wide_ResNet50_2_Weights",
    "Wide_ResNet101_2_Weights",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]


def conv3x3(in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A 3×3 convolution that keeps the size at stride 1."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, dilation, dilation, groups, bias=False)


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A 1×1 convolution."""
    return nn.Conv2d(in_planes, out_planes, 1, stride, bias=False)


class BasicBlock(nn.Module):
    """relu(x + two 3×3 convolutions of x); ``downsample`` brings x to the shape of the sum."""

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise ValueError("BasicBlock has no dilated form (dilation must be 1); use Bottleneck")
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Any) -> Any:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class Bottleneck(nn.Module):
    """relu(x + a 3×3 convolution of x between two 1×1 ones that make it narrow and wide again).

    The stride is the 3×3 convolution's (ResNet v1.5), which is more accurate than the paper's.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Any) -> Any:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    """A residual network of four stages; input (N, 3, H, W), output (N, num_classes).

    Args:
        layers: how many blocks each stage has.
        zero_init_residual: start with blocks that are the identity: the last normalization's weight is 0.
        groups, width_per_group: of the 3×3 convolutions in a :class:`Bottleneck`.
        replace_stride_with_dilation: for each stage but the first, whether to dilate instead of shrinking the image.
        norm_layer: default: ``BatchNorm2d``.

    >>> import flambeau as torch
    >>> from flambeau.vision.models.resnet import BasicBlock
    >>> tiny = torch.vision.models.ResNet(BasicBlock, [1, 1, 1, 1], num_classes=10)
    >>> tiny(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        layers: list[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: list[bool] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self._norm_layer = norm_layer or nn.BatchNorm2d
        dilate = replace_stride_with_dilation or [False, False, False]
        if len(dilate) != 3:
            raise ValueError(
                f"replace_stride_with_dilation should be None or a 3-element tuple, got {replace_stride_with_dilation}"
            )
        self.inplanes = 64
        self.dilation = 1
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)

        initialise(self)
        if zero_init_residual:
            for each in self.modules():
                last = each.bn3 if isinstance(each, Bottleneck) else each.bn2 if isinstance(each, BasicBlock) else None
                if last is not None and last.weight is not None:
                    nn.init.zeros_(last.weight)

    def _make_layer(
        self, block: type[BasicBlock | Bottleneck], planes: int, blocks: int, stride: int = 1, dilate: bool = False
    ) -> nn.Sequential:
        """A stage of ``blocks`` blocks, the first of which changes shape."""
        first_dilation = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(
                conv1x1(self.inplanes, planes * block.expansion, stride), self._norm_layer(planes * block.expansion)
            )
        shape = (self.groups, self.base_width)
        made = [block(self.inplanes, planes, stride, downsample, *shape, first_dilation, self._norm_layer)]
        self.inplanes = planes * block.expansion
        for _ in range(1, blocks):
            made.append(block(self.inplanes, planes, 1, None, *shape, self.dilation, self._norm_layer))
        return nn.Sequential(*made)

    def forward(self, x: Any) -> Any:
        return self._forward_impl(x)

    def _forward_impl(self, x: Any) -> Any:
        """What subclasses with a ``forward`` of their own call."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class ResNet18_Weights(WeightsEnum):
    """Published for :func:`resnet18`."""

    IMAGENET1K_V1 = imagenet(
        "resnet18-f37072fd.pth", 11689512, 69.758, 89.078, 1.814, 44.661,
        recipe="pytorch/vision/tree/main/references/classification#resnet", crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(ResNet18_Weights)
def resnet18(**kwargs: Any) -> ResNet:
    """ResNet-18.

    >>> from flambeau.vision import models
    >>> models.resnet18(num_classes=2).fc
    Linear(in_features=512, out_features=2, bias=True)
    """
    return ResNet(BasicBlock, [2, 2, 2, 2], **kwargs)


class ResNet34_Weights(WeightsEnum):
    """Published for :func:`resnet34`."""

    IMAGENET1K_V1 = imagenet(
        "resnet34-b627a593.pth", 21797672, 73.314, 91.42, 3.664, 83.275,
        recipe="pytorch/vision/tree/main/references/classification#resnet", crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(ResNet34_Weights)
def resnet34(**kwargs: Any) -> ResNet:
    """ResNet-34."""
    return ResNet(BasicBlock, [3, 4, 6, 3], **kwargs)


class ResNet50_Weights(WeightsEnum):
    """Published for :func:`resnet50`."""

    IMAGENET1K_V1 = imagenet(
        "resnet50-0676ba61.pth", 25557032, 76.13, 92.862, 4.089, 97.781,
        recipe="pytorch/vision/tree/main/references/classification#resnet", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "resnet50-11ad3fa6.pth", 25557032, 80.858, 95.434, 4.089, 97.79,
        recipe="pytorch/vision/issues/3995#issuecomment-1013906621", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(ResNet50_Weights)
def resnet50(**kwargs: Any) -> ResNet:
    """ResNet-50."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


class ResNet101_Weights(WeightsEnum):
    """Published for :func:`resnet101`."""

    IMAGENET1K_V1 = imagenet(
        "resnet101-63fe2227.pth", 44549160, 77.374, 93.546, 7.801, 170.511,
        recipe="pytorch/vision/tree/main/references/classification#resnet", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "resnet101-cd907fc2.pth", 44549160, 81.886, 95.78, 7.801, 170.53,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(ResNet101_Weights)
def resnet101(**kwargs: Any) -> ResNet:
    """ResNet-101."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


class ResNet152_Weights(WeightsEnum):
    """Published for :func:`resnet152`."""

    IMAGENET1K_V1 = imagenet(
        "resnet152-394f9c45.pth", 60192808, 78.312, 94.046, 11.514, 230.434,
        recipe="pytorch/vision/tree/main/references/classification#resnet", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "resnet152-f82ba261.pth", 60192808, 82.284, 96.002, 11.514, 230.474,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(ResNet152_Weights)
def resnet152(**kwargs: Any) -> ResNet:
    """ResNet-152."""
    return ResNet(Bottleneck, [3, 8, 36, 3], **kwargs)


class ResNeXt50_32X4D_Weights(WeightsEnum):
    """Published for :func:`resnext50_32x4d`."""

    IMAGENET1K_V1 = imagenet(
        "resnext50_32x4d-7cdf4587.pth", 25028904, 77.618, 93.698, 4.23, 95.789,
        recipe="pytorch/vision/tree/main/references/classification#resnext", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "resnext50_32x4d-1a0047aa.pth", 25028904, 81.198, 95.34, 4.23, 95.833,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(ResNeXt50_32X4D_Weights)
def resnext50_32x4d(**kwargs: Any) -> ResNet:
    """ResNeXt-50, 32 groups of width 4."""
    require(kwargs, "groups", 32)
    require(kwargs, "width_per_group", 4)
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


class ResNeXt101_32X8D_Weights(WeightsEnum):
    """Published for :func:`resnext101_32x8d`."""

    IMAGENET1K_V1 = imagenet(
        "resnext101_32x8d-8ba56ff5.pth", 88791336, 79.312, 94.526, 16.414, 339.586,
        recipe="pytorch/vision/tree/main/references/classification#resnext", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "resnext101_32x8d-110c445d.pth", 88791336, 82.834, 96.228, 16.414, 339.673,
        recipe="pytorch/vision/issues/3995#new-recipe-with-fixres", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(ResNeXt101_32X8D_Weights)
def resnext101_32x8d(**kwargs: Any) -> ResNet:
    """ResNeXt-101, 32 groups of width 8."""
    require(kwargs, "groups", 32)
    require(kwargs, "width_per_group", 8)
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


class ResNeXt101_64X4D_Weights(WeightsEnum):
    """Published for :func:`resnext101_64x4d`."""

    IMAGENET1K_V1 = imagenet(
        "resnext101_64x4d-173b62eb.pth", 83455272, 83.246, 96.454, 15.46, 319.318,
        recipe="pytorch/vision/pull/5935", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V1


@model(ResNeXt101_64X4D_Weights)
def resnext101_64x4d(**kwargs: Any) -> ResNet:
    """ResNeXt-101, 64 groups of width 4."""
    require(kwargs, "groups", 64)
    require(kwargs, "width_per_group", 4)
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


class Wide_ResNet50_2_Weights(WeightsEnum):
    """Published for :func:`wide_resnet50_2`."""

    IMAGENET1K_V1 = imagenet(
        "wide_resnet50_2-95faca4d.pth", 68883240, 78.468, 94.086, 11.398, 131.82,
        recipe="pytorch/vision/pull/912#issue-445437439", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "wide_resnet50_2-9ba9bcbe.pth", 68883240, 81.602, 95.758, 11.398, 263.124,
        recipe="pytorch/vision/issues/3995#new-recipe-with-fixres", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(Wide_ResNet50_2_Weights)
def wide_resnet50_2(**kwargs: Any) -> ResNet:
    """ResNet-50 with 3×3 convolutions twice as wide."""
    require(kwargs, "width_per_group", 128)
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


class Wide_ResNet101_2_Weights(WeightsEnum):
    """Published for :func:`wide_resnet101_2`."""

    IMAGENET1K_V1 = imagenet(
        "wide_resnet101_2-32ee1156.pth", 126886696, 78.848, 94.284, 22.753, 242.896,
        recipe="pytorch/vision/pull/912#issue-445437439", crop_size=224,
    )
    IMAGENET1K_V2 = imagenet(
        "wide_resnet101_2-d733dc28.pth", 126886696, 82.51, 96.02, 22.753, 484.747,
        recipe="pytorch/vision/issues/3995#new-recipe", crop_size=224, resize_size=232,
    )
    DEFAULT = IMAGENET1K_V2


@model(Wide_ResNet101_2_Weights)
def wide_resnet101_2(**kwargs: Any) -> ResNet:
    """ResNet-101 with 3×3 convolutions twice as wide."""
    require(kwargs, "width_per_group", 128)
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)
