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

The table is the derivative, one row an argument (see :class:`~flambeau.autograd.plans.Derivative`); gradients are
summed over broadcast dimensions and cast to the argument's dtype by the engine. From all this follow the
function, the method, the in-place method (``mul_``), ``out=``, and the tape's node (``MulBackward0``).

Two more kinds of operator: :func:`~flambeau.operators.view_declaration.view_operator` for results that share memory, and
:func:`composite` for plain Python functions over other operators, differentiated by running them.

What a call does then is told in ``calls`` (any call), ``fast_calls`` (the usual ones), ``parameters`` (arguments made
canonical) and ``writing`` (in-place results and ``out=``); ``registry`` holds what has been declared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.grad_mode import mode, no_grad
from ..autograd.in_place import adopt_history
from ..tracing.handles import Handle
from .autocasting import autocasting
from .calls import (
    CONTIGUOUS as CONTIGUOUS,
    LIKE_FIRST as LIKE_FIRST,
    POINTWISE as POINTWISE,
    Operator as Operator,
)
from .fast_calls import any_operands, in_place_method, one_operand, tensor_operands, two_operands
from .parameters import ALIASES
from .registry import describe, functions as functions, methods as methods, publish
from .writing import READS_AFTER_WRITING, check_apart, check_in_place, flat, write_out


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
    check_integers: Callable[..., Any] | None = None,
    node_in_place: str | Callable[..., str] | None = None,
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
        node_in_place: the same for the in-place method, where PyTorch numbers it differently.
        returns: makes the caller's structure of several results (default: a tuple).
        name: the operator's name where a Python builtin or keyword forbids it.
        check: looks at the arguments of every call before it is recorded, raising for bad numbers that are known already.
        check_integers: the same for calls whose result is integral; the others keep to the shorter ways of ``fast_calls``.
    """

    def declare(meaning: Callable[..., Any]) -> Any:
        made = Operator(meaning, derivative, layout, node, returns, name, check, check_integers, node_in_place)
        required = made.required
        simple = check is None and not any(kind.tensors for kind in made.kinds)
        structural = not any(kind.tensor or kind.number for kind in made.kinds[1:])
        if simple and made.kinds and made.kinds[0].tensor and (required == 1 or structural):
            made.leading = 1
            call = one_operand(made)
        elif simple and required == 2 and made.kinds[0].tensor and (made.kinds[1].tensor or made.kinds[1].number):
            made.fast = 2
            call = two_operands(made)
        elif simple and len(made.kinds) > 2 and made.kinds[0].tensor and made.kinds[1].tensor:
            call = tensor_operands(made)
        else:
            call = any_operands(made)
        describe(call, made.name, meaning.__doc__, made)
        call = autocasting(call, made.name)
        publish(call, made.name, aliases, function, method)
        if in_place:
            for each in (made.name, *aliases):
                methods[each + "_"] = in_place_method(made, each)
        return call

    return declare


def in_place_form(call: Any) -> Callable[..., Any]:
    """The in-place form of a declared operator, for those that are no methods of Tensor."""
    return in_place_method(call.operator, call.operator.name)


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
                    for key in [key for key in kwargs if key not in parameters and ALIASES.get(key) in parameters]:
                        kwargs[ALIASES[key]] = kwargs.pop(key)
                if out is not None:
                    if mode.enabled and any(isinstance(v, Handle) and v._tracked for v in (*args, *flat(out))):
                        raise RuntimeError(
                            f"{public}(): functions with out=... arguments don't support automatic differentiation, but one "
                            "of the arguments requires grad."
                        )
                    if public in READS_AFTER_WRITING:
                        check_apart(public, out, args)
                    return write_out(public, out, meaning(*args, **kwargs))
            try:
                return meaning(*args, **kwargs)
            except AttributeError as error:
                if error.name != "_spec" or isinstance(error.obj, Handle):
                    raise
                raise TypeError(f"{public}(): an argument must be Tensor, not {type(error.obj).__name__}") from None

        describe(call, public, meaning.__doc__, meaning)
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

            describe(call_in_place, public + "_", f"In-place version of :meth:`{public}`.", meaning)
            for each in (public, *aliases):
                methods[each + "_"] = call_in_place
        return call

    return declare
