"""PyTorch's path to what is in ``nn/containers.py``; imports and pickles name it."""

from ..containers import *
