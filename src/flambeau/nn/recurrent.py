"""Recurrent layers over sequences, and the cells they repeat."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..operators.autocasting import state as autocasting
from ..operators.declaration import functions
from . import init
from .module import Module
from .parameter import new_parameter
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def _check_sizes(input_size: Any, hidden_size: Any, num_layers: Any, proj_size: Any, dropout: Any) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(size, int):
            raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
    if input_size <= 0:
        raise ValueError("input_size must be greater than zero")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


def _draw(module: Module, hidden_size: int) -> None:
    """All parameters uniform on (−1/√hidden_size, 1/√hidden_size)."""
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for each in module.parameters():
        init.uniform_(each, -bound, bound)


class RNNBase(Module):
    """What :class:`RNN`, :class:`LSTM` and :class:`GRU` have in common: their weights and the checks of their input.

    The weights of layer k are ``weight_ih_l{k}``, ``weight_hh_l{k}``, ``bias_ih_l{k}``, ``bias_hh_l{k}`` and, with a
    projection, ``weight_hr_l{k}``; those of the backward direction end in ``_reverse``.
    """

    __constants__ = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
        "proj_size",
    ]  # fmt: skip
    __jit_unused_properties__ = ["all_weights"]
    _all_weights: list[list[str]]

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        _check_sizes(input_size, hidden_size, num_layers, proj_size, dropout)
        for name in ("bias", "batch_first"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} should be of type bool, got: {type(getattr(self, name)).__name__}")
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        rows = _GATES[mode] * hidden_size
        carried = proj_size or hidden_size
        self._all_weights = []
        for layer in range(num_layers):
            for suffix in ("", "_reverse")[: 1 + bidirectional]:
                features = input_size if layer == 0 else carried * (1 + bidirectional)
                shapes: dict[str, Any] = {"weight_ih": (rows, features), "weight_hh": (rows, carried)}
                if bias:
                    shapes.update(bias_ih=(rows,), bias_hh=(rows,))
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = {f"{name}_l{layer}{suffix}": shape for name, shape in shapes.items()}
                for name, shape in names.items():
                    setattr(self, name, new_parameter(shape, device, dtype))
                self._all_weights.append(list(names))
        self.reset_parameters()

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name, None) for names in self._all_weights for name in names]

    def __getstate__(self) -> dict[str, Any]:
        # PyTorch's modules keep these lists as attributes: a pickle for it must have them.
        names = self._flat_weights_names
        return {**super().__getstate__(), "_flat_weights_names": names, "_flat_weights": self._flat_weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({key: value for key, value in state.items() if not key.startswith("_flat_weight")})

    def flatten_parameters(self) -> None:
        """Nothing to do: this joins the weights in memory for cuDNN, which is not there."""

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        _draw(self, self.hidden_size)

    def check_input(self, input: Any, batch_sizes: Any) -> None:
        """Raise for an input of the wrong dtype, rank or number of features."""
        weight = self._flat_weights[0]
        if input.dtype != weight.dtype and autocasting.active is None:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        rank = 2 if batch_sizes is not None else 3
        if input.dim() != rank:
            raise RuntimeError(f"input must have {rank} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _expected_size(self, input: Any, batch_sizes: Any, features: int) -> tuple[int, int, int]:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (1 + self.bidirectional), batch, features

    def get_expected_hidden_size(self, input: Any, batch_sizes: Any) -> tuple[int, int, int]:
        """The shape that the hidden state must have for this input."""
        return self._expected_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(
        self, hx: Any, expected_hidden_size: Any, msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """Raise when ``hx`` is not of the expected shape."""
        if tuple(hx.size()) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Any, hidden: Any, batch_sizes: Any) -> None:
        """Raise when input or hidden state do not fit this layer."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        """The states of a batch in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0),
            ("bidirectional", False),
        ):  # fmt: skip
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text

    def _wrong_rank(self, input: Any, states: tuple[Any, ...]) -> RuntimeError:
        form = "batched 3-D" if input.dim() == 3 else "unbatched 2-D"
        names = "hx" if len(states) == 1 else "hx and cx"
        got = ", ".join(f"{each.dim()}-D" for each in states)
        got = f"{got} tensor" if len(states) == 1 else f"({got}) tensors"
        return RuntimeError(f"For {form} input, {names} should also be {form[-3:]} but got {got}")

    def _sizes(self, input: Any, batch_sizes: Any) -> list[Any]:
        return [self.get_expected_hidden_size(input, batch_sizes)]

    def _run(self, input: Any, hx: Any) -> tuple[Any, tuple[Any, ...]]:
        """The layers' output, and the last states: (h,) or (h, c)."""
        batch_sizes = unsorted = None
        original = input
        batched = True
        if isinstance(input, PackedSequence):
            input, batch_sizes, order, unsorted = input
            if hx is not None:
                hx = tuple(self.permute_one(each, order) for each in hx)
        else:
            if input.dim() not in (2, 3):
                raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead")
            batched = input.dim() == 3
            if hx is not None and any(each.dim() != input.dim() for each in hx):
                raise self._wrong_rank(input, hx)
            if not batched:
                input = input.unsqueeze(0 if self.batch_first else 1)
                hx = None if hx is None else tuple(each.unsqueeze(1) for each in hx)
        if hx is None:
            zeros = functions["zeros"]
            hx = tuple(zeros(size, dtype=input.dtype, device=input.device) for size in self._sizes(input, batch_sizes))
        self.check_forward_args(input, hx if len(hx) > 1 else hx[0], batch_sizes)
        operator = functions[self.mode.lower()]
        states = hx if len(hx) > 1 else hx[0]
        options = (self._flat_weights, self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        if batch_sizes is None:
            output, *last = operator(input, states, *options, self.batch_first)
        else:
            output, *last = operator(input, batch_sizes, states, *options)
            output = PackedSequence(output, batch_sizes, original.sorted_indices, unsorted)
            last = [self.permute_one(each, unsorted) for each in last]
        if not batched:
            output = output.squeeze(0 if self.batch_first else 1)
            last = [each.squeeze(1) for each in last]
        return output, tuple(last)

    @staticmethod
    def permute_one(state: Any, permutation: Any) -> Any:
        """One state of a batch in another order."""
        return state if permutation is None else state.index_select(1, permutation)


class RNN(RNNBase):
    """Elman's network: hₜ = tanh(W_ih xₜ + b_ih + W_hh hₜ₋₁ + b_hh), or with ``nonlinearity="relu"``.

    ``RNN(input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True, batch_first=False, dropout=0.0,
    bidirectional=False)``. Takes x (T, B, input_size), (B, T, ·) with ``batch_first``, unbatched (T, ·) or a
    ``PackedSequence``, and h₀ (num_layers·directions, B, hidden_size), zeros if not given. Returns the last layer's hⱼ
    for each step (T, B, directions·hidden_size) and every layer's last state.

    Elman, "Finding structure in time" (1990).

    >>> import flambeau as torch
    >>> output, h = torch.nn.RNN(10, 20, 2)(torch.ones(5, 3, 10))
    >>> output.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_" + self.nonlinearity.upper(), *args, **kwargs)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (hidden,) = self._run(input, None if hx is None else (hx,))
        return output, hidden


class LSTM(RNNBase):
    """Long short-term memory: (i, f, g, o) = (σ, σ, tanh, σ)(W x + b + W' h + b'), c' = f·c + i·g, h' = o·tanh(c').

    ``LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False,
    proj_size=0)``. Input and output as :class:`RNN`'s, with states (h, c); with ``proj_size`` h' = W_hr (o·tanh(c')).

    Hochreiter & Schmidhuber, "Long short-term memory" (1997); Sak et al. (2014) for the projection.

    >>> import flambeau as torch
    >>> output, (h, c) = torch.nn.LSTM(10, 20, 2)(torch.ones(5, 3, 10))
    >>> output.shape, c.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Any, batch_sizes: Any) -> tuple[int, int, int]:
        """The shape that the cell state must have for this input."""
        return self._expected_size(input, batch_sizes, self.hidden_size)

    def _sizes(self, input: Any, batch_sizes: Any) -> list[Any]:
        return [self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)]

    def check_forward_args(self, input: Any, hidden: Any, batch_sizes: Any) -> None:
        """Raise when input, hidden or cell state do not fit this layer."""
        self.check_input(input, batch_sizes)
        for k, size in enumerate(self._sizes(input, batch_sizes)):
            self.check_hidden_size(hidden[k], size, f"Expected hidden[{k}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        """The states of a batch in another order."""
        return tuple(self.permute_one(each, permutation) for each in hx)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Any, Any]]:
        output, (hidden, cell) = self._run(input, None if hx is None else (hx[0], hx[1]))
        return output, (hidden, cell)


class GRU(RNNBase):
    """Gated recurrent units: (r, z) = σ(W x + b + W' h + b'), n = tanh(W x + b + r·(W' h + b')), h' = (1 − z)·n + z·h.

    ``GRU(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False)``.
    Input and output as :class:`RNN`'s.

    Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014).

    >>> import flambeau as torch
    >>> output, h = torch.nn.GRU(10, 20, bidirectional=True)(torch.ones(5, 3, 10))
    >>> output.shape, h.shape
    (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        output, (hidden,) = self._run(input, None if hx is None else (hx,))
        return output, hidden


class RNNCellBase(Module):
    """What the cells have in common: weights ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``."""

    __constants__ = ["input_size", "hidden_size", "bias"]
    weight_ih: Any
    weight_hh: Any
    bias_ih: Any
    bias_hh: Any

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = new_parameter((rows, input_size), device, dtype)
        self.weight_hh = new_parameter((rows, hidden_size), device, dtype)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, new_parameter(rows, device, dtype) if bias else None)
        self.reset_parameters()

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        _draw(self, self.hidden_size)

    def _states(self, input: Any, states: Any, names: tuple[str, ...]) -> tuple[Any, tuple[Any, ...], bool]:
        """Input and states (zeros if None) as batches, and whether they were batches."""
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for which, state in zip(names, states or ()):
            if state.dim() not in (1, 2):
                raise ValueError(f"{name}: Expected {which} to be 1D or 2D, got {state.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if states is None:
            zeros = functions["zeros"](input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)
            return input, (zeros,) * len(names), batched
        return input, tuple(states) if batched else tuple(each.unsqueeze(0) for each in states), batched

    def _weights(self) -> tuple[Any, Any, Any, Any]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh


class RNNCell(RNNCellBase):
    """One step of :class:`RNN`: x (B, input_size) and h (B, hidden_size), or both unbatched, to the next h.

    >>> import flambeau as torch
    >>> torch.nn.RNNCell(10, 20)(torch.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        input, (hidden,), batched = self._states(input, None if hx is None else (hx,), ("hidden",))
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        made = functions[f"rnn_{self.nonlinearity}_cell"](input, hidden, *self._weights())
        return made if batched else made.squeeze(0)


class LSTMCell(RNNCellBase):
    """One step of :class:`LSTM`: x (B, input_size) and (h, c), (B, hidden_size) each, to the next (h, c).

    >>> import flambeau as torch
    >>> h, c = torch.nn.LSTMCell(10, 20)(torch.ones(3, 10))
    >>> h.shape
    torch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        input, states, batched = self._states(input, hx, ("hx[0]", "hx[1]"))
        hidden, cell = functions["lstm_cell"](input, states, *self._weights())
        return (hidden, cell) if batched else (hidden.squeeze(0), cell.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of :class:`GRU`: x (B, input_size) and h (B, hidden_size) to the next h.

    >>> import flambeau as torch
    >>> torch.nn.GRUCell(10, 20)(torch.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        input, (hidden,), batched = self._states(input, None if hx is None else (hx,), ("hidden",))
        made = functions["gru_cell"](input, hidden, *self._weights())
        return made if batched else made.squeeze(0)
