"""Products of vectors along a dimension, and powers of them as matrices."""

from __future__ import annotations

from typing import Any

from ...core import strides as _strides
from ...core.dtypes import BOOL, INTEGER
from ...core.names import scalar_name
from ...primitives import memory
from ...primitives.values import Value
from ..contraction import conjugate, vdot
from ..declaration import composite, operator
from ..kinds import Tensor


def _cross_back(grad: Any, other: Any, dim: int) -> Any:
    return linalg_cross(conjugate(other), grad, dim=dim)


@operator(
    {"input": _cross_back, "other": lambda grad, input, dim: linalg_cross(grad, conjugate(input), dim=dim)},
    name="linalg_cross", function=False, method=False,
)  # fmt: skip
def _cross(input: Tensor, other: Tensor, dim: int = -1) -> Value:
    from ..promotion import promote

    x, y = promote(input, other)
    shape = _strides.broadcast(x.shape, y.shape)
    axis = _strides.normalize_axis(dim, len(shape))

    def part(v: Value, k: int) -> Value:
        starts, stops = [0] * len(shape), list(shape)
        starts[axis], stops[axis] = k, k + 1
        return memory.slice_(v, starts=tuple(starts), stops=tuple(stops), steps=(1,) * len(shape))

    x, y = (v if v.shape == shape else memory.broadcast(v, shape=shape) for v in (x, y))
    rows = [part(x, i) * part(y, j) - part(x, j) * part(y, i) for i, j in ((1, 2), (2, 0), (0, 1))]
    return memory.concatenate(*rows, axis=axis)


@composite(function=False, method=False, name="linalg_cross")
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors of three elements along ``dim``; other dimensions broadcast.

    >>> import flambeau as torch
    >>> torch.linalg.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    x, y = input._spec, other._spec
    if x.ndim != y.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    sizes = [each.shape[_strides.normalize_axis(dim, each.ndim)] if each.ndim else 1 for each in (x, y)]
    if sizes != [3, 3]:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {sizes[0]} and {sizes[1]}"
        )
    return _cross(input, other, dim)


@composite()
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The cross product along ``dim``, by default the first dimension of size 3."""
    if dim is None:
        import warnings

        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or simply "
            "use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future release.",
            stacklevel=3,
        )
        found = [k for k, size in enumerate(input._spec.shape) if size == 3]
        if not found:
            raise RuntimeError("no dimension of size 3 in input")
        dim = found[0]
    return linalg_cross(input, other, dim=dim)


@composite(function=False, method=False, name="linalg_vecdot")
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Σ conj(x) y along ``dim``; other dimensions broadcast.

    >>> import flambeau as torch
    >>> torch.linalg.vecdot(torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([1.0, 1]))
    tensor([3., 7.])
    """
    for each in (x, y):
        if each._spec.dtype.category < 2:
            raise RuntimeError(
                f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {scalar_name(each._spec.dtype)}"
            )
    if x._spec.dtype is not y._spec.dtype:
        raise RuntimeError(
            f"linalg.vecdot: Expected vectors of same dtype, got {scalar_name(x._spec.dtype)} and {scalar_name(y._spec.dtype)}"
        )
    if x._spec.ndim == y._spec.ndim == 1 and x._spec.shape == y._spec.shape:
        return vdot(x, y)
    return (conjugate(x) * y).sum(dim)


@composite(function=False, method=False, name="linalg_vander")
def linalg_vander(x: Any, *, N: int | None = None) -> Any:
    """Rows 1, xᵢ, xᵢ², … of N columns (as many as there are xᵢ by default).

    >>> import flambeau as torch
    >>> torch.linalg.vander(torch.tensor([2, 3]), N=3)
    tensor([[1, 2, 4],
            [1, 3, 9]])
    """
    spec = x._spec
    if spec.dtype.category == BOOL:
        raise RuntimeError("linalg.vander: Expected a floating point, complex or integer tensor as input. Got Bool")
    if not spec.ndim and N is None:
        N = 1
    if not spec.ndim:
        x = x.unsqueeze(-1)
        spec = x._spec
    count = spec.shape[-1] if N is None else N
    if N is not None and N <= 1:
        raise RuntimeError("N must be greater than 1.")
    from ..joining import cat

    kind = spec.dtype if spec.dtype.category > INTEGER else None
    ones = x.new_ones((*spec.shape, 1))
    repeated = x.unsqueeze(-1).expand(*spec.shape, count - 1)
    powers = repeated.cumprod(-1)
    return cat((ones.to(powers._spec.dtype) if kind is None else ones, powers), -1)
