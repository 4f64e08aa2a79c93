"""Joining, writing through windows and reinterpreting, against the reference meanings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.native.harness import run_primitive

import flambeau.native.kernels.memory  # noqa: F401  (declares the lowerings)
from flambeau.core import dtypes
from flambeau.core.specs import spec
from flambeau.primitives.registry import primitives


def numbers(*shape: int, kind: Any = np.float32) -> Any:
    """Distinct numbers."""
    return np.arange(int(np.prod(shape))).reshape(shape).astype(kind)


def check(name: str, *operands: Any, **parameters: Any) -> None:
    """Compare with the reference meaning."""
    expected = primitives[name].reference(*operands, **parameters)
    for pieces in (1, 3):
        found = run_primitive(name, *operands, pieces=pieces, **parameters)
        assert found is not None
        assert found[0].shape == expected.shape and found[0].dtype == expected.dtype
        np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int8, np.int64, bool], ids=str)
def test_concatenate_dtypes(kind: Any) -> None:
    check("concatenate", numbers(3, 5, kind=kind), numbers(3, 40, kind=kind), axis=1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concatenate_layouts(axis: int) -> None:
    def part(size: int) -> tuple[int, ...]:
        return tuple(size if each == axis else extent for each, extent in enumerate((4, 6, 5)))

    check("concatenate", numbers(*part(3)), numbers(*part(0)), numbers(*part(17)), numbers(*part(1)), axis=axis)
    turned = numbers(*part(7)[::-1]).transpose(2, 1, 0)
    check("concatenate", turned, numbers(*part(2))[::-1], np.broadcast_to(numbers(*part(1)[2:]), part(1)), axis=axis)
    check("concatenate", numbers(*part(2))[:, ::-1, ::-1], axis=axis)


def test_concatenate_many_and_large() -> None:
    check("concatenate", *(numbers(2, k) for k in range(40)), axis=1)
    check("concatenate", numbers(70000), numbers(3), numbers(50001)[::-1], axis=0)
    check("concatenate", numbers(300, 700), numbers(300, 13), axis=1)
    check("concatenate", numbers(0, 3), numbers(0, 3), axis=0)


LAYOUTS = [
    ((4, 6), (6, 1), (4,), (6,), 2),  # a column
    ((4, 6), (6, 1), (2, 3), (12, 2), 1),  # a slice with steps
    ((4, 6), (1, 4), (6,), (4,), 3),  # a row of a transposed base
    ((4, 6), (1, 4), (3, 2), (8, 2), 1),
    ((2, 3, 4, 5), (60, 1, 15, 3), (3, 4, 5), (1, 15, 3), 60),  # a sample, channels last
    ((2, 3, 4, 5), (60, 1, 15, 3), (2, 2, 2), (60, 30, 6), 1),
    ((5,), (1,), (), (), 3),
    ((5,), (1,), (0,), (1,), 0),
    ((), (), (), (), 0),
    ((3, 200), (200, 1), (3, 150), (200, 1), 25),
]


@pytest.mark.parametrize("case", LAYOUTS, ids=str)
def test_strided_update(case: Any) -> None:
    shape, strides, window, steps, offset = case
    layout, of = spec(shape, dtypes.float32, strides), spec(window, dtypes.float32, steps)
    base = numbers(*shape)
    update = np.array(-1 - numbers(*window))
    check("strided_update", base, update, layout=layout, of=of, offset=offset)
    if base.ndim == 2:
        check("strided_update", np.asfortranarray(base), update, layout=layout, of=of, offset=offset)
        check(
            "strided_update", base[::-1, ::-1], np.broadcast_to(update[:1], window), layout=layout, of=of, offset=offset
        )


def test_windows_that_have_no_strides_in_rows_are_left_to_the_reference() -> None:
    layout, of = spec((4, 6), dtypes.float32, (1, 4)), spec((5,), dtypes.float32, (5,))
    assert run_primitive("strided_update", numbers(4, 6), numbers(5), layout=layout, of=of, offset=0) is None


def test_reinterpret() -> None:
    x = np.random.default_rng(1).standard_normal((5, 7)).astype(np.float32)
    check("reinterpret", x, dtype=dtypes.int32)
    check("reinterpret", x.T[::2], dtype=dtypes.int32)
    check("reinterpret", x.astype(np.float64).view(np.int64), dtype=dtypes.float64)
