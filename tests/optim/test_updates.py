"""Every optimizer follows PyTorch's for all of its options."""

import numpy as np
import pytest

import flambeau
from flambeau import optim

torch = pytest.importorskip("torch")
common_optimizers = pytest.importorskip("torch.testing._internal.common_optimizers")

pytestmark = pytest.mark.parity

DENSE = [info for info in common_optimizers.optim_db if info.name not in ("SparseAdam", "LBFGS")]
SHAPES = [(4, 3), (2, 5)]
EXTRA = {
    "SGD": [{"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "maximize": True}],
    "Adam": [
        {"lr": torch.tensor(0.01), "fused": True},
        {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True, "maximize": True, "foreach": True},
        {"lr": 0.01, "betas": (torch.tensor(0.8), torch.tensor(0.99))},
        {"lr": torch.tensor([0.01], dtype=torch.float64), "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "RMSprop": [{"lr": torch.tensor(0.01), "momentum": 0.9, "centered": True}],
    "Adadelta": [{"lr": torch.tensor(0.5)}],
    "Adamax": [{"lr": torch.tensor(0.01)}],
    "NAdam": [{"lr": torch.tensor(0.01), "weight_decay": 0.1}],
    "RAdam": [{"lr": torch.tensor(0.01), "weight_decay": 0.1, "decoupled_weight_decay": True}],
    "ASGD": [{"lr": 0.1, "t0": 3, "lambd": 0.2, "alpha": 0.6}],
    "Rprop": [{"lr": 0.3, "step_sizes": (0.2, 0.35)}],
    "Adafactor": [{"lr": 0.5, "eps": (1e-3, 0.1), "weight_decay": 0.2}, {"lr": torch.tensor(0.03)}],
    "Muon": [{"nesterov": False}, {"adjust_lr_fn": "match_rms_adamw", "ns_steps": 3}],
}
CASES = [
    pytest.param(info.name, kwargs, id=f"{info.name}-{index}")
    for info in DENSE
    for index, kwargs in enumerate(
        [entry.kwargs for entry in info.optim_inputs_func(device="cpu")] + EXTRA.get(info.name, [])
    )
]


def ours(array):
    return flambeau.tensor(np.array(array))


def translated(value):
    """An option, with torch's tensors turned into flambeau's."""
    if isinstance(value, torch.Tensor):
        return ours(value.numpy())
    if isinstance(value, tuple):
        return tuple(map(translated, value))
    return value


def start(name, kwargs, arrays):
    """The same parameters and optimizer twice: PyTorch's and ours."""
    theirs_params = [torch.nn.Parameter(torch.tensor(array)) for array in arrays]
    ours_params = [ours(array).requires_grad_() for array in arrays]
    theirs = getattr(torch.optim, name)(theirs_params, **kwargs)
    mine = getattr(optim, name)(ours_params, **{key: translated(value) for key, value in kwargs.items()})
    return theirs, theirs_params, mine, ours_params


def run(name, kwargs, arrays, steps, seed=1):
    random = np.random.default_rng(seed)
    theirs, theirs_params, mine, ours_params = start(name, kwargs, arrays)
    for step in range(steps):
        for index, (their, own) in enumerate(zip(theirs_params, ours_params)):
            gradient = random.standard_normal(their.shape)
            if np.iscomplexobj(arrays[index]):
                gradient = gradient + 1j * random.standard_normal(their.shape)
            gradient = np.asarray(gradient).astype(arrays[index].dtype)
            skip = index == 1 and step % 3 == 1  # a parameter without a gradient is left alone
            their.grad = None if skip else torch.tensor(gradient)
            own.grad = None if skip else ours(gradient)
        theirs.step()
        mine.step()
    return theirs, theirs_params, mine, ours_params


def assert_same(theirs_params, ours_params, tolerance):
    for their, own in zip(theirs_params, ours_params):
        assert own.dtype == getattr(flambeau, str(their.dtype).split(".")[1])
        np.testing.assert_allclose(own.detach().numpy(), their.detach().numpy(), rtol=tolerance, atol=tolerance)


def assert_same_state(theirs, theirs_params, mine, ours_params, tolerance):
    for their, own in zip(theirs_params, ours_params):
        expected, actual = theirs.state[their], mine.state[own]
        assert list(actual) == list(expected)
        for key, value in expected.items():
            assert actual[key].dtype == getattr(flambeau, str(value.dtype).split(".")[1]), key
            assert actual[key].shape == value.shape
            np.testing.assert_allclose(
                actual[key].detach().numpy(), value.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=key
            )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_twelve_steps(name, kwargs, dtype):
    arrays = [np.random.default_rng(0).standard_normal(shape).astype(dtype) for shape in SHAPES]
    result = run(name, kwargs, arrays, 12)
    tolerance = 2e-2 if name == "Muon" else 2e-6 if dtype == "float32" else 1e-7
    assert_same(result[1], result[3], tolerance)
    assert_same_state(*result, tolerance)


@pytest.mark.parametrize("info", DENSE, ids=lambda info: info.name)
def test_a_hundred_steps_agree_to_a_millionth(info):
    arrays = [np.random.default_rng(0).standard_normal(shape).astype("float32") for shape in SHAPES]
    _, theirs_params, _, ours_params = run(info.name, {}, arrays, 100)
    assert_same(theirs_params, ours_params, 2e-2 if info.name == "Muon" else 1e-6)


@pytest.mark.parametrize(
    "info", [info for info in DENSE if info.name not in ("Muon",)], ids=lambda info: info.name
)
def test_vectors_and_scalars(info):
    arrays = [np.array([1.0, -2.0, 3.0], dtype="float32"), np.array(0.5, dtype="float32")]
    result = run(info.name, {}, arrays, 6)
    assert_same(result[1], result[3], 1e-6)
    assert_same_state(*result, 1e-6)


@pytest.mark.parametrize("info", [info for info in DENSE if info.supports_complex], ids=lambda info: info.name)
def test_complex_parameters(info):
    random = np.random.default_rng(0)
    arrays = [(random.standard_normal(3) + 1j * random.standard_normal(3)).astype("complex64")] * 2
    kwargs = {"amsgrad": True} if "Adam" in info.name[:4] and info.name in ("Adam", "AdamW") else {}
    if info.name == "RMSprop":
        kwargs = {"momentum": 0.5, "centered": True}
    result = run(info.name, kwargs, arrays, 5)
    assert_same(result[1], result[3], 1e-6)
    assert_same_state(*result, 1e-6)


@pytest.mark.parametrize("kwargs", [{}, {"line_search_fn": "strong_wolfe"}, {"lr": 0.3, "history_size": 3}], ids=str)
def test_lbfgs_minimises_as_pytorch_does(kwargs):
    start_at = np.array([-1.2, 1.0, 0.5, 2.0])

    def rosenbrock(point):
        return (100 * (point[1:] - point[:-1] ** 2) ** 2 + (1 - point[:-1]) ** 2).sum()

    results = []
    for library, optimizers in ((torch, torch.optim), (flambeau, optim)):
        point = library.tensor(start_at, requires_grad=True)
        optimizer = optimizers.LBFGS([point], max_iter=8, **kwargs)

        def closure(optimizer=optimizer, point=point):
            optimizer.zero_grad()
            loss = rosenbrock(point)
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(4)]
        state = optimizer.state[point]
        results.append((losses, point.detach().numpy(), state["func_evals"], state["n_iter"], list(state)))
    (their_losses, their_point, *their_rest), (losses, point, *rest) = results
    np.testing.assert_allclose(losses, their_losses, rtol=1e-6)
    np.testing.assert_allclose(point, their_point, rtol=1e-6)
    assert rest[:2] == their_rest[:2]
    assert sorted(rest[2]) == sorted(their_rest[2])


@pytest.mark.parametrize("info", DENSE, ids=lambda info: info.name)
def test_differentiable_gives_gradients_of_the_step(info):
    if "differentiable" not in optim.__dict__[info.name]([flambeau.zeros(2, 2, requires_grad=True)]).defaults:
        pytest.skip(f"{info.name} has no such option")
    results = []
    for library, optimizers in ((torch, torch.optim), (flambeau, optim)):
        leaf = library.tensor([0.5, -1.5], dtype=library.float64, requires_grad=True)
        gradient = library.tensor([0.3, 0.7], dtype=library.float64, requires_grad=True)
        parameter = leaf.clone()
        optimizer = getattr(optimizers, info.name)([parameter], lr=0.1, differentiable=True)
        parameter.grad = gradient
        optimizer.step()
        parameter.square().sum().backward()
        results.append((leaf.grad.numpy(), gradient.grad.numpy()))
    # PyTorch corrects the bias of Adam in float32 when differentiable.
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("name", "kwargs"), [("SparseAdam", {}), ("SparseAdam", {"maximize": True}), ("Adagrad", {})])
def test_sparse_gradients(name, kwargs):
    if not hasattr(flambeau, "sparse_coo_tensor"):
        pytest.skip("sparse tensors are not there yet")
    random = np.random.default_rng(2)
    start_at = random.standard_normal((5, 3)).astype("float32")
    theirs, (their,), mine, (own,) = start(name, {"lr": 0.1, **kwargs}, [start_at])
    for _ in range(5):
        rows, values = random.integers(0, 5, 4), random.standard_normal((4, 3)).astype("float32")
        their.grad = torch.sparse_coo_tensor(rows[None], torch.tensor(values), (5, 3))
        own.grad = flambeau.sparse_coo_tensor(ours(rows[None]), ours(values), (5, 3))
        theirs.step()
        mine.step()
    assert_same([their], [own], 1e-6)


def test_sparse_adam_refuses_dense_gradients():
    parameter = flambeau.ones(2, requires_grad=True)
    parameter.grad = flambeau.ones(2)
    with pytest.raises(RuntimeError, match="does not support dense gradients"):
        optim.SparseAdam([parameter]).step()
