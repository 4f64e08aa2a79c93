"""Pooling in one, two and three dimensions: max, average, power average, adaptive, unpooling; ``unfold`` and ``fold``."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..core import strides as _strides
from ..core.dtypes import FLOATING, bool_, float64, int64
from ..core.names import scalar_name
from ..primitives import elementwise as p, indexing, memory, pooling as w
from ..primitives.checks import checked
from ..primitives.values import Value
from .convolution import repeated
from .declaration import operator
from .kinds import Tensor
from .promotion import to, widened
from .resampling import resample

Ints = tuple[int, ...]


def _layout(result: Value, operands: Sequence[Any]) -> Any:
    first = operands[0]
    if first.ndim == 4 == len(result.shape) and _strides.suggests_channels_last(first.shape, first.strides):
        return _strides.channels_last(result.shape)
    return None


def _greatest_node(input: Any, kernel: Ints, *rest: Any) -> str:
    if len(kernel) == 1:
        return "SqueezeBackward1"
    return f"AdaptiveMaxPool{len(kernel)}DBackward0" if rest[-1] else f"MaxPool{len(kernel)}DWithIndicesBackward0"


# -- operators ----------------------------------------------------------------------------------------------------------


@operator(
    {"input": lambda grad, input_spec, result1, kernel, stride, dilation: scatter_windows(
        grad, result1, tuple(input_spec.shape[-len(kernel):]), all(
            d * (k - 1) < s for k, s, d in zip(kernel, stride, dilation)))},
    layout=_layout, function=False, method=False, name="max_pool_with_indices", node=_greatest_node,
)  # fmt: skip
def max_windows(
    input: Tensor, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints, adaptive: bool = False
) -> Any:
    """The greatest element of each window, and where it is."""
    return w.max_window(input, kernel=kernel, stride=stride, padding=padding, dilation=dilation, out=out)


@operator(
    {"grad_output": lambda grad, indices, sizes: take_windows(grad, indices, sizes)}, function=False, method=False,
    layout=_layout, name="max_unpool",
)  # fmt: skip
def scatter_windows(grad_output: Tensor, indices: Tensor, sizes: Ints, distinct: bool = False) -> Value:
    """Zeros with elements added at flat spatial indices, ``distinct`` if none occurs twice."""
    return w.add_at_window(grad_output, indices, sizes=sizes, distinct=distinct)


def _flat(x: Value, rank: int) -> Value:
    return memory.reshape(x, shape=(*x.shape[: x.ndim - rank], prod(x.shape[x.ndim - rank :])))


@operator(
    {"input": lambda grad, indices, sizes: scatter_windows(grad, indices, sizes)}, function=False, method=False,
    name="max_unpool_backward",
)  # fmt: skip
def take_windows(input: Tensor, indices: Tensor, sizes: Ints) -> Value:
    """The elements at flat spatial indices: the adjoint of :func:`scatter_windows`."""
    rank = len(sizes)
    taken = indexing.gather_along(_flat(input, rank), _flat(indices, rank), axis=input.ndim - rank)
    return memory.reshape(taken, shape=indices.shape)


@operator(
    {"input": lambda grad, indices, sizes: take_windows(grad, indices, sizes)}, function=False, method=False,
    layout=_layout, name="max_unpool",
    node=lambda input, indices, sizes: f"MaxUnpool{len(sizes)}DBackward0" if len(sizes) > 1 else "SqueezeBackward1",
)  # fmt: skip
def unpool(input: Tensor, indices: Tensor, sizes: Ints) -> Value:
    """Zeros of spatial ``sizes`` with each element at its flat index; where several meet, the last one stays."""
    rank = len(sizes)
    lead = input.shape[: input.ndim - rank]
    flat, area = _flat(indices, rank), prod(sizes)
    flat = checked(
        flat, (flat >= 0) & (flat < area), error="RuntimeError",
        message=f"Found an invalid max index: {{}} (output volumes are of size {'x'.join(map(str, sizes))}",
    )  # fmt: skip
    empty = memory.full(0, shape=(*lead, area), dtype=input.dtype)
    filled = indexing.put_along(empty, flat, _flat(input, rank), axis=len(lead), combine="assign")
    return memory.reshape(filled, shape=(*lead, *sizes))


def _overlaps(like: Value, sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, out: Ints, divisor: int | str) -> Any:
    """How many elements each window counts: ``divisor`` itself, or the kernel's, those in the padded input, those inside."""
    if isinstance(divisor, int):
        return float(divisor)
    if divisor == "kernel":
        return float(prod(kernel))
    rank, total = len(kernel), None
    for axis, (n, k, s, q, o) in enumerate(zip(sizes, kernel, stride, padding, out)):
        start = memory.iota(shape=tuple(o if each == axis else 1 for each in range(rank)), axis=axis, dtype=like.dtype)
        start = start * float(s) - float(q)
        end = p.minimum(start + float(k), float(n + q))
        count = end - start if divisor == "padded" else p.minimum(end, float(n)) - p.maximum(start, 0.0)
        total = count if total is None else total * count
    return total


def _average_node(input: Any, kernel: Ints, *rest: Any) -> str:
    return "SqueezeBackward1" if len(kernel) == 1 else f"AvgPool{len(kernel)}DBackward0"


@operator(
    {"input": lambda grad, input_spec, kernel, stride, padding, divisor: average_windows_backward(
        grad, tuple(input_spec.shape[-len(kernel):]), kernel, stride, padding, divisor)},
    layout=_layout, function=False, method=False, name="avg_pool", node=_average_node,
)  # fmt: skip
def average_windows(input: Tensor, kernel: Ints, stride: Ints, padding: Ints, out: Ints, divisor: int | str) -> Value:
    """The sum of each window over the number of its elements (see ``_overlaps``)."""
    x = widened(input)
    total = w.sum_window(x, kernel=kernel, stride=stride, padding=padding, dilation=(1,) * len(kernel), out=out)
    if input.category < FLOATING:
        wide = to(total, float64)
        return to(p.truncate(wide / _overlaps(wide, _spatial(input, kernel), kernel, stride, padding, out, divisor)), input.dtype)
    return to(total / _overlaps(total, _spatial(input, kernel), kernel, stride, padding, out, divisor), input.dtype)


def _spatial(x: Value, kernel: Ints) -> Ints:
    return x.shape[-len(kernel) :]


@operator(
    {"grad_output": lambda grad, grad_output_spec, kernel, stride, padding, divisor: average_windows(
        grad, kernel, stride, padding, tuple(grad_output_spec.shape[-len(kernel):]), divisor)},
    layout=_layout, function=False, method=False, name="avg_pool_backward",
)  # fmt: skip
def average_windows_backward(
    grad_output: Tensor, sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, divisor: int | str
) -> Value:
    """The adjoint of :func:`average_windows`."""
    grad = widened(grad_output)
    grad = grad / _overlaps(grad, sizes, kernel, stride, padding, _spatial(grad, kernel), divisor)
    spread = w.spread_window(
        grad, sizes=sizes, kernel=kernel, stride=stride, padding=padding, dilation=(1,) * len(kernel)
    )
    return to(spread, grad_output.dtype)


@operator(
    {"input": lambda grad, input_spec, kernel, stride, padding, dilation, out: fold_columns(
        grad, tuple(input_spec.shape[2:]), kernel, stride, padding, dilation, out)},
    function=False, method=False, name="im2col", node="Im2ColBackward0",
)  # fmt: skip
def unfold_columns(input: Tensor, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Value:
    """Every window as a column."""
    return w.unfold_windows(input, kernel=kernel, stride=stride, padding=padding, dilation=dilation, out=out)


@operator(
    {"columns": lambda grad, kernel, stride, padding, dilation, out: unfold_columns(grad, kernel, stride, padding, dilation, out)},
    function=False, method=False, name="col2im", node="Col2ImBackward0",
)  # fmt: skip
def fold_columns(
    columns: Tensor, sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints
) -> Value:
    """Columns added back to where their windows lie."""
    return w.fold_windows(
        columns, sizes=sizes, kernel=kernel, stride=stride, padding=padding, dilation=dilation, out=out
    )


# -- sizes --------------------------------------------------------------------------------------------------------------


def pooled_size(n: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> int:
    """The number of windows along a dimension; in ceil mode the last one must start inside the input or left padding."""
    span = n + 2 * p - d * (k - 1) - 1
    count = (-(-span // s) if ceil_mode else span // s) + 1
    if ceil_mode and (count - 1) * s >= n + p:
        count -= 1
    return count


class _Arguments:
    """The arguments of a pooling function, made tuples and checked."""

    def __init__(
        self, name: str, rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
    ) -> None:
        shape = input._spec.shape
        if len(shape) not in (rank + 1, rank + 2):
            raise RuntimeError(
                f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
                f"got: {list(shape)}"
            )
        if any(size == 0 for size in shape[-rank - 1 :]):
            raise RuntimeError(
                f"{name}: Expected {rank + 1}D or {rank + 2}D (batch mode) tensor with optional 0 dim batch size for input, but "
                f"got: {list(shape)}"
            )
        self.kernel = repeated(kernel_size, rank, "kernel_size", name)
        empty = stride is None or (not isinstance(stride, int) and len(stride) == 0)
        self.stride = self.kernel if empty else repeated(stride, rank, "stride", name)
        self.padding = repeated(padding, rank, "padding", name)
        self.dilation = repeated(dilation, rank, "dilation", name)
        if min(self.kernel) < 1:
            raise RuntimeError(f"{name}: kernel size should be greater than zero, but got {self.kernel}")
        if min(self.stride) < 1:
            raise RuntimeError("stride should not be zero" if 0 in self.stride else f"{name}: stride should be positive")
        if min(self.dilation) < 1:
            raise RuntimeError(f"{name}: dilation should be greater than zero, but got {self.dilation}")
        for k, pad, d in zip(self.kernel, self.padding, self.dilation):
            if pad < 0:
                raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
            if pad > ((k - 1) * d + 1) // 2:
                raise RuntimeError(
                    "pad should be at most half of effective kernel size, but got "
                    f"pad={pad}, kernel_size={k} and dilation={d}"
                )
        self.sizes = tuple(shape[-rank:])
        self.out = tuple(
            pooled_size(n, k, s, q, d, ceil_mode)
            for n, k, s, q, d in zip(self.sizes, self.kernel, self.stride, self.padding, self.dilation)
        )
        if min(self.out) < 1:
            inside = "x".join(map(str, shape[-rank - 1 :]))
            outside = "x".join(map(str, (shape[-rank - 1], *self.out)))
            raise RuntimeError(f"Given input size: ({inside}). Calculated output size: ({outside}). Output size is too small")
        if input._spec.dtype is bool_:
            raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")


def max_pool(
    name: str, rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Any:
    """(values, indices) of max pooling over the last ``rank`` dimensions."""
    a = _Arguments(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode)
    if input._spec.dtype.is_complex:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(input._spec.dtype)}'")
    return max_windows(input, a.kernel, a.stride, a.padding, a.dilation, a.out)


def average_pool(
    name: str, rank: int, input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Any:  # fmt: skip
    """The mean of each window over the last ``rank`` dimensions."""
    a = _Arguments(name, rank, input, kernel_size, stride, padding, 1, ceil_mode)
    if input._spec.dtype.category < FLOATING and input._spec.dtype.name != "int64":
        raise RuntimeError(f"\"{name}\" not implemented for '{scalar_name(input._spec.dtype)}'")
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    divisor: Any = divisor_override
    if divisor is None:
        cut = not count_include_pad and any(a.padding)
        past = any((o - 1) * s + k > n + 2 * p for o, s, k, n, p in zip(a.out, a.stride, a.kernel, a.sizes, a.padding))
        divisor = "kernel" if not cut and not past else "padded" if count_include_pad else "inside"
    return average_windows(input, a.kernel, a.stride, a.padding, a.out, divisor)


# -- adaptive -----------------------------------------------------------------------------------------------------------


def regions(n: int, out: int) -> list[tuple[int, int]]:
    """The bounds of each of ``out`` nearly equal regions of ``n`` elements: ⌊i·n/out⌋ to ⌈(i+1)·n/out⌉."""
    return [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]


def adaptive_sizes(name: str, rank: int, input: Any, output_size: Any) -> Ints:
    """The output sizes, None meaning the input's."""
    shape = input._spec.shape
    if len(shape) <= rank and rank > 1 and not (output_size is None or isinstance(output_size, int)):
        raise ValueError(f"Input dimension should be at least {rank + 1}")
    if len(shape) not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}: Expected {rank + 1}D or {rank + 2}D tensor, but got {list(shape)}")
    wanted = (output_size,) * rank if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(wanted) == 1:
        wanted *= rank
    if len(wanted) != rank:
        raise RuntimeError(f"{name}: output_size must be {rank}")
    found = tuple(size if each is None else int(each) for each, size in zip(wanted, shape[-rank:]))
    if any(each < 0 for each in found):
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {list(found)}")
    if any(size == 0 for size in shape[-rank:]):
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {list(shape)}"
        )
    return found


def adaptive_average(name: str, rank: int, input: Any, output_size: Any) -> Any:
    """Averages of nearly equal regions."""
    out = adaptive_sizes(name, rank, input, output_size)
    if input._spec.dtype.category < FLOATING:
        raise RuntimeError(f"\"{name}\" not implemented for '{scalar_name(input._spec.dtype)}'")
    shape = input._spec.shape
    if not all(out):
        return input.new_empty((*shape[:-rank], *out))
    axes = tuple((rank - k, "area", n, o, 0.0, False) for k, (n, o) in enumerate(zip(shape[-rank:], out)))
    one = all(each == 1 for each in out)
    node = "SqueezeBackward1" if rank == 1 else "MeanBackward1" if one else f"AdaptiveAvgPool{rank}DBackward0"
    return resample(input, axes, node)


def adaptive_max(name: str, rank: int, input: Any, output_size: Any) -> Any:
    """(values, indices) of the greatest elements of nearly equal regions."""
    out = adaptive_sizes(name, rank, input, output_size)
    sizes = tuple(input._spec.shape[-rank:])
    if input._spec.dtype.is_complex or input._spec.dtype is bool_:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(input._spec.dtype)}'")
    if all(o and n % o == 0 for n, o in zip(sizes, out)):
        kernel = tuple(n // o for n, o in zip(sizes, out))
        return max_windows(input, kernel, kernel, (0,) * rank, (1,) * rank, out, True)
    # Uneven regions: repeat the last element of the short ones, so that all windows have one size.
    positions: list[list[int]] = []
    kernel = ()
    for n, o in zip(sizes, out):
        bounds = regions(n, o)
        longest = max((b - a for a, b in bounds), default=1)
        positions.append([min(a + i, b - 1) for a, b in bounds for i in range(longest)])
        kernel += (longest,)
    stretched, flat = input, None
    lead = input._spec.ndim - rank
    for axis, (n, row) in enumerate(zip(sizes, positions)):
        index = input.new_tensor(row, dtype=int64)
        stretched = stretched.index_select(lead + axis, index)
        shape = [1] * rank
        shape[axis] = len(row)
        flat = index.reshape(shape) if flat is None else flat * n + index.reshape(shape)
    values, inside = max_windows(stretched, kernel, kernel, (0,) * rank, (1,) * rank, out, True)
    picked = flat.reshape(-1).index_select(0, inside.reshape(-1)).reshape(inside._spec.shape)  # type: ignore[union-attr]
    return values, picked

