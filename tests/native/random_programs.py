"""Random programs in the public API: steps chosen by a source of numbers, to be run in one tier and then in the other.

Values stay small multiples of a quarter as long as only exact operators touch them, so that both tiers must agree to the
last bit whatever order they add in. What a function such as exp has touched is compared within a tolerance, and kept from
operators that jump (floor, comparisons, sorting).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import flambeau as torch
from flambeau.core.storages import at_rest
from flambeau.tracing.handles import wrap
from flambeau.tracing.recorder import synchronize

F = torch.nn.functional
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
SHAPES = ((), (1,), (0,), (3,), (17,), (33,), (1, 5), (4, 1), (3, 5), (7, 16), (2, 33), (0, 4), (3, 0), (2, 3, 4), (5, 1, 7),
          (2, 1, 3, 5), (3, 4, 2, 2), (64, 9), (130,), (20, 70), (1, 1), (6, 1, 1))  # fmt: skip
BITS = {torch.float32: 20, torch.float64: 48, torch.float16: 9, torch.bfloat16: 6}

#: Which of two zeros these give is open.
_OPEN = {"sort", "sum", "nansum", "cumsum"}
_OPEN |= {"maximum", "minimum", "fmax", "fmin", "amax", "amin", "max", "clamp", "cummax", "pool", "relu", "threshold"}


@dataclass
class State:
    """What is known of a storage's numbers: bits they need, whether exact, whether NaN or infinity may be among them, whether
    the sign of a zero is open (which of two equal numbers is the greater)."""

    bits: float = 5.0
    exact: bool = True
    wild: bool = False
    depth: int = 0
    signless: bool = False


@dataclass
class Step:
    """``function(*tensors at operands)`` gives tensors that are appended; ``drop`` removes some first."""

    name: str
    function: Callable[..., Any]
    operands: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}{self.operands}"


class Maker:
    """Makes a program while running it. ``choose(n)`` gives a number below n."""

    def __init__(self, choose: Callable[[int], int]) -> None:
        self.choose = choose
        self.steps: list[Step] = []
        self.tensors: list[Any] = []
        self.states: list[State] = []
        self.leaves: list[tuple[Any, Any, tuple[int, ...]]] = []

    def pick(self, items: Any) -> Any:
        return items[self.choose(len(items))]

    # Leaves

    def leaf(self, shape: tuple[int, ...] | None = None, dtype: Any = None) -> int:
        shape = self.pick(SHAPES) if shape is None else shape
        dtype = dtype or self.pick((torch.float32,) * 6 + FLOATS + INTEGERS + (torch.bool, torch.complex64))
        generator = np.random.default_rng(self.choose(1 << 16))
        wild = dtype in FLOATS and self.choose(6) == 0
        if dtype is torch.bool:
            array = generator.integers(0, 2, shape).astype(bool)
        elif dtype is torch.complex64:
            array = (generator.integers(-8, 9, shape) / 4 + 1j * generator.integers(-8, 9, shape) / 4).astype(np.complex64)
        elif dtype in INTEGERS:
            array = generator.integers(0 if dtype is torch.uint8 else -6, 7, shape).astype(dtype.numpy)
        else:
            values = np.asarray(generator.integers(-8, 9, shape) / 4)
            if wild and values.size:
                flat = values.reshape(-1)
                for special in (np.nan, np.inf, -np.inf, -0.0):
                    flat[generator.integers(0, flat.size)] = special
            array = values.astype(dtype.numpy)
        axes = tuple(generator.permutation(len(shape)).tolist()) if self.choose(4) == 0 else tuple(range(len(shape)))
        self.leaves.append((np.ascontiguousarray(array), dtype, axes))
        self.tensors.append(place(self.leaves[-1]))
        self.states.append(State(wild=wild))
        self.steps.append(Step("leaf", None, ()))  # type: ignore[arg-type]
        return len(self.tensors) - 1

    # Steps

    def do(self, name: str, function: Callable[..., Any], *operands: int, state: State | None = None, view: bool = False) -> Any:
        """Run a step, and note it; None where PyTorch would refuse the arguments."""
        try:
            made = function(*(self.tensors[k] for k in operands))
        except (RuntimeError, TypeError, IndexError, ValueError):
            return None
        made = [made] if isinstance(made, torch.Tensor) else list(made) if made is not None else []
        self.steps.append(Step(name, function, operands))
        if name.split()[0] in _OPEN:
            state = state or self.joined(operands)
            state.signless = True
        for each in made:
            self.tensors.append(each)
            if view:
                self.states.append(self.states[operands[0]])
            else:
                self.states.append(state or self.joined(operands))
        return made

    def joined(self, operands: tuple[int, ...], more: float = 0.0) -> State:
        states = [self.states[k] for k in operands]
        return State(
            max(s.bits for s in states) + more, all(s.exact for s in states), any(s.wild for s in states),
            max(s.depth for s in states), any(s.signless for s in states),
        )  # fmt: skip

    def write(self, target: int, *sources: int, more: float = 0.0, exact: bool = True) -> None:
        """Note that the target's storage has been written."""
        state, other = self.states[target], self.joined((target, *sources), more)
        state.bits, state.wild = other.bits, other.wild
        state.exact, state.depth = other.exact and exact, other.depth
        state.signless = other.signless or self.steps[-1].name == "clamp_"

    def any(self, floating: bool = False, exact: bool = False, dims: int = 0, tame: bool = False) -> int | None:
        """A tensor with these properties."""
        fit = [
            k for k, (t, s) in enumerate(zip(self.tensors, self.states))
            if t is not None and t.dim() >= dims and (not floating or t.is_floating_point()) and (not exact or s.exact)
            and (not tame or not s.wild) and s.depth < 4
        ]  # fmt: skip
        return self.pick(fit) if fit else None

    def step(self) -> None:
        self.pick(_KINDS)(self)

    def make(self, length: int) -> None:
        for _ in range(1 + self.choose(3)):
            self.leaf()
        for _ in range(length):
            self.step()
            if self.choose(9) == 0 and len(self.tensors) > 3:
                k = self.choose(len(self.tensors))
                self.tensors[k] = None
                self.steps.append(Step("drop", None, (k,)))  # type: ignore[arg-type]
            if self.choose(8) == 0:
                synchronize()
                self.steps.append(Step("synchronize", None, ()))  # type: ignore[arg-type]

    def text(self) -> str:
        """The program, to be read when it fails."""
        leaves = [f"{dtype} {array.shape} axes {axes}" for array, dtype, axes in self.leaves]
        return "\n".join((*leaves, *map(str, self.steps)))


def place(leaf: Any, empty: Callable[..., Any] = np.empty) -> Any:
    """A tensor with a leaf's numbers on memory of its own."""
    array, dtype, axes = leaf
    memory = empty(tuple(array.shape[a] for a in axes), array.dtype)
    shown = memory.transpose(np.argsort(axes)) if axes else memory
    shown[...] = array
    spec = torch.empty(()).new_empty(tuple(array.shape[a] for a in axes), dtype=dtype).permute(
        tuple(int(a) for a in np.argsort(axes))
    )._spec if axes else torch.empty((), dtype=dtype)._spec  # fmt: skip
    return wrap(at_rest(shown, spec), spec)


def replay(leaves: list[Any], steps: list[Step], empty: Callable[..., Any] = np.empty) -> list[Any]:
    """Run the steps on fresh copies of the leaves; the tensors still held at the end."""
    tensors: list[Any] = []
    rest = list(leaves)
    for each in steps:
        if each.name == "leaf":
            tensors.append(place(rest.pop(0), empty))
        elif each.name == "drop":
            tensors[each.operands[0]] = None
        elif each.name == "synchronize":
            synchronize()
        else:
            made = each.function(*(tensors[k] for k in each.operands))
            tensors.extend([made] if isinstance(made, torch.Tensor) else made if made is not None else [])
            del made
    synchronize()
    return tensors


# The kinds of steps


def _leaf(m: Maker) -> None:
    like = m.any()
    shape = None
    if like is not None and m.choose(3):
        shape = tuple(m.tensors[like].shape)
        if m.choose(3) == 0:
            shape = tuple(1 if m.choose(2) else n for n in shape)
        if shape and m.choose(4) == 0:
            shape = shape[1:]
    m.leaf(shape)


def _unary(m: Maker) -> None:
    k = m.any()
    if k is None:
        return
    name = m.pick(("neg", "abs", "relu", "square", "isnan", "isfinite", "signbit", "clamp", "logical_not", "bitwise_not",
                   "sign", "floor", "ceil", "trunc", "round", "frac", "sqrt", "reciprocal", "positive", "clone", "isinf"))  # fmt: skip
    state = m.joined((k,))
    if name in ("sign", "floor", "ceil", "trunc", "round", "frac", "signbit", "isfinite", "isnan", "isinf", "logical_not"):
        if not state.exact:
            return
    if name == "square":
        state.bits *= 2
    if name in ("sqrt", "reciprocal"):
        state.bits, state.wild = 60, True
    if m.tensors[k].is_complex() and name in ("sqrt", "reciprocal", "abs"):
        state = State(60, False, state.wild, state.depth + 1)
    function = (lambda x: torch.clamp(x, -1.5, 2)) if name == "clamp" else getattr(torch, name)
    m.do(name, function, k, state=state, view=name == "positive")


def _smooth(m: Maker) -> None:
    k = m.any(floating=True)
    if k is None:
        return
    names = ("exp", "tanh", "sigmoid", "sin", "cos", "erf", "expm1", "gelu", "silu", "softplus", "exp2", "atan", "log", "log1p",
             "rsqrt", "elu", "mish", "log_sigmoid", "asinh", "sinh")  # fmt: skip
    name = m.pick(names)
    functions: dict[str, Any] = {"gelu": F.gelu, "silu": F.silu, "softplus": F.softplus, "elu": F.elu, "mish": F.mish,
                                 "log_sigmoid": F.logsigmoid}  # fmt: skip
    function = functions.get(name) or getattr(torch, name)
    state = m.joined((k,))
    wild = state.wild or name in ("log", "log1p", "rsqrt")
    if not state.exact and name in ("log", "log1p", "rsqrt"):
        return
    m.do(name, lambda x: function(x.clamp(-3, 3) if not state.exact else x), k,
         state=State(60, False, wild, state.depth + 1, True))  # fmt: skip


def _binary(m: Maker) -> None:
    a, b = m.any(), m.any()
    if a is None or b is None:
        return
    name = m.pick(("add", "sub", "mul", "div", "maximum", "minimum", "fmax", "fmin", "eq", "lt", "ge", "ne", "logical_and",
                   "logical_xor", "bitwise_and", "bitwise_or", "copysign", "atan2", "hypot", "where", "lerp", "addcmul",
                   "masked_fill", "remainder", "fmod", "add_scaled", "logaddexp"))  # fmt: skip
    state = m.joined((a, b), 1)
    inexact = name in ("atan2", "hypot", "logaddexp")
    if name in ("eq", "lt", "ge", "ne", "logical_and", "logical_xor", "remainder", "fmod", "copysign", "where", "masked_fill"):
        if not state.exact:
            return
    if name in ("mul", "addcmul", "lerp"):
        state.bits *= 2
    if name == "div":
        state.bits, state.wild = 60, True
    if name in ("atan2", "copysign") and not state.exact:
        return
    if name in ("remainder", "fmod"):
        if not (m.tensors[a].is_floating_point() and m.tensors[b].is_floating_point()):
            return
        state.wild = True
    if inexact or (name == "div" and (m.tensors[a].is_complex() or m.tensors[b].is_complex())):
        state = State(60, False, state.wild, state.depth + 1)
    functions: dict[str, Any] = {
        "where": lambda x, y: torch.where(x > 0 if not x.is_complex() else x == x, x, y),
        "lerp": lambda x, y: torch.lerp(x, y, 0.5), "addcmul": lambda x, y: torch.addcmul(x, x, y, value=0.5),
        "masked_fill": lambda x, y: x.masked_fill(y != 0, 2), "add_scaled": lambda x, y: torch.add(x, y, alpha=2),
    }  # fmt: skip
    m.do(name, functions.get(name) or getattr(torch, name), a, b, state=state)


def _number(m: Maker) -> None:
    k = m.any()
    if k is None:
        return
    name, function, more = m.pick((
        ("x+0.5", lambda x: x + 0.5, 1), ("x*2", lambda x: x * 2, 1), ("3-x", lambda x: 3 - x, 1), ("x/4", lambda x: x / 4, 2),
        ("x+True", lambda x: x + True, 1), ("x*-0.0", lambda x: x * -0.0, 0), ("x//3", lambda x: x // 3, 1),
        ("x%3", lambda x: x % 3, 1), ("x**2", lambda x: x**2, 8), ("x==1", lambda x: x == 1, 0), ("x>-0.25", lambda x: x > -0.25, 0),
        ("x&1", lambda x: x & 1, 0), ("x<<2", lambda x: x << 2, 2), ("x>>1", lambda x: x >> 1, 0), ("nan*x", lambda x: x * float("nan"), 0),
        ("threshold", lambda x: F.threshold(x, 0.5, -1.0), 0), ("nan_to_num", lambda x: torch.nan_to_num(x, 1.0, 2.0, -2.0), 0),
    ))  # fmt: skip
    state = m.joined((k,), more)
    if name in ("x//3", "x%3", "x==1", "x>-0.25", "threshold", "nan_to_num") and not state.exact:
        return
    if name in ("nan*x", "x%3"):
        state.wild = True
    m.do(name, function, k, state=state)


def _cast(m: Maker) -> None:
    k = m.any(exact=True, tame=True)
    if k is None or m.states[k].bits > 12:
        return
    dtype = m.pick((torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int8, torch.bool))
    m.do(f"to {dtype}", lambda x: x.to(dtype), k, view=True)


def _index(m: Maker, x: Any) -> tuple[Any, ...]:
    made: list[Any] = []
    for n in x.shape:
        how = m.choose(5)
        if how == 0 or n == 0:
            made.append(slice(None))
        elif how == 1:
            made.append(m.choose(n))
        elif how == 2:
            start = m.choose(n)
            made.append(slice(start, None, 1 + m.choose(3)))
        elif how == 3:
            made.append(slice(None, 1 + m.choose(n)))
        else:
            made.append(slice(m.choose(n), None))
    return tuple(made)


def _view(m: Maker, k: int | None = None) -> int | None:
    k = m.any() if k is None else k
    if k is None:
        return None
    x = m.tensors[k]
    d = x.dim()
    name = m.pick(("transpose", "permute", "slice", "flip", "expand", "unsqueeze", "squeeze", "flatten", "diagonal", "unfold",
                   "as_strided", "reshape", "narrow", "T", "view_dtype", "chunk", "movedim", "roll"))  # fmt: skip
    function: Any = None
    if name == "transpose" and d:
        a, b = m.choose(d), m.choose(d)
        function = lambda x: x.transpose(a, b)
    elif name == "permute" and d:
        order = list(range(d))
        for i in range(d):
            j = m.choose(d)
            order[i], order[j] = order[j], order[i]
        function = lambda x: x.permute(order)
    elif name == "slice" and d:
        index = _index(m, x)
        function = lambda x: x[index]
    elif name == "flip" and d:
        a = m.choose(d)
        function = lambda x: x.flip(a)
    elif name == "roll" and d:
        a, by = m.choose(d), m.choose(3) - 1
        function = lambda x: x.roll(by, a)
    elif name == "expand":
        shape = tuple(3 if n == 1 else n for n in x.shape)
        function = lambda x: x.expand(2, *shape)
    elif name == "unsqueeze":
        a = m.choose(d + 1)
        function = lambda x: x.unsqueeze(a)
    elif name == "squeeze":
        function = lambda x: x.squeeze()
    elif name == "flatten":
        function = lambda x: x.reshape(-1)
    elif name == "diagonal" and d >= 2:
        by = m.choose(3) - 1
        function = lambda x: x.diagonal(by, 0, d - 1)
    elif name == "unfold" and d and x.shape[0] >= 2:
        step = 1 + m.choose(2)
        function = lambda x: x.unfold(0, 2, step)
    elif name == "as_strided" and x.numel() >= 4 and x._spec.is_dense:
        function = lambda x: x.as_strided((2, 2), (1, 2), x.storage_offset())
    elif name == "reshape" and x.numel() % 2 == 0 and x.numel():
        function = lambda x: x.reshape(2, -1)
    elif name == "narrow" and d and x.shape[-1]:
        start = m.choose(x.shape[-1])
        function = lambda x: x.narrow(-1, start, x.shape[-1] - start)
    elif name == "T" and d == 2:
        function = lambda x: x.T
    elif name == "view_dtype" and x.dtype is torch.int32:
        function = lambda x: x.view(torch.int16) if x.dim() and x.stride(-1) == 1 else x
    elif name == "chunk" and d and x.shape[0] >= 2:
        function = lambda x: x.chunk(2)[1]
    elif name == "movedim" and d >= 2:
        function = lambda x: x.movedim(0, -1)
    if function is None:
        return None
    return len(m.tensors) - 1 if m.do(name, function, k, view=True) else None


def _written(m: Maker) -> None:
    k = m.any()
    if k is None:
        return
    if m.choose(2):
        viewed = _view(m, k)
        k = viewed if viewed is not None else k
    x = m.tensors[k]
    name = m.pick(("add_", "mul_", "copy_", "zero_", "fill_", "masked_fill_", "clamp_", "set", "sub_self", "copy_flipped", "neg_",
                   "exp_", "addcmul_", "set_mask", "add_row", "swap"))  # fmt: skip
    other = m.any(exact=m.states[k].exact and x.dtype in INTEGERS, tame=not x.is_floating_point())
    if other is None or (not x.is_floating_point() and m.tensors[other].is_floating_point() and not m.states[other].exact):
        return
    if m.tensors[other].is_complex() and not x.is_complex():
        return
    if not x.is_floating_point() and m.states[other].bits > 12:
        return
    more, exact, operands, function = 1.0, True, (k, other), None
    if name == "add_":
        function = lambda x, y: (x.add_(y), None)[1]
    elif name == "mul_":
        function, more = (lambda x, y: (x.mul_(y), None)[1]), m.states[other].bits
    elif name == "copy_":
        function = lambda x, y: (x.copy_(y), None)[1]
    elif name == "zero_":
        function, operands = (lambda x: (x.zero_(), None)[1]), (k,)
    elif name == "fill_":
        function, operands = (lambda x: (x.fill_(2), None)[1]), (k,)
    elif name == "masked_fill_":
        if not m.states[other].exact:
            return
        function = lambda x, y: (x.masked_fill_(y != 0, 3), None)[1]
    elif name == "clamp_":
        function, operands = (lambda x: (x.clamp_(0, 1), None)[1]), (k,)
    elif name == "neg_":
        function, operands = (lambda x: (x.neg_(), None)[1]), (k,)
    elif name == "exp_":
        if not x.is_floating_point() or not m.states[k].exact:
            return
        function, operands, exact = (lambda x: (x.exp_(), None)[1]), (k,), False
    elif name == "addcmul_":
        function, more = (lambda x, y: (x.addcmul_(x, y, value=0.5), None)[1]), m.states[other].bits
    elif name == "sub_self":
        function, operands = (lambda x: (x.sub_(x.sum() if x.is_floating_point() else x), None)[1]), (k,)
        more, exact = 8.0, m.states[k].bits + 8 < BITS.get(x.dtype, 50)
    elif name == "copy_flipped" and x.dim():
        function, operands = (lambda x: (x.copy_(x.flip(0)), None)[1]), (k,)
    elif name == "swap" and x.dim() >= 2 and x.shape[0] == x.shape[1]:
        function, operands = (lambda x: (x.copy_(x.transpose(0, 1)), None)[1]), (k,)
    elif name == "set" and x.dim():
        index = _index(m, x)

        def function(x: Any, y: Any) -> None:
            x[index] = y

    elif name == "set_mask":
        if not m.states[k].exact:
            return

        def function(x: Any) -> None:
            x[x > 0] = 1

        operands = (k,)
        if x.is_complex():
            return
    elif name == "add_row" and x.dim() and x.shape[0] > 1:

        def function(x: Any) -> None:
            x[1:] += x[:-1]

        operands = (k,)
    if function is None:
        return
    if m.do(name, function, *operands) is not None:
        m.write(k, *operands[1:], more=more, exact=exact)
        if exact is False:
            m.states[k].depth += 1
            m.states[k].bits = 60


def _axes(m: Maker, x: Any) -> Any:
    d = x.dim()
    if not d or m.choose(3) == 0:
        return None
    return tuple(a for a in range(d) if m.choose(2)) or (m.choose(d),)


def _reduced(m: Maker) -> None:
    k = m.any()
    if k is None:
        return
    x, state = m.tensors[k], m.joined((k,))
    axes, keep = _axes(m, x), bool(m.choose(2))
    size = x.numel() if axes is None else int(np.prod([x.shape[a] for a in axes]))
    name = m.pick(("sum", "mean", "amax", "amin", "any", "all", "argmax", "var", "logsumexp", "softmax", "log_softmax", "cumsum",
                   "norm", "count_nonzero", "max", "prod", "layer_norm", "argmin", "sort", "cummax", "nansum"))  # fmt: skip
    more = float(np.log2(max(size, 1))) + 1
    limit = BITS.get(x.dtype, 60)
    exact = state.exact and state.bits + more < limit and name != "mean"
    sums = State(state.bits + more, exact, state.wild, state.depth + (not state.exact))
    smooth = State(60, False, state.wild, state.depth + 1)
    where = axes if axes is not None else tuple(range(x.dim()))
    one = where[0] if where else 0
    if name in ("any", "all", "argmax", "argmin", "count_nonzero", "max", "sort", "cummax") and not state.exact:
        return
    table: dict[str, tuple[Any, State]] = {
        "sum": (lambda x: x.sum(where, keepdim=keep) if where else x.sum(), sums),
        "nansum": (lambda x: x.nansum(where, keepdim=keep) if where else x.nansum(), sums),
        "mean": (lambda x: x.mean(where, keepdim=keep) if where else x.mean(), smooth),
        "amax": (lambda x: x.amax(where, keepdim=keep), state), "amin": (lambda x: x.amin(where, keepdim=keep), state),
        "any": (lambda x: x.any(one) if where else x.any(), State()), "all": (lambda x: x.all(one) if where else x.all(), State()),
        "argmax": (lambda x: x.argmax(one if where else None, keepdim=keep), State(8)),
        "argmin": (lambda x: x.argmin(one if where else None, keepdim=keep), State(8)),
        "var": (lambda x: x.var(where, correction=0, keepdim=keep), smooth),
        "logsumexp": (lambda x: x.logsumexp(where or (0,), keepdim=keep), smooth),
        "softmax": (lambda x: x.softmax(one), smooth), "log_softmax": (lambda x: x.log_softmax(one), smooth),
        "cumsum": (lambda x: x.cumsum(one), sums), "norm": (lambda x: x.norm(dim=where or None, keepdim=keep), smooth),
        "count_nonzero": (lambda x: x.count_nonzero(where or None), State(8)),
        "max": (lambda x: x.max(one, keepdim=keep), state), "prod": (lambda x: x.prod(one, keepdim=keep), smooth),
        "layer_norm": (lambda x: F.layer_norm(x, tuple(x.shape[-1:])), smooth),
        "sort": (lambda x: torch.sort(x, one, stable=True)[0], state), "cummax": (lambda x: x.cummax(one)[0], state),
    }  # fmt: skip
    function, after = table[name]
    if name in ("layer_norm", "var", "norm", "mean", "softmax", "log_softmax", "logsumexp") and state.depth > 1:
        return
    m.do(f"{name} {where} {keep}", function, k, state=after)


def _products(m: Maker) -> None:
    k = m.any(dims=2)
    if k is None:
        return
    x = m.tensors[k]
    name = m.pick(("gram", "matvec", "cat", "stack", "gather", "index_select", "pad", "tril", "outer", "einsum", "scatter_add",
                   "mask", "one_hot", "embedding", "pool"))  # fmt: skip
    state = m.joined((k,))
    n = x.shape[-1]
    contracted = State(
        2 * state.bits + 8, state.exact and 2 * state.bits + 8 < BITS.get(x.dtype, 60), state.wild, state.depth + (not state.exact)
    )
    same = m.joined((k,), 1)
    table: dict[str, tuple[Any, State]] = {
        "gram": (lambda x: x @ x.transpose(-1, -2), contracted), "matvec": (lambda x: x @ x[..., 0, :], contracted),
        "einsum": (lambda x: torch.einsum("...ij,...kj->...ik", x, x), contracted),
        "outer": (lambda x: x[..., :1] * x[..., :1, :], contracted),
        "cat": (lambda x: torch.cat((x, x.flip(-1), x), -1), same), "stack": (lambda x: torch.stack((x, -x), 1), same),
        "gather": (lambda x: x.gather(-1, torch.arange(n).flip(0).expand(x.shape)), same),
        "index_select": (lambda x: x.index_select(-1, torch.arange(n) // 2), same),
        "pad": (lambda x: F.pad(x, (1, 2), value=3.0), same), "tril": (lambda x: x.tril(), same),
        "scatter_add": (lambda x: torch.zeros_like(x).scatter_add(-1, (torch.arange(n) // 2).expand(x.shape), x), same),
        "mask": (lambda x: torch.where(torch.arange(n) < torch.arange(x.shape[-2])[:, None], x, x.new_zeros(())), same),
        "one_hot": (lambda x: x * F.one_hot(torch.arange(n) % 3, 3).sum(1).to(x.dtype), same),
        "embedding": (lambda x: F.embedding(torch.arange(6).reshape(2, 3) % x.shape[0], x), same),
        "pool": (lambda x: F.max_pool1d(x, 2) if x.dim() == 3 else F.max_pool1d(x[None], 2)[0], same),
    }  # fmt: skip
    if not n:
        return
    function, after = table[name]
    m.do(name, function, k, state=after)


def _gradient(m: Maker) -> None:
    k = m.any(floating=True)
    if k is None or m.states[k].depth > 1 or m.states[k].wild or m.states[k].bits > 30 or not m.tensors[k].numel():
        return
    name = m.pick(("softmax", "gelu", "layer_norm", "cross_entropy", "square", "tanh", "prod", "amax", "batch_norm", "linear", "conv"))
    weight = m.any(floating=True)

    def loss(x: Any, w: Any) -> Any:
        if name == "softmax":
            return (x.softmax(-1) * torch.arange(x.shape[-1] if x.dim() else 1)).sum()
        if name == "gelu":
            return (F.gelu(x) * x).sum()
        if name == "layer_norm":
            return (F.layer_norm(x, x.shape[-1:]) ** 3).sum()
        if name == "cross_entropy":
            return F.cross_entropy(x.reshape(-1, x.shape[-1]), torch.arange(x.numel() // x.shape[-1]) % x.shape[-1])
        if name == "square":
            return (x * x.transpose(0, -1)).mean() if x.dim() else x * x
        if name == "tanh":
            return (x.tanh() * x.flip(0)).sum() if x.dim() else x.tanh()
        if name == "prod":
            return (x * w).sum()
        if name == "amax":
            return (x.amax(-1) ** 2).sum()
        if name == "batch_norm":
            return (F.batch_norm(x, None, None, training=True) ** 3).sum()
        if name == "linear":
            return (F.linear(x, x.reshape(-1, x.shape[-1])[:3]) ** 2).sum()
        return (F.conv1d(x, x[:, :, :2]) ** 2).mean()

    def function(x: Any, w: Any) -> Any:
        x = x.detach().clone().requires_grad_()
        value = loss(x, w.detach())
        (gradient,) = torch.autograd.grad(value, x)
        return value.detach(), gradient

    m.do(f"gradient of {name}", function, k, weight if weight is not None else k, state=State(60, False, True, 3))


_KINDS = (
    _leaf, _unary, _unary, _smooth, _smooth, _binary, _binary, _binary, _number, _number, _cast, _view, _view, _view, _view,
    _written, _written, _written, _reduced, _reduced, _reduced, _products, _products, _gradient,
)  # fmt: skip
