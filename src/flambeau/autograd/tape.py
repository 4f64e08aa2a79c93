"""The tape: nodes that remember what an operator was applied to, as far as its derivative needs it.

A node's *edges* say where its inputs' gradients go: for each input the node that made it and which of that node's
results it was. The node of a leaf is its :class:`AccumulateGrad`; those of declared operators are made in ``plans``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from ..core.specs import Spec
from ..tracing.handles import Classes

next_sequence = count().__next__
Edge = tuple[Any, int] | None


class Node:
    """A function of the backward graph: takes gradients of its results, returns gradients of its inputs.

    Attributes:
        edges: for each input, (node, index) or None where no gradient is wanted.
        sequence: grows with each node made; later nodes run first.
        result_specs: the Specs of the results, for gradients nobody supplied.
        input_specs: the Spec that the gradient for each edge must have (None: as it comes).
    """

    edges: tuple[Edge, ...] = ()
    sequence: int = 0
    result_specs: Sequence[Spec] = ()
    input_specs: Sequence[Any] = ()
    plan: Any = None  # what all nodes of one kind of call share, see ``plans``
    watched: bool = False  # has hooks of any kind, or results that keep their gradient
    tensor_hooks: Any = None  # result index -> ordered hooks on that result's gradient
    retained: Any = None  # result index -> weak reference to a tensor that keeps its gradient
    _pre_hooks: Any = None
    _post_hooks: Any = None
    _metadata: Any = None
    where: Any = None  # the traceback of the forward call, in anomaly mode

    @property
    def results(self) -> int:
        """How many results gradients may come for."""
        return max(len(self.result_specs), 1)

    def name(self) -> str:
        """The node's name as PyTorch prints it."""
        return type(self).__name__

    def operation(self) -> str:
        """What the node is the derivative of: "Relu" for ReluBackward0."""
        return type(self).__name__.rstrip("0123456789").removesuffix("Backward")

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that gradients go to next, with the index of the result each stands for."""
        return tuple((None, 0) if edge is None else edge for edge in self.edges)

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's notes on this node."""
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    def apply(self, grads: list[Any]) -> Sequence[Any]:
        """Gradients of the inputs, one for each edge, given those of the results (None: zero)."""
        raise NotImplementedError(type(self).__name__)

    def release(self) -> None:
        """Let go of saved tensors; afterwards the node cannot run again."""

    def register_hook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook(grad_inputs, grad_outputs)`` after the node has run; it may return other gradients."""
        from .hooks import add

        self._post_hooks, handle = add(self._post_hooks, hook)
        self.watched = True
        return handle

    def register_prehook(self, hook: Callable[..., Any]) -> Any:
        """Call ``hook(grad_outputs)`` before the node runs; it may return other gradients."""
        from .hooks import add

        self._pre_hooks, handle = add(self._pre_hooks, hook)
        self.watched = True
        return handle

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {hex(id(self))}>"


class AccumulateGrad(Node):
    """The end of the graph at a leaf: adds what arrives to the leaf's ``grad``."""

    sequence = 1 << 62
    edges = ()
    results = 1

    def __init__(self, variable: Any) -> None:
        # The leaf holds its node, not the other way round: there is no cycle, both go when the leaf does.
        self._variable = weakref.ref(variable)
        self.result_specs = (variable._spec,)

    def name(self) -> str:
        """The node's name as PyTorch prints it."""
        return "torch::autograd::AccumulateGrad"

    @property
    def variable(self) -> Any:
        """The leaf; None once it is gone."""
        return self._variable()

    def apply(self, grads: list[Any]) -> Sequence[Any]:
        from .engine import accumulate

        variable = self._variable()
        if variable is not None:
            accumulate(variable, grads[0])
        return ()


def edge_of(tensor: Any) -> Edge:
    """Where the gradient of ``tensor`` goes; None when it does not require grad."""
    if not tensor._tracked:
        return None
    node = tensor._node
    if node is not None:
        if tensor._base is not None:
            from .views import current_node

            node = current_node(tensor)  # may have to be made anew
        return node, tensor._slot
    edge = tensor._accumulator
    if edge is None:
        edge = tensor._accumulator = (AccumulateGrad(tensor), 0)
    return edge


def zeros_of(spec: Spec) -> Any:
    """Zeros of a Spec's shape and dtype."""
    return Classes.tensor.zeros(spec)  # type: ignore[attr-defined]


def ones_of(spec: Spec) -> Any:
    """Ones of a Spec's shape and dtype."""
    return Classes.tensor.ones(spec)  # type: ignore[attr-defined]


class _Anomaly:
    """Whether nodes remember where they were made and gradients are checked for NaN."""

    enabled = False
    check_nan = True

    def remember(self, node: Node) -> None:
        import traceback

        node.where = "".join(traceback.format_stack()[:-3])


anomaly = _Anomaly()
