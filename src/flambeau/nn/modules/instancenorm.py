"""PyTorch's path to what is in ``nn/batch_normalization.py``; imports and pickles name it."""

from ..batch_normalization import (
    InstanceNorm1d as InstanceNorm1d,
    InstanceNorm2d as InstanceNorm2d,
    InstanceNorm3d as InstanceNorm3d,
    LazyInstanceNorm1d as LazyInstanceNorm1d,
    LazyInstanceNorm2d as LazyInstanceNorm2d,
    LazyInstanceNorm3d as LazyInstanceNorm3d,
    _InstanceNorm as _InstanceNorm,
)
