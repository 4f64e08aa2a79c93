"""Mistakes between a model's output and its loss: softmax twice, shapes that do not match."""

from __future__ import annotations

from .calls import Call
from .findings import Reports

#: Losses that take scores, what they apply to them, and what must not have been applied before.
_SCORES = {
    "cross_entropy": ("softmax", ("softmax", "sigmoid")),
    "log_softmax": ("softmax", ("softmax",)),
    "binary_cross_entropy_with_logits": ("sigmoid", ("sigmoid", "softmax")),
}
_SPOKEN = {
    "cross_entropy": "CrossEntropyLoss", "nll_loss": "NLLLoss", "log_softmax": "log_softmax",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
}  # fmt: skip
_ELEMENTWISE = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


def check_loss(call: Call, reports: Reports) -> None:
    """Look at one call: is it a loss, and does it get what it wants?"""
    name = call.rule.name
    if name in _SCORES or name == "nll_loss":
        _check_scores(call, name, reports)
    elif call.derivative is None and (name in _ELEMENTWISE or name in ("sub", "rsub", "eq")):
        _check_shapes(call, name, reports)


def _check_scores(call: Call, name: str, reports: Reports) -> None:
    maker = call.operands[0] if call.operands else None
    if maker is None:
        return
    before = maker.rule.name
    module = f" in the module '{maker.module}'" if maker.module else ""
    place = f" (it was applied{module} at {maker.where.named()})" if maker.where is not None else ""
    loss = _SPOKEN[name]
    if name == "nll_loss":
        if before in ("softmax", "sigmoid"):
            reports.add(
                "double-softmax", call.where,
                f"NLLLoss gets probabilities, made by {before}{place}, but wants their logarithms: the loss is negative, and "
                "learning is slow or goes wrong.",
                "use log_softmax instead of softmax, or give the raw scores to CrossEntropyLoss.",
            )  # fmt: skip
        return
    own, wrong = _SCORES[name]
    if before in wrong:
        also = "a second time" if before == own else f"on top of {before}"
        reports.add(
            "double-softmax", call.where,
            f"{loss} applies {own} itself, but gets the result of {before}{place}: applied {also}, it squeezes the "
            "probabilities together, the gradients become small and the loss cannot come near zero.",
            f"give the raw scores (logits) to {loss}, and use {before} only where you want to look at probabilities.",
        )  # fmt: skip


def _check_shapes(call: Call, name: str, reports: Reports) -> None:
    specs = [each for each in call.rule.operands if hasattr(each, "shape")]
    if len(specs) < 2:
        return
    one, other = tuple(specs[0].shape), tuple(specs[1].shape)
    # A column beside a row: the classic (N, 1) against (N). Other subtractions may mean to broadcast.
    column = any(a == (*b, 1) and a[0] > 1 for a, b in ((one, other), (other, one)) if b)
    if one == other or not (column or name in _ELEMENTWISE):
        return
    full = tuple(call.rule.result.shape) if name in ("sub", "rsub", "eq") else _broadcast(one, other)
    what = {"sub": "A difference", "rsub": "A difference", "eq": "A comparison"}.get(name, name)
    shorter, longer = sorted((one, other), key=len)
    how = "pred.squeeze(-1), or target.unsqueeze(-1)" if column else "reshape() or view_as() one to the other's shape"
    reports.add(
        "broadcast", call.where,
        f"{what} of shapes {list(one)} and {list(other)} is broadcast to {list(full)}: every element meets every other one, "
        "instead of its own. The mean of that is a number, but not the one you want; the model learns the average target.",
        f"make the shapes equal: {how} (here {list(longer)} against {list(shorter)}).",
    )  # fmt: skip


def _broadcast(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    rank = max(len(one), len(other))
    pairs = zip((1,) * (rank - len(one)) + one, (1,) * (rank - len(other)) + other)
    return tuple(b if a == 1 else a for a, b in pairs)
