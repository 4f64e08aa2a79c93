"""Vectors of indices on one dimension: ``index_select``, ``index_add``, ``index_copy``, ``index_fill``."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, bool_, int32, int64
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import elementwise as p, indexing as places, memory
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import LIKE_FIRST, operator
from .indexing import check_known, long
from .kinds import Number, Tensor
from .promotion import as_array

Ints = tuple[int, ...]


def _axis(input: Any, dim: int) -> int:
    rank = input.ndim if isinstance(input, Value) else input._spec.ndim
    return _strides.normalize_axis(dim, rank)


def _size_along(input: Any, dim: int) -> int:
    shape = input._spec.shape
    return shape[_strides.normalize_axis(dim, len(shape))] if shape else 1


def _as_vector(x: Value) -> Value:
    return memory.reshape(x, shape=(1,)) if not x.ndim else x


def _checked_select(input: Any, dim: Any, index: Any) -> None:
    if not isinstance(index, Handle) or not isinstance(input, Handle) or index._spec.dtype.category >= FLOATING:
        return
    try:
        check_known(index, _size_along(input, dim), 0, wraps=False)
    except IndexError as error:
        if input._spec.ndim > 1 and dim % input._spec.ndim == 1:  # PyTorch has another kernel for rows
            raise RuntimeError(
                f"INDICES element is out of DATA bounds, id={str(error).split()[1]} axis_dim={_size_along(input, dim)}"
            ) from None
        raise IndexError("index out of range in self") from None


def _select_back(grad: Any, input_spec: Spec, dim: int, index: Any) -> Any:
    zeros = grad.new_zeros(input_spec.shape)
    return zeros.index_add(dim, index, grad)


@operator({"input": _select_back}, check=_checked_select)
def index_select(input: Tensor, dim: int, index: Tensor) -> Value:
    """The slices of dimension ``dim`` that the vector ``index`` names.

    Raises:
        IndexError: an index is out of range, or ``index`` has more than one dimension.

    >>> import flambeau as torch
    >>> torch.index_select(torch.tensor([[1, 2], [3, 4]]), 0, torch.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    axis = _axis(input, dim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype is not int64 and index.dtype is not int32:
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not input.ndim:
        if index.numel != 1:
            raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.numel} value(s)")
        return memory.reshape(
            places.gather_at(_as_vector(input), _as_vector(long(index)), axes=(0,), wraps=False), shape=()
        )
    return places.gather_at(input, _as_vector(long(index)), axes=(axis,), wraps=False)


def _checked_dimension(input: Any, dim: Any, index: Any, *rest: Any) -> None:
    if isinstance(index, Handle) and isinstance(input, Handle) and index._spec.dtype.category == INTEGER:
        try:
            check_known(index, _size_along(input, dim), 0, wraps=False)
        except IndexError as error:
            raise RuntimeError(str(error)) from None


def _along(input: Value, dim: int, index: Value, source: Value, combine: str) -> Value:
    axis = _axis(input, dim)
    target, index = _as_vector(input), _as_vector(long(index))
    if source.ndim < target.ndim:
        source = memory.reshape(source, shape=(*target.shape[:axis], 1, *target.shape[axis + 1 :]))
    result = places.put_at(target, source, index, axes=(axis,), combine=combine, wraps=False)
    return memory.reshape(result, shape=()) if not input.ndim else result


def _select_source(grad: Any, dim: int, index: Any, source_spec: Spec) -> Any:
    taken = grad.index_select(dim, index)
    return taken.reshape(source_spec.shape)


def _check_index_vector(name: str, index: Value) -> None:
    if index.ndim > 1:
        raise IndexError(
            f"{name}_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: "
            f"{scalar_name(index.dtype)} "
            f"and size: {list(index.shape)}"
        )
    if index.dtype is not int64 and index.dtype is not int32:
        raise RuntimeError(f"{name}_(): Expected dtype int32/int64 for index but got: {scalar_name(index.dtype)}")


@operator(
    {
        "input": lambda grad: grad,
        "source": lambda grad, dim, index, source_spec, alpha: _scaled_source(
            _select_source(grad, dim, index, source_spec), alpha
        ),
    },
    layout=LIKE_FIRST, in_place=True, check=_checked_dimension,
)  # fmt: skip
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Value:
    """``input`` with ``alpha·source`` added at the slices of ``dim`` that ``index`` names.

    >>> import flambeau as torch
    >>> torch.zeros(3).index_add(0, torch.tensor([0, 0, 2]), torch.ones(3))
    tensor([2., 0., 1.])
    """
    axis = _axis(input, dim)
    _check_index_vector("index_add", index)
    if input.dtype is not source.dtype:
        raise RuntimeError(
            f"index_add_(): self ({scalar_name(input.dtype)}) and source ({scalar_name(source.dtype)}) must have the "
            "same "
            "scalar type"
        )
    count = source.shape[axis] if source.ndim > axis else 1
    if index.numel != count:
        raise RuntimeError(
            f"index_add_(): Number of indices ({index.numel}) should be equal to source.size(dim): ({count}), for "
            f"dim: {axis}"
        )
    if _others(input.shape, axis) != _others(source.shape, axis) or input.ndim != source.ndim:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(input.shape)} source.shape = {list(source.shape)}"
        )
    if alpha is not _ONE:
        from .arithmetic import _check_alpha

        _check_alpha("index_add", input.dtype, alpha)
        source = p.multiply(source, alpha) if input.dtype is not bool_ else source & as_array(alpha, bool_)
    return _along(input, dim, index, source, "add")


_ONE: Any = 1


def _scaled_source(grad: Any, alpha: Any) -> Any:
    from .arithmetic import scaled

    return scaled(grad, alpha)


def _others(shape: Any, axis: int) -> Ints:
    return tuple(size for k, size in enumerate(shape) if k != axis)


def _checked_copy(input: Any, dim: Any, index: Any, *rest: Any) -> None:
    if isinstance(index, Handle) and isinstance(input, Handle) and index._spec.dtype.category == INTEGER:
        try:
            check_known(index, _size_along(input, dim), 0, wraps=False)
        except IndexError as error:
            raise IndexError(f"index_copy_(): {error}") from None


@operator(
    {
        "input": lambda grad, dim, index: grad.index_fill(dim, index, 0),
        "source": lambda grad, dim, index, source_spec: _select_source(grad, dim, index, source_spec),
    },
    in_place=True, check=_checked_copy,
)  # fmt: skip
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Value:
    """``input`` with the slices of ``dim`` that ``index`` names replaced by those of ``source``.

    >>> import flambeau as torch
    >>> torch.zeros(3).index_copy(0, torch.tensor([2, 0]), torch.tensor([5.0, 7.0]))
    tensor([7., 0., 5.])
    """
    axis = _axis(input, dim)
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if index.dtype is not int64:
        raise IndexError(f"index_copy_(): Expected a long tensor for index, but got {scalar_name(index.dtype)}")
    if input.dtype is not source.dtype:
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{scalar_name(input.dtype)} and "
            f"(source) {scalar_name(source.dtype)}"
        )
    if not source.ndim and index.numel != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.numel})")
    if source.ndim != input.ndim and source.ndim and input.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({source.ndim}), destination dimensionality ({input.ndim})"
        )
    if source.ndim and input.ndim and _others(input.shape, axis) != _others(source.shape, axis):
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, _others(input.shape, axis)))} at dimension {axis} and source slice shape: "
            f"{' '.join(map(str, _others(source.shape, axis)))} at dimension 0."
        )
    if source.ndim and index.numel != source.shape[axis]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.numel}) should be equal to source.size(dim) "
            f"({source.shape[axis]})"
        )
    return _along(input, dim, index, source, "assign")


def _checked_fill(input: Any, dim: Any, index: Any, *rest: Any) -> None:
    if isinstance(index, Handle) and isinstance(input, Handle) and index._spec.dtype.category == INTEGER:
        check_known(index, _size_along(input, dim), 0)


def _fill_value_back(grad: Any, dim: int, index: Any) -> Any:
    return grad.index_select(dim, index.unique()).sum()


@operator(
    {"input": lambda grad, dim, index: grad.index_fill(dim, index, 0), "value": _fill_value_back},
    layout=LIKE_FIRST, in_place=True, check=_checked_fill,
    node=lambda input, dim, index, value: f"IndexFillBackward{int(isinstance(value, Handle))}",
)  # fmt: skip
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Value:
    """``input`` with the slices of ``dim`` that ``index`` names filled with a number.

    >>> import flambeau as torch
    >>> torch.zeros(3).index_fill(0, torch.tensor([0, 2]), 1)
    tensor([1., 0., 1.])
    """
    axis = _axis(input, dim)
    if index.dtype is not int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if isinstance(value, Value) and not value.is_number and value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if index.ndim > 1:
        raise IndexError("Index has to be a vector/scalar")
    category = value.category if isinstance(value, Value) else BOOL
    if category == COMPLEX and input.category != COMPLEX:
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    if index.ndim and not index.numel:
        return input
    target = _as_vector(input)
    result = places.put_at(
        target, as_array(value, input.dtype), _as_vector(long(index)), axes=(axis,), combine="assign"
    )
    return memory.reshape(result, shape=()) if not input.ndim else result
