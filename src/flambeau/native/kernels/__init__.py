"""The lowerings: one file a family of primitives. Importing this declares them all."""

from . import contraction, convolution, memory, pooling

__all__ = ["contraction", "convolution", "memory", "pooling"]
