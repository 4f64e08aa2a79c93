"""How an operator is declared, and what follows from the declaration.

::

    @operator(
        {"input": lambda grad, other: grad * other.conj(), "other": lambda grad, input: grad * input.conj()},
        layout=POINTWISE, in_place=True, aliases=("multiply",),
    )
    def mul(input: Tensor | Number, other: Tensor | Number) -> Value:
        x, y = promote(input, other)
        return x * y

The decorated function is the *meaning*: it runs once for operands of given shapes and dtypes, on
:class:`~flambeau.primitives.values.Value`, and writes the operator's code in primitives. Its parameters are the
operator's parameters; their annotations say what each one is:

==================  ====================================================================================
``Tensor``          a tensor (``Tensor | None``: or None)
``Tensor | Number``  a tensor or a Python number
``Number``          a Python number, an input of the program: a new number is not a new program
``Tensors``         a sequence of tensors (items may be None)
anything else       structure: part of the rule's key; ``Ints`` and ``int | Ints`` are made tuples
==================  ====================================================================================

The table is the derivative, one row an argument (see :class:`~flambeau.autograd.tape.Derivative`); gradients are
summed over broadcast dimensions and cast to the argument's dtype by the engine. From all this follow the
function, the method, the in-place method (``mul_``), ``out=``, and the tape's node (``MulBackward0``).

Two more kinds of operator: :func:`view_operator` for results that share memory, and :func:`composite` for plain
Python functions over other operators, differentiated by running them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.grad_mode import mode, no_grad
from ..autograd.in_place import adopt_history as adopt_history, check_leaf as check_leaf
from ..autograd.tape import Derivative, _next_sequence, anomaly, attach, edge_of, new_plan
from ..core import strides as _strides
from ..core.dtypes import dtype as _dtype, on_default_change
from ..core.specs import Spec, spec
from ..core.storages import Storage, View, at_rest
from ..primitives.values import Block, Value
from ..tracing import recorder
from ..tracing.handles import Classes, Handle, wrap
from ..tracing.recorder import lock, record, resolve, run_now, synchronize, trace
from ..tracing.rules import Rule, make_rule
from .autocasting import autocasting

#: How a result is laid out in memory, by the operands' layouts.
POINTWISE, CONTIGUOUS, LIKE_FIRST = "pointwise", "contiguous", "like_first"

#: Every public operator by name: the functions of the ``flambeau`` namespace.
functions: dict[str, Callable[..., Any]] = {}
#: What becomes a method of ``Tensor``.
methods: dict[str, Callable[..., Any]] = {}

#: An operator keeps at most this many rules; a program of ever new shapes must not grow without bound.
RULES_KEPT = 4096

#: Every declared operator, so that their rules can be dropped when the default dtype changes.
every_operator: list[Operator] = []

_MISSING: Any = object()
_NUMBERS = (int, float, bool, complex)
_new = object.__new__
_acquire, _release = lock.acquire, lock.release

#: Other names under which PyTorch accepts a parameter.
_ALIASES = {"axis": "dim", "keepdims": "keepdim", "self": "input", "x": "input", "x1": "input", "x2": "other", "a": "input"}


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
    ) -> None:
        code = meaning.__code__
        self.check = check
        self.name = name or meaning.__name__.rstrip("_")
        self.meaning = meaning
        self.parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        self.positional = code.co_argcount
        annotations = meaning.__annotations__
        self.kinds = tuple(_kind(annotations.get(parameter, "")) for parameter in self.parameters)
        defaults = meaning.__defaults__ or ()
        self.defaults = [_MISSING] * (self.positional - len(defaults)) + list(defaults)
        self.defaults += [(meaning.__kwdefaults__ or {}).get(each, _MISSING) for each in self.parameters[self.positional :]]
        self.derivative = Derivative(derivative) if derivative else None
        self.layout = layout
        self.node = node or _camel_case(self.name) + "Backward0"
        self.returns = returns
        self.rules: dict[Any, Rule] = {}
        self.plans: dict[Any, Any] = {}  # how to put a call on the tape, by rule and by who requires grad
        self.fast_rules: dict[Any, Rule] = {}  # by the arguments just as they were given
        self.fast_in_place: list[dict[Any, Rule]] = []
        self.fast = 0  # 2: there is the fast way for two operands
        self.leading = 2  # how many of the first arguments the fast ways take as operands
        self.required = sum(each is _MISSING for each in self.defaults)
        every_operator.append(self)

    # -- calling -----------------------------------------------------------------------------------------------------

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """One value for each parameter.

        Raises:
            TypeError: an argument is missing, unknown or given twice.
        """
        if len(args) > self.positional:
            raise TypeError(f"{self.name}() takes {self.positional} positional arguments but {len(args)} were given")
        values = list(args) + self.defaults[len(args) :]
        for key, value in kwargs.items():
            place = self._place(key)
            if place < len(args):
                raise TypeError(f"{self.name}() got multiple values for argument '{key}'")
            values[place] = value
        for parameter, value in zip(self.parameters, values):
            if value is _MISSING:
                missing = [p for p, v in zip(self.parameters, values) if v is _MISSING]
                raise TypeError(
                    f"{self.name}() missing {len(missing)} required positional arguments: "
                    + ", ".join(f'"{each}"' for each in missing)
                )
        return values

    def _place(self, key: str) -> int:
        for each in (key, _ALIASES.get(key)):
            if each in self.parameters:
                return self.parameters.index(each)
        raise TypeError(f"{self.name}() got an unexpected keyword argument '{key}'")

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The operator on these arguments: finds the rule, records, and puts the call on the tape."""
        out = kwargs.pop("out", None) if kwargs else None
        values = self.bind(args, kwargs)
        if out is not None:
            return self._call_out(values, out)
        if self.check is not None:
            self.check(*values)
        rule, operands, tracked = self.rule_for(values)
        if rule.dynamic:
            results = [_from_array(each) for each in run_now(rule, [_operand(each) for each in operands])]
        else:
            cells = record(rule, [_operand(each) for each in operands])
            results = [wrap(cell, cell.spec) for cell in cells]
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
            if value is default or value is None:
                key.append(value if type(value) is not float else "default")
            elif kind.tensor and isinstance(value, Handle):
                key.append(value._spec)
                operands.append(value)
                tracked = tracked or value._tracked
            elif kind.tensors:
                key.append(self._key_of_list(value, values, place, operands))
                tracked = tracked or any(each._tracked for each in operands if isinstance(each, Handle))
            elif kind.number and (number := _as_number(value)) is not None:
                values[place] = number
                key.append(type(number))
                operands.append(number)
            elif kind.tensor and not kind.number:
                raise TypeError(
                    f"{self.name}(): argument '{self.parameters[place]}' (position {place + 1}) must be Tensor, not "
                    f"{type(value).__name__}"
                )
            else:
                if isinstance(value, Handle):
                    value = value.item()  # type: ignore[attr-defined]
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
            rule = self._new_rule(values)
            if len(self.rules) >= RULES_KEPT:
                self.forget()
            self.rules[found] = rule
        return rule, operands, tracked

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
            arguments = []
            for place, (kind, value) in enumerate(zip(self.kinds, values)):
                if isinstance(value, Handle):
                    specs.append(value._spec)
                    arguments.append(block.input(value._spec.shape, value._spec.dtype))
                elif kind.number and value is not self.defaults[place] and type(value) in _NUMBERS:
                    from ..core.dtypes import dtype_of_number

                    specs.append(type(value).__name__)
                    arguments.append(block.input((), dtype_of_number(value), is_number=True))
                elif kind.tensors and value is not None:
                    items = []
                    for each in value:
                        if each is None:
                            items.append(None)
                        else:
                            specs.append(each._spec)
                            items.append(block.input(each._spec.shape, each._spec.dtype))
                    arguments.append(items)
                else:
                    arguments.append(value)
            made = self.meaning(*arguments[: self.positional], **dict(zip(self.parameters[self.positional :], arguments[self.positional :])))
        several = isinstance(made, (tuple, list))
        outputs = tuple(made) if several else (made,)
        tensors = [each for each in specs if isinstance(each, Spec)]
        results = [spec(each.shape, each.dtype, self._strides(each, tensors, values)) for each in outputs]
        rule = make_rule(self.name, specs, block, outputs, results)
        rule.differentiable = self.derivative is not None and any(each.dtype.category >= 2 for each in results)
        rule.returns = (self.returns or tuple) if several else None
        return rule

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
        given = _flat(out) if self.derivative is None else (*values, *_flat(out))
        if mode.enabled and not self.outside_autograd and any(isinstance(v, Handle) and v._tracked for v in given):
            raise RuntimeError(
                f"{self.name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
                "arguments requires grad."
            )
        results = self.call(tuple(values[: self.positional]), dict(zip(self.parameters[self.positional :], values[self.positional :])))
        if self.layout == POINTWISE or self.name in _READS_AFTER_WRITING:
            check_apart(self.name, out, values)
        return write_out(self.name, out, results)

    def call_in_place(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The operator's result written into its first argument."""
        values = self.bind(args, kwargs)
        target = values[0]
        if self.check is not None:
            self.check(*values)
        rule, operands, tracked = self.rule_for(values)
        result = rule.result
        tracked = tracked and mode.enabled
        check_in_place(self.name, target, result.shape, result.dtype, tracked)
        plan = new_plan(self, values, [target]) if tracked and rule.differentiable else None
        edges = None if plan is None else plan.edges(values)
        versions = None
        if plan is not None:
            if plan.keeps(0):  # the derivative needs what is overwritten here
                values = [functions["clone"](target), *values[1:]]
            versions = plan.save_arguments(values)
        value = record(rule, [_operand(each) for each in operands])[0]
        store(target, value)
        if plan is not None:
            adopt_history(target, plan.node(values, edges, versions, [target]))
        return target


class _Kind:
    """What an annotation says of a parameter."""

    def __init__(self, annotation: str) -> None:
        words = annotation.replace(" ", "").split("|")
        self.tensor = "Tensor" in words
        self.number = "Number" in words
        self.tensors = "Tensors" in words
        self.words = words

    def canonical(self, value: Any, operator: str, parameter: str, place: int) -> Any:
        """A structural argument in hashable, canonical form; TypeError when it is of the wrong type."""
        words = self.words
        if "Ints" in words and isinstance(value, (list, tuple)):
            return tuple(_as_int(each, operator, parameter) for each in value)
        if "int" in words or "Ints" in words:
            if isinstance(value, bool) and "bool" not in words and "Ints" not in words:
                return int(value)
            if "float" in words and isinstance(value, float):
                return value
            if "str" in words and isinstance(value, str):
                return value
            return _as_int(value, operator, parameter)
        if "float" in words:
            if isinstance(value, (int, float)):
                return float(value)
            raise _wrong_type(operator, parameter, "float", value, place)
        if words == ["bool"] and not isinstance(value, bool):
            if isinstance(value, int):
                return bool(value)
            raise _wrong_type(operator, parameter, "bool", value, place)
        if "dtype" in words and not isinstance(value, _dtype):
            if value in (float, int, bool, complex):
                from ..core.dtypes import dtype_of_category, number_category

                return dtype_of_category(number_category[value])
            raise _wrong_type(operator, parameter, "torch.dtype", value, place)
        if isinstance(value, list):
            return tuple(tuple(each) if isinstance(each, list) else each for each in value)
        return value


def _wrong_type(operator: str, parameter: str, wanted: str, value: Any, place: int) -> TypeError:
    return TypeError(
        f"{operator}(): argument '{parameter}' (position {place + 1}) must be {wanted}, not {type(value).__name__}"
    )


_kinds: dict[str, _Kind] = {}


def _kind(annotation: str) -> _Kind:
    found = _kinds.get(annotation)
    if found is None:
        found = _kinds[annotation] = _Kind(annotation)
    return found


def _as_int(value: Any, operator: str, parameter: str) -> int:
    if type(value) is int:
        return value
    if not isinstance(value, float):
        try:
            return value.__index__()
        except (AttributeError, TypeError):
            if isinstance(value, Handle):
                return int(value.item())
    raise TypeError(f"{operator}(): argument '{parameter}' must be tuple of ints, not {type(value).__name__}")


def _as_number(value: Any) -> Any:
    """``value`` as a Python number, or None when it is not one."""
    if type(value) in _NUMBERS:
        return value
    if isinstance(value, _NUMBERS):
        for kind in (bool, int, float, complex):
            if isinstance(value, kind):
                return kind(value)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0 and not isinstance(value, Handle):
        return value.item()
    return None


def _operand(value: Any) -> Any:
    return value._cell if isinstance(value, Handle) else value


def _from_array(array: Any) -> Any:
    from ..core.dtypes import from_numpy

    layout = spec(array.shape, from_numpy(array.dtype))
    if not array.flags.c_contiguous or array.base is not None:
        array = array.copy()
    return wrap(at_rest(array, layout), layout)


def _camel_case(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _broadcasts(shape: Sequence[int], to: Sequence[int]) -> bool:
    return len(shape) <= len(to) and all(a == b or a == 1 for a, b in zip(reversed(shape), reversed(to)))


def _flat(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


# -- writing results into existing tensors ----------------------------------------------------------------------------


def check_in_place(name: str, target: Any, shape: Sequence[int], kind: _dtype, tracked: bool) -> None:
    """Raise PyTorch's errors for a result that cannot be written into ``target``."""
    from ..core.dtypes import can_cast
    from ..core.names import scalar_name

    here = target._spec
    if tracked:
        check_leaf(target)
    if tuple(shape) != tuple(here.shape):
        raise RuntimeError(
            f"output with shape {list(here.shape)} doesn't match the broadcast shape {list(shape)} (in {name}_)"
        )
    if kind is not here.dtype and not can_cast(kind, here.dtype):
        raise RuntimeError(
            f"result type {scalar_name(kind)} can't be cast to the desired output type {scalar_name(here.dtype)} (in {name}_)"
        )
    check_no_overlap(name + "_", target)


#: Operators that PyTorch lets write into elements that share memory.
_MAY_OVERLAP = frozenset(("fill", "index_fill", "index_put", "masked_fill", "sum", "tril", "triu", "zero"))


def check_no_overlap(name: str, target: Any) -> None:
    """Raise PyTorch's error for a tensor (an expanded one, say) that cannot be written element by element."""
    here = target._spec
    if here.is_dense or name.rstrip("_") in _MAY_OVERLAP:
        return
    if any(step == 0 and size > 1 for step, size in zip(here.strides, here.shape)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            f"Please clone() the tensor before performing the operation ({name})."
        )


def store(target: Any, value: Storage) -> None:
    """Write a freshly recorded value into ``target``'s memory, cast and laid out as that wants."""
    wanted = target._spec
    if value.spec.dtype is not wanted.dtype:
        value = record(_cast_rule(value.spec, wanted.dtype), [value])[0]
    recorder.write(target._cell, value, not target._data_alias)


_cast_rules: dict[Any, Rule] = {}


def _cast_rule(of: Spec, to: _dtype) -> Rule:
    found = _cast_rules.get((of, to))
    if found is None:
        from ..primitives.elementwise import cast

        with Block() as block:
            out = cast(block.input(of.shape, of.dtype), dtype=to)
        layout = spec(of.shape, to, of.strides if of.is_dense else None)
        found = _cast_rules[of, to] = make_rule("to", (of,), block, (out,), (layout,))
    return found


#: Operators whose ``out`` must have the result's very dtype.
_EXACT_OUT = frozenset("aminmax addmm addmv amax amin argmax argmin baddbmm bmm gather mm".split())

#: Operators that PyTorch lets write no input of theirs, not even as a whole.
_READS_AFTER_WRITING = frozenset(("cat", "gather", "index_select", "masked_select", "take"))


def check_apart(name: str, out: Any, operands: Sequence[Any]) -> None:
    """Raise PyTorch's error where ``out`` shares part of its memory with an operand."""
    inputs = [each for value in operands for each in (value if isinstance(value, (list, tuple)) else (value,))]
    for target in _flat(out):
        for each in inputs:
            if not isinstance(each, Handle) or not isinstance(target, Handle) or each._storage is not target._storage:
                continue
            whole = each is target or (each._spec is target._spec and _start(each) == _start(target))
            if whole and name not in _READS_AFTER_WRITING:
                continue
            if whole or (_start(each) < _end(target) and _start(target) < _end(each)):
                raise RuntimeError(
                    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                    f"memory location. Please clone() the tensor before performing the operation ({name})."
                )


def _start(tensor: Any) -> int:
    return tensor._cell.offset if type(tensor._cell) is View else 0


def _end(tensor: Any) -> int:
    return _start(tensor) + _strides.extent(tensor._spec.shape, tensor._spec.strides)


def write_out(name: str, out: Any, results: Any) -> Any:
    """Copy results into the tensors given as ``out=``, resizing those whose shape differs."""
    if isinstance(results, (tuple, list)):
        if not isinstance(out, (tuple, list)) or len(out) != len(results):
            raise TypeError(f"{name}(): argument 'out' must be tuple of {len(results)} Tensors")
        for each, result in zip(out, results):
            write_out(name, each, result)
        return out if not hasattr(results, "_fields") else type(results)(tuple(out))
    if not isinstance(out, Handle):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    from ..core.dtypes import can_cast
    from ..core.names import scalar_name

    kind, wanted = results._spec.dtype, out._spec.dtype
    if kind is not wanted and name in _EXACT_OUT:
        raise RuntimeError(
            f"Expected out tensor to have dtype {scalar_name(kind).lower()}, but got {scalar_name(wanted).lower()} instead"
        )
    if kind is not wanted and not can_cast(kind, wanted):
        raise RuntimeError(f"result type {scalar_name(kind)} can't be cast to the desired output type {scalar_name(wanted)}")
    check_no_overlap(name, out)
    if out._spec.shape != results._spec.shape:
        if out._spec.numel:
            import warnings

            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(out._spec.shape)}, which does not "
                f"match the required output shape {list(results._spec.shape)}. This behavior is deprecated, and in a future "
                "PyTorch release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
                "tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
                stacklevel=4,
            )
        out.resize_(results._spec.shape)
        if results._spec.is_dense and not results._spec.is_contiguous:
            out.as_strided_(tuple(results._spec.shape), results._spec.strides)
    from .conversion import overwrite

    overwrite(out.detach(), results)
    return out


# -- the fast ways in -------------------------------------------------------------------------------------------------


def _one_operand(operator: Operator) -> Callable[..., Any]:
    """A function for operators that need one tensor. Repeats ``record`` inline: 0.4 µs less than calling it."""
    rules, plans, call = operator.fast_rules, operator.plans, operator.call

    def function(input: Any = _MISSING, *args: Any, **kwargs: Any) -> Any:
        try:
            rule = rules[(input._spec, args, *kwargs.items()) if args or kwargs else input._spec]
        except (KeyError, AttributeError, TypeError):
            rule = _find_fast_rule(operator, (input, *args), kwargs)
        if input is not _MISSING:
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
                result = _new(Classes.tensor)
                result._cell, result._spec, result._tracked, result._node, result._slot = made, layout, False, None, 0
                if input._tracked and rule.differentiable and mode.enabled:
                    plan = plans.get(rule)
                    if plan is None:
                        values = operator.bind((input, *args), kwargs)
                        operator.rule_for(values)  # makes the structural arguments canonical
                        plan = plans[rule] = new_plan(operator, values, [result])
                    plan.attach_one(input, result)
                return result
        return call(args if input is _MISSING else (input, *args), kwargs)

    return function


def _two_operands(operator: Operator, otherwise: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """A function for operators that need two operands, the first a tensor, the second a tensor or a number.

    ``otherwise``: what to call, with the two operands, where the fast way does not apply.
    """
    rules, plans, call = operator.fast_rules, operator.plans, operator.call

    def function(input: Any = _MISSING, other: Any = _MISSING, *args: Any, **kwargs: Any) -> Any:
        if other is not _MISSING:
            number = False
            try:
                if args or kwargs:
                    rule = rules[(input._spec, other._spec, args, *kwargs.items())]
                else:
                    rule = rules[input._spec, other._spec]
            except (KeyError, AttributeError, TypeError):
                kind = type(other)
                number = kind in _NUMBERS and not args and not kwargs
                try:
                    rule = rules[input._spec, kind] if number else _find_fast_rule(operator, (input, other, *args), kwargs)
                except (KeyError, AttributeError):
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
                result = _new(Classes.tensor)
                result._cell, result._spec, result._tracked, result._node, result._slot = made, layout, False, None, 0
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
                        node.sequence, node.plan = _next_sequence(), plan
                        if input._base is None and (number or other._base is None):
                            maker = input._node
                            edge = (maker, input._slot) if maker is not None else first and (input._accumulator or edge_of(input)) or None
                            if number:
                                node.edges = (edge,)
                            else:
                                maker = other._node
                                node.edges = (
                                    edge,
                                    (maker, other._slot) if maker is not None
                                    else last and (other._accumulator or edge_of(other)) or None,
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
        if other is not _MISSING:
            args = (input, other, *args)
        elif input is not _MISSING:
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

    return _two_operands(made, symbol) if isinstance(made, Operator) and made.fast == 2 else symbol


def _find_fast_rule(operator: Operator, operands: tuple[Any, ...], kwargs: Any = None) -> Rule | None:
    """The rule for a call that the fast ways may take, entered into their table; None when the general way must be gone.

    They take calls whose first one or two arguments are tensors or numbers and whose others are structure.
    """
    if not isinstance(operands[0], Handle) or (kwargs and ("out" in kwargs or operator.parameters[1] in kwargs)):
        return None
    values = operator.bind(operands, kwargs or {})
    leading = operator.leading
    for place, (value, kind) in enumerate(zip(values, operator.kinds)):
        if place < leading:
            if not (isinstance(value, Handle) and kind.tensor or kind.number and type(value) in _NUMBERS):
                return None
        elif value is not operator.defaults[place] and (
            kind.tensor or kind.number or kind.tensors or isinstance(value, Handle)
        ):
            return None
    rule = operator.rule_for(values)[0]
    if rule.dynamic or rule.returns is not None or len(rule.results) != 1:
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


def _tensor_operands(operator: Operator) -> Callable[..., Any]:
    """A function for operators all of whose parameters are tensors (or None)."""
    rules, plans, call = operator.fast_rules, operator.plans, operator.call

    def function(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            return call(args, kwargs)
        try:
            key = tuple([None if each is None else each._spec for each in args])
        except AttributeError:
            return call(args, kwargs)
        rule = rules.get(key)
        if rule is None:
            result = call(args, kwargs)
            rule = operator.rule_for(operator.bind(args, kwargs))[0]
            if not rule.dynamic and rule.returns is None:
                rules[key] = rule
            return result
        operands = [each for each in args if each is not None]
        made = record(rule, [each._cell for each in operands])[0]
        result = wrap(made, rule.result)
        tracked = [each._tracked for each in operands]
        if True in tracked and rule.differentiable and mode.enabled:
            values = args if len(args) == len(operator.parameters) else operator.bind(args, kwargs)
            plan = plans.get((rule, *tracked))
            if plan is None:
                plan = plans[(rule, *tracked)] = new_plan(operator, values, [result])
            attach(plan, values, (result,))
        return result

    return function


def _any_operands(operator: Operator) -> Callable[..., Any]:
    call = operator.call

    def function(*args: Any, **kwargs: Any) -> Any:
        return call(args, kwargs)

    return function


def _in_place(operator: Operator, name: str) -> Callable[..., Any]:
    """The in-place method. Calls on a whole storage that the tape need not see are recorded here: 2 µs less."""
    call = operator.call_in_place
    fast_rules: dict[Any, Rule] = {}
    operator.fast_in_place.append(fast_rules)
    alone = operator.leading == 1

    def function(input: Any = _MISSING, *args: Any, **kwargs: Any) -> Any:
        try:
            cell = input._cell
            if alone:
                rule = fast_rules[(input._spec, args, *kwargs.items()) if args or kwargs else input._spec]
                other: Any = None
            else:
                (other,) = args
                number = type(other) in _NUMBERS
                rule = fast_rules[input._spec, type(other) if number else other._spec]
                if not number and other._tracked and mode.enabled or kwargs:
                    return call((input, *args), kwargs)
        except (KeyError, AttributeError, TypeError, ValueError):
            result = call(args if input is _MISSING else (input, *args), kwargs)
            _remember_in_place(operator, fast_rules, input, args, kwargs)
            return result
        if type(cell) is not Storage or input._tracked and mode.enabled or input._inference or input._data_alias:
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

    _describe(function, name + "_", f"In-place version of :meth:`{name}`.", operator)
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


def in_place_form(call: Any) -> Callable[..., Any]:
    """The in-place form of a declared operator, for those that are no methods of Tensor."""
    return _in_place(call.operator, call.operator.name)


def _describe(function: Any, name: str, text: str | None, operator: Any) -> None:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    function.__module__ = "flambeau"
    function.operator = operator
    function.__wrapped__ = operator.meaning if isinstance(operator, Operator) else operator


def operator(
    derivative: dict[str, Callable[..., Any]] | None = None,
    *,
    layout: str | Callable[..., Any] = CONTIGUOUS,
    in_place: bool = False,
    method: bool = True,
    function: bool = True,
    aliases: Sequence[str] = (),
    node: str | Callable[..., str] | None = None,
    returns: Callable[..., Any] | None = None,
    name: str | None = None,
    check: Callable[..., Any] | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare the decorated meaning as an operator.

    Args:
        derivative: the table, one row an argument; None: no result ever requires grad.
        layout: how results are laid out: POINTWISE, CONTIGUOUS, LIKE_FIRST, or a function (result, operand specs) -> strides,
            which may take the bound arguments as a third parameter.
        in_place: there is a method ``<name>_``.
        method, function: whether it is a method of Tensor, a function of the namespace.
        aliases: more names for the same operator.
        node: the name of its node on the tape, or a function from the bound arguments to it.
        returns: makes the caller's structure of several results (default: a tuple).
        name: the operator's name where a Python builtin or keyword forbids it.
        check: looks at the arguments of every call before it is recorded, raising for bad numbers that are known already.
    """

    def declare(meaning: Callable[..., Any]) -> Any:
        made = Operator(meaning, derivative, layout, node, returns, name, check)
        required = made.required
        simple = check is None and not any(kind.tensors for kind in made.kinds)
        structural = not any(kind.tensor or kind.number for kind in made.kinds[1:])
        if simple and made.kinds and made.kinds[0].tensor and (required == 1 or structural):
            made.leading = 1
            call = _one_operand(made)
        elif simple and required == 2 and made.kinds[0].tensor and (made.kinds[1].tensor or made.kinds[1].number):
            made.fast = 2
            call = _two_operands(made)
        elif simple and all(kind.tensor and not kind.number for kind in made.kinds):
            call = _tensor_operands(made)
        else:
            call = _any_operands(made)
        _describe(call, made.name, meaning.__doc__, made)
        call = autocasting(call, made.name)
        publish(call, made.name, aliases, function, method)
        if in_place:
            for each in (made.name, *aliases):
                methods[each + "_"] = _in_place(made, each)
        return call

    return declare


def _forget_all() -> None:
    for each in every_operator:
        each.forget()


on_default_change.append(_forget_all)  # what an integer tensor is promoted to is written into the rules


def publish(call: Callable[..., Any], name: str, aliases: Sequence[str], function: bool, method: bool) -> None:
    """Enter a callable into the namespace and the methods under its names."""
    for each in (name, *aliases):
        if function:
            functions[each] = call
        if method:
            methods[each] = call


def composite(
    *,
    method: bool = True,
    function: bool = True,
    in_place: bool = False,
    aliases: Sequence[str] = (),
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Declare a plain function over other operators as an operator: published, with ``out=`` and an in-place method."""

    def declare(meaning: Callable[..., Any]) -> Any:
        public = name or meaning.__name__.rstrip("_")
        code = meaning.__code__
        parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        takes_out = "out" in parameters
        takes_anything = bool(code.co_flags & 0x08)

        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs:
                out = None if takes_out else kwargs.pop("out", None)
                if not takes_anything:
                    for key in [key for key in kwargs if key not in parameters and _ALIASES.get(key) in parameters]:
                        kwargs[_ALIASES[key]] = kwargs.pop(key)
                if out is not None:
                    if mode.enabled and any(isinstance(v, Handle) and v._tracked for v in (*args, *_flat(out))):
                        raise RuntimeError(
                            f"{public}(): functions with out=... arguments don't support automatic differentiation, but one "
                            "of the arguments requires grad."
                        )
                    if public in _READS_AFTER_WRITING:
                        check_apart(public, out, args)
                    return write_out(public, out, meaning(*args, **kwargs))
            return meaning(*args, **kwargs)

        _describe(call, public, meaning.__doc__, meaning)
        call = autocasting(call, public)
        publish(call, public, aliases, function, method)
        if in_place:

            def call_in_place(input: Any, *args: Any, **kwargs: Any) -> Any:
                from .conversion import overwrite

                recorded = mode.enabled and any(isinstance(v, Handle) and v._tracked for v in (input, *args))
                # Derivatives may need what is overwritten here.
                result = call(functions["clone"](input) if recorded else input, *args, **kwargs)
                tracked = mode.enabled and (input._tracked or result._tracked)
                check_in_place(public, input, result._spec.shape, result._spec.dtype, tracked)
                if not tracked or result._node is None or result._slot or result._spec.dtype is not input._spec.dtype:
                    return overwrite(input, result)
                with no_grad():
                    overwrite(input, result)
                adopt_history(input, result._node)
                return input

            _describe(call_in_place, public + "_", f"In-place version of :meth:`{public}`.", meaning)
            for each in (public, *aliases):
                methods[each + "_"] = call_in_place
        return call

    return declare


# -- views ------------------------------------------------------------------------------------------------------------


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
        self.node = node or _camel_case(name) + "Backward0"
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
            made = self.rule(here, *arguments)
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
    result._base = input if base is None else base
    if input._tracked and mode.enabled and result._spec.dtype.category >= 2:
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

