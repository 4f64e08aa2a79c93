"""Counting: ``bincount``, ``histc``, ``histogram``, ``histogramdd``; ``quantile``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..core import strides as _strides
from ..core.dtypes import FLOATING, INTEGER, float32, float64, int64
from ..core.names import scalar_name
from ..tracing.handles import Handle
from .declaration import composite, functions
from .scans import named
from .writing import write_out


@composite()
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2 … is among the elements of a vector, or the sum of their weights.

    >>> import flambeau as torch
    >>> torch.bincount(torch.tensor([1, 1, 3]))
    tensor([0, 2, 0, 1])
    """
    here = input._spec
    if here.dtype.category != INTEGER:
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{scalar_name(here.dtype)}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if here.ndim == 1 and not here.numel:
        return functions["zeros"](minlength, dtype=int64)
    if here.ndim != 1 or int(input.min()) < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and (weights._spec.ndim != 1 or weights._spec.shape != here.shape):
        raise RuntimeError("weights should be 1-d and have the same length as input")
    size = max(int(input.max()) + 1, minlength)
    if weights is None:
        amounts = functions["ones"](here.numel, dtype=int64)
    else:
        amounts = weights.detach() if weights._spec.dtype is float32 else weights.detach().to(float64)
    return functions["zeros"](size, dtype=amounts._spec.dtype).index_add(0, input.to(int64), amounts)


@composite()
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0, *, out: Any = None) -> Any:
    """How many elements fall into each of ``bins`` equal intervals of [min, max]; the data's range when both are zero.

    >>> import flambeau as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    here = input._spec
    if here.dtype.category != FLOATING:
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{scalar_name(here.dtype)}'")
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    x = input.detach().reshape((-1,))
    if isinstance(min, Handle):
        min = min.item()
    if isinstance(max, Handle):
        max = max.item()
    low, high = float(min), float(max)
    if low == high and here.numel:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    inside = (x >= low) & (x <= high)
    place = ((x - low) * bins / (high - low)).masked_fill(~inside, 0).to(int64).clamp(max=bins - 1)
    made = functions["zeros"](bins, dtype=here.dtype).index_add(0, place, inside.to(here.dtype))
    return made if out is None else write_out("histc", out, made)


def _edges(x: Any, column: Any, bins: Any, low: float | None, high: float | None, dimension: int) -> Any:
    """The edges of the bins of one dimension."""
    if isinstance(bins, Handle):
        return bins.contiguous()
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension {dimension}")
    if low is None or high is None:
        low, high = (float(column.min()), float(column.max())) if column._spec.numel else (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd: dimension {dimension}'s range [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {dimension}"
        )
    if low == high:
        low, high = low - 0.5, high + 0.5
    return functions["linspace"](low, high, bins + 1, dtype=x._spec.dtype)


def _counted(
    x: Any, bins: Sequence[Any], range: Any, weight: Any, density: bool
) -> tuple[Any, list[Any]]:
    """The histogram of the rows of ``x``, and the edges of each dimension's bins."""
    here = x._spec
    count = here.shape[-1]
    rows = x.detach().reshape((-1, count))
    edges = []
    for k in builtin_range(count):
        low, high = (None, None) if range is None else (range[2 * k], range[2 * k + 1])
        edges.append(_edges(x, rows[:, k], bins[k], low, high, k))
    place, inside = None, None
    sizes = [each._spec.numel - 1 for each in edges]
    for k, (edge, size) in enumerate(zip(edges, sizes)):
        column = rows[:, k].contiguous()
        here_in = (column >= edge[0]) & (column <= edge[-1])
        found = (functions["searchsorted"](edge, column, right=True) - 1).clamp(min=0, max=size - 1)
        place = found if place is None else place * size + found
        inside = here_in if inside is None else inside & here_in
    if weight is None:
        amounts = functions["ones"](rows._spec.shape[0], dtype=here.dtype)
    else:
        amounts = weight.detach().reshape((-1,))
    amounts = functions["where"](inside, amounts, functions["zeros"]((), dtype=amounts._spec.dtype))
    total = functions["zeros"](math.prod(sizes), dtype=here.dtype)
    histogram = total.index_add(0, place, amounts.to(here.dtype)).reshape(tuple(sizes))
    if density:
        histogram = histogram / histogram.sum()
        for k, edge in enumerate(edges):
            widths = edge.diff()
            histogram = histogram / widths.reshape(tuple(-1 if j == k else 1 for j in builtin_range(count)))
    return histogram, edges


builtin_range = range


def _check_weight(name: str, input: Any, weight: Any, shape: Any) -> None:
    if weight is None:
        return
    if weight._spec.dtype is not input._spec.dtype:
        raise RuntimeError(
            f"{name}: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but "
            "got input "
            f"({input._spec.dtype}), and weight ({weight._spec.dtype})"
        )
    if tuple(weight._spec.shape) != tuple(shape):
        raise RuntimeError(
            f"{name}: if weight tensor is provided it should have the same shape as the input tensor excluding its "
            "innermost "
            f"dimension, but got input with shape {list(input._spec.shape)}, and weight with shape "
            f"{list(weight._spec.shape)}"
        )


@composite()
def histogram(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """How many elements (or how much weight) fall into each bin, and the bins' edges.

    Args:
        bins: their number, or their edges.
        range: the first and last edge; those of the data by default.
        density: divide by the total and by the widths.

    >>> import flambeau as torch
    >>> torch.histogram(torch.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    if input._spec.dtype not in (float32, float64):
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{scalar_name(input._spec.dtype)}'")
    _check_weight("histogram()", input, weight, input._spec.shape)
    if isinstance(bins, Handle) and (bins._spec.ndim != 1 or bins._spec.dtype is not input._spec.dtype):
        raise RuntimeError("torch.histogram(): bins tensor should have one dimension and the same dtype as input")
    made, edges = _counted(input.reshape((-1, 1)), [bins], range, weight, density)
    return named("histogram")((made, edges[0]))


@composite(method=False)
def histogramdd(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """The histogram of points, the last dimension holding their coordinates, and the edges along each coordinate.

    >>> import flambeau as torch
    >>> torch.histogramdd(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), [2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    here = input._spec
    if here.dtype not in (float32, float64):
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{scalar_name(here.dtype)}'")
    if here.ndim < 2:
        raise RuntimeError(
            f"torch.histogramdd(): input tensor should have at least 2 dimensions, but got {here.ndim}"
        )
    count = here.shape[-1]
    each = [bins] * count if isinstance(bins, int) else list(bins)
    if len(each) != count:
        raise RuntimeError(
            f"torch.histogramdd(): expected {count} sequences of bin edges or bin counts for a {count}-dimensional "
            "histogram but "
            f"got {len(each)}"
        )
    _check_weight("histogramdd()", input, weight, here.shape[:-1])
    made, edges = _counted(input, each, range, weight, density)
    return named("histogramdd")((made, tuple(edges)))


_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Any:
    here = input._spec
    if not here.numel:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if here.dtype not in (float32, float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    levels: Any = q
    if isinstance(q, Handle):
        if q._spec.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q._spec.dtype is not here.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if not bool(((levels >= 0) & (levels <= 1)).all()):
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    else:
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        levels = functions["tensor"](float(q), dtype=here.dtype)
    axis = 0 if dim is None else _strides.normalize_axis(dim, here.ndim)
    x = input.reshape((-1,)) if dim is None else input.movedim(axis, -1) if here.ndim else input.reshape((1,))
    size = x._spec.shape[-1]
    ordered = x.sort(-1).values
    if ignore_nan:
        valid = (size - x.isnan().sum(-1, True)).to(here.dtype)
        ranks = levels.reshape((-1,)) * (valid - 1)
        ranks = ranks.clamp(min=0)
    else:
        ranks = (levels.reshape((-1,)) * (size - 1)).expand((*x._spec.shape[:-1], levels._spec.numel))
        ranks = ranks.masked_fill(x.isnan().any(-1, True), size - 1)
    if interpolation == "lower":
        ranks = ranks.floor()
    elif interpolation == "higher":
        ranks = ranks.ceil()
    elif interpolation == "nearest":
        ranks = ranks.round()
    below = ranks.to(int64)
    result = ordered.gather(-1, below)
    if interpolation in ("linear", "midpoint"):
        weights = functions["full_like"](ranks, 0.5) if interpolation == "midpoint" else ranks - below.to(here.dtype)
        above = ranks.ceil().to(int64)
        result = functions["lerp"](result, ordered.gather(-1, above), weights)
    # The levels come first; the reduced dimension goes back to its place when kept.
    result = result.movedim(-1, 0)
    if keepdim:
        if dim is None:
            result = result.reshape((result._spec.shape[0], *(1,) * here.ndim))
        elif here.ndim:
            result = result.unsqueeze(axis + 1)
    elif dim is not None and not here.ndim:
        result = result.reshape((result._spec.shape[0],))
    return result.squeeze(0) if not levels._spec.ndim else result


@composite()
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """The q-quantiles of all elements or along ``dim``; several levels make a first dimension. NaN where there is one.

    >>> import flambeau as torch
    >>> torch.quantile(torch.tensor([1.0, 2.0, 4.0]), 0.75)
    tensor(3.)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@composite()
def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Any:
    """:func:`quantile` of the elements that are not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
