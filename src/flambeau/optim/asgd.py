"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from ..operators.likes import zeros_like
from ..tensor import Tensor
from .arguments import check_learning_rate, check_not_negative
from .complex_views import as_real
from .descent import descent
from .host_scalars import host_scalar, scalar_dtype
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class ASGD(Optimizer):
    r"""Averaged stochastic gradient descent: descend with a decaying rate and average the parameters.

    .. math::
        \theta \leftarrow (1 - \lambda\eta)\,\theta - \eta g, \qquad
        \eta \leftarrow \frac{\gamma}{(1 + \lambda\gamma t)^\alpha}, \qquad
        \bar\theta \leftarrow \bar\theta + \frac{\theta - \bar\theta}{\max(1, t - t_0)}

    The average :math:`\bar\theta` is ``state[parameter]["ax"]``. After Polyak and Juditsky, `Acceleration of
    stochastic approximation by averaging <https://doi.org/10.1137/0330046>`_ (1992).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        lambd: decay :math:`\lambda`.
        alpha: power :math:`\alpha` of the rate's decay.
        t0: the step at which averaging starts.
        weight_decay: added to the gradient times the parameters.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, capturable: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.ASGD([weight], lr=0.25, lambd=0).step(); weight.item()
        0.5
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(weight_decay, "Invalid weight_decay value: {}")
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _begin(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], rate: Any) -> None:
        if gradient.is_sparse:
            raise RuntimeError("ASGD does not support sparse gradients")
        state["step"] = host_scalar(0.0)
        if isinstance(rate, Tensor):
            state["eta"] = rate.detach().to(dtype=scalar_dtype(), copy=True)
        else:
            state["eta"] = host_scalar(rate)
        state["mu"] = host_scalar(1.0)
        state["ax"] = zeros_like(parameter)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, decay = scale_of(group["lr"]), group["lambd"]
        as_tensors = isinstance(rate, Tensor) or group["differentiable"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                self._begin(parameter, gradient, state, rate)
            step = self._scalars.advance(state["step"])
            gradient = descent(parameter, gradient, group)
            mean = state["ax"]
            if parameter.is_complex():
                parameter, gradient, mean = as_real(parameter, gradient, mean)
            eta, weight = state["eta"], state["mu"]
            next_eta = rate / (1 + decay * rate * step) ** group["alpha"]
            next_weight = 1 / max(1, step - group["t0"])
            if as_tensors:
                _descend(parameter, gradient, mean, scale_of(eta), decay, scale_of(weight))
                eta.fill_(next_eta)
                weight.fill_(next_weight)
            else:
                eta_memory, weight_memory = self._scalars.memory(eta), self._scalars.memory(weight)
                _descend(parameter, gradient, mean, eta_memory.item(), decay, weight_memory.item())
                eta_memory[()], weight_memory[()] = next_eta, next_weight


def _descend(parameter: Tensor, gradient: Tensor, mean: Tensor, eta: Any, decay: float, weight: Any) -> None:
    parameter.mul_(1 - decay * eta)
    parameter.sub_(gradient * eta)
    if not isinstance(weight, Tensor) and weight == 1:
        mean.copy_(parameter)
    else:
        mean.add_((parameter - mean) * weight)
