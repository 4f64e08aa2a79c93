"""Adagrad: each coordinate slows down with the gradients it has seen."""

from __future__ import annotations

from typing import Any

from ..operators.likes import full_like
from ..tensor import Tensor
from .arguments import check_fused, check_learning_rate, check_not_negative
from .complex_views import as_real
from .descent import descent
from .host_scalars import host_scalar
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class Adagrad(Optimizer):
    r"""Adagrad: gradients divided by the root of the sum of all their squares so far.

    .. math::
        s \leftarrow s + g^2, \qquad
        \theta \leftarrow \theta - \frac{\gamma}{1 + (t - 1)\eta} \cdot \frac{g}{\sqrt{s} + \epsilon}

    with :math:`g = \nabla f(\theta) + \lambda\theta` and :math:`s` at first the initial accumulator value. After
    Duchi, Hazan and Singer, `Adaptive Subgradient Methods for Online Learning and Stochastic Optimization
    <https://jmlr.org/papers/v12/duchi11a.html>`_ (2011).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        lr_decay: :math:`\eta`.
        weight_decay: :math:`\lambda`.
        initial_accumulator_value: where :math:`s` starts.
        eps: :math:`\epsilon`, for numerical stability.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, fused: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.Adagrad([weight], lr=0.25).step(); weight.item()
        0.75
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(lr_decay, "Invalid lr_decay value: {}")
        check_not_negative(weight_decay, "Invalid weight_decay value: {}")
        check_not_negative(initial_accumulator_value, "Invalid initial_accumulator_value value: {}")
        check_not_negative(eps, "Invalid epsilon value: {}")
        check_fused(fused, foreach, differentiable)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:  # from the start, so that share_memory finds it
            for parameter in group["params"]:
                self._begin(parameter, group["initial_accumulator_value"])

    def _begin(self, parameter: Tensor, initial: Any) -> dict[str, Any]:
        state: dict[str, Any] = self.state[parameter]
        state["step"] = host_scalar(0.0)
        start = complex(initial, initial) if parameter.is_complex() else initial
        state["sum"] = full_like(parameter, start)
        return state

    def share_memory(self) -> None:
        """Move the accumulators to shared memory, so that several processes can train together."""
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["sum"].share_memory_()

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, eps, decay = scale_of(group["lr"]), group["eps"], group["lr_decay"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter] or self._begin(parameter, group["initial_accumulator_value"])
            step = self._scalars.advance(state["step"])
            scale = -(rate / (1 + (step - 1) * decay))
            total = state["sum"]
            if gradient.is_sparse:
                if group["weight_decay"]:
                    raise RuntimeError("weight_decay option is not compatible with sparse gradients")
                _update_sparse(parameter, gradient.coalesce(), total, -scale if group["maximize"] else scale, eps)
                continue
            gradient = descent(parameter, gradient, group)
            if parameter.is_complex():
                parameter, gradient, total = as_real(parameter, gradient, total)
            total.add_(gradient * gradient)
            parameter.add_(gradient / (total.sqrt() + eps) * scale)


def _update_sparse(parameter: Tensor, gradient: Tensor, total: Tensor, scale: Any, eps: float) -> None:
    """The same rule on the entries that the coalesced ``gradient`` has."""
    values = gradient._values()
    if not values.numel():
        return
    entries = gradient._indices().unbind(0)
    sums = total[entries] + values * values
    total.index_put_(entries, sums)
    parameter.index_put_(entries, parameter[entries] + values / (sums.sqrt() + eps) * scale)
