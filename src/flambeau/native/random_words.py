"""The Mersenne Twister's words by compiled code (Matsumoto & Nishimura, 1998).

The state is NumPy's own, in place: 624 words of the recurrence and a position, from which NumPy goes on where this stops. A call
copies it to scratch memory that has room for the first 16 words of the next round behind the last, so that neither the recurrence
nor the tempering has a seam within a vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .builder import Builder, Operand, integer, vector
from .mathematics.number import Number

WORDS, _PADDED = 624, 640
_POSITION = 4 * WORDS
# Scratch memory, in bytes: the recurrence, the position in it, a chunk of words, a chunk of numbers, room for one vector more.
CHUNK = 4096
_AT, BUFFER = 4 * _PADDED, 4 * _PADDED + 64
NUMBERS = BUFFER + 4 * CHUNK + 128
SCRATCH = NUMBERS + 8 * CHUNK + 128

PREFIX = "flambeau_sampling_"
#: A sampler's: state, scratch, where to, how many, and what it needs to know.
PARAMETERS = ("ptr", "ptr", "ptr", "i64", "double", "double", "double", "i64")


def twist(lanes: int) -> Builder:
    """``twist(scratch)``: the next 624 words of the recurrence."""
    b = Builder(PREFIX + "twist", ("ptr",))
    key, kind = b.parameters[0], vector("i32", lanes)

    def block(i: Operand, ahead: int) -> None:
        here = Number(b, b.load(kind, b.at(key, "i32", i)))
        following = Number(b, b.load(kind, b.at(key, "i32", b.add(i, integer(1)))))
        far = Number(b, b.load(kind, b.at(key, "i32", b.add(i, integer(ahead)))))
        joined = (here & -0x80000000) | (following & 0x7FFFFFFF)
        odd = (following & 1) * -1
        b.store((far ^ joined.unsigned_shift(1) ^ (odd & (0x9908B0DF - 2**32))).operand, b.at(key, "i32", i))

    with b.loop(0, 224, lanes) as i:
        block(i, 397)
    with b.loop(0, 16, lanes) as i:
        b.store(b.load(kind, b.at(key, "i32", i)), b.at(key, "i32", b.add(i, integer(WORDS))))
    with b.loop(224, 225, lanes) as i:
        block(i, 397)
    with b.loop(224 + lanes, WORDS, lanes) as i:
        block(i, -227)
    b.done()
    return b


def _tempered(y: Number) -> Number:
    y = y ^ y.unsigned_shift(11)
    y = y ^ ((y << 7) & (0x9D2C5680 - 2**32))
    y = y ^ ((y << 15) & (0xEFC60000 - 2**32))
    return y ^ y.unsigned_shift(18)


def take(lanes: int) -> Builder:
    """``take(scratch, count)``: the next words, to the buffer (and some more, of no meaning, behind them)."""
    b = Builder(PREFIX + "take", ("ptr", "i64"))
    scratch, count = b.parameters
    kind, place = vector("i32", lanes), b.at(scratch, "i8", _AT)
    done = b.variable(integer(0))
    head, body, turn, go, end = (b.label() for _ in range(5))
    b.branch(head)
    b.place(head)
    b.branch_if(b.compare("slt", b.get(done), count), body, end)
    b.place(body)
    b.branch_if(b.compare("sge", b.load("i64", place), integer(WORDS)), turn, go)
    b.place(turn)
    b.call(PREFIX + "twist", [scratch])
    b.store(integer(0), place)
    b.branch(go)
    b.place(go)
    position, sofar = b.load("i64", place), b.get(done)
    many = b.intrinsic("llvm.smin", b.binary("sub", integer(WORDS), position), b.binary("sub", count, sofar))
    source = b.at(scratch, "i32", position)
    target = b.at(b.at(scratch, "i8", BUFFER), "i32", sofar)
    with b.loop(0, many, lanes) as i:
        b.store(_tempered(Number(b, b.load(kind, b.at(source, "i32", i)))).operand, b.at(target, "i32", i))
    b.store(b.add(position, many), place)
    b.set(done, b.add(sofar, many))
    b.branch(head)
    b.place(end)
    b.done()
    return b


def draw() -> Builder:
    """``draw(scratch)``: one float64 from [0, 1)."""
    b = Builder(PREFIX + "draw", ("ptr",), "double")
    scratch = b.parameters[0]
    place = b.at(scratch, "i8", _AT)
    words = []
    for _ in range(2):
        with b.when(b.compare("sge", b.load("i64", place), integer(WORDS))):
            b.call(PREFIX + "twist", [scratch])
            b.store(integer(0), place)
        position = b.load("i64", place)
        word = _tempered(Number(b, b.load("i32", b.at(scratch, "i32", position)))).operand
        b.store(b.add(position, integer(1)), place)
        words.append(b.convert("zext", word, "i64"))
    pair = b.binary("or", words[0], b.binary("shl", words[1], integer(32)))
    b.done(fraction(Number(b, pair)).operand)
    return b


def copy(b: Builder, target: Operand, source: Operand, size: Operand) -> None:
    b.call("llvm.memcpy.p0.p0.i64", [target, source, size, Operand("i1", "false")])


@contextmanager
def with_state(b: Builder, state: Operand, scratch: Operand) -> Iterator[None]:
    """The generator's state in scratch memory, and back afterwards."""
    copy(b, scratch, state, integer(4 * WORDS))
    b.store(b.convert("sext", b.load("i32", b.at(state, "i8", _POSITION)), "i64"), b.at(scratch, "i8", _AT))
    yield
    copy(b, state, scratch, integer(4 * WORDS))
    position = b.convert("trunc", b.load("i64", b.at(scratch, "i8", _AT)), "i32")
    b.store(position, b.at(state, "i8", _POSITION))


def fraction(pair: Number) -> Number:
    """53 of the 64 bits as a float64 from [0, 1): the halves put behind the leading bits of 2^84 and 2^52, which go again."""
    high = ((pair & 0x1FFFFF) | 0x4530000000000000).as_floating()
    low = (pair.unsigned_shift(32) | 0x4330000000000000).as_floating()
    return ((high - (2.0**84 + 2.0**52)) + low) * 2.0**-53


def libm(b: Builder, function: str, x: Operand) -> Operand:
    """Call a function of the C library's mathematics."""
    return b.call(f"{PREFIX}libm_{function}", [x], "double")
