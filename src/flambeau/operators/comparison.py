"""Comparison: elementwise relations, extremes of two tensors, and whether numbers are finite, close or equal."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import BOOL, COMPLEX, FLOATING, bool_, get_default_dtype
from ..core.names import scalar_name
from ..primitives import elementwise as p, memory, reductions as r
from ..primitives.values import Value
from .declaration import POINTWISE, composite, functions, operator
from .kinds import Number, Tensor
from .promotion import as_array, promote, reject


def _relation(name: str, of: Any, x: Any, y: Any, ordered: bool = True) -> Value:
    x, y = promote(x, y)
    if ordered:
        for each in (x, y):
            if isinstance(each, Value) and not each.is_number:
                reject(name, each, COMPLEX)
    return of(x, y)


@operator(layout=POINTWISE, in_place=True)
def eq(input: Tensor, other: Tensor | Number) -> Value:
    """input = other, elementwise.

    >>> import flambeau as torch
    >>> torch.eq(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    return _relation("eq_cpu", p.equal, input, other, ordered=False)


@operator(layout=POINTWISE, in_place=True, aliases=("not_equal",))
def ne(input: Tensor, other: Tensor | Number) -> Value:
    """input ≠ other, elementwise.

    >>> import flambeau as torch
    >>> torch.ne(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    return _relation("ne_cpu", p.not_equal, input, other, ordered=False)


@operator(layout=POINTWISE, in_place=True, aliases=("less",))
def lt(input: Tensor, other: Tensor | Number) -> Value:
    """input < other, elementwise.

    >>> import flambeau as torch
    >>> torch.lt(torch.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    return _relation("lt_cpu", p.less, input, other)


@operator(layout=POINTWISE, in_place=True, aliases=("less_equal",))
def le(input: Tensor, other: Tensor | Number) -> Value:
    """input ≤ other, elementwise.

    >>> import flambeau as torch
    >>> torch.le(torch.tensor([1, 3]), 2)
    tensor([ True, False])
    """
    return _relation("le_cpu", p.less_equal, input, other)


@operator(layout=POINTWISE, in_place=True, aliases=("greater",))
def gt(input: Tensor, other: Tensor | Number) -> Value:
    """input > other, elementwise.

    >>> import flambeau as torch
    >>> torch.gt(torch.tensor([1, 3]), 2)
    tensor([False,  True])
    """
    return _relation("gt_cpu", p.greater, input, other)


@operator(layout=POINTWISE, in_place=True, aliases=("greater_equal",))
def ge(input: Tensor, other: Tensor | Number) -> Value:
    """input ≥ other, elementwise.

    >>> import flambeau as torch
    >>> torch.ge(torch.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    return _relation("ge_cpu", p.greater_equal, input, other)


# -- extremes ---------------------------------------------------------------------------------------------------------


def _shared_back(wins: Any) -> Any:
    """A row that gives the gradient to the winner, half of it where both are equal."""

    def back(grad: Any, mine: Any, other: Any) -> Any:
        where = functions["where"]
        return where(mine == other, grad / 2, grad).masked_fill(wins(other, mine), 0)

    return back


_greater_back, _less_back = _shared_back(lambda x, y: x > y), _shared_back(lambda x, y: x < y)


@operator(
    {
        "input": lambda grad, input, other: _greater_back(grad, input, other),
        "other": lambda grad, input, other: _greater_back(grad, other, input),
    },
    layout=POINTWISE,
)
def maximum(input: Tensor, other: Tensor) -> Value:
    """The greater of two elements; NaN when either is.

    >>> import flambeau as torch
    >>> torch.maximum(torch.tensor([1, 5]), torch.tensor([3, 2]))
    tensor([3, 5])
    """
    x, y = promote(input, other)
    if x.category == COMPLEX:
        raise RuntimeError("maximum not implemented for complex tensors.")
    return p.maximum(x, y)


@operator(
    {
        "input": lambda grad, input, other: _less_back(grad, input, other),
        "other": lambda grad, input, other: _less_back(grad, other, input),
    },
    layout=POINTWISE,
)
def minimum(input: Tensor, other: Tensor) -> Value:
    """The lesser of two elements; NaN when either is.

    >>> import flambeau as torch
    >>> torch.minimum(torch.tensor([1, 5]), torch.tensor([3, 2]))
    tensor([1, 2])
    """
    x, y = promote(input, other)
    if x.category == COMPLEX:
        raise RuntimeError("minimum not implemented for complex tensors.")
    return p.minimum(x, y)


@operator(
    {
        "input": lambda grad, input, other: functions["where"]((input >= other) | other.isnan(), grad, 0),
        "other": lambda grad, input, other: functions["where"]((input >= other) | other.isnan(), 0, grad),
    },
    layout=POINTWISE,
)
def fmax(input: Tensor, other: Tensor) -> Value:
    """The greater of two elements; the other one where one is NaN.

    >>> import flambeau as torch
    >>> torch.fmax(torch.tensor([1.0, float("nan")]), torch.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """
    x, y = promote(input, other)
    if x.category == COMPLEX:
        raise RuntimeError("fmax not implemented for complex tensors.")
    return p.fmax(x, y)


@operator(
    {
        "input": lambda grad, input, other: functions["where"]((input <= other) | other.isnan(), grad, 0),
        "other": lambda grad, input, other: functions["where"]((input <= other) | other.isnan(), 0, grad),
    },
    layout=POINTWISE,
)
def fmin(input: Tensor, other: Tensor) -> Value:
    """The lesser of two elements; the other one where one is NaN.

    >>> import flambeau as torch
    >>> torch.fmin(torch.tensor([1.0, float("nan")]), torch.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    x, y = promote(input, other)
    if x.category == COMPLEX:
        raise RuntimeError("fmin not implemented for complex tensors.")
    return p.fmin(x, y)


# -- kinds of numbers -------------------------------------------------------------------------------------------------


def all_of(x: Value, truth: bool) -> Value:
    """Booleans of one value, in the shape of ``x``."""
    return memory.full(truth, shape=x.shape, dtype=bool_)


@operator(layout=POINTWISE)
def isnan(input: Tensor) -> Value:
    """Whether an element (or a part of a complex one) is not a number.

    >>> import flambeau as torch
    >>> torch.isnan(torch.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return p.is_nan(input) if input.category >= FLOATING else all_of(input, False)


@operator(layout=POINTWISE)
def isfinite(input: Tensor) -> Value:
    """Whether an element is neither infinite nor NaN.

    >>> import flambeau as torch
    >>> torch.isfinite(torch.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """
    return p.is_finite(input) if input.category >= FLOATING else all_of(input, True)


@operator(layout=POINTWISE)
def isinf(input: Tensor) -> Value:
    """Whether an element (or a part of a complex one) is infinite.

    >>> import flambeau as torch
    >>> torch.isinf(torch.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    if input.category < FLOATING:
        return all_of(input, False)
    if input.category == COMPLEX:
        return _is_infinite(p.real(input)) | _is_infinite(p.imaginary(input))
    return _is_infinite(input)


def _is_infinite(x: Value) -> Value:
    return p.equal(p.absolute(x), float("inf"))


@operator(layout=POINTWISE)
def isposinf(input: Tensor) -> Value:
    """Whether an element is +∞.

    >>> import flambeau as torch
    >>> torch.isposinf(torch.tensor([1.0, float("inf")]))
    tensor([False,  True])
    """
    if input.category == COMPLEX:
        raise RuntimeError("isposinf does not support complex inputs.")
    return p.equal(input, float("inf")) if input.category == FLOATING else all_of(input, False)


@operator(layout=POINTWISE)
def isneginf(input: Tensor) -> Value:
    """Whether an element is -∞.

    >>> import flambeau as torch
    >>> torch.isneginf(torch.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    if input.category == COMPLEX:
        raise RuntimeError("isneginf does not support complex inputs.")
    return p.equal(input, float("-inf")) if input.category == FLOATING else all_of(input, False)


@operator(layout=POINTWISE)
def isreal(input: Tensor) -> Value:
    """Whether the imaginary part is zero.

    >>> import flambeau as torch
    >>> torch.isreal(torch.tensor([1 + 1j, 2]))
    tensor([False,  True])
    """
    return p.equal(p.imaginary(input), 0.0) if input.category == COMPLEX else all_of(input, True)


def _check_tolerances(input: Any, other: Any, rtol: Any, atol: Any, equal_nan: Any) -> None:
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")


@operator(layout=POINTWISE, check=_check_tolerances)
def isclose(
    input: Tensor, other: Tensor, rtol: Number = 1e-05, atol: Number = 1e-08, equal_nan: bool = False
) -> Value:
    """|input - other| ≤ atol + rtol·|other|, elementwise; infinities of one sign are close.

    >>> import flambeau as torch
    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{scalar_name(input.dtype)} did not match {scalar_name(other.dtype)}")
    close = p.equal(input, other)
    if equal_nan and input.category >= FLOATING:
        close = close | (p.is_nan(input) & p.is_nan(other))
    if input.category == BOOL:
        return close
    kind = input.dtype if input.category >= FLOATING else get_default_dtype()
    x, y = as_array(input, kind), as_array(other, kind)
    reach = p.absolute(y)
    allowed = as_array(atol, reach.dtype) + as_array(rtol, reach.dtype) * reach
    error = p.absolute(x - y) if input.category >= FLOATING else as_array(p.absolute(input - other), kind)
    return close | (p.is_finite(error) & p.less_equal(error, allowed))


@composite()
def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close; see :func:`isclose`. A sync point.

    >>> import flambeau as torch
    >>> torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-9]))
    True
    """
    return bool(_all_true(isclose(input, other, rtol, atol, equal_nan)).item())


@operator(method=False, function=False, name="all")
def _all_true(input: Tensor) -> Value:
    return r.reduce_all(input, axes=tuple(range(input.ndim)))


@composite()
def equal(input: Any, other: Any) -> bool:
    """Whether both have the same shape and elements. A sync point.

    >>> import flambeau as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    if not hasattr(other, "_spec"):
        raise TypeError(f"equal(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    if tuple(input._spec.shape) != tuple(other._spec.shape):
        return False
    return bool(_all_true(eq(input, other)).item())


@composite(method=False)
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each of ``elements`` is among ``test_elements`` (either may be a number); the opposite with ``invert``.

    >>> import flambeau as torch
    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([2, 3]))
    tensor([False,  True,  True])
    """
    from .creation import tensor

    if not hasattr(elements, "_spec"):
        if not hasattr(test_elements, "_spec"):
            raise TypeError("isin(): at least one of elements and test_elements must be a Tensor")
        elements = tensor(elements)
    if not hasattr(test_elements, "_spec"):
        return ne(elements, test_elements) if invert else eq(elements, test_elements)
    return _among(elements, test_elements, invert)


@operator(method=False, function=False, name="isin")
def _among(elements: Tensor, test_elements: Tensor, invert: bool) -> Value:
    x, tests = promote(elements, test_elements)
    for each in (elements, test_elements):
        if each.category in (BOOL, COMPLEX):
            raise RuntimeError(f"Unsupported input type encountered for isin(): {scalar_name(each.dtype)}")
    found = p.member(x, memory.reshape(tests, shape=(tests.numel,)))
    return ~found if invert else found
