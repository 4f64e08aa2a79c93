"""Learning rate schedulers, under PyTorch's module name."""

from .schedulers.composition import ChainedScheduler, SequentialLR
from .schedulers.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .schedulers.cycles import CyclicLR
from .schedulers.decays import ExponentialLR, MultiStepLR, StepLR
from .schedulers.lambdas import LambdaLR, MultiplicativeLR
from .schedulers.one_cycle import OneCycleLR
from .schedulers.plateau import ReduceLROnPlateau
from .schedulers.ramps import ConstantLR, LinearLR, PolynomialLR
from .schedulers.scheduler import (
    EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING,
    LRScheduler,
    _LRScheduler as _LRScheduler,
)

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
