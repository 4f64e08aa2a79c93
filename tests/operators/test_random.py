"""Random operators give PyTorch's numbers in PyTorch's order, and refuse what it refuses."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

FLOATS = ("float32", "float64", "float16", "bfloat16")
SHAPES = ((), (1,), (15,), (16,), (3, 5), (4, 33), (0,), (2, 0))


def seed_both(seed: int = 0) -> None:
    flambeau.manual_seed(seed)
    torch.manual_seed(seed)


def same(ours: Any, theirs: Any) -> None:
    """Equal in dtype, shape, strides and every bit."""
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert ours.stride() == theirs.stride()
    assert ours.tolist() == theirs.tolist()


def ramp(package: Any, start: int, stop: int) -> Any:
    """The floats from ``start`` up to ``stop``."""
    return package.tensor([float(each) for each in range(start, stop)])


def both(code: str, seed: int = 0) -> None:
    """One expression, evaluated with either package as ``torch``, from the same seed; the streams stay together."""
    seed_both(seed)
    same(*[eval(code, {"torch": package, "ramp": partial(ramp, package)}) for package in (flambeau, torch)])
    assert flambeau.get_rng_state().tolist() == torch.get_rng_state().tolist()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS)
def test_new_tensors(dtype: str, shape: tuple[int, ...]) -> None:
    for name in ("rand", "randn"):
        both(f"torch.{name}({shape}, dtype=torch.{dtype})")
        both(f"torch.{name}_like(torch.zeros({shape}, dtype=torch.{dtype}))")
    both(f"torch.randint(-3, 10, {shape}, dtype=torch.{dtype})")
    both(f"torch.randint_like(torch.zeros({shape}, dtype=torch.{dtype}), 7)")
    both(f"torch.normal(1.5, 2.0, {shape}, dtype=torch.{dtype})")


@pytest.mark.parametrize(
    "code",
    [
        "torch.rand(2, 3)", "torch.rand([2, 3])", "torch.rand(size=(2, 3))", "torch.rand(3, dtype=torch.complex64)",
        "torch.randn(2, 3, 16)", "torch.randn(20, dtype=torch.complex128)", "torch.rand(3, generator=None)",
        "torch.randint(5, (3, 4))", "torch.randint(2, 5, (3, 4))", "torch.randint(high=5, size=(3,))",
        "torch.randint(2, high=5, size=(3,))", "torch.randint(low=2, high=5, size=[3])",
        "torch.randint(0, 256, (9,), dtype=torch.uint8)", "torch.randint(2**40, (9,))",
        "torch.randint(-2**63, 2**63 - 1, (9,))", "torch.randint(torch.tensor(4), (2,))",
        "torch.randint_like(torch.zeros(3, 4, dtype=torch.int64), 2, 9)",
        "torch.randperm(0)", "torch.randperm(1)", "torch.randperm(30)", "torch.randperm(1000)",
        "torch.randperm(30, dtype=torch.int32)", "torch.randperm(30, dtype=torch.float16)",
        "torch.randperm(256, dtype=torch.uint8)",
        "torch.normal(ramp(0, 20), 2.0)", "torch.normal(ramp(0, 20))", "torch.normal(3.0, torch.ones(20))",
        "torch.normal(ramp(0, 4), ramp(0, 12).reshape(3, 4))",
        "torch.normal(torch.zeros(3, dtype=torch.float64), torch.ones(3))",
        "torch.bernoulli(torch.full((4, 9), 0.3))", "torch.bernoulli(torch.zeros(9, dtype=torch.int64), 0.4)",
        "torch.bernoulli(torch.full((9,), 0.3, dtype=torch.float64))", "torch.zeros(7).bernoulli(0.5)",
        "torch.full((7,), 0.5).bernoulli()",
        "torch.multinomial(ramp(1, 9), 3)", "torch.multinomial(ramp(0, 9), 20, True)",
        "torch.multinomial(ramp(1, 13).reshape(3, 4), 2)",
        "ramp(1, 13).reshape(3, 4).multinomial(5, replacement=True)",
        "torch.multinomial(ramp(1, 13).reshape(3, 4).t(), 2)",
        "torch.multinomial(ramp(1, 13).reshape(3, 4).t(), 9, True)",
        "torch.poisson(ramp(0, 30))", "torch.binomial(ramp(0, 30), torch.full((30,), 0.3))",
        "torch._standard_gamma(ramp(1, 9))", "torch._sample_dirichlet(torch.ones(3, 4))",
    ],
)  # fmt: skip
def test_forms_of_calls(code: str) -> None:
    both(code, 1)
    both(code, 2)


IN_PLACE = (
    "uniform_()", "uniform_(-2, 5)", "uniform_(to=3)", "normal_()", "normal_(2, 0.5)", "normal_(std=2.0)", "random_()",
    "random_(17)", "random_(3, 17)", "random_(3, None)", "exponential_()", "exponential_(lambd=3)", "cauchy_()",
    "cauchy_(1, 2)", "log_normal_()", "log_normal_(0, 0.25)", "geometric_(0.2)", "bernoulli_()", "bernoulli_(0.2)",
    "bernoulli_(torch.tensor(0.7))",
)  # fmt: skip


@pytest.mark.parametrize("call", IN_PLACE)
@pytest.mark.parametrize("dtype", FLOATS)
def test_in_place(dtype: str, call: str) -> None:
    for shape in SHAPES:
        both(f"torch.zeros({shape}, dtype=torch.{dtype}).{call}")


@pytest.mark.parametrize("call", ("random_()", "random_(17)", "random_(3, None)", "geometric_(0.2)", "bernoulli_(0.3)"))
@pytest.mark.parametrize("dtype", ("uint8", "int8", "int16", "int32", "int64"))
def test_in_place_of_integers(dtype: str, call: str) -> None:
    both(f"torch.zeros(5, 9, dtype=torch.{dtype}).{call}")


@pytest.mark.parametrize("call", IN_PLACE)
def test_numbers_follow_memory_order(call: str) -> None:
    """Of a transposed tensor, and of one with gaps, the elements are drawn as they lie in memory."""
    both(f"torch.zeros(6, 5).t().{call}")
    both(f"torch.zeros(2, 3, 4).permute(1, 2, 0).{call}")
    for window in ("x.unfold(1, 1, 2)", "x.narrow(0, 1, 2)", "x.t().unfold(0, 1, 2)", "x.select(1, 1)"):
        results = []
        seed_both(4)
        for package in (flambeau, torch):
            x = package.zeros(4, 40)
            eval(f"{window}.{call}", {"x": x, "torch": package})
            results.append(x)
        same(*results)
        assert flambeau.get_rng_state().tolist() == torch.get_rng_state().tolist()


def test_like_keeps_the_layout() -> None:
    for name in ("rand_like(x)", "randn_like(x)", "randint_like(x, 9)", "bernoulli(x)"):
        both(f"torch.{name.replace('x', 'torch.zeros(6, 5).t()')}")
        both(f"torch.{name.replace('x', 'torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)')}")


def test_out() -> None:
    for code in (
        "torch.rand(3, out=torch.empty(3, dtype=torch.float64))", "torch.randint(3, (4,), out=torch.empty(4))",
        "torch.randperm(5, out=torch.empty(5))",
        "torch.bernoulli(torch.ones(3), out=torch.empty(3, dtype=torch.int64))",
        "torch.normal(torch.ones(3), 1.0, out=torch.empty(3))", "torch.randn(20, out=torch.empty(20))",
        "torch.multinomial(torch.ones(4), 2, out=torch.empty(2, dtype=torch.int64))",
    ):  # fmt: skip
        both(code)


@pytest.mark.parametrize(
    "code",
    [
        "torch.zeros(3, dtype=torch.int64).uniform_()", "torch.zeros(3).uniform_(2, 1)",
        "torch.zeros(3).uniform_(0, 1e40)",
        "torch.zeros(3).uniform_(-3e38, 3e38)", "torch.zeros(3, dtype=torch.int64).normal_()",
        "torch.zeros(3).normal_(0, -1)", "torch.zeros(3).exponential_(0)",
        "torch.zeros(3, dtype=torch.int64).exponential_()",
        "torch.zeros(3).cauchy_(0, 0)", "torch.zeros(3).log_normal_(0, 0)", "torch.zeros(3).geometric_(0)",
        "torch.zeros(3).geometric_(1)", "torch.zeros(3).bernoulli_(1.5)", "torch.zeros(3).bernoulli_(float('nan'))",
        "torch.zeros(3).random_(5, 5)", "torch.zeros(3, dtype=torch.uint8).random_(-1, 5)",
        "torch.zeros(3).random_(-5)",
        "torch.zeros(3, dtype=torch.uint8).random_(0, 257)", "torch.zeros(3).random_(1.5, 3.5)",
        "torch.randint(5, 5, (2,))", "torch.randint(0, (2,))", "torch.randint(3, (2,), dtype=torch.bool)",
        "torch.randint(10, 2)", "torch.randint(1.5, (2,))", "torch.randint((2,))", "torch.randint(3, 5, 7, (2,))",
        "torch.rand(2, dtype=torch.int64)", "torch.rand(-1)", "torch.rand('a')", "torch.rand(2.5)", "torch.rand()",
        "torch.rand(2, generator=3)", "torch.rand_like(torch.zeros(3, dtype=torch.int64))", "torch.rand_like([1])",
        "torch.randperm(-1)", "torch.randperm(300, dtype=torch.uint8)", "torch.randperm(3000, dtype=torch.float16)",
        "torch.randperm(2, dtype=torch.bool)", "torch.randperm(2.5)", "torch.normal(0, 1)", "torch.normal(2.0)",
        "torch.normal(torch.zeros(3), -1)", "torch.normal(0.0, torch.tensor([-1.0]))",
        "torch.normal(torch.zeros(2), torch.zeros(3))", "torch.bernoulli(torch.ones(3, dtype=torch.int64))",
        "torch.bernoulli(torch.ones(3) * 2)", "torch.bernoulli([1])", "torch.zeros(2).bernoulli_(torch.zeros(3))",
        "torch.multinomial(torch.zeros(3), 1)", "torch.multinomial(torch.ones(3), 4)",
        "torch.multinomial(torch.ones(3), 0)",
        "torch.multinomial(torch.ones(2, 2, 2), 1)", "torch.multinomial(torch.ones(3, dtype=torch.int64), 1)",
        "torch.multinomial(torch.tensor([1.0, -1.0]), 1)", "torch.multinomial(torch.ones(3), 2, out=torch.empty(0))",
        "torch.poisson(torch.tensor([-1.0]))", "torch.poisson(torch.ones(3, dtype=torch.int64))",
        "torch.binomial(torch.ones(3), torch.ones(3, dtype=torch.float64))", "torch.zeros(1).expand(3).normal_()",
        "torch.binomial(torch.ones(3, dtype=torch.int64), torch.ones(3))", "torch.randint(3, (2,), requires_grad=True)",
        "torch.rand(3, out=torch.empty(3), dtype=torch.float64)", "torch.zeros(3, requires_grad=True).normal_()",
    ],
)  # fmt: skip
def test_errors(code: str) -> None:
    with pytest.raises(Exception) as theirs:
        eval(code, {"torch": torch})
    before = flambeau.get_rng_state().tolist()
    with pytest.raises(type(theirs.value)) as ours:
        eval(code, {"torch": flambeau})
    assert str(ours.value)
    assert flambeau.get_rng_state().tolist() == before


def test_gradients_are_zero() -> None:
    """Nothing about the numbers depends on what was there before, and the tape says so under PyTorch's names."""
    for call in (
        "uniform_()", "normal_()", "random_()", "random_(3)", "random_(2, 5)", "bernoulli_()",
        "bernoulli_(torch.ones(3))",
        "cauchy_()", "log_normal_()", "exponential_()", "geometric_(0.5)",
    ):  # fmt: skip
        names = []
        for package in (flambeau, torch):
            leaf = package.ones(3, requires_grad=True)
            x = leaf * 2
            eval(f"x.{call}", {"x": x, "torch": package})
            x.sum().backward()
            assert leaf.grad.tolist() == [0.0, 0.0, 0.0]
            names.append(type(x.grad_fn).__name__ if package is torch else x.grad_fn.name())
        assert names[0] == names[1]
    for code in (
        "torch.bernoulli(p)", "torch.normal(p, 1.0)", "torch.normal(1.0, p)", "torch.normal(torch.ones(3), p)",
        "torch.poisson(p)",
    ):  # fmt: skip
        names = []
        for package in (flambeau, torch):
            p = package.full((3,), 0.5, requires_grad=True)
            x = eval(code, {"p": p, "torch": package})
            x.sum().backward()
            assert p.grad.tolist() == [0.0, 0.0, 0.0]
            names.append(type(x.grad_fn).__name__ if package is torch else x.grad_fn.name())
        assert names[0] == names[1]
    assert flambeau.rand(3, requires_grad=True).requires_grad
    assert not flambeau.multinomial(flambeau.ones(3, requires_grad=True), 2).requires_grad


def test_numbers_are_drawn_when_called() -> None:
    """Not when they are needed: looking at results in another order changes nothing."""
    flambeau.manual_seed(5)
    first, second = flambeau.rand(4), flambeau.zeros(4)
    second.normal_()
    third = flambeau.rand(4) + second
    assert third.tolist() and second.tolist() and first.tolist()
    torch.manual_seed(5)
    expected = torch.rand(4), torch.zeros(4).normal_()
    assert first.tolist() == expected[0].tolist() and second.tolist() == expected[1].tolist()
    assert third.tolist() == (torch.rand(4) + expected[1]).tolist()


def test_in_place_is_seen_through_every_alias() -> None:
    x = flambeau.zeros(4, 4)
    version, address = x._version, x.data_ptr()
    row, array = x.select(0, 1), x.numpy()
    row.normal_()
    assert x.tolist()[1] == row.tolist() == array[1].tolist() and x.tolist()[0] == [0.0] * 4
    assert x._version == version + 1 and x.data_ptr() == address


def test_a_generator_of_ones_own() -> None:
    ours, theirs = flambeau.Generator().manual_seed(9), torch.Generator().manual_seed(9)
    default = flambeau.get_rng_state().tolist()
    same(flambeau.rand(3, generator=ours), torch.rand(3, generator=theirs))
    same(flambeau.zeros(3).normal_(generator=ours), torch.zeros(3).normal_(generator=theirs))
    same(flambeau.randperm(9, generator=ours), torch.randperm(9, generator=theirs))
    assert ours.get_state().tolist() == theirs.get_state().tolist()
    assert flambeau.get_rng_state().tolist() == default
    state = ours.get_state()
    assert state.dtype is flambeau.uint8 and state.shape == (5056,)
    expected = flambeau.rand(5, generator=ours).tolist()
    ours.set_state(state)
    assert flambeau.rand(5, generator=ours).tolist() == expected
    twin = pickle.loads(pickle.dumps(ours))
    assert flambeau.rand(5, generator=ours).tolist() == flambeau.rand(5, generator=twin).tolist()


def test_seeding_and_states() -> None:
    assert flambeau.manual_seed(3) is flambeau.default_generator
    assert flambeau.initial_seed() == 3
    state = flambeau.get_rng_state()
    first = flambeau.randn(5).tolist()
    flambeau.set_rng_state(state)
    assert flambeau.randn(5).tolist() == first
    torch.set_rng_state(torch.tensor(state.tolist(), dtype=torch.uint8))
    assert torch.randn(5).tolist() == first
    with flambeau.random.fork_rng():
        inside = flambeau.rand(3).tolist()
        flambeau.manual_seed(100)
    assert flambeau.rand(3).tolist() == inside
    with flambeau.random.fork_rng(enabled=False):
        flambeau.manual_seed(100)
    assert flambeau.initial_seed() == 100
    fresh = flambeau.seed()
    assert fresh != flambeau.Generator().initial_seed()
    assert flambeau.initial_seed() == fresh
    for wrong in (3, flambeau.zeros(3), flambeau.zeros(5056), flambeau.zeros(5056, dtype=flambeau.uint8)):
        with pytest.raises((TypeError, RuntimeError)):
            flambeau.set_rng_state(wrong)
    assert np.isfinite(flambeau.rand(3).tolist()).all()
