"""The autograd graph behind a tensor as a figure: tensors and operators, with values and gradients."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ..autograd.grad_mode import no_grad
from ..autograd.saved import SavedResult
from ..autograd.tape import AccumulateGrad
from ..core.dtypes import float32
from ..core.specs import spec
from ..core.storages import Storage
from ..tensor import Tensor
from ..tracing.handles import Handle, wrap
from . import amounts
from .figure import Box, Figure, Line
from .flows import Flows, flows_from, is_plain, operator_of

#: A graph of more operators than this is drawn without numbers on its lines.
MOST_WITH_NUMBERS = 60


class Names:
    """What tensors are called: the variables of the code that draws, and parameters by their module's name."""

    def __init__(self, given: dict[str, Any], depth: int | None) -> None:
        self.named: dict[Any, str] = {}
        self.live: dict[Any, Any] = {}
        for name, value in given.items():
            self._enter(name, value)
        if depth is not None:
            frame = sys._getframe(depth + 1)
            for space in (frame.f_locals, frame.f_globals):
                for name, value in list(space.items()):
                    if not name.startswith("_"):
                        self._enter(name, value)

    def _enter(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor):
            self.named.setdefault(key_of(value), name)
            self.live.setdefault(key_of(value), value)
        elif hasattr(value, "named_parameters") and not isinstance(value, type):
            for below, parameter in value.named_parameters():
                self.named.setdefault(key_of(parameter), f"{name}.{below}")

    def of(self, key: Any) -> str | None:
        """The name of a tensor, by its key."""
        return self.named.get(key)


def key_of(tensor: Any) -> Any:
    """What identifies a tensor of a graph: the node that made it and which result it is, or where a leaf's numbers lie."""
    node = tensor.grad_fn
    return (node, tensor._slot) if node is not None else (tensor._storage, tensor._spec, tensor.storage_offset())


def _edge_key(edge: Any) -> Any:
    node, index = edge
    if isinstance(node, AccumulateGrad):
        variable = node.variable
        return (node, index) if variable is None else key_of(variable)
    return edge


class _Tape:
    """Builds the figure of one tensor's graph."""

    def __init__(self, root: Any, names: Names, numbers: bool, gradient: Any) -> None:
        self.root, self.names = root, names
        self.nodes = _in_order(root.grad_fn)
        self.numbers = numbers
        self.values: dict[Any, Any] = dict(names.live)
        self.figure = Figure()
        self.titles: dict[Any, str] = {}
        self.gradients: dict[Any, str] = {}
        self.flows = Flows()
        self.root_name = names.of(key_of(root)) or "result"
        if numbers:
            if root._spec.numel == 1 or gradient is not None:
                self.flows = flows_from(root, gradient)
            self._collect_values()

    # -- values --------------------------------------------------------------------------------------------------------

    def _collect_values(self) -> None:
        self.values[key_of(self.root)] = self.root
        for node in self.nodes:
            remembered = getattr(node, "remembered", None)
            if remembered is not None:
                for index, result in enumerate(remembered.results):
                    if result is not None:
                        self.values.setdefault((node, index), result)
            for edge in node.edges:
                if edge is not None and isinstance(edge[0], AccumulateGrad) and edge[0].variable is not None:
                    self.values[_edge_key(edge)] = edge[0].variable
            for _, value in _saved(node):
                if isinstance(value, Handle):
                    self.values.setdefault(key_of(value), value)
                elif type(value) is SavedResult:
                    self.values.setdefault((node, value.slot), wrap(value.cell, value.spec))
        for node in self.nodes:
            if (node, 0) not in self.values:
                made = self._computed_again(node)
                if made is not None:
                    self.values[node, 0] = made

    def _computed_again(self, node: Any) -> Any:
        """The result of a node's operator, where all of its arguments are known."""
        operator = operator_of(node)
        if operator is None or node.results != 1:
            return None
        plan, arguments = node.plan, []
        saved = dict(_saved(node))
        for parameter in operator.parameters:
            place = plan.arguments.get(parameter)
            if place is not None and place[1] is None and node.edges[place[0]] is not None:
                found = self.values.get(_edge_key(node.edges[place[0]]))
            else:
                found = saved.get(parameter)
            if found is None:
                return None
            arguments.append(found)
        with no_grad():
            made = operator.call(tuple(arguments[: operator.positional]), operator._keywords(arguments))
        return made if isinstance(made, Tensor) and made._spec is plan.result_specs[0] else None

    # -- boxes ---------------------------------------------------------------------------------------------------------

    def build(self) -> Figure:
        """The figure."""
        for node in self.nodes:
            self._add_operator(node)
        shown = self.numbers and not self.flows.along
        if shown and self.flows.freed:
            self.figure.remarks.append(
                "No gradients on the lines: backward() has freed the graph. Draw before it, or use backward(retain_graph=True)."
            )
        elif shown and self.root._spec.numel != 1:
            self.figure.remarks.append(
                f"No gradients: {self.root_name} has {self.root._spec.numel} elements. Draw a loss, or give gradient=."
            )
        return self.figure

    def _add_operator(self, node: Any) -> None:
        operator = operator_of(node)
        remembered = getattr(node, "remembered", None)
        title = operator.name if operator is not None else _spoken(node.operation())
        title = remembered.name if remembered is not None else title
        box = self.figure.boxes[node] = Box("operator", [title])
        told = [] if remembered is None else [each for each in remembered.operands if not isinstance(each, Handle)]
        if remembered is None:
            told = [value for _, value in _saved(node, template=False) if type(value) in (int, float, bool, complex)]
        if told:
            box.lines[0] += " " + ", ".join(amounts.number(each) for each in told if each is not None)
        for place, edge in enumerate(node.edges):
            if edge is None:
                continue
            key = _edge_key(edge)
            self._add_tensor(key, edge[0].result_specs[edge[1]] if edge[0].result_specs else None, edge)
            self.figure.lines.append(Line(key, node, self._labels(node, place, key)))
        for value in self._constants(node):
            key = key_of(value)
            if key not in self.figure.boxes:
                name = self.names.of(key)
                lines = [name] if name else []
                self.figure.boxes[key] = Box("constant", [*lines, amounts.shape(value._spec)])
                if self.numbers:
                    self.figure.boxes[key].lines.append(amounts.value(value))
                self.titles[key] = name or amounts.value(value)
            self.figure.lines.append(Line(key, node))
        for index in range(node.results):
            key = (node, index)
            if key in self.figure.boxes or index == 0 or key == key_of(self.root):
                spec = node.result_specs[index] if index < len(node.result_specs) else None
                self._add_tensor(key, spec, key)
                self.figure.lines.append(Line(node, key))

    def _constants(self, node: Any) -> Iterator[Any]:
        """The operands that no gradient goes to, as far as they are known."""
        remembered = getattr(node, "remembered", None)
        if remembered is None:
            for name, value in _saved(node):
                place = getattr(node, "arguments", {}).get(name)
                if isinstance(value, Handle) and not value._tracked and not value._retains:
                    if place is None or place[1] is not None or node.edges[place[0]] is None:
                        yield value
            return
        # Operands come in the order of edges; where an edge leads nowhere, or there is none, the operand is a constant.
        specs = list(zip(node.input_specs, node.edges))
        for value in remembered.operands:
            if not isinstance(value, Handle):
                continue
            place = next((k for k, (spec, _) in enumerate(specs) if spec is value._spec), None)
            edge = None
            if place is not None:
                edge = specs[place][1]
                del specs[: place + 1]
            if edge is None:
                yield value

    def _add_tensor(self, key: Any, spec: Any, edge: Any) -> None:
        if key in self.figure.boxes:
            return
        name = self.names.of(key)
        leaf = isinstance(edge[0], AccumulateGrad)
        is_root = key == key_of(self.root)
        kind = "parameter" if leaf else "result" if is_root else "value"
        name = name or (self.root_name if is_root else None)
        self.titles[key] = name or ("" if leaf else _title(self.figure.boxes, edge[0]))
        lines = [name] if name else []
        if spec is not None:
            lines.append(amounts.shape(spec))
        value = self.values.get(key)
        if self.numbers and value is not None:
            lines.append(amounts.value(value))
        total = self.flows.total.get((edge[0], edge[1]))
        if total is not None and self.flows.along:
            self.gradients[key] = amounts.value(total, length=True)
            lines.append(f"∂{self.root_name}/∂{name or '·'} = {self.gradients[key]}")
        if leaf and self.numbers and value is not None and value._grad is not None:
            lines.append(f"grad = {amounts.value(value._grad, length=True)}")
        self.figure.boxes[key] = Box(kind, lines or ["?"])

    def _labels(self, node: Any, place: int, key: Any) -> list[str]:
        """The operator's own derivative, and the gradient that flows here."""
        labels = []
        own = self.flows.local.get((node, place))
        result = self.names.of((node, 0)) or (self.root_name if (node, 0) == key_of(self.root) else None)
        below = self.names.of(key)
        if own is not None and is_plain(node):
            what = f" ∂{result}/∂{below}" if result and below else ""
            labels.append(f"local{what} = {amounts.value(own)}")
        elif own is not None:
            labels.append(f"Jacobian {node.result_specs[0].numel}×{own._spec.numel}")
        flow = self.flows.along.get((node, place))
        if flow is not None:
            labels.append(f"∂{self.root_name}/∂{below or '·'} = {amounts.value(flow, length=True)}")
        return labels


def _saved(node: Any, template: bool = True) -> Iterator[tuple[str, Any]]:
    """What an operator's node keeps of its arguments and results, by name, and with ``template`` what its rule fixes.

    Nothing that the node keeps itself is left once the graph is freed.
    """
    plan, values = getattr(node, "plan", None), getattr(node, "values", None)
    if plan is None:
        return
    names = plan.derivative.saved
    if values is not None:
        for (place, _, _), value in zip(plan.kept, values):
            yield names[place], value
    for name, value in zip(names, plan.template):
        if template and value is not None:
            yield name, value


def _in_order(root: Any) -> list[Any]:
    """The nodes behind one, earlier ones first; leaves left out."""
    seen, stack = {root}, [root]
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge[0] not in seen and not isinstance(edge[0], AccumulateGrad):
                seen.add(edge[0])
                stack.append(edge[0])
    return sorted(seen, key=lambda node: node.sequence)


def _spoken(name: str) -> str:
    """A node's operation as an operator is spelled: "index_put" for IndexPut."""
    return "".join("_" + each.lower() if each.isupper() and k else each.lower() for k, each in enumerate(name))


def _title(boxes: dict[Any, Box], node: Any) -> str:
    return boxes[node].lines[0].split(" ")[0] if node in boxes else ""


def figure_of(root: Any, names: Names, numbers: bool | None, gradient: Any) -> tuple[Figure, list[str]]:
    """The figure of a tensor's graph, and the same as lines of text."""
    if numbers is None:
        numbers = len(_in_order(root.grad_fn)) <= MOST_WITH_NUMBERS
    tape = _Tape(root, names, numbers, gradient)
    figure = tape.build()
    return figure, _as_text(tape, figure)


def figure_of_node(node: Any) -> tuple[Figure, list[str]]:
    """The figure of the graph behind a node, without numbers."""
    if isinstance(node, AccumulateGrad):
        figure = Figure()
        figure.boxes[node] = Box("parameter", ["leaf", amounts.shape(node.result_specs[0])])
        return figure, ["leaf"]
    root = wrap(Storage(), node.result_specs[0] if node.result_specs else spec((), float32))  # has no numbers
    root._tracked, root._node = True, node
    tape = _Tape(root, Names({}, None), False, None)
    figure = tape.build()
    return figure, _as_text(tape, figure)


def _as_text(tape: _Tape, figure: Figure) -> list[str]:
    """A line for each tensor, in the order of computation."""
    inputs: dict[Any, list[Any]] = {}
    for line in figure.lines:
        inputs.setdefault(line.target, []).append(line.source)
    found = []
    for key, box in figure.boxes.items():
        if box.kind == "operator":
            continue
        name, value = tape.names.of(key), tape.values.get(key)
        title = name or (tape.root_name if box.kind == "result" else "")
        makers = inputs.get(key, [])
        if makers:
            operator, *numbers = figure.boxes[makers[0]].lines[0].split(" ")
            of = ", ".join([*(tape.titles.get(each) or "?" for each in inputs.get(makers[0], [])), *[" ".join(numbers)] * bool(numbers)])
            title = f"{title} = {operator}({of})" if title else f"{operator}({of})"
        elif not title:
            title = box.kind
        if value is None and box.kind == "constant":
            written = box.lines[-1]
        else:
            written = "?" if value is None or not tape.numbers else amounts.value(value)
        text = f"{title} = {written}" if tape.numbers else title
        if key in tape.gradients:
            text += f"   ∂{tape.root_name}/∂{name or tape.titles.get(key) or '·'} = {tape.gradients[key]}"
        found.append(text)
    return found
