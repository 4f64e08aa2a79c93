"""Rows of a table looked up by number: ``embedding``, ``embedding_bag``, ``one_hot``.

A table of vectors for symbols comes from Bengio et al., "A neural probabilistic language model" (2003).
"""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import no_grad
from ..autograd.plans import called
from ..core.dtypes import int32, int64
from ..core.names import type_name
from ..core.specs import Spec
from ..primitives import checks, elementwise as p, indexing as places, memory
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import composite, functions, operator
from .indexing import check_known, known, long
from .kinds import Tensor
from .promotion import to, widened

MODES = ("sum", "mean", "max")


def _check_indices(name: str, indices: Any, what: str = "indices") -> None:
    if indices.dtype is not int64 and indices.dtype is not int32:
        raise RuntimeError(
            f"Expected tensor for argument #1 '{what}' to have one of the following scalar types: Long, Int; but got "
            f"{type_name(indices.dtype)} instead (while checking arguments for {name})"
        )


def _check(weight: Any, indices: Any, *rest: Any) -> None:
    if isinstance(weight, Handle) and isinstance(indices, Handle) and weight._spec.ndim == 2:
        if indices._spec.dtype is int64 or indices._spec.dtype is int32:
            try:
                check_known(indices, weight._spec.shape[0], 0, wraps=False)
            except IndexError:
                raise IndexError("index out of range in self") from None


def _weight_back(grad: Any, indices: Any, weight_spec: Spec, padding_idx: int, scale_grad_by_freq: bool) -> Any:
    return embedding_dense_backward(grad, indices, weight_spec.shape[0], padding_idx, scale_grad_by_freq)


@operator({"weight": _weight_back}, method=False, check=_check)
def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Value:
    """The rows of ``weight`` (num, dim) that ``indices`` (*) name: (*, dim).

    Row ``padding_idx`` gets no gradient; ``scale_grad_by_freq`` divides a row's gradient by how often it was named.
    ``sparse`` is accepted; gradients are dense.

    Raises:
        IndexError: an index is out of range.
        RuntimeError: ``weight`` is not a matrix, or ``indices`` are not int32 or int64.

    >>> import flambeau as torch
    >>> torch.embedding(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1, 0]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    _check_indices("embedding", indices)
    return places.gather_at(weight, long(indices), axes=(0,), wraps=False)


def _table_back(
    grad: Any, indices: Any, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
) -> Any:
    found = embedding(grad, indices)
    if scale_grad_by_freq:
        flat = indices.reshape((-1,))
        counts = functions["zeros"](num_weights, dtype=grad._spec.dtype)
        counts = counts.index_add(0, flat, functions["ones"](flat.shape, dtype=grad._spec.dtype))
        found = found / counts[indices].unsqueeze(-1)
    if padding_idx >= 0:
        found = found.masked_fill((indices == padding_idx).unsqueeze(-1), 0)
    return found


@operator({"grad_output": _table_back}, method=False, function=False)
def embedding_dense_backward(
    grad_output: Tensor, indices: Tensor, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
) -> Value:
    """The gradient of the table of :func:`embedding`: each row of ``grad_output`` added to the row its index names."""
    count, width = indices.numel, grad_output.shape[-1] if grad_output.ndim else 1
    where = memory.reshape(long(indices), shape=(count,))
    rows = widened(memory.reshape(grad_output, shape=(count, width)))
    column = memory.reshape(where, shape=(count, 1))
    if scale_grad_by_freq and count:
        zeros = memory.full(0, shape=(num_weights,), dtype=int64)
        ones = memory.full(1, shape=(count,), dtype=int64)
        counts = places.put_at(zeros, ones, where, axes=(0,), combine="add")
        often = memory.reshape(places.gather_at(counts, where, axes=(0,)), shape=(count, 1))
        rows = rows / memory.broadcast(to(often, rows.dtype), shape=rows.shape)
    if padding_idx >= 0:
        padding = memory.broadcast(p.equal(column, padding_idx), shape=rows.shape)
        rows = p.select(padding, memory.full(0, shape=rows.shape, dtype=rows.dtype), rows)
    table = memory.full(0, shape=(num_weights, width), dtype=rows.dtype)
    return to(places.put_at(table, rows, where, axes=(0,), combine="add"), grad_output.dtype)


def embedding_renorm_(input: Any, indices: Any, max_norm: float, norm_type: float) -> Any:
    """Scale those rows of ``input`` that ``indices`` name and whose norm exceeds ``max_norm`` down to it, in place."""
    with no_grad():
        flat = indices.reshape((-1,))
        rows = embedding(input, flat)
        norms = rows.norm(norm_type, 1, keepdim=True)
        scaled = functions["where"](norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)
        return input.index_put_((flat,), scaled)


functions["embedding_renorm_"] = embedding_renorm_


# -- bags --------------------------------------------------------------------------------------------------------------


def _check_bags(weight: Any, indices: Any, offsets: Any, include_last_offset: bool) -> None:
    for name, each in (("indices", indices), ("offsets", offsets)):
        _check_indices("embedding_bag", each, name)
    if weight.dim() != 2:
        raise RuntimeError(f"embedding_bag: weight must be a matrix, but has shape {list(weight.shape)}")
    count = indices.numel()
    starts, found = known(offsets), known(indices)
    if include_last_offset and offsets.numel() < 1:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if starts is not None and starts.size:
        if starts[0] != 0:
            raise RuntimeError(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
                f"got {int(starts[0])}"
            )
        if starts[-1] > count:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length {count} but got offsets[-1] of {int(starts[-1])}"
            )
        if include_last_offset and starts[-1] != count:
            raise RuntimeError(
                "Your input appears to be incorrect: the last offset value should be the size of the indices tensor, but it "
                "seems not to be the case."
            )
    if found is not None and found.size:
        size = weight.shape[0]
        wrong = (found < 0) | (found >= size)
        if wrong.any():
            place = int(wrong.argmax())
            raise RuntimeError(
                f"Index {place} of input takes value {int(found[place])} which is not in the valid range [0, {size})"
            )


@composite(method=False)
def embedding_bag(
    weight: Any,
    indices: Any,
    offsets: Any,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> tuple[Any, Any, Any, Any]:
    """The sum (``mode`` 0), mean (1) or maximum (2) of the rows in each bag, and what was found on the way.

    Bag b holds ``indices[offsets[b]:offsets[b + 1]]``; rows of ``padding_idx`` count as absent; an empty bag gives zeros.

    Returns:
        (bags, dim), the bag of each index, the size of each bag, the index of each maximum.

    >>> import flambeau as torch
    >>> table = torch.tensor([[1.0], [2.0], [4.0]])
    >>> torch.embedding_bag(table, torch.tensor([0, 1, 2]), torch.tensor([0, 2]))[0]
    tensor([[3.],
            [4.]])
    """
    _check_bags(weight, indices, offsets, include_last_offset)
    rows, width = weight.shape
    padding = -1
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise RuntimeError(
                f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got {padding_idx}"
            )
        padding = padding_idx % rows
    if per_sample_weights is not None and MODES[mode] != "sum":
        raise RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
    starts = offsets[:-1] if include_last_offset else offsets
    bags, count = starts.shape[0], indices.shape[0]
    present = None if padding < 0 else indices != padding
    position = functions["arange"](count, dtype=int64)
    bag_of = functions["searchsorted"](starts.to(int64), position, right=True) - 1
    ones = functions["ones"](count, dtype=int64) if present is None else present.to(int64)
    sizes = functions["zeros"](bags, dtype=int64).index_add(0, bag_of, ones)
    if MODES[mode] == "max":
        return _greatest(weight, indices, bag_of, sizes, present, position, scale_grad_by_freq)
    found = embedding(weight, indices, padding, scale_grad_by_freq)
    if present is not None:
        found = found.masked_fill(~present.unsqueeze(1), 0)
    if per_sample_weights is not None:
        found = found * per_sample_weights.unsqueeze(1)
    result = functions["zeros"]((bags, width), dtype=weight.dtype).index_add(0, bag_of, found)
    if MODES[mode] == "mean":
        result = result / sizes.clamp(min=1).unsqueeze(1)
        return called(result, "EmbeddingBagBackward0"), bag_of, sizes, sizes.clone()
    unused = functions["zeros"](offsets.shape[0], dtype=int64)
    return called(result, "EmbeddingBagBackward0"), functions["empty"](0, dtype=int64), unused, unused.clone()


def _greatest(
    weight: Any, indices: Any, bag_of: Any, sizes: Any, present: Any, position: Any, scale_grad_by_freq: bool
) -> tuple[Any, Any, Any, Any]:
    """The greatest element of each column of each bag, by the first place it stands at."""
    bags, (count, width) = sizes.shape[0], (indices.shape[0], weight.shape[1])
    if not count or not bags:
        nowhere = functions["zeros"]((bags, width), dtype=int64)
        zeros = embedding(weight, indices).sum(0).repeat(bags, 1)  # on the tape, as every result is
        return called(zeros, "EmbeddingBagBackward0"), bag_of, sizes, nowhere
    with no_grad():
        found = embedding(weight, indices)
        if present is not None:
            found = found.masked_fill(~present.unsqueeze(1), float("-inf"))
        spread = bag_of.unsqueeze(1).expand(count, width)
        lowest = functions["full"]((bags, width), float("-inf"), dtype=weight.dtype)
        best = lowest.scatter_reduce(0, spread, found, "amax")
        places_of = functions["where"](found == best[bag_of], position.unsqueeze(1), count)
        if present is not None:
            places_of = places_of.masked_fill(~present.unsqueeze(1), count)
        nowhere = functions["full"]((bags, width), count, dtype=int64)
        first = nowhere.scatter_reduce(0, spread, places_of, "amin")
        empty = first == count
        rows = indices.to(int64)[first.clamp(max=count - 1)].masked_fill(empty, 0)
    picked = weight[rows, functions["arange"](width)].masked_fill(empty, 0)
    return called(picked, "EmbeddingBagBackward0"), bag_of, sizes, rows


# -- one-hot -----------------------------------------------------------------------------------------------------------


@operator(function=False, method=False)
def _one_hot(input: Tensor, num_classes: int) -> Value:
    shape = (*input.shape, num_classes)
    where = memory.broadcast(memory.reshape(input, shape=(*input.shape, 1)), shape=shape)
    message = f"one_hot: class value {{}} is not in the valid range [0, {num_classes})"
    where = checks.checked(where, (where >= 0) & (where < num_classes), error="RuntimeError", message=message)
    return to(p.equal(where, memory.iota(shape=shape, axis=input.ndim, dtype=int64)), int64)


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """A vector for each class number in ``input`` (*), one at that place and zero elsewhere: (*, num_classes).

    Args:
        num_classes: -1: the greatest number in ``input`` plus one.

    >>> import flambeau as torch
    >>> torch.nn.functional.one_hot(torch.tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    if input.dtype is not int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not input.numel():
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return functions["zeros"]((*input.shape, num_classes), dtype=int64)
    if num_classes == -1 or known(input) is not None:
        least, greatest = int(input.min().item()), int(input.max().item())
        if least < 0:
            raise RuntimeError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = greatest + 1
        elif greatest >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    return _one_hot(input, num_classes)

