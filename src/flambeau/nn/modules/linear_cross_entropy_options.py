"""PyTorch's path to what is in ``nn/losses.py``; imports and pickles name it."""

from ..losses import (
    LinearCrossEntropyOptions as LinearCrossEntropyOptions,
)
