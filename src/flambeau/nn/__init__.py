"""Layers, the modules they are made into, and the tools around them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .activations import *
from .adaptive import (
    AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss,
)
from .batch_normalization import *
from .containers import *
from .convolution import *
from .distance import *
from .dropout import *
from .embedding import *
from .factory import factory_kwargs as factory_kwargs
from .flatten import *
from .linear import *
from .losses import *
from .module import Module as Module
from .multihead_attention import MultiheadAttention as MultiheadAttention
from .normalization import *
from .padding import *
from .parallel import DataParallel as DataParallel
from .parameter import (
    Buffer as Buffer,
    Parameter as Parameter,
    UninitializedBuffer as UninitializedBuffer,
    UninitializedParameter as UninitializedParameter,
)
from .pooling import *
from .recurrent import *
from .transformer import *
from .vision import *

#: Packages imported on first use: a program that only uses layers does not pay for them.
_PACKAGES = ("attention", "functional", "init", "modules", "utils")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
