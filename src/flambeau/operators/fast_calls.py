"""The fast ways into an operator, for calls that have been made before with operands of the same specs.

Each declared operator gets one of these functions, the shortest that its parameters allow. They look the rule up by the
arguments just as they were given and repeat what ``record`` and ``wrap`` do; whatever they do not understand, and the
first call of its kind, goes the general way (``calls``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import mode
from ..autograd.plans import new_plan
from ..autograd.tape import anomaly, edge_of, next_sequence
from ..core.storages import Storage, View
from ..tracing.handles import Classes, Handle, wrap
from ..tracing.recorder import lock, record_cells, resolve, synchronize, trace
from ..tracing.rules import Rule
from .calls import Operator
from .parameters import MISSING, NUMBERS
from .registry import describe

_new = object.__new__
_acquire, _release = lock.acquire, lock.release


def one_operand(operator: Operator) -> Callable[..., Any]:
    """A function for operators that need one tensor. Repeats ``record`` inline: 0.4 µs less than calling it."""
    rules, plans, call = operator.fast_rules, operator.plans, operator.call

    def function(input: Any = MISSING, *args: Any, **kwargs: Any) -> Any:
        rule: Rule | None
        try:
            rule = rules[(input._spec, args, *kwargs.items()) if args or kwargs else input._spec]
        except (KeyError, AttributeError, TypeError):
            rule = _find_fast_rule(operator, (input, *args), kwargs)
        if input is not MISSING:
            if rule is not None:
                _acquire()
                try:
                    cell = input._cell
                    epoch = trace.epoch
                    position = cell.position if cell.epoch is epoch else resolve(cell)
                    made = _new(Storage)
                    storages = trace.storages
                    made.spec = layout = rule.result
                    made.epoch, made.position = epoch, len(storages)
                    storages.append(made)
                    trace.entries.append((rule, position))
                    if len(storages) > trace.limit:
                        synchronize()
                finally:
                    _release()
                result: Any = _new(Classes.tensor)
                result._cell, result._spec, result._tracked, result._node, result._slot = made, layout, False, None, 0
                if Classes.mark is not None:
                    Classes.mark(result)
                if input._tracked and rule.differentiable and mode.enabled:
                    plan = plans.get(rule)
                    if plan is None:
                        values = operator.bind((input, *args), kwargs)
                        operator.rule_for(values)  # makes the structural arguments canonical
                        plan = plans[rule] = new_plan(operator, values, [result])
                    plan.attach_one(input, result)
                return result
        return call(args if input is MISSING else (input, *args), kwargs)

    return function


def two_operands(operator: Operator, otherwise: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """A function for operators that need two operands, the first a tensor, the second a tensor or a number.

    ``otherwise``: what to call, with the two operands, where the fast way does not apply.
    """
    rules, call = operator.fast_rules, operator.call

    def function(input: Any = MISSING, other: Any = MISSING, *args: Any, **kwargs: Any) -> Any:
        if other is not MISSING:
            kind = type(other)
            number = kind in NUMBERS and not args and not kwargs
            rule: Rule | None
            try:
                if number:
                    rule = rules[input._spec, kind]
                elif args or kwargs:
                    rule = rules[(input._spec, other._spec, args, *kwargs.items())]
                else:
                    rule = rules[input._spec, other._spec]
            except (KeyError, AttributeError, TypeError):
                rule = _find_fast_rule(operator, (input, other, *args), kwargs)
            if rule is not None:
                _acquire()
                try:
                    cell = input._cell
                    epoch = trace.epoch
                    position = cell.position if cell.epoch is epoch else resolve(cell)
                    if number:
                        trace.inputs.append(other)
                        trace.owners.append(None)
                        second = -len(trace.inputs)
                    else:
                        cell = other._cell
                        second = cell.position if cell.epoch is epoch else resolve(cell)
                    made = _new(Storage)
                    storages = trace.storages
                    made.spec = layout = rule.result
                    made.epoch, made.position = epoch, len(storages)
                    storages.append(made)
                    trace.entries.append((rule, position, second))
                    if len(storages) > trace.limit:
                        synchronize()
                finally:
                    _release()
                result: Any = _new(Classes.tensor)
                result._cell, result._spec, result._tracked, result._node, result._slot = made, layout, False, None, 0
                if Classes.mark is not None:
                    Classes.mark(result)
                first, last = input._tracked, not number and other._tracked
                if (first or last) and rule.differentiable and mode.enabled:
                    which = first + last + last
                    plan = rule.plans[which]
                    if plan is None:
                        values = operator.bind((input, other, *args), kwargs)
                        operator.rule_for(values)  # makes the structural arguments canonical
                        plan = rule.plans[which] = new_plan(operator, values, [result])
                    if plan.bare:  # nothing to save and both operands have rows: the node is made here, 0.3 µs less
                        node = _new(plan.cls)
                        node.sequence, node.plan = next_sequence(), plan
                        if input._base is None and (number or other._base is None):
                            maker = input._node
                            edge = (maker, input._slot) if maker is not None else (first and (input._accumulator or edge_of(input))) or None
                            if number:
                                node.edges = (edge,)
                            else:
                                maker = other._node
                                node.edges = (
                                    edge,
                                    (maker, other._slot) if maker is not None
                                    else (last and (other._accumulator or edge_of(other))) or None,
                                )  # fmt: skip
                        else:
                            node.edges = (edge_of(input),) if number else (edge_of(input), edge_of(other))
                        if anomaly.enabled:
                            anomaly.remember(node)
                        result._node, result._tracked = node, True
                    else:
                        plan.attach_two(input, other, result)
                return result
        if otherwise is not None:
            return otherwise(input, other)
        if other is not MISSING:
            args = (input, other, *args)
        elif input is not MISSING:
            args = (input,)
        return call(args, kwargs)

    return function


def symbol_form(call: Callable[..., Any], convert: Callable[[Any], Any]) -> Callable[..., Any]:
    """The method behind a Python operator (``x + y``): as the function, but what is no operand is left to the other side.

    ``convert`` makes operands of the foreign types that are understood (NumPy's); None for the rest.
    """
    made = getattr(call, "operator", None)

    def symbol(self: Any, other: Any) -> Any:
        if not isinstance(other, (Handle, int, float, bool, complex)):
            other = convert(other)
            if other is None:
                return NotImplemented
        return call(self, other)

    return two_operands(made, symbol) if isinstance(made, Operator) and made.fast == 2 else symbol


def _find_fast_rule(operator: Operator, operands: tuple[Any, ...], kwargs: Any = None) -> Rule | None:
    """The rule for a call that the fast ways may take, entered into their table; None when the general way must be gone.

    They take calls whose first one or two arguments are tensors or numbers and whose others are structure.
    """
    if not isinstance(operands[0], Handle) or (kwargs and ("out" in kwargs or operator.parameters[1] in kwargs)):
        return None
    try:
        return _fast_rule(operator, operands, operator.bind(operands, kwargs or {}), kwargs)
    except Exception as error:
        raise error from None  # that the call was not in the table before is nothing to tell the user


def _fast_rule(operator: Operator, operands: tuple[Any, ...], values: list[Any], kwargs: Any) -> Rule | None:
    leading = operator.leading
    for place, (value, kind) in enumerate(zip(values, operator.kinds)):
        if place < leading:
            if not ((isinstance(value, Handle) and kind.tensor) or (kind.number and type(value) in NUMBERS)):
                return None
        elif value is not operator.defaults[place] and (
            kind.tensor or kind.number or kind.tensors or isinstance(value, Handle)
        ):
            return None
    rule = operator.rule_for(values)[0]
    if rule.dynamic or rule.returns is not None or len(rule.results) != 1 or operator.checks_each(rule):
        return None
    if leading == 2:
        first = tuple(each._spec if isinstance(each, Handle) else type(each) for each in operands[:2])
        if len(operands) == 2 and not kwargs:
            operator.fast_rules[first] = rule
        elif all(isinstance(each, Handle) for each in operands[:2]):
            try:
                operator.fast_rules[(*first, operands[2:], *(kwargs or {}).items())] = rule
            except TypeError:
                return None
        else:
            return None
    elif len(operands) == 1 and not kwargs:
        operator.fast_rules[operands[0]._spec] = rule
    else:
        try:
            operator.fast_rules[(operands[0]._spec, operands[1:], *(kwargs or {}).items())] = rule
        except TypeError:  # a list, say: the general way makes it a tuple
            return None
    return rule


def tensor_operands(operator: Operator) -> Callable[..., Any]:
    """A function for operators on three or more tensors (some may be None), with structure after them."""
    rules, plans, call = operator.fast_rules, operator.plans, operator.call

    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            return call(args, kwargs)
        operands = [each for each in args if isinstance(each, Handle)]
        try:
            if len(operands) == len(args):
                rule = rules[tuple([each._spec for each in operands])]
            else:
                rule = rules[tuple([each._spec if isinstance(each, Handle) else each for each in args])]
        except (KeyError, TypeError):
            result = call(args, kwargs)
            _remember_tensor_call(operator, args)
            return result
        made = record_cells(rule, [each._cell for each in operands])
        result = wrap(made, rule.result)
        if Classes.mark is not None:
            Classes.mark(result)
        if rule.differentiable and mode.enabled:
            key = (rule, *[each._tracked for each in operands])
            plan = plans.get(key)
            if plan is None:
                canonical = operator.bind(args, kwargs)
                operator.rule_for(canonical)
                plan = plans[key] = new_plan(operator, canonical, [result])
            if plan.used:
                values = args if len(args) == len(operator.parameters) else operator.bind(args, kwargs)
                result._node = plan.node(values, None, None, (result,))
                result._tracked = True
        return result

    return function


def _remember_tensor_call(operator: Operator, args: tuple[Any, ...]) -> None:
    """Enter the rule of a call that has just succeeded, unless a number that varies is among its arguments."""
    values = operator.bind(args, {})
    for value, default, kind in zip(values, operator.defaults, operator.kinds):
        if kind.number and value is not default and not isinstance(value, Handle):
            return
    rule = operator.rule_for(values)[0]
    if not rule.dynamic and rule.returns is None:
        try:
            operator.fast_rules[tuple(each._spec if isinstance(each, Handle) else each for each in args)] = rule
        except TypeError:  # a list, say
            return


def any_operands(operator: Operator) -> Callable[..., Any]:
    """A function for all other operators: always the general way."""
    call = operator.call

    def function(*args: Any, **kwargs: Any) -> Any:
        return call(args, kwargs)

    return function


def in_place_method(operator: Operator, name: str) -> Callable[..., Any]:
    """The in-place method. Calls on a whole storage that the tape need not see are recorded here: 2 µs less."""
    call = operator.call_in_place
    fast_rules: dict[Any, Rule] = {}
    operator.fast_in_place.append(fast_rules)
    alone = operator.leading == 1

    def function(input: Any = MISSING, *args: Any, **kwargs: Any) -> Any:
        try:
            cell = input._cell
            if alone:
                rule = fast_rules[(input._spec, args, *kwargs.items()) if args or kwargs else input._spec]
                other: Any = None
            else:
                (other,) = args
                number = type(other) in NUMBERS
                rule = fast_rules[input._spec, type(other) if number else other._spec]
                if kwargs or (not number and other._tracked and mode.enabled):
                    return call((input, *args), kwargs)
                if not number and type(other._cell) is View and other._cell.storage is cell:  # perhaps they overlap
                    return call((input, *args), kwargs)
        except (KeyError, AttributeError, TypeError, ValueError):
            result = call(args if input is MISSING else (input, *args), kwargs)
            _remember_in_place(operator, fast_rules, input, args, kwargs)
            return result
        if type(cell) is not Storage or (input._tracked and mode.enabled) or input._inference or input._data_alias:
            return call((input, *args), kwargs)
        _acquire()
        try:
            epoch = trace.epoch
            position = cell.position if cell.epoch is epoch else resolve(cell)
            if alone:
                entry: tuple[Any, ...] = (rule, position)
            elif number:
                trace.inputs.append(other)
                trace.owners.append(None)
                entry = (rule, position, -len(trace.inputs))
            else:
                second = other._cell
                entry = (rule, position, second.position if second.epoch is epoch else resolve(second))
            storages = trace.storages
            if cell.epoch is epoch and cell.position >= 0:
                storages[cell.position] = None
            cell.epoch, cell.position = epoch, len(storages)
            cell.version += 1
            storages.append(cell)
            trace.entries.append(entry)
            if cell.exposed or len(storages) > trace.limit:
                synchronize()
        finally:
            _release()
        return input

    describe(function, name + "_", f"In-place version of :meth:`{name}`.", operator)
    return function


def _remember_in_place(operator: Operator, fast_rules: dict[Any, Rule], input: Any, args: Any, kwargs: Any) -> None:
    """Enter the rule of an in-place call that has just succeeded, when later ones like it may go the fast way."""
    if not isinstance(input, Handle) or operator.check is not None:
        return
    rule = _find_fast_rule(operator, (input, *args), kwargs) if operator.required <= 2 or operator.leading == 1 else None
    if rule is None or rule.result is not input._spec:
        return
    if operator.leading == 2:
        if len(args) == 1 and not kwargs:
            fast_rules[input._spec, args[0]._spec if isinstance(args[0], Handle) else type(args[0])] = rule
    else:
        fast_rules[(input._spec, args, *kwargs.items()) if args or kwargs else input._spec] = rule
