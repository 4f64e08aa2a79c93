"""Averages of a model's weights over training: stochastic weight averaging and exponential moving averages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, Literal

from ..autograd.grad_mode import no_grad
from ..core.dtypes import int64
from ..nn.module import Module
from ..operators.creation import tensor
from ..tensor import Tensor
from .optimizer import Optimizer
from .schedulers.one_cycle import anneal_by_cosine, anneal_linearly
from .schedulers.scheduler import LRScheduler, Rate, one_per_group

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

AverageFunction = Callable[[Tensor, Tensor, Any], Tensor]
MultiAverageFunction = Callable[[Any, Any, Any], None]


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay: float = 0.999) -> AverageFunction:
    r"""The exponential moving average of one parameter: :math:`d\,\bar\theta + (1 - d)\,\theta`."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverageFunction:
    r"""The exponential moving average of many parameters, in place: :math:`d\,\bar\theta + (1 - d)\,\theta`."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Any, current_param_list: Any, _: Any) -> None:
        for average, current in zip(ema_param_list, current_param_list, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(average * decay + current * (1 - decay))

    return ema_update


def get_swa_avg_fn() -> AverageFunction:
    r"""The equal-weight average of one parameter: :math:`\bar\theta + (\theta - \bar\theta) / (n + 1)`."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_swa_multi_avg_fn() -> MultiAverageFunction:
    r"""The equal-weight average of many parameters, in place: :math:`\bar\theta + (\theta - \bar\theta) / (n + 1)`."""

    @no_grad()
    def swa_update(averaged_param_list: Any, current_param_list: Any, num_averaged: Any) -> None:
        for average, current in zip(averaged_param_list, current_param_list, strict=True):
            average.copy_(average + (current - average) / (num_averaged + 1))

    return swa_update


class AveragedModel(Module):
    r"""A copy of a model whose parameters are averages of the model's over training.

    The first :meth:`update_parameters` copies the model, each further one averages: with equal weights by default
    (stochastic weight averaging, Izmailov et al., `Averaging Weights Leads to Wider Optima and Better Generalization
    <https://arxiv.org/abs/1803.05407>`_, 2018), exponentially with :func:`get_ema_multi_avg_fn` (Polyak averaging).

    Args:
        model: the model to average; it is copied.
        device: where to keep the averages, by default where the model is.
        avg_fn: ``avg_fn(average, current, count)`` gives a parameter's new average.
        multi_avg_fn: ``multi_avg_fn(averages, currents, count)`` updates all averages in place; one of the two only.
        use_buffers: average the buffers too, rather than copy them. Otherwise see :func:`update_bn`.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AverageFunction | None = None,
        multi_avg_fn: MultiAverageFunction | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of ``model`` into the averages."""
        averages, currents = _averaged(self.module, self.use_buffers), _averaged(model, self.use_buffers)
        with no_grad():
            if bool(self.n_averaged == 0):
                for average, current in zip(averages, currents, strict=True):
                    average.copy_(current)
            elif self.avg_fn is not None:
                for average, current in zip(averages, currents, strict=True):
                    average.copy_(self.avg_fn(average, current.to(average.device), self.n_averaged))
            else:
                update = self.multi_avg_fn or get_swa_multi_avg_fn()
                update(averages, [current.to(average.device) for average, current in zip(averages, currents)],
                       self.n_averaged)  # fmt: skip
            if not self.use_buffers:  # keep them in step with the model
                for own, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                    own.copy_(theirs)
            self.n_averaged += 1


def _averaged(model: Module, use_buffers: bool) -> list[Tensor]:
    tensors: Iterable[Tensor] = model.parameters()
    if use_buffers:
        tensors = itertools.chain(tensors, model.buffers())
    return [entry.detach() for entry in tensors]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of the model's batch normalisation layers anew, in one pass over ``loader``.

    Averaged weights need it: their activations have statistics that no training step has seen.

    Args:
        loader: gives batches; of a list or tuple, the first element is the model's input.
        model: in whatever mode, which is kept.
        device: where to move the batches.
    """
    from ..nn.modules.batchnorm import _BatchNorm

    momenta: dict[Any, Any] = {}
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()
            momenta[module] = module.momentum
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.momentum = None  # a cumulative average
    for batch in loader:
        if isinstance(batch, (list, tuple)):
            batch = batch[0]
        if device is not None:
            batch = batch.to(device)
        model(batch)
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    r"""Anneal the learning rate to a fixed value, and stay there while weights are averaged.

    Args:
        optimizer: the optimizer.
        swa_lr: the value, or a list with one for each group.
        anneal_epochs: how many epochs that takes.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: the epoch to resume after, or -1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(one_per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_strategy: str = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How far the annealing has come at ``step``, from 0 to 1."""
        share = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        anneal = anneal_by_cosine if self._anneal_strategy == "cos" else anneal_linearly
        return float(anneal(0.0, 1.0, share))

    def get_lr(self) -> list[Rate]:
        """The next learning rates."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            target, rate = group["swa_lr"], group["lr"]
            # Other schedulers may have acted: where annealing would have to have started from to be here.
            start = target if before == 1 else (rate - before * target) / (1 - before)
            rates.append(target * now + start * (1 - now))
        return rates
