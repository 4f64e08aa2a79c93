"""PyTorch's path to what is in ``nn/linear.py``; imports and pickles name it."""

from ..linear import (
    Bilinear as Bilinear,
)
from ..linear import (
    Identity as Identity,
)
from ..linear import (
    LazyLinear as LazyLinear,
)
from ..linear import (
    Linear as Linear,
)
from ..linear import (
    NonDynamicallyQuantizableLinear as NonDynamicallyQuantizableLinear,
)
