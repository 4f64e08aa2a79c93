"""Rearranging channels: into pixels and back, and among groups."""

from __future__ import annotations

from typing import Any

from ..autograd.plans import called
from ..core.memory_formats import contiguous_format
from .declaration import composite


def _copied(input: Any, result: Any, node: str) -> Any:
    """``result`` in memory of its own."""
    shared = result._base is not None or result is input
    return called(result.clone(memory_format=contiguous_format) if shared else result, node)


@composite(method=False)
def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(*, C·r², H, W) to (*, C, H·r, W·r).

    >>> import flambeau as torch
    >>> torch.pixel_shuffle(torch.arange(4.0).reshape(1, 4, 1, 1), 2)
    tensor([[[[0., 1.],
              [2., 3.]]]])
    """
    if input.dim() < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.dim()} dimension(s)"
        )
    if upscale_factor <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}")
    r = upscale_factor
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(lead)
    parts = input.reshape(*lead, channels // (r * r), r, r, height, width)
    mixed = parts.permute(*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return _copied(input, mixed.reshape(*lead, channels // (r * r), height * r, width * r), "PixelShuffleBackward0")


@composite(method=False)
def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """The inverse of :func:`pixel_shuffle`: (*, C, H·r, W·r) to (*, C·r², H, W)."""
    if input.dim() < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.dim()} dimension(s)"
        )
    if downscale_factor <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}")
    r = downscale_factor
    *lead, channels, height, width = input.shape
    for name, size, place in (("height", height, -2), ("width", width, -1)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({place})={size} is not "
                f"divisible by {r}"
            )
    n = len(lead)
    parts = input.reshape(*lead, channels, height // r, r, width // r, r)
    mixed = parts.permute(*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return _copied(input, mixed.reshape(*lead, channels * r * r, height // r, width // r), "PixelUnshuffleBackward0")


@composite(method=False, aliases=("native_channel_shuffle",))
def channel_shuffle(input: Any, groups: int) -> Any:
    """Channels (dimension 1), taken as ``groups`` rows, read by columns.

    >>> import flambeau as torch
    >>> torch.channel_shuffle(torch.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    if input.dim() <= 2:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    batch, channels, *rest = input.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    if not input.numel():
        return input.clone()
    mixed = input.reshape(batch, groups, channels // groups, *rest).transpose(1, 2).reshape(input.shape)
    return _copied(input, mixed, "ChannelShuffleBackward0")


native_channel_shuffle = channel_shuffle
