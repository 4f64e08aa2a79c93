"""PyTorch's path to what is in ``nn/activations.py``; imports and pickles name it."""

from ..activations import *
from ..multihead_attention import MultiheadAttention as MultiheadAttention
