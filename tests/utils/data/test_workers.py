import gc
import os
import signal
import subprocess
import sys
import time

import numpy
import pytest

import flambeau
from flambeau.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")

CONTEXTS = ["fork", "spawn"]
LARGE = 1 << 15


class Items(Dataset):
    """Calls a function for each of its items; the functions below can be sent to a spawned process."""

    def __init__(self, function, size=8):
        self.function = function
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return self.function(index)


class Share(IterableDataset):
    """Yields, in worker w, ``sizes[w]`` numbers from 100 w."""

    def __init__(self, *sizes):
        self.sizes = sizes

    def __iter__(self):
        worker = get_worker_info().id
        return iter(range(100 * worker, 100 * worker + self.sizes[worker]))


class UnusualError(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


def identity(index):
    return index


def pid(index):
    return os.getpid()


def large(index):
    return {"image": flambeau.full((LARGE,), float(index)), "array": numpy.full(LARGE, index), "name": str(index)}


def bad_value(index):
    if index == 3:
        raise ValueError("no such item", index)
    return index


def bad_key(index):
    raise KeyError("absent")


def unusual(index):
    raise UnusualError(1, 2)


def killed(index):
    if index == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return index


def exits(index):
    os._exit(7)


def slow(index):
    time.sleep(0.6)
    return index


def unpicklable(index):
    return lambda: index


def failing_start(worker_id):
    raise ValueError(f"cannot start {worker_id}")


def loaded(loader):
    return [batch.tolist() if isinstance(batch, flambeau.Tensor) else batch for batch in loader]


def wait_until_gone(pids, seconds=8.0):
    """The processes still there after some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        alive = [pid for pid in pids if is_running(pid)]
        if not alive:
            return []
        time.sleep(0.02)
    return alive


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(autouse=True)
def nothing_left_behind():
    def shared_memory():
        return sorted(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else []

    def descriptors():
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    segments, before = shared_memory(), descriptors()
    yield
    gc.collect()
    assert shared_memory() == segments
    # A spawned process brings a resource tracker, whose pipe stays.
    assert descriptors() <= before + 2


@pytest.mark.parametrize("context", CONTEXTS)
def test_large_and_small_data_arrive_in_order(context):
    loader = DataLoader(Items(large, 4), batch_size=2, num_workers=2, multiprocessing_context=context)
    batches = list(loader)
    for start, batch in zip((0, 2), batches, strict=True):
        assert batch["image"].shape == (2, LARGE) and batch["array"].dtype == flambeau.int64
        assert batch["image"][:, -1].tolist() == batch["array"][:, 0].tolist() == [start, start + 1]
        assert batch["name"] == [str(start), str(start + 1)]
        # The memory is this process's own: it can be written.
        batch["image"] += 1
        assert batch["image"][0, 0].item() == start + 1


TENSORS = {
    "scalar": lambda: flambeau.tensor(3.5),
    "empty": lambda: flambeau.empty(0, 3, dtype=flambeau.int16),
    "bool": lambda: flambeau.tensor([True, False]),
    "bfloat16": lambda: flambeau.tensor([1.5, -2.0]).to(flambeau.bfloat16),
    "complex": lambda: flambeau.tensor([1 + 2j]),
    "transposed": lambda: flambeau.arange(6).reshape(2, 3).t(),
    "channels_last": lambda: flambeau.rand(2, 3, 64, 64).contiguous(memory_format=flambeau.channels_last),
    "expanded": lambda: flambeau.tensor([[1.0], [2.0]]).expand(2, 3),
    "slice of much": lambda: flambeau.arange(100000)[::50000],
    "leaf": lambda: flambeau.ones(2, requires_grad=True),
    "parameter": lambda: flambeau.nn.Parameter(flambeau.ones(2)),
    "array": lambda: numpy.arange(100000).reshape(2, -1),
    "column-major array": lambda: numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
}


@pytest.mark.parametrize("name", TENSORS)
def test_transport_keeps_what_makes_a_tensor(name):
    import multiprocessing

    from flambeau.utils.data import transport

    sent = TENSORS[name]()
    ours, theirs = multiprocessing.Pipe(duplex=True)
    with ours, theirs:
        transport.send(ours, "header", transport.encode([sent, "text"]))
        header, encoded = transport.receive(theirs)
    received, text = transport.decode(encoded)
    assert (header, text, type(received)) == ("header", "text", type(sent))
    assert (received.dtype, tuple(received.shape)) == (sent.dtype, tuple(sent.shape))
    if isinstance(sent, numpy.ndarray):
        assert numpy.array_equal(received, sent) and received.flags.writeable
        return
    assert flambeau.equal(received, sent)
    assert received.requires_grad == sent.requires_grad
    if name == "channels_last":
        assert received.stride() == sent.stride()


def test_a_tensor_inside_a_graph_is_not_sent():
    loader = DataLoader(Items(identity), num_workers=1, collate_fn=with_graph)
    with pytest.raises(RuntimeError, match="non-leaf tensor which requires_grad"):
        next(iter(loader))


def with_graph(samples):
    return flambeau.ones(1, requires_grad=True) * 2


@pytest.mark.parametrize("context", CONTEXTS)
def test_an_exception_arrives_with_type_and_traceback(context):
    iterator = iter(DataLoader(Items(bad_value), num_workers=2, multiprocessing_context=context))
    seen = []
    while True:
        try:
            seen.append(next(iterator).item())
        except ValueError as error:
            message = str(error)
            seen.append("error")
        except StopIteration:
            break
    assert seen == [0, 1, 2, "error", 4, 5, 6, 7]
    assert message.startswith("Caught ValueError in DataLoader worker process 1.\nOriginal Traceback")
    assert "in bad_value" in message and "ValueError: ('no such item', 3)" in message


def test_exceptions_that_take_no_message():
    with pytest.raises(KeyError) as key_error:
        next(iter(DataLoader(Items(bad_key), num_workers=1)))
    assert "\n" in str(key_error.value) and "KeyError: 'absent'" in str(key_error.value)
    with pytest.raises(RuntimeError, match="Caught UnusualError in DataLoader worker process 0"):
        next(iter(DataLoader(Items(unusual), num_workers=1)))

    class LocalError(Exception):
        pass

    def local(index):
        raise LocalError("here")

    with pytest.raises(RuntimeError, match="Caught LocalError"):
        next(iter(DataLoader(Items(local), num_workers=1, multiprocessing_context="fork")))


def test_what_cannot_be_pickled_is_reported():
    with pytest.raises(Exception, match=r"Caught \w+ in DataLoader worker process 0"):
        next(iter(DataLoader(Items(unpicklable), num_workers=1, batch_size=None)))


def test_a_worker_that_cannot_start():
    loader = DataLoader(Items(identity), num_workers=2, worker_init_fn=failing_start)
    with pytest.raises(ValueError, match="cannot start 0"):
        list(loader)


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_killed_worker_is_reported(context):
    iterator = iter(DataLoader(Items(killed), num_workers=2, multiprocessing_context=context, batch_size=None))
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly") as error:
        list(iterator)
    assert "killed by signal 9" in str(error.value.__cause__)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        next(iterator)


def test_an_exiting_worker_is_reported():
    with pytest.raises(RuntimeError, match="exited unexpectedly") as error:
        next(iter(DataLoader(Items(exits), num_workers=1)))
    assert "exited with code 7" in str(error.value.__cause__)


def test_timeout():
    iterator = iter(DataLoader(Items(slow, 2), num_workers=1, timeout=0.1, batch_size=None))
    with pytest.raises(RuntimeError, match=r"timed out after 0\.1 seconds"):
        next(iterator)


def test_workers_end_with_the_epoch_or_the_iterator():
    loader = DataLoader(Items(pid, 20), num_workers=2, batch_size=None)
    pids = set(loader)
    assert len(pids) == 2 and os.getpid() not in pids
    assert wait_until_gone(pids) == []
    iterator = iter(loader)
    pids = {next(iterator), next(iterator)}
    del iterator
    gc.collect()
    assert wait_until_gone(pids) == []


def test_persistent_workers_stay_and_are_seeded_once():
    loader = DataLoader(Items(pid, 4), num_workers=2, batch_size=None, persistent_workers=True)
    pids = set(loader)
    assert set(loader) == pids
    for _ in loader:
        break
    # The rest of the epoch that was broken off does not reach the next one.
    assert len(list(loader)) == 4
    del loader
    gc.collect()
    assert wait_until_gone(pids) == []


def test_each_worker_has_its_share():
    def order(*sizes, **options):
        loader = DataLoader(Share(*sizes), num_workers=len(sizes), **options)
        return [loaded(loader) for _ in range(2 if options.get("persistent_workers") else 1)]

    assert order(3, 1) == [[[0], [100], [1], [2]]]
    assert order(1, 3, batch_size=2) == [[[0], [100, 101], [102]]]
    assert order(1, 3, batch_size=2, drop_last=True) == [[[100, 101]]]
    assert order(1, 3, batch_size=2, persistent_workers=True) == [[[0], [100, 101], [102]]] * 2
    assert order(0, 0) == [[]]
    assert sorted(order(3, 2, batch_size=None, in_order=False)[0]) == [0, 1, 2, 100, 101]


def first_is_slow(index):
    time.sleep(0.5 if index == 0 else 0)
    return index


def test_without_order_nothing_waits_for_a_slow_batch():
    options = {"batch_size": None, "num_workers": 2}
    assert loaded(DataLoader(Items(first_is_slow), **options)) == list(range(8))
    unordered = loaded(DataLoader(Items(first_is_slow), in_order=False, **options))
    assert sorted(unordered) == list(range(8)) and unordered[0] != 0


def test_prefetch_factor_bounds_what_is_asked_for():
    asked = []

    def indices():
        for index in range(20):
            asked.append(index)
            yield index

    loader = DataLoader(Items(identity, 20), sampler=indices(), batch_size=None, num_workers=1, prefetch_factor=3)
    iterator = iter(loader)
    assert asked == [0, 1, 2]
    next(iterator)
    assert asked == [0, 1, 2, 3]
    with pytest.raises(AssertionError, match="prefetch_factor"):
        iter(DataLoader(Items(identity), num_workers=1, prefetch_factor=0))


def test_long_lists_of_indices_do_not_block():
    # Indices and results both larger than the buffer of a pipe, many under way.
    size = 60000
    loader = DataLoader(range(4 * size), batch_size=size, num_workers=1, prefetch_factor=4, collate_fn=list)
    assert [(batch[0], len(batch)) for batch in loader] == [(i * size, size) for i in range(4)]


def test_worker_info():
    assert get_worker_info() is None
    dataset = Items(info)
    described = list(DataLoader(dataset, num_workers=2, batch_size=None, generator=seeded(5)))
    assert [worker for worker, *_ in described[:2]] == [0, 1]
    (_, first, workers, same), (_, second, _, _) = described[:2]
    assert (second, workers, same) == (first + 1, 2, True)


def info(index):
    worker = get_worker_info()
    return worker.id, worker.seed, worker.num_workers, worker.dataset.function is info


def seeded(seed):
    return flambeau.Generator().manual_seed(seed)


PARENT = """
import os, signal, sys
sys.path[:0] = {path!r}
from test_workers import Items, pid
from flambeau.utils.data import DataLoader
iterator = iter(DataLoader(Items(pid, 100), num_workers=2, batch_size=None, multiprocessing_context={context!r}))
print(next(iterator), next(iterator), flush=True)
{end}
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit()"])
@pytest.mark.parametrize("context", CONTEXTS)
def test_workers_end_with_their_parent(context, end):
    source = PARENT.format(path=[os.path.dirname(__file__), *sys.path], context=context, end=end)
    if context == "spawn":
        source = "if __name__ == '__main__':\n" + source.replace("\n", "\n    ")
    parent = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60)
    pids = [int(word) for word in parent.stdout.split()]
    assert len(pids) == 2, parent.stderr
    assert wait_until_gone(pids) == []
    assert "Traceback" not in parent.stderr
