"""Complex programs as the native tier runs them, in parts, against the reference."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from flambeau.core.dtypes import bool_ as boolean, complex64, complex128, float32, float64, int64
from flambeau.core.specs import spec
from flambeau.primitives.registry import primitives

from .harness import run_line

KINDS = ("complex64", "complex128")


def drawn(shape: Any, kind: str, seed: int = 0) -> Any:
    generator = np.random.default_rng(seed)
    return np.asarray(generator.normal(size=shape) + 1j * generator.normal(size=shape), kind)


def same(name: str, *operands: Any, rtol: float | None = None, atol: float = 0.0, **parameters: Any) -> None:
    with np.errstate(all="ignore"):
        expected = np.asarray(primitives[name].reference(*operands, **parameters))
    (found,), left, _ = run_line(name, *operands, **parameters)
    assert not left, f"{name} is left to NumPy"
    assert found.dtype == expected.dtype and found.shape == expected.shape
    wide = found.dtype.itemsize > 8 or found.dtype == np.float64
    rtol = rtol if rtol is not None else 1e-14 if wide else 2e-6
    if found.dtype.kind != "c":
        np.testing.assert_allclose(found, expected, rtol, atol)
        return
    apart = np.abs(found - expected) <= rtol * np.abs(expected) + atol
    for part in (np.real, np.imag):
        a, b = part(found), part(expected)
        strange = ~np.isfinite(a) | ~np.isfinite(b)
        # Where NumPy and C differ in what overflow makes of products, either may be infinite or no number.
        np.testing.assert_array_equal(np.where(strange, a, 0), np.where(strange, b, 0), f"{name}{operands}")
    finite = np.isfinite(found) & np.isfinite(expected)
    assert apart[finite].all(), f"{name}: {found[finite][~apart[finite]]} {expected[finite][~apart[finite]]}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 7), (2, 3, 37), (0, 2)])
def test_arithmetic(kind: str, shape: Any) -> None:
    x, y = drawn(shape, kind), drawn(shape, kind, 1)
    for name in ("add", "subtract", "multiply", "divide", "equal", "not_equal"):
        same(name, x, y)
        if x.ndim:
            same(name, x, y[..., :1])
    for name in ("negative", "conjugate", "absolute", "exp", "log", "sqrt", "is_nan", "is_finite", "real", "imaginary"):
        same(name, x)
    same("select", np.asarray(x.real > 0), x, y)
    same("make_complex", x.real.copy(), y.imag.copy())


@pytest.mark.parametrize("kind", KINDS)
def test_numbers(kind: str) -> None:
    x = drawn((4, 9), kind)
    for number in (2.0, 1 - 2j, 3):
        same("multiply", x, number)
        same("divide", x, number)
        same("add", number, x)
        same("select", x.imag > 0, x, number)
    for target in (complex64, complex128, float32, float64, int64, boolean):
        same("cast", x, dtype=target)
    same("cast", np.arange(5), dtype=complex64)
    same("full", 1 + 2j, shape=(2, 3), dtype=complex128)


@pytest.mark.parametrize("kind", KINDS)
def test_special(kind: str) -> None:
    values = (0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan)
    x = np.array([complex(a, b) for a, b in itertools.product(values, values)], kind)
    for name in ("add", "subtract", "divide"):
        same(name, x[:, None], x[None, :])
    finite = x[np.isfinite(x)]
    same("multiply", finite[:, None], finite[None, :])
    for name in ("negative", "conjugate", "absolute", "exp", "log", "sqrt"):
        same(name, x)


def test_signs_of_zero() -> None:
    x = np.array([complex(a, b) for a, b in itertools.product((0.0, -0.0, 1.0, -1.0), repeat=2)])
    for name in ("negative", "conjugate", "sqrt", "exp", "log"):
        (found,), _, _ = run_line(name, x)
        with np.errstate(all="ignore"):
            expected = primitives[name].reference(x)
        for part in (np.real, np.imag):
            np.testing.assert_array_equal(np.signbit(part(found)), np.signbit(part(expected)), name)


def test_large_exponentials() -> None:
    x = np.array([88.9 + 1.57j, 89 + 0.001j, 120 + 1e-20j, -100 + 1j, 85 + 0j], "complex64")
    same("exp", x, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_views_and_memory(kind: str) -> None:
    x = drawn((4, 6, 5), kind)
    same("reshape", x, shape=(8, 15))
    same("reshape", x.transpose(2, 0, 1), shape=(5, 24))
    same("transpose", x, axes=(1, 2, 0))
    same("broadcast", x[:, :1], shape=(2, 4, 6, 5))
    same("slice", x, starts=(1, 0, 0), stops=(4, 6, 5), steps=(1, 2, 3))
    same("reverse", x, axes=(0, 2))
    same("concatenate", x, x[:1], axis=0)
    for axes in ((0,), (1, 2), (2,), (0, 1, 2)):
        same("reduce_sum", x, axes=axes, dtype=complex128 if kind == "complex128" else complex64, rtol=1e-5, atol=1e-5)
    same("gather_at", x, np.array([3, 0, -1]), axes=(0,))
    same("put_at", x, drawn((3, 6, 5), kind, 2), np.array([3, 0, 3]), axes=(0,), combine="add")
    same("reduce_sum", x[:0], axes=(0,), dtype=complex128 if kind == "complex128" else complex64)
    same("reduce_sum", x[:0, :0], axes=(0,), dtype=complex128 if kind == "complex128" else complex64)
    same("scan", x, axis=1, combine="add", dtype=complex128 if kind == "complex128" else complex64, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_windows(kind: str) -> None:
    x = drawn((6, 5), kind)
    complex_, real = (complex64, float32) if kind == "complex64" else (complex128, float64)
    same("strided_window", x, layout=spec((6, 5), complex_), of=spec((3, 4), complex_, (10, 1)), offset=1)
    same("strided_window", x, layout=spec((6, 5), complex_), of=spec((6, 5, 2), real), offset=0)
    pairs = np.ascontiguousarray(x).view(x.real.dtype).reshape(6, 5, 2)
    same("strided_window", pairs, layout=spec((6, 5, 2), real), of=spec((6, 5), complex_), offset=0)
    same("strided_update", x, pairs + 1, layout=spec((6, 5), complex_), of=spec((6, 5, 2), real), offset=0)
    update = drawn((3, 4), kind, 1)
    same("strided_update", x, update, layout=spec((6, 5), complex_), of=spec((3, 4), complex_, (10, 1)), offset=1)


@pytest.mark.parametrize("kind", KINDS)
def test_matrix_multiply(kind: str) -> None:
    same("matrix_multiply", drawn((17, 33), kind), drawn((33, 9), kind, 1), rtol=1e-5, atol=1e-5)
    same("matrix_multiply", drawn((3, 4, 5), kind), drawn((5, 6), kind, 1), rtol=1e-5, atol=1e-5)
    same("matrix_multiply", drawn((5, 4), kind).T, drawn((5, 6), kind, 1), rtol=1e-5, atol=1e-5)


def test_convolution() -> None:
    steps = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 1), "groups": 2}
    x, w = drawn((2, 4, 9, 8), "complex64"), drawn((6, 2, 3, 3), "complex64", 1)
    same("convolution", x, w, rtol=1e-4, atol=1e-4, **steps)
    grad = drawn((2, 6, 5, 10), "complex64", 2)
    same("convolution_input_gradient", grad, w, rtol=1e-4, atol=1e-4, sizes=(9, 8), **steps)
    same("convolution_weight_gradient", grad, x, rtol=1e-4, atol=1e-4, kernel=(3, 3), **steps)


def test_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    import flambeau as torch
    from flambeau.native.policy import policy

    def step(factor: complex) -> Any:
        x = torch.arange(24.0).reshape(4, 6)
        z = torch.view_as_complex(x.reshape(4, 3, 2)).requires_grad_()
        turned = z * factor * torch.polar(torch.ones(3), torch.arange(3.0))
        power = torch.view_as_real(turned).flatten(1).sum(1) + torch.fft.fft(turned, dim=1).abs().sum(1)
        loss = (power * power).sum() + (turned @ turned.mH).abs().sum()
        (loss * abs(factor)).backward()
        z.grad.imag.add_(1.0)
        return loss.detach().numpy(), z.grad.numpy(), turned.detach().conj().numpy()

    monkeypatch.setattr(policy, "mode", "reference")
    factors = (2 - 1j, 0.5j)
    expected = [step(factor) for factor in factors]
    monkeypatch.setattr(policy, "mode", "native")
    for factor, results in zip(factors, expected):
        for found, wanted in zip(step(factor), results):
            np.testing.assert_allclose(found, wanted, 1e-4, 1e-4)
