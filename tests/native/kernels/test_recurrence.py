"""Recurrent layers and their gradients against the reference meanings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.native.harness import run_line, run_primitive

import flambeau.native.kernels.recurrence  # noqa: F401  (declares the lowerings)
from flambeau.primitives.recurrence import GATES
from flambeau.primitives.registry import primitives


def check(
    kind: str, steps: int, batch: int, width: int, *, reverse: bool = False, projection: int = 0, bias: bool = False,
    lengths: Any = None, dtype: Any = np.float32, pieces: int = 3,
) -> None:  # fmt: skip
    """Compare forward and gradient with the reference meanings."""
    random = np.random.default_rng(1)
    state, gates = projection or width, GATES[kind] * width
    sizes = None if lengths is None else np.array(lengths, np.int64)
    rows = steps * batch if lengths is None else sum(lengths)

    def numbers(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.7).astype(dtype)

    x, hidden, weight = numbers(rows, gates), numbers(batch, state), numbers(gates, state)
    cell = numbers(batch, width) if kind == "lstm" else None
    turn = numbers(state, width) if projection else None
    offset = numbers(gates) if bias else None
    parameters = {"kind": kind, "reverse": reverse, "batch": batch if lengths is None else 0}
    operands = (x, hidden, cell, weight, offset, turn, sizes)
    tolerance = {"rtol": 2e-4, "atol": 2e-5} if dtype is np.float32 else {"rtol": 1e-10, "atol": 1e-11}

    def compare(name: str, *operands: Any) -> list[Any]:
        expected = primitives[name].reference(*operands, **parameters)
        found = run_primitive(name, *operands, pieces=pieces, **parameters)
        assert found is not None
        for mine, theirs in zip(found, expected, strict=True):
            assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
            np.testing.assert_allclose(mine, theirs, **tolerance)
        return list(expected)

    outputs, last, last_cell, saved = compare("recurrence", *operands)
    grads = numbers(*outputs.shape), numbers(*last.shape), numbers(*last_cell.shape) if kind == "lstm" else None
    compare("recurrence_gradient", *grads, hidden, cell, weight, offset, turn, sizes, outputs, saved)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["tanh", "relu", "lstm", "gru"])
def test_kinds(kind: str, reverse: bool) -> None:
    check(kind, 5, 3, 20, reverse=reverse, bias=kind == "gru")
    check(kind, 4, 17, 7, reverse=reverse)
    check(kind, 1, 1, 16, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["tanh", "relu", "lstm", "gru"])
def test_sequences_of_several_lengths(kind: str, reverse: bool) -> None:
    check(kind, 0, 9, 12, reverse=reverse, lengths=[9, 9, 5, 4, 4, 1], bias=kind == "gru")
    check(kind, 0, 3, 5, reverse=reverse, lengths=[3])


@pytest.mark.parametrize("reverse", [False, True])
def test_projection(reverse: bool) -> None:
    check("lstm", 4, 5, 20, projection=6, reverse=reverse)
    check("lstm", 0, 4, 33, projection=17, reverse=reverse, lengths=[4, 3, 3, 1])


def test_double_and_large() -> None:
    check("lstm", 3, 9, 11, dtype=np.float64)
    check("gru", 3, 9, 11, dtype=np.float64, bias=True)
    check("lstm", 6, 53, 64)


def test_batches_cut_differently_agree() -> None:
    for pieces in (1, 4):
        check("lstm", 3, 100, 24, pieces=pieces)


def test_what_is_left_to_the_reference() -> None:
    x = np.ones((4, 8), np.float16)
    weight, hidden = np.ones((8, 8), np.float16), np.ones((2, 8), np.float16)
    assert (
        run_primitive("recurrence", x, hidden, None, weight, None, None, None, kind="tanh", reverse=False, batch=2)
        is None
    )


@pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])
def test_narrow_floats(kind: str) -> None:
    random = np.random.default_rng(0)
    width, batch, steps = 8, 3, 4

    def numbers(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.5).astype(np.float16)

    x, hidden, weight = numbers(steps * batch, GATES[kind] * width), numbers(batch, width), numbers(GATES[kind] * width, width)
    cell = numbers(batch, width) if kind == "lstm" else None
    operands = (x, hidden, cell, weight, None, None, None)
    parameters = {"kind": kind, "reverse": False, "batch": batch}
    found, left, _ = run_line("recurrence", *operands, **parameters)
    assert not left
    for mine, theirs in zip(found, primitives["recurrence"].reference(*operands, **parameters), strict=True):
        np.testing.assert_allclose(mine.astype(np.float32), theirs.astype(np.float32), rtol=1e-2, atol=1e-2)
