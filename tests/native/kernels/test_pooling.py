"""Pooling by kernels against its reference meanings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tests.native.harness import Failed, run_primitive

import flambeau.native.kernels.pooling
from flambeau.core import dtypes
from flambeau.primitives.convolution import output_sizes
from flambeau.primitives.registry import primitives

KINDS = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "int8"]


def numbers(kind: str, *shape: int, odd: bool = False) -> Any:
    """Few different numbers, so that there are equal ones; ``odd``: some infinite or not a number."""
    random = np.random.default_rng(len(shape) + sum(shape))
    made = random.integers(0, 9, shape)
    if kind.startswith(("f", "b")):
        made = made - 4.0
        if odd:
            made[random.random(shape) < 0.2] = np.nan
            made[random.random(shape) < 0.2] = -np.inf
    return made.astype(getattr(dtypes, kind).numpy)


def check(name: str, *operands: Any, **parameters: Any) -> list[Any]:
    """The same results, bit for bit (the numbers are small integers)."""
    want = primitives[name].reference(*operands, **parameters)
    want = list(want) if isinstance(want, tuple) else [want]
    found = run_primitive(name, *operands, pieces=3, **parameters)
    assert found is not None
    for got, expected in zip(found, want, strict=True):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        if expected.dtype.kind in "iu":
            np.testing.assert_array_equal(got, expected)
        else:
            np.testing.assert_array_equal(got.astype(np.float64), expected.astype(np.float64))
    return found


def all_of(kind: str, lead: tuple[int, ...], sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> None:
    """Both poolings and both adjoints."""
    out = output_sizes(sizes, kernel, stride, padding, dilation)
    common = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    for odd in (False, True):
        x = numbers(kind, *lead, *sizes, odd=odd)
        with np.errstate(invalid="ignore"):
            check("sum_window", x, **common, out=out)
            _, index = check("max_window", x, **common, out=out)
    grad = numbers(kind, *lead, *out)
    check("spread_window", grad, sizes=sizes, **common)
    if index.min(initial=0) >= 0:
        check("add_at_window", grad, index, sizes=sizes, distinct=False)


@pytest.mark.parametrize("kind", KINDS)
def test_dtypes(kind: str) -> None:
    all_of(kind, (2, 3), (9, 37), (2, 2), (2, 2), (0, 0), (1, 1))
    all_of(kind, (3,), (8, 20), (3, 3), (1, 3), (1, 1), (1, 2))


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_any_shape(data: Any) -> None:
    rank = data.draw(st.integers(1, 3))

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(data.draw(st.integers(low, high)) for _ in range(rank))

    kernel, stride, dilation = each(1, 5), each(1, 4), each(1, 2)
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    more = each(0, 20 if rank < 3 else 5)
    sizes = tuple(max(1, d * (k - 1) + 1 - 2 * p) + m for k, d, p, m in zip(kernel, dilation, padding, more))
    all_of("float32", (data.draw(st.integers(0, 3)),), sizes, kernel, stride, padding, dilation)


def test_an_index_outside_is_refused() -> None:
    grad, index = np.ones((1, 2, 2), np.float32), np.array([[[0, 1], [2, 16]]])
    with pytest.raises(Failed):
        run_primitive("add_at_window", grad, index, sizes=(4, 4), distinct=False)


assert flambeau.native.kernels.pooling
