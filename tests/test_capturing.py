"""``flambeau.capture``: what is replayed is what the Python would have done, or it is refused with the reason."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.native.policy import policy

F = torch.nn.functional
Setting = tuple[Callable[..., Any], Callable[[int], tuple[Any, ...]], Callable[[], list[Any]]]


@pytest.fixture(autouse=True, params=["default", "reference"])
def _tier(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "mode", request.param)


def run(setting: Callable[[], Setting], captured: bool, calls: int) -> tuple[list[list[Any]], int]:
    """What each call returns and leaves behind, and how many calls were replayed."""
    torch.manual_seed(7)
    step, arguments, state = setting()
    called = torch.capture(step) if captured else step
    made = []
    for k in range(calls):
        result = called(*arguments(k))
        results = result if isinstance(result, (tuple, list)) else [result]
        tensors = [each for each in (*results, *state()) if isinstance(each, torch.Tensor)]
        made.append([each.detach().clone().numpy() for each in tensors])
    return made, called.replays if captured else 0


def agree(setting: Callable[[], Setting], calls: int = 7, replays: int | None = None) -> None:
    wanted, _ = run(setting, False, calls)
    found, count = run(setting, True, calls)
    for k, (a, b) in enumerate(zip(found, wanted)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5, err_msg=f"call {k}")
    assert count == (calls - 2 if replays is None else replays)


def nothing(k: int) -> tuple[Any, ...]:
    return ()


def training(loss: Callable[[Any], Any], optimizer: Callable[..., Any] = torch.optim.SGD, **settings: Any) -> Callable[[], Setting]:
    def setting() -> Setting:
        w = torch.randn(20, requires_grad=True)
        chosen = optimizer([w], **{"lr": 0.1, **settings})

        def step() -> Any:
            value = loss(w)
            chosen.zero_grad()
            value.backward()
            chosen.step()
            return value

        return step, nothing, lambda: [w, w.grad]

    return setting


def test_training() -> None:
    agree(training(lambda w: (w - 1).square().sum(), momentum=0.9), replays=4)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW])
def test_adam_with_a_count_in_memory(optimizer: Any) -> None:
    agree(training(lambda w: (w - 1).square().sum(), optimizer, capturable=True), replays=4)


@pytest.mark.parametrize("noise", [
    lambda w: F.dropout(w, 0.5), lambda w: w * torch.rand(20), lambda w: w * torch.randn_like(w),
    lambda w: w[torch.randint(0, 20, (7,))], lambda w: w * torch.empty(20).uniform_(),
])  # fmt: skip
def test_random_numbers_are_those_of_the_python(noise: Callable[[Any], Any]) -> None:
    agree(training(lambda w: noise(w).square().sum()))


def test_gradients_accumulate_from_call_to_call() -> None:
    def setting() -> Setting:
        w = torch.randn(5, requires_grad=True)
        xs = [torch.randn(5) for _ in range(7)]

        def step(x: Any) -> Any:
            loss = (w * x).sum()
            loss.backward()
            return loss

        return step, lambda k: (xs[k],), lambda: [w.grad]

    agree(setting, replays=4)


@pytest.mark.parametrize("every", [1, 3])
def test_gradients_cleared_outside(every: int) -> None:
    def setting() -> Setting:
        w = torch.randn(5, requires_grad=True)
        chosen = torch.optim.SGD([w], lr=0.1)
        xs = [torch.randn(5) for _ in range(9)]

        def step(x: Any) -> Any:
            loss = (w * x).square().sum()
            loss.backward()
            return loss

        def arguments(k: int) -> tuple[Any, ...]:
            if k and k % every == 0:
                chosen.step()
                chosen.zero_grad()
            return (xs[k],)

        return step, arguments, lambda: [w.grad, w]

    agree(setting, 9, 7 if every == 1 else run(setting, True, 9)[1])


def test_the_average_of_weights_after_the_optimizer() -> None:
    def setting() -> Setting:
        w, average = torch.randn(5, requires_grad=True), torch.zeros(5)
        chosen = torch.optim.SGD([w], lr=0.1)

        def step() -> None:
            chosen.zero_grad()
            (w**2).sum().backward()
            chosen.step()
            with torch.no_grad():
                average.mul_(0.9).add_(w, alpha=0.1)

        return step, nothing, lambda: [w, average]

    wanted, _ = run(setting, False, 7)
    found, replays = run(setting, True, 7)
    assert replays == 5
    for a, b in zip(found, wanted):
        for x, y in zip(a, b):
            np.testing.assert_allclose(x, y, rtol=1e-5)


def test_arguments_are_read_anew() -> None:
    def setting() -> Setting:
        w, data = torch.zeros(3), torch.arange(60.0).reshape(20, 3)
        other = torch.ones(3, 3)

        def step(x: Any) -> Any:
            w.add_(x.sum(0))
            return x[1:] * 2, x[0], x

        # A tensor of its own, then windows onto a larger one.
        return step, lambda k: (data[k * 2 : k * 2 + 3] if k > 2 else other,), lambda: [w]

    agree(setting)


def test_arguments_are_written() -> None:
    def setting() -> Setting:
        xs = [torch.arange(4.0) + k for k in range(7)]

        def step(x: Any) -> Any:
            x.copy_(x.flip(0) * 2)
            return x.sum(), x

        return step, lambda k: (xs[k],), lambda: xs

    agree(setting)


def test_an_argument_that_is_what_the_step_writes() -> None:
    def setting() -> Setting:
        w = torch.arange(5.0)
        xs = [torch.ones(5)] * 3 + [w] * 4

        def step(x: Any) -> Any:
            w.copy_(w.flip(0) + x.roll(1))
            return w.sum()

        return step, lambda k: (xs[k],), lambda: [w]

    agree(setting, replays=run(setting, True, 7)[1])


def test_arguments_that_share_memory_from_some_call_on() -> None:
    def setting() -> Setting:
        a, b = torch.arange(5.0), torch.ones(5)

        def step(x: Any, y: Any) -> Any:
            x.add_(y.flip(0))
            return y * 2

        return step, lambda k: (a, b) if k < 4 else (a, a), lambda: [a, b]

    agree(setting, 8, 4)


def test_nested_arguments_and_results() -> None:
    pair = namedtuple("pair", "sum twice")

    def setting() -> Setting:
        w = torch.zeros(3)

        def step(batch: Any, scale: float = 1.0) -> Any:
            x, named = batch
            w.add_(x * named["t"] * scale)
            return pair(w.sum(), w * 2)

        return step, lambda k: ((torch.full((3,), float(k)), {"t": torch.ones(3)}),), lambda: [w]

    agree(setting)


def test_results_keep_their_layout() -> None:
    def setting() -> Setting:
        xs = [torch.randn(2, 3, 4, 4) for _ in range(7)]

        def step(x: Any) -> Any:
            y = x.transpose(1, 3) * 2
            assert not y.is_contiguous()
            return y, y[0]

        return step, lambda k: (xs[k],), lambda: []

    agree(setting)


def test_results_are_new_tensors() -> None:
    w = torch.zeros(3)
    step = torch.capture(lambda: w.add_(1) * 2)
    made = [step() for _ in range(5)]
    assert step.replays == 3
    assert [each[0].item() for each in made] == [2, 4, 6, 8, 10]
    assert len({each.data_ptr() for each in made}) == 5


@pytest.mark.parametrize("size", [4, 40000])
def test_memory_shared_with_numpy(size: int) -> None:
    def setting() -> Setting:
        a = np.zeros(size, np.float32)
        x, w = torch.from_numpy(a), torch.zeros(size)

        def step() -> Any:
            w.add_(x)
            x.copy_(x.flip(0) + 1)
            return w * 2

        def arguments(k: int) -> tuple[Any, ...]:
            a[: size // 2] = k
            return ()

        return step, arguments, lambda: [w, x]

    wanted, _ = run(setting, False, 6)
    found, _ = run(setting, True, 6)
    for a, b in zip(found, wanted):
        for x, y in zip(a, b):
            np.testing.assert_array_equal(x, y)


def test_each_kind_of_arguments_is_recorded_by_itself() -> None:
    step = torch.capture(lambda x, power: x**power)
    for _ in range(4):
        for n in (2, 3):
            for power in (2, 3):
                assert step(torch.full((n,), 2.0), power).tolist() == [2.0**power] * n
    assert step.replays == 8


def test_the_number_of_threads_may_change() -> None:
    before = torch.get_num_threads()
    try:
        def setting() -> Setting:
            w = torch.zeros(100, 200)

            def step(x: Any) -> Any:
                w.add_(torch.softmax(x @ x.T / 10, 1) @ x)
                return w.mean(1)

            def arguments(k: int) -> tuple[Any, ...]:
                torch.set_num_threads(1 + k % 4)
                return (torch.linspace(0, k, 20000).reshape(100, 200),)

            return step, arguments, lambda: [w]

        agree(setting)
    finally:
        torch.set_num_threads(before)


def test_an_error_in_a_replay_leaves_everything_as_it_was() -> None:
    w, v, table = torch.zeros(3), torch.zeros(3), torch.arange(12.0).reshape(4, 3)

    @torch.capture
    def step(i: Any) -> Any:
        v.fill_(7)
        w.add_(table[i].sum(0))
        v.mul_(0).add_(w)
        return w * 1

    for k in range(4):
        step(torch.tensor([k, 1]))
    before = w.tolist(), v.tolist()
    with pytest.raises(IndexError, match="out of"):
        step(torch.tensor([1, 9]))
    assert (w.tolist(), v.tolist()) == before
    assert step(torch.tensor([0, 0])).tolist() == w.tolist()
    assert step.replays == 3


def test_an_exception_while_recording() -> None:
    w, calls = torch.zeros(3), []

    @torch.capture
    def step() -> Any:
        calls.append(None)
        w.add_(1)
        if len(calls) == 2:
            raise ValueError("mine")
        return w * 1

    step()
    with pytest.raises(ValueError, match="mine"):
        step()
    assert [step()[0].item() for _ in range(4)] == [3, 4, 5, 6]
    assert step.replays >= 1


def test_within_another_captured_step() -> None:
    w = torch.zeros(2)
    inner = torch.capture(lambda: w.add_(1))
    outer = torch.capture(lambda: inner() * 2)
    assert [outer()[0].item() for _ in range(4)] == [2, 4, 6, 8]
    assert outer.replays == 2


class _Counter:
    def __init__(self) -> None:
        self.n = 0

    def __call__(self) -> int:
        self.n += 1
        return self.n


w, minus, counter = torch.zeros(3), torch.full((3,), -1.0), _Counter()
REFUSED = {
    "looks at a number": lambda: (w.add_(1), w.sum().item()),
    "a Python number in it changes": lambda: w.add_(counter()),
    "made anew": lambda: w.add_(torch.tensor(np.random.rand(3).astype(np.float32))),
    "of a kind that is not drawn again": lambda: F.rrelu(minus, training=True),
    "a Python value that changes": lambda: (w.add_(1), counter()),
    "it returns a ": lambda: np.zeros(3),
    "as they were drawn": lambda: torch.rand(3),
    "differs from call to call": lambda: w.add_(1) if counter() % 2 else w.mul_(2),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refusals(reason: str) -> None:
    step = torch.capture(REFUSED[reason])
    with pytest.raises(RuntimeError, match=f"cannot be replayed: .*{reason}"):
        for _ in range(8):
            step()
    assert reason in (step.reason or "")


def test_arguments_that_are_refused() -> None:
    step = torch.capture(lambda x: x)
    with pytest.raises(RuntimeError, match="part of a graph"):
        step(torch.ones(2, requires_grad=True) * 2)
    with pytest.raises(TypeError, match="cannot be hashed"):
        step({1, 2})
