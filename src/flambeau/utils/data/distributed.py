"""The sampler that gives each process of a group its own share of a data set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

from flambeau.utils.data.dataset import Dataset
from flambeau.utils.data.sampler import Sampler

T_co = TypeVar("T_co", covariant=True)

__all__ = ["DistributedSampler"]


def _process_group() -> Any:
    from flambeau import distributed

    if not distributed.is_available():
        raise RuntimeError("Requires distributed package to be available; pass num_replicas and rank to do without")
    return distributed


class DistributedSampler(Sampler[T_co]):
    """Every `num_replicas`-th index of the (shuffled) data set, starting at `rank`.

    All ranks get equally many: the data set is padded from its beginning or, with `drop_last`, cut. Call
    `set_epoch` before each epoch, else the order is the same every time.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None:
            num_replicas = int(_process_group().get_world_size())
        if rank is None:
            rank = int(_process_group().get_rank())
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        size: int = len(dataset)  # type: ignore[arg-type]
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[Any]:
        import flambeau

        size: int = len(self.dataset)  # type: ignore[arg-type]
        if self.shuffle:
            generator = flambeau.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = flambeau.randperm(size, generator=generator).tolist()
        else:
            order = list(range(size))
        if size and self.total_size > size:
            order = order * math.ceil(self.total_size / size)
        order = order[: self.total_size]
        if len(order) != self.total_size:
            raise AssertionError(f"Number of indices ({len(order)}) does not match total_size ({self.total_size})")
        return iter(order[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the coming epoch; the same on every rank."""
        self.epoch = epoch
