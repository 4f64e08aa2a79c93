"""NAdam: Adam with Nesterov momentum."""

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


class NAdam(Optimizer):
    r"""NAdam: Adam whose mean looks one step ahead, with a momentum that grows over time.

    .. math::
        \mu_t = \beta_1 (1 - \tfrac12 0.96^{t\psi}), \qquad
        \hat m = \frac{\mu_{t+1} m}{1 - \prod_{i \le t+1} \mu_i} + \frac{(1 - \mu_t) g}{1 - \prod_{i \le t} \mu_i},
        \qquad \theta \leftarrow \theta - \gamma \frac{\hat m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    with :math:`g`, :math:`m` and :math:`v` as in :class:`Adam`. After Dozat, `Incorporating Nesterov Momentum into
    Adam <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>`_ (2016).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        betas: decay rates :math:`(\beta_1, \beta_2)`.
        eps: :math:`\epsilon`, for numerical stability.
        weight_decay: :math:`\lambda`.
        momentum_decay: :math:`\psi`.
        decoupled_weight_decay: shrink the parameters by :math:`\gamma\lambda` instead, as :class:`AdamW` does.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, capturable: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.NAdam([weight], lr=0.25).step(); round(weight.item(), 3)
        0.736
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative(momentum_decay, "Invalid momentum_decay value: {}")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, (beta1, beta2) = scale_of(group["lr"]), group["betas"]
        eps, growth = group["eps"], group["momentum_decay"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                if gradient.is_sparse:
                    raise RuntimeError("NAdam does not support sparse gradients")
                state["step"] = host_scalar(0.0)
                state["mu_product"] = host_scalar(1.0)
                state["exp_avg"] = zeros_like(parameter)
                state["exp_avg_sq"] = zeros_like(parameter)
            step = self._scalars.advance(state["step"])
            gradient = descent(parameter, gradient, group, rate)
            momentum = beta1 * (1.0 - 0.5 * 0.96 ** (step * growth))
            next_momentum = beta1 * (1.0 - 0.5 * 0.96 ** ((step + 1) * growth))
            product: Any
            if group["differentiable"]:
                product = state["mu_product"].mul_(momentum)
            else:
                memory = self._scalars.memory(state["mu_product"])
                memory *= momentum
                product = memory.item()
            mean, square = state["exp_avg"], state["exp_avg_sq"]
            if parameter.is_complex():
                parameter, gradient, mean, square = as_real(parameter, gradient, mean, square)
            mean.add_((gradient - mean) * (1 - beta1))
            square.mul_(beta2).add_(gradient * gradient * (1 - beta2))
            if group["differentiable"]:  # later steps must not overwrite what autograd keeps of this one
                mean = mean.clone()
            denominator = (square / (1 - beta2**step)).sqrt() + eps
            parameter.sub_(gradient / denominator * (rate * (1.0 - momentum) / (1.0 - product)))
            parameter.sub_(mean / denominator * (rate * next_momentum / (1.0 - product * next_momentum)))
