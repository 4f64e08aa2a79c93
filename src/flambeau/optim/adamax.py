"""Adamax: Adam with the infinity norm."""

from __future__ import annotations

from typing import Any

from ..operators.comparison import maximum
from ..operators.likes import zeros_like
from ..tensor import Tensor
from .arguments import check_betas, check_learning_rate, check_not_negative
from .complex_views import as_real
from .descent import descent
from .host_scalars import host_scalar
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class Adamax(Optimizer):
    r"""Adamax: Adam with a decaying maximum in place of the mean square.

    .. math::
        m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
        u \leftarrow \max(\beta_2 u,\; |g| + \epsilon), \qquad
        \theta \leftarrow \theta - \frac{\gamma}{1 - \beta_1^t} \cdot \frac{m}{u}

    with :math:`g = \nabla f(\theta) + \lambda\theta`. After section 7 of Kingma and Ba, `Adam: A Method for
    Stochastic Optimization <https://arxiv.org/abs/1412.6980>`_ (2014).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        betas: decay rates :math:`(\beta_1, \beta_2)`.
        eps: :math:`\epsilon`, for numerical stability.
        weight_decay: :math:`\lambda`.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, capturable: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.Adamax([weight], lr=0.25).step(); weight.item()
        0.75
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
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
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, (beta1, beta2), eps = scale_of(group["lr"]), group["betas"], group["eps"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                if gradient.is_sparse:
                    raise RuntimeError("Adamax does not support sparse gradients")
                state["step"] = host_scalar(0.0)
                state["exp_avg"] = zeros_like(parameter)
                state["exp_inf"] = zeros_like(parameter)
            step = self._scalars.advance(state["step"])
            gradient = descent(parameter, gradient, group)
            mean, largest = state["exp_avg"], state["exp_inf"]
            if parameter.is_complex():
                parameter, gradient, mean, largest = as_real(parameter, gradient, mean, largest)
            mean.add_((gradient - mean) * (1 - beta1))
            largest.copy_(maximum(largest * beta2, gradient.abs() + eps))
            parameter.sub_(mean / largest * (rate / (1 - beta1**step)))
