"""Rprop: steps from the signs of the gradients alone."""

from __future__ import annotations

from typing import Any

from ..operators.likes import full_like, zeros_like
from ..operators.selection import where
from ..tensor import Tensor
from .arguments import check_learning_rate
from .complex_views import as_real
from .host_scalars import host_scalar
from .optimizer import Optimizer, Parameters


class Rprop(Optimizer):
    r"""Resilient backpropagation: each coordinate has a step size of its own.

    It grows by :math:`\eta_+` while the gradient keeps its sign, shrinks by :math:`\eta_-` when the sign flips (then
    the gradient counts as zero), and stays within the given limits.

    .. math::
        \theta \leftarrow \theta - \Delta \operatorname{sign}(g)

    After Riedmiller and Braun, `A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm
    <https://doi.org/10.1109/ICNN.1993.298623>`_ (1993).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: the first step size.
        etas: :math:`(\eta_-, \eta_+)`.
        step_sizes: smallest and largest step size.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, capturable: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.Rprop([weight], lr=0.25).step(); weight.item()
        0.75
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], rate: Any) -> None:
        if gradient.is_sparse:
            raise RuntimeError("Rprop does not support sparse gradients")
        state["step"] = host_scalar(0.0)
        state["prev"] = zeros_like(parameter)
        if isinstance(rate, Tensor):
            rate = rate.item()
        state["step_size"] = full_like(gradient, complex(rate, rate) if parameter.is_complex() else rate)

    def _update_group(self, group: dict[str, Any]) -> None:
        shrink, grow = group["etas"]
        smallest, largest = group["step_sizes"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                self._begin(parameter, gradient, state, group["lr"])
            self._scalars.advance(state["step"])
            if group["maximize"]:
                gradient = -gradient
            previous, size = state["prev"], state["step_size"]
            if parameter.is_complex():
                parameter, gradient, previous, size = as_real(parameter, gradient, previous, size)
            agreement = gradient * (previous.clone() if group["differentiable"] else previous)
            adapted = where(agreement > 0, size * grow, where(agreement < 0, size * shrink, size))
            size.copy_(adapted.clamp(smallest, largest))
            gradient = where(agreement < 0, 0.0, gradient)
            parameter.sub_(gradient.sign() * size)
            previous.copy_(gradient)
