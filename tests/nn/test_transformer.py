"""Transformers: the same start, numbers, gradients, warnings and messages as PyTorch's."""

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore::UserWarning")]


def trained(library, **options):
    """Output and gradients of a small transformer with causal and padding masks."""
    library.manual_seed(0)
    model = library.nn.Transformer(8, 2, 1, 2, 16, batch_first=True, **options)
    rng = np.random.default_rng(0)
    src, tgt = (library.tensor(rng.standard_normal((3, length, 8)).astype("float32")) for length in (5, 4))
    padding = library.tensor([[False] * 5, [False] * 4 + [True], [False] * 5])
    mask = library.nn.Transformer.generate_square_subsequent_mask(4)
    output = model(
        src, tgt, tgt_mask=mask, tgt_is_causal=True, src_key_padding_mask=padding, memory_key_padding_mask=padding
    )
    (output * output).sum().backward()
    return repr(model), [output.detach().numpy(), *(each.grad.numpy() for each in model.parameters())]


@pytest.mark.parametrize("options", [{"dropout": 0.0, "norm_first": True, "activation": "gelu"}, {"dropout": 0.3}])
def test_a_transformer_with_masks(options):
    (text, ours), (expected, theirs) = trained(flambeau, **options), trained(torch, **options)
    assert text == expected
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=1e-4)


def test_padding_is_zero_in_inference_as_in_pytorch():
    def run(library):
        library.manual_seed(0)
        layer = library.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        model = library.nn.TransformerEncoder(layer, 2).eval()
        x = library.arange(24.0).reshape(2, 3, 4).sin()
        with library.no_grad():
            at_the_end = model(x, src_key_padding_mask=library.tensor([[False, False, True], [False, True, True]]))
            within = model(x, src_key_padding_mask=library.tensor([[False, True, False], [False, False, False]]))
        return at_the_end.numpy(), within.numpy()

    for one, other in zip(run(flambeau), run(torch)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "scenario",
    [
        lambda nn, torch: nn.TransformerEncoderLayer(8, 2, activation="sin"),
        lambda nn, torch: nn.TransformerEncoderLayer(8, 2, activation=nn.GELU()),
        lambda nn, torch: nn.TransformerDecoderLayer(8, 2, bias=False),
        lambda nn, torch: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 4), 2),
        lambda nn, torch: nn.TransformerEncoder(nn.TransformerEncoderLayer(9, 3, 4, batch_first=True), 1),
        lambda nn, torch: nn.Transformer(4, 2, 1, 1, 4)(torch.ones(3, 2, 4), torch.ones(3, 1, 4)),
        lambda nn, torch: nn.Transformer(4, 2, 1, 1, 4)(torch.ones(3, 2, 3), torch.ones(3, 2, 3)),
        lambda nn, torch: nn.Transformer.generate_square_subsequent_mask(3),
        lambda nn, torch: nn.MultiheadAttention(8, 3),
        lambda nn, torch: nn.MultiheadAttention(8, 0),
    ],
)
def test_printed_forms_warnings_and_messages(agree, scenario):
    agree(lambda torch: scenario(torch.nn, torch))
