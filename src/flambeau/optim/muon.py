"""Muon: momentum made orthogonal, for the matrices inside a network."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import bfloat16, float32
from ..operators.likes import zeros_like
from ..tensor import Tensor
from .arguments import check_learning_rate, check_not_negative
from .optimizer import Optimizer, Parameters
from .scales import scale_of


class Muon(Optimizer):
    r"""Muon: the update is the orthogonal matrix nearest to the momentum, found by Newton-Schulz iteration.

    .. math::
        B \leftarrow \mu B + (1 - \mu) g, \qquad
        O = \operatorname{NS}(\text{nesterov}: (1 - \mu) g + \mu B, \text{ else } B), \qquad
        \theta \leftarrow (1 - \gamma\lambda)\theta - \gamma' O

    Each iteration of NS is :math:`X \leftarrow aX + (bXX^\top + c(XX^\top)^2)X`, rounded to bfloat16, from
    :math:`X/\max(\lVert X\rVert, \epsilon)`. For an :math:`A \times B` matrix, :math:`\gamma'` is
    :math:`\gamma\sqrt{\max(1, A/B)}` (``"original"``) or :math:`0.2\gamma\sqrt{\max(A, B)}` (``"match_rms_adamw"``).
    After Jordan et al., `Muon: An optimizer for hidden layers <https://kellerjordan.github.io/posts/muon/>`_ (2024)
    and Liu et al., `Muon is Scalable for LLM Training <https://arxiv.org/abs/2502.16982>`_ (2025).

    Args:
        params: matrices, ``(name, matrix)`` pairs or parameter groups; leave embeddings and vectors to ``AdamW``.
        lr: :math:`\gamma`.
        weight_decay: :math:`\lambda`, decoupled.
        momentum: :math:`\mu`.
        nesterov: look ahead along the momentum.
        ns_coefficients: :math:`(a, b, c)`.
        eps: :math:`\epsilon`.
        ns_steps: number of iterations, below 100.
        adjust_lr_fn: ``"original"`` (the default) or ``"match_rms_adamw"``.
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_learning_rate(lr, "Learning rate should be >= 0 but is: {}")
        check_not_negative(momentum, "momentum should be >= 0 but is: {}")
        check_not_negative(weight_decay, "weight decay should be >= 0 but is: {}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{parameter.size()}"
                    )

    def _update_group(self, group: dict[str, Any]) -> None:
        rate, momentum = scale_of(group["lr"]), group["momentum"]
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = self.state[parameter]
            if not state:
                if parameter.is_complex():
                    raise RuntimeError("Muon does not support complex parameters")
                if gradient.is_sparse:
                    raise RuntimeError("Muon does not support sparse gradients")
                state["momentum_buffer"] = zeros_like(gradient)
            buffer = state["momentum_buffer"]
            buffer.add_((gradient - buffer) * (1 - momentum))
            update = gradient.lerp(buffer, momentum) if group["nesterov"] else buffer
            update = _orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
            parameter.mul_(1 - rate * group["weight_decay"])
            rows, columns = parameter.shape
            if group["adjust_lr_fn"] == "match_rms_adamw":
                ratio = 0.2 * max(rows, columns) ** 0.5
            else:
                ratio = max(1, rows / columns) ** 0.5
            parameter.sub_(update.to(dtype=parameter.dtype) * (rate * ratio))


def _orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """The orthogonal factor of ``matrix`` by Newton-Schulz iteration on the side with the smaller Gram matrix."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    first, second, third = coefficients
    tall = matrix.size(0) > matrix.size(1)
    factor = _rounded(matrix.T if tall else matrix)
    factor = _rounded(factor / _rounded(factor.norm()).clamp(min=eps))
    for _ in range(steps):
        gram = _rounded(factor @ factor.T)
        factor = _rounded(factor * first + _rounded(gram * second + (gram @ gram) * third) @ factor)
    return factor.T if tall else factor


def _rounded(value: Tensor) -> Tensor:
    """To bfloat16 and back: products are summed in float32, and each result is rounded once, as matrix units do."""
    return value.to(dtype=bfloat16).to(dtype=float32)
