"""Convolutions and transposed convolutions in one, two and three dimensions.

Three operators, each other's derivatives: convolution C(x, w), its adjoint in x (also the transposed convolution) and
its adjoint in w. See Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import strides as _strides
from ..core.names import scalar_name
from ..primitives import convolution as c, memory
from ..primitives.values import Value
from .contraction import conjugate
from .declaration import composite, operator
from .kinds import Tensor

Ints = tuple[int, ...]


def _layout(result: Value, operands: Sequence[Any]) -> Any:
    """Channels last when input or weight are."""
    if len(result.shape) == 4 and any(
        each.ndim == 4 and _strides.suggests_channels_last(each.shape, each.strides) for each in operands[:2]
    ):
        return _strides.channels_last(result.shape)
    return None


def _with_bias(result: Value, bias: Value | None) -> Value:
    if bias is None:
        return result
    return result + memory.reshape(bias, shape=(1, bias.shape[0], *(1 for _ in result.shape[2:])))


def _trimmed(result: Any, like: Any) -> Any:
    """``result`` without the windows past the end that output padding (greater than the stride) has room for."""
    for axis in range(2, like.ndim):
        if result._spec.shape[axis] != like.shape[axis]:
            result = result.narrow(axis, 0, like.shape[axis])
    return result


def _bias_gradient(grad: Any) -> Any:
    return grad.sum((0, *range(2, grad._spec.ndim)))


@operator(
    {
        "input": lambda grad, input_spec, weight, stride, padding, dilation, groups: input_gradient(
            grad, conjugate(weight), None, tuple(input_spec.shape[2:]), stride, padding, dilation, groups
        ),
        "weight": lambda grad, input, weight_spec, stride, padding, dilation, groups: weight_gradient(
            grad, conjugate(input), tuple(weight_spec.shape[2:]), stride, padding, dilation, groups
        ),
        "bias": _bias_gradient,
    },
    layout=_layout, name="convolution", function=False, method=False,
)  # fmt: skip
def convolve(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Value:
    """bias + Σ weight·input over each window, for batched input."""
    result = c.convolution(input, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return _with_bias(result, bias)


@operator(
    {
        "grad_output": lambda grad, grad_output_spec, weight, stride, padding, dilation, groups: _trimmed(
            convolve(grad, conjugate(weight), None, stride, padding, dilation, groups), grad_output_spec
        ),
        "weight": lambda grad, grad_output, weight_spec, stride, padding, dilation, groups: weight_gradient(
            conjugate(grad_output), grad, tuple(weight_spec.shape[2:]), stride, padding, dilation, groups
        ),
        "bias": _bias_gradient,
    },
    layout=_layout, name="convolution", function=False, method=False,
)  # fmt: skip
def input_gradient(
    grad_output: Tensor, weight: Tensor, bias: Tensor | None, sizes: Ints, stride: Ints, padding: Ints, dilation: Ints,
    groups: int,
) -> Value:  # fmt: skip
    """The adjoint of :func:`convolve` in its input, of spatial sizes ``sizes``; with a bias, a transposed convolution."""
    result = c.convolution_input_gradient(
        grad_output, weight, sizes=sizes, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    return _with_bias(result, bias)


@operator(
    {
        "grad_output": lambda grad, grad_output_spec, input, stride, padding, dilation, groups: _trimmed(
            convolve(conjugate(input), grad, None, stride, padding, dilation, groups), grad_output_spec
        ),
        "input": lambda grad, grad_output, input_spec, stride, padding, dilation, groups: input_gradient(
            conjugate(grad_output), grad, None, tuple(input_spec.shape[2:]), stride, padding, dilation, groups
        ),
    },
    name="convolution_weight", function=False, method=False,
)  # fmt: skip
def weight_gradient(
    grad_output: Tensor, input: Tensor, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Value:
    """The adjoint of :func:`convolve` in its weight, of kernel sizes ``kernel``."""
    return c.convolution_weight_gradient(
        grad_output, input, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def repeated(value: Any, rank: int, name: str = "stride", operator: str = "convolution") -> Ints:
    """One int for each dimension, from an int or a sequence of ``rank`` (or one) ints.

    Raises:
        RuntimeError: another number of ints.
    """
    if isinstance(value, int):
        return (value,) * rank
    found = tuple(int(each) for each in value)
    if len(found) == 1:
        return found * rank
    if len(found) != rank:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {rank} values to match the convolution dimensions, but "
            f"got {name}={list(found)} (in {operator})"
        )
    return found


def _check(name: str, input: Any, weight: Any, bias: Any, rank: int, groups: int, transposed: bool) -> None:
    x, w = input._spec, weight._spec
    if x.ndim not in (rank + 1, rank + 2):
        raise RuntimeError(
            f"Expected {rank + 1}D (unbatched) or {rank + 2}D (batched) input to {name}, but got input of size: {list(x.shape)}"
        )
    if w.ndim != rank + 2:
        raise RuntimeError(
            f"Expected {x.ndim}-dimensional input for {w.ndim}-dimensional weight {list(w.shape)}, but got {x.ndim}-dimensional "
            f"input of size {list(x.shape)} instead (in {name})"
        )
    if x.dtype is not w.dtype:
        raise RuntimeError(
            f"Input type ({scalar_name(x.dtype).lower()}) and bias type ({scalar_name(w.dtype).lower()}) should be the same "
            f"(in {name})"
        )
    if bias is not None and bias._spec.dtype is not w.dtype:
        raise RuntimeError(
            f"Input type ({scalar_name(x.dtype).lower()}) and bias type ({scalar_name(bias._spec.dtype).lower()}) should be the "
            f"same (in {name})"
        )
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    channels = x.shape[-rank - 1]
    expected = w.shape[0] if transposed else w.shape[1] * groups
    if channels != expected:
        raise RuntimeError(
            f"Given {'transposed=1, ' if transposed else 'groups=' + str(groups) + ', '}weight of size {list(w.shape)}, expected "
            f"input{list(x.shape)} to have {expected} channels, but got {channels} channels instead"
        )
    if w.shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size "
            f"{list(w.shape)} instead"
        )
    outputs = w.shape[1] * groups if transposed else w.shape[0]
    if bias is not None and tuple(bias._spec.shape) != (outputs,):
        raise RuntimeError(
            f"Given {'transposed=1' if transposed else 'groups=' + str(groups)}, weight of size {list(w.shape)}, expected bias to "
            f"be 1-dimensional with {outputs} elements, but got bias of size {list(bias._spec.shape)} instead"
        )


def _convolution(
    name: str, rank: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    _check(name, input, weight, bias, rank, groups, transposed=False)
    stride = repeated(stride, rank, "stride", name)
    dilation = repeated(dilation, rank, "dilation", name)
    kernel = tuple(weight._spec.shape[2:])
    if isinstance(padding, str):
        input, padding = _named_padding(input, padding, kernel, stride, dilation)
    padding = repeated(padding, rank, "padding", name)
    if min(stride) < 1:
        raise RuntimeError("non-positive stride is not supported")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(dilation) < 1:
        raise RuntimeError("dilation should be greater than zero")
    spatial = input._spec.shape[-rank:]
    for n, k, p, d in zip(spatial, kernel, padding, dilation):
        if n + 2 * p < d * (k - 1) + 1:
            sizes = " x ".join(str(n + 2 * p) for n, p in zip(spatial, padding))
            kernels = " x ".join(str(d * (k - 1) + 1) for k, d in zip(kernel, dilation))
            raise RuntimeError(
                f"Calculated padded input size per channel: ({sizes}). Kernel size: ({kernels}). Kernel size can't be greater "
                "than actual input size"
            )
    batched = input._spec.ndim == rank + 2
    result = convolve(
        input if batched else input.unsqueeze(0), weight, bias, stride, padding, dilation, groups
    )
    return result if batched else result.squeeze(0)


def _named_padding(input: Any, padding: str, kernel: Ints, stride: Ints, dilation: Ints) -> tuple[Any, Ints]:
    """'valid' is none; 'same' keeps the sizes, an odd element of padding going to the end."""
    if padding == "valid":
        return input, (0,) * len(kernel)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(each != 1 for each in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [d * (k - 1) for k, d in zip(kernel, dilation)]
    if all(each % 2 == 0 for each in total):
        return input, tuple(each // 2 for each in total)
    import warnings

    from .padding import pad

    warnings.warn(
        "Using padding='same' with even kernel lengths and odd dilation may require a zero-padded copy of the input be created",
        stacklevel=4,
    )
    extra = [side for each in reversed(total) for side in (0, each % 2)]
    return pad(input, extra), tuple(each // 2 for each in total)


@composite(method=False)
def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """A convolution over the last dimension of (batch, channels, length); weight (out, in / groups, kernel).

    >>> import flambeau as torch
    >>> torch.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 3))
    tensor([[[3., 3.]]])
    """
    return _convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@composite(method=False)
def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """A convolution over the last two dimensions of (batch, channels, height, width).

    >>> import flambeau as torch
    >>> torch.conv2d(torch.ones(1, 1, 3, 3), torch.ones(2, 1, 3, 3)).shape
    torch.Size([1, 2, 1, 1])
    """
    return _convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@composite(method=False)
def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """A convolution over the last three dimensions of (batch, channels, depth, height, width)."""
    return _convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _transposed(
    name: str, rank: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: int,
    dilation: Any,
) -> Any:  # fmt: skip
    _check(name, input, weight, bias, rank, groups, transposed=True)
    stride, padding = repeated(stride, rank, "stride", name), repeated(padding, rank, "padding", name)
    extra, dilation = repeated(output_padding, rank, "output_padding", name), repeated(dilation, rank, "dilation", name)
    if min(stride) < 1:
        raise RuntimeError("non-positive stride is not supported")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if any(o < 0 or (o >= s and o >= d) for o, s, d in zip(extra, stride, dilation)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding: {extra}, stride: {stride}, "
            f"dilation: {dilation}"
        )
    kernel = weight._spec.shape[2:]
    spatial = input._spec.shape[-rank:]
    sizes = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + o + 1
        for n, k, s, p, d, o in zip(spatial, kernel, stride, padding, dilation, extra)
    )
    if min(sizes) <= 0:
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, spatial))}). Calculated output size per channel: "
            f"({' x '.join(map(str, sizes))}). Output size is too small"
        )
    batched = input._spec.ndim == rank + 2
    result = input_gradient(
        input if batched else input.unsqueeze(0), weight, bias, sizes, stride, padding, dilation, groups
    )
    return result if batched else result.squeeze(0)


@composite(method=False)
def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv1d`: upsamples (batch, in, length); weight (in, out / groups, kernel)."""
    return _transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(method=False)
def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv2d`."""
    return _transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(method=False)
def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of :func:`conv3d`."""
    return _transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(method=False)
def conv_tbc(input: Any, weight: Any, bias: Any, pad: int = 0) -> Any:
    """A convolution over time of (time, batch, in); weight (kernel, in, out), bias (out).

    >>> import flambeau as torch
    >>> torch.conv_tbc(torch.ones(5, 1, 2), torch.ones(3, 2, 4), torch.zeros(4)).shape
    torch.Size([3, 1, 4])
    """
    if input.dim() != 3 or weight.dim() != 3 or bias.dim() != 1:
        raise RuntimeError(
            "conv_tbc: input must have 3 dims (time, batch, in_channels), weight 3 (kernel, in_channels, out_channels), bias 1; "
            f"got {list(input.shape)}, {list(weight.shape)}, {list(bias.shape)}"
        )
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1).contiguous()
