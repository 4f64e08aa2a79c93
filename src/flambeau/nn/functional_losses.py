"""Losses as ``nn.functional`` offers them: ``reduction`` is "mean", "sum" or "none" (every element's loss).

``size_average`` and ``reduce`` are PyTorch's former way to say the same; giving one warns.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from ..autograd.plans import called
from ..core.dtypes import FLOATING, INTEGER
from ..core.names import scalar_name
from ..operators import classification_losses as classification, losses
from ..operators.contraction import linear
from ..operators.declaration import functions
from ..operators.distances import cosine_similarity, pairwise_distance
from ..operators.indexing import known
from ..operators.sequence_losses import ctc_loss as _ctc_loss
from ..primitives.checks import check_classes


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that ``size_average`` and ``reduce`` ask for, with a warning."""
    size_average = size_average is None or size_average
    found = "none" if reduce is not None and not reduce else "mean" if size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{found}' instead.", stacklevel=4
    )
    return found


def _reduction(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    if size_average is not None or reduce is not None:
        return legacy_reduction(size_average, reduce)
    if reduction not in losses.REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return reduction


def _reduced(loss: Any, reduction: str) -> Any:
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def _warn_about_sizes(input: Any, target: Any) -> None:
    if input._spec.shape != target._spec.shape:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). This will likely lead "
            "to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def _difference(
    operator: Callable[..., Any], input: Any, target: Any, reduction: str, weight: Any, *number: float
) -> Any:
    if weight is None:
        return operator(input, target, reduction, *number)
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    return operator(input, target, "none", *number) * weight


def _weighted_average(loss: Any, weight: Any, reduction: str) -> Any:
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.sum() / weight.sum()


# -- of the difference --------------------------------------------------------------------------------------------------


def l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    weight: Any = None,
) -> Any:  # fmt: skip
    """|input - target|.

    >>> import flambeau as torch
    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 4.0]), torch.tensor([0.0, 0.0]))
    tensor(2.5000)
    """
    reduction = _reduction(reduction, size_average, reduce)
    _warn_about_sizes(input, target)
    loss = _difference(losses.l1_loss, input, target, reduction, weight)
    return loss if weight is None else _weighted_average(loss, weight, reduction)


def mse_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    weight: Any = None,
) -> Any:  # fmt: skip
    """(input - target)².

    >>> import flambeau as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.0]))
    tensor(5.)
    """
    reduction = _reduction(reduction, size_average, reduce)
    _warn_about_sizes(input, target)
    loss = _difference(losses.mse_loss, input, target, reduction, weight)
    return loss if weight is None else _weighted_average(loss, weight, reduction)


def smooth_l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    beta: float = 1.0,
) -> Any:  # fmt: skip
    """d²/(2·beta) where |d| < beta, else |d| - beta/2, for d = input - target (Girshick, "Fast R-CNN", 2015)."""
    reduction = _reduction(reduction, size_average, reduce)
    _warn_about_sizes(input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return losses.l1_loss(input, target, reduction) if beta == 0 else losses.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """d²/2 where |d| ≤ delta, else delta·(|d| - delta/2), for d = input - target (Huber, 1964)."""
    reduction = _reduction(reduction)
    _warn_about_sizes(input, target)
    if not isinstance(delta, (int, float)):
        raise TypeError(f"delta must be a float or int, got: {type(delta)}")
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    loss = _difference(losses.huber_loss, input, target, reduction, weight, delta)
    return loss if weight is None else _reduced(loss, reduction)


# -- of classes ---------------------------------------------------------------------------------------------------------


def nll_loss(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, ignore_index: int = -100,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """-weight[target]·input[target], input holding log-probabilities (batch, classes, ...), target class numbers.

    >>> import flambeau as torch
    >>> torch.nn.functional.nll_loss(torch.tensor([[-0.5, -1.0]]), torch.tensor([1]))
    tensor(1.)
    """
    _check_targets(input, target, ignore_index)
    return classification.nll_loss(input, target, weight, _reduction(reduction, size_average, reduce), ignore_index)


def _check_targets(input: Any, target: Any, ignore_index: int) -> None:
    """Raise IndexError at the call for a class number out of range, when the targets are known (they mostly are)."""
    shape = input._spec.shape
    if target._spec.ndim != len(shape) - 1 or target._spec.dtype.category != INTEGER:
        return  # refused by the operator, which knows what to say
    array = known(target)
    if array is not None:
        check_classes(array, shape[1] if len(shape) > 1 else shape[0], ignore_index)


def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, ignore_index: int = -100,
    reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """-log softmax(input)[target] for class numbers, or -Σ target·log softmax(input) for probabilities of input's shape.

    >>> import flambeau as torch
    >>> torch.nn.functional.cross_entropy(torch.zeros(3, 10), torch.tensor([1, 0, 4]))
    tensor(2.3026)
    """
    reduction = _reduction(reduction, size_average, reduce)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")
    if input._spec.shape != target._spec.shape or not input._spec.ndim:
        _check_targets(input, target, ignore_index)
        return classification.cross_entropy(input, target, weight, reduction, ignore_index, label_smoothing)
    if target._spec.dtype.category < FLOATING:
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {scalar_name(target._spec.dtype)}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)


def _soft_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    axis = 1 if input._spec.ndim > 1 else 0
    classes = input._spec.shape[axis]
    if weight is not None and tuple(weight._spec.shape) != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight "
            f"tensor of shape: {list(weight._spec.shape)}"
        )
    logarithms = functions["log_softmax"](input, axis)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = logarithms * target
    if weight is not None:
        terms = terms * weight.reshape([classes if each == axis else 1 for each in range(input._spec.ndim)])
    if reduction == "none":
        return -terms.sum(axis)
    total = -terms.sum()
    if reduction == "sum":
        return total
    return called(total / (input._spec.numel / classes if classes else 0), "DivBackward1")


def linear_cross_entropy(
    input: Any, linear_weight: Any, target: Any, *, linear_bias: Any = None, weight: Any = None, reduction: str = "mean",
    ignore_index: int | None = None, label_smoothing: float = 0.0, options: Any = None,
) -> Any:  # fmt: skip
    """The cross entropy of ``linear(input, linear_weight, linear_bias)``.

    ``linear_weight`` is (classes, features) or (classes, d1, ..., features), with a loss for each place of d1, ... .
    ``options`` (how to save memory by working in chunks) does not change the result; here programs plan their memory.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
    places = tuple(linear_weight.shape[1:-1])
    if places and input.dim() != 2:
        raise RuntimeError(f"linear_cross_entropy: expected input of shape (N, in_features), got {list(input.shape)}")
    if places:
        linear_bias = None if linear_bias is None else linear_bias.reshape(-1)
        scores = linear(input, linear_weight.reshape(-1, linear_weight.shape[-1]), linear_bias)
        scores = scores.reshape(input.shape[0], linear_weight.shape[0], *places)
    else:
        scores = linear(input, linear_weight, linear_bias)
    if ignore_index is None:
        ignore_index = -100
    return cross_entropy(scores, target, weight, None, ignore_index, None, reduction, label_smoothing)


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """Σ over c ≠ t of max(0, margin - x[t] + x[c])^p / classes."""
    reduction = _reduction(reduction, size_average, reduce)
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    return classification.multi_margin_loss(input, target, p, margin, weight, reduction)


def multilabel_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """Σ over labels t and other classes c of max(0, 1 - x[t] + x[c]) / classes; a row of labels ends at the first -1."""
    return classification.multilabel_margin_loss(input, target, _reduction(reduction, size_average, reduce))


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """-(t·log sigmoid(x) + (1 - t)·log sigmoid(-x)), averaged over the classes."""
    reduction = _reduction(reduction, size_average, reduce)
    logsigmoid = _logsigmoid()
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return _reduced(loss.sum(-1) / input.size(-1), reduction)


def _logsigmoid() -> Any:
    from ..operators.activation import logsigmoid

    return logsigmoid


# -- of probabilities ---------------------------------------------------------------------------------------------------


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """-w·(t·log x + (1 - t)·log(1 - x)) for probabilities x.

    >>> import flambeau as torch
    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = _reduction(reduction, size_average, reduce)
    if target._spec.shape != input._spec.shape:
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is deprecated. Please "
            "ensure they have the same size."
        )
    return losses.binary_cross_entropy(input, target, _expanded(weight, target), reduction)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", pos_weight: Any = None,
) -> Any:  # fmt: skip
    """:func:`binary_cross_entropy` of sigmoid(input), computed without overflow; ``pos_weight`` multiplies log x.

    >>> import flambeau as torch
    >>> torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = _reduction(reduction, size_average, reduce)
    if target._spec.shape != input._spec.shape:
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    return losses.binary_cross_entropy_with_logits(
        input, target, _expanded(weight, target), _expanded(pos_weight, target), reduction
    )


def _expanded(weight: Any, like: Any) -> Any:
    return weight if weight is None or weight._spec.shape == like._spec.shape else weight.expand(like._spec.shape)


def kl_div(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    log_target: bool = False,
) -> Any:  # fmt: skip
    """t·(log t - x) for log-probabilities x; "batchmean" divides the sum by the batch size.

    >>> import flambeau as torch
    >>> torch.nn.functional.kl_div(torch.tensor([[0.0]]), torch.tensor([[1.0]]), reduction="batchmean")
    tensor(0.)
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by "
            "the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as "
            "'batchmean' in the next major release.",
            stacklevel=2,
        )
    if reduction == "batchmean":
        total = losses.divergence(input, target, "sum", log_target)
        return total / input.size(0) if input._spec.ndim else total
    return losses.divergence(input, target, _reduction(reduction), log_target)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, size_average: bool | None = None,
    eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """exp(x) - t·x for x the logarithm of the rate (x - t·log(x + eps) for the rate itself); ``full`` adds Stirling's term."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _reduction(reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return _reduced(loss, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """(log v + (x - t)²/v)/2 with v = max(var, eps); ``full`` adds log(2π)/2.

    Nix and Weigend, "Estimating the mean and variance of the target probability distribution", 1994.
    """
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * functions["ones_like"](input)
    elif (var < 0).any():
        raise ValueError("var has negative entry/entries")
    shape, sizes = tuple(input._spec.shape), tuple(var._spec.shape)
    if sizes != shape:
        if sizes == shape[:-1]:
            var = var.unsqueeze(-1)
        elif not (len(sizes) == len(shape) and sum(a != b for a, b in zip(sizes, shape)) == 1 and 1 in sizes):
            raise ValueError("var is of incorrect size")
    _reduction(reduction)
    # Where eps takes over, the variance still gets the gradient of its own logarithm.
    var = var + (var.detach().clamp(min=eps) - var.detach())
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduced(loss, reduction)


def soft_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """log(1 + exp(-t·x)) for targets of 1 and -1."""
    return losses.soft_margin_loss(input, target, _reduction(reduction, size_average, reduce))


# -- of pairs and triples -----------------------------------------------------------------------------------------------


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """x where t is 1, max(0, margin - x) where t is -1."""
    reduction = _reduction(reduction, size_average, reduce)
    zero = functions["zeros_like"](input)
    near = functions["where"](target != 1, (margin - input).clamp(min=0), zero)
    far = functions["where"](target != -1, input, zero)
    return _reduced(near + far, reduction)


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, -t·(x1 - x2) + margin)."""
    reduction = _reduction(reduction, size_average, reduce)
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return _reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """1 - cos(x1, x2) where t is 1, max(0, cos(x1, x2) - margin) where t is -1."""
    reduction = _reduction(reduction, size_average, reduce)
    if target.dim() not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and target.dim() + 1 != input1.dim():
        raise RuntimeError("1D target tensor expects 2D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")  # fmt: skip
    if target.dim() == 0 and input1.dim() != 1:
        raise RuntimeError("0D target tensor expects 1D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")  # fmt: skip
    similarity = _smoothed_cosine(input1, input2)
    zero = functions["zeros_like"](similarity)
    alike = functions["where"](target == 1, 1 - similarity, zero)
    different = functions["where"](target == -1, (similarity - margin).clamp(min=0), zero)
    return _reduced(alike + different, reduction)


def _smoothed_cosine(x: Any, y: Any) -> Any:
    tiny = 1e-12
    return (x * y).sum(-1) / (((x * x).sum(-1) + tiny) * ((y * y).sum(-1) + tiny)).sqrt()


def _triplet(near: Any, far: Any, margin: float, reduction: str) -> Any:
    return _reduced((margin + near - far).clamp_min(0), reduction)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2, eps: float = 1e-6, swap: bool = False,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, |a - p| - |a - n| + margin) (Balntas et al., "Learning shallow convolutional feature descriptors", 2016)."""
    reduction = _reduction(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = functions["minimum"](far, pairwise_distance(positive, negative, p, eps))
    return _triplet(pairwise_distance(anchor, positive, p, eps), far, margin, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """:func:`triplet_margin_loss` with any distance (the Euclidean one where none is given)."""
    _reduction(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = functions["minimum"](far, distance(positive, negative))
    return _triplet(near, far, margin, reduction)


# -- of sequences -------------------------------------------------------------------------------------------------------


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0, reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:  # fmt: skip
    """The connectionist temporal classification loss; see :func:`flambeau.ctc_loss`."""
    return _ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _reduction(reduction), zero_infinity)


__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cosine_similarity",
    "cross_entropy", "ctc_loss", "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss",
    "linear_cross_entropy", "margin_ranking_loss", "mse_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "nll_loss", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip
