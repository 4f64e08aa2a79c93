"""PyTorch's path to what is in ``nn/linear.py``; imports and pickles name it."""

from ..linear import (
    Bilinear as Bilinear,
    Identity as Identity,
    LazyLinear as LazyLinear,
    Linear as Linear,
    NonDynamicallyQuantizableLinear as NonDynamicallyQuantizableLinear,
)
