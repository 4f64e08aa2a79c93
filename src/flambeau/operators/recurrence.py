"""Recurrent layers and cells: one direction of one layer is one operator, over the whole sequence.

The input is projected in one product for all steps, the gradients of the weights are one product each, and the tape
gets one node however long the sequence is.

Elman, "Finding structure in time" (1990); Hochreiter & Schmidhuber, "Long short-term memory" (1997); Cho et al.,
"Learning phrase representations using RNN encoder-decoder" (2014); for projections Sak et al. (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.decomposition import second_derivative
from ..core.names import scalar_name
from ..primitives import contraction as c, memory, recurrence as steps, reductions as r
from ..primitives.values import Value
from ..tracing.handles import Handle
from .contraction import linear
from .declaration import composite, functions, operator
from .dropout import dropout
from .kinds import Tensor
from .promotion import to, widened

_NODES = {"lstm": "LstmBackward0", "gru": "GruBackward0", "tanh": "RnnTanhBackward0", "relu": "RnnReluBackward0"}
_CELL_NODES = {"lstm": "MulBackward0", "gru": "AddBackward0", "tanh": "TanhBackward0", "relu": "ReluBackward0"}


def _flat(x: Value) -> Value:
    """All leading dimensions as one, rows in order of time."""
    rows = 1
    for size in x.shape[:-1]:
        rows *= size
    return memory.reshape(x, shape=(rows, x.shape[-1]))


def _transposed(x: Value) -> Value:
    return memory.transpose(x, axes=(1, 0))


def _wide(*values: Any) -> list[Any]:
    return [None if each is None else widened(each) for each in values]


def _layer_back(
    grads: Any, input: Any, hidden: Any, cell: Any, weight_ih: Any, weight_hh: Any, bias_ih: Any, bias_hh: Any,
    weight_hr: Any, batch_sizes: Any, kind: str, reverse: bool, result0: Any, result3: Any, needs: Any,
) -> Any:  # fmt: skip
    made = iter(
        _layer_gradient(
            grads[0], grads[1], grads[2] if kind == "lstm" else None, input, hidden, cell, weight_ih, weight_hh,
            bias_ih, bias_hh, weight_hr, batch_sizes, result0, result3, kind, reverse,
        )
    )  # fmt: skip
    given = (input, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr)
    return tuple(None if each is None else next(made) for each in given)


@operator(
    {"input hidden cell weight_ih weight_hh bias_ih bias_hh weight_hr": _layer_back},
    name="recurrent_layer", function=False, method=False,
    node=lambda input, *rest: (_CELL_NODES if input._spec.ndim == 2 and rest[7] is None else _NODES)[rest[8]],
)  # fmt: skip
def recurrent_layer(
    input: Tensor, hidden: Tensor, cell: Tensor | None, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None,
    bias_hh: Tensor | None, weight_hr: Tensor | None, batch_sizes: Tensor | None, kind: str, reverse: bool,
) -> Any:  # fmt: skip
    """One direction of one recurrent layer.

    Args:
        input: (time, batch, features), or packed (rows, features), or the single step of a cell (batch, features).
        hidden, cell: the initial states (batch, features).
        batch_sizes: the rows of each step of a packed input.
        kind: "tanh", "relu", "lstm" or "gru".

    Returns:
        every step's hidden state, shaped as the input; the last hidden state; the last cell state (empty unless an
        LSTM); what the gradient needs of each step.
    """
    x, h, cell, w_ih, w_hh, b_ih, b_hh, w_hr = _wide(
        _flat(input), hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr
    )
    product = c.matrix_multiply(x, _transposed(w_ih))
    inner = None
    if kind == "gru":
        inner = b_hh
    elif b_hh is not None:
        b_ih = b_hh if b_ih is None else b_ih + b_hh
    if b_ih is not None:
        product = product + b_ih
    outputs, last, last_cell, saved = steps.recurrence(
        product, h, cell, w_hh, inner, w_hr, batch_sizes, kind=kind, reverse=reverse, batch=hidden.shape[0]
    )
    outputs = memory.reshape(outputs, shape=(*input.shape[:-1], outputs.shape[1]))
    return to(outputs, input.dtype), to(last, input.dtype), to(last_cell, input.dtype), saved


def _gradient_back(
    grads: Any, grad_output: Any, grad_hidden: Any, grad_cell: Any, input: Any, hidden: Any, cell: Any, weight_ih: Any,
    weight_hh: Any, bias_ih: Any, bias_hh: Any, weight_hr: Any, batch_sizes: Any, kind: str, reverse: bool, needs: Any,
) -> Any:  # fmt: skip
    arguments = (input, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr)
    given = tuple(each is not None for each in arguments)
    weights = iter(grads)

    def textbook(*operands: Any) -> Any:
        return layer_by_steps(*(*operands, batch_sizes, kind, reverse))

    return second_derivative(
        textbook, arguments, given, (grad_output, grad_hidden, grad_cell), needs,
        tuple(next(weights) if each else None for each in given),
    )  # fmt: skip


@operator(
    {
        "grad_output grad_hidden grad_cell "
        "input hidden cell weight_ih weight_hh bias_ih bias_hh weight_hr": _gradient_back
    },
    name="recurrent_layer_backward", function=False, method=False,
)  # fmt: skip
def _layer_gradient(
    grad_output: Tensor, grad_hidden: Tensor, grad_cell: Tensor | None, input: Tensor, hidden: Tensor,
    cell: Tensor | None, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None, bias_hh: Tensor | None,
    weight_hr: Tensor | None, batch_sizes: Tensor | None, outputs: Tensor, saved: Tensor, kind: str, reverse: bool,
) -> Any:  # fmt: skip
    """The gradients of :func:`recurrent_layer`'s operands, those that are None left out."""
    dy, dh, dc, x, h, state, w_ih, w_hh, w_hr, y = _wide(
        _flat(grad_output),
        grad_hidden,
        grad_cell,
        _flat(input),
        hidden,
        cell,
        weight_ih,
        weight_hh,
        weight_hr,
        _flat(outputs),
    )
    inner = widened(bias_hh) if kind == "gru" and bias_hh is not None else None
    dx, dh, dc, dw_hh, db_hh, dw_hr = steps.recurrence_gradient(
        dy,
        dh,
        dc,
        h,
        state,
        w_hh,
        inner,
        w_hr,
        batch_sizes,
        y,
        saved,
        kind=kind,
        reverse=reverse,
        batch=hidden.shape[0],
    )
    made = [memory.reshape(c.matrix_multiply(dx, w_ih), shape=input.shape), dh]
    if cell is not None:
        made.append(dc)
    made += [c.matrix_multiply(_transposed(dx), x), dw_hh]
    db_ih = r.reduce_sum(dx, axes=(0,), dtype=dx.dtype)
    if bias_ih is not None:
        made.append(db_ih)
    if bias_hh is not None:
        made.append(db_hh if kind == "gru" else db_ih)
    if weight_hr is not None:
        made.append(dw_hr)
    return tuple(to(each, input.dtype) for each in made)


# -- the same by single operators, for second derivatives -------------------------------------------------------------


def _step(x: Any, h: Any, cell: Any, w_hh: Any, b_hh: Any, w_hr: Any, kind: str) -> tuple[Any, Any]:
    """One step of a cell from its projected input."""
    inner = linear(h, w_hh, b_hh)
    if kind == "lstm":
        i, f, g, o = (x + inner).chunk(4, 1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        h = o.sigmoid() * cell.tanh()
        return (h if w_hr is None else linear(h, w_hr)), cell
    if kind == "gru":
        (x_r, x_z, x_n), (r, z, n) = x.chunk(3, 1), inner.chunk(3, 1)
        z = (x_z + z).sigmoid()
        n = (x_n + (x_r + r).sigmoid() * n).tanh()
        return (1 - z) * n + z * h, None
    return ((x + inner).tanh() if kind == "tanh" else (x + inner).relu()), None


def layer_by_steps(
    input: Any, h: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, batch_sizes: Any, kind: str,
    reverse: bool,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """:func:`recurrent_layer` written out step by step."""
    cat = functions["cat"]
    x = linear(input, w_ih, b_ih).reshape(-1, w_ih.shape[0])
    sizes = [h.shape[0]] * (x.shape[0] // max(h.shape[0], 1)) if batch_sizes is None else batch_sizes.tolist()
    blocks = x.split(sizes)
    order = range(len(sizes) - 1, -1, -1) if reverse else range(len(sizes))
    outputs: list[Any] = [None] * len(sizes)
    for t in order:
        size = sizes[t]
        made, state = _step(blocks[t], h[:size], None if cell is None else cell[:size], w_hh, b_hh, w_hr, kind)
        outputs[t] = made
        h = made if size == h.shape[0] else cat((made, h[size:]))
        if cell is not None:
            cell = state if size == cell.shape[0] else cat((state, cell[size:]))
    y = cat(outputs) if outputs else x.new_zeros((0, h.shape[1]))
    return y.reshape(*input.shape[:-1], h.shape[1]), h, cell


# -- stacks of layers -------------------------------------------------------------------------------------------------


def _layers(
    kind: str, input: Any, batch_sizes: Any, hidden: Any, cell: Any, params: Sequence[Any], has_biases: bool,
    num_layers: int, dropout_p: float, train: bool, bidirectional: bool,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """All layers, (time, batch, features) or packed; the last states of each layer and direction are stacked."""
    directions = 2 if bidirectional else 1
    projected = hidden._spec.shape[-1] != params[1]._spec.shape[0] // steps.GATES[kind]
    count = (4 if has_biases else 2) + projected
    last_hidden, last_cell = [], []
    hiddens = hidden.unbind(0)
    cells = (None,) * len(hiddens) if cell is None else cell.unbind(0)
    for layer in range(num_layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            weights = list(params[k * count : (k + 1) * count])
            projection = weights.pop() if projected else None
            biases = weights[2:] or [None, None]
            y, h, c, _ = recurrent_layer(
                input, hiddens[k], cells[k], weights[0], weights[1], biases[0], biases[1], projection, batch_sizes, kind,
                direction == 1,
            )  # fmt: skip
            outputs.append(y)
            last_hidden.append(h)
            last_cell.append(c)
        input = functions["cat"](outputs, -1) if bidirectional else outputs[0]
        if dropout_p and train and layer < num_layers - 1:
            input = dropout(input, dropout_p, True)
    stack = functions["stack"]
    return input, stack(last_hidden), stack(last_cell) if cell is not None else None


def _checked(name: str, input: Any, params: Sequence[Any]) -> None:
    kind = params[0]._spec.dtype
    if input._spec.dtype is not kind:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {scalar_name(input._spec.dtype)} and {scalar_name(kind)} "
            f"(in {name})"
        )


def _run(name: str, kind: str, input: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Sort out the two forms: (input, hx, …, batch_first) and, for packed data, (data, batch_sizes, hx, …)."""
    args = (input, *args)
    place = 1 if kind == "lstm" else 2  # LSTM's states are a pair, the others' a tensor
    packed = "batch_sizes" in kwargs or (len(args) > place and isinstance(args[place], Handle))
    names = ["data", "batch_sizes"] if packed else ["input"]
    names += ["hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional"]
    names += [] if packed else ["batch_first"]
    given = dict(zip(names, args)) | kwargs
    missing = [each for each in names if each not in given]
    if missing:
        raise TypeError(f"{name}() missing required arguments: {', '.join(missing)}")
    x = given["data"] if packed else given["input"]
    _checked(name, x, given["params"])
    hidden, cell = given["hx"] if kind == "lstm" else (given["hx"], None)
    _checked(name, hidden, given["params"])
    first = not packed and given["batch_first"]
    if first:
        x = x.transpose(0, 1)
    if not packed and not x._spec.shape[0]:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    sizes = given["batch_sizes"] if packed else None
    made, hidden, cell = _layers(
        kind, x, sizes, hidden, cell, given["params"], given["has_biases"], given["num_layers"], given["dropout"],
        given["train"], given["bidirectional"],
    )  # fmt: skip
    return made.transpose(0, 1) if first else made, hidden, cell


@composite(method=False)
def lstm(input: Any = None, *args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
    """Layers of long short-term memory: output, last hidden and last cell states.

    ``lstm(input, (h, c), params, has_biases, num_layers, dropout, train, bidirectional, batch_first)``, or with packed
    data ``lstm(data, batch_sizes, (h, c), params, has_biases, num_layers, dropout, train, bidirectional)``.
    """
    return _run("lstm", "lstm", input, args, kwargs)


@composite(method=False)
def gru(input: Any = None, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Layers of gated recurrent units: output and last hidden states. Arguments as :func:`lstm`'s, with one state."""
    return _run("gru", "gru", input, args, kwargs)[:2]


@composite(method=False)
def rnn_tanh(input: Any = None, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Layers of Elman's network: output and last hidden states. Arguments as :func:`gru`'s."""
    return _run("rnn_tanh", "tanh", input, args, kwargs)[:2]


@composite(method=False)
def rnn_relu(input: Any = None, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """:func:`rnn_tanh` with rectified linear units."""
    return _run("rnn_relu", "relu", input, args, kwargs)[:2]


# -- single cells -----------------------------------------------------------------------------------------------------


def _cell(name: str, kind: str, input: Any, hx: Any, cell: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    x, h, gates = input._spec, hx._spec, steps.GATES[kind]
    if x.ndim != 2 or h.ndim < 2:
        raise RuntimeError(f"{name}: input and hidden state must be 2-D, but got {x.ndim}-D and {h.ndim}-D")
    if x.shape[1] != w_ih._spec.shape[1]:
        raise RuntimeError(f"input has inconsistent input_size: got {x.shape[1]} expected {w_ih._spec.shape[1]}")
    for k, state in enumerate((hx, cell)):
        if state is None:
            continue
        if state._spec.shape[0] != x.shape[0]:
            raise RuntimeError(
                f"Input batch size {x.shape[0]} doesn't match hidden{k} batch size {state._spec.shape[0]}"
            )
        if state._spec.shape[1] != w_hh._spec.shape[1]:
            raise RuntimeError(
                f"hidden{k} has inconsistent hidden_size: got {state._spec.shape[1]}, expected {w_hh._spec.shape[1]}"
            )
    if h.ndim != 2:
        raise RuntimeError(f"{name}: the hidden state must be 2-D, but got {h.ndim}-D")
    for which, weight in (("weight_ih", w_ih), ("weight_hh", w_hh)):
        if weight._spec.shape[0] != gates * h.shape[1]:
            raise RuntimeError(
                f"{which} first dim must be {gates} * hidden_size = {gates * h.shape[1]}, but got "
                f"{weight._spec.shape[0]}"
            )
    _checked(name, input, (w_ih,))
    _checked(name, hx, (w_ih,))
    _, made, state, _ = recurrent_layer(input, hx, cell, w_ih, w_hh, b_ih, b_hh, None, None, kind, False)
    return made if cell is None else (made, state)


@composite(method=False)
def lstm_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> tuple[Any, Any]:
    """One step of long short-term memory: the next hidden and cell state of (batch, features) each.

    >>> import flambeau as torch
    >>> states = torch.zeros(1, 3), torch.zeros(1, 3)
    >>> h, c = torch.lstm_cell(torch.ones(1, 2), states, torch.ones(12, 2), torch.ones(12, 3))
    >>> h.shape
    torch.Size([1, 3])
    """
    if len(hx) != 2:
        raise RuntimeError("lstm_cell expects two hidden states")
    return _cell("lstm_cell", "lstm", input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh)


@composite(method=False)
def gru_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of a gated recurrent unit: the next hidden state, (batch, features)."""
    return _cell("gru_cell", "gru", input, hx, None, w_ih, w_hh, b_ih, b_hh)


@composite(method=False)
def rnn_tanh_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """One step of Elman's network: tanh(w_ih x + b_ih + w_hh h + b_hh)."""
    return _cell("rnn_tanh_cell", "tanh", input, hx, None, w_ih, w_hh, b_ih, b_hh)


@composite(method=False)
def rnn_relu_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """:func:`rnn_tanh_cell` with a rectified linear unit."""
    return _cell("rnn_relu_cell", "relu", input, hx, None, w_ih, w_hh, b_ih, b_hh)
