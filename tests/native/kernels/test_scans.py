"""Scans against the reference meaning."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tests.native.harness import run_primitive

import flambeau.native.kernels.scans  # noqa: F401  (declares the lowering)
from flambeau.core import dtypes
from flambeau.primitives.registry import primitives

COMBINES = ["add", "multiply", "maximum", "minimum", "logaddexp"]


def check(x: Any, axis: int, combine: str, kind: Any) -> None:
    """Compare with the reference meaning."""
    expected = primitives["scan"].reference(x, axis=axis, combine=combine, dtype=kind)
    for pieces in (1, 3):
        found = run_primitive("scan", x, axis=axis, combine=combine, dtype=kind, pieces=pieces)
        assert found is not None and found[0].dtype == expected.dtype
        if expected.dtype.kind in "iub":
            np.testing.assert_array_equal(found[0], expected)
        else:
            close = {"rtol": 1e-2 if expected.dtype.itemsize == 2 else 3e-6, "atol": 1e-6}
            np.testing.assert_allclose(found[0].astype(np.float64), expected.astype(np.float64), **close)


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("shape", [(7,), (3, 5), (4, 6, 21), (1, 1), (2, 300), (0, 3), (3, 0)], ids=str)
def test_shapes(shape: tuple[int, ...], combine: str) -> None:
    x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    for axis in range(len(shape)):
        check(x, axis, combine, dtypes.float32)
        if x.ndim > 1:
            check(x.T, axis, combine, dtypes.float32)
            check(x[::-1, ::2], axis, combine, dtypes.float32)


@pytest.mark.parametrize("combine", COMBINES[:4])
def test_dtypes(combine: str) -> None:
    random = np.random.default_rng(1)
    floats = random.standard_normal((5, 9))
    for kind in (dtypes.float64, dtypes.float16, dtypes.bfloat16):
        check(floats.astype(kind.numpy), 1, combine, kind)
        check(floats.astype(kind.numpy), 0, combine, kind)
    integers = random.integers(-5, 5, (5, 9))
    for kind in (dtypes.int64, dtypes.int32, dtypes.uint8, dtypes.int8):
        check(integers.astype(kind.numpy), 0, combine, kind)
        check(integers.astype(kind.numpy), 1, combine, dtypes.int64)
    check(integers > 0, 1, combine, dtypes.int64)
    check((integers > 0).astype(ml_dtypes.bfloat16), 1, combine, dtypes.float32)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("combine", COMBINES)
def test_what_is_not_finite(combine: str) -> None:
    x = np.array([[0.0, -0.0, np.inf, 1, -np.inf, 2, np.nan, 3], [-np.inf, -np.inf, 1, np.inf, np.inf, 2, 3, 4]])
    check(x.astype(np.float32), 1, combine, dtypes.float32)
    check(x.astype(np.float32).T.copy(), 0, combine, dtypes.float32)
