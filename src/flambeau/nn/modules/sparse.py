"""PyTorch's path to what is in ``nn/embedding.py``; imports and pickles name it."""

from ..embedding import *
