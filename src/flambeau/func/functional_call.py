"""A module as a pure function of its parameters and buffers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..nn.utils.stateless import call_with
from ..tensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call ``module`` as if its parameters and buffers were those given, by path; gradients flow to those.

    ``args`` is a tuple of arguments, or the only one. ``tie_weights``: what is given for one name of a shared tensor is
    used under its other names too. ``strict``: every parameter and buffer must be given, and nothing else.

    Raises:
        ValueError: a name is given twice.
        RuntimeError: with ``strict``, names are missing or unexpected.

    >>> import flambeau as torch
    >>> torch.func.functional_call(torch.nn.Linear(2, 1, bias=False), {"weight": torch.ones(1, 2)}, torch.ones(1, 2))
    tensor([[2.]])
    """
    return call_with(module, parameter_and_buffer_dicts, args, kwargs, tie_weights=tie_weights, strict=strict)
