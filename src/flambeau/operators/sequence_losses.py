"""Connectionist temporal classification (Graves et al., 2006): the likelihood of a label sequence over all alignments."""

from __future__ import annotations

from typing import Any

from ..autograd.plans import called
from ..core.dtypes import bool_, int64
from .declaration import composite, functions


def _lengths(name: str, lengths: Any, batch: int) -> list[int]:
    found = lengths.tolist() if hasattr(lengths, "_spec") else [int(each) for each in lengths]
    found = found if isinstance(found, list) else [found]
    if len(found) != batch:
        raise RuntimeError(f"{name} must be of size batch_size (in ctc_loss): expected {batch}, got {len(found)}")
    return found


def _padded_targets(targets: Any, lengths: list[int], batch: int) -> Any:
    """Targets as (batch, longest), whatever lies past an end."""
    longest = max(lengths, default=0)
    if targets.dim() == 1:
        if sum(lengths) > targets.shape[0]:
            raise RuntimeError(
                f"Expected targets to have at least the sum of target_lengths ({sum(lengths)}) elements, got {targets.shape[0]} "
                "(in ctc_loss)"
            )
        starts = [sum(lengths[:k]) for k in range(batch)]
        places = [[start + min(k, max(n - 1, 0)) for k in range(longest)] for start, n in zip(starts, lengths)]
        index = functions["tensor"](places, dtype=int64).clamp(max=max(targets.shape[0] - 1, 0))
        return targets.index_select(0, index.reshape(-1)).reshape(batch, longest)
    if targets.shape[1] < longest:
        raise RuntimeError(
            f"Expected tensor to have size at least {longest} at dimension 1, but got size {targets.shape[1]} for argument #2 "
            "'targets' (while checking arguments for ctc_loss_cpu)"
        )
    return targets.narrow(1, 0, longest)


def _log_likelihoods(scores: Any, targets: Any, times: list[int], lengths: list[int], blank: int) -> Any:
    """log p(target) for each of the batch, by the forward recursion over labels with blanks between them."""
    steps, batch, _ = scores.shape
    longest = targets.shape[1]
    width = 2 * longest + 1
    tensor, where = functions["tensor"], functions["where"]
    labels = functions["full"]((batch, longest, 2), blank, dtype=int64)
    labels[:, :, 1] = targets.to(int64)
    labels = functions["cat"]((labels.reshape(batch, 2 * longest), functions["full"]((batch, 1), blank, dtype=int64)), 1)
    emitted = scores.gather(2, labels.unsqueeze(0).expand(steps, batch, width))
    nothing = scores.new_full((batch, 1), float("-inf"))
    # A label may be reached from two places before, unless it is blank or the label before it is the same one.
    skips = functions["zeros"]((batch, width), dtype=bool_)
    if longest > 1:
        skips[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    start = functions["zeros"]((batch, width), dtype=bool_)
    start[:, :2] = True
    alpha = where(start, emitted[0], float("-inf")) if steps else scores.new_full((batch, width), float("-inf"))
    ends = tensor(times, dtype=int64).unsqueeze(1)
    for time in range(1, steps):
        one = functions["cat"]((nothing, alpha[:, :-1]), 1)
        two = functions["cat"]((nothing, nothing, alpha[:, :-2]), 1)[:, :width]
        reached = _log_sum((alpha, one, where(skips, two, float("-inf"))))
        alpha = where(ends > time, reached + emitted[time], alpha)
    last = tensor([[2 * n, max(2 * n - 1, 0)] for n in lengths], dtype=int64)
    ending = alpha.gather(1, last)
    empty = tensor([n == 0 for n in lengths])
    return _log_sum((ending[:, 0], where(empty, float("-inf"), ending[:, 1])))


def _log_sum(parts: Any) -> Any:
    """log Σ exp, minus infinity (without a gradient) where every part is."""
    greatest = parts[0].detach()
    for each in parts[1:]:
        greatest = functions["maximum"](greatest, each.detach())
    impossible = greatest == float("-inf")
    greatest = greatest.masked_fill(impossible, 0)
    total = (parts[0] - greatest).exp()
    for each in parts[1:]:
        total = total + (each - greatest).exp()
    return (total.masked_fill(impossible, 1).log() + greatest).masked_fill(impossible, float("-inf"))


@composite(method=False)
def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0, reduction: Any = 1,
    zero_infinity: bool = False,
) -> Any:  # fmt: skip
    """-log p(targets) under log_probs (time, batch, classes), summed over all alignments with blanks.

    ``targets`` is (batch, longest) or all of them after each other. The mean is over the batch, of losses divided by
    the targets' lengths. As in PyTorch the gradient is that for ``log_probs`` made by ``log_softmax``.
    """
    reduction = {0: "none", 1: "mean", 2: "sum"}.get(reduction, reduction)
    if not log_probs.is_floating_point():
        raise RuntimeError("log_probs must be of floating point dtype (in ctc_loss)")
    if targets.dtype.is_floating_point or targets.dtype is bool_:
        raise RuntimeError("targets must be of integer dtype (in ctc_loss)")
    batched = log_probs.dim() == 3
    scores = log_probs if batched else log_probs.unsqueeze(1)
    steps, batch, classes = scores.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    times, lengths = _lengths("input_lengths", input_lengths, batch), _lengths("target_lengths", target_lengths, batch)
    if any(each < 0 for each in (*times, *lengths)):
        raise RuntimeError("Expected input_lengths and target_lengths to be non-negative (in ctc_loss)")
    if max(times, default=0) > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {max(times)} (while checking arguments for "
            "ctc_loss_cpu)"
        )
    if not batched and targets.dim() == 1:
        targets = targets.unsqueeze(0)
    padded = _padded_targets(targets, lengths, batch)
    # PyTorch's gradient counts on Σ exp(log_probs) = 1; this adds zero whose gradient is that of the sum.
    inside = functions["tensor"]([[time < n for n in times] for time in range(steps)]).unsqueeze(-1)
    sums = scores.exp().masked_fill(~inside, 0).sum(2, keepdim=True)
    scores = scores - (sums - sums.detach())
    loss = -_log_likelihoods(scores, padded, times, lengths, blank)
    if zero_infinity:
        loss = functions["where"](loss.detach() == float("inf"), functions["zeros_like"](loss), loss)
    if reduction == "mean":
        return (loss / functions["tensor"](lengths).to(loss.dtype).clamp(min=1)).mean()
    if reduction == "sum":
        return loss.sum()
    return (loss if zero_infinity else called(loss, "CtcLossBackward0")) if batched else loss.squeeze(0)
