"""Vision transformer: an image is 16×16 words (Dosovitskiy et al., 2020)."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ... import nn, operators
from ...nn import functional as F
from ..ops.misc import MLP, Conv2dNormActivation
from .published import WeightsEnum, imagenet
from .registry import model, require

__all__ = [
    "ViT_B_16_Weights",
    "ViT_B_32_Weights",
    "ViT_H_14_Weights",
    "ViT_L_16_Weights",
    "ViT_L_32_Weights",
    "VisionTransformer",
    "interpolate_embeddings",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
]

#: LayerNorm as the paper's code has it.
_NORM = partial(nn.LayerNorm, eps=1e-6)


class ConvStemConfig(NamedTuple):
    """One convolution of a stem that replaces the cutting into patches."""

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Callable[..., nn.Module] = nn.BatchNorm2d
    activation_layer: Callable[..., nn.Module] = nn.ReLU


class MLPBlock(MLP):
    """The two linear layers of a transformer block, with GELU between them."""

    _version = 2  # 1 called the layers linear_1 and linear_2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for layer in self:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.normal_(layer.bias, std=1e-6)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *args: Any
    ) -> None:
        if local_metadata.get("version", 1) < 2:
            for old, new in (("linear_1", "0"), ("linear_2", "3")):
                for kind in ("weight", "bias"):
                    if (value := state_dict.pop(f"{prefix}{old}.{kind}", None)) is not None:
                        state_dict[f"{prefix}{new}.{kind}"] = value
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Callable[..., nn.Module] = _NORM,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Any) -> Any:
        if input.dim() != 3:
            raise AssertionError(f"Expected (batch_size, seq_length, hidden_dim) got {input.shape}")
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """Learned positions are added, blocks applied, the result normalized."""

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Callable[..., nn.Module] = _NORM,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(operators.empty(1, seq_length, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(
            OrderedDict(
                (
                    f"encoder_layer_{index}",
                    EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer),
                )
                for index in range(num_layers)
            )
        )
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Any) -> Any:
        if input.dim() != 3:
            raise AssertionError(f"Expected (batch_size, seq_length, hidden_dim) got {input.shape}")
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """A transformer over the patches of an image; input (N, 3, image_size, image_size), output (N, num_classes).

    Args:
        patch_size: the side of a patch; it divides ``image_size``.
        representation_size: width of a hidden layer before the classes; default: none.
        conv_stem_configs: convolutions that take the place of cutting into patches (Xiao et al., 2021).

    >>> import flambeau as torch
    >>> tiny = torch.vision.models.VisionTransformer(32, 16, 1, 2, 8, 16, num_classes=10)
    >>> tiny(torch.ones(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer: Callable[..., nn.Module] = _NORM,
        conv_stem_configs: list[ConvStemConfig] | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise AssertionError(f"Input shape indivisible by patch size: {image_size} by {patch_size}")
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.mlp_dim = mlp_dim
        self.attention_dropout = attention_dropout
        self.dropout = dropout
        self.num_classes = num_classes
        self.representation_size = representation_size
        self.norm_layer = norm_layer
        self.conv_proj = _stem(conv_stem_configs, hidden_dim) if conv_stem_configs else nn.Conv2d(
            3, hidden_dim, kernel_size=patch_size, stride=patch_size
        )
        self.class_token = nn.Parameter(operators.zeros(1, 1, hidden_dim))
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.encoder = Encoder(
            self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer
        )
        heads: OrderedDict[str, nn.Module] = OrderedDict()
        if representation_size is not None:
            heads["pre_logits"] = nn.Linear(hidden_dim, representation_size)
            heads["act"] = nn.Tanh()
        heads["head"] = nn.Linear(representation_size or hidden_dim, num_classes)
        self.heads = nn.Sequential(heads)

        last = self.conv_proj if isinstance(self.conv_proj, nn.Conv2d) else self.conv_proj.conv_last
        if last is self.conv_proj:
            _lecun(last)
        else:
            nn.init.normal_(last.weight, mean=0.0, std=math.sqrt(2.0 / last.out_channels))
            nn.init.zeros_(last.bias)
        if "pre_logits" in heads:
            _lecun(heads["pre_logits"])
        nn.init.zeros_(heads["head"].weight)
        nn.init.zeros_(heads["head"].bias)

    def _process_input(self, x: Any) -> Any:
        """Patches as rows: (N, 3, H, W) to (N, patches, hidden_dim)."""
        for name, found in (("height", x.shape[2]), ("width", x.shape[3])):
            if found != self.image_size:
                raise AssertionError(f"Wrong image {name}! Expected {self.image_size} but got {found}!")
        return self.conv_proj(x).flatten(2).permute(0, 2, 1)

    def forward(self, x: Any) -> Any:
        x = self._process_input(x)
        x = operators.cat([self.class_token.expand(x.shape[0], -1, -1), x], dim=1)
        return self.heads(self.encoder(x)[:, 0])


def _stem(configs: list[ConvStemConfig], hidden_dim: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for index, each in enumerate(configs):
        layers[f"conv_bn_relu_{index}"] = Conv2dNormActivation(
            channels,
            each.out_channels,
            kernel_size=each.kernel_size,
            stride=each.stride,
            norm_layer=each.norm_layer,
            activation_layer=each.activation_layer,
        )
        channels = each.out_channels
    layers["conv_last"] = nn.Conv2d(channels, hidden_dim, kernel_size=1)
    return nn.Sequential(layers)


def _lecun(layer: Any) -> None:
    """Weights truncated normal of variance 1 / inputs, bias 0."""
    nn.init.trunc_normal_(layer.weight, std=math.sqrt(1 / layer.weight[0].numel()))
    nn.init.zeros_(layer.bias)


def _with_weights(kwargs: dict[str, Any], weights: WeightsEnum) -> None:
    require(kwargs, "image_size", weights.meta["min_size"][0])


def _network(patch_size: int, layers: int, heads: int, hidden: int, mlp: int, kwargs: dict[str, Any]) -> VisionTransformer:
    return VisionTransformer(kwargs.pop("image_size", 224), patch_size, layers, heads, hidden, mlp, **kwargs)


class ViT_B_16_Weights(WeightsEnum):
    """Published for :func:`vit_b_16`."""

    IMAGENET1K_V1 = imagenet(
        "vit_b_16-c867db91.pth", 86567656, 81.072, 95.318, 17.564, 330.285,
        recipe="pytorch/vision/tree/main/references/classification#vit_b_16", min_size=224, crop_size=224,
    )
    IMAGENET1K_SWAG_E2E_V1 = imagenet(
        "vit_b_16_swag-9ac1b537.pth", 86859496, 85.304, 97.65, 55.484, 331.398,
        recipe="facebookresearch/SWAG", min_size=384, license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=384,
        resize_size=384, interpolation="bicubic",
    )
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet(
        "vit_b_16_lc_swag-4e70ced5.pth", 86567656, 81.886, 96.18, 17.564, 330.285,
        recipe="pytorch/vision/pull/5793", min_size=224, license="facebookresearch/SWAG/blob/main/LICENSE",
        crop_size=224, resize_size=224, interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(ViT_B_16_Weights, _with_weights)
def vit_b_16(**kwargs: Any) -> VisionTransformer:
    """Vision transformer, base, patches of 16×16 pixels."""
    return _network(16, 12, 12, 768, 3072, kwargs)


class ViT_B_32_Weights(WeightsEnum):
    """Published for :func:`vit_b_32`."""

    IMAGENET1K_V1 = imagenet(
        "vit_b_32-d86f8d99.pth", 88224232, 75.912, 92.466, 4.409, 336.604,
        recipe="pytorch/vision/tree/main/references/classification#vit_b_32", min_size=224, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(ViT_B_32_Weights, _with_weights)
def vit_b_32(**kwargs: Any) -> VisionTransformer:
    """Vision transformer, base, patches of 32×32 pixels."""
    return _network(32, 12, 12, 768, 3072, kwargs)


class ViT_L_16_Weights(WeightsEnum):
    """Published for :func:`vit_l_16`."""

    IMAGENET1K_V1 = imagenet(
        "vit_l_16-852ce7e3.pth", 304326632, 79.662, 94.638, 61.555, 1161.023,
        recipe="pytorch/vision/tree/main/references/classification#vit_l_16", min_size=224, crop_size=224,
        resize_size=242,
    )
    IMAGENET1K_SWAG_E2E_V1 = imagenet(
        "vit_l_16_swag-4f3808c9.pth", 305174504, 88.064, 98.512, 361.986, 1164.258,
        recipe="facebookresearch/SWAG", min_size=512, license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=512,
        resize_size=512, interpolation="bicubic",
    )
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet(
        "vit_l_16_lc_swag-4d563306.pth", 304326632, 85.146, 97.422, 61.555, 1161.023,
        recipe="pytorch/vision/pull/5793", min_size=224, license="facebookresearch/SWAG/blob/main/LICENSE",
        crop_size=224, resize_size=224, interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_V1


@model(ViT_L_16_Weights, _with_weights)
def vit_l_16(**kwargs: Any) -> VisionTransformer:
    """Vision transformer, large, patches of 16×16 pixels."""
    return _network(16, 24, 16, 1024, 4096, kwargs)


class ViT_L_32_Weights(WeightsEnum):
    """Published for :func:`vit_l_32`."""

    IMAGENET1K_V1 = imagenet(
        "vit_l_32-c7638314.pth", 306535400, 76.972, 93.07, 15.378, 1169.449,
        recipe="pytorch/vision/tree/main/references/classification#vit_l_32", min_size=224, crop_size=224,
    )
    DEFAULT = IMAGENET1K_V1


@model(ViT_L_32_Weights, _with_weights)
def vit_l_32(**kwargs: Any) -> VisionTransformer:
    """Vision transformer, large, patches of 32×32 pixels."""
    return _network(32, 24, 16, 1024, 4096, kwargs)


class ViT_H_14_Weights(WeightsEnum):
    """Published for :func:`vit_h_14`."""

    IMAGENET1K_SWAG_E2E_V1 = imagenet(
        "vit_h_14_swag-80465313.pth", 633470440, 88.552, 98.694, 1016.717, 2416.643,
        recipe="facebookresearch/SWAG", min_size=518, license="facebookresearch/SWAG/blob/main/LICENSE", crop_size=518,
        resize_size=518, interpolation="bicubic",
    )
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet(
        "vit_h_14_lc_swag-c1eb923e.pth", 632045800, 85.708, 97.73, 167.295, 2411.209,
        recipe="pytorch/vision/pull/5793", min_size=224, license="facebookresearch/SWAG/blob/main/LICENSE",
        crop_size=224, resize_size=224, interpolation="bicubic",
    )
    DEFAULT = IMAGENET1K_SWAG_E2E_V1


@model(ViT_H_14_Weights, _with_weights)
def vit_h_14(**kwargs: Any) -> VisionTransformer:
    """Vision transformer, huge, patches of 14×14 pixels."""
    return _network(14, 32, 16, 1280, 5120, kwargs)


def interpolate_embeddings(
    image_size: int,
    patch_size: int,
    model_state: OrderedDict[str, Any],
    interpolation_mode: str = "bicubic",
    reset_heads: bool = False,
) -> OrderedDict[str, Any]:
    """A state whose positions fit images of another size: the grid of positions is resampled.

    Args:
        reset_heads: leave out the heads, for training on other classes.

    Raises:
        ValueError: the positions are not those of one image, or not of a square one.

    >>> import flambeau as torch
    >>> state = {"encoder.pos_embedding": torch.ones(1, 5, 8)}
    >>> new = torch.vision.models.vision_transformer.interpolate_embeddings(64, 16, state)
    >>> new["encoder.pos_embedding"].shape
    torch.Size([1, 17, 8])
    """
    positions = model_state["encoder.pos_embedding"]
    count, length, width = positions.shape
    if count != 1:
        raise ValueError(f"Unexpected position embedding shape: {positions.shape}; (1, sequence, width) expected")
    wanted = (image_size // patch_size) ** 2 + 1
    if wanted == length:
        return model_state
    old_side, new_side = math.isqrt(length - 1), math.isqrt(wanted - 1)
    if old_side**2 != length - 1:
        raise ValueError(f"seq_length is not a perfect square! Instead got {old_side**2} != {length - 1}")
    grid = positions[:, 1:].permute(0, 2, 1).reshape(1, width, old_side, old_side)
    grid = F.interpolate(grid, size=new_side, mode=interpolation_mode, align_corners=True)
    moved = operators.cat([positions[:, :1], grid.flatten(2).permute(0, 2, 1)], dim=1)
    kept = model_state.items()
    if reset_heads:
        kept = [(name, value) for name, value in kept if not name.startswith("heads")]  # type: ignore[assignment]
    return OrderedDict((name, moved if name == "encoder.pos_embedding" else value) for name, value in kept)
