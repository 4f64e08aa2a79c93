"""PyTorch's path to what is in ``nn/convolution.py``; imports and pickles name it."""

from ..convolution import *
from ..convolution import _ConvNd as _ConvNd, _ConvTransposeNd as _ConvTransposeNd, _LazyConvXdMixin as _LazyConvXdMixin
