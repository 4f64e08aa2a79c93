"""``function``: declares an emitter, and the table of them."""

from __future__ import annotations

from collections.abc import Callable

from .number import Number

Emitter = Callable[..., Number]
emitters: dict[str, Emitter] = {}


def function(name: str) -> Callable[[Emitter], Emitter]:
    """Declare the decorated function as the way to compute the primitive called ``name``."""

    def declare(emitter: Emitter) -> Emitter:
        emitters[name] = emitter
        return emitter

    return declare


def in_double(emitter: Emitter) -> Emitter:
    """Computes float32 as float64 and rounds: for functions seldom used, whose float32 has no algorithm of its own."""

    def widened(*x: Number) -> Number:
        return emitter(*[each.in_double() for each in x]).in_float() if x[0].is_float else emitter(*x)

    return widened
