"""Adadelta: steps in the units of the parameters."""

from __future__ import annotations

from typing import Any

from ..operators.likes import zeros_like
from ..tensor import Tensor
from .arguments import check_learning_rate, check_not_negative
from .complex_views import as_real
from .descent import descent
from .host_scalars import host_scalar
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class Adadelta(Optimizer):
    r"""Adadelta: the ratio of running sizes of past steps and gradients takes the place of a learning rate.

    .. math::
        v \leftarrow \rho v + (1 - \rho) g^2, \qquad
        \Delta = \frac{\sqrt{u + \epsilon}}{\sqrt{v + \epsilon}}\, g, \qquad
        u \leftarrow \rho u + (1 - \rho) \Delta^2, \qquad
        \theta \leftarrow \theta - \gamma \Delta

    with :math:`g = \nabla f(\theta) + \lambda\theta`. After Zeiler, `ADADELTA: An Adaptive Learning Rate Method
    <https://arxiv.org/abs/1212.5701>`_ (2012).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: :math:`\gamma`, scales the steps.
        rho: decay rate :math:`\rho` of the running averages.
        eps: :math:`\epsilon`, for numerical stability.
        weight_decay: :math:`\lambda`.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, capturable: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.Adadelta([weight], rho=0.0, eps=0.5).step(); round(weight.item(), 4)
        0.3333
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(eps, "Invalid epsilon value: {}")
        check_not_negative(weight_decay, "Invalid weight_decay value: {}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, rho, eps = scale_of(group["lr"]), group["rho"], group["eps"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                if gradient.is_sparse:
                    raise RuntimeError("Adadelta does not support sparse gradients")
                state["step"] = host_scalar(0.0)
                state["square_avg"] = zeros_like(parameter)
                state["acc_delta"] = zeros_like(parameter)
            self._scalars.advance(state["step"])
            gradient = descent(parameter, gradient, group)
            square, steps = state["square_avg"], state["acc_delta"]
            if parameter.is_complex():
                parameter, gradient, square, steps = as_real(parameter, gradient, square, steps)
            square.mul_(rho).add_(gradient * gradient * (1 - rho))
            delta = (steps + eps).sqrt() / (square + eps).sqrt() * gradient
            steps.mul_(rho).add_(delta * delta * (1 - rho))
            parameter.sub_(delta * rate)
