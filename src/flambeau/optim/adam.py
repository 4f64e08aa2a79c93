"""Adam and, through ``decoupled_weight_decay``, AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..operators.comparison import maximum
from ..operators.likes import zeros_like
from ..tensor import Tensor
from .arguments import check_betas, check_fused, check_learning_rate, check_not_negative
from .complex_views import as_real
from .host_scalars import host_scalar
from .optimizer import Optimizer, Parameters
from .repeated import Repeated
from .scales import scale_of


class Adam(Optimizer):
    r"""Adam: steps scaled by running estimates of the gradient's mean and square.

    .. math::
        m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
        v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \qquad
        \theta \leftarrow \theta -
        \gamma\, \frac{m / (1 - \beta_1^t)}{\sqrt{v} / \sqrt{1 - \beta_2^t} + \epsilon}

    with :math:`g = \nabla f(\theta) + \lambda\theta`. After Kingma and Ba, `Adam: A Method for Stochastic
    Optimization <https://arxiv.org/abs/1412.6980>`_ (2014); ``amsgrad`` takes the largest :math:`v` so far, after
    Reddi et al., `On the Convergence of Adam and Beyond <https://openreview.net/forum?id=ryQu7f-RZ>`_ (2018).

    Args:
        params: tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate :math:`\gamma`.
        betas: decay rates :math:`(\beta_1, \beta_2)`, both numbers or both one-element tensors.
        eps: :math:`\epsilon`, for numerical stability.
        weight_decay: :math:`\lambda`.
        amsgrad: see above.
        maximize: ascend instead.
        differentiable: record the step for autograd.
        decoupled_weight_decay: shrink the parameters by :math:`\gamma\lambda` instead, see :class:`AdamW`.
        capturable: compute with the number of steps as a tensor, so that ``flambeau.capture`` can replay a step.
        foreach, fused: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.Adam([weight], lr=0.25).step(); weight.item()
        0.75
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_learning_rate(lr)
        check_not_negative(eps, "Invalid epsilon value: {}")
        check_betas(betas)
        check_not_negative(weight_decay, "Invalid weight_decay value: {}")
        if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        for index, beta in enumerate(betas):
            if isinstance(beta, Tensor):
                if foreach and not capturable:
                    raise ValueError(
                        f"betas[{index}] as a Tensor is not supported for capturable=False and foreach=True"
                    )
                if beta.numel() != 1:
                    raise ValueError(f"Tensor betas[{index}] must be 1-element")
        check_fused(fused, foreach, differentiable)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _begin(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], amsgrad: bool) -> None:
        if gradient.is_sparse:
            raise RuntimeError("Adam does not support sparse gradients, please consider SparseAdam instead")
        state["step"] = host_scalar(0.0)
        state["exp_avg"] = zeros_like(parameter)
        state["exp_avg_sq"] = zeros_like(parameter)
        if amsgrad:
            state["max_exp_avg_sq"] = zeros_like(parameter)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate = scale_of(group["lr"])
        beta1, beta2 = map(scale_of, group["betas"])
        weight_decay, eps = group["weight_decay"], group["eps"]
        amsgrad, decoupled, maximize = group["amsgrad"], group["decoupled_weight_decay"], group["maximize"]
        differentiable = group["differentiable"]
        counts = differentiable or group["capturable"]  # the number of steps stays a tensor, so that a step can be replayed
        plain = not (isinstance(rate, Tensor) or isinstance(beta1, Tensor) or isinstance(beta2, Tensor) or counts)
        rows: list[Any] = []
        numbers: list[Any] = []
        structure = maximize, bool(weight_decay), decoupled, differentiable, amsgrad
        advance = self._scalars.advance
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                self._begin(parameter, gradient, state, amsgrad)
            # A differentiable step corrects its bias in tensors, in the precision of the count, as PyTorch does.
            step = state["step"].add_(1) if counts else advance(state["step"])
            mean, square = state["exp_avg"], state["exp_avg_sq"]
            largest = (state["max_exp_avg_sq"],) if amsgrad else ()
            rows.append((parameter, gradient, mean, square, *largest))
            numbers.append((
                weight_decay, 1 - rate * weight_decay, 1 - beta1, beta2, 1 - beta2, eps,
                (1 - beta2**step) ** 0.5, rate / (1 - beta1**step),
            ))  # fmt: skip
        (_move_all if plain else _move_all.each)(rows, numbers, structure)


def _move(tensors: Sequence[Any], numbers: Sequence[Any], structure: tuple[Any, ...]) -> None:
    """One step of one parameter and its estimates."""
    weight_decay, shrinkage, share1, beta2, share2, eps, root, scale = numbers
    maximize, decays, decoupled, differentiable, _ = structure
    parameter, gradient = tensors[:2]
    if maximize:
        gradient = -gradient
    if decays:
        if decoupled:
            parameter.mul_(shrinkage)
        else:
            gradient = gradient + parameter * weight_decay
    if parameter.is_complex():
        tensors = as_real(parameter, gradient, *tensors[2:])
        parameter, gradient = tensors[:2]
    mean, square, *largest = tensors[2:]
    mean.add_((gradient - mean) * share1)
    square.mul_(beta2).add_(gradient * gradient * share2)
    if differentiable:  # later steps must not overwrite what autograd keeps of this one
        mean = mean.clone()
    for each in largest:
        square = maximum(each.clone() if differentiable else each, square)
        each.copy_(square)
    parameter.sub_(mean / (square.sqrt() / root + eps) * scale)


_move_all = Repeated(_move)
