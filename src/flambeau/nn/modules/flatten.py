"""PyTorch's path to what is in ``nn/flatten.py``; imports and pickles name it."""

from ..flatten import *
