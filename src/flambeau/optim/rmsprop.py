"""RMSprop: gradients divided by a running estimate of their size."""

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


class RMSprop(Optimizer):
    r"""RMSprop, optionally with momentum and centered.

    .. math::
        v \leftarrow \alpha v + (1 - \alpha) g^2, \qquad
        b \leftarrow \mu b + \frac{g}{\sqrt{v} + \epsilon}, \qquad
        \theta \leftarrow \theta - \gamma b

    with :math:`g = \nabla f(\theta) + \lambda\theta`. ``centered`` subtracts the squared running mean of :math:`g`
    from :math:`v`. After Hinton's `lecture notes
    <https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf>`_ (2012) and, centered, Graves,
    `Generating Sequences With Recurrent Neural Networks <https://arxiv.org/abs/1308.0850>`_ (2013).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        alpha: smoothing constant :math:`\alpha`.
        eps: :math:`\epsilon`, added after the square root.
        weight_decay: :math:`\lambda`.
        momentum: :math:`\mu`.
        centered: see above.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        foreach, capturable: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.RMSprop([weight], lr=0.25, alpha=0.75).step(); weight.item()
        0.5
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_learning_rate(lr)
        check_not_negative(eps, "Invalid epsilon value: {}")
        check_not_negative(momentum, "Invalid momentum value: {}")
        check_not_negative(weight_decay, "Invalid weight_decay value: {}")
        check_not_negative(alpha, "Invalid alpha value: {}")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _begin(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if gradient.is_sparse:
            raise RuntimeError("RMSprop does not support sparse gradients")
        state["step"] = host_scalar(0.0)
        state["square_avg"] = zeros_like(parameter)
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(parameter)
        if group["centered"]:
            state["grad_avg"] = zeros_like(parameter)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, alpha, eps = scale_of(group["lr"]), group["alpha"], group["eps"]
        momentum, centered = group["momentum"], group["centered"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                self._begin(parameter, gradient, state, group)
            self._scalars.advance(state["step"])
            gradient = descent(parameter, gradient, group)
            square = state["square_avg"]
            mean = state["grad_avg"] if centered else None
            buffer = state["momentum_buffer"] if momentum > 0 else None
            if parameter.is_complex():
                parameter, gradient, square = as_real(parameter, gradient, square)
                mean = None if mean is None else as_real(mean)[0]
                buffer = None if buffer is None else as_real(buffer)[0]
            square.mul_(alpha).add_(gradient * gradient * (1 - alpha))
            if mean is not None:
                mean.add_((gradient - mean) * (1 - alpha))
                size = (square - mean * mean).sqrt() + eps
            else:
                size = square.sqrt() + eps
            if buffer is not None:
                buffer.mul_(momentum).add_(gradient / size)
                parameter.sub_(buffer * rate)
            else:
                parameter.sub_(gradient / size * rate)
