"""Data types and their promotion rules.

A :class:`dtype` is a singleton that prints as PyTorch prints it (``torch.float32``) and knows the NumPy
dtype that holds its values. Promotion follows PyTorch's lattice: a result has the lowest dtype that is of
the highest *category* (bool < integer < floating < complex) taking part; see :func:`result_dtype`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

BOOL, INTEGER, FLOATING, COMPLEX = range(4)


class dtype:
    """The type of a tensor's elements, such as ``flambeau.float32``.

    >>> import flambeau as torch
    >>> torch.float16.itemsize, torch.float16.is_floating_point
    (2, True)
    """

    __slots__ = ("category", "is_complex", "is_floating_point", "is_signed", "itemsize", "name", "numpy", "rank")

    name: str
    numpy: np.dtype[Any]
    category: int
    rank: int
    itemsize: int
    is_floating_point: bool
    is_complex: bool
    is_signed: bool

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str | tuple[Any, ...]:
        return by_name, (self.name,)

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: Any) -> dtype:
        return self

    @property
    def __module__(self) -> str:  # type: ignore[override]
        return "torch"

    def to_complex(self) -> dtype:
        """The complex dtype whose parts have this dtype (``float64`` → ``complex128``)."""
        return _complex_of.get(self, complex64)

    def to_real(self) -> dtype:
        """The dtype of the real part (``complex64`` → ``float32``); itself when already real."""
        return _real_of.get(self, self)

    @property
    def compute(self) -> dtype:
        """The dtype in which arithmetic on this one is carried out: float32 for the narrow floating types."""
        if self.is_floating_point and self.itemsize < 4:
            return float32
        return complex64 if self is complex32 else self


_by_name: dict[str, dtype] = {}
_by_numpy: dict[Any, dtype] = {}


def by_name(name: str) -> dtype:
    """The dtype called ``name`` (``"float32"``); aliases such as ``"long"`` are understood."""
    return _by_name[name]


def _make(name: str, numpy_type: Any, category: int, rank: int, signed: bool = True, alias: str = "") -> dtype:
    made = dtype.__new__(dtype)
    made.name, made.numpy, made.category, made.rank = name, np.dtype(numpy_type), category, rank
    made.itemsize = made.numpy.itemsize
    made.is_floating_point, made.is_complex, made.is_signed = category == FLOATING, category == COMPLEX, signed
    _by_name[name] = made
    for other in alias.split():
        _by_name[other] = made
    _by_numpy.setdefault(made.numpy, made)
    return made


# complex32 has no NumPy counterpart: it is held as complex64 and only its name and size differ.
bool_ = _make("bool", np.bool_, BOOL, 0, signed=False)
uint8 = _make("uint8", np.uint8, INTEGER, 0, signed=False)
int8 = _make("int8", np.int8, INTEGER, 0)
int16 = _make("int16", np.int16, INTEGER, 1, alias="short")
int32 = _make("int32", np.int32, INTEGER, 2, alias="int")
int64 = _make("int64", np.int64, INTEGER, 3, alias="long")
uint16 = _make("uint16", np.uint16, INTEGER, 1, signed=False)
uint32 = _make("uint32", np.uint32, INTEGER, 2, signed=False)
uint64 = _make("uint64", np.uint64, INTEGER, 3, signed=False)
float16 = _make("float16", np.float16, FLOATING, 0, alias="half")
bfloat16 = _make("bfloat16", ml_dtypes.bfloat16, FLOATING, 0)
float32 = _make("float32", np.float32, FLOATING, 1, alias="float")
float64 = _make("float64", np.float64, FLOATING, 2, alias="double")
complex64 = _make("complex64", np.complex64, COMPLEX, 1, alias="cfloat")
complex128 = _make("complex128", np.complex128, COMPLEX, 2, alias="cdouble")
complex32 = _make("complex32", np.complex64, COMPLEX, 0, alias="chalf")
float8_e4m3fn = _make("float8_e4m3fn", ml_dtypes.float8_e4m3fn, FLOATING, -1)
float8_e4m3fnuz = _make("float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz, FLOATING, -1)
float8_e5m2 = _make("float8_e5m2", ml_dtypes.float8_e5m2, FLOATING, -1)
float8_e5m2fnuz = _make("float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz, FLOATING, -1)
float8_e8m0fnu = _make("float8_e8m0fnu", ml_dtypes.float8_e8m0fnu, FLOATING, -1, signed=False)

_complex_of = {float16: complex32, float32: complex64, float64: complex128}
_complex_of.update({c: c for c in (complex32, complex64, complex128)})
_real_of = {complex32: float16, complex64: float32, complex128: float64}

#: The dtype a Python number of each type has on its own, before the default dtype is asked.
number_category = {bool: BOOL, int: INTEGER, float: FLOATING, complex: COMPLEX}


def from_numpy(numpy_type: Any) -> dtype:
    """The dtype for a NumPy dtype; ``TypeError`` where PyTorch has none."""
    numpy_type = np.dtype(numpy_type)
    found = _by_numpy.get(numpy_type)
    if found is None and not numpy_type.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{numpy_type.type.__name__}. The only supported types are: float64, "
            "float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."
        )
    return found


class _Default:
    """The process-wide default floating dtype; a holder, so that every module sees a change."""

    floating: dtype = float32


#: Called when the default dtype changes.
on_default_change: list[Callable[[], None]] = []


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats; ``float32`` unless changed."""
    return _Default.floating


def set_default_dtype(d: dtype) -> None:
    """Make ``d`` (a floating dtype) the dtype of tensors made from Python floats.

    Raises:
        TypeError: ``d`` is not a floating dtype.
    """
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, but got {d}")
    if d is not _Default.floating:
        _Default.floating = d
        for forget in on_default_change:
            forget()


def as_dtype(given: Any, function: str) -> dtype:
    """A ``dtype=`` argument as a dtype; Python's number types stand for the widest dtype of their kind.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(given, dtype):
        return given
    found = _of_python.get(given) if isinstance(given, type) else None
    if found is None:
        raise TypeError(f"{function}(): argument 'dtype' must be torch.dtype, not {type(given).__name__}")
    return found


_of_python = {bool: bool_, int: int64, float: float64, complex: complex128}


def dtype_of_number(number: Any) -> dtype:
    """The dtype of the 0-dimensional tensor made from a Python number."""
    return dtype_of_category(number_category[type(number)] if type(number) in number_category else FLOATING)


def dtype_of_category(category: int) -> dtype:
    """The dtype that stands for a category when nothing more is known."""
    if category == BOOL:
        return bool_
    if category == INTEGER:
        return int64
    return _Default.floating if category == FLOATING else _Default.floating.to_complex()


_unsigned_wide = frozenset((uint16, uint32, uint64))


def promote_types(first: dtype, second: dtype) -> dtype:
    """The smallest dtype that holds both, by PyTorch's lattice.

    >>> import flambeau as torch
    >>> torch.promote_types(torch.int64, torch.float16)
    torch.float16
    """
    if first is second and isinstance(first, dtype):
        return first
    first, second = as_dtype(first, "promote_types"), as_dtype(second, "promote_types")
    if first.rank < 0 or second.rank < 0:
        raise RuntimeError(f"Promotion for Float8 Types is not supported, attempted to promote {first} and {second}")
    if first.category < second.category:
        first, second = second, first
    if first.category > second.category:
        if first.category == COMPLEX and second.category == FLOATING:
            return promote_types(first, complex64 if second is bfloat16 else second.to_complex())
        return first
    if first.category == INTEGER:
        if first in _unsigned_wide or second in _unsigned_wide:
            other = second if first in _unsigned_wide else first
            wide = first if first in _unsigned_wide else second
            if other is uint8:
                return wide
            raise RuntimeError(
                f"Promotion for uint16, uint32, uint64 types is not supported, attempted to promote {first} and {second}"
            )
        if first.rank == second.rank:  # uint8 with int8: neither holds the other
            return int16
        return first if first.rank > second.rank else second
    if first.rank == second.rank:  # float16 with bfloat16
        return float32
    return first if first.rank > second.rank else second


def result_dtype(dimensioned: list[dtype], zero_dimensional: list[dtype], number_categories: list[int]) -> dtype:
    """The dtype of an arithmetic result.

    Tensors with dimensions come first, 0-dimensional tensors next, Python numbers last; a later kind takes part
    only when it is of a higher category than everything before it.
    """
    chosen: dtype | None = None
    for kinds in (dimensioned, zero_dimensional):
        promoted: dtype | None = None
        for each in kinds:
            promoted = each if promoted is None else promote_types(promoted, each)
        chosen = _take_higher(chosen, promoted)
    if number_categories:
        highest = max(number_categories)
        if chosen is None or highest > chosen.category:
            if chosen is not None and highest == COMPLEX and chosen.category == FLOATING:
                return chosen.to_complex() if chosen is not bfloat16 else complex64
            return dtype_of_category(highest)
    if chosen is None:
        raise RuntimeError("result_type: at least one operand is needed")
    return chosen


def _take_higher(first: dtype | None, second: dtype | None) -> dtype | None:
    if first is None or second is None:
        return first or second
    if second.category > first.category:
        return first.to_complex() if first.category == FLOATING else second
    return first


def can_cast(from_: dtype, to: dtype) -> bool:
    """Whether an in-place operator may put a result of dtype ``from_`` into a tensor of dtype ``to``."""
    from_, to = as_dtype(from_, "can_cast"), as_dtype(to, "can_cast")
    return not (from_.category > to.category and (from_.category > INTEGER or to.category == BOOL))


class finfo:
    """Limits of a floating dtype: ``bits, eps, max, min, tiny, smallest_normal, resolution, dtype``.

    >>> import flambeau as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtype | None = None) -> None:
        kind = get_default_dtype() if type is None else as_dtype(type, "finfo")
        if not (kind.is_floating_point or kind.is_complex):
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{kind.name}'")
        kind = kind.to_real()
        info = ml_dtypes.finfo(kind.numpy)
        self.bits = info.bits
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        self.resolution = 10.0**-info.precision
        self.dtype = kind.name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype: ``bits, max, min, dtype``.

    >>> import flambeau as torch
    >>> torch.iinfo(torch.int8).max
    127
    """

    def __init__(self, type: dtype) -> None:
        type = as_dtype(type, "iinfo")
        if type is bool_:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if type.category != INTEGER:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type.name}'")
        info = np.iinfo(type.numpy)
        self.bits, self.max, self.min, self.dtype = info.bits, int(info.max), int(info.min), type.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


class Limits(NamedTuple):
    """The least and greatest value of a dtype, as Python numbers (bool counts as 0 and 1)."""

    least: Any
    greatest: Any


def limits(of: dtype) -> Limits:
    """The least and greatest value a reduction may start from; infinities for floating dtypes."""
    if of is bool_:
        return Limits(False, True)
    if of.category == INTEGER:
        info = np.iinfo(of.numpy)
        return Limits(int(info.min), int(info.max))
    return Limits(float("-inf"), float("inf"))


def check_fits(number: Any, kind: dtype) -> None:
    """Raise PyTorch's error for a Python number that ``kind`` cannot hold.

    Infinities and NaN are refused by integers only; unsigned dtypes take negative integers and wrap around.
    """
    if type(number) is complex:
        if number.imag and kind.category < COMPLEX:
            raise overflow(kind)
        if kind.category == COMPLEX:
            check_fits(number.imag, kind)
        number = number.real
    if kind.category >= FLOATING:
        if type(number) is float and abs(number) > _greatest(kind.to_real()) and abs(number) != float("inf"):
            raise overflow(kind)
        return
    if kind.category != INTEGER or type(number) not in (int, float):
        return
    least, greatest = limits(kind)
    if not least and type(number) is int:
        least = -greatest
    if not least <= number <= greatest:
        raise overflow(kind)


@cache
def _greatest(kind: dtype) -> float:
    return finfo(kind).max


def overflow(kind: dtype) -> RuntimeError:
    """PyTorch's error for a number that ``kind`` cannot hold."""
    c_name = {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16"}.get(kind.name, kind.name)
    c_name += "_t" if kind.category == INTEGER else ""
    return RuntimeError(f"value cannot be converted to type {c_name} without overflow")
