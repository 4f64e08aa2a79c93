"""Indices of extremes, and looking up in sorted numbers, against the reference meanings."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tests.native.harness import run_primitive

import flambeau.native.kernels.sorting  # noqa: F401  (declares the lowerings)
from flambeau.primitives.registry import primitives

KINDS = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16, bool, np.uint8, np.int8, np.int64]


def check(name: str, *operands: Any, **parameters: Any) -> None:
    """Compare with the reference meaning."""
    expected = primitives[name].reference(*operands, **parameters)
    for pieces in (1, 3):
        found = run_primitive(name, *operands, pieces=pieces, **parameters)
        assert found is not None
        assert found[0].dtype == expected.dtype and found[0].shape == expected.shape
        np.testing.assert_array_equal(found[0], expected)


def numbers(shape: tuple[int, ...], kind: Any) -> Any:
    """Random numbers of a few values, so that there are ties."""
    random = np.random.default_rng(1)
    return random.random(shape) > 0.7 if kind is bool else random.integers(0, 50, shape).astype(kind)


@pytest.mark.parametrize("name", ["argument_max", "argument_min"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_extremes(name: str, kind: Any) -> None:
    for shape in ((9,), (5, 10), (3, 300)):
        x = numbers(shape, kind)
        for axis in range(len(shape)):
            check(name, x, axis=axis)
    check(name, numbers((4, 6, 21), kind).transpose(1, 0, 2), axis=0)
    check(name, numbers((4, 150), kind)[:, ::-1], axis=1)


@pytest.mark.parametrize("name", ["argument_max", "argument_min"])
def test_extremes_that_are_not_finite(name: str) -> None:
    x = numbers((6, 131), np.float32)
    x[0, 60], x[0, 61] = np.nan, np.nan
    x[1, 130], x[2, 0], x[3, 7], x[3, 90] = np.nan, np.nan, np.inf, np.inf
    x[4] = -np.inf
    x[5] = np.nan
    for each in (x, x[:, :10], x.astype(np.float64)):
        check(name, each, axis=1)
        check(name, each.T.copy(), axis=0)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint8, np.int64], ids=str)
def test_search_sorted(kind: Any, right: bool) -> None:
    for length in (1, 2, 7, 64, 100):
        table = np.sort(numbers((length,), kind))
        check("search_sorted", table, numbers((3, 11), kind), right=right)
        rows = np.sort(numbers((3, length), kind), -1)
        check("search_sorted", rows, numbers((3, 4), kind), right=right)
    check("search_sorted", table[:0], numbers((3,), kind), right=right)
    check("search_sorted", np.repeat(table, 2)[::2], numbers((30, 2), kind)[::2, 1], right=right)


def test_search_sorted_with_numbers_that_are_none() -> None:
    table = np.array([-np.inf, 0, 1, np.inf, np.nan, np.nan], np.float32)
    for right in (False, True):
        check("search_sorted", table, np.array([np.nan, 0, np.inf, -np.inf, 0.5], np.float32), right=right)


@pytest.mark.parametrize("kind", [np.float32, np.uint8, np.int64], ids=str)
def test_member(kind: Any) -> None:
    x = numbers((7, 30), kind)
    check("member", x, np.array([1, 7, 30], kind))
    check("member", x.T, np.array([], kind))
    check("member", x[::2, ::3], np.array([4], kind))
