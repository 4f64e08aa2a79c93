"""Compiled samplers give the numbers of the NumPy code, bit for bit, and leave the generator in the same state."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings, strategies

from flambeau.core import sampling
from flambeau.core.faster_sampling import faster
from flambeau.core.generators import Generator
from flambeau.native.sampling import CompiledSampling

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOATING: list[Any] = [np.float32, np.float64, np.float16, BFLOAT16]
Draw = Callable[[Generator, int], Any]


@pytest.fixture(scope="module")
def compiled() -> CompiledSampling:
    return CompiledSampling()


@contextmanager
def drawing_with(functions: Any) -> Iterator[None]:
    before = faster.functions, faster.fetch
    faster.functions, faster.fetch = functions, None
    try:
        yield
    finally:
        faster.functions, faster.fetch = before


def _rates(count: int) -> Any:
    rates = np.linspace(0, 40, count).astype(np.float32)
    rates[::5] = 0
    return rates


DRAWS: dict[str, Draw] = {
    "words": lambda g, n: g.engine.words(n),
    "double_words": lambda g, n: g.engine.double_words(n),
    "fractions": lambda g, n: g.engine.fractions(n),
    "permutation": lambda g, n: sampling.permutation(g, n),
    "permutation int32": lambda g, n: sampling.permutation(g, n, np.int32),
    "poisson": lambda g, n: sampling.poisson(g, _rates(n)),
    "poisson float64": lambda g, n: sampling.poisson(g, np.full(n, 1e6)),
    "poisson of nothing": lambda g, n: sampling.poisson(g, np.zeros(n)),
    "multinomial": lambda g, n: sampling.multinomial(g, np.arange(1.0, n + 1), 2),
    "bernoulli_like": lambda g, n: sampling.bernoulli_like(g, np.linspace(0, 1, n), np.float32),
    "bernoulli never": lambda g, n: sampling.bernoulli(g, n, np.float32, 0.0),
    "bernoulli always": lambda g, n: sampling.bernoulli(g, n, np.float32, 1.0),
    "any integers": lambda g, n: sampling.any_integers(g, n, np.int64),
    "any bytes": lambda g, n: sampling.any_integers(g, n, np.uint8),
    "complex normal": lambda g, n: sampling.normal(g, n, np.complex64, 0.5),
    "complex uniform": lambda g, n: sampling.uniform(g, n, np.complex128),
}
for _kind in FLOATING:
    for _name, _draw in {
        "uniform": lambda g, n, kind: sampling.uniform(g, n, kind),
        "uniform between": lambda g, n, kind: sampling.uniform(g, n, kind, -0.3, 2.7),
        "uniform of nothing": lambda g, n, kind: sampling.uniform(g, n, kind, 1.5, 1.5),
        "normal": lambda g, n, kind: sampling.normal(g, n, kind),
        "normal around": lambda g, n, kind: sampling.normal(g, n, kind, 0.7, 1.3),
        "normal of no width": lambda g, n, kind: sampling.normal(g, n, kind, 0.0, 0.0),
        "normal pairs": lambda g, n, kind: sampling.normal(g, n, kind, 0.7, 1.3, False),
        "exponential": lambda g, n, kind: sampling.exponential(g, n, kind, 1.5),
        "cauchy": lambda g, n, kind: sampling.cauchy(g, n, kind, 0.5, 2.0),
        "log_normal": lambda g, n, kind: sampling.log_normal(g, n, kind),
        "geometric": lambda g, n, kind: sampling.geometric(g, n, kind, 0.2),
    }.items():
        DRAWS[f"{_name} {np.dtype(_kind)}"] = lambda g, n, draw=_draw, kind=_kind: draw(g, n, kind)  # type: ignore[misc]
for _kind in [*FLOATING, np.bool_, np.int8, np.int64]:
    DRAWS[f"bernoulli {np.dtype(_kind)}"] = lambda g, n, kind=_kind: sampling.bernoulli(g, n, kind, 0.3)  # type: ignore[misc]
for _low, _high in ((0, 2), (-5, 1000), (0, 1), (7, 2**28 + 6), (0, 2**28), (-(2**63), 2**63), (2**62, 2**62 + 9)):
    DRAWS[f"integers {_low} {_high}"] = lambda g, n, b=(_low, _high): sampling.integers(g, n, np.int64, *b)  # type: ignore[misc]
DRAWS["integers float32"] = lambda g, n: sampling.integers(g, n, np.float32, -9, 9)


def assert_same(one: Generator, two: Generator, left: Any, right: Any) -> None:
    assert left.dtype == right.dtype and left.shape == right.shape
    assert left.tobytes() == right.tobytes()
    assert one.get_state().tobytes() == two.get_state().tobytes()


@pytest.mark.parametrize("name", DRAWS)
def test_the_numbers_are_the_same(compiled: CompiledSampling, name: str) -> None:
    draw = DRAWS[name]
    for count in (16, 17, 31, 624, 700, 8209):
        generators = [Generator().manual_seed(count) for _ in range(2)]
        results = []
        for generator, functions in zip(generators, (compiled, None)):
            with drawing_with(functions):
                if count % 2:
                    generator.engine.words(count % 5)
                results.append(draw(generator, count))
        assert_same(*generators, *results)


@settings(max_examples=60, deadline=None)
@given(
    seed=strategies.integers(0, 2**32 - 1),
    steps=strategies.lists(
        strategies.tuples(strategies.sampled_from(sorted(DRAWS)), strategies.integers(2, 1500), strategies.booleans()),
        max_size=6,
    ),
)
def test_streams_interleave(compiled: CompiledSampling, seed: int, steps: list[tuple[str, int, bool]]) -> None:
    mixed, plain = (Generator().manual_seed(seed) for _ in range(2))
    for name, count, natively in steps:
        with drawing_with(compiled if natively else None):
            left = DRAWS[name](mixed, count)
        with drawing_with(None):
            right = DRAWS[name](plain, count)
        assert_same(mixed, plain, left, right)


def test_the_smallest_radicand_and_every_angle_are_right(compiled: CompiledSampling) -> None:
    with drawing_with(compiled):
        many = sampling.normal(Generator().manual_seed(1), 1 << 21, np.float32)
    with drawing_with(None):
        assert many.tobytes() == sampling.normal(Generator().manual_seed(1), 1 << 21, np.float32).tobytes()


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_the_numbers_do_not_depend_on_the_width_of_vectors(lanes: int) -> None:
    functions = CompiledSampling(lanes)
    for name in ("words", "uniform float32", "uniform float64", "normal float32", "normal float64", "permutation",
                 "bernoulli float32", "bernoulli bool", "integers -5 1000", "poisson"):  # fmt: skip
        generators = [Generator().manual_seed(lanes) for _ in range(2)]
        results = []
        for generator, found in zip(generators, (functions, None)):
            with drawing_with(found):
                generator.engine.words(223)
                results.append(DRAWS[name](generator, 5003))
        assert_same(*generators, *results)


def test_threads_share_a_stream(compiled: CompiledSampling) -> None:
    from threading import Thread

    shared = Generator().manual_seed(11)
    drawn: list[Any] = []
    with drawing_with(compiled):
        threads = [Thread(target=lambda: drawn.append(shared.engine.words(100_000))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    together = Generator().manual_seed(11).engine.words(400_000).reshape(4, -1)
    assert sorted(each.tobytes() for each in drawn) == sorted(each.tobytes() for each in together)


def test_rates_that_are_no_numbers_are_left_to_the_numpy_code(compiled: CompiledSampling) -> None:
    for rate, error in ((np.nan, ValueError), (-1.0, RuntimeError)):
        with drawing_with(compiled), pytest.raises(error):
            sampling.poisson(Generator(), np.full(20, rate))


_SCRIPT = """
import sys, flambeau as torch
for _ in range(20):
    torch.rand(100), torch.randn(100, 100), torch.randperm(1000)
assert "llvmlite" not in sys.modules
torch.nn.Linear(1100, 1000)
from flambeau.core.faster_sampling import faster
print("llvmlite" in sys.modules)
"""


@pytest.mark.parametrize(("tier", "loaded"), [("default", "True"), ("reference", "False")])
def test_small_scripts_load_no_compiler(tier: str, loaded: str) -> None:
    import os

    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env={**os.environ, "FLAMBEAU_TIER": tier}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == loaded
