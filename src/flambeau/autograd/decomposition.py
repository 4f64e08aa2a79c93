"""Second derivatives of operators whose first derivative is an operator of its own.

Such an operator (a normalization, attention, a recurrent layer) has a fast gradient that is written out in primitives.
The gradient's own derivative is rarely asked for, so it is not written out too: it is found by going through the
operator's *textbook* form, a plain function over other operators that says the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .engine import grad
from .grad_mode import enable_grad, mode


def _alias(tensor: Any) -> Any:
    """The same tensor as an input of its own: what reaches it by way of another input does not count."""
    return tensor.view(tensor._spec.shape) if tensor._tracked else tensor.detach().requires_grad_()


def pulled_back(
    function: Callable[..., Any], arguments: Sequence[Any], wanted: Sequence[bool], grads: Sequence[Any], create: bool
) -> tuple[Any, ...]:
    """The gradients of ``function``'s results, weighted by ``grads``, for the wanted arguments (None: no gradient)."""
    with enable_grad():
        inputs = [_alias(each) if want else each for each, want in zip(arguments, wanted)]
        made = function(*inputs)
        results = made if isinstance(made, tuple) else (made,)
        reached = [(each, g) for each, g in zip(results, grads) if each is not None and each._tracked and g is not None]
        if not reached:
            return (None,) * len(inputs)
        outputs, weights = zip(*reached)
        targets = [each for each, want in zip(inputs, wanted) if want]
        found = iter(grad(outputs, targets, weights, create_graph=create, allow_unused=True))
    return tuple(next(found) if want else None for want in wanted)


def second_derivative(
    textbook: Callable[..., Any],
    arguments: Sequence[Any],
    wanted: Sequence[bool],
    grads: Sequence[Any],
    needs: Sequence[bool],
    weights: Sequence[Any],
) -> tuple[Any, ...]:
    """The derivative of the operator that computes ``textbook``'s gradients.

    Args:
        textbook: the operator in terms of others; takes ``arguments``, returns as many results as there are ``grads``.
        wanted: for which arguments that operator computes gradients.
        grads: the gradients of the results, which it is given.
        needs: which of (*grads, *arguments) a gradient is asked for.
        weights: the gradients of its results, one for each argument.
    """
    count = len(grads)

    def gradient(*operands: Any) -> tuple[Any, ...]:
        return pulled_back(textbook, operands[count:], wanted, operands[:count], True)

    return pulled_back(gradient, (*grads, *arguments), needs, weights, mode.enabled)
