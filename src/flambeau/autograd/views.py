"""Views on the tape: what an in-place write through a view means for its base and for other views of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

from .plans import attach, new_plan
from .tape import Node, edge_of, next_sequence

#: The operator that takes any window of a tensor (`as_strided`); operators/views.py declares it and puts it here.
window_operator: list[Any] = []


class _WithoutGrad:
    """What ``_view_of`` is of a view taken while the tape did not record."""


WITHOUT_GRAD = _WithoutGrad()


def remember_view(base: Any, view: Any) -> None:
    """Note a view of a base that does not require grad (yet), so that it can follow when it does."""
    views = base._views
    if views is None:
        base._views = [ref(view)]
        return
    views.append(ref(view))
    if not len(views) & 63:  # most are gone soon
        base._views = [each for each in views if each() is not None]


def adopt_views(base: Any) -> None:
    """An in-place write has made ``base`` require grad: so do the views taken of it before."""
    for each in base._views:
        view = each()
        if view is not None and not view._tracked:
            renew(view)
    base._views = None


class CopySlices(Node):
    """A write into a window of a base: the gradient of the base outside the window passes, inside it goes to the writer.

    Attributes:
        writer: the node of the operator that made the written values.
        own: the index of the writer's edge that stands for the window's old content, or None.
        read: takes the window out of a tensor laid out like the base.
    """

    def __init__(self, base: Any, writer: Any, own: int | None, read: Callable[[Any], Any]) -> None:
        self.sequence = next_sequence()
        self.writer, self.own, self.read = writer, own, read
        others = [k for k in range(len(writer.edges)) if k != own]
        self.others = others
        self.edges = (edge_of(base), *(writer.edges[k] for k in others))
        self.result_specs = (base._spec,)
        self.input_specs = (base._spec, *(writer.input_specs[k] if writer.input_specs else None for k in others))

    def apply(self, grads: list[Any]) -> Sequence[Any]:
        base, whole = self.result_specs[0], grads[0].clone()
        if whole._spec.strides != base.strides:  # the window's offset and strides are those of the base
            whole = whole.new_empty_strided(base.shape, base.strides).copy_(whole)
        inside = self.read(whole)
        results = self.writer.apply([inside.clone()])
        from .engine import fit

        results = [
            grad if grad is None or not self.writer.input_specs or self.writer.input_specs[k] is None
            else fit(grad, self.writer.input_specs[k], self.writer)
            for k, grad in enumerate(results)
        ]  # fmt: skip
        own = None if self.own is None else results[self.own]
        if own is None:
            inside.zero_()
        else:
            inside.copy_(own)
        return [whole, *(results[k] for k in self.others)]

    def release(self) -> None:
        self.writer.release()


def rebase(view: Any, base: Any, node: Any) -> None:
    """After an in-place write to ``view`` by ``node``: make the write part of the base's history, then the view's."""
    spec, offset, start = view._spec, view.storage_offset(), base.storage_offset()
    whole_spec = base._spec  # the node must not hold its base, which holds it

    def read(whole: Any) -> Any:
        return _window_like(whole, whole_spec, spec, offset - start)

    first = node.arguments.get("input") if hasattr(node, "arguments") else (0, None)
    own = first[0] if first is not None and len(node.edges) > first[0] else None
    base._node = CopySlices(base, node, own, read)
    base._tracked, base._slot = True, 0
    renew(view)


def _window_like(whole: Any, base_spec: Any, spec: Any, offset: int) -> Any:
    """The window of ``whole`` (of the base's shape, in whatever layout) that corresponds to a view of the base."""
    if whole._spec.strides != base_spec.strides:
        raise RuntimeError("internal: a gradient is not laid out like its base")
    return whole.as_strided(spec.shape, spec.strides, whole.storage_offset() + offset)


def renew(view: Any) -> None:
    """Give a view the node it would have if it were taken from its base now."""
    base = view._base
    values = (base, tuple(view._spec.shape), view._spec.strides, view.storage_offset(), base.storage_offset())
    attach(new_plan(window_operator[0], values, [view]), values, [view])
    view._view_of = base._node


def current_node(view: Any) -> Any:
    """The node of a tensor that may be a view whose base has been written to since."""
    base = view._base
    if base is not None and base._tracked and view._view_of is not base._node and view._tracked and base._node is not None:
        renew(view)
    return view._node


class ScatterWindow(Node):
    """The derivative of writing a tensor into a window of zeros: reading the window."""

    def __init__(self, source: Any, result: Any, window: Callable[[Any], Any]) -> None:
        self.sequence = next_sequence()
        self.edges = (edge_of(source),)
        self.input_specs, self.result_specs = (source._spec,), (result._spec,)
        self.window = window

    def apply(self, grads: list[Any]) -> Sequence[Any]:
        return [self.window(grads[0])]


def scatter_window(zeros: Any, source: Any, window: Callable[[Any], Any]) -> Any:
    """``zeros`` with ``source`` written into a window of it, on the tape."""
    from .grad_mode import no_grad

    with no_grad():
        window(zeros).copy_(source)
    zeros._node, zeros._tracked, zeros._slot = ScatterWindow(source, zeros, window), True, 0
    return zeros


__all__ = ["CopySlices", "current_node", "rebase", "renew", "scatter_window"]
