"""Blocks that networks are built of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from ... import nn, operators

__all__ = [
    "MLP",
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "ConvNormActivation",
    "FrozenBatchNorm2d",
    "Permute",
    "SqueezeExcitation",
]


def _inplace(value: bool | None) -> dict[str, bool]:
    """Arguments for an activation; None is for one that has no ``inplace``."""
    return {} if value is None else {"inplace": value}


class ConvNormActivation(nn.Sequential):
    """Convolution, normalization, activation. See :class:`Conv2dNormActivation`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...] = 3,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str | None = None,
        groups: int = 1,
        norm_layer: Callable[..., nn.Module] | None = nn.BatchNorm2d,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        dilation: int | tuple[int, ...] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
        conv_layer: Callable[..., nn.Module] = nn.Conv2d,
    ) -> None:
        if padding is None:
            padding = _same_padding(kernel_size, dilation)
        layers = [
            conv_layer(
                in_channels,
                out_channels,
                kernel_size,
                stride,
                padding,
                dilation=dilation,
                groups=groups,
                bias=norm_layer is None if bias is None else bias,
            )
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**_inplace(inplace)))
        super().__init__(*layers)
        self.out_channels = out_channels


def _same_padding(kernel_size: int | Sequence[int], dilation: int | Sequence[int]) -> int | tuple[int, ...]:
    """Padding that keeps the size of an image when the kernel's is odd."""
    if isinstance(kernel_size, int) and isinstance(dilation, int):
        return (kernel_size - 1) // 2 * dilation
    dimensions = len(kernel_size) if isinstance(kernel_size, Sequence) else len(dilation)  # type: ignore[arg-type]
    sizes = kernel_size if isinstance(kernel_size, Sequence) else (kernel_size,) * dimensions
    dilations = dilation if isinstance(dilation, Sequence) else (dilation,) * dimensions
    return tuple((size - 1) // 2 * each for size, each in zip(sizes, dilations))


class Conv2dNormActivation(ConvNormActivation):
    """Convolution, normalization, activation, in one block.

    Args:
        padding: default: what keeps the image's size when ``stride`` is 1.
        norm_layer: made of ``out_channels``; None for none.
        activation_layer: None for none.
        inplace: for the activation; None if it has no such argument.
        bias: default: only if nothing normalizes.

    >>> import flambeau as torch
    >>> block = torch.vision.ops.Conv2dNormActivation(3, 8, stride=2)
    >>> block(torch.ones(1, 3, 8, 8)).shape
    torch.Size([1, 8, 4, 4])
    """


class Conv3dNormActivation(ConvNormActivation):
    """As :class:`Conv2dNormActivation`, for volumes.

    >>> import flambeau as torch
    >>> torch.vision.ops.Conv3dNormActivation(3, 8)(torch.ones(1, 3, 2, 4, 4)).shape
    torch.Size([1, 8, 2, 4, 4])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int, int] = 3,
        stride: int | tuple[int, int, int] = 1,
        padding: int | tuple[int, int, int] | str | None = None,
        groups: int = 1,
        norm_layer: Callable[..., nn.Module] | None = nn.BatchNorm3d,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        dilation: int | tuple[int, int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            groups,
            norm_layer,
            activation_layer,
            dilation,
            inplace,
            bias,
            nn.Conv3d,
        )


class SqueezeExcitation(nn.Module):
    """x · σ(W₂ δ(W₁ mean(x))): each channel scaled by what the means of all channels say (Hu et al., 2017).

    >>> import flambeau as torch
    >>> torch.vision.ops.SqueezeExcitation(8, 2)(torch.ones(1, 8, 4, 4)).shape
    torch.Size([1, 8, 4, 4])
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Callable[..., nn.Module] = nn.ReLU,
        scale_activation: Callable[..., nn.Module] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Any) -> Any:
        squeezed = self.activation(self.fc1(self.avgpool(input)))
        return self.scale_activation(self.fc2(squeezed)) * input


class MLP(nn.Sequential):
    """Linear layers with normalization, activation and dropout between them, and dropout at the end.

    Args:
        hidden_channels: the width of every layer; the last is the output's.

    >>> import flambeau as torch
    >>> torch.vision.ops.MLP(4, [8, 2])(torch.ones(5, 4)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int],
        norm_layer: Callable[..., nn.Module] | None = None,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        layers: list[nn.Module] = []
        widths = [in_channels, *hidden_channels]
        for width, following in pairwise(widths[:-1]):
            layers.append(nn.Linear(width, following, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(following))
            if activation_layer is not None:
                layers.append(activation_layer(**_inplace(inplace)))
            layers.append(nn.Dropout(dropout, **_inplace(inplace)))
        layers.append(nn.Linear(widths[-2], widths[-1], bias=bias))
        layers.append(nn.Dropout(dropout, **_inplace(inplace)))
        super().__init__(*layers)


class Permute(nn.Module):
    """Reorders dimensions.

    >>> import flambeau as torch
    >>> torch.vision.ops.Permute([0, 2, 3, 1])(torch.ones(1, 2, 3, 4)).shape
    torch.Size([1, 3, 4, 2])
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Any) -> Any:
        return operators.permute(x, self.dims)


class FrozenBatchNorm2d(nn.Module):
    """(x − running_mean) / √(running_var + eps) · weight + bias, none of which change in training.

    >>> import flambeau as torch
    >>> torch.vision.ops.FrozenBatchNorm2d(3)(torch.ones(1, 3, 2, 2)).shape
    torch.Size([1, 3, 2, 2])
    """

    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        for name, filled in (
            ("weight", operators.ones),
            ("bias", operators.zeros),
            ("running_mean", operators.zeros),
            ("running_var", operators.ones),
        ):
            self.register_buffer(name, filled(num_features))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        state_dict.pop(prefix + "num_batches_tracked", None)  # a trained BatchNorm2d has it
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x: Any) -> Any:
        weight, bias, mean, variance = (
            each.reshape(1, -1, 1, 1) for each in (self.weight, self.bias, self.running_mean, self.running_var)
        )
        scale = weight * (variance + self.eps).rsqrt()
        return x * scale + (bias - mean * scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"
