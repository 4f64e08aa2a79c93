"""Accuracy of the native tier's elementary functions: strided samples of all numbers, special values, lane counts, float16."""

from __future__ import annotations

import ctypes
import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from flambeau.native.builder import Builder, vector
from flambeau.native.machine import machine
from flambeau.native.mathematics import FUNCTIONS, emit_function

_symbols = itertools.count()
UNARY = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin",
    "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "sqrt",
)  # fmt: skip
SPECIAL = (
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 1.5, -1.5, 16777215.0, -16777215.0, 16777216.0, 1e10,
    np.inf, -np.inf, np.nan,
)  # fmt: skip


@lru_cache(None)
def compiled(name: str, kind: str, lanes: int, arity: int) -> Any:
    builder = Builder(f"mathematics_{next(_symbols)}", ("ptr",) * (arity + 1) + ("i64",))
    *arrays, result, count = builder.parameters
    with builder.loop(0, count, lanes) as i:
        operands = [builder.load(vector(kind, lanes), builder.at(array, kind, i)) for array in arrays]
        builder.store(emit_function(builder, name, *operands), builder.at(result, kind, i))
    builder.done()
    code = machine().object_code(builder.text(), builder.declarations.values())
    (address,) = machine().load(code, [builder.name])
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (arity + 1), ctypes.c_int64)(address)


def apply(name: str, *arrays: Any, lanes: int = 0) -> Any:
    """The function of arrays of one shape, one-dimensional."""
    kind = "float" if arrays[0].dtype == np.float32 else "double"
    lanes = lanes or machine().lanes // (1 if kind == "float" else 2)
    size = -(-len(arrays[0]) // lanes) * lanes
    padded = [np.resize(array, size) for array in arrays]
    result = np.empty(size, arrays[0].dtype)
    compiled(name, kind, lanes, len(arrays))(*[each.ctypes.data for each in padded], result.ctypes.data, size)
    return result[: len(arrays[0])]


def errors(found: Any, exact: Any) -> Any:
    """In units in the last place of the exact result (of more bits); wrong NaN, infinities and signs of zero are infinite."""
    kind = found.dtype
    with np.errstate(all="ignore"):
        rounded = exact.astype(kind)
        greatest = np.finfo(kind).max
        unit = np.spacing(np.minimum(np.abs(rounded), greatest)).astype(exact.dtype)
        error = np.abs(found.astype(exact.dtype) - exact) / unit
        error = np.where(np.isinf(rounded) | np.isinf(found), np.where(found == rounded, 0, np.inf), error)
        error = np.where((rounded == 0) & (found == 0) & (np.signbit(rounded) != np.signbit(found)), np.inf, error)
        return np.where(np.isnan(rounded) | np.isnan(found), np.where(np.isnan(rounded) == np.isnan(found), 0, np.inf), error)


def assert_accurate(name: str, *arrays: Any, exact: Any) -> None:
    found = apply(name, *arrays)
    error = errors(found, exact)
    k = int(np.argmax(error))
    assert error[k] <= 2, f"{name}{tuple(a[k] for a in arrays)} = {found[k]}, not {exact[k]}: {error[k]} ulp"


def reference(name: str) -> Any:
    if name in ("erf", "erfc"):
        return getattr(pytest.importorskip("scipy.special"), name)
    return getattr(np, name)


@pytest.mark.parametrize("name", (*UNARY, "erf", "erfc"))
def test_float32_over_its_whole_range(name: str) -> None:
    x = np.arange(0, 2**32, 39119, dtype=np.int64).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        x = np.concatenate([x, np.linspace(-5, 5, 20001), SPECIAL]).astype(np.float32)
        assert_accurate(name, x, exact=reference(name)(x.astype(np.float64)))


needs_long_double = pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="needs a long double of more bits")


def doubles(count: int, seed: int) -> Any:
    generator = np.random.default_rng(seed)
    return np.concatenate([
        generator.integers(0, 2**64, count, dtype=np.uint64).view(np.float64),
        generator.uniform(-3, 3, count), generator.uniform(-750, 750, count), 1 + generator.normal(0, 1e-3, count),
        generator.normal(0, 1, count) * 10 ** generator.uniform(-8, 6, count), SPECIAL, [5e-324, -5e-324, 1.7e308, -1.7e308],
    ])  # fmt: skip


@needs_long_double
@pytest.mark.parametrize("name", UNARY)
def test_float64_over_its_whole_range(name: str) -> None:
    x = doubles(8000, 1)
    with np.errstate(all="ignore"):
        assert_accurate(name, x, exact=reference(name)(x.astype(np.longdouble)))


@needs_long_double
@pytest.mark.parametrize("name", ("erf", "erfc"))
def test_error_functions_in_float64(name: str) -> None:
    mpmath = pytest.importorskip("mpmath")
    generator = np.random.default_rng(2)
    x = np.concatenate([generator.uniform(-6, 6, 300), generator.uniform(0, 28, 300), [1.0, -1.0, 1e-300, 26.6, 27.2, 1e4]])
    with mpmath.workprec(90):
        exact = []
        for value in map(getattr(mpmath, name), x):
            exact.append(np.longdouble(float(value)) + np.longdouble(float(value - mpmath.mpf(float(value)))))
    assert_accurate(name, x, exact=np.array(exact))
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan])
    wanted = [0.0, -0.0, 1.0, -1.0, np.nan] if name == "erf" else [1.0, 1.0, 0.0, 2.0, np.nan]
    assert_accurate(name, special, exact=np.array(wanted, np.longdouble))


@needs_long_double
@pytest.mark.parametrize("kind", (np.float32, np.float64))
@pytest.mark.parametrize("name", ("power", "hypot", "arctan2"))
def test_functions_of_two_variables(name: str, kind: Any) -> None:
    x, y = (doubles(6000, seed) for seed in (3, 4))
    grid = np.meshgrid(SPECIAL, SPECIAL)
    mixed = np.random.default_rng(5).permutation(y)
    with np.errstate(all="ignore"):
        x = np.concatenate([x, np.abs(x), grid[0].ravel()]).astype(kind)
        y = np.concatenate([y, mixed, grid[1].ravel()]).astype(kind)
        assert_accurate(name, x, y, exact=reference(name)(x.astype(np.longdouble), y.astype(np.longdouble)))


@pytest.mark.parametrize("kind", (np.float32, np.float64))
@pytest.mark.parametrize("name", ("floor_divide", "remainder", "truncating_remainder", "nextafter", "copysign"))
def test_exact_functions_are_the_reference(name: str, kind: Any) -> None:
    from flambeau.primitives.registry import primitives

    generator = np.random.default_rng(6)
    grid = np.meshgrid(SPECIAL, SPECIAL)
    with np.errstate(all="ignore"):
        x, y = (
            np.concatenate([doubles(1000, seed), generator.integers(-20, 20, 2000), part.ravel()]).astype(kind)
            for seed, part in zip((7, 8), grid)
        )
        wanted = primitives[name].reference(x, y)
    found = apply(name, x, y)
    np.testing.assert_array_equal(found, wanted)
    number = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found[number]), np.signbit(wanted[number]))


@pytest.mark.parametrize("kind", (np.float32, np.float64))
@pytest.mark.parametrize("name", ("exp", "log", "sin", "erf", "tanh", "power"))
def test_lanes_do_not_matter(name: str, kind: Any) -> None:
    with np.errstate(all="ignore"):
        x = doubles(200, 9).astype(kind)
    operands = (x, x[::-1].copy()) if name == "power" else (x,)
    wide = apply(name, *operands)
    for lanes in (1, 2, 3, 32):
        assert apply(name, *operands, lanes=lanes).tobytes() == wide.tobytes()


@pytest.mark.parametrize("name", (*UNARY, "erf", "erfc"))
def test_every_float16(name: str) -> None:
    x = np.arange(65536, dtype=np.uint16).view(np.float16)
    with np.errstate(all="ignore"):
        found = apply(name, x.astype(np.float32)).astype(np.float16)
        exact = reference(name)(x.astype(np.float64))
    assert errors(found, exact).max() <= 0.5001  # rounded once more than the exact value


def test_the_table_names_what_it_knows() -> None:
    assert {*UNARY, "erf", "erfc", "power", "hypot", "arctan2", "remainder"} <= FUNCTIONS
