"""The lowerings: one file a family of primitives. Importing this declares them all."""

from . import contraction, convolution, indexing, memory, pooling

__all__ = ["contraction", "convolution", "indexing", "memory", "pooling"]
