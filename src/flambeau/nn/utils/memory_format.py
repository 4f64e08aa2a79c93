"""Converting the weights of convolutions to another memory format."""

from __future__ import annotations

from typing import Any

from ... import nn

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _convert(module: Any, memory_format: Any, kinds: Any) -> Any:
    if isinstance(module, kinds):
        module.weight.data = module.weight.detach().clone().contiguous(memory_format=memory_format)
    for child in module.children():
        _convert(child, memory_format, kinds)
    return module


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Convert the weight of every ``Conv2d`` and ``ConvTranspose2d`` in ``module``; returns ``module``."""
    return _convert(module, memory_format, (nn.Conv2d, nn.ConvTranspose2d))


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Convert the weight of every ``Conv3d`` and ``ConvTranspose3d`` in ``module``; returns ``module``."""
    return _convert(module, memory_format, (nn.Conv3d, nn.ConvTranspose3d))
