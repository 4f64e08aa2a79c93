"""How a view is declared: an operator whose result shares its input's memory. Nothing is recorded, nothing computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import mode
from ..autograd.plans import Derivative, attach, new_plan
from ..autograd.views import WITHOUT_GRAD, remember_view
from ..core.specs import Spec, spec
from ..core.storages import Storage, View
from ..tracing.handles import Handle, wrap
from .calls import RULES_KEPT, camel_case


class ViewOperator:
    """An operator whose result is a window onto its input's memory: nothing is recorded, nothing is computed."""

    def __init__(
        self, rule: Callable[..., Any], derivative: dict[str, Any], name: str, node: str | None,
        places: tuple[Callable[..., Any], Callable[..., int]] | None,
    ) -> None:  # fmt: skip
        self.name = name
        self.rule = rule
        self.places = places
        self.derivative = Derivative(derivative)
        self.parameters: tuple[str, ...] = rule.__code__.co_varnames[: rule.__code__.co_argcount]
        self.parameters = ("input", *self.parameters[1:])
        self.node = node or camel_case(name) + "Backward0"
        self.found: dict[Any, tuple[Spec, int]] = {}
        self.plans: dict[Any, Any] = {}
        self.kinds: tuple[Any, ...] = ()

    def __call__(self, input: Any, *arguments: Any) -> Any:
        """The view of ``input``; ``arguments`` must be hashable, one for each further parameter."""
        if not isinstance(input, Handle):
            raise TypeError(f"{self.name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        here = input._spec
        key = (here, arguments) if self.places is None else (here, self.places[0](*arguments))
        try:
            layout, offset = self.found[key]
        except KeyError:
            try:
                made = self.rule(here, *arguments)
            except Exception as error:
                error.__suppress_context__ = True  # that nobody asked for this view before is not what is wrong
                raise
            shape, steps, offset = made[:3]
            layout = spec(shape, made[3] if len(made) > 3 else here.dtype, steps, here.device)
            if len(self.found) >= RULES_KEPT:
                self.found.clear()
            self.found[key] = layout, offset
        if self.places is not None:
            offset = self.places[1](here, *arguments)
        result = wrap(window_cell(input._cell, layout, offset), layout)
        if input._data_alias:
            result._data_alias = True
        if input._inference:
            result._inference = True
        track_view(self, input, result, arguments)
        return result


def window_cell(cell: Storage | View, layout: Spec, offset: int) -> Storage | View:
    """The cell of a tensor of the given layout, ``offset`` elements after the start of ``cell``."""
    if type(cell) is View:
        storage, start = cell.storage, cell.offset
        if cell.spec.dtype is not layout.dtype:  # offsets count elements
            start = start * cell.spec.dtype.itemsize // layout.dtype.itemsize
        offset += start
    else:
        storage = cell  # type: ignore[assignment]
    return storage if layout is storage.spec and offset == 0 else View(storage, layout, offset)


def track_view(operator: ViewOperator, input: Any, result: Any, arguments: tuple[Any, ...]) -> None:
    """Note whose view a result is, and put it on the tape."""
    base = input._base
    if base is None:
        base = input
    result._base = base
    if not mode.enabled:
        result._view_of = WITHOUT_GRAD
    elif result._spec.dtype.category < 2:
        return
    elif not input._tracked:
        if not base._tracked:
            remember_view(base, result)
    else:
        result._view_of = result._base._node
        values = (input, *arguments)
        key = (input._spec, arguments)
        plan = operator.plans.get(key)
        if plan is None:
            if len(operator.plans) >= RULES_KEPT:
                operator.plans.clear()
            plan = operator.plans[key] = new_plan(operator, values, [result])
        attach(plan, values, [result])


def view_operator(
    derivative: dict[str, Any],
    *,
    name: str | None = None,
    node: str | None = None,
    places: tuple[Callable[..., Any], Callable[..., int]] | None = None,
) -> Callable[[Callable[..., Any]], ViewOperator]:
    """Declare a view: the decorated function maps the input's Spec and arguments to (shape, strides, offset[, dtype]).

    ``places``, for views that differ only in where they begin (``x[0]``, ``x[1]``, …) and so share one layout: a function
    from the arguments to what the layout depends on, and one from Spec and arguments to the offset.
    """

    def declare(rule: Callable[..., Any]) -> ViewOperator:
        return ViewOperator(rule, derivative, name or rule.__name__.rstrip("_"), node, places)

    return declare
