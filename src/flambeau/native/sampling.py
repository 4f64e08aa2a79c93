"""Random numbers drawn by compiled code: the samplers of ``core/sampling``, operation by operation the same.

They are made in chunks that stay in the cache: words (``random_words.py``), then what is made of them.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import math
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.sampling import box_muller
from .builder import Builder, Operand, constant, integer, vector
from .disk_cache import disk_cache
from .machine import machine
from .mathematics.number import Number
from .poisson import poisson
from .random_words import (
    BUFFER,
    CHUNK,
    NUMBERS,
    PARAMETERS,
    PREFIX,
    SCRATCH,
    copy,
    draw,
    fraction,
    libm,
    take,
    twist,
    with_state,
)

Array = np.ndarray[Any, Any]

_LIBM = ("log", "log1p", "exp", "sin", "cos", "tan", "lgamma")

# -- what is made of words --------------------------------------------------------------------------------------------

#: Emits the numbers from ``v`` on: (builder, words, v, target, lanes).
Body = Callable[[Builder, Operand, Operand, Operand, int], None]


def _sampler(name: str, lanes: int, words: int, kind: str, step: int, body: Body) -> Builder:
    """A function that makes ``count`` numbers of ``words`` words each, ``step`` at a time."""
    b = Builder(PREFIX + name, PARAMETERS)
    state, scratch, out, count = b.parameters[:4]
    size, chunk = {"i8": 1, "i16": 2, "i32": 4, "float": 4}.get(kind, 8), CHUNK // words
    with with_state(b, state, scratch), b.loop(0, count, chunk) as start:
        n = b.intrinsic("llvm.smin", integer(chunk), b.binary("sub", count, start))
        b.call(PREFIX + "take", [scratch, b.multiply(n, integer(words))])
        final, aside = b.at(out, kind, start), b.at(scratch, "i8", NUMBERS)
        # What does not fill its last vector is made aside, so as to write nothing behind the end.
        whole = b.compare("eq", n, integer(chunk))
        target = b.select(whole, final, aside)
        with b.loop(0, n, step) as v:
            body(b, b.at(scratch, "i8", BUFFER), v, target, lanes)
        with b.when(b.compare("slt", n, integer(chunk))):
            copy(b, final, aside, b.multiply(n, integer(size)))
    b.done()
    return b


def _pairs(b: Builder, words: Operand, v: Operand, lanes: int) -> Number:
    """Two words each, the first in the low half."""
    return Number(b, b.load(vector("i64", lanes), b.at(words, "i64", v)))


def _unit(b: Builder, words: Operand, v: Operand, lanes: int) -> Number:
    """24 bits of each word as a float32 from [0, 1)."""
    return (Number(b, b.load(vector("i32", lanes), b.at(words, "i32", v))) & 0xFFFFFF).to_floating() * 2.0**-24


def _parameter(b: Builder, position: int, kind: str, lanes: int) -> Operand:
    value = b.parameters[4 + position]
    return b.splat(b.convert("fptrunc", value, "float") if kind == "float" else value, lanes)


def _stretched(b: Builder, u: Number, kind: str, lanes: int) -> Operand:
    scale, low, high = (_parameter(b, k, kind, lanes) for k in range(3))
    value = Number(b, b.fma(u.operand, scale, low))
    return value.equals(Number(b, high)).where(Number(b, low), value).operand


def _uniform_float(b: Builder, words: Operand, v: Operand, target: Operand, lanes: int) -> None:
    b.store(_stretched(b, _unit(b, words, v, lanes), "float", lanes), b.at(target, "float", v))


def _uniform_double(b: Builder, words: Operand, v: Operand, target: Operand, lanes: int) -> None:
    u = fraction(_pairs(b, words, v, lanes // 2))
    b.store(_stretched(b, u, "double", lanes // 2), b.at(target, "double", v))


def _words(b: Builder, words: Operand, v: Operand, target: Operand, lanes: int) -> None:
    word = b.load(vector("i32", lanes // 2), b.at(words, "i32", v))
    b.store(b.convert("zext", word, vector("i64", lanes // 2)), b.at(target, "i64", v))


def _bernoulli(kind: str) -> Body:
    """The bits of one where the 53 bits are below the threshold (the first parameter's bits), else zero."""

    def body(b: Builder, words: Operand, v: Operand, target: Operand, lanes: int) -> None:
        lanes //= 2
        pair = _pairs(b, words, v, lanes)
        number = ((pair & 0x1FFFFF) << 32) | pair.unsigned_shift(32)
        threshold = b.splat(b.convert("bitcast", b.parameters[4], "i64"), lanes)
        one = b.parameters[7] if kind == "i64" else b.convert("trunc", b.parameters[7], kind)
        kept = b.compare("slt", number.operand, threshold)
        narrow = vector(kind, lanes)
        b.store(b.select(kept, b.splat(one, lanes), constant(narrow, 0)), b.at(target, kind, v))

    return body


def _integers(b: Builder, words: Operand, v: Operand, target: Operand, lanes: int) -> None:
    """``word % values + low`` by float64: the quotient may be one off, which the remainder tells."""
    lanes //= 2
    values, inverse = (Number(b, _parameter(b, k, "double", lanes)) for k in range(2))
    word = b.convert("zext", b.load(vector("i32", lanes), b.at(words, "i32", v)), vector("i64", lanes))
    number = (Number(b, word) | 0x4330000000000000).as_floating() - 2.0**52
    rest = number - (number * inverse).truncated() * values
    rest = (rest < 0.0).where(rest + values, rest)
    rest = (rest >= values).where(rest - values, rest)
    whole = (rest + 2.0**52).bits() & 0xFFFFFFFFFFFFF
    b.store(b.add(whole.operand, b.splat(b.parameters[7], lanes)), b.at(target, "i64", v))


# -- normal numbers ---------------------------------------------------------------------------------------------------


def _polynomial(x: Number, coefficients: list[Any]) -> Number:
    return x.polynomial(tuple(float(c) for c in reversed(coefficients)))


def _log(x: Number) -> Number:
    bits = x.bits()
    mantissa = ((bits & 0x7FFFFF) | 0x3F000000).as_floating()
    exponent = (bits.unsigned_shift(23) - 126).to_floating()
    small = mantissa < float(box_muller._ROOT_HALF)
    exponent = small.where(exponent - 1.0, exponent)
    mantissa = small.where(mantissa + mantissa, mantissa) - 1.0
    square = mantissa * mantissa
    terms = _polynomial(mantissa, box_muller._LOG) * mantissa
    terms = terms.times(square, exponent * float(box_muller._LN2_LOW)) - square * 0.5
    return (mantissa + terms) + exponent * float(box_muller._LN2_HIGH)


def _sin_cos(angles: Number) -> tuple[Number, Number]:
    b, kind = angles.builder, vector("i32", _lanes_of(angles))
    octants = Number(b, b.convert("fptosi", (angles * float(box_muller._FOUR_OVER_PI)).operand, kind))
    octants = (octants + 1) & -2
    eighths = octants.to_floating()
    first, second, third = (float(c) for c in box_muller._QUARTER_PI)
    reduced = eighths.times(third, (angles + eighths * first) + eighths * second)
    square = reduced * reduced
    cosine = (_polynomial(square, box_muller._COS) * square).times(square, square * -0.5) + 1.0
    sine = (_polynomial(square, box_muller._SIN) * square).times(reduced, reduced)
    quadrants = octants.unsigned_shift(1)
    exchanged = (quadrants & 1).equals(1)
    sines, cosines = exchanged.where(cosine, sine), exchanged.where(sine, cosine)
    return (
        (sines.bits() ^ ((quadrants & 2) << 30)).as_floating(),
        (cosines.bits() ^ (((quadrants + 1) & 2) << 30)).as_floating(),
    )


def _lanes_of(number: Number) -> int:
    return int(number.type[1 : number.type.index(" ")])


def _normal_float(b: Builder, words: Operand, v: Operand, target: Operand, lanes: int) -> None:
    """Blocks of 16: eight radii, eight angles. With 16 lanes two blocks at once, with 4 a half after the other."""
    std, mean = (Number(b, _parameter(b, k, "float", lanes)) for k in range(2))

    def pair(radicands: Number, angles: Number) -> tuple[Number, Number]:
        radii = (_log(1.0 - radicands) * -2.0).sqrt()
        sines, cosines = _sin_cos(angles * float(box_muller._TURN))
        return (radii * cosines).times(std, mean), (radii * sines).times(std, mean)

    if lanes == 16:
        one, two = (_unit(b, words, b.add(v, integer(k)), 16) for k in (0, 16))
        low, high = [*range(8), *range(16, 24)], [*range(8, 16), *range(24, 32)]
        parts = [Number(b, b.shuffle(one.operand, two.operand, order)) for order in (low, high)]
        first, second = pair(*parts)
        b.store(b.shuffle(first.operand, second.operand, [*range(8), *range(16, 24)]), b.at(target, "float", v))
        after = b.at(target, "float", b.add(v, integer(16)))
        b.store(b.shuffle(first.operand, second.operand, [*range(8, 16), *range(24, 32)]), after)
        return
    for k in range(0, 8, lanes):
        here, there = b.add(v, integer(k)), b.add(v, integer(k + 8))
        first, second = pair(_unit(b, words, here, lanes), _unit(b, words, there, lanes))
        b.store(first.operand, b.at(target, "float", here))
        b.store(second.operand, b.at(target, "float", there))


def _normal_double(b: Builder, words: Operand, v: Operand, target: Operand, lanes: int) -> None:
    """A block of 16 with the C library's logarithm, sine and cosine."""
    std, mean = b.parameters[4], b.parameters[5]
    with b.loop(0, 8) as k:
        here = b.add(v, k)
        there = b.add(here, integer(8))
        radicand, angle = (1.0 - fraction(_pairs(b, words, here, 1))), fraction(_pairs(b, words, there, 1)) * (2 * math.pi)
        radius = (Number(b, libm(b, "log", radicand.operand)) * -2.0).sqrt().operand
        for place, function in ((here, "cos"), (there, "sin")):
            value = b.multiply(libm(b, function, angle.operand), radius)
            b.store(b.fma(value, std, mean), b.at(target, "double", place))


# -- functions of their own -------------------------------------------------------------------------------------------


def _permutation() -> Builder:
    """Fisher and Yates' shuffle of 0 … count-1 from the front, 32 bits a step."""
    b = Builder(PREFIX + "permutation", PARAMETERS)
    state, scratch, out, count = b.parameters[:4]
    with b.loop(0, count) as i:
        b.store(i, b.at(out, "i64", i))
    last = b.binary("sub", count, integer(1))
    with with_state(b, state, scratch), b.loop(0, last, CHUNK) as start:
        n = b.intrinsic("llvm.smin", integer(CHUNK), b.binary("sub", last, start))
        b.call(PREFIX + "take", [scratch, n])
        with b.loop(0, n) as k:
            i = b.add(start, k)
            word = b.load("i32", b.at(b.at(scratch, "i8", BUFFER), "i32", k))
            choices = b.convert("trunc", b.binary("sub", count, i), "i32")
            step = b.convert("zext", b.binary("urem", word, choices), "i64")
            here, there = b.at(out, "i64", i), b.at(out, "i64", b.add(i, step))
            mine, other = b.load("i64", here), b.load("i64", there)
            b.store(other, here)
            b.store(mine, there)
    b.done()
    return b


def _applied() -> Builder:
    """``applied(function, numbers, out, count)``: a function of the C library of every float64."""
    b = Builder(PREFIX + "applied", PARAMETERS)
    function, numbers, out, count = b.parameters[:4]
    with b.loop(0, count) as i:
        x = b.load("double", b.at(numbers, "double", i))
        b.store(b.emit("double", f"call double {function.name}({x})"), b.at(out, "double", i))
    b.done()
    return b


def _builders(lanes: int) -> list[Builder]:
    half = lanes // 2
    return [
        twist(lanes), take(lanes), draw(),
        _sampler("words", lanes, 1, "i64", half, _words),
        _sampler("uniform_float", lanes, 1, "float", lanes, _uniform_float),
        _sampler("uniform_double", lanes, 2, "double", half, _uniform_double),
        *[_sampler(f"bernoulli_{kind}", lanes, 2, kind, half, _bernoulli(kind)) for kind in ("i8", "i16", "i32", "i64")],
        _sampler("integers", lanes, 1, "i64", half, _integers),
        _sampler("normal_float", lanes, 1, "float", max(16, 2 * lanes), _normal_float),
        _sampler("normal_double", lanes, 2, "double", 16, _normal_double),
        _permutation(), _applied(), poisson(),
    ]  # fmt: skip


# -- for Python -------------------------------------------------------------------------------------------------------


def _library() -> dict[str, int]:
    """Addresses of the C library's functions."""
    found = ctypes.util.find_library("m") if sys.platform != "linux" else "libm.so.6"
    library = ctypes.CDLL(found)
    return {name: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in _LIBM}


class _Written:
    """The functions as text: their names, the text, what it declares, and the name under which its code is kept."""

    def __init__(self, lanes: int) -> None:
        builders = _builders(lanes)

        def own(text: str) -> str:  # each width has symbols of its own
            return text.replace(PREFIX, f"{PREFIX}{lanes}_")

        declared = {name: line for each in builders for name, line in each.declarations.items()}
        for each in builders:
            declared.pop(each.name, None)
        self.prefix = own(PREFIX)
        self.names = [own(each.name) for each in builders]
        self.text = own("\n".join(each.text() for each in builders))
        self.declarations = [own(each) for each in declared.values()]
        self.symbol = "sampling_" + hashlib.sha256(self.text.encode()).hexdigest()[:32]


@lru_cache(4)
def _written(lanes: int) -> _Written:
    return _Written(lanes)


def _address(array: Array) -> int:
    """Where a row-major array lies."""
    address: int = array.__array_interface__["data"][0]
    return address


class CompiledSampling:
    """The samplers, each filling an array from an engine (a ``MersenneTwister``).

    Args:
        lanes: how many 32-bit elements a vector has, by default as many as fill a register. The numbers do not depend on it.
    """

    def __init__(self, lanes: int | None = None) -> None:
        self._scratch: list[Array] = []  # what no call is using just now
        written = _written(lanes or machine().lanes)
        code = disk_cache().read(written.symbol)
        if code is None:
            code = machine().object_code(written.text, written.declarations)
            disk_cache().write(written.symbol, code)
        self._libm = _library()
        for name, address in self._libm.items():
            machine().provide(f"{written.prefix}libm_{name}", address)
        prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64, *[ctypes.c_double] * 3, ctypes.c_int64)
        addresses = machine().load(code, written.names)
        self._functions: dict[str, Any] = {
            name.removeprefix(written.prefix): prototype(address) for name, address in zip(written.names, addresses)
        }

    @classmethod
    def from_disk(cls) -> CompiledSampling | None:
        """The samplers as compiled before; None if they were not."""
        folder = disk_cache().folder
        return cls() if folder is not None and (folder / _written(machine().lanes).symbol).exists() else None

    def _fill(self, name: str, engine: Any, out: Array, a: float = 0.0, b: float = 0.0, c: float = 0.0, d: int = 0) -> Array:
        try:
            scratch = self._scratch.pop()
        except IndexError:
            scratch = np.empty(SCRATCH, np.uint8)
        lock, state = engine.memory()
        with lock:
            self._functions[name](state, _address(scratch), _address(out), out.size, a, b, c, d)
        self._scratch.append(scratch)
        return out

    def words(self, engine: Any, count: int) -> Array:
        """Words, each in a uint64."""
        return self._fill("words", engine, np.empty(count, np.uint64))

    def fractions(self, engine: Any, count: int) -> Array:
        """float64 numbers from [0, 1)."""
        return self._fill("uniform_double", engine, np.empty(count, np.float64), 1.0, 0.0, 2.0)

    def uniform(self, engine: Any, out: Array, scale: float, low: float, high: float) -> None:
        """``u·scale + low``, rounded once; where that is ``high``, ``low``."""
        self._fill("uniform_float" if out.itemsize == 4 else "uniform_double", engine, out, scale, low, high)

    def normal(self, engine: Any, out: Array, mean: float, std: float) -> None:
        """Blocks of 16 normal numbers; float32 or float64."""
        if mean == 0 and std == 1:
            mean = -0.0  # adding it changes nothing, not even the sign of a zero
        self._fill("normal_float" if out.itemsize == 4 else "normal_double", engine, out, std, mean)

    def bernoulli(self, engine: Any, out: Array, probability: float) -> None:
        """One of the array's dtype with a probability, else zero."""
        one = int(np.ones(1, out.dtype).view(f"u{out.itemsize}")[0])
        threshold = np.array([math.ceil(math.ldexp(probability, 53))], np.int64).view(np.float64)[0]
        self._fill(f"bernoulli_i{8 * out.itemsize}", engine, out, float(threshold), d=one)

    def integers(self, engine: Any, count: int, values: int, low: int) -> Array:
        """int64 numbers from [low, low + values), values ≤ 2^32."""
        return self._fill("integers", engine, np.empty(count, np.int64), float(values), 1.0 / values, d=low)

    def permutation(self, engine: Any, count: int) -> Array:
        """0 … count-1 shuffled, of less than 2^32 numbers."""
        return self._fill("permutation", engine, np.empty(count, np.int64))

    def poisson(self, engine: Any, rates: Array) -> Array:
        """Numbers of events (float64) at finite float64 rates, in their place."""
        return self._fill("poisson", engine, rates)

    def applied(self, function: str, numbers: Array) -> Array | None:
        """A function of the C library of each float64; None where it is not at hand."""
        address = self._libm.get(function)
        if address is None:
            return None
        numbers = np.ascontiguousarray(numbers)
        out = np.empty(numbers.shape, np.float64)
        self._functions["applied"](address, _address(numbers), _address(out), out.size, 0.0, 0.0, 0.0, 0)
        return out
