"""What a convolution reads, axis by axis, in one form for all three: the forward one and both gradients.

Along an axis, result o takes element o·step + offset of the source for each of some offsets, each belonging to one tap of
the kernel. The forward convolution takes step = stride, offset = tap·dilation - padding. Its gradient in the input takes,
for the inputs at r, r + stride, r + 2·stride …, every stride-th tap with step = 1; so it is ``stride`` convolutions that
never multiply by a zero put between (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016).
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

Ints = tuple[int, ...]


class Axis(NamedTuple):
    """Results 0 … out - 1 along an axis take source elements o·step + offset, zero outside 0 … size - 1.

    ``taps``: the number of the kernel's element that belongs to each offset.
    """

    out: int
    size: int
    step: int
    offsets: Ints
    taps: Ints

    @property
    def low(self) -> int:
        """The least offset."""
        return min(self.offsets)

    @property
    def inside(self) -> bool:
        """Whether nothing outside the source is read."""
        return self.low >= 0 and (self.out - 1) * self.step + max(self.offsets) < self.size


def forward_axes(sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> tuple[Axis, ...]:
    """The axes of a convolution."""
    return tuple(
        Axis(o, n, s, tuple(t * d - p for t in range(k)), tuple(range(k)))
        for o, n, k, s, p, d in zip(out, sizes, kernel, stride, padding, dilation)
    )


def adjoint_axis(size: int, kernel: int, stride: int, padding: int, dilation: int, out: int, residue: int) -> Axis | None:
    """The axis of the gradient in the inputs ``residue`` + q·stride; None where no tap reaches them or there are none.

    Input y is read by output o with tap k where y + padding = o·stride + k·dilation.
    """
    count = len(range(residue, size, stride))
    reached = [k for k in range(kernel) if (residue + padding - k * dilation) % stride == 0]
    if not count or not reached:
        return None
    offsets = tuple((residue + padding - k * dilation) // stride for k in reached)
    return Axis(count, out, 1, offsets[::-1], tuple(reached[::-1]))


class Correlation(NamedTuple):
    """result[n, g, r, o…] = Σ source[n, g, s, o·step + offset …] · weight[g, r, s, tap …].

    ``weights``: the steps in elements of the weight from group to group, result to result, source to source;
    ``tap_steps``: of each axis' taps. Source and result are in row-major order.
    """

    batch: int
    groups: int
    sources: int
    results: int
    axes: tuple[Axis, ...]
    weights: Ints
    tap_steps: Ints

    @property
    def taps(self) -> int:
        """How many taps there are."""
        return prod(len(axis.offsets) for axis in self.axes)

    @property
    def area(self) -> int:
        """The results of one channel of one sample."""
        return prod(axis.out for axis in self.axes)

    @property
    def source_area(self) -> int:
        """The elements of one channel of one sample."""
        return prod(axis.size for axis in self.axes)
