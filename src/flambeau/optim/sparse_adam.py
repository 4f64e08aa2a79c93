"""Adam for gradients that are sparse tensors."""

from __future__ import annotations

from typing import Any

from ..operators.likes import zeros_like
from ..tensor import Tensor
from .arguments import check_betas
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class SparseAdam(Optimizer):
    r"""A masked Adam: only entries present in the sparse gradient update their moments and parameters.

    The formula is that of :class:`Adam` on those entries, with one step count for all of a parameter. Gradients of
    this kind come from ``nn.Embedding(sparse=True)``. An entry that is present counts even when its value is zero.

    Args:
        params: dense tensors, ``(name, tensor)`` pairs or parameter groups.
        lr: learning rate.
        betas: decay rates of the running mean and mean square.
        eps: added to the denominator for numerical stability.
        maximize: ascend instead.

    Raises:
        ValueError: a parameter is sparse or complex.
        RuntimeError: at :meth:`step`, a gradient is dense.
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        sparse, complex_ = (
            [
                [group_index, index]
                for group_index, group in enumerate(self.param_groups)
                for index, parameter in enumerate(group["params"])
                if refused(parameter)
            ]
            for refused in (lambda parameter: parameter.is_sparse, lambda parameter: parameter.is_complex())
        )
        if sparse:
            raise ValueError(f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors")
        if complex_:
            raise ValueError(f"Complex params at indices {complex_}: SparseAdam does not support complex parameters")

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, (beta1, beta2), eps = scale_of(group["lr"]), group["betas"], group["eps"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            if not gradient.is_sparse:
                raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
            state = self.state[parameter]
            if not state:
                state["step"] = 0  # a plain number here, as PyTorch keeps it
                state["exp_avg"] = zeros_like(parameter)
                state["exp_avg_sq"] = zeros_like(parameter)
            state["step"] += 1
            gradient = gradient.coalesce()
            values = -gradient._values() if group["maximize"] else gradient._values()
            if not values.numel():
                continue
            entries = gradient._indices().unbind(0)
            mean, square = state["exp_avg"], state["exp_avg_sq"]
            new_mean = mean[entries] + (values - mean[entries]) * (1 - beta1)
            new_square = square[entries] + (values * values - square[entries]) * (1 - beta2)
            mean.index_put_(entries, new_mean)
            square.index_put_(entries, new_square)
            step = int(state["step"])
            scale = -(rate * (1 - beta2**step) ** 0.5 / (1 - beta1**step))
            change = new_mean / (new_square.sqrt() + eps) * scale
            parameter.index_put_(entries, parameter[entries] + change)
