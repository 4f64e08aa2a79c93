"""PyTorch's path to what is in ``nn/adaptive.py``; imports and pickles name it."""

from ..adaptive import (
    AdaptiveLogSoftmaxWithLoss as AdaptiveLogSoftmaxWithLoss,
    _ASMoutput as _ASMoutput,
)
