"""Samplers: in which order indices, or batches of indices, are loaded."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from flambeau import Generator, Tensor

T_co = TypeVar("T_co", covariant=True)

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

# PyTorch draws samples with replacement in blocks of this many; the random stream depends on it.
_REPLACEMENT_BLOCK = 32


def draw_seed(generator: Generator | None = None) -> int:
    """A 63-bit seed, drawn as PyTorch draws it: one int64 ``random_()``."""
    import flambeau

    return int(flambeau.empty((), dtype=flambeau.int64).random_(generator=generator).item())


def _check_bool(value: object, name: str, error: type[Exception]) -> None:
    if not isinstance(value, bool):
        raise error(f"{name} should be a boolean value, but got {name}={value}")


def _check_positive(value: object, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


class Sampler(Generic[T_co]):
    """Base class of samplers: a subclass writes ``__iter__``, and ``__len__`` where the length is known."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} should implement __iter__, returning an iterator of indices")

    # There is no default __len__: without one, len(sampler) raises TypeError, as len(DataLoader) then should.


class SequentialSampler(Sampler[int]):
    """0, 1, … ``len(data_source) - 1``.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices of `data_source` in random order; with `replacement`, independent uniform draws.

    Without a `generator`, each iteration seeds its own from the global one. Raises TypeError for a `replacement`
    that is no bool and ValueError for a `num_samples` that is not a positive integer.

    >>> import flambeau as torch
    >>> sorted(RandomSampler("abcd", generator=torch.Generator().manual_seed(0)))
    [0, 1, 2, 3]
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        _check_bool(replacement, "replacement", TypeError)
        _check_positive(self.num_samples, "num_samples")

    @property
    def num_samples(self) -> int:
        # The data source may grow or shrink between epochs, so its length is asked for each time.
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        import flambeau

        generator = self.generator
        if generator is None:
            generator = flambeau.Generator()
            generator.manual_seed(draw_seed())
        size, wanted = len(self.data_source), self.num_samples
        if self.replacement:
            for start in range(0, wanted, _REPLACEMENT_BLOCK):
                count = min(_REPLACEMENT_BLOCK, wanted - start)
                yield from flambeau.randint(
                    high=size, size=(count,), dtype=flambeau.int64, generator=generator
                ).tolist()
            return
        for _ in range(wanted // size):
            yield from flambeau.randperm(size, generator=generator).tolist()
        # Drawn even when nothing of it is used: PyTorch does, and a shared generator's stream depends on it.
        yield from flambeau.randperm(size, generator=generator).tolist()[: wanted % size]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given `indices` in random order.

    >>> sorted(SubsetRandomSampler([7, 3, 5]))
    [3, 5, 7]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        import flambeau

        for position in flambeau.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` draws of 0 … ``len(weights) - 1`` with probabilities proportional to `weights`.

    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        import flambeau

        _check_positive(num_samples, "num_samples")
        _check_bool(replacement, "replacement", ValueError)
        self.weights = flambeau.as_tensor(weights, dtype=flambeau.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        import flambeau

        yield from flambeau.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        ).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices from `sampler`; `drop_last` leaves out a shorter last one.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        _check_positive(batch_size, "batch_size")
        _check_bool(drop_last, "drop_last", ValueError)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        size: int = len(self.sampler)  # type: ignore[arg-type]
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)


class InfiniteConstantSampler(Sampler[Any]):
    """``None`` for ever: what stands in for indices where an iterable data set decides itself what comes next."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)
