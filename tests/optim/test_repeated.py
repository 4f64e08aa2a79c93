"""Updates that are recorded again must do what the Python they were learned from does, whatever changes between steps."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau as torch
from flambeau.optim import adam, sgd
from flambeau.optim.repeated import Repeated
from flambeau.tracing.cache import cache
from flambeau.tracing.recorder import ROUND, synchronize, trace

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.01, "eps": 0.01}),
]


def changed(group: dict[str, Any], step: int) -> None:
    """Other numbers of the same kind."""
    for name in ("lr", "weight_decay", "momentum", "dampening", "eps"):
        if group.get(name) and not (name == "dampening" and group["nesterov"]):
            group[name] *= 1 - 0.01 * step
    if "betas" in group:
        group["betas"] = tuple(beta * (1 - 0.01 * step) for beta in group["betas"])


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_the_same_as_python(name: str, options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 3), (3,), (2, 3), ()] * 5
    start = [torch.randn(shape, generator=generator) for shape in shapes]
    gradients = [[torch.randn(shape, generator=generator) for shape in shapes] for _ in range(7)]

    def train(way: Any) -> list[Any]:
        parameters = [each.clone().requires_grad_() for each in start]
        with monkeypatch.context() as patch:
            patch.setattr(adam, "_move_all", way(adam._move))
            patch.setattr(sgd, "_descend_all", way(sgd._descend))
            optimizer = getattr(torch.optim, name)(parameters, **options)
            for step, given in enumerate(gradients):
                for place, (parameter, gradient) in enumerate(zip(parameters, given)):
                    parameter.grad = gradient.clone() if step != 5 or place % 2 else None
                changed(optimizer.param_groups[0], step)
                if step == 4:
                    optimizer.param_groups[0]["maximize"] = not optimizer.param_groups[0]["maximize"]
                optimizer.step()
        state = [optimizer.state[each] for each in parameters]
        kept = [value for entry in state for value in entry.values() if isinstance(value, torch.Tensor)]
        return [*parameters, *kept]

    class Plain(Repeated):
        def __call__(self, *args: Any) -> None:
            self.each(*args)

    ours, theirs = train(Repeated), train(Plain)
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other) and mine._version == other._version


def test_small_steps_are_one_program_and_large_ones_their_own() -> None:
    def programs(size: int, steps: int) -> int:
        weight = torch.zeros(size, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=0.1)
        synchronize()
        before = cache.hits + cache.misses
        for _ in range(steps):
            optimizer.zero_grad()
            ((weight - 1) ** 2).sum().backward()
            optimizer.step()
            assert len(trace.storages) <= ROUND
        runs = cache.hits + cache.misses - before
        assert weight[0].item() == pytest.approx(1 - 0.8**steps)
        return runs

    assert 1 < programs(3, 50) < 25
    assert programs(1 << 19, 5) == 5


def known(optimizer: Any, parameter: Any, steps: int = 3) -> None:
    for _ in range(steps):
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()


def test_nothing_but_the_parameters_is_made() -> None:
    parameter = torch.zeros(7, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.5)
    known(optimizer, parameter)
    parameter.grad = torch.ones_like(parameter)
    synchronize()
    with torch.no_grad():
        optimizer._update_group(optimizer.param_groups[0])
    assert [each for each in trace.storages if each is not None] == [parameter._cell]
    assert parameter.tolist() == [-2.0] * 7


def test_memory_that_numpy_shows_is_written_at_once() -> None:
    parameter = torch.zeros(5, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.5)
    known(optimizer, parameter)
    seen = parameter.detach().numpy()
    known(optimizer, parameter, 1)
    assert seen.tolist() == [-2.0] * 5


def test_a_gradient_that_is_the_parameter_or_a_view() -> None:
    parameter = torch.ones(6, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.5)
    known(optimizer, parameter)
    parameter.grad = parameter.detach()
    optimizer.step()
    assert parameter.tolist() == [-0.25] * 6
    parameter.grad = torch.arange(12.0)[::2]
    optimizer.step()
    assert parameter.tolist() == [-0.25 - k for k in range(6)]


def test_a_differentiable_step_is_on_the_tape() -> None:
    parameter = torch.ones(4, requires_grad=True)
    rate = torch.tensor(0.5, requires_grad=True)
    copy = parameter.clone()
    copy.grad = torch.full((4,), 2.0)
    torch.optim.SGD([copy], lr=rate, differentiable=True).step()
    copy.sum().backward()
    assert rate.grad.item() == -8.0
