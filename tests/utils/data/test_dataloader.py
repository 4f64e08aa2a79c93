import warnings

import numpy
import pytest

import flambeau
from flambeau.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    default_collate,
)


class Stream(IterableDataset):
    def __init__(self, size, reported=None):
        self.size = size
        self.reported = reported

    def __iter__(self):
        return iter(range(self.size))

    def __len__(self):
        if self.reported is None:
            raise TypeError("object of type 'Stream' has no len()")
        return self.reported


def lists(loader):
    return [batch.tolist() if isinstance(batch, flambeau.Tensor) else batch for batch in loader]


def test_batches_in_order():
    assert lists(DataLoader(range(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert lists(DataLoader(range(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert [len(DataLoader(range(5), batch_size=2, drop_last=drop)) for drop in (False, True)] == [3, 2]
    assert lists(DataLoader(range(3), batch_size=None)) == [0, 1, 2]
    assert lists(DataLoader(range(6), batch_sampler=[[5, 0], [1]])) == [[5, 0], [1]]
    assert lists(DataLoader(range(6), sampler=[4, 2, 0], batch_size=2)) == [[4, 2], [0]]
    assert lists(DataLoader(range(3), batch_size=2, collate_fn=tuple)) == [(0, 1), (2,)]


def test_tensor_data_set_in_batches():
    dataset = TensorDataset(flambeau.arange(12).reshape(6, 2).float(), flambeau.arange(6))
    rows, labels = next(iter(DataLoader(dataset, batch_size=4)))
    assert (tuple(rows.shape), rows.dtype, labels.tolist()) == ((4, 2), flambeau.float32, [0, 1, 2, 3])
    assert rows.is_contiguous()


def test_streams_in_batches():
    assert lists(DataLoader(Stream(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert lists(DataLoader(Stream(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert lists(DataLoader(Stream(3), batch_size=None)) == [0, 1, 2]
    assert lists(DataLoader(Stream(0), batch_size=2)) == []
    assert [len(DataLoader(Stream(5, 5), batch_size=2, drop_last=drop)) for drop in (False, True)] == [3, 2]
    with pytest.raises(TypeError):
        len(DataLoader(Stream(5)))


def test_an_exhausted_iterator_stays_exhausted():
    iterator = iter(DataLoader(Stream(1)))
    assert len(list(iterator)) == 1
    assert list(iterator) == []


def test_a_stream_longer_than_it_said():
    loader = DataLoader(Stream(3, reported=2))
    assert len(loader) == 2
    with pytest.warns(UserWarning, match=r"was reported to be 2.*but 3 samples have been fetched"):
        list(loader)


def test_an_epoch_goes_on_after_an_exception():
    class Holes(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            if index == 1:
                raise ValueError("hole")
            return index

    iterator, seen = iter(DataLoader(Holes(), batch_size=None)), []
    while True:
        try:
            seen.append(next(iterator))
        except ValueError:
            seen.append("hole")
        except StopIteration:
            break
    assert seen == [0, "hole", 2, 3]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_workers": -1}, "num_workers option should be non-negative"),
        ({"timeout": -1}, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, "prefetch_factor option could only be specified in multiprocessing"),
        ({"prefetch_factor": -1, "num_workers": 1}, "prefetch_factor option should be non-negative"),
        ({"persistent_workers": True}, "persistent_workers option needs num_workers > 0"),
        ({"sampler": [1], "shuffle": True}, "sampler option is mutually exclusive with shuffle"),
        ({"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler option is mutually exclusive with batch_size"),
        ({"batch_sampler": [[1]], "shuffle": True}, "batch_sampler option is mutually exclusive"),
        ({"batch_sampler": [[1]], "sampler": [1]}, "batch_sampler option is mutually exclusive"),
        ({"batch_sampler": [[1]], "drop_last": True}, "batch_sampler option is mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None option disables auto-batching"),
        ({"batch_size": 0}, "batch_size should be a positive integer value, but got batch_size=0"),
        ({"multiprocessing_context": "fork"}, "can only be used with multi-process loading"),
        ({"multiprocessing_context": "no", "num_workers": 1}, "should specify a valid start method"),
    ],
)
def test_options_that_exclude_each_other(options, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(range(5), **options)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}])
def test_a_stream_has_no_order_to_choose(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"expected unspecified {name} option"):
        DataLoader(Stream(3), **options)


def test_other_errors():
    with pytest.raises(TypeError, match="valid context object or a string"):
        DataLoader(range(3), num_workers=1, multiprocessing_context=3)
    with pytest.raises(AssertionError, match="timeout"):
        iter(DataLoader(range(3), timeout=1))
    with pytest.raises(TypeError, match="no len"):
        DataLoader(Dataset(), shuffle=True)


def test_what_is_fixed_once_a_loader_is_made():
    loader = DataLoader(range(3), shuffle=True)
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"):
        with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoader is initialized"):
            setattr(loader, name, None)
    assert isinstance(loader.sampler, RandomSampler)
    assert isinstance(loader.batch_sampler, BatchSampler)
    loader.collate_fn = sum
    assert sum(loader) == 3


@pytest.mark.filterwarnings("ignore:.pin_memory. argument")
def test_warnings():
    with pytest.warns(UserWarning, match="no accelerator is found"):
        assert lists(DataLoader(range(1), pin_memory=True)) == [[0]]
    with pytest.warns(UserWarning, match="pin_memory_device is deprecated"):
        iter(DataLoader(range(1), pin_memory=True, pin_memory_device="cuda"))
    with pytest.warns(UserWarning, match="will create 4096 worker processes"):
        DataLoader(range(1), num_workers=4096)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DataLoader(range(1), num_workers=1)


LOADERS = {
    "plain": {},
    "shuffled": {"shuffle": True, "batch_size": 4},
    "replaced": {"sampler": lambda data: data.RandomSampler(range(23), True, 40)},
    "shuffled by workers": {"shuffle": True, "batch_size": 4, "num_workers": 2},
    "persistent": {"shuffle": True, "batch_size": 4, "num_workers": 1, "persistent_workers": True},
}


@pytest.mark.parity
@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("name", LOADERS)
def test_epochs_are_pytorchs_seed_for_seed(name, own_generator):
    torch = pytest.importorskip("torch")

    def epochs(module):
        module.manual_seed(11)
        generator = module.Generator().manual_seed(7) if own_generator else None
        options = {key: value(module.utils.data) if callable(value) else value for key, value in LOADERS[name].items()}
        loader = module.utils.data.DataLoader(range(23), generator=generator, **options)
        orders = [[batch.tolist() for batch in loader] for _ in range(3)]
        # What is drawn afterwards shows that as much was taken from both streams.
        return orders, module.rand(()).item(), module.rand((), generator=generator).item()

    assert epochs(flambeau) == epochs(torch)


class Seeds(Dataset):
    """What the random generators of a worker give."""

    def __init__(self, module):
        self.module = module

    def __len__(self):
        return 4

    def __getitem__(self, index):
        import random

        info = self.module.utils.data.get_worker_info()
        return (
            info.id,
            info.seed,
            info.num_workers,
            self.module.initial_seed(),
            random.random(),
            float(numpy.random.rand()),
            self.module.rand(()).item(),
        )


@pytest.mark.parity
def test_workers_are_seeded_as_pytorchs():
    torch = pytest.importorskip("torch")

    def seeds(module):
        module.manual_seed(3)
        return list(module.utils.data.DataLoader(Seeds(module), batch_size=None, num_workers=2))

    assert seeds(flambeau) == seeds(torch)


def test_rows_taken_at_once_are_the_rows_taken_one_by_one():
    tensors = [flambeau.rand(20, 3, 2), flambeau.arange(20), flambeau.rand(2, 20).t(), flambeau.rand(20) > 0.5]
    dataset = TensorDataset(*tensors)
    parts = Subset(Subset(dataset, [19, 4, 7, -1, 0]), [4, 3, 1])
    for data in (dataset, parts):
        # A collation of its own is given the samples one by one.
        at_once = list(DataLoader(data, batch_size=2))
        one_by_one = list(DataLoader(data, batch_size=2, collate_fn=lambda rows: default_collate(rows)))
        assert len(at_once) == len(one_by_one)
        for batch, expected in zip(at_once, one_by_one):
            assert type(batch) is type(expected) is list
            for ours, theirs in zip(batch, expected, strict=True):
                assert flambeau.equal(ours, theirs)
                assert (ours.dtype, ours.stride()) == (theirs.dtype, theirs.stride())


def test_rows_taken_at_once_are_copies():
    tensor = flambeau.zeros(4)
    for (rows,) in DataLoader(TensorDataset(tensor), batch_size=2):
        rows += 1
    assert tensor.tolist() == [0, 0, 0, 0]
    with pytest.raises(IndexError):
        next(iter(DataLoader(TensorDataset(tensor), sampler=[4])))
    weight = flambeau.zeros(4, requires_grad=True)
    (rows,) = next(iter(DataLoader(TensorDataset(weight), batch_size=2)))
    rows.sum().backward()
    assert weight.grad.tolist() == [1, 1, 0, 0]
