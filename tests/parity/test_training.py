"""A whole training run beside PyTorch's: same seed, same script, same loss curve."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("torch")
datasets = pytest.importorskip("sklearn.datasets")


def losses(torch: ModuleType, epochs: int, size: int) -> list[float]:
    """The loss of every batch of a small CNN on scikit-learn's digits."""
    functional = importlib.import_module(f"{torch.__name__}.nn.functional")
    data = importlib.import_module(f"{torch.__name__}.utils.data")
    nn = torch.nn

    class Net(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(1, 8, 3, padding=1)
            self.second = nn.Conv2d(8, 16, 3, padding=1)
            self.norm = nn.BatchNorm2d(16)
            self.drop = nn.Dropout(0.25)
            self.head = nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            x = functional.max_pool2d(functional.relu(self.first(x)), 2)
            x = functional.max_pool2d(functional.relu(self.norm(self.second(x))), 2)
            return self.head(self.drop(x.flatten(1)))

    torch.manual_seed(7)
    digits = datasets.load_digits()
    images = torch.tensor(digits.images[:size] / 16.0, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target[:size])
    loader = data.DataLoader(data.TensorDataset(images, labels), batch_size=32, shuffle=True)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_function = nn.CrossEntropyLoss()
    found = []
    for _ in range(epochs):
        for x, y in loader:
            loss = loss_function(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found


def test_loss_curve_follows_pytorch() -> None:
    """Init, shuffling, dropout masks, convolution, batch norm and Adam: five epochs within a thousandth."""
    mine = losses(importlib.import_module("flambeau"), epochs=5, size=512)
    theirs = losses(importlib.import_module("torch"), epochs=5, size=512)
    assert len(mine) == len(theirs) == 80
    worst = max(abs(a - b) / abs(b) for a, b in zip(mine, theirs))
    assert worst < 1e-3, worst
    assert theirs[-1] < 0.7 * theirs[0]
