"""PyTorch's paths to the layers: ``nn.modules.linear`` is where scripts import from and what pickles name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import flambeau.nn

_FILES = (
    "activation",
    "adaptive",
    "batchnorm",
    "channelshuffle",
    "container",
    "conv",
    "distance",
    "dropout",
    "flatten",
    "fold",
    "instancenorm",
    "lazy",
    "linear",
    "linear_cross_entropy_options",
    "loss",
    "module",
    "normalization",
    "padding",
    "pixelshuffle",
    "pooling",
    "rnn",
    "sparse",
    "transformer",
    "upsampling",
    "utils",
)


def __getattr__(name: str) -> Any:
    if name in _FILES:
        file = f"{__name__}.{name}"
        try:
            return import_module(file)
        except ModuleNotFoundError as error:
            if error.name != file:
                raise
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'") from None
    if name.startswith("_") or not hasattr(flambeau.nn, name):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(flambeau.nn, name)
