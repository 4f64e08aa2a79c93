"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .adam import Adam
from .optimizer import Parameters


class AdamW(Adam):
    r"""Adam whose weight decay shrinks the parameters instead of entering the gradient's moments.

    .. math::
        \theta \leftarrow (1 - \gamma\lambda)\,\theta, \quad\text{then as }\texttt{Adam}\text{ with } \lambda = 0

    After Loshchilov and Hutter, `Decoupled Weight Decay Regularization <https://arxiv.org/abs/1711.05101>`_ (2017).
    The arguments are those of :class:`Adam`; ``weight_decay`` is 0.01 by default.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([1.0])); weight.grad = torch.tensor([0.0])
        >>> torch.optim.AdamW([weight], lr=0.5, weight_decay=0.5).step(); weight.item()
        0.75
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # whatever an older checkpoint says, this class decouples
            group["decoupled_weight_decay"] = True
