"""Fetchers: from what a sampler yields to the data of one batch."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from flambeau.utils.data.collation import collate_tensor_fn, default_collate, default_collate_fn_map
from flambeau.utils.data.dataset import Subset, TensorDataset, load_samples


class DatasetKind(IntEnum):
    """Whether a data set is indexed or iterated over."""

    Map = 0
    Iterable = 1


class MapFetcher:
    """Looks up the samples at the given indices."""

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any]) -> None:
        self.dataset = dataset
        self.batched = batched
        self.collate_fn = collate_fn

    def fetch(self, index: Any) -> Any:
        if not self.batched:
            return self.collate_fn(self.dataset[index])
        if self.collate_fn is default_collate and (batch := gathered(self.dataset, index)) is not None:
            return batch
        return self.collate_fn(load_samples(self.dataset, index))


def gathered(dataset: Any, indices: Any) -> list[Any] | None:
    """What `default_collate` makes of the samples of a `TensorDataset` or a subset of one; None for all others.

    Taking all rows of a tensor at once is one operator, taking and stacking them one by one is as many as rows.
    """
    import numpy

    import flambeau

    while type(dataset) is Subset:
        indices = [dataset.indices[index] for index in indices]
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or default_collate_fn_map.get(flambeau.Tensor) is not collate_tensor_fn:
        return None
    if any(type(tensor) is not flambeau.Tensor or tensor.requires_grad for tensor in dataset.tensors):
        return None
    if not all(type(index) is int or isinstance(index, numpy.integer) for index in indices):
        return None
    rows = flambeau.as_tensor([int(index) for index in indices], dtype=flambeau.int64)
    return [tensor[rows] for tensor in dataset.tensors]


class IterableFetcher:
    """Takes the next samples of one iteration over the data set; StopIteration when there are none left."""

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.stream = iter(dataset)
        self.batched = batched
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.ended = False

    def fetch(self, index: Any) -> Any:
        if self.ended:
            raise StopIteration
        if not self.batched:
            return self.collate_fn(next(self.stream))
        samples: list[Any] = []
        for _ in index:
            try:
                samples.append(next(self.stream))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.drop_last and len(samples) < len(index)):
            raise StopIteration
        return self.collate_fn(samples)


def make_fetcher(
    kind: DatasetKind, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool
) -> MapFetcher | IterableFetcher:
    """What fetches samples from a data set of this kind."""
    if kind == DatasetKind.Map:
        return MapFetcher(dataset, batched, collate_fn)
    return IterableFetcher(dataset, batched, collate_fn, drop_last)
