"""The gradients of a graph, all of them: what flows along each edge, what arrives at each tensor, and each operator's own.

The pass runs beside autograd's: nothing is accumulated or freed, no hook is called.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

from ..autograd.engine import fit
from ..autograd.grad_mode import no_grad
from ..autograd.tape import AccumulateGrad, ones_of
from ..core.dtypes import COMPLEX


class Flows:
    """What a backward pass from one tensor sends where.

    Attributes:
        along: (node, index of the edge) -> the gradient that flows on it.
        total: (node, index of the result) -> the sum that arrives at this tensor.
        local: (node, index of the edge) -> the operator's own derivative: what flows on the edge for a gradient of ones.
        freed: the graph's saved values are gone, so that there are none of these.
    """

    def __init__(self) -> None:
        self.along: dict[Any, Any] = {}
        self.total: dict[Any, Any] = {}
        self.local: dict[Any, Any] = {}
        self.freed = False


def flows_from(root: Any, gradient: Any = None) -> Flows:
    """All gradients of a tensor's graph, for a gradient of the tensor (ones, unless given)."""
    made = Flows()
    node = root.grad_fn
    with no_grad():
        made.total[node, root._slot] = ones_of(root._spec) if gradient is None else gradient
        waiting = [(-node.sequence, id(node), node)]
        seen = {node}
        try:
            while waiting:
                node = heappop(waiting)[2]
                if isinstance(node, AccumulateGrad):
                    continue
                grads = [made.total.get((node, index)) for index in range(node.results)]
                for place, grad in enumerate(_apply(node, grads)):
                    if place >= len(node.edges) or node.edges[place] is None:
                        continue
                    target, index = node.edges[place]
                    if grad is not None:
                        made.along[node, place] = grad
                        before = made.total.get((target, index))
                        made.total[target, index] = grad if before is None else before + grad
                    if target not in seen:
                        seen.add(target)
                        heappush(waiting, (-target.sequence, id(target), target))
                if node.results == 1 and node.result_specs:
                    for place, grad in enumerate(_apply(node, [ones_of(node.result_specs[0])])):
                        if grad is not None:
                            made.local[node, place] = grad
        except RuntimeError:  # saved values were freed by backward(), or written to since
            made.along, made.local, made.freed = {}, {}, True
            made.total = {}
    return made


def _apply(node: Any, grads: list[Any]) -> list[Any]:
    if all(each is None for each in grads):
        return []
    found = list(node.apply(list(grads)))
    for place, spec in enumerate(node.input_specs):
        if place < len(found) and found[place] is not None and spec is not None and found[place]._spec is not spec:
            found[place] = fit(found[place], spec, node)
    return found


def is_plain(node: Any) -> bool:
    """Whether a gradient of ones gives the operator's derivative itself: one number, or element by element."""
    specs = node.result_specs
    if len(specs) != 1 or specs[0].dtype.category == COMPLEX:
        return False
    if specs[0].numel == 1:
        return True
    operator = _operators().get(id(getattr(node, "derivative", None)))
    return operator is not None and operator.layout == "pointwise"


def operator_of(node: Any) -> Any:
    """The declared operator a node is of, or None."""
    return _operators().get(id(getattr(node, "derivative", None)))


def _operators() -> dict[int, Any]:
    from ..operators.calls import every_operator

    return {id(each.derivative): each for each in every_operator if each.derivative is not None}
