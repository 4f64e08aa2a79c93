"""Sequential, lists and dictionaries of modules and parameters behave and print as PyTorch's."""

import pytest

import flambeau
from flambeau import nn


def linear(lib, *sizes):
    return lib.nn.Linear(*(sizes or (1, 1)))


def row(lib):
    return lib.nn.Sequential(linear(lib, 1, 2), lib.nn.Identity(), linear(lib, 2, 1))


def listed(lib):
    return lib.nn.ModuleList([linear(lib, 1, 2), linear(lib, 1, 2), lib.nn.Identity(), linear(lib, 1, 2)])


def named(lib):
    return lib.nn.ModuleDict({"a": linear(lib), "b": lib.nn.Identity()})


def values(lib):
    return lib.nn.ParameterList([lib.ones(2), lib.nn.Parameter(lib.ones(2, 3)), 3, "abc", linear(lib)])


def mapping(lib):
    return lib.nn.ParameterDict({"b": lib.ones(2), "a": lib.nn.Parameter(lib.ones(2, 3)), "c": 3})


def after(container, action):
    """The container once ``action`` is done with it, and what that returned."""
    result = action(container)
    return container, None if result is container else result


SEQUENTIAL = {
    "print": lambda s, lib: s,
    "index": lambda s, lib: s[-1],
    "index too large": lambda s, lib: s[5],
    "index too small": lambda s, lib: s[-4],
    "index of text": lambda s, lib: s["0"],
    "slice": lambda s, lib: s[1:],
    "delete": lambda s, lib: s.__delitem__(1),
    "delete slice": lambda s, lib: s.__delitem__(slice(0, 2)),
    "add": lambda s, lib: s + s,
    "add int": lambda s, lib: s + 3,
    "times": lambda s, lib: s * 2,
    "times from the left": lambda s, lib: 2 * s,
    "times zero": lambda s, lib: s * 0,
    "times float": lambda s, lib: s * 1.0,
    "in-place add": lambda s, lib: s.__iadd__(row(lib)),
    "in-place add int": lambda s, lib: s.__iadd__(3),
    "in-place times": lambda s, lib: s.__imul__(2),
    "in-place times zero": lambda s, lib: s.__imul__(0),
    "append": lambda s, lib: s.append(linear(lib)),
    "append int": lambda s, lib: s.append(3),
    "insert": lambda s, lib: s.insert(0, linear(lib)),
    "insert from the end": lambda s, lib: s.insert(-1, linear(lib)),
    "insert too far": lambda s, lib: s.insert(100, linear(lib)),
    "insert int": lambda s, lib: s.insert(0, 3),
    "extend": lambda s, lib: s.extend([linear(lib)]),
    "extend int": lambda s, lib: s.extend(3),
    "extend ints": lambda s, lib: s.extend([3]),
    "pop": lambda s, lib: s.pop(0),
    "pop too far": lambda s, lib: s.pop(100),
    "set": lambda s, lib: s.__setitem__(0, lib.nn.Identity()),
    "set too far": lambda s, lib: s.__setitem__(100, lib.nn.Identity()),
    "length": lambda s, lib: len(s),
    "iterate": lambda s, lib: list(s),
    "names": lambda s, lib: [name for name in dir(s) if name.isdigit()],
    "two arguments": lambda s, lib: s(1, 2),
    "from a dict": lambda s, lib: lib.nn.Sequential({"a": linear(lib)}),
    "empty": lambda s, lib: lib.nn.Sequential()(3),
}

LIST = {
    "print": lambda m, lib: m,
    "print nested": lambda m, lib: lib.nn.ModuleList([lib.nn.ModuleList([linear(lib)] * 3)] * 2),
    "empty": lambda m, lib: lib.nn.ModuleList(),
    "index too large": lambda m, lib: m[5],
    "slice": lambda m, lib: m[1:3],
    "add": lambda m, lib: m + [linear(lib)],
    "add int": lambda m, lib: m + 3,
    "in-place add": lambda m, lib: m.__iadd__([linear(lib)]),
    "delete": lambda m, lib: m.__delitem__(1),
    "delete slice": lambda m, lib: m.__delitem__(slice(1, 3)),
    "insert": lambda m, lib: m.insert(1, lib.nn.Identity()),
    "extend int": lambda m, lib: m.extend(3),
    "extend set": lambda m, lib: m.extend({lib.nn.Identity()}),
    "append int": lambda m, lib: m.append(3),
    "pop": lambda m, lib: m.pop(0),
    "set": lambda m, lib: m.__setitem__(0, linear(lib, 9, 9)),
    "set too far": lambda m, lib: m.__setitem__(9, linear(lib, 9, 9)),
    "call": lambda m, lib: m(1),
    "reversed": lambda m, lib: list(reversed(m)),
    "contains": lambda m, lib: m[0] in m,
    "from int": lambda m, lib: lib.nn.ModuleList(3),
    "from text": lambda m, lib: lib.nn.ModuleList("ab"),
}

DICT = {
    "print": lambda d, lib: d,
    "missing": lambda d, lib: d["c"],
    "delete missing": lambda d, lib: d.__delitem__("c"),
    "update with int": lambda d, lib: d.update(3),
    "update with pairs": lambda d, lib: d.update([("z", linear(lib))]),
    "update with ints": lambda d, lib: d.update([3]),
    "update with triples": lambda d, lib: d.update([("z", linear(lib), 3)]),
    "update with no module": lambda d, lib: d.update([("z", 3)]),
    "update with int keys": lambda d, lib: d.update([(3, linear(lib))]),
    "update with another": lambda d, lib: d.update(lib.nn.ModuleDict({"q": linear(lib)})),
    "keys": lambda d, lib: (d.keys(), d.items(), d.values()),
    "pop": lambda d, lib: d.pop("a"),
    "clear": lambda d, lib: d.clear(),
    "call": lambda d, lib: d(1),
    "name taken": lambda d, lib: d.__setitem__("keys", linear(lib)),
    "contains": lambda d, lib: ("a" in d, "q" in d, len(d), list(d)),
}

PARAMETERS = {
    "print": lambda p, lib: p,
    "names": lambda p, lib: [name for name, _ in p.named_parameters()],
    "state": lambda p, lib: list(p.state_dict()),
    "slice": lambda p, lib: p[1:],
    "index too large": lambda p, lib: p[9],
    "set": lambda p, lib: p.__setitem__(2, lib.ones(1)),
    "set too far": lambda p, lib: p.__setitem__(20, lib.ones(1)),
    "append": lambda p, lib: p.append(lib.ones(1, 1, dtype=lib.float64)),
    "extend": lambda p, lib: p.extend([lib.ones(1)]),
    "extend int": lambda p, lib: p.extend(3),
    "extend tensor": lambda p, lib: p.extend(lib.ones(2)),
    "extend with another": lambda p, lib: p.extend(lib.nn.ParameterList([lib.ones(1)])),
    "in-place add": lambda p, lib: p.__iadd__([lib.ones(1)]),
    "call": lambda p, lib: p(1),
    "iterate": lambda p, lib: list(p),
    "delete": lambda p, lib: hasattr(p, "__delitem__"),
    "empty": lambda p, lib: lib.nn.ParameterList(),
    "integers": lambda p, lib: lib.nn.ParameterList([lib.ones(1, dtype=lib.int64)]),
}

PARAMETER_DICT = {
    "print": lambda q, lib: q,
    "order": lambda q, lib: q.keys(),
    "missing": lambda q, lib: q["z"],
    "int key": lambda q, lib: q[3],
    "set": lambda q, lib: q.__setitem__("zz", lib.ones(1)),
    "replace": lambda q, lib: q.__setitem__("c", lib.ones(1)),
    "delete": lambda q, lib: q.__delitem__("c"),
    "delete missing": lambda q, lib: q.__delitem__("nn"),
    "or": lambda q, lib: q | lib.nn.ParameterDict({"w": lib.ones(1)}),
    "or from the left": lambda q, lib: {"w": lib.ones(1)} | q,
    "in-place or": lambda q, lib: q.__ior__(lib.nn.ParameterDict({"w": lib.ones(1)})),
    "or int": lambda q, lib: q | 3,
    "setdefault": lambda q, lib: q.setdefault("y", lib.ones(3)),
    "setdefault present": lambda q, lib: q.setdefault("a", lib.ones(3)),
    "get": lambda q, lib: (q.get("nn"), q.get("nn", 3), q.get("a")),
    "fromkeys": lambda q, lib: q.fromkeys(["a", "b"], lib.ones(1)),
    "copy": lambda q, lib: q.copy(),
    "popitem": lambda q, lib: q.popitem(),
    "pop": lambda q, lib: q.pop("a"),
    "pop missing": lambda q, lib: q.pop("nn"),
    "items": lambda q, lib: (list(q.items()), list(q.values())),
    "reversed": lambda q, lib: list(reversed(q)),
    "update with int": lambda q, lib: q.update(3),
    "update with pairs": lambda q, lib: q.update([("t", lib.ones(1))]),
    "update with triples": lambda q, lib: q.update([("t", lib.ones(1), 2)]),
    "update with ints": lambda q, lib: q.update([3]),
    "clear": lambda q, lib: q.clear(),
    "call": lambda q, lib: q(1),
    "contains": lambda q, lib: ("a" in q, "nn" in q, len(q)),
}

CASES = [
    (make, name, action)
    for make, table in (
        (row, SEQUENTIAL),
        (listed, LIST),
        (named, DICT),
        (values, PARAMETERS),
        (mapping, PARAMETER_DICT),
    )
    for name, action in table.items()
]


@pytest.mark.parity
@pytest.mark.parametrize(("make", "name", "action"), CASES, ids=[f"{m.__name__}-{n}" for m, n, _ in CASES])
def test_containers(agree, make, name, action):
    agree(lambda lib: after(make(lib), lambda container: action(container, lib)))


def test_insert_takes_only_modules():
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        nn.ModuleList().insert(0, 3)


def test_sequential_runs_in_order():
    class Append(nn.Module):
        def __init__(self, letter):
            super().__init__()
            self.letter = letter

        def forward(self, text):
            return text + self.letter

    assert nn.Sequential(*map(Append, "abc"))("") == "abc"


def test_list_of_parameters_trains_what_it_holds():
    parameters = nn.ParameterList([flambeau.ones(1)])
    (parameters[0] * 3).sum().backward()
    assert next(parameters.parameters()).grad.item() == 3.0


@pytest.mark.parity
def test_container_is_deprecated(agree):
    agree(lambda lib: lib.nn.Container(a=linear(lib)))


@pytest.mark.parity
@pytest.mark.parametrize(
    "arguments",
    [
        None,
        {"device": "cpu"},
        {"x": 1},
        {"device": 1, "factory_kwargs": {"device": 2}},
        {"factory_kwargs": {"dtype": 3}},
    ],
)
def test_factory_kwargs(agree, arguments):
    agree(lambda lib: lib.nn.factory_kwargs(arguments))
