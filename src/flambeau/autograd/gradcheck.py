"""Checking derivatives against finite differences.

The Jacobian of a function is estimated by central differences, (f(x + ε) - f(x - ε)) / 2ε, and compared with the one that
backward passes give. For complex numbers the convention is that of Wirtinger calculus with conjugated gradients, as in
K. Kreutz-Delgado, "The complex gradient operator and the CR-calculus", 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.dtypes import COMPLEX, FLOATING, complex128, float64
from ..tracing.handles import Handle
from .engine import grad as gradients
from .grad_mode import enable_grad, no_grad


class GradcheckError(RuntimeError):
    """A derivative disagrees with finite differences."""


def _flat(values: Any) -> tuple[Any, ...]:
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


def _differentiable(values: Sequence[Any]) -> list[Any]:
    return [v for v in values if isinstance(v, Handle) and v._spec.dtype.category >= FLOATING and v._tracked]


def _outputs(function: Callable[..., Any], inputs: Sequence[Any]) -> list[Any]:
    with enable_grad():
        values = _flat(function(*inputs))
    return [v for v in values if isinstance(v, Handle) and v._spec.dtype.category >= FLOATING]


def _numerical(function: Callable[..., Any], inputs: Sequence[Any], x: Any, eps: float) -> list[Any]:
    """For each output, the differences along each (real) direction of x: (directions, output size) each, flattened."""
    is_complex = x._spec.dtype.category == COMPLEX
    columns: list[list[Any]] = []
    with no_grad():
        alias = x.data  # written to behind autograd's back, and restored
        flat = alias.reshape(-1) if x.is_contiguous() else None
        index = [(k,) for k in range(x.numel())] if flat is not None else list(_places(x.shape))
        target = flat if flat is not None else alias
        for place in index:
            for step in (eps, eps * 1j) if is_complex else (eps,):
                kept = target[place].clone()
                target[place] = kept + step
                above = [each.detach().clone().reshape(-1) for each in _outputs(function, inputs)]
                target[place] = kept - step
                below = [each.detach().clone().reshape(-1) for each in _outputs(function, inputs)]
                target[place] = kept
                columns.append([(a - b) / (2 * eps) for a, b in zip(above, below)])
    return columns


def _places(shape: Sequence[int]) -> Any:
    import itertools

    return itertools.product(*map(range, shape))


def _analytical(outputs: Sequence[Any], k: int, x: Any, direction: Any, create_graph: bool = False) -> Any:
    grads = gradients([outputs[k]], [x], [direction], retain_graph=True, allow_unused=True)
    return x.detach() * 0 if grads[0] is None else grads[0]


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of ``func`` at ``inputs`` (float64 or complex128, requiring grad) with finite differences.

    Raises:
        GradcheckError: they differ by more than ``atol + rtol·|expected|`` (False is returned when not ``raise_exception``).
        ValueError: no input requires grad.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: x ** 3, (x,))
    True
    """
    inputs = _flat(inputs)
    chosen = _differentiable(inputs)
    if not chosen:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True."
        )
    for number, each in enumerate(inputs):
        if any(each is one for one in chosen) and each._spec.dtype not in (float64, complex128):
            import warnings

            warnings.warn(
                f"Input #{number} requires gradient and is not a double precision floating point or complex. This check will "
                "likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=2,
            )
    try:
        _check(func, inputs, chosen, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(
    func: Callable[..., Any], inputs: Sequence[Any], chosen: Sequence[Any], eps: float, atol: float, rtol: float,
    nondet_tol: float,
) -> None:  # fmt: skip
    outputs = _outputs(func, inputs)
    for number, x in enumerate(chosen):
        columns = _numerical(func, inputs, x, eps)
        is_complex = x._spec.dtype.category == COMPLEX
        for k, output in enumerate(outputs):
            if not output._tracked:
                if any(bool((column[k].abs() > atol).any()) for column in columns):
                    raise GradcheckError(
                        f"Numerical gradient for function expected to be zero: output {k} does not require grad"
                    )
                continue
            for j in range(output.numel()):
                for unit in (1.0, 1j) if output._spec.dtype.category == COMPLEX else (1.0,):
                    direction = output.detach().new_zeros(output.numel())
                    direction[j] = unit
                    found = _analytical(outputs, k, x, direction.reshape(output.shape)).reshape(-1)
                    _compare(found, columns, k, j, unit, is_complex, atol, rtol, number)
                    if j == 0:
                        again = _analytical(outputs, k, x, direction.reshape(output.shape)).reshape(-1)
                        if bool(((found - again).abs() > nondet_tol).any()):
                            raise GradcheckError("Backward is not reentrant, i.e., running backward with same input and "
                                                 "grad_output multiple times gives different values")  # fmt: skip


def _compare(
    found: Any, columns: Any, k: int, j: int, unit: Any, is_complex: bool, atol: float, rtol: float, number: int
) -> None:
    """The gradient g of one output element, weighted by ``unit``, against Re(conj(unit)·∂f) along each direction."""
    values = found.tolist()
    for place, value in enumerate(values):
        parts = (value.real, value.imag) if is_complex else (value,)
        for part, actual in enumerate(parts):
            difference = columns[place * len(parts) + part][k][j].item()
            expected = (complex(unit).conjugate() * difference).real
            if not abs(actual - expected) <= atol + rtol * abs(expected):
                raise GradcheckError(
                    f"Jacobian mismatch for output {k} with respect to input {number},\nnumerical: {expected}\n"
                    f"analytical: {actual} (output element {j}, input element {place})"
                )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Compare second derivatives with finite differences of the first ones.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x ** 3, (x,))
    True
    """
    inputs = _flat(inputs)
    outputs = _outputs(func, inputs)
    tracked = [each for each in outputs if each._tracked]
    if grad_outputs is None:
        directions = [each.detach().clone() * 0 + _pattern(each) for each in tracked]
        directions = [each.requires_grad_() for each in directions]
    else:
        directions = list(_flat(grad_outputs))
    count = len(directions)

    def first(*arguments: Any) -> Any:
        values, seeds = arguments[:-count], arguments[-count:]
        made = [each for each in _outputs(func, values) if each._tracked]
        with enable_grad():
            grads = gradients(made, _differentiable(values), list(seeds), create_graph=True, allow_unused=True)
        return tuple(each for each in grads if each is not None)

    return gradcheck(
        first, (*inputs, *directions), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol
    )


def _pattern(like: Any) -> Any:
    """Fixed, irregular numbers of a tensor's shape: cosines of the index."""
    size = like.numel()
    values = [(k * 0.7 + 0.3) % 1.0 + 0.5 for k in range(size)]
    return like.detach().new_tensor(values).reshape(like.shape)
