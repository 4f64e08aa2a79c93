"""What a step descends along, before the algorithm has its say."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


def descent(parameter: Tensor, gradient: Tensor, group: dict[str, Any], rate: Any = None) -> Tensor:
    """The gradient, turned round where the group maximizes, with the group's weight decay in it.

    Where the group's decay is decoupled, the parameter itself shrinks by ``rate`` times the decay instead.
    """
    if group["maximize"]:
        gradient = -gradient
    weight_decay = group["weight_decay"]
    if weight_decay:
        if group.get("decoupled_weight_decay"):
            parameter.mul_(1 - rate * weight_decay)
        else:
            gradient = gradient + parameter * weight_decay
    return gradient
