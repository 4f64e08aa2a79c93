"""Rows looked up by number; parity of every form is checked against PyTorch's database in ``tests/parity``."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import flambeau

torch = pytest.importorskip("torch")


def both(run: Any) -> tuple[Any, Any]:
    found = []
    for library in (flambeau, torch):
        try:
            found.append(run(library))
        except Exception as error:
            found.append((type(error), str(error)))
    return found[0], found[1]


def table(library: Any) -> Any:
    return (library.arange(15.0).view(5, 3) / 7 - 1).requires_grad_()


@pytest.mark.parametrize("index", ["[5]", "[-1]", "[1.0]", "[[0, 4], [2, 2]]", "[]"])
def test_rows_and_errors(index: str) -> None:
    def run(library: Any) -> Any:
        return repr(library.nn.functional.embedding(library.tensor(eval(index), dtype=None), table(library)))

    assert both(run)[0] == both(run)[1]


def test_gradient_leaves_out_padding_and_counts() -> None:
    def run(library: Any) -> Any:
        weight = table(library)
        functional = library.nn.functional
        functional.embedding(library.tensor([1, 2, 1, 4]), weight, 4, scale_grad_by_freq=True).sum().backward()
        return weight.grad.tolist()

    ours, theirs = both(run)
    assert ours == theirs and ours[1] == [1.0, 1.0, 1.0] and ours[4] == [0.0, 0.0, 0.0]


def test_max_norm_changes_the_table() -> None:
    def run(library: Any) -> Any:
        weight = table(library).detach()
        library.nn.functional.embedding(library.tensor([0, 4]), weight, max_norm=0.5)
        return weight

    ours, theirs = both(run)
    assert flambeau.allclose(ours, flambeau.tensor(theirs.tolist()))
    assert ours[0].norm().item() == pytest.approx(0.5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=5), st.sampled_from(["sum", "mean", "max"]))
def test_a_bag_is_its_rows_reduced(bags: list[list[int]], mode: str) -> None:
    flat = [index for bag in bags for index in bag]
    starts = [sum(map(len, bags[:k])) for k in range(len(bags))]

    def run(library: Any) -> Any:
        weight = table(library)
        indices = library.tensor(flat, dtype=library.int64)
        result = library.nn.functional.embedding_bag(indices, weight, library.tensor(starts), mode=mode)
        (result * result).sum().backward()
        return result.tolist(), weight.grad.tolist()

    ours, theirs = both(run)
    for one, other in zip(ours, theirs):
        assert flambeau.allclose(flambeau.tensor(one), flambeau.tensor(other), atol=1e-5)


def test_one_hot_of_pending_numbers() -> None:
    pending = flambeau.tensor([0, 1]) + 1
    assert flambeau.nn.functional.one_hot(pending, 4).tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
    with pytest.raises(RuntimeError, match="one_hot"):
        flambeau.nn.functional.one_hot(pending + 3, 4).tolist()
