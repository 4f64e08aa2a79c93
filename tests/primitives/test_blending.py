"""A choice on bits is ``np.where``, whatever the bits are."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from flambeau.primitives.blending import SMALL, blend

KINDS = ("float32", "float64", "float16", "int8", "int64", "bool", "complex64", "complex128")


@pytest.mark.parametrize("kind", [*map(np.dtype, KINDS), np.dtype(ml_dtypes.bfloat16)], ids=str)
def test_as_where(kind: np.dtype) -> None:
    generator = np.random.default_rng(0)
    n = 2 * SMALL
    condition = generator.random(n) < 0.5
    x, y = (generator.normal(size=n).astype(kind) for _ in range(2))
    if kind.kind == "f":
        x[:4], y[4:8] = [np.nan, np.inf, -0.0, 0.0], [np.nan, -np.inf, -0.0, 0.0]
    zero, other = kind.type(0), kind.type(1)
    for a, b in ((x, y), (x, zero), (zero, y), (other, y), (x, other), (zero, other), (x, y[:1])):
        expected = np.where(condition, a, b)
        found = blend(condition, a, b)
        assert found.dtype == expected.dtype and found.tobytes() == expected.tobytes()


def test_broadcasting_and_layouts() -> None:
    condition = np.arange(SMALL * 2).reshape(-1, 64) % 3 == 0
    x = np.asfortranarray(np.arange(SMALL * 2.0).reshape(condition.shape))
    y = np.arange(64.0)
    np.testing.assert_array_equal(blend(condition, x, y), np.where(condition, x, y))
    np.testing.assert_array_equal(blend(condition[None], x, x[:, None]), np.where(condition[None], x, x[:, None]))
