import pytest

import flambeau
from flambeau.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def test_sampler_without_iter_says_so():
    with pytest.raises(NotImplementedError, match="__iter__"):
        iter(Sampler())
    with pytest.raises(TypeError, match="no len"):
        len(Sampler())


def test_sequential_and_batches():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert list(BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert [len(BatchSampler(range(5), 2, drop)) for drop in (False, True)] == [3, 2]
    assert list(BatchSampler([], 2, False)) == []


def test_random_sampler_covers_everything_once_a_round():
    generator = flambeau.Generator().manual_seed(0)
    assert sorted(RandomSampler(range(9), generator=generator)) == list(range(9))
    drawn = list(RandomSampler(range(4), num_samples=10, generator=generator))
    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3]
    assert len(drawn) == len(set(drawn[8:])) + 8 == 10
    assert set(RandomSampler(range(3), replacement=True, num_samples=100, generator=generator)) == {0, 1, 2}


def test_random_sampler_follows_a_growing_data_source():
    source = [0]
    sampler = RandomSampler(source)
    source += [1, 2]
    assert len(sampler) == len(list(sampler)) == 3


def test_subset_and_weights():
    assert sorted(SubsetRandomSampler([7, 3, 5])) == [3, 5, 7]
    assert set(WeightedRandomSampler([0.0, 1.0, 0.0, 3.0], 50)) == {1, 3}
    assert sorted(WeightedRandomSampler([1.0, 2.0, 3.0], 3, replacement=False)) == [0, 1, 2]
    assert WeightedRandomSampler([1, 2], 3).weights.dtype == flambeau.float64


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: RandomSampler([]), ValueError, "num_samples=0"),
        (lambda: RandomSampler([1], num_samples=-1), ValueError, "num_samples=-1"),
        (lambda: RandomSampler([1], num_samples=1.5), ValueError, "num_samples=1.5"),
        (lambda: RandomSampler([1], replacement=1), TypeError, "replacement=1"),
        (lambda: WeightedRandomSampler([1.0], 0), ValueError, "num_samples=0"),
        (lambda: WeightedRandomSampler([1.0], True), ValueError, "num_samples=True"),
        (lambda: WeightedRandomSampler([1.0], 1, 1), ValueError, "replacement=1"),
        (lambda: WeightedRandomSampler([[1.0, 2.0]], 1), ValueError, r"shape \(1, 2\)"),
        (lambda: list(WeightedRandomSampler([1.0, 2.0], 3, False)), RuntimeError, "without replacement"),
        (lambda: BatchSampler([1], 0, False), ValueError, "batch_size=0"),
        (lambda: BatchSampler([1], 2, None), ValueError, "drop_last=None"),
        (lambda: DistributedSampler([1], 3, 3), ValueError, r"Invalid rank 3, rank should be in the interval \[0, 2\]"),
        (lambda: DistributedSampler([1], 3, -1), ValueError, "Invalid rank -1"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("size, replicas", [(10, 3), (2, 7), (8, 4), (1, 2)])
def test_distributed_shares_cover_the_data_set(size, replicas):
    shares = [list(DistributedSampler(range(size), replicas, rank)) for rank in range(replicas)]
    assert set().union(*shares) == set(range(size))
    assert {len(share) for share in shares} == {-(-size // replicas)}
    dropped = [list(DistributedSampler(range(size), replicas, rank, drop_last=True)) for rank in range(replicas)]
    together = [index for share in dropped for index in share]
    assert len(together) == len(set(together)) == size // replicas * replicas


def test_set_epoch_changes_the_order():
    sampler = DistributedSampler(range(50), 2, 0)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first


SAMPLERS = {
    "all": lambda data, generator: data.RandomSampler(range(11), generator=generator),
    "more": lambda data, generator: data.RandomSampler(range(11), num_samples=25, generator=generator),
    "replaced": lambda data, generator: data.RandomSampler(range(11), True, 70, generator=generator),
    "subset": lambda data, generator: data.SubsetRandomSampler([5, 2, 9], generator=generator),
    "weighted": lambda data, generator: data.WeightedRandomSampler([0.1, 0.7, 0.2], 20, generator=generator),
    "distributed": lambda data, generator: data.DistributedSampler(range(11), 3, 1, seed=4),
}


@pytest.mark.parity
@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_are_pytorchs_seed_for_seed(name):
    torch = pytest.importorskip("torch")
    make = SAMPLERS[name]

    def drawn(module, generator):
        sampler = make(module.utils.data, generator)
        # Twice, and what is drawn afterwards: as much must be taken from the stream.
        return list(sampler), list(sampler), module.rand((), generator=generator).item()

    ours = drawn(flambeau, flambeau.Generator().manual_seed(3))
    assert ours == drawn(torch, torch.Generator().manual_seed(3))
    flambeau.manual_seed(8)
    ours = drawn(flambeau, None)
    torch.manual_seed(8)
    assert ours == drawn(torch, None)
