"""Elementwise primitives: arithmetic, comparison, logic, bits, rounding, exponentials, trigonometry.

Operands broadcast, must share one dtype, and may be Python numbers. NumPy's own functions are the meanings wherever
their results are PyTorch's; the others say here what they mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import bool_, dtype, int32
from .blending import blend
from .registry import Primitive, broadcast_shape, pointwise, pointwise_bool, primitive, primitives
from .values import Value


def _ufunc(name: str, function: Any, shape: Any = pointwise) -> Primitive:
    made = Primitive(name, shape, function)
    made.elementwise = True
    primitives[name] = made
    return made


add = _ufunc("add", np.add)
subtract = _ufunc("subtract", np.subtract)
multiply = _ufunc("multiply", np.multiply)
divide = _ufunc("divide", np.divide)
negative = _ufunc("negative", np.negative)
maximum = _ufunc("maximum", np.maximum)
minimum = _ufunc("minimum", np.minimum)
fmax = _ufunc("fmax", np.fmax)
fmin = _ufunc("fmin", np.fmin)
power = _ufunc("power", np.power)
arctan2 = _ufunc("arctan2", np.arctan2)
hypot = _ufunc("hypot", np.hypot)
copysign = _ufunc("copysign", np.copysign)
nextafter = _ufunc("nextafter", np.nextafter)
greatest_common_divisor = _ufunc("greatest_common_divisor", np.gcd)

equal = _ufunc("equal", np.equal, pointwise_bool)
not_equal = _ufunc("not_equal", np.not_equal, pointwise_bool)
less = _ufunc("less", np.less, pointwise_bool)
less_equal = _ufunc("less_equal", np.less_equal, pointwise_bool)
greater = _ufunc("greater", np.greater, pointwise_bool)
greater_equal = _ufunc("greater_equal", np.greater_equal, pointwise_bool)
is_nan = _ufunc("is_nan", np.isnan, pointwise_bool)
is_finite = _ufunc("is_finite", np.isfinite, pointwise_bool)
sign_bit = _ufunc("sign_bit", np.signbit, pointwise_bool)

bitwise_and = _ufunc("bitwise_and", np.bitwise_and)
bitwise_or = _ufunc("bitwise_or", np.bitwise_or)
bitwise_xor = _ufunc("bitwise_xor", np.bitwise_xor)
bitwise_not = _ufunc("bitwise_not", np.invert)

floor = _ufunc("floor", np.floor)
ceil = _ufunc("ceil", np.ceil)
truncate = _ufunc("truncate", np.trunc)
round_half_even = _ufunc("round_half_even", np.rint)

sqrt = _ufunc("sqrt", np.sqrt)
exp = _ufunc("exp", np.exp)
exp2 = _ufunc("exp2", np.exp2)
expm1 = _ufunc("expm1", np.expm1)
log = _ufunc("log", np.log)
log2 = _ufunc("log2", np.log2)
log1p = _ufunc("log1p", np.log1p)
sin = _ufunc("sin", np.sin)
cos = _ufunc("cos", np.cos)
tan = _ufunc("tan", np.tan)
arcsin = _ufunc("arcsin", np.arcsin)
arccos = _ufunc("arccos", np.arccos)
arctan = _ufunc("arctan", np.arctan)
sinh = _ufunc("sinh", np.sinh)
cosh = _ufunc("cosh", np.cosh)
tanh = _ufunc("tanh", np.tanh)
arcsinh = _ufunc("arcsinh", np.arcsinh)
arccosh = _ufunc("arccosh", np.arccosh)
arctanh = _ufunc("arctanh", np.arctanh)
conjugate = _ufunc("conjugate", np.conjugate)


@primitive(pointwise, elementwise=True)
def log10(x: Any) -> Any:
    """The logarithm to base 10; float32 by way of float64, so that powers of ten have whole logarithms."""
    return np.log10(x, dtype=np.float64).astype(x.dtype) if x.dtype == np.float32 else np.log10(x)


def _absolute_shape(x: Value) -> Any:
    return x.shape, x.dtype.to_real()


@primitive(_absolute_shape, elementwise=True)
def absolute(x: Any) -> Any:
    """|x|; the modulus, a real number, of a complex one."""
    return np.abs(x)


def _select_shape(condition: Any, *operands: Any) -> Any:
    return broadcast_shape(condition, *operands), next(
        (each.dtype for each in operands if isinstance(each, Value) and not each.is_number), bool_
    )


@primitive(_select_shape)
def select(condition: Any, x: Any, y: Any) -> Any:
    """x where the boolean condition holds, else y."""
    return blend(condition, x, y)


@primitive(pointwise, elementwise=True)
def shift_left(x: Any, y: Any) -> Any:
    """x·2^y for integers; zero once every bit has been shifted out."""
    bits = x.dtype.itemsize * 8
    return np.where((y < 0) | (y >= bits), x.dtype.type(0), np.left_shift(x, np.clip(y, 0, bits - 1)))


@primitive(pointwise, elementwise=True)
def shift_right(x: Any, y: Any) -> Any:
    """⌊x/2^y⌋ for integers, by arithmetic shift."""
    bits = x.dtype.itemsize * 8
    beyond = (y < 0) | (y >= bits)
    shifted = np.right_shift(x, np.where(beyond, x.dtype.type(bits - 1), y))
    return np.where(beyond, x.dtype.type(0), shifted) if x.dtype.kind == "u" else shifted


def _cast_shape(x: Value, *, dtype: dtype) -> Any:
    return x.shape, dtype


def _real_part_if_needed(x: Any, to: Any) -> Any:
    return x.real if x.dtype.kind == "c" and to.kind != "c" and to.kind != "b" else x


@primitive(_cast_shape)
def cast(x: Any, *, dtype: dtype) -> Any:
    """x in another dtype: floats truncate towards zero to integers, which wrap around."""
    to = dtype.numpy
    if type(x) in (float, int, bool, complex):
        return number_array(x, dtype)
    x = _real_part_if_needed(np.asarray(x), to)
    if x.dtype.kind not in "biuc" and to.kind in "ui" and to.itemsize < 8:
        return x.astype(np.int64).astype(to)
    return x.astype(to)


def number_array(x: Any, kind: dtype) -> Any:
    """A Python number as a 0-dimensional array; integers wrap around."""
    to = kind.numpy
    if to.kind in "ui" and type(x) is float:
        x = int(x) if np.isfinite(x) else np.iinfo(np.int64).min
    if to.kind in "ui" and type(x) is int:
        bits = to.itemsize * 8
        x &= (1 << bits) - 1
        if to.kind == "i" and x >> (bits - 1):
            x -= 1 << bits
        return np.array(x, to)
    if type(x) is complex and to.kind != "c":
        x = x.real
    if to.kind == "V" or (to.kind == "f" and type(x) is int):
        return np.array(float(x)).astype(to)
    return np.array(x).astype(to)


def _number_shape(x: Any, *, dtype: dtype) -> Any:
    return (), dtype


@primitive(_number_shape)
def number(x: Any, *, dtype: dtype) -> Any:
    """A Python number as a 0-dimensional array of the given dtype."""
    return number_array(x, dtype) if type(x) in (float, int, bool, complex) else np.asarray(x).astype(dtype.numpy)


@primitive(_absolute_shape)
def real(x: Any) -> Any:
    """The real part."""
    return np.real(x).copy()


@primitive(_absolute_shape)
def imaginary(x: Any) -> Any:
    """The imaginary part."""
    return np.imag(x).copy()


def _complex_shape(x: Value, y: Value) -> Any:
    return broadcast_shape(x, y), x.dtype.to_complex()


@primitive(_complex_shape)
def make_complex(x: Any, y: Any) -> Any:
    """x + iy."""
    kind = np.result_type(np.asarray(x).dtype, np.complex64)
    result = np.empty(np.broadcast_shapes(np.shape(x), np.shape(y)), kind)
    result.real, result.imag = x, y
    return result


def _symbol(of: Primitive) -> Any:
    return lambda x, y: of(x, y)


def _reflected(of: Primitive) -> Any:
    return lambda x, y: of(y, x)


def _install_operators() -> None:
    for name, of in {
        "add": add, "sub": subtract, "mul": multiply, "truediv": divide, "and": bitwise_and, "or": bitwise_or,
        "xor": bitwise_xor, "lt": less, "le": less_equal, "gt": greater, "ge": greater_equal,
    }.items():  # fmt: skip
        setattr(Value, f"__{name}__", _symbol(of))
        if name not in ("lt", "le", "gt", "ge"):
            setattr(Value, f"__r{name}__", _reflected(of))
    Value.__neg__ = lambda x: negative(x)
    Value.__invert__ = lambda x: bitwise_not(x)


_install_operators()


def _check_divisor(x: Any, y: Any) -> None:
    if np.any(np.equal(y, 0)) and np.size(x):
        raise RuntimeError("ZeroDivisionError")


@primitive(pointwise, elementwise=True, can_fail=True)
def floor_divide_exact(x: Any, y: Any) -> Any:
    """⌊x/y⌋ for integers; a zero divisor is an error."""
    _check_divisor(x, y)
    return np.floor_divide(x, y)


@primitive(pointwise, elementwise=True, can_fail=True)
def truncating_divide(x: Any, y: Any) -> Any:
    """x/y rounded towards zero, for integers; a zero divisor is an error."""
    _check_divisor(x, y)
    quotient = np.floor_divide(x, y)
    return quotient + ((quotient < 0) & (quotient * y != x)).astype(quotient.dtype)


@primitive(pointwise, elementwise=True)
def floor_divide(x: Any, y: Any) -> Any:
    """⌊x/y⌋ for floating numbers, from the exact remainder as in C's fmod."""
    quotient = np.floor_divide(x, y)
    zero = np.equal(y, 0)
    return np.where(zero, np.divide(x, y), quotient) if np.any(zero) else quotient


@primitive(pointwise, elementwise=True, can_fail=True)
def remainder(x: Any, y: Any) -> Any:
    """x - y·⌊x/y⌋; for integers a zero divisor is an error."""
    if np.result_type(x, y).kind in "iub":
        _check_divisor(x, y)
    return np.remainder(x, y)


@primitive(pointwise, elementwise=True, can_fail=True)
def truncating_remainder(x: Any, y: Any) -> Any:
    """C's fmod; for integers a zero divisor is an error."""
    if np.result_type(x, y).kind in "iub":
        _check_divisor(x, y)
    return np.fmod(x, y)


@primitive(pointwise, elementwise=True, can_fail=True)
def integer_power(x: Any, y: Any) -> Any:
    """x^y for integers, wrapping around; negative powers are zero but for ±1."""
    x, y = np.asarray(x), np.asarray(y)
    if y.ndim == 0 and y.dtype.kind == "i" and y < 0 and type(y) is not np.ndarray:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    kind = np.result_type(x, y)
    if kind.kind == "i" and np.any(y < 0):
        odd = np.where(y % 2 == 0, 1, x)
        return np.where(y < 0, np.where(x == 1, 1, np.where(x == -1, odd, 0)), np.power(x, np.maximum(y, 0))).astype(kind)
    return np.power(x, y).astype(kind)


def _mantissa_shape(x: Value) -> Any:
    return [(x.shape, x.dtype), (x.shape, int32)]


@primitive(_mantissa_shape)
def mantissa_and_exponent(x: Any) -> Any:
    """m and e with x = m·2^e, m in ±[1/2, 1)."""
    mantissa, exponent = np.frexp(x)
    return mantissa.astype(x.dtype), exponent.astype(np.int32)


def _member_shape(x: Value, tests: Value) -> Any:
    return x.shape, bool_


@primitive(_member_shape)
def member(x: Any, tests: Any) -> Any:
    """Whether each element is among ``tests``, which is one-dimensional."""
    return np.isin(x, tests)
