"""Data pipes: data sets that are chained by method calls, ``source.map(f).shuffle().batch(4)``."""

from flambeau.utils.data.datapipes import iter, map

__all__ = ["iter", "map"]
