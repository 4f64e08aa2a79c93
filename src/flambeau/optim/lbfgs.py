"""L-BFGS: a quasi-Newton method with limited memory."""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import enable_grad, no_grad
from ..operators.joining import cat
from ..operators.views import view_as_real
from ..tensor import Tensor
from .arguments import check_learning_rate
from .complex_views import as_real
from .optimizer import Closure, Optimizer, Parameters
from .strong_wolfe import strong_wolfe


class LBFGS(Optimizer):
    r"""L-BFGS, optionally with a strong Wolfe line search.

    Each iteration moves along :math:`d = -H g`, where the inverse Hessian :math:`H` is known only through the last
    ``history_size`` pairs :math:`s = \Delta\theta,\; y = \Delta g`, by the two-loop recursion:

    .. math::
        q \leftarrow -g; \quad \alpha_i = \rho_i s_i^\top q,\; q \leftarrow q - \alpha_i y_i; \quad
        q \leftarrow \frac{s^\top y}{y^\top y} q; \quad q \leftarrow q + (\alpha_i - \rho_i y_i^\top q) s_i; \quad d = q

    After Nocedal, `Updating quasi-Newton matrices with limited storage
    <https://doi.org/10.1090/S0025-5718-1980-0572855-7>`_ (1980), as in Schmidt's minFunc. It needs a closure, allows
    one parameter group, and keeps two vectors of the size of all parameters for each step it remembers.

    Args:
        params: tensors; all of them on one device.
        lr: the first step length to try.
        max_iter: iterations in one :meth:`step`.
        max_eval: evaluations in one :meth:`step`, by default ``max_iter * 5 // 4``.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when the objective, and the parameters, change less.
        history_size: how many steps to remember.
        line_search_fn: ``"strong_wolfe"`` or ``None``.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor([4.0])); optimizer = torch.optim.LBFGS([weight], lr=0.5)
        >>> def closure():
        ...     optimizer.zero_grad(); loss = ((weight - 1) ** 2).sum(); loss.backward(); return loss
        >>> optimizer.step(closure).item(), round(weight.item(), 4)
        (9.0, 1.0)
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_learning_rate(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def _flat_gradient(self) -> Tensor:
        pieces = []
        for parameter in self._params:
            gradient = parameter.grad
            if gradient is None:
                gradient = parameter.new_zeros(parameter.shape)
            elif gradient.is_sparse:
                gradient = gradient.to_dense()
            if gradient.is_complex():
                gradient = view_as_real(gradient)
            pieces.append(gradient.reshape(-1))
        return cat(pieces, 0)

    def _move(self, length: float, direction: Tensor) -> None:
        """Add ``length * direction`` to the parameters."""
        offset = 0
        for parameter in self._params:
            (target,) = as_real(parameter)
            count = target.numel()
            target.add_(direction[offset : offset + count].view_as(target), alpha=length)
            offset += count

    def _evaluate_at(
        self, closure: Closure, start: list[Tensor], length: float, direction: Tensor
    ) -> tuple[float, Tensor]:
        """Objective and gradient ``length`` along ``direction`` from ``start``, where the parameters are left."""
        self._move(length, direction)
        loss = float(closure())
        gradient = self._flat_gradient()
        for parameter, value in zip(self._params, start, strict=True):
            parameter.copy_(value)
        return loss, gradient

    @no_grad()
    def step(self, closure: Closure) -> Any:
        """Minimise for up to ``max_iter`` iterations; ``closure`` clears the gradients, computes them and the loss.

        Returns the loss before the step.
        """
        closure = enable_grad()(closure)
        group = self.param_groups[0]
        rate = group["lr"]
        max_iter, max_eval = group["max_iter"], group["max_eval"]
        tolerance_grad, tolerance_change = group["tolerance_grad"], group["tolerance_change"]
        line_search = group["line_search_fn"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first_loss = closure()
        loss = float(first_loss)
        evaluations = 1
        state["func_evals"] += 1
        gradient = self._flat_gradient()
        optimal = bool(gradient.abs().max() <= tolerance_grad)
        if optimal:
            return first_loss

        history = _History(state, group["history_size"])
        direction, length, previous_gradient = state.get("d"), state.get("t"), state.get("prev_flat_grad")
        previous_loss = state.get("prev_loss")
        iteration = 0
        while iteration < max_iter:
            iteration += 1
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction = -gradient
                history.clear()
            else:
                history.remember(gradient - previous_gradient, direction * length)
                direction = history.newton_direction(gradient)
            previous_gradient = gradient.clone()
            previous_loss = loss

            # The very first direction has the gradient's scale, not that of a Newton step.
            length = min(1.0, 1.0 / float(gradient.abs().sum())) * rate if state["n_iter"] == 1 else rate
            slope = float(gradient.dot(direction))
            if slope > -tolerance_change:
                break
            new_evaluations = 0
            if line_search is not None:
                if line_search != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = [parameter.clone() for parameter in self._params]
                step_direction = direction

                def evaluate(
                    at: float, start: list[Tensor] = start, along: Tensor = step_direction
                ) -> tuple[float, Tensor]:
                    return self._evaluate_at(closure, start, at, along)

                loss, gradient, length, new_evaluations = strong_wolfe(
                    evaluate, float(length), direction, loss, gradient, slope, tolerance_change=tolerance_change
                )
                self._move(length, direction)
                optimal = bool(gradient.abs().max() <= tolerance_grad)
            else:
                self._move(float(length), direction)
                if iteration != max_iter:  # the gradient after the last iteration is the next step's first one
                    loss = float(closure())
                    gradient = self._flat_gradient()
                    optimal = bool(gradient.abs().max() <= tolerance_grad)
                    new_evaluations = 1
            evaluations += new_evaluations
            state["func_evals"] += new_evaluations
            if iteration == max_iter or evaluations >= max_eval or optimal:
                break
            if float((direction * length).abs().max()) <= tolerance_change:
                break
            if abs(loss - previous_loss) < tolerance_change:
                break
        state["d"], state["t"] = direction, length
        history.save()
        state["prev_flat_grad"], state["prev_loss"] = previous_gradient, previous_loss
        return first_loss


class _History:
    """What L-BFGS knows of the curvature: the last changes of gradient and parameters, and the scale of H."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.state = state
        self.size = size
        self.gradient_changes: list[Tensor] = state.get("old_dirs") or []
        self.changes: list[Tensor] = state.get("old_stps") or []
        self.inverses: list[Tensor] = state.get("ro") or []
        self.scale: Any = state.get("H_diag")

    def clear(self) -> None:
        self.gradient_changes, self.changes, self.inverses, self.scale = [], [], [], 1

    def save(self) -> None:
        """Back into the optimizer's state, under PyTorch's names."""
        self.state.update(
            old_dirs=self.gradient_changes, old_stps=self.changes, ro=self.inverses, H_diag=self.scale
        )

    def remember(self, gradient_change: Tensor, change: Tensor) -> None:
        """Keep a pair of changes if the curvature along it is positive; forget the oldest when there are too many."""
        product = gradient_change.dot(change)
        if not bool(product > 1e-10):
            return
        if len(self.changes) == self.size:
            for entries in (self.gradient_changes, self.changes, self.inverses):
                entries.pop(0)
        self.gradient_changes.append(gradient_change)
        self.changes.append(change)
        self.inverses.append(1.0 / product)
        self.scale = product / gradient_change.dot(gradient_change)

    def newton_direction(self, gradient: Tensor) -> Tensor:
        """Minus the approximate inverse Hessian times ``gradient``, by the two-loop recursion."""
        if self.state.get("al") is None:
            self.state["al"] = [None] * self.size
        weights = self.state["al"]
        direction = -gradient
        for index in reversed(range(len(self.changes))):
            weights[index] = self.changes[index].dot(direction) * self.inverses[index]
            direction = direction - weights[index] * self.gradient_changes[index]
        direction = direction * self.scale
        for index in range(len(self.changes)):
            correction = self.gradient_changes[index].dot(direction) * self.inverses[index]
            direction = direction + (weights[index] - correction) * self.changes[index]
        return direction
