"""Each classic mistake is reported, with its line and remedy; a sound training loop is not."""

from __future__ import annotations

import contextlib
import linecache
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau import nn
from flambeau.core.devices import meta
from flambeau.core.specs import spec
from flambeau.core.storages import at_rest
from flambeau.nn import functional as F
from flambeau.tracing.handles import wrap

X = torch.from_numpy(np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32))
Y = X.sum(1, keepdim=True)
CLASSES = (X.sum(1) > 0).long()


def watched(model: Any, optimizer: Any = None, **options: Any) -> Any:
    """A watch that keeps its findings to itself."""
    return torch.doctor.watch(model, optimizer, report=lambda finding: None, **options)


def line(finding: Any) -> str:
    assert finding.filename == __file__
    assert linecache.getline(__file__, finding.line).strip() == finding.source
    return str(finding.source)


def only(doctor: Any, kind: str) -> Any:
    """The one finding, of this kind, which has something to say."""
    assert [each.kind for each in doctor.findings] == [kind], [str(each) for each in doctor.findings]
    finding = doctor.findings[0]
    assert len(finding.message) > 40 and len(finding.remedy) > 20
    return finding


def linear() -> tuple[Any, Any]:
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.01)


# -- a sound loop ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("set_to_none", [True, False])
def test_sound_training_is_not_reported(set_to_none: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with watched(model, optimizer) as doctor:
        for _ in range(15):
            model.train()
            optimizer.zero_grad(set_to_none=set_to_none)
            for half in (slice(0, 8), slice(8, 16)):  # gradients may well be accumulated before a step
                loss = F.cross_entropy(model(X[half]), CLASSES[half])
                loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            model.eval()
            with torch.no_grad():
                probabilities = F.softmax(model(X), 1)
                assert (probabilities.argmax(1) == CLASSES).float().mean().item() >= 0
    assert not doctor.findings, [str(each) for each in doctor.findings]


def test_training_is_the_same_with_and_without() -> None:
    def train(watching: bool) -> list[float]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        losses = []

        def step() -> None:
            optimizer.zero_grad()
            loss = F.mse_loss(model(X), Y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

        if watching:
            with watched(model, optimizer):
                for _ in range(5):
                    step()
        else:
            for _ in range(5):
                step()
        return losses

    assert np.allclose(train(True), train(False), rtol=1e-5)


def test_nothing_is_left_behind() -> None:
    from flambeau.autograd.tape import anomaly
    from flambeau.nn.module_calls import global_hooks
    from flambeau.tracing.recorder import observer, trace

    model, optimizer = linear()
    doctor = watched(model, optimizer).start()
    assert global_hooks.around_calls and observer.run is not None
    with pytest.raises(RuntimeError, match="watching already"):
        doctor.start()
    doctor.stop()
    doctor.stop()
    assert not global_hooks.around_calls and observer.run is None and observer.entries is list and type(trace.entries) is list
    assert not anomaly.enabled and "remember" not in vars(anomaly)
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks
    assert not model.weight._post_accumulate_hooks
    (model(X).sum()).backward()
    assert model(X).grad_fn.where is None


def test_watching_and_remembering_within_each_other() -> None:
    from flambeau.autograd.tape import anomaly
    from flambeau.tracing.recorder import observer

    model, optimizer = linear()
    for _ in range(2):
        with watched(model, optimizer) as doctor:
            with torch.drawing.remember():
                loss = F.mse_loss(model(X), Y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.drawing.remember(), watched(model, optimizer):
            assert "mse_loss" in torch.draw(F.mse_loss(model(X), Y)).text()
    assert not doctor.findings
    assert not anomaly.enabled and "remember" not in vars(anomaly) and observer.entries is list


def test_the_same_doctor_may_watch_again() -> None:
    model, optimizer = linear()
    doctor = watched(model, optimizer)
    for _ in range(2):
        with doctor:
            F.mse_loss(model(X), Y).backward()
            optimizer.step()
            optimizer.zero_grad()
    assert not doctor.findings
    with doctor:
        for _ in range(2):
            F.mse_loss(model(X), Y).backward()
            optimizer.step()
    only(doctor, "gradients-not-zeroed")


def test_not_imported_unless_asked_for() -> None:
    import subprocess
    import sys

    code = "import flambeau, sys; assert not [m for m in sys.modules if m.startswith('flambeau.doctor')]"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


# -- gradients -------------------------------------------------------------------------------------------------------------


def test_gradients_never_zeroed() -> None:
    model, optimizer = linear()
    with watched(model, optimizer) as doctor:
        for _ in range(3):
            loss = F.mse_loss(model(X), Y)
            loss.backward()  # adds up
            optimizer.step()
    finding = only(doctor, "gradients-not-zeroed")
    assert line(finding) == "loss.backward()  # adds up" and "zero_grad" in finding.remedy


def test_gradients_never_zeroed_with_clipping_and_momentum() -> None:
    model, _ = linear()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    with watched(model, optimizer) as doctor:
        for _ in range(3):
            F.mse_loss(model(X), Y).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
    only(doctor, "gradients-not-zeroed")


def test_gradients_never_zeroed_by_hand() -> None:
    model, _ = linear()
    with watched(model) as doctor:
        for zero in (True, True, False, False):
            F.mse_loss(model(X), Y).backward()
            with torch.no_grad():
                for each in model.parameters():
                    each -= 0.01 * each.grad
                    if zero:
                        each.grad.zero_()
    only(doctor, "gradients-not-zeroed")


@pytest.mark.parametrize("set_to_none", [True, False])
def test_gradients_that_another_backward_leaves_behind_are_no_mistake(set_to_none: bool) -> None:
    generator, discriminator = nn.Linear(2, 4), nn.Linear(4, 1)
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.01) for each in (generator, discriminator)]
    with watched(discriminator, optimizers[1]) as doctor:
        for _ in range(3):
            fake = generator(torch.rand(3, 2))
            optimizers[1].zero_grad(set_to_none)
            discriminator(fake.detach()).mean().backward()
            nn.utils.clip_grad_norm_(discriminator.parameters(), 1.0)
            optimizers[1].step()
            optimizers[0].zero_grad(set_to_none)
            (-discriminator(fake).mean()).backward()
            optimizers[0].step()
    assert not doctor.findings, [str(each) for each in doctor.findings]


def test_zeroed_at_the_wrong_moment() -> None:
    model, optimizer = linear()
    with watched(model, optimizer) as doctor:
        F.mse_loss(model(X), Y).backward()
        optimizer.zero_grad()
        optimizer.step()  # nothing left
    assert line(only(doctor, "zeroed-before-step")) == "optimizer.step()  # nothing left"


def test_step_without_backward() -> None:
    model, optimizer = linear()
    with watched(model, optimizer) as doctor:
        F.mse_loss(model(X), Y)
        optimizer.step()
    only(doctor, "step-without-backward")


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        return self.used(x)


def test_parameters_without_gradient() -> None:
    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watched(model, optimizer) as doctor:
        for _ in range(2):
            optimizer.zero_grad()
            F.mse_loss(model(X), Y).backward()
            optimizer.step()
    assert "'unused.weight' and 'unused.bias'" in only(doctor, "no-gradient").message


def test_parameters_not_in_the_optimizer() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model[2].parameters(), lr=0.01)
    with watched(model, optimizer) as doctor:
        F.mse_loss(model(X), Y).backward()
        optimizer.step()
    assert "'0.weight' and '0.bias'" in only(doctor, "not-in-optimizer").message


def test_frozen_parameters_and_two_optimizers_are_no_mistake() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    model[0].requires_grad_(False)
    optimizers = [torch.optim.SGD(model[2].parameters(), lr=0.01), torch.optim.Adam(model[4].parameters(), lr=0.01)]
    with watched(model, optimizers) as doctor:
        for _ in range(2):
            F.mse_loss(model(X), Y).backward()
            for each in optimizers:
                each.step()
            model.zero_grad()
    assert not doctor.findings, [str(each) for each in doctor.findings]


def test_optimizer_of_another_model() -> None:
    _, optimizer = linear()
    model, _ = linear()
    with watched(model, optimizer) as doctor:
        F.mse_loss(model(X), Y).backward()
        optimizer.step()
    only(doctor, "other-parameters")


def test_closures_compute_gradients_within_the_step() -> None:
    model, _ = linear()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(model(X), Y)
        loss.backward()
        return loss

    with watched(model, optimizer) as doctor:
        for _ in range(3):
            optimizer.step(closure)
    assert not doctor.findings, [str(each) for each in doctor.findings]


def test_exploding_gradients() -> None:
    model, optimizer = linear()
    with watched(model, optimizer) as doctor:
        optimizer.zero_grad()
        F.mse_loss(model(X * 1e4), Y).backward()
        optimizer.step()  # far off
    finding = only(doctor, "exploding-gradients")
    assert "'weight'" in finding.message and "clip_grad_norm_" in finding.remedy and "far off" in line(finding)


def test_exploding_gradients_compared_with_the_usual() -> None:
    model, optimizer = linear()
    with watched(model, optimizer) as doctor:
        for scale in (1, 1, 1, 1, 1, 1, 40):
            optimizer.zero_grad()
            F.mse_loss(model(X * scale), Y).backward()
            optimizer.step()
    assert "times as much as usual" in only(doctor, "exploding-gradients").message


def test_vanishing_gradients() -> None:
    torch.manual_seed(0)
    layers: list[Any] = []
    for _ in range(12):
        layers += [nn.Linear(4, 4), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watched(model, optimizer) as doctor:
        for _ in range(4):
            optimizer.zero_grad()
            F.mse_loss(model(X), Y).backward()
            optimizer.step()
    assert "'0.weight'" in only(doctor, "vanishing-gradients").message


# -- losses ----------------------------------------------------------------------------------------------------------------


def scores() -> Any:
    return nn.Linear(4, 2)


LOSSES = {
    "functions": lambda m: F.cross_entropy(F.softmax(m(X), 1), CLASSES),
    "modules": lambda m: nn.CrossEntropyLoss()(nn.Softmax(dim=1)(m(X)), CLASSES),
    "probabilities as targets": lambda m: nn.CrossEntropyLoss()(m(X).softmax(1), F.one_hot(CLASSES).float()),
    "through a view": lambda m: F.cross_entropy(m(X).softmax(1).reshape(4, 4, 2).view(16, 2), CLASSES),
    "NLLLoss": lambda m: F.nll_loss(F.softmax(m(X), 1), CLASSES),
    "BCE": lambda m: F.binary_cross_entropy_with_logits(torch.sigmoid(m(X)), F.one_hot(CLASSES).float()),
}


@pytest.mark.parametrize("how", LOSSES)
def test_softmax_before_the_loss(how: str) -> None:
    model = scores()
    with watched(model) as doctor:
        LOSSES[how](model).backward()
    assert " at test_watch.py:" in only(doctor, "double-softmax").message


def test_softmax_looked_at_before_the_loss() -> None:
    model = scores()
    with watched(model) as doctor:
        out = F.softmax(model(X), 1)
        assert "tensor" in repr(out)
        loss = nn.CrossEntropyLoss()(out, CLASSES)
    assert line(only(doctor, "double-softmax")) == "loss = nn.CrossEntropyLoss()(out, CLASSES)"
    assert "out = F.softmax" in doctor.findings[0].message and loss.item() > 0


def test_right_losses_are_no_mistake() -> None:
    model = scores()
    with watched(model) as doctor:
        F.cross_entropy(model(X), CLASSES).backward()
        F.nll_loss(F.log_softmax(model(X), 1), CLASSES).backward()
        with torch.no_grad():
            probabilities = F.softmax(model(X), 1)
            assert "tensor" in repr(probabilities)
            F.nll_loss(probabilities.log_(), CLASSES)
        F.binary_cross_entropy(torch.sigmoid(model(X)), F.one_hot(CLASSES).float()).backward()
        F.kl_div(F.log_softmax(model(X), 1), F.softmax(model(X), 1), reduction="batchmean").backward()
    assert not doctor.findings, [str(each) for each in doctor.findings]


MISMATCHES = {
    "by hand": lambda out, y: ((out - y) ** 2).mean(),
    "reversed": lambda out, y: (y - out).abs().mean(),
    "function": lambda out, y: F.mse_loss(out, y),
    "module": lambda out, y: nn.L1Loss()(out, y),
    "smooth": lambda out, y: F.smooth_l1_loss(out, y),
    "accuracy": lambda out, y: (out.round() == y).float().mean() + out.sum(),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("how", MISMATCHES)
def test_mismatched_shapes(how: str) -> None:
    model, _ = linear()
    with watched(model) as doctor:
        MISMATCHES[how](model(X), Y.squeeze(1)).backward()
    message = only(doctor, "broadcast").message
    assert "[16, 1]" in message and "[16]" in message and "[16, 16]" in message


def test_meant_broadcasts_are_no_mistake() -> None:
    model, _ = linear()
    with watched(model) as doctor:
        mean, deviation = X.mean(0), X.std(0)
        (model((X - mean) / deviation) - 1).mean().backward()
        distances = X[:, None] - X[None]
        assert distances.shape == (16, 16, 4) and (X - X.mean(1, keepdim=True)).shape == X.shape
    assert not doctor.findings


# -- modes -----------------------------------------------------------------------------------------------------------------


def modal() -> tuple[Any, Any]:
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.01)


def test_training_in_evaluation_mode() -> None:
    model, optimizer = modal()
    model.eval()
    with watched(model, optimizer) as doctor:
        out = model(X)
        F.mse_loss(out, Y).backward()
        optimizer.step()
    finding = only(doctor, "eval-while-training")
    assert line(finding) == "out = model(X)" and "'1' and '3'" in finding.message


@pytest.mark.parametrize("without", [torch.no_grad, torch.inference_mode])
def test_evaluating_in_training_mode(without: Any) -> None:
    model, optimizer = modal()
    with watched(model, optimizer) as doctor, without():
        out = model(X)
    assert line(only(doctor, "train-while-evaluating")) == "out = model(X)" and out.shape == (16, 1)


def test_modes_do_not_matter_where_nothing_depends_on_them() -> None:
    model, optimizer = linear()
    with watched(model, optimizer) as doctor:
        model.eval()
        F.mse_loss(model(X), Y).backward()
        optimizer.step()
        model.train()
        with torch.no_grad():
            model(X)
    assert not doctor.findings


# -- numbers ---------------------------------------------------------------------------------------------------------------


def test_first_operator_that_made_a_nan() -> None:
    model, _ = linear()
    with watched(model) as doctor:
        out = model(X) * 0
        bad = (out - 1).log()
        loss = (bad * 2).exp().sum()
        assert loss.isnan()
    finding = only(doctor, "nan")
    assert line(finding) == "bad = (out - 1).log()" and finding.message.startswith("log made") and "clamp" in finding.remedy


def test_nan_after_an_infinity() -> None:
    model, _ = linear()
    with watched(model) as doctor:
        large = (model(X) * 0 + 200).exp()
        ratio = large / large
        assert ratio.isnan().all()
    finding = only(doctor, "nan")
    assert line(finding) == "ratio = large / large" and "An infinity had come from exp at test_watch.py:" in finding.message


class Root(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, x: Any) -> Any:
        return (self.weight.norm(2) * 0 + (x * self.weight).abs().sqrt()).sum()


def test_nan_in_a_derivative() -> None:
    model = Root()
    with watched(model, ignore="no-gradient") as doctor:
        loss = model(torch.zeros(3))
        assert loss.item() == 0
        loss.backward()
        assert model.weight.grad.isnan().any()
    finding = only(doctor, "nan")
    assert "derivative of" in finding.message and "backward() was called at" in finding.message
    assert line(finding).startswith("return (self.weight.norm(2)")


@pytest.mark.filterwarnings("ignore:Complex modules")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.complex64])
def test_nan_in_a_single_number(dtype: Any) -> None:
    model = nn.Linear(1, 1).to(dtype)
    with watched(model) as doctor:
        zero = (model(torch.ones(1, 1, dtype=dtype)) * 0).sum()
        assert (zero / zero).isnan()
    assert line(only(doctor, "nan")) == "assert (zero / zero).isnan()" and "x / (y + 1e-8)" in doctor.findings[0].remedy


def test_deviation_of_one_number() -> None:
    with watched(nn.Linear(1, 1)) as doctor:
        assert torch.tensor([1.0]).std().isnan()
    assert "single number" in only(doctor, "nan").remedy


def test_nan_in_the_data() -> None:
    model, _ = linear()
    data = torch.tensor([[1.0, float("nan"), 0.0, 0.0]])
    with watched(model) as doctor:
        assert model(data).isnan().all()
    assert "came in with the data" in only(doctor, "nan").message


def test_masked_attention_is_no_mistake() -> None:
    model = nn.MultiheadAttention(4, 2, batch_first=True)
    mask = torch.triu(torch.full((3, 3), float("-inf")), 1)
    with watched(model) as doctor:
        x = torch.rand(2, 3, 4)
        out, _ = model(x, x, x, attn_mask=mask)
        out.sum().backward()
        assert out.isfinite().all()
    assert not doctor.findings, [str(each) for each in doctor.findings]


class Dead(nn.Module):
    def __init__(self, function: bool, convolution: bool) -> None:
        super().__init__()
        self.function = function
        self.first: Any = nn.Conv1d(1, 6, 2) if convolution else nn.Linear(4, 6)
        self.act, self.last = nn.ReLU(), nn.LazyLinear(1)
        with torch.no_grad():
            self.first.bias[:5] = -10
            self.first.bias[5:] = 10

    def forward(self, x: Any) -> Any:
        hidden = self.first(x)
        return self.last((F.relu(hidden) if self.function else self.act(hidden)).flatten(1))


@pytest.mark.parametrize("function", [True, False])
@pytest.mark.parametrize("convolution", [True, False])
def test_dead_relus(function: bool, convolution: bool) -> None:
    model = Dead(function, convolution)
    inputs = X.unsqueeze(1) if convolution else X
    model(inputs)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    with watched(model, optimizer, patience=4, ignore=["vanishing-gradients"]) as doctor:
        for step in range(6):
            optimizer.zero_grad()
            F.mse_loss(model(inputs), Y).backward()
            optimizer.step()
            assert bool(doctor.findings) == (step >= 3)
    assert "5 of 6 ReLUs" in only(doctor, "dead-relu").message


# -- devices and dtypes ----------------------------------------------------------------------------------------------------


def away(like: Any) -> Any:
    """A tensor that lies elsewhere, as a checkpoint may hold it."""
    layout = spec(like.shape, like.dtype, device=meta)
    return wrap(at_rest(like.numpy().copy(), layout), layout)


def test_data_on_another_device() -> None:
    model, _ = linear()
    inputs = away(X)
    doctor = watched(model).start()
    with contextlib.suppress(RuntimeError):
        model(inputs)
    doctor.stop()
    finding = only(doctor, "device")
    assert line(finding) == "model(inputs)" and "'weight' on cpu and the data on meta" in finding.message


def test_targets_on_another_device() -> None:
    model, _ = linear()
    targets = away(Y)
    doctor = watched(model).start()
    with contextlib.suppress(RuntimeError):
        nn.MSELoss()(model(X), targets)
    doctor.stop()
    finding = only(doctor, "device")
    assert line(finding) == "nn.MSELoss()(model(X), targets)" and "MSELoss gets" in finding.message


@pytest.mark.parametrize("device", ["cuda", "meta"])
def test_a_device_that_is_not_there(device: str) -> None:
    model, _ = linear()
    doctor = watched(model)
    with pytest.raises((RuntimeError, AssertionError)), doctor:
        model(X.to(device))
    assert line(only(doctor, "device")) == "model(X.to(device))" and "is_available" in doctor.findings[0].remedy


def test_data_of_another_dtype() -> None:
    model, _ = linear()
    doctor = watched(model)
    with pytest.raises(RuntimeError), doctor:
        model(X.double())
    assert "float64" in only(doctor, "dtype").message


# -- reports ---------------------------------------------------------------------------------------------------------------


def test_printed_as_it_happens(capsys: Any) -> None:
    model, optimizer = linear()
    with torch.doctor.watch(model, optimizer):
        optimizer.step()
        shown = capsys.readouterr().err
    assert shown.startswith("flambeau.doctor: the optimizer steps, but there are no gradients\n")
    assert f"{__file__}:" in shown and "optimizer.step()" in shown and "Remedy: call loss.backward()" in shown


def test_each_line_once_and_ignored_kinds_never() -> None:
    model, optimizer = linear()
    with watched(model, optimizer) as doctor:
        for _ in range(3):
            optimizer.step()
        optimizer.step()
    assert len(doctor.findings) == 2
    with watched(model, optimizer, ignore=["step-without-backward"]) as doctor:
        optimizer.step()
    assert not doctor.findings


def test_wrong_arguments() -> None:
    model, optimizer = linear()
    with pytest.raises(TypeError, match="model must be"):
        torch.doctor.watch(X)
    with pytest.raises(TypeError, match="optimizer must be"):
        torch.doctor.watch(model, model)
    with pytest.raises(ValueError, match="no kind of mistake is called typo"):
        torch.doctor.watch(model, optimizer, ignore=["typo"])


def test_errors_in_backward_name_the_forward_line() -> None:
    model, _ = linear()
    with watched(model):
        w = torch.ones(3, requires_grad=True)
        squares = w * 2
        loss = (squares**2).sum()
        squares.add_(1)
        with pytest.raises(RuntimeError, match="inplace"), pytest.warns(UserWarning, match=r"loss = \(squares"):
            loss.backward()
