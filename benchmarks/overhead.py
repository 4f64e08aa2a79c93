"""What recording costs, beside PyTorch's eager calls: ``python benchmarks/overhead.py``.

Prints medians of one run that alternates between the two libraries. The first rows record a call and drop its result;
the last rows run whole training steps of small models, every number computed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from side_by_side import measure, show


def pair(torch: ModuleType, shape: tuple[int, ...], requires_grad: bool) -> tuple[Any, Any]:
    x, y = torch.ones(shape), torch.ones(shape)
    if requires_grad:
        x.requires_grad_()
    return x, y


def addition(torch: ModuleType, requires_grad: bool) -> Callable[[], object]:
    x, y = pair(torch, (2, 2), requires_grad)
    return lambda: x + y


def by_hand(torch: ModuleType) -> Callable[[], object]:
    """One weight, four points, the update written out."""
    x, y = torch.tensor([1.0, 2, 3, 4]), torch.tensor([2.0, 4, 6, 8])
    w = torch.tensor(0.0, requires_grad=True)

    def step() -> None:
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w.sub_(0.01 * w.grad)
        w.grad.zero_()
        finish(torch)

    return step


def linear_regression(torch: ModuleType) -> Callable[[], object]:
    """nn.Linear(1, 1), MSELoss, SGD."""
    x, y = torch.tensor([[1.0], [2], [3], [4]]), torch.tensor([[2.0], [4], [6], [8]])
    model, loss_function = torch.nn.Linear(1, 1), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def logistic_regression(torch: ModuleType) -> Callable[[], object]:
    """569×30, BCELoss, SGD."""
    torch.manual_seed(0)
    x = torch.randn(569, 30)
    y = (torch.rand(569, 1) > 0.5).float()
    model = torch.nn.Sequential(torch.nn.Linear(30, 1), torch.nn.Sigmoid())
    loss_function = torch.nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def finish(torch: ModuleType) -> None:
    """Have everything recorded computed; PyTorch has done so already."""
    if torch.__name__ == "flambeau":
        torch.synchronize()


def main() -> None:
    libraries = {name: importlib.import_module(name) for name in ("flambeau", "torch")}
    for title, make, number in (
        ("record a + b", lambda t: addition(t, False), 2000),
        ("record a + b, with grad", lambda t: addition(t, True), 2000),
        ("step: one weight by hand", by_hand, 100),
        ("step: Linear(1, 1), MSE, SGD", linear_regression, 100),
        ("step: logistic regression, 569x30, SGD", logistic_regression, 50),
    ):
        show(title, measure({name: make(torch) for name, torch in libraries.items()}, number))


if __name__ == "__main__":
    main()
