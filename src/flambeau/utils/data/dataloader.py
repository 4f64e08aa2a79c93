"""`DataLoader`: batches of a data set, shuffled, collated, and loaded by worker processes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flambeau.utils.data.collation import default_collate, default_convert
from flambeau.utils.data.datapipes.datapipe import IterDataPipe
from flambeau.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from flambeau.utils.data.fetching import DatasetKind
from flambeau.utils.data.iterators import LoaderIterator, MultiProcessIterator, SingleProcessIterator
from flambeau.utils.data.sampler import (
    BatchSampler,
    InfiniteConstantSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from flambeau.utils.data.worker_info import get_worker_info

if TYPE_CHECKING:
    from flambeau import Generator

T_co = TypeVar("T_co", covariant=True)

# Scripts import all of these from this module, as PyTorch lets them.
__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]

_DEFAULT_PREFETCH = 2
_FIXED_AFTER_INIT = frozenset(("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"))


class DataLoader(Generic[T_co]):
    """Iterates over a data set in batches.

    Order comes from `sampler` or `batch_sampler`, else from `shuffle`; batches are made by `collate_fn`
    (`default_collate`; with ``batch_size=None`` samples are only converted). With `num_workers` > 0 batches are
    loaded by that many processes, `prefetch_factor` ahead each, for at most `timeout` seconds a batch; an exception
    in a worker is raised here with its type and traceback text. Shuffling and the seeds of the workers come from
    `generator`, or from the global one, and are PyTorch's seed for seed.

    Raises ValueError for options that exclude each other.

    >>> import flambeau as torch
    >>> list(DataLoader(range(5), batch_size=2))
    [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Sampler[Any] | Iterable[Any]
    pin_memory_device: str
    prefetch_factor: int | None

    _initialized = False
    _iterator: LoaderIterator | None = None

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing. "
                "Let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
            )
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")

        self.num_workers = num_workers
        self.prefetch_factor = _DEFAULT_PREFETCH if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order

        if isinstance(dataset, IterDataPipe) and shuffle is not None:
            from flambeau.utils.data.datapipes.graph import apply_shuffle_settings

            dataset = apply_shuffle_settings(dataset, shuffle)
        self.dataset = dataset
        if isinstance(dataset, IterableDataset):
            self._dataset_kind = DatasetKind.Iterable
            _refuse_order_of_iterable(dataset, shuffle, sampler, batch_sampler)
        else:
            self._dataset_kind = DatasetKind.Map
            shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._dataset_kind == DatasetKind.Iterable:
                sampler = InfiniteConstantSampler()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
            else:
                sampler = SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)

        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)
        self.persistent_workers = persistent_workers
        self._reported_length: int | None = None
        self._initialized = True
        self.check_worker_number_rationality()

    @property
    def multiprocessing_context(self) -> Any:
        """The context that makes the workers; None for the platform's own."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
                    f"but got num_workers={self.num_workers}"
                )
            import multiprocessing
            from multiprocessing.context import BaseContext

            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        f"multiprocessing_context option should specify a valid start method in {methods!r}, "
                        f"but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the "
                    f"start method, but got multiprocessing_context={context}"
                )
        self._multiprocessing_context = context

    def __setattr__(self, attr: str, val: Any) -> None:
        if self._initialized and attr in _FIXED_AFTER_INIT:
            raise ValueError(f"{attr} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(attr, val)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Sampler[Any] | Iterable[Any]:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _get_iterator(self) -> LoaderIterator:
        if self.num_workers == 0:
            return SingleProcessIterator(self)
        self.check_worker_number_rationality()
        return MultiProcessIterator(self)

    def __iter__(self) -> LoaderIterator:
        if not (self.persistent_workers and self.num_workers):
            return self._get_iterator()
        if isinstance(self._iterator, MultiProcessIterator):
            self._iterator.restart()
        else:
            self._iterator = self._get_iterator()
        return self._iterator

    def __len__(self) -> int:
        if self._dataset_kind == DatasetKind.Map:
            return len(self._index_sampler)  # type: ignore[arg-type]
        length: int = len(self.dataset)  # type: ignore[arg-type]
        # Remembered, so that iterating past the length that was told can be pointed out.
        self._reported_length = length
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn when there are more workers than processors that this process may use."""
        if not self.num_workers:
            return
        import os

        try:
            usable: int | None = len(os.sched_getaffinity(0))
        except (AttributeError, OSError):
            usable = os.cpu_count()
        if usable is None:
            advice = "The number of processors of this system is unknown; "
        elif self.num_workers > usable:
            advice = (
                f"Our suggested max number of worker in current system is {usable}, which is smaller than what this "
                "DataLoader is going to create. "
            )
        else:
            return
        warnings.warn(
            f"This DataLoader will create {self.num_workers} worker processes in total. {advice}Please be aware that "
            "excessive worker creation might get DataLoader running slow or even freeze, lower the worker number to "
            "avoid potential slowness/freeze if necessary.",
            stacklevel=3,
        )


def _refuse_order_of_iterable(dataset: Any, shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    options = {"sampler": sampler, "batch_sampler": batch_sampler}
    given = {name: value for name, value in options.items() if value is not None}
    # shuffle=False is taken for a data set that fixes its own order; a data pipe shuffles itself.
    if not isinstance(dataset, IterDataPipe) and shuffle not in (None, False):
        given = {"shuffle": shuffle, **given}
    for name, value in given.items():
        raise ValueError(f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}")
