"""Backward passes that have been seen before: what they recorded is recorded again, without walking the graph.

Which calls a pass records depends on the graph's nodes and edges, on what kind of thing each node saved, and on which
leaves have a gradient already. When all that is as it was, the entries are the same but for the operands that come from
outside: the cells that nodes saved, and the gradients added to. So a pass is *learned* once: it runs the general way
(``engine.run``), and from the entries it left a Python function is written that compares a graph with the one seen and
appends the entries in one go. Intermediate gradients are then never tensors at all.

Whoever wants to see or change something on the way (hooks, ``retain_grad``, anomaly mode, packed tensors, a
``Function``, somebody who watches the trace) has his graph walked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.storages import Storage
from ..tracing.excerpts import Excerpt
from ..tracing.handles import Classes, Handle
from ..tracing.recorder import end_round, lock, synchronize, trace
from .grad_mode import rewriting
from .plans import OperatorNode
from .saved import SavedResult
from .tape import AccumulateGrad, Node, anomaly

#: So many passes are remembered for roots of one plan; a graph is learned at most so often.
KEPT, LESSONS = 8, 4


class Passes:
    """What is known of the passes that begin at nodes of one plan.

    Attributes:
        replays: the functions that record them again, the one used last in front.
        seen: how often graphs were walked, by what :func:`_outline` says of them.
        found: how often a pass was known.
    """

    __slots__ = ("found", "replays", "seen")

    def __init__(self) -> None:
        self.replays: list[Callable[[Any, bool], Sequence[Any] | None]] = []
        self.seen: dict[int, int] = {}
        self.found = 0

    def recurs(self, root: Node) -> bool:
        """Whether the pass from this root is worth learning: it was seen before, and learning it was not in vain."""
        outline = _outline(root)
        if len(self.seen) > 256:
            self.seen.clear()
        times = self.seen[outline] = self.seen.get(outline, 0) + 1
        return 1 < times <= 1 + LESSONS


def _outline(root: Node) -> int:
    """The same number for graphs of the same nodes and edges; for different ones hardly ever."""
    nodes, numbers, found = [root], {root: 0}, []
    for node in nodes:
        found.append(node.plan)
        for edge in node.edges:
            if edge is not None:
                target = edge[0]
                if target not in numbers:
                    numbers[target] = len(nodes)
                    nodes.append(target)
                found.append(numbers[target])
    return hash(tuple(found))


def backward(root: Node, keep_graph: bool, walk: Callable[[], Any]) -> None:
    """Accumulate the gradients of a root that is one number into its leaves; ``walk`` does it the general way."""
    plan: Any = root.plan
    if plan is None or anomaly.enabled or rewriting or Classes.mark is not None:
        walk()
        return
    passes = plan.passes
    if passes is None:
        passes = plan.passes = Passes()
    lock.acquire()
    try:
        if type(trace.entries) is not list:  # somebody watches
            passes = None
        else:
            for place, replay in enumerate(passes.replays):
                leaves = replay(root, keep_graph)
                if leaves is not None:
                    passes.found += 1
                    if place:
                        passes.replays.insert(0, passes.replays.pop(place))
                    if len(trace.storages) > trace.limit:
                        synchronize()
                    _end_loop(leaves)
                    return
            lesson = _Lesson(root) if not keep_graph and passes.recurs(root) else None
            if lesson is not None and lesson.nodes:
                lesson.begin()
                walk()
                replay = lesson.written()
                if replay is not None:
                    passes.replays.insert(0, replay)
                    del passes.replays[KEPT:]
                _end_loop([leaf for leaf, _ in lesson.leaves.values()])
                return
    finally:
        lock.release()
    walk()


def _end_loop(leaves: Sequence[Any]) -> None:
    """End the round where a leaf was written to in this trace before the pass reached it: by a loop that has no optimizer."""
    for leaf in leaves:
        cell = leaf._cell
        if cell.epoch is trace.epoch and cell.position >= 0:
            end_round()
            return


class _Lesson(Excerpt):
    """One pass, looked at before and after it runs.

    Attributes:
        nodes: the nodes by their number; empty where the graph is one to be walked.
        leaves: by the number of its node, each leaf and its gradient before the pass.
    """

    def __init__(self, root: Node) -> None:
        super().__init__()
        self.nodes: list[Any] = [root]
        self.leaves: dict[int, tuple[Any, Any]] = {}  # node number -> (leaf, its gradient before)
        self.released: list[int] = []
        self.constants.update(Leaf=AccumulateGrad)
        numbers: dict[Node, int] = {root: 0}
        for number, node in enumerate(self.nodes):
            if not (self._leaf(number, node) if type(node) is AccumulateGrad else self._node(number, node, numbers)):
                self.nodes = []
                return
        self._tell_apart()

    # -- before the pass: the graph ----------------------------------------------------------------------------------

    def _node(self, number: int, node: Any, numbers: dict[Node, int]) -> bool:
        if not isinstance(node, OperatorNode) or node.watched or node.values is None:
            return False
        own = f"n{number}"
        self.require(f"{own}.plan is {self.constant('plan', node.plan)} and not {own}.watched")
        targets, conditions = [], []
        for place, edge in enumerate(node.edges):
            if edge is None:
                targets.append(f"e{place}")
                conditions.append(f"e{place} is None")
                continue
            target, slot = edge
            if target in numbers:
                conditions.append(f"t{place} is n{numbers[target]}")
                targets.append(f"(t{place}, s{place})")
            else:
                numbers[target] = len(self.nodes)
                self.nodes.append(target)
                targets.append(f"(n{numbers[target]}, s{place})")
            if target.results > 1:
                conditions.append(f"s{place} == {slot}")
        self.lines.append(f"{', '.join(targets)}, = {own}.edges")
        if conditions:
            self.require(" and ".join(conditions))
        return self._saved(number, node)

    def _saved(self, number: int, node: Any) -> bool:
        if not node.values:
            return True
        self.released.append(number)
        names = [f"a{number}_{k}" for k in range(len(node.values))]
        versions = [f"v{number}_{k}" for k in range(len(node.values))]
        self.lines.append(f"{', '.join(names)}, = n{number}.values")
        self.lines.append(f"{', '.join(versions)}, = n{number}.versions")
        for name, version, value in zip(names, versions, node.values):
            if isinstance(value, Handle):
                self._saved_cell(f"c{name}", f"{name}._cell", value._cell, version)
            elif type(value) is SavedResult:
                self._saved_cell(f"c{name}", f"{name}.cell", value.cell, version)
            elif value is None or value is True or value is False:
                self.require(f"{name} is {value}")
            elif type(value) in (int, float, complex):
                constant = self.constant("number", value)
                self.require(f"{name}.__class__ is {constant}.__class__ and {name} == {constant}")
            elif type(value) is list:
                items = [f"{name}_{k}" for k in range(len(value))]
                self.lines.append(f"{', '.join(items)}, = {name}")
                self.lines.append(f"{', '.join('w' + each for each in items)}, = {version}")
                for item, each in zip(items, value):
                    if each is None:
                        self.require(f"{item} is None")
                    else:
                        self._saved_cell(f"c{item}", f"{item}._cell", each._cell, "w" + item)
            else:
                return False
        return True

    def _saved_cell(self, name: str, expression: str, cell: Any, version: str) -> None:
        self.lines.append(f"{name} = {expression}")
        self.require(f"{name}.version == {version}")
        self.cells.append((name, cell))

    def _leaf(self, number: int, node: Any) -> bool:
        leaf = node.variable
        if node.watched or leaf is None or leaf._post_accumulate_hooks:
            return False
        grad = leaf._grad
        self.leaves[number] = leaf, grad
        self.lines.append(f"l{number} = n{number}._variable()")
        self.require(
            f"n{number}.__class__ is Leaf and not n{number}.watched and l{number} is not None"
            f" and l{number}._spec is {self.constant('spec', leaf._spec)} and not l{number}._post_accumulate_hooks"
        )
        self.lines.append(f"g{number} = l{number}._grad")
        if grad is None:
            self.require(f"g{number} is None")
            return True
        if not _plain(grad):
            return False
        self.require(
            f"g{number}._spec is {self.constant('spec', grad._spec)} and not g{number}._tracked and not g{number}._inference"
            f" and not g{number}._data_alias"
        )
        self.lines.append(f"h{number} = g{number}._cell")
        self.require(f"h{number}.__class__ is Storage and not h{number}.exposed")
        self.cells.append((f"h{number}", grad._cell))
        return True

    def _tell_apart(self) -> None:
        """Nodes that were different must be different again; those of different plans are anyway."""
        alike: dict[Any, list[str]] = {}
        for number, node in enumerate(self.nodes):
            alike.setdefault(node._variable if type(node) is AccumulateGrad else node.plan, []).append(f"n{number}")
        leaves = [f"n{number}" for number in self.leaves]
        for names in (leaves, *(each for each in alike.values() if each[0] not in leaves)):
            if len(names) > 1:
                self.require(f"len({{{', '.join(names)}}}) == {len(names)}")

    # -- after the pass: the calls -------------------------------------------------------------------------------------

    def written(self) -> Callable[[Any, bool], Sequence[Any] | None] | None:
        """The function, or None where some call depends on what is not known here."""
        lines = self.calls()
        if lines is None:
            return None
        results = self._results()
        known = {id(leaf._grad._cell) for leaf, _ in self.leaves.values() if leaf._grad is not None}
        if None in results or self.something_is_left(known):
            return None
        for each in results:
            lines += each  # type: ignore[arg-type]
        if self.released:
            lines.append("if not keep:")
            for number in self.released:
                lines += [f"    n{number}.values = None", f"    n{number}.versions = ()"]
        lines.append(f"return ({' '.join(f'l{number},' for number in self.leaves)})")
        return self.function("n0, keep", lines, "backward pass")

    def _results(self) -> list[list[str] | None]:
        """The lines that give each leaf its gradient."""
        return [self._result(number, *each) for number, each in self.leaves.items()]

    def _result(self, number: int, leaf: Any, before: Any) -> list[str] | None:
        grad, cell = leaf._grad, f"h{number}"
        if grad is before:
            if grad is None or not self.is_written(grad._cell):
                return []  # no gradient came
            return [self.leave(cell), f"{cell}.version += 1", self.moved(cell, grad._cell)]
        if before is not None or not _plain(grad) or not self.is_written(grad._cell) or grad._cell.spec is not grad._spec:
            return None
        return [
            f"{cell} = new(Storage)", f"g{number} = l{number}._grad = new(tensor)",
            f"{cell}.spec = g{number}._spec = {self.constant('spec', grad._spec)}", f"g{number}._cell = {cell}",
            f"g{number}._tracked, g{number}._node, g{number}._slot = False, None, 0",
            self.moved(cell, grad._cell),
        ]  # fmt: skip


def _plain(grad: Any) -> bool:
    """Whether a gradient is a whole storage, and a tensor like any that an operator returns."""
    kind: Any = Classes.tensor
    return (
        type(grad) is kind and type(grad._cell) is Storage and not grad._cell.exposed and not grad._tracked
        and vars(grad).keys() <= {"_cell", "_spec", "_tracked", "_node", "_slot"}
    )  # fmt: skip
