"""A declared operator, called: arguments are bound, a rule found or made, the call recorded and put on the tape.

This is the general way, for any arguments; ``fast_calls`` holds shorter ones for the calls that are most of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.grad_mode import mode
from ..autograd.in_place import adopt_history
from ..autograd.plans import Derivative, attach, new_plan
from ..core import strides as _strides
from ..core.dtypes import FLOATING, dtype_of_number, from_numpy, on_default_change
from ..core.specs import Spec, spec
from ..core.storages import at_rest
from ..primitives.values import Block, Value
from ..tracing.handles import Classes, Handle, wrap
from ..tracing.recorder import record, run_now
from ..tracing.rules import Rule, make_rule
from .parameters import ALIASES, MISSING, NUMBERS, as_number, kind_of, wrong_type
from .registry import functions
from .writing import READS_AFTER_WRITING, check_apart, check_in_place, flat, store, write_out

#: How a result is laid out in memory, by the operands' layouts.
POINTWISE, CONTIGUOUS, LIKE_FIRST = "pointwise", "contiguous", "like_first"

#: An operator keeps at most this many rules; a program of ever new shapes must not grow without bound.
RULES_KEPT = 4096

#: Every declared operator, so that their rules can be dropped when the default dtype changes.
every_operator: list[Operator] = []


class Operator:
    """One declared operator: its parameters, its meaning, its table of rules."""

    #: PyTorch's autograd has never heard of it: not even an ``out=`` that requires grad is refused.
    outside_autograd = False

    def __init__(
        self,
        meaning: Callable[..., Any],
        derivative: dict[str, Callable[..., Any]] | None,
        layout: str | Callable[..., Any],
        node: str | Callable[..., str] | None,
        returns: Callable[..., Any] | None,
        name: str | None,
        check: Callable[..., Any] | None = None,
        check_integers: Callable[..., Any] | None = None,
        node_in_place: str | Callable[..., str] | None = None,
    ) -> None:
        code = meaning.__code__
        self.check = check
        self.check_integers = check_integers
        self.node_in_place = node_in_place
        self.name = name or meaning.__name__.rstrip("_")
        self.meaning = meaning
        self.parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.positional = code.co_argcount
        annotations = meaning.__annotations__
        self.kinds = tuple(kind_of(annotations.get(parameter, "")) for parameter in self.parameters)
        defaults = meaning.__defaults__ or ()
        self.defaults = [MISSING] * (self.positional - len(defaults)) + list(defaults)
        self.defaults += [(meaning.__kwdefaults__ or {}).get(each, MISSING) for each in self.parameters[self.positional :]]
        self.derivative = Derivative(derivative) if derivative else None
        self.layout = layout
        self.node = node or camel_case(self.name) + "Backward0"
        self.returns = returns
        self.rules: dict[Any, Rule] = {}
        self.plans: dict[Any, Any] = {}  # how to put a call on the tape, by rule and by who requires grad
        self.fast_rules: dict[Any, Rule] = {}  # by the arguments just as they were given
        self.fast_in_place: list[dict[Any, Rule]] = []
        self.fast = 0  # 2: there is the fast way for two operands
        self.leading = 2  # how many of the first arguments the fast ways take as operands
        self.required = sum(each is MISSING for each in self.defaults)
        every_operator.append(self)

    # -- calling -----------------------------------------------------------------------------------------------------

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """One value for each parameter.

        Raises:
            TypeError: an argument is missing, unknown or given twice.
        """
        if len(args) > self.positional:
            raise TypeError(f"{self.name}() takes {self.positional} positional arguments but {len(args)} were given") from None
        values = list(args) + self.defaults[len(args) :]
        for key, value in kwargs.items():
            place = self._place(key)
            if place < len(args):
                raise TypeError(f"{self.name}() got multiple values for argument '{key}'") from None
            values[place] = value
        for value in values:
            if value is MISSING:
                missing = [p for p, v in zip(self.parameters, values) if v is MISSING]
                raise TypeError(
                    f"{self.name}() missing {len(missing)} required positional arguments: "
                    + ", ".join(f'"{each}"' for each in missing)
                ) from None
        return values

    def _place(self, key: str) -> int:
        for each in (key, ALIASES.get(key)):
            if each in self.parameters:
                return self.parameters.index(each)
        raise TypeError(f"{self.name}() got an unexpected keyword argument '{key}'") from None

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The operator on these arguments: finds the rule, records, and puts the call on the tape."""
        out = kwargs.pop("out", None) if kwargs else None
        values = self.bind(args, kwargs)
        if out is not None:
            return self._call_out(values, out)
        if self.check is not None:
            self.check(*values)
        rule, operands, tracked = self.rule_for(values)
        if self.checks_each(rule):
            self.check_integers(*values)  # type: ignore[misc]
        if rule.dynamic:
            results = [_from_array(each) for each in run_now(rule, [operand_of(each) for each in operands])]
        else:
            cells = record(rule, [operand_of(each) for each in operands])
            results = [wrap(cell, cell.spec) for cell in cells]
        if Classes.mark is not None:
            for each in results:
                Classes.mark(each)
        if tracked and mode.enabled and rule.differentiable:
            key = (rule, *[each._tracked for each in operands if isinstance(each, Handle)])
            plan = self.plans.get(key)
            if plan is None:
                plan = self.plans[key] = new_plan(self, values, results)
            attach(plan, values, results)
        if rule.returns is not None:
            return rule.returns(results)
        return results[0]

    def rule_for(self, values: list[Any]) -> tuple[Rule, list[Any], bool]:
        """The rule for bound arguments, its operands in order, and whether one of them requires grad."""
        key: list[Any] = []
        operands: list[Any] = []
        tracked = False
        place = -1
        for value, default, kind in zip(values, self.defaults, self.kinds):
            place += 1
            if value is default or (value is None and kind.optional):
                key.append(value if type(value) is not float else "default")
            elif kind.tensor and isinstance(value, Handle):
                key.append(value._spec)
                operands.append(value)
                tracked = tracked or value._tracked
            elif kind.tensors:
                key.append(self._key_of_list(value, values, place, operands))
                tracked = tracked or any(each._tracked for each in operands if isinstance(each, Handle))
            elif kind.number and (number := as_number(value)) is not None:
                values[place] = number
                key.append(type(number))
                operands.append(number)
            elif kind.operand and not (kind.number and isinstance(value, Handle)):
                raise wrong_type(self.name, self.parameters[place], "Tensor" if kind.tensor else "Number", value, place)
            else:
                if isinstance(value, Handle):
                    value = value.item()
                    if kind.number:
                        values[place] = value
                        key.append(type(value))
                        operands.append(value)
                        continue
                value = values[place] = kind.canonical(value, self.name, self.parameters[place], place)
                key.append((value, type(value)) if type(value) in (float, bool) else value)
        found = tuple(key)
        try:
            rule = self.rules.get(found)
        except TypeError as error:
            raise TypeError(f"{self.name}() received an invalid combination of arguments ({error})") from None
        if rule is None:
            try:
                rule = self._new_rule(values)
            except Exception as error:
                # That no table had a rule for these arguments yet is not what is wrong with them.
                error.__suppress_context__ = True
                raise
            if len(self.rules) >= RULES_KEPT:
                self.forget()
            self.rules[found] = rule
        return rule, operands, tracked

    def checks_each(self, rule: Rule) -> bool:
        """Whether every call with this rule is to be checked for integers that are an error."""
        return self.check_integers is not None and rule.result.dtype.category < FLOATING

    def forget(self) -> None:
        """Drop all rules; they are made anew when needed."""
        self.rules.clear()
        self.fast_rules.clear()
        self.plans.clear()
        for each in self.fast_in_place:
            each.clear()

    def _key_of_list(self, value: Any, values: list[Any], place: int, operands: list[Any]) -> tuple[Any, ...]:
        """The Specs of a list of tensors, which become operands."""
        items: list[Any] = []
        for each in self._sequence(value, place):
            if isinstance(each, Handle):
                items.append(each._spec)
                operands.append(each)
            elif each is None:
                items.append(None)
            else:
                raise TypeError(
                    f"expected Tensor as element {len(items)} in argument {place}, but got {type(each).__name__}"
                )
        return tuple(items)

    def _sequence(self, value: Any, place: int) -> Any:
        if isinstance(value, (list, tuple)):
            return value
        raise TypeError(
            f"{self.name}(): argument '{self.parameters[place]}' (position {place + 1}) must be tuple of Tensors, not "
            f"{type(value).__name__}"
        )

    def _new_rule(self, values: list[Any]) -> Rule:
        """Run the meaning on these arguments' shapes and dtypes. Raises whatever is wrong with them."""
        if any(kind.tensor and kind.number for kind in self.kinds) and not any(isinstance(v, Handle) for v in values):
            raise TypeError(
                f"{self.name}(): argument '{self.parameters[0]}' (position 1) must be Tensor, not {type(values[0]).__name__}"
            )
        specs: list[Any] = []
        with Block() as block:
            arguments: list[Any] = []
            for place, (kind, value) in enumerate(zip(self.kinds, values)):
                if isinstance(value, Handle):
                    specs.append(value._spec)
                    arguments.append(block.input(value._spec.shape, value._spec.dtype))
                elif kind.number and value is not self.defaults[place] and type(value) in NUMBERS:
                    specs.append(type(value).__name__)
                    arguments.append(block.input((), dtype_of_number(value), is_number=True))
                elif kind.tensors and value is not None:
                    items: list[Any] = []
                    for each in value:
                        if each is None:
                            items.append(None)
                        else:
                            specs.append(each._spec)
                            items.append(block.input(each._spec.shape, each._spec.dtype))
                    arguments.append(items)
                else:
                    arguments.append(value)
            made = self.meaning(*arguments[: self.positional], **self._keywords(arguments))
        several = isinstance(made, (tuple, list))
        outputs = tuple(made) if several else (made,)
        tensors = [each for each in specs if isinstance(each, Spec)]
        results = [spec(each.shape, each.dtype, self._strides(each, tensors, values)) for each in outputs]
        rule = make_rule(self.name, specs, block, outputs, results)
        rule.differentiable = self.derivative is not None and any(each.dtype.category >= 2 for each in results)
        rule.returns = (self.returns or tuple) if several else None
        return rule

    def _keywords(self, values: list[Any]) -> dict[str, Any]:
        """The values of the keyword-only parameters, by name."""
        return dict(zip(self.parameters[self.positional :], values[self.positional :]))

    def _strides(self, result: Value, operands: Sequence[Spec], values: Sequence[Any]) -> Any:
        if self.layout == POINTWISE:
            inputs = [(each.shape, each.strides) for each in operands if _broadcasts(each.shape, result.shape)]
            return _strides.pointwise(result.shape, inputs) if inputs else None
        if self.layout == CONTIGUOUS:
            return None
        if self.layout == LIKE_FIRST:
            first = operands[0]
            return _strides.like(first.shape, first.strides) if first.shape == result.shape else None
        arguments = (values,) if self.layout.__code__.co_argcount == 3 else ()  # type: ignore[union-attr]
        return self.layout(result, operands, *arguments)  # type: ignore[operator]

    def _call_out(self, values: list[Any], out: Any) -> Any:
        given = flat(out) if self.derivative is None else (*values, *flat(out))
        if mode.enabled and not self.outside_autograd and any(isinstance(v, Handle) and v._tracked for v in given):
            raise RuntimeError(
                f"{self.name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
                "arguments requires grad."
            )
        results = self.call(tuple(values[: self.positional]), self._keywords(values))
        if self.layout == POINTWISE or self.name in READS_AFTER_WRITING:
            check_apart(self.name, out, values)
        return write_out(self.name, out, results)

    def call_in_place(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The operator's result written into its first argument."""
        values = self.bind(args, kwargs)
        target = values[0]
        if self.check is not None:
            self.check(*values)
        rule, operands, tracked = self.rule_for(values)
        if self.checks_each(rule):
            self.check_integers(*values)  # type: ignore[misc]
        result = rule.result
        tracked = tracked and mode.enabled
        check_in_place(self.name, target, result.shape, result.dtype, tracked)
        if len(operands) > 1 and self.layout == POINTWISE:
            check_apart(self.name + "_", target, operands[1:])
        plan = None
        if tracked and rule.differentiable:
            key = (rule, "in place", *[each._tracked for each in operands if isinstance(each, Handle)])
            plan = self.plans.get(key)
            if plan is None:
                plan = self.plans[key] = new_plan(self, values, [target], self.node_in_place)
        edges = None if plan is None else plan.edges(values)
        versions = None
        if plan is not None:
            if plan.keeps(0):  # the derivative needs what is overwritten here
                values = [functions["clone"](target), *values[1:]]
            versions = plan.save_arguments(values)
        value = record(rule, [operand_of(each) for each in operands])[0]
        store(target, value)
        if plan is not None:
            adopt_history(target, plan.node(values, edges, versions, [target]))
        return target


def operand_of(value: Any) -> Any:
    """What is recorded of an operand: a tensor's cell, a number as it is."""
    return value._cell if isinstance(value, Handle) else value


def _from_array(array: Any) -> Any:
    layout = spec(array.shape, from_numpy(array.dtype))
    if not array.flags.c_contiguous or array.base is not None:
        array = array.copy()
    return wrap(at_rest(array, layout), layout)


def camel_case(name: str) -> str:
    """``"index_put"`` as ``"IndexPut"``, the way nodes are named."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _broadcasts(shape: Sequence[int], to: Sequence[int]) -> bool:
    return len(shape) <= len(to) and all(a == b or a == 1 for a, b in zip(reversed(shape), reversed(to)))


def _forget_all() -> None:
    for each in every_operator:
        each.forget()


on_default_change.append(_forget_all)  # what an integer tensor is promoted to is written into the rules
