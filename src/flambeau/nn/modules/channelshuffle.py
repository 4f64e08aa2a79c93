"""PyTorch's path to what is in ``nn/vision.py``; imports and pickles name it."""

from ..vision import (
    ChannelShuffle as ChannelShuffle,
)
