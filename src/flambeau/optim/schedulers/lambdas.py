"""Schedules given by a function of the epoch."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

from ..optimizer import Optimizer
from .scheduler import LRScheduler, Rate

Factor = Callable[[int], float]


class _FunctionOfEpoch(LRScheduler):
    """Keeps one function for each group; of callable objects, their attributes go into the checkpoint."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1) -> None:
        self.optimizer = optimizer
        self.lr_lambdas: list[Factor]
        if isinstance(lr_lambda, (list, tuple)):
            if len(lr_lambda) != len(optimizer.param_groups):
                raise ValueError(f"Expected {len(optimizer.param_groups)} lr_lambdas, but got {len(lr_lambda)}")
            self.lr_lambdas = list(lr_lambda)
        else:
            self.lr_lambdas = [lr_lambda] * len(optimizer.param_groups)  # type: ignore[list-item]
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer; of the functions, only what callable objects hold."""
        state = {name: value for name, value in self.__dict__.items() if name not in ("optimizer", "lr_lambdas")}
        state["lr_lambdas"] = [
            None if isinstance(function, types.FunctionType) else function.__dict__.copy()
            for function in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a :meth:`state_dict`; the functions stay, callable objects get their attributes back."""
        self.__dict__.update({name: value for name, value in state_dict.items() if name != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)


class LambdaLR(_FunctionOfEpoch):
    r"""The initial learning rate times a function of the epoch: :math:`\gamma_t = \gamma_0 f(t)`.

    Args:
        optimizer: the optimizer.
        lr_lambda: :math:`f`, or a list with one for each group.
        last_epoch: the epoch to resume after, or -1.

    Example::

        >>> import flambeau as torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5 ** (epoch + 1)).get_last_lr()
        [0.5]
    """

    def get_lr(self) -> list[Rate]:
        """The next learning rates."""
        self._warn_outside_step()
        return [
            base * function(self.last_epoch) for base, function in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]


class MultiplicativeLR(_FunctionOfEpoch):
    r"""The learning rate times a function of the epoch, each epoch: :math:`\gamma_t = \gamma_{t-1} f(t)`.

    Args:
        optimizer: the optimizer.
        lr_lambda: :math:`f`, or a list with one for each group.
        last_epoch: the epoch to resume after, or -1.
    """

    def get_lr(self) -> list[Rate]:
        """The next learning rates."""
        self._warn_outside_step()
        if self._is_initial:
            return self._present()
        return [
            rate * function(self.last_epoch) for rate, function in zip(self._present(), self.lr_lambdas, strict=True)
        ]
