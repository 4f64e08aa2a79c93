"""State dictionaries: what is saved, what loading complains of, and hooks around both."""

from collections import OrderedDict

import pytest

import flambeau
from flambeau import nn


def net(lib):
    class Inner(lib.nn.Module):
        _version = 2

        def __init__(self):
            super().__init__()
            self.scale = lib.nn.Parameter(lib.ones(2))
            self.register_buffer("mean", lib.zeros(2))
            self.register_buffer("count", lib.tensor(0))
            self.register_buffer("scratch", lib.ones(1), persistent=False)
            self.register_parameter("none", None)

    return lib.nn.Sequential(lib.nn.Linear(1, 2), lib.nn.Sequential(Inner()))


class Extra:
    """A module with state that is not a tensor."""

    def __new__(cls, lib):
        class Stateful(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.extra = 1
                self.layer = lib.nn.Linear(1, 1)

            def get_extra_state(self):
                return self.extra

            def set_extra_state(self, state):
                self.extra = state

        return Stateful()


def _wrong_everywhere(lib, **options):
    state = net(lib).state_dict()
    state["0.weight"] = lib.ones(3, 3)
    state["1.0.count"] = lib.ones(2)
    state["1.1.zz"] = state["1.0.qq.zz"] = state["0.weight.x"] = 1
    del state["0.bias"]
    return net(lib).load_state_dict(state, **options)


def _scalar(lib):
    module = lib.nn.Module()
    module.scale = lib.nn.Parameter(lib.tensor(1.0))
    module.load_state_dict({"scale": lib.ones(1) * 3})
    return module.scale


def _assigned(lib, state, requires_grad=True):
    layer = lib.nn.Linear(2, 3).requires_grad_(requires_grad)
    result = layer.load_state_dict(state, assign=True)
    return result, [(p.dtype, p.requires_grad, type(p).__name__) for p in layer.parameters()]


def _hooked_saving(lib, answer=None, register="register_state_dict_post_hook"):
    log = []
    layer = lib.nn.Linear(1, 1)
    layer.register_state_dict_pre_hook(lambda module, prefix, keep: log.append((prefix, keep)))

    def after(module, state, prefix, metadata):
        log.append((list(state), prefix, metadata))
        return answer

    getattr(layer, register)(after)
    return list(lib.nn.Sequential(layer).state_dict()), log


def _hooked_loading(lib, answer=None, strict=False):
    log = []
    layer = lib.nn.Linear(2, 3)
    layer.register_load_state_dict_pre_hook(lambda module, *rest: log.append((type(module).__name__, *map(repr, rest))))
    layer._register_load_state_dict_pre_hook(lambda *rest: log.append(tuple(map(repr, rest))))

    def after(module, keys):
        log.append((keys.missing_keys[:], keys.unexpected_keys[:]))
        keys.missing_keys.clear()
        return answer

    layer.register_load_state_dict_post_hook(after)
    result = lib.nn.Sequential(layer).load_state_dict({"0.weight": lib.ones(3, 2), "q": 1}, strict=strict)
    return result, log


def _twice(lib, first, second):
    layer = lib.nn.Identity()

    def hook(*args):
        return None

    getattr(layer, first)(hook)
    getattr(layer, second)(hook)


CASES = {
    "keys": lambda lib: list(net(lib).state_dict()),
    "type": lambda lib: type(net(lib).state_dict()),
    "metadata": lambda lib: net(lib).state_dict()._metadata,
    "detached": lambda lib: [v.requires_grad for v in net(lib).state_dict().values()],
    "kept": lambda lib: [v.requires_grad for v in net(lib).state_dict(keep_vars=True).values()],
    "prefix": lambda lib: list(net(lib).state_dict(prefix="p.")),
    "positional": lambda lib: list(net(lib).state_dict(OrderedDict(), "p.", True)),
    "matches": lambda lib: net(lib).load_state_dict(net(lib).state_dict()),
    "not a mapping": lambda lib: net(lib).load_state_dict(3),
    "nothing": lambda lib: net(lib).load_state_dict({}),
    "nothing, not strict": lambda lib: net(lib).load_state_dict({"z": 1}, strict=False),
    "everything wrong": _wrong_everywhere,
    "everything wrong, not strict": lambda lib: _wrong_everywhere(lib, strict=False),
    "everything wrong, assign": lambda lib: _wrong_everywhere(lib, assign=True),
    "no tensor": lambda lib: lib.nn.Linear(1, 1).load_state_dict({"weight": 3, "bias": lib.ones(1)}),
    "scalar from a vector": _scalar,
    "vector from a scalar": lambda lib: lib.nn.Linear(1, 1).load_state_dict(
        {"weight": lib.tensor(1.0), "bias": lib.ones(1)}
    ),
    "assign": lambda lib: _assigned(lib, {"weight": lib.ones(3, 2, dtype=lib.float64), "bias": lib.ones(3)}),
    "assign frozen": lambda lib: _assigned(
        lib, {"weight": lib.nn.Parameter(lib.ones(3, 2)), "bias": lib.ones(3)}, requires_grad=False
    ),
    "assign integers": lambda lib: _assigned(lib, {"weight": lib.ones(3, 2, dtype=lib.int32), "bias": lib.ones(3)}),
    "extra state": lambda lib: list(Extra(lib).state_dict()),
    "extra state loaded": lambda lib: _loaded_extra(lib),
    "extra state missing": lambda lib: Extra(lib).load_state_dict({}),
    "extra state unexpected": lambda lib: lib.nn.Linear(1, 1).load_state_dict({"_extra_state": 3}),
    "extra state undefined": lambda lib: lib.nn.Identity().get_extra_state().count("x"),
    "saving hooks": _hooked_saving,
    "public post-hook returns": lambda lib: _hooked_saving(lib, 3),
    "private hook replaces": lambda lib: _hooked_saving(lib, {"a": 1}, "_register_state_dict_hook"),
    "loading hooks": _hooked_loading,
    "strict loading hooks": lambda lib: _hooked_loading(lib, strict=True),
    "loading hook returns": lambda lib: _hooked_loading(lib, 3),
    "public then private": lambda lib: _twice(lib, "register_state_dict_post_hook", "_register_state_dict_hook"),
}


def _loaded_extra(lib):
    module = Extra(lib)
    module.load_state_dict({**module.state_dict(), "_extra_state": 5})
    return module.extra


@pytest.mark.parity
@pytest.mark.parametrize("case", [name for name in CASES if name != "extra state undefined"])
def test_state(agree, case):
    agree(CASES[case])


def test_extra_state_is_for_subclasses():
    with pytest.raises(RuntimeError, match="should never be called"):
        nn.Identity().get_extra_state()
    with pytest.raises(RuntimeError, match="should never be called"):
        nn.Identity().set_extra_state(1)


def test_loading_copies_and_assigning_does_not():
    layer = nn.Linear(2, 2)
    weight, given = layer.weight, flambeau.ones(2, 2)
    state = {"weight": given, "bias": flambeau.zeros(2)}
    layer.load_state_dict(state)
    assert layer.weight is weight and weight.tolist() == given.tolist() and weight.data_ptr() != given.data_ptr()
    layer.load_state_dict(state, assign=True)
    assert layer.weight is not weight and layer.weight.data_ptr() == given.data_ptr()


def test_state_dict_shares_memory():
    layer = nn.Linear(1, 1)
    state = layer.state_dict()
    with flambeau.no_grad():
        layer.weight.fill_(7.0)
    assert state["weight"].item() == 7.0


def test_loading_does_not_change_the_given_dictionary():
    state = OrderedDict(net(flambeau).state_dict())
    keys = list(state)
    net(flambeau).load_state_dict(state)
    assert list(state) == keys
