"""RAdam: Adam with a rectified warm-up."""

from __future__ import annotations

from typing import Any

from ..operators.likes import zeros_like
from ..tensor import Tensor
from .arguments import check_betas, check_learning_rate, check_not_negative
from .complex_views import as_real
from .descent import descent
from .host_scalars import host_scalar
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class RAdam(Optimizer):
    r"""Rectified Adam: plain momentum until the estimate of the mean square can be trusted.

    .. math::
        \rho_\infty = \frac{2}{1 - \beta_2} - 1, \quad
        \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t}, \quad
        r_t = \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)\rho_t}}

    .. math::
        \theta \leftarrow \theta - \gamma\,\frac{m}{1 - \beta_1^t} \cdot
        \begin{cases} r_t \dfrac{\sqrt{1 - \beta_2^t}}{\sqrt{v} + \epsilon} & \rho_t > 5 \\ 1 \end{cases}

    with :math:`g`, :math:`m` and :math:`v` as in :class:`Adam`. After Liu et al., `On the Variance of the Adaptive
    Learning Rate and Beyond <https://arxiv.org/abs/1908.03265>`_ (2019).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        betas: decay rates :math:`(\beta_1, \beta_2)`.
        eps: :math:`\epsilon`, for numerical stability.
        weight_decay: :math:`\lambda`.
        decoupled_weight_decay: shrink the parameters by :math:`\gamma\lambda` instead, as :class:`AdamW` does.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, capturable: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.RAdam([weight], lr=0.25).step(); round(weight.item(), 4)
        0.5
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(eps, "Invalid epsilon value: {}")
        check_betas(betas)
        check_not_negative(weight_decay, "Invalid weight_decay value: {}")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, (beta1, beta2), eps = scale_of(group["lr"]), group["betas"], group["eps"]
        rho_limit = 2 / (1 - beta2) - 1
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                if gradient.is_sparse:
                    raise RuntimeError("RAdam does not support sparse gradients")
                state["step"] = host_scalar(0.0)
                state["exp_avg"] = zeros_like(parameter)
                state["exp_avg_sq"] = zeros_like(parameter)
            step = self._scalars.advance(state["step"])
            gradient = descent(parameter, gradient, group, rate)
            mean, square = state["exp_avg"], state["exp_avg_sq"]
            if parameter.is_complex():
                parameter, gradient, mean, square = as_real(parameter, gradient, mean, square)
            mean.add_((gradient - mean) * (1 - beta1))
            square.mul_(beta2).add_(gradient * gradient * (1 - beta2))
            scale = rate / (1 - beta1**step)
            correction = 1 - beta2**step
            rho = rho_limit - 2 * step * beta2**step / correction
            if rho > 5.0:  # known from the step count alone
                rectification = (
                    (rho - 4) * (rho - 2) * rho_limit / ((rho_limit - 4) * (rho_limit - 2) * rho)
                ) ** 0.5
                parameter.sub_(mean / (square.sqrt() + eps) * (scale * rectification * correction**0.5))
            else:
                parameter.sub_(mean * scale)
