"""PyTorch's path to what is in ``nn/padding.py``; imports and pickles name it."""

from ..padding import *
from ..padding import (
    _CircularPadNd as _CircularPadNd,
    _ConstantPadNd as _ConstantPadNd,
    _ReflectionPadNd as _ReflectionPadNd,
    _ReplicationPadNd as _ReplicationPadNd,
)
