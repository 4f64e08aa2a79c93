"""Sparse matrices in coordinates, against PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau

INDICES, VALUES = [[0, 1, 1, 0], [2, 0, 2, 2]], [3.0, 4.0, 5.0, 1.0]


def both(program: str) -> tuple[Any, Any]:
    """What a program over `s`, a sparse matrix, gives here and in PyTorch, as text."""
    results = []
    for package in (flambeau, pytest.importorskip("torch")):
        names = {"torch": package, "i": package.tensor(INDICES), "v": package.tensor(VALUES)}
        names["s"] = package.sparse_coo_tensor(names["i"], names["v"], (2, 4))
        try:
            exec(f"result = {program}", names)
        except RuntimeError as error:
            names["result"] = f"RuntimeError {error}"
        results.append(str(names["result"]))
    return results[0], results[1]


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("program", [
    "s", "s.coalesce()", "s.coalesce().coalesce().values()", "s.indices()", "s.values()", "s.to_dense()", "s.t().to_dense()",
    "(s + s).to_dense()", "(s * 2).to_dense()", "s.sum()", "s @ torch.ones(4, 3)", "torch.sparse.mm(s, torch.ones(4, 2))",
    "s @ torch.arange(4.)", "(s.shape, s.size(1), s.dim(), s.ndim, s.numel(), s._nnz(), s.sparse_dim(), s.dense_dim())",
    "(s.dtype, s.device, s.layout, s.is_sparse, s.requires_grad, s.is_coalesced(), s.coalesce().is_coalesced())",
    "torch.sparse_coo_tensor(i, v)", "torch.sparse_coo_tensor(i, v.view(4, 1).expand(4, 2), (2, 4, 2)).to_dense()",
    "torch.sparse_coo_tensor((2, 3))", "torch.sparse_coo_tensor([[0, 1]], [1, 2]).to_dense()",
    "torch.sparse_coo_tensor([[0, 1]], [1, 2], (3,), dtype=torch.float64).coalesce()", "s.to(torch.float64).to_dense().dtype",
    "torch.sparse_coo_tensor(torch.tensor([0, 1]), torch.ones(2), (2, 2))",
    "torch.sparse_coo_tensor(torch.tensor([[0, 1]]), torch.ones(2), (2, 2))",
    "torch.sparse_coo_tensor(torch.tensor([[0, 1], [0, 1]]), torch.ones(3), (2, 2))",
    "s + torch.ones(2, 4)", "torch.ones(2, 4) + s", "torch.sparse_coo_tensor([[0, 1]], [True, False])",
])  # fmt: skip
def test_as_in_pytorch(program: str) -> None:
    ours, theirs = both(program)
    assert ours == theirs


def test_gradients_reach_the_values() -> None:
    torch = pytest.importorskip("torch")
    found = []
    for package in (flambeau, torch):
        v = package.tensor(VALUES, requires_grad=True)
        d = package.ones(4, 2, requires_grad=True)
        s = package.sparse_coo_tensor(package.tensor(INDICES), v, (2, 4), check_invariants=False)
        (package.sparse.mm(s, d).pow(2).sum() + (s.to_dense() ** 3).sum()).backward()
        found.append((v.grad.tolist(), d.grad.tolist()))
    assert found[0] == found[1]


def test_what_does_not_fit() -> None:
    s = flambeau.sparse_coo_tensor(INDICES, VALUES, (2, 4))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        s @ flambeau.ones(3, 3)
    with pytest.raises(RuntimeError, match="sizes of 'self' and 'other'"):
        s + flambeau.sparse_coo_tensor([[0], [0]], [1.0], (3, 3))
    with pytest.raises(RuntimeError, match="lies outside of size"):
        flambeau.sparse_coo_tensor([[5], [0]], [1.0], (2, 2), check_invariants=True)
    with pytest.raises(RuntimeError, match="indices must be an int64 tensor"):
        flambeau.sparse_coo_tensor([[0.5]], [1.0])
    with pytest.raises(TypeError):
        s * flambeau.ones(4)
    assert not isinstance(s, flambeau.Tensor)
