"""PyTorch's path to what is in ``nn/normalization.py``; imports and pickles name it."""

from ..normalization import *
