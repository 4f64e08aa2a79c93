"""Elements picked or replaced where indices say: ``gather``, ``scatter``, ``take``, ``put``, ``…_scatter``."""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import mode
from ..core import strides as _strides
from ..core.dtypes import COMPLEX, FLOATING, INTEGER, bool_, dtype, iinfo, int32, int64
from ..core.names import scalar_name
from ..core.specs import Spec, spec
from ..primitives import elementwise as p, indexing as places, memory
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import LIKE_FIRST, composite, functions, methods, operator
from .indexing import check_known, known, long
from .kinds import Number, Tensor
from .promotion import as_array, to
from .views import diagonal_of, selected, sizes, sliced, strided

Ints = tuple[int, ...]


def _check_gather(input: Any, dim: Any, index: Any, *rest: Any) -> None:
    if not isinstance(input, Handle) or not isinstance(index, Handle) or index._spec.dtype.category != INTEGER:
        return
    shape = input._spec.shape
    axis = _strides.normalize_axis(dim, len(shape))
    try:
        check_known(index, shape[axis] if shape else 1, axis, wraps=False)
    except IndexError as error:
        raise RuntimeError(str(error)) from None


def _one_dimensional(x: Value) -> Value:
    return memory.reshape(x, shape=(1,)) if not x.ndim else x


def _check_index(name: str, what: str, input: Value, index: Value) -> None:
    if not index.numel:
        return
    if index.dtype is not int64 and index.dtype is not int32:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {what} tensor")


def _gather_back(grad: Any, input_spec: Spec, dim: int, index: Any) -> Any:
    return grad.new_zeros(input_spec.shape).scatter_add(dim, index, grad)


@operator({"input": _gather_back}, check=_check_gather)
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Value:
    """result[i][j][k] = input[i][index[i][j][k]][k], for ``dim`` 1; the result has the shape of ``index``.

    Raises:
        RuntimeError: an index is out of range, or ``index`` is larger than ``input`` on another dimension.

    >>> import flambeau as torch
    >>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    axis = _strides.normalize_axis(dim, input.ndim)
    _check_index("gather", "input", input, index)
    if not index.numel:
        return memory.full(0, shape=index.shape, dtype=input.dtype)
    x, where = _one_dimensional(input), _one_dimensional(index)
    for k, (have, want) in enumerate(zip(x.shape, where.shape)):
        if k != axis and want > have:
            raise RuntimeError(
                f"Size does not match at dimension {k} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {axis}"
            )
    return memory.reshape(places.gather_along(x, long(where), axis=axis), shape=index.shape)


@composite()
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """Elements of ``input`` along ``dim`` at ``indices``, which broadcast with it; negative ones count from the end.

    >>> import flambeau as torch
    >>> x = torch.tensor([[3, 1], [2, 4]]); torch.take_along_dim(x, x.argsort(1), 1)
    tensor([[1, 3],
            [2, 4]])
    """
    if dim is None:
        return gather(input.reshape((-1,)), 0, _from_front(indices.reshape((-1,)), input._spec.numel))
    if input._spec.ndim != indices._spec.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input._spec.ndim} dimensions for input, and {indices._spec.ndim} dimensions for indices"
        )
    axis = _strides.normalize_axis(dim, input._spec.ndim)

    def one(shape: Any) -> list[int]:
        return [1 if k == axis else size for k, size in enumerate(shape)]

    shape = _strides.broadcast(one(input._spec.shape), one(indices._spec.shape))

    def spread(x: Any) -> Any:
        return x.expand(tuple(x._spec.shape[k] if k == axis else size for k, size in enumerate(shape)))

    return gather(spread(input), axis, _from_front(spread(indices), input._spec.shape[axis]))


def _from_front(indices: Any, size: int) -> Any:
    if indices._spec.dtype is not int64 and indices._spec.dtype is not int32:
        return indices
    return functions["remainder"](indices, size) if size else indices


# -- scatter -----------------------------------------------------------------------------------------------------------


def _placed(name: str, input: Value, dim: int, index: Value, src: Any, combine: str) -> Value:
    """``input`` with ``src`` (a tensor or a number) written or combined at ``index`` along ``dim``."""
    axis = _strides.normalize_axis(dim, input.ndim)
    _check_index(name, "self", input, index)
    is_tensor = isinstance(src, Value) and not src.is_number
    if is_tensor:
        if src.dtype is not input.dtype:
            raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
        if index.numel and max(src.ndim, 1) != max(index.ndim, 1):
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    if not index.numel:
        return input
    x, where = _one_dimensional(input), _one_dimensional(index)
    update = _one_dimensional(src) if is_tensor else src
    for k, size in enumerate(where.shape):
        if (k != axis and size > x.shape[k]) or (is_tensor and size > update.shape[k]):
            also = f" and to be no larger size than src {list(src.shape)}" if is_tensor else ""
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self {list(input.shape)} apart from "
                "dimension "
                f"{axis}{also}"
            )
    if is_tensor:
        zero, one = (0,) * where.ndim, (1,) * where.ndim
        if update.shape != where.shape:
            update = memory.slice_(update, starts=zero, stops=where.shape, steps=one)
    else:
        update = memory.broadcast(as_array(src, input.dtype), shape=where.shape)
    return memory.reshape(places.put_along(x, long(where), update, axis=axis, combine=combine), shape=input.shape)


def _scatter_input(grad: Any, dim: int, index: Any) -> Any:
    return grad.scatter(dim, index, 0)


def _scatter_source(grad: Any, dim: int, index: Any, src_spec: Spec) -> Any:
    return _with_zeros(gather(grad, dim, index), src_spec)


def _with_zeros(found: Any, src_spec: Spec) -> Any:
    """A gradient in the shape of the indices, with zeros where the source is larger."""
    if tuple(found._spec.shape) == tuple(src_spec.shape):
        return found
    padding: list[int] = []
    for have, want in zip(reversed(found._spec.shape), reversed(src_spec.shape)):
        padding += [0, want - have]
    from .padding import constant_pad_nd

    return constant_pad_nd(found, padding)


@operator(
    {"input": _scatter_input, "src": _scatter_source}, in_place=True, check=_check_gather,
    name="scatter", method=False, function=False,
    node=lambda input, dim, index, src: f"ScatterBackward{int(not isinstance(src, Handle))}",
)  # fmt: skip
def _scatter(input: Tensor, dim: int, index: Tensor, src: Tensor | Number) -> Value:
    return _placed("scatter", input, dim, index, src, "assign")


@operator(
    in_place=True, check=_check_gather, name="scatter_combined", method=False, function=False
)
def _scatter_combined(input: Tensor, dim: int, index: Tensor, src: Tensor | Number, reduce: str) -> Value:
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    return _placed("scatter", input, dim, index, src, reduce)


_scatter_in_place, _combine_in_place = methods.pop("scatter_"), methods.pop("scatter_combined_")


def _source(src: Any, value: Any) -> Any:
    given = value if src is None else src
    if given is None:
        raise TypeError("scatter(): missing the tensor `src` or the number `value`")
    return given


@composite()
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """``input`` with input[i][index[i][j][k]][k] replaced by src[i][j][k], for ``dim`` 1.

    Args:
        src: a tensor at least as large as ``index``, or a number.
        reduce: "add" or "multiply" instead of replacing.

    >>> import flambeau as torch
    >>> torch.zeros(3).scatter(0, torch.tensor([0, 2]), torch.tensor([5.0, 7.0]))
    tensor([5., 0., 7.])
    """
    if reduce is not None:
        return _scatter_combined(input, dim, index, _source(src, value), reduce)
    return _scatter(input, dim, index, _source(src, value))


def scatter_(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """In-place version of :meth:`scatter`."""
    if reduce is not None:
        return _combine_in_place(input, dim, index, _source(src, value), reduce)
    return _scatter_in_place(input, dim, index, _source(src, value))


methods["scatter_"] = scatter_


@operator(
    {"input": lambda grad: grad, "src": _scatter_source}, in_place=True, check=_check_gather
)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Value:
    """``input`` with src[i][j][k] added at input[i][index[i][j][k]][k], for ``dim`` 1.

    >>> import flambeau as torch
    >>> torch.zeros(2).scatter_add(0, torch.tensor([1, 1, 0]), torch.ones(3))
    tensor([1., 2.])
    """
    return _placed("scatter_add", input, dim, index, src, "add")


_COMBINE = {"sum": "add", "prod": "multiply", "mean": "add", "amax": "maximum", "amin": "minimum"}


def _neutral(kind: dtype, reduce: str) -> Any:
    """What changes nothing in a reduction."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    high = reduce == "amin"
    if kind is bool_:
        return high
    if kind.category >= FLOATING:
        return float("inf") if high else float("-inf")
    return iinfo(kind).max if high else iinfo(kind).min


def _reduce_into(name: str, input: Value, index: Value, src: Value, reduce: str, include_self: bool, put: Any) -> Value:
    """The steps of both reductions by index; ``put(target, update, combine)`` writes at the indices."""
    kind = input.dtype
    if reduce in ("amax", "amin") and input.category == COMPLEX:
        raise RuntimeError(f"{name}(): {reduce} is not supported for complex inputs")
    target = input if include_self else put(input, as_array(_neutral(kind, reduce), kind), "assign")
    result = put(target, src, _COMBINE[reduce])
    if reduce == "mean":
        start = memory.full(1 if include_self else 0, shape=input.shape, dtype=int64)
        count = p.maximum(put(start, memory.full(1, shape=src.shape, dtype=int64), "add"), 1)
        if kind.category < FLOATING:
            return to(p.floor_divide_exact(to(result, int64), count), kind)
        return result / to(count, kind)
    return result


def _scatter_reduce_back(
    grad: Any, input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool, result: Any, needs: Any
) -> Any:
    if not input._spec.ndim:
        dim = 0
    whole, shape = src._spec, index._spec.shape
    if tuple(shape) != tuple(whole.shape):
        src = src[tuple(slice(0, size) for size in shape)]
    own, other = _reduction_back(
        grad, input, src, reduce, include_self, result, dim,
        again=lambda a, b: a.scatter_reduce(dim, index, b, reduce, include_self=include_self),
        read=lambda x: x.gather(dim, index),
        write=lambda x, value: x.scatter(dim, index, value),
        add=lambda x, values: x.scatter_add(dim, index, values),
    )  # fmt: skip
    return own, _with_zeros(other, whole)


def _reduction_back(
    grad: Any, input: Any, src: Any, reduce: str, include_self: bool, result: Any, dim: int, *, again: Any, read: Any,
    write: Any, add: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """Gradients of a reduction by index with respect to the input and the source."""
    if reduce == "sum":
        own, other = grad, read(grad)
    elif reduce == "mean":
        start = grad.new_ones(grad._spec.shape) if include_self else grad.new_zeros(grad._spec.shape)
        count = add(start, grad.new_ones(read(grad)._spec.shape)).clamp(min=1)
        own = grad / count
        other = read(own)
    elif reduce == "prod":
        if mode.enabled and any(each._tracked for each in (grad, input, src)):
            own, other = _product_back_twice(grad, input, src, dim, again, read)
        else:
            own, other = _product_back(grad, input, src, include_self, result, read, add)
    else:
        value = read(result)
        mine = input == result
        theirs = src == value
        start = mine.to(grad._spec.dtype) if include_self else grad.new_zeros(grad._spec.shape)
        count = add(start, theirs.to(grad._spec.dtype))
        shared = grad / count.clamp(min=1)
        own, other = mine * shared, theirs * read(shared)
    if not include_self:
        own = write(own if reduce in ("sum", "mean") else grad, 0)
    return own, other


def _product_back_twice(grad: Any, input: Any, src: Any, dim: int, again: Any, read: Any) -> tuple[Any, Any]:
    # Each factor's derivative is the product of the others, made anew without it: slow, but right again when
    # differentiated where several factors are zero.
    own = grad * again(input.new_ones(input.shape), src).conj()
    if not src._spec.ndim:
        return own, read(grad * again(input, src.new_ones(())).conj())
    slices = []
    for k in range(src._spec.shape[dim]):
        place = functions["tensor"]([k])
        others = again(input, src.index_fill(dim, place, 1))
        slices.append(read(grad * others.conj()).narrow(dim, k, 1))
    return own, functions["cat"](slices, dim) if slices else src.new_zeros(src.shape)


def _product_back(grad: Any, input: Any, src: Any, include_self: bool, result: Any, read: Any, add: Any) -> Any:
    # A zero among the factors: the product of the others; several: nothing.
    zeros = functions["where"]
    kind = grad._spec.dtype
    my_zero, their_zero = input == 0, src == 0
    one_input, one_src = input.masked_fill(my_zero, 1), src.masked_fill(their_zero, 1)
    own = (grad * result.conj()) / one_input.conj()
    several = add(grad.new_zeros(grad._spec.shape), their_zero.to(kind))
    if include_self:
        several = several + my_zero.to(kind)
    single = several == 1
    # the product of the nonzero factors
    from_nonzero = _nonzero_product(one_input if include_self else one_input.new_ones(one_input._spec.shape), one_src)
    rest = from_nonzero(add)
    other = read(grad * result.conj()) / one_src.conj()
    own = zeros(my_zero, (grad * rest.conj()) * single.to(kind), own)
    other = zeros(their_zero, read(grad * rest.conj() * single.to(kind)), other)
    return own, other


def _nonzero_product(start: Any, factors: Any) -> Any:
    """exp(Σ log) of factors without zeros, so that the product needs no more than a sum at the indices."""

    def product(add: Any) -> Any:
        if start._spec.dtype.category == COMPLEX:
            return add(start.log(), factors.log()).exp()
        size = add(start.abs().log(), factors.abs().log()).exp()
        negative = add((start < 0).to(start._spec.dtype), (factors < 0).to(start._spec.dtype))
        return size * (1 - 2 * functions["remainder"](negative, 2))

    return product


@operator(
    {"input src": _scatter_reduce_back}, in_place=True, check=_check_gather
)
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Value:
    """``input`` with the elements of ``src`` that ``index`` sends to one place reduced there.

    Args:
        reduce: "sum", "prod", "mean", "amax" or "amin".
        include_self: whether the element of ``input`` takes part.

    >>> import flambeau as torch
    >>> torch.zeros(2).scatter_reduce(0, torch.tensor([1, 1, 0]), torch.tensor([3.0, 5.0, 2.0]), "amax")
    tensor([2., 5.])
    """
    if reduce not in _COMBINE:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if not index.numel:
        return _placed("scatter_reduce", input, dim, index, src, "add")

    def put(target: Value, update: Value, combine: str) -> Value:
        if not update.ndim and index.ndim:
            update = memory.broadcast(update, shape=index.shape)
        return _placed("scatter_reduce", target, dim, index, update, combine)

    return _reduce_into("scatter_reduce", input, index, src, reduce, include_self, put)


# -- index_reduce ------------------------------------------------------------------------------------------------------


def _check_index_reduce(input: Any, dim: Any, index: Any, *rest: Any) -> None:
    if isinstance(index, Handle) and isinstance(input, Handle) and index._spec.dtype.category == INTEGER:
        shape = input._spec.shape
        try:
            check_known(index, shape[_strides.normalize_axis(dim, len(shape))] if shape else 1, 0, wraps=False)
        except IndexError:
            raise IndexError("index out of range in self") from None


def _index_reduce_back(
    grad: Any, input: Any, dim: int, index: Any, source: Any, reduce: str, include_self: bool, result: Any, needs: Any
) -> Any:
    return _reduction_back(
        grad, input, source, reduce, include_self, result, dim,
        again=lambda a, b: a.index_reduce(dim, index, b, reduce, include_self=include_self),
        read=lambda x: x.index_select(dim, index),
        write=lambda x, value: x.index_fill(dim, index, value),
        add=lambda x, values: x.index_add(dim, index, values),
    )  # fmt: skip


@operator(
    {"input source": _index_reduce_back}, layout=LIKE_FIRST, in_place=True, check=_check_index_reduce
)
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Value:
    """``input`` with the slices of ``source`` that ``index`` sends to one place reduced there: prod, mean, amax, amin.

    >>> import flambeau as torch
    >>> torch.ones(2).index_reduce(0, torch.tensor([1, 1]), torch.tensor([3.0, 5.0]), "prod")
    tensor([ 1., 15.])
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    if index.ndim > 1:
        raise IndexError(f"index_reduce_(): Index is supposed to be a vector, but got dim: {index.ndim}")
    if input.dtype is not source.dtype:
        raise RuntimeError(
            "index_reduce_(): self and source expected to have the same dtype, but got (self) "
            f"{scalar_name(input.dtype)} and "
            f"(source) {scalar_name(source.dtype)}"
        )
    axis = _strides.normalize_axis(dim, input.ndim)
    if source.ndim and index.numel != source.shape[axis]:
        raise IndexError(
            f"index_reduce_(): Number of indices ({index.numel}) should be equal to source.size(dim) "
            f"({source.shape[axis]})"
        )
    where = _one_dimensional(long(index))

    def put(target: Value, update: Value, combine: str) -> Value:
        made = places.put_at(
            _one_dimensional(target), update, where, axes=(axis,), combine=combine, wraps=False
        )
        return memory.reshape(made, shape=input.shape)

    return _reduce_into("index_reduce", input, index, _one_dimensional(source), reduce, include_self, put)


# -- take and put ------------------------------------------------------------------------------------------------------


def _check_take(input: Any, index: Any, *rest: Any) -> None:
    if not isinstance(input, Handle) or not isinstance(index, Handle) or index._spec.dtype is not int64:
        return
    count = input._spec.numel
    if not count and index._spec.numel:
        raise IndexError("take(): tried to take from an empty tensor")
    array = known(index)
    if array is not None and array.size:
        least, greatest = int(array.min()), int(array.max())
        if greatest >= count or least < -count:
            raise IndexError(
                f"out of range: tried to access index {greatest if greatest >= count else least} on a tensor of "
                f"{count} elements."
            )


def _check_long(name: str, index: Value) -> None:
    if index.dtype is not int64:
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {scalar_name(index.dtype)}")


@operator(
    {"input": lambda grad, input_spec, index: grad.new_zeros(input_spec.shape).put(index, grad, True)},
    check=_check_take,
)  # fmt: skip
def take(input: Tensor, index: Tensor) -> Value:
    """The elements at ``index`` of the flattened tensor, in the shape of ``index``.

    >>> import flambeau as torch
    >>> torch.take(torch.tensor([[4, 3], [5, 6]]), torch.tensor([0, 2]))
    tensor([4, 5])
    """
    _check_long("take", index)
    if not index.numel:
        return memory.full(0, shape=index.shape, dtype=input.dtype)
    return places.gather_at(memory.reshape(input, shape=(input.numel,)), index, axes=(0,))


@operator(
    {
        "input": lambda grad, index, source_spec, accumulate: (
            grad if accumulate else grad.put(index, grad.new_zeros(source_spec.shape))
        ),
        "source": lambda grad, index, source_spec: grad.take(index).reshape(source_spec.shape),
    },
    layout=LIKE_FIRST, in_place=True, check=_check_take,
)  # fmt: skip
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Value:
    """``input`` with the elements at ``index`` of the flattened tensor replaced (or increased) by those of ``source``.

    >>> import flambeau as torch
    >>> torch.zeros(3).put(torch.tensor([2]), torch.tensor([5.0]))
    tensor([0., 0., 5.])
    """
    _check_long("put_", index)
    if input.dtype is not source.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{scalar_name(input.dtype)} and source.dtype = {scalar_name(source.dtype)}"
        )
    if index.numel != source.numel:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.numel}, index.numel() = {index.numel}"
        )
    if not index.numel:
        return input
    flat = memory.reshape(input, shape=(input.numel,))
    where, values = memory.reshape(index, shape=(index.numel,)), memory.reshape(source, shape=(source.numel,))
    made = places.put_at(flat, values, where, axes=(0,), combine="add" if accumulate else "assign")
    return memory.reshape(made, shape=input.shape)


# -- a copy with a window written --------------------------------------------------------------------------------------


def _window(view: Any, here: Any, arguments: Any) -> Any:
    """Shape, strides and offset of what ``view`` shows of a tensor laid out as ``here``."""
    shape, steps, offset = view.rule(here, *arguments)[:3]
    return shape, steps, offset if view.places is None else view.places[1](here, *arguments)


def _window_operator(name: str, view: Any) -> Any:
    """The operator that replaces what ``view`` of the input shows; its derivative reads and clears that window."""

    def cleared(grad: Any, src_spec: Spec, arguments: Any) -> Any:
        return made(grad, grad.new_zeros(src_spec.shape), arguments)

    def shown(grad: Any, arguments: Any) -> Any:
        return view(grad.contiguous(), *arguments)

    def meaning(input: Any, src: Any, arguments: Any) -> Any:
        here = spec(input.shape, input.dtype)
        shape, steps, offset = _window(view, here, arguments)
        if tuple(shape) != tuple(src.shape):
            raise RuntimeError(
                f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
                f"{list(shape)}"
            )
        return memory.strided_update(
            input, to(src, input.dtype), layout=here, of=spec(shape, input.dtype, steps), offset=offset
        )

    meaning.__name__ = name
    meaning.__annotations__ = {"input": "Tensor", "src": "Tensor", "arguments": "tuple"}
    made = operator({"input": cleared, "src": shown}, layout=LIKE_FIRST, method=False, function=False)(meaning)
    return made


_select_scatter = _window_operator("select_scatter", selected)
_slice_scatter = _window_operator("slice_scatter", sliced)
_diagonal_scatter = _window_operator("diagonal_scatter", diagonal_of)
_strided_scatter = _window_operator("as_strided_scatter", strided)


def _replaced(operator: Any, view: Any, input: Any, src: Any, arguments: Any) -> Any:
    """A copy of ``input``, with the same strides, in which ``view`` shows ``src``."""
    here = input._spec
    if here.is_dense:
        return operator(input, src, arguments)
    # PyTorch copies the memory with its gaps; so the window is written in a copy of that.
    shape, steps, offset = _window(view, here, arguments)
    return _replaced_in_memory(input, src, shape, steps, input.storage_offset() + offset)


def _replaced_in_memory(input: Any, src: Any, shape: Any, steps: Any, offset: int) -> Any:
    here, first = input._spec, input.storage_offset()
    storage = input._storage.spec
    whole = input.as_strided((storage.nbytes // here.dtype.itemsize,), (1,), 0)
    made = _strided_scatter(whole, src, (tuple(shape), tuple(steps), offset, 0))
    return made.as_strided(here.shape, here.strides, first)


@composite()
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of ``input`` with its slice at ``index`` of ``dim`` replaced by ``src``.

    >>> import flambeau as torch
    >>> torch.select_scatter(torch.zeros(2, 2), torch.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    here = input._spec
    axis = _strides.normalize_axis(dim, here.ndim)
    size = here.shape[axis]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(here.shape)} at dimension {axis}"
        )
    return _replaced(_select_scatter, selected, input, src, (axis, index % size))


@composite()
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy of ``input`` with ``start:end:step`` of ``dim`` replaced by ``src``."""
    axis = _strides.normalize_axis(dim, input._spec.ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    first, stop, _ = slice(start, end, step).indices(input._spec.shape[axis])
    return _replaced(_slice_scatter, sliced, input, src, (axis, first, max(stop, first), step))


@composite()
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of ``input`` with the diagonal of two dimensions replaced by ``src``."""
    rank = input._spec.ndim
    axes = _strides.normalize_axis(dim1, rank), _strides.normalize_axis(dim2, rank)
    return _replaced(_diagonal_scatter, diagonal_of, input, src, (offset, *axes))


@composite()
def as_strided_scatter(input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A copy of ``input`` with what :func:`as_strided` would show of it replaced by ``src``."""
    here, first = input._spec, input.storage_offset()
    shape, steps = sizes((size,)), sizes((stride,), "stride")
    offset = first if storage_offset is None else storage_offset
    input.detach().as_strided(shape, steps, offset)  # complains of a window beyond the storage
    if here.is_contiguous and not first and input._storage.spec.nbytes == here.nbytes:
        return _strided_scatter(input, src, (shape, steps, offset, 0))
    return _replaced_in_memory(input, src, shape, steps, offset)


__all__ = ["gather", "put", "scatter", "scatter_add", "scatter_reduce", "take", "take_along_dim"]
