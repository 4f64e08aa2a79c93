"""PyTorch's path to what is in ``nn/transformer.py``; imports and pickles name it."""

from ..transformer import *
