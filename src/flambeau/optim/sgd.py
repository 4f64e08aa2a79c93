"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from .arguments import check_fused
from .optimizer import Optimizer, Parameters
from .repeated import Repeated
from .scales import scale_of


class SGD(Optimizer):
    r"""Stochastic gradient descent, optionally with momentum.

    .. math::
        g \leftarrow \nabla f(\theta) + \lambda\theta, \qquad
        b \leftarrow \mu b + (1 - \tau) g \;\;(b \leftarrow g \text{ at first}), \qquad
        \theta \leftarrow \theta - \gamma \cdot \begin{cases} g + \mu b & \text{nesterov} \\ b \end{cases}

    Momentum after Sutskever et al., `On the importance of initialization and momentum in deep learning
    <https://proceedings.mlr.press/v28/sutskever13.html>`_ (2013), without their scaling of :math:`g` by
    :math:`\gamma`, so that the learning rate may change during training.

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        momentum: :math:`\mu`. Without it there is no state.
        dampening: :math:`\tau`.
        weight_decay: :math:`\lambda`.
        nesterov: look ahead along the momentum; needs momentum and no dampening.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, fused: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.SGD([weight], lr=0.25).step(); weight.item()
        0.5
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_fused(fused, foreach, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, weight_decay = group["lr"], group["weight_decay"]
        momentum, dampening = group["momentum"], group["dampening"]
        tensors = isinstance(rate, Tensor) or isinstance(weight_decay, Tensor)
        if tensors:
            rate, weight_decay = scale_of(rate), scale_of(weight_decay)
        numbers = rate, weight_decay, momentum, 1 - dampening
        decays = isinstance(weight_decay, Tensor) or weight_decay != 0
        structure = group["maximize"], decays, dampening != 0, group["nesterov"], False
        rows: list[Any] = []
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            if not momentum:
                rows.append((parameter, gradient))
                continue
            state = self.state[parameter]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = gradient.detach().clone()
                _descend((parameter, gradient, buffer), numbers, (*structure[:-1], True))
            else:
                rows.append((parameter, gradient, buffer))
        (_descend_all.each if tensors else _descend_all)(rows, [numbers] * len(rows), structure)


def _descend(tensors: Sequence[Any], numbers: Sequence[Any], structure: tuple[Any, ...]) -> None:
    """One step of one parameter, along its buffer if there is one."""
    parameter, gradient, *buffers = tensors
    rate, weight_decay, momentum, share = numbers
    maximize, decays, dampened, nesterov, first = structure
    if maximize:
        gradient = -gradient
    if decays:
        gradient = gradient + parameter * weight_decay
    for buffer in buffers:
        if first:
            buffer.copy_(gradient.detach())
        else:
            buffer.mul_(momentum).add_(gradient * share if dampened else gradient)
        gradient = gradient + buffer * momentum if nesterov else buffer
    parameter.sub_(gradient * rate)


_descend_all = Repeated(_descend)
