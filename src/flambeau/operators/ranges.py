"""Evenly spaced numbers and the identity matrix: ``arange``, ``linspace``, ``logspace``, ``eye``."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.grad_mode import mode
from ..core.devices import find
from ..core.dtypes import (
    COMPLEX,
    FLOATING,
    INTEGER,
    as_dtype,
    bool_,
    complex128,
    dtype,
    float32,
    float64,
    get_default_dtype,
    int64,
    result_dtype,
)
from ..core.names import scalar_name
from ..primitives import elementwise as p, memory
from ..primitives.values import Value
from ..tracing.handles import Handle
from .creation import finish
from .declaration import functions, operator
from .kinds import Number, Tensor
from .promotion import to
from .views import as_index
from .writing import write_out

Ints = tuple[int, ...]


@operator(method=False, function=False, name="arange")
def _progression(start: Number, step: Number, count: int, dtype: dtype) -> Value:
    """start + i·step, computed in double precision (or int64)."""
    kind = dtype if dtype.category < FLOATING and dtype is int64 else int64 if dtype.category <= INTEGER else float64
    index = memory.iota(shape=(count,), axis=0, dtype=kind)
    return to(index * step + start, dtype)


def _number(value: Any, name: str) -> Any:
    if isinstance(value, Handle):
        return value.item()
    if isinstance(value, (int, float, complex)):
        return value
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{name}(): argument must be Number, not {type(value).__name__}")


def _finished(name: str, made: Any, out: Any, requires_grad: bool) -> Any:
    if out is None:
        return finish(made, requires_grad)
    if mode.enabled and out._tracked:
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments "
            "requires grad."
        )
    return write_out(name, out, made)


def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, out: Any = None, dtype: dtype | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """The numbers start, start + step, … below ``end`` (above it when the step is negative).

    Raises:
        RuntimeError: the step is zero or leads away from ``end``.

    >>> import flambeau as torch
    >>> torch.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    find(device)
    if end is None:
        if start is None:
            raise TypeError("arange() received an invalid combination of arguments - got (), but expected at least `end`")
        start, end = 0, start
    elif start is None:
        start = 0
    start, end, step = _number(start, "arange"), _number(end, "arange"), _number(step, "arange")
    kind = as_dtype(dtype, "arange") if dtype is not None else out._spec.dtype if out is not None else None
    if kind is None:
        kind = int64 if all(isinstance(each, int) for each in (start, end, step)) else get_default_dtype()
    _check_range("arange", start, end, step, kind)
    if kind.category <= INTEGER:
        start, end, step = int(start), int(end), int(step)
        if not step:
            raise ValueError("step must be nonzero")
        count = len(range(start, end, step))
    else:
        count = max(math.ceil((end - start) / step), 0)
    return _finished("arange", _progression(start, step, count, kind), out, requires_grad)


def _check_range(name: str, start: Any, end: Any, step: Any, kind: dtype) -> None:
    if any(isinstance(each, complex) for each in (start, end, step)):
        raise RuntimeError("value cannot be converted to type double without overflow")
    if kind is bool_ or kind.category == COMPLEX:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{scalar_name(kind)}'")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if all(isinstance(each, int) for each in (start, end)) and max(abs(start), abs(end)) >= 1 << 63:
        raise OverflowError("int too big to convert")
    if (end < start) if step > 0 else (end > start):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def range_(
    start: Any, end: Any, step: Any = 1, *, out: Any = None, dtype: dtype | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Like :func:`arange` with ``end`` included. Deprecated in PyTorch; use :func:`arange`."""
    import warnings

    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's "
        "range builtin. Instead, use torch.arange, which produces values in [start, end).",
        stacklevel=2,
    )
    find(device)
    start, end, step = _number(start, "range"), _number(end, "range"), _number(step, "range")
    kind = as_dtype(dtype, "range") if dtype is not None else out._spec.dtype if out is not None else get_default_dtype()
    _check_range("range", start, end, step, kind)
    count = math.floor((end - start) / step) + 1
    if kind.category <= INTEGER:
        start, step = int(start), int(step)
    return _finished("range", _progression(start, step, count, kind), out, requires_grad)


@operator(method=False, function=False, name="linspace")
def _between(start: Number, end: Number, steps: int, dtype: dtype, base: float | None) -> Value:
    return _spread(start, end, steps, dtype, base)


@operator(method=False, function=False, name="linspace")
def _between_tensors(
    start: Tensor | Number, end: Tensor | Number, steps: int, dtype: dtype, base: float | None
) -> Value:
    return _spread(start, end, steps, dtype, base)


def _spread(start: Value, end: Value, steps: int, dtype: dtype, base: float | None) -> Value:
    """Counted from both ends, so that both are met exactly; then ``base`` to these powers."""
    kind = complex128 if dtype.category == COMPLEX else float64
    first, last = (
        to(each, kind) if isinstance(each, Value) and not each.is_number else p.number(each, dtype=kind)
        for each in (start, end)
    )
    if dtype.category <= INTEGER:
        first, last = p.truncate(first), p.truncate(last)
    index = to(memory.iota(shape=(steps,), axis=0, dtype=int64), kind)
    if dtype is float32 and base is None:  # PyTorch rounds the ends and the step, then each number once
        first, last = (to(to(each, float32), float64) for each in (first, last))
    if steps > 1:
        step = (last - first) / float(steps - 1)
        if dtype is float32 and base is None:
            step = to(to(to(last - first, float32) / float(steps - 1), float32), float64)
        back = float(steps - 1) - index
        near = memory.iota(shape=(steps,), axis=0, dtype=int64) < steps // 2
        values = p.select(near, first + index * step, last - back * step)
    else:
        values = first + index
    if base is not None:
        values = p.power(p.number(base, dtype=kind), values)
    return to(values, dtype)


def _spaced(
    name: str, start: Any, end: Any, steps: Any, base: float | None, out: Any, kind: dtype | None, requires_grad: bool
) -> Any:
    count = as_index(steps, name)
    if count < 0:
        raise RuntimeError("number of steps must be non-negative")
    ends = []
    for what, each in (("start", start), ("end", end)):
        if isinstance(each, Handle) and each._spec.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got {what} with {each._spec.ndim} "
                "dimension(s)."
            )
        ends.append(each if isinstance(each, (Handle, int, float, complex)) else _number(each, name))
    if kind is None:
        kind = out._spec.dtype if out is not None else get_default_dtype()
        kinds = [each._spec.dtype for each in ends if isinstance(each, Handle)]
        if any(isinstance(each, complex) for each in ends) or any(each.is_complex for each in kinds):
            kind = result_dtype([kind], [], [COMPLEX])
    between = _between_tensors if any(isinstance(each, Handle) for each in ends) else _between
    return _finished(name, between(ends[0], ends[1], count, kind, base), out, requires_grad)


def linspace(
    start: Any, end: Any, steps: Any, *, out: Any = None, dtype: dtype | None = None, layout: Any = None,
    device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included.

    >>> import flambeau as torch
    >>> torch.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    find(device)
    return _spaced("linspace", start, end, steps, None, out, dtype, requires_grad)


def logspace(
    start: Any, end: Any, steps: Any, base: float = 10.0, *, out: Any = None, dtype: dtype | None = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """``base`` to the power of ``steps`` evenly spaced numbers.

    >>> import flambeau as torch
    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    find(device)
    return _spaced("logspace", start, end, steps, float(base), out, dtype, requires_grad)


@operator(method=False, function=False, name="eye")
def _identity(n: int, m: int, dtype: dtype) -> Value:
    rows = memory.iota(shape=(n, m), axis=0, dtype=int64)
    return to(p.equal(rows, memory.iota(shape=(n, m), axis=1, dtype=int64)), dtype)


def eye(
    n: Any, m: Any = None, *, out: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Ones on the diagonal of an n × m matrix (square by default), zeros elsewhere.

    >>> import flambeau as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    find(device)
    rows = as_index(n, "eye")
    columns = rows if m is None else as_index(m, "eye")
    for name, size in (("n", rows), ("m", columns)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    kind = dtype or (out._spec.dtype if out is not None else get_default_dtype())
    return _finished("eye", _identity(rows, columns, kind), out, requires_grad)


functions.update(arange=arange, range=range_, linspace=linspace, logspace=logspace, eye=eye)
range_.__name__ = range_.__qualname__ = "range"
