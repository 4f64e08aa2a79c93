"""Attention as ``nn.functional`` offers it; the operator is in ``operators/attention.py``."""

from __future__ import annotations

import warnings
from math import sqrt
from typing import Any

from ..core.dtypes import bool_
from ..operators.attention import scaled_dot_product_attention as scaled_dot_product_attention
from ..operators.contraction import linear
from ..operators.declaration import functions
from ..operators.dropout import dropout

__all__ = ["canonical_mask", "multi_head_attention_forward", "scaled_dot_product_attention"]


def canonical_mask(mask: Any, name: str, other: Any, other_name: str, dtype: Any, check_other: bool = True) -> Any:
    """A mask as numbers to add to scores: -inf where a boolean one says not to look."""
    if mask is None:
        return None
    if mask.dtype is not bool_ and not mask.dtype.is_floating_point:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if check_other and other is not None and mask.dtype is not other.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=4,
        )
    if mask.dtype is bool_:
        return functions["zeros"](mask.shape, dtype=dtype, device=mask.device).masked_fill(mask, float("-inf"))
    return mask


def _check_shapes(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> bool:
    """Whether the input is batched.

    Raises:
        AssertionError: ranks or shapes that do not fit together.
    """
    rank = query.dim()
    if rank not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor")
    form = "batched (3-D)" if rank == 3 else "unbatched (2-D)"
    if key.dim() != rank or value.dim() != rank:
        raise AssertionError(
            f"For {form} `query`, expected `key` and `value` to be {rank}-D but found {key.dim()}-D and "
            f"{value.dim()}-D tensors respectively"
        )
    if padding is not None and padding.dim() != rank - 1:
        raise AssertionError(
            f"For {form} `query`, expected `key_padding_mask` to be `None` or {rank - 1}-D but found {padding.dim()}-D "
            "tensor instead"
        )
    if mask is not None:
        if mask.dim() not in (2, 3):
            raise AssertionError(
                f"For {form} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor "
                "instead"
            )
        if rank == 2 and mask.dim() == 3:
            expected = (heads, query.shape[0], key.shape[0])
            if tuple(mask.shape) != expected:
                raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {tuple(mask.shape)}")
    return rank == 3


def _project(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> Any:
    """Query, key and value through the thirds of one weight; as one product where they are the same tensor."""
    size = query.shape[-1]
    if query is key and key is value:
        return linear(query, weight, bias).chunk(3, -1)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    if key is value:
        q = linear(query, weight[:size], biases[0])
        k, v = linear(key, weight[size:], None if bias is None else bias[size:]).chunk(2, -1)
        return q, k, v
    return tuple(linear(x, w, b) for x, w, b in zip((query, key, value), weight.chunk(3), biases))


def _with_zeros(mask: Any) -> Any:
    """A mask that lets one more key, the last, be seen."""
    return None if mask is None else functions["cat"]((mask, mask.new_zeros((*mask.shape[:-1], 1))), -1)


def _checked_mask(mask: Any, batch: int, heads: int, targets: int, sources: int) -> Any:
    if mask is None:
        return None
    expected = (targets, sources) if mask.dim() == 2 else (batch * heads, targets, sources)
    if tuple(mask.shape) != expected:
        rank = f"{mask.dim()}D"
        raise RuntimeError(f"The shape of the {rank} attn_mask is {mask.shape}, but should be {expected}.")
    return mask.unsqueeze(0) if mask.dim() == 2 else mask


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:
    """Attention with several heads, each on its own projection of query, key and value (Vaswani et al., 2017).

    Args:
        query, key, value: (L, N, E), (S, N, E), (S, N, E), or the same without N.
        bias_k, bias_v: one more key and value for everyone; ``add_zero_attn``: and one of zeros.
        key_padding_mask: (N, S), true (or -inf) at keys nobody may look at.
        attn_mask: (L, S) or (N·heads, L, S), true (or -inf) where not to look, or numbers to add to the scores.

    Returns:
        the output (L, N, E), and with ``need_weights`` the weights (N, L, S), or (N, heads, L, S) when not averaged.
    """
    cat = functions["cat"]
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_key, same_value = key is query, value is key
        query = query.unsqueeze(1)
        key = query if same_key else key.unsqueeze(1)
        value = key if same_value else value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    targets, batch, size = query.shape
    sources = key.shape[0]
    padding = canonical_mask(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", query.dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    if is_causal and padding is None and not need_weights:
        attn_mask = None  # the hint says all that the mask does
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
        is_causal = False  # the mask says it
    if size != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {size}")
    head = size // num_heads
    if head * num_heads != size:
        raise AssertionError(f"embed_dim {size} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
    elif key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")
    if use_separate_proj_weight:
        for name, weight in (("q", q_proj_weight), ("k", k_proj_weight), ("v", v_proj_weight)):
            if weight is None:
                raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
        q = linear(query, q_proj_weight, biases[0])
        k = linear(key, k_proj_weight, biases[1])
        v = linear(value, v_proj_weight, biases[2])
    else:
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _project(query, key, value, in_proj_weight, in_proj_bias)
    attn_mask = _checked_mask(attn_mask, batch, num_heads, targets, sources)
    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v must be given together")
    if bias_k is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k = cat((k, bias_k.expand(1, batch, size)))
        v = cat((v, bias_v.expand(1, batch, size)))
        attn_mask, padding = _with_zeros(attn_mask), _with_zeros(padding)
    q = q.reshape(targets, batch * num_heads, head).transpose(0, 1)
    k = _heads(k, "static_k", static_k, batch, num_heads, head)
    v = _heads(v, "static_v", static_v, batch, num_heads, head)
    if add_zero_attn:
        zeros = k.new_zeros((batch * num_heads, 1, head))
        k, v = cat((k, zeros), 1), cat((v, zeros), 1)
        attn_mask, padding = _with_zeros(attn_mask), _with_zeros(padding)
    sources = k.shape[1]
    if padding is not None:
        if tuple(padding.shape) != (batch, sources):
            raise AssertionError(
                f"expecting key_padding_mask shape of {(batch, sources)}, but got {tuple(padding.shape)}"
            )
        padding = padding.reshape(batch, 1, 1, sources).expand(-1, num_heads, -1, -1)
        padding = padding.reshape(batch * num_heads, 1, sources)
        attn_mask = padding if attn_mask is None else attn_mask + padding
    dropped = dropout_p if training else 0.0
    if need_weights:
        scores = functions["bmm"](q * sqrt(1.0 / head), k.transpose(1, 2))
        weights = functions["softmax"](scores if attn_mask is None else scores + attn_mask, -1)
        if dropped > 0.0:
            weights = dropout(weights, dropped, True)
        output = functions["bmm"](weights, v).transpose(0, 1)
    else:
        q, k, v = (each.reshape(batch, num_heads, -1, head) for each in (q, k, v))
        if attn_mask is not None:
            attn_mask = (
                attn_mask.unsqueeze(0)
                if attn_mask.shape[0] == 1
                else attn_mask.reshape(batch, num_heads, attn_mask.shape[1], sources)
            )
        output = scaled_dot_product_attention(q, k, v, attn_mask, dropped, is_causal).permute(2, 0, 1, 3)
        weights = None
    output = linear(output.reshape(targets * batch, size), out_proj_weight, out_proj_bias)
    output = output.reshape(targets, batch, out_proj_weight.shape[0])
    if weights is not None:
        weights = weights.reshape(batch, num_heads, targets, sources)
        if average_attn_weights:
            weights = weights.mean(1)
    if not batched:
        output = output.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return output, weights


def _heads(x: Any, name: str, static: Any, batch: int, heads: int, head: int) -> Any:
    """(S, N, E) as (N·heads, S, E/heads), or what is given in its place."""
    if static is None:
        return x.reshape(x.shape[0], batch * heads, head).transpose(0, 1)
    if static.shape[0] != batch * heads:
        raise AssertionError(f"expecting {name}.size(0) of {batch * heads}, but got {static.shape[0]}")
    if static.shape[2] != head:
        raise AssertionError(f"expecting {name}.size(2) of {head}, but got {static.shape[2]}")
    return static
