"""Laziness must be unobservable except in speed.

A random program of operators, views, in-place writes through views, NumPy sharing, deletions, gradients and sync
points runs three times: recorded as usual, with everything computed after each call, and in PyTorch. Whatever can be
seen along the way and every value left at the end must be the same.

FLAMBEAU_LAZINESS_EXAMPLES sets the number of programs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import flambeau
from flambeau.tracing import synchronize

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

EXAMPLES = int(os.environ.get("FLAMBEAU_LAZINESS_EXAMPLES", "120"))
LONGEST = 40
MOST_SLOTS = 12

SHAPES = ((3, 4), (4, 3), (4,), (3, 1), (2, 3, 4), (), (1, 4), (4, 4), (0, 4))
DTYPES = ("float64", "float32", "int64", "bool")
NUMBERS = (2, -1, 0.5, 3, 1.25, 0)

Instruction = tuple[str, int, int, int]


class Machine:
    """Runs instructions over slots that hold tensors and NumPy arrays; the same code for both libraries."""

    def __init__(self, library: Any, after_each: Callable[[], None] | None):
        self.library = library
        self.after_each = after_each
        self.tensors: list[Any] = []
        self.arrays: list[Any] = []
        self.seen: list[Any] = []
        library.manual_seed(0)

    def run(self, program: list[Instruction]) -> list[Any]:
        for name, first, second, number in program:
            try:
                getattr(self, name)(first, second, number)
            except (RuntimeError, TypeError, IndexError, ValueError) as error:
                kind = RuntimeError if isinstance(error, RuntimeError) else type(error)
                self.seen.append((name, kind.__name__))
            if self.after_each is not None:
                self.after_each()
        for tensor in self.tensors:
            self.observe(tensor)
        for array in self.arrays:
            self.seen.append(array.copy())
        for one in self.tensors:
            for other in self.tensors:
                same = one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
                self.seen.append(same or one.numel() == 0 or other.numel() == 0)
        return self.seen

    def observe(self, tensor: Any) -> None:
        plain = tensor.detach()
        strides = tuple(stride for stride, size in zip(plain.stride(), plain.shape) if size > 1)
        strides = strides if plain.numel() else ()
        version = plain._version if plain.numel() else 0  # PyTorch counts writes of nothing at all by the operator
        self.seen.append((tuple(plain.shape), strides, plain.storage_offset(), version))
        self.seen.append(numpy.asarray(plain.tolist(), dtype=float if plain.is_floating_point() else int))

    def pick(self, index: int) -> Any:
        if not self.tensors:
            self.create(index, index, index)
        return self.tensors[index % len(self.tensors)]

    def keep(self, tensor: Any) -> None:
        self.tensors.append(tensor)
        if len(self.tensors) > MOST_SLOTS:
            del self.tensors[0]

    def target(self, index: int) -> Any:
        """A tensor to write to, copied where elements share memory: PyTorch leaves the order of such writes open."""
        tensor = self.pick(index)
        if 0 in tensor.shape:
            return tensor
        least = 0
        for stride, size in sorted((stride, size) for stride, size in zip(tensor.stride(), tensor.shape) if size > 1):
            if stride <= least:
                self.keep(tensor.clone())
                return self.tensors[-1]
            least += stride * (size - 1)
        return tensor

    def apart(self, tensor: Any, target: Any) -> Any:
        """The operand of a write, copied where it lies in the memory written to: PyTorch leaves overlap undefined."""
        shares = tensor.untyped_storage().data_ptr() == target.untyped_storage().data_ptr()
        return tensor.clone() if shares and tensor is not target else tensor

    # Making tensors

    def create(self, first: int, second: int, number: int) -> None:
        shape = SHAPES[first % len(SHAPES)]
        count = int(numpy.prod(shape, dtype=int))
        values = (numpy.arange(count) * (2 * number + 1) + second) % 7 - 3
        dtype = DTYPES[second % len(DTYPES)]
        self.keep(
            self.library.tensor(values.reshape(shape).tolist(), dtype=getattr(self.library, dtype)).reshape(shape)
        )

    def random(self, first: int, second: int, number: int) -> None:
        source = self.pick(first)
        self.keep(self.library.rand(tuple(source.shape), dtype=self.library.float64) - 0.5)

    # Operators

    def pointwise(self, first: int, second: int, number: int) -> None:
        operators = (
            lambda x: x.sin(),
            lambda x: -x,
            lambda x: x.abs(),
            lambda x: x * 0.5 + 1,
            lambda x: x.tanh(),
            lambda x: x.clamp(-1, 2),
            lambda x: x.to(self.library.float64),
            lambda x: x.clone(),
        )
        self.keep(operators[number % len(operators)](self.pick(first)))

    def binary(self, first: int, second: int, number: int) -> None:
        operators = (
            lambda x, y: x + y,
            lambda x, y: x * y,
            lambda x, y: x - y,
            lambda x, y: self.library.where(x > 0, x, y),
            lambda x, y: self.library.maximum(x, y),
            lambda x, y: x @ y,
        )
        self.keep(self.bounded(operators[number % len(operators)](self.pick(first), self.pick(second))))

    def bounded(self, tensor: Any) -> Any:
        """Repeated products must not overflow, where rounding would decide the result."""
        return tensor.clamp(-50, 50) if tensor.dtype != self.library.bool else tensor

    def reduction(self, first: int, second: int, number: int) -> None:
        operators = (
            lambda x: x.sum(),
            lambda x: x.sum(0),
            lambda x: x.amax(-1, keepdim=True),
            lambda x: x.cumsum(0),
            lambda x: x.to(self.library.float64).mean(-1),
        )
        self.keep(self.bounded(operators[number % len(operators)](self.pick(first))))

    def gather(self, first: int, second: int, number: int) -> None:
        source = self.pick(first)
        operators = (
            lambda x: self.library.cat([x, x], 0),
            lambda x: x[[0, -1]],
            lambda x: x[x > 0],
            lambda x: x.flip(0),
            lambda x: x.roll(1, -1),
            lambda x: self.library.stack([x, self.pick(second)], 0),
        )
        self.keep(operators[number % len(operators)](source))

    # Views

    def view(self, first: int, second: int, number: int) -> None:
        views = (
            lambda x: x.transpose(0, -1),
            lambda x: x[1:],
            lambda x: x[..., ::2],
            lambda x: x[0],
            lambda x: x.view(-1),
            lambda x: x.reshape(-1),
            lambda x: x.unsqueeze(0),
            lambda x: x.squeeze(),
            lambda x: x.expand(2, *x.shape),
            lambda x: x.diagonal(),
            lambda x: x.narrow(-1, 1, 2),
            lambda x: x.detach(),
            lambda x: x.unbind(0)[-1],
            lambda x: x.split(2)[0],
            lambda x: x.unfold(-1, 2, 1),
            lambda x: x.as_strided((2, 2), (1, 1)),
        )
        self.keep(views[number % len(views)](self.pick(first)))

    # Writes

    def write(self, first: int, second: int, number: int) -> None:
        target = self.target(first)
        operand = self.apart(self.pick(second), target)
        value = NUMBERS[number % len(NUMBERS)]
        writes = (
            lambda x, y: x.add_(value),
            lambda x, y: x.mul_(value),
            lambda x, y: x.copy_(y),
            lambda x, y: x.fill_(value),
            lambda x, y: x.zero_(),
            lambda x, y: x.add_(y),
            lambda x, y: x.sin_(),
            lambda x, y: x.masked_fill_(x > 0, value),
            lambda x, y: x.clamp_(-1, 1),
        )
        writes[second % len(writes)](target, operand)
        if target.is_floating_point() or target.dtype == self.library.int64:
            target.clamp_(-50, 50)

    def assign(self, first: int, second: int, number: int) -> None:
        target = self.target(first)
        value = NUMBERS[number % len(NUMBERS)]
        source = self.apart(self.pick(second), target)
        kind = second % 7
        if kind == 0:
            target[0] = value
        elif kind == 1:
            target[..., 1:] = value
        elif kind == 2:
            target[target > 0] = value
        elif kind == 3:
            target[[0, -1]] = value
        elif kind == 4:
            target[:] = source
        elif kind == 5:
            target[0] = source[0]
        else:
            target.T[0] = value

    def out(self, first: int, second: int, number: int) -> None:
        target = self.target(first)
        source = self.apart(self.pick(second), target)
        if tuple(source.shape) == tuple(target.shape):
            self.library.mul(source, NUMBERS[number % len(NUMBERS)], out=target)

    # NumPy

    def to_numpy(self, first: int, second: int, number: int) -> None:
        self.arrays.append(self.pick(first).detach().numpy())

    def from_numpy(self, first: int, second: int, number: int) -> None:
        if self.arrays:
            self.keep(self.library.from_numpy(self.arrays[first % len(self.arrays)]))
        else:
            array = numpy.arange(12.0).reshape(3, 4) % 5 - number
            self.arrays.append(array)
            self.keep(self.library.from_numpy(array))

    def write_numpy(self, first: int, second: int, number: int) -> None:
        if self.arrays:
            array = self.arrays[first % len(self.arrays)]
            if array.ndim == 0 or array.flags.writeable is False:
                array[...] = number
            elif second % 2:
                array[...] = number
            else:
                array[:1] = -number

    def read_numpy(self, first: int, second: int, number: int) -> None:
        if self.arrays:
            self.seen.append(self.arrays[first % len(self.arrays)].copy())

    # Deletions and sync points

    def delete(self, first: int, second: int, number: int) -> None:
        if self.tensors:
            del self.tensors[first % len(self.tensors)]

    def delete_array(self, first: int, second: int, number: int) -> None:
        if self.arrays:
            del self.arrays[first % len(self.arrays)]

    def sync(self, first: int, second: int, number: int) -> None:
        tensor = self.pick(first)
        if number % 4 == 0:
            self.observe(tensor)
        elif number % 4 == 1:
            self.seen.append(bool((tensor > 0).any()))
        elif number % 4 == 2:
            self.seen.append(len(tensor.nonzero()))
        else:
            self.seen.append(float(tensor.sum().item()))

    # Gradients

    def gradient(self, first: int, second: int, number: int) -> None:
        leaf = self.pick(first).detach().to(self.library.float64).clone().requires_grad_()
        factor = self.target(second)
        middle = leaf.sin() * factor
        if number % 5 == 1:
            middle.mul_(2)
        elif number % 5 == 2:
            middle[:1] = 3.0
        elif number % 5 == 3:
            factor.add_(1)  # saved for the derivative of the product: backward must refuse
        elif number % 5 == 4:
            middle.register_hook(lambda gradient: gradient * 2)
        middle.sum().backward()
        self.keep(leaf.grad.clone())


NAMES = (
    "create pointwise binary reduction gather view view view write write write assign assign out "
    "to_numpy from_numpy write_numpy read_numpy delete delete_array sync gradient random"
).split()

programs = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 15), st.integers(0, 15), st.integers(0, 15)),
    min_size=4,
    max_size=LONGEST,
)


def same(one: Any, other: Any, exactly: bool) -> bool:
    if isinstance(one, numpy.ndarray):
        if not isinstance(other, numpy.ndarray) or one.shape != other.shape or one.dtype != other.dtype:
            return False
        if exactly:
            return bool(numpy.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
        return bool(numpy.allclose(one, other, rtol=1e-5, atol=1e-5, equal_nan=True))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or abs(one - other) <= 1e-4 * max(1.0, abs(one))
    return bool(one == other)


def assert_same(one: list[Any], other: list[Any], exactly: bool, who: str) -> None:
    assert len(one) == len(other), f"{who}: {len(one)} observations, not {len(other)}"
    for position, (left, right) in enumerate(zip(one, other)):
        assert same(left, right, exactly), f"{who}: observation {position} is {left}, not {right}"


def run_lazily(program: list[Instruction]) -> list[Any]:
    return Machine(flambeau, None).run(program)


def run_at_once(program: list[Instruction]) -> list[Any]:
    return Machine(flambeau, synchronize).run(program)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs)
def test_recording_is_unobservable(program: list[Instruction]) -> None:
    assert_same(run_lazily(program), run_at_once(program), True, "recorded against run at once")


@pytest.mark.parity
@pytest.mark.skipif(torch is None, reason="PyTorch, the reference of this test, is not installed")
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs)
def test_recorded_programs_give_what_pytorch_gives(program: list[Instruction]) -> None:
    expected = Machine(torch, None).run(program)
    assert_same(run_lazily(program), expected, False, "recorded against PyTorch")


def test_a_program_may_be_run_twice() -> None:
    """The second recording finds the program of the first and must not find its values."""
    program: list[Instruction] = [("create", 0, 0, 1), ("pointwise", 0, 0, 0), ("write", 0, 0, 1), ("sync", 0, 0, 3)]
    first = run_lazily(program)
    changed: list[Instruction] = [("create", 0, 4, 2), *program[1:]]
    between = run_lazily(changed)
    assert_same(run_lazily(program), first, True, "the second run")
    assert_same(between, run_at_once(changed), True, "other values in the same program")


def test_an_in_place_call_with_options_is_no_rule_for_the_plain_call() -> None:
    whole, half = flambeau.tensor([4, 7]), flambeau.tensor([2, 2])
    whole.div_(half, rounding_mode="floor")
    assert flambeau.tensor([4, 7]).div(half).tolist() == [2.0, 3.5]
