"""Inputs of a function's own: what transformations of functions differentiate by, whatever else the tape holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .tape import AccumulateGrad, edge_of


def alias_of(tensor: Any) -> Any:
    """The same numbers as an input of its own: gradients stop here, and go on where ``tensor`` itself is on the tape."""
    return tensor.view(tensor._spec.shape) if tensor._tracked else tensor.detach().requires_grad_()


def depends_on_others(results: Iterable[Any], own: Sequence[Any]) -> bool:
    """Whether the results come from any leaf but the aliases ``own``."""
    mine = {edge[0] for edge in map(edge_of, own) if edge is not None and type(edge[0]) is AccumulateGrad}
    stack = [edge[0] for edge in map(edge_of, results) if edge is not None]
    seen = set(stack)
    while stack:
        node = stack.pop()
        if type(node) is AccumulateGrad and node not in mine:
            return True
        for edge in node.edges:
            if edge is not None and edge[0] not in seen:
                seen.add(edge[0])
                stack.append(edge[0])
    return False
