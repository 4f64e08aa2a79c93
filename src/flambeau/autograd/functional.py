"""Jacobians, Hessians and their products with vectors, of functions from tensors to tensors (``torch.autograd.functional``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..tracing.handles import Handle
from .engine import grad
from .grad_mode import enable_grad
from .isolation import alias_of
from .tape import ones_of, zeros_of

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(value: Any, what: str, name: str) -> tuple[bool, tuple[Any, ...]]:
    """Whether ``value`` is a tuple, and it as one."""
    several = isinstance(value, tuple)
    items = value if several else (value,)
    for place, each in enumerate(items):
        if not isinstance(each, Handle):
            which = f"the value at index {place} has" if several else f"the given {what} has"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but {which} type {type(each)}."
            )
    return several, items


def _inputs(inputs: Any, name: str, create_graph: bool) -> tuple[bool, tuple[Any, ...]]:
    several, items = _tuple(inputs, "inputs", name)
    return several, tuple(alias_of(each if create_graph else each.detach()) for each in items)


def _outputs(outputs: Any, name: str) -> tuple[bool, tuple[Any, ...]]:
    several = isinstance(outputs, tuple)
    for place, each in enumerate(outputs if several else (outputs,)):
        if not isinstance(each, Handle):
            which = f"the value at index {place} has" if several else "the given outputs of the user-provided function has"
            raise TypeError(
                f"The outputs of the user-provided function given to {name} must be either a Tensor or a tuple of Tensors but "
                f"{which} type {type(each)}."
            )
    return several, outputs if several else (outputs,)


def _check_outputs(outputs: Sequence[Any], strict: bool) -> None:
    if strict:
        for place, each in enumerate(outputs):
            if not each._tracked:
                raise RuntimeError(
                    f"Output {place} of the user-provided function does not require gradients. The outputs must be computed in "
                    "a differentiable manner from the input when running in strict mode."
                )


def _vectors(v: Any, like: Sequence[Any], several: bool, of: str) -> tuple[Any, ...]:
    if v is None:
        if len(like) != 1 or like[0]._spec.numel != 1:
            what = "user-provided function returns" if of == "output" else "input to the user-provided function is"
            raise RuntimeError(f"The vector v can only be None if the {what} a single Tensor with a single element.")
        return (ones_of(like[0]._spec),)
    _, vectors = _tuple(v, "v", "the function")
    if len(vectors) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.")
    for place, (each, wanted) in enumerate(zip(vectors, like)):
        if each._spec.shape != wanted._spec.shape:
            where = f"Entry {place} in v has" if len(like) > 1 else "v has"
            raise RuntimeError(f"{where} invalid size: should be {wanted._spec.shape} but got {each._spec.shape}.")
    return vectors


def _pull(outputs: Sequence[Any], inputs: Sequence[Any], vectors: Sequence[Any], create: bool, keep: bool = True) -> list[Any]:
    """The vector-Jacobian products; None for inputs no output depends on."""
    pairs = [(each, v) for each, v in zip(outputs, vectors) if each._tracked and v is not None]
    if not pairs:
        return [None] * len(inputs)
    reached, weights = zip(*pairs)
    return list(grad(reached, inputs, weights, retain_graph=keep, create_graph=create, allow_unused=True))


def _filled(found: Sequence[Any], like: Sequence[Any], strict: bool, message: str, create_graph: bool) -> tuple[Any, ...]:
    """Zeros for what is missing; an error in strict mode, there also for what is constant and should be differentiated."""
    result = []
    for place, (each, wanted) in enumerate(zip(found, like)):
        if each is None:
            if strict:
                raise RuntimeError(message.format(place))
            each = zeros_of(wanted._spec)
        result.append(each)
    return tuple(result)


_INDEPENDENT = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode."
_HESSIAN_INDEPENDENT = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for example)."
)


def _given_back(values: Sequence[Any], several: bool, create_graph: bool) -> Any:
    made = tuple(values) if create_graph else tuple(each.detach() for each in values)
    return made if several else made[0]


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, vᵀ J) of ``func`` at ``inputs``; ``v`` has the outputs' shapes (None for one scalar).

    >>> import flambeau as torch
    >>> torch.autograd.functional.vjp(lambda x: x * x, torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([2., 4.])
    """
    with enable_grad():
        several, own = _inputs(inputs, "vjp", create_graph)
        several_out, outputs = _outputs(func(*own), "vjp")
        _check_outputs(outputs, strict)
        vectors = _vectors(v, outputs, several_out, "output")
        found = _pull(outputs, own, vectors, create_graph)
        result = _filled(found, own, strict, _INDEPENDENT, create_graph)
    return _given_back(outputs, several_out, create_graph), _given_back(result, several, create_graph)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(outputs, J v) of ``func`` at ``inputs``; ``v`` has the inputs' shapes (None for one scalar).

    The vector-Jacobian product uᵀ J is linear in u, and its derivative by u along v is J v.

    >>> import flambeau as torch
    >>> torch.autograd.functional.jvp(lambda x: x * x, torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([2., 4.])
    """
    with enable_grad():
        several, own = _inputs(inputs, "jvp", create_graph)
        vectors = _vectors(v, own, several, "input")
        several_out, outputs = _outputs(func(*own), "jvp")
        _check_outputs(outputs, strict)
        result = _filled(
            pushed(outputs, own, vectors, create_graph), outputs, strict,
            "The output {} of the user-provided function is independent of the input. This is not allowed in strict mode.",
            create_graph,
        )  # fmt: skip
    return _given_back(outputs, several_out, create_graph), _given_back(result, several_out, create_graph)


def pushed(outputs: Sequence[Any], inputs: Sequence[Any], vectors: Sequence[Any], create_graph: bool) -> list[Any]:
    """J v, by differentiating uᵀ J twice; None for outputs that do not depend on the inputs."""
    dummies = [zeros_of(each._spec).requires_grad_() if each._tracked else None for each in outputs]
    pulled = _pull(outputs, inputs, dummies, True)
    pairs = [(each, v) for each, v in zip(pulled, vectors) if each is not None and each._tracked]
    wanted = [each for each in dummies if each is not None]
    if not pairs:
        return [None] * len(outputs)
    linear, weights = zip(*pairs)
    found = iter(grad(linear, wanted, weights, retain_graph=True, create_graph=create_graph, allow_unused=True))
    return [None if each is None else next(found) for each in dummies]


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """∂ outputs / ∂ inputs, of shape (*output, *input) for each pair; tuples for several outputs or inputs.

    ``vectorize`` and ``strategy`` choose how PyTorch goes about it; here the rows are always found one by one.

    >>> import flambeau as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more '
                             'outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use '
                             '"reverse-mode".')  # fmt: skip
    if strategy == "forward-mode" and create_graph:
        raise NotImplementedError(
            "torch.autograd.functional.jacobian: `create_graph=True` and `strategy=\"forward-mode\"` are not supported together "
            "(yet). Please either set `create_graph=False` or `strategy=\"reverse-mode\"`."
        )
    if strict and vectorize:
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either "
            "set `strict=False` or `vectorize=False`."
        )
    with enable_grad():
        several, own = _inputs(inputs, "jacobian", create_graph)
        several_out, outputs = _outputs(func(*own), "jacobian")
        _check_outputs(outputs, strict)
        table = []
        for place, output in enumerate(outputs):
            message = f"Output {place} of the user-provided function is independent of input {{}}. This is not allowed in strict mode."
            table.append(rows(output, own, create_graph, strict, message))
            if strict and create_graph:
                _check_twice(table[-1])
    results = tuple(_given_back(each, several, create_graph) for each in table)
    return results if several_out else results[0]


def _check_twice(jacobians: Sequence[Any]) -> None:
    for place, each in enumerate(jacobians):
        if not each._tracked:
            raise RuntimeError(
                f"The jacobian of the user-provided function is independent of input {place}. This is not allowed in strict mode "
                "when create_graph=True."
            )


def rows(output: Any, inputs: Sequence[Any], create_graph: bool, strict: bool = False, message: str = "") -> tuple[Any, ...]:
    """The Jacobians of one output by each input, a backward pass an element."""
    shape = tuple(output._spec.shape)
    flat = output.reshape(-1)
    collected: list[list[Any]] = [[] for _ in inputs]
    for k in range(output._spec.numel):
        found = _pull((flat[k],), inputs, (ones_of(flat[k]._spec),), create_graph)
        for column, each in zip(collected, _filled(found, inputs, strict, message, create_graph)):
            column.append(each)
    return tuple(
        column[0].stack_with(column[1:]).reshape(shape + tuple(each._spec.shape))
        if column else each.new_zeros(shape + tuple(each._spec.shape))
        for column, each in zip(collected, inputs)
    )  # fmt: skip


def _scalar(func: Callable[..., Any], name: str) -> Callable[..., Any]:
    def checked(*inputs: Any) -> Any:
        output = func(*inputs)
        several, outputs = _outputs(output, name)
        if (several and len(outputs) != 1) or not isinstance(outputs[0], Handle):
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if outputs[0]._spec.numel != 1:
            raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
        single: Any = outputs[0]
        return single.squeeze()

    return checked


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Second derivatives of a scalar function, of shape (*input i, *input j) for each pair of inputs.

    >>> import flambeau as torch
    >>> torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    several, _ = _tuple(inputs, "inputs", "hessian")
    checked = _scalar(func, "hessian")

    def first(*own: Any) -> Any:
        found = jacobian(checked, own, create_graph=True)
        if strict:
            for place, each in enumerate(found):
                _dependent(each, own, place)
        return tuple(found)

    table = jacobian(first, inputs, create_graph, False, vectorize, outer_jacobian_strategy)
    return table if several else table[0]


def _dependent(gradient: Any, inputs: Sequence[Any], place: int) -> None:
    """Raise where a first derivative does not depend on any input."""
    if gradient._tracked and gradient._spec.numel:
        found = grad((gradient.sum(),), inputs, retain_graph=True, allow_unused=True)
        if any(each is not None for each in found):
            return
    raise RuntimeError(_HESSIAN_INDEPENDENT.format(place))


def _gradient(func: Callable[..., Any], own: Sequence[Any], name: str, strict: bool) -> tuple[Any, tuple[Any, ...]]:
    output = _scalar(func, name)(*own)
    _check_outputs((output,), strict)
    found = _pull((output,), own, (ones_of(output._spec),), True)
    gradients = _filled(found, own, strict, _INDEPENDENT, True)
    if strict:
        for place, each in enumerate(gradients):
            _dependent(each, own, place)
    return output, gradients


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(output, vᵀ H) of a scalar function; ``v`` has the inputs' shapes.

    >>> import flambeau as torch
    >>> torch.autograd.functional.vhp(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([ 6., 12.])
    """
    with enable_grad():
        several, own = _inputs(inputs, "vhp", create_graph)
        vectors = _vectors(v, own, several, "input")
        output, gradients = _gradient(func, own, "vhp", strict)
        result = _filled(_pull(gradients, own, vectors, create_graph), own, False, "", create_graph)
    return _given_back((output,), False, create_graph), _given_back(result, several, create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """(output, H v) of a scalar function; ``v`` has the inputs' shapes.

    >>> import flambeau as torch
    >>> torch.autograd.functional.hvp(lambda x: (x ** 3).sum(), torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([ 6., 12.])
    """
    with enable_grad():
        several, own = _inputs(inputs, "hvp", create_graph)
        vectors = _vectors(v, own, several, "input")
        output, gradients = _gradient(func, own, "hvp", strict)
        result = _filled(pushed(gradients, own, vectors, create_graph), own, False, "", create_graph)
    return _given_back((output,), False, create_graph), _given_back(result, several, create_graph)
