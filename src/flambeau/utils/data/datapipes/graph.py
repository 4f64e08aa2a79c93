"""Settings that a loader applies to all pipes of a chain."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from flambeau.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe


def pipes_of(pipe: Any) -> Iterator[Any]:
    """`pipe` and all that it takes samples from, sources first."""
    seen: set[int] = set()

    def visit(value: Any) -> Iterator[Any]:
        if isinstance(value, (IterDataPipe, MapDataPipe)):
            if id(value) not in seen:
                seen.add(id(value))
                for held in vars(value).values():
                    yield from visit(held)
                yield value
        elif isinstance(value, (list, tuple)):
            for held in value:
                yield from visit(held)
        elif isinstance(value, dict):
            for held in value.values():
                yield from visit(held)

    return visit(pipe)


def apply_random_seed(pipe: Any, shared_seed: int) -> None:
    """Seed every pipe that has ``set_seed``; copies of a chain so seeded, one in each worker, draw alike."""
    import flambeau
    from flambeau.utils.data.sampler import draw_seed

    generator = flambeau.Generator()
    generator.manual_seed(shared_seed)
    for member in pipes_of(pipe):
        if callable(getattr(member, "set_seed", None)):
            member.set_seed(draw_seed(generator))


def apply_sharding(pipe: Any, num_of_instances: int, instance_id: int) -> None:
    """Tell every pipe that has ``apply_sharding`` which share of the samples is its own."""
    for member in pipes_of(pipe):
        if callable(getattr(member, "apply_sharding", None)):
            member.apply_sharding(num_of_instances, instance_id)


def apply_shuffle_settings(pipe: Any, shuffle: bool) -> Any:
    """Turn the shuffling of the chain on or off; a chain that cannot shuffle gets a shuffler at its end."""
    shufflers = [member for member in pipes_of(pipe) if callable(getattr(member, "set_shuffle", None))]
    if shuffle and not shufflers:
        warnings.warn(
            "`shuffle=True` was set, but the datapipe does not contain a `Shuffler`. Adding one at the end. Be aware "
            "that the default buffer size might not be sufficient for your task.",
            stacklevel=3,
        )
        pipe = pipe.shuffle()
        shufflers = [pipe]
    for shuffler in shufflers:
        shuffler.set_shuffle(shuffle)
    return pipe
