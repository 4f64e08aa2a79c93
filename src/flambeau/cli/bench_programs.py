"""The programs that ``flambeau bench`` times. Each takes a library with PyTorch's interface and gives its step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Step = Callable[[], Any]


def call(torch: Any) -> Step:
    """a + b for two vectors of four numbers: what a call costs"""
    a, b = torch.ones(4), torch.ones(4)
    return lambda: (a + b).tolist()


def elementwise(torch: Any) -> Step:
    """a chain of ten elementwise operators on a million numbers"""
    x, y = torch.linspace(-2, 2, 1_000_000), torch.linspace(1, 3, 1_000_000)
    return lambda: ((torch.exp(-x * x) * y + torch.tanh(x) / y - torch.sigmoid(x * y)).abs() * 0.5).sum().item()


def softmax(torch: Any) -> Step:
    """softmax of 1000 rows of 1000 numbers"""
    x = torch.linspace(-3, 3, 1_000_000).view(1000, 1000)
    return lambda: torch.softmax(x, 1).sum().item()


def matmul(torch: Any) -> Step:
    """the product of two 1024×1024 matrices"""
    a, b = torch.linspace(0, 1, 1 << 20).view(1024, 1024), torch.linspace(1, 0, 1 << 20).view(1024, 1024)
    return lambda: (a @ b).sum().item()


def _training(torch: Any, model: Any, x: Any, classes: int, optimizer: Any) -> Step:
    y = torch.arange(len(x)) % classes
    loss_of = torch.nn.CrossEntropyLoss()

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def linear(torch: Any) -> Step:
    """a training step of logistic regression, 569×30, with SGD"""
    torch.manual_seed(0)
    model = torch.nn.Linear(30, 2)
    return _training(torch, model, torch.randn(569, 30), 2, torch.optim.SGD(model.parameters(), lr=0.01))


def mlp(torch: Any) -> Step:
    """a training step of the feed-forward network of lesson 13, 100 images of 28×28, with Adam"""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(784, 500), torch.nn.ReLU(), torch.nn.Linear(500, 10))
    return _training(torch, model, torch.randn(100, 784), 10, torch.optim.Adam(model.parameters(), lr=1e-3))


def cnn(torch: Any) -> Step:
    """a training step of the convolutional network of lesson 14, 16 images of 3×32×32, with SGD"""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return _training(torch, model, torch.randn(16, 3, 32, 32), 10, torch.optim.SGD(model.parameters(), lr=1e-3))


def attention(torch: Any) -> Step:
    """a layer of a transformer without gradients, 8 sequences of 64 vectors of 128"""
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(128, 4, 256, batch_first=True).eval()
    x = torch.randn(8, 64, 128)

    def step() -> float:
        with torch.no_grad():
            return float(layer(x).sum().item())

    return step


#: All programs by name, the quick ones first.
PROGRAMS: dict[str, Callable[[Any], Step]] = {
    each.__name__: each for each in (call, elementwise, softmax, matmul, linear, mlp, cnn, attention)
}
