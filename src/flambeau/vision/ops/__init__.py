"""Operators and blocks for vision: boxes, regions of interest, building blocks of networks."""

from __future__ import annotations

from .misc import (
    MLP as MLP,
    Conv2dNormActivation as Conv2dNormActivation,
    Conv3dNormActivation as Conv3dNormActivation,
    FrozenBatchNorm2d as FrozenBatchNorm2d,
    Permute as Permute,
    SqueezeExcitation as SqueezeExcitation,
)
from .stochastic_depth import StochasticDepth as StochasticDepth, stochastic_depth as stochastic_depth
