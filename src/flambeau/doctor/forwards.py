"""Mistakes in how the model is called: the mode it is in, and data that do not lie where its parameters do."""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import mode
from ..utils.nesting import tensors_in
from .findings import Reports, listed
from .places import here

#: Classes of modules that compute something else in evaluation than in training; by name, so that nothing is imported.
_MODAL = frozenset(("_DropoutNd", "_BatchNorm", "RReLU"))


class Forwards:
    """Looks at each call of the model, and of anything in it, before it runs."""

    def __init__(self, model: Any, reports: Reports) -> None:
        self.model, self.reports = model, reports
        self.evaluating: Any = None  # where the model was last called in evaluation mode with gradients on

    def before_model(self, args: Any) -> None:
        """The model is called."""
        modal = [
            name or type(each).__name__ for name, each in self.model.named_modules()
            if any(base.__name__ in _MODAL for base in type(each).__mro__)
        ]  # fmt: skip
        where = here()[0]
        training = self.model.training
        self.evaluating = None
        if modal and mode.enabled and not training:
            self.evaluating = (where, modal)
        elif modal and training and not mode.enabled:
            self.reports.add(
                "train-while-evaluating", where,
                f"the model is called without gradients, so to evaluate, but is in training mode: {listed(modal)} "
                "drop values at random or use (and change) the statistics of this batch. The result is worse than the model is, "
                "and differs from call to call.",
                "call model.eval() before evaluating, and model.train() before training goes on.",
            )  # fmt: skip
        self._check_dtype(args, where)

    def before_step(self) -> None:
        """The optimizer is about to step."""
        if self.evaluating is not None:
            where, modal = self.evaluating
            self.reports.add(
                "eval-while-training", where,
                f"the model is trained in evaluation mode: {listed(modal)} do not act as they should in training (dropout drops "
                "nothing, batch norm learns no statistics). An earlier model.eval() was never undone.",
                "call model.train() at the beginning of each epoch, before the training loop.",
            )  # fmt: skip

    def before_module(self, module: Any, args: Any) -> None:
        """Any module is called: its data must lie where its parameters do, and all on one device."""
        found: dict[str, str] = {}
        for name, each in module._parameters.items():
            if each is not None:
                found.setdefault(str(each._spec.device), f"the parameter '{name}'")
        for each in tensors_in(args):
            found.setdefault(str(each._spec.device), "the data")
        if len(found) > 1:
            on = " and ".join(f"{what} on {device}" for device, what in found.items())
            self.reports.add(
                "device", here()[0], f"{type(module).__name__} gets tensors on different devices: {on}. It cannot compute with both.",
                "move both to one device: device = next(model.parameters()).device; x, y = x.to(device), y.to(device). "
                "x.to() gives a new tensor, so keep its result.",
            )  # fmt: skip

    def explain(self, error: BaseException, where: Any) -> None:
        """An error ends the watch: was it for devices?"""
        text = str(error)
        if not isinstance(error, (RuntimeError, AssertionError)):
            return
        if "not compiled with CUDA" in text or ("device" in text and "use device='cpu'" in text):
            self.reports.add(
                "device", where, f"there is no such device here: {text}.",
                'ask first: device = torch.device("cuda" if torch.cuda.is_available() else "cpu"), then model.to(device) and '
                "x.to(device).",
            )  # fmt: skip

    def _check_dtype(self, args: Any, where: Any) -> None:
        own = next((each._spec.dtype for each in self.model.parameters() if each._spec.dtype.is_floating_point), None)
        for each in tensors_in(args):
            kind = each._spec.dtype
            if own is not None and kind.is_floating_point and kind is not own and not _autocasting():
                self.reports.add(
                    "dtype", where,
                    f"the data are {kind}, the model's parameters {own}. NumPy's numbers are float64 unless asked otherwise.",
                    "convert the data once, when they are loaded: torch.from_numpy(x).float(), or x.to(torch.float32).",
                )  # fmt: skip
                return


def _autocasting() -> bool:
    from ..amp.autocast_mode import is_autocast_enabled

    return bool(is_autocast_enabled("cpu"))
