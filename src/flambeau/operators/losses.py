"""Losses that compare two tensors element by element, each one record with a derivative of its own.

With ``reduction`` "none" the result has the operands' (broadcast) shape; "sum" and "mean" reduce it to one number. Of
every loss there is also its gradient as an operator, linear in ``grad_output``, so that second derivatives exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.dtypes import FLOATING
from ..core.names import scalar_name
from ..primitives import elementwise as p, reductions as r
from ..primitives.checks import checked
from ..primitives.values import Value
from .declaration import operator
from .kinds import Number, Tensor
from .promotion import as_array, common_dtype, in_dtype, to, widened

REDUCTIONS = ("none", "mean", "sum")


def reduced(loss: Value, kind: Any, reduction: str) -> Value:
    """The loss of each element, their sum or their mean, in dtype ``kind``."""
    if reduction == "none":
        return to(loss, kind)
    total = r.reduce_sum(loss, axes=tuple(range(loss.ndim)), dtype=loss.dtype)
    return to(total / float(loss.numel) if reduction == "mean" else total, kind)


def share(grad: Value, count: int, reduction: str) -> Value:
    """What each of ``count`` elements gets of the gradient of the reduced loss."""
    return grad / float(count) if reduction == "mean" else grad


def floating_pair(name: str, input: Value, target: Value) -> tuple[Value, Value, Any]:
    """Both operands in the dtype to compute in, and the result's dtype.

    Raises:
        NotImplementedError: integers or booleans.
    """
    kind = common_dtype(input, target)
    if kind.category < FLOATING:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(kind)}'")
    x, t = in_dtype(kind.compute, input, target)
    return x, t, kind


def _sign(x: Value) -> Value:
    one = p.number(1, dtype=x.dtype)
    return p.select(x == 0, x * 0.0, p.copysign(one, x))


# -- losses of the difference input - target ---------------------------------------------------------------------------


def _difference_loss(
    name: str, loss: Callable[..., Value], slope: Callable[..., Value], curvature: Callable[..., Value], node: Any = None
) -> Any:
    """A loss that depends on d = input - target and a number: the operator."""
    kernel = name.replace("_loss", "_cpu")

    @operator(
        {
            "grad_output": lambda grad, input, target, reduction, scale: backward(grad, input, target, reduction, scale),
            "input": lambda grad, grad_output, input, target, reduction, scale: bend(
                grad * grad_output, input, target, reduction, scale
            ),
            "target": lambda grad, grad_output, input, target, reduction, scale: -bend(
                grad * grad_output, input, target, reduction, scale
            ),
        },
        function=False, method=False, name=name + "_backward",
    )  # fmt: skip
    def backward(grad_output: Tensor, input: Tensor, target: Tensor, reduction: str, scale: Number) -> Value:
        x, t, kind = floating_pair(kernel, input, target)
        (grad,) = in_dtype(x.dtype, grad_output)
        d = x - t
        return to(share(grad, d.numel, reduction) * slope(d, as_array(scale, d.dtype)), kind)

    @operator(
        {"grad_output": lambda grad, input, target, reduction, scale: bend(grad, input, target, reduction, scale)},
        function=False, method=False, name=name + "_backward_backward",
    )  # fmt: skip
    def bend(grad_output: Tensor, input: Tensor, target: Tensor, reduction: str, scale: Number) -> Value:
        x, t, kind = floating_pair(kernel, input, target)
        (grad,) = in_dtype(x.dtype, grad_output)
        d = x - t
        return to(share(grad, d.numel, reduction) * curvature(d, as_array(scale, d.dtype)), kind)

    @operator(
        {
            "input": lambda grad, input, target, reduction, scale: backward(grad, input, target, reduction, scale),
            "target": lambda grad, input, target, reduction, scale: -backward(grad, input, target, reduction, scale),
        },
        function=False, method=False, name=name, node=node,
    )  # fmt: skip
    def forward(input: Tensor, target: Tensor, reduction: str = "mean", scale: Number = 1.0) -> Value:
        x, t, kind = floating_pair(kernel, input, target)
        return reduced(loss(x - t, as_array(scale, x.dtype)), kind, reduction)

    return forward


mse_loss = _difference_loss(
    "mse_loss", lambda d, scale: d * d, lambda d, scale: d * 2.0, lambda d, scale: d * 0.0 + 2.0
)
_l1_loss = _difference_loss(
    "l1_loss", lambda d, scale: p.absolute(d), lambda d, scale: _sign(d), lambda d, scale: d * 0.0,
    node=lambda input, target, reduction, scale: {"none": "AbsBackward0", "mean": "MeanBackward0"}.get(reduction, "SumBackward0"),
)  # fmt: skip
smooth_l1_loss = _difference_loss(
    "smooth_l1_loss",
    lambda d, beta: p.select(p.absolute(d) < beta, d * d * 0.5 / beta, p.absolute(d) - beta * 0.5),
    lambda d, beta: p.select(p.absolute(d) < beta, d / beta, _sign(d)),
    lambda d, beta: p.select(p.absolute(d) < beta, d * 0.0 + 1.0 / beta, d * 0.0),
)
huber_loss = _difference_loss(
    "huber_loss",
    lambda d, delta: p.select(p.absolute(d) <= delta, d * d * 0.5, (p.absolute(d) - delta * 0.5) * delta),
    lambda d, delta: p.select(p.absolute(d) <= delta, d, _sign(d) * delta),
    lambda d, delta: p.select(p.absolute(d) <= delta, d * 0.0 + 1.0, d * 0.0),
)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|input - target|; integers and complex numbers too."""
    if input._spec.dtype.category == FLOATING == target._spec.dtype.category:
        return _l1_loss(input, target, reduction)
    distance = (input - target).abs()
    return distance if reduction == "none" else distance.mean() if reduction == "mean" else distance.sum()


# -- losses of probabilities -------------------------------------------------------------------------------------------


def _weighted(x: Value, weight: Value | None) -> Value:
    return x if weight is None else x * to(weight, x.dtype)


def _in_unit_interval(x: Value, name: str) -> Value:
    message = f"all elements of {name} should be between 0 and 1"
    return checked(x, (x >= 0.0) & (x <= 1.0), error="RuntimeError", message=message)


def _bounded_log(x: Value) -> Value:
    return p.maximum(p.log(x), -100.0)


def _surprise_curvature(grad: Any, grad_output: Any, input: Any, target: Any, weight: Any, reduction: str) -> Any:
    bend = (input * input - 2 * input * target + target) / ((input * (1 - input)) ** 2).clamp(min=1e-12)
    return _tensor_share(grad * grad_output, input, weight, reduction) * bend


def _tensor_share(grad: Any, input: Any, weight: Any, reduction: str) -> Any:
    grad = grad / input._spec.numel if reduction == "mean" else grad
    return grad if weight is None else grad * weight


@operator(
    {"grad_output": lambda grad, input, target, weight, reduction: binary_cross_entropy_backward(
        grad, input, target, weight, reduction),
     "input": _surprise_curvature,
     "target": lambda grad, grad_output, input, weight, reduction: -_tensor_share(
         grad * grad_output, input, weight, reduction) / (input * (1 - input)).clamp(min=1e-12)},
    function=False, method=False,
)  # fmt: skip
def binary_cross_entropy_backward(
    grad_output: Tensor, input: Tensor, target: Tensor, weight: Tensor | None, reduction: str
) -> Value:
    """grad·(x - t)/(x·(1 - x)): the gradient of :func:`binary_cross_entropy` with respect to its input."""
    x, t = widened(input), widened(target)
    grad = share(to(grad_output, x.dtype), x.numel, reduction)
    return to(_weighted(grad, weight) * (x - t) / p.maximum(x * (1.0 - x), 1e-12), input.dtype)


@operator(
    {"input": lambda grad, input, target, weight, reduction: binary_cross_entropy_backward(
        grad, input, target, weight, reduction),
     "target": lambda grad, input, weight, reduction: _tensor_share(grad, input, weight, reduction)
        * ((-input).log1p() - input.log())},
    function=False, method=False,
)  # fmt: skip
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Value:
    """-w·(t·log x + (1 - t)·log(1 - x)), logarithms not below -100."""
    if input.category < FLOATING:
        raise NotImplementedError(f"\"binary_cross_entropy\" not implemented for '{scalar_name(input.dtype)}'")
    for each in (target, weight):
        if each is not None and each.dtype is not input.dtype:
            raise RuntimeError(f"Found dtype {scalar_name(each.dtype)} but expected {scalar_name(input.dtype)}")
    x, t = _in_unit_interval(widened(input), "input"), _in_unit_interval(widened(target), "target")
    loss = (t - 1.0) * p.maximum(p.log1p(-x), -100.0) - t * _bounded_log(x)
    return reduced(_weighted(loss, weight), input.dtype, reduction)


def _logit_slope(x: Value, t: Value, pos_weight: Value | None) -> Value:
    positive = p.number(1, dtype=x.dtype) / (p.exp(-x) + 1.0)
    if pos_weight is None:
        return positive - t
    return (1.0 - t) + (t * (to(pos_weight, x.dtype) - 1.0) + 1.0) * (positive - 1.0)


def _logit_curvature(
    grad: Any, grad_output: Any, input: Any, target: Any, weight: Any, pos_weight: Any, reduction: str
) -> Any:
    chance = input.sigmoid()
    bend = chance * (1 - chance)
    if pos_weight is not None:
        bend = bend * (target * (pos_weight - 1) + 1)
    return _tensor_share(grad * grad_output, input, weight, reduction) * bend


def _logit_target(grad: Any, input: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    share_of_each = _tensor_share(grad, input, weight, reduction)
    if pos_weight is None:
        return -share_of_each * input
    softplus = (-input).clamp(min=0) + (-input.abs()).exp().log1p()
    return share_of_each * ((pos_weight - 1) * softplus - input)


def _logit_slope_target(grad: Any, grad_output: Any, input: Any, weight: Any, pos_weight: Any, reduction: str) -> Any:
    share_of_each = _tensor_share(grad * grad_output, input, weight, reduction)
    return -share_of_each if pos_weight is None else share_of_each * ((pos_weight - 1) * (input.sigmoid() - 1) - 1)


@operator(
    {"grad_output": lambda grad, input, target, weight, pos_weight, reduction: binary_cross_entropy_with_logits_backward(
        grad, input, target, weight, pos_weight, reduction),
     "input": _logit_curvature,
     "target": _logit_slope_target},
    function=False, method=False,
)  # fmt: skip
def binary_cross_entropy_with_logits_backward(
    grad_output: Tensor, input: Tensor, target: Tensor, weight: Tensor | None, pos_weight: Tensor | None, reduction: str
) -> Value:
    """grad·(sigmoid(x) - t): the gradient of :func:`binary_cross_entropy_with_logits` with respect to its input."""
    x = widened(input)
    grad = share(to(grad_output, x.dtype), x.numel, reduction)
    return to(_weighted(grad, weight) * _logit_slope(x, to(target, x.dtype), pos_weight), input.dtype)


@operator(
    {"input": lambda grad, input, target, weight, pos_weight, reduction: binary_cross_entropy_with_logits_backward(
        grad, input, target, weight, pos_weight, reduction),
     "target": _logit_target},
    function=False, method=False,
)  # fmt: skip
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: str = "mean"
) -> Value:
    """w·((1 - t)·x + (1 + (pos_weight - 1)·t)·log(1 + e^-x)), without overflow."""
    kind = common_dtype(input, target)
    if kind.category < FLOATING or target.category < FLOATING:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {scalar_name(target.dtype)}")
    x, t = in_dtype(kind.compute, input, target)
    softplus = p.maximum(-x, 0.0) + p.log1p(p.exp(-p.absolute(x)))
    if pos_weight is not None:
        softplus = softplus * (t * (to(pos_weight, x.dtype) - 1.0) + 1.0)
    return reduced(_weighted((1.0 - t) * x + softplus, weight), kind, reduction)


def _divergence_node(input: Any, target: Any, reduction: str, log_target: bool) -> str:
    one = "MulBackward0" if log_target else "SubBackward0"
    return {"none": one, "mean": "MeanBackward0", "sum": "SumBackward0"}[reduction]


def _divergence_target(grad: Any, input: Any, target: Any, reduction: str, log_target: bool) -> Any:
    grad = _tensor_share(grad, input, None, reduction)
    if log_target:
        return grad * target.exp() * (target - input + 1)
    return (grad * (target.log() + 1 - input)).masked_fill(target == 0, 0)


@operator(
    {"input": lambda grad, input_spec, target, reduction, log_target: -(
        grad / input_spec.numel if reduction == "mean" else grad) * (target.exp() if log_target else target),
     "target": _divergence_target},
    function=False, method=False, name="kl_div", node=_divergence_node,
)  # fmt: skip
def divergence(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Value:
    """t·(log t - x), zero where t is; with ``log_target``, e^t·(t - x)."""
    x, t, kind = floating_pair("kl_div", input, target)
    if log_target:
        return reduced(p.exp(t) * (t - x), kind, reduction)
    entropy = p.select(p.equal(t, 0.0), t * 0.0, t * p.log(t))
    return reduced(entropy - t * x, kind, reduction)


def _margin_curvature(grad: Any, grad_output: Any, input: Any, target: Any, reduction: str) -> Any:
    chance = (target * input).sigmoid()
    return _tensor_share(grad * grad_output, input, None, reduction) * target * target * chance * (1 - chance)


@operator(
    {"grad_output": lambda grad, input, target, reduction: soft_margin_loss_backward(grad, input, target, reduction),
     "input": _margin_curvature},
    function=False, method=False,
)  # fmt: skip
def soft_margin_loss_backward(grad_output: Tensor, input: Tensor, target: Tensor, reduction: str) -> Value:
    """-t·sigmoid(-t·x): the gradient of :func:`soft_margin_loss`."""
    x, t, kind = floating_pair("soft_margin_loss", input, target)
    z = t * x
    grad = share(to(grad_output, z.dtype), z.numel, reduction)
    return to(-grad * t / (p.exp(z) + 1.0), kind)


@operator(
    {"input": lambda grad, input, target, reduction: soft_margin_loss_backward(grad, input, target, reduction),
     "target": lambda grad, input, target, reduction: soft_margin_loss_backward(grad, target, input, reduction)},
    function=False, method=False,
)  # fmt: skip
def soft_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Value:
    """log(1 + e^(-t·x)), for targets of 1 and -1."""
    if input.category < FLOATING:
        raise RuntimeError(f"result type Float can't be cast to the desired output type {scalar_name(input.dtype)}")
    x, t, kind = floating_pair("soft_margin_loss", input, target)
    z = -(t * x)
    return reduced(p.maximum(z, 0.0) + p.log1p(p.exp(-p.absolute(z))), kind, reduction)
