"""Dropout: elements or whole channels set to zero at random, the others scaled so that the expectation stays.

Hinton et al., "Improving neural networks by preventing co-adaptation of feature detectors" (2012); for the forms that
keep mean and variance, Klambauer et al., "Self-normalizing neural networks" (2017).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from ..core.dtypes import bool_
from ..primitives.values import Value
from .declaration import POINTWISE, composite, functions, operator
from .kinds import Number, Tensor
from .promotion import to

#: What saturated scaled exponential units tend to: -scale·alpha.
_SATURATED = 1.7580993408473766


def _noise(input: Any, p: float, whole_channels: bool) -> Any:
    """One for what is kept, zero for what is dropped."""
    if not whole_channels:
        return functions["empty_like"](input).bernoulli_(1 - p)
    if input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = (*input._spec.shape[:2], *[1] * (input.dim() - 2))
    return functions["empty"](shape, dtype=input._spec.dtype, device=input._spec.device).bernoulli_(1 - p)


def _dropped(input: Any, p: float, train: bool, in_place: bool, whole_channels: bool, keep_variance: bool) -> Any:
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if p == 0 or not train or not input._spec.numel:
        return input
    if p == 1:
        zeros = functions["zeros"]((), dtype=input._spec.dtype)
        return input.mul_(zeros) if in_place else input * zeros
    noise = _noise(input, p, whole_channels)
    if not keep_variance:
        noise.div_(1 - p)
        return input.mul_(noise) if in_place else input * noise
    scale = 1 / sqrt((_SATURATED * _SATURATED * p + 1) * (1 - p))
    shift = (noise - 1).mul_(_SATURATED * scale).add_(_SATURATED * scale * p)
    noise.mul_(scale)
    return input.mul_(noise).add_(shift) if in_place else input * noise + shift


@composite(method=False)
def dropout(input: Any, p: float, train: bool) -> Any:
    """Zero with probability ``p``, else input/(1 - p); the input itself unless ``train``.

    >>> import flambeau as torch
    >>> torch.dropout(torch.ones(2), 0.5, False)
    tensor([1., 1.])
    """
    return _dropped(input, p, train, False, False, False)


@composite(method=False)
def feature_dropout(input: Any, p: float, train: bool) -> Any:
    """:func:`dropout` of whole channels of (N, C, *)."""
    return _dropped(input, p, train, False, True, False)


@composite(method=False)
def alpha_dropout(input: Any, p: float, train: bool) -> Any:
    """Dropout to the value at which SELU saturates, then an affine map that restores mean and variance."""
    return _dropped(input, p, train, False, False, True)


@composite(method=False)
def feature_alpha_dropout(input: Any, p: float, train: bool) -> Any:
    """:func:`alpha_dropout` of whole channels of (N, C, *)."""
    return _dropped(input, p, train, False, True, True)


@operator(
    {"input": lambda grad, mask, scale: grad * mask * scale},
    name="native_dropout", function=False, method=False, layout=POINTWISE,
)  # fmt: skip
def _masked(input: Tensor, mask: Tensor, scale: Number) -> Value:
    return input * to(mask, input.dtype) * scale


@composite(method=False)
def native_dropout(input: Any, p: float, train: bool | None) -> tuple[Any, Any]:
    """:func:`dropout`, and the mask of what was kept."""
    if train is False or p == 0 or not input._spec.numel:
        return input.clone(), functions["ones_like"](input, dtype=bool_)
    mask = _noise(input, p, False).bool()
    return _masked(input, mask, 0.0 if p == 1 else 1 / (1 - p)), mask


def _in_place(whole_channels: bool, keep_variance: bool) -> Any:
    def call(input: Any, p: float, train: bool) -> Any:
        return _dropped(input, p, train, True, whole_channels, keep_variance)

    what = "whole channels" if whole_channels else "elements"
    call.__doc__ = f"When training, drop {what} of ``input`` itself with probability ``p``" + (
        ", keeping mean and variance." if keep_variance else ", and scale the rest by 1/(1 - p)."
    )
    return call


for _name, _arguments in (
    ("dropout_", (False, False)), ("feature_dropout_", (True, False)), ("alpha_dropout_", (False, True)),
    ("feature_alpha_dropout_", (True, True)),
):  # fmt: skip
    functions[_name] = _in_place(*_arguments)
