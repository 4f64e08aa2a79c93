"""Where compiled samplers come in: the native tier, which this layer does not know, says here how to get them.

They give the same numbers as the NumPy code beside which they stand, and leave the generator in the same state. Getting them
costs some time (a compiler's library is loaded), so that is done once a process has drawn so many numbers that it pays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Numbers drawn by NumPy code before the compiled samplers are fetched: they take about half as long as fetching does.
PAYS = 1 << 20
#: Fewer numbers than this are drawn by NumPy code, or one by one.
FEW = 16


class FasterSampling:
    """The compiled samplers, once there are any.

    Attributes:
        fetch: gets them, given how many numbers were drawn without them so far: None for "not yet".
        functions: what it got (``native/sampling.py`` has the class).
    """

    __slots__ = ("drawn", "fetch", "functions")

    def __init__(self) -> None:
        self.fetch: Callable[[int], Any] | None = None
        self.functions: Any = None
        self.drawn = 0

    def of(self, count: int) -> Any:
        """The functions for drawing ``count`` numbers; None where NumPy code is to."""
        if count < FEW:
            return None
        if self.functions is None and self.fetch is not None:
            self.drawn += count
            self.functions = self.fetch(self.drawn)
        return self.functions


faster = FasterSampling()
