"""``Module`` does what PyTorch's does: attributes, tree, conversion, printing, copying."""

import copy
import pickle
import threading

import pytest

import flambeau
from flambeau import nn


def plain(lib):
    return type("Plain", (lib.nn.Module,), {})


class Uninitialised:
    """A module whose ``__init__`` never called its parent's."""

    def __new__(cls, lib):
        return type("NoInit", (lib.nn.Module,), {"__init__": lambda self: None})()


def shared(lib):
    """A module that holds one layer three times."""

    class Net(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = lib.nn.Linear(1, 1)
            self.b = self.a
            self.c = lib.nn.Sequential(self.a, lib.nn.Identity())

        def extra_repr(self):
            return "line1\nline2"

    return Net()


def with_state(lib):
    class Stateful(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", lib.zeros(2))
            self.register_buffer("scratch", lib.ones(1), persistent=False)
            self.register_buffer("absent", None)
            self.register_parameter("none", None)
            self.weight = lib.nn.Parameter(lib.ones(2))
            self.inner = lib.nn.Linear(2, 1)

    return Stateful()


ATTRIBUTES = {
    "call without forward": lambda lib: plain(lib)()(1),
    "assign parameter before init": lambda lib: setattr(Uninitialised(lib), "w", lib.nn.Parameter(lib.ones(1))),
    "assign module before init": lambda lib: setattr(Uninitialised(lib), "w", lib.nn.Identity()),
    "assign buffer before init": lambda lib: setattr(Uninitialised(lib), "w", lib.nn.Buffer(lib.ones(1))),
    "register buffer before init": lambda lib: Uninitialised(lib).register_buffer("w", lib.ones(1)),
    "register parameter before init": lambda lib: Uninitialised(lib).register_parameter("w", None),
    "add module before init": lambda lib: Uninitialised(lib).add_module("w", lib.nn.Identity()),
    "parameters before init": lambda lib: list(Uninitialised(lib).parameters()),
    "unknown attribute": lambda lib: lib.nn.Identity().foo,
    "delete unknown": lambda lib: delattr(lib.nn.Identity(), "foo"),
    "tensor as parameter": lambda lib: setattr(lib.nn.Linear(2, 2), "weight", lib.ones(1)),
    "int as parameter": lambda lib: setattr(lib.nn.Linear(2, 2), "weight", 3),
    "parameter to none": lambda lib: setattr(lib.nn.Linear(2, 2), "weight", None),
    "int as module": lambda lib: setattr(lib.nn.Sequential(lib.nn.Identity()), "0", 3),
    "int as buffer": lambda lib: setattr(with_state(lib), "mean", 3),
    "register int buffer": lambda lib: lib.nn.Identity().register_buffer("w", 3),
    "register int parameter": lambda lib: lib.nn.Identity().register_parameter("w", 3),
    "register tensor parameter": lambda lib: lib.nn.Identity().register_parameter("w", lib.ones(1)),
    "add int": lambda lib: lib.nn.Identity().add_module("w", 3),
    "keyword to init": lambda lib: plain(lib)(a=1),
    "argument to init": lambda lib: lib.nn.Module(1, 2),
    "dir": lambda lib: [name for name in dir(lib.nn.Linear(1, 1)) if not name.startswith("_")],
    "state of a new module": lambda lib: {key: type(value) for key, value in lib.nn.Module().__dict__.items()},
    "failing property": lambda lib: type("P", (lib.nn.Module,), {"foo": property(lambda self: self.bar)})().foo,
}
for _name in (3, "a.b", "", "weight", "foo", "training", "forward"):
    ATTRIBUTES[f"buffer named {_name!r}"] = lambda lib, name=_name: lib.nn.Linear(1, 1).register_buffer(
        name, lib.ones(1)
    )
    ATTRIBUTES[f"parameter named {_name!r}"] = lambda lib, name=_name: lib.nn.Linear(1, 1).register_parameter(
        name, lib.nn.Parameter(lib.ones(1))
    )
    ATTRIBUTES[f"module named {_name!r}"] = lambda lib, name=_name: lib.nn.Linear(1, 1).add_module(
        name, lib.nn.Identity()
    )


@pytest.mark.parity
@pytest.mark.parametrize("case", ATTRIBUTES)
def test_attributes(agree, case):
    agree(ATTRIBUTES[case])


def _moved(lib, value):
    """Where a name is registered after ``value`` was assigned to it, whatever it was before."""
    found = []
    for before in (lib.nn.Parameter(lib.ones(1)), lib.nn.Identity(), lib.nn.Buffer(lib.ones(1)), 5):
        module = lib.nn.Module()
        module.x = before
        module.x = value(lib)
        tables = ("_parameters", "_buffers", "_modules", "__dict__")
        found.append([table for table in tables if "x" in getattr(module, table)])
        del module.x
        found.append(hasattr(module, "x"))
    return found


@pytest.mark.parity
@pytest.mark.parametrize(
    "value",
    [
        lambda lib: lib.nn.Parameter(lib.ones(2)),
        lambda lib: lib.nn.Identity(),
        lambda lib: lib.nn.Buffer(lib.ones(2), persistent=False),
    ],
)
def test_assignment_moves_a_name(agree, value):
    agree(lambda lib: _moved(lib, value))


FINDING = {
    "empty path": lambda lib: type(shared(lib).get_submodule("")).__name__,
    "nested": lambda lib: shared(lib).get_submodule("c.1"),
    "missing": lambda lib: shared(lib).get_submodule("c.foo"),
    "not a module": lambda lib: shared(lib).get_submodule("a.weight"),
    "parameter": lambda lib: shared(lib).get_parameter("a.weight").shape,
    "missing parameter": lambda lib: shared(lib).get_parameter("a.foo"),
    "not a parameter": lambda lib: shared(lib).get_parameter("a.training"),
    "buffer": lambda lib: with_state(lib).get_buffer("mean"),
    "not a buffer": lambda lib: with_state(lib).get_buffer("weight"),
    "missing buffer": lambda lib: with_state(lib).get_buffer("foo"),
    "set nothing": lambda lib: shared(lib).set_submodule("", lib.nn.Identity()),
    "set int": lambda lib: shared(lib).set_submodule("a", 3),
    "set strictly": lambda lib: shared(lib).set_submodule("q", lib.nn.Identity(), strict=True),
    "set over an attribute": lambda lib: shared(lib).set_submodule("training", lib.nn.Identity()),
    "set nowhere": lambda lib: shared(lib).set_submodule("q.r", lib.nn.Identity()),
    "named_modules": lambda lib: [name for name, _ in shared(lib).named_modules()],
    "named_modules with duplicates": lambda lib: [n for n, _ in shared(lib).named_modules(remove_duplicate=False)],
    "modules with duplicates": lambda lib: len(list(shared(lib).modules(remove_duplicate=False))),
    "named_children": lambda lib: [name for name, _ in shared(lib).named_children()],
    "named_parameters": lambda lib: [name for name, _ in shared(lib).named_parameters("p")],
    "named_parameters with duplicates": lambda lib: [
        name for name, _ in shared(lib).named_parameters("p", remove_duplicate=False)
    ],
    "own parameters": lambda lib: [name for name, _ in with_state(lib).named_parameters(recurse=False)],
    "named_buffers": lambda lib: [name for name, _ in with_state(lib).named_buffers("p")],
    "apply": lambda lib: _visited(shared(lib)),
    "print": shared,
    "print one line": lambda lib: type("Ex", (lib.nn.Module,), {"extra_repr": lambda self: "a=1"})(),
    "print own name": lambda lib: type("Ex", (lib.nn.Module,), {"_get_name": lambda self: "Other"})(),
}


def _visited(module):
    names = []
    module.apply(lambda each: names.append(type(each).__name__))
    return names


@pytest.mark.parity
@pytest.mark.parametrize("case", FINDING)
def test_finding_and_printing(agree, case):
    agree(FINDING[case])


def test_set_submodule_replaces():
    module = shared(flambeau)
    module.set_submodule("c.0", nn.Identity())
    assert isinstance(module.c[0], nn.Identity)


CONVERSION = {
    "integer dtype": lambda lib: with_state(lib).to(lib.int64),
    "float64": lambda lib: [p.dtype for p in with_state(lib).to(lib.float64).parameters()],
    "buffers too": lambda lib: [b.dtype for b in with_state(lib).to(lib.float64).buffers()],
    "device and dtype": lambda lib: with_state(lib).to("cpu", lib.float64, non_blocking=True).weight.dtype,
    "like a tensor": lambda lib: with_state(lib).to(lib.ones(1, dtype=lib.float64)).weight.dtype,
    "tensor by keyword": lambda lib: with_state(lib).to(tensor=lib.ones(1, dtype=lib.float64)).weight.dtype,
    "nothing": lambda lib: with_state(lib).to().weight.dtype,
    "copy": lambda lib: with_state(lib).to(lib.float32, copy=True),
    "list": lambda lib: with_state(lib).to([1]),
    "double": lambda lib: with_state(lib).double().mean.dtype,
    "half": lambda lib: with_state(lib).half().mean.dtype,
    "bfloat16": lambda lib: with_state(lib).bfloat16().mean.dtype,
    "type": lambda lib: with_state(lib).type(lib.float64).mean.dtype,
    "to_empty": lambda lib: with_state(lib).to_empty(device="cpu").weight.shape,
    "to_empty without a device": lambda lib: with_state(lib).to_empty(),
    "train": lambda lib: [m.training for m in with_state(lib).train().modules()],
    "eval": lambda lib: [m.training for m in with_state(lib).eval().modules()],
    "train int": lambda lib: with_state(lib).train(1),
    "requires_grad_": lambda lib: [p.requires_grad for p in with_state(lib).requires_grad_(False).parameters()],
}


@pytest.mark.parity
@pytest.mark.parametrize("case", CONVERSION)
def test_conversion(agree, case):
    agree(CONVERSION[case])


def test_conversion_keeps_the_parameter():
    layer = nn.Linear(2, 1)
    layer(flambeau.ones(1, 2)).sum().backward()
    weight, gradient = layer.weight, layer.weight.grad
    layer.double()
    assert layer.weight is weight and weight.dtype == flambeau.float64
    assert weight.grad is gradient and gradient.dtype == flambeau.float64
    assert weight.requires_grad and not gradient.requires_grad


def test_zero_grad():
    layer = nn.Linear(2, 1)
    layer(flambeau.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0.0, 0.0]]
    layer.zero_grad()
    assert layer.weight.grad is None


def test_deepcopy_has_its_own_tensors_and_hooks():
    layer = nn.Sequential(nn.Linear(2, 1))
    seen = []
    layer.register_forward_hook(lambda module, args, output: seen.append(module))
    twin = copy.deepcopy(layer)
    assert twin[0].weight is not layer[0].weight
    assert twin[0].weight.tolist() == layer[0].weight.tolist()
    twin(flambeau.ones(1, 2))
    assert seen == [twin]


def test_pickle_keeps_everything_but_the_compiled_call():
    layer = shared(flambeau).c
    layer._compiled_call_impl = lambda *args: None
    twin = pickle.loads(pickle.dumps(layer))
    assert twin[0].weight.tolist() == layer[0].weight.tolist()
    assert twin._compiled_call_impl is None


def test_pickle_of_a_handle_still_removes_its_hook():
    layer = nn.Identity()
    layer.handle = layer.register_forward_hook(_double)
    twin = pickle.loads(pickle.dumps(layer))
    assert twin(1) == 2
    twin.handle.remove()
    assert twin(1) == 1 and layer(1) == 2


def _double(module, args, output):
    return output * 2


def test_older_pickles_get_the_newer_tables():
    layer = nn.Identity()
    state = {key: value for key, value in layer.__dict__.items() if "hooks" not in key}
    old = nn.Identity.__new__(nn.Identity)
    old.__setstate__(state)
    assert old(3) == 3


def test_global_registration_hooks():
    from flambeau.nn.modules.module import (
        register_module_buffer_registration_hook,
        register_module_module_registration_hook,
        register_module_parameter_registration_hook,
    )

    seen = []

    def note(module, name, value):
        seen.append(name)

    registrations = [
        register_module_buffer_registration_hook(note),
        register_module_module_registration_hook(note),
        register_module_parameter_registration_hook(note),
    ]
    try:
        with_state(flambeau)
    finally:
        for handle in registrations:
            handle.remove()
    assert seen == ["mean", "scratch", "absent", "weight", "weight", "bias", "inner"]


def test_only_the_outermost_call_without_grad_synchronizes(monkeypatch):
    calls = []
    monkeypatch.setattr("flambeau.nn.module.synchronize", lambda: calls.append(threading.get_ident()))
    model = nn.Sequential(nn.Sequential(nn.Identity()), nn.Identity())
    x = flambeau.ones(1)
    model(x)
    assert calls == []
    with flambeau.no_grad():
        model(x)
    assert len(calls) == 1


def test_a_failing_call_without_grad_leaves_the_next_one_outermost(monkeypatch):
    calls = []
    monkeypatch.setattr("flambeau.nn.module.synchronize", lambda: calls.append(1))
    with flambeau.no_grad():
        with pytest.raises(NotImplementedError):
            nn.Module()(1)
        nn.Identity()(1)
    assert calls == [1]


def test_compile_replaces_the_call():
    layer = nn.Identity()
    layer._compiled_call_impl = lambda *args: "compiled"
    assert layer(1) == "compiled"


@pytest.mark.parity
def test_paths_of_pytorch():
    torch = pytest.importorskip("torch")
    import importlib

    files = ("module", "container", "linear", "activation", "batchnorm", "instancenorm", "normalization", "dropout")
    for file in (*files, "padding", "sparse", "flatten", "lazy"):
        theirs = importlib.import_module(f"torch.nn.modules.{file}")
        ours = importlib.import_module(f"flambeau.nn.modules.{file}")
        classes = [n for n, v in vars(theirs).items() if isinstance(v, type) and v.__module__ == theirs.__name__]
        missing = [name for name in classes if not hasattr(ours, name)]
        assert [name for name in missing if not name.startswith("_") and name in torch.nn.__dict__] in (
            [],
            ["MultiheadAttention"],
        )
