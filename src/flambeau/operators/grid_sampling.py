"""Sampling images and volumes at places told by a grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from ..autograd.plans import called
from .declaration import functions


def _place(x: Any, size: int, align_corners: bool) -> Any:
    """From -1 ... 1 to pixels."""
    return (x + 1) / 2 * (size - 1) if align_corners else ((x + 1) * size - 1) / 2


def _reflected(x: Any, low: float, high: float) -> Any:
    """``x`` mirrored at both borders until it lies between."""
    span = high - low
    if span <= 0:
        return x * 0
    distance = (x - low).abs()
    flips = functions["floor"](distance / span).detach()
    rest = distance - flips * span
    return functions["where"](flips % 2 == 0, rest + low, span - rest + low)


def _inside(x: Any, size: int, padding_mode: str, align_corners: bool) -> Any:
    if padding_mode == "border":
        return _bounded(x, size)
    if padding_mode == "reflection":
        low, high = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
        return _bounded(_reflected(x, low, high), size)
    return x


def _bounded(x: Any, size: int) -> Any:
    """``x`` cut off at the borders; what is cut off, the borders included, gets no gradient."""
    low, high = x <= 0, x >= size - 1
    return x.masked_fill(low, 0).masked_fill(high & ~low, size - 1)


def _fetch(input: Any, places: Sequence[Any], sizes: Sequence[int]) -> Any:
    """input (N, C, *sizes) at whole-numbered places (N, *out), zero outside: (N, C, *out)."""
    batch, channels = input.shape[:2]
    shape = tuple(places[0].shape[1:])
    valid, flat = None, None
    for place, size in zip(places, sizes):
        inside = (place >= 0) & (place <= size - 1)
        valid = inside if valid is None else valid & inside
        index = place.nan_to_num().clamp(0, size - 1).long()
        flat = index if flat is None else flat * size + index
    count = 1
    for each in shape:
        count *= each
    index = flat.reshape(batch, 1, count).expand(batch, channels, count)  # type: ignore[union-attr]
    found = input.reshape(batch, channels, -1).gather(2, index).reshape(batch, channels, *shape)
    return found.masked_fill(~valid.unsqueeze(1), 0)  # type: ignore[union-attr]


def _cubic_weights(t: Any) -> list[Any]:
    a = -0.75
    far = t + 1
    near = 1 - t
    beyond = 2 - t
    return [
        ((a * far - 5 * a) * far + 8 * a) * far - 4 * a,
        ((a + 2) * t - (a + 3)) * t * t + 1,
        ((a + 2) * near - (a + 3)) * near * near + 1,
        ((a * beyond - 5 * a) * beyond + 8 * a) * beyond - 4 * a,
    ]


def _check(input: Any, grid: Any, mode: str) -> int:
    rank = input.dim() - 2
    if input.dim() not in (4, 5) or grid.dim() != input.dim():
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if grid.shape[-1] != rank:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {rank} in last dimension, but got grid with sizes {list(grid.shape)}"
        )
    for axis in range(2, input.dim()):
        if input.shape[axis] <= 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {axis} being empty"
            )
    if input.dim() == 5 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if input.dtype is not grid.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {input.dtype} and grid has {grid.dtype}"
        )
    return rank


def grid_sample(input: Any, grid: Any, mode: str, padding_mode: str, align_corners: bool) -> Any:
    """input (N, C, *sizes) at the places of grid (N, *out, rank), whose last dimension begins with the innermost axis."""
    rank = _check(input, grid, mode)
    sizes = tuple(input.shape[2:])
    places = [_place(grid[..., rank - 1 - k], size, align_corners) for k, size in enumerate(sizes)]
    if mode == "bicubic":
        result = _bicubic(input, places, sizes, padding_mode, align_corners)
        return called(result, "GridSampler2DBackward0")
    places = [_inside(x, size, padding_mode, align_corners) for x, size in zip(places, sizes)]
    if mode == "nearest":
        result = _fetch(input, [functions["round"](x).detach() for x in places], sizes)
        return called(result + 0 * sum(each.sum() for each in places) if grid.requires_grad else result,
                      f"GridSampler{rank}DBackward0")  # fmt: skip
    floors = [functions["floor"](x).detach() for x in places]
    parts = [x - low for x, low in zip(places, floors)]
    total = None
    for corner in product((0, 1), repeat=rank):
        weight = None
        for part, side in zip(parts, corner):
            factor = part if side else 1 - part
            weight = factor if weight is None else weight * factor
        found = _fetch(input, [low + side for low, side in zip(floors, corner)], sizes) * weight.unsqueeze(1)  # type: ignore[union-attr]
        total = found if total is None else total + found
    return called(total, f"GridSampler{rank}DBackward0")


def _bicubic(input: Any, places: Sequence[Any], sizes: Sequence[int], padding_mode: str, align_corners: bool) -> Any:
    floors = [functions["floor"](x).detach() for x in places]
    weights = [_cubic_weights(x - low) for x, low in zip(places, floors)]
    total = None
    for i, j in product(range(4), repeat=2):
        corner = [
            _inside(low + (step - 1), size, padding_mode, align_corners) for low, step, size in zip(floors, (i, j), sizes)
        ]
        found = _fetch(input, [functions["round"](each) for each in corner], sizes)
        found = found * (weights[0][i] * weights[1][j]).unsqueeze(1)
        total = found if total is None else total + found
    return total


def affine_grid(theta: Any, size: Sequence[int], align_corners: bool) -> Any:
    """The places (N, *out, rank) that the affine maps theta (N, rank, rank + 1) send a regular grid of ``size`` to."""
    rank = len(size) - 2
    columns = []
    for k in range(rank):  # the innermost axis first
        count = size[-1 - k]
        line = functions["linspace"](-1, 1, count, dtype=theta.dtype) if count > 1 else theta.new_zeros(count)
        if not align_corners:
            line = line * ((count - 1) / count)
        columns.append(line.reshape([count if axis == rank - 1 - k else 1 for axis in range(rank)]).expand(size[2:]))
    columns.append(theta.new_ones(size[2:]))
    base = functions["stack"](columns, -1).reshape(1, -1, rank + 1).expand(size[0], -1, rank + 1)
    result = base.bmm(theta.transpose(1, 2)).reshape(size[0], *size[2:], rank)
    return called(result, "AffineGridGeneratorBackward0")
