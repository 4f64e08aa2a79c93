"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import operators
from ...tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def _same_device(parameter: Any, device: Any) -> Any:
    if device is not None and parameter.device != device:
        raise TypeError("Found two parameters on different devices, this is currently not supported.")
    return parameter.device


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """The parameters, flattened and joined.

    >>> import flambeau as torch
    >>> torch.nn.utils.parameters_to_vector(torch.nn.Linear(2, 3).parameters()).shape
    torch.Size([9])
    """
    device = None
    pieces = []
    for parameter in parameters:
        device = _same_device(parameter, device)
        pieces.append(parameter.reshape(-1))
    return operators.cat(pieces)


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Let each parameter be its piece of ``vec``.

    Raises:
        TypeError: ``vec`` is not a tensor.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    device = None
    start = 0
    for parameter in parameters:
        device = _same_device(parameter, device)
        count = parameter.numel()
        parameter.data = vec[start : start + count].view_as(parameter).data
        start += count
