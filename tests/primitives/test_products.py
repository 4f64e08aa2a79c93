"""Products take as many threads as they are worth, and leave OpenBLAS as they found it."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.primitives import products


def test_threads_follow_the_size_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(products._Threads, "set", asked.append)
    monkeypatch.setattr(products._Threads, "count", 8)
    monkeypatch.setattr(products, "LARGE", 1 << 20)
    monkeypatch.setattr(threads._Chosen, "within", 8)
    generator = np.random.default_rng(0)
    for n, expected in ((16, []), (80, [1, 8]), (128, [])):
        asked.clear()
        x = generator.normal(size=(n, n))
        np.testing.assert_allclose(products.matrix_product(x, x), np.einsum("ij,jk->ik", x, x))
        assert asked == expected
    threads.set_num_threads(3)
    products.matrix_product(x, x)
    assert asked == [3, 8]
    asked.clear()
    with pytest.raises(ValueError, match="mismatch"):
        products.matrix_product(x[:, :80], x)
    assert asked == [3, 8]


def test_whatever_library_numpy_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products._Threads, "set", None)
    x = np.ones((90, 90))
    assert products.matrix_product(x, x)[0, 0] == 90
    assert products._Threads.set is not None
    if products._Threads.set:
        assert products._Threads.count >= 1
