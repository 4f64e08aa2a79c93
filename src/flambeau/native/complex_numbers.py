"""Complex programs as real ones: a complex value becomes two real values, its parts, before anything else is done.

So complex arithmetic is fused, threaded and vectorised by what does that for real numbers, which knows nothing of it. Parts of
a complex value that lies in memory (an input, what NumPy made) are views of every other number there. Where a complex
value is wanted in memory (an output, an operand of a line that is left to NumPy) the line ``make_complex`` writes both parts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ..core.dtypes import COMPLEX, bool_, complex128, dtype, float64
from ..core.specs import Spec, spec
from ..primitives.registry import primitives
from ..primitives.values import Value
from ..tracing.program import Instruction, Name, Program
from .kernel import COMPLEX_TYPES

Parts = tuple[Name, Name]
#: From the splitter, a line and its operands (parts where complex) to its results' parts, or a real result; None declines.
Rule = Callable[["_Splitter", Instruction, list[Any]], "Parts | Name | None"]


def is_split(kind: dtype) -> bool:
    """Whether values of the dtype become two real ones."""
    return kind.name in COMPLEX_TYPES


def real_program(program: Program) -> Program:
    """The program with complex lines written as real ones; the program itself where it has none."""
    if not any(is_split(value.dtype) for value in program.types.values() if not value.is_number):
        return program
    return _Splitter(program).run()


class _Splitter:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.types = dict(program.types)
        for name, value in program.types.items():
            if value.is_number and value.category == COMPLEX:  # its cell holds both parts
                self.types[name] = Value((), complex128, name)
        self.lines: list[Instruction] = []
        self.parts: dict[int, Parts] = {}
        self.next = 1 + max(
            [program.inputs, *self.types, *(r for each in program.instructions for r in each.results)], default=0
        )

    def run(self) -> Program:
        chosen = [self._is_known(each) for each in self.program.instructions]
        whole = set(self.program.outputs)
        for each, known in zip(self.program.instructions, chosen):
            if not known:
                whole.update(o.index for o in each.operands if isinstance(o, Name))
        for each, known in zip(self.program.instructions, chosen):
            if not known:
                self.lines.append(each)
                continue
            made = _RULES[each.primitive.name](self, each, [self._operand(o, each) for o in each.operands])
            (name,) = each.results
            if isinstance(made, Name):
                self.line("reshape", (made,), self.types[name].shape, self.types[name].dtype, name, shape=self.types[name].shape)
                continue
            assert made is not None
            self.parts[name] = made
            if name in whole:
                self.line("make_complex", made, self.types[name].shape, self.types[name].dtype, name)
        made_program = copy.copy(self.program)
        made_program.instructions, made_program.types = self.lines, self.types
        return made_program

    def _is_known(self, each: Instruction) -> bool:
        rule = _RULES.get(each.primitive.name)
        if rule is None or len(each.results) != 1:
            return False
        values = [self.program.types[o.index] for o in each.operands if isinstance(o, Name)]
        kinds = [v.dtype for v in values if not v.is_number] + [self.types[each.results[0]].dtype]
        if not any(map(is_split, kinds)):
            return False
        if any(kind.category == COMPLEX and not is_split(kind) for kind in kinds):
            return False
        accepts = _ACCEPTS.get(each.primitive.name)
        return accepts is None or accepts(self, each)

    def _operand(self, operand: Any, each: Instruction) -> Any:
        """An operand of a line: parts of a complex array; a number, for elementwise lines, as the parts of a constant."""
        if isinstance(operand, Name) and not self.types[operand.index].is_number:
            kind = self.types[operand.index].dtype
            if not is_split(kind):
                return operand
            if self.program.types[operand.index].is_number:
                return self._number(operand, each)
            found = self.parts.get(operand.index)
            if found is None:
                shape, real = self.types[operand.index].shape, kind.to_real()
                found = (self.line("real", (operand,), shape, real), self.line("imaginary", (operand,), shape, real))
                self.parts[operand.index] = found
            return found
        kind = self.real_kind(each)
        value = operand if isinstance(operand, Name) else complex(operand)
        return self.full(value if isinstance(value, Name) else value.real, kind), self.full(
            0.0 if isinstance(value, Name) else value.imag, kind
        )

    def real_kind(self, each: Instruction) -> dtype:
        """The dtype of the parts a line computes with: those of its result, or, of a real one, of the array it is made of."""
        made = self.types[each.results[0]].dtype
        if is_split(made):
            return made.to_real()
        values = [self.program.types[o.index] for o in each.operands if isinstance(o, Name)]
        return next(v.dtype for v in values if not v.is_number and is_split(v.dtype)).to_real()

    def _number(self, operand: Name, each: Instruction) -> Parts:
        """The parts of a complex number that is an input, in the dtype the line computes in."""
        kind = self.real_kind(each)
        real, imaginary = (
            self.line("cast", (self.line(part, (operand,), (), float64),), (), kind, dtype=kind)
            for part in ("real", "imaginary")
        )
        return real, imaginary

    def full(self, value: Any, kind: dtype, shape: tuple[int, ...] = ()) -> Name:
        """An array of one number."""
        return self.line("full", (value,), shape, kind, shape=shape, dtype=kind)

    def line(
        self, primitive: str, operands: tuple[Any, ...], shape: tuple[int, ...], kind: dtype, name: int | None = None,
        /, **parameters: Any,
    ) -> Name:  # fmt: skip
        """Write a line; its result."""
        if name is None:
            name, self.next = self.next, self.next + 1
        self.types[name] = Value(shape, kind, name)
        self.lines.append(Instruction(primitives[primitive], operands, parameters, (name,)))
        return Name(name)


class _Reals:
    """Real elementwise arithmetic on names, all of one shape and dtype."""

    def __init__(self, splitter: _Splitter, shape: tuple[int, ...], kind: dtype) -> None:
        self.splitter, self.shape, self.kind = splitter, shape, kind

    def __call__(self, primitive: str, *operands: Any) -> Name:
        """The primitive of names and Python numbers."""
        return self.splitter.line(primitive, operands, self.shape, self.kind)

    def holds(self, primitive: str, *operands: Any) -> Name:
        """A comparison."""
        return self.splitter.line(primitive, operands, self.shape, bool_)


def _reals(splitter: _Splitter, each: Instruction) -> _Reals:
    return _Reals(splitter, splitter.types[each.results[0]].shape, splitter.real_kind(each))


def _elementwise(formula: Callable[..., Any]) -> Rule:
    """A rule from a formula of (reals, parts …)."""
    return lambda splitter, each, operands: formula(_reals(splitter, each), *operands)


def _add(r: _Reals, x: Parts, y: Parts) -> Parts:
    return r("add", x[0], y[0]), r("add", x[1], y[1])


def _subtract(r: _Reals, x: Parts, y: Parts) -> Parts:
    return r("subtract", x[0], y[0]), r("subtract", x[1], y[1])


def _multiply(r: _Reals, x: Parts, y: Parts) -> Parts:
    (a, b), (c, d) = x, y
    return (
        r("subtract", r("multiply", a, c), r("multiply", b, d)),
        r("add", r("multiply", a, d), r("multiply", b, c)),
    )


def _divide(r: _Reals, x: Parts, y: Parts) -> Parts:
    """Smith's algorithm (1962): the divisor's greater part is divided out first, so that nothing overflows on the way."""
    (a, b), (c, d) = x, y
    size, other_size = r("absolute", c), r("absolute", d)
    first = r.holds("greater_equal", size, other_size)
    great, small = r("select", first, c, d), r("select", first, d, c)
    ratio = r("divide", small, great)
    scale = r("divide", 1.0, r("add", great, r("multiply", small, ratio)))
    u, v = r("select", first, a, b), r("select", first, b, a)
    across = r("multiply", v, ratio), r("multiply", u, ratio)
    real = r("multiply", r("add", u, across[0]), scale)
    difference = r("select", first, r("subtract", v, across[1]), r("subtract", across[1], v))
    imaginary = r("multiply", difference, scale)
    zero = r.holds("equal", r("add", size, other_size), 0.0)
    return r("select", zero, r("divide", a, size), real), r("select", zero, r("divide", b, size), imaginary)


def _select(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    r, (condition, x, y) = _reals(splitter, each), operands
    return r("select", condition, x[0], y[0]), r("select", condition, x[1], y[1])


#: Where eˣ may overflow though eˣ·cos y does not: so much is taken off the exponent first, by the dtype of the parts.
_EXPONENTS = {"float32": (80.0, 60.0), "float64": (700.0, 600.0)}


def _exp(r: _Reals, x: Parts) -> Parts:
    """eˣ(cos y + i sin y); a real number's is real, and e^-∞ is zero whatever the angle."""
    import math

    (a, b), (limit, shift) = x, _EXPONENTS[r.kind.name]
    large = r.holds("greater", a, limit)
    size = r("exp", r("select", large, r("subtract", a, shift), a))
    # Two factors, so that neither overflows.
    half = math.exp(shift / 2)
    factor = r("select", large, half, 1.0)
    parts = []
    for name in ("cos", "sin"):
        turned = r(name, b)
        if name == "sin":
            turned = r("select", r.holds("equal", b, 0.0), b, turned)
        value = r("multiply", r("multiply", r("multiply", size, turned), factor), factor)
        value = r("select", r.holds("equal", turned, 0.0), turned, value)  # not ∞·0
        settled = r.holds("is_finite", b)
        gone = r.holds("bitwise_and", r.holds("equal", a, float("-inf")), r.holds("bitwise_not", settled))
        parts.append(r("select", gone, 0.0, value))
    boundless = r.holds("bitwise_and", r.holds("equal", a, float("inf")), r.holds("bitwise_not", r.holds("is_finite", b)))
    flat = r.holds("bitwise_and", r.holds("is_nan", a), r.holds("equal", b, 0.0))
    return r("select", boundless, float("inf"), parts[0]), r("select", flat, b, parts[1])


def _log(r: _Reals, x: Parts) -> Parts:
    """log|z| + i·arg z; near |z| = 1 from |z|² - 1."""
    a, b = x
    sizes = r("absolute", a), r("absolute", b)
    great, small = r("maximum", *sizes), r("minimum", *sizes)
    excess = r("add", r("multiply", r("subtract", great, 1.0), r("add", great, 1.0)), r("multiply", small, small))
    near = r.holds("bitwise_and", r.holds("greater", excess, -0.5), r.holds("less", excess, 1.0))
    size = r("select", near, r("multiply", 0.5, r("log1p", excess)), r("log", r("hypot", a, b)))
    return size, r("arctan2", b, a)


def _sqrt(r: _Reals, x: Parts) -> Parts:
    """The root in the right half plane, from √((|x| + |z|)/2), which does not cancel."""
    a, b = x
    half = r("multiply", 0.5, r("absolute", a))
    t = r("sqrt", r("add", half, r("multiply", 0.5, r("hypot", a, b))))
    other = r("divide", r("absolute", b), r("add", t, t))
    zero = r.holds("equal", t, 0.0)
    other = r("select", zero, 0.0, other)
    right = r.holds("bitwise_not", r.holds("less", a, 0.0))
    real, imaginary = r("select", right, t, other), r("select", right, other, t)
    boundless = r.holds("equal", r("absolute", b), float("inf"))
    infinite = float("inf")
    return r("select", boundless, infinite, real), r("copysign", r("select", boundless, infinite, imaginary), b)


def _product(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    """A primitive linear in both operands, as four real ones."""
    r = _reals(splitter, each)
    (a, b), (c, d) = operands

    def product(x: Name, y: Name) -> Name:
        return splitter.line(each.primitive.name, (x, y), r.shape, r.kind, **each.parameters)

    return r("subtract", product(a, c), product(b, d)), r("add", product(a, d), product(b, c))


def _make_complex(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    shape = splitter.types[each.results[0]].shape
    kind = splitter.types[each.results[0]].dtype.to_real()
    made = []
    for operand in operands:
        name = operand[0] if isinstance(operand, tuple) else operand  # a number came as a constant's parts
        if splitter.types[name.index].shape != shape:
            name = splitter.line("broadcast", (name,), shape, kind, shape=shape)
        made.append(name)
    return made[0], made[1]


def _cast(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts | Name:
    target, (x,) = each.parameters["dtype"], operands
    shape = splitter.types[each.results[0]].shape
    if not is_split(target):
        if target is bool_:
            return splitter.line("bitwise_or", tuple(splitter.line("cast", (p,), shape, bool_, dtype=bool_) for p in x),
                                 shape, bool_)  # fmt: skip
        return splitter.line("cast", (x[0],), shape, target, dtype=target)
    real = target.to_real()
    if isinstance(x, Name):
        return splitter.line("cast", (x,), shape, real, dtype=real), splitter.full(0.0, real, shape)
    return splitter.line("cast", (x[0],), shape, real, dtype=real), splitter.line("cast", (x[1],), shape, real, dtype=real)


def _full(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    shape, kind = splitter.types[each.results[0]].shape, splitter.types[each.results[0]].dtype.to_real()
    (value,) = each.operands
    if isinstance(value, Name) and splitter.types[value.index].category == COMPLEX:
        made = [p if not shape else splitter.line("broadcast", (p,), shape, kind, shape=shape) for p in operands[0]]
        return made[0], made[1]
    if isinstance(value, Name):
        return splitter.full(value, kind, shape), splitter.full(0.0, kind, shape)
    return splitter.full(complex(value).real, kind, shape), splitter.full(complex(value).imag, kind, shape)


def _iota(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    result = splitter.types[each.results[0]]
    kind = result.dtype.to_real()
    return splitter.line("iota", (), result.shape, kind, **{**each.parameters, "dtype": kind}), splitter.full(0.0, kind, result.shape)


def _reduce_sum(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    result, (x,) = splitter.types[each.results[0]], operands
    kind = result.dtype.to_real()
    parameters = {**each.parameters, "dtype": kind}
    if isinstance(x, Name):
        return splitter.line("reduce_sum", (x,), result.shape, kind, **parameters), splitter.full(0.0, kind, result.shape)
    real, imaginary = (splitter.line("reduce_sum", (part,), result.shape, kind, **parameters) for part in x)
    return real, imaginary


def _each_part(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    """The same line for either part."""
    result = splitter.types[each.results[0]]
    kind = result.dtype.to_real()
    parameters = {
        name: _real_spec(value) if isinstance(value, Spec) else kind if isinstance(value, dtype) else value
        for name, value in each.parameters.items()
    }
    real, imaginary = (
        splitter.line(
            each.primitive.name, tuple(o[k] if isinstance(o, tuple) else o for o in operands), result.shape, kind, **parameters
        )
        for k in range(2)
    )  # fmt: skip
    return real, imaginary


def _real_spec(of: Spec) -> Spec:
    return spec(of.shape, of.dtype.to_real(), of.strides) if is_split(of.dtype) else of


def _window(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    """Of complex memory, a window of either part; of real memory read as complex, every other number."""
    (base,), p = operands, each.parameters
    if isinstance(base, tuple):
        return _each_part(splitter, each, operands)
    real = p["of"].dtype.to_real()
    of = spec(p["of"].shape, real, [2 * step for step in p["of"].strides])
    first, second = (
        splitter.line("strided_window", (base,), tuple(of.shape), real, layout=p["layout"], of=of, offset=2 * p["offset"] + k)
        for k in range(2)
    )
    return first, second


def _update(splitter: _Splitter, each: Instruction, operands: list[Any]) -> Parts:
    """Of complex memory, a window of either part; or all of it written as pairs of real numbers."""
    update, p = operands[1], each.parameters
    if isinstance(update, tuple):
        return _each_part(splitter, each, operands)
    shape, kind = splitter.types[each.results[0]].shape, p["of"].dtype
    made = []
    for k in range(2):
        starts, stops = (*(0 for _ in shape), k), (*shape, k + 1)
        steps = (1,) * (len(shape) + 1)
        part = splitter.line("slice", (update,), (*shape, 1), kind, starts=starts, stops=stops, steps=steps)
        made.append(splitter.line("reshape", (part,), shape, kind, shape=shape))
    return made[0], made[1]


def _takes_update(splitter: _Splitter, each: Instruction) -> bool:
    layout, of = each.parameters["layout"], each.parameters["of"]
    if layout.dtype is of.dtype:
        return True
    pairs = (*layout.shape, 2), (*(2 * step for step in layout.strides), 1)
    update = splitter.types[each.operands[1].index]
    return (
        is_split(layout.dtype) and of.dtype is layout.dtype.to_real() and not each.parameters["offset"]
        and (tuple(of.shape), tuple(of.strides)) == pairs and update.shape == pairs[0]
    )  # fmt: skip


def _same_window(splitter: _Splitter, each: Instruction) -> bool:
    """Whether memory is read as what it holds, or real numbers as complex ones."""
    layout, of = each.parameters["layout"].dtype, each.parameters["of"].dtype
    return layout is of or (is_split(of) and layout is of.to_real())


def _part(number: int) -> Rule:
    return lambda splitter, each, operands: operands[0][number]


def _both(combine: str, primitive: str) -> Rule:
    """A comparison or test of either part, and how the two answers are combined."""

    def formula(r: _Reals, *operands: Parts) -> Name:
        return r.holds(combine, *[r.holds(primitive, *[each[k] for each in operands]) for k in range(2)])

    return _elementwise(formula)


_RULES: dict[str, Rule] = {
    "add": _elementwise(_add),
    "subtract": _elementwise(_subtract),
    "multiply": _elementwise(_multiply),
    "divide": _elementwise(_divide),
    "negative": _elementwise(lambda r, x: (r("negative", x[0]), r("negative", x[1]))),
    "conjugate": _elementwise(lambda r, x: (x[0], r("negative", x[1]))),
    "absolute": _elementwise(lambda r, x: r("hypot", x[0], x[1])),
    "exp": _elementwise(_exp),
    "log": _elementwise(_log),
    "sqrt": _elementwise(_sqrt),
    "equal": _both("bitwise_and", "equal"),
    "not_equal": _both("bitwise_or", "not_equal"),
    "is_nan": _both("bitwise_or", "is_nan"),
    "is_finite": _both("bitwise_and", "is_finite"),
    "real": _part(0),
    "imaginary": _part(1),
    "select": _select,
    "make_complex": _make_complex,
    "cast": _cast,
    "full": _full,
    "iota": _iota,
    "number": _full,
    "reduce_sum": _reduce_sum,
    **dict.fromkeys(
        ("matrix_multiply", "convolution", "convolution_input_gradient", "convolution_weight_gradient"), _product
    ),
    "strided_window": _window,
    "strided_update": _update,
    **dict.fromkeys(
        (
            "reshape", "transpose", "broadcast", "slice", "reverse", "concatenate", "gather_at",
            "gather_along", "put_at", "put_along", "accumulate_strided", "scan", "sum_window", "spread_window",
            "unfold_windows", "fold_windows",
        ),
        _each_part,
    ),
}  # fmt: skip

_ACCEPTS: dict[str, Callable[[_Splitter, Instruction], bool]] = {
    "strided_window": _same_window,
    "strided_update": _takes_update,
    "put_at": lambda splitter, each: each.parameters["combine"] in ("assign", "add"),
    "put_along": lambda splitter, each: each.parameters["combine"] in ("assign", "add"),
    "scan": lambda splitter, each: each.parameters["combine"] == "add",
    "cast": lambda splitter, each: isinstance(each.operands[0], Name),
    **dict.fromkeys(("full", "number"), lambda splitter, each: is_split(splitter.types[each.results[0]].dtype)),
}

__all__ = ["is_split", "real_program"]
