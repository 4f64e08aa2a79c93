"""Derivative tables and the nodes that run them.

What all calls of one rule have in common, which operands get edges, what is saved, which rows run, is worked out once
and kept as a :class:`Plan`; making a node is then a few assignments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.specs import Spec
from ..tracing.handles import Handle, wrap
from .saved import Packed, SavedResult, modified_error, save_value, saved_hooks
from .tape import Edge, Node, anomaly, edge_of, next_sequence, zeros_of

_new = object.__new__


class Derivative:
    """The derivative table of one operator: a row for each input (or group of inputs) it can be differentiated by.

    A row is a function whose parameter names say what it needs: ``grad`` (or ``grads`` when there are several
    results), names of the operator's arguments, ``result`` / ``result0`` / ``result1`` …, and ``<argument>_spec`` for the
    shape and dtype of a tensor argument that need not be kept. Only what is named is saved.
    """

    __slots__ = ("names", "rows", "saved")

    def __init__(self, table: dict[str, Callable[..., Any]]) -> None:
        self.rows = []
        names: dict[str, None] = {}
        for arguments, function in table.items():
            code = function.__code__
            wanted = code.co_varnames[: code.co_argcount]
            self.rows.append((tuple(arguments.split()), function, wanted))
            names.update(dict.fromkeys(wanted))
        self.names = frozenset(name for arguments, _, _ in self.rows for name in arguments)
        self.saved = tuple(name for name in names if name not in ("grad", "grads", "needs"))


class OperatorNode(Node):
    """The node of a declared operator: runs the rows of its derivative table.

    Attributes:
        plan: what this node has in common with every other made by the same rule.
        values: what it keeps, aligned with ``plan.kept``.
        versions: the version of each saved tensor when it was saved.
    """

    plan: Plan
    values: Any = ()
    versions: Any = ()

    @property
    def results(self) -> int:
        return self.plan.results

    @property
    def derivative(self) -> Derivative:
        return self.plan.derivative

    @property
    def result_specs(self) -> Sequence[Spec]:  # type: ignore[override]
        return self.plan.result_specs

    @property
    def input_specs(self) -> Sequence[Any]:  # type: ignore[override]
        return self.plan.input_specs

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that gradients go to next; (None, 0) for arguments that are no tensors or need no gradient."""
        arguments, edges = self.plan.arguments, self.edges
        found: list[tuple[Any, int]] = []
        for names, _, _ in self.plan.derivative.rows:
            for name in names:
                place = arguments.get(name)
                of_name = (None,) if place is None else edges[place[0] : place[0] + (1 if place[1] is None else place[1])]
                found.extend((None, 0) if edge is None else edge for edge in of_name)
        return tuple(found)

    @property
    def arguments(self) -> dict[str, tuple[int, int | None]]:
        return self.plan.arguments

    def apply(self, grads: list[Any]) -> Sequence[Any]:
        if self.values is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have "
                "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
                "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
                "if you need to access saved tensors after calling backward."
            )
        plan = self.plan
        steps = plan.steps
        if steps is None:
            steps = plan.steps = _steps(plan, self.edges)
        arguments = plan.template.copy()
        k = 0
        for value in self.values:
            if not isinstance(value, Handle) or value._cell.version != self.versions[k]:
                value = self._unpack(k)
            arguments[plan.kept[k][0]] = value
            k += 1
        arguments.append(grads[0])
        if plan.several:
            filled = tuple(zeros_of(spec) if grad is None else grad for grad, spec in zip(grads, plan.result_specs))
            arguments[-1] = filled[0]
            arguments.append(filled)
        result: list[Any] = [None] * len(self.edges)
        for places, function, wanted, needs in steps:
            made = function(*[needs if k is None else arguments[k] for k in wanted])
            if type(places) is tuple:
                for place, grad in zip(places, made):
                    if place is not None:
                        result[place] = grad
            else:  # one place, or the slice of a list's
                result[places] = made
        return result

    def _unpack(self, index: int) -> Any:
        value, version = self.values[index], self.versions[index]
        if isinstance(value, Handle):
            if value._cell.version != version:
                raise modified_error(value, version, self)
        elif type(value) is SavedResult:
            if value.cell.version != version:
                raise modified_error(value, version, self)
            return self._attach(wrap(value.cell, value.spec), value.slot)
        elif type(value) is Packed:
            unpacked = value.unpack(value.value)
            if not isinstance(unpacked, Handle):
                raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got {type(unpacked)}")
            if value.slot is not None:
                return self._attach(wrap(unpacked._cell, unpacked._spec), value.slot)
            return unpacked
        elif type(value) is list:
            for each, seen in zip(value, version):
                if each is not None and each._cell.version != seen:
                    raise modified_error(each, seen, self)
        return value

    def _attach(self, tensor: Any, slot: int) -> Any:
        tensor._tracked, tensor._node, tensor._slot = True, self, slot
        return tensor

    def release(self) -> None:
        if self.values is not None and len(self.values):
            self.values = None
            self.versions = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            if self.values is None:
                return self.apply([None])
            wanted = name[7:]
            for alias in (wanted, {"self": "input"}.get(wanted, wanted)):
                if alias in self.derivative.saved:
                    place = self.derivative.saved.index(alias)
                    for k, each in enumerate(self.plan.kept):
                        if each[0] == place:
                            return self._unpack(k)
                    return self.plan.template[place]
        raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")


_node_classes: dict[str, type] = {}


def node_class(name: str) -> type:
    """The class of nodes called ``name``; made when first asked for."""
    found = _node_classes.get(name)
    if found is None:
        found = _node_classes[name] = type(name, (OperatorNode,), {})
    return found


def _steps(plan: Plan, edges: Sequence[Edge]) -> list[Any]:
    """The rows to run for these edges: (where the result goes, function, indices of its arguments, which are needed).

    Indices count the saved values, then the gradient, then the tuple of all gradients; None stands for ``needs``.
    """
    saved = plan.derivative.saved
    index: dict[str, int | None] = {name: k for k, name in enumerate(saved)}
    index.update(grad=len(saved), grads=len(saved) + 1, needs=None)
    steps: list[Any] = []
    for names, function, wanted in plan.derivative.rows:
        found = [plan.arguments.get(name) for name in names]
        picks = [index[name] for name in wanted]
        if len(names) == 1:
            if found[0] is None:
                continue
            first, count = found[0]
            if count is None:
                if edges[first] is not None:
                    steps.append((first, function, picks, None))
            elif any(edge is not None for edge in edges[first : first + count]):
                steps.append((slice(first, first + count), function, picks, None))
        else:
            needs = tuple(place is not None and edges[place[0]] is not None for place in found)
            if any(needs):
                targets = tuple(place[0] if place and need else None for place, need in zip(found, needs))
                steps.append((targets, function, picks, needs))
    return steps


class Plan:
    """How to make the node of a call: which operands get edges, what is saved. Fixed for a rule and the operands that
    require grad, so the common calls keep theirs.

    Attributes:
        cls: the node's class, made for its name.
        edge_arguments: (place of the argument, whether it is a list) for each argument with a row.
        arguments: for each argument with a row: the index of its first edge, and how many it has (None: not a list).
        template: what the rows named, in the order of ``derivative.saved``, as far as it is the same for every call.
        kept: (index in the template, "argument" or "result", which one) for what each node keeps itself.
    """

    __slots__ = (
        "arguments",
        "bare",
        "cls",
        "derivative",
        "edge_arguments",
        "input_specs",
        "kept",
        "passes",
        "result_specs",
        "results",
        "several",
        "simple",
        "steps",
        "template",
        "used",
    )  # fmt: skip
    cls: type
    derivative: Derivative
    edge_arguments: list[tuple[int, bool]]
    input_specs: Sequence[Any]
    result_specs: Sequence[Spec]
    arguments: dict[str, tuple[int, int | None]]
    kept: list[tuple[int, str, int]]
    template: list[Any]
    results: int
    several: bool  # there are several results
    simple: bool  # nothing is saved
    bare: bool  # simple, with one edge for each of the first arguments that are tensors
    steps: Any  # the rows to run, found at the first backward
    used: bool  # some argument with a row requires grad
    passes: Any  # the backward passes learned that begin at such a node, see ``replay``

    def edges(self, values: Sequence[Any]) -> tuple[Edge, ...]:
        """The edges for these arguments."""
        edges: list[Edge] = []
        for place, is_list in self.edge_arguments:
            if is_list:
                edges.extend(edge_of(each) if isinstance(each, Handle) else None for each in values[place])
            else:
                value = values[place]
                node = value._node
                edges.append((node, value._slot) if node is not None and value._base is None else edge_of(value))
        return tuple(edges)

    def keeps(self, place: int) -> bool:
        """Whether the argument at this place is kept."""
        return any(kind == "argument" and which == place for _, kind, which in self.kept)

    def save_arguments(self, values: Sequence[Any]) -> list[tuple[Any, Any]]:
        """What must be kept of the arguments, with versions; results are added by :meth:`node`."""
        return [(None, 0) if kind == "result" else save_value(values[which]) for _, kind, which in self.kept]

    def node(self, values: Sequence[Any], edges: tuple[Edge, ...] | None, saved: Any, results: Sequence[Any]) -> Any:
        """The finished node."""
        node: Any = _new(self.cls)
        node.sequence = next_sequence()
        node.plan = self
        node.edges = self.edges(values) if edges is None else edges
        if self.kept:
            kept, versions = [], []
            for k, (_, kind, which) in enumerate(self.kept):
                if kind == "result":
                    value, version = save_value(results[which], which)
                elif saved is not None:
                    value, version = saved[k]
                else:
                    value = values[which]
                    if isinstance(value, Handle) and not saved_hooks and not value._inference:
                        version = value._cell.version
                    else:
                        value, version = save_value(value)
                kept.append(value)
                versions.append(version)
            node.values, node.versions = kept, versions
        if anomaly.enabled:
            anomaly.remember(node)
        return node

    def attach_one(self, input: Any, result: Any) -> None:
        """:func:`attach` for one operand and one result, without the lists."""
        if not self.used:
            return
        node = input._node
        edges: tuple[Edge, ...] = ((node, input._slot) if node is not None and input._base is None else edge_of(input),)
        result._node = self._bare(edges) if self.simple else self.node((input,), edges, None, (result,))
        result._tracked = True

    def attach_two(self, input: Any, other: Any, result: Any) -> None:
        """:func:`attach` for two operands (the second may be a number) and one result."""
        if not self.used:
            return
        node = input._node
        first: Edge = (node, input._slot) if node is not None and input._base is None else edge_of(input)
        if len(self.edge_arguments) == 2:
            node = other._node
            second: Edge = (node, other._slot) if node is not None and other._base is None else edge_of(other)
            edges: Any = (first, second)
        elif len(self.edge_arguments) == 1 and self.edge_arguments[0][0] == 0:
            edges = (first,)
        else:
            edges = None
        if self.simple and edges is not None:
            result._node = self._bare(edges)
        else:
            result._node = self.node((input, other), edges, None, (result,))
        result._tracked = True

    def _bare(self, edges: tuple[Edge, ...]) -> Any:
        node: Any = _new(self.cls)
        node.sequence = next_sequence()
        node.plan, node.edges = self, edges
        if anomaly.enabled:
            anomaly.remember(node)
        return node


def new_plan(operator: Any, values: Sequence[Any], results: Sequence[Any], node: Any = None) -> Plan:
    """The plan for an operator (anything with ``derivative``, ``parameters`` and ``node``) called with ``values``.

    ``node``: the name of the node, or a function to it, where that is not the operator's own.
    """
    plan = _new(Plan)
    derivative = plan.derivative = operator.derivative
    name = node or operator.node
    plan.cls = node_class(name if isinstance(name, str) else name(*values))
    edge_arguments: list[tuple[int, bool]] = []
    specs: list[Any] = []
    tracked: list[bool] = []
    places: dict[str, tuple[int, int | None]] = {}
    for place, (parameter, value) in enumerate(zip(operator.parameters, values)):
        if parameter not in derivative.names:
            continue
        if isinstance(value, Handle):
            places[parameter] = (len(specs), None)
            edge_arguments.append((place, False))
            specs.append(value._spec)
            tracked.append(value._tracked)
        elif type(value) in (list, tuple):
            places[parameter] = (len(specs), len(value))
            edge_arguments.append((place, True))
            specs.extend(each._spec if isinstance(each, Handle) else None for each in value)
            tracked.extend(isinstance(each, Handle) and each._tracked for each in value)
    plan.edge_arguments, plan.input_specs, plan.arguments = edge_arguments, specs, places
    plan.result_specs = [each._spec for each in results]
    needed = _needed_names(derivative, places, tracked)
    by_name = dict(zip(operator.parameters, values))
    template: list[Any] = []
    kept: list[tuple[int, str, int]] = []
    for index, wanted in enumerate(derivative.saved):
        template.append(None)
        if wanted not in needed:
            continue
        if wanted in by_name:
            place = operator.parameters.index(wanted)
            value = values[place]
            listed = type(value) in (list, tuple) and any(isinstance(each, Handle) for each in value)
            varies = isinstance(value, Handle) or listed or (operator.kinds and operator.kinds[place].number)
            if varies and not (operator.kinds and value is operator.defaults[place]):
                kept.append((index, "argument", place))
            else:
                template[index] = value
        elif wanted.startswith("result"):
            kept.append((index, "result", int(wanted[6:] or 0)))
        else:
            template[index] = _spec_named(wanted, by_name)
    plan.template, plan.kept = template, kept
    plan.simple, plan.several, plan.steps = not kept, len(results) > 1, None
    plan.results = max(len(results), 1)
    plan.used = any(tracked)
    plan.passes = None
    leading = [place for place, value in enumerate(values[:2]) if isinstance(value, Handle)]
    plan.bare = plan.simple and plan.used and edge_arguments == [(place, False) for place in leading] and leading[:1] == [0]
    return plan


def attach(plan: Plan, values: Sequence[Any], results: Sequence[Any]) -> None:
    """Put a call on the tape: make its node and point its floating results at it."""
    if not plan.used:
        return
    node = plan.node(values, None, None, results)
    for slot, each in enumerate(results):
        if each._spec.dtype.category >= 2:
            each._tracked, each._node, each._slot = True, node, slot


def _needed_names(derivative: Derivative, places: Any, tracked: Sequence[bool]) -> set[str]:
    needed: set[str] = set()
    for arguments, _, wanted in derivative.rows:
        for argument in arguments:
            place = places.get(argument)
            if place is not None and any(tracked[place[0] : place[0] + (1 if place[1] is None else place[1])]):
                needed.update(wanted)
                break
    return needed


def _spec_named(wanted: str, by_name: dict[str, Any]) -> Any:
    value = by_name[wanted.removesuffix("_specs").removesuffix("_spec")]
    if isinstance(value, Handle):
        return value._spec
    if type(value) in (list, tuple):
        return tuple(each._spec if isinstance(each, Handle) else None for each in value)  # lists are saved tensors
    return None


def called(result: Any, name: str) -> Any:
    """``result`` with the last node of its history under another name: PyTorch's for a function that is several here."""
    node = result._node
    if node is not None and isinstance(node, OperatorNode):
        node.__class__ = node_class(name)
    return result
