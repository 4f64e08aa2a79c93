"""Losses whose target is the number of a class: negative log likelihood, cross entropy, margins between classes.

Scores are (classes,), (batch, classes) or (batch, classes, ...); the target has their shape without the class dimension.
"""

from __future__ import annotations

from typing import Any

from ..core.dtypes import FLOATING, int64, uint8
from ..core.names import scalar_name
from ..primitives import elementwise as p, indexing, memory, reductions as r, scans
from ..primitives.checks import checked
from ..primitives.values import Value
from .activation import softmax
from .declaration import operator
from .kinds import Number, Tensor
from .losses import reduced, share
from .promotion import to, widened

# -- what the losses of a class have in common --------------------------------------------------------------------------


def _class_axis(input: Value) -> int:
    return 1 if input.ndim > 1 else 0


def _with_axis(x: Value, axis: int) -> Value:
    return memory.reshape(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))


def _along(x: Value, axis: int, rank: int) -> Value:
    return memory.reshape(x, shape=tuple(x.shape[0] if each == axis else 1 for each in range(rank)))


def _check(name: str, input: Value, target: Value, weight: Value | None) -> None:
    if input.ndim > 1 and target.ndim and target.shape[0] != input.shape[0]:
        raise ValueError(f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({target.shape[0]}).")
    if input.ndim == 0 or (input.ndim <= 2 and target.ndim > 1):
        raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported (in {name})")
    if target.dtype not in (int64, uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {scalar_name(target.dtype)}")
    axis = _class_axis(input)
    wanted = (*input.shape[:axis], *input.shape[axis + 1 :])
    if input.ndim > 1 and (not target.ndim or target.shape[0] != input.shape[0]):
        batch = target.shape[0] if target.ndim else 1
        raise ValueError(f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({batch}).")
    if input.ndim == 4 and target.ndim != 3:
        raise RuntimeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.ndim} (in {name})"
        )
    if tuple(target.shape) != wanted and not (input.ndim == 1 and target.shape == (1,)):
        if input.ndim == 4:
            raise RuntimeError(f"size mismatch (got input: {list(input.shape)} , target: {list(target.shape)}) (in {name})")
        raise RuntimeError(f"Expected target size {list(wanted)}, got {list(target.shape)} (in {name})")
    classes = input.shape[axis]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: "
            f"{list(weight.shape)}"
        )
    if weight is not None and weight.dtype is not input.dtype:
        raise RuntimeError(f"expected scalar type {scalar_name(input.dtype)} but found {scalar_name(weight.dtype)}")


def _classes_of(input: Value, target: Value, ignore_index: int) -> tuple[Value, Value]:
    """The target as indices, zero where it is to be ignored, and where it counts."""
    axis = _class_axis(input)
    target = memory.reshape(to(target, int64), shape=(*input.shape[:axis], *input.shape[axis + 1 :]))
    counts = p.not_equal(target, ignore_index)
    classes = input.shape[axis]
    valid = ((target >= 0) & (target < classes)) | ~counts
    target = checked(target, valid, error="IndexError", message="Target {} is out of bounds.")
    return p.select(counts, target, p.number(0, dtype=int64)), counts


def _weights_of(index: Value, counts: Value, weight: Value | None, kind: Any) -> Value:
    """The weight of each sample's class, zero where it is ignored."""
    if weight is None:
        return to(counts, kind)
    chosen = indexing.gather_at(to(weight, kind), index, axes=(0,))
    return p.select(counts, chosen, chosen * 0.0)


def _shared(grad: Value, weights: Value, reduction: str) -> Value:
    """The gradient each sample's unweighted loss gets, times its weight."""
    if reduction != "mean":
        return grad * weights
    return grad * weights / _total(weights)


def _total(x: Value) -> Value:
    return r.reduce_sum(x, axes=tuple(range(x.ndim)), dtype=x.dtype)


def _reduced(loss: Value, weights: Value, kind: Any, reduction: str) -> Value:
    if reduction == "none":
        return to(loss, kind)
    return to(_total(loss) / _total(weights) if reduction == "mean" else _total(loss), kind)


def _node(input: Any, target: Any, weight: Any, reduction: str, *rest: Any) -> str:
    if rest[1:] and rest[1]:
        return "AddBackward0"
    rank = input._spec.ndim
    if rank <= 2:
        return "NllLossBackward0"
    return "NllLoss2DBackward0" if rank == 4 or reduction != "none" else "ViewBackward0"


# -- negative log likelihood --------------------------------------------------------------------------------------------


@operator(
    {"grad_output": lambda grad, target, weight, reduction, ignore_index: nll_loss(
        grad, target, weight, reduction, ignore_index)},
    function=False, method=False,
)  # fmt: skip
def nll_loss_backward(
    grad_output: Tensor, like: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int
) -> Value:
    """-grad·weight[target] at the target, zero elsewhere; of ``like`` only the shape is used."""
    axis = _class_axis(like)
    index, counts = _classes_of(like, target, ignore_index)
    weights = _weights_of(index, counts, weight, like.dtype.compute)
    part = -_shared(to(grad_output, weights.dtype), weights, reduction)
    places = memory.iota(shape=like.shape, axis=axis, dtype=int64)
    hit = p.equal(places, _with_axis(index, axis))
    value = memory.broadcast(_with_axis(to(part, like.dtype), axis), shape=like.shape)
    return p.select(hit, value, p.number(0, dtype=like.dtype))


@operator(
    {"input": lambda grad, input, target, weight, reduction, ignore_index: nll_loss_backward(
        grad, input, target, weight, reduction, ignore_index)},
    function=False, method=False, node=_node,
)  # fmt: skip
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean", ignore_index: int = -100
) -> Value:
    """-weight[target]·input[target]; the mean is over the weights of the targets."""
    if input.category < FLOATING:
        raise NotImplementedError(f"\"nll_loss_out_frame\" not implemented for '{scalar_name(input.dtype)}'")
    _check("nll_loss", input, target, weight)
    axis = _class_axis(input)
    index, counts = _classes_of(input, target, ignore_index)
    x = widened(input)
    weights = _weights_of(index, counts, weight, x.dtype)
    chosen = memory.reshape(indexing.gather_along(x, _with_axis(index, axis), axis=axis), shape=index.shape)
    return _reduced(p.select(counts, -chosen * weights, weights), weights, input.dtype, reduction)


# -- cross entropy ------------------------------------------------------------------------------------------------------


def _exponentials(x: Value, axis: int) -> tuple[Value, Value, Value]:
    """x less its greatest element along the axis, the exponential of that, and the sum of those (the axis kept)."""
    shape = tuple(1 if each == axis else size for each, size in enumerate(x.shape))
    if x.numel:
        x = x - memory.reshape(r.reduce_max(x, axes=(axis,)), shape=shape)
    powers = p.exp(x)
    return x, powers, memory.reshape(r.reduce_sum(powers, axes=(axis,), dtype=x.dtype), shape=shape)


def _sum_of_weights(weight: Value | None, classes: int, kind: Any) -> Any:
    return float(classes) if weight is None else _total(to(weight, kind))


@operator(function=False, method=False)
def cross_entropy_scale(
    like: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int, label_smoothing: float
) -> Value:
    """What the probabilities of each sample are multiplied with in the gradient."""
    index, counts = _classes_of(like, target, ignore_index)
    kind = like.dtype.compute
    weights = _weights_of(index, counts, weight, kind)
    return to(_mass(weights, counts, like, weight, label_smoothing, reduction), like.dtype)


def _mass(weights: Value, counts: Value, like: Value, weight: Value | None, smoothing: float, reduction: str) -> Value:
    mass = weights
    if smoothing:
        classes = like.shape[_class_axis(like)]
        all_of_them = _sum_of_weights(weight, classes, weights.dtype)
        mass = weights * (1.0 - smoothing) + to(counts, weights.dtype) * all_of_them * (smoothing / classes)
    return mass / _total(weights) if reduction == "mean" else mass


def _unsqueezed(grad: Any, input: Any, reduction: str) -> Any:
    return grad.unsqueeze(1 if input._spec.ndim > 1 else 0) if reduction == "none" else grad


def _cross_entropy_linear(
    grad: Any, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int, label_smoothing: float
) -> Any:
    axis = 1 if input._spec.ndim > 1 else 0
    ones = input.new_ones(target._spec.shape if reduction == "none" else ())
    slope = cross_entropy_backward(ones, input, target, weight, reduction, ignore_index, label_smoothing)
    return (grad * slope).sum(axis) if reduction == "none" else (grad * slope).sum()


def _cross_entropy_curvature(
    grad: Any, grad_output: Any, input: Any, target: Any, weight: Any, reduction: str, ignore_index: int,
    label_smoothing: float,
) -> Any:  # fmt: skip
    axis = 1 if input._spec.ndim > 1 else 0
    scale = cross_entropy_scale(input, target, weight, reduction, ignore_index, label_smoothing)
    chance = softmax(input, axis)
    bend = chance * (grad - (chance * grad).sum(axis, keepdim=True))
    return bend * (_unsqueezed(grad_output, input, reduction) * scale.unsqueeze(axis))


@operator(
    {"grad_output": _cross_entropy_linear, "input": _cross_entropy_curvature}, function=False, method=False
)
def cross_entropy_backward(
    grad_output: Tensor, input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int,
    label_smoothing: float,
) -> Value:  # fmt: skip
    """The gradient of :func:`cross_entropy`: the probabilities less those wanted, by the sample's share of ``grad_output``."""
    axis = _class_axis(input)
    x = widened(input)
    index, counts = _classes_of(input, target, ignore_index)
    _, powers, sums = _exponentials(x, axis)
    weights = _weights_of(index, counts, weight, x.dtype)
    grad = to(grad_output, x.dtype)
    classes = input.shape[axis]
    smoothing = label_smoothing
    # One pass over (batch, classes) for the probabilities, one more to take away what was wanted.
    mass = grad * _mass(weights, counts, input, weight, smoothing, reduction)
    chances = powers * (_with_axis(mass, axis) / sums)
    wanted = _with_axis(_shared(grad, weights, reduction) * (1.0 - smoothing), axis)
    places = memory.iota(shape=input.shape, axis=axis, dtype=int64)
    result = chances - p.select(p.equal(places, _with_axis(index, axis)), wanted, wanted * 0.0)
    if smoothing:
        ones = to(counts, x.dtype)
        share_of_each = grad * (ones / _total(weights) if reduction == "mean" else ones) * (smoothing / classes)
        share_of_each = _with_axis(share_of_each, axis)
        result = result - (share_of_each if weight is None else share_of_each * _along(to(weight, x.dtype), axis, x.ndim))
    return to(result, input.dtype)


@operator(
    {"input": lambda grad, input, target, weight, reduction, ignore_index, label_smoothing: cross_entropy_backward(
        grad, input, target, weight, reduction, ignore_index, label_smoothing)},
    function=False, method=False, node=_node,
)  # fmt: skip
def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean", ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Value:  # fmt: skip
    """-log softmax(input)[target], by the weight of the target's class; targets are class numbers.

    Smoothing: Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016.
    """
    if input.category < FLOATING:
        raise NotImplementedError(f"\"log_softmax_lastdim_kernel_impl\" not implemented for '{scalar_name(input.dtype)}'")
    _check("cross_entropy", input, target, weight)
    axis = _class_axis(input)
    index, counts = _classes_of(input, target, ignore_index)
    x, _, sums = _exponentials(widened(input), axis)
    weights = _weights_of(index, counts, weight, x.dtype)
    logarithms = p.log(sums)
    chosen = logarithms - indexing.gather_along(x, _with_axis(index, axis), axis=axis)
    loss = memory.reshape(chosen, shape=index.shape) * weights
    if label_smoothing:
        each = logarithms - x
        if weight is not None:
            each = each * _along(to(weight, x.dtype), axis, x.ndim)
        spread = r.reduce_sum(each, axes=(axis,), dtype=x.dtype) * to(counts, x.dtype)
        loss = loss * (1.0 - label_smoothing) + spread * (label_smoothing / input.shape[axis])
    return _reduced(p.select(counts, loss, weights), weights, input.dtype, reduction)


# -- margins between classes --------------------------------------------------------------------------------------------


def _rows(input: Value) -> Value:
    """Scores as (batch, classes)."""
    return input if input.ndim > 1 else memory.reshape(input, shape=(1, input.numel))


def _margins(input: Value, target: Value, weight: Value | None, margin: Any) -> tuple[Value, Value, Value, Value]:
    """(margin - x[t] + x[c], whether c is t, weight of each row, target), with c along the last dimension."""
    x = _rows(widened(input))
    batch, classes = x.shape
    index = memory.reshape(to(target, int64), shape=(batch, 1))
    index = checked(index, (index >= 0) & (index < classes), error="RuntimeError", message="target out of range")
    hit = p.equal(memory.iota(shape=x.shape, axis=1, dtype=int64), index)
    gap = x - indexing.gather_along(x, index, axis=1) + margin
    gap = p.maximum(p.select(hit, gap * 0.0, gap), 0.0)
    factor = p.number(1.0 / classes, dtype=x.dtype)
    if weight is not None:
        factor = indexing.gather_at(to(weight, x.dtype), index, axes=(0,)) * factor
    return gap, hit, factor, index


def _check_margin(input: Any, target: Any, power: int, margin: Any, weight: Any, reduction: str) -> None:
    shape, wanted = list(input._spec.shape), [input._spec.shape[0]] if input._spec.ndim > 1 else [1]
    if power not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if input._spec.ndim > 2 or (not input._spec.numel and shape[-1:] == [0]):
        raise RuntimeError(f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {shape}")
    if list(target._spec.shape) != wanted and not (input._spec.ndim < 2 and target._spec.numel == 1):
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). "
            f"Expected target size {wanted}, but got {list(target._spec.shape)}. Input has shape {shape}."
        )
    if target._spec.dtype is not int64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(target._spec.dtype)}")
    if weight is not None and list(weight._spec.shape) != shape[-1:]:
        raise RuntimeError(f"inconsistent weight size, expected {shape[-1]} but got {list(weight._spec.shape)}")


def _spread_rows(grad: Value, rows: Value, scalar: bool, reduction: str) -> Value:
    """The gradient of each row's loss, as a column."""
    grad = to(grad, rows.dtype)
    if reduction != "none":
        return share(grad, rows.shape[0], reduction)
    return memory.reshape(grad, shape=(rows.shape[0], 1))


@operator(
    {"grad_output": lambda grad, input, target, power, margin, weight, reduction: (
        grad * multi_margin_loss_backward(
            grad.new_ones(()) if reduction != "none" else grad.new_ones(grad._spec.shape[:-1]), input, target, power, margin,
            weight, reduction)).sum(-1)},
    function=False, method=False,
)  # fmt: skip
def multi_margin_loss_backward(
    grad_output: Tensor, input: Tensor, target: Tensor, power: int, margin: Number, weight: Tensor | None, reduction: str
) -> Value:
    """The gradient of :func:`multi_margin_loss`."""
    gap, hit, factor, _ = _margins(input, target, weight, margin)
    slope = gap * 2.0 if power == 2 else to(gap > 0.0, gap.dtype)
    slope = slope * factor * _spread_rows(grad_output, gap, input.ndim < 2, reduction)
    total = memory.reshape(r.reduce_sum(slope, axes=(1,), dtype=gap.dtype), shape=(gap.shape[0], 1))
    return memory.reshape(to(p.select(hit, -total, slope), input.dtype), shape=input.shape)


@operator(
    {"input": lambda grad, input, target, power, margin, weight, reduction: multi_margin_loss_backward(
        grad, input, target, power, margin, weight, reduction)},
    function=False, method=False, check=_check_margin,
)  # fmt: skip
def multi_margin_loss(
    input: Tensor, target: Tensor, power: int = 1, margin: Number = 1.0, weight: Tensor | None = None,
    reduction: str = "mean",
) -> Value:  # fmt: skip
    """Σ over c ≠ t of max(0, margin - x[t] + x[c])^p, divided by the number of classes."""
    gap, _, factor, _ = _margins(input, target, weight, margin)
    loss = r.reduce_sum((gap * gap if power == 2 else gap) * factor, axes=(1,), dtype=gap.dtype)
    return reduced(loss if input.ndim > 1 else memory.reshape(loss, shape=()), input.dtype, reduction)


def _label_gaps(input: Value, target: Value) -> tuple[Value, Value, Value]:
    """max(0, 1 - x[t] + x[c]) over (batch, labels, classes) for labels before the first -1 and classes that are none;
    the labels with zeros after their end; whether each is one."""
    x = _rows(widened(input))
    batch, classes = x.shape
    index = _rows(to(target, int64))
    index = checked(
        index, (index >= -1) & (index < classes), error="RuntimeError", message="argument #2 'target' is out of range"
    )
    least = scans.scan(index, axis=1, combine="minimum", dtype=int64)
    real = least >= 0
    index = p.select(real, index, p.number(0, dtype=int64))
    places = memory.iota(shape=(batch, classes, classes), axis=2, dtype=int64)
    column = memory.reshape(index, shape=(batch, classes, 1))
    real_column = memory.reshape(real, shape=(batch, classes, 1))
    is_label = r.reduce_any(p.equal(places, column) & real_column, axes=(1,))
    scores = memory.reshape(indexing.gather_along(x, index, axis=1), shape=(batch, classes, 1))
    gaps = memory.reshape(x, shape=(batch, 1, classes)) - scores + 1.0
    counts = real_column & ~memory.reshape(is_label, shape=(batch, 1, classes))
    return p.select(counts, p.maximum(gaps, 0.0), gaps * 0.0), index, real


def _check_labels(input: Any, target: Any, reduction: str) -> None:
    if input._spec.ndim > 2 or input._spec.shape[-1:] == (0,):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input._spec.shape)}"
        )
    if tuple(input._spec.shape) != tuple(target._spec.shape):
        raise RuntimeError(
            f"inconsistent target size: {list(target._spec.shape)} for input of size: {list(input._spec.shape)}"
        )


@operator(
    {"grad_output": lambda grad, input, target, reduction: (
        grad * multilabel_margin_loss_backward(
            grad.new_ones(()) if reduction != "none" else grad.new_ones(grad._spec.shape[:-1]), input, target, reduction)
        ).sum(-1)},
    function=False, method=False,
)  # fmt: skip
def multilabel_margin_loss_backward(grad_output: Tensor, input: Tensor, target: Tensor, reduction: str) -> Value:
    """The gradient of :func:`multilabel_margin_loss`."""
    gaps, index, real = _label_gaps(input, target)
    batch, classes = index.shape
    rows = memory.reshape(r.reduce_sum(gaps, axes=(1, 2), dtype=gaps.dtype), shape=(batch, 1))
    grad = _spread_rows(grad_output, rows, input.ndim < 2, reduction) / float(classes)
    slope = to(gaps > 0.0, gaps.dtype)
    pushed = r.reduce_sum(slope, axes=(1,), dtype=gaps.dtype)
    pulled = r.reduce_sum(slope, axes=(2,), dtype=gaps.dtype) * to(real, gaps.dtype)
    result = indexing.put_along(pushed, index, -pulled, axis=1, combine="add")
    return memory.reshape(to(result * grad, input.dtype), shape=input.shape)


@operator(
    {"input": lambda grad, input, target, reduction: multilabel_margin_loss_backward(grad, input, target, reduction)},
    function=False, method=False, check=_check_labels,
)  # fmt: skip
def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Value:
    """Σ over labels t and other classes c of max(0, 1 - x[t] + x[c]), divided by the number of classes."""
    gaps, index, _ = _label_gaps(input, target)
    loss = r.reduce_sum(gaps, axes=(1, 2), dtype=gaps.dtype) / float(index.shape[1])
    return reduced(loss if input.ndim > 1 else memory.reshape(loss, shape=()), input.dtype, reduction)
