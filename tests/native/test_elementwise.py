"""Every elementwise primitive on every dtype it takes, on all pairs of special and random numbers, against its reference."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

pytest.importorskip("llvmlite")

from flambeau.core import dtypes
from flambeau.native.elementwise import RULES, SPECIAL_FUNCTIONS, can_fail, knows
from flambeau.primitives.registry import primitives

from .harness import run_line

KINDS = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64",
)  # fmt: skip
UNARY = frozenset((
    "negative", "is_nan", "is_finite", "sign_bit", "bitwise_not", "floor", "ceil", "truncate", "round_half_even", "absolute",
    "conjugate", "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "tanh", "sinh", "cosh",
    "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "erf", "erfc",
))  # fmt: skip
#: Units in the last place that the reference, NumPy and the C library, and the kernels may be apart together.
UNITS = 4


def numbers(kind: Any, seed: int = 0) -> Any:
    """Numbers of the dtype: special ones, small ones, and any bits."""
    generator = np.random.default_rng(seed)
    if kind.name == "bool":
        return np.array([False, True] * 10)
    if kind.category == 1:
        info = np.iinfo(kind.numpy)
        special = [info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 3, 5, 7, 10, 127]
        special += [-1, -2, -3, -7, -10] if info.min else []
        return np.array([*special, *generator.integers(info.min, info.max, 20, kind.numpy, True)], kind.numpy)
    info = ml_dtypes.finfo(kind.numpy)
    special = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, 2.5, -2.5, 3.0, 7.0, np.inf, -np.inf, np.nan, 0.1, 1e-3, 100.0, 1e4]
    limits = [info.max, -info.max, info.smallest_normal, info.smallest_subnormal, info.eps]
    with np.errstate(all="ignore"):
        drawn = generator.normal(size=16) * 10.0 ** generator.integers(-4, 4, 16)
        return np.concatenate([np.array([*special, *drawn], kind.numpy), np.array(limits, kind.numpy)])


def units_apart(found: Any, expected: Any) -> Any:
    """How many representable numbers lie between; zeros of unlike sign, NaN and numbers are far apart."""
    size = found.dtype.itemsize
    integer = np.dtype(f"i{size}")
    ordered = []
    for each in (found, expected):
        bits = np.ascontiguousarray(each).view(integer).astype(object)
        ordered.append(np.where(bits < 0, -(bits + (1 << (size * 8 - 1))) - 1, bits))
    apart = abs(ordered[0] - ordered[1])
    nan = np.isnan(found.astype(np.float64)), np.isnan(expected.astype(np.float64))
    return np.where(nan[0] & nan[1], 0, np.where(nan[0] ^ nan[1], 1 << 60, apart))


def assert_same(found: Any, expected: Any, units: float, what: str) -> None:
    assert found.shape == expected.shape and found.dtype == expected.dtype, what
    if found.dtype.kind in "biu":
        apart = found != expected
    else:
        apart = units_apart(found, expected) > units
    wrong = np.argwhere(apart)
    assert not len(wrong), f"{what}: {len(wrong)} wrong; at {wrong[0]}: {found[tuple(wrong[0])]}, not {expected[tuple(wrong[0])]}"


def check(name: str, kind: Any) -> None:
    x = numbers(kind)
    operands = [x] if name in UNARY else [x[:, None], numbers(kind, 1)[None, :]]
    if can_fail(name, kind):
        operands[1] = operands[1][operands[1] != 0][None, :]
    with np.errstate(all="ignore"):
        expected = np.asarray(primitives[name].reference(*operands))
    found, left, failed = run_line(name, *operands)
    assert not left and not failed
    if expected.dtype != found[0].dtype:  # NumPy makes floating numbers of integers here; operators never ask for it
        return
    if name in ("maximum", "minimum", "nextafter"):  # which of two zeros, NumPy answers differently for float16
        found[0], expected = found[0] + kind.numpy.type(0), expected + kind.numpy.type(0)
    exact = kind.category < 2 or name in ("add", "subtract", "multiply", "divide", "sqrt", "nextafter", "maximum", "minimum")
    assert_same(found[0], expected, 0 if exact else UNITS if kind.itemsize >= 4 else 1, f"{name} of {kind.name}")


@pytest.mark.parametrize("kind", KINDS)
def test_agrees(kind: str) -> None:
    wrong = []
    for name in RULES:
        if name in primitives and knows(name, dtypes.by_name(kind)):
            try:
                check(name, dtypes.by_name(kind))
            except Exception as failure:
                wrong.append(str(failure)[:400])
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["floor_divide_exact", "truncating_divide", "remainder", "truncating_remainder"])
@pytest.mark.parametrize("size", [1, 5, 16, 70])
def test_zero_divisor_fails(name: str, size: int) -> None:
    x, y = np.arange(size, dtype=np.int32), np.ones(size, np.int32)
    assert not run_line(name, x, y)[2]
    y[-1] = 0
    assert run_line(name, x, y)[2]
    assert not run_line(name, x, 3)[2]
    assert run_line(name, x, 0)[2]


@pytest.mark.parametrize("target", KINDS)
def test_cast(target: str) -> None:
    kind = dtypes.by_name(target)
    for source in KINDS:
        x = numbers(dtypes.by_name(source))
        if source == "float64":
            x = np.concatenate([x, 1.0 + np.arange(64) * 2.0**-12 + 2.0**-40, 1.0 + np.arange(64) * 2.0**-12 - 2.0**-40])
        with np.errstate(all="ignore"):
            expected = primitives["cast"].reference(x, dtype=kind)
        if kind.category == 1 and x.dtype.kind not in "biu":  # what does not fit is whatever the processor makes of it
            fits = np.abs(np.nan_to_num(x.astype(np.float64), nan=np.inf)) < 2.0**62
            x, expected = x[fits], expected[fits]
        found, left, _ = run_line("cast", x, dtype=kind)
        assert not left
        assert_same(found[0], expected, 0, f"{source} as {target}")


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64"])
def test_mantissa_and_exponent(kind: str) -> None:
    assert not run_line("mantissa_and_exponent", numbers(dtypes.by_name(kind))[:0])[1]
    x = numbers(dtypes.by_name(kind))
    expected = primitives["mantissa_and_exponent"].reference(x)
    found, left, _ = run_line("mantissa_and_exponent", x)
    assert not left
    for each, wanted in zip(found, expected):
        assert_same(each, wanted, 0, kind)


@pytest.mark.parametrize("kind", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("of", sorted(SPECIAL_FUNCTIONS))
def test_special_functions(of: str, kind: str) -> None:
    """To the accuracy of the reference: relative, and near the zeros of a function absolute."""
    x = numbers(dtypes.by_name(kind))
    spread = np.concatenate([np.linspace(-20.3, 20.3, 81), np.linspace(-1, 1, 41), np.geomspace(1e-8, 1e8, 50)])
    x = np.concatenate([x, spread.astype(x.dtype)])
    with np.errstate(all="ignore"):
        expected = primitives["special_function"].reference(x, of=of)
    (found,), left, _ = run_line("special_function", x, of=of)
    assert not left
    tolerance = {"float32": 3e-7, "float64": 2e-14, "bfloat16": 1e-2}[kind]
    found, expected = found.astype(np.float64), expected.astype(np.float64)
    special = ~np.isfinite(expected) | (expected == 0)
    np.testing.assert_allclose(np.where(special, found, 0), np.where(special, expected, 0), 0, 1e-300)
    oscillates = np.abs(x.astype(np.float64)) < 1e5 if of in ("j0", "j1", "y0", "y1", "airy") else True
    good = ~special & oscillates
    np.testing.assert_allclose(found[good], expected[good], tolerance, tolerance * 0.1)
