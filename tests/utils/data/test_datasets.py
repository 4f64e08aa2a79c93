import pytest

import flambeau
from flambeau.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Count(IterableDataset):
    def __init__(self, size):
        self.size = size

    def __iter__(self):
        return iter(range(self.size))

    def __len__(self):
        return self.size


class Batched(Dataset):
    """Loads whole batches, and remembers what it was asked for."""

    def __init__(self, size=10):
        self.size = size
        self.asked = []

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return index * 10

    def __getitems__(self, indices):
        self.asked.append(list(indices))
        return [index * 10 for index in indices]


def test_base_classes_say_what_is_missing():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        Dataset()[0]
    with pytest.raises(TypeError, match="no len"):
        len(Dataset())
    with pytest.raises(TypeError, match="abstract"):
        IterableDataset()


def test_tensor_dataset_indexes_its_tensors_together():
    dataset = TensorDataset(flambeau.arange(6).reshape(3, 2), flambeau.tensor([7, 8, 9]))
    row, label = dataset[1]
    assert (len(dataset), row.tolist(), label.item()) == (3, [2, 3], 8)
    assert [part.tolist() for part in dataset[1:]] == [[[2, 3], [4, 5]], [8, 9]]
    with pytest.raises(IndexError):
        dataset[3]
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        TensorDataset(flambeau.ones(2), flambeau.ones(3))


def test_concat_finds_the_data_set_of_an_index():
    joined = ConcatDataset([range(3), range(10, 12), range(20, 21)])
    assert [joined[i] for i in range(len(joined))] == [0, 1, 2, 10, 11, 20]
    assert [joined[-1], joined[-6]] == [20, 0]
    assert joined.cumulative_sizes == ConcatDataset.cumsum(joined.datasets) == [3, 5, 6]
    with pytest.raises(ValueError, match="should not exceed dataset length"):
        joined[-7]
    with pytest.raises(IndexError):
        joined[6]
    with pytest.warns(FutureWarning, match="renamed"):
        assert joined.cummulative_sizes == [3, 5, 6]


def test_concat_and_chain_refuse_what_they_cannot_join():
    with pytest.raises(AssertionError, match="empty"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Count(2)])
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ChainDataset([Batched()]))


def test_addition_joins_data_sets_of_the_same_kind():
    assert isinstance(Batched() + Batched(), ConcatDataset)
    chained = Count(2) + Count(3)
    assert isinstance(chained, ChainDataset)
    assert (list(chained), len(chained)) == ([0, 1, 0, 1, 2], 5)


def test_stack_makes_tuples_or_dicts():
    batched = Batched(3)
    rows = StackDataset(batched, "abc")
    assert (len(rows), rows[1], rows.__getitems__([2, 0])) == (3, (10, "b"), [(20, "c"), (0, "a")])
    assert batched.asked == [[2, 0]]
    assert StackDataset(x="abc", y=range(3)).__getitems__([1]) == [{"x": "b", "y": 1}]
    with pytest.raises(ValueError, match="At least one"):
        StackDataset()
    with pytest.raises(ValueError, match="both types"):
        StackDataset("a", x="b")
    with pytest.raises(ValueError, match="Size mismatch between datasets"):
        StackDataset("ab", "abc")


def test_stack_notices_a_short_batch():
    class Short(Batched):
        def __getitems__(self, indices):
            return super().__getitems__(indices)[1:]

    with pytest.raises(ValueError, match="Short"):
        StackDataset(Short()).__getitems__([1, 2])


def test_subset_passes_batches_on():
    batched = Batched()
    subset = Subset(Subset(batched, [5, 6, 7]), [2, 0])
    assert (len(subset), subset[0], subset.__getitems__([1, 0])) == (2, 70, [50, 70])
    assert batched.asked == [[5, 7]]
    assert Subset("abc", [2, 1]).__getitems__([0]) == ["c"]


@pytest.mark.parametrize(
    "size, lengths, expected",
    [(10, [3, 7], [3, 7]), (10, [0.33, 0.33, 0.34], [4, 3, 3]), (30, [0.3, 0.3, 0.4], [9, 9, 12]), (7, [1.0], [7])],
)
def test_random_split_is_a_partition(size, lengths, expected):
    parts = random_split(range(size), lengths)
    assert [len(part) for part in parts] == expected
    assert sorted(index for part in parts for index in part) == list(range(size))


def test_random_split_checks_lengths():
    with pytest.raises(ValueError, match="does not equal the length"):
        random_split(range(10), [3, 8])
    with pytest.raises(ValueError, match="does not equal the length"):
        random_split(range(10), [0.5, 0.4])
    with pytest.raises(ValueError, match="index 0 is not between 0 and 1"):
        random_split(range(10), [-0.5, 1.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(10), [1.0, 0.0])


@pytest.mark.parity
@pytest.mark.parametrize("size, lengths", [(10, [3, 7]), (31, [0.3, 0.3, 0.4]), (5, [0, 5])])
def test_random_split_is_pytorchs(size, lengths):
    torch = pytest.importorskip("torch")
    from torch.utils.data import random_split as reference

    for seed in range(3):
        ours = random_split(range(size), lengths, flambeau.Generator().manual_seed(seed))
        theirs = reference(range(size), lengths, torch.Generator().manual_seed(seed))
        assert [part.indices for part in ours] == [part.indices for part in theirs]
    flambeau.manual_seed(5)
    ours = random_split(range(size), lengths)
    torch.manual_seed(5)
    assert [part.indices for part in ours] == [part.indices for part in reference(range(size), lengths)]
