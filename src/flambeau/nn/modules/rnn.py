"""PyTorch's path to what is in ``nn/recurrent.py``; imports and pickles name it."""

from ..recurrent import *
