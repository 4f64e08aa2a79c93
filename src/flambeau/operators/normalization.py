"""Normalization: batch, layer, group, instance, root-mean-square and local response norm.

The first four are one operator: numbers are centred and scaled to unit variance over some dimensions, then given a
weight and a bias. They differ in the dimensions and in how the input is seen. Ioffe and Szegedy, "Batch normalization",
2015; Ba, Kiros and Hinton, "Layer normalization", 2016; Wu and He, "Group normalization", 2018; Ulyanov, Vedaldi and
Lempitsky, "Instance normalization", 2016; Zhang and Sennrich, "Root mean square layer normalization", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..autograd.grad_mode import mode
from ..core import strides as _strides
from ..core.dtypes import FLOATING, finfo, float32
from ..core.names import scalar_name
from ..primitives import elementwise as p, memory, reductions as r
from ..primitives.values import Value
from .declaration import composite, operator
from .kinds import Tensor
from .promotion import to

Ints = tuple[int, ...]


def _layout(result: Value, operands: Sequence[Any]) -> Any:
    """Channels last for an input that is so, else contiguous."""
    first = operands[0]
    if len(result.shape) == first.ndim == 4 and _strides.suggests_channels_last(first.shape, first.strides):
        return _strides.channels_last(result.shape)
    return None


def _moments(x: Value, axes: Ints, eps: float) -> tuple[Value, Value, Value]:
    """Mean, variance and 1/√(variance + eps) over ``axes``, which stay with size one."""
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    count = 1.0
    for axis in axes:
        count *= x.shape[axis]
    mean = memory.reshape(r.reduce_sum(x, axes=axes, dtype=x.dtype), shape=kept) / count
    centred = x - mean
    variance = memory.reshape(r.reduce_sum(centred * centred, axes=axes, dtype=x.dtype), shape=kept) / count
    return mean, variance, p.divide(1.0, p.sqrt(variance + eps))


def _standardized_back(
    grad: Any, input: Any, weight: Any, bias_spec: Any, result1: Any, result2: Any, inner: Ints, axes: Ints,
    affine: Ints, eps: float, needs: Any,
) -> Any:  # fmt: skip
    """x̂ = (x - mean)·rstd; the gradient of x is rstd·(g - mean(g) - x̂·mean(g·x̂)) with g = grad·weight.

    A weight that is the same throughout a group of numbers (batch and instance norm) leaves the means: then the sums
    that weight and bias need are those that x needs.
    """
    shape = input._spec.shape
    x = input.reshape(inner)
    upstream = grad.reshape(inner)
    if x._spec.dtype.itemsize < 4:
        x, upstream = x.to(float32), upstream.to(float32)
    if mode.enabled:  # a second derivative needs the way from x to its moments
        mean = x.mean(axes, True)
        rstd = ((x - mean).square().mean(axes, True) + eps).rsqrt()
    else:
        mean, rstd = result1, result2
    normal = (x - mean) * rstd
    to_input = to_weight = to_bias = None
    if _same_within(affine, len(inner), axes):
        count = prod(inner[axis] for axis in axes)
        total, product = upstream.sum(axes, True), (upstream * normal).sum(axes, True)
        if needs[0]:
            scale = rstd if weight is None else rstd * weight.reshape(affine)
            to_input = (scale * (upstream - total / count - normal * (product / count))).reshape(shape)
        if needs[1]:
            to_weight = product.sum_to_size(affine).reshape(weight._spec.shape)
        if needs[2]:
            to_bias = total.sum_to_size(affine).reshape(bias_spec.shape)
        return to_input, to_weight, to_bias
    g = upstream if weight is None else upstream * weight.reshape(affine)
    if needs[0]:
        to_input = (rstd * (g - g.mean(axes, True) - normal * (g * normal).mean(axes, True))).reshape(shape)
    if needs[1]:
        to_weight = (upstream * normal).sum_to_size(affine).reshape(weight._spec.shape)
    if needs[2]:
        to_bias = upstream.sum_to_size(affine).reshape(bias_spec.shape)
    return to_input, to_weight, to_bias


def _same_within(affine: Ints, rank: int, axes: Ints) -> bool:
    """Whether a weight of shape ``affine`` does not vary along ``axes``."""
    missing = rank - len(affine)
    return all(axis < missing or affine[axis - missing] == 1 for axis in axes)


_NODES = {
    "layer_norm": "NativeLayerNormBackward0", "group_norm": "NativeGroupNormBackward0", "instance_norm": "ViewBackward0",
}  # fmt: skip


@operator(
    {"input weight bias": _standardized_back}, layout=_layout, name="normalize", function=False, method=False,
    node=lambda *arguments: _NODES.get(arguments[-1], "NativeBatchNormBackward0"),
)  # fmt: skip
def _standardized(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, inner: Ints, axes: Ints, affine: Ints, eps: float, kind: str
) -> Any:
    """(weight·x̂ + bias, mean, rstd, variance) with x seen in shape ``inner`` and moments over ``axes``."""
    wide = input.dtype.compute
    x = to(memory.reshape(input, shape=inner), wide)
    mean, variance, rstd = _moments(x, axes, eps)
    out = x - mean
    if weight is None:
        out = out * rstd
    elif _same_within(affine, len(inner), axes):
        out = out * (rstd * to(memory.reshape(weight, shape=affine), wide))
    else:
        out = out * rstd * to(memory.reshape(weight, shape=affine), wide)
    if bias is not None:
        out = out + to(memory.reshape(bias, shape=affine), wide)
    return to(memory.reshape(out, shape=input.shape), input.dtype), mean, rstd, variance


def _floating(name: str, input: Any) -> None:
    if input._spec.dtype.category < FLOATING:
        raise RuntimeError(f"\"{name}\" not implemented for '{scalar_name(input._spec.dtype)}'")


# -- layer norm ----------------------------------------------------------------------------------------------------------


@composite(method=False)
def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-05, cudnn_enable: bool = True
) -> Any:
    """weight·(x - mean)/√(var + eps) + bias over the last dimensions, those of ``normalized_shape``.

    >>> import flambeau as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([1.0, 2.0, 3.0]), (3,))
    tensor([-1.2247,  0.0000,  1.2247])
    """
    wanted = _checked_shape("layer_norm", input, normalized_shape, weight, bias)
    shape = tuple(input._spec.shape)
    axes = tuple(range(len(shape) - len(wanted), len(shape)))
    return _standardized(input, weight, bias, shape, axes, wanted, eps, "layer_norm")[0]


def _checked_shape(name: str, input: Any, normalized_shape: Any, weight: Any, bias: Any) -> Ints:
    wanted = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    _floating(f"{name}", input)
    if not wanted:
        raise RuntimeError(
            f"Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            f"normalized_shape = {list(wanted)}"
        )
    for what, each in (("weight", weight), ("bias", bias)):
        if each is not None and tuple(each._spec.shape) != wanted:
            raise RuntimeError(
                f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape {list(each._spec.shape)} and "
                f"normalized_shape = {list(wanted)}"
            )
    shape = tuple(input._spec.shape)
    if shape[len(shape) - len(wanted) :] != wanted or len(shape) < len(wanted):
        raise RuntimeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape [*{''.join(f', {size}' for size in wanted)}], but "
            f"got input of size{list(shape)}"
        )
    return wanted


# -- batch and instance norm ---------------------------------------------------------------------------------------------


def _check_channels(channels: int, **given: Any) -> None:
    for name, each in given.items():
        if each is not None and each._spec.numel != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {each._spec.numel}")


@composite(method=False)
def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-05, cudnn_enabled: bool = False,
) -> Any:  # fmt: skip
    """Each channel (dimension 1) standardized over batch and space, with the batch's moments or the running ones.

    When training, the running moments move by ``momentum`` towards the batch's (the variance without bias).

    Raises:
        ValueError: training on a single value per channel.
        RuntimeError: a parameter has another number of elements than there are channels.

    >>> import flambeau as torch
    >>> x = torch.tensor([[1.0], [3.0]])
    >>> torch.nn.functional.batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    shape = tuple(input._spec.shape)
    if not input._spec.numel and len(shape) == 1:
        return input.clone()
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm: expected input with at least 2 dimensions (batch, channels, ...), got {list(shape)}")
    _floating("batch_norm", input)
    channels = shape[1]
    _check_channels(channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    axes = (0, *range(2, len(shape)))
    affine = (1, channels, *(1,) * (len(shape) - 2))
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when training=False")
        return _batch_norm_with(input, weight, bias, running_mean, running_var, eps)
    count = input._spec.numel // channels if channels else 0
    if count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size torch.Size({list(shape)})")
    out, mean, _, variance = _standardized(input, weight, bias, shape, axes, affine, eps, "batch_norm")
    if count:  # an empty batch has no moments
        _track(running_mean, running_var, mean, variance, momentum, count)
    return out


def _track(running_mean: Any, running_var: Any, mean: Any, variance: Any, momentum: Any, count: int) -> None:
    """running = (1 - momentum)·running + momentum·batch."""
    for running, batch, scale in ((running_mean, mean, 1.0), (running_var, variance, count / max(count - 1, 1))):
        if running is not None:
            moved = batch.detach().reshape(running._spec.shape) * (momentum * scale)
            running.detach().mul_(1 - momentum).add_(moved)


def _running_back(grad: Any, input: Any, weight: Any, bias_spec: Any, mean: Any, variance: Any, eps: float, needs: Any) -> Any:
    shape = (1, -1, *(1,) * (input._spec.ndim - 2))
    rstd = (variance + eps).rsqrt().reshape(shape)
    to_input = to_weight = to_bias = None
    if needs[0]:
        to_input = grad * (rstd if weight is None else rstd * weight.reshape(shape))
    axes = (0, *range(2, input._spec.ndim))
    if needs[1]:
        to_weight = (grad * (input - mean.reshape(shape)) * rstd).sum(axes)
    if needs[2]:
        to_bias = grad.sum(axes)
    return to_input, to_weight, to_bias


@operator(
    {"input weight bias": _running_back}, layout=_layout, name="batch_norm", function=False, method=False,
    node="NativeBatchNormBackward0",
)  # fmt: skip
def _batch_norm_with(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, variance: Tensor, eps: float
) -> Value:
    """Standardized with given moments."""
    wide = input.dtype.compute
    shape = (1, input.shape[1], *(1 for _ in input.shape[2:]))

    def channel(each: Value) -> Value:
        return to(memory.reshape(each, shape=shape), wide)

    scale = p.divide(1.0, p.sqrt(to(variance, wide) + eps))
    if weight is not None:
        scale = scale * to(weight, wide)
    out = (to(input, wide) - channel(mean)) * memory.reshape(scale, shape=shape)
    return to(out if bias is None else out + channel(bias), input.dtype)


@composite(method=False)
def instance_norm(
    input: Any, running_mean: Any = None, running_var: Any = None, weight: Any = None, bias: Any = None,
    use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-05, cudnn_enabled: bool = False,
) -> Any:  # fmt: skip
    """Each channel of each sample standardized over space.

    >>> import flambeau as torch
    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    shape = tuple(input._spec.shape)
    if len(shape) < 3 and use_input_stats:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size torch.Size({list(shape)})")
    channels = shape[1]
    _check_channels(channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    count = 1
    for size in shape[2:]:
        count *= size
    if count == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size torch.Size({list(shape)})")
    axes = tuple(range(2, len(shape)))
    affine = (1, channels, *(1,) * (len(shape) - 2))
    out, mean, _, variance = _standardized(input, weight, bias, shape, axes, affine, eps, "instance_norm")
    if running_mean is not None or running_var is not None:
        flat = (shape[0], channels)
        _track(running_mean, running_var, mean.reshape(flat).mean(0), variance.reshape(flat).mean(0), momentum, count)
    return out


# -- group norm ------------------------------------------------------------------------------------------------------------


@composite(method=False)
def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-05, cudnn_enabled: bool = True
) -> Any:
    """Channels in groups, each group of each sample standardized together.

    >>> import flambeau as torch
    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0]]), 1)
    tensor([[-1.0000,  1.0000]])
    """
    shape = tuple(input._spec.shape)
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    _floating("group_norm", input)
    channels = shape[1]
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(shape)} and "
            f"num_groups={num_groups}"
        )
    for what, each in (("weight", weight), ("bias", bias)):
        if each is not None and tuple(each._spec.shape) != (channels,):
            raise RuntimeError(
                f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of shape "
                f"{list(each._spec.shape)} and input of shape {list(shape)}"
            )
    inner = (shape[0], num_groups, channels // num_groups, *shape[2:])
    axes = tuple(range(2, len(inner)))
    affine = (1, num_groups, channels // num_groups, *(1,) * (len(shape) - 2))
    return _standardized(input, weight, bias, inner, axes, affine, eps, "group_norm")[0]


# -- root mean square norm ---------------------------------------------------------------------------------------------------


def _rms_back(grad: Any, input: Any, weight: Any, axes: Ints, eps: float, needs: Any) -> Any:
    """x̂ = x·s with s = 1/√(mean(x²) + eps): s·(g - x̂·mean(g·x̂)) with g = grad·weight."""
    scale = (input.square().mean(axes, True) + eps).rsqrt()
    normal = input * scale
    g = grad if weight is None else grad * weight
    to_input = scale * (g - normal * (g * normal).mean(axes, True)) if needs[0] else None
    to_weight = (grad * normal).sum_to_size(tuple(weight._spec.shape)) if needs[1] else None
    return to_input, to_weight


@operator({"input weight": _rms_back}, name="rms_norm", function=False, method=False, node="MulBackward0")
def _rms_norm(input: Tensor, weight: Tensor | None, axes: Ints, eps: float) -> Value:
    wide = input.dtype.compute
    x = to(input, wide)
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    count = 1.0
    for axis in axes:
        count *= x.shape[axis]
    square = memory.reshape(r.reduce_sum(x * x, axes=axes, dtype=wide), shape=kept) / count
    out = x * p.divide(1.0, p.sqrt(square + eps))
    return to(out if weight is None else out * to(weight, wide), input.dtype)


@composite(method=False)
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """weight·x/√(mean(x²) + eps) over the last dimensions; ``eps`` defaults to the dtype's epsilon.

    >>> import flambeau as torch
    >>> torch.nn.functional.rms_norm(torch.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    wanted = _checked_shape("rms_norm", input, normalized_shape, weight, None)
    rank = input._spec.ndim
    axes = tuple(range(rank - len(wanted), rank))
    return _rms_norm(input, weight, axes, finfo(input._spec.dtype.compute).eps if eps is None else float(eps))


# -- local response norm -----------------------------------------------------------------------------------------------------


@composite(method=False, function=False)
def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """x / (k + alpha·mean of x² over ``size`` neighbouring channels)^beta.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012.
    """
    from .padding import pad
    from .pooling import average_windows

    rank = input._spec.ndim
    if rank < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {rank} dimensions)")
    if not input._spec.numel:
        return input
    shape = tuple(input._spec.shape)
    rest = input._spec.numel // (shape[0] * shape[1])
    square = input.square().reshape(shape[0], 1, shape[1], rest)
    square = pad(square, (0, 0, size // 2, (size - 1) // 2))
    mean = average_windows(square, (size, 1), (1, 1), (0, 0), (shape[1], rest), size)
    return input / (mean.reshape(shape) * alpha + k).pow(beta)
