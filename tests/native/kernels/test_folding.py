"""Windows as columns and back by kernels, against their reference meanings."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from tests.native.harness import run_primitive

import flambeau.native.kernels.folding
from flambeau.core import dtypes
from flambeau.primitives.convolution import output_sizes
from flambeau.primitives.registry import primitives

assert flambeau.native.kernels.folding


def check(kind: str, lead: tuple[int, int], sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> None:
    out = output_sizes(sizes, kernel, stride, padding, dilation)
    common = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "out": out}
    random = np.random.default_rng(0)
    number = getattr(dtypes, kind).numpy
    image = random.integers(0, 9, (*lead, *sizes)).astype(number)
    columns = random.integers(0, 9, (lead[0], lead[1] * prod(kernel), prod(out))).astype(number)
    for name, x, more in (("unfold_windows", image, {}), ("fold_windows", columns, {"sizes": sizes})):
        found = run_primitive(name, x, pieces=2, **common, **more)
        assert found is not None
        expected = primitives[name].reference(x, **common, **more)
        np.testing.assert_array_equal(found[0].astype(np.float64), expected.astype(np.float64))


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "bfloat16", "int64", "uint8"])
def test_dtypes(kind: str) -> None:
    check(kind, (2, 3), (9, 40), (3, 3), (1, 1), (1, 1), (1, 1))
    check(kind, (1, 2), (8, 7), (2, 3), (2, 2), (0, 1), (1, 2))


sides = st.tuples(st.integers(1, 20), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3))


@settings(max_examples=25, deadline=None)
@given(st.lists(sides, min_size=1, max_size=3))
def test_shapes(axes: list[Any]) -> None:
    axes = [a for a in axes if a[0] + 2 * a[3] >= (a[1] - 1) * a[4] + 1]
    if axes:
        check("float32", (2, 2), *(tuple(each) for each in zip(*axes)))
