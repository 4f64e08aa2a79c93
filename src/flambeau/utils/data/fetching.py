"""Fetchers: from what a sampler yields to the data of one batch."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from flambeau.utils.data.dataset import load_samples


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
        return self.collate_fn(load_samples(self.dataset, index) if self.batched else self.dataset[index])


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
    if kind == DatasetKind.Map:
        return MapFetcher(dataset, batched, collate_fn)
    return IterableFetcher(dataset, batched, collate_fn, drop_last)
