"""Activations as ``nn.functional`` offers them: those of ``operators/activation.py``, with ``inplace``."""

from __future__ import annotations

import warnings
from typing import Any

from ..operators import activation as a
from ..operators.activation import (
    celu_ as celu_,
    elu_ as elu_,
    hardtanh_ as hardtanh_,
    leaky_relu_ as leaky_relu_,
    logsigmoid as logsigmoid,
    prelu as prelu,
    rrelu_ as rrelu_,
    selu_ as selu_,
    softplus as softplus,
    softshrink as softshrink,
    softsign as softsign,
    tanhshrink as tanhshrink,
    threshold_ as threshold_,
)
from ..operators.declaration import functions, methods as methods

gelu, hardshrink = a.gelu, a.hardshrink
relu_ = methods["relu_"]
sigmoid, tanh = functions["sigmoid"], functions["tanh"]


def relu(input: Any, inplace: bool = False) -> Any:
    """max(0, input).

    >>> import flambeau as torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return relu_(input) if inplace else a.relu(input)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """input where it is greater than ``threshold``, else ``value``."""
    return threshold_(input, threshold, value) if inplace else a.threshold(input, threshold, value)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """input cut off at ``min_val`` and ``max_val``."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return hardtanh_(input, min_val, max_val) if inplace else a.hardtanh(input, min_val, max_val)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(0, input), 6)."""
    return a.relu6_(input) if inplace else a.relu6(input)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """max(0, x) + min(0, alpha·(exp x - 1))."""
    return elu_(input, alpha) if inplace else a.elu(input, alpha)


def selu(input: Any, inplace: bool = False) -> Any:
    """The scaled exponential linear unit of Klambauer et al., 2017."""
    return selu_(input) if inplace else a.selu(input)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """max(0, x) + min(0, alpha·(exp(x/alpha) - 1))."""
    return celu_(input, alpha) if inplace else a.celu(input, alpha)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where it is positive, else negative_slope·x."""
    return leaky_relu_(input, negative_slope) if inplace else a.leaky_relu(input, negative_slope)


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """A leaky ReLU whose slope is drawn from [lower, upper] for each element while training."""
    return (rrelu_ if inplace else a.rrelu)(input, lower, upper, training)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half of ``dim`` times the sigmoid of the second."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    return a.glu(input, dim)


def silu(input: Any, inplace: bool = False) -> Any:
    """x·sigmoid(x)."""
    return a.silu_(input) if inplace else a.silu(input)


def mish(input: Any, inplace: bool = False) -> Any:
    """x·tanh(softplus(x))."""
    return a.mish_(input) if inplace else a.mish(input)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x·relu6(x + 3)/6."""
    return a.hardswish_(input) if inplace else a.hardswish(input)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """relu6(x + 3)/6."""
    return a.hardsigmoid_(input) if inplace else a.hardsigmoid(input)


def _dim(name: str, dim: int | None, rank: int, stacklevel: int) -> int:
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel + 1,
    )
    return 0 if rank in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """exp(x)/Σ exp(x) along ``dim``.

    >>> import flambeau as torch
    >>> torch.nn.functional.softmax(torch.zeros(4), dim=0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    return a.softmax(input, _dim("softmax", dim, input.dim(), _stacklevel), dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """softmax(-input)."""
    return a.softmin(input, _dim("softmin", dim, input.dim(), _stacklevel), dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """log(softmax(input)), computed without overflow."""
    return a.log_softmax(input, _dim("log_softmax", dim, input.dim(), _stacklevel), dtype)


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A sample from the Gumbel-softmax distribution; with ``hard``, one-hot forward and soft backward.

    Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax", 2017.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = -functions["empty_like"](logits).exponential_().log()
    soft = a.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    return functions["zeros_like"](logits).scatter_(dim, index, 1.0) - soft.detach() + soft
