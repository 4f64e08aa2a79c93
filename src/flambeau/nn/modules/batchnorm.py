"""PyTorch's path to what is in ``nn/batch_normalization.py``; imports and pickles name it."""

from ..batch_normalization import (
    BatchNorm1d as BatchNorm1d,
    BatchNorm2d as BatchNorm2d,
    BatchNorm3d as BatchNorm3d,
    LazyBatchNorm1d as LazyBatchNorm1d,
    LazyBatchNorm2d as LazyBatchNorm2d,
    LazyBatchNorm3d as LazyBatchNorm3d,
    SyncBatchNorm as SyncBatchNorm,
    _BatchNorm as _BatchNorm,
    _NormBase as _NormBase,
)
