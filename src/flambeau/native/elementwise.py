"""What each elementwise primitive is in LLVM IR, as a table; on scalars and vectors alike.

A register holds an element of dtype float16 or bfloat16 as the float32 of the same value, and a boolean as i1; operations on
narrow floats are done in float32 and rounded, one by one, as the reference does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.dtypes import BOOL, FLOATING, dtype, float64
from . import integer_arithmetic
from .builder import Builder, Operand, constant, lanes, like, vector
from .kernel import UNSIGNED, memory_type

_REGISTERS = {"bool": "i1", "float16": "float", "bfloat16": "float"}


def register_type(kind: dtype) -> str:
    """The LLVM type of an element in a register."""
    return _REGISTERS.get(kind.name) or memory_type(kind)


def from_memory(b: Builder, x: Operand, kind: dtype) -> Operand:
    """An element as loaded, as it is held in a register."""
    if kind.name == "bool":
        return b.compare("ne", x, constant(x.type, 0))
    if kind.name == "float16":
        return b.convert("fpext", x, like(x.type, "float"))
    if kind.name == "bfloat16":
        return from_bfloat16(b, x)
    return x


def to_memory(b: Builder, x: Operand, kind: dtype) -> Operand:
    """An element as held in a register, as it is stored."""
    if kind.name == "bool":
        return b.convert("zext", x, like(x.type, "i8"))
    if kind.name == "float16":
        return b.convert("fptrunc", x, like(x.type, "half"))
    if kind.name == "bfloat16":
        return to_bfloat16(b, x)
    return x


def rounded(b: Builder, x: Operand, kind: dtype) -> Operand:
    """A float32 rounded to the dtype, where that is narrower."""
    if kind.name == "float16":
        return b.convert("fpext", b.convert("fptrunc", x, like(x.type, "half")), x.type)
    return rounded_bfloat16(b, x) if kind.name == "bfloat16" else x


def from_bfloat16(b: Builder, x: Operand) -> Operand:
    """The float32 of the same value as bfloat16's 16 bits."""
    integer = like(x.type, "i32")
    wide = b.binary("shl", b.convert("zext", x, integer), constant(integer, 16))
    return b.convert("bitcast", wide, like(x.type, "float"))


def to_bfloat16(b: Builder, x: Operand) -> Operand:
    """The 16 bits of a float32 whose value bfloat16 has."""
    integer = like(x.type, "i32")
    bits = b.binary("lshr", b.convert("bitcast", x, integer), constant(integer, 16))
    return b.convert("trunc", bits, like(x.type, "i16"))


def rounded_bfloat16(b: Builder, x: Operand) -> Operand:
    """A float32 rounded to a value bfloat16 has: to nearest, ties to even, on the bits; a NaN stays one."""
    integer = like(x.type, "i32")
    bits = b.convert("bitcast", x, integer)
    odd = b.binary("and", b.binary("lshr", bits, constant(integer, 16)), constant(integer, 1))
    up = b.binary("add", bits, b.binary("add", odd, constant(integer, 0x7FFF)))
    nan = b.compare("uno", x, x)
    quiet = b.binary("or", bits, constant(integer, 0x00400000))
    cut = b.binary("and", b.select(nan, quiet, up), constant(integer, -65536))
    return b.convert("bitcast", cut, x.type)


def literal(kind: dtype, value: Any, count: int) -> Operand:
    """A Python number as a constant of the dtype."""
    import numpy as np

    from ..primitives.elementwise import number_array

    held = number_array(value, kind)
    element = register_type(kind)
    number = bool(held) if kind.category == BOOL else float(held.astype(np.float64)) if kind.category == FLOATING else int(held)
    return constant(vector(element, count), number)


# The table. A rule takes the builder, the dtype of the operands, and the operands in registers.
Rule = Callable[..., Operand]


def _floats(opcode: str, integers: str, booleans: str | None) -> Rule:
    def rule(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
        if kind.category == FLOATING:
            return rounded(b, b.binary(opcode, x, y), kind)
        if kind.category == BOOL:
            if booleans is None:
                raise KeyError("subtract")
            return b.binary(booleans, x, y)
        return b.binary(integers, x, y)

    return rule


def _divide(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    if kind.category != FLOATING:
        raise KeyError("divide")
    return rounded(b, b.binary("fdiv", x, y), kind)


def _compare(floating: str, signed: str, unsigned: str) -> Rule:
    def rule(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
        condition = floating if kind.category == FLOATING else unsigned if kind.name in UNSIGNED else signed
        return b.compare(condition, x, y)

    return rule


def _extreme(ordered: str, unordered: str, signed: str, unsigned: str, boolean: str) -> Rule:
    """The greater or lesser operand; NaN where either is."""

    def rule(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
        if kind.category == BOOL:
            return b.binary(boolean, x, y)
        if kind.category != FLOATING:
            return b.select(b.compare(unsigned if kind.name in UNSIGNED else signed, x, y), x, y)
        if "%" not in y.name:  # a constant, and no NaN is written as one
            return b.select(b.compare(unordered, x, y), x, y)
        return b.select(b.binary("or", b.compare(ordered, x, y), b.compare("uno", x, x)), x, y)

    return rule


def _extreme_number(ordered: str, extreme: Rule) -> Rule:
    """The greater or lesser operand; of a NaN and a number the number."""

    def rule(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
        if kind.category != FLOATING:
            return extreme(b, kind, x, y)
        return b.select(b.binary("or", b.compare(ordered, x, y), b.compare("uno", y, y)), x, y)

    return rule


def _bits(opcode: str) -> Rule:
    return lambda b, kind, x, y: b.binary(opcode, x, y)


def _integers_too(intrinsic: str) -> Rule:
    """A rounding function: nothing to do for integers."""

    def rule(b: Builder, kind: dtype, x: Operand) -> Operand:
        return b.intrinsic(intrinsic, x) if kind.category == FLOATING else x

    return rule


def _negative(b: Builder, kind: dtype, x: Operand) -> Operand:
    return b.negate(x)


def _absolute(b: Builder, kind: dtype, x: Operand) -> Operand:
    if kind.category == FLOATING:
        return b.intrinsic("llvm.fabs", x)
    if kind.name in UNSIGNED:
        return x
    return b.select(b.compare("slt", x, constant(x.type, 0)), b.negate(x), x)


def _integer_bits(b: Builder, x: Operand) -> Operand:
    return b.convert("bitcast", x, like(x.type, "i64" if "double" in x.type else "i32"))


def _sign_bit(b: Builder, kind: dtype, x: Operand) -> Operand:
    if kind.category == FLOATING:
        x = _integer_bits(b, x)
    elif kind.name in UNSIGNED:
        return constant(like(x.type, "i1"), False)
    return b.compare("slt", x, constant(x.type, 0))


def _is_nan(b: Builder, kind: dtype, x: Operand) -> Operand:
    return b.compare("uno", x, x) if kind.category == FLOATING else constant(like(x.type, "i1"), False)


def _is_finite(b: Builder, kind: dtype, x: Operand) -> Operand:
    if kind.category != FLOATING:
        return constant(like(x.type, "i1"), True)
    return b.compare("olt", b.intrinsic("llvm.fabs", x), constant(x.type, float("inf")))


def _copysign(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    return b.intrinsic("llvm.copysign", x, y)


def _shift(left: bool) -> Rule:
    def rule(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
        bits = kind.itemsize * 8
        beyond = b.compare("uge", y, constant(y.type, bits))  # a negative count is great, unsigned
        count = b.select(beyond, constant(y.type, 0), y)
        zero = constant(x.type, 0)
        if left:
            return b.select(beyond, zero, b.binary("shl", x, count))
        if kind.name in UNSIGNED:
            return b.select(beyond, zero, b.binary("lshr", x, count))
        return b.binary("ashr", x, b.select(beyond, constant(y.type, bits - 1), y))

    return rule


def _conjugate(b: Builder, kind: dtype, x: Operand) -> Operand:
    return x


def _power(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    if kind.category != FLOATING:
        raise KeyError("power")
    for exponent, meaning in ((2.0, lambda: b.multiply(x, x)), (1.0, lambda: x), (0.5, None)):
        if meaning is not None and y.name == constant(y.type, exponent).name:
            return rounded(b, meaning(), kind)
    return _function("power")(b, kind, x, y)


def _function(name: str) -> Rule:
    """A function of mathematics/, in the operands' precision but at least float32."""

    def rule(b: Builder, kind: dtype, *operands: Operand) -> Operand:
        from .mathematics import FUNCTIONS, emit_function

        if kind.category != FLOATING or name not in FUNCTIONS:
            raise KeyError(name)
        return rounded(b, emit_function(b, name, *operands), kind)

    return rule


def _square_root(b: Builder, kind: dtype, x: Operand) -> Operand:
    if kind.category != FLOATING:
        raise KeyError("sqrt")
    return rounded(b, b.intrinsic("llvm.sqrt", x), kind)


def _by_category(floating: str, integers: Rule) -> Rule:
    """A function of mathematics/ for floating numbers, a rule for integers."""
    function = _function(floating)
    return lambda b, kind, *operands: (function if kind.category == FLOATING else integers)(b, kind, *operands)


def _nextafter(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    """For narrow floats the step is theirs: representations of one sign are ordered as the numbers are."""
    if kind.itemsize > 2:
        return _function("nextafter")(b, kind, x, y)
    bits = b.convert("bitcast", to_memory(b, x, kind), like(x.type, "i16"))
    zero, one = constant(bits.type, 0), constant(bits.type, 1)
    inwards = b.compare("slt", b.select(b.compare("olt", x, y), bits, b.binary("xor", bits, constant(bits.type, -1))), zero)
    stepped = b.select(inwards, b.subtract(bits, one), b.add(bits, one))
    sign = b.binary("and", b.convert("bitcast", to_memory(b, y, kind), bits.type), constant(bits.type, -32768))
    stepped = b.select(b.compare("oeq", x, constant(x.type, 0.0)), b.binary("or", sign, one), stepped)
    made = from_memory(b, b.convert("bitcast", stepped, like(x.type, memory_type(kind))), kind)
    made = b.select(b.compare("oeq", x, y), y, made)
    return b.select(b.compare("uno", x, y), b.add(x, y), made)


def _mantissa(b: Builder, kind: dtype, x: Operand) -> Operand:
    """x = m·2^e with m in ±[1/2, 1); zeros, infinities and NaN are their own."""
    scaled, _, mask, half = _decomposed(b, x)
    bits = b.binary("or", b.binary("and", _integer_bits(b, scaled), mask), half)
    return b.select(_has_exponent(b, x), b.convert("bitcast", bits, x.type), x)


def _exponent(b: Builder, kind: dtype, x: Operand) -> Operand:
    """The e of :func:`_mantissa`, an int32; 0 where there is none."""
    _, exponent, _, _ = _decomposed(b, x)
    exponent = b.select(_has_exponent(b, x), exponent, constant(exponent.type, 0))
    to = like(x.type, "i32")
    return exponent if exponent.type == to else b.convert("trunc", exponent, to)


def _has_exponent(b: Builder, x: Operand) -> Operand:
    return b.binary("and", _is_finite(b, float64, x), b.compare("une", x, constant(x.type, 0.0)))


def _decomposed(b: Builder, x: Operand) -> tuple[Operand, Operand, Operand, Operand]:
    """x with subnormals scaled up, its exponent, the mask of sign and fraction, the bits of 1/2."""
    double = "double" in x.type
    digits, bias, least = (52, 1022, 2.0**-1022) if double else (23, 126, 2.0**-126)
    small = b.compare("olt", b.intrinsic("llvm.fabs", x), constant(x.type, least))
    scaled = b.select(small, b.multiply(x, constant(x.type, 2.0 ** (digits + 1))), x)
    bits = _integer_bits(b, scaled)
    field = (1 << 11) - 1 if double else (1 << 8) - 1
    raw = b.binary("and", b.binary("lshr", bits, constant(bits.type, digits)), constant(bits.type, field))
    lost = b.select(small, constant(bits.type, bias + digits + 1), constant(bits.type, bias))
    return scaled, b.subtract(raw, lost), constant(bits.type, ~(field << digits)), constant(bits.type, bias << digits)


_maximum = _extreme("ogt", "ugt", "sgt", "ugt", "or")
_minimum = _extreme("olt", "ult", "slt", "ult", "and")

RULES: dict[str, Rule] = {
    "add": _floats("fadd", "add", "or"),
    "subtract": _floats("fsub", "sub", None),
    "multiply": _floats("fmul", "mul", "and"),
    "divide": _divide,
    "negative": _negative,
    "maximum": _maximum,
    "minimum": _minimum,
    "fmax": _extreme_number("ogt", _maximum),
    "fmin": _extreme_number("olt", _minimum),
    "equal": _compare("oeq", "eq", "eq"),
    "not_equal": _compare("une", "ne", "ne"),
    "less": _compare("olt", "slt", "ult"),
    "less_equal": _compare("ole", "sle", "ule"),
    "greater": _compare("ogt", "sgt", "ugt"),
    "greater_equal": _compare("oge", "sge", "uge"),
    "is_nan": _is_nan,
    "is_finite": _is_finite,
    "sign_bit": _sign_bit,
    "bitwise_and": _bits("and"),
    "bitwise_or": _bits("or"),
    "bitwise_xor": _bits("xor"),
    "bitwise_not": lambda b, kind, x: b.binary("xor", x, constant(x.type, True if kind.category == BOOL else -1)),
    "shift_left": _shift(True),
    "shift_right": _shift(False),
    "floor": _integers_too("llvm.floor"),
    "ceil": _integers_too("llvm.ceil"),
    "truncate": _integers_too("llvm.trunc"),
    "round_half_even": _integers_too("llvm.roundeven"),
    "absolute": _absolute,
    "copysign": _copysign,
    "conjugate": _conjugate,
    "sqrt": _square_root,
    "mantissa": _mantissa,
    "exponent": _exponent,
    "power": _power,
    "nextafter": _nextafter,
    "floor_divide": _function("floor_divide"),
    "remainder": _by_category("remainder", integer_arithmetic.remainder),
    "truncating_remainder": _by_category("truncating_remainder", integer_arithmetic.truncating_remainder),
    "floor_divide_exact": integer_arithmetic.floor_divide,
    "truncating_divide": integer_arithmetic.truncating_divide,
    "integer_power": integer_arithmetic.power,
    "greatest_common_divisor": integer_arithmetic.greatest_common_divisor,
    **{
        name: _function(name)
        for name in (
            "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arcsin",
            "arccos", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh", "erf", "erfc", "hypot",
        )
    },
}  # fmt: skip

#: The functions of the primitive ``special_function``, each a rule by its own name.
SPECIAL_FUNCTIONS = frozenset((
    "erfcx", "erf_inverse", "normal_quantile", "log_gamma", "digamma", "trigamma", "i0", "i0e", "i1", "i1e", "j0", "j1", "y0",
    "y1", "k0", "k0e", "k1", "k1e", "spherical_j0", "airy",
))  # fmt: skip
RULES.update({name: _function(name) for name in SPECIAL_FUNCTIONS})

#: Names of the rules that are functions of mathematics/: worth keeping rather than computing twice.
COSTLY = frozenset((
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arcsin", "arccos",
    "arctan", "arctan2", "arcsinh", "arccosh", "arctanh", "erf", "erfc", "hypot", "power", "divide", "sqrt",
)) | SPECIAL_FUNCTIONS  # fmt: skip


_FLOATING = (COSTLY | {"nextafter", "floor_divide", "copysign", "mantissa", "exponent"}) & frozenset(RULES)
_INTEGERS = frozenset((
    "shift_left", "shift_right", "floor_divide_exact", "truncating_divide", "integer_power", "greatest_common_divisor",
))  # fmt: skip
#: Of integers, these fail where the divisor is zero.
_DIVISIONS = frozenset(("floor_divide_exact", "truncating_divide", "remainder", "truncating_remainder"))


def knows(name: str, kind: dtype) -> bool:
    """Whether the table can do the primitive on operands of the dtype."""
    if name not in RULES:
        return False
    if name in _FLOATING:
        return kind.category == FLOATING
    if name in _INTEGERS:
        return BOOL < kind.category < FLOATING
    if name in ("negative", "subtract", "remainder", "truncating_remainder"):
        return kind.category != BOOL
    return kind.category < FLOATING or not name.startswith("bitwise")


def can_fail(name: str, kind: dtype) -> bool:
    """Whether the rule may meet a number it must refuse."""
    return name in _DIVISIONS and kind.category < FLOATING


def _to_odd(b: Builder, x: Operand, to: str) -> Operand:
    """float64 as float32, the last bit set where it is not exact: rounding that once more gives what rounding once would."""
    near = b.convert("fptrunc", x, to)
    back = b.convert("fpext", near, x.type)
    integer = like(x.type, "i32")
    bits = b.convert("bitcast", near, integer)
    outwards = b.compare("ogt", b.intrinsic("llvm.fabs", back), b.intrinsic("llvm.fabs", x))
    bits = b.select(outwards, b.subtract(bits, constant(integer, 1)), bits)
    odd = b.binary("or", bits, constant(integer, 1))
    return b.select(b.compare("one", back, x), b.convert("bitcast", odd, to), near)


def _to_unsigned(b: Builder, x: Operand, to: str) -> Operand:
    """A floating number as a uint64; of negative ones what is left when they wrap around."""
    half = constant(x.type, 2.0**63)
    great = b.compare("oge", x, half)
    low = b.convert("fptosi", b.select(great, b.subtract(x, half), x), to)
    return b.select(great, b.binary("xor", low, constant(to, -(1 << 63))), low)


def cast(b: Builder, x: Operand, source: dtype, target: dtype) -> Operand:
    """x in another dtype, as the primitive ``cast`` means it."""
    if source is target:
        return x
    to = like(x.type, register_type(target))
    if target.category == BOOL:
        if source.category == FLOATING:
            return b.compare("une", x, constant(x.type, 0.0))
        return b.compare("ne", x, constant(x.type, 0))
    if source.category == BOOL:
        return b.convert("uitofp" if target.category == FLOATING else "zext", x, to)
    if source.category == FLOATING and target.category == FLOATING:
        if x.type == to:
            return rounded(b, x, target)
        if target.name == "float16":  # the reference takes float64 to bfloat16 by way of float32
            return rounded(b, _to_odd(b, x, to), target)
        return rounded(b, b.convert("fptrunc" if "double" in x.type else "fpext", x, to), target)
    if target.category == FLOATING:
        return rounded(b, b.convert("uitofp" if source.name in UNSIGNED else "sitofp", x, to), target)
    if source.category == FLOATING:
        if target.name == "uint64":
            return _to_unsigned(b, x, to)
        wide = b.convert("fptosi", x, like(x.type, "i64"))
        return wide if to == wide.type else b.convert("trunc", wide, to)
    if target.itemsize == source.itemsize:
        return x
    if target.itemsize < source.itemsize:
        return b.convert("trunc", x, to)
    return b.convert("zext" if source.name in UNSIGNED else "sext", x, to)


def number(b: Builder, cell: Operand, category: int, kind: dtype) -> Operand:
    """A number's cell (a double, or an i64 for booleans and integers) read as an element of the dtype."""
    from ..core.dtypes import int64

    if category == FLOATING:
        return cast(b, b.load("double", cell), float64, kind)
    held = b.load("i64", cell)
    return b.compare("ne", held, constant("i64", 0)) if kind.category == BOOL else cast(b, held, int64, kind)


__all__ = [
    "COSTLY", "RULES", "can_fail", "cast", "from_memory", "knows", "lanes", "literal", "number", "register_type", "rounded", "to_memory",
]  # fmt: skip
