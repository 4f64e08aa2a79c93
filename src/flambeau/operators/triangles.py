"""Triangles and diagonals of matrices: ``tril``, ``triu``, their indices, ``diag`` and its kin, ``vander``."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.devices import find
from ..core.dtypes import INTEGER, as_dtype, bool_, dtype, int64, uint8
from ..core.names import scalar_name
from ..core.specs import Spec, spec
from ..primitives import elementwise as p, memory
from ..primitives.values import Value
from .declaration import composite, functions, methods, operator
from .kinds import Tensor
from .views import as_index, diagonal_of

Ints = tuple[int, ...]


def _triangle(name: str, input: Value, diagonal: int, lower: bool) -> Value:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    shape = input.shape[-2:]
    beyond = memory.iota(shape=shape, axis=1, dtype=int64) - memory.iota(shape=shape, axis=0, dtype=int64)
    keep = beyond <= diagonal if lower else beyond >= diagonal
    return p.select(keep, input, memory.full(0, shape=(), dtype=input.dtype))


@operator({"input": lambda grad, diagonal: grad.tril(diagonal)}, in_place=True)
def tril(input: Tensor, diagonal: int = 0) -> Value:
    """The lower triangle of matrices, zeros above the given diagonal.

    >>> import flambeau as torch
    >>> torch.tril(torch.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle("tril", input, diagonal, True)


@operator({"input": lambda grad, diagonal: grad.triu(diagonal)}, in_place=True)
def triu(input: Tensor, diagonal: int = 0) -> Value:
    """The upper triangle of matrices, zeros below the given diagonal.

    >>> import flambeau as torch
    >>> torch.triu(torch.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return _triangle("triu", input, diagonal, False)


def _triangle_indices(name: str, row: Any, col: Any, offset: int, kind: dtype, lower: bool) -> Any:
    rows, columns = as_index(row), as_index(col)
    for what, size in (("row", rows), ("col", columns)):
        if size < 0:
            raise RuntimeError(f"{what} must be non-negative, got{size}")
    if kind.category != INTEGER or kind in (bool_, uint8):
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(kind)}'")
    from .masking import nonzero

    mask = (tril if lower else triu)(functions["ones"](rows, columns, dtype=bool_), offset)
    found = nonzero(mask).t().contiguous()
    return found if kind is int64 else found.to(kind)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: dtype = int64, device: Any = None, layout: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Row and column numbers of the lower triangle, in row-major order.

    >>> import flambeau as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    find(device)
    return _triangle_indices("tril_indices", row, col, offset, as_dtype(dtype, "tril_indices") if dtype else int64, True)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: dtype = int64, device: Any = None, layout: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Row and column numbers of the upper triangle, in row-major order."""
    find(device)
    return _triangle_indices("triu_indices", row, col, offset, as_dtype(dtype, "triu_indices") if dtype else int64, False)


functions.update(tril_indices=tril_indices, triu_indices=triu_indices)


# -- diagonals ---------------------------------------------------------------------------------------------------------


@operator(
    {"input": lambda grad, offset, dim1, dim2: grad.diagonal(offset, dim1, dim2)},
    name="diag_embed", method=False, function=False,
)  # fmt: skip
def _embedded(input: Tensor, offset: int, dim1: int, dim2: int) -> Value:
    size = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for axis in sorted((dim1, dim2)):
        shape.insert(axis, size)
    whole = spec(tuple(shape), input.dtype)
    window, steps, start = diagonal_of.rule(whole, offset, dim1, dim2)
    zeros = memory.full(0, shape=tuple(shape), dtype=input.dtype)
    return memory.strided_update(zeros, input, layout=whole, of=spec(window, input.dtype, steps), offset=start)


@composite()
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices with the last dimension of ``input`` on their diagonal.

    >>> import flambeau as torch
    >>> torch.diag_embed(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    rank = input._spec.ndim + 1
    first, second = _strides.normalize_axis(dim1, rank), _strides.normalize_axis(dim2, rank)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _embedded(input, as_index(offset), first, second)


def _diagonal_back(grad: Any, input_spec: Spec, offset: int) -> Any:
    from .gathering import diagonal_scatter

    return diagonal_scatter(grad.new_zeros(input_spec.shape), grad, offset)


@operator(
    {"input": _diagonal_back}, name="diagonal_copy", method=False, function=False, node="DiagonalBackward0_copy"
)
def _diagonal_copy(input: Tensor, offset: int) -> Value:
    here = spec(input.shape, input.dtype)
    shape, steps, start = diagonal_of.rule(here, offset, 0, 1)
    return memory.strided_window(input, layout=here, of=spec(shape, input.dtype, steps), offset=start)


@composite()
def diag(input: Any, diagonal: int = 0) -> Any:
    """The matrix with a vector on its diagonal; the diagonal of a matrix, as a copy.

    >>> import flambeau as torch
    >>> torch.diag(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    rank = input._spec.ndim
    if rank == 1:
        return _embedded(input, as_index(diagonal), 0, 1)
    if rank == 2:
        return _diagonal_copy(input, as_index(diagonal))
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {rank}D")


@composite()
def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix with all elements of ``input`` on its diagonal."""
    return _embedded(input.reshape((-1,)), as_index(offset), 0, 1)


def fill_diagonal_(input: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Fill the main diagonal; with ``wrap`` it starts anew below a tall matrix, after a row left out.

    >>> import flambeau as torch
    >>> torch.zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    here = input._spec
    if here.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if here.ndim > 2 and any(size != here.shape[0] for size in here.shape):
        raise RuntimeError("all dimensions of input must be of equal length")
    step, least = sum(here.strides), min(here.shape)
    first = input.storage_offset()
    input.as_strided((least,), (step,), first).fill_(fill_value)
    if wrap and here.ndim == 2 and here.shape[0] > here.shape[1] + 1:
        start = here.shape[1] + 1
        size = len(range(start * here.shape[1], here.shape[0] * here.shape[1], here.shape[1] + 1))
        if here.is_contiguous:
            input.as_strided((size,), (step,), first + start * here.strides[0]).fill_(fill_value)
        else:
            for row in range(start, here.shape[0], here.shape[1] + 1):
                input[row : row + here.shape[1]].fill_diagonal_(fill_value)
    return input


methods["fill_diagonal_"] = fill_diagonal_


@composite(method=False)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Powers of the elements of a vector, a row for each element, the highest power first.

    >>> import flambeau as torch
    >>> torch.vander(torch.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    here = x._spec
    if here.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = here.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    kind = int64 if here.dtype.category <= INTEGER else here.dtype
    ones = functions["ones"](here.shape[0], 1, dtype=kind)
    if count == 0:
        return functions["empty"](here.shape[0], 0, dtype=kind)
    result = ones
    if count > 1:
        powers = x.to(kind).unsqueeze(1).expand((here.shape[0], count - 1)).cumprod(1)
        result = functions["cat"]([ones, powers], 1)
    return result if increasing else result.flip(1)
