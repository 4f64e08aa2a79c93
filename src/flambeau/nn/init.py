"""Filling parameters with their first values. Every function works in place, without grad, and returns its argument.

Given the same generator state, the numbers are PyTorch's.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from .. import operators
from ..autograd.grad_mode import no_grad

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR_LIKE = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a nonlinearity shrinks the standard deviation of its input, undone by initialisation.

    1 for linear layers and sigmoid, 5/3 for tanh, √2 for relu, √(2/(1+slope²)) for leaky_relu, 3/4 for selu.

    >>> import flambeau as torch
    >>> torch.nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity in _LINEAR_LIKE:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is None:
            param = 0.01
        elif isinstance(param, bool) or not isinstance(param, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + param**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


# --- filling with a distribution or a value ---------------------------------------------------------------------------


@no_grad()
def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    """Uniform on [a, b)."""
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
    """Normal with the given mean and standard deviation."""
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Any:
    """Normal, cut off outside [a, b], by rejection: numbers are drawn again until they are accepted.

    What is drawn is normal when at least three in ten such numbers lie within the bounds. Else it is uniform on
    [a, b], and x is accepted with probability p(x) / max p, which is fast however far out the bounds are.

    >>> import flambeau as torch
    >>> bool((torch.nn.init.trunc_normal_(torch.empty(100)).abs() <= 2).all())
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
            "incorrect.",
            stacklevel=3,
        )
    within = _normal_distribution((b - mean) / std) - _normal_distribution((a - mean) / std)
    draw = _draw_normal_within if within >= 0.3 else _draw_uniform_accepted
    return tensor.copy_(draw(tensor, mean, std, a, b, generator))


def _draw_normal_within(tensor: Any, mean: float, std: float, a: float, b: float, generator: Any) -> Any:
    def outside(values: Any) -> Any:
        return (values < a) | (values > b)

    drawn = operators.empty_like(tensor).normal_(mean, std, generator=generator)
    rejected = outside(drawn)
    while rejected.any():
        again = operators.empty_like(tensor).normal_(mean, std, generator=generator)
        drawn = operators.where(rejected, again, drawn)
        rejected = outside(drawn)
    return drawn


def _draw_uniform_accepted(tensor: Any, mean: float, std: float, a: float, b: float, generator: Any) -> Any:
    highest = -0.5 * ((min(max(mean, a), b) - mean) / std) ** 2

    def is_rejected(values: Any) -> Any:
        log_probability = ((values - mean) / std) ** 2 * -0.5 - highest
        return operators.empty_like(tensor).uniform_(generator=generator).log() > log_probability

    drawn = operators.empty_like(tensor).uniform_(a, b, generator=generator)
    rejected = is_rejected(drawn)
    while rejected.any():
        again = operators.empty_like(tensor).uniform_(a, b, generator=generator)
        drawn = operators.where(rejected, again, drawn)
        rejected = rejected & is_rejected(drawn)
    return drawn


def _normal_distribution(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


@no_grad()
def constant_(tensor: Any, val: float) -> Any:
    """``val`` everywhere."""
    return tensor.fill_(val)


@no_grad()
def ones_(tensor: Any) -> Any:
    """One everywhere."""
    return tensor.fill_(1.0)


@no_grad()
def zeros_(tensor: Any) -> Any:
    """Zero everywhere."""
    return tensor.zero_()


# --- filling with structure -------------------------------------------------------------------------------------------


@no_grad()
def eye_(tensor: Any) -> Any:
    """Ones on the diagonal of a matrix, zeros elsewhere: the identity of a linear layer."""
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    tensor.zero_()
    tensor.diagonal().fill_(1)
    return tensor


@no_grad()
def dirac_(tensor: Any, groups: int = 1) -> Any:
    """The identity of a convolution: channel i of a group passes to output i, as far as there are both."""
    if tensor.ndimension() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    sizes = tensor.size()
    if sizes[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    outputs = sizes[0] // groups
    centre = tuple(extent // 2 for extent in sizes[2:])
    tensor.zero_()
    for group in range(groups):
        for channel in range(min(outputs, sizes[1])):
            tensor[(group * outputs + channel, channel, *centre)] = 1
    return tensor


@no_grad()
def orthogonal_(tensor: Any, gain: float = 1, generator: Any = None) -> Any:
    """A (semi-)orthogonal matrix, of the first dimension by all the others, times ``gain``.

    The Q of the QR decomposition of a normal matrix, with the signs that make it uniformly distributed.
    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (2013).
    """
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    from .. import linalg

    rows = tensor.size(0)
    columns = tensor.numel() // rows
    matrix = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
    if rows < columns:
        matrix = matrix.t()
    orthogonal, triangular = linalg.qr(matrix)
    orthogonal = orthogonal * triangular.diagonal().sign()
    if rows < columns:
        orthogonal = orthogonal.t()
    tensor.copy_(orthogonal.reshape(tensor.shape))
    return tensor.mul_(gain)


@no_grad()
def sparse_(tensor: Any, sparsity: float, std: float = 0.01, generator: Any = None) -> Any:
    """Normal, with a share ``sparsity`` of every column set to zero.

    Martens, "Deep learning via Hessian-free optimization" (2010).
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        tensor[operators.randperm(rows)[:zeros], column] = 0
    return tensor


# --- scaled to the size of the layer ----------------------------------------------------------------------------------


def _calculate_fan_in_and_fan_out(tensor: Any) -> tuple[int, int]:
    """How many inputs an output of the layer sums over, and how many outputs an input goes to."""
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    field = math.prod(tensor.shape[2:])
    return tensor.size(1) * field, tensor.size(0) * field


def _calculate_correct_fan(tensor: Any, mode: str) -> int:
    modes = ["fan_in", "fan_out"]
    mode = mode.lower()
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Uniform on (-a, a) with a = gain·√(6 / (fan_in + fan_out)).

    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).
    """
    bound = math.sqrt(3.0) * _xavier_deviation(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Normal with the standard deviation gain·√(2 / (fan_in + fan_out)); see :func:`xavier_uniform_`."""
    return normal_(tensor, 0.0, _xavier_deviation(tensor, gain), generator)


def _xavier_deviation(tensor: Any, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))


def kaiming_uniform_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Any:
    """Uniform on (-b, b) with b = gain·√(3 / fan).

    ``a`` is the slope of a leaky relu; ``mode`` chooses which fan keeps its variance: fan_in forward, fan_out
    backward. He et al., "Delving deep into rectifiers" (2015).
    """
    if _is_empty(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_deviation(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Any:
    """Normal with the standard deviation gain / √fan; see :func:`kaiming_uniform_`."""
    if _is_empty(tensor):
        return tensor
    return normal_(tensor, 0, _kaiming_deviation(tensor, a, mode, nonlinearity), generator)


def _is_empty(tensor: Any) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


def _kaiming_deviation(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


# --- the names from before in-place functions had an underscore -------------------------------------------------------


def _deprecated(current: Any) -> Any:
    old = current.__name__.removesuffix("_")

    def deprecated(*args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{current.__name__}`.",
            FutureWarning,
            stacklevel=2,
        )
        return current(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = old
    deprecated.__doc__ = f"Deprecated: use :func:`{current.__name__}`."
    return deprecated


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
