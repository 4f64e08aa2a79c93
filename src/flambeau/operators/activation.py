"""Activation functions of neural networks.

Those that are functions of ``flambeau`` or methods of Tensor in PyTorch are so here; the others are published by
``nn.functional``, which also gives them their ``inplace`` argument (``hardtanh_`` and the like below).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import strides
from ..core.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, dtype
from ..primitives import elementwise as p, memory, reductions as r, special_functions as s
from ..primitives.values import Value
from ..tracing.recorder import array_of
from .declaration import POINTWISE, composite, functions, in_place_form, methods, operator
from .exponential import logistic
from .kinds import Number, Tensor
from .promotion import as_array, reject, to, widened
from .selection import choose


def _floating(name: str, x: Value, *, complex: bool = False) -> Value:
    """``x`` in the dtype it is computed in.

    Raises:
        NotImplementedError: it holds no floating (or, where allowed, complex) numbers.
    """
    if x.category != FLOATING and not (complex and x.category == COMPLEX):
        reject(name, x, x.category)
    return widened(x)


# -- rectifiers -------------------------------------------------------------------------------------------------------


@operator(
    {"grad": lambda grad, result: _rectified_gradient(grad, result)}, layout=POINTWISE, name="threshold_backward",
    function=False, method=False,
)  # fmt: skip
def _rectified_gradient(grad: Tensor, result: Tensor) -> Value:
    """``grad`` where ``result`` is above zero (or NaN), else zero."""
    return p.select(p.less_equal(result, as_array(0, result.dtype)), as_array(0, grad.dtype), grad)


@operator({"input": lambda grad, result: _rectified_gradient(grad, result)}, layout=POINTWISE, in_place=True)
def relu(input: Tensor) -> Value:
    """max(input, 0) (Nair & Hinton 2010).

    >>> import flambeau as torch
    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if input.category == BOOL:
        raise RuntimeError("Boolean inputs not supported for relu")
    if input.category == COMPLEX:
        raise NotImplementedError("clamp is not supported for complex types")
    return p.maximum(input, as_array(0, input.dtype))


def _hardtanh_back(grad: Any, input: Any, min_val: Any, max_val: Any) -> Any:
    return choose((input > min_val) & (input < max_val), grad, 0)


def _check_limits(input: Any, min_val: Any, max_val: Any) -> None:
    kind = input._spec.dtype
    if kind.category == INTEGER and not kind.is_signed and (min_val < 0 or max_val < 0):
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")


@operator({"input": _hardtanh_back}, layout=POINTWISE, function=False, method=False, check=_check_limits)
def hardtanh(input: Tensor, min_val: Number = -1.0, max_val: Number = 1.0) -> Value:
    """``input`` kept between ``min_val`` and ``max_val``."""
    if input.category == BOOL:
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if input.category == COMPLEX:
        raise NotImplementedError("clamp is not supported for complex types")
    return p.minimum(p.maximum(input, as_array(min_val, input.dtype)), as_array(max_val, input.dtype))


@composite(function=False, method=False)
def relu6(input: Any) -> Any:
    """min(max(input, 0), 6) (Krizhevsky 2010)."""
    return hardtanh(input, 0.0, 6.0)


@operator(
    {"input": lambda grad, input, negative_slope: choose(input > 0, grad, grad * negative_slope)},
    layout=POINTWISE, function=False, method=False, node_in_place="LeakyReluBackward1",
)  # fmt: skip
def leaky_relu(input: Tensor, negative_slope: Number = 0.01) -> Value:
    """``input`` above zero, ``negative_slope``·input below (Maas, Hannun & Ng 2013)."""
    x = _floating("leaky_relu_cpu", input)
    return to(p.select(x > 0.0, x, x * as_array(negative_slope, x.dtype)), input.dtype)


def _threshold_back(grad: Any, input: Any, threshold: Any) -> Any:
    return choose(input <= threshold, 0, grad)


@operator({"input": _threshold_back}, layout=POINTWISE, method=False, node_in_place="ThresholdBackward1")
def threshold(input: Tensor, threshold: Number, value: Number) -> Value:
    """``input`` above ``threshold``, ``value`` elsewhere.

    >>> import flambeau as torch
    >>> torch.threshold(torch.tensor([0.5, 2.0]), 1.0, -1.0)
    tensor([-1.,  2.])
    """
    if input.category in (BOOL, COMPLEX):
        reject("threshold_cpu", input, input.category)
    return p.select(p.less_equal(input, as_array(threshold, input.dtype)), as_array(value, input.dtype), input)


@operator(
    {
        "input": lambda grad, input, weight: choose(input > 0, grad, grad * weight),
        "weight": lambda grad, input: choose(input > 0, 0, grad * input),
    },
    layout=POINTWISE, function=False, method=False, name="prelu_kernel",
)  # fmt: skip
def _prelu(input: Tensor, weight: Tensor) -> Value:
    x = _floating("prelu_cpu", input)
    return to(p.select(x > 0.0, x, x * widened(weight)), input.dtype)


@composite()
def prelu(input: Any, weight: Any) -> Any:
    """``input`` above zero, ``weight``·input below: one weight, or one a channel (dimension 1) (He et al. 2015).

    >>> import flambeau as torch
    >>> torch.prelu(torch.tensor([-2.0, 2.0]), torch.tensor([0.25]))
    tensor([-0.5000,  2.0000])
    """
    here, count = input._spec, weight._spec.numel
    if here.dtype is not weight._spec.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {here.dtype.name} and {weight._spec.dtype.name}")
    if count != 1:
        if not here.ndim:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = here.shape[1] if here.ndim >= 2 else 1
        if channels != count:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and channel "
                f"size = {channels}."
            )
    if weight._spec.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight._spec.ndim}"
        )
    if here.ndim != weight._spec.ndim:
        sizes = [1] * here.ndim
        if here.ndim > 1:
            sizes[1] = count
        weight = weight.reshape(sizes)
    return _prelu(input, weight)


def _random_slopes_back(grad: Any, input: Any, noise: Any) -> Any:
    return grad * noise


@operator(
    {"input": _random_slopes_back}, layout=POINTWISE, function=False, method=False, name="rrelu_with_noise"
)
def _random_slopes(input: Tensor, noise: Tensor) -> Value:
    return input * noise


@operator(
    {"input": lambda grad, input, slope: choose(input > 0, grad, grad * slope)},
    layout=POINTWISE, function=False, method=False, name="rrelu_with_noise",
)  # fmt: skip
def _mean_slope(input: Tensor, slope: Number) -> Value:
    x = _floating("rrelu_with_noise_out_cpu", input)
    return to(p.select(x > 0.0, x, x * as_array(slope, x.dtype)), input.dtype)


def _check_bounds(lower: float, upper: float) -> None:
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")


def _slopes_below_zero(input: Any, lower: float, upper: float, generator: Any) -> Any:
    """One where the input is above zero, elsewhere a slope drawn from [lower, upper), in the order of the elements.

    A draw is made only for elements not above zero, so they must be known: a sync point.
    """
    from .creation import from_array
    from .random_in_place import stream

    values = array_of(input._cell)
    drawn = values <= 0
    slopes = np.ones(values.shape, np.float64)
    slopes[drawn] = stream("rrelu", generator).engine.fractions(int(drawn.sum())) * (upper - lower) + lower
    return from_array(slopes.astype(input._spec.dtype.numpy), input._spec.dtype)


@composite(method=False)
def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, generator: Any = None
) -> Any:
    """``input`` above zero, below it times a random slope from [lower, upper]; their mean when not ``training``.

    >>> import flambeau as torch
    >>> torch.rrelu(torch.tensor([-4.0, 2.0]), 0.25, 0.25)
    tensor([-1.,  2.])
    """
    _check_bounds(lower, upper)
    if not training:
        return _mean_slope(input, (float(lower) + float(upper)) / 2)
    return _random_slopes(input, _slopes_below_zero(input, float(lower), float(upper), generator))


# -- exponential units ------------------------------------------------------------------------------------------------


def _elu_back(grad: Any, input: Any, alpha: Any, scale: Any, input_scale: Any) -> Any:
    below = grad * (functions["exp"](input * input_scale) * (alpha * scale * input_scale))
    return choose(input <= 0, below, grad * scale if scale != 1 else grad)


@operator({"input": _elu_back}, layout=POINTWISE, function=False, method=False, node_in_place="EluBackward1")
def elu(input: Tensor, alpha: Number = 1.0, scale: Number = 1.0, input_scale: Number = 1.0) -> Value:
    """``input`` above zero, alpha·(e^input - 1) below (Clevert, Unterthiner & Hochreiter 2015)."""
    x = _floating("elu_cpu", input)
    return to(_elu(x, *(as_array(each, x.dtype) for each in (alpha, scale, input_scale))), input.dtype)


def _elu(x: Value, alpha: Any, scale: Any, input_scale: Any) -> Value:
    return p.select(p.less_equal(x, 0.0), p.expm1(x * input_scale) * alpha, x) * scale


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@composite(method=False)
def selu(input: Any) -> Any:
    """The self-normalising unit: :func:`elu` with constants that keep mean 0 and variance 1 (Klambauer et al. 2017).

    >>> import flambeau as torch
    >>> torch.selu(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.0507])
    """
    return elu(input, SELU_ALPHA, SELU_SCALE)


def _celu_back(grad: Any, input: Any, alpha: Any) -> Any:
    return choose(input <= 0, grad * functions["exp"](input / alpha), grad)


def _check_alpha(input: Any, alpha: Any = 1.0) -> None:
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")


@operator(
    {"input": _celu_back}, layout=POINTWISE, method=False, check=_check_alpha, node_in_place="CeluBackward1"
)
def celu(input: Tensor, alpha: Number = 1.0) -> Value:
    """max(0, input) + min(0, alpha·(e^(input/alpha) - 1)) (Barron 2017).

    >>> import flambeau as torch
    >>> torch.celu(torch.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """
    x = _floating("elu_cpu", input)
    a = as_array(alpha, x.dtype)
    return to(p.select(p.less_equal(x, 0.0), p.expm1(x / a) * a, x), input.dtype)


# -- smooth units -----------------------------------------------------------------------------------------------------

ROOT_HALF, ROOT_2_OVER_PI, CUBIC = math.sqrt(0.5), math.sqrt(2.0 / math.pi), 0.044715


def _gelu_inner(x: Any) -> Any:
    return ROOT_2_OVER_PI * (x + CUBIC * (x * x * x))


def _gelu_slope(x: Value, approximate: str) -> Value:
    """The derivative of the Gaussian error linear unit."""
    if approximate == "none":
        density = p.exp(-0.5 * (x * x)) * (1.0 / math.sqrt(2.0 * math.pi))
        return 0.5 * (1.0 + s.erf(x * ROOT_HALF)) + x * density
    bend = p.tanh(_gelu_inner(x))
    return 0.5 * (1.0 + bend) + 0.5 * x * (1.0 - bend * bend) * (ROOT_2_OVER_PI * (1.0 + 3.0 * CUBIC * (x * x)))


def _gelu_curvature(grad: Any, grad_output: Any, input: Any, approximate: str) -> Any:
    x = input
    if approximate == "none":
        curvature = (2 - x * x) * functions["exp"](-0.5 * (x * x)) * (1.0 / math.sqrt(2.0 * math.pi))
    else:
        bend = functions["tanh"](_gelu_inner(x))
        slope = ROOT_2_OVER_PI * (1 + 3 * CUBIC * (x * x))
        bent = 1 - bend * bend
        curvature = bent * (slope + x * (3 * CUBIC * ROOT_2_OVER_PI * x) - x * bend * slope * slope)
    return grad * grad_output * curvature


@operator(
    {
        "grad_output": lambda grad, input, approximate: gelu_backward(grad, input, approximate),
        "input": _gelu_curvature,
    },
    layout=POINTWISE, function=False, method=False,
)  # fmt: skip
def gelu_backward(grad_output: Tensor, input: Tensor, approximate: str = "none") -> Value:
    """``grad_output`` times the derivative of :func:`gelu`."""
    return to(widened(grad_output) * _gelu_slope(widened(input), approximate), grad_output.dtype)


@operator(
    {"input": lambda grad, input, approximate: gelu_backward(grad, input, approximate)},
    layout=POINTWISE, function=False, method=False,
)  # fmt: skip
def gelu(input: Tensor, *, approximate: str = "none") -> Value:
    """input·Φ(input), Φ the normal distribution; "tanh" approximates it (Hendrycks & Gimpel 2016)."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    x = _floating("GeluKernelImpl", input)
    bend = s.erf(x * ROOT_HALF) if approximate == "none" else p.tanh(_gelu_inner(x))
    return to(0.5 * x * (1.0 + bend), input.dtype)


def _silu_curvature(grad: Any, grad_output: Any, input: Any) -> Any:
    s = functions["sigmoid"](input)
    slope = s * (1 - s)
    curvature = slope * (2 + input * (1 - 2 * s))
    return (grad.conj() * grad_output) * curvature.conj()


@operator(
    {"grad_output": lambda grad, input: silu_backward(grad, input.conj()), "input": _silu_curvature},
    layout=POINTWISE, function=False, method=False,
)  # fmt: skip
def silu_backward(grad_output: Tensor, input: Tensor) -> Value:
    """``grad_output`` times the (conjugate) derivative of :func:`silu`."""
    x = widened(input)
    gate = logistic(x)
    slope = gate * (1.0 + x * (1.0 - gate))
    slope = p.conjugate(slope) if slope.category == COMPLEX else slope
    return to(widened(grad_output) * slope, grad_output.dtype)


@operator(
    {"input": lambda grad, input: silu_backward(grad, input)}, layout=POINTWISE, function=False, method=False
)
def silu(input: Tensor) -> Value:
    """input·σ(input) (Elfwing, Uchibe & Doya 2017)."""
    x = _floating("silu_cpu", input, complex=True)
    return to(x / (1.0 + p.exp(-x)), input.dtype)


def _mish_back(grad: Any, input: Any) -> Any:
    bend, s = functions["tanh"](softplus(input)), functions["sigmoid"](input)
    return grad * (bend + input * s * (1 - bend * bend))


@operator({"input": _mish_back}, layout=POINTWISE, function=False, method=False)
def mish(input: Tensor) -> Value:
    """input·tanh(log(1 + e^input)) (Misra 2019)."""
    x = _floating("mish_cpu", input)
    return to(x * p.tanh(_softplus(x)), input.dtype)


def _softplus(x: Value) -> Value:
    return p.maximum(x, as_array(0.0, x.dtype)) + p.log1p(p.exp(-p.absolute(x)))


def _softplus_back(grad: Any, input: Any, beta: Any, threshold: Any) -> Any:
    scaled = input if beta == 1 else input * beta
    return choose(scaled > threshold, grad, grad * functions["sigmoid"](scaled))


@operator({"input": _softplus_back}, layout=POINTWISE, function=False, method=False)
def softplus(input: Tensor, beta: Number = 1.0, threshold: Number = 20.0) -> Value:
    """log(1 + e^(beta·input))/beta; the input itself where beta·input > threshold (Dugas et al. 2001)."""
    x = _floating("softplus_cpu", input)
    b = as_array(beta, x.dtype)
    scaled = x * b
    return to(p.select(p.greater(scaled, as_array(threshold, x.dtype)), x, p.log1p(p.exp(scaled)) / b), input.dtype)


@composite(function=False, method=False)
def softsign(input: Any) -> Any:
    """input/(1 + |input|)."""
    return input / (input.abs() + 1)


@composite(function=False, method=False)
def tanhshrink(input: Any) -> Any:
    """input - tanh(input)."""
    return input - input.tanh()


@operator(
    {"input": lambda grad, input: grad * functions["sigmoid"](-input)},
    layout=POINTWISE, function=False, method=False, name="log_sigmoid",
)  # fmt: skip
def logsigmoid(input: Tensor) -> Value:
    """log(1/(1 + e^-input)), without overflow."""
    x = _floating("log_sigmoid_cpu", input)
    return to(p.minimum(x, as_array(0.0, x.dtype)) - p.log1p(p.exp(-p.absolute(x))), input.dtype)


# -- piecewise linear units -------------------------------------------------------------------------------------------


def _relu6(x: Value) -> Value:
    return p.minimum(p.maximum(x, as_array(0.0, x.dtype)), as_array(6.0, x.dtype))


@operator(
    {"input": lambda grad, input: choose((input > -3) & (input < 3), grad / 6, 0)},
    layout=POINTWISE, function=False, method=False,
)  # fmt: skip
def hardsigmoid(input: Tensor) -> Value:
    """min(max(input + 3, 0), 6)/6 (Courbariaux, Bengio & David 2015)."""
    x = _floating("hardsigmoid_cpu", input)
    return to(_relu6(x + 3.0) / 6.0, input.dtype)


@operator(
    {"input": lambda grad, input: choose(input <= -3, 0, choose(input < 3, grad * (input / 3 + 0.5), grad))},
    layout=POINTWISE, function=False, method=False,
)  # fmt: skip
def hardswish(input: Tensor) -> Value:
    """input·hardsigmoid(input) (Howard et al. 2019)."""
    x = _floating("hardswish_cpu", input)
    return to(x * _relu6(x + 3.0) / 6.0, input.dtype)


def _shrunk_back(grad: Any, input: Any, lambd: Any) -> Any:
    return choose((input >= -lambd) & (input <= lambd), 0, grad)


@operator({"input": _shrunk_back}, layout=POINTWISE)
def hardshrink(input: Tensor, lambd: Number = 0.5) -> Value:
    """``input``, but zero between -lambd and lambd.

    >>> import flambeau as torch
    >>> torch.hardshrink(torch.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """
    x = _floating("hardshrink_cpu", input)
    edge = as_array(lambd, x.dtype)
    return to(p.select((x >= -edge) & (x <= edge), as_array(0.0, x.dtype), x), input.dtype)


def _check_lambda(input: Any, lambd: Any = 0.5) -> None:
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")


@operator({"input": _shrunk_back}, layout=POINTWISE, function=False, method=False, check=_check_lambda)
def softshrink(input: Tensor, lambd: Number = 0.5) -> Value:
    """``input`` moved by ``lambd`` towards zero, and zero where it is nearer than that."""
    x = _floating("softshrink_cpu", input)
    edge = as_array(lambd, x.dtype)
    return to(p.select(x > edge, x - edge, p.select(x < -edge, x + edge, x * 0.0)), input.dtype)


# -- along a dimension ------------------------------------------------------------------------------------------------


def _halves(x: Value, axis: int) -> tuple[Value, Value]:
    size = x.shape[axis]
    halves = []
    for start in (0, size // 2):
        starts = tuple(start if k == axis else 0 for k in range(x.ndim))
        stops = tuple(start + size // 2 if k == axis else n for k, n in enumerate(x.shape))
        halves.append(memory.slice_(x, starts=starts, stops=stops, steps=(1,) * x.ndim))
    return halves[0], halves[1]


def _glu_back(grad: Any, input: Any, dim: int) -> Any:
    first, second = input.chunk(2, dim)
    gate = functions["sigmoid"](second)
    return functions["cat"]((grad * gate, grad * first * gate * (1 - gate)), dim)


def _glu_layout(result: Value, operands: Any) -> Any:
    return strides.pointwise(result.shape, [(result.shape, operands[0].strides)])


@operator({"input": _glu_back}, layout=_glu_layout, function=False, method=False)
def glu(input: Tensor, dim: int = -1) -> Value:
    """The first half along ``dim`` times the logistic function of the second (Dauphin et al. 2016)."""
    if not input.ndim:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    axis = strides.normalize_axis(dim, input.ndim)
    if input.shape[axis] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {input.shape[axis]}")
    first, second = _halves(_floating("glu_cpu", input), axis)
    return to(first * logistic(second), input.dtype)


def _axis(x: Value, dim: int) -> int:
    return strides.normalize_axis(dim, max(x.ndim, 1))


def _summed(x: Value, axis: int) -> Value:
    """The sum along ``axis``, kept as a dimension of one."""
    shape = tuple(1 if k == axis else size for k, size in enumerate(x.shape))
    return memory.reshape(r.reduce_sum(x, axes=(axis,) if x.ndim else (), dtype=x.dtype), shape=shape)


def _without_greatest(x: Value, axis: int) -> Value:
    if not x.ndim:
        return x - x
    if not x.numel:
        return x
    shape = tuple(1 if k == axis else size for k, size in enumerate(x.shape))
    return x - memory.reshape(r.reduce_max(x, axes=(axis,)), shape=shape)


def _softmax_back_output(grad: Any, grad_output: Any, output: Any, dim: int) -> Any:
    total = functions["sum"](grad_output * output, dim, keepdim=True)
    mixed = functions["sum"](grad * output, dim, keepdim=True)
    return grad * (grad_output - total) - grad_output * mixed


@operator(
    {"grad_output": lambda grad, output, dim, input_dtype: softmax_backward(grad, output, dim, input_dtype),
     "output": _softmax_back_output},
    method=False, function=False, name="_softmax_backward_data", node="SoftmaxBackwardDataBackward0",
)  # fmt: skip
def softmax_backward(grad_output: Tensor, output: Tensor, dim: int, input_dtype: dtype) -> Value:
    """The gradient of :func:`softmax`: output·(grad - Σ grad·output) along ``dim``."""
    axis = _axis(output, dim)
    grad, y = widened(grad_output), widened(output)
    return to(y * (grad - _summed(grad * y, axis)), input_dtype)


functions["_softmax_backward_data"] = softmax_backward


@operator(
    {"input": lambda grad, result, dim, input_spec: softmax_backward(grad, result, dim, input_spec.dtype)},
    method=False, function=False, name="softmax",
)  # fmt: skip
def _softmax(input: Tensor, dim: int) -> Value:
    axis = _axis(input, dim)
    x = _floating("softmax_lastdim_kernel_impl" if axis == input.ndim - 1 else "softmax_kernel_impl", input)
    powers = p.exp(_without_greatest(x, axis))
    return to(powers / _summed(powers, axis), input.dtype)


def _as_kind(input: Any, dtype: Any) -> Any:
    return input if dtype is None else input.to(dtype)


@composite()
def softmax(input: Any, dim: int, dtype: dtype | None = None) -> Any:
    """e^input/Σ e^input along ``dim``, without overflow.

    >>> import flambeau as torch
    >>> torch.softmax(torch.tensor([0.0, 0.0]), 0)
    tensor([0.5000, 0.5000])
    """
    return _softmax(_as_kind(input, dtype), dim)


def _log_softmax_back_output(grad: Any, grad_output: Any, output: Any, dim: int) -> Any:
    return -(grad * functions["exp"](output)) * functions["sum"](grad_output, dim, keepdim=True)


def _log_softmax_back_grad(grad: Any, output: Any, dim: int) -> Any:
    return grad - functions["sum"](grad * functions["exp"](output), dim, keepdim=True)


@operator(
    {"grad_output": _log_softmax_back_grad, "output": _log_softmax_back_output},
    method=False, function=False, name="_log_softmax_backward_data", node="LogSoftmaxBackwardDataBackward0",
)  # fmt: skip
def log_softmax_backward(grad_output: Tensor, output: Tensor, dim: int, input_dtype: dtype) -> Value:
    """The gradient of :func:`log_softmax`: grad - e^output·Σ grad along ``dim``."""
    axis = _axis(output, dim)
    grad, y = widened(grad_output), widened(output)
    return to(grad - p.exp(y) * _summed(grad, axis), input_dtype)


functions["_log_softmax_backward_data"] = log_softmax_backward


@operator(
    {"input": lambda grad, result, dim, input_spec: log_softmax_backward(grad, result, dim, input_spec.dtype)},
    method=False, function=False, name="log_softmax",
)  # fmt: skip
def _log_softmax(input: Tensor, dim: int) -> Value:
    axis = _axis(input, dim)
    x = _floating("log_softmax_lastdim_kernel_impl" if axis == input.ndim - 1 else "softmax_kernel_impl", input)
    lower = _without_greatest(x, axis)
    return to(lower - p.log(_summed(p.exp(lower), axis)), input.dtype)


@composite()
def log_softmax(input: Any, dim: int, dtype: dtype | None = None) -> Any:
    """log(softmax(input)) along ``dim``, without overflow.

    >>> import flambeau as torch
    >>> torch.log_softmax(torch.tensor([0.0, 0.0]), 0)
    tensor([-0.6931, -0.6931])
    """
    return _log_softmax(_as_kind(input, dtype), dim)


@composite(function=False, method=False)
def softmin(input: Any, dim: int, dtype: dtype | None = None) -> Any:
    """softmax(-input)."""
    return softmax(-input, dim, dtype)


# -- in place ---------------------------------------------------------------------------------------------------------

hardtanh_ = in_place_form(hardtanh)
leaky_relu_ = in_place_form(leaky_relu)
elu_ = in_place_form(elu)
silu_ = in_place_form(silu)
mish_ = in_place_form(mish)
hardswish_ = in_place_form(hardswish)
hardsigmoid_ = in_place_form(hardsigmoid)
threshold_ = in_place_form(threshold)
celu_ = in_place_form(celu)


def relu6_(input: Any) -> Any:
    """:func:`relu6` in place."""
    return hardtanh_(input, 0.0, 6.0)


def selu_(input: Any) -> Any:
    """:func:`selu` in place."""
    return elu_(input, SELU_ALPHA, SELU_SCALE)


_random_slopes_, _mean_slope_ = in_place_form(_random_slopes), in_place_form(_mean_slope)


def rrelu_(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, generator: Any = None
) -> Any:
    """:func:`rrelu` in place."""
    _check_bounds(lower, upper)
    if not training:
        return _mean_slope_(input, (float(lower) + float(upper)) / 2)
    return _random_slopes_(input, _slopes_below_zero(input, float(lower), float(upper), generator))


functions.update(relu_=methods["relu_"], threshold_=threshold_, celu_=celu_, selu_=selu_, rrelu_=rrelu_)

