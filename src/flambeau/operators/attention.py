"""Scaled dot-product attention, with the gradient written out.

Vaswani et al., "Attention is all you need" (2017).
"""

from __future__ import annotations

from math import prod, sqrt
from typing import Any

from ..autograd.decomposition import second_derivative
from ..core import strides as _strides
from ..core.dtypes import FLOATING, bool_, int64
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import contraction as c, elementwise as p, memory, reductions as r
from ..primitives.values import Value
from .declaration import composite, functions, operator
from .dropout import dropout
from .kinds import Number, Tensor
from .promotion import to, widened

_NEVER = float("-inf")


def _transposed(x: Value) -> Value:
    axes = tuple(range(x.ndim))
    return memory.transpose(x, axes=(*axes[:-2], axes[-1], axes[-2]))


def _over_keys(reduced: Value, like: Value) -> Value:
    return memory.reshape(reduced, shape=(*like.shape[:-1], 1))


def _summed_to(x: Value, shape: tuple[int, ...]) -> Value:
    """``x`` summed over the dimensions along which an operand of this shape was repeated."""
    lead = x.ndim - len(shape)
    axes = tuple(k for k, size in enumerate(x.shape) if k < lead or shape[k - lead] != size)
    return memory.reshape(r.reduce_sum(x, axes=axes, dtype=x.dtype), shape=shape) if axes else x


def _visible(shape: tuple[int, ...]) -> Value:
    """Whether a query (row) may look at a key (column) that comes no later."""
    last = shape[-2:]
    return memory.iota(shape=last, axis=1, dtype=int64) <= memory.iota(shape=last, axis=0, dtype=int64)


def _weights(q: Value, k: Value, mask: Value | None, is_causal: bool, scale: Any) -> Value:
    """softmax(q·kᵀ·scale + mask) over the keys; zero where nothing may be looked at."""
    scores = c.matrix_multiply(q * scale, _transposed(k))
    never = p.number(_NEVER, dtype=scores.dtype)
    if is_causal:
        scores = p.select(_visible(scores.shape), scores, never)
    if mask is not None:
        scores = p.select(mask, scores, never) if mask.dtype is bool_ else scores + mask
    if not scores.numel:
        return scores
    last = (scores.ndim - 1,)
    greatest = _over_keys(r.reduce_max(scores, axes=last), scores)
    if mask is not None:
        nothing = p.equal(greatest, never)
        greatest = p.select(nothing, p.number(0.0, dtype=scores.dtype), greatest)
    powers = p.exp(scores - greatest)
    total = _over_keys(r.reduce_sum(powers, axes=last, dtype=powers.dtype), powers)
    if mask is not None:
        total = p.select(nothing, p.number(1.0, dtype=scores.dtype), total)
    return powers / total


def _textbook(query: Any, key: Any, value: Any, mask: Any, noise: Any, is_causal: bool, scale: Any) -> Any:
    scores = functions["matmul"](query * scale, key.transpose(-2, -1))
    if is_causal:
        rows, columns = scores.shape[-2:]
        scores = scores.masked_fill(~functions["ones"](rows, columns, dtype=bool_).tril(), _NEVER)
    if mask is not None:
        scores = scores.masked_fill(~mask, _NEVER) if mask._spec.dtype is bool_ else scores + mask
        nothing = (scores == _NEVER).all(-1, keepdim=True)
        weights = functions["softmax"](scores.masked_fill(nothing, 0.0), -1).masked_fill(nothing, 0.0)
    else:
        weights = functions["softmax"](scores, -1)
    if noise is not None:
        weights = weights * noise
    return functions["matmul"](weights, value)


def _back(
    grads: Any, query: Any, key: Any, value: Any, attn_mask: Any, noise: Any, is_causal: bool, scale: Any, result1: Any,
    needs: Any,
) -> Any:  # fmt: skip
    return _gradient(grads[0], query, key, value, attn_mask, noise, result1.detach(), is_causal, scale)[: len(needs)]


def _is_fused(query: Any, key: Any, value: Any, mask: Any, noise: Any) -> bool:
    q, k, v = query._spec, key._spec, value._spec
    return (
        q.ndim == k.ndim == v.ndim == 4
        and noise is None
        and q.shape[-1] == k.shape[-1] == v.shape[-1]
        and q.shape[:2] == k.shape[:2] == v.shape[:2]
        and not (mask is not None and (mask._tracked or mask._spec.ndim not in (2, 4)))
    )


def _layout(result: Value, operands: Any, values: Any) -> Any:
    """A fused kernel's result lies in memory as the query does."""
    first = operands[0]
    return _strides.like(first.shape, first.strides) if result.shape == first.shape and _is_fused(*values[:5]) else None


def _node(query: Any, key: Any, value: Any, mask: Any, noise: Any, *rest: Any) -> str:
    if _is_fused(query, key, value, mask, noise):
        return "ScaledDotProductFlashAttentionForCpuBackward0"
    return "MmBackward0" if query._spec.ndim == key._spec.ndim == value._spec.ndim == 2 else "UnsafeViewBackward0"


@operator(
    {"query key value attn_mask": _back}, name="scaled_dot_product_attention", function=False, method=False, node=_node,
    layout=_layout,
)  # fmt: skip
def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None,
    noise: Tensor | None,
    is_causal: bool,
    scale: Number,
) -> Any:
    """The attended values, and the weights (before dropout) that the gradient needs."""
    mask = attn_mask if attn_mask is None or attn_mask.dtype is bool_ else to(attn_mask, query.dtype.compute)
    weights = _weights(widened(query), widened(key), mask, is_causal, scale)
    kept = weights if noise is None else weights * widened(noise)
    return to(c.matrix_multiply(kept, widened(value)), query.dtype), weights


def _gradient_back(
    grads: Any, grad_output: Any, query: Any, key: Any, value: Any, attn_mask: Any, noise: Any, is_causal: bool,
    scale: Any, needs: Any,
) -> Any:  # fmt: skip
    biased = attn_mask is not None and attn_mask._spec.dtype is not bool_

    def textbook(query: Any, key: Any, value: Any, mask: Any) -> Any:
        return _textbook(query, key, value, mask, noise, is_causal, scale)

    weights = (*grads, *(() if biased else (None,)))
    arguments = (query, key, value, attn_mask)
    return second_derivative(textbook, arguments, (True, True, True, biased), (grad_output,), needs, weights)


@operator(
    {"grad_output query key value attn_mask": _gradient_back},
    name="scaled_dot_product_attention_backward", function=False, method=False,
)  # fmt: skip
def _gradient(
    grad_output: Tensor, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None, noise: Tensor | None,
    weights: Tensor, is_causal: bool, scale: Number,
) -> Any:  # fmt: skip
    """The gradients of query, key, value and, where it is a floating one, the mask."""
    grad, q, k, v = (widened(each) for each in (grad_output, query, key, value))
    dropped = None if noise is None else widened(noise)
    kept = weights if dropped is None else weights * dropped
    arriving = c.matrix_multiply(grad, _transposed(v))
    if dropped is not None:
        arriving = arriving * dropped
    mixed = _over_keys(r.reduce_sum(arriving * weights, axes=(weights.ndim - 1,), dtype=weights.dtype), weights)
    scores = weights * (arriving - mixed)
    scaled = scores * scale
    made = [
        _summed_to(c.matrix_multiply(scaled, k), query.shape),
        _summed_to(c.matrix_multiply(_transposed(scaled), q), key.shape),
        _summed_to(c.matrix_multiply(_transposed(kept), grad), value.shape),
    ]
    if attn_mask is not None and attn_mask.dtype is not bool_:
        made.append(_summed_to(scores, attn_mask.shape))
    return tuple(to(each, query.dtype) for each in made)


def _check(query: Spec, key: Spec, value: Spec, mask: Any) -> None:
    names = tuple(scalar_name(each.dtype).lower() for each in (query, key, value))
    if len(set(names)) > 1:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {names[0]} key.dtype: "
            f"{names[1]} and value.dtype: {names[2]} instead."
        )
    if query.dtype.category < FLOATING:
        raise RuntimeError(
            f"scaled_dot_product_attention: expected scalar type Float but found {scalar_name(query.dtype)}"
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if mask is not None:
        kind = mask._spec.dtype
        if kind is not bool_ and kind is not query.dtype and kind.name != "float32":
            raise RuntimeError(
                "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
                f"{scalar_name(kind).lower()} and  query.dtype: {names[0]} instead."
            )
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise RuntimeError(
            f"scaled_dot_product_attention: query {list(query.shape)}, key {list(key.shape)} and value "
            f"{list(value.shape)} do not fit: query and key must agree in their last size, key and value in the one "
            "before"
        )


@composite(method=False, function=False)
def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    *, scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """softmax(query·keyᵀ·scale + mask)·value, over any leading (batch and head) dimensions.

    Args:
        query, key, value: (…, L, E), (…, S, E), (…, S, V); the result is (…, L, V).
        attn_mask: broadcasts to (…, L, S). Boolean: where to look; floating: added to the scores.
        dropout_p: the probability with which a weight is dropped, whether training or not.
        is_causal: query i looks at keys 0 … i only.
        scale: 1/√E unless given.
        enable_gqa: each key and value head serves several query heads (grouped-query attention).

    Raises:
        RuntimeError: shapes or dtypes do not fit.

    >>> import flambeau as torch
    >>> q, k = torch.ones(1, 2, 4), torch.ones(1, 3, 4)
    >>> torch.nn.functional.scaled_dot_product_attention(q, k, k).shape
    torch.Size([1, 2, 4])
    """
    _check(query._spec, key._spec, value._spec, attn_mask)
    if enable_gqa:
        heads = query._spec.shape[-3]
        if heads % key._spec.shape[-3] or heads % value._spec.shape[-3]:
            raise RuntimeError("Number of heads in key and value must divide the number of heads in query")
        key = key.repeat_interleave(heads // key._spec.shape[-3], -3)
        value = value.repeat_interleave(heads // value._spec.shape[-3], -3)
    size = query._spec.shape[-1]
    factor = (1 / sqrt(size) if size else 0.0) if scale is None else float(scale)
    noise = None
    if dropout_p:
        lead = _strides.broadcast(query._spec.shape[:-2], key._spec.shape[:-2])
        shape = (*lead, query._spec.shape[-2], key._spec.shape[-2])
        if attn_mask is not None:
            shape = _strides.broadcast(shape, attn_mask._spec.shape)
        noise = dropout(functions["ones"](shape, dtype=query._spec.dtype), dropout_p, True) if prod(shape) else None
    return _attention(query, key, value, attn_mask, noise, is_causal, factor)[0]
