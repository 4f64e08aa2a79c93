"""Views: tensors that show the memory of another with other sizes, strides or offset. Nothing is copied.

The rules at the top map a Spec to the Spec of a view; the functions below have PyTorch's signatures. ``reshape``,
``flatten``, ``contiguous`` and the like return a view where one exists and a copy where none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.grad_mode import mode
from ..autograd.in_place import check_leaf
from ..autograd.plans import node_class
from ..autograd.views import scatter_window, window_operator
from ..core import strides as _strides
from ..core.dtypes import COMPLEX, INTEGER, dtype
from ..core.memory_formats import contiguous_format
from ..core.sizes import Size
from ..core.specs import Spec, spec
from ..tracing.handles import wrap
from .declaration import composite, methods
from .view_declaration import view_operator

Ints = tuple[int, ...]


def sizes(arguments: Sequence[Any], name: str = "size", parameter: str = "size", named: Any = None) -> Ints:
    """The sizes given to a function either as separate ints, as one sequence, or by keyword.

    Raises:
        TypeError: there are none, there are others by keyword, or they are no ints.
    """
    if not named and arguments:
        for each in arguments:
            if type(each) is not int:
                break
        else:
            return tuple(arguments)
    if named or not arguments:
        if set(named or ()) - {parameter}:
            unknown = next(key for key in named if key != parameter)
            raise TypeError(f"{name}() got an unexpected keyword argument '{unknown}'")
        if not named:
            raise TypeError(f'{name}() missing 1 required positional arguments: "{parameter}"')
        if arguments:
            raise TypeError(f"{name}() got multiple values for argument '{parameter}'")
        arguments = (named[parameter],)
    if len(arguments) == 1 and isinstance(arguments[0], (tuple, list)):
        arguments = arguments[0]
    elif len(arguments) > 1 and isinstance(arguments[0], (tuple, list)):
        raise TypeError(f"{name}() takes 1 positional argument but {len(arguments)} were given")
    return tuple(each if type(each) is int else as_index(each, name) for each in arguments)


def as_index(value: Any, name: str = "size") -> int:
    """``value`` (an int, NumPy integer or integer tensor) as an int.

    Raises:
        TypeError: it is no integer.
    """
    try:
        if not isinstance(value, bool):
            return value.__index__()
    except (AttributeError, TypeError):
        pass
    raise TypeError(f"{name}(): argument must be tuple of ints, but found element of type {type(value).__name__}")


# -- rules ------------------------------------------------------------------------------------------------------------


@view_operator({"input": lambda grad, input_spec: grad.reshape(input_spec.shape)}, name="view")
def view_as_shape(here: Spec, shape: Ints) -> Any:
    """Another shape of as many elements."""
    wanted = _strides.infer(shape, here.numel)
    steps = _strides.view(here.shape, here.strides, wanted)
    if steps is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return wanted, steps, 0


@view_operator({"input": lambda grad, input_spec: grad.reshape(input_spec.shape)}, name="_unsafe_view")
def unsafe_view(here: Spec, shape: Ints) -> Any:
    """Another shape, whose result does not count as a view."""
    return shape, _strides.view(here.shape, here.strides, shape), 0


@view_operator({"input": lambda grad: grad}, name="alias")
def alias_of(here: Spec) -> Any:
    """All of it."""
    return here.shape, here.strides, 0


@view_operator({"input": lambda grad, axes: grad.permute(_inverse(axes))}, name="permute")
def permuted(here: Spec, axes: Ints) -> Any:
    """The dimensions in another order."""
    return tuple(here.shape[axis] for axis in axes), tuple(here.strides[axis] for axis in axes), 0


def _inverse(axes: Ints) -> Ints:
    return tuple(axes.index(axis) for axis in range(len(axes)))


def _swap(here: Spec, first: int, second: int) -> Any:
    order = list(range(here.ndim))
    if order:
        order[first], order[second] = order[second], order[first]
    return tuple(here.shape[axis] for axis in order), tuple(here.strides[axis] for axis in order), 0


@view_operator({"input": lambda grad, first, second: grad.transpose(first, second)}, name="transpose")
def transposed(here: Spec, first: int, second: int) -> Any:
    """Two dimensions exchanged."""
    return _swap(here, first, second)


@view_operator({"input": lambda grad: grad.t()}, name="t")
def matrix_transposed(here: Spec) -> Any:
    """A matrix's dimensions exchanged; a vector as it is."""
    return here.shape[::-1], here.strides[::-1], 0


@view_operator({"input": lambda grad, input_spec: grad.sum_to_size(input_spec.shape)}, name="expand")
def expanded(here: Spec, shape: Ints) -> Any:
    """Dimensions of one element repeated."""
    return *_strides.expand(here.shape, here.strides, shape), 0


@view_operator({"input": lambda grad, axis: grad.squeeze(axis)}, name="unsqueeze")
def unsqueezed(here: Spec, axis: int) -> Any:
    """One more dimension, of one element."""
    step = here.shape[axis] * here.strides[axis] if axis < here.ndim else 1
    return (*here.shape[:axis], 1, *here.shape[axis:]), (*here.strides[:axis], step, *here.strides[axis:]), 0


def _drop(here: Spec, axes: Ints) -> Any:
    kept = [axis for axis in range(here.ndim) if axis not in axes or here.shape[axis] != 1]
    return tuple(here.shape[axis] for axis in kept), tuple(here.strides[axis] for axis in kept), 0


@view_operator({"input": lambda grad, input_spec: grad.reshape(input_spec.shape)}, name="squeeze")
def squeezed_all(here: Spec) -> Any:
    """Without the dimensions of one element."""
    return _drop(here, tuple(range(here.ndim)))


@view_operator(
    {"input": lambda grad, input_spec: grad.reshape(input_spec.shape)}, name="squeeze", node="SqueezeBackward1"
)
def squeezed(here: Spec, axis: int) -> Any:
    """Without a dimension, where that has one element."""
    return _drop(here, (axis,))


@view_operator(
    {"input": lambda grad, input_spec: grad.reshape(input_spec.shape)}, name="squeeze", node="SqueezeBackward2"
)
def squeezed_several(here: Spec, axes: Ints) -> Any:
    """Without those of the dimensions that have one element."""
    return _drop(here, axes)


def _select_back(grad: Any, input_spec: Spec, axis: int, index: int) -> Any:
    made = grad.new_zeros(input_spec.shape)
    return placed(made, grad, lambda whole: selected(whole, axis, index))


def placed(zeros: Any, grad: Any, window: Any) -> Any:
    """``zeros`` with ``grad`` written into a window of it, differentiably when ``grad`` is."""
    if not grad._tracked:
        window(zeros).copy_(grad)
        return zeros
    return scatter_window(zeros, grad, window)


@view_operator(
    {"input": _select_back}, name="select",
    places=(lambda axis, index: axis, lambda here, axis, index: index * here.strides[axis]),
)  # fmt: skip
def selected(here: Spec, axis: int, index: int) -> Any:
    """One index of a dimension."""
    shape = tuple(here.shape)
    return shape[:axis] + shape[axis + 1 :], here.strides[:axis] + here.strides[axis + 1 :], 0


def _slice_back(grad: Any, input_spec: Spec, axis: int, start: int, stop: int, step: int) -> Any:
    made = grad.new_zeros(input_spec.shape)
    return placed(made, grad, lambda whole: sliced(whole, axis, start, stop, step))


@view_operator(
    {"input": _slice_back}, name="slice",
    places=(
        lambda axis, start, stop, step: (axis, len(range(start, stop, step)), step),
        lambda here, axis, start, stop, step: start * here.strides[axis] if here.shape[axis] else 0,
    ),
)  # fmt: skip
def sliced(here: Spec, axis: int, start: int, stop: int, step: int) -> Any:
    """A range of a dimension; what of it there is has been worked out."""
    count = len(range(start, stop, step))
    shape = (*here.shape[:axis], count, *here.shape[axis + 1 :])
    steps = (*here.strides[:axis], here.strides[axis] * step, *here.strides[axis + 1 :])
    return shape, steps, 0


def _diagonal_back(grad: Any, input_spec: Spec, offset: int, first: int, second: int) -> Any:
    made = grad.new_zeros(input_spec.shape)
    return placed(made, grad, lambda whole: diagonal_of(whole, offset, first, second))


@view_operator({"input": _diagonal_back}, name="diagonal")
def diagonal_of(here: Spec, offset: int, first: int, second: int) -> Any:
    """A diagonal, as the last dimension."""
    if offset >= 0:
        count = max(min(here.shape[first], here.shape[second] - offset), 0)
        start = offset * here.strides[second] if count else 0
    else:
        count = max(min(here.shape[first] + offset, here.shape[second]), 0)
        start = -offset * here.strides[first] if count else 0
    kept = [axis for axis in range(here.ndim) if axis not in (first, second)]
    shape = (*(here.shape[axis] for axis in kept), count)
    return shape, (*(here.strides[axis] for axis in kept), here.strides[first] + here.strides[second]), start


def _unfold_back(grad: Any, input_spec: Spec, axis: int, size: int, step: int) -> Any:
    from .indexing import index_add_windows

    return index_add_windows(grad, tuple(input_spec.shape), axis, size, step)


@view_operator({"input": _unfold_back}, name="unfold")
def unfolded(here: Spec, axis: int, size: int, step: int) -> Any:
    """All windows of a dimension, as one more."""
    length = here.shape[axis] if here.ndim else 1
    stride = here.strides[axis] if here.ndim else 1
    count = (length - size) // step + 1
    if not here.ndim:
        return (size,), (1,), 0
    return (
        (*here.shape[:axis], count, *here.shape[axis + 1 :], size),
        (*here.strides[:axis], stride * step, *here.strides[axis + 1 :], stride),
        0,
    )


def _as_strided_back(grad: Any, input_spec: Spec, shape: Ints, steps: Ints, offset: int, first: int) -> Any:
    from .indexing import as_strided_gradient

    return as_strided_gradient(grad, input_spec, first, shape, steps, offset)


@view_operator({"input": _as_strided_back}, name="as_strided")
def strided(here: Spec, shape: Ints, steps: Ints, offset: int, first: int) -> Any:
    """A window ``offset`` elements into the storage, of an input that begins at ``first``."""
    return shape, steps, offset


window_operator.append(strided)


@view_operator({"input": lambda grad: complex_view(grad.contiguous())}, name="view_as_real")
def real_view(here: Spec) -> Any:
    """Complex numbers as pairs."""
    return (*here.shape, 2), (*(2 * step for step in here.strides), 1), 0, here.dtype.to_real()


@view_operator({"input": lambda grad: real_view(grad)}, name="view_as_complex")
def complex_view(here: Spec) -> Any:
    """Pairs as complex numbers."""
    if here.dtype.category == COMPLEX or not here.dtype.is_floating_point:
        raise RuntimeError(
            f"view_as_complex is only supported for floating point tensors, but got a tensor of {here.dtype}"
        )
    if not here.ndim or here.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if here.strides[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(step % 2 for step in here.strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    return here.shape[:-1], tuple(step // 2 for step in here.strides[:-1]), 0, here.dtype.to_complex()


# -- functions --------------------------------------------------------------------------------------------------------


@composite(function=False)
def view(input: Any, *shape: Any, **named: Any) -> Any:
    """The same memory with another shape (one size may be -1), or read as another dtype.

    Raises:
        RuntimeError: no strides give this shape without copying.

    >>> import flambeau as torch
    >>> torch.arange(4).view(2, -1)
    tensor([[0, 1],
            [2, 3]])
    """
    if "dtype" in named and not shape:
        shape = (named.pop("dtype"),)
    if len(shape) == 1 and isinstance(shape[0], dtype):
        return view_as_dtype(input, shape[0])
    return view_as_shape(input, sizes(shape, "view", "size", named))


def view_as_dtype(input: Any, kind: Any) -> Any:
    """The same bytes read as another dtype."""
    return _dtype_view(input, kind)


@view_operator({}, name="view")
def _dtype_view(here: Spec, kind: Any) -> Any:
    size, wanted = here.dtype.itemsize, kind.itemsize
    if size == wanted:
        return here.shape, here.strides, 0, kind
    if not here.ndim:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {here.dtype} as {kind} (different element sizes)"
        )
    if here.strides[-1] != 1:
        raise RuntimeError(
            f"self.stride(-1) must be 1 to view {here.dtype} as {kind} (different element sizes), but got "
            f"{here.strides[-1]}"
        )
    if size > wanted:
        ratio = size // wanted
        return (*here.shape[:-1], here.shape[-1] * ratio), (*(s * ratio for s in here.strides[:-1]), 1), 0, kind
    ratio = wanted // size
    if here.shape[-1] % ratio:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {ratio} to view {here.dtype} as {kind} (different element sizes), "
            "but got "
            f"{here.shape[-1]}"
        )
    if any(step % ratio for step in here.strides[:-1]):
        raise RuntimeError(
            f"self.stride must be divisible by {ratio} to view {here.dtype} as {kind} (different element sizes)"
        )
    return (*here.shape[:-1], here.shape[-1] // ratio), (*(s // ratio for s in here.strides[:-1]), 1), 0, kind


#: For a Spec and the sizes asked for: the sizes meant, and whether a view has them.
_reshapes: dict[Any, tuple[Ints, bool]] = {}


@composite()
def reshape(input: Any, *shape: Any, **named: Any) -> Any:
    """The same elements in another shape: a view where one exists, else a copy.

    >>> import flambeau as torch
    >>> torch.reshape(torch.arange(4), (2, 2)).shape
    torch.Size([2, 2])
    """
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    elif named or not shape:
        shape = sizes(shape, "reshape", "shape", named)
    here = input._spec
    found = _reshapes.get((here, shape))
    if found is None:
        wanted = _strides.infer(sizes((shape,), "reshape"), here.numel)
        if len(_reshapes) > 4096:
            _reshapes.clear()
        found = _reshapes[here, shape] = wanted, _strides.view(here.shape, here.strides, wanted) is not None
    wanted, shares = found
    if shares:
        return view_as_shape(input, wanted)
    from .conversion import clone

    return unsafe_view(clone(input, memory_format=_contiguous()), wanted)


def _contiguous() -> Any:
    return contiguous_format


@composite(function=False)
def view_as(input: Any, other: Any) -> Any:
    """``input`` viewed in the shape of ``other``."""
    return view_as_shape(input, tuple(other._spec.shape))


@composite(function=False)
def reshape_as(input: Any, other: Any) -> Any:
    """``input`` reshaped to the shape of ``other``."""
    return reshape(input, tuple(other._spec.shape))


@composite(aliases=())
def permute(input: Any, *dims: Any, **named: Any) -> Any:
    """Dimensions in another order.

    >>> import flambeau as torch
    >>> torch.zeros(2, 3).permute(1, 0).shape
    torch.Size([3, 2])
    """
    order = sizes(dims, "permute", "dims", named)
    rank = input._spec.ndim
    if len(order) != rank:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            "ordering "
            f"of dimensions i.e. input.dim() = {rank} is not equal to len(dims) = {len(order)}"
        )
    found = tuple(_strides.normalize_axis(axis, rank) for axis in order)
    if len(set(found)) != len(found):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return permuted(input, found)


@composite(aliases=("swapaxes", "swapdims"))
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Dimensions ``dim0`` and ``dim1`` exchanged.

    >>> import flambeau as torch
    >>> torch.transpose(torch.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    rank = input._spec.ndim
    first, second = (_strides.normalize_axis(as_index(each), rank) for each in (dim0, dim1))
    return transposed(input, first, second)


@composite()
def t(input: Any) -> Any:
    """The transpose of a matrix; vectors and scalars as they are."""
    rank = input._spec.ndim
    if rank > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {rank}D")
    return matrix_transposed(input)


@composite()
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Dimensions ``source`` moved to the places ``destination``; the others keep their order.

    >>> import flambeau as torch
    >>> torch.movedim(torch.zeros(2, 3, 4), 0, -1).shape
    torch.Size([3, 4, 2])
    """
    source = (source,) if isinstance(source, int) else tuple(source)
    destination = (destination,) if isinstance(destination, int) else tuple(destination)
    rank = input._spec.ndim
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims) should contain the same "
            "number of dims "
            f"as destination ({list(destination)} dims)"
        )
    from_ = [_strides.normalize_axis(axis, rank) for axis in source]
    to = [_strides.normalize_axis(axis, rank) for axis in destination]
    for name, axes in (("source", from_), ("destination", to)):
        if len(set(axes)) != len(axes):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(axes)})")
    order = [-1] * rank
    for a, b in zip(from_, to):
        order[b] = a
    rest = iter(axis for axis in range(rank) if axis not in from_)
    return permuted(input, tuple(next(rest) if axis < 0 else axis for axis in order)) if rank else alias_of(input)


@composite()
def moveaxis(input: Any, source: Any, destination: Any) -> Any:
    """The same as :func:`movedim`."""
    return movedim(input, source, destination)


@composite(function=False)
def expand(input: Any, *size: Any, implicit: bool = False, **named: Any) -> Any:
    """Broadcast to a larger size without copying; -1 keeps a size.

    >>> import flambeau as torch
    >>> torch.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return expanded(input, sizes(size, "expand", "size", named))


@composite(function=False)
def expand_as(input: Any, other: Any) -> Any:
    """Expanded to the size of ``other``."""
    return expanded(input, tuple(other._spec.shape))


@composite()
def broadcast_to(input: Any, size: Any) -> Any:
    """Expanded to ``size``."""
    return expanded(input, sizes((size,), "broadcast_to"))


@composite()
def unsqueeze(input: Any, dim: int) -> Any:
    """A dimension of size one inserted at ``dim``.

    >>> import flambeau as torch
    >>> torch.unsqueeze(torch.tensor([1, 2]), 1).shape
    torch.Size([2, 1])
    """
    return unsqueezed(input, _strides.normalize_axis(as_index(dim), input._spec.ndim + 1))


@composite()
def squeeze(input: Any, dim: Any = None) -> Any:
    """Dimensions of size one removed: all of them, or those among ``dim``.

    >>> import flambeau as torch
    >>> torch.squeeze(torch.zeros(1, 3, 1)).shape
    torch.Size([3])
    """
    rank = input._spec.ndim
    if dim is None:
        return squeezed_all(input)
    if isinstance(dim, (tuple, list)):
        return squeezed_several(input, _strides.normalize_axes(tuple(dim), rank, empty_is_all=False))
    return squeezed(input, _strides.normalize_axis(as_index(dim), rank))


@composite()
def select(input: Any, dim: int, index: int) -> Any:
    """The slice at ``index`` of dimension ``dim``, which disappears.

    Raises:
        IndexError: out of range, or ``input`` has no dimensions.
    """
    here = input._spec
    if not here.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = _strides.normalize_axis(as_index(dim), here.ndim), as_index(index)
    size = here.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(here.shape)} at dimension {dim}"
        )
    return selected(input, dim, index % size)


@composite()
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """``length`` elements of dimension ``dim`` from ``start`` on.

    >>> import flambeau as torch
    >>> torch.narrow(torch.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    here = input._spec
    if not here.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if hasattr(start, "_spec") and (start._spec.ndim or start._spec.dtype.category != INTEGER):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    dim = _strides.normalize_axis(as_index(dim), here.ndim)
    start, length = as_index(start), as_index(length)
    size = here.shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return sliced(input, dim, start, start + length, 1)


def slice_dimension(input: Any, dim: int, start: Any, stop: Any, step: Any) -> Any:
    """``input[…, start:stop:step, …]`` along ``dim`` with Python's rules; the step must be positive."""
    step = 1 if step is None else as_index(step)
    if step <= 0:
        raise ValueError("step must be greater than zero")
    bounds = slice(
        None if start is None else as_index(start), None if stop is None else as_index(stop), step
    ).indices(input._spec.shape[dim])
    return sliced(input, dim, bounds[0], max(bounds[1], bounds[0]), step)


@composite()
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of dimensions ``dim1`` and ``dim2``, as a new last dimension.

    >>> import flambeau as torch
    >>> torch.diagonal(torch.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    rank = input._spec.ndim
    first, second = _strides.normalize_axis(dim1, rank), _strides.normalize_axis(dim2, rank)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return diagonal_of(input, offset, first, second)


@composite(function=False)
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of ``size`` elements, ``step`` apart, along a dimension; a new last dimension holds each window.

    >>> import flambeau as torch
    >>> torch.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])
    """
    here = input._spec
    axis = _strides.normalize_axis(dimension, here.ndim)
    length = here.shape[axis] if here.ndim else 1
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return unfolded(input, axis, size, step)


@composite()
def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of the storage with any size, stride and offset (in elements).

    Raises:
        RuntimeError: it would reach beyond the storage.

    >>> import flambeau as torch
    >>> torch.as_strided(torch.arange(4), (2, 2), (1, 1))
    tensor([[0, 1],
            [1, 2]])
    """
    size, stride = sizes((size,)), sizes((stride,), "stride")
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: {len(size)} sizes and {len(stride)} strides")
    if any(step < 0 for step in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    here = input.storage_offset()
    offset = here if storage_offset is None else storage_offset
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    from .view_declaration import track_view, window_cell

    layout = spec(size, input._spec.dtype, stride)
    storage = input._storage
    have = storage.spec.numel * storage.spec.dtype.itemsize
    need = (offset + _strides.extent(size, stride)) * layout.dtype.itemsize
    if layout.numel and need > have:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize "
            f"{layout.dtype.itemsize} requiring a storage size of {need} are out of bounds for storage of size {have}"
        )
    result = wrap(window_cell(storage, layout, offset), layout)
    track_view(strided, input, result, (size, stride, offset, here))
    return result


@composite()
def view_as_real(input: Any) -> Any:
    """A complex tensor as a real one with a last dimension of size 2 (real, imaginary)."""
    if input._spec.dtype.category != COMPLEX:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return real_view(input)


@composite()
def view_as_complex(input: Any) -> Any:
    """A real tensor with a last dimension of size 2 as a complex one."""
    return complex_view(input)


@composite(aliases=())
def real(input: Any) -> Any:
    """The real part, as a view; a real tensor itself."""
    if input._spec.dtype.category != COMPLEX:
        return input
    return select(real_view(input), -1, 0)


@composite()
def imag(input: Any) -> Any:
    """The imaginary part, as a view."""
    if input._spec.dtype.category != COMPLEX:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return select(real_view(input), -1, 1)


@composite()
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions ``start_dim`` to ``end_dim`` joined into one.

    >>> import flambeau as torch
    >>> torch.flatten(torch.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    shape = input._spec.shape
    rank = len(shape)
    first, last = _strides.normalize_axis(start_dim, rank), _strides.normalize_axis(end_dim, rank)
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not rank:
        return reshape(input, (1,))
    if first == last:
        return input
    joined = 1
    for size in shape[first : last + 1]:
        joined *= size
    return reshape(input, (*shape[:first], joined, *shape[last + 1 :]))


@composite()
def ravel(input: Any) -> Any:
    """All elements in one dimension: a view of a contiguous tensor, else a copy."""
    return input.contiguous().view(-1)


@composite()
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Dimension ``dim`` split into several of the given sizes (one may be -1).

    >>> import flambeau as torch
    >>> torch.unflatten(torch.zeros(4, 6), 1, (2, -1)).shape
    torch.Size([4, 2, 3])
    """
    shape = input._spec.shape
    dim = _strides.normalize_axis(dim, len(shape))
    if not len(sizes):
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        inferred = _strides.infer(tuple(sizes), shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in "
            "the input "
            "tensor"
        ) from None
    return reshape(input, (*shape[:dim], *inferred, *shape[dim + 1 :]))


@composite()
def detach(input: Any) -> Any:
    """The same memory outside the graph: no gradient flows through the result."""
    made = wrap(input._cell, input._spec)
    if input._data_alias:
        made._data_alias = True
    if input._inference:
        made._inference = True
    return made


def size(input: Any, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    shape: Size = input._spec.shape
    if dim is None:
        return shape
    if not shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return shape[_strides.normalize_axis(dim, len(shape))]


def stride(input: Any, dim: int | None = None) -> Any:
    """The strides in elements, or that of one dimension."""
    steps = input._spec.strides
    return steps if dim is None else steps[_strides.normalize_axis(dim, len(steps))]


methods["size"], methods["stride"] = size, stride


# -- views in place ----------------------------------------------------------------------------------------------------


def _shown_in_place(name: str, function: Any) -> Any:
    """The method that makes a tensor its own view. PyTorch numbers its nodes after those of the ordinary views."""
    ordinary = 3 if name == "squeeze_" else 1

    def method(input: Any, *args: Any, **kwargs: Any) -> Any:
        if input._tracked and mode.enabled:
            check_leaf(input)
        before = wrap(input._cell, input._spec)  # what derivatives refer to: the tensor as it was
        before._tracked, before._node, before._slot = input._tracked, input._node, input._slot
        before._base, before._view_of = input._base, input._view_of
        after = function(before, *args, **kwargs)
        input._cell, input._spec = after._cell, after._spec
        input._tracked, input._node, input._slot = after._tracked, after._node, after._slot
        if after._node is not None and after._node is not before._node:
            stem, number = type(after._node).__name__[:-1], type(after._node).__name__[-1]
            after._node.__class__ = node_class(f"{stem}{int(number) + ordinary}")
        input._storage.version += 1
        return input

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place version of :meth:`{name[:-1]}`."
    return method


for _name, _function in {
    "squeeze": squeeze, "unsqueeze": unsqueeze, "t": t, "transpose": transpose, "swapaxes": transpose,
    "swapdims": transpose, "as_strided": as_strided,
}.items():  # fmt: skip
    methods[_name + "_"] = _shown_in_place(_name + "_", _function)
