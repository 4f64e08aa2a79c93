"""Gradient scaling follows PyTorch's."""

import math
import pickle

import pytest

import flambeau
from flambeau.amp import GradScaler

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.parity

LIBRARIES = pytest.mark.parametrize("library", [torch, flambeau], ids=["torch", "flambeau"])


def problem(library, **options):
    weight = library.nn.Parameter(library.ones(2))
    return weight, library.optim.SGD([weight], lr=0.5), library.amp.GradScaler("cpu", **options)


def test_steps_skips_and_growth():
    histories = []
    for library in (torch, flambeau):
        weight, optimizer, scaler = problem(library, init_scale=8.0, growth_interval=2)
        history = []
        for factor in (1.0, 1.0, math.inf, 1.0, math.nan, 1.0, 1.0, 1.0):
            optimizer.zero_grad()
            scaler.scale((weight * factor).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
            history.append((weight.tolist(), scaler.get_scale(), scaler._get_growth_tracker()))
        histories.append((history, scaler.state_dict()))
    assert histories[1] == histories[0]


@LIBRARIES
def test_unscaling_to_clip(library):
    weight, optimizer, scaler = problem(library, init_scale=4.0)
    scaler.scale(weight.sum()).backward()
    assert weight.grad.tolist() == [4, 4]
    scaler.unscale_(optimizer)
    assert weight.grad.tolist() == [1, 1]
    weight.grad.mul_(0.5)
    assert scaler.step(optimizer) is None
    scaler.update()
    assert weight.tolist() == [0.75, 0.75]


@LIBRARIES
def test_several_losses(library):
    _, _, scaler = problem(library, init_scale=8.0)
    first, (second,) = scaler.scale([library.tensor(2.0), (library.tensor(1.0),)])
    assert (first.item(), second.item()) == (16, 8)
    with pytest.raises(ValueError, match="outputs must be a Tensor or an iterable of Tensors"):
        scaler.scale(3)


@LIBRARIES
def test_calls_out_of_order(library):
    weight, optimizer, scaler = problem(library)
    with pytest.raises(AssertionError, match="Attempted update but _scale is None"):
        scaler.update()
    scaler.scale(weight.sum())
    with pytest.raises(AssertionError, match="No inf checks were recorded for this optimizer"):
        scaler.step(optimizer)
    with pytest.raises(AssertionError, match="No inf checks were recorded prior to update"):
        scaler.update()
    weight, optimizer, scaler = problem(library)
    scaler.scale(weight.sum()).backward()
    with pytest.raises(RuntimeError, match="Closure use is not currently supported"):
        scaler.step(optimizer, closure=lambda: 1)
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match=r"unscale_.* has already been called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"step.* has already been called"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"unscale_.* is being called after step"):
        scaler.unscale_(optimizer)


@LIBRARIES
def test_float16_gradients_are_refused(library):
    weight = library.nn.Parameter(library.ones(2, dtype=library.float16))
    weight.grad = library.ones(2, dtype=library.float16)
    scaler = library.amp.GradScaler("cpu")
    scaler.scale(library.tensor(1.0))
    with pytest.raises(ValueError, match="Attempting to unscale FP16 gradients"):
        scaler.unscale_(library.optim.SGD([weight]))


@LIBRARIES
def test_disabled(library):
    weight, optimizer, _ = problem(library)
    scaler = library.amp.GradScaler("cpu", enabled=False)
    loss = weight.sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.step(optimizer)
    scaler.update()
    assert weight.tolist() == [0.5, 0.5]
    assert scaler.state_dict() == {}
    assert scaler.get_scale() == 1.0
    with pytest.warns(UserWarning, match="CUDA is not available"):
        assert not library.amp.GradScaler().is_enabled()


def test_checkpoints_go_both_ways():
    source = torch.amp.GradScaler("cpu", init_scale=32.0, growth_interval=7)
    mine = GradScaler("cpu")
    mine.load_state_dict(source.state_dict())
    assert mine.state_dict() == source.state_dict()
    copied = pickle.loads(pickle.dumps(mine))
    assert copied.state_dict() == mine.state_dict()
    with pytest.raises(RuntimeError, match="The source state dict is empty"):
        mine.load_state_dict({})
    mine.scale(flambeau.tensor(1.0))
    mine.update(3.0)
    assert mine.get_scale() == 3.0


@pytest.mark.parametrize("options", [{"growth_factor": 0.5}, {"backoff_factor": 1.5}])
def test_factors_out_of_range(options):
    messages = []
    for library in (torch, flambeau):
        with pytest.raises(AssertionError) as caught:
            library.amp.GradScaler("cpu", **options)
        messages.append(str(caught.value))
    assert messages[1] == messages[0]
