"""``Number``: an operand with Python's operators, so that a function here reads as its formula.

Every operation is one rounding of IEEE 754 in the operand's own precision, in each lane by itself, so a result does not
depend on how many lanes a vector has.
"""

from __future__ import annotations

from ..builder import Builder, Operand, constant, like, scalar


class Number:
    """A floating or integer value, or (from comparisons) a mask, under construction in a builder."""

    __slots__ = ("builder", "operand")

    def __init__(self, builder: Builder, operand: Operand) -> None:
        self.builder, self.operand = builder, operand

    @property
    def type(self) -> str:
        """LLVM's type."""
        return self.operand.type

    @property
    def is_float(self) -> bool:
        """Whether the elements are float32 (else float64)."""
        return scalar(self.operand.type) == "float"

    def of(self, value: Number | float) -> Number:
        """A Python number as a constant of this type."""
        return value if isinstance(value, Number) else Number(self.builder, constant(self.operand.type, value))

    def _made(self, operand: Operand) -> Number:
        return Number(self.builder, operand)

    def __add__(self, y: Number | float) -> Number:
        return self._made(self.builder.add(self.operand, self.of(y).operand))

    def __radd__(self, y: float) -> Number:
        return self.of(y) + self

    def __sub__(self, y: Number | float) -> Number:
        return self._made(self.builder.subtract(self.operand, self.of(y).operand))

    def __rsub__(self, y: float) -> Number:
        return self.of(y) - self

    def __mul__(self, y: Number | float) -> Number:
        return self._made(self.builder.multiply(self.operand, self.of(y).operand))

    def __rmul__(self, y: float) -> Number:
        return self * y

    def __truediv__(self, y: Number | float) -> Number:
        return self._made(self.builder.divide(self.operand, self.of(y).operand))

    def __rtruediv__(self, y: float) -> Number:
        return self.of(y) / self

    def __neg__(self) -> Number:
        return self._made(self.builder.negate(self.operand))

    def __abs__(self) -> Number:
        return self._made(self.builder.intrinsic("llvm.fabs", self.operand))

    # Comparisons are ordered: False with NaN, but for !=.

    def __lt__(self, y: Number | float) -> Number:
        return self._compared("olt", "slt", y)

    def __le__(self, y: Number | float) -> Number:
        return self._compared("ole", "sle", y)

    def __gt__(self, y: Number | float) -> Number:
        return self._compared("ogt", "sgt", y)

    def __ge__(self, y: Number | float) -> Number:
        return self._compared("oge", "sge", y)

    def equals(self, y: Number | float) -> Number:
        """The mask x = y."""
        return self._compared("oeq", "eq", y)

    def differs(self, y: Number | float) -> Number:
        """The mask x ≠ y, true with NaN."""
        return self._compared("une", "ne", y)

    @property
    def is_nan(self) -> Number:
        """The mask of NaN."""
        return self._made(self.builder.compare("uno", self.operand, self.operand))

    def _compared(self, floating: str, integral: str, y: Number | float) -> Number:
        condition = floating if scalar(self.type) in ("float", "double") else integral
        return self._made(self.builder.compare(condition, self.operand, self.of(y).operand))

    # Masks and integers

    def __and__(self, y: Number | int) -> Number:
        return self._made(self.builder.binary("and", self.operand, self.of(y).operand))

    def __or__(self, y: Number | int) -> Number:
        return self._made(self.builder.binary("or", self.operand, self.of(y).operand))

    def __xor__(self, y: Number | int) -> Number:
        return self._made(self.builder.binary("xor", self.operand, self.of(y).operand))

    def __lshift__(self, y: Number | int) -> Number:
        return self._made(self.builder.binary("shl", self.operand, self.of(y).operand))

    def __rshift__(self, y: Number | int) -> Number:
        """Towards minus infinity (the sign is kept)."""
        return self._made(self.builder.binary("ashr", self.operand, self.of(y).operand))

    def unsigned_shift(self, y: Number | int) -> Number:
        """x >> y with zeros coming in."""
        return self._made(self.builder.binary("lshr", self.operand, self.of(y).operand))

    def where(self, x: Number | float, y: Number | float) -> Number:
        """x where this mask holds, else y (one of them a Number)."""
        first = x if isinstance(x, Number) else y
        assert isinstance(first, Number)
        return self._made(self.builder.select(self.operand, first.of(x).operand, first.of(y).operand))

    def at_least(self, low: float) -> Number:
        """max(x, low); NaN stays NaN."""
        return (self.of(low) > self).where(low, self)

    def at_most(self, high: float) -> Number:
        """min(x, high); NaN stays NaN."""
        return (self.of(high) < self).where(high, self)

    # Roundings and bits

    def times(self, y: Number | float, plus: Number | float) -> Number:
        """x·y + plus, rounded once."""
        return self._made(self.builder.fma(self.operand, self.of(y).operand, self.of(plus).operand))

    def copysign(self, sign: Number) -> Number:
        """|x| with the sign of ``sign``."""
        return self._made(self.builder.intrinsic("llvm.copysign", self.operand, sign.operand))

    def sqrt(self) -> Number:
        """√x, rounded to nearest."""
        return self._made(self.builder.intrinsic("llvm.sqrt", self.operand))

    def truncated(self) -> Number:
        """The integer next to x towards zero."""
        return self._made(self.builder.intrinsic("llvm.trunc", self.operand))

    def rounded(self) -> Number:
        """The nearest integer, even when two are."""
        return self._made(self.builder.intrinsic("llvm.rint", self.operand))

    def floor(self) -> Number:
        """The greatest integer not above x."""
        return self._made(self.builder.intrinsic("llvm.floor", self.operand))

    def bits(self) -> Number:
        """The representation, as an integer of the same width."""
        return self._made(
            self.builder.convert("bitcast", self.operand, like(self.type, "i32" if self.is_float else "i64"))
        )

    def as_floating(self) -> Number:
        """The floating number an integer represents; the inverse of :meth:`bits`."""
        element = "float" if scalar(self.type) == "i32" else "double"
        return self._made(self.builder.convert("bitcast", self.operand, like(self.type, element)))

    def to_floating(self) -> Number:
        """The floating number equal to a (signed) integer."""
        element = "float" if scalar(self.type) == "i32" else "double"
        return self._made(self.builder.convert("sitofp", self.operand, like(self.type, element)))

    def in_double(self) -> Number:
        """As float64, exactly."""
        return self._made(self.builder.convert("fpext", self.operand, like(self.type, "double")))

    def in_float(self) -> Number:
        """As float32, rounded."""
        return self._made(self.builder.convert("fptrunc", self.operand, like(self.type, "float")))

    def rounded_as(self, x: Number) -> Number:
        """In the precision of ``x``."""
        return self.in_float() if x.is_float else self

    def polynomial(self, coefficients: tuple[float, ...]) -> Number:
        """Σ cₖxᵏ, lowest power first, by Horner's rule."""
        value: Number | float = coefficients[-1]
        for c in coefficients[-2::-1]:
            value = self.times(value, c)
        return self.of(value)

    def short_polynomial(self, coefficients: tuple[float, ...]) -> Number:
        """Σ cₖxᵏ by Estrin's scheme: pairs first, so that the chain of operations that wait for each other is short."""
        if len(coefficients) <= 4:
            return self.polynomial(coefficients)
        if len(coefficients) > 8:  # the first term is the largest: it is rounded once, at the end
            return self.times(self.short_polynomial(coefficients[1:]), coefficients[0])
        terms: list[Number | float] = list(coefficients)
        power = self
        while len(terms) > 1:
            paired = [power.times(terms[k + 1], terms[k]) for k in range(0, len(terms) - 1, 2)]
            terms = [*paired, terms[-1]] if len(terms) % 2 else list(paired)
            power = power * power
        return self.of(terms[0])
