"""Primitives for recurrent layers: a cell applied step after step along a sequence, and the gradient of that.

Rows come in order of time: first those of the first step, then those of the second. All steps have ``batch`` rows, or
as many as ``batch_sizes`` says (never more than the step before: the sequences that are over are the last ones).
The cells, with a = x + weight·h and every operation elementwise:

======  ====================================================================================================
tanh    h' = tanh(a)
relu    h' = max(0, a)
lstm    (i, f, g, o) = (σ, σ, tanh, σ)(a);  c' = f·c + i·g;  h' = o·tanh(c'), times the projection if there is one
gru     (r, z) = σ(a);  q = weight·h + bias;  n = tanh(x + r·q);  h' = (1 - z)·n + z·h
======  ====================================================================================================
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .products import matrix_product
from .registry import primitive
from .values import Value

#: For each cell: how many times its hidden size its input rows have, and what it saves for the gradient.
GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}
SAVED = {"tanh": 0, "relu": 0, "lstm": 5, "gru": 4}


def _steps(rows: int, batch: int, batch_sizes: Any, reverse: bool) -> list[tuple[int, int]]:
    """(first row, number of rows) of each step, in the order in which they are made."""
    if batch_sizes is None:
        steps = [(start, batch) for start in range(0, rows, batch)] if batch else []
    else:
        sizes = batch_sizes.tolist()
        starts = np.cumsum([0, *sizes]).tolist()
        steps = list(zip(starts, sizes))
    return steps[::-1] if reverse else steps


def _before(states: Any, initial: Any, steps: list[tuple[int, int]]) -> Any:
    """For each row, the state that its step began with."""
    before = np.empty((len(states), initial.shape[1]), states.dtype)
    last = 0
    for k, (start, size) in enumerate(steps):
        shared = min(size, steps[k - 1][1]) if k else 0
        before[start : start + shared] = states[last : last + shared]
        before[start + shared : start + size] = initial[shared:size]
        last = start
    return before


def _recurrence_shape(
    x: Value,
    hidden: Value,
    cell: Any,
    weight: Value,
    bias: Any,
    projection: Any,
    batch_sizes: Any,
    *,
    kind: str,
    **_: Any,
) -> Any:
    width = weight.shape[0] // GATES[kind]
    last = cell.shape if kind == "lstm" else (0,)
    saved = (x.shape[0], SAVED[kind] * width)
    return [((x.shape[0], hidden.shape[1]), x.dtype), (hidden.shape, x.dtype), (last, x.dtype), (saved, x.dtype)]


@primitive(_recurrence_shape)
def recurrence(
    x: Any, hidden: Any, cell: Any, weight: Any, bias: Any, projection: Any, batch_sizes: Any, *,
    kind: str, reverse: bool, batch: int,
) -> Any:  # fmt: skip
    """Every step's hidden state, the last hidden and cell state, and what the gradient needs of each step."""
    width = weight.shape[0] // GATES[kind]
    steps = _steps(len(x), batch, batch_sizes, reverse)
    transposed = np.ascontiguousarray(weight.T)
    halves = None
    if kind in ("lstm", "gru"):
        halves = np.full(len(weight), 0.5, x.dtype)
        halves[2 * width : 3 * width] = 1
        transposed, x = transposed * halves, x * halves
        bias = None if bias is None else bias * halves
    outputs = np.empty((len(x), hidden.shape[1]), x.dtype)
    saved = np.empty((len(x), SAVED[kind] * width), x.dtype)
    h = hidden.copy()
    c = cell.copy() if kind == "lstm" else np.empty(0, x.dtype)
    for start, size in steps:
        rows = slice(start, start + size)
        product = matrix_product(h[:size], transposed)
        if kind == "lstm":
            product += x[rows]
            _lstm_step(product, c[:size], saved[rows], halves, width)
            made = np.tanh(c[:size])
            made *= saved[rows, 3 * width : 4 * width]
            if projection is not None:
                made = matrix_product(made, projection.T)
        elif kind == "gru":
            if bias is not None:
                product += bias
            made = _gru_step(product, x[rows], h[:size], saved[rows], width)
        else:
            product += x[rows]
            made = np.tanh(product, out=product) if kind == "tanh" else np.maximum(product, 0, out=product)
        outputs[rows] = made
        h[:size] = made
    return outputs, h, c, saved


# A gate is σ(x) = ½·tanh(½·x) + ½: its half is in the weights, so that all gates take one tanh. It also never overflows.


def _lstm_step(gates: Any, c: Any, saved: Any, halves: Any, width: int) -> None:
    """Activate the gates and move ``c`` on by one step; gates and new cell state are saved."""
    np.tanh(gates, out=gates)
    gates *= halves
    np.add(gates[:, : 2 * width], 0.5, out=saved[:, : 2 * width])
    saved[:, 2 * width : 3 * width] = gates[:, 2 * width : 3 * width]
    np.add(gates[:, 3 * width :], 0.5, out=saved[:, 3 * width : 4 * width])
    c *= saved[:, width : 2 * width]
    c += saved[:, :width] * saved[:, 2 * width : 3 * width]
    saved[:, 4 * width :] = c


def _gru_step(product: Any, x: Any, h: Any, saved: Any, width: int) -> Any:
    gates, inner = product[:, : 2 * width], product[:, 2 * width :]
    gates += x[:, : 2 * width]
    np.tanh(gates, out=gates)
    gates *= 0.5
    gates += 0.5
    fresh = gates[:, :width] * inner
    fresh += x[:, 2 * width :]
    np.tanh(fresh, out=fresh)
    saved[:, : 2 * width] = gates
    saved[:, 2 * width : 3 * width] = fresh
    saved[:, 3 * width :] = inner
    made = h - fresh
    made *= gates[:, width:]
    made += fresh
    return made


def _gradient_shape(
    grad_output: Value, grad_hidden: Value, grad_cell: Any, hidden: Value, cell: Any, weight: Value, bias: Any,
    projection: Any, batch_sizes: Any, outputs: Value, saved: Value, *, kind: str, **_: Any,
) -> Any:  # fmt: skip
    def like(operand: Any) -> tuple[int, ...]:
        return (0,) if operand is None else operand.shape

    rows = (outputs.shape[0], weight.shape[0])
    shapes = [rows, hidden.shape, like(cell), weight.shape, like(bias), like(projection)]
    return [(shape, outputs.dtype) for shape in shapes]


@primitive(_gradient_shape)
def recurrence_gradient(
    grad_output: Any, grad_hidden: Any, grad_cell: Any, hidden: Any, cell: Any, weight: Any, bias: Any, projection: Any,
    batch_sizes: Any, outputs: Any, saved: Any, *, kind: str, reverse: bool, batch: int,
) -> Any:  # fmt: skip
    """The gradients of recurrence's x, hidden, cell, weight, bias and projection (empty for those that are None).

    What does not depend on a later step's gradient is computed for all steps at once, as are the weights' gradients:
    one matrix product each. The loop is left with what runs back from step to step.
    """
    steps = _steps(len(outputs), batch, batch_sizes, reverse)
    before = _before(outputs, hidden, steps)
    dh = grad_hidden.copy()
    nothing = np.empty(0, outputs.dtype)
    if kind == "lstm":
        dx, dc, dprojection = _lstm_back(grad_output, dh, grad_cell.copy(), cell, weight, projection, saved, steps)
        return dx, dh, dc, matrix_product(dx.T, before), nothing, dprojection
    if kind == "gru":
        dx, inner = _gru_back(grad_output, dh, weight, before, saved, steps)
        return dx, dh, nothing, matrix_product(inner.T, before), nothing if bias is None else inner.sum(0), nothing
    slope = 1 - outputs * outputs if kind == "tanh" else (outputs > 0).astype(outputs.dtype)
    for start, size in reversed(steps):
        rows = slice(start, start + size)
        dh[:size] += grad_output[rows]
        slope[rows] *= dh[:size]
        dh[:size] = matrix_product(slope[rows], weight)
    return slope, dh, nothing, matrix_product(slope.T, before), nothing, nothing


def _lstm_back(
    grad_output: Any,
    dh: Any,
    dc: Any,
    cell: Any,
    weight: Any,
    projection: Any,
    saved: Any,
    steps: list[tuple[int, int]],
) -> tuple[Any, Any, Any]:
    i, f, g, o, c = np.split(saved, 5, axis=1)
    width = c.shape[1]
    bent = np.tanh(c)
    dx = np.empty((len(saved), 4 * width), saved.dtype)  # first the gates' slopes, then times what arrives
    blocks = dx.reshape(len(saved), 4, width)
    np.multiply(g * i, 1 - i, out=blocks[:, 0])
    np.multiply(_before(c, cell, steps) * f, 1 - f, out=blocks[:, 1])
    np.multiply(i, 1 - g * g, out=blocks[:, 2])
    np.multiply(bent * o, 1 - o, out=blocks[:, 3])
    through = o * (1 - bent * bent)
    arrived = None if projection is None else np.empty((len(saved), dh.shape[1]), saved.dtype)
    for start, size in reversed(steps):
        rows = slice(start, start + size)
        dh[:size] += grad_output[rows]
        dm = dh[:size]
        if arrived is not None:
            arrived[rows] = dm
            dm = matrix_product(dm, projection)
        here = dc[:size]
        here += dm * through[rows]
        blocks[rows, :3] *= here[:, None]
        blocks[rows, 3] *= dm
        here *= f[rows]
        dh[:size] = matrix_product(dx[rows], weight)
    if arrived is None:
        return dx, dc, np.empty(0, saved.dtype)
    return dx, dc, matrix_product(arrived.T, o * bent)


def _gru_back(
    grad_output: Any, dh: Any, weight: Any, before: Any, saved: Any, steps: list[tuple[int, int]]
) -> tuple[Any, Any]:
    r, z, n, q = np.split(saved, 4, axis=1)
    width = r.shape[1]
    inner = np.empty((len(saved), 3, width), saved.dtype)  # first slopes, then times what arrives
    fresh = (1 - z) * (1 - n * n)
    np.multiply(fresh, r, out=inner[:, 2])
    np.multiply(inner[:, 2] * q, 1 - r, out=inner[:, 0])
    np.multiply((before - n) * z, 1 - z, out=inner[:, 1])
    for start, size in reversed(steps):
        rows = slice(start, start + size)
        here = dh[:size]
        here += grad_output[rows]
        step = inner[rows]
        step *= here[:, None]
        fresh[rows] *= here
        here *= z[rows]
        here += matrix_product(step.reshape(size, 3 * width), weight)
    dx = np.concatenate([inner[:, :2].reshape(len(saved), 2 * width), fresh], axis=1)
    return dx, inner.reshape(len(saved), 3 * width)
