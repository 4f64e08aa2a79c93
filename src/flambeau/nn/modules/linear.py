"""PyTorch's path to what is in ``nn/linear.py``; imports and pickles name it."""

from ..linear import *
