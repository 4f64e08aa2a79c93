"""Poisson numbers by compiled code: the algorithms of ``core/sampling/rejection.py``, operation by operation the same."""

from __future__ import annotations

from .builder import Builder, Operand, Variable, constant
from .mathematics.number import Number
from .random_words import PARAMETERS, PREFIX, libm, with_state


def poisson() -> Builder:
    """``poisson(state, scratch, rates, count)``: each rate is replaced by a number of events."""
    b = Builder(PREFIX + "poisson", PARAMETERS)
    state, scratch, out, count = b.parameters[:4]
    zero = constant("double", 0.0)
    with with_state(b, state, scratch), b.loop(0, count) as i:
        place = b.at(out, "double", i)
        rate = Number(b, b.load("double", place))
        few, many, end = (b.label() for _ in range(3))
        events = b.variable(zero)
        some, nonzero = b.label(), b.compare("une", rate.operand, zero)
        b.branch_if(nonzero, some, end)
        b.place(some)
        b.branch_if((rate < 10.0).operand, few, many)
        b.place(few)
        _multiplied(b, rate, events, scratch)
        b.branch(end)
        b.place(many)
        _transformed(b, rate, events, scratch)
        b.branch(end)
        b.place(end)
        b.store(b.get(events), place)
    b.done()
    return b


def _draw(b: Builder, scratch: Operand) -> Number:
    return Number(b, b.call(PREFIX + "draw", [scratch], "double"))


def _of(b: Builder, function: str, x: Number) -> Number:
    return Number(b, libm(b, function, x.operand))


def _multiplied(b: Builder, rate: Number, events: Variable, scratch: Operand) -> None:
    """Knuth: multiply fractions until the product falls below exp(-rate)."""
    threshold, product = _of(b, "exp", -rate), b.variable(constant("double", 1.0))
    again, more, end = (b.label() for _ in range(3))
    b.branch(again)
    b.place(again)
    value = Number(b, b.get(product)) * _draw(b, scratch)
    b.set(product, value.operand)
    b.branch_if((value <= threshold).operand, end, more)
    b.place(more)
    b.set(events, b.add(b.get(events), constant("double", 1.0)))
    b.branch(again)
    b.place(end)


def _transformed(b: Builder, rate: Number, events: Variable, scratch: Operand) -> None:
    """Hörmann's transformed rejection (1993)."""
    root, log_rate = rate.sqrt(), _of(b, "log", rate)
    scale = root * 2.53 + 0.931
    a = scale * 0.02483 + -0.059
    inverse_alpha = 1.1328 / (scale - 3.4) + 1.1239
    accepted = 0.9277 - 3.6224 / (scale - 2.0)
    log_inverse = _of(b, "log", inverse_alpha)
    again, inside, slow, possible, last, end = (b.label() for _ in range(6))
    b.branch(again)
    b.place(again)
    u = _draw(b, scratch) - 0.5
    v = _draw(b, scratch)
    edge = 0.5 - abs(u)
    b.branch_if(edge.equals(0.0).operand, again, inside)
    b.place(inside)
    count = (((a * 2.0 / edge + scale) * u + rate) + 0.43).floor()
    b.set(events, count.operand)
    b.branch_if(((edge >= 0.07) & (v <= accepted)).operand, end, slow)
    b.place(slow)
    hopeless = (count < 0.0) | ((edge < 0.013) & (v > edge))
    b.branch_if(hopeless.operand, again, possible)
    b.place(possible)
    height = (_of(b, "log", v) + log_inverse) - _of(b, "log", a / (edge * edge) + scale)
    limit = (-rate + count * log_rate) - _of(b, "lgamma", count + 1.0)
    b.branch(last)
    b.place(last)
    b.branch_if((height <= limit).operand, end, again)
    b.place(end)
