"""The lowerings: one file a family of primitives. Importing this declares them all."""

from . import checks, contraction, convolution, folding, indexing, memory, pooling, recurrence, scans, sorting

__all__ = ["checks", "contraction", "convolution", "folding", "indexing", "memory", "pooling", "recurrence", "scans", "sorting"]
