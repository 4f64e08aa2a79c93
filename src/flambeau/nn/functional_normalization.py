"""Normalization as ``nn.functional`` offers it."""

from __future__ import annotations

from typing import Any

from ..operators.normalization import (
    batch_norm as _batch_norm,
    group_norm as _group_norm,
    instance_norm as instance_norm,
    layer_norm as _layer_norm,
    local_response_norm as local_response_norm,
    rms_norm as rms_norm,
)
from ..operators.norms import vector_norm


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-05,
) -> Any:  # fmt: skip
    """See :func:`flambeau.batch_norm`.

    Raises:
        ValueError: training with an ``eps`` that is not positive.
    """
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-05) -> Any:
    """See :func:`flambeau.layer_norm`."""
    return _layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-05) -> Any:
    """See :func:`flambeau.group_norm`."""
    return _group_norm(input, num_groups, weight, bias, eps)


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """input / max(‖input‖_p, eps) over ``dim``.

    >>> import flambeau as torch
    >>> torch.nn.functional.normalize(torch.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    norm = vector_norm(input, p, dim, True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else input.div(norm, out=out)
