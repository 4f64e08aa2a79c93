"""Sparse matrices in coordinates: positions and values, as packages make them to count or to multiply.

A :class:`SparseTensor` is not a ``Tensor``: it can be made, coalesced, transposed, added, scaled, multiplied with dense
matrices and made dense, and gradients flow through all of these to the values. Operators know dense tensors only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any

from .core.memory_formats import sparse_coo
from .core.sizes import Size
from .operators.declaration import functions
from .tensor import Tensor

_DTYPE = re.compile(r", dtype=torch\.\w+")

__all__ = ["SparseTensor", "mm", "sparse_coo_tensor"]


class SparseTensor:
    """Values at positions; what is not named is zero, what is named twice is the sum.

    ``indices``: (number of sparse dimensions, n). ``values``: (n, …), the further dimensions being dense.
    """

    is_sparse, layout = True, sparse_coo

    def __init__(self, indices: Any, values: Any, size: Sequence[int], coalesced: bool = False) -> None:
        self._positions, self._content, self.shape, self._coalesced = indices, values, Size(size), coalesced

    # -- what it is ------------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> Any:
        """The values' dtype."""
        return self._content.dtype

    @property
    def device(self) -> Any:
        """The values' device."""
        return self._content.device

    @property
    def requires_grad(self) -> bool:
        """Whether the values require grad."""
        return bool(self._content.requires_grad)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its sizes."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def numel(self) -> int:
        """The number of elements, zeros included."""
        return prod(self.shape)

    def sparse_dim(self) -> int:
        """How many dimensions positions have."""
        return int(self._positions.shape[0])

    def dense_dim(self) -> int:
        """How many dimensions each value has."""
        return self.dim() - self.sparse_dim()

    def _nnz(self) -> int:
        return int(self._positions.shape[1])

    def is_coalesced(self) -> bool:
        """Whether each position is known to be named once, in order."""
        return self._coalesced

    def _indices(self) -> Any:
        return self._positions

    def _values(self) -> Any:
        return self._content

    def indices(self) -> Any:
        """The positions. RuntimeError before :meth:`coalesce`."""
        return self._checked("indices")._positions

    def values(self) -> Any:
        """The values at the positions. RuntimeError before :meth:`coalesce`."""
        return self._checked("values")._content

    def _checked(self, what: str) -> SparseTensor:
        if not self._coalesced:
            raise RuntimeError(f"Cannot get {what} on an uncoalesced tensor, please call .coalesce() first")
        return self

    def __repr__(self) -> str:
        def part(name: str, value: Any) -> str:
            text = _DTYPE.sub("", repr(value.detach())) if value.numel() else f"tensor([], size={tuple(value.shape)})"
            return f"{name}=" + text.replace("\n", "\n" + " " * (8 + len(name)))

        # The dtype is shown once, where a dense tensor would show it too.
        shown = _DTYPE.search(repr(functions["zeros"]((1,), dtype=self.dtype)))
        end = f"size={tuple(self.shape)}, nnz={self._nnz()}{shown[0] if shown else ''}, layout=torch.sparse_coo"
        return "tensor(" + (",\n" + " " * 7).join([part("indices", self._positions), part("values", self._content), end]) + ")"

    # -- what can be done with it ----------------------------------------------------------------------------------------

    def _with(self, values: Any) -> SparseTensor:
        return SparseTensor(self._positions, values, self.shape, self._coalesced)

    def to_dense(self) -> Tensor:
        """The tensor with all its zeros.

        >>> import flambeau as torch
        >>> torch.sparse_coo_tensor([[0, 1, 1], [1, 0, 0]], [1.0, 2.0, 3.0]).to_dense()
        tensor([[0., 1.],
                [5., 0.]])
        """
        dense: Any = functions["zeros"](self.shape, dtype=self.dtype, device=self.device)
        filled: Tensor = dense.index_put(tuple(self._positions), self._content, accumulate=True)
        return filled

    def coalesce(self) -> SparseTensor:
        """The same with each position named once, in order, and its values summed."""
        if self._coalesced:
            return self
        sizes = self.shape[: self.sparse_dim()]
        steps = [prod(sizes[k + 1 :]) for k in range(len(sizes))]
        places = (self._positions * functions["as_tensor"](steps).view(-1, 1)).sum(0)
        kept, which = functions["unique"](places, return_inverse=True)
        values = functions["zeros"]((len(kept), *self._content.shape[1:]), dtype=self.dtype, device=self.device)
        indices = [kept // step % size for step, size in zip(steps, sizes)]
        stacked = functions["stack"](indices) if indices else self._positions
        return SparseTensor(stacked, values.index_add(0, which, self._content), self.shape, True)

    def to(self, *args: Any, **kwargs: Any) -> SparseTensor:
        """The same with values of another dtype, or on another device."""
        return self._with(self._content.to(*args, **kwargs))

    def detach(self) -> SparseTensor:
        """The same without its history."""
        return self._with(self._content.detach())

    def transpose(self, dim0: int, dim1: int) -> SparseTensor:
        """Two sparse dimensions exchanged."""
        order = list(range(self.sparse_dim()))
        order[dim0], order[dim1] = order[dim1], order[dim0]
        size = [self.shape[k] for k in order] + list(self.shape[self.sparse_dim() :])
        return SparseTensor(self._positions[order], self._content, size)

    def t(self) -> SparseTensor:
        """A matrix with rows and columns exchanged."""
        return self.transpose(0, 1)

    def sum(self) -> Any:
        """The sum of all elements."""
        return self._content.sum()

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Tensor):
            raise RuntimeError("add(sparse, dense) is not supported. Use add(dense, sparse) instead.")
        if not isinstance(other, SparseTensor):
            return NotImplemented
        if other.shape != self.shape or other.sparse_dim() != self.sparse_dim():
            raise RuntimeError(f"add: expected sizes of 'self' and 'other' to match, but {self.shape} != {other.shape}")
        join = functions["cat"]
        both = join([self._positions, other._positions], 1), join([self._content, other._content])
        return SparseTensor(*both, self.shape).coalesce()

    def __radd__(self, other: Any) -> Any:
        return other + self.to_dense() if isinstance(other, Tensor) else NotImplemented

    def __mul__(self, other: Any) -> Any:
        return self._with(self._content * other) if isinstance(other, int | float) else NotImplemented

    __rmul__ = __mul__

    def __matmul__(self, other: Any) -> Any:
        return mm(self, other) if isinstance(other, Tensor) else NotImplemented


def sparse_coo_tensor(
    indices: Any,
    values: Any = None,
    size: Any = None,
    *,
    dtype: Any = None,
    device: Any = None,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> SparseTensor:
    """A sparse tensor with ``values`` at ``indices``; ``sparse_coo_tensor(size)`` is one of zeros.

    Args:
        indices: (number of sparse dimensions, n) integers.
        values: (n, …), a tensor or a list.
        size: the shape; without it, the smallest that holds all positions.
        check_invariants: make sure that all positions lie within ``size``.

    Raises:
        RuntimeError: the parts do not fit each other.

    >>> import flambeau as torch
    >>> torch.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 4))
    tensor(indices=tensor([[0, 1],
                           [2, 0]]),
           values=tensor([3., 4.]),
           size=(2, 4), nnz=2, layout=torch.sparse_coo)
    """
    as_tensor, empty = functions["as_tensor"], functions["empty"]
    if values is None:
        size = indices if size is None else size
        nothing = empty((len(size), 0), dtype=as_tensor(0).dtype), empty((0,), dtype=dtype, device=device)
        return SparseTensor(*nothing, size, True)
    positions = as_tensor(indices, device=device)
    if positions.is_floating_point() or positions.is_complex():
        raise RuntimeError("indices must be an int64 tensor")
    positions, content = positions.long(), as_tensor(values, dtype=dtype, device=device)
    if positions.dim() != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(positions.shape)}")
    sparse, count = positions.shape
    if content.dim() == 0 or content.shape[0] != count:
        found = content.shape[0] if content.dim() else "a single number"
        raise RuntimeError(
            f"indices and values must have same nnz, but got nnz from indices: {count}, nnz from values: {found}"
        )
    if size is None:
        reach = (positions.amax(1) + 1).tolist() if count else [0] * sparse
        size = [*reach, *content.shape[1:]]
    if len(size) != sparse + content.dim() - 1:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = {sparse}, "
            f"dense_dim = {content.dim() - 1}"
        )
    if check_invariants and count:
        limit = as_tensor(list(size[:sparse])).view(-1, 1)
        if bool(((positions < 0) | (positions >= limit)).any()):
            raise RuntimeError(f"sparse_coo_tensor: an index lies outside of size {tuple(size)}")
    return SparseTensor(positions, content, size, bool(is_coalesced))


def mm(mat1: SparseTensor, mat2: Tensor) -> Tensor:
    """The product of a sparse (n, m) and a dense (m, k) matrix, which is dense (n, k); also with a vector (m,).

    Raises:
        RuntimeError: the shapes do not fit.

    >>> import flambeau as torch
    >>> torch.sparse.mm(torch.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0]), torch.eye(2))
    tensor([[0., 2.],
            [3., 0.]])
    """
    if mat1.dim() != 2 or mat1.sparse_dim() != 2 or mat2.dim() not in (1, 2) or mat1.shape[1] != mat2.shape[0]:
        raise RuntimeError(f"mm: a {tuple(mat1.shape)} sparse and a {tuple(mat2.shape)} dense tensor cannot be multiplied")
    rows, columns = mat1._indices()
    values = mat1._values()
    terms = (values if mat2.dim() == 1 else values.view(-1, 1)) * mat2[columns]
    result: Any = functions["zeros"]((mat1.shape[0], *mat2.shape[1:]), dtype=terms.dtype, device=terms.device)
    product: Tensor = result.index_add(0, rows, terms)
    return product
