"""Mistakes around gradients: never zeroed, missing, not given to the optimizer, exploding, vanishing."""

from __future__ import annotations

import math
import weakref
from collections import deque
from statistics import median
from typing import Any

import numpy as np

from ..tracing.recorder import array_of
from .findings import Reports, listed
from .places import here

#: A weight's gradient that stays below this share of the largest one's, for so many steps, has vanished.
STEPS_VANISHED = 3
#: Gradients explode when they are this many times as long as usual.
JUMP = 100.0


class Gradients:
    """What happens to the gradients of a model between steps of an optimizer."""

    def __init__(self, model: Any, optimizers: list[Any], reports: Reports, exploding: float, vanishing: float) -> None:
        self.model, self.optimizers, self.reports = model, optimizers, reports
        self.exploding, self.vanishing = exploding, vanishing
        self.held: dict[int, tuple[Any, int, int]] = {}  # parameter -> its gradient, the versions of both at last sight
        self.stale: dict[int, tuple[Any, Any]] = {}  # parameter -> where its old gradient was added to, and that gradient
        self.names: dict[int, str] = {}
        self.arrived = False  # a gradient has arrived since the last step
        self.lengths: deque[float] = deque(maxlen=20)
        self.weak: dict[str, int] = {}  # for how many steps a weight's gradient has been tiny
        self.handles: list[Any] = []

    def attach(self) -> None:
        """Watch parameters that are not watched yet."""
        for name, parameter in self.model.named_parameters():
            if id(parameter) not in self.names and parameter.requires_grad:
                self.names[id(parameter)] = name
                self.handles.append(parameter.register_post_accumulate_grad_hook(self.on_arrival))

    def detach(self) -> None:
        """Watch no longer."""
        for each in self.handles:
            each.remove()
        self.handles.clear()
        self.names.clear()
        self.held.clear()
        self.stale.clear()

    # -- never zeroed --------------------------------------------------------------------------------------------------

    def on_arrival(self, parameter: Any) -> None:
        """A gradient has been added to a parameter's."""
        self.arrived = True
        grad = parameter._grad
        before = self.held.get(id(parameter))
        version, own = grad._cell.version, parameter._cell.version
        # The same tensor, written to by this backward only since it was last seen: nobody has zeroed it.
        kept = before is not None and before[0]() is grad and version == before[1] + 1
        if not kept:
            self.stale.pop(id(parameter), None)
        elif before is not None and own != before[2]:  # and the parameter has moved since
            self.stale[id(parameter)] = (here()[0], before[0])
            if not self.optimizers:
                self._report_stale([parameter])
        self.held[id(parameter)] = (weakref.ref(grad), version, own)

    def _report_stale(self, parameters: list[Any]) -> None:
        """Report those gradients of these parameters that hold what earlier steps have used already.

        Not before they are used: a generator's backward, say, adds to the gradients of a discriminator, which zeroes them.
        """
        used = []
        for each in parameters:
            where, grad = self.stale.pop(id(each), (None, None))
            if grad is not None and each._grad is not None and grad() is each._grad:
                used.append((each, where))
        if used:
            names = [self.names.get(id(each), "?") for each, _ in used]
            self.reports.add(
                "gradients-not-zeroed", used[0][1],
                f"backward() adds to the gradients of the step before, which nobody has zeroed ({listed(names)}): each step "
                "follows the sum of all gradients so far.",
                "call optimizer.zero_grad() once in each step, before loss.backward() (or w.grad.zero_() for each parameter, "
                "when you update by hand).",
            )  # fmt: skip

    # -- missing -------------------------------------------------------------------------------------------------------

    def before_step(self, optimizer: Any) -> None:
        """The optimizer is about to step."""
        where = here()[0]
        given = {id(each): each for group in optimizer.param_groups for each in group["params"]}
        everywhere = {id(each) for one in self.optimizers for group in one.param_groups for each in group["params"]}
        self._report_stale(list(given.values()))
        trainable = [(name, each) for name, each in self.model.named_parameters() if each.requires_grad]
        if trainable and not any(id(each) in everywhere for _, each in trainable):
            self.reports.add(
                "other-parameters", where,
                "none of the model's parameters is in the optimizer: it updates others, and the model stays as it is. The model "
                "was probably made anew (or its parameters replaced) after the optimizer.",
                "make the optimizer after the model is finished: optimizer = torch.optim.SGD(model.parameters(), lr=...).",
            )  # fmt: skip
            return
        forgotten = [name for name, each in trainable if id(each) not in everywhere]
        if forgotten:
            self.reports.add(
                "not-in-optimizer", where,
                f"the optimizer does not have {listed(forgotten)}: they require grad, but will never change.",
                "give it all of model.parameters(), or call optimizer.add_param_group({'params': ...}); where they are meant to "
                "stay as they are, say so: parameter.requires_grad_(False).",
                about=tuple(forgotten),
            )  # fmt: skip
        mine = [(name, each) for name, each in trainable if id(each) in given]
        missing = [name for name, each in mine if each._grad is None]
        if mine and len(missing) == len(mine):
            self._report_nothing(where)
        elif missing:
            self.reports.add(
                "no-gradient", where,
                f"backward() has reached no gradient for {listed(missing)}: they do not change.",
                "see that forward() uses these modules, that their results go into the loss, and that nothing on the way is "
                "detach(), .data, .item(), NumPy or under no_grad.",
                about=tuple(missing),
            )  # fmt: skip
        self.arrived = False
        self._measure([(name, each) for name, each in mine if each._grad is not None], where)

    def _report_nothing(self, where: Any) -> None:
        if self.arrived:
            self.reports.add(
                "zeroed-before-step", where,
                "backward() has computed gradients, but zero_grad() threw them away before step(): nothing is learned.",
                "keep the order zero_grad(), loss.backward(), step().",
            )  # fmt: skip
        else:
            self.reports.add(
                "step-without-backward", where,
                "no parameter has a gradient: step() does nothing.",
                "call loss.backward() before step(); if you do, see that the loss depends on the model's output (no detach(), "
                ".item() or no_grad in between).",
            )  # fmt: skip

    def after_step(self) -> None:
        """The optimizer has stepped."""
        for key, (reference, _, own) in list(self.held.items()):
            grad = reference()
            if grad is not None:
                self.held[key] = (reference, grad._cell.version, own)

    # -- too large, too small ------------------------------------------------------------------------------------------

    def _measure(self, parameters: list[tuple[str, Any]], where: Any) -> None:
        if not parameters or {"exploding-gradients", "vanishing-gradients"} <= self.reports.ignore:
            return
        squares = {name: _square(each._grad) for name, each in parameters}
        length = math.sqrt(sum(squares.values())) if all(map(math.isfinite, squares.values())) else math.inf
        usual = median(self.lengths) if len(self.lengths) >= 5 else None
        jumped = usual is not None and length > JUMP * usual and length > 10
        if length > self.exploding or jumped:
            worst = max(squares, key=lambda name: squares[name] if squares[name] == squares[name] else math.inf)
            than = f", {length / usual:.0f} times as much as usual" if jumped and usual and math.isfinite(length) else ""
            self.reports.add(
                "exploding-gradients", where,
                f"the gradient has length {length:.3g}{than}, most of it from '{worst}': the next step will throw the weights "
                "far off, and the loss will become inf or NaN.",
                "clip it before step(): torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0); lower the learning rate; scale "
                "inputs and targets to about 1; in deep or recurrent networks, normalise between layers.",
            )  # fmt: skip
        if math.isfinite(length):
            self.lengths.append(length)
            self._find_vanished(parameters, squares, where)

    def _find_vanished(self, parameters: list[tuple[str, Any]], squares: dict[str, float], where: Any) -> None:
        sizes = {
            name: math.sqrt(squares[name] / each._spec.numel)
            for name, each in parameters if each._spec.ndim >= 2 and each._spec.numel
        }  # fmt: skip
        largest = max(sizes.values(), default=0.0)
        for name, size in sizes.items():
            self.weak[name] = self.weak.get(name, 0) + 1 if largest > 0 and size < self.vanishing * largest else 0
        gone = [name for name in sizes if self.weak[name] >= STEPS_VANISHED]
        if gone:
            self.reports.add(
                "vanishing-gradients", where,
                f"for {STEPS_VANISHED} steps the gradient of {listed(gone)} has been less than {self.vanishing:g} of the largest "
                "one, element for element: these layers do not learn.",
                "use ReLU instead of sigmoid or tanh between layers, initialise with nn.init.kaiming_normal_ or xavier_normal_, "
                "add BatchNorm or skip connections; for sequences use LSTM or GRU.",
            )  # fmt: skip


def _square(grad: Any) -> float:
    """The square of a gradient's length."""
    array = np.asarray(array_of(grad._cell))
    numbers = np.abs(array).astype(np.float64).reshape(-1)
    return float(numbers @ numbers)
