"""Iterable data pipes: the links that chains are commonly made of."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any

from flambeau.utils.data.collation import default_collate
from flambeau.utils.data.datapipes.datapipe import DataChunk, IterDataPipe
from flambeau.utils.data.datapipes.decorators import functional_datapipe
from flambeau.utils.data.sampler import draw_seed

__all__ = [
    "Batcher",
    "Collator",
    "Concater",
    "Filter",
    "IterDataPipe",
    "IterableWrapper",
    "Mapper",
    "ShardingFilter",
    "Shuffler",
    "UnBatcher",
    "Zipper",
]


class IterableWrapper(IterDataPipe[Any]):
    """A pipe of the elements of `iterable`; of a deep copy of it, unless `deepcopy` is False.

    >>> list(IterableWrapper("ab"))
    ['a', 'b']
    """

    def __init__(self, iterable: Iterable[Any], deepcopy: bool = True) -> None:
        self.iterable = iterable
        self.deepcopy = deepcopy

    def __iter__(self) -> Iterator[Any]:
        yield from copy.deepcopy(self.iterable) if self.deepcopy else self.iterable

    def __len__(self) -> int:
        return _length(self.iterable, self)


def _length(source: Any, pipe: Any) -> int:
    if not isinstance(source, Sized):
        raise TypeError(f"{type(pipe).__name__} instance doesn't have valid length")
    return len(source)


def _in_column(function: Callable[..., Any], sample: Any, column: Any) -> Any:
    """`function` of the sample, of its element at `column`, or of several, given as a list."""
    if column is None:
        return function(sample)
    if isinstance(column, (list, tuple)):
        return function(*(sample[one] for one in column))
    return function(sample[column])


@functional_datapipe("map")
class Mapper(IterDataPipe[Any]):
    """``fn(sample)`` of each sample; of the element at `input_col`, put where `output_col` says, if given.

    >>> list(IterableWrapper([1, 2]).map(lambda x: x * 10))
    [10, 20]
    """

    def __init__(self, datapipe: Any, fn: Callable[..., Any], input_col: Any = None, output_col: Any = None) -> None:
        if input_col is None and output_col is not None:
            raise ValueError("`output_col` must be None when `input_col` is None.")
        self.datapipe = datapipe
        self.fn = fn
        self.input_col = input_col
        self.output_col = output_col

    def _apply(self, sample: Any) -> Any:
        result = _in_column(self.fn, sample, self.input_col)
        if self.input_col is None:
            return result
        columns = self.input_col if self.output_col is None else self.output_col
        if isinstance(columns, (list, tuple)):
            if self.output_col is not None and len(columns) != 1:
                raise ValueError("`output_col` must be a single-element list or tuple")
            columns = columns[0]
        changed: Any = copy.copy(sample) if isinstance(sample, dict) else list(sample)
        if columns == -1 and self.output_col is not None:
            changed.append(result)
        else:
            changed[columns] = result
        return tuple(changed) if isinstance(sample, tuple) else changed

    def __iter__(self) -> Iterator[Any]:
        for sample in self.datapipe:
            yield self._apply(sample)

    def __len__(self) -> int:
        return _length(self.datapipe, self)


@functional_datapipe("filter")
class Filter(IterDataPipe[Any]):
    """The samples for which `filter_fn`, of the sample or of its element at `input_col`, is true.

    >>> list(IterableWrapper(range(5)).filter(lambda x: x % 2 == 0))
    [0, 2, 4]
    """

    def __init__(self, datapipe: Any, filter_fn: Callable[..., bool], input_col: Any = None) -> None:
        self.datapipe = datapipe
        self.filter_fn = filter_fn
        self.input_col = input_col

    def __iter__(self) -> Iterator[Any]:
        for sample in self.datapipe:
            keep = _in_column(self.filter_fn, sample, self.input_col)
            if not isinstance(keep, bool):
                raise ValueError(f"Boolean output is required for `filter_fn` of FilterIterDataPipe, got {type(keep)}")
            if keep:
                yield sample


@functional_datapipe("batch")
class Batcher(IterDataPipe[DataChunk[Any]]):
    """Chunks of `batch_size` samples.

    >>> list(IterableWrapper(range(3)).batch(2))
    [[0, 1], [2]]
    """

    def __init__(self, datapipe: Any, batch_size: int, drop_last: bool = False, wrapper_class: Any = DataChunk) -> None:
        if batch_size <= 0:
            raise AssertionError(f"Batch size is required to be larger than 0, but got {batch_size}")
        self.datapipe = datapipe
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.wrapper_class = wrapper_class

    def __iter__(self) -> Iterator[Any]:
        chunk: list[Any] = []
        for sample in self.datapipe:
            chunk.append(sample)
            if len(chunk) == self.batch_size:
                yield self.wrapper_class(chunk)
                chunk = []
        if chunk and not self.drop_last:
            yield self.wrapper_class(chunk)

    def __len__(self) -> int:
        length = _length(self.datapipe, self)
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


@functional_datapipe("unbatch")
class UnBatcher(IterDataPipe[Any]):
    """The elements of each sample, `unbatch_level` levels deep (-1: all the way).

    >>> list(IterableWrapper([[1, 2], [3]]).unbatch())
    [1, 2, 3]
    """

    def __init__(self, datapipe: Any, unbatch_level: int = 1) -> None:
        if unbatch_level < -1:
            raise ValueError("unbatch_level must be -1 or >= 0")
        self.datapipe = datapipe
        self.unbatch_level = unbatch_level

    def _flatten(self, sample: Any, levels: int) -> Iterator[Any]:
        if levels == 0 or (levels < 0 and not isinstance(sample, (list, DataChunk))):
            yield sample
            return
        if not isinstance(sample, (list, DataChunk)):
            raise IndexError(f"unbatch_level {self.unbatch_level} exceeds the depth of the DataPipe")
        for element in sample:
            yield from self._flatten(element, levels - 1)

    def __iter__(self) -> Iterator[Any]:
        for sample in self.datapipe:
            yield from self._flatten(sample, self.unbatch_level)


@functional_datapipe("collate")
class Collator(IterDataPipe[Any]):
    """``collate_fn(sample)``, usually of a batch: tensors of its numbers.

    >>> list(IterableWrapper([1, 2]).batch(2).collate())
    [tensor([1, 2])]
    """

    def __init__(self, datapipe: Any, collate_fn: Callable[[Any], Any] | None = None) -> None:
        self.datapipe = datapipe
        self.collate_fn = collate_fn or default_collate

    def __iter__(self) -> Iterator[Any]:
        for sample in self.datapipe:
            yield self.collate_fn(sample)

    def __len__(self) -> int:
        return _length(self.datapipe, self)


@functional_datapipe("concat")
class Concater(IterDataPipe[Any]):
    """Pipes one after another.

    >>> list(IterableWrapper("ab").concat(IterableWrapper("c")))
    ['a', 'b', 'c']
    """

    def __init__(self, *datapipes: Any) -> None:
        _check_pipes(datapipes)
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        for pipe in self.datapipes:
            yield from pipe

    def __len__(self) -> int:
        return sum(_length(pipe, self) for pipe in self.datapipes)


@functional_datapipe("zip")
class Zipper(IterDataPipe[tuple[Any, ...]]):
    """Tuples of one sample of each pipe, until the shortest ends.

    >>> list(IterableWrapper("ab").zip(IterableWrapper(range(9))))
    [('a', 0), ('b', 1)]
    """

    def __init__(self, *datapipes: Any) -> None:
        _check_pipes(datapipes)
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        yield from zip(*self.datapipes)

    def __len__(self) -> int:
        return min(_length(pipe, self) for pipe in self.datapipes)


def _check_pipes(pipes: tuple[Any, ...]) -> None:
    if not pipes:
        raise ValueError("Expected at least one DataPipe, but got nothing")
    if not all(isinstance(pipe, IterDataPipe) for pipe in pipes):
        raise TypeError("Expected all inputs to be `IterDataPipe`")


@functional_datapipe("shuffle")
class Shuffler(IterDataPipe[Any]):
    """The samples in random order, as far as a buffer of `buffer_size` allows.

    Each sample takes the place of a random one in the buffer, which is yielded; the same order as PyTorch's.
    """

    def __init__(self, datapipe: Any, *, buffer_size: int = 10000, unbatch_level: int = 0) -> None:
        if buffer_size <= 0:
            raise ValueError("buffer_size should be larger than 0")
        self.datapipe = datapipe if unbatch_level == 0 else datapipe.unbatch(unbatch_level=unbatch_level)
        self.buffer_size = buffer_size
        self._enabled = True
        self._seed: int | None = None
        self._random = random.Random()

    def set_shuffle(self, shuffle: bool = True) -> Shuffler:
        """Turn the shuffling on or off."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed: int) -> Shuffler:
        """The seed of the next iteration."""
        self._seed = seed
        return self

    def reset(self) -> None:
        seed, self._seed = self._seed, None
        if self._enabled:
            self._random.seed(draw_seed() if seed is None else seed)

    def __iter__(self) -> Iterator[Any]:
        if not self._enabled:
            yield from self.datapipe
            return
        buffer: list[Any] = []
        for sample in self.datapipe:
            if len(buffer) == self.buffer_size:
                place = self._random.randint(0, len(buffer) - 1)
                chosen, buffer[place] = buffer[place], sample
                yield chosen
            else:
                buffer.append(sample)
        while buffer:
            yield buffer.pop(self._random.randint(0, len(buffer) - 1))

    def __len__(self) -> int:
        return _length(self.datapipe, self)


@functional_datapipe("sharding_filter")
class ShardingFilter(IterDataPipe[Any]):
    """Every n-th sample: in a worker process the worker's share, else all.

    >>> list(IterableWrapper(range(3)).sharding_filter())
    [0, 1, 2]
    """

    def __init__(self, source_datapipe: Any) -> None:
        self.source_datapipe = source_datapipe
        self.num_of_instances = 1
        self.instance_id = 0

    def apply_sharding(self, num_of_instances: int, instance_id: int) -> None:
        """Make this the share of one of several instances."""
        if instance_id >= num_of_instances:
            raise ValueError(f"instance_id({instance_id}) should be smaller than num_of_instances({num_of_instances})")
        self.num_of_instances, self.instance_id = num_of_instances, instance_id

    def __iter__(self) -> Iterator[Any]:
        for position, sample in enumerate(self.source_datapipe):
            if position % self.num_of_instances == self.instance_id:
                yield sample

    def __len__(self) -> int:
        length = _length(self.source_datapipe, self)
        return length // self.num_of_instances + (self.instance_id < length % self.num_of_instances)
