"""Adafactor: adaptive steps with memory linear in the sides of a matrix."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import finfo
from ..tensor import Tensor
from .arguments import check_learning_rate, check_not_negative
from .host_scalars import host_scalar
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class Adafactor(Optimizer):
    r"""Adafactor: the mean square of a matrix's gradients as the outer product of its row and column means.

    .. math::
        R \leftarrow \beta_t R + (1 - \beta_t) \operatorname{mean}_{\text{row}}(g^2), \quad
        C \leftarrow \beta_t C + (1 - \beta_t) \operatorname{mean}_{\text{col}}(g^2), \quad
        V = \frac{R\, C}{\max(\operatorname{mean}(R), \epsilon_1)}, \quad \beta_t = 1 - t^\tau

    .. math::
        U = \frac{g}{\max(\sqrt V, \epsilon_1)}, \qquad
        \theta \leftarrow (1 - \gamma\lambda)\theta -
        \frac{\max(\epsilon_2, \operatorname{rms}(\theta)) \min(\gamma, t^{-1/2})}{\max(1, \operatorname{rms}(U)/d)} U

    Vectors keep the full running mean square as :math:`V`. After Shazeer and Stern, `Adafactor: Adaptive Learning
    Rates with Sublinear Memory Cost <https://arxiv.org/abs/1804.04235>`_ (2018), with PyTorch's use of
    :math:`\epsilon_1` and of ``lr`` as the largest relative step.

    Args:
        params: real tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: :math:`\gamma`.
        beta2_decay: :math:`\tau`, at most zero.
        eps: :math:`(\epsilon_1, \epsilon_2)`; ``None`` stands for the machine epsilon of the parameter's dtype.
        d: clipping threshold, at least one.
        weight_decay: :math:`\lambda`, decoupled.
        maximize: ascend instead.
        foreach: accepted; a step is one program anyway.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([2.0])
        >>> torch.optim.Adafactor([weight], lr=0.25).step(); weight.item()
        0.75
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_learning_rate(lr, "Learning rate should be >= 0 but is: {}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None:
            check_not_negative(eps[0], "epsilon1 should be >= 0 but is: {}")
        check_not_negative(eps[1], "epsilon2 should be >= 0 but is: {}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        check_not_negative(weight_decay, "weight_decay should be >= 0 but is: {}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _begin(self, parameter: Tensor, gradient: Tensor, state: dict[str, Any]) -> None:
        if parameter.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        if gradient.is_sparse:
            raise RuntimeError("Adafactor does not support sparse gradients")
        state["step"] = host_scalar(0.0)
        shape = tuple(gradient.shape)
        if len(shape) > 1:
            state["row_var"] = gradient.new_zeros((*shape[:-1], 1))
            state["col_var"] = gradient.new_zeros((*shape[:-2], 1, shape[-1]))
        else:
            state["variance"] = gradient.new_zeros(shape)

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, weight_decay, clip = scale_of(group["lr"]), group["weight_decay"], group["d"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                self._begin(parameter, gradient, state)
            step = self._scalars.advance(state["step"])
            smallest, smallest_rms = group["eps"]
            if smallest is None:
                smallest = finfo(parameter.dtype).eps
            if group["maximize"]:
                gradient = -gradient
            decay = step ** group["beta2_decay"]
            relative = rate.clamp(max=step**-0.5) if isinstance(rate, Tensor) else min(rate, step**-0.5)
            root_count = parameter.numel() ** 0.5
            size = (parameter.norm(2) / root_count).clamp(min=smallest_rms) * relative
            if weight_decay:
                parameter.mul_(1 - rate * weight_decay)
            if gradient.dim() > 1:
                rows, columns = state["row_var"], state["col_var"]
                row_mean = gradient.norm(2, dim=-1, keepdim=True).square() / gradient.size(-1)
                column_mean = gradient.norm(2, dim=-2, keepdim=True).square() / gradient.size(-2)
                rows.lerp_(row_mean, decay)
                columns.lerp_(column_mean, decay)
                variance = rows @ columns / rows.mean(dim=-2, keepdim=True).clamp(min=smallest)
            else:
                variance = state["variance"]
                variance.lerp_(gradient * gradient, decay)
            update = variance.clamp(min=smallest * smallest).rsqrt() * gradient
            excess = (update.norm(2) / (root_count * clip)).clamp(min=1.0)
            parameter.sub_(update * (size / excess))
