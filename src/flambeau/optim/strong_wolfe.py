"""A line search for a step length that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..tensor import Tensor

Evaluate = Callable[[float], tuple[float, Tensor]]


@dataclass
class Trial:
    """The objective at one step length along the direction."""

    length: float
    value: float
    gradient: Tensor
    slope: float


def strong_wolfe(
    evaluate: Evaluate,
    length: float,
    direction: Tensor,
    value: float,
    gradient: Tensor,
    slope: float,
    sufficient_decrease: float = 1e-4,
    curvature: float = 0.9,
    tolerance_change: float = 1e-9,
    max_trials: int = 25,
) -> tuple[float, Tensor, float, int]:
    r"""Find :math:`t` with :math:`f(t) \le f(0) + c_1 t f'(0)` and :math:`|f'(t)| \le c_2 |f'(0)|`.

    First widen the step until a minimum is bracketed, then narrow the bracket, both by cubic interpolation with
    safeguards, as in Nocedal and Wright, *Numerical Optimization*, algorithms 3.5 and 3.6, and in Schmidt's minFunc.

    Returns the objective, its gradient, the step length and the number of evaluations.
    """
    extent = float(direction.abs().max())

    def attempt(at: float) -> Trial:
        new_value, new_gradient = evaluate(at)
        new_gradient = new_gradient.clone()
        return Trial(at, new_value, new_gradient, float(new_gradient.dot(direction)))

    def decreases_too_little(trial: Trial) -> bool:
        return trial.value > value + sufficient_decrease * trial.length * slope

    def is_flat(trial: Trial) -> bool:
        return abs(trial.slope) <= -curvature * slope

    origin = Trial(0.0, value, gradient.clone(), slope)
    previous = origin
    trial = attempt(length)
    evaluations = 1
    trials = 0
    found = False
    bracket = [origin, trial]
    while trials < max_trials:
        if decreases_too_little(trial) or (trials > 1 and trial.value >= previous.value):
            bracket = [previous, trial]
            break
        if is_flat(trial):
            bracket = [trial]
            found = True
            break
        if trial.slope >= 0:
            bracket = [previous, trial]
            break
        nearest = trial.length + 0.01 * (trial.length - previous.length)
        next_length = cubic_minimum(previous, trial, (nearest, trial.length * 10))
        previous = trial
        trial = attempt(next_length)
        evaluations += 1
        trials += 1
    else:
        bracket = [origin, trial]

    low, high = (0, 1) if bracket[0].value <= bracket[-1].value else (1, 0)
    stalled = False
    while not found and trials < max_trials:
        left, right = sorted((bracket[0].length, bracket[1].length))
        if (right - left) * extent < tolerance_change:
            break
        next_length = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        if min(right - next_length, next_length - left) < margin:
            # Too near to an end: allowed once, then moved inwards.
            if stalled or next_length >= right or next_length <= left:
                near_right = abs(next_length - right) < abs(next_length - left)
                next_length = right - margin if near_right else left + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        trial = attempt(next_length)
        evaluations += 1
        trials += 1
        if decreases_too_little(trial) or trial.value >= bracket[low].value:
            bracket[high] = trial
            low, high = (0, 1) if bracket[0].value <= bracket[1].value else (1, 0)
        else:
            if is_flat(trial):
                found = True
            elif trial.slope * (bracket[high].length - bracket[low].length) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = trial
    best = bracket[low] if len(bracket) == 2 else bracket[0]
    return best.value, best.gradient, best.length, evaluations


def cubic_minimum(first: Trial, second: Trial, bounds: tuple[float, float] | None = None) -> float:
    """The minimum of the cubic through both trials' values and slopes, within ``bounds`` (by default, between them)."""
    if bounds is None:
        bounds = (min(first.length, second.length), max(first.length, second.length))
    if first.length > second.length:
        first, second = second, first
    if first.length != second.length:
        mean = first.slope + second.slope - 3 * (first.value - second.value) / (first.length - second.length)
        square = mean * mean - first.slope * second.slope
        if square >= 0:
            root = square**0.5
            width = second.length - first.length
            share = (second.slope + root - mean) / (second.slope - first.slope + 2 * root)
            return min(max(second.length - width * share, bounds[0]), bounds[1])
    return (bounds[0] + bounds[1]) / 2.0
