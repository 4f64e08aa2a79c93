"""Folding a batch normalization in evaluation mode into the layer before it.

A batch normalization y = (x − mean) · γ / √(var + ε) + β of a layer's output x = W·input + b is itself such a layer,
with W' = W·s and b' = (b − mean)·s + β, where s = γ / √(var + ε) scales each output channel.
"""

from __future__ import annotations

import copy
from typing import Any

from ... import operators
from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _fold(
    weight: Any, bias: Any, mean: Any, variance: Any, epsilon: float, scale: Any, shift: Any, channel_dim: int
) -> tuple[Parameter, Parameter]:
    weight_dtype, bias_dtype = weight.dtype, weight.dtype if bias is None else bias.dtype
    bias = operators.zeros_like(mean) if bias is None else bias
    scale = operators.ones_like(mean) if scale is None else scale
    shift = operators.zeros_like(mean) if shift is None else shift
    factor = scale * operators.rsqrt(variance + epsilon)
    along_channels = [1] * weight.dim()
    along_channels[channel_dim] = -1
    folded_weight = (weight * factor.reshape(along_channels)).to(dtype=weight_dtype)
    folded_bias = ((bias - mean) * factor + shift).to(dtype=bias_dtype)
    return Parameter(folded_weight, weight.requires_grad), Parameter(folded_bias, bias.requires_grad)


def fuse_conv_bn_weights(
    conv_w: Any,
    conv_b: Any,
    bn_rm: Any,
    bn_rv: Any,
    bn_eps: float,
    bn_w: Any,
    bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a convolution that normalizes as well. ``transpose``: of a transposed one."""
    return _fold(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 1 if transpose else 0)


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a linear layer that normalizes as well."""
    return _fold(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _in_evaluation(layer: Any, bn: Any) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("Expected bn running_mean and running_var to not be None")
    return copy.deepcopy(layer)


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of ``conv`` that does what ``bn(conv(x))`` does; both must be in evaluation mode."""
    fused = _in_evaluation(conv, bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of ``linear`` that does what ``bn(linear(x))`` does; both must be in evaluation mode."""
    fused = _in_evaluation(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused
