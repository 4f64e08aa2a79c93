"""Layers, the modules they are made into, and the tools around them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .activations import (
    CELU as CELU,
)
from .activations import (
    ELU as ELU,
)
from .activations import (
    GELU as GELU,
)
from .activations import (
    GLU as GLU,
)
from .activations import (
    SELU as SELU,
)
from .activations import (
    Hardshrink as Hardshrink,
)
from .activations import (
    Hardsigmoid as Hardsigmoid,
)
from .activations import (
    Hardswish as Hardswish,
)
from .activations import (
    Hardtanh as Hardtanh,
)
from .activations import (
    LeakyReLU as LeakyReLU,
)
from .activations import (
    LogSigmoid as LogSigmoid,
)
from .activations import (
    LogSoftmax as LogSoftmax,
)
from .activations import (
    Mish as Mish,
)
from .activations import (
    PReLU as PReLU,
)
from .activations import (
    ReLU as ReLU,
)
from .activations import (
    ReLU6 as ReLU6,
)
from .activations import (
    RReLU as RReLU,
)
from .activations import (
    Sigmoid as Sigmoid,
)
from .activations import (
    SiLU as SiLU,
)
from .activations import (
    Softmax as Softmax,
)
from .activations import (
    Softmax2d as Softmax2d,
)
from .activations import (
    Softmin as Softmin,
)
from .activations import (
    Softplus as Softplus,
)
from .activations import (
    Softshrink as Softshrink,
)
from .activations import (
    Softsign as Softsign,
)
from .activations import (
    Tanh as Tanh,
)
from .activations import (
    Tanhshrink as Tanhshrink,
)
from .activations import (
    Threshold as Threshold,
)
from .batch_normalization import (
    BatchNorm1d as BatchNorm1d,
)
from .batch_normalization import (
    BatchNorm2d as BatchNorm2d,
)
from .batch_normalization import (
    BatchNorm3d as BatchNorm3d,
)
from .batch_normalization import (
    InstanceNorm1d as InstanceNorm1d,
)
from .batch_normalization import (
    InstanceNorm2d as InstanceNorm2d,
)
from .batch_normalization import (
    InstanceNorm3d as InstanceNorm3d,
)
from .batch_normalization import (
    LazyBatchNorm1d as LazyBatchNorm1d,
)
from .batch_normalization import (
    LazyBatchNorm2d as LazyBatchNorm2d,
)
from .batch_normalization import (
    LazyBatchNorm3d as LazyBatchNorm3d,
)
from .batch_normalization import (
    LazyInstanceNorm1d as LazyInstanceNorm1d,
)
from .batch_normalization import (
    LazyInstanceNorm2d as LazyInstanceNorm2d,
)
from .batch_normalization import (
    LazyInstanceNorm3d as LazyInstanceNorm3d,
)
from .batch_normalization import (
    SyncBatchNorm as SyncBatchNorm,
)
from .containers import (
    Container as Container,
)
from .containers import (
    ModuleDict as ModuleDict,
)
from .containers import (
    ModuleList as ModuleList,
)
from .containers import (
    ParameterDict as ParameterDict,
)
from .containers import (
    ParameterList as ParameterList,
)
from .containers import (
    Sequential as Sequential,
)
from .dropout import (
    AlphaDropout as AlphaDropout,
)
from .dropout import (
    Dropout as Dropout,
)
from .dropout import (
    Dropout1d as Dropout1d,
)
from .dropout import (
    Dropout2d as Dropout2d,
)
from .dropout import (
    Dropout3d as Dropout3d,
)
from .dropout import (
    FeatureAlphaDropout as FeatureAlphaDropout,
)
from .embedding import Embedding as Embedding
from .embedding import EmbeddingBag as EmbeddingBag
from .factory import factory_kwargs as factory_kwargs
from .flatten import Flatten as Flatten
from .flatten import Unflatten as Unflatten
from .linear import (
    Bilinear as Bilinear,
)
from .linear import (
    Identity as Identity,
)
from .linear import (
    LazyLinear as LazyLinear,
)
from .linear import (
    Linear as Linear,
)
from .linear import (
    NonDynamicallyQuantizableLinear as NonDynamicallyQuantizableLinear,
)
from .module import Module as Module
from .normalization import (
    CrossMapLRN2d as CrossMapLRN2d,
)
from .normalization import (
    GroupNorm as GroupNorm,
)
from .normalization import (
    LayerNorm as LayerNorm,
)
from .normalization import (
    LocalResponseNorm as LocalResponseNorm,
)
from .normalization import (
    RMSNorm as RMSNorm,
)
from .padding import (
    CircularPad1d as CircularPad1d,
)
from .padding import (
    CircularPad2d as CircularPad2d,
)
from .padding import (
    CircularPad3d as CircularPad3d,
)
from .padding import (
    ConstantPad1d as ConstantPad1d,
)
from .padding import (
    ConstantPad2d as ConstantPad2d,
)
from .padding import (
    ConstantPad3d as ConstantPad3d,
)
from .padding import (
    ReflectionPad1d as ReflectionPad1d,
)
from .padding import (
    ReflectionPad2d as ReflectionPad2d,
)
from .padding import (
    ReflectionPad3d as ReflectionPad3d,
)
from .padding import (
    ReplicationPad1d as ReplicationPad1d,
)
from .padding import (
    ReplicationPad2d as ReplicationPad2d,
)
from .padding import (
    ReplicationPad3d as ReplicationPad3d,
)
from .padding import (
    ZeroPad1d as ZeroPad1d,
)
from .padding import (
    ZeroPad2d as ZeroPad2d,
)
from .padding import (
    ZeroPad3d as ZeroPad3d,
)
from .parameter import (
    Buffer as Buffer,
)
from .parameter import (
    Parameter as Parameter,
)
from .parameter import (
    UninitializedBuffer as UninitializedBuffer,
)
from .parameter import (
    UninitializedParameter as UninitializedParameter,
)

#: Packages imported on first use: a program that only uses layers does not pay for them.
_PACKAGES = ("functional", "init", "modules", "parallel", "utils")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")

