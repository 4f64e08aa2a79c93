"""Operators and blocks for vision: boxes, regions of interest, losses for detection, building blocks of networks."""

from __future__ import annotations

from .boxes import *  # noqa: F403
from .losses import *  # noqa: F403
from .misc import (
    MLP as MLP,
    Conv2dNormActivation as Conv2dNormActivation,
    Conv3dNormActivation as Conv3dNormActivation,
    FrozenBatchNorm2d as FrozenBatchNorm2d,
    Permute as Permute,
    SqueezeExcitation as SqueezeExcitation,
)
from .regions import *  # noqa: F403
from .stochastic_depth import StochasticDepth as StochasticDepth, stochastic_depth as stochastic_depth
