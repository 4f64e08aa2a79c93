"""PyTorch's path to what is in ``nn/batch_normalization.py``; imports and pickles name it."""

from ..batch_normalization import (
    InstanceNorm1d as InstanceNorm1d,
)
from ..batch_normalization import (
    InstanceNorm2d as InstanceNorm2d,
)
from ..batch_normalization import (
    InstanceNorm3d as InstanceNorm3d,
)
from ..batch_normalization import (
    LazyInstanceNorm1d as LazyInstanceNorm1d,
)
from ..batch_normalization import (
    LazyInstanceNorm2d as LazyInstanceNorm2d,
)
from ..batch_normalization import (
    LazyInstanceNorm3d as LazyInstanceNorm3d,
)
from ..batch_normalization import (
    _InstanceNorm as _InstanceNorm,
)
