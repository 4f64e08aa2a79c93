import pickle

import pytest

import flambeau
from flambeau.utils.data import (
    DataChunk,
    DataLoader,
    DFIterDataPipe,
    IterDataPipe,
    MapDataPipe,
    argument_validation,
    functional_datapipe,
    guaranteed_datapipes_determinism,
    non_deterministic,
    runtime_validation,
    runtime_validation_disabled,
)
from flambeau.utils.data.datapipes.iter import IterableWrapper
from flambeau.utils.data.datapipes.map import SequenceWrapper


class Source(IterDataPipe[int]):
    def __init__(self, size):
        self.size = size
        self.resets = 0

    def reset(self):
        self.resets += 1

    def __iter__(self):
        yield from range(self.size)


class Itself(IterDataPipe):
    """Is its own iterator."""

    def __init__(self, size):
        self.size = size

    def __iter__(self):
        self.position = 0
        return self

    def __next__(self):
        if self.position == self.size:
            raise StopIteration
        self.position += 1
        return self.position


class Twice(Source):
    def __iter__(self):
        for sample in super().__iter__():
            yield sample * 2


@pytest.fixture
def registered():
    before = [(kind, dict(kind.functions)) for kind in (IterDataPipe, MapDataPipe)]
    yield
    for kind, functions in before:
        kind.functions.clear()
        kind.functions.update(functions)


def test_each_iteration_resets_and_invalidates_the_last():
    source = Source(3)
    assert list(source) == list(source) == [0, 1, 2]
    assert source.resets == 2
    first, second = iter(source), iter(source)
    assert next(second) == 0
    with pytest.raises(RuntimeError, match=r"invalidated because another iterator .*Source\(size=3\)"):
        next(first)
    assert list(Itself(2)) == [1, 2]
    assert list(Twice(3)) == [0, 2, 4]


def test_registration_makes_methods(registered):
    @functional_datapipe("doubled")
    class Doubled(IterDataPipe):
        """Twice each sample."""

        def __init__(self, source, extra=0):
            self.source = source
            self.extra = extra

        def __iter__(self):
            return (2 * sample + self.extra for sample in self.source)

    assert list(Source(3).doubled(extra=1)) == [1, 3, 5]
    assert "doubled" in dir(Source(1)) and Source(1).doubled.__doc__ == "Twice each sample."
    with pytest.raises(Exception, match="doubled as it is already taken"):
        functional_datapipe("doubled")(Doubled)
    with pytest.raises(TypeError, match="can only decorate"):
        functional_datapipe("other")(int)
    IterDataPipe.register_function("size_of", lambda pipe: pipe.size)
    assert Source(4).size_of() == 4
    with pytest.raises(AttributeError, match="'Source' object has no attribute 'absent'"):
        Source(1).absent  # noqa: B018
    assert not hasattr(SequenceWrapper([]), "doubled")


def test_names_lengths_and_pickles():
    assert repr(Source(3)) == str(Source(3)) == "Source"
    with pytest.raises(TypeError, match="no len"):
        len(Source(3))
    with pytest.raises(NotImplementedError, match="__getitem__"):
        MapDataPipe()[0]
    assert list(pickle.loads(pickle.dumps(Source(2)))) == [0, 1]
    assert issubclass(DFIterDataPipe, IterDataPipe)


def test_chunk():
    chunk = DataChunk(iter([1, 2]))
    assert (chunk, chunk.as_str("  "), list(chunk.raw_iterator())) == ([1, 2], "  [1, 2]", [1, 2])


def test_chains():
    numbers = IterableWrapper(range(6))
    assert list(numbers.filter(lambda x: x % 2 == 1).map(str).batch(2)) == [["1", "3"], ["5"]]
    assert list(numbers.batch(4, drop_last=True).unbatch()) == [0, 1, 2, 3]
    assert [len(numbers.batch(4, drop)) for drop in (False, True)] == [2, 1]
    assert next(iter(numbers.batch(3).collate())).tolist() == [0, 1, 2]
    assert list(IterableWrapper("ab").zip(numbers)) == [("a", 0), ("b", 1)]
    assert list(IterableWrapper("ab").concat(IterableWrapper("c"))) == ["a", "b", "c"]
    pairs = IterableWrapper([(1, 2)])
    assert list(pairs.map(lambda x: -x, input_col=1)) == [(1, -2)]
    assert list(IterableWrapper([(1, 2)]).map(lambda x, y: x + y, input_col=[0, 1], output_col=-1)) == [(1, 2, 3)]
    assert list(IterableWrapper([{"a": 1}]).map(lambda x: x + 1, input_col="a", output_col="b")) == [{"a": 1, "b": 2}]
    with pytest.raises(ValueError, match="Boolean output"):
        list(numbers.filter(lambda x: x))


def test_map_style_chains():
    letters = SequenceWrapper("abcde")
    assert letters.map(str.upper)[1] == "B"
    batches = letters.batch(2)
    assert [batches[i] for i in range(len(batches))] == [["a", "b"], ["c", "d"], ["e"]]
    assert (letters.concat(SequenceWrapper("xy"))[6], letters.zip(SequenceWrapper("xy"))[1]) == ("y", ("b", "y"))
    assert [batch.tolist() for batch in DataLoader(SequenceWrapper(range(3)), batch_size=2)] == [[0, 1], [2]]


def test_determinism_can_be_demanded():
    @non_deterministic
    class Always(Source):
        pass

    @non_deterministic(lambda size: size > 1)
    class Sometimes(Source):
        pass

    assert list(Always(2)) == list(Sometimes(2)) == [0, 1]
    with guaranteed_datapipes_determinism():
        assert list(Sometimes(1)) == [0]
        with pytest.raises(TypeError, match="Always is non-deterministic, but"):
            Always(1)
        with pytest.raises(TypeError, match="Sometimes is non-deterministic with the inputs"):
            Sometimes(2)
    assert list(Always(1)) == [0]
    with pytest.raises(TypeError, match="int is found"):
        non_deterministic(int)
    with pytest.raises(TypeError, match="3 can not be decorated"):
        non_deterministic(3)


def test_validation():
    class Holder(IterDataPipe):
        @argument_validation
        def __init__(self, source: IterDataPipe[int], number: int = 3):
            self.source = source

        @runtime_validation
        def __iter__(self):
            yield from self.source

    class Integers(Holder, IterDataPipe[int]):
        pass

    assert list(Integers(Source(2))) == [0, 1]
    with pytest.raises(TypeError, match="Expected argument 'source' as a IterDataPipe"):
        Integers([1])
    with pytest.raises(RuntimeError, match=r"subtype of <class 'int'>, but found an instance of <class 'str'>"):
        list(Integers(IterableWrapper("a")))
    with runtime_validation_disabled():
        assert list(Integers(IterableWrapper("a"))) == ["a"]
    with pytest.raises(TypeError, match="Can not decorate function other"):

        @runtime_validation
        def other():
            yield


def test_loader_adds_what_shuffles():
    with pytest.warns(UserWarning, match="does not contain a `Shuffler`"):
        loader = DataLoader(Source(20), shuffle=True, batch_size=None)
    flambeau.manual_seed(1)
    order = list(loader)
    assert order != sorted(order) == list(range(20))
    unshuffled = DataLoader(IterableWrapper(range(5)).shuffle(), shuffle=False, batch_size=None)
    assert list(unshuffled) == [0, 1, 2, 3, 4]


@pytest.mark.parity
@pytest.mark.parametrize("num_workers, persistent", [(0, False), (2, False), (2, True)])
@pytest.mark.parametrize("buffer_size", [4, 100])
def test_shuffled_pipes_are_pytorchs_seed_for_seed(num_workers, persistent, buffer_size):
    torch = pytest.importorskip("torch")
    from torch.utils.data.datapipes.iter import IterableWrapper as Reference

    def epochs(module, wrapper):
        module.manual_seed(4)
        pipe = wrapper(range(15)).shuffle(buffer_size=buffer_size).sharding_filter()
        loader = module.utils.data.DataLoader(
            pipe, shuffle=True, batch_size=None, num_workers=num_workers, persistent_workers=persistent
        )
        return [list(loader) for _ in range(2)], module.rand(()).item()

    assert epochs(flambeau, IterableWrapper) == epochs(torch, Reference)
