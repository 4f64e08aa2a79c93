"""``watch``: the doctor looks on while a model is trained."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from ..autograd.anomaly_mode import noting_nodes
from ..nn.module_calls import register_module_forward_hook, register_module_forward_pre_hook
from ..tracing.watching import Watch
from .calls import Call, Calls
from .findings import Finding, Reports, print_finding
from .forwards import Forwards
from .gradients import Gradients
from .losses import check_loss
from .numbers import DeadReLUs, NaNs
from .places import Place, here, is_ours


class watch:
    """Watch a training loop, and report the classic mistakes in plain words as they happen.

    A context manager, or ``start()`` and ``stop()``. Each report names the line of your code and the remedy, and comes once
    for each line. While the doctor watches, operators run one by one, so that their numbers can be looked at; when it does
    not, it costs nothing.

    Args:
        model: the module that is trained.
        optimizer: its optimizer, or several; None when the parameters are updated by hand.
        ignore: kinds of mistakes (keys of ``doctor.KINDS``) that are not reported.
        report: called with each :class:`Finding`; by default it is printed on stderr.
        patience: for how many batches ReLUs must be silent to be called dead.
        exploding: the length of the whole gradient from which on it explodes.
        vanishing: the share of the largest gradient below which a weight's has vanished.

    Raises:
        TypeError: ``model`` is no module, or ``optimizer`` no optimizer.
        ValueError: ``ignore`` names a kind there is not.

    >>> import flambeau as torch
    >>> model = torch.nn.Linear(3, 1); optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with torch.doctor.watch(model, optimizer, report=lambda finding: print(finding.remedy)):
    ...     optimizer.step()
    call loss.backward() before step(); if you do, see that the loss depends on the model's output (no detach(), ...
    """

    def __init__(
        self, model: Any, optimizer: Any = None, *, ignore: Iterable[str] = (), report: Callable[[Finding], None] = print_finding,
        patience: int = 10, exploding: float = 1e4, vanishing: float = 1e-5,
    ) -> None:  # fmt: skip
        optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [] if optimizer is None else [optimizer]
        if not hasattr(model, "named_parameters") or not hasattr(model, "named_modules"):
            raise TypeError(f"doctor.watch: model must be an nn.Module, but got {type(model).__name__}")
        for each in optimizers:
            if not hasattr(each, "param_groups"):
                raise TypeError(f"doctor.watch: optimizer must be an optimizer, but got {type(each).__name__}")
        if isinstance(ignore, str):
            ignore = (ignore,)
        self.model, self.optimizers = model, optimizers
        self._reports = Reports(report, ignore)
        self._gradients = Gradients(model, optimizers, self._reports, exploding, vanishing)
        self._forwards = Forwards(model, self._reports)
        self._nans, self._relus = NaNs(self._reports), DeadReLUs(self._reports, patience)
        self._calls = Calls(self._on_call, self._on_numbers)
        self._watching: ExitStack | None = None

    @property
    def findings(self) -> list[Finding]:
        """Everything reported so far."""
        return self._reports.findings

    # -- on and off ----------------------------------------------------------------------------------------------------

    def start(self) -> watch:
        """Begin to watch."""
        if self._watching is not None:
            raise RuntimeError("doctor.watch: is watching already")
        self._names = {id(each): name for name, each in self.model.named_modules()}
        with ExitStack() as stack:
            for handle in (
                register_module_forward_pre_hook(self._before_forward),
                register_module_forward_hook(self._after_forward, always_call=True),
            ):
                stack.callback(handle.remove)
            for each in self.optimizers:
                stack.callback(each.register_step_pre_hook(self._before_step).remove)
                stack.callback(each.register_step_post_hook(self._after_step).remove)
            self._gradients.attach()
            stack.callback(self._gradients.detach)
            # Nodes of the graph remember the user's line, for the operators of their derivatives.
            stack.enter_context(noting_nodes(_remember))
            stack.enter_context(Watch(self._calls.note, self._calls.run))
            self._watching = stack.pop_all()
        return self

    def stop(self) -> None:
        """Watch no longer, and leave nothing behind."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.close()

    def __enter__(self) -> watch:
        return self.start()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None:
            frames = [(frame, line) for frame, line in traceback.walk_tb(trace)]
            users = [each for each in frames if not is_ours(each[0].f_code.co_filename)]
            frame, line = (users or frames)[-1]
            self._forwards.explain(error, Place(frame.f_code.co_filename, line, frame.f_code.co_name))
        self.stop()

    # -- what happens --------------------------------------------------------------------------------------------------

    def _before_forward(self, module: Any, args: Any) -> None:
        self._calls.open.append(self._names.get(id(module)) or type(module).__name__)
        if module is self.model:
            self._gradients.attach()
            self._forwards.before_model(args)
        self._forwards.before_module(module, args)

    def _after_forward(self, module: Any, args: Any, output: Any) -> None:
        self._calls.open.pop()

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if (len(args) > 1 and args[1] is not None) or kwargs.get("closure") is not None:
            return  # the closure is to compute the gradients yet
        self._forwards.before_step()
        self._gradients.before_step(optimizer)

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self._gradients.after_step()

    def _on_call(self, call: Call) -> None:
        check_loss(call, self._reports)

    def _on_numbers(self, call: Call, arrays: Any, made: Any) -> None:
        self._nans.look(call, arrays, made)
        self._relus.look(call, made)


def _remember(node: Any) -> None:
    node.where = here()[0]

