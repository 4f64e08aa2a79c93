"""Every scheduler sets the learning rates that PyTorch's sets, and says the same about it."""

import contextlib
import copy
import math
import warnings

import pytest

import flambeau
from flambeau import optim

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step.*:UserWarning"),
]


def halving(epoch):
    return 0.5**epoch


class Power:
    """A factor with attributes, which go into checkpoints."""

    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


CONFIGURATIONS = {
    "lambda": lambda o, k: k.LambdaLR(o, halving),
    "lambdas": lambda o, k: k.LambdaLR(o, [halving, Power(0.9)]),
    "multiplicative": lambda o, k: k.MultiplicativeLR(o, [Power(0.95), halving]),
    "step": lambda o, k: k.StepLR(o, 3),
    "step-gamma": lambda o, k: k.StepLR(o, step_size=2, gamma=0.7),
    "multistep": lambda o, k: k.MultiStepLR(o, [2, 5, 5, 9], gamma=0.3),
    "constant": lambda o, k: k.ConstantLR(o),
    "constant-zero": lambda o, k: k.ConstantLR(o, factor=0.25, total_iters=0),
    "linear": lambda o, k: k.LinearLR(o),
    "linear-down": lambda o, k: k.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=7),
    "exponential": lambda o, k: k.ExponentialLR(o, 0.9),
    "polynomial": lambda o, k: k.PolynomialLR(o),
    "polynomial-square": lambda o, k: k.PolynomialLR(o, total_iters=8, power=2.0),
    "cosine": lambda o, k: k.CosineAnnealingLR(o, T_max=5),
    "cosine-minimum": lambda o, k: k.CosineAnnealingLR(o, T_max=4, eta_min=0.01),
    "restarts": lambda o, k: k.CosineAnnealingWarmRestarts(o, 4),
    "restarts-longer": lambda o, k: k.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.001),
    "cyclic": lambda o, k: k.CyclicLR(o, 0.01, 0.1, step_size_up=3),
    "cyclic-2": lambda o, k: k.CyclicLR(
        o, [0.01, 0.02], [0.1, 0.3], step_size_up=2, step_size_down=4, mode="triangular2", base_momentum=0.7
    ),
    "cyclic-range": lambda o, k: k.CyclicLR(o, 0.01, 0.1, step_size_up=2, mode="exp_range", gamma=0.9),
    "cyclic-own": lambda o, k: k.CyclicLR(
        o, 0.01, 0.1, step_size_up=2, scale_fn=halving, scale_mode="iterations", cycle_momentum=False
    ),
    "one-cycle": lambda o, k: k.OneCycleLR(o, 0.3, total_steps=22),
    "one-cycle-three": lambda o, k: k.OneCycleLR(
        o, [0.3, 0.2], epochs=11, steps_per_epoch=2, anneal_strategy="linear", three_phase=True, pct_start=0.4
    ),
    "one-cycle-plain": lambda o, k: k.OneCycleLR(o, 0.3, total_steps=25, cycle_momentum=False, div_factor=10.0),
    "sequence": lambda o, k: k.SequentialLR(
        o, [k.ConstantLR(o, factor=0.1, total_iters=3), k.ExponentialLR(o, gamma=0.9)], milestones=[4]
    ),
    "sequence-of-three": lambda o, k: k.SequentialLR(
        o, [k.LinearLR(o, total_iters=3), k.CosineAnnealingLR(o, 4), k.StepLR(o, 2)], milestones=[3, 8]
    ),
    "sequence-restarts": lambda o, k: k.SequentialLR(
        o, [k.LinearLR(o, total_iters=3), k.CosineAnnealingWarmRestarts(o, 4)], milestones=[3]
    ),
    "chain": lambda o, k: k.ChainedScheduler([k.ConstantLR(o, factor=0.1, total_iters=5), k.ExponentialLR(o, 0.9)]),
    "chain-of-three": lambda o, k: k.ChainedScheduler(
        [k.LinearLR(o, total_iters=4), k.MultiStepLR(o, [3, 6]), k.CosineAnnealingLR(o, 9)], optimizer=o
    ),
    "sequence-with-chain": lambda o, k: k.SequentialLR(
        o,
        [k.ChainedScheduler([k.ConstantLR(o, factor=0.5), k.ExponentialLR(o, 0.8)]), k.StepLR(o, 2)],
        milestones=[5],
    ),
    "chain-with-sequence": lambda o, k: k.ChainedScheduler(
        [k.SequentialLR(o, [k.ConstantLR(o), k.ExponentialLR(o, 0.8)], milestones=[3]), k.StepLR(o, 2)]
    ),
}
SWA = {
    "swa": lambda o, s: s.SWALR(o, 0.02),
    "swa-linear": lambda o, s: s.SWALR(o, [0.02, 0.5], anneal_epochs=4, anneal_strategy="linear"),
    "swa-at-once": lambda o, s: s.SWALR(o, 0.02, anneal_epochs=0),
}


def optimizer_of(library, kind="SGD", rates=(0.1, 0.05), tensor=False):
    groups = [
        {"params": [library.zeros(1, requires_grad=True)], "lr": library.tensor(rate) if tensor else rate}
        for rate in rates
    ]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(library.optim, kind)(groups, lr=0.1, **options)


def snapshot(optimizer, scheduler):
    rates = [float(rate) for rate in scheduler.get_last_lr()]
    groups = []
    for group in optimizer.param_groups:
        groups.append([float(group["lr"]), group.get("momentum"), group.get("betas")])
        groups.append(float(group["initial_lr"]) if "initial_lr" in group else None)
    return rates, groups, getattr(scheduler, "last_epoch", None)


def both(make, kind="SGD", tensor=False):
    """Yields for each library its optimizer and the scheduler ``make`` builds on it."""
    for library, schedules in ((torch, torch.optim.lr_scheduler), (flambeau, optim.lr_scheduler)):
        optimizer = optimizer_of(library, kind, tensor=tensor)
        yield optimizer, make(optimizer, schedules)


def assert_close(actual, expected, path=""):
    if isinstance(expected, dict):
        assert list(actual) == list(expected), path
        for key in expected:
            assert_close(actual[key], expected[key], f"{path}.{key}")
    elif isinstance(expected, (list, tuple)):
        assert type(actual) is type(expected)
        assert len(actual) == len(expected), path
        for index, (mine, their) in enumerate(zip(actual, expected)):
            assert_close(mine, their, f"{path}[{index}]")
    elif isinstance(expected, float):
        assert actual == pytest.approx(expected, rel=1e-12, abs=1e-15), path
    elif isinstance(expected, torch.Tensor):
        assert float(actual) == pytest.approx(float(expected), rel=1e-6)
    else:
        assert actual == expected, path


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_sequence_of_rates(name, kind):
    (their_optimizer, theirs), (optimizer, mine) = both(CONFIGURATIONS[name], kind)
    assert_close(snapshot(optimizer, mine), snapshot(their_optimizer, theirs))
    for _ in range(20):
        their_optimizer.step()
        optimizer.step()
        theirs.step()
        mine.step()
        assert_close(snapshot(optimizer, mine), snapshot(their_optimizer, theirs))


@pytest.mark.parametrize("name", SWA)
def test_swa_sequence_of_rates(name):
    results = []
    for library in (torch, flambeau):
        optimizer = optimizer_of(library)
        before = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        scheduler = SWA[name](optimizer, library.optim.swa_utils)
        rates = [snapshot(optimizer, scheduler)]
        for step in range(12):
            optimizer.step()
            (before if step < 3 else scheduler).step()
            rates.append(snapshot(optimizer, scheduler))
        results.append((rates, {k: v for k, v in scheduler.state_dict().items() if k != "anneal_func"}))
    assert_close(results[1], results[0])


@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if "cyc" not in name])
def test_tensor_rates_are_changed_in_place(name):
    (their_optimizer, theirs), (optimizer, mine) = both(CONFIGURATIONS[name], "Adam", tensor=True)
    tensors = [group["lr"] for group in optimizer.param_groups]
    for _ in range(6):
        their_optimizer.step()
        optimizer.step()
        theirs.step()
        mine.step()
        for rate, their_rate in zip(mine.get_last_lr(), theirs.get_last_lr()):
            assert float(rate) == pytest.approx(float(their_rate), rel=1e-5, abs=1e-8)
    in_place = [group["lr"] is tensor for group, tensor in zip(optimizer.param_groups, tensors)]
    assert all(in_place) or name.startswith(("sequence", "chain-with-sequence"))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_state_dict_has_pytorchs_layout_and_is_taken_over(name):
    (their_optimizer, theirs), (optimizer, mine) = both(CONFIGURATIONS[name])
    for _ in range(4):
        their_optimizer.step()
        theirs.step()
    state = copy.deepcopy(theirs.state_dict())
    with contextlib.suppress(StopIteration):
        mine.load_state_dict(state)
    optimizer.load_state_dict(their_optimizer.state_dict())
    assert_close(mine.state_dict(), theirs.state_dict())
    for _ in range(8):
        their_optimizer.step()
        optimizer.step()
        theirs.step()
        mine.step()
        assert_close(snapshot(optimizer, mine), snapshot(their_optimizer, theirs))


@pytest.mark.filterwarnings("ignore:The epoch parameter")
@pytest.mark.parametrize(
    "name", [n for n in CONFIGURATIONS if not n.startswith(("sequence", "chain", "multiplicative"))]
)
def test_closed_forms(name):
    (their_optimizer, theirs), (optimizer, mine) = both(CONFIGURATIONS[name])
    for epoch in (1, 2, 3, 7, 4, 0, 11):
        their_optimizer.step()
        optimizer.step()
        theirs.step(epoch)
        mine.step(epoch)
        assert_close(snapshot(optimizer, mine), snapshot(their_optimizer, theirs))


@pytest.mark.parametrize("last_epoch", [0, 2, 4])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("LambdaLR", (halving,)),
        ("MultiplicativeLR", (halving,)),
        ("StepLR", (3,)),
        ("StepLR", (5,)),
        ("MultiStepLR", ([3, 5],)),
        ("ConstantLR", (0.5, 3)),
        ("LinearLR", (0.5, 1.0, 8)),
        ("ExponentialLR", (0.9,)),
        ("PolynomialLR", (9,)),
        ("CosineAnnealingLR", (7,)),
        ("CosineAnnealingWarmRestarts", (6,)),
    ],
)
def test_resuming(name, arguments, last_epoch):
    results = []
    for library in (torch, flambeau):
        optimizer = optimizer_of(library)
        for group in optimizer.param_groups:
            group["initial_lr"] = 2 * group["lr"]
        scheduler = getattr(library.optim.lr_scheduler, name)(optimizer, *arguments, last_epoch=last_epoch)
        rates = [snapshot(optimizer, scheduler)]
        for _ in range(6):
            optimizer.step()
            scheduler.step()
            rates.append(snapshot(optimizer, scheduler))
        results.append(rates)
    assert_close(results[1], results[0])


@pytest.mark.parametrize("name", [n for n in CONFIGURATIONS if not n.startswith(("sequence", "chain", "one-cycle"))])
def test_get_lr_outside_of_a_step_warns_and_looks_ahead(name):
    (_, theirs), (_, mine) = both(CONFIGURATIONS[name])
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        ahead = mine.get_lr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_close(ahead, theirs.get_lr())


PLATEAUS = [
    {"patience": 1},
    {"mode": "max", "patience": 0, "factor": 0.5, "cooldown": 2},
    {"threshold_mode": "abs", "threshold": 0.3, "patience": 1, "min_lr": [0.002, 0.01]},
    {"patience": 0, "eps": 0.02},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateau(options):
    (their_optimizer, theirs), (optimizer, mine) = both(lambda o, k: k.ReduceLROnPlateau(o, **options))
    assert_close(mine.state_dict(), theirs.state_dict())
    metrics = [3.0, 2.9, 2.95, 2.8, 2.9, 3.0, 2.79, 4.0, 4.1, 4.2, math.nan, 4.4, 1.0, 1.0, 1.0, 1.0, 1.0]
    for epoch, metric in enumerate(metrics):
        theirs.step(metric)
        mine.step(flambeau.tensor(metric, dtype=flambeau.float64) if epoch % 2 else metric)
        assert_close(snapshot(optimizer, mine), snapshot(their_optimizer, theirs))
    assert_close(mine.state_dict(), theirs.state_dict())
    fresh = optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    fresh.load_state_dict(theirs.state_dict())
    assert_close(fresh.state_dict(), theirs.state_dict())


def test_plateau_notices_new_groups():
    for library in (torch, flambeau):
        optimizer = optimizer_of(library)
        listed = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.0])
        single = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
        optimizer.add_param_group({"params": [library.ones(1, requires_grad=True)], "lr": 1.0})
        single.step(1.0)
        single.step(2.0)
        assert optimizer.param_groups[2]["lr"] == pytest.approx(0.1)
        listed.step(1.0)
        with pytest.raises(RuntimeError, match="The number of param groups in the `optimizer`"):
            listed.step(2.0)


def other(k, library):
    return k.ConstantLR(optimizer_of(library))


REFUSED = {
    "no-optimizer": lambda o, k, l: k.StepLR(3, 2),
    "no-optimizer-plateau": lambda o, k, l: k.ReduceLROnPlateau("x"),
    "no-optimizer-cyclic": lambda o, k, l: k.CyclicLR(3, 0.1, 0.2),
    "no-optimizer-one-cycle": lambda o, k, l: k.OneCycleLR(3, 0.1, 10),
    "resume": lambda o, k, l: k.StepLR(o, 2, last_epoch=3),
    "lambdas": lambda o, k, l: k.LambdaLR(o, [halving]),
    "multiplicative": lambda o, k, l: k.MultiplicativeLR(o, [halving]),
    "constant": lambda o, k, l: k.ConstantLR(o, 2.0),
    "linear-start": lambda o, k, l: k.LinearLR(o, 0),
    "linear-end": lambda o, k, l: k.LinearLR(o, 0.5, 2),
    "sequence-empty": lambda o, k, l: k.SequentialLR(o, [], []),
    "sequence-milestones": lambda o, k, l: k.SequentialLR(o, [k.ConstantLR(o)], [2]),
    "sequence-foreign": lambda o, k, l: k.SequentialLR(o, [k.ConstantLR(o), other(k, l)], [3]),
    "sequence-no-scheduler": lambda o, k, l: k.SequentialLR(o, [k.ConstantLR(o), 3], [3]),
    "sequence-plateau": lambda o, k, l: k.SequentialLR(o, [k.ConstantLR(o), k.ReduceLROnPlateau(o)], [3]),
    "chain-empty": lambda o, k, l: k.ChainedScheduler([]),
    "chain-foreign": lambda o, k, l: k.ChainedScheduler([k.ConstantLR(o), other(k, l)]),
    "chain-plateau": lambda o, k, l: k.ChainedScheduler([k.ReduceLROnPlateau(o)]),
    "plateau-factor": lambda o, k, l: k.ReduceLROnPlateau(o, factor=1.0),
    "plateau-mode": lambda o, k, l: k.ReduceLROnPlateau(o, mode="x"),
    "plateau-threshold": lambda o, k, l: k.ReduceLROnPlateau(o, threshold_mode="x"),
    "plateau-minima": lambda o, k, l: k.ReduceLROnPlateau(o, min_lr=[1]),
    "plateau-no-metric": lambda o, k, l: k.ReduceLROnPlateau(o).step("x"),
    "cyclic-mode": lambda o, k, l: k.CyclicLR(o, 0.01, 0.1, mode="x"),
    "cyclic-groups": lambda o, k, l: k.CyclicLR(o, [0.01], 0.1),
    "cyclic-momentum": lambda o, k, l: k.CyclicLR(optimizer_of(l, "Rprop"), 0.01, 0.1),
    "one-cycle-length": lambda o, k, l: k.OneCycleLR(o, 0.1),
    "one-cycle-steps": lambda o, k, l: k.OneCycleLR(o, 0.1, total_steps=-1),
    "one-cycle-epochs": lambda o, k, l: k.OneCycleLR(o, 0.1, epochs=-1, steps_per_epoch=3),
    "one-cycle-per-epoch": lambda o, k, l: k.OneCycleLR(o, 0.1, epochs=1, steps_per_epoch=-3),
    "one-cycle-share": lambda o, k, l: k.OneCycleLR(o, 0.1, 10, pct_start=2.0),
    "one-cycle-strategy": lambda o, k, l: k.OneCycleLR(o, 0.1, 10, anneal_strategy="x"),
    "one-cycle-momentum": lambda o, k, l: k.OneCycleLR(optimizer_of(l, "Rprop"), 0.1, 10),
    "one-cycle-over": lambda o, k, l: [o.step()] + [s.step() for s in [k.OneCycleLR(o, 0.1, 3)] * 6],
    "restarts-period": lambda o, k, l: k.CosineAnnealingWarmRestarts(o, 0),
    "restarts-factor": lambda o, k, l: k.CosineAnnealingWarmRestarts(o, 2, T_mult=1.5),
    "restarts-minimum": lambda o, k, l: k.CosineAnnealingWarmRestarts(o, 2, eta_min="x"),
    "restarts-epoch": lambda o, k, l: k.CosineAnnealingWarmRestarts(o, 2).step(-1),
    "swa-strategy": lambda o, k, l: l.optim.swa_utils.SWALR(o, 0.1, anneal_strategy="x"),
    "swa-epochs": lambda o, k, l: l.optim.swa_utils.SWALR(o, 0.1, anneal_epochs=-1),
    "swa-groups": lambda o, k, l: l.optim.swa_utils.SWALR(o, [0.1]),
    "base": lambda o, k, l: k.LRScheduler(o),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_read_like_pytorchs(name):
    errors = []
    for library in (torch, flambeau):
        with pytest.raises(Exception) as caught:
            REFUSED[name](optimizer_of(library), library.optim.lr_scheduler, library)
        errors.append((caught.type, str(caught.value)))
    assert errors[1] == errors[0]


def warnings_of(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [(warning.category, str(warning.message)) for warning in caught]


@pytest.mark.parametrize("situation", ["scheduler first", "overridden", "epoch", "in order"])
def test_warnings_are_pytorchs(situation):
    results = []
    for library in (torch, flambeau):
        optimizer = optimizer_of(library)
        scheduler = library.optim.lr_scheduler.StepLR(optimizer, 2)
        if situation == "overridden":
            optimizer.step = lambda: None
        elif situation != "scheduler first":
            optimizer.step()
        results.append(warnings_of(lambda s=scheduler: s.step(3) if situation == "epoch" else s.step()))
    assert results[1] == results[0]
    assert bool(results[1]) == (situation != "in order")


@pytest.mark.filterwarnings("ignore:Seems like")  # as in PyTorch, the copy does not watch its steps
def test_the_optimizer_and_its_scheduler_survive_a_deepcopy():
    optimizer = optimizer_of(flambeau)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    copied_optimizer, copied = copy.deepcopy((optimizer, scheduler))
    assert copied.optimizer is copied_optimizer
    copied_optimizer.step()
    copied.step()
    assert copied.get_last_lr() == [0.05, 0.025]
    assert scheduler.get_last_lr() == [0.1, 0.05]
