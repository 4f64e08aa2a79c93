"""Mistakes that show in the numbers while operators run: NaN and the operator that first made it, dead ReLUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .calls import Call
from .findings import Reports

#: What to do when an operator makes a NaN.
_REMEDIES = {
    "log": "its argument was 0 or negative: log(x.clamp(min=1e-8)); for log(softmax(x)) use log_softmax(x).",
    "log2": "its argument was 0 or negative: log2(x.clamp(min=1e-8)).",
    "log10": "its argument was 0 or negative: log10(x.clamp(min=1e-8)).",
    "log1p": "its argument was below -1: clamp it first.",
    "sqrt": "its argument was negative, or 0 where the gradient is infinite: sqrt(x.clamp(min=0) + 1e-8).",
    "rsqrt": "its argument was 0 or negative: rsqrt(x + 1e-8).",
    "div": "0/0 or ∞/∞: add a small number to the denominator, x / (y + 1e-8).",
    "reciprocal": "its argument was not a number already, or infinite: add a small number to it.",
    "pow": "a negative number to a fractional power, or 0 where the gradient is infinite: clamp the base first.",
    "sub": "∞ - ∞: find where the infinity comes from; subtract the maximum before exp, or use logsumexp.",
    "mul": "0·∞: find where the infinity comes from, and use torch.where with safe values on both sides.",
    "softmax": "a row with nothing but -inf (everything masked) has no softmax: leave one entry, or skip such rows.",
    "log_softmax": "a row with nothing but -inf (everything masked) has no softmax: leave one entry, or skip such rows.",
    "std": "the deviation of a single number is not defined: correction=0 (unbiased=False), or larger batches.",
    "var": "the variance of a single number is not defined: correction=0 (unbiased=False), or larger batches.",
    "mean": "the mean of nothing is not defined: look for an empty batch or mask.",
    "acos": "its argument was outside [-1, 1]: x.clamp(-1 + 1e-7, 1 - 1e-7).",
    "asin": "its argument was outside [-1, 1]: x.clamp(-1 + 1e-7, 1 - 1e-7).",
    "norm": "at 0 the gradient of the norm is not defined: add a small number, (x * x).sum().add(1e-12).sqrt().",
}
_OTHERWISE = (
    "look at what goes into this line; lower the learning rate, scale the data to about 1, or clip the gradients "
    "(nn.utils.clip_grad_norm_) when numbers have grown beyond bounds."
)
#: Operators that leave memory as they find it.
_UNDEFINED = frozenset(("empty", "empty_like", "empty_strided", "new_empty"))


class NaNs:
    """Finds the first operator whose result has a NaN that none of its operands had."""

    def __init__(self, reports: Reports) -> None:
        self.reports = reports
        self.infinite: Call | None = None  # the last call that made an infinity of finite numbers
        self.found = False

    def look(self, call: Call, arrays: Sequence[Any], made: Sequence[Any]) -> None:
        """The numbers of one call."""
        if call.rule.name in _UNDEFINED or not arrays:
            return
        for result in made:
            if not _floating(result) or np.isfinite(result).all():
                continue
            if np.isnan(result).any():
                if not any(_has(np.isnan, each) for each in arrays):
                    self._report(call, any(_has(np.isinf, each) for each in arrays))
                elif not self.found and call.derivative is None:
                    self._report_data(call)
            elif not any(_has(np.isinf, each) for each in arrays):
                self.infinite = call

    def _report(self, call: Call, from_infinity: bool) -> None:
        self.found = True
        name = call.rule.name
        where, what = call.where, f"{name} made a NaN out of numbers that were none."
        if call.derivative is not None:
            name, made_at = call.derivative
            name = name.lower()
            what = f"The derivative of {name} made a NaN (in its operator {call.rule.name}), though its own result was a number."
            if made_at is not None and hasattr(made_at, "named"):
                where = made_at
                what += f" backward() was called at {call.where.named()}." if call.where is not None else ""
        if call.module:
            what += f" It belongs to the module '{call.module}'."
        if from_infinity and self.infinite is not None:
            source = self.infinite
            at = f" at {source.where.named()}" if source.where is not None else ""
            what += f" An infinity had come from {source.rule.name}{at}."
        what += " Every number computed from it is NaN too, and after one step so are the weights."
        self.reports.add("nan", where, what, _REMEDIES.get(name, _REMEDIES.get(call.rule.name, _OTHERWISE)))

    def _report_data(self, call: Call) -> None:
        self.found = True
        self.reports.add(
            "nan", call.where,
            f"{call.rule.name} got a NaN that no operator had made: it came in with the data or with the initial weights.",
            "clean the data: x.isnan().any() finds it, torch.nan_to_num(x) or dropping the rows removes it.",
        )  # fmt: skip


def _floating(value: Any) -> bool:
    # (A result without dimensions may be one of NumPy's scalars.)
    return isinstance(value, (np.ndarray, np.generic)) and (value.dtype.kind in "fc" or value.dtype.isbuiltin != 1)


def _has(test: Any, value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        return _floating(value) and bool(test(value).any())
    return isinstance(value, (float, complex)) and bool(test(value))


class DeadReLUs:
    """Counts for how many batches each unit behind a ReLU has given nothing but zeros."""

    def __init__(self, reports: Reports, patience: int) -> None:
        self.reports, self.patience = reports, patience
        self.silent: dict[Any, Any] = {}

    def look(self, call: Call, made: Sequence[Any]) -> None:
        """The numbers of one call, if it is a ReLU's in training."""
        if call.rule.name != "relu" or not call.learning or call.derivative is not None:
            return
        result = made[0]
        if result.ndim < 2 or not result.size:
            return
        # Units are features (batch, features) or channels (batch, channels, …); of three dimensions it may be either.
        for axis in (1, 2) if result.ndim == 3 else (1,):
            units = result.shape[axis]
            if units < 2:
                continue
            key = (call.module, call.where and (call.where.filename, call.where.line), axis, units)
            active = (result > 0).any(axis=tuple(each for each in range(result.ndim) if each != axis))
            counts = self.silent.get(key)
            counts = self.silent[key] = np.where(active, 0, 1 if counts is None else counts + 1)
            dead = int((counts >= self.patience).sum())
            if dead > units // 2:
                self._report(call, dead, units)

    def _report(self, call: Call, dead: int, units: int) -> None:
        module = f" of the module '{call.module}'" if call.module else ""
        self.reports.add(
            "dead-relu", call.where,
            f"{dead} of {units} ReLUs{module} gave 0 for every sample of the last {self.patience} batches: no gradient passes "
            "through them, so they will not come back by themselves.",
            "lower the learning rate, initialise with nn.init.kaiming_normal_ and small biases, scale the data to about 1, put "
            "a BatchNorm before them, or use LeakyReLU.",
            about=call.module,
        )  # fmt: skip
