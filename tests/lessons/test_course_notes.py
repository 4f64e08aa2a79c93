"""The code in the notes of the usual PyTorch course works as it is written there, line by line."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn as nn
from flambeau.utils.data import DataLoader, TensorDataset


@pytest.fixture(autouse=True)
def same_random_numbers() -> None:
    torch.manual_seed(0)


def test_tensors_are_created_and_viewed() -> None:
    x = torch.empty(2, 2, 3)
    assert x.size() == (2, 2, 3) and x.dtype == torch.float32
    assert torch.empty(1).shape == (1,) and torch.empty(2, 2, 2, 3).dim() == 4
    x = torch.rand(5, 3)
    assert x.size() == torch.Size([5, 3]) and 0 <= x[1, 1].item() < 1 and x[:, 0].shape == (5,)
    assert torch.tensor([2.5, 0.1]).tolist() == [2.5, pytest.approx(0.1)]
    x = torch.randn(4, 4)
    assert x.view(16).shape == (16,)
    y = x.view(-1, 16)
    assert y.size() == (1, 16) and y.data_ptr() == x.data_ptr()
    assert x.view(-1, 8).size() == (2, 8)


def test_half_and_double_are_added() -> None:
    x = torch.ones(2, 2, dtype=torch.float16)
    y = torch.rand(2, 2, dtype=torch.double)
    z = x + y
    assert z.dtype == torch.float64
    assert torch.equal(z, torch.add(x, y)) and torch.equal(z - 1, y + 1 - 1)
    y.add_(x)
    assert torch.equal(y, z)


def test_numpy_shares_memory() -> None:
    a = torch.ones(5)
    b = a.numpy()
    a.add_(1)
    assert isinstance(b, np.ndarray) and b.tolist() == [2] * 5
    a = np.ones(5)
    b = torch.from_numpy(a)
    a += 1
    assert b.dtype == torch.float64 and b.tolist() == [2] * 5
    b -= 2
    assert a.tolist() == [0] * 5


def test_mean_of_four_b_squared() -> None:
    a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    b = a + 2
    c = b * b * 4
    c = c.mean()
    c.backward()
    assert c.item() == pytest.approx(4 * (9 + 16 + 25) / 3)
    np.testing.assert_allclose(a.grad, [8 * 3 / 3, 8 * 4 / 3, 8 * 5 / 3], rtol=1e-6)


def test_vector_jacobian_product() -> None:
    x = torch.randn(3, requires_grad=True)
    y = x * 2
    for _ in range(10):
        y = y * 2
    v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float32)
    y.backward(v)
    np.testing.assert_allclose(x.grad, 2048 * v.numpy(), rtol=1e-6)


def test_history_is_stopped() -> None:
    a = torch.randn(2, 2, requires_grad=True)
    assert (a * a).grad_fn is not None
    with torch.no_grad():
        assert (a * a).grad_fn is None and not (a**2).requires_grad
    assert not a.detach().requires_grad and a.requires_grad
    a.requires_grad_(False)
    assert not (a * 3).requires_grad


def test_gradients_accumulate_until_zeroed() -> None:
    weights = torch.ones(4, requires_grad=True)
    seen = []
    for _ in range(3):
        model_output = (weights * 3).sum()
        model_output.backward()
        seen.append(weights.grad.tolist())
        with torch.no_grad():
            weights -= 0.1 * weights.grad
        weights.grad.zero_()
    assert seen == [[3.0] * 4] * 3
    np.testing.assert_allclose(weights.detach(), [0.1] * 4, atol=1e-6)


def test_one_weight_by_hand() -> None:
    x = torch.tensor(1.0)
    y = torch.tensor(2.0)
    w = torch.tensor(1.0, requires_grad=True)
    y_predicted = w * x
    loss = (y_predicted - y) ** 2
    assert loss.item() == 1
    loss.backward()
    assert w.grad.item() == -2
    with torch.no_grad():
        w -= 0.01 * w.grad
    w.grad.zero_()
    assert w.item() == pytest.approx(1.02) and w.grad.item() == 0


def test_loop_with_gradients_only() -> None:
    X = torch.tensor([1, 2, 3, 4], dtype=torch.float32)
    Y = torch.tensor([2, 4, 6, 8], dtype=torch.float32)
    w = torch.tensor(0.0, dtype=torch.float32, requires_grad=True)

    def forward(x):
        return w * x

    def loss(y, y_pred):
        return ((y_pred - y) ** 2).mean()

    lr = 0.01
    for _ in range(100):
        y_pred = forward(X)
        l = loss(Y, y_pred)
        l.backward()
        with torch.no_grad():
            w -= lr * w.grad
        w.grad.zero_()
    assert f"{forward(5).item():.3f}" == "10.000"


def test_loop_with_loss_and_optimizer() -> None:
    X = torch.tensor([1, 2, 3, 4], dtype=torch.float32)
    Y = torch.tensor([2, 4, 6, 8], dtype=torch.float32)
    w = torch.tensor(0.0, requires_grad=True)
    loss = nn.MSELoss()
    optimizer = torch.optim.SGD([w], lr=0.01)
    for _ in range(100):
        l = loss(Y, w * X)
        l.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert w.item() == pytest.approx(2, abs=1e-5)


def test_loop_with_a_model_class() -> None:
    X = torch.tensor([[1], [2], [3], [4]], dtype=torch.float32)
    Y = torch.tensor([[2], [4], [6], [8]], dtype=torch.float32)
    X_test = torch.tensor([5], dtype=torch.float32)
    _, n_features = X.shape

    class LinearRegression(nn.Module):
        def __init__(self, input_dim, output_dim):
            super().__init__()
            self.lin = nn.Linear(input_dim, output_dim)

        def forward(self, x):
            return self.lin(x)

    for model in (nn.Linear(n_features, n_features), LinearRegression(n_features, n_features)):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        loss = nn.MSELoss()
        for _ in range(600):
            l = loss(Y, model(X))
            l.backward()
            optimizer.step()
            optimizer.zero_grad()
        [w, b] = model.parameters()
        assert w[0][0].item() == pytest.approx(2, abs=0.01) and b.item() == pytest.approx(0, abs=0.03)
        assert model(X_test).item() == pytest.approx(10, abs=0.02)


def test_dataset_is_sliced_and_fitted() -> None:
    generator = np.random.default_rng(0)
    inputs = torch.from_numpy(generator.normal(size=(15, 3)).astype("float32"))
    targets = inputs @ torch.tensor([[1.0, 0.5], [-2.0, 1.0], [0.25, 3.0]]) + torch.tensor([0.5, -1.0])
    train_ds = TensorDataset(inputs, targets)
    first, second = train_ds[0:3]
    assert first.shape == (3, 3) and torch.equal(second, targets[:3])
    assert torch.equal(train_ds[[1, 3, 5]][0], inputs[[1, 3, 5]])
    train_dl = DataLoader(train_ds, batch_size=5, shuffle=True)
    assert [len(xb) for xb, yb in train_dl] == [5, 5, 5]
    model = nn.Linear(3, 2)
    loss_fn = nn.functional.mse_loss
    opt = torch.optim.SGD(model.parameters(), lr=0.1)

    def fit(num_epochs, model, loss_fn, opt, train_dl):
        for _ in range(num_epochs):
            for xb, yb in train_dl:
                pred = model(xb)
                loss = loss_fn(pred, yb)
                loss.backward()
                opt.step()
                opt.zero_grad()

    before = loss_fn(model(inputs), targets).item()
    fit(60, model, loss_fn, opt, train_dl)
    assert loss_fn(model(inputs), targets).item() < 0.01 * before


def test_evaluation_without_history() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    x = torch.ones(2, 3)
    model.eval()
    with torch.inference_mode():
        predicted = model(x)
        assert torch.equal(predicted, model(x))
    assert predicted.is_inference() and not predicted.requires_grad and predicted.grad_fn is None
    assert not model.training
