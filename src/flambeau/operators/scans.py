"""Along a dimension, each element with all before it: cumulative sums, products, extremes; differences, trapezoids."""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import mode
from ..core import strides as _strides
from ..core.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, bool_, dtype, int64
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import elementwise, memory, reductions as folds, scans
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import composite, functions, operator
from .kinds import Tensor
from .promotion import to, widened

Ints = tuple[int, ...]


def _scan(input: Value, dim: int, combine: str, kind: dtype) -> Value:
    axis = _strides.normalize_axis(dim, input.ndim)
    x = to(input, kind)
    if not input.ndim or not input.numel:
        return x
    return scans.scan(x, axis=axis, combine=combine, dtype=kind)


def _sum_dtype(input: Value, wanted: dtype | None) -> dtype:
    return wanted or (int64 if input.category <= INTEGER else input.dtype)


def reversed_cumsum(x: Any, dim: int) -> Any:
    """Each element plus all after it."""
    return x.flip(dim).cumsum(dim).flip(dim) if x._spec.ndim else x


@operator({"input": lambda grad, dim: reversed_cumsum(grad, dim)}, in_place=True)
def cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Value:
    """yᵢ = x₁ + … + xᵢ along ``dim``. Integers and booleans are summed as int64.

    >>> import flambeau as torch
    >>> torch.cumsum(torch.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return _scan(input, dim, "add", _sum_dtype(input, dtype))


def _takes_out(function: Any, name: str) -> Any:
    """With ``out=`` the sums are computed in its dtype."""

    def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return function(*args, **kwargs)
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = out._spec.dtype
        return function(*args, out=out, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = function.__doc__
    return call


def _product_back(grad: Any, input: Any, dim: int, result: Any) -> Any:
    here = input._spec
    if not here.ndim or not here.numel:
        return grad.clone()
    axis = _strides.normalize_axis(dim, here.ndim)
    x = input.to(grad._spec.dtype)
    if mode.enabled and (input._tracked or grad._tracked):
        return _product_back_twice(grad, x, axis)
    zero = x == 0
    count = zero.to(int64).cumsum(axis)
    first = zero & (count == 1)
    before = reversed_cumsum(grad * result.conj(), axis) / x.masked_fill(zero, 1).conj()
    at = reversed_cumsum(grad * x.masked_fill(first, 1).cumprod(axis).conj() * (count > 0), axis)
    return before.masked_fill(count > 0, 0) + at * first


def _product_back_twice(grad: Any, x: Any, axis: int) -> Any:
    # Row k of the matrix holds x with its k-th element left out; right where elements are zero, and differentiable.
    size = x._spec.shape[axis]
    along = x.movedim(axis, -1)
    diagonal = functions["eye"](size, dtype=bool_)
    products = along.unsqueeze(-2).expand((*along._spec.shape[:-1], size, size)).masked_fill(diagonal, 1).cumprod(-1)
    later = functions["ones"](size, size, dtype=bool_).triu()
    total = (products.conj() * later * grad.movedim(axis, -1).unsqueeze(-2)).sum(-1)
    return total.movedim(-1, axis)


@operator({"input": _product_back}, in_place=True)
def cumprod(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Value:
    """yᵢ = x₁·…·xᵢ along ``dim``.

    >>> import flambeau as torch
    >>> torch.cumprod(torch.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    return _scan(input, dim, "multiply", _sum_dtype(input, dtype))


functions["cumsum"], functions["cumprod"] = _takes_out(cumsum, "cumsum"), _takes_out(cumprod, "cumprod")


def _extreme(name: str, input: Value, dim: int, combine: str) -> tuple[Value, Value]:
    axis = _strides.normalize_axis(dim, input.ndim)
    if input.category == COMPLEX:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    if not input.ndim or not input.numel:
        return input, memory.full(0, shape=input.shape, dtype=int64)
    values = scans.scan(input, axis=axis, combine=combine, dtype=input.dtype)
    renewed = elementwise.equal(input, values)
    if input.category >= FLOATING:
        renewed = renewed | elementwise.is_nan(input)
    places = memory.iota(shape=input.shape, axis=axis, dtype=int64)
    found = elementwise.select(renewed, places, memory.full(0, shape=input.shape, dtype=int64))
    return values, scans.scan(found, axis=axis, combine="maximum", dtype=int64)


def _extreme_back(grad: Any, input_spec: Spec, dim: int, result1: Any) -> Any:
    if not input_spec.numel or not input_spec.ndim:
        return grad.clone()
    return grad.new_zeros(input_spec.shape).scatter_add(dim, result1, grad)


def named(name: str) -> Any:
    """What makes the named tuple of an operator's results."""

    def returns(results: Any) -> Any:
        from .. import return_types

        return getattr(return_types, name)(results)

    return returns


@operator({"input": _extreme_back}, returns=named("cummax"))
def cummax(input: Tensor, dim: int) -> tuple[Value, Value]:
    """The greatest element so far along ``dim``, and where it was (the last of equal ones).

    >>> import flambeau as torch
    >>> torch.cummax(torch.tensor([1, 3, 2]), 0).values
    tensor([1, 3, 3])
    """
    return _extreme("cummax", input, dim, "maximum")


@operator({"input": _extreme_back}, returns=named("cummin"))
def cummin(input: Tensor, dim: int) -> tuple[Value, Value]:
    """The least element so far along ``dim``, and where it was (the last of equal ones).

    >>> import flambeau as torch
    >>> torch.cummin(torch.tensor([3, 1, 2]), 0).values
    tensor([3, 1, 1])
    """
    return _extreme("cummin", input, dim, "minimum")


def _log_back(grad: Any, input: Any, result: Any, dim: int) -> Any:
    if not grad._spec.ndim or not grad._spec.numel:
        return grad.clone()

    def weighed(logarithms: Any) -> Any:
        return ((logarithms - result).flip(dim).logcumsumexp(dim).flip(dim) + input).exp()

    if mode.enabled and (input._tracked or grad._tracked):
        # Less robust where numbers lie hundreds apart, but smooth: no logarithm of the gradient.
        shift = input.detach().real.amax(dim, True)
        return (input - shift).exp().conj() * reversed_cumsum(grad * (shift - result).exp().conj(), dim)
    log = functions["log"]
    if grad._spec.dtype.category == COMPLEX:
        return weighed(log(grad.conj())).conj()
    low = float("-inf")
    positive, negative = grad > 0, grad < 0
    where = functions["where"]
    one = where(positive, log(where(positive, grad, 1)), low)
    other = where(negative, log(where(negative, -grad, 1)), low)
    return weighed(one) - weighed(other)


@operator({"input": _log_back})
def logcumsumexp(input: Tensor, dim: int) -> Value:
    """yᵢ = log(exp x₁ + … + exp xᵢ) along ``dim``, without overflow.

    >>> import flambeau as torch
    >>> torch.logcumsumexp(torch.zeros(2), 0)
    tensor([0.0000, 0.6931])
    """
    if input.category < FLOATING:
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    return _scan(input, dim, "logaddexp", input.dtype)


# -- differences and sums of neighbours --------------------------------------------------------------------------------


def _neighbours(x: Any, axis: int) -> tuple[Any, Any]:
    size = x._spec.shape[axis]
    return x.narrow(axis, min(size, 1), max(size - 1, 0)), x.narrow(axis, 0, max(size - 1, 0))


@composite()
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The n-th difference of neighbours along ``dim``; booleans are compared.

    >>> import flambeau as torch
    >>> torch.diff(torch.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    here = input._spec
    if not here.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = _strides.normalize_axis(dim, here.ndim)
    for each in (prepend, append):
        if each is not None and each._spec.ndim != here.ndim:
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    if not n:
        return input.new_empty(here.shape).copy_(input)
    if prepend is not None or append is not None:
        input = functions["cat"]([each for each in (prepend, input, append) if each is not None], axis)
    size = input._spec.shape[axis]
    n = min(n, size)
    for _ in range(n):
        later, earlier = _neighbours(input, axis)
        input = later.logical_xor(earlier) if input._spec.dtype.category == BOOL else later - earlier
    return input


def _widths(y: Any, x: Any, axis: int, name: str) -> Any:
    """The distances between sample points, shaped to broadcast with the samples."""
    here, size = x._spec, y._spec.shape[axis]
    if not here.ndim:
        raise RuntimeError(f"{name}: y and x must have the same size along the dimension of integration")
    if here.ndim == 1:
        if here.numel != size:
            raise RuntimeError(
                f"{name}: There must be one `x` value for each sample point; expected {size} values but got "
                f"{here.numel}"
            )
        return diff(x).reshape((-1, *[1] * (y._spec.ndim - axis - 1)))
    place = axis - (y._spec.ndim - here.ndim)
    return diff(x, dim=place) if place >= 0 else x


def _trapezoids(y: Any, x: Any, dx: Any, dim: int, name: str) -> tuple[Any, int]:
    here = y._spec
    if not here.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = _strides.normalize_axis(dim, here.ndim)
    kinds = [each._spec.dtype for each in (y, x) if isinstance(each, Handle)]
    if bool_ in kinds:
        raise RuntimeError(
            f"{name}: received a bool input for `{'y' if here.dtype is bool_ else 'x'}`, but bool is not supported"
        )
    later, earlier = _neighbours(y, axis)
    if x is None:
        if not isinstance(dx, (int, float, complex)) or isinstance(dx, bool):
            raise RuntimeError(f"{name}: Currently, we only support dx as a real number.")
        return (later + earlier), axis
    return (later + earlier) * _widths(y, x, axis, name), axis


@composite(method=False, aliases=("trapz",))
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """∫ y dx by the trapezoidal rule along ``dim``; sample points ``x``, or ``dx`` apart.

    >>> import flambeau as torch
    >>> torch.trapezoid(torch.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    if y._spec.ndim and not y._spec.shape[_strides.normalize_axis(dim, y._spec.ndim)]:
        return y.sum(dim) * 0.0
    total, axis = _trapezoids(y, x, 1 if dx is None else dx, dim, "trapezoid")
    return total.sum(axis) * ((1.0 if dx is None else dx) / 2.0) if x is None else total.sum(axis) / 2.0


@composite(method=False)
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The trapezoidal rule's partial sums along ``dim``."""
    total, axis = _trapezoids(y, x, 1 if dx is None else dx, dim, "cumulative_trapezoid")
    return total.cumsum(axis) * ((1.0 if dx is None else dx) / 2.0) if x is None else total.cumsum(axis) / 2.0


def _slope(input: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """The derivative along one dimension from central differences, one-sided at the ends."""
    size = input._spec.shape[axis]

    def part(start: int, length: int) -> Any:
        return input.narrow(axis, start, length)

    inner = size - 2
    if isinstance(spacing, Handle):
        shape = [1] * input._spec.ndim
        shape[axis] = -1
        gaps = diff(spacing)

        def gap(start: int, length: int) -> Any:
            return gaps.narrow(0, start, length).reshape(tuple(shape))

        left, right = gap(0, inner), gap(1, inner)
        middle = (
            part(0, inner) * (-right / (left * (left + right)))
            + part(1, inner) * ((right - left) / (left * right))
            + part(2, inner) * (left / (right * (left + right)))
        )
        first_gap, last_gap = gap(0, 1), gap(size - 2, 1)
        if edge_order == 1:
            first = (part(1, 1) - part(0, 1)) / first_gap
            last = (part(size - 1, 1) - part(size - 2, 1)) / last_gap
        else:
            a, b = first_gap, gap(1, 1)
            first = (
                part(0, 1) * (-(2 * a + b) / (a * (a + b)))
                + part(1, 1) * ((a + b) / (a * b))
                + part(2, 1) * (-a / (b * (a + b)))
            )
            a, b = gap(size - 3, 1), last_gap
            last = (
                part(size - 3, 1) * (b / (a * (a + b)))
                + part(size - 2, 1) * (-(a + b) / (a * b))
                + part(size - 1, 1) * ((a + 2 * b) / (b * (a + b)))
            )
    else:
        middle = (part(2, inner) - part(0, inner)) / (2.0 * spacing)
        if edge_order == 1:
            first = (part(1, 1) - part(0, 1)) / spacing
            last = (part(size - 1, 1) - part(size - 2, 1)) / spacing
        else:
            first = (part(0, 1) * -1.5 + part(1, 1) * 2 - part(2, 1) * 0.5) / spacing
            last = (part(size - 1, 1) * 1.5 - part(size - 2, 1) * 2 + part(size - 3, 1) * 0.5) / spacing
    return functions["cat"]([first, middle, last], axis)


@composite(method=False)
def gradient(input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """Partial derivatives from samples, by differences of second order inside and ``edge_order`` at the ends.

    Args:
        spacing: the distance of neighbours (one number, or one for each dimension), or the sample points as vectors.
        dim: the dimensions to differentiate along (all).

    >>> import flambeau as torch
    >>> torch.gradient(torch.tensor([1.0, 4.0, 9.0]))[0]
    tensor([3., 4., 5.])
    """
    here = input._spec
    axes = _strides.normalize_axes(dim, here.ndim)
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if isinstance(spacing, Handle):
        spacing = [spacing]
    if spacing is None:
        gaps: list[Any] = [1] * len(axes)
    elif isinstance(spacing, (tuple, list)):
        gaps = list(spacing)
        if len(gaps) != len(axes):
            what = "'self.dim()" if dim is None else "'dim"
            raise RuntimeError(
                "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
                f"{what} = {len(axes)}', since dim argument was {'not ' if dim is None else ''}given, but got a list "
                "of length "
                f"{len(gaps)}"
            )
    else:
        gaps = [spacing] * len(axes)
    if any(here.shape[axis] < edge_order + 1 for axis in axes):
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    for axis, gap in zip(axes, gaps):
        if isinstance(gap, Handle) and (gap._spec.ndim != 1 or gap._spec.numel != here.shape[axis]):
            raise RuntimeError(
                "torch.gradient expected each element of coordinates to have one dimension and the size of the "
                "dimension of "
                f"input it belongs to ({here.shape[axis]}), but got a tensor of shape {list(gap._spec.shape)}"
            )
    return tuple(_slope(input, axis, gap, edge_order) for axis, gap in zip(axes, gaps))


# -- renorm ------------------------------------------------------------------------------------------------------------


def _slice_norms(input: Any, p: float, dim: int) -> Any:
    axes = tuple(axis for axis in range(input._spec.ndim) if axis != _strides.normalize_axis(dim, input._spec.ndim))
    return functions["norm"](input, p, axes, True), axes


def _renorm_back(grad: Any, input: Any, p: float, dim: int, maxnorm: float) -> Any:
    norms, axes = _slice_norms(input, p, dim)
    real = grad._spec.dtype.category != COMPLEX
    product = grad * input if real else (grad.conj() * input).real
    scale = norms + 1e-7
    total = product.sum(axes, True)
    size = input.abs()
    if p == float("inf"):
        largest = size == norms
        slope = input.sgn() * largest / largest.sum(axes, True)
    else:
        slope = input.sgn() * (size / norms.masked_fill(norms == 0, 1)) ** (p - 1)
    changed = maxnorm * (grad / scale - slope * (total / (scale * scale)))
    return functions["where"](norms > maxnorm, changed, grad)


@operator({"input": _renorm_back}, in_place=True)
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Value:
    """Each slice of dimension ``dim`` whose p-norm exceeds ``maxnorm`` scaled down to it.

    >>> import flambeau as torch
    >>> torch.renorm(torch.tensor([[3.0, 4.0], [0.0, 1.0]]), 2, 0, 1.0)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    if input.category < FLOATING:
        raise RuntimeError("renorm: the input must be floating or complex")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    axis = _strides.normalize_axis(dim, input.ndim)
    axes = tuple(each for each in range(input.ndim) if each != axis)
    x = widened(input)
    size = elementwise.absolute(x)
    if p == float("inf"):
        norms = folds.reduce_max(size, axes=axes)
    else:
        norms = folds.reduce_sum(elementwise.power(size, p), axes=axes, dtype=size.dtype)
        norms = elementwise.power(norms, 1 / p)
    one = memory.full(1.0, shape=(), dtype=norms.dtype)
    factor = elementwise.select(norms > maxnorm, maxnorm / (norms + 1e-7), one)
    shape = tuple(input.shape[axis] if each == axis else 1 for each in range(input.ndim))
    return to(x * to(memory.reshape(factor, shape=shape), x.dtype), input.dtype)
