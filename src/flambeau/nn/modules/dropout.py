"""PyTorch's path to what is in ``nn/dropout.py``; imports and pickles name it."""

from ..dropout import *
from ..dropout import _DropoutNd as _DropoutNd
