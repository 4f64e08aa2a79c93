"""Attention: masks, dropout, grouped heads and every option of the module, as PyTorch's."""

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity


def random(library, *shape, seed=0):
    return library.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def derivatives(library, call, *shapes):
    """A result, its gradients and the gradients of those."""
    inputs = [random(library, *shape, seed=k) for k, shape in enumerate(shapes)]
    library.manual_seed(0)
    result = call(library, *inputs)
    first = library.autograd.grad((result * result).sum(), inputs, create_graph=True)
    second = library.autograd.grad(sum((each * each).sum() for each in first), inputs)
    return [each.detach().numpy() for each in (result, *first, *second)]


OPTIONS = {
    "plain": {},
    "causal": {"is_causal": True},
    "scaled": {"scale": 0.3},
    "dropped": {"dropout_p": 0.4},
    "causal and dropped": {"is_causal": True, "dropout_p": 0.4},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_attention_and_its_derivatives(name):
    def call(library, q, k, v):
        return library.nn.functional.scaled_dot_product_attention(q, k, v, **OPTIONS[name])

    shapes = (2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)
    for ours, theirs in zip(derivatives(flambeau, call, *shapes), _reference(call, shapes), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def _reference(call, shapes):
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):  # the fused kernel of PyTorch has no second derivative
        return derivatives(torch, call, *shapes)


def test_a_mask_of_numbers_is_differentiated():
    def call(library, q, k, v, mask):
        return library.nn.functional.scaled_dot_product_attention(q, k, v, mask)

    shapes = (2, 3, 4), (1, 5, 4), (2, 5, 6), (3, 5)
    for ours, theirs in zip(derivatives(flambeau, call, *shapes), _reference(call, shapes), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_a_query_that_may_look_nowhere_gets_zero():
    mask = flambeau.tensor([[True, True], [False, False]])
    q = flambeau.ones(1, 2, 3, requires_grad=True)
    result = flambeau.nn.functional.scaled_dot_product_attention(q, q, q, mask)
    assert result[0, 1].tolist() == [0, 0, 0]
    assert not flambeau.autograd.grad(result.sum(), q)[0].isnan().any()


def test_grouped_heads():
    def call(library, q, k, v):
        return library.nn.functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)

    shapes = (2, 6, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)
    for ours, theirs in zip(derivatives(flambeau, call, *shapes), _reference(call, shapes), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scenario", [
    lambda torch, f, q: f(q, q.double(), q),
    lambda torch, f, q: f(q[0, 0, 0], q, q),
    lambda torch, f, q: f(q, q, q, torch.ones(3, 3).int()),
    lambda torch, f, q: f(q, q, q, dropout_p=1.5),
    lambda torch, f, q: f(q, q, q).stride(),
    lambda torch, f, q: f(*[q.transpose(1, 2)] * 3).stride(),
])  # fmt: skip
def test_messages_and_layouts(agree, scenario):
    agree(lambda torch: scenario(torch, torch.nn.functional.scaled_dot_product_attention, torch.ones(2, 2, 3, 4)))


MODULES = {
    "plain": ({}, {}),
    "heads apart": ({}, {"average_attn_weights": False}),
    "without weights": ({"bias": False}, {"need_weights": False}),
    "more keys": ({"add_bias_kv": True, "add_zero_attn": True}, {}),
    "other sizes": ({"kdim": 4, "vdim": 4, "batch_first": True}, {"need_weights": False}),
    "dropout": ({"dropout": 0.4}, {}),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_module_starts_and_computes_as_pytorchs(name):
    made, called = MODULES[name]

    def run(library):
        library.manual_seed(0)
        module = library.nn.MultiheadAttention(4, 2, **made)
        x = random(library, 3, 3, 4).float()
        padding = library.tensor([[False, False, True]] * 3)
        mask = library.ones(3, 3).triu(1).bool()
        output, weights = module(x, x, x, key_padding_mask=padding, attn_mask=mask, **called)
        output.sum().backward()
        found = [output] if weights is None else [output, weights]
        return [repr(module), *module.state_dict()], [each.detach().numpy() for each in found] + [
            each.grad.numpy() for each in module.parameters()
        ]

    (texts, ours), (expected, theirs) = run(flambeau), run(torch)
    assert texts == expected
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_choosing_a_kernel():
    from flambeau.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel([SDPBackend.MATH]):
        result = flambeau.nn.functional.scaled_dot_product_attention(*[flambeau.ones(1, 1)] * 3)
    assert result.item() == 1
    with pytest.raises(AssertionError):
        sdpa_kernel("math")
