"""Random numbers on CUDA devices. Seeding all devices is harmless where there are none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..tensor import Tensor
from .availability import unavailable

default_generators: tuple[Any, ...] = ()


def manual_seed(seed: int) -> None:
    """Seed the current device's generator: there is none."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all devices: there are none."""
    int(seed)


def seed() -> None:
    """Seed the current device's generator anew: there is none."""


def seed_all() -> None:
    """Seed the generators of all devices anew: there are none."""


def get_rng_state_all() -> list[Tensor]:
    """The generators' states: none."""
    return []


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    """Set the generators' states; more than none is refused."""
    if list(new_states):
        set_rng_state()


initial_seed = unavailable("initial_seed", "The seed of the current device's generator.")
get_rng_state = unavailable("get_rng_state", "The state of a device's generator.")
set_rng_state = unavailable("set_rng_state", "Set the state of a device's generator.")
