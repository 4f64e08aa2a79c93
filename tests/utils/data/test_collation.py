import collections

import numpy
import pytest

import flambeau
from flambeau.utils.data import default_collate, default_convert
from flambeau.utils.data._utils.collate import collate, default_collate_fn_map

Point = collections.namedtuple("Point", ["x", "y"])


class Names(list):
    pass


class Frozen(collections.abc.Mapping):
    """A mapping that cannot be made from a dict."""

    def __getitem__(self, key):
        return {"a": 1}[key]

    def __iter__(self):
        return iter("a")

    def __len__(self):
        return 1


def same(tensor, values, dtype):
    return isinstance(tensor, flambeau.Tensor) and tensor.tolist() == values and tensor.dtype == dtype


@pytest.mark.parametrize(
    "batch, values, dtype",
    [
        ([1, 2], [1, 2], "int64"),
        ([1.0, 2.5], [1.0, 2.5], "float64"),
        ([True, False], [True, False], "bool"),
        ([numpy.float32(1)], [1.0], "float32"),
        ([numpy.int16(3), numpy.int16(4)], [3, 4], "int16"),
        ([numpy.bool_(True)], [True], "bool"),
        ([numpy.arange(3), numpy.arange(3)], [[0, 1, 2]] * 2, "int64"),
        ([numpy.array(1.0)], [1.0], "float64"),
    ],
)
def test_numbers_become_tensors(batch, values, dtype):
    assert same(default_collate(batch), values, getattr(flambeau, dtype))


def test_tensors_are_stacked():
    batch = default_collate([flambeau.ones(2), flambeau.zeros(2)])
    assert same(batch, [[1.0, 1.0], [0.0, 0.0]], flambeau.float32)
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        default_collate([flambeau.ones(2), flambeau.ones(3)])


def test_text_is_left_alone():
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([b"a"]) == [b"a"]


def test_containers_keep_their_type():
    point = default_collate([Point(1, 2.0), Point(3, 4.0)])
    assert type(point) is Point
    assert (point.x.tolist(), point.y.tolist()) == ([1, 3], [2.0, 4.0])
    assert [part.tolist() for part in default_collate([(1, 2), (3, 4)])] == [[1, 3], [2, 4]]
    assert type(default_collate([(1, 2)])) is list
    assert type(default_collate([Names([1, 2])])) is Names
    assert type(default_collate([collections.deque([1, 2])])) is collections.deque
    assert type(default_collate([range(2)])) is list
    ordered = default_collate([collections.OrderedDict(b=1, a="x"), collections.OrderedDict(b=2, a="y")])
    assert (type(ordered), list(ordered), ordered["a"]) == (collections.OrderedDict, ["b", "a"], ["x", "y"])
    default = default_collate([collections.defaultdict(list, a=1)])
    assert default.default_factory is list
    assert type(default_collate([Frozen()])) is dict


def test_collating_does_not_change_the_samples():
    sample = {"a": [1, 2]}
    default_collate([sample, sample])
    assert sample == {"a": [1, 2]}


@pytest.mark.parametrize(
    "batch, found",
    [
        ([None], "NoneType"),
        ([{1}], "set"),
        ([1j], "complex"),
        ([numpy.array(["a"])], "<U1"),
        ([numpy.array([object()])], "object"),
        ([(1, {"a": None})], "NoneType"),
    ],
)
def test_what_cannot_be_collated_is_named(batch, found):
    with pytest.raises(TypeError, match=f"batch must contain tensors, .* dicts or lists; .*{found}"):
        default_collate(batch)


def test_sequences_of_unequal_length():
    with pytest.raises(RuntimeError, match="each element in list of batch should be of equal size"):
        default_collate([(1, 2), (3,)])


def test_the_table_can_be_extended():
    def collate_points(batch, *, collate_fn_map=None):
        return sum(point.x for point in batch)

    assert collate([Point(1, 2), Point(3, 4)], collate_fn_map={Point: collate_points}) == 4
    default_collate_fn_map[Point] = collate_points
    try:
        assert default_collate([[Point(1, 2)], [Point(3, 4)]]) == [4]
    finally:
        del default_collate_fn_map[Point]


def test_convert_reaches_arrays_at_any_depth():
    array = numpy.arange(2)
    converted = default_convert({"a": (1, [array]), "p": Point("t", array), "n": None})
    assert converted["a"][0] == 1 and type(converted["a"]) is list
    assert same(converted["a"][1][0], [0, 1], flambeau.int64)
    assert type(converted["p"]) is Point and same(converted["p"].y, [0, 1], flambeau.int64)
    assert converted["p"].x == "t" and converted["n"] is None
    assert same(default_convert(numpy.float32(2)), 2.0, flambeau.float32)
    text = numpy.array("a")
    assert default_convert(text) is text
    tensor = flambeau.ones(1)
    assert default_convert(tensor) is tensor
