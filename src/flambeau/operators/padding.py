"""Tensors made larger at their borders: with a number, or continued by reflection, replication or wrapping around."""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import bool_
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import memory
from ..primitives.values import Value
from .declaration import composite, operator
from .kinds import Number, Tensor
from .promotion import as_array
from .views import sizes, sliced

Ints = tuple[int, ...]


def _by_axis(pads: Ints, rank: int) -> list[tuple[int, int, int]]:
    """(axis, before, after) for each padded dimension; pads are given from the last dimension forward."""
    return [(rank - 1 - k, pads[2 * k], pads[2 * k + 1]) for k in range(len(pads) // 2)]


def _part(x: Value, axis: int, start: int, stop: int) -> Value:
    starts, stops = [0] * x.ndim, list(x.shape)
    starts[axis], stops[axis] = start, stop
    return memory.slice_(x, starts=tuple(starts), stops=tuple(stops), steps=(1,) * x.ndim)


def _pad_layout(result: Value, operands: Any) -> Any:
    here = operands[0]
    return _strides.channels_last(result.shape) if _strides.suggests_channels_last(here.shape, here.strides) else None


def _check_pads(pads: Ints, rank: int) -> None:
    if len(pads) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pads) > 2 * rank:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pads)} and input of dimension {rank}"
        )


def _cut_back(grad: Any, pad: Ints) -> Any:
    return constant_pad_nd(grad, tuple(-each for each in pad))


@operator(
    {"input": _cut_back}, layout=_pad_layout, method=False
)
def constant_pad_nd(input: Tensor, pad: Ints, value: Number = 0) -> Value:
    """``input`` with ``value`` around it. ``pad`` gives (before, after) for the last dimension, then the one before …;
    negative numbers cut off.

    >>> import flambeau as torch
    >>> torch.constant_pad_nd(torch.tensor([1, 2]), (1, 2))
    tensor([0, 1, 2, 0, 0])
    """
    _check_pads(pad, input.ndim)
    x = input
    for axis, before, after in _by_axis(pad, input.ndim):
        size = x.shape[axis]
        if size + before + after < 0:
            raise RuntimeError(
                f"The input size {input.shape[axis]}, plus negative padding {before} and {after} resulted in a "
                "negative output "
                f"size, which is invalid. Check dimension {axis} of your input."
            )
        start, stop = max(-before, 0), size - max(-after, 0)
        if start > stop:
            raise RuntimeError("narrow(): length must be non-negative.")
        x = _part(x, axis, start, stop) if (start, stop) != (0, size) else x
        pieces = []
        for width in (before, after):
            shape = (*x.shape[:axis], max(width, 0), *x.shape[axis + 1 :])
            pieces.append(memory.broadcast(as_array(value, input.dtype), shape=shape) if width > 0 else None)
        parts = [each for each in (pieces[0], x, pieces[1]) if each is not None]
        x = memory.concatenate(*parts, axis=axis) if len(parts) > 1 else parts[0]
    return x


# -- continued borders -------------------------------------------------------------------------------------------------


def _node(kind: str) -> Any:
    return lambda input, pad: f"{kind}Pad{len(pad) // 2}DBackward0"


def _cropped(x: Value, axis: int, before: int, after: int) -> tuple[Value, int, int]:
    """``x`` without what negative pads cut off, and the pads that remain."""
    start, stop = max(-before, 0), x.shape[axis] - max(-after, 0)
    return (_part(x, axis, start, stop) if (start, stop) != (0, x.shape[axis]) else x), max(before, 0), max(after, 0)


def _reflect_back(grad: Any, input_spec: Spec, pad: Ints) -> Any:
    for axis, before, after in reversed(_by_axis(pad, input_spec.ndim)):
        size = input_spec.shape[axis]
        low, high = max(before, 0), max(after, 0)
        kept = size - max(-before, 0) - max(-after, 0)
        inner = sliced(grad, axis, low, low + kept, 1)
        if low:
            inner = inner + _widened(sliced(grad, axis, 0, low, 1).flip(axis), axis, 1, kept - 1 - low)
        if high:
            turned = sliced(grad, axis, low + kept, low + kept + high, 1).flip(axis)
            inner = inner + _widened(turned, axis, kept - 1 - high, 1)
        grad = _widened(inner, axis, max(-before, 0), max(-after, 0))
    return grad


def _replicated(size: int, before: int, after: int) -> tuple[int, int, int, int]:
    """What of a dimension stays (start, stop), and how often its first and its last element come in addition."""
    total = size + before + after
    if total < 0:
        raise RuntimeError(f"the padding ({before}, {after}) leaves nothing of a dimension of size {size}")
    low = max(min(before, total), 0)
    high = max(min(total, after), 0) if before >= -size else total
    start = min(max(-before, 0), size)
    return start, start + total - low - high, low, high


def _replicate_back(grad: Any, input_spec: Spec, pad: Ints) -> Any:
    for axis, before, after in reversed(_by_axis(pad, input_spec.ndim)):
        size = input_spec.shape[axis]
        start, stop, low, high = _replicated(size, before, after)
        total = _widened(sliced(grad, axis, low, low + stop - start, 1), axis, start, size - stop)
        if low:
            total = total + _widened(sliced(grad, axis, 0, low, 1).sum(axis, True), axis, 0, size - 1)
        if high:
            last = sliced(grad, axis, low + stop - start, low + stop - start + high, 1).sum(axis, True)
            total = total + _widened(last, axis, size - 1, 0)
        grad = total
    return grad


def _circular_back(grad: Any, input_spec: Spec, pad: Ints) -> Any:
    for axis, before, after in reversed(_by_axis(pad, input_spec.ndim)):
        size = input_spec.shape[axis]
        low, high = max(before, 0), max(after, 0)
        kept = size - max(-before, 0) - max(-after, 0)
        inner = sliced(grad, axis, low, low + kept, 1)
        if low:
            inner = inner + _widened(sliced(grad, axis, 0, low, 1), axis, kept - low, 0)
        if high:
            inner = inner + _widened(sliced(grad, axis, low + kept, low + kept + high, 1), axis, 0, kept - high)
        grad = _widened(inner, axis, max(-before, 0), max(-after, 0))
    return grad


def _widened(x: Any, axis: int, before: int, after: int) -> Any:
    """``x`` with zeros before and after along one dimension."""
    if not before and not after:
        return x
    return constant_pad_nd(x, (*(0, 0) * (x._spec.ndim - 1 - axis), before, after))


@operator({"input": _reflect_back}, layout=_pad_layout, method=False, function=False, node=_node("Reflection"))
def reflection_pad(input: Tensor, pad: Ints) -> Value:
    """``input`` continued by its mirror image, the border itself not repeated."""
    if input.dtype is bool_:
        raise NotImplementedError(
            f"\"reflection_pad{len(pad) // 2}d\" not implemented for '{scalar_name(input.dtype)}'"
        )
    x = input
    for axis, low, high in _by_axis(pad, input.ndim):
        size = x.shape[axis]
        if low >= size or high >= size:
            raise RuntimeError(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({low}, {high}) at dimension {axis} of input {list(input.shape)}"
            )
        x, low, high = _cropped(x, axis, low, high)
        size = x.shape[axis]
        parts = [x]
        if low:
            parts.insert(0, memory.reverse(_part(x, axis, 1, low + 1), axes=(axis,)))
        if high:
            parts.append(memory.reverse(_part(x, axis, size - 1 - high, size - 1), axes=(axis,)))
        x = memory.concatenate(*parts, axis=axis) if len(parts) > 1 else parts[0]
    return x


@operator({"input": _replicate_back}, layout=_pad_layout, method=False, function=False, node=_node("Replication"))
def replication_pad(input: Tensor, pad: Ints) -> Value:
    """``input`` continued by its border elements."""
    if input.dtype is bool_:
        raise NotImplementedError(
            f"\"replication_pad{len(pad) // 2}d\" not implemented for '{scalar_name(input.dtype)}'"
        )
    x = input
    for axis, before, after in _by_axis(pad, input.ndim):
        size = x.shape[axis]
        start, stop, low, high = _replicated(size, before, after)
        parts = [_part(x, axis, start, stop)]
        if low:
            shape = (*x.shape[:axis], low, *x.shape[axis + 1 :])
            parts.insert(0, memory.broadcast(_part(x, axis, 0, 1), shape=shape))
        if high:
            shape = (*x.shape[:axis], high, *x.shape[axis + 1 :])
            parts.append(memory.broadcast(_part(x, axis, size - 1, size), shape=shape))
        x = memory.concatenate(*parts, axis=axis) if len(parts) > 1 else parts[0]
    return x


@operator({"input": _circular_back}, method=False, function=False, node="CopySlices")
def circular_pad(input: Tensor, pad: Ints) -> Value:
    """``input`` continued by its other end."""
    x = input
    for axis, low, high in _by_axis(pad, input.ndim):
        size = x.shape[axis]
        if low > size or high > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if size + low + high < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension.")
        x, low, high = _cropped(x, axis, low, high)
        size = x.shape[axis]
        parts = [x]
        if low:
            parts.insert(0, _part(x, axis, size - low, size))
        if high:
            parts.append(_part(x, axis, 0, high))
        x = memory.concatenate(*parts, axis=axis) if len(parts) > 1 else parts[0]
    return x


_CONTINUED = {"reflect": reflection_pad, "replicate": replication_pad, "circular": circular_pad}


@composite(method=False, function=False)
def pad(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    """``input`` made larger at its borders.

    Args:
        pad: (before, after) for the last dimension, then for the one before …; negative numbers cut off.
        mode: "constant", or "reflect", "replicate", "circular" for the last one, two or three dimensions.
        value: what "constant" fills with (zero).

    >>> import flambeau as torch
    >>> torch.nn.functional.pad(torch.tensor([1.0, 2.0]), (1, 0))
    tensor([0., 1., 2.])
    """
    pads, here = sizes((pad,), "pad"), input._spec
    _check_pads(pads, here.ndim)
    if mode == "constant":
        return constant_pad_nd(input, pads, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    continued = _CONTINUED.get(mode)
    if continued is None:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    count = len(pads) // 2
    if here.ndim not in (count + 1, count + 2) or not 1 <= count <= 3:
        raise NotImplementedError(f"Padding size {len(pads)} is not supported for {here.ndim}D input tensor.")
    if 0 in here.shape[1:] or (here.ndim == count + 1 and 0 in here.shape):
        raise RuntimeError(
            f"Expected {count + 1}D or {count + 2}D (batch mode) tensor with possibly 0 batch size and other "
            "non-zero dimensions "
            f"for input, but got: {list(here.shape)}"
        )
    return continued(input, pads)


__all__ = ["circular_pad", "constant_pad_nd", "pad", "reflection_pad", "replication_pad"]
