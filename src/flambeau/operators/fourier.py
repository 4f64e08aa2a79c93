"""Discrete Fourier transforms: three operators, from which every function of ``torch.fft`` is made.

Cooley and Tukey, "An algorithm for the machine calculation of complex Fourier series", 1965.
"""

from __future__ import annotations

import math
from typing import Any

from ..core import strides as _strides
from ..core.dtypes import COMPLEX, FLOATING, get_default_dtype
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import elementwise as p, fourier as transforms
from ..primitives.values import Value
from .declaration import composite, functions, operator
from .kinds import Tensor

Ints = tuple[int, ...]


def _batch_first(result: Any, operands: Any, arguments: Any) -> Ints:
    """Layout: what is transformed lies innermost; within both groups dimensions keep the order of the input's strides."""
    steps, axes = operands[0].strides, arguments[1]
    rest = sorted((axis for axis in range(len(steps)) if axis not in axes), key=lambda axis: -steps[axis])
    last = () if result.dtype is operands[0].dtype else axes[-1:]
    inner = sorted(axes[: len(axes) - len(last)], key=lambda axis: -steps[axis])
    return _strides.from_order(tuple(result.shape), tuple(reversed((*rest, *inner, *last))))


@operator(
    {"input": lambda grad, axes, forward, scale: _transform(grad, axes, not forward, scale)},
    name="_fft_c2c", function=False, method=False, layout=_batch_first, node="FftC2CBackward0",
)  # fmt: skip
def _transform(input: Tensor, axes: Ints, forward: bool, scale: float) -> Value:
    return transforms.fourier(input, axes=axes, forward=forward, scale=scale)


def _half_back(grad: Any, input_spec: Spec, axes: Ints, scale: float) -> Any:
    whole = _resized(grad, axes[-1], input_spec.shape[axes[-1]])
    return _transform(whole, axes, False, scale).real


@operator({"input": _half_back}, name="_fft_r2c", function=False, method=False, layout=_batch_first,
          node="FftR2CBackward0")  # fmt: skip
def _of_real(input: Tensor, axes: Ints, scale: float) -> Value:
    return transforms.fourier_of_real(input, axes=axes, scale=scale)


@operator(
    {"input": lambda grad, axes, scale: _transform(grad, axes, False, scale).real},
    name="_fft_r2c", function=False, method=False, layout=_batch_first, node="FftR2CBackward0",
)  # fmt: skip
def _whole_of_real(input: Tensor, axes: Ints, scale: float) -> Value:
    return transforms.fourier(p.cast(input, dtype=input.dtype.to_complex()), axes=axes, forward=True, scale=scale)


def _real_back(grad: Any, input_spec: Spec, axes: Ints, scale: float) -> Any:
    half = _of_real(grad, axes, scale)
    axis, size = axes[-1], grad._spec.shape[axes[-1]]
    kept = half._spec.shape[axis]
    # What stands for two conjugate frequencies counts twice.
    weights = [1.0] + [2.0] * (size - kept) + [1.0] * (kept - 1 - (size - kept))
    shape = [1] * half._spec.ndim
    shape[axis] = kept
    return half * grad.new_tensor(weights).reshape(shape)


@operator({"input": _real_back}, name="_fft_c2r", function=False, method=False, layout=_batch_first,
          node="FftC2RBackward0")  # fmt: skip
def _to_real(input: Tensor, axes: Ints, size: int, scale: float) -> Value:
    return transforms.fourier_to_real(input, axes=axes, size=size, scale=scale)


# -- arguments --------------------------------------------------------------------------------------------------------


def _scale(norm: Any, forward: bool, count: int) -> float:
    if norm not in (None, "backward", "ortho", "forward"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    if norm == "ortho":
        return 1.0 / math.sqrt(count)
    return 1.0 / count if (norm == "forward") is forward else 1.0


def _floating(name: str, x: Any, complex_: bool = False, real_only: bool = False) -> Any:
    """The input in the dtype it is transformed in."""
    kind = x._spec.dtype
    if real_only and kind.category == COMPLEX:
        raise RuntimeError(f"{name} expects a real input tensor, but got {scalar_name(kind)}")
    if kind.category < FLOATING:
        kind = get_default_dtype()
    if kind.itemsize < 4 or kind.name == "complex32":
        raise RuntimeError(f"Unsupported dtype {scalar_name(kind)}")
    return x.to(kind.to_complex() if complex_ else kind)


def _resized(x: Any, axis: int, size: int) -> Any:
    """``x`` cut, or filled with zeros at the end, to a size."""
    here = x._spec.shape[axis]
    if size == here:
        return x
    if size < here:
        return x.narrow(axis, 0, size)
    shape = list(x._spec.shape)
    shape[axis] = size - here
    return functions["cat"]((x, x.new_zeros(shape)), axis)


def _one(x: Any, n: int | None, dim: int) -> tuple[int, int]:
    if not x._spec.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = _strides.normalize_axis(dim, x._spec.ndim)
    size = n if n is not None else x._spec.shape[axis]
    if size < 1:
        raise RuntimeError(f"Invalid number of data points ({size}) specified")
    return axis, size


def _several(x: Any, s: Any, dim: Any) -> tuple[list[int], list[int]]:
    """Axes and sizes."""
    rank = x._spec.ndim
    s = None if s is None else [s] if isinstance(s, int) else list(s)
    if dim is None:
        if s is not None and len(s) > rank:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {rank} dimensions.")
        axes = list(range(rank if s is None else 0, rank)) if s is None else list(range(rank - len(s), rank))
        axes = list(range(rank)) if s is None else axes
    else:
        axes = [_strides.normalize_axis(each, rank) for each in ((dim,) if isinstance(dim, int) else dim)]
        if len(set(axes)) != len(axes):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(axes):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    sizes = [x._spec.shape[axis] for axis in axes] if s is None else s
    sizes = [x._spec.shape[axis] if size == -1 else size for axis, size in zip(axes, sizes)]
    for size in sizes:
        if size < 1:
            raise RuntimeError(f"Invalid number of data points ({size}) specified")
    return axes, sizes


def _count(sizes: Any) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count


def _fitted(x: Any, axes: Any, sizes: Any) -> Any:
    for axis, size in zip(axes, sizes):
        x = _resized(x, axis, size)
    return x


def _all_complex(name: str, x: Any, axes: Any, sizes: Any, norm: Any, forward: bool) -> Any:
    scale = _scale(norm, forward, _count(sizes))
    x = _fitted(_floating(name, x, True), axes, sizes)
    return _transform(x, tuple(axes), forward, scale) if axes else x.clone()


def _half(name: str, x: Any, axes: Any, sizes: Any, norm: Any, forward: bool = True) -> Any:
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")
    scale = _scale(norm, forward, _count(sizes))
    return _of_real(_fitted(_floating(name, x, real_only=True), axes, sizes), tuple(axes), scale)


def _real(name: str, x: Any, axes: Any, sizes: Any, norm: Any, forward: bool = False) -> Any:
    if not axes:
        raise RuntimeError(f"{name} must transform at least one axis")
    scale = _scale(norm, forward, _count(sizes))
    kept = [*sizes[:-1], sizes[-1] // 2 + 1]
    x = _fitted(_floating(name, x, True), axes, kept)
    if len(axes) > 1:
        x = _transform(x, tuple(axes[:-1]), False, 1.0)
    return _to_real(x, tuple(axes[-1:]), sizes[-1], scale)


def _last_doubled(x: Any, s: Any, dim: Any) -> tuple[list[int], list[int]]:
    axes, sizes = _several(x, s, dim)
    given = None if s is None else s if isinstance(s, int) else list(s)[-1]
    if axes and (given is None or given == -1):
        sizes[-1] = 2 * (x._spec.shape[axes[-1]] - 1)
        if sizes[-1] < 1:
            raise RuntimeError(f"Invalid number of data points ({sizes[-1]}) specified")
    return axes, sizes


def _published(function: Any) -> Any:
    return composite(function=False, method=False, name="fft_" + function.__name__)(function)


def _line(name: str, x: Any, n: int | None, dim: int, norm: Any, forward: bool) -> Any:
    axis, size = _one(x, n, dim)
    if x._spec.dtype.category == COMPLEX:
        return _all_complex(name, x, [axis], [size], norm, forward)
    made = _whole_of_real(_resized(_floating(name, x), axis, size), (axis,), _scale(norm, forward, size))
    return made if forward else made.conj()


# -- one dimension ------------------------------------------------------------------------------------------------------


@_published
def fft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """X[k] = Σ x[j] exp(-2πi jk/n) along ``dim``, of size ``n`` (cut or filled with zeros).

    ``norm``: where 1/n goes: "backward" (default, on the inverse), "forward", or "ortho" (1/√n on both).

    >>> import flambeau as torch
    >>> torch.fft.fft(torch.tensor([1.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j])
    """
    return _line("fft", input, n, dim, norm, True)


@_published
def ifft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of :func:`fft`."""
    return _line("ifft", input, n, dim, norm, False)


@_published
def rfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """:func:`fft` of real numbers, without the negative frequencies, which are conjugates.

    >>> import flambeau as torch
    >>> torch.fft.rfft(torch.ones(4))
    tensor([4.+0.j, 0.+0.j, 0.+0.j])
    """
    axis, size = _one(input, n, dim)
    return _half("rfft", input, [axis], [size], norm)


@_published
def irfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of :func:`rfft`, of ``n`` real numbers (by default 2 (m - 1))."""
    axis, size = _one(input, _doubled(input, dim) if n is None else n, dim)
    return _real("irfft", input, [axis], [size], norm)


def _doubled(x: Any, dim: int) -> int:
    return 2 * (x._spec.shape[_strides.normalize_axis(dim, x._spec.ndim)] - 1) if x._spec.ndim else 1


@_published
def hfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The (real) transform of a signal with Hermitian symmetry, given by its first half."""
    axis, size = _one(input, _doubled(input, dim) if n is None else n, dim)
    return _real("hfft", _conjugated(input), [axis], [size], norm, True)


def _conjugated(x: Any) -> Any:
    return x.conj() if x._spec.dtype.category == COMPLEX else x


@_published
def ihfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of :func:`hfft`."""
    axis, size = _one(input, n, dim)
    return _half("ihfft", input, [axis], [size], norm, False).conj()


# -- several dimensions ---------------------------------------------------------------------------------------------------


@_published
def fftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """:func:`fft` along several dimensions (all by default), of sizes ``s``."""
    return _all_complex("fftn", input, *_several(input, s, dim), norm, True)


@_published
def ifftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The inverse of :func:`fftn`."""
    return _all_complex("ifftn", input, *_several(input, s, dim), norm, False)


@_published
def rfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """:func:`rfft` along the last of several dimensions, :func:`fft` along the others."""
    return _half("rfftn", input, *_several(input, s, dim), norm)


@_published
def irfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The inverse of :func:`rfftn`."""
    return _real("irfftn", input, *_last_doubled(input, s, dim), norm)


@_published
def hfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """:func:`hfft` along the last of several dimensions, :func:`fft` along the others."""
    axes, sizes = _last_doubled(input, s, dim)
    if not axes:
        raise RuntimeError("hfftn must transform at least one axis")
    return _real("hfftn", _conjugated(input), axes, sizes, norm, True)


@_published
def ihfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    """The inverse of :func:`hfftn`."""
    axes, sizes = _several(input, s, dim)
    if not axes:
        raise RuntimeError("ihfftn must transform at least one axis")
    half = _half("ihfftn", _fitted(input, axes[:-1], sizes[:-1]), axes[-1:], sizes[-1:], norm, False).conj()
    return _all_complex("ihfftn", half, axes[:-1], sizes[:-1], norm, False) if len(axes) > 1 else half


_PLANE = (-2, -1)


@_published
def fft2(input: Any, s: Any = None, dim: Any = _PLANE, norm: str | None = None) -> Any:
    """:func:`fftn` along two dimensions."""
    return fftn(input, s, dim, norm)


@_published
def ifft2(input: Any, s: Any = None, dim: Any = _PLANE, norm: str | None = None) -> Any:
    """:func:`ifftn` along two dimensions."""
    return ifftn(input, s, dim, norm)


@_published
def rfft2(input: Any, s: Any = None, dim: Any = _PLANE, norm: str | None = None) -> Any:
    """:func:`rfftn` along two dimensions."""
    return rfftn(input, s, dim, norm)


@_published
def irfft2(input: Any, s: Any = None, dim: Any = _PLANE, norm: str | None = None) -> Any:
    """:func:`irfftn` along two dimensions."""
    return irfftn(input, s, dim, norm)


@_published
def hfft2(input: Any, s: Any = None, dim: Any = _PLANE, norm: str | None = None) -> Any:
    """:func:`hfftn` along two dimensions."""
    return hfftn(input, s, dim, norm)


@_published
def ihfft2(input: Any, s: Any = None, dim: Any = _PLANE, norm: str | None = None) -> Any:
    """:func:`ihfftn` along two dimensions."""
    return ihfftn(input, s, dim, norm)


# -- frequencies ------------------------------------------------------------------------------------------------------------


def _shift(input: Any, dim: Any, back: bool) -> Any:
    rank = input._spec.ndim
    axes = list(range(rank)) if dim is None else [
        _strides.normalize_axis(each, rank) for each in ((dim,) if isinstance(dim, int) else dim)
    ]  # fmt: skip
    sizes = [input._spec.shape[axis] for axis in axes]
    shifts = [(size + 1) // 2 if back else size // 2 for size in sizes]
    return input.roll(shifts, axes) if axes else input.clone()


@composite(function=False, method=False, name="fft_fftshift")
def fftshift(input: Any, dim: Any = None) -> Any:
    """Frequencies in ascending order: zero goes to the middle.

    >>> import flambeau as torch
    >>> torch.fft.fftshift(torch.fft.fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _shift(input, dim, False)


@composite(function=False, method=False, name="fft_ifftshift")
def ifftshift(input: Any, dim: Any = None) -> Any:
    """The inverse of :func:`fftshift`."""
    return _shift(input, dim, True)


def fftfreq(n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
            requires_grad: bool = False) -> Any:  # fmt: skip
    """The frequencies of :func:`fft` of ``n`` samples ``d`` apart: 0, 1, …, then the negative ones, over n d.

    >>> import flambeau as torch
    >>> torch.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    made = functions["arange"](n, dtype=dtype or get_default_dtype(), device=device)
    made[(n + 1) // 2 :] -= n
    return _finished(made * (1.0 / (n * d)), out, requires_grad)


def rfftfreq(n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
             requires_grad: bool = False) -> Any:  # fmt: skip
    """The frequencies of :func:`rfft`: 0, 1, …, n // 2, over n d.

    >>> import flambeau as torch
    >>> torch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    made = functions["arange"](n // 2 + 1, dtype=dtype or get_default_dtype(), device=device)
    return _finished(made * (1.0 / (n * d)), out, requires_grad)


def _finished(made: Any, out: Any, requires_grad: bool) -> Any:
    if out is not None:
        from .writing import write_out

        return write_out("fft_fftfreq", out, made)
    return made.requires_grad_() if requires_grad else made
