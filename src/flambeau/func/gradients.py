"""Functions that compute derivatives of functions: ``grad``, ``vjp``, ``jvp``, Jacobians, Hessians.

Each gives the function inputs of its own on the tape, so they nest in any order. What a transformation returns is on the
tape only where it depends on something outside that is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import autograd
from ..autograd.functional import pushed, rows
from ..autograd.grad_mode import enable_grad, mode
from ..autograd.isolation import alias_of, depends_on_others
from ..tensor import Tensor
from .trees import LEAF, Structure, flatten, mapped, unflatten

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]

Argnums = int | tuple[int, ...]


def _own(value: Any) -> Any:
    """A tensor as an input of its own; whole numbers are constants."""
    if not isinstance(value, Tensor):
        return value
    return alias_of(value) if value._spec.dtype.category >= 2 else value


def _returned(tree: Any, others: bool) -> Any:
    """Results off the tape, unless they depend on something outside."""
    return mapped(lambda each: each.detach() if isinstance(each, Tensor) and not others else each, tree)


def _chosen(argnums: Argnums, args: Sequence[Any]) -> list[int]:
    places = []
    for each in (argnums,) if isinstance(argnums, int) else argnums:
        if not -len(args) <= each < len(args):
            raise RuntimeError(f"Got argnum={each}, but only {len(args)} positional inputs")
        places.append(each % len(args))
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return places


def _replace(args: Sequence[Any], places: Sequence[int]) -> tuple[list[Any], list[Any], list[Structure]]:
    """The arguments with their own inputs at these places; those inputs, flat; and how they are nested."""
    made = list(args)
    flat: list[Any] = []
    structures = []
    for place in places:
        leaves, structure = flatten(args[place])
        for each in leaves:
            if not isinstance(each, Tensor):
                raise ValueError(f"Thing passed to transform API must be Tensor, got {type(each)}")
        leaves = [_own(each) for each in leaves]
        made[place] = unflatten(leaves, structure)
        flat.extend(leaves)
        structures.append(structure)
    return made, flat, structures


def _regrouped(flat: Sequence[Any], structures: Sequence[Structure], argnums: Argnums) -> Any:
    items = iter(flat)
    groups = tuple(unflatten([next(items) for _ in range(each.count)], each) for each in structures)
    return groups[0] if isinstance(argnums, int) else groups


def _pulled(outputs: Sequence[Any], inputs: Sequence[Any], weights: Sequence[Any], create: bool) -> list[Any]:
    """Gradients, zeros where an input is not reached."""
    pairs = [(each, weight) for each, weight in zip(outputs, weights) if each._tracked]
    wanted = [each for each in inputs if each._tracked]
    found: Any = iter(())
    if pairs and wanted:
        reached, seeds = zip(*pairs)
        found = iter(autograd.grad(reached, wanted, seeds, retain_graph=True, create_graph=create, allow_unused=True))
    result = []
    for each in inputs:
        gradient = next(found, None) if each._tracked else None
        result.append(each.detach().new_zeros(each._spec.shape) if gradient is None else gradient)
    return result


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of a scalar ``func`` by the chosen arguments, and its value.

    >>> import flambeau as torch
    >>> torch.func.grad_and_value(lambda x: (x * x).sum())(torch.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    def transformed(*args: Any, **kwargs: Any) -> Any:
        outside = mode.enabled
        with enable_grad():
            made, inputs, structures = _replace(args, _chosen(argnums, args))
            output = func(*made, **kwargs)
            aux = None
            if has_aux:
                if not (isinstance(output, tuple) and len(output) == 2):
                    raise RuntimeError(
                        "grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is True"
                    )
                output, aux = output
            if not isinstance(output, Tensor):
                raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}")
            if output.dim():
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                    f"{output.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            others = outside and depends_on_others((output,), inputs)
            found = _pulled((output,), inputs, (output.detach().new_ones(()),), others)
        gradient = _regrouped([each if others else each.detach() for each in found], structures, argnums)
        value = _returned(output, others)
        return (gradient, (value, _returned(aux, others))) if has_aux else (gradient, value)

    return _named(transformed, func)


def _named(transformed: Any, func: Any) -> Any:
    import functools

    try:
        return functools.wraps(func)(transformed)
    except (AttributeError, TypeError):
        return transformed


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of a scalar ``func`` by the chosen arguments.

    >>> import flambeau as torch
    >>> torch.func.grad(torch.func.grad(torch.sin))(torch.tensor(0.0))
    tensor(-0.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def transformed(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return _named(transformed, func)


def _tensors(outputs: Any, name: str) -> tuple[list[Any], Structure]:
    leaves, structure = flatten(outputs)
    for each in leaves:
        if not isinstance(each, Tensor):
            raise RuntimeError(f"{name}: expected f(*primals) to return only tensors, got unsupported type {type(each)}")
    return leaves, structure


def _with_aux(output: Any, has_aux: bool, name: str) -> tuple[Any, Any]:
    if not has_aux:
        return output, None
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return output


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(outputs, function from cotangents to vᵀ J by each of ``primals``).

    >>> import flambeau as torch
    >>> torch.func.vjp(torch.sin, torch.tensor(0.0))[1](torch.tensor(2.0))
    (tensor(2.),)
    """
    outside = mode.enabled
    with enable_grad():
        made, inputs, structures = _replace(primals, range(len(primals)))
        output, aux = _with_aux(func(*made), has_aux, "vjp(f, *primals)")
        leaves, structure = _tensors(output, "vjp(f, *primals)")
        others = outside and depends_on_others(leaves, inputs)

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        weights, given = flatten(cotangents)
        if given != structure:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. "
                f"cotangents: {_spelled(given)}, primal output: {_spelled(structure)}"
            )
        for place, (each, weight) in enumerate(zip(leaves, weights)):
            if each._spec.shape != weight._spec.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{place}] has a shape of {weight._spec.shape} and output[{place}] has a "
                    f"shape of {each._spec.shape}."
                )
        on_tape = mode.enabled and (others or any(each._tracked for each in weights)) if create_graph is None else create_graph
        with enable_grad():
            found = _pulled(leaves, inputs, weights, on_tape)
        return _regrouped(found if on_tape else [each.detach() for each in found], structures, (0,))

    result = _returned(output, others)
    return (result, pull, _returned(aux, others)) if has_aux else (result, pull)


def _spelled(structure: Structure) -> str:
    if structure.kind is None:
        return "*"
    return "(" + ", ".join(map(_spelled, structure.parts)) + ")"


def _linear(func: Callable[..., Any], primals: tuple[Any, ...], has_aux: bool, name: str) -> Any:
    """(output, aux, whether it depends on others, function from tangents to J v)."""
    outside = mode.enabled
    with enable_grad():
        made, inputs, _ = _replace(primals, range(len(primals)))
        output, aux = _with_aux(func(*made), has_aux, name)
        leaves, structure = _tensors(output, name)
        others = outside and depends_on_others(leaves, inputs)

    def push(*tangents: Any) -> Any:
        vectors = [leaf for each in tangents for leaf in flatten(each)[0]]
        for each, vector in zip(inputs, vectors):
            if each._spec.shape != vector._spec.shape:
                raise RuntimeError(
                    "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
                    f"supported. Tensor is of size {list(each._spec.shape)} while the given forward gradient is of size "
                    f"{list(vector._spec.shape)}."
                )
        on_tape = mode.enabled and (others or any(each._tracked for each in vectors))
        with enable_grad():
            found = pushed(leaves, inputs, vectors, on_tape)
        filled = [
            leaf.detach().new_zeros(leaf._spec.shape) if each is None else each if on_tape else each.detach()
            for each, leaf in zip(found, leaves)
        ]
        return unflatten(filled, structure)

    return output, aux, others, push


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """(outputs, J v): the derivative of ``func`` at ``primals`` along ``tangents``.

    >>> import flambeau as torch
    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    for name, each in (("primals", primals), ("tangents", tangents)):
        if not isinstance(each, tuple):
            raise RuntimeError(f"jvp(f, primals, tangents): Expected {name} to be a tuple. E.g. it should be valid to call f(*primals).")
    if flatten(primals)[1] != flatten(tangents)[1]:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. For example, if primals "
            "is a tuple of 3 tensors, tangents also must be."
        )
    output, aux, others, push = _linear(func, primals, has_aux, "jvp(f, primals, tangents)")
    if strict and not any(each._tracked for each in flatten(output)[0]):
        raise RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs.")
    tangent = push(*tangents)
    result = _returned(output, others)
    return (result, tangent, _returned(aux, others)) if has_aux else (result, tangent)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """(outputs, function from tangents to J v): ``func`` runs once, however many tangents follow.

    >>> import flambeau as torch
    >>> torch.func.linearize(torch.sin, torch.tensor(0.0))[1](torch.tensor(2.0))
    tensor(2.)
    """
    output, _, others, push = _linear(func, primals, False, "linearize(f, *primals)")
    return _returned(output, others), push


def jacrev(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that returns ∂ outputs / ∂ arguments, of shape (*output, *argument), a backward pass a row.

    >>> import flambeau as torch
    >>> torch.func.jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    def transformed(*args: Any, **kwargs: Any) -> Any:
        outside = mode.enabled
        with enable_grad():
            made, inputs, structures = _replace(args, _chosen(argnums, args))
            output, aux = _with_aux(func(*made, **kwargs), has_aux, "vjp(f, *primals)")
            leaves, structure = _tensors(output, "vjp(f, *primals)")
            others = outside and depends_on_others(leaves, inputs)
            table = []
            for each in leaves:
                found = _jacobian_rows(each, inputs, others)
                table.append(_regrouped(found if others else [part.detach() for part in found], structures, argnums))
        result = unflatten(table, structure) if structure != LEAF else table[0]
        return (result, _returned(aux, others)) if has_aux else result

    return _named(transformed, func)


def _jacobian_rows(output: Any, inputs: Sequence[Any], create: bool) -> list[Any]:
    wanted = [each for each in inputs if each._tracked]
    found = iter(rows(output, wanted, create) if wanted else ())
    shape = tuple(output._spec.shape)
    return [next(found) if each._tracked else each.new_zeros(shape + tuple(each._spec.shape)) for each in inputs]


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """A function that returns ∂ outputs / ∂ arguments, of shape (*output, *argument), a derivative along each direction.

    >>> import flambeau as torch
    >>> torch.func.jacfwd(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    def transformed(*args: Any, **kwargs: Any) -> Any:
        places = _chosen(argnums, args)

        def of_chosen(*chosen: Any) -> Any:
            made = list(args)
            for place, each in zip(places, chosen):
                made[place] = each
            return func(*made, **kwargs)

        primals = tuple(args[place] for place in places)
        output, aux, others, push = _linear(of_chosen, primals, has_aux, "jvp(f, primals, tangents)")
        leaves, structure = flatten(output)
        flat, nesting = flatten(primals)
        table: list[list[Any]] = [[] for _ in leaves]
        for k, each in enumerate(flat):
            columns: list[list[Any]] = [[] for _ in leaves]
            for direction in range(each._spec.numel):
                vectors = [other.detach().new_zeros(other._spec.shape) for other in flat]
                one = vectors[k].reshape(-1).clone()
                one[direction] = 1
                vectors[k] = one.reshape(each._spec.shape)
                for column, tangent in zip(columns, flatten(push(*unflatten(vectors, nesting)))[0]):
                    column.append(tangent)
            for place, (leaf, column) in enumerate(zip(leaves, columns)):
                shape = (*leaf._spec.shape, *each._spec.shape)
                if column:
                    table[place].append(column[0].stack_with(column[1:]).movedim(0, -1).reshape(shape))
                else:
                    table[place].append(leaf.detach().new_zeros(shape))
        structures = [flatten(each)[1] for each in primals]
        result = unflatten([_regrouped(each, structures, argnums) for each in table], structure)
        return (result, _returned(aux, others)) if has_aux else result

    return _named(transformed, func)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of ``func``, of shape (*output, *argument, *argument).

    >>> import flambeau as torch
    >>> torch.func.hessian(lambda x: (x ** 3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
