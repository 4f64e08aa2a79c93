"""Autocast regions compute in the dtypes that PyTorch's compute in."""

import warnings

import numpy as np
import pytest

import flambeau
from flambeau.amp import autocast, autocast_mode, custom_bwd, custom_fwd

torch = pytest.importorskip("torch")

OPERATORS = {
    "matmul": lambda t, x: x @ x,
    "mm": lambda t, x: t.mm(x, x),
    "bmm": lambda t, x: t.bmm(x[None], x[None]),
    "addmm": lambda t, x: t.addmm(x, x, x),
    "baddbmm": lambda t, x: t.baddbmm(x[None], x[None], x[None]),
    "addbmm": lambda t, x: t.addbmm(x, x[None], x[None]),
    "einsum": lambda t, x: t.einsum("ij,jk", x, x),
    "tensordot": lambda t, x: t.tensordot(x, x, 1),
    "linear": lambda t, x: t.nn.functional.linear(x, x),
    "conv1d": lambda t, x: t.nn.functional.conv1d(x[None], x[:, :, None]),
    "conv2d": lambda t, x: t.nn.functional.conv2d(x[None, None], x[None, None, :2, :2]),
    "attention": lambda t, x: t.nn.functional.scaled_dot_product_attention(x[None], x[None], x[None]),
    "mv": lambda t, x: t.mv(x, x[0]),
    "dot": lambda t, x: t.dot(x[0], x[0]),
    "outer": lambda t, x: t.outer(x[0], x[0]),
    "addmv": lambda t, x: t.addmv(x[0], x, x[0]),
    "add": lambda t, x: x + x,
    "mixed add": lambda t, x: x @ x + x,
    "exp": lambda t, x: (x @ x).exp(),
    "sum": lambda t, x: (x @ x).sum(),
    "softmax": lambda t, x: t.softmax(x @ x, -1),
    "prod": lambda t, x: (x @ x).prod(),
    "quantile": lambda t, x: (x @ x).quantile(0.5),
    "trace": lambda t, x: (x @ x).trace(),
    "cat": lambda t, x: t.cat([x @ x, x]),
    "cat of lower": lambda t, x: t.cat([x @ x, x @ x]),
    "stack": lambda t, x: t.stack([x, x @ x]),
    "double": lambda t, x: x.double() @ x.double(),
    "integers": lambda t, x: x.int() @ x.int(),
    "mse": lambda t, x: t.nn.functional.mse_loss(x @ x, x @ x),
    "cross entropy": lambda t, x: t.nn.functional.cross_entropy(x @ x, t.tensor([0, 1, 2])),
    "layer norm": lambda t, x: t.nn.functional.layer_norm(x @ x, (3,)),
}


def available(function):
    """Whether the operators in ``function`` are there yet."""
    try:
        function(flambeau, flambeau.ones(3, 3))
    except AttributeError:
        return False
    return True


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", OPERATORS)
def test_dtypes(name, dtype):
    function = OPERATORS[name]
    if not available(function):
        pytest.skip("the operator is not there yet")
    values = np.random.default_rng(0).standard_normal((3, 3)).astype("float32")
    results = []
    for library in (torch, flambeau):
        with library.amp.autocast("cpu", dtype=getattr(library, dtype)):
            results.append(function(library, library.tensor(values)))
    assert str(results[1].dtype).split(".")[1] == str(results[0].dtype).split(".")[1]
    np.testing.assert_allclose(
        results[1].to(flambeau.float64).numpy(), results[0].to(torch.float64).numpy(), rtol=2e-2, atol=5e-2
    )


def test_regions_nest_and_end():
    x = flambeau.ones(2, 2)
    with autocast("cpu"):
        assert (x @ x).dtype == flambeau.bfloat16
        with autocast("cpu", enabled=False):
            assert (x @ x).dtype == flambeau.float32
            assert not autocast_mode.is_autocast_enabled("cpu")
        with autocast("cpu", dtype=flambeau.float16):
            assert (x @ x).dtype == flambeau.float16
        assert autocast_mode.get_autocast_dtype("cpu") == flambeau.bfloat16
        with pytest.raises(KeyError), autocast("cpu", dtype=flambeau.float16):
            raise KeyError
        assert (x @ x).dtype == flambeau.bfloat16
    assert (x @ x).dtype == flambeau.float32


def test_as_a_decorator():
    @autocast("cpu")
    def product(x):
        return x @ x

    assert product(flambeau.ones(2, 2)).dtype == flambeau.bfloat16
    assert product.__name__ == "product"


def test_regions_belong_to_their_thread():
    from threading import Thread

    found = []
    with autocast("cpu"):
        thread = Thread(target=lambda: found.append((flambeau.ones(2, 2) @ flambeau.ones(2, 2)).dtype))
        thread.start()
        thread.join()
    assert found == [flambeau.float32]


def test_gradients_are_float32():
    weight = flambeau.ones(2, 2, requires_grad=True)
    with autocast("cpu"):
        loss = (weight @ weight).to(flambeau.float32).sum()
    loss.backward()
    assert weight.grad.dtype == flambeau.float32
    assert weight.grad.tolist() == [[4, 4], [4, 4]]


@pytest.mark.parity
def test_what_cannot_be_is_said():
    cases = [
        lambda t: t.amp.autocast("cuda"),
        lambda t: t.amp.autocast("x"),
        lambda t: t.amp.autocast(3),
        lambda t: t.amp.autocast("cpu", dtype=t.float64),
        lambda t: t.amp.is_autocast_available("x"),
        lambda t: t.amp.custom_fwd(print, device_type=3),
    ]
    for case in cases:
        outcomes = []
        for library in (torch, flambeau):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    region = case(library)
                    outcome = region._enabled
                except Exception as error:
                    outcome = (type(error), str(error))
            outcomes.append((outcome, [(entry.category, str(entry.message)) for entry in caught]))
        assert outcomes[1] == outcomes[0]
    for device in ("cpu", "cuda", "mps", "meta"):
        assert flambeau.amp.is_autocast_available(device) == torch.amp.is_autocast_available(device)


def test_custom_functions_keep_their_state():
    seen = {}

    class Product(flambeau.autograd.Function):
        @staticmethod
        @custom_fwd(device_type="cpu")
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x @ x

        @staticmethod
        @custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            seen["backward"] = autocast_mode.is_autocast_enabled("cpu")
            return grad.to(x.dtype)

    class Exact(flambeau.autograd.Function):
        @staticmethod
        @custom_fwd(device_type="cpu", cast_inputs=flambeau.float16)
        def forward(ctx, x):
            seen["cast"] = (x.dtype, autocast_mode.is_autocast_enabled("cpu"))
            return x.to(flambeau.float32)

        @staticmethod
        @custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            return grad

    x = flambeau.ones(2, 2, requires_grad=True)
    with autocast("cpu"):
        y = Product.apply(x)
        Exact.apply(x)
    y.sum().backward()
    assert y.dtype == flambeau.bfloat16
    assert seen == {"backward": True, "cast": (flambeau.float16, False)}
    Exact.apply(x)
    assert seen["cast"] == (flambeau.float32, False)
