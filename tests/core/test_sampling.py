"""The samplers give PyTorch's numbers, bit for bit, and leave the stream where PyTorch leaves it."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from flambeau.core import sampling
from flambeau.core.generators import Generator

torch = pytest.importorskip("torch")

SIZES = (0, 1, 2, 3, 15, 16, 17, 31, 32, 33, 100, 1000, 70000)
SMALL = tuple(size for size in SIZES if size <= 1000)
FLOATS = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
    torch.float16: np.dtype(np.float16),
    torch.bfloat16: np.dtype(ml_dtypes.bfloat16),
}
INTEGERS = {
    torch.bool: np.dtype(bool),
    torch.uint8: np.dtype(np.uint8),
    torch.int8: np.dtype(np.int8),
    torch.int16: np.dtype(np.int16),
    torch.int32: np.dtype(np.int32),
    torch.int64: np.dtype(np.int64),
}
COMPLEX = {torch.complex64: np.dtype(np.complex64), torch.complex128: np.dtype(np.complex128)}


def pair(seed: int) -> tuple[Generator, Any]:
    """A generator of ours and one of PyTorch's at the same seed."""
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def as_array(tensor: Any) -> np.ndarray[Any, Any]:
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def check_equal(ours: np.ndarray[Any, Any], theirs: Any) -> None:
    expected = as_array(theirs)
    assert ours.dtype == expected.dtype and ours.shape == expected.shape
    wrong = np.flatnonzero((ours != expected) & ~((ours != ours) & (expected != expected)))
    assert not wrong.size, (
        f"{wrong.size} of {ours.size} differ, first at {wrong[:4]}: "
        f"{ours.ravel()[wrong[:4]]} for {expected.ravel()[wrong[:4]]}"
    )


def check_state(ours: Generator, theirs: Any) -> None:
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_uniform(kind: Any, size: int) -> None:
    intervals = ((0.0, 1.0), (-0.37, 2.9), (0.0, 3.0), (1e6, 1e6 + 1), (-1e-3, 1e-3), (2.0, 2.0))
    for seed, (low, high) in enumerate(intervals):
        if kind == torch.float16 and high > 6e4:
            continue
        ours, theirs = pair(seed)
        check_equal(
            sampling.uniform(ours, size, FLOATS[kind], low, high),
            torch.empty(size, dtype=kind).uniform_(low, high, generator=theirs),
        )
        check_state(ours, theirs)


@pytest.mark.parametrize("kind", COMPLEX, ids=str)
def test_complex(kind: Any) -> None:
    for size in (*SMALL, 5000):
        ours, theirs = pair(size)
        check_equal(sampling.uniform(ours, size, COMPLEX[kind]), torch.rand(size, dtype=kind, generator=theirs))
        check_equal(sampling.normal(ours, size, COMPLEX[kind]), torch.randn(size, dtype=kind, generator=theirs))
        check_equal(
            sampling.normal(ours, (size, 2), COMPLEX[kind], 0.0, 2.5),
            torch.empty(size, 2, dtype=kind).normal_(0, 2.5, generator=theirs),
        )
        check_state(ours, theirs)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_normal(kind: Any, size: int) -> None:
    for seed, (mean, std) in enumerate(((0.0, 1.0), (0.3, 1.7), (-5.0, 0.01), (100.0, 1.0), (0.0, 0.02))):
        ours, theirs = pair(seed)
        check_equal(
            sampling.normal(ours, size, FLOATS[kind], mean, std),
            torch.empty(size, dtype=kind).normal_(mean, std, generator=theirs),
        )
        check_state(ours, theirs)


def test_normal_over_many_seeds() -> None:
    for seed in range(60):
        ours, theirs = pair(seed)
        check_equal(sampling.normal(ours, (25, 40), np.float32), torch.randn(25, 40, generator=theirs))


@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_normal_for_memory_that_is_not_contiguous(kind: Any) -> None:
    for size in (1, 15, 16, 17, 1000, 40001):
        ours, theirs = pair(size)
        check_equal(
            sampling.normal(ours, size, FLOATS[kind], 0.3, 1.7, contiguous=False),
            torch.empty(size, 2, dtype=kind)[:, 0].normal_(0.3, 1.7, generator=theirs),
        )
        check_state(ours, theirs)


@pytest.mark.parametrize("kind", {**FLOATS, **INTEGERS}, ids=str)
def test_integers_of_the_whole_range(kind: Any) -> None:
    for size in SMALL:
        ours, theirs = pair(size)
        numpy_dtype = {**FLOATS, **INTEGERS}[kind]
        check_equal(
            sampling.any_integers(ours, size, numpy_dtype), torch.empty(size, dtype=kind).random_(generator=theirs)
        )
        check_state(ours, theirs)


@pytest.mark.parametrize("values", (1, 2, 3, 10, 1000, 2**28 - 1, 2**28, 2**31, 2**32 - 1, 2**32 + 1, 2**40, 2**62))
def test_integers(values: int) -> None:
    for size in SMALL:
        for low in (0, -7, 5):
            ours, theirs = pair(size)
            check_equal(
                sampling.integers(ours, size, np.int64, low, low + values),
                torch.randint(low, low + values, (size,), generator=theirs),
            )
            check_state(ours, theirs)


def test_integers_of_other_dtypes() -> None:
    for kind, low, high in (
        (torch.uint8, 3, 200), (torch.int8, -100, 100), (torch.int16, -5, 30000), (torch.bool, 0, 2),
        (torch.int32, -(2**31), 2**31), (torch.int32, 0, 2**30), (torch.float32, -10, 2**24),
        (torch.float16, 0, 2000), (torch.bfloat16, 0, 200), (torch.float64, 0, 2**53),
    ):  # fmt: skip
        ours, theirs = pair(3)
        check_equal(
            sampling.integers(ours, 1000, {**FLOATS, **INTEGERS}[kind], low, high),
            torch.empty(1000, dtype=kind).random_(low, high, generator=theirs),
        )
        check_state(ours, theirs)


def test_integers_of_all_64_bits() -> None:
    ours, theirs = pair(5)
    check_equal(
        sampling.integers(ours, 1000, np.int64, -(2**63), 2**63),
        torch.empty(1000, dtype=torch.int64).random_(-(2**63), None, generator=theirs),
    )
    check_state(ours, theirs)


@pytest.mark.parametrize("size", (*SIZES, 255, 256, 257, 258, 300, 60000))
def test_permutation(size: int) -> None:
    for seed in range(4):
        ours, theirs = pair(seed)
        check_equal(sampling.permutation(ours, size), torch.randperm(size, generator=theirs))
        check_state(ours, theirs)


def test_permutation_of_other_dtypes() -> None:
    for kind in (torch.int32, torch.int16, torch.float32, torch.float64, torch.float16):
        ours, theirs = pair(5)
        check_equal(
            sampling.permutation(ours, 1000, {**FLOATS, **INTEGERS}[kind]),
            torch.randperm(1000, dtype=kind, generator=theirs),
        )


@pytest.mark.parametrize("kind", {**FLOATS, **INTEGERS}, ids=str)
def test_bernoulli(kind: Any) -> None:
    for seed, size in enumerate(SIZES):
        for probability in (0.0, 0.3, 0.5, 1.0):
            ours, theirs = pair(seed)
            check_equal(
                sampling.bernoulli(ours, size, {**FLOATS, **INTEGERS}[kind], probability),
                torch.empty(size, dtype=kind).bernoulli_(probability, generator=theirs),
            )
            check_state(ours, theirs)


@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_bernoulli_with_a_probability_for_each(kind: Any) -> None:
    for size in SIZES:
        probabilities = torch.linspace(0, 1, size, dtype=torch.float64).to(kind)
        ours, theirs = pair(size)
        array = as_array(probabilities)
        check_equal(sampling.bernoulli_like(ours, array, array.dtype), torch.bernoulli(probabilities, generator=theirs))
        check_equal(
            sampling.bernoulli_like(ours, array, np.int32),
            torch.empty(size, dtype=torch.int32).bernoulli_(probabilities, generator=theirs),
        )
        check_state(ours, theirs)
    with pytest.raises(RuntimeError, match="p_in"):
        sampling.bernoulli_like(Generator(), np.array([0.5, 1.5]), np.float64)


@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_dropout_mask(kind: Any) -> None:
    for probability in (0.1, 0.3, 0.5, 0.9):
        torch.manual_seed(11)
        expected = torch.nn.functional.dropout(torch.ones(37, 41, dtype=kind), probability)
        ours = Generator().manual_seed(11)
        check_equal(sampling.dropout_mask(ours, (37, 41), FLOATS[kind], probability), expected)
        check_state(ours, torch.default_generator)


@pytest.mark.parametrize("kind", FLOATS, ids=str)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("exponential", ()), ("exponential", (0.3,)), ("exponential", (7.0,)), ("exponential", (math.inf,)),
        ("cauchy", ()), ("cauchy", (0.3, 1.7)), ("log_normal", ()), ("log_normal", (0.3, 0.25)),
        ("geometric", (0.3,)), ("geometric", (0.001,)), ("geometric", (0.5,)),
    ],
)  # fmt: skip
def test_continuous(kind: Any, name: str, arguments: tuple[float, ...]) -> None:
    for size in (*SMALL, 20000):
        ours, theirs = pair(size)
        check_equal(
            getattr(sampling, name)(ours, size, FLOATS[kind], *arguments),
            getattr(torch.empty(size, dtype=kind), f"{name}_")(*arguments, generator=theirs),
        )
        check_state(ours, theirs)


def test_geometric_of_integers() -> None:
    for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64):
        ours, theirs = pair(3)
        check_equal(
            sampling.geometric(ours, 1000, INTEGERS[kind], 0.01),
            torch.empty(1000, dtype=kind).geometric_(0.01, generator=theirs),
        )


@pytest.mark.parametrize("kind", FLOATS, ids=str)
@pytest.mark.parametrize("shape", [(1,), (6,), (40,), (1000,), (3, 5), (4, 200)], ids=str)
def test_multinomial(kind: Any, shape: tuple[int, ...]) -> None:
    for seed in range(5):
        weights = torch.rand(shape, generator=torch.Generator().manual_seed(seed)).add(0.01).to(kind)
        if shape[-1] > 4:
            weights[..., 2] = 0
        for samples, replacement in ((1, False), (1, True), (2, True), (100, True), (shape[-1] // 2, False)):
            if not samples:
                continue
            ours, theirs = pair(seed)
            drawn = sampling.multinomial(ours, as_array(weights), samples, replacement)
            expected = torch.multinomial(weights, samples, replacement, generator=theirs)
            check_state(ours, theirs)
            if FLOATS[kind].itemsize == 2 and samples > 1 and not replacement:
                # Many arrive together, and torch.topk breaks ties in no order that it promises.
                waits = torch.empty(shape, dtype=kind).exponential_(generator=torch.Generator().manual_seed(seed))
                scores = weights / waits
                assert torch.equal(scores.gather(-1, torch.from_numpy(drawn)), scores.gather(-1, expected))
            else:
                check_equal(drawn, expected)


def test_multinomial_refuses_what_is_no_distribution() -> None:
    for weights in ([1.0, -1.0], [1.0, math.inf], [1.0, math.nan], [0.0, 0.0]):
        for replacement in (False, True):
            with pytest.raises(RuntimeError):
                torch.multinomial(torch.tensor(weights), 2, replacement)
            with pytest.raises(RuntimeError):
                sampling.multinomial(Generator(), np.array(weights), 2, replacement)


@pytest.mark.parametrize("kind", FLOATS, ids=str)
def test_poisson(kind: Any) -> None:
    for rate in (0.0, 0.5, 3.75, 9.5, 10.0, 50.0, 1234.5):
        rates = torch.full((300,), rate, dtype=kind)
        ours, theirs = pair(3)
        check_equal(sampling.poisson(ours, as_array(rates)), torch.poisson(rates, generator=theirs))
        check_state(ours, theirs)


@pytest.mark.parametrize("kind", (torch.float32, torch.float64), ids=str)
def test_binomial(kind: Any) -> None:
    for trials, chance in ((5, 0.3), (5, 0.9), (50, 0.4), (1000, 0.7), (1000, 0.001), (0, 0.5), (7, 0.0), (7, 1.0)):
        counts, chances = torch.full((300,), float(trials), dtype=kind), torch.full((300,), chance, dtype=kind)
        ours, theirs = pair(3)
        check_equal(
            sampling.binomial(ours, as_array(counts), as_array(chances)),
            torch.binomial(counts, chances, generator=theirs),
        )
        check_state(ours, theirs)


@pytest.mark.parametrize("kind", (torch.float32, torch.float64), ids=str)
def test_gamma_and_dirichlet(kind: Any) -> None:
    for shape in (0.0, 0.01, 0.3, 1.0, 2.5, 40.0, 1e4):
        shapes = torch.full((50, 7), shape, dtype=kind)
        ours, theirs = pair(3)
        check_equal(
            sampling.standard_gamma(ours, as_array(shapes)), torch._standard_gamma(shapes, generator=theirs)
        )
        check_state(ours, theirs)
        if shape >= 0.3:
            # PyTorch adds up the parts in an order of its own.
            np.testing.assert_allclose(
                sampling.dirichlet(ours, as_array(shapes)), torch._sample_dirichlet(shapes, generator=theirs), 1e-15
            )
            check_state(ours, theirs)


def test_calls_of_all_kinds_in_turn() -> None:
    """The stream, with the normal number in reserve, carries over from any call to any other."""
    order = np.random.default_rng(0)
    ours, theirs = pair(2024)
    shapes = ((), (1,), (3,), (15,), (16,), (5, 7), (700,))
    for _ in range(150):
        shape = shapes[order.integers(len(shapes))]
        kind = (torch.float32, torch.float64, torch.float16, torch.bfloat16)[order.integers(4)]
        name = ("uniform", "normal", "exponential", "cauchy", "log_normal", "bernoulli", "any_integers")[
            order.integers(7)
        ]
        made = getattr(sampling, name)(ours, shape, FLOATS[kind])
        method = "random_" if name == "any_integers" else f"{name}_"
        check_equal(made, getattr(torch.empty(shape, dtype=kind), method)(generator=theirs))
        if order.integers(4) == 0:
            check_equal(sampling.permutation(ours, 20), torch.randperm(20, generator=theirs))
    check_state(ours, theirs)
