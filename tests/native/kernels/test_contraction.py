"""matrix_multiply: every way it is computed, against NumPy in a wider dtype."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tests.native.harness import run_primitive

import flambeau.native.kernels.contraction  # noqa: F401  (declares the lowering)
from flambeau.native.kernels.contraction import Problem, element_of, plan
from flambeau.primitives.contraction import matrix_multiply

#: How far a sum of products may be from the exact one, in units of the sum of their magnitudes.
TOLERANCE = {"float32": 1e-6, "float64": 2e-15, "float16": 1e-3, "bfloat16": 8e-3}


def operand(shape: tuple[int, ...], layout: str, kind: Any, seed: int) -> Any:
    """An array of random numbers lying row by row, column by column ("t"), or with gaps and backwards ("s")."""
    random = np.random.default_rng(seed)
    lying = list(shape)
    if layout == "t":
        lying[-1], lying[-2] = lying[-2], lying[-1]
    elif layout == "s":
        lying[-1], lying[-2] = 3 * lying[-1], 2 * lying[-2]
    kind = np.dtype(kind)
    if kind.name == "bool":
        made = random.random(lying) > 0.8
    elif kind.kind in "iu":
        made = random.integers(0, 100, lying).astype(kind)
    else:
        made = random.standard_normal(lying).astype(kind)
    if layout == "t":
        return made.swapaxes(-1, -2)
    return made[..., ::2, ::3][..., ::-1, :] if layout == "s" else made


def check(x: Any, y: Any, pieces: int = 3) -> None:
    """Compare with the exact product."""
    results = run_primitive("matrix_multiply", x, y, pieces=pieces)
    assert results is not None
    found, expected = results[0], matrix_multiply.reference(x, y)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    if x.dtype.name not in TOLERANCE:
        np.testing.assert_array_equal(found, expected)
        return
    wide = np.longdouble
    exact = x.astype(wide) @ y.astype(wide)
    size = np.abs(x.astype(wide)) @ np.abs(y.astype(wide))
    assert (np.abs(found.astype(wide) - exact) <= TOLERANCE[x.dtype.name] * size + 1e-30).all()


SHAPES = [
    (1, 1, 1), (4, 1, 1), (1, 30, 69), (30, 1, 69), (69, 1, 30), (5, 7, 3), (17, 33, 19), (4, 120, 40), (30, 50, 70),
    (15, 31, 17), (29, 40, 130), (3, 3, 200), (2, 65, 64),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layouts", ["nn", "nt", "tn", "ss"])
def test_shapes_and_layouts(shape: tuple[int, int, int], layouts: str) -> None:
    m, n, k = shape
    check(operand((m, k), layouts[0], np.float32, 1), operand((k, n), layouts[1], np.float32, 2))


@pytest.mark.parametrize(
    "kind", [np.float64, np.float16, ml_dtypes.bfloat16, bool, np.int8, np.uint8, np.int16, np.int32, np.int64], ids=str
)
@pytest.mark.parametrize("layouts", ["nt", "ss"])
def test_dtypes(kind: Any, layouts: str) -> None:
    for m, n, k in [(7, 37, 19), (1, 9, 20), (9, 1, 5)]:
        check(operand((m, k), layouts[0], kind, 1), operand((k, n), layouts[1], kind, 2))


@pytest.mark.parametrize("shape", [(256, 192, 1024), (66, 130, 3080), (2, 300, 3500), (300, 70, 1101)], ids=str)
def test_large(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    for layouts in ("nn", "nt", "tn", "ss"):
        check(operand((m, k), layouts[0], np.float32, 1), operand((k, n), layouts[1], np.float32, 2))


def test_batches_broadcast() -> None:
    for kind in (np.float32, np.float64):
        check(operand((3, 1, 5, 7), "n", kind, 1), operand((4, 7, 6), "t", kind, 2))
        check(operand((2, 3, 33, 16), "t", kind, 1), operand((2, 3, 16, 33), "t", kind, 2))
        check(operand((2, 3, 4, 5), "s", kind, 1).swapaxes(0, 1), operand((5, 6), "n", kind, 2))
        check(np.broadcast_to(operand((4, 5), "n", kind, 1), (3, 4, 5)), operand((3, 5, 1), "n", kind, 2))
        check(np.broadcast_to(operand((4, 1), "n", kind, 1), (4, 20)), operand((20, 9), "n", kind, 2))


@pytest.mark.parametrize("shapes", [((0, 3), (3, 4)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 4)), ((2, 0), (0, 3))], ids=str)
def test_nothing(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    check(np.ones(shapes[0], np.float32), np.ones(shapes[1], np.float32))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_not_finite_stays_where_it_is() -> None:
    x, y = operand((5, 21), "n", np.float32, 1), operand((21, 18), "n", np.float32, 2)
    x[1, 20], x[2, 3], y[4, 17] = np.inf, np.nan, -np.inf
    for other in (y, np.asfortranarray(y)):
        results = run_primitive("matrix_multiply", x, other)
        assert results is not None
        expected = matrix_multiply.reference(x.astype(np.float64), y.astype(np.float64))
        np.testing.assert_array_equal(np.isnan(results[0]), np.isnan(expected))
        np.testing.assert_array_equal(np.isinf(results[0]), np.isinf(expected))


def test_the_same_numbers_however_it_is_divided() -> None:
    x, y = operand((300, 500), "n", np.float32, 1), operand((500, 96), "t", np.float32, 2)
    one, many = (run_primitive("matrix_multiply", x, y, pieces=pieces) for pieces in (1, 7))
    assert one is not None and many is not None
    np.testing.assert_array_equal(one[0], many[0])


def test_every_machine_has_tiles() -> None:
    from flambeau.core.dtypes import float32

    for count, registers in ((4, 16), (4, 32), (8, 16), (16, 32)):
        for m, n, k in SHAPES:
            problem = Problem(m, n, k, (k, 1), (n, 1), (), (), (), element_of(float32))
            made = plan(problem, count, registers)
            sums, kept = made.tile_rows * made.tile_vectors, made.tile_vectors if made.tile_rows > 1 else 0
            assert made.dots or sums + kept <= registers
