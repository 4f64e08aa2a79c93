"""Convolution and its gradients by kernels against their reference meanings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tests.native.harness import run_primitive

from flambeau.core import dtypes
from flambeau.native.kernels import convolution_columns, convolution_winograd, convolution_winograd_weight
from flambeau.primitives.registry import primitives

TOLERANCE = {"float32": 2e-5, "float64": 1e-12, "float16": 2e-3, "bfloat16": 2e-2}

#: batch, channels, outputs, sizes, kernel, stride, padding, dilation, groups
CASES: list[tuple[Any, ...]] = [
    (2, 3, 6, (32, 32), (5, 5), (1, 1), (0, 0), (1, 1), 1),
    (2, 6, 16, (14, 14), (5, 5), (1, 1), (0, 0), (1, 1), 1),
    (1, 3, 64, (37, 41), (7, 7), (2, 2), (3, 3), (1, 1), 1),
    (2, 8, 9, (9, 9), (3, 3), (2, 2), (1, 1), (1, 1), 1),
    (3, 4, 5, (7,), (3,), (1,), (0,), (1,), 1),
    (2, 4, 5, (40,), (5,), (2,), (2,), (2,), 1),
    (4, 5, 7, (100,), (9,), (1,), (4,), (1,), 1),
    (1, 3, 4, (5, 6, 7), (2, 3, 1), (2, 1, 3), (1, 1, 1), (1, 1, 1), 1),
    (2, 8, 8, (10, 10), (3, 3), (1, 1), (1, 1), (1, 1), 8),
    (2, 8, 16, (10, 10), (3, 3), (2, 2), (1, 1), (1, 1), 4),
    (2, 4, 4, (8, 8), (1, 1), (2, 2), (0, 0), (1, 1), 1),
    (1, 2, 3, (6, 6), (3, 3), (3, 3), (2, 2), (1, 1), 1),
    (1, 2, 3, (20, 20), (3, 3), (2, 2), (4, 4), (3, 3), 1),
    (1, 2, 3, (9, 9), (2, 2), (3, 3), (0, 0), (2, 2), 1),
    (1, 1, 1, (1, 1), (1, 1), (1, 1), (0, 0), (1, 1), 1),
    (2, 3, 4, (8, 5), (3, 5), (1, 1), (0, 0), (1, 1), 1),
    (1, 20, 30, (16, 16), (16, 16), (16, 16), (0, 0), (1, 1), 1),
    (2, 3, 4, (11, 13), (4, 2), (1, 3), (3, 0), (1, 2), 1),
    (2, 40, 33, (12, 12), (3, 3), (1, 1), (0, 2), (1, 1), 1),
    (3, 4, 6, (15,), (1,), (2,), (1,), (1,), 2),
    (3, 3, 6, (7, 1, 6), (2, 1, 2), (2, 3, 1), (2, 0, 0), (1, 2, 1), 3),
    (0, 3, 6, (12, 12), (3, 3), (1, 1), (0, 0), (1, 1), 1),
    (2, 0, 6, (5, 5), (3, 3), (1, 1), (0, 0), (1, 1), 1),
    (2, 3, 0, (5, 5), (3, 3), (1, 1), (0, 0), (1, 1), 1),
]


def compare(
    case: tuple[Any, ...], kind: str = "float32", layout: Any = None, tolerance: float | None = None, only: str = ""
) -> None:
    """All three primitives, or one, for one case."""
    batch, channels, outputs, sizes, kernel, stride, padding, dilation, groups = case
    random = np.random.default_rng(0)

    def numbers(*shape: int) -> Any:
        made = random.standard_normal(shape).astype(getattr(dtypes, kind).numpy)
        return layout(made) if layout else made

    x, w = numbers(batch, channels, *sizes), numbers(outputs, channels // groups, *kernel)
    common = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    y = primitives["convolution"].reference(x, w, **common)
    grad = numbers(*y.shape)
    for name, operands, parameters in (
        ("convolution", (x, w), common),
        ("convolution_input_gradient", (grad, w), {**common, "sizes": sizes}),
        ("convolution_weight_gradient", (grad, x), {**common, "kernel": kernel}),
    ):
        if only and name != only:
            continue
        want = primitives[name].reference(*operands, **parameters)
        found = run_primitive(name, *operands, pieces=3, **parameters)
        assert found is not None
        assert found[0].shape == want.shape and found[0].dtype == want.dtype
        wide, expected = found[0].astype(np.float64), want.astype(np.float64)
        scale = np.abs(expected).max(initial=0.0)
        atol = (tolerance or TOLERANCE[kind]) * scale
        np.testing.assert_allclose(wide, expected, rtol=0, atol=atol, err_msg=f"{name} {case} {kind}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_reference(case: tuple[Any, ...]) -> None:
    compare(case)


@pytest.mark.parametrize("kind", ["float64", "float16", "bfloat16"])
def test_other_dtypes(kind: str) -> None:
    compare((2, 6, 9, (12, 11), (3, 3), (2, 2), (1, 1), (1, 1), 3), kind)
    compare((2, 3, 4, (9, 9), (3, 3), (1, 1), (1, 1), (1, 1), 1), kind)


def test_operands_lying_otherwise() -> None:
    compare(CASES[3], layout=lambda x: np.ascontiguousarray(x.T).T)
    compare(CASES[3], layout=lambda x: np.ascontiguousarray(x[::-1])[::-1])


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_any_shape(data: Any) -> None:
    rank = data.draw(st.integers(1, 3))
    groups = data.draw(st.integers(1, 3))

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(data.draw(st.integers(low, high)) for _ in range(rank))

    kernel, stride, padding, dilation = each(1, 4), each(1, 3), each(0, 2), each(1, 2)
    more = each(0, 20 if rank < 3 else 6)
    sizes = tuple(max(1, d * (k - 1) + 1 - 2 * p) + m for k, d, p, m in zip(kernel, dilation, padding, more))
    batch, ins, outs = (data.draw(st.integers(1, n)) for n in (4, 5, 9))
    compare((batch, groups * ins, groups * outs, sizes, kernel, stride, padding, dilation, groups))


#: 3×3 in steps of one, with channels enough for Winograd's algorithm
SQUARE = [
    (2, 16, 24, (16, 18), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    (4, 32, 17, (7, 7), (3, 3), (1, 1), (1, 1), (1, 1), 1),
    (3, 17, 33, (9, 30), (3, 3), (1, 1), (2, 0), (1, 1), 1),
    (2, 16, 32, (11, 5), (3, 3), (1, 1), (1, 1), (1, 1), 2),
]


@pytest.mark.parametrize("case", SQUARE, ids=str)
@pytest.mark.parametrize("chosen", ["plan", "wide_plan"])
def test_winograd(case: tuple[Any, ...], chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its forms, whatever the model says."""
    for name in ("plan", "wide_plan"):
        made, cycles = getattr(convolution_winograd, name), 0.0 if name == chosen else float("inf")
        monkeypatch.setattr(convolution_winograd, name, lambda p, e, m=made, c=cycles: m(p, e)._replace(cycles=c))
    for module in (convolution_winograd_weight, convolution_columns):
        cycles = 0.0 if module is convolution_winograd_weight else float("inf")
        monkeypatch.setattr(module, "plan", lambda p, e, m=module.plan, c=cycles: m(p, e)._replace(cycles=c))
    compare(case, tolerance=1e-4)


@pytest.mark.parametrize("case", CASES[:21], ids=str)
@pytest.mark.parametrize("cycles", [0.0, float("inf")])
def test_input_gradient_both_ways(case: tuple[Any, ...], cycles: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made = convolution_columns.plan
    monkeypatch.setattr(convolution_columns, "plan", lambda p, e: made(p, e)._replace(cycles=cycles))
    compare(case, only="convolution_input_gradient")


def test_infinities_stay_where_they_are() -> None:
    x = np.ones((1, 1, 4, 20), np.float32)
    x[0, 0, 0, 0] = np.inf
    grad = np.ones((1, 1, 4, 18), np.float32)
    parameters: dict[str, Any] = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
    w = np.ones((1, 1, 1, 3), np.float32)
    (y,) = run_primitive("convolution", x, w, **parameters) or ()
    assert np.isinf(y).sum() == 1
    (dw,) = run_primitive("convolution_weight_gradient", grad, x, kernel=(1, 3), **parameters) or ()
    np.testing.assert_array_equal(dw.ravel(), [np.inf, 72, 72])

