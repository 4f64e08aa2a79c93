"""Recurrent layers and cells: numbers, gradients, packed sequences and messages as PyTorch's."""

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

#: How to make each layer.
LAYERS = {
    "RNN": lambda nn: nn.RNN(3, 4, 2),
    "RNN with relu": lambda nn: nn.RNN(3, 4, 1, "relu", batch_first=True, bidirectional=True),
    "LSTM": lambda nn: nn.LSTM(3, 4),
    "LSTM without bias": lambda nn: nn.LSTM(3, 4, 2, bias=False, bidirectional=True),
    "LSTM with projection": lambda nn: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True, proj_size=2),
    "GRU": lambda nn: nn.GRU(3, 4, 2, bidirectional=True),
    "GRU without bias": lambda nn: nn.GRU(3, 4, bias=False),
}


def flat(made):
    """The tensors in a nest of tuples."""
    if isinstance(made, tuple):
        return [each for part in made if part is not None for each in flat(part)]
    return [made]


def gradients(library, make, call, second):
    """Outputs, gradients and second gradients of ``call(module, library)`` in double precision."""
    library.manual_seed(0)
    module = make(library.nn).double()
    outputs = [each for each in flat(call(module, library)) if each.dtype.is_floating_point]
    parameters = list(module.parameters())
    loss = sum((each * each).sum() for each in outputs)
    first = library.autograd.grad(loss, parameters, create_graph=second)
    made = [*outputs, *first]
    if second:
        made += library.autograd.grad(sum((each * each).sum() for each in first), parameters)
    return [each.detach().numpy() for each in made]


def same(make, call, second=False):
    for ours, theirs in zip(gradients(flambeau, make, call, second), gradients(torch, make, call, second), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def sequence(library, *shape):
    return library.tensor(np.random.default_rng(1).standard_normal(shape))


@pytest.mark.parametrize("name", LAYERS)
def test_layers_and_their_derivatives(name):
    same(LAYERS[name], lambda module, library: module(sequence(library, 5, 2, 3)), second=True)


@pytest.mark.parametrize("name", LAYERS)
def test_packed_sequences_in_any_order(name):
    def call(module, library):
        rnn = library.nn.utils.rnn
        parts = [sequence(library, length, 3) for length in (2, 5, 1, 5)]
        output, states = module(rnn.pack_sequence(parts, enforce_sorted=False))
        return rnn.pad_packed_sequence(output)[0], states

    same(LAYERS[name], call, second=name.startswith("LSTM with p"))


@pytest.mark.parametrize("name", LAYERS)
def test_unbatched_input(name):
    same(LAYERS[name], lambda module, library: module(sequence(library, 5, 3)))


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells_step_by_step(kind):
    def call(cell, library):
        states = None
        for step in sequence(library, 4, 2, 3):
            states = cell(step, states)
        return states

    same(lambda nn: getattr(nn, kind)(3, 4), call, second=True)


def test_dropout_between_layers_draws_as_pytorch():
    def run(library):
        library.manual_seed(3)
        module = library.nn.GRU(3, 4, 3, dropout=0.5)
        return module(library.ones(4, 2, 3))[0].detach().numpy()

    np.testing.assert_allclose(run(flambeau), run(torch), rtol=1e-5, atol=1e-6)


def test_a_layer_is_one_node_however_long_the_sequence():
    output, _ = flambeau.nn.LSTM(3, 4)(flambeau.ones(50, 2, 3))
    (node, _), *rest = output.grad_fn.next_functions
    assert node is None and all(kind is None or "Lstm" not in kind.name() for kind, _ in rest)


def test_zero_steps_and_zero_sequences(agree):
    agree(lambda library: library.nn.LSTM(3, 4)(library.ones(5, 0, 3))[0].shape)
    agree(lambda library: library.nn.LSTM(3, 4)(library.ones(0, 2, 3)))


@pytest.mark.parametrize(
    "scenario",
    [
        lambda torch: torch.nn.RNN(3, 4, nonlinearity="sin"),
        lambda torch: torch.nn.GRU(3, 4, proj_size=2),
        lambda torch: torch.nn.LSTM(3, 4, proj_size=4),
        lambda torch: torch.nn.LSTM(3, 4.0),
        lambda torch: torch.nn.LSTM(3, 4, dropout=2),
        lambda torch: torch.nn.LSTM(3, 4, dropout=0.5),
        lambda torch: torch.nn.LSTM(3, 4)(torch.ones(3)),
        lambda torch: torch.nn.LSTM(3, 4)(torch.ones(3, 2, 2)),
        lambda torch: torch.nn.LSTM(3, 4)(torch.ones(3, 2, 3).double()),
        lambda torch: torch.nn.LSTM(3, 4)(torch.ones(3, 2, 3), (torch.ones(1, 2, 4), torch.ones(1, 1, 4))),
        lambda torch: torch.nn.GRU(3, 4)(torch.ones(3, 2, 3), torch.ones(2, 4)),
        lambda torch: torch.nn.GRU(3, 4)(torch.ones(3, 3), torch.ones(1, 2, 4)),
        lambda torch: torch.nn.RNNCell(3, 4)(torch.ones(2, 2)),
        lambda torch: torch.nn.LSTMCell(3, 4)(torch.ones(2, 2, 2)),
        lambda torch: torch.nn.GRUCell(3, 4)(torch.ones(2, 3), torch.ones(1, 4)),
        lambda torch: torch.nn.RNNCell(3, 4, nonlinearity="sin")(torch.ones(2, 3)),
        lambda torch: torch.nn.LSTM(
            3, 4, 2, bias=False, batch_first=True, dropout=0.1, bidirectional=True, proj_size=2
        ),
        lambda torch: torch.nn.LSTM(3, 4, proj_size=2)._all_weights,
        lambda torch: torch.nn.RNNBase("LSTM", 3, 4),
    ],
)
def test_printed_forms_and_messages(agree, scenario):
    agree(scenario)
