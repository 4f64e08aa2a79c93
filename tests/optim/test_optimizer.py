"""Parameter groups, hooks, checkpoints and errors of the base class."""

import copy
import io
import pickle
import re

import numpy as np
import pytest

import flambeau
from flambeau import optim
from flambeau.optim import optimizer as base

torch = pytest.importorskip("torch")

NAMES = [name for name in torch.optim.__dict__ if name[0].isupper() and name not in ("Optimizer", "LBFGS")]
DENSE = [name for name in NAMES if name != "SparseAdam"]


def parameter(library=flambeau, value=1.0, shape=(2, 2)):
    return library.nn.Parameter(library.full(shape, value))


def stepped(library, name, count=2, steps=1, **options):
    """An optimizer of ``library`` that has made some steps, with two groups."""
    params = [parameter(library, 1.0 + index) for index in range(count)]
    optimizer = getattr(library.optim, name)([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], **options)
    for step in range(steps):
        for index, entry in enumerate(params):
            entry.grad = library.full((2, 2), 0.25 * (step + 1) - 0.1 * index)
        optimizer.step()
    return optimizer, params


def plain(value):
    """State with tensors as lists, to compare across libraries."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(entry) for entry in value)
    if hasattr(value, "numpy"):
        return (str(value.dtype).split(".")[1], np.round(value.detach().numpy().astype(float), 6).tolist())
    return value


def across(value, library):
    """State of one library with the tensors of another."""
    if isinstance(value, dict):
        return {key: across(entry, library) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(across(entry, library) for entry in value)
    return library.tensor(np.array(value.detach().numpy())) if hasattr(value, "numpy") else value


@pytest.mark.parametrize("name", NAMES)
def test_options_and_repr_are_pytorchs(name):
    mine = getattr(optim, name)([parameter()])
    theirs = getattr(torch.optim, name)([parameter(torch)])
    assert mine.defaults == theirs.defaults
    assert list(mine.param_groups[0]) == list(theirs.param_groups[0])
    assert repr(mine) == repr(theirs)


def test_repr_of_two_groups_and_of_names():
    texts = []
    for library in (torch, flambeau):
        optimizer = library.optim.SGD(
            [{"params": [("a", parameter(library))]}, {"params": [("b", parameter(library))], "lr": 0.5}]
        )
        texts.append(repr(optimizer))
    assert texts[1] == texts[0]


@pytest.mark.parity
@pytest.mark.parametrize("name", DENSE)
def test_state_dict_goes_both_ways(name):
    theirs, their_params = stepped(torch, name, steps=3)
    mine, params = stepped(flambeau, name, steps=3)
    if name != "Muon":
        assert plain(mine.state_dict()) == plain(theirs.state_dict())
    there = getattr(torch.optim, name)([{"params": their_params[:1]}, {"params": their_params[1:]}])
    there.load_state_dict(across(mine.state_dict(), torch))
    here = getattr(optim, name)([{"params": params[:1]}, {"params": params[1:]}])
    here.load_state_dict(across(theirs.state_dict(), flambeau))
    for library, optimizer, entries in ((torch, there, their_params), (flambeau, here, params)):
        for entry in entries:
            entry.grad = library.full((2, 2), -0.3)
        optimizer.step()
    tolerance = 1e-2 if name == "Muon" else 1e-6
    for their, own in zip(their_params, params):
        np.testing.assert_allclose(own.detach().numpy(), their.detach().numpy(), rtol=tolerance)
    if name != "Muon":
        assert plain(here.state_dict()) == plain(there.state_dict())


def test_loaded_state_follows_its_parameter_but_steps_do_not():
    source, _ = stepped(flambeau, "Adam")
    wide = flambeau.nn.Parameter(flambeau.ones(2, 2, dtype=flambeau.float64))
    target = optim.Adam([{"params": [wide]}, {"params": [parameter()]}])
    target.load_state_dict(source.state_dict())
    assert target.state[wide]["exp_avg"].dtype == flambeau.float64
    assert target.state[wide]["step"].dtype == flambeau.float32
    assert target.param_groups[1]["lr"] == 0.5


def test_the_step_count_is_the_users_tensor():
    optimizer, (first, _) = stepped(flambeau, "Adam")
    count = optimizer.state[first]["step"]
    assert isinstance(count, flambeau.Tensor)
    assert count.dtype == flambeau.float32
    assert count.shape == ()
    assert count.item() == 1
    count.fill_(10)  # in place ...
    optimizer.step()
    assert count.item() == 11
    assert optimizer.state_dict()["state"][0]["step"] is count
    optimizer.state[first]["step"] = flambeau.tensor(20.0)  # ... or replaced
    optimizer.step()
    assert optimizer.state[first]["step"].item() == 21
    assert count.item() == 11


def test_older_checkpoints_with_plain_numbers_and_fewer_options():
    optimizer, (first, _) = stepped(flambeau, "Adam")
    state = copy.deepcopy(optimizer.state_dict())
    for entry in state["state"].values():
        entry["step"] = 4
    for group in state["param_groups"]:
        del group["maximize"], group["decoupled_weight_decay"]
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["maximize"] is False
    assert optimizer.state[first]["step"].item() == 4
    optimizer.step()
    assert optimizer.state[first]["step"].item() == 5


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda optimizer: pickle.loads(pickle.dumps(optimizer))])
def test_copies_are_independent_and_go_on(copy_of):
    optimizer, (first, _) = stepped(flambeau, "Adam")
    optimizer.register_step_post_hook(lambda *_: None)
    other = copy_of(optimizer)
    twin = other.param_groups[0]["params"][0]
    assert twin is not first
    assert twin in other.state
    twin.grad = first.grad = flambeau.ones(2, 2)
    other.step()
    assert first[0, 0].item() != twin[0, 0].item()
    optimizer.step()
    np.testing.assert_array_equal(first.detach().numpy(), twin.detach().numpy())
    assert optimizer.state[first]["step"].item() == other.state[twin]["step"].item() == 2


@pytest.mark.parity
def test_a_checkpoint_file_is_read_by_pytorch():
    if not hasattr(flambeau, "save"):
        pytest.skip("serialization is not there yet")
    optimizer, _ = stepped(flambeau, "Adam")
    file = io.BytesIO()
    flambeau.save(optimizer.state_dict(), file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    assert plain(loaded) == plain(optimizer.state_dict())


@pytest.mark.parametrize("library", [torch, flambeau], ids=["torch", "flambeau"])
def test_step_hooks(library):
    optimizer, _ = stepped(library, "SGD")
    seen = []
    pre = optimizer.register_step_pre_hook(lambda *call: seen.append(("pre", *call)))
    post = optimizer.register_step_post_hook(lambda *call: seen.append(("post", *call)))
    closure = lambda: 3.0
    assert optimizer.step(closure) == 3.0
    assert optimizer.step(closure=closure) == 3.0
    assert seen == [
        ("pre", optimizer, (optimizer, closure), {}),
        ("post", optimizer, (optimizer, closure), {}),
        ("pre", optimizer, (optimizer,), {"closure": closure}),
        ("post", optimizer, (optimizer,), {"closure": closure}),
    ]
    pre.remove()
    post.remove()
    replace = optimizer.register_step_pre_hook(lambda *call: ((call[0], lambda: 7.0), {}))
    assert optimizer.step() == 7.0
    replace.remove()
    optimizer.register_step_pre_hook(lambda *call: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3"):
        optimizer.step()


@pytest.mark.parametrize(
    "module", [pytest.importorskip("torch.optim.optimizer"), base], ids=["torch", "flambeau"]
)
def test_global_hooks(module):
    library = torch if module is not base else flambeau
    optimizer, _ = stepped(library, "SGD")
    seen = []
    pre = module.register_optimizer_step_pre_hook(lambda *call: seen.append("pre"))
    post = module.register_optimizer_step_post_hook(lambda *call: seen.append("post"))
    own = optimizer.register_step_pre_hook(lambda *call: seen.append("own"))
    optimizer.step()
    assert seen == ["pre", "own", "post"]
    for handle in (pre, post, own):
        handle.remove()
    optimizer.step()
    assert len(seen) == 3


@pytest.mark.parametrize("library", [torch, flambeau], ids=["torch", "flambeau"])
def test_checkpoint_hooks(library):
    optimizer, _ = stepped(library, "SGD")
    seen = []
    optimizer.register_state_dict_pre_hook(lambda opt: seen.append("second"))
    optimizer.register_state_dict_pre_hook(lambda opt: seen.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda opt, state: {**state, "extra": 1})
    optimizer.register_state_dict_post_hook(lambda opt, state: seen.append(state["extra"]))
    state = optimizer.state_dict()
    assert seen == ["first", "second", 1]
    optimizer.register_load_state_dict_pre_hook(lambda opt, state: {**state, "param_groups": state["groups"]})
    optimizer.register_load_state_dict_post_hook(lambda opt: seen.append("loaded"))
    groups = state.pop("param_groups")
    optimizer.load_state_dict({**state, "groups": groups})
    assert seen[3:] == ["loaded"]


@pytest.mark.parametrize("library", [torch, flambeau], ids=["torch", "flambeau"])
def test_a_users_own_optimizer(library):
    class Descent(library.optim.Optimizer):
        def __init__(self, params, lr=base.required if library is flambeau else 0.5):
            super().__init__(params, {"lr": lr})

        @library.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for entry in group["params"]:
                    entry.add_(entry.grad, alpha=-group["lr"])

    class Named(Descent):
        def step(self, closure=None):
            seen.append("own")
            return super().step(closure)

    seen = []
    entry = parameter(library)
    entry.grad = library.ones(2, 2)
    optimizer = Named([entry], lr=0.25)
    optimizer.register_step_post_hook(lambda *_: seen.append("hook"))
    optimizer.step()
    assert seen == ["own", "hook"]
    assert entry[0, 0].item() == 0.75
    if library is flambeau:
        with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
            Descent([entry])
        with pytest.raises(NotImplementedError):
            optim.Optimizer([entry], {}).step()


def test_closure_runs_with_gradients_and_its_loss_is_returned():
    weight = parameter()
    optimizer = optim.SGD([weight], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    with flambeau.no_grad():
        assert optimizer.step(closure).item() == 4
        assert not flambeau.is_grad_enabled()
    assert weight.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("library", [torch, flambeau], ids=["torch", "flambeau"])
def test_zero_grad(library):
    optimizer, (first, second) = stepped(library, "SGD")
    gradient = first.grad
    second.grad = (second * 2).detach().requires_grad_()
    optimizer.zero_grad(set_to_none=False)
    assert first.grad is gradient
    assert first.grad.tolist() == [[0, 0], [0, 0]]
    assert not second.grad.requires_grad
    optimizer.zero_grad()
    assert first.grad is None
    optimizer.step()
    assert first.grad is None


GROUPS = {
    "tensor": lambda p, l: p(),
    "empty": lambda p, l: [],
    "string": lambda p, l: "abc",
    "number": lambda p, l: 3,
    "numbers": lambda p, l: [1, 2],
    "set in group": lambda p, l: [{"params": {p(), p()}}],
    "in two groups": lambda p, l: (lambda a: [{"params": [a]}, {"params": [a, p()]}])(p()),
    "non-leaf": lambda p, l: [p() * 2],
    "some names": lambda p, l: [("a", p()), p()],
    "names later": lambda p, l: [p(), ("a", p())],
    "groups without names": lambda p, l: [{"params": [("a", p())]}, {"params": [p()]}],
    "groups with names": lambda p, l: [{"params": [p()]}, {"params": [("a", p())]}],
    "no params": lambda p, l: [{"lr": 1}],
    "dict then tensor": lambda p, l: [{"params": p()}, 3],
    "tensor then dict": lambda p, l: [p(), {"params": p()}],
}


@pytest.mark.parity
@pytest.mark.parametrize("case", GROUPS)
def test_bad_parameters(case):
    errors = []
    for library in (torch, flambeau):
        with pytest.raises(Exception) as caught:
            library.optim.SGD(GROUPS[case](lambda: parameter(library), library))
        errors.append((caught.type, re.sub("flambeau", "torch", str(caught.value))))
    assert errors[1] == errors[0]


def test_duplicates_warn():
    weight = parameter()
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([weight, weight])


BAD_OPTIONS = {
    "lr": [-1.0, [1.0, 2.0]],
    "momentum": [-1.0],
    "weight_decay": [-1.0],
    "eps": [-1.0, (-1.0, 1e-3), (None, -1e-3)],
    "betas": [(1.0, 0.999), (0.9, 1.0)],
    "rho": [2.0],
    "alpha": [-1.0],
    "lr_decay": [-1.0],
    "initial_accumulator_value": [-1.0],
    "etas": [(1.5, 1.2)],
    "momentum_decay": [-1.0],
    "beta2_decay": [1.0],
    "d": [-1.0],
    "nesterov": [True],
    "adjust_lr_fn": ["x"],
    "fused": [True],
}


@pytest.mark.parity
@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_bad_options(name):
    known = getattr(torch.optim, name)([parameter(torch)]).defaults
    for option, values in BAD_OPTIONS.items():
        for value in values if option in known else ():
            outcomes = []
            for library in (torch, flambeau):
                given = {option: library.tensor(value) if isinstance(value, list) else value}
                if option == "fused":
                    given["foreach"] = True
                try:
                    getattr(library.optim, name)([parameter(library)], **given)
                    outcomes.append(None)
                except Exception as error:
                    outcomes.append((type(error), str(error)))
            assert outcomes[1] == outcomes[0], (option, value)


@pytest.mark.parity
def test_error_inputs_of_the_database():
    database = pytest.importorskip("torch.testing._internal.common_optimizers")
    checked = 0
    for info in database.optim_db:
        for entry in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
            given = entry.optimizer_error_input
            if entry.error_type is UserWarning or ("Sparse" in entry.error_regex and "dense" in given.desc):
                continue
            with pytest.raises(entry.error_type, match=entry.error_regex):
                params = [parameter()] if given.params is None else retyped(given.params)
                optimizer = getattr(optim, info.name)(
                    params, **{key: retyped(value) for key, value in given.kwargs.items()}
                )
                optimizer.step()  # some refuse only here
            checked += 1
    assert checked > 20


def retyped(value, known=None):
    """The same value with flambeau's tensors; one tensor that occurs twice stays one."""
    known = {} if known is None else known
    if isinstance(value, torch.Tensor):
        if id(value) not in known:
            made = known[id(value)] = flambeau.tensor(value.detach().numpy(), requires_grad=value.requires_grad)
            made.grad = retyped(value.grad)
        return known[id(value)]
    if isinstance(value, dict):
        return {key: retyped(entry, known) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(retyped(entry, known) for entry in value)
    return value


@pytest.mark.parity
def test_loading_what_does_not_fit():
    for library in (torch, flambeau):
        optimizer, params = stepped(library, "SGD", count=3)
        state = optimizer.state_dict()
        with pytest.raises(ValueError, match="different number of parameter groups"):
            library.optim.SGD(params).load_state_dict(state)
        with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
            library.optim.SGD([{"params": params[:2]}, {"params": params[2:]}]).load_state_dict(state)
        with pytest.raises(KeyError):
            library.optim.SGD(params).load_state_dict({})


@pytest.mark.parity
def test_names_survive_loading():
    for library in (torch, flambeau):
        weight = parameter(library)
        named = library.optim.SGD([("weight", weight)])
        unnamed = library.optim.SGD([weight])
        named.load_state_dict(unnamed.state_dict())
        assert named.param_groups[0]["param_names"] == ["weight"]
        unnamed.load_state_dict(named.state_dict())
        assert unnamed.param_groups[0]["param_names"] == ["weight"]


@pytest.mark.parity
def test_swapping_parameters_and_state():
    results = []
    for library in (torch, flambeau):
        optimizer, params = stepped(library, "Adam")
        before = plain(optimizer.state_dict())
        state = copy.deepcopy(optimizer.state_dict())
        state["param_groups"][0]["lr"] = 0.25
        others = {"a": parameter(library, 5.0).detach(), "b": parameter(library, 6.0).detach()}
        with library.optim.swap_in_optimizer_params_and_state(optimizer, others, state):
            for other in others.values():
                other.grad = library.ones(2, 2)
            optimizer.step()
        assert plain(optimizer.state_dict()) == before
        assert optimizer.param_groups[0]["params"] == params[:1]
        results.append((plain(state), plain(others)))
        for bad_params, bad_state in [({}, state), (others, {}), (others, {**state, "param_groups": []})]:
            with (
                pytest.raises(RuntimeError),
                library.optim.swap_in_optimizer_params_and_state(optimizer, bad_params, bad_state),
            ):
                pass
    assert results[1] == results[0]
